"""Known answers, for operations: replies whose right judgement is known, mixed into queues to see, and to teach, how well people judge."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from db.errors import ParleyError
from db.models import GoldAnswer, Rating
from db.repositories import bad_cases, gold_answers
from db.repositories.bad_cases import Purpose
from db.vocabulary import IssueTag
from training.badcases import stored
from training.ratings.gold import LONGEST_EXPLANATION, add_gold, retire_gold
from webapp import database
from webapp.auth.identity import Identity
from webapp.components.empty import empty_html
from webapp.components.past_talk import past_talk_html
from webapp.components.rating_words import FAULT_WORDS, fault_list, stars
from webapp.components.words import moment
from webapp.pages.rated_turns import choose_rated_turn
from webapp.shell import places
from webapp.shell.notes import note, told
from webapp.shell.signed_in import reader_zone, signed_in

PAGE_SIZE = 200


class View(StrEnum):
    """What is listed."""

    KNOWN = "Known answers"
    RATED = "Add one"


def show() -> None:
    """Draw the page."""
    person = signed_in(*places.GOLD.roles)
    st.html(
        '<div class="p-title"><h1>Known answers</h1>'
        '<p class="p-sub">Replies whose right judgement is known. They are mixed into queues, and explained after the save.</p></div>'
    )
    places.link(places.QUEUES, "All queues", icon=":material/arrow_back:")
    view = st.segmented_control("View", [*View], default=View.KNOWN, required=True, key="gold_view", label_visibility="collapsed")
    if view != View.RATED:
        _list(person)
        return
    st.caption("Select a rated reply that you are sure about.")
    chosen = choose_rated_turn(Purpose.GOLD)
    if chosen is not None:
        _add(chosen.turn_id, person)


def _list(person: Identity) -> None:
    retired = st.toggle("Retired ones too", key="gold_retired")
    with database.sessions().begin() as session:
        answers = gold_answers.list_all(session, retired=retired, limit=PAGE_SIZE)
    if not answers:
        st.html(empty_html("No known answers yet", "Choose “Add one” and take a rated reply that you are sure about."))
        return
    zone = reader_zone()
    selection = st.dataframe(
        pd.DataFrame(
            [
                {
                    "Right": _range_words(answer),
                    "Faults to be seen": ", ".join(FAULT_WORDS[tag] for tag in answer.tags),
                    "Reply": " ".join(answer.turn.text.split()),
                    "Explanation": " ".join(answer.explanation.split()),
                    "Added": moment(answer.created_at, zone=zone),
                    "": "retired" if answer.retired_at is not None else "",
                }
                for answer in answers
            ]
        ),
        key=f"gold:{retired}",
        hide_index=True,
        row_height=38,
        on_select="rerun",
        selection_mode="single-row",
        column_config={"Reply": st.column_config.TextColumn(width="large")},
        alt="Known answers; select one to retire it",
    )
    chosen = [answers[index] for index in selection["selection"]["rows"] if index < len(answers)]
    if not chosen:
        st.caption("Select one to read it in full or to retire it. A known answer is never changed: retire it and add another.")
        return
    _show_one(chosen[0], person)


def _show_one(answer: GoldAnswer, person: Identity) -> None:
    with database.sessions().begin() as session:
        _show_talk(session, answer.turn_id)
    st.markdown(f"**Right:** {_range_words(answer)}")
    if answer.explanation:
        st.text(answer.explanation)
    if answer.retired_at is None:
        st.button(
            "Retire",
            icon=":material/archive:",
            on_click=_retire,
            args=(answer.id, person),
            help="It is handed out no more; what was judged stays.",
        )


def _add(turn_id: UUID, person: Identity) -> None:
    left, right = st.columns([1.25, 1], gap="large")
    with database.sessions().begin() as session:
        with left:
            _show_talk(session, turn_id)
        judgements = bad_cases.list_judgements(session, turn_id)
    with right, st.form(f"gold:{turn_id}"):
        _show_judgements(judgements)
        given = [judgement.stars for judgement in judgements if judgement.stars is not None] or [3]
        lowest, highest = st.select_slider(
            "Stars that are right", options=[1, 2, 3, 4, 5], value=(min(given), max(given)), key=f"gold_stars:{turn_id}"
        )
        named = list(dict.fromkeys(tag.tag for judgement in judgements for tag in judgement.tags))
        tags = st.multiselect(
            "Faults that must be seen", [*IssueTag], default=named, format_func=FAULT_WORDS.__getitem__, key=f"gold_tags:{turn_id}"
        )
        explanation = st.text_area(
            "Why: shown to the person after the save", max_chars=LONGEST_EXPLANATION, height=120, key=f"gold_why:{turn_id}"
        )
        pressed = st.form_submit_button("Add the known answer", type="primary", icon=":material/add:")
    if not pressed:
        return
    try:
        add_gold(
            database.sessions(),
            turn_id,
            stars_from=lowest,
            stars_to=highest,
            tags=tags,
            explanation=explanation or "",
            actor=person.user_id,
        )
    except ParleyError as error:
        st.error(str(error)[:1].upper() + str(error)[1:], icon=":material/error:")
        return
    note("The known answer is mixed into the queues that have a share for it.")
    st.rerun()


def _show_talk(session: Session, turn_id: UUID) -> None:
    try:
        context, reply = stored.freeze(session, turn_id)
    except ParleyError as error:
        st.info(str(error), icon=":material/info:")
        return
    st.html(past_talk_html(context, reply))


def _show_judgements(judgements: Sequence[Rating]) -> None:
    st.caption("What people said of it")
    for judgement in judgements:
        faults = fault_list([(tag.tag, tag.severity) for tag in judgement.tags])
        st.text(" ".join(part for part in (stars(judgement.stars), faults, judgement.comment) if part))


def _range_words(answer: GoldAnswer) -> str:
    if answer.stars_from == answer.stars_to:
        return stars(answer.stars_from)
    return f"{answer.stars_from} to {answer.stars_to} stars"


def _retire(gold_answer_id: UUID, person: Identity) -> None:
    with told():
        retire_gold(database.sessions(), gold_answer_id, actor=person.user_id)
        note("The known answer is handed out no more.")
