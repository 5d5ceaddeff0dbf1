"""A simulated hotel: it hears words and answers with words, the same ones for the same seed and the same words heard.

Decided here: what it does next where no money is concerned, in which order its concerns come, and when it falls silent or leaves.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from agent.domain import HotelMove, TicketFacts
from agent.simulation import attention, bargaining
from agent.simulation.attention import Slip
from agent.simulation.bargaining import Room
from agent.simulation.haggling import answer_ask, answer_terms, clear_up, counter, offer_again, pushed_on, say_yes
from agent.simulation.hearing import Heard, hear
from agent.simulation.mind import Inner, Mind, Opener
from agent.simulation.phrasebook import phrasebook
from agent.simulation.profile import HotelProfile
from agent.simulation.speech import Plan, Spoken, Voice
from db.vocabulary import HotelMoveKind, Mood

_K = HotelMoveKind
_IN_TIME = frozenset({_K.AGREE, _K.STOP, _K.SILENCE, _K.UPSET})
_HOURS = 3600.0
_SECONDS_PER_LETTER = 0.25
_PACE = {Mood.WARM: 0.8, Mood.NEUTRAL: 1.0, Mood.ANXIOUS: 0.7, Mood.ANNOYED: 1.6, Mood.ANGRY: 0.4}
"""Factor on a person's own pace, by mood."""
_NEVER_SILENT = frozenset({_K.STOP, _K.UPSET, _K.WRONG_PERSON})
_MUCH_LESS = Decimal("0.9")
MOST_OUTBURSTS = 2
MOST_SILENCES = 2
"""In a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HotelUtterance:
    """One answer. ``text`` is "" for silence; ``truth`` is what it means, the label that a reader is trained on."""

    text: str
    truth: HotelMove
    delay_s: float
    """How long a person would have waited for it, in seconds; for silence, until it is clear that nothing will come."""
    late: bool
    """It comes hours after it was due, mostly with an excuse."""
    inner: Inner


class SimulatedHotel:
    """One hotel in one conversation."""

    def __init__(self, profile: HotelProfile, facts: tuple[TicketFacts, ...], *, seed: int) -> None:
        self.profile = profile
        self.facts = facts
        self._seed = seed
        self._mind = Mind(profile, facts)
        self._voice = Voice(phrasebook(profile.language), profile, facts)

    @property
    def gone(self) -> bool:
        """True where it will not say anything more."""
        return self._mind.gone

    def inner(self) -> Inner:
        """What it thinks right now."""
        return self._mind.inner()

    def hear(self, reply_text: str | None) -> HotelUtterance:
        """Answer a message; None or "" asks it to speak first, or to go on waiting."""
        mind = self._mind
        rng = random.Random(f"{self._seed}:{mind.turn}")
        mind.turn += 1
        if mind.gone:
            return self._silence(rng)
        if not reply_text or not reply_text.strip():
            if mind.turn > 1:
                return self._silence(rng)
            mind.introduced = True
            return self._say(mind.plan(_K.GREETING, "hello"), rng)
        heard = hear(reply_text, self.facts, focus=mind.focus)
        if heard.label is not None and not mind.rooms[heard.label].settled:
            mind.focus = heard.label
        mind.patience -= 1
        slips = attention.slips(reply_text, english=self.profile.language == "en")
        opener = mind.feel(reply_text, heard, slips, rng)
        plan = self._decide(reply_text, heard, slips, rng, opener)
        must_speak = plan.kind in _NEVER_SILENT or mind.gone or mind.silences >= MOST_SILENCES
        if not must_speak and rng.random() < self.profile.temper.silence:
            mind.silences += 1
            return self._silence(rng) if rng.random() < 0.5 else self._say(mind.plan(_K.SILENCE, "nothing"), rng)
        mind.silences = 0
        return self._say(plan, rng)

    def _decide(self, text: str, heard: Heard, slips: frozenset[Slip], rng: random.Random, opener: Opener | None) -> Plan:
        mind = self._mind
        if heard.ends or heard.hands_over:
            mind.gone = True
            return mind.plan(_K.OTHER, "farewell")
        if not mind.at_desk:
            return self._at_reception(heard, rng)
        if mind.goodwill <= 0.02 or (mind.patience <= 0 and mind.said_final):
            mind.gone = True
            return mind.plan(_K.STOP, "stop")
        room = mind.rooms[mind.focus]
        if heard.presumes or Slip.PRESUMPTION in slips:
            mind.lose_goodwill(bargaining.PRESUMED)
            return mind.plan(_K.REFUSE, "wrong_terms")
        if self._is_fed_up(heard, rng):
            mind.outbursts += 1
            topic = "promise" if heard.promises else "past" if rng.random() < 0.5 and not heard.presses else "pressure"
            return mind.plan(_K.UPSET, topic)
        if heard.confirms:
            return answer_terms(mind, room, heard, rng)
        if heard.clarifies is not None and (room.offered is not None or room.agreed is not None):
            return clear_up(mind, room, heard.clarifies, rng)
        if mind.patience <= 0:
            mind.said_final = True
            return mind.plan(_K.REFUSE, "final")
        if heard.calms and not heard.net and not heard.asks:
            return mind.plan(_K.INFORM, "thanks_calm")
        pushes = attention.wants_more(text)
        if room.agreed is not None and pushes:
            return pushed_on(mind)
        if heard.net:
            return answer_ask(mind, room, heard, rng, opener, pushes=pushes)
        if heard.selling and not heard.accepts and (wrong := self._sells_at_net(room, heard)) is not None:
            return wrong
        if (heard.accepts or attention.says_blind_yes(text)) and not room.settled and (room.agreed is not None or room.offered is None):
            mind.lose_goodwill(bargaining.CARELESS)
            return mind.question("what_terms")
        if heard.accepts and room.offered is not None:
            return say_yes(mind, room, room.offered, "to_ask", rng)
        return self._small_step(room, heard, rng)

    def _sells_at_net(self, room: Room, heard: Heard) -> Plan | None:
        """A wish for travellers to pay far less than they do, without a net price: it asks once which of the two is meant."""
        mind = self._mind
        if min(heard.selling) >= mind.fact(room.label).current_selling * _MUCH_LESS:
            return None
        mind.lose_goodwill(bargaining.WRONG_FACT)
        if "basis" not in mind.asked_topics:
            return mind.question("basis")
        room.refusals += 1
        return mind.plan(_K.REFUSE, "plain")

    def _at_reception(self, heard: Heard, rng: random.Random) -> Plan:
        mind = self._mind
        if heard.redirects and mind.told_wrong and not mind.passed_on:
            mind.passed_on = True
            if self.profile.knows_who:
                mind.at_desk = True
                return mind.plan(_K.GREETING, "takeover")
            return mind.plan(_K.WRONG_PERSON, "forwarded")
        mind.gone = mind.passed_on
        mind.told_wrong = True
        return mind.plan(_K.WRONG_PERSON, "reception" if rng.random() < 0.8 and not mind.gone else "forwarded")

    def _is_fed_up(self, heard: Heard, rng: random.Random) -> bool:
        mind = self._mind
        if mind.outbursts >= MOST_OUTBURSTS or heard.calms or heard.confirms:
            return False
        if mind.goodwill < 0.2:
            return True
        if heard.promises or heard.presses:
            return rng.random() < 0.6
        sore = self.profile.temper.mood is Mood.ANNOYED and mind.outbursts == 0 and mind.turn in (2, 3, 4)
        return sore and rng.random() < 0.35

    def _small_step(self, room: Room, heard: Heard, rng: random.Random) -> Plan:
        """Nothing was asked for in money: greet, tell, or come back to what lies open."""
        mind = self._mind
        if mind.turn <= 2 and (heard.greets or (heard.asks_for_person and mind.turn == 1)):
            if heard.asks and "who" not in mind.asked_topics and rng.random() < self.profile.temper.asks * 0.6:
                return mind.question("who")
            return mind.plan(_K.GREETING, "hello")
        if heard.redirects:
            return mind.plan(_K.INFORM, "why_him")
        if heard.reminds and room.asks:
            if room.agreed is not None and not room.settled:
                return say_yes(mind, room, room.agreed, "to_ask", rng)
            if mind.stalls < 3 and rng.random() < 0.2:
                return mind.stall(rng)
            if room.offered is not None and rng.random() < 0.6:
                return offer_again(mind, room)
            return counter(mind, room, room.asks[-1], rng, None)
        if heard.asks:
            return mind.about_itself(rng)
        if room.agreed is not None:
            return mind.plan(_K.OTHER, "farewell" if room.settled else "small_talk")
        if "number" not in mind.asked_topics and rng.random() < 0.5:
            return mind.question("number")
        return mind.about_itself(rng)

    def _say(self, plan: Plan, rng: random.Random) -> HotelUtterance:
        late = plan.kind not in _IN_TIME and rng.random() < self.profile.temper.late
        if late and plan.opener is None and rng.random() < 0.7:
            plan = replace(plan, opener=("late", None))
        spoken = self._voice.say(plan, rng)
        self._mind.in_outburst = plan.kind is _K.UPSET
        if spoken.offered_net is not None and plan.kind is _K.OFFER:
            spoken = self._kept(plan, spoken, rng)
        delay = _HOURS * rng.uniform(3, 30) if late else self._pace(plan.mood, rng) + _SECONDS_PER_LETTER * len(spoken.text)
        return HotelUtterance(text=spoken.text, truth=spoken.move, delay_s=round(delay, 1), late=late, inner=self._mind.inner())

    def _kept(self, plan: Plan, spoken: Spoken, rng: random.Random) -> Spoken:
        """A form such as "10% off" rounds: the hotel stands by what it said, unless that were more than it had offered before."""
        assert spoken.offered_net is not None, "an offer comes to a net price"
        room = self._mind.rooms[plan.label]
        if room.said is not None and spoken.offered_net > room.said:
            spoken = self._voice.say(replace(plan, simple=True), rng)
            assert spoken.offered_net is not None, "plain digits come to a net price"
        room.offered = room.said = spoken.offered_net
        return spoken

    def _pace(self, mood: Mood, rng: random.Random) -> float:
        """Seconds until it begins to type: a person's own pace, quicker in anger or worry, slower when it is put out."""
        return self.profile.temper.pace_s * _PACE[mood] * rng.lognormvariate(0, 0.8)

    def _silence(self, rng: random.Random) -> HotelUtterance:
        delay = round(rng.uniform(14_400, 172_800), 1)
        return HotelUtterance(text="", truth=HotelMove(kind=_K.SILENCE), delay_s=delay, late=False, inner=self._mind.inner())


def replay(profile: HotelProfile, facts: tuple[TicketFacts, ...], seed: int, heard: Sequence[str | None]) -> SimulatedHotel:
    """The hotel as it stands after hearing these messages: it will answer the next one as the original would."""
    hotel = SimulatedHotel(profile, facts, seed=seed)
    for text in heard:
        hotel.hear(text)
    return hotel
