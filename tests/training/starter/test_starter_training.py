from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import Qwen3ForCausalLM

from training.starter import replicas
from training.starter.model import fresh_model
from training.starter.presets import PRESETS, UnknownPreset, preset_named
from training.starter.pretraining import StepReport, pretrain, schedule
from training.starter.samples import EncodedSample, batch_plan, collate, load_encoded, save_encoded

PRESET = replace(PRESETS["toy"], steps=6, batch_tokens=256)
VOCABULARY = 300


def samples(count: int, seed: int) -> list[EncodedSample]:
    rng = np.random.default_rng(seed)
    lengths = [int(rng.integers(12, 60)) for _ in range(count)]
    return [
        EncodedSample(rng.integers(3, VOCABULARY, size=length, dtype=np.uint16), 8, rng.integers(1, 5, size=length, dtype=np.uint8))
        for length in lengths
    ]


def model() -> Qwen3ForCausalLM:
    return fresh_model(PRESET.shape, vocabulary=VOCABULARY, end_id=2, pad_id=0, seed=5)


def run(checkpoint: Path, *, resume: bool = False, stop_after: int | None = None) -> tuple[Qwen3ForCausalLM, list[StepReport]]:
    trained, reports = model(), list[StepReport]()
    pretrain(
        trained,
        samples(30, 1),
        preset=PRESET,
        seed=3,
        pad_id=0,
        threads=2,
        checkpoint=checkpoint,
        resume=resume,
        report=reports.append,
        stop_after=stop_after,
    )
    return trained, reports


def test_a_run_that_was_cut_off_ends_at_the_same_weights(tmp_path: Path) -> None:
    whole, _ = run(tmp_path / "whole.pt")
    run(tmp_path / "cut.pt", stop_after=3)
    resumed, reports = run(tmp_path / "cut.pt", resume=True)
    assert [report.step for report in reports] == [4, 5, 6]
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, resumed.state_dict()[name]), name


def test_without_resume_a_checkpoint_is_not_taken_up(tmp_path: Path) -> None:
    run(tmp_path / "checkpoint.pt", stop_after=3)
    _, reports = run(tmp_path / "checkpoint.pt")
    assert reports[0].step == 1


class Multiplied(TorchDispatchMode):
    """Notes in which formats matrices are multiplied."""

    def __init__(self) -> None:
        super().__init__()
        self.formats: set[torch.dtype] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (torch.ops.aten.mm.default, torch.ops.aten.addmm.default):
            self.formats.add(args[0].dtype)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(("fast", "format"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)])
def test_that_muon_multiplies_in_the_format_that_is_fast_here(monkeypatch: pytest.MonkeyPatch, fast: str, format: torch.dtype) -> None:
    monkeypatch.setattr(replicas, "fast_format", lambda: fast)
    weight = torch.nn.Parameter(torch.randn(8, 6, generator=torch.Generator().manual_seed(1)))
    weight.grad = gradient = torch.randn(8, 6, generator=torch.Generator().manual_seed(2))
    before, given = weight.detach().clone(), gradient.clone()
    with Multiplied() as seen:
        replicas.update(torch.optim.Muon([weight], lr=1.0, weight_decay=0.0), 0.1)
    assert seen.formats == {format}
    assert torch.equal(gradient, given)
    # The update is the gradient with its singular values near one: 0.1 times the root of 8/6.
    step = torch.linalg.svdvals((before - weight.detach()) / (0.1 * (8 / 6) ** 0.5))
    assert step.min() > 0.6
    assert step.max() < 1.3


def test_only_completions_are_learned_where_the_prompt_share_is_nothing() -> None:
    batch = collate(samples(4, 7), pad_id=0, prompt_share=0.0, generator=torch.Generator())
    for row, sample in enumerate(samples(4, 7)):
        learned = (batch.labels[row] != -100).nonzero().flatten().tolist()
        assert learned == list(range(sample.prompt_length - 1, len(sample.ids) - 1))
        assert batch.labels[row, learned].tolist() == sample.ids[sample.prompt_length :].tolist()
        assert batch.weights[row, learned].tolist() == sample.weights[sample.prompt_length :].tolist()


def test_a_pass_holds_every_sample_once_within_the_token_limit() -> None:
    many = samples(500, 9)
    plan = batch_plan(many, batch_tokens=600, seed=1)
    assert sorted(index for batch in plan for index in batch) == list(range(500))
    assert all(len(batch) * max(len(many[index].ids) for index in batch) <= 600 for batch in plan)


def test_encoded_samples_survive_the_disk(tmp_path: Path) -> None:
    save_encoded(samples(20, 4), tmp_path / "samples.npz")
    for loaded, saved in zip(load_encoded(tmp_path / "samples.npz"), samples(20, 4), strict=True):
        assert loaded.ids.tolist() == saved.ids.tolist()
        assert loaded.prompt_length == saved.prompt_length
        assert loaded.weights.tolist() == saved.weights.tolist()


def test_a_longer_run_is_the_same_until_the_shorter_one_comes_down() -> None:
    short, long = ([schedule(step, steps=steps, warmup=10) for step in range(70)] for steps in (100, 400))
    assert short == long
    assert schedule(99, steps=100, warmup=10) < 0.05


def test_an_unknown_preset_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownPreset, match=r"'huge'.*full, toy"):
        preset_named("huge")
