"""RF: the guard's rules and the spec's own over one reply, and how their findings add up."""

import pytest
from reward_turns import GOOD, INTERNAL, PROMISES, ask, turn

from agent.guardrails import check
from agent.guardrails.form import LONG
from db.vocabulary import Severity
from training.rewards.functions import functions
from training.rewards.patterns import PatternRule
from training.rewards.spec import shipped_spec

THANKS = PatternRule(name="thanks", severity=Severity.MINOR, weight=5, pattern=r"\bthank you\b", says="is polite")


def test_a_good_reply_costs_nothing() -> None:
    score = functions(turn(), ask(GOOD), shipped_spec())
    assert (score.value, score.hits, score.is_severe) == (0.0, (), False)


def test_a_breach_costs_its_weight_and_says_what_it_was() -> None:
    score = functions(turn(), ask(PROMISES), shipped_spec())
    (hit,) = score.hits
    assert (hit.rule, hit.severity, hit.weight) == ("promises", Severity.SEVERE, -60.0)
    assert "is a promise that we cannot keep" in hit.message
    assert (score.value, score.is_severe) == (-60.0, True)


def test_rf_finds_what_the_guard_finds() -> None:
    text = f"{PROMISES} Our target needs this. Nous vous remercions."
    score = functions(turn(), ask(text), shipped_spec())
    found = check(turn(), ask(text))
    assert {hit.rule for hit in score.hits} == {violation.rule for violation in found} >= {"promises", "internal_words", "mixed_language"}
    assert score.value == sum(hit.weight for hit in score.hits)
    assert score.value < -100, "it is not clipped here"


def test_a_rule_counts_once_however_often_it_is_broken() -> None:
    once = functions(turn(), ask(INTERNAL), shipped_spec())
    thrice = functions(turn(), ask(f"{INTERNAL} The target is our target."), shipped_spec())
    assert once.value == thrice.value == -100.0
    assert (once.hits[0].count, thrice.hits[0].count) == (1, 3)


@pytest.mark.parametrize(("length", "weight"), [(LONG + 1, -10.0625), (640, -20.0), (800, -30.0), (2000, -30.0)])
def test_length_costs_more_the_longer_it_is(length: int, weight: float) -> None:
    filler = "we value your rooms and wish you a fine week "
    text = (GOOD + " " + filler * 60)[:length]
    (hit,) = [hit for hit in functions(turn(), ask(text), shipped_spec()).hits if hit.rule == "length"]
    assert hit.weight == pytest.approx(weight)


def test_a_reply_without_a_word_costs_the_worst_of_the_ramp() -> None:
    (hit,) = [hit for hit in functions(turn(), ask("…"), shipped_spec()).hits if hit.rule == "length"]
    assert (hit.weight, hit.severity) == (-30.0, Severity.MAJOR)


def test_a_rule_of_the_spec_adds_its_weight_up_or_down() -> None:
    spec = shipped_spec().with_pattern(THANKS)
    assert functions(turn(), ask(GOOD), spec).value == 5.0
    assert functions(turn(), ask(PROMISES), spec).value == -55.0
    assert functions(turn(), ask(GOOD), spec.with_weight("thanks", -7)).value == -7.0


def test_a_rule_that_is_switched_off_is_seen_and_costs_nothing() -> None:
    score = functions(turn(), ask(PROMISES), shipped_spec().with_weight("promises", 0))
    assert [hit.rule for hit in score.hits] == ["promises"]
    assert (score.value, score.is_severe) == (0.0, False)


def test_a_bonus_is_no_breach() -> None:
    assert not functions(turn(), ask(GOOD), shipped_spec().with_pattern(THANKS)).is_severe
