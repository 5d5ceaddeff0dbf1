"""From replies and rewards to what is learned from: log-probabilities, values, advantages and corrections, as one batch of tensors.

Decided here: what is computed of a rollout before the first update, and how the settings choose among the formulas of ``advantages`` and
``offpolicy``. What the policy and the reference make of the replies (``look``) needs no reward, so rewards may still be on their way. A
batch row is a context with all its replies, (N, G, T). All tensors are on the policy's device.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, cast

import torch
from accelerate import Accelerator
from torch import Tensor

from training.objectives.advantages import (
    answer_confidence,
    care_bonus,
    frozen_value,
    gae,
    gdpo,
    group_zscore,
    moments,
    ranks,
    returns_to_go,
    token_rewards,
    whiten,
)
from training.objectives.critic import Critic, skill
from training.objectives.kl_weight import kl_weight
from training.objectives.losses import kl_k3
from training.objectives.offpolicy import obrs, staleness, tis
from training.objectives.packing import Groups, Packed, group, pack
from training.objectives.policy import Policy
from training.objectives.rewarding import Rewards
from training.objectives.rollout import Rollout
from training.objectives.settings import PolicySettings

Batch = dict[str, Tensor]
_ANSWER = '"text":"'
"""Behind it, a reply's words begin; before it stands the move."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the policy and the reference make of a rollout, (N, G, T) each."""

    groups: Groups
    old_logp: Tensor
    """Of the policy that learns; the copy that sampled has another precision."""
    ref_logp: Tensor
    states: Tensor | None
    """(N, G, T, H), of the reference, where the critic reads them; (N, G, T + 1, H) where it values ends."""
    values: Tensor | None
    """Of the critic, where there is one, at the same places."""


def reply_logps(model: Any, packed: Packed, *, temperature: float) -> tuple[Tensor, Tensor]:
    """Log-probability of each reply token and entropy of what might have stood there, (N, M), at the sampling temperature."""
    output = model(
        input_ids=packed.ids,
        attention_mask=packed.mask,
        position_ids=packed.positions,
        use_cache=False,
        logits_to_keep=packed.branch_length,
    )
    scores = torch.log_softmax(output.logits.float() / temperature, dim=-1)
    with torch.no_grad():
        entropy = -(scores.exp() * scores).sum(-1)
    return scores.gather(2, packed.labels.unsqueeze(2)).squeeze(2), entropy


class Valuing:
    """Values the rollouts of one run."""

    def __init__(self, policy: Policy, settings: PolicySettings, critic: Critic | None, accelerator: Accelerator) -> None:
        """``accelerator`` adds up over the processes and says in which precision to compute."""
        self._policy, self._settings, self._critic, self._accelerator = policy, settings, critic, accelerator

    def look(self, rollout: Rollout) -> Seen:
        """One pass of the policy and one of the reference over the replies, and the critic's values."""
        settings, critic = self._settings, self._critic
        pad_id = cast(int, self._policy.tokenizer.pad_token_id)
        groups = group(rollout.prompts, rollout.samples.ids, pad_id=pad_id, device=self._policy.device)
        wants_states = critic is not None and critic.needs_states
        parts: list[tuple[Tensor, Tensor, Tensor | None, Tensor | None]] = []
        size = max(len(groups.prompt_ids) // settings.minibatches, 1)
        with torch.no_grad(), self._accelerator.autocast():
            for start in range(0, len(groups.prompt_ids), size):
                part = groups.rows(slice(start, start + size))
                packed = pack(part)
                old = packed.unpack(self._logps(packed))
                valued = pack(part.with_ends()) if settings.values_ends else packed
                with self._policy.as_reference(), _last_states(self._policy) if wants_states else nullcontext([]) as kept:
                    ref = valued.unpack(self._logps(valued))[:, :, : old.shape[2]]
                states = valued.unpack(kept[-1][:, -valued.branch_length :].float()) if wants_states else None
                values = critic(states, valued).float() if critic is not None else None
                parts.append((old, ref, states, values))
        old_logp, ref_logp, states, values = (None if column[0] is None else torch.cat(column) for column in zip(*parts, strict=True))
        return Seen(groups=groups, old_logp=cast(Tensor, old_logp), ref_logp=cast(Tensor, ref_logp), states=states, values=values)

    def _logps(self, packed: Packed) -> Tensor:
        return reply_logps(self._policy.model, packed, temperature=self._settings.temperature)[0]

    def batch(self, rollout: Rollout, seen: Seen, scored: Rewards, generator: torch.Generator) -> tuple[Batch, dict[str, float]]:
        """What is learned from, and figures to be logged; ``generator`` draws what ``obrs`` rejects."""
        settings, groups = self._settings, seen.groups
        mask = groups.reply_mask
        sampled = _padded(rollout.samples.logps, mask)
        # Not the sampler's own: the reference is computed in this precision, and so must be what it is compared with.
        kl = kl_k3(seen.old_logp, seen.ref_logp) if settings.kl == "k3" else seen.old_logp - seen.ref_logp
        total = scored.model if settings.aggregation == "model" else scored.total
        if rollout.outcomes is not None:
            total = total + torch.tensor(rollout.outcomes, device=total.device)
        if settings.care:
            total = total + self._care(rollout, scored, seen.ref_logp, mask)
        batch: Batch = {
            "prompt_ids": groups.prompt_ids,
            "prompt_mask": groups.prompt_mask,
            "reply_ids": groups.reply_ids,
            "reply_mask": mask,
            "old_logp": seen.old_logp,
        }
        mean_kl, length = self._mean(kl, mask), self._mean(mask.sum(2).float(), mask.any(2))
        beta = kl_weight(mean_kl, length=length, beta=settings.beta, target=settings.kl_target)
        figures = {
            "kl": mean_kl,
            "kl_weight": beta,
            "length": length,
            "cut_share": float((mask.sum(2) >= settings.max_tokens).float().mean()),
            "staleness": float(staleness(seen.old_logp, sampled, mask)),
            **rollout.figures,
        }
        penalty = beta * (kl * mask).sum(2)
        if settings.loss != "clipped":
            return batch | {"worth": total - penalty}, figures
        batch["weights"] = self._corrections(seen.old_logp, sampled, generator)
        if seen.values is None:
            advantages = self._against_the_group(scored, total, penalty).unsqueeze(2).expand(mask.shape)
        else:
            advantages, returns, valued = self._by_the_critic(seen.values, total, kl, groups, beta=beta)
            batch |= {"values": seen.values, "returns": returns, "valued": valued}
            figures["value/explained_variance"] = skill(seen.values, returns, valued)
            if seen.states is not None:
                batch["states"] = seen.states
        return batch | {"advantages": advantages * mask}, figures

    def _by_the_critic(self, values: Tensor, total: Tensor, kl: Tensor, groups: Groups, *, beta: float) -> tuple[Tensor, Tensor, Tensor]:
        """Whitened advantages (N, G, T), and what the critic is to learn, with the mask of the places that it is at."""
        settings, mask = self._settings, groups.reply_mask.flatten(0, 1)
        if settings.values_ends:
            valued = groups.with_ends().reply_mask
            ahead = values.flatten(0, 1)
            worth = frozen_value(ahead[:, 1:], mask, difference=settings.value_steps, start=ahead[:, 0])
            # Nothing else of these replies counts, but the policy stays held to the reference.
            advantages = worth - beta * kl.flatten(0, 1)
            returns = returns_to_go(total.flatten(), valued.flatten(0, 1), gamma=settings.gamma)
        else:
            valued = groups.reply_mask
            paid = token_rewards(total.flatten(), kl.flatten(0, 1), mask, beta=beta)
            advantages, returns = gae(paid, values.flatten(0, 1), mask, gamma=settings.gamma, lam=settings.lam)
        whitened = whiten(advantages, mask, shared=self._shared(moments(advantages, mask)))
        return whitened.view(groups.reply_mask.shape), returns.view(valued.shape), valued

    def _mean(self, values: Tensor, mask: Tensor) -> float:
        """Over the places of all processes that count, tokens or replies."""
        amount, count = self._shared(torch.stack([(values * mask).sum(), mask.sum().float()])).tolist()
        return amount / max(count, 1)

    def _shared(self, own: Tensor) -> Tensor:
        """The sum over the processes."""
        return cast(Tensor, self._accelerator.reduce(own, reduction="sum"))

    def _against_the_group(self, scored: Rewards, total: Tensor, penalty: Tensor) -> Tensor:
        """Advantages (N, G) of whole replies; ``penalty`` is what each owes to the KL."""
        if self._settings.aggregation == "gdpo":
            parts = torch.stack([scored.model - penalty, scored.judge, scored.functions], dim=2)
            known = ~parts.isnan()
            weights = torch.tensor(self._settings.gdpo_weights, device=parts.device)
            return gdpo(parts.nan_to_num(), weights, mask=known.to(parts.dtype))
        return group_zscore(total - penalty) if self._settings.advantage == "group" else ranks(total - penalty, unit_std=True)

    def _care(self, rollout: Rollout, scored: Rewards, ref_logp: Tensor, mask: Tensor) -> Tensor:
        """The bonus of replies that break no rule, please the judge, and follow from the move that stands before them."""
        fine = scored.readable & ~scored.violated & (scored.judge.nan_to_num() >= 0)
        before = torch.tensor([[self._before_the_words(ids) for ids in copies] for copies in rollout.samples.ids], device=mask.device)
        answer = mask & (torch.arange(mask.shape[2], device=mask.device) >= before.unsqueeze(2))
        confidence = answer_confidence(ref_logp.flatten(0, 1), answer.flatten(0, 1)).view(fine.shape)
        return care_bonus(fine.float(), confidence, coefficient=self._settings.care)

    def _before_the_words(self, ids: Sequence[int]) -> int:
        """How many tokens stand before the text; all of them where it never begins."""
        for count in range(1, len(ids) + 1):
            if _ANSWER in str(self._policy.tokenizer.decode(list(ids[:count]))):
                return count
        return len(ids)

    def _corrections(self, old_logp: Tensor, sampled: Tensor, generator: torch.Generator) -> Tensor:
        """What each token still counts, (N, G, T): the policy as it learns is the target, the copy that sampled the behaviour."""
        match self._settings.off_policy:
            case "none":
                return torch.ones_like(old_logp)
            case "tis":
                return tis(old_logp, sampled)
            case "obrs":
                keep, weight = obrs(old_logp, sampled, generator)
                return keep * weight


def _padded(values: list[list[list[float]]], mask: Tensor) -> Tensor:
    """One number a token, laid out as the mask."""
    out = torch.zeros(mask.shape, device=mask.device)
    out[mask] = torch.tensor([value for copies in values for reply in copies for value in reply], device=mask.device)
    return out


@contextmanager
def _last_states(policy: Policy) -> Generator[list[Tensor]]:
    """Within, keeps what comes out of the trunk of the policy at each call."""
    kept: list[Tensor] = []

    def keep(module: Any, inputs: Any, output: Any) -> None:
        kept.append(output.last_hidden_state)

    handle = policy.trunk.register_forward_hook(keep)
    try:
        yield kept
    finally:
        handle.remove()
