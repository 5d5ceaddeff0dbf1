"""Retrains whose processes are killed: ``python -m benchmarks.retrain_kills [--retrains N] [--measured M] [--every S] [--json]``.

An instance of its own, as ``parley up`` makes it, carries out the same retrain again and again, from snapshot to live, while one of its
processes after the other is killed with -9 at random moments: worker, trainer, beat, Redis, PostgreSQL, model server. The first one is left
alone. Every one has to end once, live, with the weights of the first; no version may be published by halves, and no retrain may have two
trainers at once. What the gate refuses is let past by a written reason, so that all of them are published. Ends with 1 otherwise.

Three quarters of a retrain's time go into measuring the two versions. The same weights give the same figures, so that after the first M
retrains those are laid ready, and kills fall on the other steps too; the gate's own work is done every time.

Ctrl-C ends with the figures of the retrains that are whole.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import psutil
from rich.console import Console
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from agent.serving.versions import AdapterStore
from db.engine import SessionFactory, create_engine_from, session_factory
from db.errors import ParleyError
from db.models import PolicyVersion, Retrain
from db.repositories import retrains
from db.vocabulary import PolicyStatus, RetrainState, RetrainStep
from training.files import file_sha256
from training.jobs.app import app
from training.jobs.plan import Effort, RetrainPlan, Simulated
from training.jobs.requests import override_gate, request_retrain
from training.jobs.settings import JobSettings
from webapp.instance.record import Home
from webapp.instance.start import end, follow, launch
from webapp.workers import wake

TARGETS = ("worker", "trainer", "beat", "redis", "postgres", "model")
PLAN = RetrainPlan(
    objective="repo",
    settings={"steps": 12, "prompts": 2, "copies": 2, "minibatches": 2, "max_tokens": 60, "save_every": 1, "held_out_every": 4},
    material=Simulated(contexts=20, samples=0, validation_share=0.4),
    reward_model={"epochs": 0.1},
    start="base",
    # Its last step is its result: the best of four might be none, and weights that change nothing cannot be published.
    held_out=0,
    effort=Effort(dialogues=10, case_copies=3),
    canary_share=0.0,
)
"""Real in every step, and small."""
_REASON = "the benchmark publishes whatever was trained"
_LOOK_S = 0.5
_PATIENCE_S = 1_800.0
_TRAINER = "training.runs.process"
_TRAINERS_WEIGHT = 5
"""It lives for a tenth of a retrain, and would hardly be hit."""
T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Chaos:
    """Kills one process after the other until it is told to stop."""

    home: Home
    rng: random.Random
    every_s: float
    """Mean time between two kills."""
    killed: Counter[str] = field(default_factory=Counter[str])
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """At random moments."""
        while not self._over.wait(self.rng.expovariate(1 / self.every_s)):
            living = {target: pids for target in TARGETS if (pids := self._pids(target))}
            if living:
                target = self.rng.choices(tuple(living), [_TRAINERS_WEIGHT if one == "trainer" else 1 for one in living])[0]
                self.killed[target] += sum(map(_kill, living[target]))

    def stop(self) -> None:
        """No kill comes after it."""
        self._over.set()

    def _pids(self, target: str) -> list[int]:
        if target == "trainer":
            return trainers(self.home.path)
        record = self.home.read()
        return [record.pids[target]] if record is not None and target in record.pids else []


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def trainers(folder: Path) -> list[int]:
    """Processes that train within the folder and are not about to end as orphans: with a parent of their own."""
    found: list[int] = []
    for process in psutil.process_iter(["cmdline", "ppid"]):
        line = process.info["cmdline"] or ()
        if _TRAINER in line and any(str(folder) in word for word in line) and process.info["ppid"] != 1:
            found.append(process.pid)
    return found


@contextmanager
def an_instance(folder: Path, console: Console) -> Generator[Home]:
    """As ``parley up`` makes it, in a folder of its own."""
    for name in ("PARLEY_DATABASE_URL", "PARLEY_BROKER_URL", "PARLEY_MODEL_URL", "PARLEY_JOBS"):
        os.environ.pop(name, None)
    home = Home(folder)
    os.environ |= {"PARLEY_HOME": str(home.path), "PARLEY_DEMO": "false", "PARLEY_JOBS_LEASE_S": "20", "PARLEY_KEEP_ADAPTERS": "100"}
    supervisor = launch(with_parent=True)
    try:
        follow(supervisor, home, console, admin=False)
        yield home
    finally:
        end(supervisor)


def one_retrain(sessions: SessionFactory, home: Home, line: str, console: Console, *, figures: Sequence[Path]) -> tuple[Retrain, int]:
    """To its end, however often what is asked is not answered; the row, and the most trainers that it had at once.

    ``figures`` are files of an earlier evaluation, which this one finds in its folder.
    """

    def ask() -> UUID:
        with sessions.begin() as session:
            return request_retrain(session, PLAN.model_copy(update={"line": line}), settings=JobSettings()).id

    retrain_id = _patiently(ask)
    wake([retrain_id])
    folder = home.path / "retrains" / str(retrain_id)
    if figures:
        (place := folder / RetrainStep.EVALUATE).mkdir(parents=True, exist_ok=True)
        for one in figures:
            shutil.copy(one, place)
    most, since, deadline = 0, time.monotonic(), time.monotonic() + _PATIENCE_S
    with console.status(line) as status:
        while True:
            most = max(most, len(trainers(folder)))
            row = _patiently(lambda: _row(sessions, retrain_id))
            status.update(f"{line}: {row.state} {row.step or ''} after {time.monotonic() - since:.0f} s")
            if row.state is RetrainState.REJECTED:
                _patiently(lambda: _let_past(sessions, retrain_id))
                wake([retrain_id])
            elif row.state.is_end:
                return row, most
            if time.monotonic() > deadline:
                raise TimeoutError(f"{line} is {row.state} at {row.step} after {_PATIENCE_S:.0f} s: {folder}")
            time.sleep(_LOOK_S)


def _patiently(do: Callable[[], T]) -> T:
    """The database may be away for a moment."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return do()
        except (SQLAlchemyError, ParleyError):
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_S)


def _row(sessions: SessionFactory, retrain_id: UUID) -> Retrain:
    with sessions() as session:
        return retrains.get(session, retrain_id)


def _let_past(sessions: SessionFactory, retrain_id: UUID) -> None:
    with sessions.begin() as session:
        if retrains.get(session, retrain_id).state is RetrainState.REJECTED:
            override_gate(session, retrain_id, actor=None, reason=_REASON)


def main() -> None:
    """Retrain, kill, and look at what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--retrains", type=int, default=30, help="with kills; one without comes first")
    parser.add_argument("--measured", type=int, default=6, help="of them whose versions are measured anew")
    parser.add_argument("--every", type=float, default=12.0, help="mean seconds between two kills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="of the instance; without it a temporary folder")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="parley-kills-") as place:
        Path(place).chmod(0o755)
        with an_instance(arguments.keep or Path(place), console) as home:
            figures = measured(
                home, retrains_=arguments.retrains, anew=arguments.measured, every_s=arguments.every, seed=arguments.seed, console=console
            )
    print(json.dumps(figures) if arguments.json else "\n".join(f"{name}: {value}" for name, value in figures.items()))
    sys.exit(1 if figures["faults"] else 0)


def measured(home: Home, *, retrains_: int, anew: int, every_s: float, seed: int, console: Console) -> dict[str, object]:
    """All figures; ``faults`` names what should not have been."""
    record = home.read()
    assert record is not None, "what has started is written down"
    # As the page does it: who asks also wakes a worker, where the broker answers.
    app.conf.update(broker_url=record.broker_url)
    engine = create_engine_from(record.database_url, pooled=False)
    sessions, faults, seconds = session_factory(engine), list[str](), list[float]()
    chaos = Chaos(home=home, rng=random.Random(seed), every_s=every_s)
    weights, kept, made_by = "", tuple[Path, ...](), list[str]()
    with suppress(KeyboardInterrupt):
        for number in range(retrains_ + 1):
            line = f"line-{number}"
            if number == 1:
                threading.Thread(target=chaos.run, daemon=True).start()
            begun = time.monotonic()
            row, trainers_at_once = one_retrain(sessions, home, line, console, figures=kept if number > anew else ())
            seconds.append(time.monotonic() - begun)
            made_by.append(str(row.id))
            folder = Path(row.folder)
            found = file_sha256(folder / RetrainStep.POLICY / "adapter" / "adapter_model.safetensors")
            weights = weights or found
            kept = kept or tuple((folder / RetrainStep.EVALUATE).glob("figures-*.json"))
            wrong = [f"{line} ended {row.state}: {row.error}"] if row.state is not RetrainState.LIVE else []
            wrong += [f"{line} has other weights"] if found != weights else []
            wrong += [f"{line} had {trainers_at_once} trainers at once"] if trainers_at_once > 1 else []
            faults += wrong
            console.print(f"{line}: {row.state} after {seconds[-1]:.0f} s, kills so far {dict(chaos.killed)}", *wrong, highlight=False)
            # What is whole stands in the rows; the bulk of thirty retrains need not stay.
            for bulk in (RetrainStep.SNAPSHOT, RetrainStep.REWARD_MODEL):
                with suppress(FileNotFoundError):
                    shutil.rmtree(folder / bulk)
    chaos.stop()
    faults += _patiently(lambda: _halves(sessions, home, made_by))
    engine.dispose()
    disturbed = seconds[1:]
    return {
        "retrains": len(disturbed),
        "measured_anew": min(anew, len(disturbed)),
        "kills": dict(sorted(chaos.killed.items())),
        "undisturbed_s": [round(one, 1) for one in seconds[:1]],
        "disturbed_s": [round(one, 1) for one in disturbed],
        "weights": weights[:16],
        "faults": faults,
    }


def _halves(sessions: SessionFactory, home: Home, made_by: Sequence[str]) -> list[str]:
    """Versions of these retrains that are published by halves, or twice, or not at all."""
    with sessions() as session:
        versions = session.scalars(select(PolicyVersion).where(PolicyVersion.note["retrain"].astext.in_(made_by))).all()
    faults = [f"{one.name} is {one.status}" for one in versions if one.status is not PolicyStatus.PUBLISHED]
    made = Counter(str(one.note["retrain"]) for one in versions)
    faults += [f"retrain {retrain} made {made[retrain]} versions" for retrain in made_by if made[retrain] != 1]
    stored = {one.name for one in AdapterStore(home.path / "adapters").list()}
    return faults + [f"the files of {one.name} are not there" for one in versions if one.name not in stored]


if __name__ == "__main__":
    main()
