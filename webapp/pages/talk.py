"""The left side of a negotiation: the transcript, the draft as it is written, and under it what can be done now."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from agent.service.views import ConversationView
from webapp import backend
from webapp.auth.identity import Identity
from webapp.components.transcript import draft_html, transcript_html, writing_html
from webapp.components.words import HOTEL_MOVE_WORDS
from webapp.desk import Job, Phase, Progress
from webapp.pages import composer, deciding
from webapp.shell.signed_in import reader_zone

_PHASE_WORDS = {
    Phase.STARTING: "Starting …",
    Phase.READING: "Reading what the hotel wrote …",
    Phase.WRITING: "Writing …",
    Phase.CHECKING: "Checking the reply …",
    Phase.REWRITING: "The checks found something: rewriting …",
    Phase.WAITING_FOR_MODEL: "The language model is starting up. The draft goes on by itself as soon as it is there.",
}


@dataclass(frozen=True, slots=True)
class _Talk:
    """The places on the page that change while a job runs."""

    transcript: DeltaGenerator
    live: DeltaGenerator


def show_talk(view: ConversationView, job: Job | None, *, seen: Job | None, person: Identity) -> None:
    """Draw the talk, and follow the job to its end where one runs. ``seen`` is the job whose outcome is in the view already."""
    with st.container(height=520, border=False, key="talk", autoscroll=True):
        talk = _Talk(st.empty(), st.empty())
        _draw(talk, view)
    if job is None or job is seen:
        if view.pending is not None and not deciding.is_editing(view.pending, job):
            pending = view.pending
            talk.live.html(draft_html(pending.text, verdicts=pending.verdicts, move=pending.move, origin=pending.origin))
        composer.show(view, job, person=person)
        return
    composer.show_while_busy(view)
    _follow(talk, view, job)
    st.rerun()


def _follow(talk: _Talk, view: ConversationView, job: Job) -> None:
    """Show the job's progress until it is over, or until a reply of ours has gone out and the whole page has news."""
    turns = -1
    sent = job.progress.sent
    for progress in job.follow():
        if progress.sent > sent:
            return
        if progress.turns != turns:
            turns = progress.turns
            _draw(talk, backend.negotiations().view(view.id) if turns else view)
        # Drawn again on every beat, changed or not: that is where Streamlit notices a click or a closed window.
        talk.live.html(writing_html(progress.text, _status(progress)))


def _status(progress: Progress) -> str:
    words = _PHASE_WORDS.get(progress.phase, "")
    if progress.hotel_move is not None and progress.phase is Phase.WRITING and not progress.text:
        return f"The hotel {HOTEL_MOVE_WORDS[progress.hotel_move.kind]}. {words}"
    return words


def _draw(talk: _Talk, view: ConversationView) -> None:
    if view.turns:
        talk.transcript.html(transcript_html(view.turns, hotel_name=view.hotel_name, zone=reader_zone()))
