"""How far a simulated hotel is ready to go: time, welcome arguments and goodwill turn into the net price it would take now.

Decided here: the arithmetic of conceding. ``willing = opening - give * (opening - reservation)`` with
``give = (time share * tactic(t) + welcome arguments) * goodwill factor``, kept in [0, 1] and never taken back; so no argument and no
patience of ours brings a price below the reservation value.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import assert_never

from agent.simulation.amounts import round_up
from agent.simulation.phrases import Lever
from agent.simulation.profile import HotelProfile
from db.vocabulary import ClarifyTopic, ConcessionTactic, PriceBasis

TIME_SHARE = 0.35
"""Share of the way that patience alone can win."""
NEARLY = Decimal("0.015")
"""A hotel that means well takes a price this close to what it would take, as long as its reservation value is kept."""
DISLIKED = 0.12
REPEATED = 0.1
PROMISED = 0.18
PRESSED = 0.22
INTERNAL = 0.1
WRONG_FACT = 0.15
NO_GREETING = 0.08
BRUSQUE = 0.06
BARE = 0.06
"""A price is asked for without a reason and without a word of thanks."""
IGNORED_ANGER = 0.18
PUSHED_ON = 0.15
CALMED = 0.22
STEPPED_CLOSER = 0.03
PRESUMED = 0.25
THANKED = 0.02


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
    """What the hotel named last and would stand by."""
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


def concede(room: Room, profile: HotelProfile, goodwill: float) -> None:
    """Move the room's price on after a request; it never moves back."""
    arguments = sum(profile.levers[lever] for lever in room.welcomed if lever in profile.levers)
    factor = min(0.3 + 1.1 * goodwill, 1.2)
    give = (TIME_SHARE * time_pressure(profile, len(room.asks)) + arguments) * factor
    room.give = max(room.give, min(give, 1.0))
