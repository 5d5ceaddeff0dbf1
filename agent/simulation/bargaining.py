"""How far a simulated hotel is ready to go: time, welcome arguments and goodwill turn into the net price it would take now.

Decided here: the arithmetic of conceding and what each kindness and each fault is worth.
``willing = opening - give * (opening - reservation)`` with ``give = (TIME_SHARE * tactic(t) + trust * sum of welcome arguments) * warmth``
and ``warmth = min(0.1 + 1.4 * goodwill, 1.2)``, kept in [0, 1] and never taken back. So an argument that matches a lever moves the price
by its stated share of the way times trust and warmth, it does so once, and nothing brings a price below the reservation value.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import assert_never

from agent.domain import net_from_selling, selling_from_net
from agent.simulation.amounts import round_up
from agent.simulation.phrases import Lever
from agent.simulation.profile import HotelProfile
from db.vocabulary import ClarifyTopic, ConcessionTactic, PriceBasis

TIME_SHARE = 0.3
"""Share of the way that patience alone can win."""
NEARLY = Decimal("0.015")
"""A hotel that means well takes a price this close to what it would take, as long as its reservation value is kept."""
SULKS = 0.25
"""Below this goodwill it neither betters its price nor takes one below what it has offered."""

DISLIKED = 0.12
DISLIKED_AGAIN = 0.08
"""On top, where it had already said so."""
REPEATED = 0.1
SAME_ARGUMENT = 0.03
"""An argument that it has heard, in other words."""
PROMISED = 0.18
PRESSED = 0.22
INTERNAL = 0.1
WRONG_FACT = 0.15
FOREIGN = 0.1
"""English mixed with another language."""
NO_GREETING = 0.08
BRUSQUE = 0.06
STIFF = 0.025
REPROACHED = 0.15
BARE = 0.06
"""A price is asked for without a reason and without a word of thanks."""
UNANSWERED = 0.06
"""A price is asked for while its own question stands."""
WENT_BACK = 0.12
IGNORED_ANGER = 0.18
PUSHED_ON = 0.15
CARELESS = 0.06
"""Something is called agreed without saying what."""
PRESUMED = 0.25

CALMED = 0.22
STEPPED_CLOSER = 0.03
THANKED = 0.02
ANSWERED = 0.03
WELCOMED = 0.04
"""An argument that matches a lever, when it is first heard."""
TOOK_UP = 0.03
"""An argument of ours takes up what it had told us of itself."""
AGREED = 0.03
MISTRUST = 0.5
"""Factor on what arguments are worth, and on what an apology wins back, for each promise that nobody can keep."""


@dataclass(slots=True, kw_only=True)
class Room:
    """One room's progress as the hotel sees it. All prices net."""

    label: int
    opening: Decimal
    reservation: Decimal
    asks: list[Decimal] = field(default_factory=list)
    welcomed: set[Lever] = field(default_factory=set)
    give: float = 0.0
    offered: Decimal | None = None
    """What the hotel named last and would stand by; it only ever falls."""
    said: Decimal | None = None
    """The lowest price that it has named as an amount."""
    vague: bool = False
    """Whether that was only a region and not an amount."""
    spoken: Decimal | None = None
    """The offer as it was said, in the kind of price it was meant."""
    spoken_basis: PriceBasis = PriceBasis.NET
    offers: int = 0
    agreed: Decimal | None = None
    """Said yes to this net price; the terms are still to be confirmed."""
    settled: bool = False
    """The terms were confirmed."""
    refusals: int = 0
    open_condition: tuple[str, ClarifyTopic] | None = None
    conditions_made: int = 0

    def willing(self) -> Decimal:
        """The lowest net price that it would take now, at least the reservation value."""
        exact = self.opening - Decimal(str(round(self.give, 6))) * (self.opening - self.reservation)
        return max(min(round_up(exact), self.opening), self.reservation)

    def best(self) -> Decimal:
        """What it would take now, not more than it has offered."""
        return self.willing() if self.offered is None else min(self.willing(), self.offered)


def time_pressure(profile: HotelProfile, asks: int) -> float:
    """Share of the time-dependent way that is walked after so many requests (Faratin's tactics), in [0, 1]."""
    x = min(asks / profile.rounds, 1.0)
    match profile.tactic:
        case ConcessionTactic.LINEAR:
            return x
        case ConcessionTactic.BOULWARE:
            return x**2.5
        case ConcessionTactic.CONCEDER:
            return x**0.4
        case _:
            assert_never(profile.tactic)


def warmth(goodwill: float) -> float:
    """How much of what it could give a mood lets through: 0.1 without any goodwill, 1 near 0.65, at most 1.2."""
    return min(0.1 + 1.4 * goodwill, 1.2)


def concede(room: Room, profile: HotelProfile, goodwill: float, trust: float) -> None:
    """Move the room's price on after a request; it never moves back."""
    arguments = sum(profile.levers[lever] for lever in room.welcomed if lever in profile.levers)
    give = (TIME_SHARE * time_pressure(profile, len(room.asks)) + trust * arguments) * warmth(goodwill)
    room.give = max(room.give, min(give, 1.0))


def sayable_net(net: Decimal, commission: Decimal) -> Decimal:
    """The net price behind the lowest whole selling price that leaves the hotel at least ``net``; commission is a share in [0, 1)."""
    whole = selling_from_net(net, commission).to_integral_value()
    while net_from_selling(whole, commission) < net:
        whole += 1
    return net_from_selling(whole, commission)
