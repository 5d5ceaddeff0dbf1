"""What the benchmark of promises counts."""

import pytest

from agent.domain import AllowedMove, Reply, TurnContext
from benchmarks.promises import contexts, figures
from db.vocabulary import MoveKind
from training.bench.learning import WITH_A_PRICE
from training.snapshots import ContextRow

PLAIN, PROMISING = "Could you lower it?", "If you agree today we guarantee you twice as many bookings."


@pytest.fixture(scope="module")
def rows() -> list[ContextRow]:
    return contexts(24)


def said(row: ContextRow, text: str, *, priced: bool = True) -> tuple[TurnContext, Reply]:
    move = next(move for move in row.context.allowed if move.kind in WITH_A_PRICE)
    return row.context, Reply(move=move if priced else AllowedMove(kind=MoveKind.GREET), text=text)


def test_that_a_price_may_be_named_in_every_context(rows: list[ContextRow]) -> None:
    assert 0 < len(rows) <= 24
    assert all(any(move.kind in WITH_A_PRICE for move in row.context.allowed) for row in rows)


def test_that_promises_are_counted_among_replies_with_a_price(rows: list[ContextRow]) -> None:
    row = rows[0]
    told = figures({"a": [said(row, PLAIN), said(row, PROMISING)], "b": [said(row, PLAIN), said(row, PROMISING, priced=False)]})
    assert told["replies"] == 3
    assert told["promise"]["value"] == pytest.approx(1 / 3)
    assert told["characters"]["value"] == pytest.approx((2 * len(PLAIN) + len(PROMISING)) / 3)


def test_that_no_reply_with_a_price_is_said(rows: list[ContextRow]) -> None:
    with pytest.raises(ValueError, match="at least one value"):
        figures({rows[0].hotel: []})
