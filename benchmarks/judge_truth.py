"""What the simulated experts say of a reply, item by item of the shipped rubric: the truth that ``benchmarks.judge`` holds the judge to.

The experts give stars, faults with severities, and a true score in three parts; they know no rubric. Decided here, from what each item asks
and before any judge was measured: which of these speaks to which item, and where the marks -2 to 2 begin.
"""

from bisect import bisect
from collections.abc import Sequence
from statistics import fmean, median_low

from db.vocabulary import HotelMoveKind, MoveKind, Severity
from training.experts import FaultKind, Judgement, Rating, Truth
from training.experts.score import GOODWILL
from training.judging import Marks

_K = FaultKind
SPEAKS_TO: dict[FaultKind, tuple[str, ...]] = {
    _K.OVER_PROMISE: ("promises",),
    _K.INTERNAL_WORDS: ("promises",),
    _K.PRESSURE: ("promises", "empathy"),
    _K.INVENTED_FACT: ("reasoning",),
    _K.NET_SELLING_MIXUP: ("sop",),
    _K.REASONING_LEAK: ("style",),
    _K.PUSHING_ON: ("sop", "progress"),
    _K.SILENCE_AS_CONSENT: ("silence", "sop"),
    _K.MISSING_TERMS: ("sop",),
    _K.HAGGLING_WITH_ANGER: ("empathy",),
    _K.IGNORING_WRONG_PERSON: ("sop", "empathy"),
    _K.GUESSING: ("sop",),
    _K.REPROACH: ("empathy",),
    _K.SKIPPED_GREETING: ("sop", "empathy"),
    _K.MIXED_LANGUAGE: ("style",),
    _K.ROBOTIC_REPETITION: ("style", "progress"),
    _K.ONE_ROOM_ONLY: ("sop", "progress"),
}
"""The items that a fault is about."""
_MARK = {Severity.MINOR: -1, Severity.MAJOR: -2, Severity.SEVERE: -2}
_STARS = (1.5, 2.5, 3.5, 4.5)
_WORDS = (2.2, 2.6, 3.1, 3.9)
"""Between the worths of wrong, clumsy, unknown, fine and excellent lines."""
_PARTS = (-0.2, -0.05, 0.05, 0.2)
"""In stars: a twentieth is nothing, a fifth is much."""
_PRICED = frozenset({MoveKind.ASK, MoveKind.HOLD})
_UNDECIDED = frozenset({HotelMoveKind.SILENCE, HotelMoveKind.STALL})


def expert_marks(truth: Truth, judgement: Judgement, ratings: Sequence[Rating]) -> Marks:
    """Marks on the shipped rubric's items from a panel's ratings of one reply and its true judgement."""
    stars = _mark(fmean(rating.stars for rating in ratings), _STARS)
    heard = None if truth.heard is None else truth.heard.kind
    marks = {
        "empathy": _mark(GOODWILL * (truth.after.goodwill - truth.before.goodwill), _PARTS),
        "sop": stars,
        "progress": _mark(judgement.effect, _PARTS),
        "promises": 0,
        "silence": stars if heard in _UNDECIDED else 0,
        "reasoning": _mark(judgement.place, _PARTS) if truth.move.kind in _PRICED else 0,
        "style": _mark(judgement.words, _WORDS),
    }
    for kind, severity in named_by_most(ratings).items():
        for item in SPEAKS_TO[kind]:
            marks[item] = min(marks[item], _MARK[severity])
    return marks


def named_by_most(ratings: Sequence[Rating]) -> dict[FaultKind, Severity]:
    """Faults that more than half of the panel name, with the middle one of their severities."""
    order = list(Severity)
    found: dict[FaultKind, Severity] = {}
    for kind in FaultKind:
        named = [order.index(fault.severity) for rating in ratings for fault in rating.faults if fault.kind is kind]
        if len(named) * 2 > len(ratings):
            found[kind] = order[median_low(named)]
    return found


def _mark(value: float, cuts: Sequence[float]) -> int:
    """-2 below the first cut, 2 from the last one on."""
    return bisect(cuts, value) - 2
