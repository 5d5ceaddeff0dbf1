"""Running a trainer: checkpoints that are whole, going on from the last of them, stopping when asked, and what it was all for.

Decided here: that a checkpoint counts once its READY mark stands in it, that a run ends at a step and never within one, and that the best
adapter on held-out contexts, where they are measured, is the run's result. Every objective runs through this.
"""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import Trainer, TrainerCallback

from training.objectives.metrics import MetricsLog, Reporter
from training.objectives.policy import Policy
from training.objectives.rewarding import ScoreMany, rewards
from training.objectives.rollout import Pool, roll_out
from training.objectives.said import write_said
from training.objectives.settings import RunSettings

READY = "READY"
STOP = "stop"
"""A file of this name in a run's folder ends the run after the step that it is in."""
_MEASURED = "measured.json"
_HELD_OUT_SEED = 7_919


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """What a run is measured on: contexts that it does not learn from, and the whole reward, whatever the objective itself sees."""

    pool: Pool
    score: ScoreMany


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to."""

    adapter: Path
    """The best adapter on held-out contexts, or the last one where nothing is held out."""
    digest: str
    """SHA-256 of its weights."""
    steps: int
    best_step: int | None
    best_total: float | None
    """R_total on held-out contexts."""
    finished: bool
    """False where it was asked to stop."""


class Measurement(TrainerCallback):
    """Measures the policy on held-out contexts, keeps the best adapter, and ends the run when it has got no better for long enough.

    transformers' own ``load_best_model_at_end`` goes by the loss and forgets what is not the model.
    """

    def __init__(self, policy: Policy, held_out: HeldOut, settings: RunSettings, log: MetricsLog, folder: Path, *, updates: int) -> None:
        self._policy, self._held_out, self._settings, self._log, self._updates = policy, held_out, settings, log, updates
        self.folder = folder / "best"
        self.best: float | None = None
        self.best_step: int | None = None
        self.waited = 0

    def save(self, checkpoint: Path) -> None:
        """What a checkpoint keeps of it."""
        kept = {"best": self.best, "best_step": self.best_step, "waited": self.waited}
        (checkpoint / _MEASURED).write_text(json.dumps(kept), encoding="utf-8")

    def restore(self, checkpoint: Path) -> None:
        """The inverse of ``save``; a checkpoint of a run without measurements has nothing of it."""
        if (path := checkpoint / _MEASURED).is_file():
            kept = json.loads(path.read_text(encoding="utf-8"))
            self.best, self.best_step, self.waited = kept["best"], kept["best_step"], kept["waited"]

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Where it starts from."""
        if state.global_step == 0:
            self._measure(0)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Every so many steps, and at the end."""
        step, within = divmod(state.global_step, self._updates)
        if within or (step % self._settings.held_out_every and state.global_step < state.max_steps):
            return
        self._measure(step)
        if self._settings.patience and self.waited >= self._settings.patience:
            control.should_training_stop = True

    def _measure(self, step: int) -> None:
        held, settings = self._held_out, self._settings
        rollout = roll_out(
            self._policy, held.pool, range(len(held.pool)), settings, copies=settings.held_out_copies, seed=_HELD_OUT_SEED + settings.seed
        )
        scored = rewards(rollout, held.score, unreadable=settings.unreadable)
        figures = {f"held_out/{name.removeprefix('reward/')}": value for name, value in scored.figures().items()}
        lengths = [len(ids) for copies in rollout.samples.ids for ids in copies]
        self._log.write(step, figures | {"held_out/length": sum(lengths) / len(lengths), "time/held_out": rollout.seconds + scored.seconds})
        write_said(self.folder.parent, step, rollout.contexts, rollout.replies)
        total = figures["held_out/total"]
        if self.best is None or total > self.best:
            self.best, self.best_step, self.waited = total, step, 0
            self._policy.save(self.folder)
        else:
            self.waited += 1


class StopFile(TrainerCallback):
    """Ends the run, with a checkpoint, after the step in which the stop file appears."""

    def __init__(self, folder: Path, *, updates: int) -> None:
        self._path, self._updates = folder / STOP, updates
        self.stopped = False

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """At the boundary of a step only: within one, what is left of its replies would be lost."""
        if state.global_step % self._updates == 0 and self._path.exists():
            self.stopped = control.should_save = control.should_training_stop = True


class Resumable(Trainer):
    """What every objective's trainer does besides TRL's part: adapters saved by ``Policy``, and checkpoints that end with a READY mark."""

    policy: Policy
    measurement: Measurement | None = None

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        # The library would save the frozen reference as well, and on resuming load that and forget the adapter itself.
        self.policy.save(Path(output_dir or str(self.args.output_dir)))

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        if self.args.should_save:
            folder = Path(self._get_output_dir(trial)) / f"checkpoint-{self.state.global_step}"
            self.save_more(folder)
            if self.measurement is not None:
                self.measurement.save(folder)
            (folder / READY).touch()

    def save_more(self, folder: Path) -> None:
        """What else belongs to a checkpoint."""

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """None: where an adapter comes from stands in its release."""


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint; those that were cut off are deleted."""
    whole: list[tuple[int, Path]] = []
    for path in (folder / "checkpoints").glob("checkpoint-*"):
        if (path / READY).exists():
            whole.append((int(path.name.partition("-")[2]), path))
        else:
            shutil.rmtree(path)
    return max(whole)[1] if whole else None


def run(
    trainer: Resumable, settings: RunSettings, folder: Path, log: MetricsLog, *, held_out: HeldOut | None, updates: int, resume: bool
) -> Outcome:
    """Train to the end, or to the stop file. With ``resume`` it goes on from the last checkpoint, if any, to the same result."""
    checkpoint = last_checkpoint(folder) if resume else None
    stop = StopFile(folder, updates=updates)
    measurement = None if held_out is None else Measurement(trainer.policy, held_out, settings, log, folder, updates=updates)
    trainer.measurement = measurement
    for callback in (Reporter(log, updates=updates), stop, *([measurement] if measurement else [])):
        trainer.add_callback(callback)
    if checkpoint is None:
        log.forget_after(-1)
    else:
        log.forget_after(int(checkpoint.name.partition("-")[2]) // updates)
        if measurement is not None:
            measurement.restore(checkpoint)
    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    adapter = trainer.policy.save(folder / "adapter")
    if measurement is not None and measurement.best_step is not None:
        shutil.copytree(measurement.folder, adapter, dirs_exist_ok=True)
    return Outcome(
        adapter=adapter,
        digest=hashlib.sha256((adapter / "adapter_model.safetensors").read_bytes()).hexdigest(),
        steps=trainer.state.global_step // updates,
        best_step=None if measurement is None else measurement.best_step,
        best_total=None if measurement is None else measurement.best,
        finished=not stop.stopped,
    )
