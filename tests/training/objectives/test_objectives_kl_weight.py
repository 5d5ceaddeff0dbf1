"""The weight of the KL penalty: it follows from how near the target the policy is, in a run as by itself."""

from functools import partial
from pathlib import Path

import pytest
import torch

from tests.training.objectives.learning import SMALL, task, tiny
from training.objectives.catalogue import settings_of, train
from training.objectives.kl_weight import kl_weight
from training.objectives.metrics import MetricsLog

LENGTH = 40.0
held = partial(kl_weight, length=LENGTH, beta=0.02, target=0.1)


def test_without_a_target_it_stays_as_it_was_set() -> None:
    assert kl_weight(5.0, length=LENGTH, beta=0.02, target=None) == 0.02


def test_at_the_target_an_ordinary_reply_pays_one_deviation() -> None:
    assert held(0.1) * 0.1 * LENGTH == pytest.approx(1.0)
    assert kl_weight(0.1, length=80.0, beta=0.02, target=0.1) * 0.1 * 80 == pytest.approx(1.0)


def test_it_is_as_light_as_set_far_from_the_target_and_never_falls_on_the_way() -> None:
    weights = [held(kl / 1000) for kl in range(500)]
    assert weights[:28] == [0.02] * 28
    assert weights == sorted(weights)
    assert held(0.2) == pytest.approx(4 * held(0.1))


def test_it_has_an_end_and_an_estimate_below_zero_is_no_distance() -> None:
    assert held(7.0) == 10.0
    assert held(-0.3) == 0.02
    assert kl_weight(5.0, length=LENGTH, beta=20.0, target=0.1) == 20.0, "who sets more has more"


def test_no_penalty_stays_none() -> None:
    assert kl_weight(5.0, length=LENGTH, beta=0.0, target=0.1) == 0.0


@pytest.mark.parametrize("name", ["ppo", "repo"])
def test_a_run_is_held_by_the_kl_of_the_same_replies(name: str, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    train(name, task(tmp_path, base=tiny(tmp_path / "base")), settings_of(name, {**SMALL, "steps": 4, "kl_target": 1e-6}))
    lines = [line for line in MetricsLog(tmp_path).read() if "kl_weight" in line]
    assert lines[0]["kl_weight"] == 0.02, "nothing has moved yet"
    assert lines[-1]["kl_weight"] > 0.02
    for line in lines:
        expected = kl_weight(line["kl"], length=line["length"], beta=0.02, target=1e-6)
        assert line["kl_weight"] == pytest.approx(expected, rel=0.05)
