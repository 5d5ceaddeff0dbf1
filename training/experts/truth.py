"""What an expert sees of one reply: everything, the secrets of both sides included.

Decided here: which truth is handed to the experts, and how it is got by replaying the hotel, which is deterministic. No policy, no guard
and no reward ever sees a ``Truth``.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from agent.domain import AllowedMove, HotelMove, Mandate, Reply, TicketFacts, TurnContext
from agent.simulation import Conversation, HotelProfile, Inner, RoomView, SimulatedHotel, phrasebook, replay
from db.vocabulary import Speaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """One reply of ours with all that is true around it."""

    context: TurnContext
    move: AllowedMove
    """What the reply set out to do."""
    text: str
    profile: HotelProfile
    mandates: Mapping[int, Mandate] = field(repr=False)
    """Our secret limits by label."""
    before: Inner
    """The hotel's mind when it had said its last word."""
    after: Inner
    """The hotel's mind when it had heard the reply; equal to ``before`` for a last word."""
    heard: HotelMove | None
    """What the hotel truly meant by the message that is answered; None at the opening."""

    @property
    def fact(self) -> TicketFacts:
        """The ticket that the reply is about."""
        return self.context.fact(self.move.label)

    @property
    def ours(self) -> tuple[str, ...]:
        """What our side has said before this reply, oldest first."""
        return tuple(said.text for said in self.context.history if said.speaker is Speaker.BD)

    @property
    def asked(self) -> str:
        """The hotel's words that the reply answers; empty where it said nothing."""
        last = self.context.history[-1] if self.context.history else None
        return last.text if last is not None and last.speaker is Speaker.HOTEL else ""

    def room(self, inner: Inner) -> RoomView:
        """The room that the reply is about, in one of the two pictures of the hotel's mind."""
        return next(room for room in inner.rooms if room.label == self.fact.label)


def witness(
    context: TurnContext,
    move: AllowedMove,
    text: str,
    *,
    profile: HotelProfile,
    mandates: Mapping[int, Mandate],
    seed: int,
    heard: HotelMove | None = None,
) -> Truth:
    """The truth about a reply that was written in ``context`` to the simulated hotel of this profile and seed.

    The hotel is replayed on our part of the history and then hears the reply, so its mind before and after is what it really was. ``heard``
    is the true meaning of the hotel's last message; None takes the context's own reading of it.
    """
    (truth,) = witness_each(context, [Reply(move=move, text=text)], profile=profile, mandates=mandates, seed=seed, heard=heard)
    return truth


def witness_each(
    context: TurnContext,
    replies: Sequence[Reply],
    *,
    profile: HotelProfile,
    mandates: Mapping[int, Mandate],
    seed: int,
    heard: HotelMove | None = None,
) -> tuple[Truth, ...]:
    """``witness`` for several replies that might be written in the same place: the history is replayed once."""
    ours = [said.text for said in context.history if said.speaker is Speaker.BD]
    hotel = replay(profile, context.facts, seed, ours)
    before = hotel.inner()
    true_meaning = context.hotel_move if heard is None else heard
    # What never changes is shared between the copies: a phrasebook is large.
    shared = {id(part): part for part in (phrasebook(profile.language), profile, context.facts)}
    truths: list[Truth] = []
    for reply in replies:
        listener = deepcopy(hotel, dict[int, object](shared))
        listener.hear(reply.text)
        truths.append(
            Truth(
                context=context, move=reply.move, text=reply.text, profile=profile, mandates=mandates, before=before,
                after=listener.inner(), heard=true_meaning,
            )
        )  # fmt: skip
    return tuple(truths)


def witnessed(conversation: Conversation) -> tuple[Truth, ...]:
    """The truth about each reply of a simulated conversation, in order."""
    facts = tuple(fact for fact, _ in conversation.tickets)
    mandates = {fact.label: mandate for fact, mandate in conversation.tickets}
    before = SimulatedHotel(conversation.profile, facts, seed=0).inner()
    heard: HotelMove | None = None
    truths: list[Truth] = []
    for exchange in conversation.exchanges:
        after = before if exchange.answer is None else exchange.answer.inner
        truths.append(
            Truth(
                context=exchange.context, move=exchange.reply.move, text=exchange.reply.text, profile=conversation.profile,
                mandates=mandates, before=before, after=after, heard=heard,
            )
        )  # fmt: skip
        before, heard = after, None if exchange.answer is None else exchange.answer.truth
    return tuple(truths)
