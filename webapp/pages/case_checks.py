"""Choosing what a fix must do and must not do: a list of plain words, and a box beside those that want to know which."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import streamlit as st

from agent.domain import AllowedMove, Reply, TurnContext, plain
from agent.guardrails import RULES
from db.errors import ParleyError
from db.vocabulary import MoveKind
from training.badcases.choices import BY_KEY, CHOICES, Argument, Choice, choice_of, line_of
from webapp.components.verdicts import rule_words
from webapp.components.words import move_words

_SHORTEST, _LONGEST = 20, 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What is chosen at this moment."""

    lines: tuple[str, ...]
    problems: tuple[str, ...]
    """What is still missing, in plain words."""


def choose_checks(label: str, lines: tuple[str, ...], *, turn: TurnContext, bad: Reply, key: str, denied: bool) -> Checks:
    """Draw the list with what ``lines`` hold; ``denied`` for things that a reply must *not* do."""
    held, problems = _held(lines)
    offered = [choice.key for choice in CHOICES if not (denied and choice.denies)]
    chosen: list[str] = st.multiselect(
        label,
        offered,
        default=[one for one in held if one in offered],
        format_func=lambda one: BY_KEY[one].words,
        placeholder="Choose from the list",
        key=f"{key}:which",
    )
    written: list[str] = []
    for one in chosen:
        choice = BY_KEY[one]
        try:
            written.append(line_of(choice, _argument(choice, held.get(one), turn, bad, key=f"{key}:{one}")))
        except ParleyError as error:
            problems.append(str(error))
    return Checks(lines=tuple(written), problems=tuple(problems))


def _held(lines: tuple[str, ...]) -> tuple[dict[str, Any], list[str]]:
    held: dict[str, Any] = {}
    problems: list[str] = []
    for line in lines:
        try:
            choice, value = choice_of(line)
            held[choice.key] = value
        except ParleyError as error:
            problems.append(str(error))
    return held, problems


def _argument(choice: Choice, value: Any, turn: TurnContext, bad: Reply, *, key: str) -> Any:
    label = choice.words[:1].upper() + choice.words[1:]
    match choice.argument:
        case Argument.NONE:
            return None
        case Argument.AMOUNTS:
            return _several(label, _amounts(turn, bad), value, key=key, new="Add an amount and press Enter")
        case Argument.WORDS:
            return _several(label, [], value, key=key, new="Add a word or words and press Enter; rank* stands for any ending")
        case Argument.ROOMS:
            rooms = {facts.label: f"{facts.label} · {facts.room_type}" for facts in turn.facts}
            return st.multiselect(
                label, [*rooms], default=[room for room in value or () if room in rooms], format_func=rooms.__getitem__, key=key
            )
        case Argument.MOVES:
            kinds = [kind.value for kind in MoveKind]
            return st.multiselect(
                label, kinds, default=value, format_func=lambda kind: move_words(AllowedMove(kind=MoveKind(kind))), key=key
            )
        case Argument.RULES:
            rules = [rule.name for rule in RULES]
            return st.multiselect(label, rules, default=value, format_func=rule_words, key=key)
        case Argument.CHARACTERS:
            return st.number_input(label, min_value=_SHORTEST, max_value=_LONGEST, value=int(value or 300), step=10, key=key)
        case Argument.SHARE:
            return st.slider(label, min_value=0.0, max_value=1.0, value=float(0.5 if value is None else value), step=0.05, key=key)


def _several(label: str, known: list[str], value: list[str] | None, *, key: str, new: str) -> list[str]:
    options = list(dict.fromkeys([*(value or ()), *known]))
    return st.multiselect(label, options, default=value, accept_new_options=True, placeholder=new, key=key)


def _amounts(turn: TurnContext, bad: Reply) -> list[str]:
    """The amounts of the conversation, to choose from."""
    prices: list[Decimal | None] = [bad.move.price]
    prices += [amount for _, amount in (*turn.offered, *turn.asked)]
    for facts in turn.facts:
        prices += [facts.current_net, facts.current_selling, facts.competitor_price]
    return list(dict.fromkeys(plain(price) for price in prices if price is not None))
