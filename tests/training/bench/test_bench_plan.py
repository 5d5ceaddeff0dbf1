"""A benchmark's folder: one plan, one benchmark at work in it."""

import subprocess
import sys
from pathlib import Path

import pytest

from training.bench.arms import BenchRefused
from training.bench.plan import PLAN, BenchPlan, begun
from training.bench.terminal import plan_of

_HOLD = """
import sys
from pathlib import Path
from training.bench.plan import BenchPlan, begun
folder = Path(sys.argv[1])
with begun(folder, BenchPlan.read(folder)):
    print("held", flush=True)
    sys.stdin.read()
"""


def plan(*values: str, seeds: int | None = None, judge: str = "none", arms: tuple[str, ...] = ()) -> BenchPlan:
    return plan_of("toy", arms=arms, seeds=seeds, values=values, judge=judge, spec=None)


def test_that_the_same_plan_finds_its_folder_as_it_was_begun(tmp_path: Path) -> None:
    first = plan("dialogues=2")
    with begun(tmp_path / "bench", first) as kept:
        assert kept == first
    other_code = first.model_copy(update={"git_revision": "another"})
    with begun(tmp_path / "bench", other_code) as kept:
        assert kept == first, "where it comes from is told as of the beginning"


def test_that_another_plan_is_refused_and_told_apart(tmp_path: Path) -> None:
    with begun(tmp_path, plan()):
        pass
    for other, says in (
        (plan("dialogues=2"), "other dialogues"),
        (plan(judge="http://x/v1"), "other judge"),
    ):
        with pytest.raises(BenchRefused, match=says), begun(tmp_path, other):
            pass


def test_that_more_seeds_and_other_arms_go_on_in_the_same_folder(tmp_path: Path) -> None:
    with begun(tmp_path, plan()) as first:
        pass
    more = plan(seeds=2, arms=("base", "grpo"))
    with begun(tmp_path, more.model_copy(update={"git_revision": "another"})) as kept:
        assert kept.profile == more.profile
        assert kept.git_revision == first.git_revision, "where it comes from is told as of the beginning"
    assert BenchPlan.read(tmp_path) == kept, "the processes of its stages read it from there"


def test_that_an_arm_that_has_become_another_is_refused_in_its_folder(tmp_path: Path) -> None:
    with begun(tmp_path, plan(arms=("base", "sft_repo"))) as kept:
        assert set(kept.definitions) == {"base", "sft_repo", "sft"}, "what it stands on is trained as well"
    other = plan(arms=("base", "sft"))
    changed = {name: what | {"flipped": True} if name == "sft" else what for name, what in other.definitions.items()}
    with (
        pytest.raises(BenchRefused, match="an arm 'sft' of another definition"),
        begun(tmp_path, other.model_copy(update={"definitions": changed})),
    ):
        pass
    with begun(tmp_path, plan(arms=("base", "repo"))) as kept:
        assert set(kept.definitions) == {"base", "sft_repo", "sft", "repo"}, "it still holds what was asked for before"


def test_that_a_plan_of_before_definitions_takes_what_is_asked_for(tmp_path: Path) -> None:
    with begun(tmp_path, plan().model_copy(update={"definitions": {}})):
        pass
    with begun(tmp_path, plan()) as kept:
        assert kept.definitions == plan().definitions


def test_that_a_folder_with_something_else_in_it_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BenchRefused, match="holds no benchmark"), begun(tmp_path, plan()):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_that_a_plan_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with begun(tmp_path, plan()):
        pass
    (tmp_path / PLAN).write_text("{")
    with pytest.raises(BenchRefused, match="cannot be read as the plan"), begun(tmp_path, plan()):
        pass


def test_that_two_benchmarks_never_work_in_one_folder(tmp_path: Path) -> None:
    with begun(tmp_path, plan()):
        pass
    other = subprocess.Popen([sys.executable, "-c", _HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(BenchRefused, match="Another benchmark is at work"), begun(tmp_path, plan()):
            pass
    finally:
        other.communicate("")
    with begun(tmp_path, plan()):
        pass


def test_that_leaving_the_judge_out_twice_is_refused() -> None:
    """The two arms would be one training, and their difference would be told as a finding."""
    with pytest.raises(BenchRefused, match="repo_no_rj is REPO itself"):
        plan_of("full", arms=(), seeds=None, values=(), judge="none", spec=None)
    assert plan_of("full", arms=(), seeds=None, values=(), judge="starter", spec=None).asks_a_judge
