"""A dialogue that was held, and what it came to."""

from dataclasses import dataclass
from decimal import Decimal

from agent.domain import HotelMove, Mandate, Reply, TicketFacts, TurnContext
from agent.simulation import Conversation, HotelProfile, HotelUtterance
from agent.simulation import Exchange as Spoken
from agent.sop import NegotiationState

SAME_PRICE = Decimal("0.004")
"""Two prices this close, as a share, are one, as they are to a simulated hotel: a selling price said in whole units rounds the net one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One turn of ours and what came back."""

    context: TurnContext
    reply: Reply | None
    """What the policy wrote; None for an answer that is no reply."""
    sent: Reply
    """What was said: the policy's reply, or the safe template in its place."""
    answer: HotelUtterance | None
    """None for the last word."""

    @property
    def said(self) -> str:
        """Our words."""
        return self.sent.text

    @property
    def heard(self) -> HotelMove | None:
        """The hotel's message before, as it was read; None at the opening."""
        return self.context.hotel_move


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What became of one ticket; net prices."""

    label: int
    agreed: Decimal | None
    ceiling: Decimal
    reservation: Decimal
    """The lowest price that the hotel would have taken."""
    meant: Decimal | None
    """The price that the hotel holds for agreed."""

    @property
    def possible(self) -> bool:
        """Whether there is a price that both sides would take."""
        return self.ceiling > self.reservation

    @property
    def captured(self) -> float:
        """Share of the way from our ceiling to the hotel's limit, at most 1; 0 without an agreement. For a possible room."""
        if self.agreed is None:
            return 0.0
        return min(float((self.ceiling - self.agreed) / (self.ceiling - self.reservation)), 1.0)

    @property
    def unmeant(self) -> bool:
        """Whether we hold for agreed what the hotel does not."""
        if self.agreed is None:
            return False
        return self.meant is None or abs(self.meant - self.agreed) > SAME_PRICE * self.agreed


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """One negotiation from the greeting to its end."""

    number: int
    seed: int
    """With ``number``: which hotel it was."""
    profile: HotelProfile
    tickets: tuple[tuple[TicketFacts, Mandate], ...]
    exchanges: tuple[Exchange, ...]
    """At least one."""
    state: NegotiationState
    """At its end."""

    @property
    def conversation(self) -> Conversation:
        """As the simulated experts take it (``training.experts.witnessed``)."""
        spoken = tuple(Spoken(context=turn.context, reply=turn.sent, answer=turn.answer) for turn in self.exchanges)
        return Conversation(tickets=self.tickets, profile=self.profile, exchanges=spoken, state=self.state)

    @property
    def turns(self) -> int:
        """Of both sides, silences included."""
        return sum(1 + (exchange.answer is not None) for exchange in self.exchanges)

    @property
    def goodwill(self) -> tuple[float, ...]:
        """The hotel's, in [0, 1], after each answer of its."""
        return tuple(exchange.answer.inner.goodwill for exchange in self.exchanges if exchange.answer is not None)

    @property
    def rooms(self) -> tuple[Room, ...]:
        """What became of each ticket."""
        answers = [exchange.answer for exchange in self.exchanges if exchange.answer is not None]
        meant = {room.label: room.agreed for room in answers[-1].inner.rooms} if answers else {}
        return tuple(
            Room(
                label=fact.label,
                agreed=self.state.ticket(fact.label).agreed,
                ceiling=mandate.ceiling,
                reservation=self.profile.stance(fact.label).reservation,
                meant=meant.get(fact.label),
            )
            for fact, mandate in self.tickets
        )
