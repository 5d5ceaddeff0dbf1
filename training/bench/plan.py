"""The plan of a benchmark: everything that its figures follow from, as one file in its folder."""

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.serving.starter import MODEL_FOLDER
from training.bench.arms import BenchRefused
from training.bench.profiles import Profile
from training.files import file_sha256, put
from training.rewards.spec import RewardSpec, parse_spec
from training.runs.plan import NO_JUDGE
from training.runs.provenance import git_revision, versions

PLAN = "bench.plan.json"
_LOCK = "bench.lock"
_ORIGIN = ("versions", "git_revision")
"""What is told of where figures come from and does not make another benchmark."""
_ROWS = ("arms", "seeds", "definitions")
"""What may be asked for otherwise in the same folder: each arm's training and figures follow from the rest alone. An arm that is in both
has to be the same one."""


class BenchPlan(BaseModel):
    """One benchmark. The same plan gives the same figures on the same machine, as far as its judge says the same."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    profile: Profile
    judge: str = NO_JUDGE
    """``none``, ``starter``, or the address of a server."""
    judge_model: str = ""
    spec: dict[str, Any]
    """The whole reward spec; an arm's ablation changes it for that arm."""
    definitions: dict[str, Any] = {}
    """By name what each arm is that was ever asked for in the folder, and those that it stands on: another release may mean another one."""
    base_sha256: str = Field(default_factory=lambda: file_sha256(MODEL_FOLDER / "model.safetensors"))
    """Of the starter model's weights: the base of every arm."""
    versions: dict[str, str] = Field(default_factory=versions)
    git_revision: str | None = Field(default_factory=git_revision)

    @property
    def reward_spec(self) -> RewardSpec:
        """The spec."""
        return parse_spec(self.spec, source="The reward spec of the benchmark")

    @property
    def asks_a_judge(self) -> bool:
        """Whether anybody is to be asked at all."""
        return self.judge != NO_JUDGE

    @property
    def digest(self) -> str:
        """SHA-256 of everything that makes it this benchmark."""
        return sha256(self.model_dump_json(exclude=set(_ORIGIN)).encode()).hexdigest()

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The plan in a folder. Raises BenchRefused where there is none that this release knows."""
        try:
            return cls.model_validate_json((folder / PLAN).read_text(encoding="utf-8"))
        except (OSError, ValidationError) as error:
            raise BenchRefused(f"{folder / PLAN} cannot be read as the plan of a benchmark: {error}") from error


@contextmanager
def begun(folder: Path, plan: BenchPlan) -> Generator[BenchPlan]:
    """Be the only benchmark in the folder, which is made this plan's or is found to be; the plan as it stands there.

    Other arms and more seeds of the same benchmark go on in its folder: what is there already is not done again.

    Raises BenchRefused for a folder that another benchmark is at work in, of another benchmark, or with something else in it.
    """
    try:
        if folder.is_dir() and any(folder.iterdir()) and not (folder / _LOCK).exists():
            raise BenchRefused(f"{folder} is not empty and holds no benchmark: name another folder with --out.")
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / _LOCK).open("w")
    except OSError as error:
        raise BenchRefused(f"{folder} cannot be written to ({error}): name another folder with --out.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BenchRefused(f"Another benchmark is at work in {folder}: wait for it, or name another folder with --out.") from error
        yield _claimed(folder, plan)


def _claimed(folder: Path, plan: BenchPlan) -> BenchPlan:
    if not (folder / PLAN).is_file():
        put(folder / PLAN, plan.model_dump_json(indent=1) + "\n")
        return plan
    kept = BenchPlan.read(folder)
    if differences := _differences(kept, plan):
        raise BenchRefused(
            f"{folder} holds another benchmark ({', '.join(differences)}): name another folder with --out, "
            "or ask for the same as before; only arms and seeds may be others."
        )
    definitions = kept.definitions | plan.definitions
    if (kept.profile, kept.definitions) != (plan.profile, definitions):
        kept = kept.model_copy(update={"profile": plan.profile, "definitions": definitions})
        put(folder / PLAN, kept.model_dump_json(indent=1) + "\n")
    return kept


def _differences(kept: BenchPlan, plan: BenchPlan) -> list[str]:
    """What is another one, in words."""
    old, new = (_flat(one) for one in (kept, plan))
    arms = [name for name, arm in plan.definitions.items() if kept.definitions.get(name, arm) != arm]
    return [
        *(f"other {name.replace('_', ' ')}" for name in new if name not in _ROWS and old[name] != new[name]),
        *(f"an arm {name!r} of another definition" for name in arms),
    ]


def _flat(plan: BenchPlan) -> dict[str, Any]:
    body = plan.model_dump(mode="json", exclude={*_ORIGIN})
    return body | body.pop("profile")
