"""From rollouts to rewards: each reply's score, asked for in the background, and the figures that are logged of them.

Decided here: what an answer that cannot be read is worth, and that replies are scored while others are still being written and while all
are being valued: a judge of a second's latency then costs a run nothing. Sets of replies are scored one after the other and as they come,
so that the result is that of scoring them in between. What a score is made of is ``training.rewards``.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, Self

import torch
from torch import Tensor

from agent.domain import Reply, TurnContext
from db.errors import ParleyError
from training.objectives.rollout import Rollout, readable


class HitLike(Protocol):
    """A rule that a reply breaks, or (weight above zero) meets."""

    @property
    def weight(self) -> float: ...  # noqa: D102


class ScoreLike(Protocol):
    """What is needed of ``training.rewards.scoring.Score``."""

    @property
    def model(self) -> float: ...  # noqa: D102
    @property
    def judge(self) -> float | None: ...  # noqa: D102
    @property
    def functions(self) -> float: ...  # noqa: D102
    @property
    def enhanced(self) -> float: ...  # noqa: D102
    @property
    def total(self) -> float: ...  # noqa: D102
    @property
    def judge_missing(self) -> bool: ...  # noqa: D102
    @property
    def hits(self) -> Sequence[HitLike]: ...  # noqa: D102


ScoreMany = Callable[[Sequence[tuple[TurnContext, Reply]]], Sequence[ScoreLike]]
"""``Scorer.score_many``."""


class BadReward(ParleyError):
    """A reward that nothing may be trained on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewards:
    """The scores of a rollout, (N, G) each; nan where there is none."""

    model: Tensor
    judge: Tensor
    functions: Tensor
    enhanced: Tensor
    total: Tensor
    readable: Tensor
    """Bool."""
    violated: Tensor
    """Bool: a rule that costs something is broken."""
    judge_missing: Tensor
    """Bool."""
    seconds: float
    """That scoring took, in the background or not."""
    waited: float
    """Of these, those that nothing else was done in."""

    def figures(self) -> dict[str, float]:
        """Means over the replies, to be logged; a component is averaged over the replies that have it."""
        read = self.readable
        names = {"model": self.model, "judge": self.judge, "functions": self.functions, "enhanced": self.enhanced}
        known: dict[str, float] = {f"reward/{name}": float(x[read].nanmean()) for name, x in names.items() if bool(read.any())}
        return known | {
            "reward/total": float(self.total.mean()),
            "reward/total_deviation": float(self.total.std(correction=0)),
            "reward/disliked_share": float((self.model < 0).float().mean()),
            "reward/judge_missing_share": float(self.judge_missing.float().mean()),
            "reward/violation_rate": float(self.violated[read].float().mean()) if bool(read.any()) else float("nan"),
            "reward/unreadable_share": float((~read).float().mean()),
        }


class Scoring:
    """Scores the replies of one rollout in a thread of its own, set by set in the order in which they are asked for."""

    def __init__(self, score: ScoreMany) -> None:
        self._score = score
        self._asked: list[tuple[list[tuple[int, int]], Future[_Scored]]] = []
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rewards")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def ask(self, rows: Sequence[int], contexts: Sequence[TurnContext], replies: Sequence[Sequence[Reply | None]]) -> None:
        """Have the replies to these contexts, which are the rollout's of these numbers, scored; returns at once."""
        pairs = zip(rows, replies, strict=True)
        places = [(row, copy) for row, copies in pairs for copy, reply in enumerate(copies) if reply is not None]
        if places:
            self._asked.append((places, self._pool.submit(_scored, self._score, readable(contexts, replies))))

    def rewards(self, replies: Sequence[Sequence[Reply | None]], *, unreadable: float, device: torch.device | str = "cpu") -> Rewards:
        """What was asked for, once it is there; what cannot be read has ``unreadable`` as R_model and R_total, and no other component.

        Raises:
            BadReward: for a total that is not a finite number, and for another number of scores than replies.
        """
        began = time.perf_counter()
        scored = [(places, asked.result()) for places, asked in self._asked]
        scores = {place: score for places, part in scored for place, score in zip(places, part.scores, strict=True)}
        found = {
            "model": _column(replies, scores, lambda score: score.model, unreadable),
            "judge": _column(replies, scores, lambda score: torch.nan if score.judge is None else score.judge, torch.nan),
            "functions": _column(replies, scores, lambda score: score.functions, torch.nan),
            "enhanced": _column(replies, scores, lambda score: score.enhanced, torch.nan),
            "total": _column(replies, scores, lambda score: score.total, unreadable),
            "readable": _column(replies, scores, lambda score: True, False),
            "violated": _column(replies, scores, lambda score: any(hit.weight < 0 for hit in score.hits), False),
            "judge_missing": _column(replies, scores, lambda score: score.judge_missing, False),
        }
        columns = {name: torch.tensor(rows, device=device) for name, rows in found.items()}
        if not bool(torch.isfinite(columns["total"]).all() and torch.isfinite(columns["model"]).all()):
            raise BadReward("a reply's reward is not a finite number: nothing is trained on it; check the reward model and the reward spec")
        return Rewards(**columns, seconds=sum(part.seconds for _, part in scored), waited=time.perf_counter() - began)


def rewards(rollout: Rollout, score: ScoreMany, *, unreadable: float) -> Rewards:
    """Score a whole rollout. Raises BadReward."""
    with Scoring(score) as scoring:
        scoring.ask(range(len(rollout.replies)), rollout.contexts, rollout.replies)
        return scoring.rewards(rollout.replies, unreadable=unreadable)


@dataclass(frozen=True, slots=True)
class _Scored:
    scores: Sequence[ScoreLike]
    seconds: float


def _scored(score: ScoreMany, items: Sequence[tuple[TurnContext, Reply]]) -> _Scored:
    began = time.perf_counter()
    scores = list(score(items))
    if len(scores) != len(items):
        raise BadReward(f"the scorer gives {len(scores)} scores for {len(items)} replies: it must give one for each, in order")
    return _Scored(scores, time.perf_counter() - began)


def _column(
    replies: Sequence[Sequence[Reply | None]],
    scores: Mapping[tuple[int, int], ScoreLike],
    part: Callable[[ScoreLike], float | bool],
    missing: float | bool,
) -> list[list[float | bool]]:
    """One part of the scores, (N, G)."""
    return [
        [part(scores[row, copy]) if (row, copy) in scores else missing for copy in range(len(copies))] for row, copies in enumerate(replies)
    ]
