"""The benchmark of reading: what it holds for right, and how it counts."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from agent.domain import HotelMove, HotelOffer
from benchmarks import reading
from benchmarks.reading import Turn, TurnSet, held_out, prices_right, rules, scored
from db.vocabulary import HotelMoveKind, PriceBasis

K = HotelMoveKind


@pytest.fixture(scope="module")
def simulated() -> TurnSet:
    return held_out(negotiations=4)


def test_held_out_messages_carry_the_simulators_truth(simulated: TurnSet) -> None:
    assert {turn.kind for turn in simulated.turns} >= {K.OFFER, K.AGREE}
    assert all(turn.text.strip() for turn in simulated.turns)
    assert all(bool(turn.prices) <= (turn.kind is K.OFFER) for turn in simulated.turns)


def test_a_sample_is_the_same_every_time_and_no_larger_than_asked(simulated: TurnSet) -> None:
    assert simulated.sample(5).turns == simulated.sample(5).turns
    assert len(simulated.sample(5).turns) == 5
    assert simulated.sample(10_000) is simulated


def test_the_score_counts_kinds_amounts_and_yeses_that_nobody_gave(simulated: TurnSet) -> None:
    turn = next(turn for turn in simulated.turns if turn.prices)
    offers = tuple(HotelOffer(amount=amount, basis=basis or PriceBasis.NET) for amount, basis in turn.prices or ())
    question = replace(turn, kind=K.QUESTION, prices=frozenset())
    score = scored([turn, question], [HotelMove(kind=K.OFFER, offers=offers), HotelMove(kind=K.AGREE)])

    assert (score.n, score.accuracy, score.balanced, score.imagined_yes) == (2, 0.5, 0.5, 1)
    assert (score.amounts_n, score.amounts, score.imagined_prices) == (1, 1.0, 0)
    assert score.interval[0] < 0.5 < score.interval[1]


@pytest.mark.parametrize(
    ("amount", "basis", "right"),
    [(440, PriceBasis.NET, True), (440, PriceBasis.SELLING, False), (441, PriceBasis.NET, False)],
)
def test_an_amount_is_right_with_its_kind_only(simulated: TurnSet, amount: int, basis: PriceBasis, right: bool) -> None:
    turn = replace(simulated.turns[0], prices=frozenset({(Decimal(440), PriceBasis.NET)}))
    move = HotelMove(kind=K.OFFER, offers=(HotelOffer(amount=Decimal(amount), basis=basis),))

    assert prices_right(turn, move) is right


def test_every_third_party_set_is_mapped_and_read(parley_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_DATA", str(parley_data))
    sets = [*reading.negochat(), reading.craigslist_buttons(), reading.craigslist_weak(), reading.yes_no()]
    for each in sets:
        some = each.sample(30).turns
        assert len({turn.kind for turn in some}) > 1, each.name
        assert scored(some, rules(some)).n == len(some)


def test_the_linear_baseline_answers_every_message(simulated: TurnSet) -> None:
    read = reading.linear(negotiations=12)
    turns: list[Turn] = list(simulated.turns[:10])

    assert [move.kind for move in read(turns)] == [move.kind for move in read(turns)]
    assert scored(turns, read(turns)).n == 10
