"""Toys of the pairwise methods: cyclic preferences (SPPO beside DPO) and rewards with an offset for each prompt (P3O beside PPO).

Decided here: the policies, which are tables of logits, and what is measured of them exactly. Losses are those of ``training.objectives``;
``benchmarks.objectives_toys`` runs and reports.
"""

from statistics import fmean

import torch
from torch import Tensor

from benchmarks.toys_groups import Rows, Toy, draw, normal, start, stepped
from training.objectives.advantages import group_zscore, whiten
from training.objectives.losses import dpo_loss, p3o_loss, policy_loss, sppo_loss

# --- SPPO

BEATS = torch.tensor([[0.5, 0.2, 0.8], [0.8, 0.5, 0.2], [0.2, 0.8, 0.5]], dtype=torch.float64)
"""How often empathy, firmness and brevity are preferred to one another: each beats one and loses to the other."""


def sppo(seed: int, *, rounds: int = 400, prompts: int = 64, replies: int = 5, beta: float = 5.0, inner: int = 10) -> Toy:
    """Self-play on a cyclic preference, from a policy that prefers the first tactic; DPO gets the same replies' best and worst.

    Each round samples replies from the last iterate, which is the reference as well, and has them judged against each other; best and
    worst go to the loss. Measured: the total variation to the even mix, which is the only Nash policy, of the mean of all policies so far
    and of the last policy, and the last one's largest share. Policies go in circles: what is reported is the worst mean in the second half
    of the rounds, and the second half's average last policy, so that it does not hang on the round in which one stops.
    """
    finals: Rows = []
    curves: Rows = []
    arms = {"SPPO": 0.0, "DPO, beta 1": 1.0, "DPO, beta 0.1": 0.1}
    for arm, dpo_beta in arms.items():
        generator = torch.Generator().manual_seed(seed)
        logits = torch.tensor([0.6, 0.25, 0.15], dtype=torch.float64).log().requires_grad_()
        total = torch.zeros(3, dtype=torch.float64)
        for iteration in range(1, rounds + 1):
            policy = logits.detach().softmax(-1)
            total += policy
            apart, apart_last = (float((x - 1 / 3).abs().sum() / 2) for x in (total / iteration, policy))
            curves.append({"arm": arm, "round": iteration, "average": apart, "last": apart_last, "largest": float(policy.max())})
            tactics = draw(logits.expand(prompts, 3), replies, generator)
            wins = BEATS[tactics.unsqueeze(2), tactics.unsqueeze(1)].mean(2)
            best, worst = wins.argmax(1, keepdim=True), wins.argmin(1, keepdim=True)
            chosen, rejected = tactics.gather(1, best).squeeze(1), tactics.gather(1, worst).squeeze(1)
            reference = logits.detach().log_softmax(-1)
            for _ in range(inner):
                logp = logits.log_softmax(-1)
                pair = (logp[chosen], logp[rejected], reference[chosen], reference[rejected])
                if arm == "SPPO":
                    loss = sppo_loss(*pair, wins.gather(1, best).squeeze(1), wins.gather(1, worst).squeeze(1), beta=beta)
                    logits = stepped(logits, loss, 0.5)
                else:
                    logits = stepped(logits, dpo_loss(*pair, beta=dpo_beta), 0.5 / dpo_beta)
        late = curves[-rounds // 2 :]
        worst_mean = max(row["average"] for row in late)
        finals.append({"arm": arm, "average": worst_mean} | {key: fmean(row[key] for row in late) for key in ("last", "largest")})
    return Toy(finals, curves)


# --- P3O


def p3o(seed: int, *, steps: int = 200, prompts: int = 32, options: int = 6, sigma: float = 10.0) -> Toy:
    """Rewards with and without a random offset for each prompt, which says nothing about any reply.

    The same replies for all: two to each prompt, two updates on them. PPO's critic is weak, one value for all prompts. Measured: the
    policy's true quality, 0 for uniform replies and 1 for the best, and the largest difference that the offsets make to any probability.
    """
    truth = normal(torch.Generator().manual_seed(seed), prompts, options)
    offsets = sigma * normal(torch.Generator().manual_seed(seed + 1), prompts, 1)
    finals: Rows = []
    curves: Rows = []
    for arm in ("P3O", "P3O, joint clip", "GRPO", "PPO, weak critic"):
        ends: list[Tensor] = []
        for shifted in (False, True):
            generator = torch.Generator().manual_seed(seed + 2)
            logits, value = start(prompts, options), 0.0
            for step in range(steps + 1):
                policy = logits.detach().softmax(-1)
                best, mean = truth.amax(-1).mean(), truth.mean()
                quality = float(((policy * truth).sum(-1).mean() - mean) / (best - mean))
                curves.append({"arm": arm, "offsets": "σ = 10" if shifted else "none", "step": step, "quality": quality})
                replies = draw(logits, 2, generator)
                rewards = truth.gather(1, replies) + 0.3 * normal(generator, prompts, 2) + (offsets if shifted else 0.0)
                old = logits.detach().log_softmax(-1).gather(1, replies)
                for _ in range(2):
                    logp = logits.log_softmax(-1).gather(1, replies)
                    logits = stepped(logits, _pair_loss(arm, logp, old, rewards, value), 0.3 * prompts)
                value += 0.1 * float(rewards.mean() - value)
            ends.append(logits.detach().softmax(-1))
            finals.append(
                {key: curves[-1][key] for key in ("arm", "offsets", "quality")} | {"moved": float((ends[-1] - ends[0]).abs().max())}
            )
    return Toy(finals, curves)


def _pair_loss(arm: str, logp: Tensor, old: Tensor, rewards: Tensor, value: float) -> Tensor:
    ones = torch.ones_like(rewards)
    if arm == "GRPO":
        return policy_loss(logp, old, group_zscore(rewards), ones).loss
    if arm == "PPO, weak critic":
        return policy_loss(logp, old, whiten(rewards - value, ones), ones).loss
    pair = ((logp[:, 0], logp[:, 1]), (old[:, 0], old[:, 1]), (rewards[:, 0], rewards[:, 1]))
    return p3o_loss(*pair, joint=arm == "P3O, joint clip")
