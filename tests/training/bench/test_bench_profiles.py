"""What is asked for on the command line: every wrong word is a sentence, before anything is started."""

from typing import Any

import pytest

from db.errors import ParleyError
from training.bench.arms import ABLATIONS, ARMS, OPTIONS, PAPER, BenchRefused
from training.bench.profiles import PROFILES, profile
from training.objectives.catalogue import settings_of


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"name": "huge"}, "There is no profile 'huge'; choose one of toy, quick, full"),
        ({"name": "quick", "arms": ["repo", "gropo"]}, r"There is no arm 'gropo' \(did you mean '"),
        ({"name": "quick", "values": ["dialoges=3"]}, "did you mean 'dialogues'"),
        ({"name": "quick", "values": ["dialogues"]}, "write key=value"),
        ({"name": "quick", "values": ["dialogues=0"]}, "dialogues cannot be 0"),
        ({"name": "quick", "values": ["arms=repo"]}, "There is no setting 'arms'"),
        ({"name": "quick", "values": ["rppo.steps=3"]}, "There is no objective 'rppo'"),
        ({"name": "quick", "values": ["repo.stepz=3"]}, "did you mean 'steps'"),
        ({"name": "quick", "values": ["repo.steps=many"]}, "steps cannot be 'many'"),
        ({"name": "quick", "values": ["repo.seed=3"]}, "the seed of a run is the benchmark's to choose"),
    ],
)
def test_that_what_is_not_known_is_refused_in_a_sentence(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(ParleyError, match=says):
        profile(**asked)


def test_that_settings_of_an_objective_are_added_to_the_profiles() -> None:
    before, after = PROFILES["quick"], profile("quick", values=["repo.beta=0.1", "dialogues=7", "sft.steps=9"], seeds=2)
    assert after.objectives["repo"] == before.objectives["repo"] | {"beta": 0.1}
    assert (after.objectives["sft"]["steps"], after.dialogues, after.seeds) == (9, 7, 2)
    assert after.objectives["grpo"] == before.objectives["grpo"]


def test_that_an_arm_that_is_named_twice_is_one() -> None:
    assert profile("full", arms=["repo", "dvpo", "repo"]).arms == ("repo", "dvpo")


def test_that_each_arm_of_each_profile_has_settings_that_its_objective_takes() -> None:
    for chosen in PROFILES.values():
        for name in chosen.arms:
            arm = ARMS[name]
            if arm.objective is not None:
                settings_of(arm.objective, {**chosen.objectives[arm.objective], **arm.settings, "seed": 1})


def test_that_the_full_profile_has_every_arm_and_no_two_the_same_training() -> None:
    assert set(PROFILES["full"].arms) == {*PAPER, *OPTIONS, *ABLATIONS} == set(ARMS) - {"dvpo_values", "dpo_flipped", "sft_promises"}
    assert PROFILES["full"].seeds >= 3
    alike = [
        (arm.objective, arm.reward.model_dump_json(), str(arm.settings), arm.flipped, arm.after, arm.rated_again) for arm in ARMS.values()
    ]
    assert len(set(alike)) == len(alike)


def test_that_arms_of_the_reward_model_alone_never_ask_a_judge() -> None:
    alone = [arm for arm in ARMS.values() if arm.reward.combine == "model"]
    assert {arm.name for arm in alone} >= {"base", "sft", "dpo", "ppo", "grpo"}
    assert not any(arm.reward.judge for arm in alone)
    with pytest.raises(BenchRefused):
        profile("quick", arms=["judge"])
