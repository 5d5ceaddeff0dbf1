"""The chain of a retrain: snapshot, reward model, policy, evaluation, gate, publication, canary, live, each once.

Decided here: the order, that what is whole in the folder is not done again, what is tried again, and where a chain ends. The policy is
trained as any run is (``training.runs.supervising``), which resumes to the same weights; what else needs torch is done by ``child``.
"""

import json
import math
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from agent.serving.starter import shipped_adapters
from agent.serving.swap import ModelServerUnavailable
from agent.serving.versions import AdapterNameTaken
from agent.settings import AgentSettings
from agent.telemetry import span
from db.engine import SessionFactory
from db.models import Json, Retrain
from db.repositories import deployments, policy_versions
from db.repositories.training_runs import LeaseLost, RunHeld
from db.vocabulary import DeploymentRole, RetrainState, RetrainStep, RunState, StepState
from training.files import put
from training.jobs import child
from training.jobs.against import freeze_against
from training.jobs.beginning import SPEC, Beginning
from training.jobs.child import StepCutOff, StepFailed
from training.jobs.lease import AWAY, Ending, Lease, Stopped
from training.jobs.outlet import Outlet
from training.jobs.plan import IMITATION
from training.jobs.settings import JobSettings
from training.release.golden import NoGolden
from training.release.publishing import NotPublishable
from training.release.watch import MAY_PROMOTE
from training.runs import Plan, Request, RunBusy, Status, check, recheck, supervise
from training.runs.checks import BASE
from training.runs.environment import computing
from training.runs.events import EventReader, Failed, events_path
from training.runs.plan import NO_JUDGE, PLAN, STARTER_JUDGE
from training.runs.values import LEARNS_FROM
from training.settings import TrainingSettings
from training.starter.progress import BuildEvent

NAME, IMITATED = "name.txt", "imitated"
VERDICT = "gate.json"
_HELD = (RunHeld, RunBusy, LeaseLost)
_HELD_S = 20.0
"""A training that a dead process of another machine holds is free once its lease has run out."""
_OTHERS_AWAY = (ModelServerUnavailable, *AWAY)
"""What a step needs and cannot bring back: it is waited for, however often it fails to answer meanwhile."""
_LONGEST_PAUSE_S = 15.0
_VERSION = re.compile(r"policy-v(\d+)")
_NAMES = 10
_AT_ONCE = 2
"""How often a training is asked to stop where it is not to finish its step."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Where a chain ended, and what is known with it."""

    state: RetrainState
    known: dict[str, Any] = field(default_factory=dict[str, Any])


class Chain:
    """Of one retrain, under a lease."""

    def __init__(self, row: Retrain, lease: Lease, *, sessions: SessionFactory, outlet: Outlet, settings: JobSettings) -> None:
        self._row, self._lease, self._sessions, self._outlet, self._settings = row, lease, sessions, outlet, settings
        self._folder = Path(row.folder)

    def run(self) -> Outcome:
        """Do what is missing.

        Raises:
            Stopped: the work has to end for now.
            ParleyError: a step broke off; what is whole stands.
        """
        begun = Beginning.of(self._sessions, self._row)
        self._lease.write(log_path=str(self._folder / child.LOG))
        self._step(RetrainStep.SNAPSHOT, self._in_child(RetrainStep.SNAPSHOT))
        if self._needs_reward_model(begun):
            self._step(RetrainStep.REWARD_MODEL, self._in_child(RetrainStep.REWARD_MODEL))
        else:
            self._lease.tell(RetrainStep.REWARD_MODEL, StepState.SKIPPED)
        self._step(RetrainStep.POLICY, lambda: self._train(begun))
        freeze_against(self._sessions, self._folder)
        self._step(RetrainStep.EVALUATE, self._in_child(RetrainStep.EVALUATE))
        if not self._passes():
            return Outcome(state=RetrainState.REJECTED)
        return self._release(begun)

    # -- one step ------------------------------------------------------------------------------------------------------------------------

    def _step(self, step: RetrainStep, do: Callable[[], Json | None]) -> None:
        """Do a step until it is whole, and write it down. What ``do`` returns is its figures; None where they stand in its folder."""
        self._lease.go_on()
        if child.is_ready(self._folder, step):
            self._lease.tell(step, StepState.DONE, 1.0, child.outcome(self._folder, step))
            return
        self._lease.tell(step, StepState.RUNNING)
        begun = time.monotonic()
        with span(f"retrain.{step}", retrain=self._row.id, step=step):
            figures = self._tried(step, do)
        if figures is not None:
            _write_ready(self._folder / step, figures)
        self._lease.tell(step, StepState.DONE, 1.0, child.outcome(self._folder, step))
        _log.info("retrain.step", retrain=str(self._row.id), step=str(step), seconds=round(time.monotonic() - begun, 1))

    def _tried(self, step: RetrainStep, do: Callable[[], Json | None]) -> Json | None:
        cut_off, away_since, pause = 0, math.inf, self._settings.jobs_pause_s
        while True:
            try:
                return do()
            except _OTHERS_AWAY as error:
                away_since = min(away_since, time.monotonic())
                if time.monotonic() - away_since >= self._settings.jobs_patience_s:
                    raise StepFailed(f"{step}: {error}") from error
                self._wait(step, error, pause)
            except (StepCutOff, *_HELD) as error:
                cut_off, away_since = cut_off + 1, math.inf
                if cut_off >= self._settings.jobs_tries:
                    raise StepFailed(f"{step}: {error}") from error
                self._wait(step, error, max(pause, _HELD_S) if isinstance(error, _HELD) else pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _wait(self, step: RetrainStep, error: Exception, seconds: float) -> None:
        _log.warning("retrain.again", retrain=str(self._row.id), step=str(step), error=str(error), seconds=seconds)
        self._lease.pause(seconds)

    def _in_child(self, step: RetrainStep) -> Callable[[], None]:
        return lambda: child.carry_out(self._folder, step, self._lease, self._environment(), show=lambda event: self._show(step, event))

    def _environment(self) -> Mapping[str, str]:
        threads = Beginning.read(self._folder).plan.threads or TrainingSettings().threads or os.cpu_count() or 1
        return {
            "PARLEY_DATABASE_URL": self._sessions.kw["bind"].url.render_as_string(hide_password=False),
            **computing(threads),
        }

    def _show(self, step: RetrainStep, event: BuildEvent) -> None:
        share = min(event.done / event.total, 1.0) if event.total else 0.0
        told = asdict(event)
        self._lease.tell(step, StepState.RUNNING, share, {"doing": told.pop("phase"), **told})

    def _needs_reward_model(self, begun: Beginning) -> bool:
        """An objective that imitates can do without one, where nobody has compared anything."""
        if begun.plan.objective not in LEARNS_FROM:
            return True
        counts = child.outcome(self._folder, RetrainStep.SNAPSHOT)
        return all(bool(counts[f"preference/{split}"]) for split in ("train", "validation"))

    # -- the policy ----------------------------------------------------------------------------------------------------------------------

    def _train(self, begun: Beginning) -> Json:
        """The objective's run, from what the imitation before it has come to, if there is one."""
        policy = self._folder / RetrainStep.POLICY
        imitated: Path | None = None
        if begun.plan.imitate:
            imitated = policy / IMITATED / "adapter"
            if not (policy / IMITATED / child.READY).is_file():
                self._run(policy / IMITATED, self._imitation(begun), doing="imitation")
                put(policy / IMITATED / child.READY, "")
        status, run_id = self._run(policy, self._request(begun, imitated), doing=begun.plan.objective)
        return {
            "training_run": str(run_id),
            "steps": status.step,
            "best_step": status.best_step,
            "best_total": status.best_total,
            "adapter_sha256": status.adapter_sha256,
        }

    def _run(self, run: Path, request: Request, *, doing: str) -> tuple[Status, UUID]:
        """One training, begun or gone on with, to its end; and the id of its row."""
        judge_url = AgentSettings().model_url if request.judge == STARTER_JUDGE else None
        if (run / PLAN).is_file():
            plan = Plan.read(run)
            recheck(plan)
        else:
            run.mkdir(parents=True, exist_ok=True)
            plan = check(request, sessions=self._sessions, judge_url=judge_url)
            plan.write(run)
        linked = False

        def show(status: Status) -> None:
            nonlocal linked
            if not linked:
                # Its row is written before the first word of it is shown.
                self._lease.write(training_run_id=plan.id)
                linked = True
            told = {name: value for name, value in status.figures.items() if isinstance(value, int | float)}
            share = status.step / status.steps if status.steps else 0.0
            known = {"doing": status.before or doing, "step": status.step, "steps": status.steps, **told}
            self._lease.tell(RetrainStep.POLICY, StepState.RUNNING, share, known)

        status = supervise(
            run,
            sessions=self._sessions,
            judge_url=judge_url,
            show=show,
            stops_asked=lambda: _stops(self._lease.ending),
            requested_by=self._row.requested_by,
        )
        match status.state:
            case RunState.DONE:
                return status, plan.id
            case RunState.STOPPED:
                # Where we did not end it, somebody has stopped the run itself.
                raise Stopped(self._lease.ending or Ending.CANCELLED)
            case _:
                said = status.error or "it broke off"
                raise StepFailed(said) if _said_why(run) else StepCutOff(said)

    def _imitation(self, begun: Beginning) -> Request:
        model = self._folder / RetrainStep.REWARD_MODEL / "model"
        return replace(
            self._request(begun, None),
            objective=IMITATION,
            settings={
                **begun.plan.imitation,
                "steps": begun.plan.imitate,
                "seed": begun.plan.seed,
                "rehearsal": begun.plan.rehearsal,
            },
            # The reward model chooses the best checkpoint.
            reward_model=model if model.is_dir() else None,
            judge=NO_JUDGE,
        )

    def _request(self, begun: Beginning, imitated: Path | None) -> Request:
        model = self._folder / RetrainStep.REWARD_MODEL / "model"
        return Request(
            objective=begun.plan.objective,
            snapshot=self._folder / RetrainStep.SNAPSHOT / "data",
            settings=begun.plan.policy_settings,
            spec=str(self._folder / SPEC),
            reward_model=model if model.is_dir() else None,
            judge=begun.plan.judge,
            start=str(imitated or begun.start_adapter or BASE),
            held_out=begun.plan.held_out,
            threads=begun.plan.threads,
        )

    # -- the gate, and past it -----------------------------------------------------------------------------------------------------------

    def _passes(self) -> bool:
        """Whether the candidate may go out; every criterion is written into the row."""
        verdict: dict[str, Any] = json.loads((self._folder / RetrainStep.EVALUATE / VERDICT).read_text(encoding="utf-8"))
        failed = [one["name"] for one in verdict["criteria"] if not one["met"]]
        passed, overridden = not failed, self._row.override_reason is not None
        figures = {"passed": passed, "failed": failed, "overridden": overridden and not passed}
        self._lease.tell(RetrainStep.GATE, StepState.DONE if passed or overridden else StepState.FAILED, 1.0, figures)
        self._lease.write(verdict=verdict | {"passed": passed})
        return passed or overridden

    def _release(self, begun: Beginning) -> Outcome:
        self._step(RetrainStep.PUBLISH, lambda: self._publish(begun))
        version_id = UUID(str(child.outcome(self._folder, RetrainStep.PUBLISH)["version_id"]))
        self._lease.write(candidate_id=version_id)
        self._lease.go_on()
        if self._another_canary(version_id):
            # It waits for what becomes of that one, of another line or begun by hand.
            return Outcome(state=RetrainState.QUEUED)
        share = begun.plan.canary_share
        if share:
            self._lease.tell(RetrainStep.CANARY, StepState.RUNNING)
            self._tried(RetrainStep.CANARY, lambda: self._deploy(version_id, lambda: self._outlet.start_canary(version_id, share=share)))
            return Outcome(state=RetrainState.CANARY)
        self._lease.tell(RetrainStep.CANARY, StepState.SKIPPED)
        self._step(RetrainStep.LIVE, lambda: self._deploy(version_id, lambda: self._outlet.promote(version_id)))
        return Outcome(state=RetrainState.LIVE)

    def _publish(self, begun: Beginning) -> Json:
        adapter = self._folder / RetrainStep.POLICY / "adapter"
        trained = child.outcome(self._folder, RetrainStep.POLICY)
        note = {
            "retrain": str(begun.retrain_id),
            "objective": begun.plan.objective,
            "start": begun.start,
            MAY_PROMOTE: begun.plan.automatic,
            "adapter_sha256": trained["adapter_sha256"],
            "training_run": trained["training_run"],
            "snapshot_sha256": child.outcome(self._folder, RetrainStep.SNAPSHOT)["sha256"],
        }
        for skipped in range(_NAMES):
            name = self._name(skipped)
            try:
                version = self._outlet.publish(adapter, name=name, parent_id=begun.start_id, note=note, created_by=self._row.requested_by)
            except (AdapterNameTaken, NotPublishable):
                # Another line, or a person, was faster: under this name there is something else.
                (self._folder / RetrainStep.PUBLISH / NAME).unlink()
                continue
            except NoGolden as error:
                raise StepCutOff(str(error)) from error
            return {"name": name, "version_id": str(version)}
        raise StepFailed(f"The next {_NAMES} names for a version are all taken by something else: look into the adapters' folder.")

    def _name(self, skipped: int) -> str:
        """The next free one but ``skipped``, kept so that a publication that was broken off goes on under it."""
        path = self._folder / RetrainStep.PUBLISH / NAME
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._sessions() as session:
                names = {version.name for version in policy_versions.list_all(session)} | set(shipped_adapters())
            numbers = [int(found[1]) for name in names if (found := _VERSION.fullmatch(name)) is not None]
            put(path, f"policy-v{max(numbers, default=0) + 1 + skipped}")
        return path.read_text(encoding="utf-8")

    def _another_canary(self, version_id: UUID) -> bool:
        with self._sessions() as session:
            active = deployments.list_active(session)
        return any(one.role is DeploymentRole.CANARY and one.policy_version_id != version_id for one in active)

    def _deploy(self, version_id: UUID, do: Callable[[], None]) -> Json:
        """Unless it was deployed before: whatever was decided about it since then stands."""
        with self._sessions() as session:
            known = any(one.policy_version_id == version_id for one in deployments.list_history(session))
        if not known:
            do()
        return {}


def _stops(ending: Ending | None) -> int:
    return 0 if ending is None else 1 if ending is Ending.QUIET else _AT_ONCE


def _said_why(run: Path) -> bool:
    """Whether the last training process has told why it broke off; one that was killed has not."""
    attempt = sum(1 for _ in run.glob("attempt-*.jsonl"))
    return any(isinstance(event, Failed) for event in EventReader(events_path(run, attempt))())


def _write_ready(place: Path, figures: Json) -> None:
    place.mkdir(parents=True, exist_ok=True)
    put(place / child.OUTCOME, json.dumps(figures, indent=1) + "\n")
    put(place / child.READY, "")
