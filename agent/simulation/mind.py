"""What a simulated hotel remembers and feels: goodwill, trust, patience, what it has heard, asked and said, and where each room stands.

Decided here: what a message of ours does to the mood, in the light of what was said before. What the hotel then says is decided in
``haggling`` (money) and ``hotel`` (the rest); what each kindness and each fault is worth, in ``bargaining``.
"""

import random
from dataclasses import dataclass, field
from decimal import Decimal

from agent.domain import TicketFacts
from agent.simulation import attention, bargaining
from agent.simulation.attention import Slip
from agent.simulation.bargaining import Room
from agent.simulation.hearing import Heard
from agent.simulation.phrases import Lever
from agent.simulation.profile import HotelProfile
from agent.simulation.speech import Plan
from db.vocabulary import ClarifyTopic, HotelMoveKind, Mood, PriceBasis

Opener = tuple[str, Lever | None]
"""Topic of the opener with which a message is taken up, and the lever it touched."""
_REPROACHES = frozenset(
    {"disliked", "disliked_again", "went_back", "unanswered", "repeated", "internal", "no_greeting", "too_good", "broken_promise"}
)
"""Openers that name a fault; thanks beside a fault please nobody."""


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
    trust: float
    """Factor on what our arguments are worth to it: 1 until we promise what nobody can keep."""
    mood: Mood
    patience: int
    open_question: str | None
    """What it has asked and got no answer to, by topic."""
    rooms: tuple[RoomView, ...]
    gone: bool


@dataclass(slots=True)
class Mind:
    """The mutable side of one hotel in one conversation."""

    profile: HotelProfile
    facts: tuple[TicketFacts, ...]
    goodwill: float = field(init=False)
    patience: int = field(init=False)
    rooms: dict[int, Room] = field(init=False)
    focus: int = field(init=False)
    turn: int = 0
    silences: int = 0
    """In a row."""
    outbursts: int = 0
    in_outburst: bool = False
    """Its last words were a complaint in anger."""
    stalls: int = 0
    at_desk: bool = field(init=False)
    told_wrong: bool = False
    """It has said that it is not the one who decides."""
    passed_on: bool = False
    raised_legal: bool = False
    said_final: bool = False
    introduced: bool = False
    gone: bool = False
    trust: float = 1.0
    open_question: str | None = None
    told: Lever | None = None
    """What it said last that it cares about."""
    asked_topics: set[str] = field(default_factory=set)
    heard_sentences: set[str] = field(default_factory=set)
    heard_arguments: set[Lever] = field(default_factory=set)
    protested: set[Lever] = field(default_factory=set)
    """Arguments that it has said it does not want to hear."""

    def __post_init__(self) -> None:
        self.goodwill = self.profile.temper.goodwill
        self.patience = self.profile.temper.patience + 6 * (len(self.facts) - 1)
        self.rooms = {fact.label: self._room(fact.label) for fact in self.facts}
        self.focus = self.facts[0].label
        self.at_desk = not self.profile.wrong_person

    def _room(self, label: int) -> Room:
        stance = self.profile.stance(label)
        return Room(label=label, opening=stance.opening, reservation=stance.reservation)

    def inner(self) -> Inner:
        """A picture of the mind as it is now."""
        rooms = tuple(
            RoomView(label=room.label, willing=room.willing(), offered=room.offered, agreed=room.agreed, settled=room.settled)
            for room in self.rooms.values()
        )
        return Inner(goodwill=self.goodwill, trust=self.trust, mood=self.mood(), patience=self.patience,
                     open_question=self.open_question, rooms=rooms, gone=self.gone)  # fmt: skip

    def fact(self, label: int) -> TicketFacts:
        """The public facts of one room."""
        return next(fact for fact in self.facts if fact.label == label)

    def lose_goodwill(self, cost: float) -> None:
        """Take offence (or, with a negative cost, be pleased); goodwill stays in [0, 1]."""
        self.goodwill = min(max(self.goodwill - cost, 0.0), 1.0)

    def mood(self) -> Mood:
        """How it sounds now."""
        own = self.profile.temper.mood
        if self.goodwill < 0.12:
            return Mood.ANGRY
        if self.goodwill < 0.32:
            return Mood.ANNOYED
        if (own is Mood.ANNOYED and self.goodwill > 0.55) or (own is Mood.WARM and self.goodwill < 0.5):
            return Mood.NEUTRAL
        return own

    def feel(self, text: str, heard: Heard, slips: frozenset[Slip], rng: random.Random) -> Opener | None:
        """Let a message change the mood; returns the opener with which it will be taken up, if any: a reproach before anything kinder."""
        was_angry = self.goodwill < bargaining.SULKS
        openers = (
            self._weigh_arguments(text, heard, rng),
            self._compare_numbers(heard, rng),
            self._look_for_answer(text, heard),
            self._weigh_promises(heard, slips, rng),
            self._notice_repetition(heard, slips),
            self._notice_manners(heard, slips),
        )
        told = [opener for opener in openers if opener is not None]
        blame = [opener for opener in told if opener[0] in _REPROACHES]
        self._soften(text, heard, slips, was_angry=was_angry, blamed=bool(blame))
        return blame[-1] if blame else told[0] if told else None

    def _weigh_arguments(self, text: str, heard: Heard, rng: random.Random) -> Opener | None:
        """An argument counts once, in whatever words; a disliked one hurts, and hurts more after a protest."""
        if not heard.net or heard.confirms or heard.accepts:
            return None
        made = heard.arguments
        if not made and not heard.thanks and not attention.gives_reason(text, self.fact(self.focus)):
            self.lose_goodwill(bargaining.BARE)
        welcome = [lever for lever in sorted(made) if lever in self.profile.levers]
        fresh = [lever for lever in welcome if any(lever not in room.welcomed for room in self.rooms.values())]
        for room in self.rooms.values():
            room.welcomed.update(welcome)
        known = made <= self.heard_arguments
        self.heard_arguments |= made
        if sore := made & self.profile.dislikes:
            again = bool(sore & self.protested)
            self.protested |= sore
            self.lose_goodwill(bargaining.DISLIKED + bargaining.DISLIKED_AGAIN * again)
            return ("disliked_again" if again else "disliked", None)
        if self.told in made:
            self.told = None
            self.lose_goodwill(-bargaining.TOOK_UP)
        if fresh:
            self.lose_goodwill(-bargaining.WELCOMED)
            return ("match", fresh[0])
        if made and known:
            self.lose_goodwill(bargaining.SAME_ARGUMENT)
            return ("heard_argument", None) if rng.random() < 0.5 else None
        return ("mismatch", None) if made and not welcome and rng.random() < 0.35 else None

    def _compare_numbers(self, heard: Heard, rng: random.Random) -> Opener | None:
        """Our number beside our earlier ones: a step closer is noticed, and so is a step back."""
        room = self.rooms[self.focus]
        if not heard.net or heard.confirms or heard.accepts or not room.asks or room.agreed is not None:
            return None
        if heard.net[-1] < max(room.asks):
            self.lose_goodwill(bargaining.WENT_BACK)
            return ("went_back", None)
        if heard.net[-1] > max(room.asks):
            self.lose_goodwill(-bargaining.STEPPED_CLOSER)
            return ("step_seen", None) if rng.random() < 0.3 else None
        return None

    def _look_for_answer(self, text: str, heard: Heard) -> Opener | None:
        """Its question is answered, or a price is asked for while it stands."""
        if self.open_question is None:
            return None
        if attention.answers(text, heard, self.open_question, self.fact(self.focus)):
            if self.open_question not in attention.FREE_TO_ANSWER:
                self.lose_goodwill(-bargaining.ANSWERED)
            self.open_question = None
            return None
        if not heard.net or heard.confirms:
            return None
        self.open_question = None
        self.lose_goodwill(bargaining.UNANSWERED)
        return ("unanswered", None)

    def _weigh_promises(self, heard: Heard, slips: frozenset[Slip], rng: random.Random) -> Opener | None:
        """A promise that nobody can keep is not forgotten: arguments and apologies are worth less from then on."""
        if heard.promises or Slip.PROMISE in slips:
            self.lose_goodwill(bargaining.PROMISED)
            self.trust *= bargaining.MISTRUST
            return None
        return ("broken_promise", None) if self.trust < 1 and heard.net and heard.arguments and rng.random() < 0.5 else None

    def _notice_repetition(self, heard: Heard, slips: frozenset[Slip]) -> Opener | None:
        repeated = heard.sentences & self.heard_sentences
        self.heard_sentences |= heard.sentences
        if not repeated and Slip.STUTTER not in slips:
            return None
        self.lose_goodwill(bargaining.REPEATED)
        return ("repeated", None)

    def _notice_manners(self, heard: Heard, slips: frozenset[Slip]) -> Opener | None:
        """Faults that need no memory: pressure, claims that it knows to be false, office words, another language, no greeting."""
        opener: Opener | None = None
        true_elsewhere = {fact.competitor_price for fact in self.facts}
        quoted = set(heard.quoted_competitor)
        invented = bool(quoted and not quoted & true_elsewhere) or Slip.HEARSAY in slips
        office, foreign = heard.internal or Slip.OFFICE_WORDS in slips, Slip.FOREIGN in slips
        pressed = heard.presses or Slip.PRESSURE in slips
        cost = bargaining.PRESSED * pressed + bargaining.BRUSQUE * heard.brusque + bargaining.REPROACHED * (Slip.REPROACH in slips)
        cost += bargaining.STIFF * (Slip.STIFF in slips)
        if invented:
            cost += bargaining.WRONG_FACT
            opener = ("too_good", None)
        if office or foreign:
            cost += bargaining.INTERNAL * office + bargaining.FOREIGN * foreign
            opener = ("internal", None)
        if not self.introduced and not heard.greets:
            cost += bargaining.NO_GREETING
            opener = ("no_greeting", None)
        self.introduced = True
        self.lose_goodwill(cost)
        return opener

    def _soften(self, text: str, heard: Heard, slips: frozenset[Slip], *, was_angry: bool, blamed: bool) -> None:
        """An apology that asks for nothing wins goodwill back; haggling with anger loses more."""
        if heard.calms and not heard.net and not attention.haggles_on(text):
            self.lose_goodwill(-bargaining.CALMED * self.trust * (0.5 if slips else 1.0))
        elif (was_angry and heard.net and not heard.calms) or (self.in_outburst and attention.haggles_on(text)):
            self.lose_goodwill(bargaining.IGNORED_ANGER)
        elif heard.thanks and not (blamed or slips or heard.promises or heard.presses or heard.brusque):
            self.lose_goodwill(-bargaining.THANKED)

    def plan(
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
        opener: Opener | None = None,
    ) -> Plan:
        """A plan in the present mood, about the room in focus where no other is named."""
        where = self.focus if label is None else label
        return Plan(kind=kind, topic=topic, mood=self.mood(), label=where, lever=lever, net=net, ask=ask, basis=basis, state=state,
                    simple=simple, condition=condition, opener=opener)  # fmt: skip

    def question(self, topic: str) -> Plan:
        """Ask something, once per conversation."""
        self.asked_topics.add(topic)
        self.open_question = topic
        return self.plan(HotelMoveKind.QUESTION, topic)

    def stall(self, rng: random.Random) -> Plan:
        """Put the answer off."""
        self.stalls += 1
        return self.plan(HotelMoveKind.STALL, "boss" if rng.random() < 0.25 else "plain")

    def may_stall(self, rng: random.Random, share: float = 1.0) -> bool:
        """Whether it puts an answer off now; never more than three times."""
        return self.stalls < 3 and rng.random() < self.profile.temper.stalls * share

    def about_itself(self, rng: random.Random) -> Plan:
        """Tell about the situation: mostly what would really move it, sometimes a complaint."""
        if rng.random() < 0.06:
            return self.plan(HotelMoveKind.OTHER, "small_talk")
        if rng.random() < 0.1 and "number" not in self.asked_topics:
            return self.question("number")
        if rng.random() < 0.72:
            self.told = rng.choice(sorted(self.profile.levers))
            return self.plan(HotelMoveKind.INFORM, "situation", lever=self.told)
        return self.plan(HotelMoveKind.INFORM, "pushback")
