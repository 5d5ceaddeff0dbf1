"""Whether an adapter fits a base model, read from the headers of their files, without loading either.

peft only warns of weights that find no place, and goes on from zero: a run that began at somebody else's adapter would begin at nothing.
"""

import json
from pathlib import Path
from typing import Any

from training.runs.errors import RunRefused

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
_PREFIX = "base_model.model."

Shapes = dict[str, tuple[int, ...]]


def refuse_misfit(adapter: Path, base: Path) -> None:
    """Raises RunRefused unless every weight of the adapter has its layer in the base, and every such layer its weight."""
    refuse_no_model(base)
    for name in (CONFIG, WEIGHTS):
        if not (adapter / name).is_file():
            raise RunRefused(
                f"{adapter} is no adapter: {name} is missing. Name a folder that peft wrote, a version of the policy, or base."
            )
    config = _json(adapter / CONFIG)
    layers = _weights(base)
    named = config.get("base_model_name_or_path")
    adapted: set[str] = set()
    for name, shape in _header(adapter / WEIGHTS).items():
        module, _, factor = name.removeprefix(_PREFIX).rpartition(".lora_")
        if not module:
            raise RunRefused(f"{adapter} holds {name}, which is no weight of LoRA: only LoRA adapters can be trained on.")
        found = layers.get(f"{module}.weight")
        side = 1 if factor.startswith("A") else 0
        if found is None or shape[side] != found[side]:
            there = "has no such layer" if found is None else f"has {found[side]} there"
            raise RunRefused(
                f"The adapter {adapter} does not fit the base model {base}: {module} wants width {shape[side]}, the base {there}. "
                f"It was trained on {named!r}."
            )
        adapted.add(module)
    kinds = {module.rpartition(".")[2] for module in adapted}
    wanted = {name.removesuffix(".weight") for name in layers if name.removesuffix(".weight").rpartition(".")[2] in kinds}
    if (missing := wanted - adapted) and not config.get("layers_to_transform"):
        raise RunRefused(
            f"The adapter {adapter} does not fit the base model {base}: it has nothing for {len(missing)} of its {len(wanted)} layers, "
            f"such as {min(missing)}. It was trained on {named!r}."
        )


def refuse_no_model(base: Path) -> None:
    """Raises RunRefused unless a model with a tokenizer lies there."""
    for name in ("config.json", "tokenizer_config.json"):
        if not (base / name).is_file():
            raise RunRefused(f"{base} is no base model: {name} is missing. Name a folder with a model and its tokenizer.")


def _weights(base: Path) -> Shapes:
    index = base / "model.safetensors.index.json"
    files = sorted(set(_json(index)["weight_map"].values())) if index.is_file() else ["model.safetensors"]
    return {name: shape for file in files for name, shape in _header(base / file).items()}


def _header(path: Path) -> Shapes:
    """Shapes by name. A safetensors file begins with the length of its header in eight bytes, and the header as JSON."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if size > path.stat().st_size:
                raise ValueError("it is cut off")
            header = json.loads(file.read(size))
        return {name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunRefused(f"{path} cannot be read as safetensors ({error}): it is missing or damaged.") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunRefused(f"{path} cannot be read as JSON: {error}") from error
