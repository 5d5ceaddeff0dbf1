"""The reward spec: the one that ships, what makes one unusable, and what changed between two."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from reward_turns import ask

from agent.guardrails import RULES
from agent.guardrails.form import LONG, TEXT_LIMIT
from db.vocabulary import Severity
from training.judging import shipped_rubric
from training.rewards.patterns import PatternRule
from training.rewards.spec import (
    GUARD_RULES,
    Change,
    Ramp,
    RewardSpec,
    SpecError,
    diff,
    diff_bodies,
    load_spec,
    parse_spec,
    shipped_spec,
)

BONUS = PatternRule(name="by_name", weight=5, severity=Severity.MINOR, pattern="dear", says="greets")
PUSHY = PatternRule(name="last_chance", weight=-60, pattern="last offer", says="pushes")


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The shipped body after a change made in place."""
    body = shipped_spec().body()
    change(body)
    return body


def test_the_shipped_spec_weighs_every_rule_of_the_guard() -> None:
    spec = shipped_spec()
    assert set(spec.rules) == {rule.name for rule in RULES}
    assert (spec.n, spec.combine, spec.veto) == (100.0, "repo", False)
    assert spec.rubric == shipped_rubric()
    assert spec.all_rules == RULES
    assert all(GUARD_RULES[rule.name] is rule for rule in RULES)


def test_the_shipped_ramp_begins_and_ends_where_the_guards_limits_are() -> None:
    ramp = shipped_spec().rules["length"]
    assert isinstance(ramp, Ramp)
    assert (ramp.start, ramp.end) == (LONG, TEXT_LIMIT)
    assert (ramp.at(LONG), ramp.at((LONG + TEXT_LIMIT) // 2), ramp.at(TEXT_LIMIT)) == (-10.0, -20.0, -30.0)


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_a_longer_reply_never_costs_less(one: int, other: int) -> None:
    ramp = Ramp(mildest=-10, worst=-30, start=480, end=800)
    assert -30 <= ramp.at(max(one, other)) <= ramp.at(min(one, other)) <= -10


def test_a_spec_survives_the_way_through_json_and_yaml(tmp_path: Path) -> None:
    spec = shipped_spec().with_pattern(PUSHY).with_weight("promises", -80)
    assert parse_spec(json.loads(json.dumps(spec.body())), source="x") == spec
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(spec.body(), allow_unicode=True), encoding="utf-8")
    assert load_spec(path) == spec


def test_the_digest_is_of_what_shapes_a_reward() -> None:
    spec = shipped_spec()
    assert spec.with_version(9).digest == spec.digest
    assert spec.with_version(9).version == 9
    assert spec.with_weight("promises", -61).digest != spec.digest
    assert spec.with_pattern(PUSHY).digest != spec.digest


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            lambda body: body["rules"].update(promisses=-3),
            "no rule 'promisses': did you mean 'promises'.*are acceptance_on_silence, .*wrong_name",
        ),
        (lambda body: body["rules"].update(qqq=-3), "no rule 'qqq': The guard's rules are acceptance_on_silence"),
        (lambda body: body["rules"].pop("promises"), "have no weight: promises; give each one, 0"),
        (lambda body: body["rules"].update(promises=5), "weight of 'promises' is 5: a breach costs"),
        (lambda body: body["rules"].update(promises=float("nan")), "weight of 'promises' is nan"),
        (lambda body: body["rules"].update(promises=-1001), "weight of 'promises' is -1001"),
        (lambda body: body["rules"].update(promises="much"), "rules.promises"),
        (lambda body: body["rules"]["length"].update(end=480), "a ramp must end after it starts.*480 to 480"),
        (lambda body: body["rules"]["length"].update(worst=-5), r"worst \(-5\) must not be milder than the mildest \(-10\)"),
        (lambda body: body["rules"]["length"].update(mildest=float("nan")), "mildest"),
        (lambda body: body.update(n=0), "n: "),
        (lambda body: body.update(n=float("inf")), "n: "),
        (lambda body: body.update(combine="product"), "combine"),
        (lambda body: body.update(veto_value=-1), "veto_value"),
        (lambda body: body.update(version=0), "version"),
        (lambda body: body.update(weights={}), "weights"),
        (lambda body: body["rubric"]["items"].clear(), "rubric.items"),
        (lambda body: body.update(patterns=[PUSHY.model_dump() | {"pattern": "(a"}]), "patterns.0.pattern: cannot be read"),
        (lambda body: body.update(patterns=[PUSHY.model_dump()] * 2), "two pattern rules are called 'last_chance'"),
        (lambda body: body.update(patterns=[PUSHY.model_dump() | {"name": "promises"}]), "'promises' has the name of a rule of the guard"),
    ],
)
def test_a_spec_that_is_not_sound_is_refused_with_the_reason(change: Callable[[dict[str, Any]], object], why: str) -> None:
    with pytest.raises(SpecError, match=f"v7 is not a reward spec.*{why}"):
        parse_spec(changed(change), source="v7")


@pytest.mark.parametrize("body", [None, [], "rules", 3])
def test_what_is_no_mapping_is_refused(body: object) -> None:
    with pytest.raises(SpecError, match="is not a reward spec"):
        parse_spec(body, source="it")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("rules: [", "cannot be read as YAML"),
        ("version: 1\nrules:\n  promises: -60\n  length: 0\n  promises: -1\n", "'promises' stands there twice"),
        ("version: 1\n", "rules: Field required"),
        ("", "is not a reward spec"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=f"(?s)mine.yaml.*{why}"):
        load_spec(path)


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"absent\.yaml cannot be read"):
        load_spec(tmp_path / "absent.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(SpecError, match=r"binary\.yaml cannot be read"):
        load_spec(tmp_path / "binary.yaml")


def test_the_weight_of_a_rule() -> None:
    spec = shipped_spec().with_pattern(BONUS)
    assert spec.weight("promises", ask(), Severity.SEVERE) == -60.0
    assert spec.weight("by_name", ask(), Severity.MINOR) == 5.0
    assert spec.weight("length", ask("x" * 640), Severity.MINOR) == -20.0
    assert spec.weight("length", ask("x" * 5000), Severity.MAJOR) == -30.0
    assert spec.weight("length", ask(""), Severity.MAJOR) == -30.0


def test_a_changed_spec_is_a_new_one() -> None:
    spec = shipped_spec()
    assert spec.with_weight("promises", -80).rules["promises"] == -80.0
    assert spec.with_weight("promises", Ramp(mildest=-1, worst=-2, start=0, end=9)).rules["promises"] == Ramp(
        mildest=-1, worst=-2, start=0, end=9
    )
    pushy = spec.with_pattern(BONUS).with_pattern(PUSHY)
    assert pushy.all_rules == (*RULES, BONUS, PUSHY)
    assert pushy.with_weight("last_chance", -70).patterns == (BONUS, PUSHY.model_copy(update={"weight": -70.0}))
    assert pushy.with_pattern(PUSHY.model_copy(update={"says": "presses"})).patterns[1].says == "presses"
    assert pushy.without_pattern("by_name").without_pattern("last_chance") == spec == shipped_spec()


def test_a_change_that_is_not_sound_is_refused() -> None:
    with pytest.raises(SpecError, match="did you mean 'promises'"):
        shipped_spec().with_weight("promise", -80)
    with pytest.raises(SpecError, match="weight"):
        shipped_spec().with_pattern(PUSHY).with_weight("last_chance", Ramp(mildest=-1, worst=-2, start=0, end=9))
    with pytest.raises(SpecError, match="name of a rule of the guard"):
        shipped_spec().with_pattern(PUSHY.model_copy(update={"name": "length"}))
    with pytest.raises(SpecError, match=r"no pattern rule 'promises'; it has none\."):
        shipped_spec().without_pattern("promises")
    with pytest.raises(SpecError, match="Version 0"):
        shipped_spec().with_version(0)


def test_what_changed_is_said_with_the_old_and_the_new() -> None:
    old = shipped_spec().with_pattern(PUSHY)
    rubric = [{**item, "weight": 9.0} if item["name"] == "empathy" else item for item in old.body()["rubric"]["items"]]
    new = parse_spec(
        old.with_weight("promises", -80)
        .with_weight("length", -20)
        .with_weight("last_chance", -70)
        .with_pattern(BONUS)
        .with_version(2)
        .body()
        | {"veto": True, "rubric": {"version": 2, "items": [*rubric[1:], rubric[0]]}},
        source="new",
    )
    said = [str(change) for change in diff(old, new)]
    assert said == [
        "veto: false → true",
        "rules.promises: -60 → -80",
        'rules.length: {"mildest": -10.0, "worst": -30.0, "start": 480, "end": 800} → -20',
        "patterns.last_chance.weight: -60 → -70",
        f"patterns.by_name: new, {json.dumps(BONUS.model_dump(mode='json'))}",
        "rubric.version: 1 → 2",
        "rubric.items.empathy.weight: 8 → 9",
        'rubric.items (order): ["empathy", "sop", "progress", "promises", "silence", "reasoning", "style"] → '
        '["sop", "progress", "promises", "silence", "reasoning", "style", "empathy"]',
    ]
    assert diff(new, new.with_version(3)) == []
    assert Change(path="patterns.by_name", old=BONUS.model_dump(mode="json")) in diff(new, new.without_pattern("by_name"))


def test_the_way_back_says_what_is_gone() -> None:
    (change,) = diff(shipped_spec().with_pattern(PUSHY), shipped_spec())
    assert str(change).startswith('patterns.last_chance: taken out, was {"name": "last_chance"')
    text = PUSHY.model_copy(update={"says": "presses"})
    assert [str(change) for change in diff(shipped_spec().with_pattern(PUSHY), shipped_spec().with_pattern(text))] == [
        "patterns.last_chance.says: pushes → presses"
    ]


def test_a_body_of_another_release_can_still_be_compared() -> None:
    old = changed(lambda body: body["rules"].update(bygone=-5.0))
    assert [str(change) for change in diff_bodies(old, shipped_spec().body())] == ["rules.bygone: taken out, was -5"]


def test_a_spec_is_never_changed_in_place() -> None:
    with pytest.raises(ValueError, match="frozen"):
        shipped_spec().n = 5  # pyright: ignore[reportAttributeAccessIssue]
    assert isinstance(shipped_spec(), RewardSpec)
