"""A simulated hotel: it hears words and answers with words, the same ones for the same seed and the same words heard.

Decided here: what it does next, from what was said to it, what it wants and how it feels. How far it concedes is ``bargaining``'s, how it
says so ``speech``'s, what it understands ``hearing``'s.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from agent.domain import HotelMove, TicketFacts, selling_from_net
from agent.simulation import bargaining
from agent.simulation.bargaining import Room, concede
from agent.simulation.hearing import Heard, hear
from agent.simulation.phrasebook import phrasebook
from agent.simulation.phrases import Lever
from agent.simulation.profile import HotelProfile
from agent.simulation.speech import CONDITIONS, Plan, Spoken, Voice
from db.vocabulary import ClarifyTopic, HotelMoveKind, Mood, PriceBasis

_K = HotelMoveKind
_SELLING_TOLERANCE = Decimal("0.02")
_NET_TOLERANCE = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomView:
    """Where one room stands in the hotel's mind; net prices."""

    label: int
    willing: Decimal
    """What it would take now."""
    offered: Decimal | None
    agreed: Decimal | None
    settled: bool
    """Its explicit yes to complete terms has been given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """What the hotel thinks and does not say; for measuring only."""

    goodwill: float
    patience: int
    rooms: tuple[RoomView, ...]
    gone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HotelUtterance:
    """One answer. ``text`` is "" for silence; ``truth`` is what it means, the label that a reader is trained on."""

    text: str
    truth: HotelMove
    delay_s: float
    """How long a person would have waited for it, in seconds."""
    inner: Inner


class SimulatedHotel:
    """One hotel in one conversation."""

    def __init__(self, profile: HotelProfile, facts: tuple[TicketFacts, ...], *, seed: int) -> None:
        self.profile = profile
        self.facts = facts
        self._seed = seed
        self._voice = Voice(phrasebook(), profile, facts)
        self._rooms = {fact.label: self._room(fact) for fact in facts}
        self._focus = facts[0].label
        self._goodwill = profile.temper.goodwill
        self._patience = profile.temper.patience + 6 * (len(facts) - 1)
        self._turn = 0
        self._heard_sentences: set[str] = set()
        self._asked_topics: set[str] = set()
        self._silences = 0
        self._outbursts = 0
        self._stalls = 0
        self._at_desk = not profile.wrong_person
        self._passed_on = False
        self._raised_legal = False
        self._said_final = False
        self._introduced = False
        self._gone = False

    @property
    def gone(self) -> bool:
        """True where it will not say anything more."""
        return self._gone

    def inner(self) -> Inner:
        """What it thinks right now."""
        rooms = tuple(
            RoomView(label=room.label, willing=room.willing(), offered=room.offered, agreed=room.agreed, settled=room.settled)
            for room in self._rooms.values()
        )
        return Inner(goodwill=self._goodwill, patience=self._patience, rooms=rooms, gone=self._gone)

    def hear(self, reply_text: str | None) -> HotelUtterance:
        """Answer a message; None or "" asks it to speak first, or to go on waiting."""
        rng = random.Random(f"{self._seed}:{self._turn}")
        self._turn += 1
        if self._gone:
            return self._out(self._plan(_K.SILENCE, "nothing"), rng, empty=True)
        if not reply_text or not reply_text.strip():
            first = self._turn == 1
            self._introduced = self._introduced or first
            return self._out(self._plan(_K.GREETING, "hello") if first else self._plan(_K.SILENCE, "nothing"), rng, empty=not first)
        heard = hear(reply_text, self.facts, focus=self._focus)
        if heard.label is not None and not self._rooms[heard.label].settled:
            self._focus = heard.label
        self._patience -= 1
        opener = self._feel(heard, rng)
        plan = self._decide(heard, rng, opener)
        quiet = plan.kind in (_K.STOP, _K.UPSET, _K.WRONG_PERSON) or self._gone or self._silences >= 2
        if not quiet and rng.random() < self.profile.temper.silence:
            self._silences += 1
            return self._out(self._plan(_K.SILENCE, "nothing"), rng, empty=rng.random() < 0.5)
        self._silences = 0
        return self._out(plan, rng)

    # -- feeling ------------------------------------------------------------------------------------------------------------------------

    def _feel(self, heard: Heard, rng: random.Random) -> tuple[str, Lever | None] | None:
        """Let the message change the mood; returns the opener with which it will be taken up."""
        cost = 0.0
        opener: tuple[str, Lever | None] | None = None
        welcome = [lever for lever in sorted(heard.arguments) if lever in self.profile.levers]
        fresh = [lever for lever in welcome if any(lever not in room.welcomed for room in self._rooms.values())]
        about_price = bool(heard.net) and not heard.confirms and not heard.accepts
        if about_price:
            for room in self._rooms.values():
                room.welcomed.update(welcome)
            if fresh:
                opener = ("match", fresh[0])
            elif heard.arguments and not welcome and rng.random() < 0.35:
                opener = ("mismatch", None)
        if about_price and heard.arguments & self.profile.dislikes:
            cost += bargaining.DISLIKED
            opener = ("disliked", None)
        if heard.sentences & self._heard_sentences:
            cost += bargaining.REPEATED
            opener = ("repeated", None)
        self._heard_sentences |= heard.sentences
        cost += bargaining.PROMISED * heard.promises + bargaining.PRESSED * heard.presses + bargaining.BRUSQUE * heard.brusque
        if heard.internal:
            cost += bargaining.INTERNAL
            opener = ("internal", None)
        if not self._introduced and not heard.greets:
            cost += bargaining.NO_GREETING
            opener = ("no_greeting", None)
        self._introduced = True
        if self._quotes_wrongly(heard):
            cost += bargaining.WRONG_FACT
        if heard.calms and not heard.net:
            cost -= bargaining.CALMED
        elif self._goodwill < 0.25 and heard.net and not heard.calms:
            cost += bargaining.IGNORED_ANGER
        self._goodwill = min(max(self._goodwill - cost, 0.0), 1.0)
        return opener

    def _quotes_wrongly(self, heard: Heard) -> bool:
        true = {fact.competitor_price for fact in self.facts}
        return any(quoted not in true for quoted in heard.quoted_competitor)

    def _mood(self) -> Mood:
        if self._goodwill < 0.12:
            return Mood.ANGRY
        if self._goodwill < 0.32:
            return Mood.ANNOYED
        own = self.profile.temper.mood
        if own is Mood.ANNOYED and self._goodwill > 0.55:
            return Mood.NEUTRAL
        if own is Mood.WARM and self._goodwill < 0.5:
            return Mood.NEUTRAL
        return own

    # -- deciding -----------------------------------------------------------------------------------------------------------------------

    def _decide(self, heard: Heard, rng: random.Random, opener: tuple[str, Lever | None] | None) -> Plan:
        if heard.ends or heard.hands_over:
            self._gone = True
            return self._plan(_K.OTHER, "farewell")
        if not self._at_desk:
            return self._at_reception(heard, rng)
        if self._goodwill <= 0.02 or (self._patience <= 0 and self._said_final):
            self._gone = True
            return self._plan(_K.STOP, "stop")
        room = self._rooms[self._focus]
        if heard.presumes:
            self._goodwill = max(self._goodwill - bargaining.PRESUMED, 0.0)
            return self._plan(_K.REFUSE, "wrong_terms")
        if self._is_fed_up(heard, rng):
            self._outbursts += 1
            topic = "promise" if heard.promises else "past" if rng.random() < 0.5 and not heard.presses else "pressure"
            return self._plan(_K.UPSET, topic)
        if heard.confirms:
            return self._answer_terms(room, heard, rng)
        if heard.clarifies is not None:
            return self._clear_up(room, heard.clarifies, rng)
        if self._patience <= 0:
            self._said_final = True
            return self._plan(_K.REFUSE, "final")
        if heard.calms and not heard.net:
            return self._plan(_K.INFORM, "thanks_calm")
        if heard.net:
            return self._answer_ask(room, heard, rng, opener)
        if heard.accepts and room.offered is not None:
            return self._yes(room, room.offered, "to_ask", rng)
        return self._small_step(room, heard, rng)

    def _at_reception(self, heard: Heard, rng: random.Random) -> Plan:
        if heard.redirects and not self._passed_on:
            self._passed_on = True
            if self.profile.knows_who:
                self._at_desk = True
                return self._plan(_K.GREETING, "takeover")
            return self._plan(_K.WRONG_PERSON, "forwarded")
        if self._passed_on:
            self._gone = True
            return self._plan(_K.WRONG_PERSON, "forwarded")
        return self._plan(_K.WRONG_PERSON, "reception" if rng.random() < 0.8 else "forwarded")

    def _is_fed_up(self, heard: Heard, rng: random.Random) -> bool:
        if self._outbursts >= 2 or heard.calms or heard.confirms:
            return False
        if self._goodwill < 0.2:
            return True
        if heard.promises or heard.presses:
            return rng.random() < 0.6
        sore = self.profile.temper.mood is Mood.ANNOYED and self._outbursts == 0 and self._turn in (2, 3, 4)
        return sore and rng.random() < 0.35

    def _small_step(self, room: Room, heard: Heard, rng: random.Random) -> Plan:
        """Nothing was asked for in money: greet, tell, or come back to what lies open."""
        if heard.redirects:
            return self._plan(_K.INFORM, "why_him")
        if heard.reminds and room.asks:
            if room.agreed is not None and not room.settled:
                return self._yes(room, room.agreed, "to_ask", rng)
            if rng.random() < 0.3 and self._stalls < 3:
                return self._stall(rng)
            return self._counter(room, room.asks[-1], rng, None)
        if heard.asks_for_person or (heard.greets and self._turn <= 2):
            if heard.asks and rng.random() < self.profile.temper.asks * 0.6 and "who" not in self._asked_topics:
                return self._question("who")
            return self._plan(_K.GREETING, "hello")
        if heard.asks:
            return self._about_itself(rng)
        if room.agreed is not None:
            return self._plan(_K.OTHER, "farewell" if room.settled else "small_talk")
        if rng.random() < 0.5 and "number" not in self._asked_topics:
            return self._question("number")
        return self._about_itself(rng)

    def _about_itself(self, rng: random.Random) -> Plan:
        if rng.random() < 0.06:
            return self._plan(_K.OTHER, "small_talk")
        if rng.random() < 0.1 and "number" not in self._asked_topics:
            return self._question("number")
        # It tells more often than not what would really move it; the rest is complaint.
        if rng.random() < 0.72:
            return self._plan(_K.INFORM, "situation", lever=rng.choice(sorted(self.profile.levers)))
        return self._plan(_K.INFORM, "pushback")

    def _question(self, topic: str) -> Plan:
        self._asked_topics.add(topic)
        return self._plan(_K.QUESTION, topic)

    def _stall(self, rng: random.Random) -> Plan:
        self._stalls += 1
        return self._plan(_K.STALL, "boss" if rng.random() < 0.25 else "plain")

    # -- money --------------------------------------------------------------------------------------------------------------------------

    def _answer_ask(self, room: Room, heard: Heard, rng: random.Random, opener: tuple[str, Lever | None] | None) -> Plan:
        ask = heard.net[-1]
        if room.settled or (room.agreed is not None and ask < room.agreed - _NET_TOLERANCE):
            self._goodwill = max(self._goodwill - bargaining.PUSHED_ON, 0.0)
            return self._plan(_K.REFUSE, "plain")
        if not heard.basis_named and "basis" not in self._asked_topics and rng.random() < 0.6:
            return self._question("basis")
        if self.profile.legal_minded and not self._raised_legal and rng.random() < 0.3:
            self._raised_legal = True
            return self._plan(_K.LEGAL, "legal")
        if room.asks and ask > max(room.asks):
            self._goodwill = min(self._goodwill + bargaining.STEPPED_CLOSER, 1.0)
        room.asks.append(ask)
        return self._counter(room, ask, rng, opener)

    def _counter(self, room: Room, ask: Decimal, rng: random.Random, opener: tuple[str, Lever | None] | None) -> Plan:
        """Answer a request: take it, better the own price, ask, put off or turn it down."""
        temper = self.profile.temper
        concede(room, self.profile, self._goodwill)
        willing = room.willing() if room.offered is None else min(room.willing(), room.offered)
        if ask >= willing:
            better = (ask + (room.offered or room.opening)) / 2
            tries = rng.random() < temper.haggles and room.offers < 3 and better > ask * Decimal("1.01")
            if not tries:
                return self._yes(room, ask, "to_ask", rng)
            return self._offer(room, bargaining.round_up(better), rng, opener)
        if rng.random() < temper.stalls and self._stalls < 3:
            return self._stall(rng)
        if rng.random() < temper.asks and (topic := self._open_question(rng)) is not None:
            return self._question(topic)
        gap = (willing - ask) / willing
        stuck = room.offered is not None and willing >= room.offered
        if room.give < 0.05 or (gap > Decimal("0.15") and rng.random() < 0.45) or (stuck and rng.random() < 0.4):
            room.refusals += 1
            if rng.random() < 0.25:
                return self._plan(_K.INFORM, "pushback", opener=opener)
            return self._plan(_K.REFUSE, "too_low" if rng.random() < 0.4 else "plain", ask=ask, opener=opener)
        return self._offer(room, willing, rng, opener)

    def _open_question(self, rng: random.Random) -> str | None:
        topics = [
            topic for topic in ("why", "benefit", "where", "selling", "commission", "dates", "room") if topic not in self._asked_topics
        ]
        return rng.choice(topics) if topics and len(self._asked_topics) < 4 else None

    def _offer(self, room: Room, net: Decimal, rng: random.Random, opener: tuple[str, Lever | None] | None) -> Plan:
        temper = self.profile.temper
        at_limit = net <= room.reservation or len(room.asks) >= self.profile.rounds
        topic = "final" if at_limit and room.offers else "counter" if room.offers else "first"
        condition = None
        draw = rng.random()
        if draw < temper.vague and room.offers < 2:
            topic = "vague"
        elif draw < temper.vague + temper.conditions and room.conditions_made < 1:
            topic, condition = "conditional", rng.choice(CONDITIONS)
            room.conditions_made += 1
        elif len(self._rooms) > 1 and draw > 0.94:
            topic = "which_unclear"
        room.open_condition = condition
        room.offered = net
        room.offers += 1
        room.spoken_basis = self.profile.thinks_in
        state = rng.random() >= temper.confusion
        return self._plan(_K.OFFER, topic, net=net, basis=room.spoken_basis, state=state, condition=condition, opener=opener)

    def _yes(self, room: Room, net: Decimal, topic: str, rng: random.Random) -> Plan:
        room.agreed = net
        return self._plan(_K.AGREE, topic, ask=net if rng.random() < 0.6 else None)

    def _answer_terms(self, room: Room, heard: Heard, rng: random.Random) -> Plan:
        """Our side has repeated terms and asks for a yes."""
        net = heard.net[-1]
        promised = room.agreed if room.agreed is not None else room.offered
        if promised is None:
            room.asks.append(net)
            return self._counter(room, net, rng, None)
        fact = next(fact for fact in self.facts if fact.label == room.label)
        should_sell = selling_from_net(net, fact.commission)
        wrong_selling = [price for price in heard.selling if abs(price - should_sell) > should_sell * _SELLING_TOLERANCE]
        if net < promised - _NET_TOLERANCE or (heard.selling and len(wrong_selling) == len(heard.selling)):
            self._goodwill = max(self._goodwill - bargaining.PUSHED_ON, 0.0)
            return self._plan(_K.REFUSE, "wrong_terms", ask=net)
        missing = "selling" if not heard.selling else "dates" if not heard.names_start else None
        if missing and missing not in self._asked_topics and rng.random() < self.profile.temper.strict:
            return self._question(missing)
        if rng.random() < self.profile.temper.stalls * 0.6 and self._stalls < 3:
            return self._stall(rng)
        room.settled = missing is None
        plan = self._yes(room, net, "to_confirm", rng)
        waiting = [label for label, other in self._rooms.items() if not other.settled]
        if room.settled and waiting:
            self._focus = waiting[0]
        return plan

    def _clear_up(self, room: Room, topic: ClarifyTopic, rng: random.Random) -> Plan:
        """Our side asked about an open point."""
        selling = room.spoken_basis is PriceBasis.SELLING
        again = room.offered is not None and rng.random() < 0.35
        match topic:
            case ClarifyTopic.NET_OR_SELLING:
                if again:
                    return self._again(room)
                return self._plan(_K.INFORM, "basis_selling" if selling else "basis_net", label=room.label)
            case ClarifyTopic.AMOUNT if room.offered is not None:
                return self._again(room)
            case ClarifyTopic.WHICH_ROOM:
                return self._plan(_K.INFORM, "which_room", label=room.label)
            case ClarifyTopic.CONDITION | ClarifyTopic.DATES | ClarifyTopic.ROOMS if room.open_condition is not None:
                condition = room.open_condition
                if rng.random() < 0.7:
                    room.open_condition = None
                    return self._plan(_K.INFORM, "drop_condition", label=room.label)
                return self._plan(_K.OFFER, "conditional", net=room.offered, basis=room.spoken_basis, condition=condition)
            case ClarifyTopic.DATES:
                return self._plan(_K.INFORM, "dates_all", label=room.label)
            case ClarifyTopic.ROOMS:
                return self._plan(_K.INFORM, "room_count", label=room.label)
            case ClarifyTopic.BREAKFAST:
                return self._plan(_K.INFORM, "breakfast_yes" if rng.random() < 0.6 else "breakfast_no", label=room.label)
            case ClarifyTopic.TAX:
                return self._plan(_K.INFORM, "tax_yes" if rng.random() < 0.6 else "tax_no", label=room.label)
            case _:
                return self._about_itself(rng)

    def _again(self, room: Room) -> Plan:
        return self._plan(_K.OFFER, "first", net=room.offered, basis=room.spoken_basis, simple=True, label=room.label)

    # -- speaking -----------------------------------------------------------------------------------------------------------------------

    def _room(self, fact: TicketFacts) -> Room:
        stance = self.profile.stance(fact.label)
        return Room(label=fact.label, opening=stance.opening, reservation=stance.reservation)

    def _plan(
        self,
        kind: HotelMoveKind,
        topic: str,
        *,
        label: int | None = None,
        lever: Lever | None = None,
        net: Decimal | None = None,
        ask: Decimal | None = None,
        basis: PriceBasis = PriceBasis.NET,
        state: bool = True,
        simple: bool = False,
        condition: tuple[str, ClarifyTopic] | None = None,
        opener: tuple[str, Lever | None] | None = None,
    ) -> Plan:
        return Plan(
            kind=kind, topic=topic, mood=self._mood(), label=self._focus if label is None else label, lever=lever, net=net, ask=ask,
            basis=basis, state=state, simple=simple, condition=condition, opener=opener,
        )  # fmt: skip

    def _out(self, plan: Plan, rng: random.Random, *, empty: bool = False) -> HotelUtterance:
        if empty:
            return HotelUtterance(text="", truth=HotelMove(kind=_K.SILENCE), delay_s=rng.uniform(14_400, 172_800), inner=self.inner())
        spoken: Spoken = self._voice.say(plan, rng)
        if spoken.offered_net is not None and plan.kind is _K.OFFER:
            # "10% off" rounds: it stands by what it said, never below its reservation value.
            self._rooms[plan.label].offered = spoken.offered_net
        return HotelUtterance(text=spoken.text, truth=spoken.move, delay_s=round(rng.lognormvariate(5.0, 1.1), 1), inner=self.inner())


def replay(profile: HotelProfile, facts: tuple[TicketFacts, ...], seed: int, heard: Sequence[str | None]) -> SimulatedHotel:
    """The hotel as it stands after hearing these messages: it will answer the next one as the original would."""
    hotel = SimulatedHotel(profile, facts, seed=seed)
    for text in heard:
        hotel.hear(text)
    return hotel
