"""What a batch is made of: all of it on the model's device, and DVPO's advantages, which no reward of these replies can change."""

from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file

from agent.serving.starter import ADAPTER_FOLDER
from tests.training.objectives.learning import SMALL, contexts, scorer, task, tiny
from training.objectives.catalogue import settings_of, train
from training.objectives.critic import Critic, CriticError
from training.objectives.losses import policy_loss
from training.objectives.metrics import MetricsLog
from training.objectives.objective import Task
from training.objectives.packing import group, pack
from training.objectives.pairs import pair_loss
from training.objectives.policy import Policy
from training.objectives.rewarding import Scoring
from training.objectives.rollout import Rollout, pool, roll_out
from training.objectives.settings import PolicySettings
from training.objectives.valuing import Valuing, reply_logps

DVPO: dict[str, Any] = {**SMALL, "advantage": "value", "beta": 0.0, "critic_learning_rate": 2e-2}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tiny(tmp_path_factory.mktemp("tiny"))


@pytest.mark.parametrize(
    "options",
    [
        {"advantage": "gae"},
        {"advantage": "gae", "critic_trunk": "own"},
        {"advantage": "value"},
        {"advantage": "rank", "care": 0.5},
        {"advantage": "group", "aggregation": "gdpo"},
        {"advantage": "gae", "off_policy": "obrs"},
        {"loss": "p3o"},
        {"loss": "sppo"},
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_every_tensor_of_a_step_is_made_where_the_model_is(options: dict[str, Any]) -> None:
    """Here that is the CPU, and whatever does not say where it wants to be falls into a device that cannot compute."""
    settings = PolicySettings(copies=2, max_tokens=40, temperature=0.3, **options)
    policy = Policy.load(settings, adapter=ADAPTER_FOLDER)
    source = pool(contexts(2), policy, settings)
    critic: Critic | None = None
    if settings.has_critic:
        trunk = policy.trunk_copy() if settings.critic_trunk == "own" else None
        critic = Critic(int(policy.trunk.config.hidden_size), settings, trunk=trunk)
        # AdamW's own counters are made wherever tensors are made by default.
        critic.optimiser = torch.optim.SGD(critic.parameters(), lr=1e-3)
    valuing = Valuing(policy, settings, critic, Accelerator(cpu=True))
    with torch.device("meta"), Scoring(scorer()) as scoring:
        rollout = roll_out(policy, source, range(2), settings, copies=2, seed=1, written=scoring.ask)
        seen = valuing.look(rollout)
        scored = scoring.rewards(rollout.replies, unreadable=-3.0, device=policy.device)
        batch, figures = valuing.batch(rollout, seen, scored, torch.Generator(policy.device).manual_seed(1))
        packed = pack(seen.groups)
        logp = packed.unpack(reply_logps(policy.model, packed, temperature=0.3)[0])
        mask = seen.groups.reply_mask
        if critic is not None:
            valued = pack(seen.groups.with_ends()) if settings.values_ends else packed
            critic.learn(seen.states, valued, batch["values"], batch["returns"], batch["valued"])
        if settings.loss == "clipped":
            flat = [x.flatten(0, 1) for x in (logp, seen.old_logp, batch["advantages"], mask)]
            loss = policy_loss(*flat, weights=batch["weights"].flatten(0, 1)).loss  # type: ignore[arg-type]
        else:
            loss = pair_loss(logp, seen.old_logp, mask, batch["worth"], settings)
        loss.backward()
    assert {x.device.type for x in (*batch.values(), loss)} == {"cpu"}
    assert figures["length"] > 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", ["ppo", "grpo", "repo"])
def test_a_run_on_a_gpu(name: str, base: Path, tmp_path: Path) -> None:
    assert train(name, task(tmp_path, base=base, held_out=contexts(2, 71_000)), settings_of(name, SMALL)).finished


def test_behind_a_replys_last_word_there_is_one_more_place() -> None:
    groups = group([[1, 2]], [[[3, 4, 5], [6]]], pad_id=0)
    longer = groups.with_ends()
    assert longer.reply_mask.tolist() == [[[True] * 4, [True, True, False, False]]]
    packed = pack(longer)
    fed = packed.unpack(packed.ids[:, -packed.branch_length :])
    # At each place stands what was said last: first the prompt's end, and at the last one the reply's last word.
    assert fed[longer.reply_mask].tolist() == [2, 3, 4, 5, 2, 6]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "adapter_model.safetensors")


def checkpoint(folder: Path) -> Path:
    return max((folder / "checkpoints").iterdir(), key=lambda path: int(path.name.partition("-")[2]))


@pytest.fixture(scope="module")
def fitted(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Task:
    """A run's task that begins with a value model, fitted in a run in which the policy stayed as it was."""
    folder = tmp_path_factory.mktemp("fitted")
    outcome = train("repo", task(folder, base=base), settings_of("repo", {**DVPO, "critic_warmup": 3}))
    assert all(weight.abs().max() == 0 for key, weight in weights(outcome.adapter).items() if "lora_B" in key)
    losses = [record["value/loss"] for record in MetricsLog(folder).read()]
    assert losses[-1] < losses[0] / 2
    return task(folder, base=base, critic=checkpoint(folder))


def test_a_policy_learns_from_a_frozen_value_model_alone(fitted: Task, base: Path, tmp_path: Path) -> None:
    """The answers cannot be read: what they are paid is ``unreadable``, and it makes no difference."""
    frozen = {**DVPO, "critic": "frozen"}
    one = train("repo", task(tmp_path / "one", base=base, critic=fitted.critic), settings_of("repo", frozen))
    other = train("repo", task(tmp_path / "other", base=base, critic=fitted.critic), settings_of("repo", {**frozen, "unreadable": -30.0}))
    assert one.digest == other.digest
    assert any(weight.abs().max() > 0 for key, weight in weights(one.adapter).items() if "lora_B" in key)
    assert fitted.critic is not None
    before, after = (torch.load(path / "critic.pt")["weights"] for path in (fitted.critic, checkpoint(tmp_path / "one")))
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_advantage_is_the_value_or_its_step(base: Path) -> None:
    settings = PolicySettings(copies=2, max_tokens=5, advantage="value", beta=0.0)
    policy = Policy.load(settings, base=base)
    critic = Critic(int(policy.trunk.config.hidden_size), settings)
    torch.nn.init.normal_(critic.head[-1].weight)  # type: ignore[arg-type]
    rollout = roll_out(policy, pool(contexts(2), policy, settings), range(2), settings, copies=2, seed=1)
    value, step = (advantages(policy, settings.model_copy(update={"value_steps": steps}), critic, rollout) for steps in (False, True))
    seen = Valuing(policy, settings, critic, Accelerator(cpu=True)).look(rollout)
    assert seen.values is not None
    mask = seen.groups.reply_mask
    for found, wanted in ((value, seen.values[:, :, 1:]), (step, seen.values.diff(dim=2))):
        known = wanted[mask]
        torch.testing.assert_close(found[mask], (known - known.mean()) / known.std(), rtol=1e-3, atol=1e-4)


def advantages(policy: Policy, settings: PolicySettings, critic: Critic, rollout: Rollout) -> torch.Tensor:
    valuing = Valuing(policy, settings, critic, Accelerator(cpu=True))
    with Scoring(scorer()) as scoring:
        scored = scoring.rewards(rollout.replies, unreadable=-3.0)
    return valuing.batch(rollout, valuing.look(rollout), scored, torch.Generator())[0]["advantages"]


def test_a_critic_that_never_saw_an_end_is_no_value_model(base: Path, tmp_path: Path) -> None:
    train("repo", task(tmp_path / "gae", base=base), settings_of("repo", SMALL))
    with pytest.raises(CriticError, match="only one fitted with 'value'"):
        train("repo", task(tmp_path / "run", base=base, critic=checkpoint(tmp_path / "gae")), settings_of("repo", DVPO))
