import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from training.objectives.critic import Critic, CriticError, skill
from training.objectives.packing import Packed, group, pack
from training.objectives.settings import PolicySettings

HIDDEN = 8
SETTINGS = PolicySettings(critic_learning_rate=1e-2, critic_epochs=4)


def batch(seed: int) -> tuple[Tensor, Packed, Tensor, Tensor]:
    """States whose first number, summed with the second's square, is what is returned."""
    generator = torch.Generator().manual_seed(seed)
    lengths = [[int(torch.randint(1, 6, (), generator=generator)) for _ in range(4)] for _ in range(6)]
    groups = group([[1, 2]] * 6, [[[3] * length for length in row] for row in lengths], pad_id=0)
    states = torch.randn(*groups.reply_mask.shape, HIDDEN, generator=generator)
    return states, pack(groups), states[..., 0] + states[..., 1].square(), groups.reply_mask


def test_the_explained_variance_rises_as_it_learns() -> None:
    torch.manual_seed(0)
    critic = Critic(HIDDEN, SETTINGS)
    states, packed, returns, mask = batch(0)
    before = skill(critic(states, packed), returns, mask)
    for step in range(1, 60):
        seen, rows, target, shown = batch(step)
        critic.learn(seen, rows, torch.zeros_like(target), target, shown)
    after = skill(critic(states, packed), returns, mask)
    assert abs(before) < 0.1
    assert after > 0.6


def test_its_gradients_are_zeroed() -> None:
    critic = Critic(HIDDEN, SETTINGS)
    states, packed, returns, mask = batch(0)
    critic.learn(states, packed, torch.zeros_like(returns), returns, mask)
    assert all(parameter.grad is None for parameter in critic.parameters())


def test_what_it_learned_from_before_does_not_add_to_the_next_gradient() -> None:
    torch.manual_seed(0)
    settings = SETTINGS.model_copy(update={"critic_epochs": 1, "critic_clip_gradient": 1e9})
    critic = Critic(HIDDEN, settings)
    # Plain descent: each step is the gradient itself.
    critic.optimiser = torch.optim.SGD(critic.parameters(), lr=1e-3)
    states, packed, returns, mask = batch(0)
    moved: list[float] = []
    for _ in range(20):
        before = torch.cat([parameter.detach().flatten().clone() for parameter in critic.parameters()])
        critic.learn(states, packed, torch.zeros_like(returns), returns, mask)
        moved.append(float((torch.cat([parameter.detach().flatten() for parameter in critic.parameters()]) - before).norm()))
    # Gradients that piled up would make the twentieth step many times the first.
    assert max(moved) < 2 * moved[0]


def test_gradients_are_clipped_to_the_norm() -> None:
    settings = SETTINGS.model_copy(update={"critic_epochs": 1, "critic_clip_gradient": 0.01})
    critic = Critic(HIDDEN, settings)
    critic.optimiser = torch.optim.SGD(critic.parameters(), lr=1.0)
    states, packed, returns, mask = batch(0)
    before = torch.cat([parameter.detach().flatten().clone() for parameter in critic.parameters()])
    critic.learn(states, packed, torch.zeros_like(returns), 100 * returns, mask)
    after = torch.cat([parameter.detach().flatten() for parameter in critic.parameters()])
    assert float((after - before).norm()) == pytest.approx(0.01, rel=1e-2)


def test_a_frozen_critic_stays_as_it_is() -> None:
    critic = Critic(HIDDEN, SETTINGS.model_copy(update={"critic": "frozen"}))
    states, packed, returns, mask = batch(0)
    before = {name: weight.clone() for name, weight in critic.state_dict().items()}
    assert critic.learn(states, packed, torch.zeros_like(returns), returns, mask) > 0
    assert all(torch.equal(weight, before[name]) for name, weight in critic.state_dict().items())


def test_a_restored_critic_goes_on_like_one_that_never_stopped(tmp_path: Path) -> None:
    torch.manual_seed(0)
    critic = Critic(HIDDEN, SETTINGS, spec="7")
    batches = [batch(seed) for seed in range(4)]
    for seen, rows, target, shown in batches[:2]:
        critic.learn(seen, rows, torch.zeros_like(target), target, shown)
    critic.save(tmp_path)
    other = Critic(HIDDEN, SETTINGS, spec="7")
    other.restore(tmp_path)
    for one in (critic, other):
        for seen, rows, target, shown in batches[2:]:
            one.learn(seen, rows, torch.zeros_like(target), target, shown)
    assert all(torch.equal(weight, other.state_dict()[name]) for name, weight in critic.state_dict().items())


def test_a_critic_of_another_reward_another_shape_or_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CriticError, match="holds no critic"):
        Critic(HIDDEN, SETTINGS).restore(tmp_path)
    Critic(HIDDEN, SETTINGS, spec="7").save(tmp_path)
    with pytest.raises(CriticError, match="reward spec '7', this run's is '8'"):
        Critic(HIDDEN, SETTINGS, spec="8").restore(tmp_path)
    with pytest.raises(CriticError, match="another shape"):
        Critic(2 * HIDDEN, SETTINGS, spec="7").restore(tmp_path)


def test_where_nothing_varies_nothing_is_explained() -> None:
    states, packed, returns, mask = batch(0)
    assert math.isnan(skill(Critic(HIDDEN, SETTINGS)(states, packed), torch.ones_like(returns), mask))
