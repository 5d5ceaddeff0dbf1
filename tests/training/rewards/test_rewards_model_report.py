"""The report's measures on scores whose faults are known."""

import random
from math import exp, log

import pytest
from reward_rows import emitted

from training.rewards.model.page import calibration_svg, render
from training.rewards.model.report import (
    LengthBias,
    PhraseBias,
    Report,
    ScoredPair,
    ScoredReply,
    Share,
    accuracy,
    accuracy_by,
    between_prompts,
    calibration,
    length_bias,
    log_loss,
    phrase_bias,
    rank_correlation,
)
from training.rewards.model.scorer import Centre

RNG = random.Random(5)


def pair(
    gap: float, better: str = "a b", worse: str = "c d", source: str = "edit", hotel: str = "", language: str = ""
) -> ScoredPair:  # fmt: skip
    return ScoredPair(better=emitted(better), worse=emitted(worse), gap=gap, source=source, hotel=hotel, language=language)


def drawn(chance: float, sharpness: float = 1.0) -> ScoredPair:
    """A pair whose first side truly wins with this chance; the model's logit is the true one times ``sharpness``."""
    gap = sharpness * log(chance / (1 - chance))
    return pair(gap) if RNG.random() < chance else pair(-gap)


def test_accuracy_counts_ties_half_and_is_by_source() -> None:
    pairs = [pair(1.0), pair(-1.0, source="comparison"), pair(0.0), pair(2.0)]
    assert accuracy(pairs).value == pytest.approx(2.5 / 4)
    by_source = accuracy_by(pairs, lambda one: one.source)
    assert (by_source["comparison"].value, by_source["comparison"].n) == (0.0, 1)
    assert by_source["edit"].value == pytest.approx(2.5 / 3)


def test_that_pairs_of_an_unknown_language_are_of_none() -> None:
    pairs = [pair(1.0, language="en"), pair(-1.0, language="zh"), pair(1.0)]
    by_language = accuracy_by(pairs, lambda one: one.language)
    assert {code: (share.value, share.n) for code, share in by_language.items()} == {"en": (1.0, 1), "zh": (0.0, 1)}


@pytest.mark.parametrize(("offset", "noise", "share"), [(0.0, 1.0, 0.0), (1.0, 1.0, 0.5), (2.0, 1.0, 0.8), (1.0, 0.0, 1.0)])
def test_that_the_share_between_prompts_is_that_of_their_offsets(offset: float, noise: float, share: float) -> None:
    rng = random.Random(11)
    groups = [[at + rng.gauss(0, noise) for _ in range(rng.choice((2, 5, 9)))] for at in (rng.gauss(0, offset) for _ in range(2000))]
    assert between_prompts(groups) == pytest.approx(share, abs=0.03)


def test_that_single_replies_tell_nothing_of_prompts() -> None:
    assert between_prompts([[1.0], [2.0], [3.0, 4.0]]) is None


def test_that_the_interval_is_wider_where_pairs_are_of_few_hotels() -> None:
    gaps = [1.0, -1.0] * 100
    many = accuracy([pair(gap, hotel=str(place)) for place, gap in enumerate(gaps)])
    few = accuracy([pair(gap, hotel=str(gap > 0)) for gap in gaps])
    assert many.low < 0.5 < many.high
    assert few.high - few.low > 3 * (many.high - many.low)


def test_that_true_chances_are_calibrated_and_bold_ones_are_not() -> None:
    chances = [RNG.uniform(0.5, 0.95) for _ in range(6000)]
    honest_bins, honest = calibration([drawn(chance) for chance in chances])
    _, bold = calibration([drawn(chance, 3.0) for chance in chances])
    assert honest < 0.03
    assert bold > 0.1
    assert sum(one.n for one in honest_bins) == 6000
    assert all(abs(one.predicted - one.frequency) < 0.08 for one in honest_bins)


def test_log_loss_is_that_of_a_coin_without_gaps() -> None:
    assert log_loss([pair(0.0)]) == pytest.approx(0.6931, abs=1e-4)
    assert log_loss([pair(2.0), pair(-2.0)]) == pytest.approx(1 + 0.1269, abs=1e-3)


def test_that_a_taste_for_length_is_found_among_equals() -> None:
    texts = [("word " * size).strip() for size in range(1, 40)]
    wordy = [ScoredReply(text=emitted(text), score=len(text), worth=4.0) for text in texts]
    fair = [ScoredReply(text=emitted(text), score=RNG.random(), worth=4.0) for text in texts]
    assert length_bias([], wordy).correlation == pytest.approx(1.0)
    assert abs(length_bias([], fair).correlation or 0) < 0.4


def test_that_length_which_goes_with_worth_is_no_bias() -> None:
    replies = [
        ScoredReply(text=emitted("word " * (10 * worth + RNG.randrange(9))), score=worth + RNG.gauss(0, 0.1), worth=worth)
        for worth in (1, 2, 3, 4, 5)
        for _ in range(60)
    ]
    assert abs(length_bias([], replies).correlation or 0) < 0.2
    assert (rank_correlation(replies) or 0) > 0.9


def test_that_the_longer_replys_chance_is_set_beside_what_was_preferred() -> None:
    pairs = [pair(3.0, better="a long reply", worse="a"), pair(-3.0, better="a", worse="a long reply"), pair(1.0, better="ab", worse="cd")]
    found = length_bias(pairs, [])
    assert found.pairs == 2
    assert found.actual == 0.5
    assert found.predicted == pytest.approx(1 / (1 + exp(-3.0)))
    assert found.correlation is None


def test_that_an_overrated_phrase_comes_first() -> None:
    pairs = [pair(0.4, better=f"reply {RNG.randrange(7)}", worse=f"reply {RNG.randrange(7)}") for _ in range(300)]
    # The phrase wins half of its pairs, and the model always favours it.
    pairs += [pair(2.0, better="if i may say", worse="well") for _ in range(30)]
    pairs += [pair(-2.0, better="well", worse="if i may say") for _ in range(30)]
    overrated, underrated, looked_at = phrase_bias(pairs)
    assert overrated[0].phrase.startswith(("if", "i", "may", "say"))
    assert overrated[0].predicted == pytest.approx(0.88, abs=0.01)
    assert overrated[0].actual == 0.5
    assert overrated[0].z > 4
    assert "well" in underrated[0].phrase
    assert looked_at > 5


def test_that_a_correlation_of_nothing_is_not_known() -> None:
    assert rank_correlation([]) is None
    assert rank_correlation([ScoredReply(text="a", score=1.0, worth=1.0)] * 5) is None


def test_that_the_page_shows_what_was_measured_and_lets_no_reply_in_as_html() -> None:
    bins, error = calibration([pair(1.0), pair(-2.0)])
    report = Report(
        pairs_train=10, prompts_train=5, steps=3, seconds=1.0, core_seconds=1.0, parameters=7,
        accuracy=Share(value=0.8, low=0.7, high=0.9, n=2), accuracy_by_source={"edit": Share(value=0.8, low=0.7, high=0.9, n=2)},
        accuracy_by_language={"zh": Share(value=0.5, low=0.1, high=0.9, n=2)}, between_prompts=0.25,
        log_loss=0.5, calibration=bins, calibration_error=error,
        length=LengthBias(correlation=0.1, replies=9, predicted=None, actual=None, pairs=0),
        overrated=[PhraseBias(phrase="<script>alert", n=20, predicted=0.9, actual=0.5, z=4.0)], underrated=[], phrases=1,
        rank_correlation=0.7, centre=Centre(mean=0.1, deviation=1.2, references=30), below_zero_better=0.3, below_zero_worse=0.7,
        augmentation={"rrm neutral": 4},
    )  # fmt: skip
    page = render(report, "A & B")
    assert "80.0%" in page
    assert "rrm neutral" in page
    assert "in Chinese" in page
    assert "25% lies between prompts" in page
    assert "<script>" not in page
    assert "&lt;script&gt;alert" in page
    assert calibration_svg(bins).count("<circle") == 2
