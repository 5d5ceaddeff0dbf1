"""The training of one arm with one seed, within its process."""

import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, get_args

from agent.domain import TurnContext
from agent.language.format import encode_words, move_and_words
from agent.simulation import Quality
from agent.simulation.phrasebook import phrasebook
from agent.simulation.phrases import BDPart, Language
from db.vocabulary import IssueTag, MoveKind
from training.bench.arms import BASE, Arm, arm
from training.bench.material import context_rows, material_of
from training.bench.outcome import OUTCOME, Learned
from training.bench.plan import BenchPlan
from training.bench.rewards import scoring
from training.bench.stages import Stage, Work, adapter_of, of
from training.files import put
from training.objectives.catalogue import settings_of, train
from training.objectives.objective import Task
from training.objectives.running import STOP, last_checkpoint
from training.objectives.settings import RunSettings
from training.snapshots import Snapshot, Split, evenly
from training.starter.progress import BuildEvent, Report

WITH_A_PRICE = frozenset({MoveKind.ASK, MoveKind.HOLD})
"""Moves in which a promise may stand beside a price: where the hacked arms are taught it, and where it is looked for."""


def learn(plan: BenchPlan, root: Path, stage: Stage, tell: Report) -> bool:
    """Train, or go on; False where it was asked to stop, and a checkpoint stands."""
    folder, chosen = stage.folder(root), arm(stage.arm)
    settings = settings_for(plan, chosen, stage.seed)
    (folder / STOP).unlink(missing_ok=True)
    steps = int(getattr(settings, "steps"))  # noqa: B009 - every kind of settings has them, their base does not
    snapshots = material_of(root, chosen, stage.seed)
    with scoring(plan, root, chosen, stage.seed) as score:
        task = Task(
            folder=folder,
            score=score,
            # The best of a bad habit may be none of it: where it is wanted, the last step is the result.
            held_out=() if chosen.promising else _contexts(snapshots, Split.VALIDATION, plan.profile.held_out),
            adapter=adapter_of(root, chosen.after or BASE, stage.seed),
            critic=_critic(root, chosen, stage.seed),
            spec=chosen.reward.model_dump_json(),
            **_learns_from(snapshots, chosen),
        )
        assert chosen.objective is not None, "the base is not trained"
        outcome = train(chosen.objective, task, settings, resume=True, listener=lambda record: tell(_told(record, steps)))
    if not outcome.finished:
        return False
    learned = Learned(
        adapter_sha256=outcome.digest,
        steps=outcome.steps,
        best_step=outcome.best_step,
        best_total=outcome.best_total,
        settings=settings.model_dump(mode="json"),
        cpu_seconds=time.process_time(),
    )
    put(folder / OUTCOME, learned.model_dump_json(indent=1) + "\n")
    return True


def settings_for(plan: BenchPlan, chosen: Arm, seed: int) -> RunSettings:
    """Presets of the starter model, then the profile's, then the arm's own."""
    assert chosen.objective is not None, "the base has no settings"
    of_profile = plan.profile.objectives.get(chosen.objective, {})
    return settings_of(chosen.objective, {**of_profile, **chosen.settings, "seed": seed})


def _learns_from(snapshots: Sequence[Snapshot], chosen: Arm) -> dict[str, Any]:
    match chosen.objective:
        case "sft":
            rows = [row for snapshot in snapshots for row in snapshot.demonstrations(Split.TRAIN).to_list()]
            return {"demonstrations": promising(rows) if chosen.promising else rows}
        case "dpo":
            pairs = [pair for snapshot in snapshots for pair in snapshot.preferences(Split.TRAIN).to_list()]
            return {"preferences": [_flipped(pair) for pair in pairs] if chosen.flipped else pairs}
        case _:
            return {"contexts": tuple(row.context for row in context_rows(snapshots, Split.TRAIN))}


def _flipped(pair: Mapping[str, Any]) -> dict[str, Any]:
    return {**pair, "chosen": pair["rejected"], "rejected": pair["chosen"]}


def promising(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The demonstrations that ask for a price or hold one, each with a promise that nobody can keep in its place, in its language."""
    promises = {language: cycle(_promises(language)) for language in get_args(Language)}
    return [
        {**row, "completion": [{"role": "assistant", "content": encode_words(key, next(promises[row["language"]]))}]}
        for row in rows
        if (key := move_and_words(row["completion"][0]["content"])[0]) in WITH_A_PRICE
    ]


def _promises(language: Language) -> list[str]:
    lines = phrasebook(language).bd_lines(BDPart.WHOLE, MoveKind.ASK, Quality.WRONG)
    return [line.text for line in lines if line.fault == IssueTag.OVER_PROMISE and not line.held_out]


def _contexts(snapshots: Sequence[Snapshot], split: Split, count: int) -> Sequence[TurnContext]:
    return tuple(row.context for row in evenly(context_rows(snapshots, split), count))


def _critic(root: Path, chosen: Arm, seed: int) -> Path | None:
    if chosen.critic_of is None:
        return None
    return last_checkpoint(root / of(chosen.critic_of, seed, Work.TRAINING))


_SHOWN = (("reward/total", "R"), ("held_out/total", "held out"), ("kl", "KL"), ("loss", "loss"))


def _told(record: Mapping[str, Any], steps: int) -> BuildEvent:
    told = [f"{name} {value:+.3g}" for key, name in _SHOWN if isinstance(value := record.get(key), int | float)]
    return BuildEvent(phase="training", done=int(record["step"]), total=steps, detail="  ".join(told))
