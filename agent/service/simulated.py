"""A simulated hotel as counterpart: it is rebuilt from its seed and the transcript, so nothing of it needs to be stored."""

from collections.abc import Sequence

from agent.domain import TicketFacts
from agent.simulation import HotelProfile, replay, sample_profile
from agent.simulation.phrases import LANGUAGES
from db.models import Conversation, Turn
from db.vocabulary import Speaker


def profile_of(conversation: Conversation, facts: Sequence[TicketFacts]) -> HotelProfile:
    """The hotel, which speaks the conversation's language where the phrasebook has it, else English."""
    assert conversation.seed is not None, "a simulated hotel has a seed"
    language = conversation.language if conversation.language in LANGUAGES else "en"
    return sample_profile(tuple(facts), conversation.seed, persona=conversation.persona, language=language)


def answer(conversation: Conversation, facts: Sequence[TicketFacts], said: Sequence[Turn]) -> str:
    """What the hotel says to our last turn; empty for silence."""
    assert conversation.seed is not None, "a simulated hotel has a seed"
    profile = profile_of(conversation, facts)
    ours = [turn.text for turn in said if turn.speaker is Speaker.BD]
    hotel = replay(profile, tuple(facts), conversation.seed, ours[:-1])
    return hotel.hear(ours[-1]).text
