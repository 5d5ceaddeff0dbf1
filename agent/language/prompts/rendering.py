"""From a turn to the messages of a chat model.

Decided here: which facts a prompt shows, in which form, and how much of the conversation fits. A prompt is a few short lines (a small
model with a window of 1,024 tokens must hold it), shows a price always as ``net / selling``, and never holds a word of our own workings.
Secrets cannot appear: neither context has a field for one.
"""

import hashlib
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, TypedDict

from jinja2 import Environment, FunctionLoader, StrictUndefined

from agent.domain import AllowedMove, HotelMove, TicketFacts, TurnContext, Utterance, plain, selling_from_net
from agent.guardrails.rule import Violation
from agent.language.blanks import open_blanks
from agent.language.context import ReadContext
from agent.language.quotation import clipped
from agent.language.written import day_text
from db.vocabulary import ClarifyTopic, MoveKind, Speaker

LAST_UTTERANCES = 6
LAST_TEXT_TOKENS = 150.0
"""About how much of the message that is to be answered is shown."""
EARLIER_TEXT_TOKENS = 40.0
NAME_TOKENS = 24.0
EVIDENCE_TOKENS = 48.0
EVIDENCE_SHOWN = 3
OTHER_ROOMS_SHOWN = 3

LANGUAGES = {"en": "English", "zh": "Chinese"}

_MOVE_NOTES = {
    MoveKind.GREET: "introduce us and why we write, no price yet",
    MoveKind.PROBE: "ask how things stand for them, no price",
    MoveKind.ASK: "request this price with one reason",
    MoveKind.HOLD: "stay with this price, new reason or answer",
    MoveKind.ACCEPT: "say this price works, repeat the terms",
    MoveKind.CONFIRM: "repeat room, dates, net, selling, start date; ask for a yes",
    MoveKind.CALM: "name the feeling, take responsibility, ask for nothing",
    MoveKind.REDIRECT: "ask who decides on prices, thank",
    MoveKind.FOLLOW_UP: "friendly reminder",
    MoveKind.CLOSE: "thank and end",
    MoveKind.ESCALATE: "say that a colleague takes over",
}
_TOPIC_NOTES = {
    ClarifyTopic.NET_OR_SELLING: "ask if the price is net or selling",
    ClarifyTopic.AMOUNT: "ask for the exact price",
    ClarifyTopic.WHICH_ROOM: "ask which room it is for",
    ClarifyTopic.DATES: "ask for which dates",
    ClarifyTopic.BREAKFAST: "ask if breakfast is included",
    ClarifyTopic.TAX: "ask if tax is included",
    ClarifyTopic.ROOMS: "ask for how many rooms",
    ClarifyTopic.CONDITION: "ask about their condition",
}


class Message(TypedDict):
    """One message of the chat protocol."""

    role: str
    content: str


def render_read(context: ReadContext, text: str) -> list[Message]:
    """The prompt that asks what kind of move ``text`` is, its mood and which price it names."""
    facts = context.fact()
    return [
        Message(role="system", content=_render("read.system.jinja2", {})),
        Message(
            role="user",
            content=_render(
                "read.user.jinja2",
                {
                    "room": clipped(facts.room_type, NAME_TOKENS),
                    "now": _both(facts.current_net, facts),
                    "asked": _last_asked(context.asked, context.facts, context.focus),
                    "offered": _last_offered(context.offered, context.facts, context.focus),
                    "talk": _talk(context.history[-2:], answering=False),
                    "text": clipped(text, LAST_TEXT_TOKENS),
                },
            ),
        ),
    ]


def render_write(context: TurnContext, *, violations: Sequence[Violation] = ()) -> list[Message]:
    """The prompt for the next reply; with ``violations`` it names the faults that the new text must not have."""
    variant = "rewrite" if violations else "write"
    # The same fault may be found at several places: it is named once.
    faults = list(dict.fromkeys(clipped(violation.message, EVIDENCE_TOKENS * 2) for violation in violations))
    user = _render(f"{variant}.user.jinja2", {**_situation(context), "faults": faults[:4]})
    return [Message(role="system", content=_render(f"{variant}.system.jinja2", {})), Message(role="user", content=user)]


def situation(context: TurnContext) -> str:
    """The turn as a writer sees it, for whoever judges what was written."""
    return _render("situation.jinja2", _situation(context))


@cache
def prompts_version() -> str:
    """Twelve hex digits that change whenever any prompt would read differently: template files and the rendering of a specimen turn."""
    digest = hashlib.sha256()
    folder = files("agent.language.prompts")
    for resource in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if resource.name.endswith(".jinja2"):
            digest.update(resource.name.encode() + b"\0" + resource.read_bytes() + b"\0")
    for message in _specimens():
        digest.update(message["content"].encode() + b"\0")
    return digest.hexdigest()[:12]


def _situation(context: TurnContext) -> dict[str, Any]:
    several = len(context.facts) > 1
    focus = context.fact()
    others = [facts for facts in context.facts if facts.label != context.focus][:OTHER_ROOMS_SHOWN]
    rooms = [_room(focus, context.language, several=several)]
    rooms += [{"title": _title(facts, context.language, several=True), "prices": _now(facts), "evidence": []} for facts in others]
    agreed = [f"{_tag(context.facts, terms.label)}{_both(terms.net, context.fact(terms.label))}" for terms in context.agreed]
    return {
        "hotel": clipped(focus.hotel_name, NAME_TOKENS),
        "rooms": rooms,
        "asked": _last_asked(context.asked, context.facts, context.focus),
        "offered": _last_offered(context.offered, context.facts, context.focus),
        "agreed": "; ".join(agreed),
        "talk": _talk(context.history[-LAST_UTTERANCES:], answering=True),
        "heard": _heard(context.hotel_move),
        "brief": clipped(context.brief, EVIDENCE_TOKENS * 2),
        "moves": [_move_line(move, context) for move in context.allowed],
        "blanks": " ".join(f"{{{name}}}" for name in open_blanks(context)),
        "language": LANGUAGES.get(context.language, context.language),
    }


def _room(facts: TicketFacts, language: str, *, several: bool) -> dict[str, Any]:
    prices = _now(facts)
    if facts.competitor_price is not None:
        prices += f"; elsewhere {plain(facts.competitor_price)} selling"
        prices += f" on {clipped(facts.competitor_source, NAME_TOKENS)}" if facts.competitor_source else ""
        prices += f", seen {day_text(facts.competitor_seen_on, language)}" if facts.competitor_seen_on else ""
    evidence = [clipped(sentence, EVIDENCE_TOKENS) for sentence in facts.evidence[:EVIDENCE_SHOWN]]
    return {"title": _title(facts, language, several=several), "prices": prices, "evidence": evidence}


def _title(facts: TicketFacts, language: str, *, several: bool) -> str:
    parts = [
        f"{f'#{facts.label} ' if several else 'room: '}{clipped(facts.room_type, NAME_TOKENS)}",
        f"{day_text(facts.check_in, language)} to {day_text(facts.check_out, language)}",
    ]
    parts += [f"{facts.rooms} rooms"] if facts.rooms != 1 else []
    parts += [] if facts.breakfast is None else ["with breakfast" if facts.breakfast else "no breakfast"]
    parts += [] if facts.tax_included is None else ["tax included" if facts.tax_included else "tax extra"]
    return ", ".join(parts)


def _now(facts: TicketFacts) -> str:
    return f"now {_both(facts.current_net, facts)} {facts.currency}"


def _both(net: Decimal, facts: TicketFacts) -> str:
    return f"{plain(net)} net / {plain(selling_from_net(net, facts.commission))} selling"


def _tag(facts: Sequence[TicketFacts], label: int) -> str:
    return f"#{label} " if len(facts) > 1 else ""


def _last_asked(asked: Sequence[tuple[int, Decimal]], facts: Sequence[TicketFacts], focus: int) -> str:
    known = {fact.label: fact for fact in facts}
    mine = [net for label, net in asked if label == focus]
    return f"{_tag(facts, focus)}{_both(mine[-1], known[focus])}" if mine else ""


def _last_offered(offered: Sequence[tuple[int, Decimal]], facts: Sequence[TicketFacts], focus: int) -> str:
    theirs = [amount for label, amount in offered if label == focus]
    return f"{_tag(facts, focus)}{', '.join(plain(amount) for amount in theirs[-2:])}" if theirs else ""


def _talk(history: Iterable[Utterance], *, answering: bool) -> list[str]:
    """The utterances, oldest first; the one that is to be answered is shown at greater length."""
    shown = list(history)
    lines: list[str] = []
    for index, utterance in enumerate(shown):
        answered = answering and index == len(shown) - 1
        who = "hotel" if utterance.speaker is Speaker.HOTEL else "us"
        lines.append(f'{who}: "{clipped(utterance.text, LAST_TEXT_TOKENS if answered else EARLIER_TEXT_TOKENS)}"')
    return lines


def _heard(move: HotelMove | None) -> str:
    if move is None:
        return ""
    parts = [str(move.kind), str(move.mood)]
    parts += [f'"{clipped(condition, NAME_TOKENS)}"' for condition in move.conditions[:2]]
    return ", ".join(parts)


def _move_line(move: AllowedMove, context: TurnContext) -> str:
    """``ask: 428 net / 503.53 selling - request this price with one reason``: the key, the price in both kinds, what to do."""
    note = _TOPIC_NOTES[move.topic] if move.topic else _MOVE_NOTES[move.kind]
    tag = _tag(context.facts, move.label) if move.label is not None else ""
    price = f"{_both(move.price, context.fact(move.label))} - " if move.price is not None else ""
    return f"{move.key}: {tag}{price}{note}"


def _load(name: str) -> str:
    return (files("agent.language.prompts") / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_load), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )


def _render(name: str, values: dict[str, Any]) -> str:
    return _environment().get_template(name).render(values).strip()


def _specimens() -> list[Message]:
    # Imported late: the specimen is built from this module's own inputs and is needed only for the hash.
    from agent.language.prompts.specimen import READ, READ_TEXT, VIOLATION, WRITE

    return [*render_read(READ, READ_TEXT), *render_write(WRITE), *render_write(WRITE, violations=(VIOLATION,))]
