"""How large a benchmark is: material, settings and measurements, under three names, with whatever is set otherwise.

Decided here: the numbers. A profile is the whole protocol of a comparison, fixed before the runs that are reported, and settings of an
objective apply to every arm of it.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from training.bench.arms import ABLATIONS, OPTIONS, PAPER, BenchRefused, arm
from training.objectives.settings import SettingsError
from training.runs.values import SETTINGS, settings_checked, typed

_TINY: dict[str, Any] = {"steps": 2, "prompts": 2, "copies": 2, "max_tokens": 100, "save_every": 1, "held_out_every": 2}
_REWARD_MODEL: dict[str, Any] = {"balance_length": True, "epochs": 3.0}
"""Good scripted replies are longer than bad ones, and a reward model that learns length from them would pay a policy for it. After one
epoch it is still far from calibrated (error 0.11 instead of 0.04)."""


def _steps(*, sft: int, dpo: int, replies: int, every: int) -> dict[str, dict[str, Any]]:
    """Settings by objective; ``replies`` are the steps of those that learn from their own replies, 32 of them in each.

    A checkpoint is looked at after ``every`` so many steps.
    """
    rows: dict[str, Any] = {"batch": 8, "held_out_every": every}
    own: dict[str, Any] = {"steps": replies, "prompts": 8, "copies": 4, "held_out_every": every}
    return {"sft": {"steps": sft, **rows}, "dpo": {"steps": dpo, **rows}, "ppo": own, "grpo": own, "repo": own}


class Profile(BaseModel):
    """One protocol."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str
    arms: tuple[str, ...]
    seeds: int = Field(ge=1)
    """Trainings of each arm. Material and reward model are the same for all: seeds tell how much training itself varies."""
    contexts: int = Field(ge=20)
    """Simulated contexts, of trained personas and phrases; a part of their hotels is for validation."""
    chinese: float = Field(default=0.0, ge=0, le=1)
    """Share of the dialogues that are held in Chinese, the material's and those that are measured; the others are held in English."""
    validation_share: float = Field(default=0.15, gt=0, lt=1)
    samples: int = Field(default=2, ge=1)
    """Replies of the base to each context, rated beside the scripted ones: the reward model learns to rank what a policy writes."""
    comparisons: int = Field(default=6, ge=0)
    """Pairs of replies to a context that an expert compares, and as many of the base's own."""
    reward_model: dict[str, Any] = {}
    """Settings of the reward model's training."""
    objectives: dict[str, dict[str, Any]] = {}
    """Settings by objective, besides the starter model's presets."""
    held_out: int = Field(default=48, ge=1)
    """Contexts of validation hotels by which a run's best checkpoint is chosen."""
    dialogues: int = Field(ge=1)
    """Whole dialogues with held-out personas that an arm is measured on, the same hotels for all."""
    case_copies: int = Field(default=1, ge=1)
    """Replies to each bad case."""
    seed: int = 0
    """Of everything that all arms share."""


PROFILES: Mapping[str, Profile] = {
    "toy": Profile(
        name="toy",
        arms=("base", "sft", "repo"),
        seeds=1,
        contexts=24,
        validation_share=0.4,
        samples=1,
        reward_model={"epochs": 0.5},
        objectives={"sft": {"steps": 2, "batch": 2, "save_every": 1, "held_out_every": 2}, "repo": _TINY},
        held_out=2,
        dialogues=3,
    ),
    "quick": Profile(
        name="quick",
        arms=PAPER,
        seeds=1,
        contexts=320,
        chinese=0.25,
        samples=4,
        # Nothing else can be done meanwhile.
        reward_model={**_REWARD_MODEL, "threads": 2},
        objectives=_steps(sft=40, dpo=30, replies=30, every=15),
        dialogues=24,
    ),
    "full": Profile(
        name="full",
        arms=(*PAPER, *OPTIONS, *ABLATIONS),
        seeds=3,
        contexts=600,
        chinese=0.25,
        samples=4,
        reward_model=_REWARD_MODEL,
        objectives=_steps(sft=80, dpo=60, replies=60, every=10),
        dialogues=48,
        case_copies=2,
    ),
}


def profile(name: str, *, arms: Sequence[str] = (), seeds: int | None = None, values: Sequence[str] = ()) -> Profile:
    """The profile of that name with what is asked for otherwise; ``values`` are ``key=value``, or ``repo.steps=30`` of an objective.

    Raises:
        BenchRefused: for a profile, arm or setting that there is not, or a value of another kind.
        SettingsError: for what is no pair, or a setting that the objective does not have.
    """
    if name not in PROFILES:
        raise BenchRefused(f"There is no profile {name!r}; choose one of {', '.join(PROFILES)}.")
    chosen = PROFILES[name].model_dump()
    own, objectives = _sorted_out(typed(values))
    merged = {kind: {**chosen["objectives"].get(kind, {}), **objectives.get(kind, {})} for kind in {*chosen["objectives"], *objectives}}
    changed = {**chosen, **own, "objectives": {kind: merged[kind] for kind in SETTINGS if kind in merged}}
    if arms:
        changed["arms"] = tuple(dict.fromkeys(arms))
    if seeds is not None:
        changed["seeds"] = seeds
    try:
        found = Profile.model_validate(changed)
    except ValidationError as error:
        fault = error.errors()[0]
        raise BenchRefused(f"{'.'.join(map(str, fault['loc']))} cannot be {fault['input']!r}: {fault['msg']}.") from error
    _refuse_what_does_not_fit(found)
    return found


def _sorted_out(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    own: dict[str, Any] = {}
    objectives: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        kind, mark, setting = key.partition(".")
        if not mark:
            if key not in Profile.model_fields or key in _ELSEWHERE:
                raise BenchRefused(f"There is no setting {key!r}{_meant(key)}; known are {', '.join(_known())}, and OBJECTIVE.setting.")
            own[key] = value
        elif kind not in SETTINGS:
            raise BenchRefused(f"There is no objective {kind!r} in {key!r}; choose one of {', '.join(SETTINGS)}.")
        else:
            objectives.setdefault(kind, {}).update(settings_checked(kind, {setting: value}))
    return own, objectives


_ELSEWHERE = ("name", "arms", "seeds", "objectives", "reward_model")


def _known() -> list[str]:
    return sorted(set(Profile.model_fields) - set(_ELSEWHERE))


def _meant(key: str) -> str:
    near = get_close_matches(key, _known(), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _refuse_what_does_not_fit(found: Profile) -> None:
    for name in found.arms:
        one = arm(name)
        if one.objective is not None:
            settings = {**found.objectives.get(one.objective, {}), **one.settings}
            if "seed" in settings:
                raise SettingsError("the seed of a run is the benchmark's to choose: leave it out, and say how many with --seeds")
            settings_checked(one.objective, settings)
