"""What each option of the objectives is for, as its toy shows it: seeded, exact measures, no clock."""

from typing import Any

import pytest
import torch

from benchmarks.objectives_toys import EXPERIMENTS, pooled
from benchmarks.toys_groups import Rows, care, gdpo_toy, gopo
from benchmarks.toys_pairs import p3o, sppo
from benchmarks.toys_repo import repo
from benchmarks.toys_values import dvpo, offpolicy

torch.set_num_threads(1)


def by(rows: Rows, key: str, other: str | None = None) -> dict[Any, dict[str, Any]]:
    return {row[key] if other is None else (row[key], row[other]): row for row in rows}


def test_gopo_learns_the_same_under_any_monotone_scale_and_grpo_does_not():
    rows = by(gopo(0).finals, "method", "scorer")
    assert rows["GOPO", "warped"]["moved"] == 0
    assert rows["GRPO", "warped"]["moved"] > 0.02
    assert all(row["quality"] > 0.9 for row in rows.values())
    assert rows["GOPO", "heavy tails"]["quality"] > rows["GRPO", "heavy tails"]["quality"]


def test_gdpo_lifts_all_three_rewards_and_grpo_only_the_large_one():
    rows = by(gdpo_toy(0).finals, "arm")
    assert min(rows["GDPO"][scale] for scale in ("×1", "×10", "×100")) > 0.85
    assert rows["GRPO"]["×100"] > 0.85
    assert rows["GRPO"]["×10"] < 0.5
    assert rows["GRPO"]["×1"] < 0.25
    assert rows["GDPO, first ×16"]["moved"] == 0
    assert rows["GDPO, first ×10"]["moved"] < 1e-9


def test_old_replies_teach_only_when_they_are_corrected():
    rows = by(offpolicy(0).finals, "lag", "correction")
    lags = (1, 4, 16, 64)
    assert [rows[lag, "none"]["asks for"] for lag in lags] == ["tis", "obrs", "obrs", "drop"]
    for lag in lags:
        row = {name: rows[lag, name] for name in ("none", "tis", "tis, cap 3", "icepop", "obrs", "obrs, no cap", "fresh replies")}
        assert row["none"]["KL to kept"] < row["none"]["KL to all"]
        assert row["obrs, no cap"]["bias"] < 1e-9
        # At lambda = 1 what is kept, times its weight, is on average what TIS of the same cap gives.
        assert row["obrs"]["bias"] == pytest.approx(row["tis, cap 3"]["bias"], abs=1e-12)
        assert row["none"]["bias"] > 10 * max(row["tis"]["bias"], 1e-9)
        assert row["obrs"]["largest weight"] <= 3 < row["obrs, no cap"]["largest weight"]
        assert row["none"]["gradient"] > 2 * row["fresh replies"]["gradient"]
    stale = {name: rows[16, name]["after"] for name in ("none", "tis", "icepop", "obrs")}
    assert stale["obrs"] > stale["none"] + 0.1
    assert stale["tis"] > stale["none"] + 0.05
    assert stale["icepop"] < stale["obrs"]


def test_care_keeps_plans_at_equal_success():
    rows = by(care(0, steps=200).finals, "arm")
    assert min(row["success"] for row in rows.values()) > 0.98
    assert rows["no bonus"]["kept"] < 0.87
    assert rows["bonus, slow average"]["kept"] > 0.97
    assert rows["bonus, fast average"]["kept"] < rows["bonus, slow average"]["kept"]


def test_a_frozen_value_finds_the_good_token_trains_nothing_and_ages():
    rows = by(dvpo(0).finals, "arm")
    assert rows["DVPO"]["rise"] > 0.7
    assert rows["DVPO"]["trained bytes"] == 0 < rows["PPO, critic"]["trained bytes"]
    assert rows["DVPO"]["reward"] > rows["PPO, critic"]["reward"] - 0.05
    assert rows["DVPO, steps"]["reward"] > rows["DVPO"]["reward"]
    for arm in ("DVPO", "DVPO, steps"):
        assert rows[arm]["error at first"] < 0.1
        assert rows[arm]["error at last"] > 2 * rows["PPO, critic"]["error at last"]


def test_sppo_mixes_where_preferences_go_round_and_dpo_picks_one():
    rows = by(sppo(0).finals, "arm")
    assert rows["SPPO"]["average"] < 0.08
    assert rows["SPPO"]["largest"] < 0.7
    for arm in ("DPO, beta 1", "DPO, beta 0.1"):
        assert rows[arm]["largest"] > 0.95
        assert rows[arm]["average"] > 2 * rows["SPPO"]["average"]


def test_offsets_of_a_prompt_harm_only_the_weak_critic():
    rows = by(p3o(0).finals, "arm", "offsets")
    for arm in ("P3O", "P3O, joint clip", "GRPO"):
        assert rows[arm, "σ = 10"]["moved"] < 1e-9
        assert rows[arm, "σ = 10"]["quality"] > 0.95
    assert rows["PPO, weak critic", "none"]["quality"] > 0.95
    assert rows["PPO, weak critic", "σ = 10"]["quality"] < 0.75


def test_repo_ends_most_of_the_hacking_only_the_veto_ends_leaks_and_only_the_sum_depends_on_the_unit():
    rows = by(repo(0).finals, "arm")
    assert rows["RM only"]["leaks"] > 0.95
    assert rows["RM only"]["promises"] > 0.95
    assert rows["REPO"]["leaks"] < 0.05
    assert rows["REPO"]["promises"] < 0.3
    assert rows["REPO"]["deals"] > rows["RM only"]["deals"] + 0.05
    # The same reward model in another unit: nothing for REPO, everything for the sum.
    for unit in ("REPO, RM ×0.1", "REPO, RM ×10"):
        assert rows[unit]["deals"] == pytest.approx(rows["REPO"]["deals"], abs=1e-3)
    assert rows["sum ×0.1"]["leaks"] > 0.9
    assert rows["sum ×1"]["leaks"] > 0.9
    assert rows["sum ×10"]["leaks"] < 0.01
    assert rows["sum ×10, RM ×10"]["leaks"] > 0.9
    # Where the reward model dislikes every honest reply, a leak that the product leaves at 0 is worth more than they are.
    assert rows["REPO"]["leaks, hard"] > 0.03
    assert rows["REPO, RM - 1"]["leaks, hard"] > 0.9
    assert rows["REPO + veto"]["leaks, hard"] < 0.005
    assert rows["REPO + veto, RM - 1"]["leaks, hard"] < 0.005
    assert rows["REPO, RM + 2"]["promises"] < 0.02


def test_a_report_pools_seeds():
    runs = [[{"arm": "a", "lag": 1, "share": 0.5, "moved": float("nan")}], [{"arm": "a", "lag": 1, "share": 0.7, "moved": 0.0}]]
    assert pooled(runs) == [{"arm": "a", "lag": "1", "share": "0.6 ± 0.1", "moved": ""}]
    assert set(EXPERIMENTS) == {"repo", "gopo", "gdpo", "offpolicy", "care", "dvpo", "sppo", "p3o"}
