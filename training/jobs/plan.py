"""The plan of a retrain: what is asked for, in words that a person, a schedule and a page all use.

Decided here: the numbers where nobody says otherwise, and what contradicts itself. What is only known once it begins (which version is
live, which reward spec is in force) is frozen by ``beginning``.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from db.errors import ParleyError
from training.objectives.settings import STARTER
from training.runs.plan import NO_JUDGE
from training.runs.values import SETTINGS, kind_of, settings_checked

LIVE = "live"
"""To begin at whatever version is live."""
IMITATION = "sft"
"""The objective that imitates."""
MAIN = "main"
"""The policy line where nobody names another."""


Judge = Annotated[str, BeforeValidator(lambda value: NO_JUDGE if value is None else value)]
"""``none``, which is read as nothing where it is typed as a setting, ``starter`` (our own model server), or another server's address."""


class PlanRefused(ParleyError):
    """A plan that contradicts itself."""


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Logged(_Asked):
    """What people judged, from the database as it was when the retrain was asked for."""

    kind: Literal["logged"] = "logged"
    people_only: bool = False
    """Leave out what simulated experts judged."""
    min_trust: float = Field(default=0.25, ge=0, le=1)
    judged_only: bool = False
    """Contexts only from conversations that somebody has judged."""
    allow_one_rater: bool = False
    validation_share: float = Field(default=0.1, gt=0, lt=1)


class Simulated(_Asked):
    """Simulated dialogues and experts."""

    kind: Literal["simulated"] = "simulated"
    contexts: int = Field(default=450, ge=20)
    seed: int = 0
    samples: int = Field(default=2, ge=0)
    """Replies of the policy that it begins at, to each context, rated beside the scripted ones."""
    chinese: float = Field(default=0.0, ge=0, le=1)
    """Share of the dialogues that are held in Chinese; the others are held in English."""
    validation_share: float = Field(default=0.15, gt=0, lt=1)


class Effort(_Asked):
    """How much the gate measures; None is what the gate takes by itself."""

    dialogues: int | None = Field(default=None, ge=10)
    chinese: float | None = Field(default=None, ge=0, le=1)
    case_copies: int | None = Field(default=None, ge=3)


class GateLimits(_Asked):
    """How strict the gate is (``training.release.gate.GateSettings``); None is what the gate takes by itself."""

    alpha: float | None = Field(default=None, gt=0, lt=1)
    margin: float | None = Field(default=None, gt=0)
    severe: float | None = Field(default=None, ge=0, le=1)
    longer: float | None = Field(default=None, ge=1)
    kl: float | None = Field(default=None, gt=0)


class Budget(_Asked):
    """What a retrain may cost; None is no limit."""

    minutes: float | None = Field(default=None, gt=0)
    """Of work, from its first step to its gate. One that needs more fails, and can be queued again with as many more."""
    steps: int | None = Field(default=None, ge=1)
    """Training steps of the policy at most, whatever its settings say."""


class RetrainPlan(_Asked):
    """One retrain."""

    line: str = Field(default=MAIN, pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")
    """Of one policy line one retrain is at work at a time."""
    objective: str = "repo"
    settings: dict[str, Any] = {}
    """The objective's, besides the starter model's presets."""
    seed: int = 0
    imitate: int = Field(default=0, ge=0)
    """Steps in which it imitates demonstrations (excellent replies, rewrites, approved edits) as SFT does, before the objective: rewards
    only choose among what a policy says by itself. 0 for none."""
    imitation: dict[str, Any] = {}
    """Settings of that, besides the starter model's presets."""
    rehearsal: int = Field(default=12, ge=0)
    """What nobody shows is imitated in the policy's own words: a kind of move, in a language, with fewer demonstrations is filled up to so
    many, so that it is not forgotten. 0 for none."""
    material: Annotated[Logged | Simulated, Field(discriminator="kind")] = Logged()
    reward_model: dict[str, Any] = {}
    """Settings of the reward model's training (``training.rewards.model.RewardModelSettings``)."""
    judge: Judge = NO_JUDGE
    start: str = LIVE
    """``live``, ``base``, or a version of the policy by name."""
    held_out: int = Field(default=48, ge=0)
    """Contexts of validation hotels by which the best checkpoint is chosen; with 0 it is the last."""
    threads: int | None = Field(default=None, ge=1)
    """CPU threads of every step; None: as PARLEY_TRAINING_THREADS says, else every core."""
    effort: Effort = Effort()
    gate: GateLimits = GateLimits()
    canary_share: float = Field(default=0.1, ge=0, lt=1)
    """Of new conversations, for the candidate; with 0 it goes live without a canary."""
    automatic: bool = False
    """Whether a canary that does well becomes live by itself; one that does badly is always taken back by itself."""
    budget: Budget = Budget()

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        kind_of(self.objective)
        if "seed" in self.settings:
            raise ValueError("the seed is a field of the plan, not a setting of the objective")
        settings_checked(self.objective, self.settings)
        if {"seed", "steps", "rehearsal"} & self.imitation.keys():
            raise ValueError("seed, steps and rehearsal of the imitation are fields of the plan (`seed`, `imitate`, `rehearsal`)")
        settings_checked(IMITATION, self.imitation)
        return self

    @property
    def policy_settings(self) -> dict[str, Any]:
        """Settings of the objective, with the seed, and no more steps than the budget has."""
        settings = {**self.settings, "seed": self.seed}
        usual = SETTINGS[self.objective].model_fields["steps"].default
        steps = settings.get("steps", STARTER.get(self.objective, {}).get("steps", usual))
        return settings | {"steps": steps if self.budget.steps is None else min(steps, self.budget.steps)}


def parse_plan(values: Any) -> RetrainPlan:
    """A plan from plain values, such as a row's. Raises PlanRefused that names every fault, RunRefused and SettingsError."""
    try:
        return RetrainPlan.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'plan'}: {fault['msg']}" for fault in error.errors())
        raise PlanRefused(f"Such a retrain cannot be asked for: {faults}.") from error
