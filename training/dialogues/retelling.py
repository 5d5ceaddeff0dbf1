"""The truth about a conversation that the service has held with a simulated hotel, got by going through it again.

Decided here: that SOP and hotel must do again, word for word, what the stored turns say; experts rate nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from agent import sop
from agent.context import turn_context
from agent.domain import AllowedMove, HotelMove, TicketFacts, Utterance
from agent.records import from_json
from agent.service.desk import facts_of, terms_of
from agent.service.simulated import profile_of
from agent.simulation import HotelProfile, SimulatedHotel
from db.errors import ParleyError
from db.models import Conversation, Turn
from db.vocabulary import Speaker
from training.dialogues.dialogue import Room
from training.experts.truth import Truth


class CannotRetell(ParleyError):
    """A conversation does not come out as it was held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retold:
    """One conversation."""

    profile: HotelProfile
    truths: tuple[Truth, ...]
    """Of our turns, in order."""
    rooms: tuple[Room, ...]
    """What became of its tickets."""


def retold(conversation: Conversation, turns: Sequence[Turn]) -> Retold:
    """The conversation, which comes with its tickets and their hotels, and all of its ``turns`` in order. Raises CannotRetell."""
    if conversation.seed is None:
        raise CannotRetell(f"Conversation {conversation.id} was not held with a simulated hotel: nobody knows the truth about it.")
    facts, terms = facts_of(conversation.tickets), terms_of(conversation.tickets)
    profile = profile_of(conversation, facts)
    truths = retell(facts, terms, profile, turns, seed=conversation.seed, language=conversation.language)
    meant = {room.label: room.agreed for room in truths[-1].after.rooms} if truths else {}
    rooms = tuple(
        Room(
            label=held.label,
            agreed=held.ticket.agreed_net,
            ceiling=held.ticket.ceiling,
            reservation=profile.stance(held.label).reservation,
            meant=meant.get(held.label),
        )
        for held in conversation.tickets
    )
    return Retold(profile=profile, truths=tuple(truths), rooms=rooms)


def retell(
    facts: tuple[TicketFacts, ...],
    terms: Mapping[int, sop.Terms],
    profile: HotelProfile,
    turns: Sequence[Turn],
    *,
    seed: int,
    language: str = "en",
) -> list[Truth]:
    """The truth about each of our turns, by going through the conversation again with the SOP and the simulated hotel.

    Raises CannotRetell where either does not do again what the turns say.
    """
    hotel = SimulatedHotel(profile, facts, seed=seed)
    mandates = {label: own.mandate for label, own in terms.items()}
    history: list[Utterance] = []
    truths: list[Truth] = []
    reading = meant = None
    state = sop.open_state(tuple(terms))
    step = sop.begin(state)
    for turn, after in zip_longest(turns, turns[1:]):
        if turn.speaker is Speaker.BD:
            context = turn_context(step, facts, history, hotel_move=reading, language=language)
            move = from_json(AllowedMove, turn.move)
            if move not in step.allowed:
                raise CannotRetell(f"Turn {turn.number} made the move {move}, which is not open there now.")
            before = hotel.inner()
            answer = hotel.hear(turn.text) if after is not None else None
            if after is not None and answer is not None and after.text != answer.text:
                raise CannotRetell(f"Turn {after.number} is {after.text!r}, and now {answer.text!r}.")
            truths.append(
                Truth(
                    context=context, move=move, text=turn.text, profile=profile, mandates=mandates, before=before,
                    after=answer.inner if answer else before, heard=meant,
                )
            )  # fmt: skip
            meant = answer.truth if answer else None
            state = sop.commit(step.state, move)
        elif turn.hotel_move is not None:
            reading = from_json(HotelMove, turn.hotel_move)
            step = sop.advance(state, reading, terms)
        history.append(Utterance(turn.speaker, turn.text))
    return truths
