"""The shipped set as a whole: it is sound, it covers what it must, and no line of it stands twice."""

from collections import Counter
from dataclasses import replace
from itertools import combinations

import pytest
from rapidfuzz.fuzz import token_set_ratio

from agent.guardrails import check
from db.vocabulary import IssueTag, Severity, Speaker
from training.badcases import ShippedCase, cases, verdict
from training.badcases.__main__ import main

EVERY_CASE = pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)


@EVERY_CASE
def test_that_a_bad_reply_is_not_a_fix_and_leaves_at_least_its_own_severity(case: ShippedCase) -> None:
    found = verdict(case, case.bad)
    assert not found.fixed
    assert not found.clean
    assert found.residual is not None
    assert found.reasons


@EVERY_CASE
def test_that_a_good_reply_is_a_clean_fix_and_passes_the_guard(case: ShippedCase) -> None:
    assert verdict(case, case.good).reasons == ()
    assert check(case.context, case.good) == ()
    assert case.good.move in case.context.allowed


def test_that_the_good_reply_of_one_case_rarely_passes_for_another() -> None:
    # A question for the right person, or a greeting, may well fit two cases; what answers a hotel fits one.
    pairs = [(one, other) for one in cases() for other in cases() if one.fault is other.fault and one.id != other.id]
    swapped = [verdict(one, replace(other.good, move=one.good.move)).clean for one, other in pairs]
    assert sum(swapped) / len(swapped) < 0.05


def test_that_every_fault_class_has_four_cases_and_the_set_sixty_eight() -> None:
    counts = Counter(case.fault for case in cases())
    assert set(counts) == set(IssueTag)
    assert min(counts.values()) >= 4
    assert len(cases()) >= 68


def test_that_the_set_is_varied() -> None:
    held = cases()
    assert len({case.context.facts[0].hotel_name for case in held}) == len(held)
    assert len({case.context.facts[0].currency for case in held}) >= 10
    assert {case.context.language for case in held} == {"en", "zh"}
    assert {case.severity for case in held} == set(Severity)
    assert len({case.context.stage for case in held}) >= 9
    assert sum(len(case.context.facts) > 1 for case in held) >= 4
    assert all(any(case.fault is fault and case.context.language == "zh" for case in held) for fault in IssueTag)


def test_that_some_bad_replies_get_past_the_guard() -> None:
    assert sum(not check(case.context, case.bad) for case in cases()) >= 5


@pytest.mark.parametrize("side", ["hotel", "bd", "good", "bad"])
def test_that_no_line_is_nearly_another(side: str) -> None:
    lines = [line for case in cases() for line in _lines(case, side)]
    assert [pair for pair in combinations(lines, 2) if token_set_ratio(*pair) >= 90] == []


def _lines(case: ShippedCase, side: str) -> list[str]:
    if side in ("good", "bad"):
        return [(case.good if side == "good" else case.bad).text.lower()]
    return [turn.text.lower() for turn in case.context.history if turn.speaker is Speaker(side) and len(turn.text.split()) > 3]


def test_that_the_command_prints_the_coverage(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["badcases", "--json"])
    main()
    printed = capsys.readouterr().out
    assert f'{{"cases": {len(cases())}}}' in printed
    assert "reproach" in printed
