"""Simulated hotels and a scripted BD: the demo counterpart, the rollout environment and the benchmark's opponent.

Everything here is pure and seeded; the only thing read is the phrasebook. The hotel hears words, never our internal move.
"""

from agent.simulation.conversation import Conversation, Exchange, converse
from agent.simulation.hotel import HotelUtterance, SimulatedHotel, replay
from agent.simulation.mind import Inner, RoomView
from agent.simulation.phrasebook import Phrasebook, PhrasebookError, load, phrasebook
from agent.simulation.phrases import BDPart, BDPhrase, HotelPart, HotelPhrase, Lever, Quality, TypingStyle, is_held_out
from agent.simulation.profile import HELD_OUT_PERSONAS, HotelProfile, Persona, RoomStance, sample_profile
from agent.simulation.scripted import NothingToSay, ScriptedBD
from agent.simulation.tickets import sample_city, sample_tickets

__all__ = [
    "HELD_OUT_PERSONAS",
    "BDPart",
    "BDPhrase",
    "Conversation",
    "Exchange",
    "HotelPart",
    "HotelPhrase",
    "HotelProfile",
    "HotelUtterance",
    "Inner",
    "Lever",
    "NothingToSay",
    "Persona",
    "Phrasebook",
    "PhrasebookError",
    "Quality",
    "RoomStance",
    "RoomView",
    "ScriptedBD",
    "SimulatedHotel",
    "TypingStyle",
    "converse",
    "is_held_out",
    "load",
    "phrasebook",
    "replay",
    "sample_city",
    "sample_profile",
    "sample_tickets",
]
