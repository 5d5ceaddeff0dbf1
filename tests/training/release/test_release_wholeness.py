"""An adapter that cannot be served is named with its fault before anything is measured."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from agent.serving.starter import shipped_adapters
from training.release.wholeness import AdapterBroken, refuse_broken

SHIPPED = shipped_adapters()["policy-v1"]
WEIGHTS = "adapter_model.safetensors"


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "adapter"))


def with_weights(folder: Path, change: Callable[[str, torch.Tensor], torch.Tensor]) -> None:
    changed = {name: change(name, weight).contiguous() for name, weight in load_file(folder / WEIGHTS).items()}
    save_file(changed, folder / WEIGHTS)


def test_the_shipped_one_is_whole(adapter: Path) -> None:
    refuse_broken(adapter)


@pytest.mark.parametrize("name", ["adapter_config.json", WEIGHTS])
def test_a_missing_file_is_named(adapter: Path, name: str) -> None:
    (adapter / name).unlink()
    with pytest.raises(AdapterBroken, match=name):
        refuse_broken(adapter)


def test_a_weight_that_is_no_number(adapter: Path) -> None:
    def sick(name: str, weight: torch.Tensor) -> torch.Tensor:
        return torch.full_like(weight, torch.nan) if "layers.0.self_attn.q_proj.lora_A" in name else weight

    with_weights(adapter, sick)
    with pytest.raises(AdapterBroken, match=r"no numbers, in 1 of .*layers\.0\.self_attn\.q_proj"):
        refuse_broken(adapter)


def test_an_adapter_of_another_base(adapter: Path) -> None:
    with_weights(adapter, lambda name, weight: torch.cat([weight, weight], dim=1) if ".lora_A." in name else weight)
    with pytest.raises(AdapterBroken, match="does not fit the base model"):
        refuse_broken(adapter)


def test_an_adapter_that_was_never_trained(adapter: Path) -> None:
    with_weights(adapter, lambda name, weight: torch.zeros_like(weight) if ".lora_B." in name else weight)
    with pytest.raises(AdapterBroken, match="never trained"):
        refuse_broken(adapter)


def test_a_rank_that_the_server_does_not_take(adapter: Path) -> None:
    with pytest.raises(AdapterBroken, match="rank 8, and the model server takes 1 to 4"):
        refuse_broken(adapter, max_rank=4)


def test_a_file_that_is_cut_off(adapter: Path) -> None:
    content = (adapter / WEIGHTS).read_bytes()
    (adapter / WEIGHTS).write_bytes(content[: len(content) // 2])
    with pytest.raises(AdapterBroken):
        refuse_broken(adapter)


def test_a_configuration_without_a_rank(adapter: Path) -> None:
    config = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps({**config, "r": None}))
    with pytest.raises(AdapterBroken, match="rank None"):
        refuse_broken(adapter)
