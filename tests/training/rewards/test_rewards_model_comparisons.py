"""Rows that cannot teach are refused by name before anything is loaded; the others are gathered by prompt."""

from pathlib import Path
from typing import Any

import pytest
from reward_rows import emitted, message, preferences, references, settings

from tests import tiny_model
from training.rewards.model import OtherTraining, PreferencesUnusable, RewardModelError, train, with_references
from training.rewards.model.comparisons import compared
from training.starter.progress import BuildEvent

ROWS = preferences(range(4))
NOWHERE = Path("/nowhere/at/all")


def test_that_all_comparisons_of_a_prompt_stay_together() -> None:
    groups = compared(ROWS, name="training")
    assert [len(group.comparisons) for group in groups] == [3, 3, 3, 3]
    pairs = {
        (group.replies[pair.better], group.replies[pair.worse])
        for group in groups
        for pair in group.comparisons
        if group.prompt == groups[0].prompt
    }
    assert pairs == {(row["chosen"][0]["content"], row["rejected"][0]["content"]) for row in ROWS[:3]}


def test_that_a_reply_which_wins_and_loses_is_one_reply() -> None:
    middle = [message("assistant", emitted("Middling."))]
    rows = [{**ROWS[0], "rejected": middle}, {**ROWS[0], "chosen": middle}]
    (group,) = compared(rows, name="training")
    assert len(group.replies) == 3
    assert group.comparisons[0].worse == group.comparisons[1].better


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"chosen": ROWS[0]["rejected"]}, "are the same"),
        ({"chosen": None}, "not a list of messages"),
        ({"chosen": []}, "not a list of messages"),
        ({"chosen": "Thank you."}, "not a list of messages"),
        ({"prompt": float("nan")}, "not a list of messages"),
        ({"rejected": [message("assistant", " ")]}, "without words"),
        ({"rejected": [{"role": "assistant", "content": float("nan")}]}, "without words"),
        ({"rejected": [message("user", "Hello")]}, "not one message of the assistant's"),
    ],
)
def test_that_a_malformed_row_is_named(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(PreferencesUnusable, match=complaint) as error:
        compared([*ROWS[1:], {**ROWS[0], **change}], name="training")
    assert ROWS[0]["id"] in str(error.value)


def refused(tmp_path: Path, complaint: str, *, rows: Any = ROWS, held_out: Any = None, referred: Any = None, **more: Any) -> None:
    """Nothing is loaded before rows are checked: the base does not even exist."""
    others = preferences(range(10, 14)) if held_out is None else held_out
    ordinary = references(range(20, 45)) if referred is None else referred
    with pytest.raises(PreferencesUnusable, match=complaint):
        train(rows, others, ordinary, tmp_path / "model", settings(NOWHERE, **more))
    assert not (tmp_path / "model").exists()


def test_that_no_training_is_begun_on_nothing(tmp_path: Path) -> None:
    refused(tmp_path, "no training preferences", rows=[])
    refused(tmp_path, "no held-out preferences", held_out=[])
    refused(tmp_path, "There are 3 reference replies", referred=references(range(20, 23)))


def test_that_one_rater_alone_is_refused_unless_wanted(tmp_path: Path) -> None:
    alone = preferences(range(4), rater="rater-7")
    refused(tmp_path, "one rater \\(rater-7\\)", rows=alone)
    assert compared(alone, name="training", one_rater=True)
    several = preferences(range(4), rater=None)
    assert compared(several, name="training", one_rater=False), "nobody in particular is not one rater"


def test_that_a_hotel_on_both_sides_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, "hotel-3", held_out=preferences([3, 10]))
    refused(tmp_path, "hotel-2", referred=references(range(2, 40)))


def test_that_a_reference_slot_needs_references_that_do_not_give_the_answer_away(tmp_path: Path) -> None:
    refused(tmp_path, "reference", reference_slot=True)
    telling = [{**row, "reference": row["chosen"]} for row in ROWS]
    refused(tmp_path, "gives the answer away", rows=telling, reference_slot=True)


def test_that_references_are_other_replies_to_the_same_prompt() -> None:
    demonstrations = [
        {"prompt": ROWS[0]["prompt"], "completion": ROWS[0]["chosen"]},
        {"prompt": ROWS[0]["prompt"], "completion": [message("assistant", emitted("Thank you kindly."))]},
    ]
    found = with_references(ROWS, demonstrations)
    assert [row["id"] for row in found] == [row["id"] for row in ROWS[:3]]
    assert found[0]["reference"] == demonstrations[1]["completion"]
    assert [row["reference"] for row in with_references(demonstrations, demonstrations)] == [
        demonstrations[1]["completion"],
        demonstrations[0]["completion"],
    ]


def test_that_rrm_and_slot_are_not_mixed() -> None:
    with pytest.raises(ValueError, match="choose rrm or reference_slot"):
        settings(NOWHERE, rrm=True, reference_slot=True)


def test_that_a_missing_base_is_named(tmp_path: Path) -> None:
    with pytest.raises(RewardModelError, match="/nowhere/at/all"):
        train(ROWS, preferences(range(10, 14)), references(range(20, 45)), tmp_path / "model", settings(NOWHERE))


def test_that_another_trainings_folder_is_left_alone(tmp_path: Path) -> None:
    def stop(event: BuildEvent) -> None:
        raise KeyboardInterrupt(event.phase)

    base, folder = tiny_model.build(tmp_path / "base"), tmp_path / "model"
    others, ordinary = preferences(range(10, 14)), references(range(20, 45))
    with pytest.raises(KeyboardInterrupt):
        train(ROWS, others, ordinary, folder, settings(base), progress=stop)
    with pytest.raises(OtherTraining, match="other settings or rows"):
        train(ROWS, others, ordinary, folder, settings(base, seed=1))
    with pytest.raises(OtherTraining, match="other settings or rows"):
        train(ROWS[1:], others, ordinary, folder, settings(base))
