"""What the tests of runs start from: a tiny random policy, a tiny reward model, and a simulated snapshot."""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer

from agent.serving.starter import MODEL_FOLDER
from agent.simulation import Quality
from tests.training.objectives.learning import tiny
from training.rewards.model.network import fresh_scorer, save_scorer
from training.rewards.model.scorer import CARD, READY, WEIGHTS, Card, Centre
from training.rewards.model.settings import RewardModelSettings
from training.runs import Plan, Request, check
from training.runs.checks import new_folder
from training.snapshots import SimulatedSettings, take_simulated

SMALL: dict[str, Any] = {
    "steps": 4,
    "prompts": 2,
    "copies": 2,
    "minibatches": 2,
    "max_tokens": 6,
    "learning_rate": 1e-2,
    "save_every": 1,
    "held_out_every": 2,
    "warmup": 0,
}
_SNAPSHOT = SimulatedSettings(contexts=12, seed=5, qualities=(Quality.EXCELLENT, Quality.WRONG), validation_share=0.4)


class Scene:
    """Folders to train from and in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.snapshot = folder / "snapshot"
        take_simulated(self.snapshot, _SNAPSHOT)
        self.base = tiny(folder / "base")
        self.reward_model = reward_model(folder / "reward-model", self.base)

    def request(self, objective: str = "repo", **changed: Any) -> Request:
        settings = {**(SMALL if objective not in ("sft", "dpo") else {"steps": 3, "batch": 2}), **changed.pop("settings", {})}
        known: dict[str, Any] = {
            "snapshot": self.snapshot,
            "base": self.base,
            "reward_model": self.reward_model,
            "threads": 1,
            "held_out": 2,
        }
        return Request(objective=objective, settings=settings, **{**known, **changed})

    def begun(self, folder: Path, objective: str = "repo", **changed: Any) -> Path:
        """The folder of a run that was checked and is to be trained."""
        samples = changed.pop("samples", 1)
        plan = check(self.request(objective, **changed)).model_copy(update={"samples": samples})
        plan.write(new_folder(folder))
        return folder


def plan_of(folder: Path) -> Plan:
    return Plan.read(folder)


def reward_model(folder: Path, base: Path, *, broken: bool = False) -> Path:
    """A reward model with random weights, or with such as give nan."""
    settings = RewardModelSettings(base=base)
    model = fresh_scorer(base, lora_rank=0, seed=1)
    tokenizer = AutoTokenizer.from_pretrained(MODEL_FOLDER)
    model.config.pad_token_id = tokenizer.pad_token_id
    if broken:
        with torch.no_grad():
            next(model.parameters()).fill_(torch.nan)
    save_scorer(model, folder / WEIGHTS)
    tokenizer.save_pretrained(str(folder / WEIGHTS))
    card = Card(settings=settings, centre=Centre(mean=0.0, deviation=0.1, references=20), fingerprint="test")
    (folder / CARD).write_text(card.model_dump_json())
    (folder / READY).touch()
    return folder
