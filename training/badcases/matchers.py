"""The small vocabulary in which a case says what a reply must do: each matcher looks for one thing in one reply.

Decided here: what counts as naming an amount or a room, as asking, as a feeling acknowledged, and so on, in English and Chinese. Every
matcher is a frozen dataclass of at most one field, found in a case's file by its name in ``MATCHERS``.
"""

import re
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Any, Protocol, get_origin, get_type_hints, runtime_checkable

from pydantic import TypeAdapter

from agent.domain import Reply, TurnContext
from agent.guardrails import RULES, MissingConfirmation, check
from agent.guardrails.conduct import asks_something
from agent.guardrails.figures import named_kind
from agent.guardrails.known import known_numbers
from agent.guardrails.said import fold, said
from agent.prices import NumberKind
from db.vocabulary import MoveKind, PriceBasis, Speaker

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


# -- tone -------------------------------------------------------------------------------------------------------------------------------

_FEELING = re.compile(
    r"\b(?:sorry|apologi[sz]e|apology|apologies|understand|regret|frustrat\w+|upset\w*|annoy\w+|hear (?:you|how|that)|you are right|"
    r"every (?:right|reason)|see why)\b|抱歉|对不起|道歉|理解|不好意思|难怪"
)
_GREETING = re.compile(r"\b(?:hello|hi|hey|dear|greetings|good (?:morning|afternoon|evening|day))\b|您好|你好|早上好|下午好|晚上好")
_THANKS = re.compile(r"\b(?:thanks?|thank you|grateful|appreciate\w*)\b|谢")
_BLAME = re.compile(
    r"\b(?:your (?:fault|loss|own)|what a (?:pity|shame)|disappoint\w*|you (?:should(?:n't)? have|could have|never|still haven't|"
    r"always|refuse|keep|just don't|promised)|waste of|wasted|ungrateful|unreasonable|stubborn|don't (?:complain|come)|blame|"
    r"not very (?:helpful|professional|cooperative)|unprofessional|ignor(?:e|ed|ing) (?:me|us|my|our)|after all (?:we|i))\b"
    "|失望|白费|浪费|别怪|你们自己|自己看着办|不配合|没诚意|可惜了|怎么这样|太固执"
)


def _words(turn: TurnContext, reply: Reply) -> str:
    return said(turn, reply).masked


@dataclass(frozen=True, slots=True)
class AcknowledgesFeeling:
    """The feeling is named, or we say sorry."""

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return _FEELING.search(_words(turn, reply)) is not None


@dataclass(frozen=True, slots=True)
class Greets:
    """A greeting stands in the reply."""

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return _GREETING.search(_words(turn, reply)) is not None


@dataclass(frozen=True, slots=True)
class Thanks:
    """The hotel is thanked."""

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return _THANKS.search(_words(turn, reply)) is not None


@dataclass(frozen=True, slots=True)
class BlamesNobody:
    """No reproach."""

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return _BLAME.search(_words(turn, reply)) is None


# -- words ------------------------------------------------------------------------------------------------------------------------------


def _stands_in(text: str, word: str) -> bool:
    """Whole words for scripts that divide words, else anywhere; a trailing ``*`` stands for any ending."""
    folded = fold(word.removesuffix("*"))[0]
    if not folded.isascii():
        return folded in text
    end = "" if word.endswith("*") else r"(?!\w)"
    return re.search(rf"(?<!\w){re.escape(folded)}{end}", text) is not None


@dataclass(frozen=True, slots=True)
class Mentions:
    """At least one of these words stands in the reply; ``rank*`` stands for any ending."""

    words: tuple[str, ...]

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return any(_stands_in(said(turn, reply).folded, word) for word in self.words)


@dataclass(frozen=True, slots=True)
class MentionsNoneOf:
    """None of these words stands in the reply."""

    words: tuple[str, ...]

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return not Mentions(self.words).holds(turn, reply)


class Language(StrEnum):
    """Languages that a case may ask for."""

    EN = "en"
    ZH = "zh"


_HAN = re.compile("[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class LanguageIs:
    """The reply is written in this language; names that the facts hold do not count."""

    language: Language

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        text = _words(turn, reply)
        han, latin = len(_HAN.findall(text)), len(re.findall(r"[a-z]{3,}", text))
        return han > latin if self.language is Language.ZH else latin > 0 and han == 0


@dataclass(frozen=True, slots=True)
class NotLongerThan:
    """At most so many characters."""

    characters: int

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return len(reply.text) <= self.characters


@dataclass(frozen=True, slots=True)
class SaysSomethingNew:
    """At least this share (0 to 1) of the reply's word pairs stands in no earlier reply of ours."""

    share: float

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        pairs = _pairs(reply.text)
        earlier = [_pairs(turn.text) for turn in turn.history if turn.speaker is Speaker.BD]
        return bool(pairs) and len(pairs - set[tuple[str, str]]().union(*earlier)) / len(pairs) >= self.share


def _pairs(text: str) -> set[tuple[str, str]]:
    words = re.findall(r"[a-z']+|[\u3400-\u9fff]", fold(text)[0])
    return set(pairwise(words))


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
