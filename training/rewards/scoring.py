"""Scores of replies: the three sources together, every component kept.

Decided here: that a judgement which did not come is missing and counted, never a zero, and that a number which is none stops the run before
anything is trained on it. The formula is ``training.rewards.enhancement``; what the sources are made of is theirs.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import Any, TypeVar

from agent.domain import Reply, TurnContext
from agent.records import to_json
from training.judging import Marks
from training.rewards.enhancement import RewardError, enhance, enhancement, linear_sum, veto
from training.rewards.functions import FunctionScore, Hit, functions
from training.rewards.spec import RewardSpec

T = TypeVar("T")
Item = tuple[TurnContext, Reply]
RewardModelFunction = Callable[[Sequence[Item]], Sequence[float]]
"""R_model of each reply, centred on reference replies and of unit deviation."""
JudgeFunction = Callable[[Sequence[Item]], Sequence[Marks | None]]
"""The judge's marks of each reply; None where there is no judgement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The reward of one reply and everything that it came from."""

    model: float
    """R_model."""
    judge: float | None
    """E_judge; None where no judge was asked or no judgement came."""
    functions: float
    """E_func."""
    enhanced: float
    """E, clipped to ±n."""
    total: float
    """R_total: what is trained on."""
    marks: Marks | None = None
    hits: tuple[Hit, ...] = ()
    judge_missing: bool = False
    """A judge was asked and gave no judgement."""
    vetoed: bool = False
    spec: int
    """Version of the reward spec."""

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values, to be stored with the sample."""
        return to_json(self)


class Scorer:
    """Scores replies by one spec. Keeps nothing between calls."""

    def __init__(self, reward_model: RewardModelFunction, judge: JudgeFunction | None, spec: RewardSpec) -> None:
        """``judge=None`` is a run without RJ: nothing is then called missing."""
        self.reward_model = reward_model
        self.judge = judge
        self.spec = spec

    def score_many(self, items: Sequence[Item]) -> list[Score]:
        """The score of each reply, in order. The judge is asked while reward model and rules work.

        Raises:
            RewardError: naming the reply by its index (from 0), for a reward that is not a finite number, and for a source that answers for
                another number of replies or by another rubric.
        """
        if not items:
            return []
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="judge") as pool:
            asked = pool.submit(self.judge, items) if self.judge is not None else None
            models = [float(model) for model in _one_each("reward model", self.reward_model(items), items)]
            _refuse_what_is_no_number(models, items)
            rules = [functions(context, reply, self.spec) for context, reply in items]
            marks = _one_each("judge", asked.result(), items) if asked is not None else [None] * len(items)
        return [self._score(index, *parts) for index, parts in enumerate(zip(models, marks, rules, strict=True))]

    def _score(self, index: int, model: float, marks: Marks | None, rules: FunctionScore) -> Score:
        judge = self._judged(index, marks) if marks is not None else None
        spec = self.spec
        if spec.combine == "repo":
            total = enhance(model, judge, rules.value, n=spec.n)
        else:
            total = linear_sum(model, judge, rules.value, n=spec.n, weight=spec.sum_weight)
        vetoed = spec.veto and rules.is_severe
        return Score(
            model=model,
            judge=judge,
            functions=rules.value,
            enhanced=enhancement(judge, rules.value, n=spec.n),
            total=veto(total, severe=vetoed, value=spec.veto_value) if spec.veto else total,
            marks=marks,
            hits=rules.hits,
            judge_missing=self.judge is not None and marks is None,
            vetoed=vetoed,
            spec=spec.version,
        )

    def _judged(self, index: int, marks: Marks) -> float:
        names = {item.name for item in self.spec.rubric.items}
        if set(marks) != names:
            raise RewardError(
                f"the judge's marks of reply {index} are of {', '.join(sorted(marks)) or 'nothing'}, but the reward spec's rubric asks for "
                f"{', '.join(sorted(names))}: give the judge the rubric of the spec"
            )
        return self.spec.rubric.score(marks)


def _one_each(source: str, answers: Sequence[T], items: Sequence[Item]) -> Sequence[T]:
    if len(answers) != len(items):
        raise RewardError(f"the {source} gives {len(answers)} answers for {len(items)} replies: it must give one for each, in order")
    return answers


def _refuse_what_is_no_number(models: Sequence[float], items: Sequence[Item]) -> None:
    for index, model in enumerate(models):
        if not math.isfinite(model):
            words = items[index][1].text
            raise RewardError(
                f"the reward model gives {model} for reply {index} of {len(models)} ({words if len(words) <= 80 else words[:79] + '…'!r}): "
                "nothing is trained on it; check the reward model's training, its scaling and its precision"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a batch of scores comes to, to be logged: means over its replies."""

    replies: int
    model: float
    disliked: float
    """Share with R_model < 0. Near 0 or 1 the reward model is not centred, and REPO works on one side only."""
    judge: float | None
    """Over those that were judged; None where none was."""
    judge_missing: int
    functions: float
    enhanced: float
    saturated: float
    """Share with |E| at its bound, where a further fault costs nothing more."""
    total: float
    total_deviation: float
    """Standard deviation of R_total over the batch."""
    vetoed: int
    broken: dict[str, int]
    """Replies hit, by rule."""

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return to_json(self)


def figures(scores: Sequence[Score], spec: RewardSpec) -> Figures:
    """The figures of at least one score. Raises RewardError for none."""
    if not scores:
        raise RewardError("there is no score to make figures of: the batch is empty")
    judged = [score.judge for score in scores if score.judge is not None]
    totals = [score.total for score in scores]
    return Figures(
        replies=len(scores),
        model=fmean([score.model for score in scores]),
        disliked=fmean([score.model < 0 for score in scores]),
        judge=fmean(judged) if judged else None,
        judge_missing=sum(score.judge_missing for score in scores),
        functions=fmean([score.functions for score in scores]),
        enhanced=fmean([score.enhanced for score in scores]),
        saturated=fmean([abs(score.enhanced) >= spec.n for score in scores]),
        total=fmean(totals),
        total_deviation=pstdev(totals),
        vetoed=sum(score.vetoed for score in scores),
        broken=dict(Counter(hit.rule for score in scores for hit in score.hits)),
    )
