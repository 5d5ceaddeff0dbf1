"""Which hotel a dialogue meets: it follows from the dialogue's number and a seed, whatever the policy says.

Held-out hotels have the held-out personas, who speak the held-out phrases, and hotel, rooms and booking sites have names that no training
uses. A third each has one, two and three rooms. What is held in Chinese has Chinese names and mostly yuan; the others are the same
whatever its share.
"""

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta

from agent.domain import Mandate, TicketFacts
from agent.simulation import HELD_OUT_PERSONAS, HotelProfile, Persona, sample_profile, sample_tickets
from agent.simulation.phrases import Language
from training.starter import chinese_names, names

_HELD_OUT_DAY = date(2027, 1, 4)
_FIRST_DAY, _DAYS = date(2025, 1, 1), 1500
"""Trained dialogues are spread over these days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """One hotel, before a word is said."""

    number: int
    seed: int
    tickets: tuple[tuple[TicketFacts, Mandate], ...]
    profile: HotelProfile
    chances: int
    """Seed of the simulated hotel's own chances."""
    today: date | None = None
    """What a reply may know of the day; None where days do not matter."""
    language: Language = "en"
    """Both sides speak it."""

    @property
    def facts(self) -> tuple[TicketFacts, ...]:
        """The public side of the tickets."""
        return tuple(fact for fact, _ in self.tickets)


def meet(number: int, seed: int, *, held_out: bool, chinese: float = 0.0) -> Meeting:
    """The hotel of this number, where so large a share of all speak Chinese. The same arguments give the same one."""
    chances = seed * 1_000_003 + number
    language: Language = "zh" if random.Random(f"language:{chances}").random() < chinese else "en"
    rng = random.Random(f"{'held out' if held_out else 'trained'}:{seed}:{number}")
    today = _HELD_OUT_DAY if held_out else _FIRST_DAY + timedelta(days=rng.randrange(_DAYS))
    tickets = _named(sample_tickets(chances, n=1 + number % 3, today=today), rng, held_out=held_out, language=language)
    persona = rng.choice(sorted(HELD_OUT_PERSONAS if held_out else set(Persona) - HELD_OUT_PERSONAS))
    profile = sample_profile(tuple(fact for fact, _ in tickets), chances, persona=persona, language=language)
    return Meeting(number=number, seed=seed, tickets=tickets, profile=profile, chances=chances, language=language)


def _named(
    tickets: tuple[tuple[TicketFacts, Mandate], ...], rng: random.Random, *, held_out: bool, language: Language
) -> tuple[tuple[TicketFacts, Mandate], ...]:
    """The tickets under other names, each room under its own."""
    invented = chinese_names if language == "zh" else names
    hotel, site = invented.hotel_name(rng, held_out=held_out), invented.booking_site(rng, held_out=held_out)
    # What is English keeps its currency: these hotels have been measured on before.
    currency = chinese_names.currency(rng) if language == "zh" else None
    taken: list[str] = []
    renamed: list[tuple[TicketFacts, Mandate]] = []
    for fact, mandate in tickets:
        room = next(name for name in iter(lambda: invented.room_type(rng, held_out=held_out), "") if name not in taken)
        taken.append(room)
        if language == "zh":
            evidence = chinese_names.evidence(rng, len(fact.evidence), hotel=hotel, room=room)
        else:
            evidence = tuple(line.replace(fact.hotel_name, hotel).replace(fact.room_type, room) for line in fact.evidence)
        source = site if fact.competitor_source else None
        own = {"hotel_name": hotel, "room_type": room, "evidence": evidence, "competitor_source": source}
        renamed.append((replace(fact, **own, currency=currency or fact.currency), mandate))
    return tuple(renamed)
