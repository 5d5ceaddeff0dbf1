"""In which order material is learnt from."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.objectives.order import in_order, rows_in_order
from training.objectives.settings import SFTSettings

KINDS = st.lists(st.sampled_from(["ask", "ask", "ask", "clarify", "calm"]), min_size=1, max_size=60)
PASSES = 40


def shares(kinds: Sequence[str], order: Sequence[int]) -> dict[str, float]:
    """Of each kind."""
    counts = Counter(kinds[place] for place in order)
    return {kind: counts[kind] / len(order) for kind in set(kinds)}


@given(kinds=KINDS, wanted=st.integers(1, 150), seed=st.integers(0, 99))
def test_that_without_balance_each_pass_goes_over_all_of_them(kinds: list[str], wanted: int, seed: int) -> None:
    order = in_order(kinds, wanted, balance=0.0, seed=seed)
    assert len(order) == wanted
    for start in range(0, wanted, len(kinds)):
        part = order[start : start + len(kinds)]
        assert len(set(part)) == len(part), "none comes again before all have come"


@given(kinds=KINDS, balance=st.floats(0, 1), seed=st.integers(0, 99))
def test_that_a_kind_gets_its_count_to_the_power_of_what_is_left(kinds: list[str], balance: float, seed: int) -> None:
    order = in_order(kinds, PASSES * len(kinds), balance=balance, seed=seed)
    weights = {kind: count ** (1 - balance) for kind, count in Counter(kinds).items()}
    for kind, share in shares(kinds, order).items():
        # A row's rounds begin and end at random, so that each may have one more or less.
        assert share == pytest.approx(weights[kind] / sum(weights.values()), abs=1.5 / PASSES)


@given(kinds=KINDS, seed=st.integers(0, 99))
def test_that_rows_of_a_kind_come_equally_often(kinds: list[str], seed: int) -> None:
    counts = Counter(in_order(kinds, 10 * len(kinds), balance=0.5, seed=seed))
    for kind in set(kinds):
        own = [counts[place] for place, other in enumerate(kinds) if other == kind]
        assert max(own) - min(own) <= 2


def test_that_the_seed_decides_and_each_pass_has_an_order_of_its_own() -> None:
    kinds = ["ask"] * 30
    first = in_order(kinds, 60, balance=0.5, seed=1)
    assert first == in_order(kinds, 60, balance=0.5, seed=1)
    assert first != in_order(kinds, 60, balance=0.5, seed=2)
    assert first[:30] != first[30:]


def test_that_nothing_cannot_be_brought_into_an_order() -> None:
    with pytest.raises(ValueError, match="no rows"):
        in_order([], 4, balance=0.5, seed=0)


def test_that_a_run_s_rows_are_balanced_by_the_move_that_they_make() -> None:
    def row(move: str, number: int) -> dict[str, object]:
        return {"completion": [{"role": "assistant", "content": f'{{"move":"{move}","text":"Number {number}."}}'}]}

    rows = [*(row("ask", number) for number in range(90)), row("clarify:tax", 90), *(row("clarify:dates", 91 + n) for n in range(9))]
    chosen = rows_in_order(rows, "completion", SFTSettings(balance=1.0), batch=10, steps=20)
    asked = sum('"ask"' in str(one) for one in chosen)
    assert len(chosen) == 200
    assert 95 <= asked <= 105, "a question back is one kind, whatever it is about"
