"""What a simulated hotel remembers and feels: goodwill, patience, what it has heard and asked, and where each room stands.

Decided here: what a message of ours does to the mood. What the hotel then says is decided in ``haggling`` (money) and ``hotel`` (the rest).
"""

import random
from dataclasses import dataclass, field
from decimal import Decimal

from agent.domain import TicketFacts
from agent.simulation import bargaining
from agent.simulation.bargaining import Room
from agent.simulation.hearing import Heard
from agent.simulation.phrases import Lever
from agent.simulation.profile import HotelProfile
from agent.simulation.speech import Plan
from db.vocabulary import ClarifyTopic, HotelMoveKind, Mood, PriceBasis

Opener = tuple[str, Lever | None]
"""Topic of the opener with which a message is taken up, and the lever it touched."""


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
    stalls: int = 0
    at_desk: bool = field(init=False)
    told_wrong: bool = False
    """It has said that it is not the one who decides."""
    passed_on: bool = False
    raised_legal: bool = False
    said_final: bool = False
    introduced: bool = False
    gone: bool = False
    asked_topics: set[str] = field(default_factory=set)
    heard_sentences: set[str] = field(default_factory=set)

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
        return Inner(goodwill=self.goodwill, patience=self.patience, rooms=rooms, gone=self.gone)

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

    def feel(self, heard: Heard, rng: random.Random) -> Opener | None:
        """Let a message change the mood; returns the opener with which it will be taken up, if any."""
        opener = self._weigh_arguments(heard, rng)
        cost = bargaining.PROMISED * heard.promises + bargaining.PRESSED * heard.presses + bargaining.BRUSQUE * heard.brusque
        if heard.net and not heard.confirms and not heard.accepts and not heard.arguments and not heard.thanks:
            cost += bargaining.BARE
        if opener == ("disliked", None):
            cost += bargaining.DISLIKED
        if heard.sentences & self.heard_sentences:
            cost += bargaining.REPEATED
            opener = ("repeated", None)
        self.heard_sentences |= heard.sentences
        if heard.internal:
            cost += bargaining.INTERNAL
            opener = ("internal", None)
        if not self.introduced and not heard.greets:
            cost += bargaining.NO_GREETING
            opener = ("no_greeting", None)
        self.introduced = True
        true_elsewhere = {fact.competitor_price for fact in self.facts}
        if any(quoted not in true_elsewhere for quoted in heard.quoted_competitor):
            cost += bargaining.WRONG_FACT
        if heard.calms and not heard.net:
            cost -= bargaining.CALMED
        elif self.goodwill < 0.25 and heard.net and not heard.calms:
            cost += bargaining.IGNORED_ANGER
        elif heard.thanks and not cost:
            cost -= bargaining.THANKED
        self.lose_goodwill(cost)
        return opener

    def _weigh_arguments(self, heard: Heard, rng: random.Random) -> Opener | None:
        if not heard.net or heard.confirms or heard.accepts:
            return None
        welcome = [lever for lever in sorted(heard.arguments) if lever in self.profile.levers]
        fresh = [lever for lever in welcome if any(lever not in room.welcomed for room in self.rooms.values())]
        for room in self.rooms.values():
            room.welcomed.update(welcome)
        if heard.arguments & self.profile.dislikes:
            return ("disliked", None)
        if fresh:
            return ("match", fresh[0])
        if heard.arguments and not welcome and rng.random() < 0.35:
            return ("mismatch", None)
        return None

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
            return self.plan(HotelMoveKind.INFORM, "situation", lever=rng.choice(sorted(self.profile.levers)))
        return self.plan(HotelMoveKind.INFORM, "pushback")
