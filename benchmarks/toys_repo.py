"""REPO's toy: a reward model that likes chatty over-promising and leaks, and what judge and rules can do about it.

Decided here: a policy that writes a reply as five choices, the raters, the reward model fitted to them, the judge's and the rules' marks,
and what is measured. The totals are ``training.rewards.enhancement``'s, advantages and losses those of ``training.objectives``;
``benchmarks.objectives_toys`` runs and reports.
"""

from dataclasses import dataclass
from functools import partial
from itertools import product

import torch
from torch import Tensor
from torch.nn.functional import softplus

from benchmarks.toys_groups import Rows, Toy, draw, start
from training.objectives.advantages import gae, token_rewards, whiten
from training.objectives.losses import policy_loss, value_loss
from training.rewards.enhancement import enhance, linear_sum, veto

OPTIONS = (4, 3, 3, 2, 2)
"""Argument (one of four speaks to the hotel), wording, small talk, promise, internal word: how many options each choice has."""
HOTELS = 16
HARD = 4
"""So many of the hotels care for none of the arguments."""
LIKES = torch.tensor([1.5, 0.4, 0.3, 1.0, 1.2], dtype=torch.float64)
"""What moves the raters: an argument that speaks to the hotel, natural wording, small talk, a promise, an internal word let slip."""
HABITS = (0.0, 0.0, 0.0, -1.0, -2.0)
"""Logits of each choice's last option at first: an average BD promises too much about one time in four and leaks one time in eight."""


def marks(features: Tensor) -> tuple[float, float, bool]:
    """Judge, rules and whether the breach is severe, of (fits, wording, small talk, promise, leak).

    Judge: progress +2 × 10 and local reasoning +1 × 6 for an argument that fits, conciseness −1 × 4 for each grade of small talk,
    over-promising −2 × 12. Rules: promise −60, internal word −100.
    """
    fits, _, talk, promise, leak = features.tolist()
    return 26 * fits - 4 * talk - 24 * promise, -60 * promise - 100 * leak, leak > 0


@dataclass(frozen=True, slots=True)
class World:
    """What a run cannot change: which argument fits each hotel (-1: none), and the fitted reward model's score of each kind of reply."""

    fitting: Tensor
    cells: Tensor
    scores: Tensor

    def features(self, hotels: Tensor, choices: Tensor) -> Tensor:
        """(B, 5) of choices (B, 5) for hotels (B,)."""
        return torch.cat([(choices[:, :1] == self.fitting[hotels].unsqueeze(1)).long(), choices[:, 1:]], dim=1).double()

    def cell(self, hotels: Tensor, choices: Tensor) -> Tensor:
        """Which of ``cells`` each reply is."""
        sizes = torch.tensor([36, 12, 4, 2, 1], dtype=torch.float64)
        return (self.features(hotels, choices) * sizes).sum(1).long()


def world(seed: int, *, pairs: int = 4000) -> World:
    """Fit the reward model to noisy preferences between an average BD's replies, and set its zero and unit by such replies."""
    generator = torch.Generator().manual_seed(seed)
    fitting = torch.randint(4, (HOTELS,), generator=generator)
    fitting[:HARD] = -1
    cells = torch.tensor(list(product(range(2), range(3), range(3), range(2), range(2))), dtype=torch.float64)
    blank = World(fitting, cells, torch.zeros(len(cells), dtype=torch.float64))
    hotels = torch.arange(HOTELS).repeat(pairs // HOTELS)
    one, other = (blank.features(hotels, written(average_bd(), hotels, generator)) for _ in range(2))
    chance = torch.sigmoid((one - other) @ LIKES)
    preferred = (torch.rand(len(hotels), generator=generator) < chance).double() * 2 - 1
    weights = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([weights], lr=0.1)
    for _ in range(200):
        optimiser.zero_grad()
        softplus(-preferred * ((one - other) @ weights)).mean().backward()
        optimiser.step()
    learnt = weights.detach()
    reference = one @ learnt
    return World(fitting, cells, (cells @ learnt - reference.mean()) / reference.std())


def average_bd() -> list[Tensor]:
    """Its logits (hotels, options), a table for each choice."""
    tables = [torch.zeros(HOTELS, size, dtype=torch.float64) for size in OPTIONS]
    for table, habit in zip(tables, HABITS, strict=True):
        table[:, -1] += habit
    return [table.requires_grad_() for table in tables]


def written(tables: list[Tensor], hotels: Tensor, generator: torch.Generator) -> Tensor:
    """A reply's choices (B, 5) to each of the hotels (B,)."""
    return torch.cat([draw(table[hotels], 1, generator) for table in tables], dim=1)


def totals(world: World, combine: str, *, weight: float = 1.0, scale: float = 1.0, shift: float = 0.0) -> Tensor:
    """The reward of each kind of reply by "model", "sum", "repo" or "repo + veto"; ``shift``, ``scale``: the model's zero and unit."""
    found: list[float] = []
    for score, features in zip(((world.scores + shift) * scale).tolist(), world.cells, strict=True):
        judge, functions, severe = marks(features)
        match combine:
            case "model":
                found.append(score)
            case "sum":
                found.append(linear_sum(score, judge, functions, weight=weight))
            case "repo":
                found.append(enhance(score, judge, functions))
            case _:
                found.append(veto(enhance(score, judge, functions), severe=severe, value=10 * scale))
    return torch.tensor(found, dtype=torch.float64)


ARMS = {
    "RM only": partial(totals, combine="model"),
    "sum ×0.1": partial(totals, combine="sum", weight=0.1),
    "sum ×1": partial(totals, combine="sum", weight=1.0),
    "sum ×10": partial(totals, combine="sum", weight=10.0),
    "sum ×10, RM ×10": partial(totals, combine="sum", weight=10.0, scale=10.0),
    "REPO, RM ×0.1": partial(totals, combine="repo", scale=0.1),
    "REPO": partial(totals, combine="repo"),
    "REPO, RM ×10": partial(totals, combine="repo", scale=10.0),
    "REPO, RM + 2": partial(totals, combine="repo", shift=2.0),
    "REPO, RM - 1": partial(totals, combine="repo", shift=-1.0),
    "REPO + veto": partial(totals, combine="repo + veto"),
    "REPO + veto, RM - 1": partial(totals, combine="repo + veto", shift=-1.0),
}


def repo(seed: int, *, steps: int = 150, replies: int = 8) -> Toy:
    """Actor-critic on each reward for the same number of steps, with a table for a critic.

    Measured, exactly: deals (15 % and 50 points more for an argument that fits, 10 for each grade of wording; 15 less for a promise),
    replies that leak, leaks to the hotels that care for no argument, replies that promise too much, the mean grade of wording, and the
    reward's deviation over the last batch.
    """
    made = world(seed)
    finals: Rows = []
    curves: Rows = []
    for arm, reward_of in ARMS.items():
        reward = reward_of(made)
        generator = torch.Generator().manual_seed(seed + 1)
        tables, critic = average_bd(), start(HOTELS, len(OPTIONS))
        hotels = torch.arange(HOTELS).repeat_interleave(replies)
        mask = torch.ones(len(hotels), len(OPTIONS), dtype=torch.float64)
        unit = float(reward.std())
        for step in range(steps + 1):
            choices = written(tables, hotels, generator)
            paid = reward[made.cell(hotels, choices)]
            curves.append({"arm": arm, "step": step, **measured(made, tables), "deviation": float(paid.std())})
            values = critic[hotels]
            rewards = token_rewards(paid, torch.zeros_like(mask), mask, beta=0.0)
            advantages, returns = gae(rewards, values.detach() * unit, mask)
            logs = [table.log_softmax(-1)[hotels] for table in tables]
            logp = torch.cat([of.gather(1, choices[:, place : place + 1]) for place, of in enumerate(logs)], dim=1)
            loss = policy_loss(logp, logp.detach(), whiten(advantages, mask), mask).loss
            of_critic = value_loss(values, values.detach(), returns / unit, mask, clip=None)
            gradients = torch.autograd.grad(loss + of_critic, [*tables, critic])
            rates = [1.2 * HOTELS] * len(tables) + [5.0 * HOTELS]
            moved = zip([*tables, critic], gradients, rates, strict=True)
            *tables, critic = [(table - rate * gradient).detach().requires_grad_() for table, gradient, rate in moved]
        finals.append({key: value for key, value in curves[-1].items() if key != "step"})
    return Toy(finals, curves)


def measured(world: World, tables: list[Tensor]) -> dict[str, float]:
    """What a policy does, without sampling."""
    argument, wording, talk, promise, leak = (table.detach().softmax(-1) for table in tables)
    fits = torch.where(world.fitting >= 0, argument.gather(1, world.fitting.clamp(min=0).unsqueeze(1)).squeeze(1), 0.0)
    grade, talks = (table @ torch.arange(3, dtype=torch.float64) for table in (wording, talk))
    deals = 0.15 + 0.5 * fits + 0.1 * grade - 0.15 * promise[:, 1]
    return {
        "deals": float(deals.mean()), "leaks": float(leak[:, 1].mean()), "leaks, hard": float(leak[:HARD, 1].mean()),
        "promises": float(promise[:, 1].mean()), "small talk": float(talks.mean()), "wording": float(grade.mean()),
    }  # fmt: skip
