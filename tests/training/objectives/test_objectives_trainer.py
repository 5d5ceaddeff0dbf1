"""Whole runs of every objective: a few steps and a few replies, most of them of a tiny random model, whose answers cannot be read."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from agent.domain import Reply, TurnContext
from agent.serving.starter import ADAPTER_FOLDER
from agent.serving.versions import AdapterStore
from tests.training.objectives.learning import SMALL, contexts, scorer, task, tiny
from training.objectives.catalogue import UnknownObjective, settings_of, train
from training.objectives.critic import CriticError
from training.objectives.metrics import MetricsLog
from training.objectives.objective import TaskError
from training.objectives.policy import Policy, PolicyError
from training.objectives.rewarding import BadReward
from training.objectives.running import STOP
from training.objectives.settings import SettingsError
from training.rewards.enhancement import RewardError


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tiny(tmp_path_factory.mktemp("tiny"))


def metrics(folder: Path) -> list[dict[str, Any]]:
    return MetricsLog(folder).read()


def logged(folder: Path, name: str) -> list[float]:
    return [record[name] for record in metrics(folder) if record.get(name) is not None]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "adapter_model.safetensors")


@pytest.mark.parametrize("name", ["ppo", "grpo", "repo"])
def test_an_objective_runs_and_leaves_an_adapter_that_can_be_published(name: str, base: Path, tmp_path: Path) -> None:
    outcome = train(name, task(tmp_path / "run", base=base, held_out=contexts(2, 71_000)), settings_of(name, SMALL))
    assert outcome.finished
    assert outcome.steps == 3
    assert AdapterStore(tmp_path / "store").publish(outcome.adapter, "policy-v2").rank == 8
    assert any(weight.abs().max() > 0 for key, weight in weights(outcome.adapter).items() if "lora_B" in key) or outcome.best_step == 0
    assert [record["step"] for record in metrics(tmp_path / "run") if "held_out/total" in record] == [0, 2, 3]


def test_every_component_is_logged_for_every_step(tmp_path: Path) -> None:
    train("repo", task(tmp_path), settings_of("repo", {**SMALL, "max_tokens": 48}))
    told = metrics(tmp_path)
    assert [record["step"] for record in told] == [1, 2, 3]
    wanted = {
        "reward/model", "reward/functions", "reward/enhanced", "reward/total", "reward/disliked_share", "reward/judge_missing_share",
        "reward/violation_rate", "reward/unreadable_share", "kl", "entropy", "length", "clip_share", "value/explained_variance", "loss",
        "time/rollout", "time/scoring", "time/rewards", "time/values", "time/training_step", "memory/peak_mb", "value/loss", "grad_norm",
        "staleness",
    }  # fmt: skip
    for record in told:
        assert wanted <= record.keys()
        assert all(isinstance(record[name], float) for name in wanted - {"reward/judge"})
    assert told[0]["kl"] == pytest.approx(0, abs=1e-5)
    assert told[2]["kl"] > 1e-6


@pytest.mark.parametrize("name", ["sft", "dpo"])
def test_what_learns_from_rows_is_measured_by_the_same_reward(name: str, base: Path, tmp_path: Path) -> None:
    settings = settings_of(name, {"steps": 3, "batch": 4, "max_tokens": 6, "held_out_every": 2, "learning_rate": 1e-2})
    outcome = train(name, task(tmp_path, base=base, held_out=contexts(2, 71_000)), settings)
    assert outcome.steps == 3
    assert [record["step"] for record in metrics(tmp_path) if "held_out/total" in record] == [0, 2, 3]
    losses = logged(tmp_path, "loss")
    assert losses[-1] < losses[0]


def test_sft_learns_from_our_own_words_alone(base: Path, tmp_path: Path) -> None:
    settings = settings_of("sft", {"steps": 1, "batch": 4})
    from training.objectives.sft import SFTTrainer

    trainer: Any = SFTTrainer.of(task(tmp_path), settings, Policy.load(settings, base=base))  # type: ignore[arg-type]
    batch = next(iter(trainer.get_train_dataloader()))
    learned = [trainer.policy.tokenizer.decode(row[row != -100]) for row in batch["labels"]]
    assert len(learned) == 4
    assert all(words.startswith('{"move":"') and words.strip().endswith("<|im_end|>") for words in learned)


@pytest.mark.parametrize(
    "options",
    [
        {"advantage": "group", "aggregation": "gdpo"},
        {"advantage": "rank", "care": 0.5},
        {"off_policy": "tis", "kl": "k1"},
        {"off_policy": "obrs", "epochs": 2},
        {"critic_trunk": "own", "critic_learning_rate": 1e-4},
        {"autocast": True},
        {"copies": 1},
        {"advantage": "value", "critic_trunk": "own"},
        {"loss": "p3o"},
        {"loss": "p3o_joint", "epochs": 2},
        {"loss": "sppo"},
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_every_option_runs(options: dict[str, Any], base: Path, tmp_path: Path) -> None:
    settings = settings_of("repo", {**SMALL, "steps": 1, **options})
    outcome = train("repo", task(tmp_path, base=base), settings)
    assert outcome.finished
    assert all(math.isfinite(weight.abs().sum()) for weight in weights(outcome.adapter).values())


def test_a_run_that_goes_on_from_an_adapter_is_held_to_it(tmp_path: Path) -> None:
    outcome = train(
        "repo", task(tmp_path, adapter=ADAPTER_FOLDER), settings_of("repo", {**SMALL, "steps": 1, "learning_rate": 1e-4, "max_tokens": 48})
    )
    # On the first replies policy and reference are the same: the reference is not the base.
    assert metrics(tmp_path)[0]["kl"] == pytest.approx(0, abs=1e-5)
    before, after = weights(ADAPTER_FOLDER), weights(outcome.adapter)
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[key].float(), after[key]) for key in before)
    assert all((before[key].float() - after[key]).abs().max() < 1e-2 for key in before)


def test_the_critic_learns_while_the_policy_waits(base: Path, tmp_path: Path) -> None:
    outcome = train("repo", task(tmp_path, base=base), settings_of("repo", {**SMALL, "critic_warmup": 3}))
    assert all(weight.abs().max() == 0 for key, weight in weights(outcome.adapter).items() if "lora_B" in key)
    assert logged(tmp_path, "value/loss")[-1] < logged(tmp_path, "value/loss")[0]


def test_the_stop_file_ends_a_run_after_its_step_with_a_checkpoint(base: Path, tmp_path: Path) -> None:
    tmp_path.joinpath(STOP).touch()
    outcome = train("grpo", task(tmp_path, base=base), settings_of("grpo", {**SMALL, "save_every": 100}))
    assert not outcome.finished
    assert outcome.steps == 1
    assert (tmp_path / "checkpoints" / "checkpoint-2" / "READY").exists()


def test_a_run_that_gets_no_better_ends_early_with_its_best_adapter(base: Path, tmp_path: Path) -> None:
    settings = settings_of("repo", {**SMALL, "steps": 6, "held_out_every": 1, "patience": 2, "learning_rate": 1e-9})
    outcome = train("repo", task(tmp_path, base=base, held_out=contexts(2, 71_000)), settings)
    assert outcome.steps == 2
    assert outcome.best_step == 0


class TestBadInput:
    def test_a_name_that_no_objective_has(self) -> None:
        with pytest.raises(UnknownObjective, match="there is no objective 'reppo'; choose one of sft, dpo"):
            settings_of("reppo")

    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ({"bata": 1}, "bata"),
            ({"beta": -1}, "beta"),
            ({"prompts": 3, "minibatches": 2}, "3 prompts cannot be split"),
            ({"aggregation": "gdpo"}, "set advantage to 'group'"),
            ({"advantage": "rank", "copies": 1}, "2 or more, not 1"),
            ({"loss": "p3o", "copies": 3}, "an even number, not 3"),
            ({"loss": "sppo", "off_policy": "tis"}, "knows neither"),
        ],
    )
    def test_settings_that_cannot_be(self, values: dict[str, Any], said: str) -> None:
        with pytest.raises(SettingsError, match=said):
            settings_of("repo", values)

    @pytest.mark.parametrize(("name", "missing"), [("sft", "demonstrations"), ("dpo", "preferences"), ("repo", "contexts")])
    def test_an_empty_snapshot(self, name: str, missing: str, tmp_path: Path) -> None:
        empty = type(task(tmp_path))(folder=tmp_path, score=scorer())
        with pytest.raises((TaskError, PolicyError), match=missing):
            train(name, empty, settings_of(name))

    def test_a_prompt_that_does_not_fit_the_window(self, tmp_path: Path) -> None:
        with pytest.raises(PolicyError, match="window is 1024"):
            train("repo", task(tmp_path), settings_of("repo", {**SMALL, "max_tokens": 1000}))

    def test_an_adapter_of_another_base(self, tmp_path: Path) -> None:
        base = tiny(tmp_path / "base")
        with pytest.raises(PolicyError, match="does not fit the base model"):
            train("repo", task(tmp_path, base=base, adapter=ADAPTER_FOLDER), settings_of("repo", SMALL))

    def test_a_frozen_critic_from_nowhere(self, tmp_path: Path) -> None:
        with pytest.raises(CriticError, match="must come from somewhere"):
            train("repo", task(tmp_path), settings_of("repo", {**SMALL, "critic": "frozen"}))

    def test_a_reward_that_is_no_number_stops_the_run_before_anything_is_learned(self, tmp_path: Path) -> None:
        from training.rewards.scoring import Scorer
        from training.rewards.spec import shipped_spec

        def broken(items: Sequence[tuple[TurnContext, Reply]]) -> list[float]:
            return [float("nan")] * len(items)

        bad = Scorer(broken, None, shipped_spec()).score_many
        with pytest.raises((BadReward, RewardError), match=r"nan|finite"):
            train("repo", task(tmp_path, score=bad), settings_of("repo", {**SMALL, "max_tokens": 48}))
        assert not (tmp_path / "adapter").exists()
