"""The small vocabulary in which a case says what a reply must do: each matcher looks for one thing in one reply.

Decided here: what counts as naming an amount or a room and as asking about a topic, in English and Chinese; what counts as a tone and as
a word is decided in ``wording``. Every matcher is a frozen dataclass of at most one field, found in a case's file by its name in
``MATCHERS``.
"""

import re
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol, get_origin, get_type_hints, runtime_checkable

from pydantic import TypeAdapter

from agent.domain import Reply, TurnContext
from agent.guardrails import RULES, MissingConfirmation, check
from agent.guardrails.conduct import asks_something
from agent.guardrails.figures import named_kind
from agent.guardrails.known import known_numbers
from agent.guardrails.said import fold, said
from agent.prices import NumberKind
from db.vocabulary import MoveKind, PriceBasis
from training.badcases.wording import (
    AcknowledgesFeeling,
    BlamesNobody,
    Greets,
    LanguageIs,
    Mentions,
    MentionsNoneOf,
    NotLongerThan,
    SaysSomethingNew,
    Thanks,
)

_RULE_NAMES = frozenset(rule.name for rule in RULES)
_PRICED = (NumberKind.AMOUNT, NumberKind.COUNT, NumberKind.OTHER)


@runtime_checkable
class Matcher(Protocol):
    """One idea about a reply."""

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """True where the reply does what the matcher looks for."""
        ...


# -- amounts ----------------------------------------------------------------------------------------------------------------------------


def _named(turn: TurnContext, reply: Reply) -> set[Decimal]:
    return {number.value for number in said(turn, reply).numbers if number.kind in _PRICED}


@dataclass(frozen=True, slots=True)
class NamesAmount:
    """Every one of these amounts stands in the reply, in digits or words."""

    amounts: tuple[Decimal, ...]

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return set(self.amounts) <= _named(turn, reply)


@dataclass(frozen=True, slots=True)
class NamesNoAmount:
    """None of these amounts stands in the reply."""

    amounts: tuple[Decimal, ...]

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return not set(self.amounts) & _named(turn, reply)


@dataclass(frozen=True, slots=True)
class SaysNoPrice:
    """No price at all: no sum of money, and no bare number that is one of the conversation's prices."""

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        known = known_numbers(turn, reply.move)
        prices = [number for number in said(turn, reply).numbers if number.value not in known.counts]
        return not any(number.kind is NumberKind.AMOUNT or (number.kind in _PRICED and known.has_amount(number.value)) for number in prices)


def _called(turn: TurnContext, reply: Reply, amount: Decimal) -> set[PriceBasis]:
    heard = said(turn, reply)
    return {named_kind(heard, number) for number in heard.numbers if number.kind in _PRICED and number.value == amount}


@dataclass(frozen=True, slots=True)
class CallsNet:
    """Every one of these amounts is named and called net."""

    amounts: tuple[Decimal, ...]

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return all(PriceBasis.NET in _called(turn, reply, amount) for amount in self.amounts)


@dataclass(frozen=True, slots=True)
class CallsSelling:
    """Every one of these amounts is named and called a selling price."""

    amounts: tuple[Decimal, ...]

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return all(PriceBasis.SELLING in _called(turn, reply, amount) for amount in self.amounts)


@dataclass(frozen=True, slots=True)
class RepeatsTerms:
    """Room, first and last date, net and selling price of the reply's own move, and a request for a yes."""

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        terms = (MoveKind.ACCEPT, MoveKind.CONFIRM)
        return reply.move.kind in terms and reply.move.price is not None and not MissingConfirmation().check(turn, reply)


# -- questions --------------------------------------------------------------------------------------------------------------------------


class Topic(StrEnum):
    """What may be asked about."""

    NET_OR_SELLING = "net_or_selling"
    AMOUNT = "amount"
    WHICH_ROOM = "which_room"
    DATES = "dates"
    BREAKFAST = "breakfast"
    TAX = "tax"
    ROOMS = "rooms"
    CONDITION = "condition"
    SITUATION = "situation"
    """How bookings stand, and what keeps the price where it is."""


_ABOUT = {
    Topic.NET_OR_SELLING: r"(?=.*(?:\bnett?\b|净|底价|结算))(?=.*(?:\bsell|\bretail|\bguests? pay|售价|卖价))",
    Topic.AMOUNT: r"\b(?:exact(?:ly)?|precise(?:ly)?|figure|amount|number|how much|which price|what price)\b|具体|准确|确切|多少|数字",
    Topic.WHICH_ROOM: r"\b(?:which|what|both|either)\b.*\brooms?\b|\broom type|\b(?:for|about) the\b.*\bor\b|哪[个种间]|还是|哪种房型",
    Topic.DATES: r"\b(?:dates?|nights?|period|days?|week(?:day|end)s?|whole stay|when)\b|日期|哪几?天|期间|整段|周末|平日",
    Topic.BREAKFAST: r"\bbreakfasts?\b|早",
    Topic.TAX: r"\b(?:tax(?:es)?|vat|service charge|all[- ]in)\b|税|服务费",
    Topic.ROOMS: r"\b(?:how many|number of) (?:\w+ )?rooms?\b|几间|多少间|房间数",
    Topic.CONDITION: r"\b(?:conditions?|depend|tied|require|apply|applies|minimum|restrict|only)\w*|条件|要求|限制|前提|连住",
    Topic.SITUATION: r"\bhow (?:is|are|do|does|many|full)\b|\bwhat (?:keeps|matters)\b|\b(?:free|booked|bookings?|"
    r"reservations?|demand|occupan\w+|filling|fill|look\w*)\b|怎么样|如何|情况|多少|订|空房",
}


def _asking(turn: TurnContext, reply: Reply) -> list[str]:
    """The sentences that ask or request something, with the facts that they quote."""
    heard = said(turn, reply)
    parts = [heard.folded[sentence.start : sentence.end] for sentence in heard.sentences]
    return [part for part in parts if asks_something(part)]


@dataclass(frozen=True, slots=True)
class AsksAQuestion:
    """Something is asked or requested."""

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return bool(_asking(turn, reply))


@dataclass(frozen=True, slots=True)
class AsksAbout:
    """A sentence asks about this topic."""

    topic: Topic

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return any(re.search(_ABOUT[self.topic], sentence) for sentence in _asking(turn, reply))


_WHO = re.compile(
    r"\bwho(?:m|ever)?\b|\bwhich (?:colleague|person|department|team)\b|\b(?:right|best) (?:person|contact)\b|\bin charge\b|\bpoint me\b|"
    r"\b(?:name|contact|email|number) of\b|谁|哪位|哪个部门|负责人"
)


@dataclass(frozen=True, slots=True)
class AsksForDecisionMaker:
    """A sentence asks who decides on prices."""

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return any(_WHO.search(sentence) for sentence in _asking(turn, reply))


# -- rooms ------------------------------------------------------------------------------------------------------------------------------


def _names_room(turn: TurnContext, reply: Reply, label: int) -> bool:
    """The room type in full, or a word of it that no other room of the conversation shares."""
    text = " ".join(said(turn, reply).folded.split())
    rooms = {fact.label: " ".join(fold(fact.room_type)[0].split()) for fact in turn.facts}
    others = {word for other, room in rooms.items() if other != label for word in room.split()}
    own = [rooms[label], *(word for word in rooms[label].split() if word not in others and word != "room")]
    return any(word in text for word in own)


@dataclass(frozen=True, slots=True)
class NamesEveryOpenRoom:
    """Every room of the conversation that is not agreed yet is named."""

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        agreed = {terms.label for terms in turn.agreed}
        return all(_names_room(turn, reply, fact.label) for fact in turn.facts if fact.label not in agreed)


@dataclass(frozen=True, slots=True)
class NamesRooms:
    """The rooms with these labels are named."""

    labels: tuple[int, ...]

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return all(_names_room(turn, reply, label) for label in self.labels)


@dataclass(frozen=True, slots=True)
class SinglesOutNoRoom:
    """Either every room that is not agreed yet is named, or none of them is."""

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        agreed = {terms.label for terms in turn.agreed}
        return len({_names_room(turn, reply, fact.label) for fact in turn.facts if fact.label not in agreed}) <= 1


# -- moves and rules --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MovesIn:
    """The claimed move is one of these kinds."""

    kinds: tuple[MoveKind, ...]

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return reply.move.kind in self.kinds


@dataclass(frozen=True, slots=True)
class NoRuleBroken:
    """None of the guard rules with these names is broken."""

    rules: tuple[str, ...]

    def __post_init__(self) -> None:
        if unknown := set(self.rules) - _RULE_NAMES:
            raise ValueError(f"no guard rule is called {', '.join(sorted(unknown))}; there are {', '.join(sorted(_RULE_NAMES))}")

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return not check(turn, reply, [rule for rule in RULES if rule.name in self.rules])


MATCHERS: dict[str, type[Matcher]] = {
    "names_amount": NamesAmount,
    "names_no_amount": NamesNoAmount,
    "says_no_price": SaysNoPrice,
    "calls_net": CallsNet,
    "calls_selling": CallsSelling,
    "repeats_terms": RepeatsTerms,
    "asks_a_question": AsksAQuestion,
    "asks_about": AsksAbout,
    "asks_for_decision_maker": AsksForDecisionMaker,
    "names_every_open_room": NamesEveryOpenRoom,
    "names_rooms": NamesRooms,
    "singles_out_no_room": SinglesOutNoRoom,
    "acknowledges_feeling": AcknowledgesFeeling,
    "greets": Greets,
    "thanks": Thanks,
    "blames_nobody": BlamesNobody,
    "mentions": Mentions,
    "mentions_none_of": MentionsNoneOf,
    "language_is": LanguageIs,
    "not_longer_than": NotLongerThan,
    "says_something_new": SaysSomethingNew,
    "moves_in": MovesIn,
    "no_rule_broken": NoRuleBroken,
}


def matcher(name: str, argument: Any) -> Matcher:
    """The matcher of this name; ``argument`` is ``True`` for one without a field, and may be a single value where a list is wanted.

    Raises ValueError (pydantic.ValidationError is one) for an unknown name or an argument of the wrong kind.
    """
    if name not in MATCHERS:
        raise ValueError(f"no check is called {name!r}; there are {', '.join(MATCHERS)}")
    kind = MATCHERS[name]
    own = fields(kind)  # pyright: ignore[reportArgumentType]
    if not own:
        if argument is not True:
            raise ValueError(f"{name} takes no argument: write {name}: true")
        return kind()
    (field,) = own
    many = get_origin(get_type_hints(kind)[field.name]) is tuple
    value = [argument] if many and not isinstance(argument, list) else argument
    return TypeAdapter(kind).validate_python({field.name: value})
