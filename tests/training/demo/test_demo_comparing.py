"""Before and after, by pairs of hotels."""

from decimal import Decimal

import pytest

from training.demo.comparing import compared
from training.demo.raters import Rated
from training.dialogues import Room


def room(agreed: str | None, *, ceiling: str = "100", reservation: str = "80") -> Room:
    net = None if agreed is None else Decimal(agreed)
    return Room(label=1, agreed=net, ceiling=Decimal(ceiling), reservation=Decimal(reservation), meant=net)


def rated(*stars: float, rooms: tuple[Room, ...] = ()) -> Rated:
    return Rated(stars=stars, rooms=rooms)


def test_figures_are_means_over_the_hotels_that_were_met_both_times() -> None:
    before = {1: rated(3, 4, rooms=(room(None),)), 2: rated(2, rooms=(room("95"), room(None))), 9: rated(5)}
    after = {1: rated(4, 5, rooms=(room("85"),)), 2: rated(3, rooms=(room("90"), room("80")))}
    found = compared(before, after)
    stars, agreed, captured = found["stars"], found["agreed"], found["captured"]
    assert (stars.before.value, stars.after.value, stars.difference.value, stars.hotels) == (2.75, 3.75, 1.0, 2)
    assert (agreed.before.value, agreed.after.value) == (0.25, 1.0)
    assert captured.before.value == pytest.approx((0 + 0.125) / 2)
    assert captured.after.value == pytest.approx((0.75 + 0.75) / 2)
    assert stars.difference.low == stars.difference.high == 1.0, "both rose alike"
    assert stars.p == 0.5, "of two pairs, half of the signs are as far from zero"


def test_a_clear_rise_is_beyond_chance_and_none_is_not() -> None:
    hotels = range(24)
    before = {number: rated(3.0 + number % 3 / 10) for number in hotels}
    risen = compared(before, {number: rated(3.6 + number % 5 / 10) for number in hotels})["stars"]
    assert risen.p < 0.001
    assert 0 < risen.difference.low < risen.difference.value < risen.difference.high
    same = compared(before, before)["stars"]
    assert (same.p, same.difference.value) == (1.0, 0.0)


def test_what_no_two_hotels_tell_is_missing() -> None:
    impossible = (room(None, ceiling="70"),)
    found = compared({1: rated(3, rooms=impossible), 2: rated(3)}, {1: rated(4, rooms=impossible), 2: rated(4)})
    assert [*found] == ["stars"]
