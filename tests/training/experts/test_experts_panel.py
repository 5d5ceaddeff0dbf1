"""Experts: calibrated by scripted BDs, steady, apart from the truth by what is known of them, and in agreement."""

from datetime import date
from statistics import fmean

import numpy as np
import pytest
from expert_truths import truth_of

from agent.simulation import Conversation, Quality, converse
from db.vocabulary import MoveKind
from training.experts import (
    Expert,
    FaultKind,
    Judgement,
    Rating,
    Truth,
    agreement,
    alpha,
    judge,
    panel,
    recover,
    true_score,
    witness,
    witnessed,
)

TODAY = date(2027, 1, 4)
QUALITIES = (Quality.EXCELLENT, Quality.FINE, Quality.CLUMSY)
TALKS: dict[Quality, list[tuple[Conversation, tuple[Truth, ...]]]] = {
    quality: [(talk := converse(seed, today=TODAY, quality=quality), witnessed(talk)) for seed in range(24)] for quality in QUALITIES
}
JUDGED: dict[Quality, list[tuple[Truth, Judgement]]] = {
    quality: [(truth, judge(truth)) for _, truths in TALKS[quality] for truth in truths] for quality in QUALITIES
}


@pytest.mark.parametrize(("quality", "low", "high"), [(Quality.EXCELLENT, 4.2, 4.6), (Quality.FINE, 3.3, 3.7), (Quality.CLUMSY, 2.1, 2.7)])
def test_that_scripted_bds_are_rated_by_their_quality(quality: Quality, low: float, high: float):
    assert low < fmean(judgement.score for _, judgement in JUDGED[quality]) < high


@pytest.mark.parametrize("quality", QUALITIES)
def test_that_scripted_bds_are_hardly_ever_faulted(quality: Quality):
    assert fmean(bool(judgement.faults) for _, judgement in JUDGED[quality]) < 0.03


def test_that_an_average_bd_comes_to_the_middle():
    mean = {quality: fmean(judgement.score for _, judgement in JUDGED[quality]) for quality in QUALITIES}
    assert 3.3 <= mean[Quality.EXCELLENT] / 3 + mean[Quality.FINE] / 2 + mean[Quality.CLUMSY] / 6 <= 3.65


def test_that_both_ends_of_the_scale_are_used():
    wrong = truth_of(MoveKind.ASK, "This is your last chance, USD 170 net or you will regret it.")
    experts = panel(5, seed=1)
    stars = {expert.rate(truth).stars for expert in experts for truth in [wrong, *(truth for truth, _ in JUDGED[Quality.EXCELLENT][:20])]}
    assert {1, 5} <= stars


def test_that_an_expert_gives_the_same_rating_whenever_it_is_asked():
    truth = JUDGED[Quality.FINE][3][0]
    for expert in panel(3, seed=4):
        assert expert.rate(truth) == expert.rate(truth)
    assert panel(3, seed=4) == panel(3, seed=4)
    assert panel(3, seed=4) != panel(3, seed=5)


def test_that_bias_and_noise_are_recovered_from_the_ratings():
    judged = [pair for quality in QUALITIES for pair in JUDGED[quality]]
    for expert in panel(5, seed=2):
        shown = recover([expert.rate_judged(*pair).stars for pair in judged], [judgement.score for _, judgement in judged])
        assert shown.bias == pytest.approx(expert.bias, abs=0.08)
        assert shown.noise == pytest.approx(expert.noise, abs=0.08)


def test_that_experts_agree_and_noisier_ones_agree_less():
    judged = [pair for quality in QUALITIES for pair in JUDGED[quality]]

    def ratings(noise: float) -> list[list[Rating]]:
        experts = [Expert(name=f"{index}", noise=noise) for index in range(4)]
        return [[expert.rate_judged(*pair) for pair in judged] for expert in experts]

    steady, shaky = (agreement(ratings(noise), resamples=40)["stars"] for noise in (0.2, 1.0))
    assert steady.low > shaky.high
    assert steady.low <= steady.value <= steady.high
    assert shaky.value > 0.2


def test_that_agreement_is_that_of_the_textbook():
    # Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability": nominal data, two observers, alpha 0.095.
    values = np.array([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]], dtype=float)
    assert alpha(values, level="nominal", resamples=10).value == pytest.approx(0.095, abs=5e-4)
    assert np.isnan(alpha(np.ones((2, 5)), level="ordinal", resamples=5).value)


def test_that_a_fault_is_named_as_often_as_the_expert_is_strict():
    truths = [truth_of(MoveKind.ASK, f"USD 170 net, last chance, for room {number}.") for number in range(150)]
    judged = [(truth, judge(truth)) for truth in truths]
    blind = Expert(name="blind", strictness={FaultKind.PRESSURE: 0.3})
    share = fmean(any(fault.kind is FaultKind.PRESSURE for fault in blind.rate_judged(*pair).faults) for pair in judged)
    assert 0.15 < share < 0.45


def test_that_a_conversation_is_rated_by_its_replies_and_its_outcome():
    expert = Expert(name="one", noise=0.0)
    mean = {quality: fmean(expert.rate_conversation(said, talk.state).stars for talk, said in TALKS[quality]) for quality in QUALITIES}
    assert mean[Quality.EXCELLENT] > mean[Quality.FINE] > mean[Quality.CLUMSY]
    rated = [expert.rate_conversation(said, talk.state) for talk, said in TALKS[Quality.EXCELLENT]]
    for rating, (talk, said) in zip(rated, TALKS[Quality.EXCELLENT], strict=True):
        assert rating.outcome.stage is talk.state.stage
        assert rating.outcome.success == all(ticket.agreed is not None for ticket in talk.state.tickets)
        assert len(rating.turns) == len(said)
        assert rating.outcome.captured is None or 0 <= rating.outcome.captured <= 1
    with pytest.raises(ValueError, match="without a reply"):
        expert.rate_conversation([], TALKS[Quality.FINE][0][0].state)


def test_that_the_replayed_truth_is_the_one_of_the_conversation():
    seed = 5
    talk, truths = TALKS[Quality.FINE][seed]
    for exchange, truth in zip(talk.exchanges[:-1], truths, strict=False):
        reply = exchange.reply
        again = witness(
            exchange.context, reply.move, reply.text, profile=talk.profile, mandates=truth.mandates, seed=seed, heard=truth.heard
        )
        assert again == truth


def test_that_the_score_stays_on_the_scale():
    for text in ("", "?", "x" * 3000, "USD 1 " * 50, "Yes. " * 80):
        assert 1 <= true_score(truth_of(MoveKind.ASK, text)) <= 5


def test_that_a_panel_has_experts():
    assert len({expert.name for expert in panel(7, seed=1)}) == 7
    with pytest.raises(ValueError, match="at least one"):
        panel(0)
