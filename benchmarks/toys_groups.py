"""Toys of the group methods: ranks under warped rewards (GOPO), rewards of unequal scale (GDPO), plans that are kept (GRPO-CARE).

Decided here: the policies, which are tables of logits, and what is measured of them exactly. Advantages and losses are those of
``training.objectives``; ``benchmarks.objectives_toys`` runs and reports.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from training.objectives.advantages import care_bonus, gdpo, group_zscore, ranks
from training.objectives.losses import policy_loss

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Toy:
    """What a toy ends with, a row for each method, and how it got there, a row for each method and step."""

    finals: Rows
    curves: Rows


def start(*shape: int) -> Tensor:
    """A table of logits that prefers nothing."""
    return torch.zeros(shape, dtype=torch.float64, requires_grad=True)


def draw(logits: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Options (..., count) sampled from logits (..., options)."""
    options = logits.shape[-1]
    flat = torch.multinomial(logits.detach().softmax(-1).reshape(-1, options), count, replacement=True, generator=generator)
    return flat.reshape(*logits.shape[:-1], count)


def stepped(logits: Tensor, loss: Tensor, rate: float) -> Tensor:
    """The table after one step of plain gradient descent."""
    (gradient,) = torch.autograd.grad(loss, logits)
    return (logits - rate * gradient).detach().requires_grad_()


def normal(generator: torch.Generator, *shape: int) -> Tensor:
    """Standard normal numbers."""
    return torch.randn(shape, generator=generator, dtype=torch.float64)


# --- GOPO

WARPS: tuple[Callable[[Tensor], Tensor], ...] = (torch.exp, lambda r: r**3, lambda r: 10 * r, lambda r: torch.sinh(2 * r), lambda r: r)
"""Scorers that agree on every order and on nothing else; another one at every step."""
GROUP_METHODS: Mapping[str, Callable[[Tensor], Tensor]] = {"GRPO": group_zscore, "GOPO": lambda r: ranks(r, unit_std=True)}


def gopo(seed: int, *, steps: int = 150, contexts: int = 16, options: int = 8, group: int = 8) -> Toy:
    """Learning from a steady scorer, from one whose scale is warped at every step, and from one with heavy-tailed errors.

    Measured: the policy's true quality, 0 for uniform replies and 1 for the best reply everywhere; and the largest difference to
    any probability, at any step, from what the steady scorer teaches.
    """
    truth = normal(torch.Generator().manual_seed(seed), contexts, options)
    finals: Rows = []
    curves: Rows = []
    for method, advantages_of in GROUP_METHODS.items():
        courses: dict[str, Tensor] = {}
        for scorer in ("steady", "warped", "heavy tails"):
            generator = torch.Generator().manual_seed(seed + 1)
            logits = start(contexts, options)
            course: list[Tensor] = []
            for step in range(steps + 1):
                course.append(policy := logits.detach().softmax(-1))
                best, mean = truth.amax(-1).mean(), truth.mean()
                quality = float(((policy * truth).sum(-1).mean() - mean) / (best - mean))
                curves.append({"method": method, "scorer": scorer, "step": step, "quality": quality})
                replies = draw(logits, group, generator)
                rewards = truth.gather(1, replies) + 0.3 * normal(generator, contexts, group)
                tails = normal(generator, contexts, group) / normal(generator, contexts, group)
                if scorer == "warped":
                    rewards = WARPS[step % len(WARPS)](rewards)
                if scorer == "heavy tails":
                    rewards = rewards + 0.5 * tails
                logp = logits.log_softmax(-1).gather(1, replies)
                parts = policy_loss(logp, logp.detach(), advantages_of(rewards), torch.ones_like(logp))
                logits = stepped(logits, parts.loss, 0.3 * contexts)
            courses[scorer] = torch.stack(course)
            moved = float((courses[scorer] - courses["steady"]).abs().max())
            finals.append({"method": method, "scorer": scorer, "quality": curves[-1]["quality"], "moved": moved})
    return Toy(finals, curves)


# --- GDPO

SCALES = (1.0, 10.0, 100.0)


def gdpo_toy(seed: int, *, steps: int = 150, groups: int = 16, group: int = 8) -> Toy:
    """A reply makes three choices of four, and each is paid by a reward of its own, as noisy as it is large.

    Measured: the share of each reward's way from uniform replies (0) to the best (1); and, where one reward is multiplied, the largest
    difference that this makes to any probability.
    """
    value = torch.linspace(0, 1, 4, dtype=torch.float64)
    finals: Rows = []
    curves: Rows = []
    ends: dict[str, Tensor] = {}
    arms = {"GRPO": (1.0, False), "GDPO": (1.0, True), "GDPO, first ×16": (16.0, True), "GDPO, first ×10": (10.0, True)}
    for arm, (factor, apart) in arms.items():
        generator = torch.Generator().manual_seed(seed)
        logits = start(3, 4)
        scales = torch.tensor(SCALES, dtype=torch.float64) * torch.tensor([factor, 1, 1], dtype=torch.float64)
        for step in range(steps + 1):
            policy = logits.detach().softmax(-1)
            shares = (((policy * value).sum(-1) - value.mean()) / (1 - value.mean())).tolist()
            curves += [{"arm": arm, "reward": f"×{scale:g}", "step": step, "share": s} for scale, s in zip(SCALES, shares, strict=True)]
            choices = draw(logits, groups * group, generator).T
            rewards = ((value[choices] + 0.5 * normal(generator, groups * group, 3)) * scales).reshape(groups, group, 3)
            ones = torch.ones(3, dtype=torch.float64)
            advantages = gdpo(rewards, ones) if apart else group_zscore(rewards.sum(2))
            logp = logits.log_softmax(-1).expand(groups * group, 3, 4).gather(2, choices.unsqueeze(2)).squeeze(2)
            parts = policy_loss(logp, logp.detach(), advantages.flatten(), torch.ones_like(logp))
            logits = stepped(logits, parts.loss, 0.6)
        ends[arm] = logits.detach().softmax(-1)
        moved = float((ends[arm] - ends["GDPO"]).abs().max()) if apart else float("nan")
        finals.append({"arm": arm, **{row["reward"]: row["share"] for row in curves[-3:]}, "moved": moved})
    return Toy(finals, curves)


# --- GRPO-CARE


def care(seed: int, *, steps: int = 400, contexts: int = 12, moves: int = 4, group: int = 8) -> Toy:
    """A private plan, then a line of which only the line is paid; at first it follows the plan 7 times in 10.

    A line depends on its plan and, by a short cut, on the context alone. In 30 % of the rollouts another plan is slipped in (and left out
    of the loss). Measured, exactly: how often the line is right, and how often it does what the policy's own plan said. The bonus asks a
    reference how likely the line is after the plan: the policy's slow average (decay 0.995 every 10 steps, as published), the policy as
    it was at the start, or a fast average (0.9 every step).
    """
    right = torch.randint(moves, (contexts,), generator=torch.Generator().manual_seed(seed))
    at = torch.arange(contexts).unsqueeze(1)
    copying = torch.full((moves, moves), 0.3 / (moves - 1), dtype=torch.float64).fill_diagonal_(0.7).log()
    arms = {"no bonus": None, "bonus, slow average": (0.995, 10), "bonus, as at the start": (1.0, 1), "bonus, fast average": (0.9, 1)}
    finals: Rows = []
    curves: Rows = []
    for arm, average in arms.items():
        generator = torch.Generator().manual_seed(seed + 1)
        plans, short_cut, following = start(contexts, moves), start(contexts, moves), copying.clone().requires_grad_()
        reference = (following.detach(), short_cut.detach())
        for step in range(steps + 1):
            lines = following + short_cut.unsqueeze(1)
            both = plans.detach().softmax(-1).unsqueeze(2) * lines.detach().softmax(-1)
            success = float(both.sum(1).gather(1, right.unsqueeze(1)).mean())
            kept = float(both.diagonal(dim1=1, dim2=2).sum(1).mean())
            curves.append({"arm": arm, "step": step, "success": success, "kept": kept})
            plan = draw(plans, group, generator)
            slipped_in = torch.rand(plan.shape, generator=generator) < 0.3
            plan = torch.where(slipped_in, (plan + torch.randint(1, moves, plan.shape, generator=generator)) % moves, plan)
            line = draw(lines[at, plan], 1, generator).squeeze(2)
            accuracy = (line == right.unsqueeze(1)).double()
            rewards = accuracy
            if average is not None:
                decay, every = average
                confidence = (reference[0] + reference[1].unsqueeze(1)).log_softmax(-1)[at, plan, line].exp().clamp(max=0.95)
                rewards = accuracy + care_bonus(accuracy, confidence)
                if (step + 1) % every == 0:
                    reference = (
                        decay * reference[0] + (1 - decay) * following.detach(),
                        decay * reference[1] + (1 - decay) * short_cut.detach(),
                    )
            logp = torch.stack([plans.log_softmax(-1).gather(1, plan), lines.log_softmax(-1)[at, plan, line]], dim=2).reshape(-1, 2)
            mask = torch.stack([1 - slipped_in.double(), torch.ones_like(accuracy)], dim=2).reshape(-1, 2)
            parts = policy_loss(logp, logp.detach(), group_zscore(rewards).flatten(), mask)
            gradients = torch.autograd.grad(parts.loss, (plans, short_cut, following))
            # What belongs to one context sees one context's replies only.
            rates = (0.6 * contexts, 0.6 * contexts, 0.6)
            tables = (plans, short_cut, following)
            plans, short_cut, following = (
                (x - rate * g).detach().requires_grad_() for x, g, rate in zip(tables, gradients, rates, strict=True)
            )
        finals.append({key: curves[-1][key] for key in ("arm", "success", "kept")})
    return Toy(finals, curves)
