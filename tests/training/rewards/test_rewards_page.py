"""The page about rewards says what the code does: its table, its worked example, its rule."""

import re
from pathlib import Path

import pytest
import yaml
from reward_turns import ask, turn

from training.rewards import PatternRule, enhance, shipped_spec
from training.rewards.spec import Ramp

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "rewards.md").read_text(encoding="utf-8")


def test_the_table_has_every_rule_with_its_weight() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (−\d+(?: … −\d+)?) \|", PAGE, re.MULTILINE))
    shown = {name: [-float(part.strip(" −")) for part in weight.split("…")] for name, weight in rows.items()}
    shipped = shipped_spec().rules
    assert shown == {name: [cost.mildest, cost.worst] if isinstance(cost, Ramp) else [cost] for name, cost in shipped.items()}


def test_the_worked_example_is_right() -> None:
    marks = {"empathy": 1, "sop": 1, "progress": 2, "promises": -1, "silence": 0, "reasoning": 1, "style": 1}
    judge = shipped_spec().rubric.score(marks)
    assert judge == 36.0
    assert "`E_judge` = 8 + 10 + 20 − 12 + 0 + 6 + 4 = 36" in PAGE
    assert enhance(0.8, judge, -60.0) == pytest.approx(0.608)
    assert enhance(-0.8, judge, -60.0) == pytest.approx(-0.992)
    assert "= 0.608" in PAGE
    assert "= −0.992" in PAGE


def test_the_rule_on_the_page_is_a_rule() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    rule = PatternRule.model_validate(yaml.safe_load(block))
    assert [found.message for found in rule.check(turn(), ask("This is our last offer."))] == ['"last offer" puts the hotel under pressure']
    assert rule.check(turn(), ask("This is not our last offer.")) == []
    assert shipped_spec().with_pattern(rule).patterns == (rule,)
