"""The order of work: whatever ends first, nothing begins before what it reads is whole, and everything is done once."""

import random
from pathlib import Path

import pytest

from training.bench.arms import arm
from training.bench.profiles import PROFILES, profile
from training.bench.stages import Work, adapter_of, material_folders, of, reward_model_folder, stages, startable


@pytest.mark.parametrize("at_once", [1, 2, 5])
@pytest.mark.parametrize("name", sorted(PROFILES))
def test_that_every_stage_is_done_once_after_all_that_it_needs(name: str, at_once: int) -> None:
    rng = random.Random(f"{name}/{at_once}")
    todo = stages(PROFILES[name])
    done: set[str] = set()
    running: list[str] = []
    order: list[str] = []
    while len(done) < len(todo):
        while len(running) < at_once and (stage := startable(todo, done, set(running))) is not None:
            assert done.issuperset(stage.needs)
            running.append(stage.name)
        ended = running.pop(rng.randrange(len(running)))
        done.add(ended)
        order.append(ended)
    assert sorted(order) == sorted(stage.name for stage in todo)


def test_that_a_frozen_critic_waits_for_the_training_it_comes_from() -> None:
    found = {stage.name: stage for stage in stages(profile("full", seeds=2))}
    values = of("dvpo_values", 1, Work.TRAINING)
    assert values in found
    assert values in found[of("dvpo", 1, Work.TRAINING)].needs
    assert of("dvpo_values", 1, Work.FIGURES) not in found, "nobody asked for it"


def test_that_an_arm_begins_where_the_one_before_it_ended() -> None:
    found = {stage.name: stage for stage in stages(profile("quick", arms=("base", "sft_repo"), seeds=2))}
    imitation = of("sft", 1, Work.TRAINING)
    assert imitation in found[of("sft_repo", 1, Work.TRAINING)].needs
    assert of("sft", 1, Work.FIGURES) not in found, "nobody asked for it"
    assert adapter_of(Path("b"), "sft", 1) == Path("b", imitation, "adapter")
    assert adapter_of(Path("b"), "base", 1) is None


def test_that_a_second_round_rates_what_the_first_one_writes_and_learns_from_both() -> None:
    found = {stage.name: stage for stage in stages(profile("quick", arms=("base", "repo", "repo_again"), seeds=2))}
    first, training = of("repo", 1, Work.TRAINING), found[of("repo_again", 1, Work.TRAINING)]
    material, reward_model = (found[of("repo_again", 1, work)] for work in (Work.MATERIAL, Work.REWARD_MODEL))
    assert material.needs == (first,)
    assert {material.name, "material"} == set(reward_model.needs)
    assert {first, material.name, reward_model.name} < set(training.needs)
    root = Path("b")
    assert material_folders(root, arm("repo_again"), 1) == (root / "material", material.folder(root))
    assert reward_model_folder(root, arm("repo_again"), 1) == reward_model.folder(root)
    assert material_folders(root, arm("repo_longer"), 1) == material_folders(root, None, 0) == (root / "material",)
    assert reward_model_folder(root, arm("repo_longer"), 1) == root / "reward-model"


def test_that_the_base_is_measured_and_not_trained() -> None:
    names = [stage.name for stage in stages(PROFILES["quick"])]
    assert of("base", 0, Work.FIGURES) in names
    assert of("base", 0, Work.TRAINING) not in names


def test_that_only_trainings_on_a_judges_marks_ask_the_judge() -> None:
    asking = {stage.name for stage in stages(PROFILES["quick"]) if stage.asks_the_judge}
    assert asking == {of("repo", 0, Work.TRAINING)}
