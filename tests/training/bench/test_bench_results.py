"""What is made of figures: goals as they are, REPO against each by pairs, and a page in which a model's words stay words."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import pytest

from tests.training.bench.bench_figures import case, dialogue, policy, written
from training.badcases import cases as shipped
from training.bench.measures import PolicyFigures, Sample
from training.bench.page import render, write_page
from training.bench.plan import BenchPlan
from training.bench.results import RESULTS, Results, measured_figures, results, write_results
from training.bench.show import tables

EVIL = '<script src="https://example.org/x.js"></script>'


def measured(ratings: Sequence[float], *, clean: int, said: str = "Thank you.") -> PolicyFigures:
    """As many cases as dialogues, of which ``clean`` are fixed cleanly."""
    sample = Sample(
        number=1, turn=1, hotel="Harbour", persona="sceptic", facts=("#1 Double",), heard="", move="greet", reply=said,
        readable=True, stars=3.0,
    )  # fmt: skip
    dialogues = [dialogue(number, rating=rating, excellent=rating >= 4) for number, rating in enumerate(ratings, start=1)]
    dialogues[0] = dialogues[0].model_copy(update={"language": "zh"})
    cases = [case(known.id, clean=number < clean) for number, known in enumerate(shipped()[: len(ratings)])]
    return policy(dialogues, cases).model_copy(update={"samples": (sample,)})


RISING = [4.5, 4.7, 4.6, 4.8, 4.5, 4.9, 4.7, 4.6, 4.8, 4.7]
LOW = [rating - 1.5 for rating in RISING]


@pytest.fixture
def whole(tmp_path: Path) -> tuple[Path, BenchPlan]:
    arms = {arm: measured(LOW, clean=4) for arm in ("base", "sft", "dpo", "ppo")}
    return tmp_path, written(tmp_path, {**arms, "grpo": measured(RISING, clean=8), "repo": measured(RISING, clean=8, said=EVIL)})


def test_that_goals_are_set_beside_what_was_reached(whole: tuple[Path, BenchPlan]) -> None:
    goals = {goal.figure: goal for goal in results(*whole).goals}
    assert (goals["rating"].reached.value, goals["rating"].met) == (pytest.approx(4.68), True)
    assert (goals["clean_fix"].reached.value, goals["clean_fix"].met) == (0.8, True)
    assert goals["fix"].met is True
    assert goals["clean_fix"].reached.low < 0.8 < goals["clean_fix"].reached.high


def test_that_a_goal_that_was_missed_is_told_as_missed(tmp_path: Path) -> None:
    found = results(tmp_path, written(tmp_path, {"base": measured(LOW, clean=4), "repo": measured(LOW, clean=4)}))
    assert {goal.figure: goal.met for goal in found.goals} == {"fix": True, "clean_fix": False, "excellent": False, "rating": False}
    assert found.wins == {}


def test_that_repo_is_better_only_where_the_pairs_say_so(whole: tuple[Path, BenchPlan]) -> None:
    found = results(*whole)
    verdicts = {(one.other, one.figure): one.verdict for one in found.comparisons}
    assert verdicts["base", "rating"] == "better"
    assert verdicts["grpo", "rating"] == verdicts["grpo", "clean_fix"] == "undecided"
    assert all(one.p_corrected >= one.p for one in found.comparisons)
    assert found.wins == dict.fromkeys(("rating", "excellent", "clean_fix"), False), "as good as GRPO is not above it"


def test_that_worse_is_told_as_worse(tmp_path: Path) -> None:
    found = results(tmp_path, written(tmp_path, {"sft": measured(RISING, clean=8), "repo": measured(LOW, clean=4)}))
    assert {one.verdict for one in found.comparisons if one.figure == "rating"} == {"worse"}


def test_that_the_document_is_read_again_as_it_was_written(whole: tuple[Path, BenchPlan]) -> None:
    root, plan = whole
    found = results(root, plan)
    write_results(root, found)
    assert Results.model_validate_json((root / RESULTS).read_text()) == found


def test_that_a_models_words_stay_words_on_the_page(whole: tuple[Path, BenchPlan]) -> None:
    page = write_page(*whole, results(*whole)).read_text()
    assert EVIL not in page
    assert "&lt;script src=" in page
    for part in ("Goals", "REPO against each", "side by side", "rating 1-5: not above all"):
        assert part in page


def test_that_learning_curves_are_drawn_for_every_arm_however_many(whole: tuple[Path, BenchPlan]) -> None:
    root, plan = whole
    found = results(root, plan)
    curves = {arm: {step: {"held_out/model": step / 10} for step in (0, 1, 2)} for arm in ("sft", "dpo", "ppo", "grpo", "repo")}
    page = render(found, curves, measured_figures(root, plan))
    assert page.count("<figcaption>Reward model on validation hotels, R_model</figcaption>") == 2, "four curves a chart"
    assert page.count("step 2: 0.2</title>") == 5


def test_that_every_arm_has_its_line_in_the_tables(whole: tuple[Path, BenchPlan]) -> None:
    found = results(*whole)
    assert [table.row_count for table in tables(found)] == [6, 6, 6, 15, 4]


def test_that_bad_cases_are_told_by_language_and_by_fault(whole: tuple[Path, BenchPlan]) -> None:
    found = results(*whole)
    language = {known.id: known.context.language for known in shipped()}
    clean = [language[known.id] for known in shipped()[:8]]
    repo = next(row for row in found.rows if row.arm == "repo")
    assert {name: some.clean for name, some in repo.cases_by_language.items()} == {name: clean.count(name) for name in ("en", "zh")}
    assert sum(some.answers for some in repo.cases_by_fault.values()) == 10
    page = write_page(*whole, found).read_text()
    assert "bad cases" in page
    assert "Chinese" in page
    assert repo.rating_by_language == {"en": pytest.approx(fmean(RISING[1:])), "zh": RISING[0]}
    assert "4.50, " in page, "the one Chinese dialogue"


def test_that_each_training_stands_beside_their_mean(tmp_path: Path) -> None:
    two = measured(LOW, clean=4), measured(RISING, clean=8)
    plan = written(tmp_path, {"repo": two})
    found = results(tmp_path, plan)
    (row,) = found.rows
    assert row.by_training["rating"] == pytest.approx((fmean(LOW), fmean(RISING)))
    assert row.by_training["clean_fix"] == pytest.approx((0.4, 0.8))
    assert row.figures["rating"].value == pytest.approx(fmean([*LOW, *RISING]))
    page = write_page(tmp_path, plan, found).read_text()
    assert f"repo, training 1: {fmean(RISING):.4g}</title>" in page
    assert "strokes are single trainings" in page
    assert "rating by seed" in [str(column.header) for column in tables(found)[0].columns]


def test_that_stars_are_drawn_along_the_dialogues_and_told_of_late_ones(tmp_path: Path) -> None:
    def falling(stars: Sequence[float]) -> PolicyFigures:
        return policy([dialogue(1, stars=stars), dialogue(2, stars=stars[:2])], [case(shipped()[0].id)])

    figures = {"base": falling([3.0] * 9), "repo": falling([4.0] * 6 + [2.0, 2.0, 3.5])}
    plan = written(tmp_path, figures)
    found = results(tmp_path, plan)
    later = {row.arm: row.figures["later"].value for row in found.rows}
    assert later == {"base": 3.0, "repo": 2.5}, "of the one dialogue that goes so far"
    page = write_page(tmp_path, plan, found).read_text()
    assert "repo, reply 2: 4</title>" in page
    assert "repo, reply 8: 2.5</title>" in page
    assert page.count("Stars of our replies, in the order of a dialogue</figcaption>") == 1


def test_that_figures_from_before_stars_were_kept_have_no_curve_and_no_late_rating(whole: tuple[Path, BenchPlan]) -> None:
    found = results(*whole)
    assert all("later" not in row.figures and "later" not in row.by_training for row in found.rows)
    assert "in the order of a dialogue" not in write_page(*whole, found).read_text()
