"""The benchmark reaches its goals on the third-party sets, where they are there."""

from collections.abc import Callable, Iterator

import pytest

from benchmarks.prices import SETS, Score, data_folder, figures, rows_of

needs_data = pytest.mark.skipif(
    not (data_folder() / "price_duckling.jsonl").exists() and not (data_folder() / "price_duckling.jsonl.gz").exists(),
    reason=f"the third-party sets are not in {data_folder()}: set PARLEY_DATA to their folder",
)


@needs_data
@pytest.mark.parametrize("scored", SETS, ids=[scored.__name__ for scored in SETS])
def test_every_goal_is_reached(scored: Callable[[], Iterator[Score]]) -> None:
    for score in scored():
        assert score.total
        assert score.goal is None or score.percent >= score.goal, (score.name, score.language, score.percent, score.misses[:5])


def test_missing_data_is_named_with_the_mend() -> None:
    with pytest.raises(FileNotFoundError, match="PARLEY_DATA"):
        rows_of("no_such_set")


def test_figures_are_flat_and_named_by_set_and_language() -> None:
    score = Score("A set, of rows", "en", right=1, total=2)
    assert figures([score], 12_345.6) == {"a_set_of_rows_en_percent": 50.0, "a_set_of_rows_en_rows": 2, "turns_per_second": 12346}
