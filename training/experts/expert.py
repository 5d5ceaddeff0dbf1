"""The experts themselves: the same truth, each seen with an own bias, an own unsteadiness and an own eye for faults.

Decided here: how an expert departs from the truth, in amounts that are known, and how a whole dialogue is rated. The same expert gives the
same reply in the same place the same rating, whenever it is asked.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from agent.sop import NegotiationState
from db.vocabulary import Severity, Stage, TicketStatus
from training.experts.faults import Fault, FaultKind
from training.experts.score import Judgement, judge
from training.experts.truth import Truth

EXCELLENT = 4.1
"""Impression from which an expert calls a reply excellent."""
FALSE_ALARM = 0.01
"""Chance that an expert names a fault that is not there."""
_STEPS = (Severity.MINOR, Severity.MAJOR, Severity.SEVERE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """What one expert says about one reply."""

    stars: int
    """1 to 5."""
    excellent: bool
    faults: tuple[Fault, ...]
    expert: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a conversation came to."""

    stage: Stage
    rooms: int
    agreed: int
    captured: float | None
    """Share of the bargaining zone that our side got, mean over the agreed rooms, in [0, 1]; None where nothing was agreed."""

    @property
    def success(self) -> bool:
        """Whether every room was agreed."""
        return self.agreed == self.rooms


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogueRating:
    """What one expert says about a whole conversation."""

    stars: int
    """1 to 5."""
    any_excellent: bool
    """Whether at least one reply was called excellent."""
    outcome: Outcome
    turns: tuple[Rating, ...]
    expert: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expert:
    """A rater whose departure from the truth is known."""

    name: str
    bias: float = 0.0
    """Stars added to everything: positive is lenient."""
    noise: float = 0.4
    """Standard deviation of the impression, in stars."""
    strictness: Mapping[FaultKind, float] = field(default_factory=lambda: dict.fromkeys(FaultKind, 0.95))
    """Chance of naming a fault that is there, by kind; 0.95 where a kind is not given."""
    seed: int = 0

    def rate(self, truth: Truth) -> Rating:
        """Rate one reply."""
        return self.rate_judged(truth, judge(truth))

    def rate_judged(self, truth: Truth, judgement: Judgement) -> Rating:
        """The same for a reply that was judged already, so that a panel judges it once."""
        rng = self._own_mind(len(truth.context.history), truth.asked, str(truth.move), truth.text)
        impression = judgement.score + self.bias + rng.gauss(0.0, self.noise)
        faults = tuple(self._named(fault, rng) for fault in judgement.faults if rng.random() < self.strictness.get(fault.kind, 0.95))
        if rng.random() < FALSE_ALARM:
            kind = rng.choice(tuple(FaultKind))
            if all(fault.kind is not kind for fault in faults):
                faults = (*faults, Fault(kind, Severity.MINOR))
        serious = any(fault.severity is not Severity.MINOR for fault in faults)
        return Rating(stars=_stars(impression), excellent=impression >= EXCELLENT and not serious, faults=faults, expert=self.name)

    def rate_conversation(self, truths: Sequence[Truth], state: NegotiationState) -> DialogueRating:
        """Rate a whole conversation by its replies, in order, and by what it came to. Raises ValueError where there is no reply."""
        return self.rate_conversation_judged(truths, [judge(truth) for truth in truths], state)

    def rate_conversation_judged(self, truths: Sequence[Truth], judgements: Sequence[Judgement], state: NegotiationState) -> DialogueRating:
        """The same with the replies judged already."""
        if not truths:
            raise ValueError("a conversation without a reply cannot be rated")
        turns = tuple(self.rate_judged(truth, judgement) for truth, judgement in zip(truths, judgements, strict=True))
        outcome = outcome_of(truths[-1], state)
        rng = self._own_mind("dialogue", *(truth.text for truth in truths))
        impression = dialogue_score(judgements, outcome) + self.bias + rng.gauss(0.0, self.noise)
        return DialogueRating(
            stars=_stars(impression), any_excellent=any(turn.excellent for turn in turns), outcome=outcome, turns=turns, expert=self.name
        )

    def _named(self, fault: Fault, rng: random.Random) -> Fault:
        """The fault as this expert weighs it: once in eight, one step off."""
        if rng.random() >= 0.125:
            return fault
        step = _STEPS.index(fault.severity) + rng.choice((-1, 1))
        return Fault(fault.kind, _STEPS[min(max(step, 0), len(_STEPS) - 1)])

    def _own_mind(self, *about: object) -> random.Random:
        return random.Random("\x1f".join((str(self.seed), self.name, *(str(part) for part in about))))


def dialogue_score(judgements: Sequence[Judgement], outcome: Outcome) -> float:
    """What a conversation is truly worth, in [1, 5]: its replies, its worst reply, and what it came to."""
    scores = [judgement.score for judgement in judgements]
    result = 0.5 * outcome.agreed / outcome.rooms + (0.2 * outcome.captured if outcome.captured is not None else 0.0) - 0.3
    return min(max(0.8 * fmean(scores) + 0.2 * min(scores) + result, 1.0), 5.0)


def outcome_of(last: Truth, state: NegotiationState) -> Outcome:
    """What came of it; ``last`` is any truth of the conversation."""
    agreed = [ticket for ticket in state.tickets if ticket.status is TicketStatus.AGREED and ticket.agreed is not None]
    shares: list[float] = []
    for ticket in agreed:
        ceiling, reservation = last.mandates[ticket.label].ceiling, last.profile.stance(ticket.label).reservation
        if ticket.agreed is not None and ceiling > reservation:
            shares.append(min(max(float((ceiling - ticket.agreed) / (ceiling - reservation)), 0.0), 1.0))
    return Outcome(stage=state.stage, rooms=len(state.tickets), agreed=len(agreed), captured=fmean(shares) if shares else None)


def panel(n: int = 5, seed: int = 0) -> tuple[Expert, ...]:
    """``n`` experts with different, known characters: biases spread around 0, noise between 0.25 and 0.55 stars.

    The same arguments give the same panel. Raises ValueError for fewer than one.
    """
    if n < 1:
        raise ValueError(f"a panel has at least one expert, not {n}")
    rng = random.Random(f"panel:{seed}")
    spread = [0.0] if n == 1 else [-0.35 + 0.7 * index / (n - 1) for index in range(n)]
    rng.shuffle(spread)
    return tuple(
        Expert(
            name=f"expert {index + 1}",
            bias=round(bias, 3),
            noise=round(rng.uniform(0.25, 0.55), 3),
            strictness={kind: round(rng.uniform(0.86, 0.99), 3) for kind in FaultKind},
            seed=seed,
        )
        for index, bias in enumerate(spread)
    )


def _stars(impression: float) -> int:
    return min(max(int(impression + 0.5), 1), 5)
