"""Who a simulated hotel is: its limits per room and its character.

Decided here: which personas there are and what each is like, which of them no training may see, and how a profile is drawn from a seed.
How a profile behaves is ``hotel``'s.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from agent.domain import TicketFacts
from agent.simulation.amounts import round_up
from agent.simulation.phrases import Language, Lever, TypingStyle
from db.vocabulary import ConcessionTactic, Mood, PriceBasis


class Persona(StrEnum):
    """The character of the person at the hotel."""

    WARM = "warm"
    CURT = "curt"
    HAGGLER = "haggler"
    CORPORATE = "corporate"
    ANXIOUS = "anxious"
    ANGRY = "angry"
    ABSENT_MINDED = "absent_minded"
    STORYTELLER = "storyteller"
    SCEPTIC = "sceptic"
    NEWCOMER = "newcomer"


HELD_OUT_PERSONAS = frozenset({Persona.STORYTELLER, Persona.SCEPTIC, Persona.NEWCOMER})
"""Personas that are only ever used to measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Temper:
    """A persona's habits. Chances are per turn, in [0, 1]."""

    mood: Mood
    goodwill: float
    """At the start, in [0, 1]."""
    patience: int
    """Messages of ours it bears per conversation with one room."""
    stalls: float
    silence: float
    asks: float
    """Chance to answer with a question of its own."""
    vague: float
    conditions: float
    confusion: float
    """Chance that a price leaves net or selling open."""
    selling: float
    """Chance that this person thinks in selling prices."""
    haggles: float
    """Chance to counter an ask that it could have taken."""
    strict: float
    """Chance to insist on terms that a confirmation leaves out."""
    pace_s: float
    """Median seconds until it begins to type, in a neutral mood."""
    late: float
    """Chance that an answer comes hours later."""
    styles: tuple[TypingStyle, ...]
    tactics: tuple[ConcessionTactic, ...]


_P, _T, _C = TypingStyle, Temper, ConcessionTactic
TEMPERS: dict[Persona, Temper] = {
    Persona.WARM: _T(
        mood=Mood.WARM, goodwill=0.75, patience=13, stalls=0.06, silence=0.03, asks=0.12, vague=0.05, conditions=0.06, confusion=0.15,
        selling=0.15, haggles=0.1, strict=0.1, pace_s=120, late=0.04,
        styles=(_P.PLAIN, _P.CHATTY, _P.EMOJI), tactics=(_C.LINEAR, _C.CONCEDER),
    ),
    Persona.CURT: _T(
        mood=Mood.NEUTRAL, goodwill=0.5, patience=10, stalls=0.08, silence=0.06, asks=0.08, vague=0.04, conditions=0.04, confusion=0.3,
        selling=0.15, haggles=0.2, strict=0.05, pace_s=60, late=0.05,
        styles=(_P.TERSE, _P.TERSE, _P.TYPOS), tactics=(_C.BOULWARE, _C.LINEAR),
    ),
    Persona.HAGGLER: _T(
        mood=Mood.NEUTRAL, goodwill=0.6, patience=15, stalls=0.03, silence=0.02, asks=0.12, vague=0.08, conditions=0.12, confusion=0.15,
        selling=0.15, haggles=0.65, strict=0.1, pace_s=45, late=0.02,
        styles=(_P.PLAIN, _P.CHATTY, _P.VOICE_NOTE), tactics=(_C.BOULWARE, _C.LINEAR),
    ),
    Persona.CORPORATE: _T(
        mood=Mood.NEUTRAL, goodwill=0.6, patience=12, stalls=0.08, silence=0.03, asks=0.18, vague=0.02, conditions=0.12, confusion=0.06,
        selling=0.1, haggles=0.2, strict=0.7, pace_s=600, late=0.1,
        styles=(_P.PLAIN,), tactics=(_C.LINEAR, _C.BOULWARE),
    ),
    Persona.ANXIOUS: _T(
        mood=Mood.ANXIOUS, goodwill=0.6, patience=12, stalls=0.14, silence=0.05, asks=0.18, vague=0.1, conditions=0.05, confusion=0.2,
        selling=0.15, haggles=0.05, strict=0.2, pace_s=90, late=0.04,
        styles=(_P.PLAIN, _P.TYPOS, _P.EMOJI), tactics=(_C.CONCEDER, _C.LINEAR),
    ),
    Persona.ANGRY: _T(
        mood=Mood.ANNOYED, goodwill=0.4, patience=10, stalls=0.04, silence=0.05, asks=0.1, vague=0.03, conditions=0.04, confusion=0.2,
        selling=0.15, haggles=0.25, strict=0.1, pace_s=75, late=0.05,
        styles=(_P.PLAIN, _P.TYPOS, _P.EMOJI), tactics=(_C.BOULWARE,),
    ),
    Persona.ABSENT_MINDED: _T(
        mood=Mood.NEUTRAL, goodwill=0.6, patience=14, stalls=0.14, silence=0.12, asks=0.12, vague=0.14, conditions=0.05, confusion=0.35,
        selling=0.25, haggles=0.1, strict=0.0, pace_s=900, late=0.18,
        styles=(_P.TYPOS, _P.VOICE_NOTE, _P.PLAIN), tactics=(_C.LINEAR, _C.CONCEDER),
    ),
    Persona.STORYTELLER: _T(
        mood=Mood.WARM, goodwill=0.65, patience=14, stalls=0.1, silence=0.03, asks=0.12, vague=0.12, conditions=0.08, confusion=0.2,
        selling=0.15, haggles=0.3, strict=0.1, pace_s=240, late=0.06,
        styles=(_P.CHATTY, _P.VOICE_NOTE), tactics=(_C.LINEAR,),
    ),
    Persona.SCEPTIC: _T(
        mood=Mood.NEUTRAL, goodwill=0.45, patience=12, stalls=0.06, silence=0.04, asks=0.25, vague=0.04, conditions=0.1, confusion=0.15,
        selling=0.15, haggles=0.35, strict=0.5, pace_s=300, late=0.05,
        styles=(_P.PLAIN, _P.TERSE), tactics=(_C.BOULWARE,),
    ),
    Persona.NEWCOMER: _T(
        mood=Mood.ANXIOUS, goodwill=0.65, patience=12, stalls=0.16, silence=0.06, asks=0.22, vague=0.1, conditions=0.04, confusion=0.4,
        selling=0.3, haggles=0.05, strict=0.1, pace_s=420, late=0.08,
        styles=(_P.PLAIN, _P.TYPOS), tactics=(_C.CONCEDER,),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomStance:
    """One room's limits, net, in the ticket's currency. ``reservation <= opening``."""

    label: int
    reservation: Decimal
    """The lowest net price that the hotel would ever take."""
    opening: Decimal
    """The first price it would name."""

    def __post_init__(self) -> None:
        if not 0 < self.reservation <= self.opening:
            raise ValueError(f"a stance needs 0 < reservation <= opening, not {self.reservation} and {self.opening}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HotelProfile:
    """Everything about a simulated hotel that does not change while it talks."""

    persona: Persona
    stances: tuple[RoomStance, ...]
    tactic: ConcessionTactic
    rounds: int
    """Requests after which time alone has moved it as far as time can."""
    levers: dict[Lever, float]
    """Share of the way from opening to reservation that each welcome argument is worth."""
    dislikes: frozenset[Lever]
    style: TypingStyle
    thinks_in: PriceBasis
    wrong_person: bool = False
    knows_who: bool = True
    """Whether a wrong person can bring in the right one."""
    legal_minded: bool = False
    language: Language = "en"
    """In which it writes, and is spoken to."""
    temper: Temper = field(repr=False)

    @property
    def held_out(self) -> bool:
        """Whether this profile may only be used to measure."""
        return self.persona in HELD_OUT_PERSONAS

    def stance(self, label: int) -> RoomStance:
        """The limits of one room; raises KeyError for a room it does not have."""
        for stance in self.stances:
            if stance.label == label:
                return stance
        raise KeyError(label)


_LEVERS = tuple(lever for lever in Lever if lever is not Lever.EVIDENCE)


def sample_profile(
    facts: Sequence[TicketFacts],
    rng_seed: int,
    *,
    persona: Persona | str | None = None,
    held_out: bool = False,
    language: Language = "en",
) -> HotelProfile:
    """Draw a hotel for these tickets: the same seed gives the same hotel.

    Without a persona it is one of the trained ones, or one of the held-out ones where ``held_out``. Raises ValueError for a persona that
    does not exist.
    """
    rng = random.Random(f"profile:{rng_seed}")
    pool = sorted(set(Persona) - HELD_OUT_PERSONAS) if not held_out else sorted(HELD_OUT_PERSONAS)
    drawn = rng.choice(pool)
    who = drawn if persona is None else Persona(persona)
    temper = TEMPERS[who]
    welcome = rng.sample(_LEVERS, k=rng.choice((1, 2, 2, 3)))
    disliked = [lever for lever in rng.sample(_LEVERS, k=2) if lever not in welcome][: rng.choice((0, 1, 1))]
    # How far the hotel would go at most, as a share of today's net price.
    depth = rng.betavariate(2.2, 2.6) * 0.26 + 0.01
    stances: list[RoomStance] = []
    for fact in facts:
        own = min(max(depth * rng.uniform(0.8, 1.2), 0.005), 0.35)
        reservation = round_up(fact.current_net * Decimal(str(round(1 - own, 4))))
        start = Decimal(str(round(rng.uniform(0.965, 1.0), 4)))
        opening = max(round_up(fact.current_net * start), reservation)
        stances.append(RoomStance(label=fact.label, reservation=reservation, opening=opening))
    return HotelProfile(
        persona=who,
        stances=tuple(stances),
        tactic=rng.choice(temper.tactics),
        rounds=rng.randint(4, 8),
        levers={lever: rng.uniform(0.3, 0.55) for lever in welcome},
        dislikes=frozenset(disliked),
        style=rng.choice(temper.styles),
        thinks_in=PriceBasis.SELLING if rng.random() < temper.selling else PriceBasis.NET,
        wrong_person=rng.random() < 0.07,
        knows_who=rng.random() < 0.7,
        legal_minded=rng.random() < 0.04,
        language=language,
        temper=temper,
    )
