"""Whether an adapter can be served at all: every file there, made for the base, of a rank that the server takes, all of it numbers."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from agent.serving.starter import MODEL_FOLDER
from db.errors import ParleyError
from training.runs.adapters import WEIGHTS, refuse_misfit
from training.runs.errors import RunRefused


class AdapterBroken(ParleyError):
    """An adapter that cannot be served, whatever it would say."""


def refuse_broken(adapter: Path, base: Path = MODEL_FOLDER, *, max_rank: int = 8) -> None:
    """Raises AdapterBroken, with the reason, for an adapter that the model server could not serve, or that would answer with noise.

    ``max_rank`` is the server's; a higher one is refused there, under traffic.
    """
    try:
        refuse_misfit(adapter, base)
        weights = load_file(adapter / WEIGHTS)
    except (RunRefused, SafetensorError, OSError) as error:
        raise AdapterBroken(str(error)) from error
    rank = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8")).get("r")
    if not isinstance(rank, int) or not 1 <= rank <= max_rank:
        raise AdapterBroken(f"{adapter} has rank {rank!r}, and the model server takes 1 to {max_rank}: train it with rank {max_rank}.")
    if sick := sorted(name for name, weight in weights.items() if not torch.isfinite(weight).all()):
        raise AdapterBroken(f"{adapter} has weights that are no numbers, in {len(sick)} of {len(weights)} tensors, such as {sick[0]}.")
    if not any(bool(weight.any()) for name, weight in weights.items() if ".lora_B." in name):
        raise AdapterBroken(
            f"{adapter} changes nothing: all that it adds to the base is zero. "
            "No step of its training was better than the base, or it was never trained."
        )
