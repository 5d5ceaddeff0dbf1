"""The transcript as chat bubbles, and the draft that is being written or waits for a person.

One HTML block for the whole conversation keeps a rerun cheap whatever its length. Hotel left, we right; what a person changed and what
the guard said is one click away, not in the way.
"""

from collections.abc import Sequence
from datetime import tzinfo
from html import escape

from agent.domain import AllowedMove
from agent.service.views import TurnView
from db.vocabulary import DraftOrigin, Severity, Speaker
from webapp.components.stages import stage_chip
from webapp.components.verdicts import Verdict, highlight, verdict_list
from webapp.components.words import moment, move_words, understood_words

ORIGIN_WORDS = {
    DraftOrigin.POLICY: "",
    DraftOrigin.REWRITE: "rewritten after the checks",
    DraftOrigin.TEMPLATE: "safe standard wording",
    DraftOrigin.PERSON: "written by a person",
}


def transcript_html(turns: Sequence[TurnView], *, hotel_name: str, zone: tzinfo) -> str:
    """All turns, oldest first, each with what was done or understood and the stage that it led to."""
    bubbles = "".join(_bubble(turn, hotel_name=hotel_name, zone=zone) for turn in turns)
    return f'<div class="p-chat" role="log" aria-label="Conversation">{bubbles}</div>'


def writing_html(text: str, status: str) -> str:
    """The draft while it is written: the words so far, or a status line before the first one."""
    body = f'<div class="p-text">{escape(text)}<span class="p-caret"></span></div>' if text else ""
    return (
        '<div class="p-chat p-live" aria-live="polite"><div class="p-row p-us"><div class="p-bubble p-draft">'
        f'{body}<div class="p-status"><span class="p-pulse"></span>{escape(status)}</div></div></div></div>'
    )


def draft_html(text: str, *, verdicts: Sequence[Verdict], move: AllowedMove | None, origin: DraftOrigin) -> str:
    """A draft that waits for a person: its words with findings marked, the move it makes, and each finding in plain words."""
    words = [escape(move_words(move))] if move else []
    words += [escape(ORIGIN_WORDS[origin])] if ORIGIN_WORDS[origin] else []
    verdict = verdict_list(verdicts, text) or '<div class="p-clean">✓ All checks passed</div>'
    return (
        '<div class="p-chat"><div class="p-row p-us"><div class="p-bubble p-draft">'
        f'<div class="p-head"><b>Draft for you to check</b><span>{" · ".join(words)}</span></div>'
        f'<div class="p-text">{highlight(text, verdicts)}</div>{verdict}</div></div></div>'
    )


def _bubble(turn: TurnView, *, hotel_name: str, zone: tzinfo) -> str:
    ours = turn.speaker is Speaker.BD
    who = (turn.author or "Parley") if ours else hotel_name
    edited = '<span class="p-tag">edited</span>' if turn.edited_from is not None else ""
    text = f'<div class="p-text">{escape(turn.text)}</div>' if turn.text.strip() else '<div class="p-text p-silent">No answer</div>'
    return (
        f'<div class="p-row {"p-us" if ours else "p-them"}"><div class="p-bubble">'
        f'<div class="p-head"><b>{escape(who)}</b>{edited}<time>{moment(turn.created_at, zone=zone)}</time></div>{text}'
        f"{_foot(turn)}{_more(turn)}</div></div>"
    )


def _foot(turn: TurnView) -> str:
    words = ""
    if turn.speaker is Speaker.BD and turn.move is not None:
        words = move_words(turn.move)
    elif turn.hotel_move is not None:
        words = f"Understood: {understood_words(turn.hotel_move)}"
    chip = stage_chip(turn.stage_after) if turn.stage_after is not None else ""
    return f'<div class="p-foot"><span>{escape(words)}</span>{chip}</div>' if words or chip else ""


def _more(turn: TurnView) -> str:
    parts: list[str] = []
    if turn.edited_from is not None:
        parts.append(_folded("What the draft said", f'<div class="p-text">{escape(turn.edited_from)}</div>'))
    serious = [verdict for verdict in turn.verdicts if verdict.severity is not Severity.MINOR]
    if serious:
        parts.append(_folded(f"Checks: {len(serious)} found", verdict_list(serious, turn.text)))
    return "".join(parts)


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{body}</details>"
