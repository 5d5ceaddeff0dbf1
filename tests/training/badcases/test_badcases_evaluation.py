from dataclasses import replace

import pytest

from agent.domain import Reply, TurnContext
from agent.language.templates import template
from db.vocabulary import IssueTag, Severity
from training.badcases import ShippedCase, Verdict, cases, evaluate, verdict
from training.badcases.evaluation import bootstrap_mean, wilson


def case(wanted: str) -> ShippedCase:
    return next(case for case in cases() if case.id == wanted)


def test_that_a_fix_with_a_new_problem_is_not_clean() -> None:
    pressed = case("pressure-last-chance")
    promising = replace(pressed.good, text=pressed.good.text + " I guarantee you a better ranking.")
    found = verdict(pressed, promising)
    assert (found.fixed, found.clean, found.residual) == (True, False, Severity.SEVERE)
    assert any("promises" in reason for reason in found.reasons)


def test_that_a_reply_that_leaves_out_a_courtesy_is_a_fix_with_a_minor_rest() -> None:
    scolded = case("reproach-for-silence")
    curt = Reply(move=scolded.good.move, text="Hello, may I ask again about the Bridge View Double?")
    found = verdict(scolded, curt)
    assert (found.fixed, found.clean, found.residual) == (True, False, Severity.MINOR)


def test_that_a_reply_that_does_what_it_must_not_is_not_clean() -> None:
    hurried = case("pressure-deadline")
    found = verdict(hurried, replace(hurried.good, text="Could you let me know quickly what you think of the Sea Attic?"))
    assert found.fixed
    assert found.reasons == ("it does what it must not: hurries",)


def test_that_the_fault_decides_even_where_every_must_holds() -> None:
    angry = case("mixed-spanish-flattery")
    found = verdict(angry, replace(angry.good, text="Are there still free nights in the Orchard Casita? Merci, Carmen!"))
    assert not found.fixed
    assert found.residual is Severity.MINOR
    assert found.reasons[0] == "the fault is still there: mixed language"


def test_that_good_replies_score_full_and_bad_ones_nothing() -> None:
    by_turn = {turn.context: turn for turn in cases()}
    best = evaluate(lambda turn: by_turn[turn].good)
    worst = evaluate(lambda turn: by_turn[turn].bad)
    assert (best.fix.value, best.clean_fix.value, best.residual.value) == (1.0, 1.0, 0.0)
    assert (worst.fix.value, worst.clean_fix.value) == (0.0, 0.0)
    assert worst.residual.value > 2
    assert sum(worst.remaining.values()) == pytest.approx(1)
    assert {fault: result.cases for fault, result in worst.by_fault.items()}.keys() == set(IssueTag)


def test_that_the_safe_templates_fix_nearly_everything_and_leave_nothing_severe() -> None:
    def safe(turn: TurnContext) -> Reply:
        return Reply(move=turn.allowed[0], text=template(turn, turn.allowed[0]))

    summary = evaluate(safe)
    assert summary.fix.value >= 0.95
    assert summary.remaining[Severity.SEVERE] == 0
    assert summary.clean_fix.value < summary.fix.value


def test_that_a_slow_writer_shows_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    some = cases()[:3]
    by_turn = {turn.context: turn.good for turn in some}
    evaluate(by_turn.__getitem__, cases=some, progress=True)
    assert "bad cases" in capsys.readouterr().err


def test_that_an_empty_set_is_refused() -> None:
    with pytest.raises(ValueError, match="no bad cases"):
        evaluate(lambda turn: pytest.fail(turn.brief), cases=())


def test_that_wilsons_interval_is_the_one_in_the_books() -> None:
    # REPO's clean-fix rate: 34 of 45.
    share = wilson(34, 45)
    assert (round(share.value, 4), round(share.low, 2), round(share.high, 2)) == (0.7556, 0.61, 0.86)
    assert wilson(0, 10).low == pytest.approx(0)
    assert wilson(10, 10).high == pytest.approx(1)


def test_that_the_bootstrap_is_repeatable_and_holds_the_mean() -> None:
    values = [0.0] * 30 + [3.0] * 10
    mean = bootstrap_mean(values)
    assert mean == bootstrap_mean(values)
    assert mean.low < mean.value == 0.75 < mean.high
    assert bootstrap_mean([1.0]).low == bootstrap_mean([1.0]).high == 1.0


def test_that_a_verdict_orders_severities_by_weight() -> None:
    leaking = case("words-ticket-in-greeting")
    assert verdict(leaking, leaking.bad).residual is Severity.SEVERE
    assert verdict(leaking, leaking.good) == Verdict(fixed=True, clean=True, residual=None, reasons=())
