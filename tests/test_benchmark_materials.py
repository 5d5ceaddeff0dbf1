"""Leads over several materials: paired by training, one unit a training or a material, and only where benchmarks are alike."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.materials import NotAlike, differences, document, lead, read, table
from tests.training.bench.bench_figures import case, dialogue, policy, written
from training.bench.measures import PolicyFigures
from training.bench.results import results, write_results


def rated_so(rating: float) -> PolicyFigures:
    return policy([dialogue(1, rating=rating), dialogue(2, rating=rating)], [case("early-ask")])


def bench(folder: Path, seed: int, *values: str, **ratings: tuple[float, ...]) -> Path:
    """A finished benchmark whose dialogues all have their training's rating."""
    folder.mkdir()
    plan = written(folder, {arm: list(map(rated_so, some)) for arm, some in ratings.items()}, f"seed={seed}", *values)
    write_results(folder, results(folder, plan))
    return folder


def test_that_trainings_are_paired_within_their_material(tmp_path: Path) -> None:
    first = bench(tmp_path / "0", 0, base=(3.0, 3.2), repo=(3.1, 3.5), sft=(3.4, 3.4))
    second = bench(tmp_path / "1", 1, base=(3.3, 3.3), repo=(3.4, 3.0))
    found = read([first, second])
    assert differences(found, "base", "rating") == [pytest.approx([0.1, 0.3]), pytest.approx([0.1, -0.3])]
    assert differences(found, "sft", "rating") == [pytest.approx([-0.3, 0.1])], "one material has it"
    told = json.loads(json.dumps(document(found), allow_nan=False))["rating"]
    assert {unit: one["above"] for unit, one in told["base"].items()} == {"trainings": 3, "materials": 1}, "the second is below"
    assert told["sft"]["materials"] == pytest.approx({"mean": -0.1, "half": None, "above": 0, "count": 1})
    console = Console(width=200, record=True)
    console.print(table(found, "rating"))
    assert "+0.05 (-0.35 to +0.45)" in console.export_text(), "Student's with three degrees of freedom"


def test_that_an_interval_is_students() -> None:
    one = lead([0.1, 0.2, 0.3])
    assert (one.mean, one.above, one.count) == (pytest.approx(0.2), 3, 3)
    assert one.half == pytest.approx(4.302653 * 0.1 / 3**0.5)


def test_that_what_is_not_alike_is_refused_by_name(tmp_path: Path) -> None:
    first = bench(tmp_path / "0", 0, base=(3.0,), repo=(3.1,))
    longer = bench(tmp_path / "1", 1, "repo.steps=60", base=(3.0,), repo=(3.1,))
    with pytest.raises(NotAlike, match=r"differs from .* in objectives"):
        read([first, longer])
    with pytest.raises(NotAlike, match="the same material"):
        read([first, first])
    with pytest.raises(NotAlike, match=r"has no bench\.json"):
        read([first, tmp_path])
    put_back = first / "bench.json"
    put_back.write_text(put_back.read_text().replace('"by_training"', '"by_hand"'))
    with pytest.raises(NotAlike, match="another release"):
        read([first])
