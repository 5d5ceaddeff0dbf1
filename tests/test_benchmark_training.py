"""The benchmark of training speed: its arithmetic, its clocks, and that every arm runs, at toy size and without a word about time."""

import io
import json
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from benchmarks.training import Measured, main, measure, show, to_json
from benchmarks.training_arm import ARMS, GRPO, GRPO_FREE, JUDGED, OWN_CRITIC, PPO, REPO
from benchmarks.training_environment import folder, ready
from benchmarks.training_figures import Step, added, figures, median_of, speedup
from benchmarks.training_gate import PARTS, Clock, Enough, Gate
from benchmarks.training_gpu import NoGPU, Shape, Work, work
from benchmarks.training_gpu import measure as measure_on
from benchmarks.training_plots import draw
from benchmarks.training_ppo import Paying
from benchmarks.training_process import ArmFailed, running
from benchmarks.training_setup import Setup, material, order
from tests.training.objectives.learning import tiny
from training.objectives.packing import group

SMALL: dict[str, Any] = {"steps": 2, "warmup": 1, "prompts": 2, "copies": 2, "minibatches": 2, "max_tokens": 6}


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Setup:
    return Setup(**SMALL, base=tiny(tmp_path_factory.mktemp("tiny")))


def step(cpu: float, wall: float | None = None, **parts: float) -> Step:
    whole = cpu if wall is None else wall
    spent = {part: parts.get(part, 0.0) for part in PARTS}
    return Step(wall=whole, cpu=cpu, length=10.0, parts=spent | {"update": whole - sum(parts.values())}, peak_mb=100 * cpu)


# --- arithmetic -----------------------------------------------------------------------------------------------------------------------


def test_a_median_has_an_interval_of_the_values_around_it() -> None:
    found = median_of([1.0, 2.0, 3.0, 4.0, 100.0])
    assert found.value == 3.0
    assert 1.0 <= found.low < 3.0 < found.high <= 100.0
    assert median_of([2.0]) == median_of([2.0, 2.0])


def test_a_ratio_is_taken_within_a_round() -> None:
    # The machine is three times as slow in the second round, for both.
    ours, theirs = [step(1), step(3), step(1)], [step(2), step(6), step(2)]
    assert speedup(ours, theirs, "cpu").value == 2.0
    assert speedup(ours, theirs, "cpu").low == 2.0
    assert speedup([step(1, 4)], [step(2, 2)], "cpu").value == 2.0
    assert speedup([step(1, 4)], [step(2, 2)], "wall").value == 0.5
    assert added([step(1, 1.25)], [step(1, 1)], "wall").value == 0.25


def test_figures_of_an_arm() -> None:
    found = figures("some", [step(2, 4, rollout=1, rewards=1), step(4, 8, rollout=2, values=2), step(3, 4)], replies=12)
    assert found.replies_per_cpu_s.value == 4.0
    assert found.replies_per_s.value == 3.0
    assert found.cpu_s.value == 3.0
    assert found.wall_s.value == 4.0
    assert found.peak_mb == 400
    assert found.shares == {"rollout": 3 / 16, "rewards": 1 / 16, "values": 2 / 16, "update": 10 / 16}


def test_goals_are_judged_by_the_clock_that_the_load_leaves_right() -> None:
    steps = {REPO: [step(1, 5)], GRPO: [step(2, 2)], PPO: [step(3, 5)]}
    quiet, busy = (Measured(setup=Setup(), steps=steps, loads=[load]) for load in (0.5, 100.0))
    assert {goal.rival: found.value for goal, found in busy.ratios()} == {PPO: 3.0, GRPO: 2.0}
    assert {goal.rival: found.value for goal, found in quiet.ratios()} == {PPO: 1.0, GRPO: 0.4}
    assert quiet.judge() is None
    printed = io.StringIO()
    show(quiet, Console(file=printed, width=200))
    assert printed.getvalue().count("missed") == 2
    assert "wall seconds" in printed.getvalue()
    assert to_json(busy)["judged_by"] == "cpu"
    assert json.loads(json.dumps(to_json(busy)))["ratios"][0]["value"] == 3.0


# --- clocks and pipes -----------------------------------------------------------------------------------------------------------------


def test_time_of_a_part_within_a_part_counts_once() -> None:
    ticks = count()
    clock = Clock(lambda: float(next(ticks)))
    with clock.during("values"), clock.during("rollout"):
        pass
    clock.turn_to("rewards")
    assert clock.take() == {"update": 2.0, "values": 2.0, "rollout": 1.0, "rewards": 1.0}
    assert clock.take() == {"update": 0.0, "values": 0.0, "rollout": 0.0, "rewards": 1.0}


def test_a_gate_lets_through_what_was_asked_for_and_no_more() -> None:
    answers = io.StringIO()
    gate = Gate(io.StringIO("go\n"), answers)
    gate.open()
    gate.length = 7.0
    with pytest.raises(Enough):
        gate.passed({"rollout": 0.0, "rewards": 0.0, "values": 0.0})
    ready, passed = map(json.loads, answers.getvalue().splitlines())
    assert set(ready) == {"peak_mb"}
    told = Step(**passed)
    assert told.length == 7.0
    assert sum(told.parts.values()) == pytest.approx(told.wall)


@pytest.mark.parametrize("told", ["", "echo '{\"peak_mb\": 1}'"], ids=["while it loads", "when it is asked for a step"])
def test_an_arm_that_dies_says_why(told: str, tmp_path: Path) -> None:
    interpreter = tmp_path / "python"
    interpreter.write_text(f"#!/bin/sh\n{told}\necho 'no memory is left' >&2\nexit 3\n", encoding="utf-8")
    interpreter.chmod(0o755)
    with pytest.raises(ArmFailed, match=r"status 3(.|\n)*no memory"), running(REPO, Setup(), interpreter, tmp_path / "log") as arm:
        arm.step()


# --- the same work --------------------------------------------------------------------------------------------------------------------


def test_an_answer_is_paid_as_our_trainer_pays_it(setup: Setup) -> None:
    stuff = material(setup)
    context = stuff.contexts[0]
    words = json.dumps({"move": context.allowed[0].key, "text": "Thank you, that helps."}, separators=(",", ":"))
    said: list[int] = stuff.tokenizer.encode(words, add_special_tokens=False)
    liked, unread = stuff.paid([(0, said), (0, said[:3])])
    assert liked > 1
    assert unread == stuff.unreadable


def test_a_reward_model_for_ppo_finds_context_and_answer_in_padded_rows() -> None:
    seen: list[tuple[int, Sequence[int]]] = []

    def pay(answers: Sequence[tuple[int, Sequence[int]]]) -> list[float]:
        seen.extend((number, list(ids)) for number, ids in answers)
        return [10.0 * number for number, _ in answers]

    gate = Gate(io.StringIO(), io.StringIO())
    model = Paying(pay, [[5, 6], [5, 6, 7, 8]], pad_id=0, gate=gate)
    rows = torch.tensor([[0, 0, 5, 6, 9, 2, 0], [5, 6, 7, 8, 9, 9, 2]])
    scores = model.score(model.trunk(input_ids=rows).hidden_states[-1])
    assert seen == [(0, [9, 2]), (1, [9, 9, 2])]
    assert scores[:, :, 0].tolist() == [[0.0] * 7, [10.0] * 7]
    assert gate.length == 2.5


def test_every_context_is_drawn_once(setup: Setup) -> None:
    stuff = material(setup)
    assert sorted(order(setup, 0)) == list(range(len(stuff.contexts)))
    assert stuff.contexts == material(setup).contexts


# --- whole runs -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_the_arms_take_turns_and_tell_of_every_step(setup: Setup, tmp_path: Path) -> None:
    names = [REPO, GRPO]
    measured = measure(setup, names, console=Console(file=io.StringIO()))
    assert {name: len(steps) for name, steps in measured.steps.items()} == dict.fromkeys(names, SMALL["steps"])
    for steps in measured.steps.values():
        for one in steps:
            assert set(one.parts) == set(PARTS)
            assert sum(one.parts.values()) == pytest.approx(one.wall)
            assert min(one.parts["rollout"], one.parts["values"], one.parts["update"], one.cpu) > 0
            assert 1 <= one.length <= SMALL["max_tokens"]
    assert len(measured.ratios()) == 1
    draw(measured.arms(), tmp_path / "speed.png")
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif(not ready(folder()), reason="TRL's last PPO is not installed: python -m benchmarks.training makes its environment")
def test_trls_last_ppo_takes_steps_too(setup: Setup) -> None:
    measured = measure(setup, [PPO], console=Console(file=io.StringIO()))
    assert len(measured.steps[PPO]) == SMALL["steps"]
    for one in measured.steps[PPO]:
        assert min(one.parts.values()) > 0
        assert 1 <= one.length <= SMALL["max_tokens"]


def test_every_arm_is_named_once() -> None:
    assert list(ARMS) == [REPO, GRPO, GRPO_FREE, PPO, OWN_CRITIC, JUDGED]


# --- the GPU's part -------------------------------------------------------------------------------------------------------------------


def test_work_is_counted_without_padding() -> None:
    groups = group([[5] * 3, [5] * 5], [[[7], [7, 7]], [[7, 7], [7, 7, 7]]], pad_id=0)
    # Prompts without their last tokens are 2 and 4 long; a reply's first token is foretold from that last one.
    assert work(groups) == Work(tokens=6 + 8, said=8, pairs=(3 + 10) + (1 + 3 + 3 + 6) + (2 * 3 + 4 * 5))


def test_operations_are_those_of_frozen_weights() -> None:
    config = Shape(name="x", layers=2, hidden=8, intermediate=8, heads=3, kv_heads=1, head_dim=5).config()
    assert Work(tokens=10, said=4, pairs=7).flops(config, body=100, head=50) == 4 * (100 * 10 + 50 * 4) + 12 * 2 * 3 * 5 * 7


def test_a_shape_is_measured_on_any_device() -> None:
    shape = Shape(name="toy", layers=1, hidden=16, intermediate=32, heads=2, kv_heads=1, head_dim=8, vocabulary=50, prompts=2, copies=2,
                  prompt_tokens=9, reply_tokens=4, minibatch=2)  # fmt: skip
    found = measure_on(shape, torch.device("cpu"), repeats=1)
    assert found.weights > 50 * 16
    assert found.mfu > 0
    assert found.sampled_tokens_per_s > 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="here is a GPU")
def test_without_a_gpu_it_says_so() -> None:
    with pytest.raises(NoGPU, match="no GPU"):
        main(["--gpu"])
