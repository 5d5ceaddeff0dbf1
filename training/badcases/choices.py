"""The checks as a person chooses them: each with plain words and at most one argument, and the line in which a choice is stored.

A line is the name of a matcher, with its argument as JSON where it has one: ``greets``, ``asks_about: "tax"``,
``names_no_amount: ["350"]``. Decided here: which words stand for which check, and which checks make sense on which side.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any

from db.errors import ParleyError
from db.vocabulary import MoveKind
from training.badcases.case import Check
from training.badcases.matchers import MATCHERS, Matcher, Topic, matcher
from training.badcases.wording import Language


class CheckError(ParleyError):
    """A check that cannot be used; says which one and why."""


class Argument(StrEnum):
    """What a check wants to know besides its name."""

    NONE = "none"
    AMOUNTS = "amounts"
    WORDS = "words"
    ROOMS = "rooms"
    """Labels of the conversation's tickets."""
    MOVES = "moves"
    RULES = "rules"
    """Names of the guard's rules."""
    CHARACTERS = "characters"
    SHARE = "share"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One check to choose. A check with a topic is one choice for each topic, so that each stands at most once in a case."""

    key: str
    name: str
    """Of the matcher."""
    words: str
    """What the reply does where the check holds: goes on from "it must" and "it must not"."""
    argument: Argument = Argument.NONE
    fixed: str | None = None
    """The argument that this choice stands for."""
    denies: bool = False
    """It says that something is *not* there, so it makes no sense as something that a reply must not do."""


_TOPIC_WORDS = {
    Topic.NET_OR_SELLING: "whether a price is net or selling",
    Topic.AMOUNT: "the exact amount",
    Topic.WHICH_ROOM: "which room is meant",
    Topic.DATES: "the dates",
    Topic.BREAKFAST: "breakfast",
    Topic.TAX: "tax",
    Topic.ROOMS: "the number of rooms",
    Topic.CONDITION: "the hotel's condition",
    Topic.SITUATION: "how things stand for the hotel",
}
_LANGUAGE_WORDS = {Language.EN: "English", Language.ZH: "Chinese"}


def _plain(name: str, words: str, argument: Argument = Argument.NONE, *, denies: bool = False) -> Choice:
    return Choice(key=name, name=name, words=words, argument=argument, denies=denies)


CHOICES: tuple[Choice, ...] = (
    _plain("asks_a_question", "ask something"),
    *(Choice(key=f"asks_about {topic}", name="asks_about", words=f"ask about {_TOPIC_WORDS[topic]}", fixed=topic) for topic in Topic),
    _plain("asks_for_decision_maker", "ask who decides on prices"),
    _plain("names_amount", "name all of these amounts", Argument.AMOUNTS),
    _plain("names_no_amount", "name none of these amounts", Argument.AMOUNTS, denies=True),
    _plain("says_no_price", "name no price at all", denies=True),
    _plain("calls_net", "call these amounts net", Argument.AMOUNTS),
    _plain("calls_selling", "call these amounts selling prices", Argument.AMOUNTS),
    _plain("repeats_terms", "repeat room, dates, net and selling price, and ask for a yes"),
    _plain("mentions", "use at least one of these words", Argument.WORDS),
    _plain("mentions_none_of", "use none of these words", Argument.WORDS, denies=True),
    _plain("names_every_open_room", "name every room that is not agreed yet"),
    _plain("names_rooms", "name these rooms", Argument.ROOMS),
    _plain("singles_out_no_room", "leave no open room out once one is named", denies=True),
    _plain("acknowledges_feeling", "show understanding for the feeling, or say sorry"),
    _plain("greets", "greet"),
    _plain("thanks", "thank"),
    _plain("blames_nobody", "blame nobody", denies=True),
    *(
        Choice(key=f"language_is {language}", name="language_is", words=f"be in {_LANGUAGE_WORDS[language]}", fixed=language)
        for language in Language
    ),
    _plain("not_longer_than", "be no longer than so many characters", Argument.CHARACTERS, denies=True),
    _plain("says_something_new", "say something new: this share of its word pairs at least", Argument.SHARE),
    _plain("moves_in", "make one of these moves", Argument.MOVES),
    _plain("no_rule_broken", "break none of these rules of the guard", Argument.RULES, denies=True),
)
"""Every matcher that a case may use, in the order in which they are offered."""
BY_KEY: dict[str, Choice] = {choice.key: choice for choice in CHOICES}


def line_of(choice: Choice, value: Any = None) -> str:
    """The line of a choice with its argument (a list, or one number).

    Raises:
        CheckError: the argument is missing or of the wrong kind.
    """
    if choice.fixed is not None:
        return f"{choice.name}: {json.dumps(str(choice.fixed))}"
    if choice.argument is Argument.NONE:
        return choice.name
    if value is None or value == [] or value == ():
        raise CheckError(f"“{choice.words}” needs to know which: fill in the box beside it, or take the check away.")
    return _written(choice.name, _matcher(choice.name, _values(value), choice.words))


def choice_of(line: str) -> tuple[Choice, Any]:
    """The choice that a line stands for, with its argument as plain values (None without one).

    Raises:
        CheckError: no check is written like this.
    """
    name, argument = _taken_apart(line)
    found = BY_KEY.get(f"{name} {argument}" if isinstance(argument, str) else name)
    if found is None:
        raise CheckError(f"No check is written {line!r}. Take it away and choose another one.")
    own = _field(_matcher(name, argument, line))
    return found, None if found.fixed is not None or own is None else own


def check_of(line: str) -> Check:
    """The check that a line stands for, with plain words. Raises CheckError."""
    name, argument = _taken_apart(line)
    return Check(says=says(line), matcher=_matcher(name, argument, line))


def says(line: str) -> str:
    """A line in plain words (``name none of these amounts: 350``). Raises CheckError."""
    choice, value = choice_of(line)
    if value is None:
        return choice.words
    shown = ", ".join(_spoken(choice, part) for part in value) if isinstance(value, list) else str(value)
    return f"{choice.words}: {shown}"


def _spoken(choice: Choice, part: Any) -> str:
    if choice.argument is Argument.ROOMS:
        return f"room {part}"
    if choice.argument is Argument.WORDS:
        return f"“{part}”"
    return str(part).replace("_", " ") if choice.argument in (Argument.MOVES, Argument.RULES) else str(part)


def _taken_apart(line: str) -> tuple[str, Any]:
    name, colon, argument = line.partition(":")
    if name.strip() not in MATCHERS:
        raise CheckError(f"No check is called {name.strip()!r}. Take it away and choose another one.")
    try:
        return name.strip(), json.loads(argument) if colon else True
    except json.JSONDecodeError as error:
        raise CheckError(f"The check {line!r} cannot be read. Take it away and choose it again.") from error


def _matcher(name: str, argument: Any, shown: str) -> Matcher:
    try:
        return matcher(name, argument)
    except (ValueError, ArithmeticError) as error:
        raise CheckError(f"The check “{shown}” cannot be used: {_reason(error)}.") from error


def _reason(error: Exception) -> str:
    details = getattr(error, "errors", None)
    if callable(details):
        return "; ".join(str(detail["msg"]) for detail in details())  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
    return str(error).rstrip(".")


def _values(value: Any) -> Any:
    """What a person has put in, as the matchers take it; equal amounts, words and so on once."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return value
    parts: list[Any] = [part.strip() if isinstance(part, str) else part for part in value]
    kept = list(dict.fromkeys(part for part in parts if part != ""))
    return [str(part) if isinstance(part, Decimal | MoveKind) else part for part in kept]


def _field(own: Matcher) -> Any:
    names = [field.name for field in fields(own)]  # pyright: ignore[reportArgumentType]
    if not names:
        return None
    value = getattr(own, names[0])
    return [to_plain(part) for part in value] if isinstance(value, tuple) else to_plain(value)


def to_plain(value: Any) -> Any:
    """One argument as JSON holds it: an amount is a string, a word of a vocabulary is itself."""
    return str(value) if isinstance(value, Decimal | StrEnum) else value


def _written(name: str, own: Matcher) -> str:
    return f"{name}: {json.dumps(_field(own), ensure_ascii=False)}"
