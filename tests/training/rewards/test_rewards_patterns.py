"""Rules as data: what they find in a reply, when they keep silent, and which patterns are refused."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from reward_turns import ask, probe, turn

from agent.guardrails import Rule, check
from db.vocabulary import MoveKind, Severity, Stage
from training.rewards.patterns import MOST_CHARS, PatternRule, Within


def rule(pattern: str = r"\blast (?:chance|offer)\b", **changed: Any) -> PatternRule:
    fields: dict[str, Any] = {"name": "last_chance", "weight": -60, "pattern": pattern, "says": "puts the hotel under pressure"}
    return PatternRule.model_validate(fields | changed)


def hits(one: Rule, text: str, **where: Any) -> list[str]:
    return [text[hit.start : hit.end] for hit in one.check(turn(**where), ask(text))]


def test_it_points_at_the_words_and_says_what_is_wrong() -> None:
    text = "Dear team. This is our last offer, so please take it."
    (found,) = rule(severity="severe").check(turn(), ask(text))
    assert text[found.start : found.end] == "last offer"
    assert (found.rule, found.severity) == ("last_chance", Severity.SEVERE)
    assert found.message == '"last offer" puts the hotel under pressure'


def test_the_guard_can_run_it_like_its_own() -> None:
    assert [found.rule for found in check(turn(), ask("Our last offer."), rules=[rule()])] == ["last_chance"]


def test_every_sentence_counts_and_the_whole_reply_once() -> None:
    text = "It is our last offer. Truly the last offer."
    assert hits(rule(), text) == ["last offer", "last offer"]
    assert hits(rule(within="reply"), text) == ["last offer"]


@pytest.mark.parametrize("text", ["OUR LAST OFFER", "our ｌａｓｔ ｏｆｆｅｒ", "our lаst оffer", "our la\u200bst offer"])
def test_a_disguise_does_not_help(text: str) -> None:
    assert len(hits(rule(), text)) == 1


def test_it_is_written_in_any_case() -> None:
    assert hits(rule(r"\bLast Offer\b"), "our last offer") == ["last offer"]


def test_a_quoted_fact_is_no_fault() -> None:
    assert hits(rule(), "We love the Last Chance Lodge.") == []
    assert hits(rule(), "We love it: your last chance!") == ["last chance"]


def test_what_excuses_it_must_stand_in_the_same_piece() -> None:
    lenient = rule(unless=r"\bnot\b")
    text = "This is not our last offer. It is your last chance."
    assert hits(lenient, text) == ["last chance"]
    assert hits(rule(unless=r"\bnot\b", within="reply"), text) == []


def test_offsets_hold_behind_chinese_words() -> None:
    text = "您好，这是最后的机会，请尽快回复。"
    (found,) = rule("最后的?机会", languages=["zh"]).check(turn(language="zh"), ask(text))
    assert text[found.start : found.end] == "最后的机会"


@pytest.mark.parametrize(
    ("condition", "applies"),
    [
        ({"moves": ["ask"]}, True),
        ({"moves": ["probe", "hold"]}, False),
        ({"stages": ["persuasion", "closing"]}, True),
        ({"stages": ["opening"]}, False),
        ({"languages": ["en"]}, True),
        ({"languages": ["zh"]}, False),
        ({"moves": ["ask"], "stages": ["opening"]}, False),
    ],
)
def test_it_speaks_only_of_its_moves_stages_and_languages(condition: dict[str, Any], applies: bool) -> None:
    assert bool(hits(rule(**condition), "our last offer")) is applies


def test_a_move_is_the_replys_own() -> None:
    only = rule(moves=["probe"])
    assert only.check(turn(), probe("our last offer"))
    assert only.moves == (MoveKind.PROBE,)
    assert rule(stages=["opening"]).stages == (Stage.OPENING,)


@pytest.mark.parametrize("text", ["", "   ", "…"])
def test_a_reply_without_words_has_no_hit(text: str) -> None:
    assert hits(rule(), text) == []
    assert hits(rule(within=Within.REPLY), text) == []


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(last) offer", r"groups as \(\?:…\)"),
        ("(?P<x>last)", r"groups as \(\?:…\)"),
        ("(?<=our )last", r"groups as \(\?:…\)"),
        ("(?=our)last", "look-around"),
        (r"last (?:\1)", "cannot be read"),
        ("last (", "cannot be read"),
        ("(?:last", "cannot be read"),
        ("[last", "cannot be read"),
        ("a*", "every reply"),
        ("last|", "every reply"),
        (r"\p{L}{1,1000}x", "too large"),
        (r"(?:\p{L}{0,100}x){9}", "too large"),
        ("(?:a{1000}){1000}", "cannot be read"),
        ("x" * (MOST_CHARS + 1), "501 characters"),
        ("", "at least 1 character"),
    ],
)
def test_a_pattern_that_cannot_be_run_safely_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        rule(pattern)
    with pytest.raises(ValidationError, match=why):
        rule(unless=pattern)


@pytest.mark.parametrize("pattern", ["(?:a+)+x", "(?:a|a)*x", "(?:a|aa)+x", r"(?:\w+\s?)+x", "(?:.*a){20}x"])
def test_patterns_that_would_never_end_elsewhere_do_here(pattern: str) -> None:
    # With backtracking each of these takes 2**5,000 steps; here a wrong engine would hang until the suite's time is up.
    assert hits(rule(pattern, within="reply"), "a" * 5_000 + "!") == []


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"name": "Last Chance"}, "name"),
        ({"name": ""}, "name"),
        ({"weight": float("nan")}, "weight"),
        ({"weight": -1001}, "weight"),
        ({"says": ""}, "says"),
        ({"moves": ["beg"]}, "moves"),
        ({"colour": "red"}, "colour"),
        ({"weight": 5, "severity": "severe"}, "a bonus .* cannot be severe"),
    ],
)
def test_a_rule_that_is_not_sound_is_refused(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        rule(**changed)


@settings(max_examples=200)
@given(st.text(max_size=200))
def test_a_plain_word_is_found_exactly_where_it_stands(text: str) -> None:
    for found in rule("zyx").check(turn(), ask(text)):
        assert found.start is not None
        assert found.end is not None
        assert 0 <= found.start < found.end <= len(text)
    placed = f"{text} zyx"
    assert "zyx" in hits(rule("zyx", within="reply"), placed)[0] or "zyx" in text.casefold()


@given(st.text(max_size=60))
def test_any_text_is_a_pattern_or_is_refused_in_words(pattern: str) -> None:
    try:
        one = rule(pattern)
    except ValidationError:
        return
    assert one.check(turn(), ask("")) == []
