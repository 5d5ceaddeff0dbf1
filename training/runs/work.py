"""The training of a plan, within the training process: material from the snapshot, the reward, the objective, the samples.

Decided here: what is checked before the first step because it takes torch to check it, and what a run is measured on. How an objective
learns is ``training.objectives``.
"""

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from agent.domain import Reply, TurnContext
from agent.telemetry import annotate, span
from training.objectives.catalogue import settings_of, train
from training.objectives.objective import Task
from training.objectives.rewarding import ScoreLike
from training.objectives.running import last_checkpoint
from training.objectives.settings import PolicySettings, RunSettings, SFTSettings
from training.objectives.speaker import AsServed, Speaker
from training.rewards.judge import Judge
from training.rewards.model import RewardModel
from training.rewards.scoring import Scorer
from training.runs.checks import judge_settings, recheck
from training.runs.errors import RunRefused
from training.runs.events import Began, Checked, Ended, Event, Measured, Rehearsed
from training.runs.plan import NO_JUDGE, Plan
from training.runs.rehearsal import with_rehearsal
from training.runs.samples import write_samples
from training.runs.values import LEARNS_FROM
from training.snapshots import Snapshot, Split, evenly, open_snapshot

Items = Sequence[tuple[TurnContext, Reply]]
_PROBES = 4
_JUDGEMENTS = "judgements.sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a snapshot gives a run."""

    contexts: tuple[TurnContext, ...]
    held_out: tuple[TurnContext, ...]
    demonstrations: Sequence[Mapping[str, Any]] = ()
    preferences: Sequence[Mapping[str, Any]] = ()


def work(plan: Plan, folder: Path, tell: Callable[[Event], None], *, processes: int = 1) -> None:
    """Train the plan, or go on with it, in this process; ``tell`` hears of it.

    Raises:
        ParleyError: for whatever stands in the way, before the first step.
    """
    torch.set_num_threads(plan.threads)
    recheck(plan)
    settings = settings_of(plan.objective, plan.settings, starter=plan.is_starter)
    material = gathered(plan, open_snapshot(plan.snapshot))
    if isinstance(settings, SFTSettings) and settings.rehearsal:
        material = replace(material, demonstrations=_rehearsing(plan, folder, material, settings, tell))
    with scoring(plan, folder, material) as (score, judge):
        task = Task(
            folder=folder,
            score=_no_score if score is None else score,
            contexts=material.contexts,
            demonstrations=material.demonstrations,
            preferences=material.preferences,
            held_out=material.held_out if score is not None else (),
            base=plan.base,
            adapter=plan.adapter,
            critic=plan.critic,
            spec=f"{plan.reward_spec.version}-{plan.reward_spec.digest[:12]}-{(plan.reward_model_sha256 or '')[:12]}",
        )
        tell(Checked(settings=settings.model_dump(mode="json"), steps=_steps(settings), processes=processes))
        tell(Began(step=_begun(folder, settings)))
        with span("training.train", run=plan.id, objective=plan.objective, contexts=len(material.contexts)):
            outcome = train(plan.objective, task, settings, resume=True, listener=lambda record: tell(_measured(record)))
            annotate(steps=outcome.steps, finished=outcome.finished, adapter=outcome.digest)
        if plan.samples:
            seen = (material.held_out or material.contexts)[: plan.samples]
            with span("training.samples", run=plan.id, samples=len(seen)):
                write_samples(plan, settings, seen, folder, outcome.adapter, score)
        tell(
            Ended(
                finished=outcome.finished,
                step=outcome.steps,
                adapter=str(outcome.adapter),
                adapter_sha256=outcome.digest,
                best_step=outcome.best_step,
                best_total=outcome.best_total,
                judged={} if judge is None else dict(judge.counts),
            )
        )


def gathered(plan: Plan, snapshot: Snapshot) -> Material:
    """What the plan's objective learns from, and what it is measured on: contexts of the validation split's hotels, spread evenly."""
    table = LEARNS_FROM.get(plan.objective)
    return Material(
        contexts=_contexts(snapshot, Split.TRAIN, limit=None if table is None else plan.samples),
        held_out=_contexts(snapshot, Split.VALIDATION, limit=plan.held_out),
        demonstrations=snapshot.demonstrations().to_list() if table == "prompt_completion" else (),
        preferences=snapshot.preferences().to_list() if table == "preference" else (),
    )


def _rehearsing(
    plan: Plan, folder: Path, material: Material, settings: SFTSettings, tell: Callable[[Event], None]
) -> Sequence[Mapping[str, Any]]:
    def voice() -> AsServed:
        return AsServed(Speaker(plan.base, plan.adapter, max_tokens=settings.max_tokens, seed=settings.seed))

    with span("training.rehearsal", run=plan.id):
        return with_rehearsal(
            material.demonstrations, folder, wanted=settings.rehearsal, seed=settings.seed, voice=voice,
            report=lambda done, total: tell(Rehearsed(done=done, total=total)),
        )  # fmt: skip


def _contexts(snapshot: Snapshot, split: Split, *, limit: int | None) -> tuple[TurnContext, ...]:
    count = snapshot.manifest.rows("contexts", split)
    if not count:
        return ()
    return tuple(row.context for row in evenly(snapshot.context_rows(split), count if limit is None else limit))


@contextmanager
def scoring(plan: Plan, folder: Path, material: Material) -> Generator[tuple[Callable[[Items], Sequence[ScoreLike]] | None, Judge | None]]:
    """The whole reward of the plan, tried out, and the judge in it. No score for a supervised run without a reward model."""
    if plan.reward_model is None:
        yield None, None
        return
    model = RewardModel.load(plan.reward_model)
    probe((material.contexts or material.held_out)[:_PROBES], model.score_replies)
    spec = plan.reward_spec
    if plan.judge == NO_JUDGE:
        yield Scorer(model.score_replies, None, spec).score_many, None
        return
    # Remembered in the run's folder: a resumed run hears the judgements that it heard before.
    settings = judge_settings(plan.judge, model=plan.judge_model, cache=folder / _JUDGEMENTS)
    with Judge(settings, rubric=spec.rubric) as judge:
        yield Scorer(model.score_replies, judge.judge_many, spec).score_many, judge


def probe(contexts: Sequence[TurnContext], score: Callable[[Items], Sequence[float]]) -> None:
    """Score a reply or two, before anything is trained on scores. Raises RunRefused for one that is not a finite number."""
    items = [(context, Reply(move=context.allowed[0], text="Thank you, that helps us.")) for context in contexts]
    found = score(items)
    if not all(map(math.isfinite, found)):
        raise RunRefused(f"The reward model gives {found} for {len(items)} plain replies: train it anew; nothing can be learned from it.")


def _no_score(items: Items) -> Sequence[ScoreLike]:
    raise AssertionError("a run without a reward model is not measured")


def _steps(settings: RunSettings) -> int:
    return int(getattr(settings, "steps"))  # noqa: B009 - every kind of settings has them, their base does not


def _begun(folder: Path, settings: RunSettings) -> int:
    checkpoint = last_checkpoint(folder)
    updates = settings.updates if isinstance(settings, PolicySettings) else 1
    return 0 if checkpoint is None else int(checkpoint.name.partition("-")[2]) // updates


def _measured(record: Mapping[str, Any]) -> Measured:
    values = dict(record)
    return Measured(step=values.pop("step"), values=values)
