"""Settings as they are typed, ``key=value``: each key known, each value of its kind, before anything is started.

What the values mean together is the objective's business and is checked in the training process.
"""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from training.objectives.settings import DPOSettings, PolicySettings, RunSettings, SettingsError, SFTSettings
from training.runs.errors import RunRefused

SETTINGS: Mapping[str, type[RunSettings]] = {
    "sft": SFTSettings,
    "dpo": DPOSettings,
    "ppo": PolicySettings,
    "grpo": PolicySettings,
    "repo": PolicySettings,
}
"""What each objective is set by. The objectives themselves (``training.objectives.catalogue``) need torch to be looked at."""
LEARNS_FROM = {"sft": "prompt_completion", "dpo": "preference"}
"""Tables of a snapshot; the others roll out from its contexts."""


def kind_of(objective: str) -> type[RunSettings]:
    """Raises RunRefused for an objective that there is not."""
    if objective not in SETTINGS:
        near = get_close_matches(objective, SETTINGS, n=1)
        raise RunRefused(f"There is no objective {objective!r}{_meant(near)}; choose one of {', '.join(SETTINGS)}.")
    return SETTINGS[objective]


def typed(pairs: Sequence[str]) -> dict[str, Any]:
    """``["beta=0.1", "clip=none"]`` as values. Raises SettingsError for what is no pair or stands there twice."""
    values: dict[str, Any] = {}
    for pair in pairs:
        key, mark, value = pair.partition("=")
        if not mark or not key.strip():
            raise SettingsError(f"{pair!r} is no setting: write key=value, such as beta=0.05")
        if key.strip() in values:
            raise SettingsError(f"{key.strip()!r} is set twice: leave one")
        values[key.strip()] = _value(value.strip())
    return values


def settings_checked(objective: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, each read as its field wants it. Raises SettingsError that names the closest known key, and RunRefused."""
    kind = kind_of(objective)
    for key in values:
        if key not in kind.model_fields:
            near = get_close_matches(key, kind.model_fields, n=1, cutoff=0.5)
            known = ", ".join(sorted(kind.model_fields))
            raise SettingsError(f"there is no setting {key!r} of {objective}{_meant(near)}; known are {known}")
    return {key: _read(key, kind.model_fields[key], value) for key, value in values.items()}


def _read(key: str, field: FieldInfo, value: Any) -> Any:
    adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
    try:
        return adapter.dump_python(adapter.validate_python(value), mode="json")
    except ValidationError as error:
        raise SettingsError(f"{key} cannot be {value!r}: {error.errors()[0]['msg']}") from error


def _value(text: str) -> Any:
    if text.lower() in ("none", "null"):
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return json.loads(text)
    except ValueError:
        return text


def _meant(near: Sequence[str]) -> str:
    return f" (did you mean {near[0]!r}?)" if near else ""
