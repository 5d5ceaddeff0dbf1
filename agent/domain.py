"""The nouns of a negotiation that cross the agent's modules, as frozen dataclasses.

What is decided here: which facts are public and which are secret. ``TicketFacts`` is all that a prompt, a log or a person outside may
see of a ticket; ``Mandate`` is the secret side and only ``agent.sop`` reads it. A ``TurnContext`` is everything that writing, guarding
and rewarding one reply may look at, and it has no field that could hold a secret.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from db.vocabulary import (
    ClarifyTopic,
    ConcessionTactic,
    HotelMoveKind,
    Mood,
    MoveKind,
    PriceBasis,
    Speaker,
    Stage,
)

CENT = Decimal("0.01")


def selling_from_net(net: Decimal, commission: Decimal) -> Decimal:
    """Selling price for a net price: ``net / (1 - commission)``, rounded half up to the cent; commission is a share in [0, 1)."""
    return (net / (1 - commission)).quantize(CENT, ROUND_HALF_UP)


def net_from_selling(selling: Decimal, commission: Decimal) -> Decimal:
    """Net price for a selling price: ``selling * (1 - commission)``, rounded half up to the cent; commission is a share in [0, 1)."""
    return (selling * (1 - commission)).quantize(CENT, ROUND_HALF_UP)


def plain(amount: Decimal) -> str:
    """An amount as people write it: no exponent, no trailing zeros after the point (``430``, ``429.5``)."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFacts:
    """The public side of a ticket. ``label`` (1, 2, …) is how it is told apart inside one conversation."""

    label: int
    hotel_name: str
    room_type: str
    check_in: date
    check_out: date
    currency: str
    """ISO 4217."""
    current_net: Decimal
    commission: Decimal
    """Share of the selling price that we keep, in [0, 1)."""
    rooms: int = 1
    breakfast: bool | None = None
    tax_included: bool | None = None
    competitor_price: Decimal | None = None
    """Lowest *selling* price seen elsewhere."""
    competitor_source: str | None = None
    competitor_seen_on: date | None = None
    evidence: tuple[str, ...] = ()
    """Further true sentences about this hotel that may be quoted."""

    @property
    def current_selling(self) -> Decimal:
        """Today's selling price on our site."""
        return selling_from_net(self.current_net, self.commission)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """The secret side of a ticket: net prices. Its repr shows nothing, so that it cannot slip into a log or a trace."""

    target: Decimal = field(repr=False)
    ceiling: Decimal = field(repr=False)
    """The reservation value: the highest net price that still counts as a success."""
    opening_ask: Decimal = field(repr=False)
    tactic: ConcessionTactic = field(default=ConcessionTactic.BOULWARE, repr=False)
    exponent: float = field(default=3.0, repr=False)
    max_rounds: int = field(default=6, repr=False)

    def __post_init__(self) -> None:
        if not 0 < self.opening_ask <= self.target <= self.ceiling:
            raise ValueError("a mandate needs 0 < opening ask <= target <= ceiling")


@dataclass(frozen=True, slots=True)
class Utterance:
    """One turn as it was said."""

    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HotelOffer:
    """One price that the hotel named as its own. ``label`` is the ticket it was tied to, None where the message does not say."""

    amount: Decimal
    basis: PriceBasis
    label: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HotelMove:
    """What the hotel did in one turn, after reading and cross-checking."""

    kind: HotelMoveKind
    mood: Mood = Mood.NEUTRAL
    offers: tuple[HotelOffer, ...] = ()
    unclear: tuple[ClarifyTopic, ...] = ()
    """Points that must be asked before anything else."""
    conditions: tuple[str, ...] = ()
    """Strings tied to the price, in the hotel's own words ("weekdays only")."""
    says_yes: bool = False
    """An explicit affirmative stands in the text; only code sets this."""
    stated_basis: PriceBasis | None = None
    """The kind of price that the message names by itself, with or without an amount ("that was net")."""


_WITHOUT_PRICES = frozenset({MoveKind.GREET, MoveKind.PROBE, MoveKind.CALM, MoveKind.REDIRECT, MoveKind.ESCALATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedMove:
    """One thing that our side may do now, computed by the SOP from the secret and safe to show."""

    kind: MoveKind
    label: int | None = None
    price: Decimal | None = None
    """Net, in the ticket's currency."""
    topic: ClarifyTopic | None = None

    @property
    def may_name_prices(self) -> bool:
        """False for a move that asks for nothing: a greeting, a question about the situation, an apology."""
        return self.kind not in _WITHOUT_PRICES

    @property
    def key(self) -> str:
        """The word the policy answers with; unique among the moves of one turn (``ask``, ``clarify:tax``)."""
        return f"{self.kind}:{self.topic}" if self.topic else str(self.kind)

    def __str__(self) -> str:
        parts = [f"#{self.label}"] if self.label is not None else []
        parts += [f"{plain(self.price)} net"] if self.price is not None else []
        parts += [str(self.topic)] if self.topic else []
        return f"{self.kind}({', '.join(parts)})" if parts else str(self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedTerms:
    """What one ticket was agreed at, so far as the conversation has come."""

    label: int
    net: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnContext:
    """Everything public about the turn that is to be answered: the input of writing, guarding and rewarding."""

    facts: tuple[TicketFacts, ...]
    history: tuple[Utterance, ...]
    """Oldest first; the last one is what we answer (empty at the opening)."""
    stage: Stage
    brief: str
    """One or two sentences: the purpose of this stage."""
    allowed: tuple[AllowedMove, ...]
    focus: int
    """Label of the ticket that is being talked about."""
    hotel_move: HotelMove | None = None
    asked: tuple[tuple[int, Decimal], ...] = ()
    """(label, net) of every price we have asked for or repeated: they may be named again."""
    offered: tuple[tuple[int, Decimal], ...] = ()
    """(label, amount) of every price the hotel has named: they may be named again."""
    agreed: tuple[AgreedTerms, ...] = ()
    language: str = "en"
    """ISO 639-1 of the reply."""
    today: date | None = None

    def fact(self, label: int | None = None) -> TicketFacts:
        """The facts of a ticket by label, of the focus where none is given."""
        wanted = self.focus if label is None else label
        return next(facts for facts in self.facts if facts.label == wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the policy wants to say, or a person wrote: the move it claims and the words."""

    move: AllowedMove
    text: str
