"""The plan of a run: everything that its result follows from, as one file in its folder.

Decided here: what the file holds, and that whatever it names in other folders is named with its hash, so that a run that is resumed next
week is the run that was begun.
"""

from pathlib import Path
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from uuid_utils.compat import uuid7

from agent.serving.starter import MODEL_FOLDER
from training.files import put
from training.rewards.spec import RewardSpec, parse_spec
from training.runs.errors import NotARun
from training.runs.provenance import git_revision, versions

PLAN = "run.json"
NO_JUDGE, STARTER_JUDGE = "none", "starter"


class Plan(BaseModel):
    """One run. The same plan gives the same weights on the same machine."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    id: UUID = Field(default_factory=uuid7)
    objective: str
    settings: dict[str, Any]
    """The objective's, as far as they differ from its presets; ``seed`` is one of them."""
    snapshot: Path
    snapshot_sha256: str
    spec: dict[str, Any]
    """The whole reward spec."""
    reward_model: Path | None = None
    """None for a supervised run that is not measured."""
    reward_model_sha256: str | None = None
    judge: str = NO_JUDGE
    """``none``, ``starter`` (our own model server, wherever it answers), or the address of another server."""
    judge_model: str = ""
    base: Path = MODEL_FOLDER
    adapter: Path | None = None
    """Where the policy begins; None is the base."""
    adapter_sha256: str | None = None
    critic: Path | None = None
    """A checkpoint of an earlier run, whose critic this one begins with."""
    held_out: int = Field(default=48, ge=0)
    """Contexts of the snapshot's other hotels that the policy is measured on."""
    samples: int = Field(default=6, ge=0)
    """Contexts for the report, answered before and after."""
    threads: int = Field(default=1, ge=1)
    """CPU threads. Part of the plan, since the last bits of a sum depend on it."""
    processes: int = Field(default=1, ge=1)
    """That train together."""
    versions: dict[str, str] = Field(default_factory=versions)
    """Of the packages that it was begun with."""
    git_revision: str | None = Field(default_factory=git_revision)
    """Of the code, with ``+`` where it had been changed; None where it is not from a repository."""

    @property
    def seed(self) -> int:
        """Of the run."""
        return int(self.settings.get("seed", 0))

    @property
    def reward_spec(self) -> RewardSpec:
        """The spec. Raises SpecError where a later release has rules that it does not know."""
        return parse_spec(self.spec, source="The reward spec of the run")

    @property
    def is_starter(self) -> bool:
        """Whether the presets of the starter model apply."""
        return self.base == MODEL_FOLDER

    def write(self, folder: Path) -> None:
        """Into the run's folder."""
        put(folder / PLAN, self.model_dump_json(indent=1) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The inverse of ``write``. Raises NotARun."""
        try:
            return cls.model_validate_json((folder / PLAN).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise NotARun(f"{folder} holds no training run ({PLAN} is missing): name the folder that `parley train` printed") from error
        except (OSError, ValidationError) as error:
            raise NotARun(f"{folder / PLAN} cannot be read: {error}") from error
