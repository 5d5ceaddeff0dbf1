"""A simulated hotel as counterpart: it is rebuilt from its seed and the transcript, so nothing of it needs to be stored."""

from collections.abc import Sequence

from agent.domain import TicketFacts
from agent.simulation import replay, sample_profile
from db.models import Conversation, Turn
from db.vocabulary import Speaker


def answer(conversation: Conversation, facts: Sequence[TicketFacts], said: Sequence[Turn]) -> str:
    """What the hotel says to our last turn; empty for silence."""
    assert conversation.seed is not None, "a simulated hotel has a seed"
    profile = sample_profile(tuple(facts), conversation.seed, persona=conversation.persona)
    ours = [turn.text for turn in said if turn.speaker is Speaker.BD]
    hotel = replay(profile, tuple(facts), conversation.seed, ours[:-1])
    return hotel.hear(ours[-1]).text
