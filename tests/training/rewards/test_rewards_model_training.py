"""A training from rows to a folder that scores: it learns, it goes on after a kill to the same weights, it stops at a nan."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from reward_rows import CURT, KIND, emitted, message, preferences, prompt, references, settings
from safetensors.torch import load_file, save_file

from agent.language.prompts import Message
from tests import tiny_model
from training.rewards.model import (
    NotARewardModel,
    Rated,
    Report,
    RewardModel,
    RewardModelError,
    RewardModelSettings,
    TrainingDiverged,
    train,
    with_references,
)
from training.starter.progress import BuildEvent

LEARNED, HELD_OUT, REFERENCES = preferences(range(40)), preferences(range(100, 120), seed=1), references(range(200, 230))
Finished = tuple[Path, Report, RewardModelSettings]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tiny_model.build(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def finished(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder, chosen = tmp_path_factory.mktemp("reward") / "model", settings(base)
    rated = [
        Rated(prompt=prompt(number), completion=emitted(text), worth=worth)
        for number in range(100, 110)
        for texts, worth in ((KIND, 4.0), (CURT, 2.0))
        for text in texts
    ]
    return folder, train(LEARNED, HELD_OUT, REFERENCES, folder, chosen, rated=rated), chosen


def scored(model: RewardModel, texts: tuple[str, ...], number: int = 300) -> list[float]:
    asked = [[Message(role=said["role"], content=said["content"]) for said in prompt(number)] for _ in texts]
    return model.score(asked, [emitted(text) for text in texts])


def weights(folder: Path) -> str:
    return sha256((folder / "weights" / "model.safetensors").read_bytes()).hexdigest()


def test_that_it_learns_what_is_preferred(finished: Finished) -> None:
    folder, report, _ = finished
    assert report.accuracy.value > 0.95
    assert report.accuracy.n == 60
    assert set(report.accuracy_by_source) == {"comparison", "edit"}
    assert report.rank_correlation is not None
    assert report.rank_correlation > 0.8
    assert report.log_loss < 0.4
    model = RewardModel.load(folder)
    assert min(scored(model, KIND)) > max(scored(model, CURT))


def test_that_reference_replies_have_mean_zero_and_unit_deviation(finished: Finished) -> None:
    model = RewardModel.load(finished[0])
    prompts = [[Message(role=said["role"], content=said["content"]) for said in row["prompt"]] for row in REFERENCES]
    scores = torch.tensor(model.score(prompts, [row["completion"][0]["content"] for row in REFERENCES]), dtype=torch.float64)
    assert scores.mean().item() == pytest.approx(0, abs=1e-4)
    assert scores.std(correction=0).item() == pytest.approx(1, abs=1e-4)
    assert finished[1].below_zero_worse > 0.95


def test_that_zero_and_unit_can_be_set_by_other_replies(finished: Finished) -> None:
    model = RewardModel.load(finished[0])
    asked = [[Message(role=said["role"], content=said["content"]) for said in prompt(number)] for number in (300, 301) for _ in range(6)]
    replies = [emitted(text) for text in (*KIND, *CURT)] * 2
    before = torch.tensor(model.score(asked, replies), dtype=torch.float64)
    after = torch.tensor(model.centred_on(asked, replies).score(asked, replies), dtype=torch.float64)
    torch.testing.assert_close(after, (before - before.mean()) / before.std(correction=0), atol=1e-4, rtol=1e-4)
    with pytest.raises(RewardModelError, match="same score"):
        model.centred_on(asked[:1] * 3, replies[:1] * 3)


def test_that_report_and_page_are_written(finished: Finished) -> None:
    folder, report, _ = finished
    assert Report.model_validate_json((folder / "report.json").read_text()) == report
    page = (folder / "report.html").read_text()
    assert page.count("<svg") == 1
    assert "http" not in page
    assert json.loads((folder / "reward_model.json").read_text())["centre"]["references"] == 30


def test_that_a_finished_training_is_not_done_again(finished: Finished, base: Path) -> None:
    folder, report, chosen = finished
    events: list[BuildEvent] = []
    assert train(LEARNED, HELD_OUT, REFERENCES, folder, chosen, progress=events.append) == report
    assert events == []


@pytest.mark.parametrize("killed_at", [3, 12])
def test_that_a_killed_training_ends_with_the_same_weights(finished: Finished, tmp_path: Path, killed_at: int) -> None:
    def kill(event: BuildEvent) -> None:
        if event.done == killed_at:
            raise KeyboardInterrupt

    chosen = finished[2]
    with pytest.raises(KeyboardInterrupt):
        train(LEARNED, HELD_OUT, REFERENCES, tmp_path, chosen, progress=kill)
    with pytest.raises(NotARewardModel):
        RewardModel.load(tmp_path)
    # What a kill in the midst of writing a checkpoint leaves.
    (tmp_path / "checkpoints" / "checkpoint-999").mkdir(parents=True)
    events: list[BuildEvent] = []
    train(LEARNED, HELD_OUT, REFERENCES, tmp_path, chosen, progress=events.append)
    assert events[0].done == killed_at - killed_at % chosen.save_steps + 1
    assert weights(tmp_path) == weights(finished[0])


def test_that_a_model_with_a_nan_stops_the_training(base: Path, tmp_path: Path) -> None:
    broken = tiny_model.build(tmp_path / "base")
    tensors = load_file(broken / "model.safetensors")
    tensors["model.norm.weight"][0] = float("nan")
    save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(TrainingDiverged, match="loss became nan at step 0"):
        train(LEARNED, HELD_OUT, REFERENCES, tmp_path / "model", settings(broken))
    with pytest.raises(NotARewardModel):
        RewardModel.load(tmp_path / "model")


def test_that_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotARewardModel, match=str(tmp_path)):
        RewardModel.load(tmp_path)


def test_that_a_slot_model_wants_references_and_another_one_none(finished: Finished, base: Path, tmp_path: Path) -> None:
    demonstrations = [
        {"prompt": prompt(hotel), "completion": [message("assistant", emitted(f"Thanks indeed. {hotel}{mark}"))]}
        for hotel in (*range(40), *range(100, 120))
        for mark in "!?"
    ]
    own = references(range(200, 230))
    others = [{"prompt": row["prompt"], "completion": [message("assistant", emitted("Thanks a lot."))]} for row in own]
    train(
        with_references(LEARNED, demonstrations), with_references(HELD_OUT, demonstrations), with_references(own, others), tmp_path,
        settings(base, reference_slot=True, epochs=1),
    )  # fmt: skip
    model = RewardModel.load(tmp_path)
    asked = [[Message(role="user", content="hello")]]
    assert len(model.score(asked, ["Hi."], references=["Hello."])) == 1
    with pytest.raises(RewardModelError, match="needs a reference"):
        model.score(asked, ["Hi."])
    with pytest.raises(RewardModelError, match="without a reference slot"):
        RewardModel.load(finished[0]).score(asked, ["Hi."], references=["Hello."])


def test_that_rrm_trains_a_second_model_on_more_pairs(base: Path, tmp_path: Path) -> None:
    def moved(rows: list[dict[str, object]], move: str) -> list[dict[str, object]]:
        def with_move(said: object) -> list[dict[str, str]]:
            assert isinstance(said, list)
            return [message("assistant", said[0]["content"].replace('"ask"', f'"{move}"'))]

        return [{**row, "chosen": with_move(row["chosen"]), "rejected": with_move(row["rejected"])} for row in rows]

    # Half of the replies make a move that no prompt allows, and may so be drawn for any.
    rows = [*preferences(range(20)), *moved(preferences(range(20, 40)), "confirm")]
    phases: set[str] = set()
    report = train(
        rows, HELD_OUT, REFERENCES, tmp_path, settings(base, rrm=True, epochs=1), progress=lambda event: phases.add(event.phase)
    )  # fmt: skip
    assert phases == {"first reward model", "reward model", "measuring"}
    assert report.augmentation["rrm non-contextual"] > 0
    assert 0 < report.augmentation.get("rrm non-contextual, kept", 0) <= report.augmentation["rrm non-contextual"]
