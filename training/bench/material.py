"""What all arms share: simulated material, and the reward model that learns from it.

Decided here: that the reward model sees replies which the base itself wrote beside the scripted ones, for those are what it will have to
rank, and that its zero is what the base writes on the mean. Held-out personas, phrases and names have no part in any of it.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from agent.domain import Reply, TurnContext
from agent.serving.starter import MODEL_FOLDER
from training.bench.plan import BenchPlan
from training.bench.speaker import AsServed, Speaker
from training.objectives.settings import EXPLORING_TEMPERATURE, SERVING_TEMPERATURE
from training.rewards.model import RewardModel, RewardModelSettings
from training.rewards.model.material import Material, train_on
from training.snapshots import ContextRow, SimulatedSettings, Snapshot, Split, open_snapshot, take_simulated
from training.starter.progress import BuildEvent, Report

SNAPSHOT = "snapshot"
MAX_TOKENS = 160
_BATCH = 64
FEWEST_FOR_ZERO = 40
"""Replies of the base; where there are fewer validation contexts, some are answered twice."""


def simulate(plan: BenchPlan, folder: Path, tell: Report) -> None:
    """The snapshot of the benchmark."""
    if (folder / SNAPSHOT).is_dir():
        return
    profile = plan.profile
    settings = SimulatedSettings(
        contexts=profile.contexts, seed=profile.seed, samples=profile.samples, policy="base", validation_share=profile.validation_share,
        comparisons=profile.comparisons, own_comparisons=profile.comparisons,
    )  # fmt: skip
    speaker = speaker_of(None, seed=profile.seed)
    exploring = speaker.again(1, temperature=EXPLORING_TEMPERATURE)
    take_simulated(folder / SNAPSHOT, settings, policy=in_batches(exploring, tell), holds=AsServed(speaker), report=tell)


def speaker_of(adapter: Path | None, *, seed: int) -> Speaker:
    """A policy at serving temperature, as it is measured (``AsServed``) and as material is made."""
    return Speaker(MODEL_FOLDER, adapter, temperature=SERVING_TEMPERATURE, max_tokens=MAX_TOKENS, seed=seed)


def in_batches(speaker: Speaker, tell: Report) -> Callable[[Sequence[TurnContext]], list[Reply | None]]:
    """Not all at once: every prompt that is being answered is held in memory."""

    def speak(contexts: Sequence[TurnContext]) -> list[Reply | None]:
        replies: list[Reply | None] = []
        for start in range(0, len(contexts), _BATCH):
            tell(BuildEvent(phase="replies", done=start, total=len(contexts)))
            replies += speaker(contexts[start : start + _BATCH])
        return replies

    return speak


def fit_reward_model(plan: BenchPlan, root: Path, folder: Path, tell: Report) -> None:
    """The reward model, its zero at what the base writes to validation hotels."""
    snapshot = material_of(root)
    rows = snapshot.context_rows(Split.VALIDATION)
    speak = in_batches(speaker_of(None, seed=plan.profile.seed + 1), tell)
    material = Material.of_snapshot(snapshot).centred_on(spread(rows, max(len(rows), FEWEST_FOR_ZERO)), speak)
    settings = RewardModelSettings.model_validate({"seed": plan.profile.seed, **plan.profile.reward_model})
    train_on(material, folder, settings, progress=tell)


def material_of(root: Path) -> Snapshot:
    """The snapshot, every byte of it checked."""
    return open_snapshot(root / "material" / SNAPSHOT)


def reward_model_of(root: Path, *, zero: str) -> RewardModel:
    """The reward model with its zero at the base's own replies (``policy``), or at excellent ones to validation hotels (``references``)."""
    model = RewardModel.load(root / "reward-model")
    if zero == "policy":
        return model
    rows = material_of(root).demonstrations(Split.VALIDATION).to_list()
    return model.centred_on([row["prompt"] for row in rows], [row["completion"][0]["content"] for row in rows])


def spread(rows: Sequence[ContextRow], count: int) -> list[ContextRow]:
    """So many of the rows, evenly spread; again from the start where there are too few."""
    return [rows[index * len(rows) // count] if count <= len(rows) else rows[index % len(rows)] for index in range(count)]
