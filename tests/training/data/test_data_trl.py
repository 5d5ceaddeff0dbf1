"""TRL trains one step from each format, read from each kind of file as TRL's own users read it: nothing is converted."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from data_scenes import judged_talks

from agent.service import Negotiations
from db.engine import SessionFactory
from tests import tiny_model
from training.data import Chosen, Filing, Format, export_examples

pytestmark = pytest.mark.filterwarnings("ignore")
"""What TRL and its libraries warn of is not ours."""


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(tiny_model.build(tmp_path / "model"))


def read(folder: Path, kind: Format, filing: Filing) -> Any:
    import datasets

    cache = str(folder.parent / "cache")
    match filing:
        case Filing.JSONL:
            return datasets.load_dataset("json", data_files=str(folder / f"{kind}.jsonl"), split="train", cache_dir=cache)
        case Filing.PARQUET:
            return datasets.load_dataset("parquet", data_files=str(folder / f"{kind}.parquet"), split="train", cache_dir=cache)
        case Filing.DATASET:
            return datasets.load_from_disk(str(folder / str(kind)))


def settings(folder: Path) -> dict[str, Any]:
    return {
        "output_dir": str(folder / "run"),
        "max_steps": 1,
        "per_device_train_batch_size": 2,
        "use_cpu": True,
        "bf16": False,
        "gradient_checkpointing": False,
        "report_to": [],
        "save_strategy": "no",
        "disable_tqdm": True,
        "max_length": 3000,  # the tiny model spends a token on every byte
    }


def sft(model: str, examples: Any, folder: Path) -> Any:
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    return SFTTrainer(model=model, args=SFTConfig(**settings(folder)), train_dataset=examples)


def dpo(model: str, examples: Any, folder: Path) -> Any:
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.dpo_trainer import DPOTrainer

    return DPOTrainer(model=model, args=DPOConfig(**settings(folder)), train_dataset=examples)


def reward(model: str, examples: Any, folder: Path) -> Any:
    from trl.trainer.reward_config import RewardConfig
    from trl.trainer.reward_trainer import RewardTrainer

    return RewardTrainer(model=model, args=RewardConfig(**settings(folder)), train_dataset=examples)


def kto(model: str, examples: Any, folder: Path) -> Any:
    from transformers import AutoTokenizer
    from trl.trainer.kto_config import KTOConfig
    from trl.trainer.kto_trainer import KTOTrainer

    tokenizer = AutoTokenizer.from_pretrained(model)
    return KTOTrainer(model=model, args=KTOConfig(**settings(folder)), train_dataset=examples, processing_class=tokenizer)


TRAINERS: tuple[tuple[Format, Callable[[str, Any, Path], Any]], ...] = (
    (Format.PROMPT_COMPLETION, sft),
    (Format.PREFERENCE, dpo),
    (Format.PREFERENCE, reward),
    (Format.UNPAIRED_PREFERENCE, kto),
)


def test_trl_trains_a_step_from_every_export(
    negotiations: Negotiations, sessions: SessionFactory, tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "HF_HUB_OFFLINE", "1")
    judged_talks(negotiations)
    for filing in Filing:
        done = export_examples(sessions, tmp_path / filing, Chosen(filing=filing))
        for kind, trainer_of in TRAINERS:
            examples = read(done.folder, kind, filing)
            assert len(examples) == done.rows[kind]
            trainer = trainer_of(model, examples, tmp_path)
            before = [parameter.detach().clone() for parameter in trainer.model.parameters()]
            result = trainer.train()
            after = list(trainer.model.parameters())
            assert trainer.state.global_step == 1
            assert result.training_loss > 0
            moved = [not old.equal(new.detach()) for old, new in zip(before, after, strict=True)]
            assert any(moved), f"{trainer_of.__name__} learned nothing from {filing}"
