"""What the training process does with a plan: material, reward, judge, samples; and what it refuses before the first step."""

import json
from functools import reduce
from pathlib import Path

import pytest

from agent.serving.starter import MODEL_FOLDER
from db.errors import ParleyError
from tests.training.rewards.judge_servers import GOOD, judging, says
from tests.training.runs.run_scenes import Scene, plan_of, reward_model
from training.objectives.settings import SettingsError
from training.rewards.model import TrainingDiverged
from training.runs.events import Began, Checked, Ended, Event, Measured, Rehearsed
from training.runs.rehearsal import FILE
from training.runs.status import Status
from training.runs.work import work


def worked(folder: Path) -> list[Event]:
    told: list[Event] = []
    work(plan_of(folder), folder, told.append)
    return told


def test_that_a_reward_that_is_no_number_stops_it_before_the_first_step(scene: Scene, tmp_path: Path) -> None:
    broken = reward_model(tmp_path / "broken", scene.base, broken=True)
    folder = scene.begun(tmp_path / "run", reward_model=broken)
    told: list[Event] = []
    with pytest.raises(TrainingDiverged):
        work(plan_of(folder), folder, told.append)
    assert told == []
    assert not (folder / "checkpoints").exists()


def test_that_settings_at_odds_stop_it_before_the_first_step(scene: Scene, tmp_path: Path) -> None:
    folder = scene.begun(tmp_path / "run", settings={"prompts": 3, "minibatches": 2})
    with pytest.raises(SettingsError, match="3 prompts cannot be split"):
        worked(folder)
    folder = scene.begun(tmp_path / "long", settings={"max_tokens": 1024})
    with pytest.raises(ParleyError, match="window"):
        worked(folder)
    assert not (folder / "checkpoints").exists()


@pytest.mark.parametrize("objective", ["sft", "dpo", "grpo"])
def test_that_every_kind_of_objective_is_trained_from_a_snapshot(scene: Scene, tmp_path: Path, objective: str) -> None:
    folder = scene.begun(tmp_path / "run", objective, reward_model=None if objective == "sft" else scene.reward_model)
    first, second, *measured, last = worked(folder)
    assert isinstance(first, Checked)
    assert first.settings["learning_rate"] > 0
    assert second == Began(step=0)
    assert isinstance(last, Ended)
    assert (last.finished, last.step) == (True, first.steps)
    assert all(isinstance(event, Measured) for event in measured)
    held_out = [event for event in measured if isinstance(event, Measured) and "held_out/total" in event.values]
    assert bool(held_out) == (objective != "sft"), "without a reward model nothing is measured"


def test_that_what_nobody_shows_is_rehearsed_by_the_policy_that_begins(scene: Scene, tmp_path: Path) -> None:
    settings = {"rehearsal": 1, "steps": 1}
    folder = scene.begun(tmp_path / "run", "sft", base=MODEL_FOLDER, start="policy-v1", reward_model=None, settings=settings, samples=0)
    first, *_, last = told = worked(folder)
    assert isinstance(last, Ended)
    assert isinstance(first, Rehearsed)
    assert Status().after(first).before == f"rehearsal, 0 of {first.total} replies"
    assert reduce(Status.after, told, Status()).before == ""
    rehearsed = [json.loads(line) for line in (folder / FILE).read_text().splitlines()]
    assert {row["language"] for row in rehearsed} == {"en", "zh"}
    moves = [(row["language"], json.loads(row["completion"][0]["content"])["move"]) for row in rehearsed]
    assert ("zh", "greet") in moves
    assert len(moves) > 15


def test_that_a_judge_marks_the_replies_of_the_starter_model_and_samples_tell_of_it(scene: Scene, tmp_path: Path) -> None:
    settings = {"max_tokens": 96, "steps": 1, "held_out_every": 1, "learning_rate": 1e-4}
    with judging(says(GOOD)) as server:
        folder = scene.begun(tmp_path / "run", base=MODEL_FOLDER, judge=server.url, settings=settings, samples=2)
        told = worked(folder)
    ended = told[-1]
    assert isinstance(ended, Ended)
    assert ended.judged["judged"] > 0
    assert ended.judged["remembered"] > 0, "held-out replies of the same weights are the same"
    learned = [event.values for event in told if isinstance(event, Measured) and "reward/judge" in event.values]
    assert learned
    assert learned[0]["reward/judge_missing_share"] == 0
    samples = json.loads((folder / "samples.json").read_text())
    assert len(samples) == 2
    assert all(sample[when]["text"] and sample[when]["judge"] is not None for sample in samples for when in ("before", "after"))


def test_that_judgements_of_a_judge_that_talks_nonsense_are_missing_and_counted(scene: Scene, tmp_path: Path) -> None:
    settings = {"max_tokens": 96, "steps": 1, "held_out_every": 1, "learning_rate": 1e-4}
    with judging(says("I am a teapot")) as server:
        folder = scene.begun(tmp_path / "run", base=MODEL_FOLDER, judge=server.url, judge_may_be_missing=True, settings=settings, samples=0)
        *_, ended = told = worked(folder)
    assert isinstance(ended, Ended)
    assert ended.judged["not the rubric's marks"] > 0
    learned = [event.values for event in told if isinstance(event, Measured) and "reward/total" in event.values]
    assert learned[0]["reward/judge_missing_share"] > 0
    assert isinstance(learned[0]["reward/total"], float)
