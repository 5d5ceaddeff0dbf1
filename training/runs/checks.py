"""Before any time is spent: is there something to learn from, does everything that is named exist, fit and answer, is there room?

Decided here: what a run is refused for. What needs torch to be known (a reward model's scores, settings that contradict each other) is
checked first thing in the training process, by ``work``.
"""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from agent.serving.starter import MODEL_FOLDER, shipped_adapters
from db.engine import SessionFactory
from db.repositories import deployments, policy_versions, reward_specs, training_runs
from db.vocabulary import DeploymentRole
from training.files import file_sha256, folder_sha256
from training.rewards import approval
from training.rewards.judge import Judge, JudgeSettings, JudgeUnreachable, JudgeUnreadable
from training.rewards.spec import RewardSpec, load_spec, shipped_spec
from training.runs.adapters import WEIGHTS, refuse_misfit, refuse_no_model
from training.runs.errors import NotARun, RunRefused
from training.runs.plan import NO_JUDGE, STARTER_JUDGE, Plan
from training.runs.values import LEARNS_FROM, kind_of, settings_checked
from training.settings import TrainingSettings
from training.snapshots import EmptySnapshot, Snapshot, SnapshotChanged, Split, open_snapshot

BASE = "base"
ROOM = 256 * 2**20
"""Bytes that must be free where a run is written: checkpoints of the starter model take some 30 MB."""
_CONTEXTS = "contexts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asks for, in their words."""

    objective: str
    snapshot: Path
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    spec: str = ""
    """A YAML file, the number of a version, or nothing: the one in force, or without a database the one that ships."""
    reward_model: Path | None = None
    judge: str = NO_JUDGE
    judge_may_be_missing: bool = False
    start: str = BASE
    """``base``, a version of the policy by name, or the folder of an adapter."""
    base: Path = MODEL_FOLDER
    critic: Path | None = None
    held_out: int = 48
    threads: int | None = None
    processes: int = 1


def check(request: Request, *, sessions: SessionFactory | None = None, judge_url: str | None = None) -> Plan:
    """The plan of a run that can be trained. ``judge_url`` is where the judge called ``starter`` answers.

    Raises:
        RunRefused: for an objective, adapter, base or reward model that there is not or that does not fit.
        SettingsError: for an unknown setting, or a value of another kind.
        SnapshotError: for a snapshot that is missing, changed or has nothing for this objective.
        SpecError, SpecNotFound: for a spec that cannot be used.
        JudgeUnreachable, JudgeUnreadable: unless the judge may be missing.
    """
    kind_of(request.objective)
    settings = settings_checked(request.objective, request.settings)
    snapshot = open_snapshot(request.snapshot.resolve())
    _refuse_nothing_to_learn(snapshot, request.objective)
    spec = _spec(request.spec, sessions)
    adapter = adapter_named(request.start, sessions)
    base = request.base.resolve()
    refuse_no_model(base)
    if adapter is not None:
        refuse_misfit(adapter, base)
    reward_model = request.reward_model
    if reward_model is None and request.objective not in LEARNS_FROM:
        raise RunRefused(f"{request.objective} learns from rewards: name the folder of a reward model (--reward-model).")
    if request.critic is not None and not (request.critic / "critic.pt").is_file():
        raise RunRefused(f"{request.critic} holds no critic: name a checkpoint of a ppo or repo run.")
    if request.judge != NO_JUDGE and not request.judge_may_be_missing:
        probe(request.judge, spec, judge_url=judge_url)
    return Plan(
        objective=request.objective,
        settings=settings,
        snapshot=snapshot.folder,
        snapshot_sha256=snapshot.manifest.sha256,
        spec=spec.body(),
        reward_model=None if reward_model is None else reward_model.resolve(),
        reward_model_sha256=None if reward_model is None else reward_model_sha256(reward_model),
        judge=request.judge,
        judge_model="" if request.judge == NO_JUDGE else JudgeSettings().model,
        base=base,
        adapter=adapter,
        adapter_sha256=None if adapter is None else file_sha256(adapter / WEIGHTS),
        critic=None if request.critic is None else request.critic.resolve(),
        held_out=request.held_out,
        threads=request.threads or TrainingSettings().threads or os.cpu_count() or 1,
        processes=request.processes,
    )


def recheck(plan: Plan) -> None:
    """Before a run is resumed: what it learns from is what it was. Raises RunRefused, SnapshotError."""
    snapshot = open_snapshot(plan.snapshot)
    if snapshot.manifest.sha256 != plan.snapshot_sha256:
        raise SnapshotChanged(f"{plan.snapshot} holds another snapshot than the one that the run began with. Bring that one back.")
    if plan.reward_model is not None and reward_model_sha256(plan.reward_model) != plan.reward_model_sha256:
        raise RunRefused(f"The reward model in {plan.reward_model} is not the one that the run began with. Bring that one back.")
    refuse_no_model(plan.base)
    if plan.adapter is not None:
        refuse_misfit(plan.adapter, plan.base)
        if file_sha256(plan.adapter / WEIGHTS) != plan.adapter_sha256:
            raise RunRefused(f"The adapter in {plan.adapter} is not the one that the run began with. Bring that one back.")


def probe(judge: str, spec: RewardSpec, *, judge_url: str | None = None) -> None:
    """Ask the judge for one judgement. Raises JudgeUnreachable or JudgeUnreadable."""
    settings = judge_settings(judge, judge_url=judge_url).model_copy(update={"retries": 1})
    with Judge(settings, rubric=spec.rubric) as asked:
        try:
            asked.probe()
        except (JudgeUnreachable, JudgeUnreadable) as error:
            raise type(error)(f"{error} With --allow-missing-judge the run begins all the same, and counts what is missing.") from error


def judge_settings(judge: str, *, judge_url: str | None = None, model: str = "", cache: Path | None = None) -> JudgeSettings:
    """Settings of the judge of a run: the environment's, but for what the run says itself."""
    address = judge_url if judge == STARTER_JUDGE else judge
    known = {"base_url": address, "model": model, "cache": cache}
    return JudgeSettings().model_copy(update={name: value for name, value in known.items() if value})


def new_folder(folder: Path) -> Path:
    """Make the run's folder. Raises RunRefused where something is there, nothing can be written, or too little room is left."""
    place = folder.resolve()
    try:
        if place.is_dir() and any(place.iterdir()):
            raise RunRefused(f"{place} is not empty: name another folder, or go on with the run in it (--resume).")
        place.mkdir(parents=True, exist_ok=True)
        trial = place / ".trial"
        trial.write_bytes(b"x")
        trial.unlink()
        free = shutil.disk_usage(place).free
    except OSError as error:
        raise RunRefused(f"{place} cannot be written to ({error}): name another folder with --out.") from error
    if free < ROOM:
        raise RunRefused(f"{place} has {free / 2**20:,.0f} MiB of room, a run needs {ROOM / 2**20:,.0f}: make room, or name another disk.")
    return place


def _refuse_nothing_to_learn(snapshot: Snapshot, objective: str) -> None:
    table = LEARNS_FROM.get(objective, _CONTEXTS)
    if not snapshot.manifest.rows(table, Split.TRAIN):
        have = ", ".join(f"{snapshot.manifest.rows(name, Split.TRAIN):,} {name}" for name in snapshot.manifest.counts)
        raise EmptySnapshot(f"{objective} learns from {table}, and the snapshot {snapshot.folder} has none to train on. It has {have}.")


def _spec(named: str, sessions: SessionFactory | None) -> RewardSpec:
    if named.isdecimal():
        if sessions is None:
            raise RunRefused(f"Version {named} of the reward spec is in the database, which this run does without: name a file.")
        with sessions() as session:
            return approval.read(reward_specs.get(session, int(named)))
    if named:
        return load_spec(Path(named))
    if sessions is None:
        return shipped_spec()
    with sessions() as session:
        return approval.in_force(session)


def live_version(sessions: SessionFactory | None) -> str:
    """Name of the version that is live; without a database, or before anything was deployed, what ships."""
    live = None
    if sessions is not None:
        with sessions() as session:
            live = deployments.find_active(session, DeploymentRole.LIVE)
    return next(iter(shipped_adapters()), BASE) if live is None else live.policy_version.name


def adapter_named(named: str, sessions: SessionFactory | None) -> Path | None:
    """The folder of an adapter: a version of the policy by its name, or the folder itself; None for ``base``. Raises RunRefused."""
    if named == BASE:
        return None
    if (folder := shipped_adapters().get(named)) is not None:
        return folder
    if sessions is not None:
        with sessions() as session:
            version = policy_versions.find_by_name(session, named)
        if version is not None:
            return None if version.adapter_path is None else Path(version.adapter_path)
    if not Path(named).is_dir():
        raise RunRefused(f"There is no adapter {named!r}: name a folder, a version of the policy, or base.")
    return Path(named).resolve()


def reward_model_sha256(folder: Path) -> str:
    """What names a trained reward model. Raises RunRefused where the folder holds none."""
    if not (folder / "READY").is_file():
        raise RunRefused(f"There is no finished reward model in {folder}: train one first, or name another folder.")
    return folder_sha256(folder / "weights", folder / "reward_model.json")


def find_run(named: str, sessions: SessionFactory | None) -> Path:
    """The folder of a run by its folder or, with a database, by its id. Raises NotARun, RunNotFound."""
    if Path(named).is_dir():
        return Path(named).resolve()
    try:
        run_id = UUID(named)
    except ValueError as error:
        raise NotARun(f"There is no run {named!r}: name its folder or its id.") from error
    if sessions is None:
        raise NotARun(f"Run {named} can be found by its id in the database only: name its folder.")
    with sessions() as session:
        return Path(training_runs.get(session, run_id).folder)
