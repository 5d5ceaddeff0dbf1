"""Simulated material, and the reward model that learns from it: what all arms share, and what the second round of one adds to it.

Decided here: that the reward model sees replies which the base itself wrote beside the scripted ones, for those are what it will have to
rank, and that its zero is what the base writes on the mean. A second round adds half as many contexts, all in dialogues of the policy that
goes on, rated by the same experts; its reward model learns from both. Held-out personas, phrases and names have no part in any of it.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path

from training.bench.arms import BASE, Arm, arm
from training.bench.plan import BenchPlan
from training.bench.stages import Stage, adapter_of, material_folders, reward_model_folder
from training.objectives.settings import EXPLORING_TEMPERATURE
from training.objectives.speaker import AsServed, Speaker, in_batches
from training.rewards.model import RewardModel, RewardModelSettings
from training.rewards.model.material import Material, train_on
from training.snapshots import ContextRow, SimulatedSettings, Snapshot, Split, open_snapshot, take_simulated
from training.starter.progress import Report, counting

SNAPSHOT = "snapshot"


def simulate(plan: BenchPlan, root: Path, stage: Stage, tell: Report) -> None:
    """The snapshot of the benchmark, or of an arm's second round."""
    folder, profile = stage.folder(root), plan.profile
    if (folder / SNAPSHOT).is_dir():
        return
    before = arm(stage.arm).after if stage.arm else None
    settings = SimulatedSettings(
        contexts=profile.contexts, seed=profile.seed, samples=profile.samples, policy=before or BASE,
        chinese=profile.chinese, validation_share=profile.validation_share,
        comparisons=profile.comparisons, own_comparisons=profile.comparisons,
    )  # fmt: skip
    if before is not None:
        settings = replace(settings, contexts=profile.contexts // 2, own=1.0, again=1 + stage.seed)
    speaker = Speaker(adapter=adapter_of(root, before or BASE, stage.seed), seed=profile.seed + settings.again)
    exploring = speaker.again(1, temperature=EXPLORING_TEMPERATURE)
    take_simulated(
        folder / SNAPSHOT, settings, policy=in_batches(exploring, counting(tell, "replies")), holds=AsServed(speaker), report=tell
    )


def fit_reward_model(plan: BenchPlan, root: Path, stage: Stage, tell: Report) -> None:
    """The reward model, its zero at what the base writes to validation hotels."""
    snapshots = material_of(root, arm(stage.arm) if stage.arm else None, stage.seed)
    speak = in_batches(Speaker(seed=plan.profile.seed + 1), counting(tell, "replies"))
    material = reduce(Material.joined, map(Material.of_snapshot, snapshots))
    material = material.centred_on(context_rows(snapshots, Split.VALIDATION), speak)
    settings = RewardModelSettings.model_validate({"seed": plan.profile.seed, **plan.profile.reward_model})
    train_on(material, stage.folder(root), settings, progress=tell)


def material_of(root: Path, chosen: Arm | None, seed: int) -> tuple[Snapshot, ...]:
    """What all arms share, and what the arm has of its own; every byte of it checked."""
    return tuple(open_snapshot(folder / SNAPSHOT) for folder in material_folders(root, chosen, seed))


def context_rows(snapshots: Sequence[Snapshot], split: Split) -> list[ContextRow]:
    """Of all of them."""
    return [row for snapshot in snapshots for row in snapshot.context_rows(split)]


def reward_model_of(root: Path, chosen: Arm, seed: int) -> RewardModel:
    """The arm's reward model, its zero at the base's own replies, or at excellent ones to validation hotels where its reward says so.

    A zero so many deviations lower is added to the scores (``training.bench.rewards``).
    """
    model = RewardModel.load(reward_model_folder(root, chosen, seed))
    if chosen.reward.zero != "references":
        return model
    rows = [row for snapshot in material_of(root, chosen, seed) for row in snapshot.demonstrations(Split.VALIDATION).to_list()]
    return model.centred_on([row["prompt"] for row in rows], [row["completion"][0]["content"] for row in rows])
