"""Who judges how: bias, likeness, speed, drift, trust, and whoever does not judge at all."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from judged_rows import MONDAY, QUEUE, gold, person, row, table

from db.repositories.rating_figures import Judged
from db.vocabulary import IssueTag, JudgementKind, Preferred
from training.experts import Expert, panel
from training.quality import make_report, trial
from training.quality.conduct import ConductKind, find_conduct
from training.quality.drift import weeks
from training.quality.findings import Tone, findings
from training.quality.likeness import likenesses, mean_of
from training.quality.trust import weigh
from training.quality.units import by_unit

REPLIES = trial.replies(12)
HONEST = trial.honest(REPLIES, raters=6, per_item=3, seed=5)


def conduct_of(*judged: Judged) -> dict[UUID, ConductKind]:
    units = by_unit(judged)
    return {rater: found.kind for rater, found in find_conduct(units, likenesses(units)).items()}


class TestLikeness:
    def test_that_bias_is_the_mean_difference_to_the_others(self):
        # Own 4, 5, 3 beside the others' means 3, 3.5, 3: differences 1, 1.5, 0.
        shown = likenesses(by_unit(table([4, 5, 3], [2, 3, 3], [4, 4, 3])))[person(0)]
        assert shown.bias is not None
        assert shown.bias.value == pytest.approx(2.5 / 3)
        half = 1.96 * 0.7637626 / 3**0.5
        assert (shown.bias.low, shown.bias.high) == pytest.approx((2.5 / 3 - half, 2.5 / 3 + half))

    def test_that_likeness_is_the_correlation_with_the_others(self):
        shown = likenesses(by_unit(table([1, 2, 3, 4], [2, 4, 3, 5])))
        assert shown[person(0)].likeness == pytest.approx(0.8)
        assert shown[person(1)].likeness == pytest.approx(0.8)

    def test_that_alone_nothing_is_said_but_speed(self):
        rows = [row(0, unit, 3, seconds=seconds) for unit, seconds in enumerate((10.0, 900.0, 20.0))]
        shown = likenesses(by_unit(rows))[person(0)]
        assert (shown.judgements, shown.shared, shown.bias, shown.likeness, shown.seconds) == (3, 0, None, None, 20.0)

    def test_that_a_comparison_brings_its_strength_and_no_stars(self):
        def said(rater: int, unit: int, preferred: Preferred, strength: int | None) -> Judged:
            return row(rater, unit, None, kind=JudgementKind.COMPARISON, preferred=preferred, strength=strength)

        rows = [said(0, 0, Preferred.FIRST, 4), said(1, 0, Preferred.FIRST, 3), said(0, 1, Preferred.TIE, None)]
        rows += [said(1, 1, Preferred.TIE, None), said(0, 2, Preferred.SECOND, 4), said(1, 2, Preferred.SECOND, 3)]
        shown = likenesses(by_unit(rows))[person(0)]
        assert shown.bias is None
        assert shown.likeness == pytest.approx(1.0)

    def test_that_experts_biases_are_found_in_their_order(self):
        experts = panel(6, seed=5)
        shown = likenesses(by_unit(HONEST.judged))
        found = {expert.name: bias.value for expert in experts if (bias := shown[trial.rater_id(expert.name)].bias) is not None}
        expected = [expert.name for expert in sorted(experts, key=lambda expert: expert.bias)]
        assert sorted(found, key=found.__getitem__)[0] == expected[0]
        assert sorted(found, key=found.__getitem__)[-1] == expected[-1]
        for expert in experts:
            others = sum(other.bias for other in experts if other is not expert) / 5
            assert found[expert.name] == pytest.approx(expert.bias - others, abs=0.15)


class TestConduct:
    def test_that_nobody_honest_is_called_careless(self):
        assert conduct_of(*HONEST.judged) == {}

    @pytest.mark.parametrize("seed", range(3))
    def test_that_one_who_answers_at_random_is_found(self, seed: int):
        planted = trial.at_random(HONEST, share=0.5, seed=seed)
        assert conduct_of(*HONEST.judged, *planted) == {trial.rater_id("random"): ConductKind.RANDOM}

    @pytest.mark.parametrize("steady", [1.0, 0.95])
    def test_that_one_who_always_gives_four_is_found(self, steady: float):
        planted = trial.constant(HONEST, stars=4, steady=steady, share=0.5)
        units = by_unit([*HONEST.judged, *planted])
        found = find_conduct(units, likenesses(units))
        assert {rater: (conduct.kind, conduct.choice) for rater, conduct in found.items()} == {
            trial.rater_id("constant"): (ConductKind.CONSTANT, 4)
        }

    def test_that_one_who_copies_is_found_and_the_copied_one_is_left_in_peace(self):
        source = min(HONEST.honest)
        units = by_unit([*HONEST.judged, *trial.copied(HONEST, source=source, faithful=0.95)])
        found = find_conduct(units, likenesses(units))
        assert set(found) == {trial.rater_id("copier")}
        conduct = found[trial.rater_id("copier")]
        assert (conduct.kind, conduct.source, conduct.known) == (ConductKind.COPY, source, True)

    def test_that_without_times_both_are_named(self):
        source = min(HONEST.honest)
        copies = [replace(copy, at=copy.at - timedelta(seconds=30)) for copy in trial.copied(HONEST, source=source)]
        units = by_unit([*HONEST.judged, *copies])
        found = find_conduct(units, likenesses(units))
        assert {rater: (conduct.kind, conduct.known) for rater, conduct in found.items()} == {
            trial.rater_id("copier"): (ConductKind.COPY, False),
            source: (ConductKind.COPY, False),
        }

    def test_that_all_three_are_found_among_the_honest(self):
        planted = [*trial.at_random(HONEST), *trial.constant(HONEST), *trial.copied(HONEST, source=min(HONEST.honest))]
        assert conduct_of(*HONEST.judged, *planted) == {
            trial.rater_id("random"): ConductKind.RANDOM,
            trial.rater_id("constant"): ConductKind.CONSTANT,
            trial.rater_id("copier"): ConductKind.COPY,
        }

    def test_that_a_few_judgements_prove_nothing(self):
        few = trial.honest(REPLIES[:29], raters=4, per_item=3, seed=1)
        planted = [*trial.at_random(few), *trial.constant(few), *trial.copied(few, source=min(few.honest))]
        assert conduct_of(*few.judged, *planted) == {}

    def test_that_who_sees_only_fours_may_give_fours(self):
        assert conduct_of(*table([4] * 60, [4] * 55 + [5] * 5, [4] * 50 + [3] * 10)) == {}

    def test_that_a_strict_and_unsteady_judge_is_no_careless_one(self):
        experts = [*panel(5, seed=2), Expert(name="strict", bias=-0.9, noise=0.8, seed=9)]
        made = trial.honest(REPLIES, raters=6, per_item=3, seed=2, experts=experts)
        assert conduct_of(*made.judged) == {}


class TestTrust:
    def test_that_the_formula_comes_out_by_hand(self):
        shown = likenesses(by_unit(table([1, 2, 3, 4] * 10, [2, 4, 3, 5] * 10, [None] * 40)))
        weights = weigh(shown, {}, [gold(1, 5), gold(1, 1), gold(7)])
        assert weights[person(0)] == pytest.approx((40 * 0.8 + 20 * 0.4) / 60 / 0.8)
        assert weights[person(1)] == pytest.approx((40 * 0.8 + 20 * 0.4) / 60 / 0.8 * ((1 + 8) / 12 / 0.8))
        assert weights[person(7)] == 0.5

    def test_that_a_missed_fault_makes_the_answer_wrong(self):
        wanted = (IssueTag.PRESSURE,)
        assert gold(0, 1, wanted=wanted, named=(IssueTag.PRESSURE, IssueTag.REPROACH)).right
        assert not gold(0, 1, wanted=wanted, named=(IssueTag.REPROACH,)).right
        assert not gold(0, 3, wanted=wanted, named=wanted).right

    def test_that_the_careless_weigh_nothing_and_the_honest_much(self):
        planted = [*trial.at_random(HONEST), *trial.constant(HONEST), *trial.copied(HONEST, source=min(HONEST.honest))]
        report = make_report([*HONEST.judged, *planted], [], names={})
        trust = {rater.rater_id: rater.trust for rater in report.raters}
        assert [trust[trial.rater_id(name)] for name in ("random", "constant", "copier")] == [0, 0, 0]
        assert all(trust[rater] > 0.7 for rater in HONEST.honest)

    def test_that_nobody_is_known_where_nothing_is_shared(self):
        weights = weigh(likenesses(by_unit([row(rater, 10 * rater + unit) for rater in range(3) for unit in range(9)])), {}, [])
        assert set(weights.values()) == {0.5}


class TestDrift:
    def test_that_weeks_begin_on_monday_and_things_stay_whole(self):
        sunday = MONDAY + timedelta(days=6, hours=14)
        rows = [row(0, 0, 2, at=MONDAY), row(0, 1, 4, at=sunday), row(1, 1, 2, at=sunday + timedelta(days=1))]
        rows += [row(0, 2, 5, at=sunday + timedelta(days=2))]
        first, second = weeks(by_unit(rows))
        assert (first.start, first.judgements) == (date(2027, 1, 4), 3)
        assert first.stars is not None
        assert first.stars.value == pytest.approx((2 + 3) / 2)
        assert (second.start, second.judgements) == (date(2027, 1, 11), 1)

    def test_that_a_mean_has_the_normal_interval(self):
        mean = mean_of([1.0, 2.0, 3.0, 4.0])
        assert mean is not None
        assert (mean.low, mean.high) == pytest.approx((2.5 - 1.96 * 1.2909944 / 2, 2.5 + 1.96 * 1.2909944 / 2))
        assert mean_of([]) is None


class TestFindings:
    def test_that_the_careless_are_named_first(self):
        planted = [*trial.at_random(HONEST), *trial.constant(HONEST), *trial.copied(HONEST, source=min(HONEST.honest))]
        judged = [*HONEST.judged, *planted]
        names = {rater: f"person {index}" for index, rater in enumerate(sorted({row.rater_id for row in judged}))} | {QUEUE: "Replies"}
        told = findings(make_report(judged, [], names=names))
        bad = [finding.text for finding in told if finding.tone is Tone.BAD]
        assert told[: len(bad)] == tuple(finding for finding in told if finding.tone is Tone.BAD)
        for who, what in (("random", "nothing to do with"), ("constant", "4 stars"), ("copier", "the same answers as")):
            assert any(names[trial.rater_id(who)] in text and what in text for text in bad), bad
        alone = make_report(HONEST.judged, [], names=names).stars_alpha.value
        assert any(f"{alone:.2f} without those named above" in finding.text for finding in told)

    def test_that_an_honest_panel_is_told_so(self):
        told = findings(make_report(HONEST.judged, [], names={}))
        assert {finding.tone for finding in told} == {Tone.GOOD}

    def test_that_too_little_to_say_is_said(self):
        told = findings(make_report(table([3, 4, 1]), [], names={}))
        assert any("more than one person" in finding.text for finding in told)
        assert findings(make_report([], [], names={})) == ()

    def test_that_a_week_that_departs_is_told(self):
        rows = [row(rater, unit, 4 - unit % 2, at=MONDAY + timedelta(days=unit // 40)) for rater in (0, 1) for unit in range(560)]
        later = [row(rater, 900 + unit, 2 - unit % 2, at=MONDAY + timedelta(days=15)) for rater in (0, 1) for unit in range(60)]
        assert not any("week" in finding.text for finding in findings(make_report(rows, [], names={})))
        assert any("3.5" in finding.text and "1.5" in finding.text for finding in findings(make_report([*rows, *later], [], names={})))
