"""What the policy says before and after: the same contexts, the same random numbers, two adapters.

Decided here: that they speak as in service, at its temperature, however freely the run explored.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from agent.domain import Reply, TurnContext
from training.files import put
from training.objectives.policy import Policy
from training.objectives.rewarding import ScoreLike
from training.objectives.rollout import pool, roll_out
from training.objectives.settings import SERVING_TEMPERATURE, RunSettings
from training.runs.plan import Plan

SAMPLES = "samples.json"
_SEED = 104_729
Score = Callable[[Sequence[tuple[TurnContext, Reply]]], Sequence[ScoreLike]]


def write_samples(
    plan: Plan, settings: RunSettings, contexts: Sequence[TurnContext], folder: Path, adapter: Path, score: Score | None
) -> None:
    """Into the run's folder; nothing where there are no contexts. Everything in it is public (``TurnContext``)."""
    if not contexts:
        return
    served = settings.model_copy(update={"temperature": SERVING_TEMPERATURE})
    before = _said(plan, served, contexts, plan.adapter, score)
    after = _said(plan, served, contexts, adapter, score)
    rows = [
        {
            "stage": str(context.stage),
            "history": [{"speaker": str(turn.speaker), "text": turn.text} for turn in context.history],
            "before": old,
            "after": new,
        }
        for context, old, new in zip(contexts, before, after, strict=True)
    ]
    put(folder / SAMPLES, json.dumps(rows, ensure_ascii=False, indent=1) + "\n")


def _said(
    plan: Plan, settings: RunSettings, contexts: Sequence[TurnContext], adapter: Path | None, score: Score | None
) -> list[dict[str, Any] | None]:
    """A reply to each context, with its score; None for an answer that is no reply."""
    policy = Policy.load(settings, base=plan.base, adapter=adapter, reference=False)
    rollout = roll_out(policy, pool(contexts, policy, settings), range(len(contexts)), settings, copies=1, seed=_SEED)
    scores = iter(score(rollout.readable) if score is not None and rollout.readable else ())
    return [None if copies[0] is None else _told(copies[0], next(scores, None)) for copies in rollout.replies]


def _told(reply: Reply, score: ScoreLike | None) -> dict[str, Any]:
    told: dict[str, Any] = {"move": reply.move.key, "text": reply.text}
    if score is not None:
        told |= {"total": score.total, "model": score.model, "judge": score.judge, "functions": score.functions}
    return told
