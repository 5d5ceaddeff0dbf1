"""The weight of the KL penalty: it follows its target in bounded steps in a run, and a checkpoint keeps it."""

from pathlib import Path

import pytest
import torch

from tests.training.objectives.learning import SMALL, task, tiny
from training.objectives.catalogue import settings_of, train
from training.objectives.kl_weight import KLWeight
from training.objectives.metrics import MetricsLog
from training.objectives.settings import PolicySettings


@pytest.fixture
def weight() -> KLWeight:
    return KLWeight(PolicySettings(beta=0.02, kl_target=0.1))


def test_without_a_target_it_stays_as_it_was_set() -> None:
    weight = KLWeight(PolicySettings(beta=0.02))
    weight.follow(5.0)
    assert weight.value == 0.02


def test_it_grows_as_the_kl_stands_to_its_target_and_never_more_than_twofold(weight: KLWeight) -> None:
    weight.follow(0.15)
    assert weight.value == pytest.approx(0.03)
    weight.follow(7.0)
    assert weight.value == pytest.approx(0.06)


def test_it_is_never_lighter_than_it_was_set_and_finds_back_from_any_kl(weight: KLWeight) -> None:
    weight.follow(0.0)
    assert weight.value == 0.02
    for _ in range(100):
        weight.follow(50.0)
    for _ in range(20):
        weight.follow(0.001)
    assert weight.value == 0.02


def test_one_that_was_set_beyond_the_heaviest_is_left_alone() -> None:
    weight = KLWeight(PolicySettings(beta=20.0, kl_target=0.1))
    weight.follow(5.0)
    assert weight.value == 20.0


def test_a_checkpoint_keeps_it(weight: KLWeight, tmp_path: Path) -> None:
    weight.follow(0.15)
    weight.save(tmp_path)
    resumed = KLWeight(PolicySettings(beta=0.02, kl_target=0.1))
    resumed.restore(tmp_path)
    assert resumed.value == weight.value


def test_no_penalty_stays_none() -> None:
    settings = settings_of("repo", {"beta": 0.0})
    assert isinstance(settings, PolicySettings)
    assert settings.kl_target is not None, "the preset's"
    weight = KLWeight(settings)
    weight.follow(5.0)
    assert weight.value == 0.0


@pytest.mark.parametrize("name", ["ppo", "repo"])
def test_a_run_is_held_by_it(name: str, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    train(name, task(tmp_path, base=tiny(tmp_path / "base")), settings_of(name, {**SMALL, "steps": 5, "kl_target": 1e-8}))
    weights = [line["kl_weight"] for line in MetricsLog(tmp_path).read() if "kl_weight" in line]
    assert weights[0] == 0.02 < weights[-1]
