"""The same argument is not made twice in the same words."""

import re
from dataclasses import dataclass

from agent.domain import Reply, TurnContext
from agent.guardrails.rule import Violation
from agent.guardrails.said import Said, said
from agent.prices import NumberKind
from db.vocabulary import MoveKind, Severity, Speaker

MOST_OVERLAP = 0.6
"""Share of a reply's word triples that may stand in one earlier reply of ours."""
_LEAST_TRIPLES = 6
_TOKEN = re.compile(r"[a-z']+|[\u3400-\u9fff]|0")
_LEAST_WORDS = 6
_LEAST_HAN = 10
"""A shorter sentence is a courtesy ("thank you for your message"), not an argument."""
NO_ARGUMENT = (MoveKind.ACCEPT, MoveKind.CONFIRM, MoveKind.CLOSE, MoveKind.ESCALATE)
"""Moves whose words may be said again: to confirm is to repeat."""


@dataclass(frozen=True, slots=True)
class Repetition:
    """No sentence twice, of this reply or of an earlier one, and no reply that is mostly an earlier one.

    Numbers and dates count as one and the same, so that a new price does not make an old sentence new. What was said about another
    room is another matter, and terms may be repeated: that is what confirming is.
    """

    name: str = "repetition"
    severity: Severity = Severity.MAJOR

    def check(self, context: TurnContext, reply: Reply) -> list[Violation]:
        """A violation for each repeated sentence, else one for too much overlap."""
        if reply.move.kind in NO_ARGUMENT:
            return []
        heard = said(context, reply)
        earlier = [
            said(context, Reply(move=reply.move, text=turn.text))
            for turn in context.history
            if turn.speaker is Speaker.BD and not _is_about_another_room(context, reply, turn.text)
        ]
        before = {tokens for old in earlier for tokens, _, _ in _sentences(old)}
        found: list[Violation] = []
        for tokens, start, end in _sentences(heard):
            if tokens in before:
                first, last = heard.span(start, end)
                message = f"{heard.quote(start, end)} was said before: use other words"
                found.append(Violation(rule=self.name, severity=self.severity, message=message, start=first, end=last))
            before.add(tokens)
        if found:
            return found
        triples = _triples(heard)
        if len(triples) < _LEAST_TRIPLES:
            return []
        overlap = max((len(triples & _triples(old)) / len(triples) for old in earlier), default=0.0)
        if overlap > MOST_OVERLAP:
            return [
                Violation(rule=self.name, severity=self.severity, message="most of this was said before: use other words and a new reason")
            ]
        return []


def _levelled(heard: Said) -> str:
    """The masked text with every number and date as a single 0, of the same length."""
    characters = list(heard.masked)
    for number in heard.numbers:
        if number.kind is NumberKind.OTHER and not number.text[:1].isdigit():
            continue
        characters[number.start : number.end] = "0" + " " * (number.end - number.start - 1)
    return "".join(characters)


def _sentences(heard: Said) -> list[tuple[tuple[str, ...], int, int]]:
    """Each sentence that is long enough to be noticed, as tokens with its place."""
    text = _levelled(heard)
    rows = [(tuple(_TOKEN.findall(text[part.start : part.end])), part.start, part.end) for part in heard.sentences]
    return [(tokens, start, end) for tokens, start, end in rows if _is_argument(tokens)]


def _is_argument(tokens: tuple[str, ...]) -> bool:
    return len(tokens) >= (_LEAST_HAN if any(token >= "\u3400" for token in tokens) else _LEAST_WORDS)


def _is_about_another_room(context: TurnContext, reply: Reply, text: str) -> bool:
    """True where an earlier reply names rooms of this conversation, but not the one that is talked about now."""
    room = context.fact(reply.move.label).room_type.casefold()
    low = text.casefold()
    return room not in low and any(fact.room_type.casefold() in low for fact in context.facts)


def _triples(heard: Said) -> set[tuple[str, str, str]]:
    found: set[tuple[str, str, str]] = set()
    for tokens, _, _ in _sentences(heard):
        found |= set(zip(tokens, tokens[1:], tokens[2:], strict=False))
    return found
