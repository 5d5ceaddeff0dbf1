"""Toys of learning from old replies (none, TIS, IcePop, OBRS at growing lags) and of a frozen value model (DVPO beside PPO's critic).

Decided here: the policies, which are tables of logits, and what is measured of them exactly. Corrections, advantages and losses are those
of ``training.objectives``; ``benchmarks.objectives_toys`` runs and reports.
"""

import time

import torch
from torch import Tensor, nn

from benchmarks.toys_groups import Rows, Toy, draw, normal, start, stepped
from training.objectives.advantages import frozen_value, gae, returns_to_go, token_rewards, whiten
from training.objectives.losses import policy_loss, value_loss
from training.objectives.offpolicy import acceptance, choose, icepop, obrs, tis

# --- off-policy

LAGS = (1, 4, 16, 64)
CORRECTIONS = ("fresh replies", "none", "tis", "tis, cap 3", "icepop", "obrs", "obrs, no cap")


def correction(name: str, target: Tensor, behaviour: Tensor, generator: torch.Generator) -> Tensor:
    """The weight of each sampled token under one of ``CORRECTIONS``; a cap that is not named is the default, 2 for tis and 3 for obrs."""
    match name:
        case "tis" | "tis, cap 3":
            return tis(target, behaviour, cap=3.0 if name.endswith("3") else 2.0)
        case "icepop":
            return icepop(target, behaviour)
        case "obrs" | "obrs, no cap":
            keep, weights = obrs(target, behaviour, generator, c1=None if name.endswith("cap") else 3.0)
            return keep * weights
        case _:
            return torch.ones_like(target)


def offpolicy(seed: int, *, contexts: int = 8, options: int = 16, steps: int = 40, batch: int = 64, rate: float = 0.5) -> Toy:
    """Version k has moved on by k exact policy gradient steps; then it is trained on by replies of version 0 alone, the PPO clip off.

    Measured at version k: total variation and the correction it asks for, the divergence of version k from what it is trained on
    (everything, or what ``obrs`` keeps), and the bias of the mean gradient, relative to the exact one. Over the training: the largest
    weight, the mean norm of the gradient, and the share of the way from version 0 to the best replies, before and after.
    """
    truth = normal(torch.Generator().manual_seed(seed), contexts, options)
    first = normal(torch.Generator().manual_seed(seed + 1), contexts, options)
    q = first.softmax(-1)
    worth_first, best = (q * truth).sum(-1).mean(), truth.amax(-1).mean()

    def reached(logits: Tensor) -> float:
        return float(((logits.detach().softmax(-1) * truth).sum(-1).mean() - worth_first) / (best - worth_first))

    finals: Rows = []
    curves: Rows = []
    version = first.clone().requires_grad_()
    for lag in range(1, max(LAGS) + 1):
        version = stepped(version, -(version.softmax(-1) * truth).sum(-1).mean(), rate * contexts)
        if lag not in LAGS:
            continue
        p = version.detach().softmax(-1)
        kept = q * acceptance(p.log(), q.log())
        kept_law = kept / kept.sum(-1, keepdim=True)
        stale = float(1 - kept.sum(-1).mean())
        measured = {
            "lag": lag, "TV": stale, "asks for": choose(stale), "KL to all": _divergence(p, q), "KL to kept": _divergence(p, kept_law),
        }  # fmt: skip
        for name in CORRECTIONS:
            generator = torch.Generator().manual_seed(seed + 2)
            logits, largest, norms = version.detach().clone().requires_grad_(), 0.0, 0.0
            for step in range(steps + 1):
                worth = reached(logits)
                logs, now = logits.log_softmax(-1), logits.detach().log_softmax(-1)
                replies = draw(logits if name == "fresh replies" else first, batch, generator)
                logp, behaviour = logs.gather(1, replies), (now if name == "fresh replies" else q.log()).gather(1, replies)
                weights = correction(name, logp, behaviour, generator)
                advantages = truth.gather(1, replies) - (now.exp() * truth).sum(-1, keepdim=True)
                parts = policy_loss(logp, logp.detach(), advantages, torch.ones_like(logp), clip=None, weights=weights)
                before, logits = logits.detach(), stepped(logits, parts.loss, rate * contexts)
                norm = float((logits.detach() - before).norm()) / rate / contexts
                norms += norm / (steps + 1)
                curves.append({"lag": lag, "correction": name, "step": step, "reached": worth, "gradient": norm})
                largest = max(largest, float(weights.max()))
            finals.append(
                measured | {"correction": name, "bias": _bias(name, p, q, truth), "largest weight": largest, "gradient": norms,
                            "before": reached(version), "after": reached(logits)}
            )  # fmt: skip
    return Toy(finals, curves)


def _divergence(p: Tensor, q: Tensor) -> float:
    return float((p * (p / q).log()).nan_to_num(0.0).sum(-1).mean())


def _bias(name: str, p: Tensor, q: Tensor, truth: Tensor) -> float:
    """How far the mean gradient is from the exact one, in lengths of the latter, every reply counted as often as it comes."""
    keep = torch.ones_like(p)
    if name == "fresh replies":
        weights = p / q
    elif name.startswith("obrs"):
        keep = acceptance(p.log(), q.log())
        _, weights = obrs(p.log(), q.log(), torch.Generator(), c1=None if name.endswith("cap") else 3.0)
    else:
        weights = correction(name, p.log(), q.log(), torch.Generator())
    advantages = truth - (p * truth).sum(-1, keepdim=True)

    def gradient(mass: Tensor) -> Tensor:
        pull = mass * advantages
        return pull - p * pull.sum(-1, keepdim=True)

    exact = gradient(p)
    return float((gradient(q * keep * weights) - exact).norm() / exact.norm())


# --- DVPO


class Reader(nn.Module):
    """A value for each prefix of a reply: a small GRU over its tokens."""

    def __init__(self, tokens: int, *, hidden: int = 16) -> None:
        super().__init__()
        self.tokens = tokens
        self.embedding = nn.Embedding(tokens + 1, hidden)
        self.gru = nn.GRU(hidden, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, replies: Tensor) -> Tensor:
        """Values (B, T) of the replies' (B, T) prefixes with the t-th token."""
        return self.head(self.gru(self.embedding(replies))[0]).squeeze(2)


def dvpo(seed: int, *, tokens: int = 20, length: int = 6, steps: int = 60, batch: int = 128) -> Toy:
    """A reply is paid 1 if it says the good token anywhere. One value model is fitted beforehand and frozen, another is PPO's critic.

    Both are the same small GRU. Measured: how much the frozen value rises at the good token; the reward after the same number of steps;
    seconds and trained bytes (weights, gradients, Adam's two moments) of each; and how far each is from the true value of prefixes that
    have not yet said it, of the policy before any training (the frozen one) and of the one that came out (both).
    """
    good = seed % tokens
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    frozen = Reader(tokens)
    even = start(length, tokens)
    mask = torch.ones(batch, length)
    optimiser = torch.optim.Adam(frozen.parameters(), lr=0.01)
    for _ in range(200):
        replies = draw(even, batch, generator).T
        target = returns_to_go(_paid(replies, good), mask)
        loss = value_loss(frozen(replies), target, target, mask, clip=None)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    finals: Rows = []
    curves: Rows = []
    for arm in ("DVPO", "DVPO, steps", "PPO, critic"):
        value = Reader(tokens) if arm.startswith("PPO") else frozen
        logits, critic = start(length, tokens), torch.optim.Adam(value.parameters(), lr=0.01)
        began = time.process_time()
        for step in range(steps + 1):
            curves.append({"arm": arm, "step": step, "reward": float(_value(logits, good)[0])})
            replies = draw(logits, batch, generator).T
            paid = _paid(replies, good)
            if arm.startswith("PPO"):
                # A critic that judges before the token is said sees the reply shifted by one, a beginning in front.
                rewards, seen = token_rewards(paid, torch.zeros_like(mask), mask, beta=0.0), _before(replies, tokens)
                with torch.no_grad():
                    old = value(seen)
                advantages, returns = gae(rewards, old, mask)
                for _ in range(2):
                    critic.zero_grad()
                    value_loss(value(seen), old, returns, mask).backward()
                    critic.step()
            else:
                with torch.no_grad():
                    advantages = frozen_value(frozen(replies), mask, difference=arm.endswith("steps"))
            logp = logits.log_softmax(-1).expand(batch, length, tokens).gather(2, replies.unsqueeze(2)).squeeze(2)
            logits = stepped(logits, policy_loss(logp, logp.detach(), whiten(advantages, mask), mask.to(logp.dtype)).loss, 1.0)
        seconds = time.process_time() - began
        finals.append(
            {
                "arm": arm, "reward": float(_value(logits, good)[0]), "rise": _rise(frozen, even, good, generator),
                "error at first": _error(frozen, even, good, False, generator) if value is frozen else float("nan"),
                "error at last": _error(value, logits, good, value is not frozen, generator),
                "seconds": seconds, "trained bytes": 0 if value is frozen else sum(4 * 4 * x.numel() for x in value.parameters()),
            }
        )  # fmt: skip
    return Toy(finals, curves)


def _paid(replies: Tensor, good: int) -> Tensor:
    return (replies == good).any(1).float()


def _before(replies: Tensor, tokens: int) -> Tensor:
    return torch.cat([torch.full_like(replies[:, :1], tokens), replies[:, :-1]], dim=1)


def _value(logits: Tensor, good: int) -> Tensor:
    """The chance (T + 1,) of the good token among those still to come, after 0, 1, … T tokens."""
    missed = 1 - logits.detach().softmax(-1)[:, good]
    return torch.cat([1 - missed.flip(0).cumprod(0).flip(0), torch.zeros(1, dtype=missed.dtype)])


def _error(reader: Reader, logits: Tensor, good: int, before: bool, generator: torch.Generator) -> float:
    """Root of the mean squared distance from the policy's true value, over prefixes without the good token."""
    replies = draw(logits, 512, generator).T
    unsaid = torch.where(replies == good, (good + 1) % reader.tokens, replies)
    truth = _value(logits, good)
    with torch.no_grad():
        found = reader(_before(unsaid, reader.tokens) if before else unsaid)
    return float((found - (truth[:-1] if before else truth[1:])).square().mean().sqrt())


def _rise(reader: Reader, logits: Tensor, good: int, generator: torch.Generator) -> float:
    """By how much more the value changes at the first good token than at any other, on average."""
    replies = draw(logits, 512, generator).T
    with torch.no_grad():
        change = reader(replies).diff(dim=1)
    hits = replies == good
    first = (hits & (hits.cumsum(1) == 1))[:, 1:]
    return float(change[first].mean() - change[~hits[:, 1:]].mean())
