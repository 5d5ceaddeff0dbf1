"""The trainer of everything that learns from replies of its own: PPO, GRPO and REPO are settings of it.

It is TRL's ``GRPOTrainer`` (which brings contexts batch by batch, keeps replies for several updates, runs on several processes and
checkpoints) with two hooks filled anew: where replies are made and valued, and what loss they give. Decided here: the order of a step and
what is logged of its times. What a batch is made of is ``valuing``; the formulas are pure functions (``advantages``, ``losses``).

A batch row is a context with all its replies, (N, G, T), not a single reply: TRL shuffles and splits rows, and so a context's replies stay
together.
"""

import time
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from accelerate import PartialState
from datasets import Dataset
from torch import Tensor

from training.objectives.critic import Critic, CriticError
from training.objectives.environment import Contexts, Dialogues, Environment
from training.objectives.library import GRPOConfig, GRPOTrainer
from training.objectives.losses import mean_over, policy_loss
from training.objectives.objective import Task
from training.objectives.order import in_order
from training.objectives.packing import Groups, pack
from training.objectives.pairs import pair_loss
from training.objectives.policy import Policy
from training.objectives.renewing import Renewed
from training.objectives.rewarding import ScoreMany, Scoring
from training.objectives.rollout import pool
from training.objectives.running import Resumable
from training.objectives.settings import PolicySettings
from training.objectives.valuing import Batch, Valuing, reply_logps

_REPEATED = 2
"""How often TRL brings each context: twice is the least that it knows. The replies' number is ours."""


class PolicyTrainer(Resumable, GRPOTrainer):
    """One objective's trainer; the objectives differ in their settings alone."""

    name: ClassVar[str]
    preset: ClassVar[dict[str, Any]]
    """What makes it this objective."""
    settings_type = PolicySettings

    @classmethod
    def of(cls, task: Task, settings: PolicySettings, policy: Policy) -> Self:
        """Raises PolicyError for contexts that it cannot roll out from, CriticError for a critic that it cannot begin with."""
        if settings.environment == "dialogues":
            environment: Environment = Dialogues(policy, settings)
        else:
            source = pool(task.contexts, policy, settings)
            renewed = settings.renewed > 0
            environment = Renewed(policy, source, settings, task.folder) if renewed else Contexts(policy, source, settings)
        critic = None
        if settings.has_critic:
            if settings.critic == "frozen" and task.critic is None:
                raise CriticError("a frozen critic must come from somewhere: name the folder of an earlier run's checkpoint")
            trunk = policy.trunk_copy() if settings.critic_trunk == "own" else None
            critic = Critic(int(policy.trunk.config.hidden_size), settings, trunk=trunk, spec=task.spec)
        trainer = cls(policy, environment, task.score, settings, task.folder, critic=critic)
        if critic is not None and task.critic is not None:
            critic.restore(task.critic)
        return trainer

    def __init__(
        self,
        policy: Policy,
        environment: Environment,
        score: ScoreMany,
        settings: PolicySettings,
        folder: Path,
        *,
        critic: Critic | None = None,
    ) -> None:
        """``critic`` is needed where the settings have one; it goes where the policy goes."""
        self.policy, self.environment, self.score, self.settings, self.critic = policy, environment, score, settings, critic
        wanted = settings.steps * settings.prompts * PartialState().num_processes
        order = in_order(environment.kinds, wanted, balance=settings.balance, seed=settings.seed)
        super().__init__(
            model=policy.model,
            reward_funcs=_not_asked,
            args=_config(settings, folder),
            train_dataset=Dataset.from_dict({"context": order}),
            processing_class=policy.tokenizer,
        )
        if critic is not None:
            critic.to(self.accelerator.device)
        self.valuing = Valuing(policy, settings, critic, self.accelerator)

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> Batch:
        """One step's replies, valued."""
        settings = self.settings
        chosen = [int(row["context"]) for row in inputs[::_REPEATED]]
        seed = settings.seed * 1_000_003 + self.state.global_step * 1_009 + self.accelerator.process_index
        step = self.state.global_step // settings.updates
        with Scoring(self.score) as scoring:
            rollout = self.environment.roll_out(chosen, step=step, seed=seed, written=scoring.ask)
            began = time.perf_counter()
            seen = self.valuing.look(rollout)
            looked = time.perf_counter() - began
            scored = scoring.rewards(rollout.replies, unreadable=settings.unreadable, device=self.policy.device)
        began = time.perf_counter()
        batch, figures = self.valuing.batch(rollout, seen, scored, torch.Generator(device=self.policy.device).manual_seed(seed))
        times = {
            "time/rollout": rollout.seconds,
            "time/scoring": scored.seconds,
            "time/rewards": scored.waited,
            "time/values": looked + time.perf_counter() - began,
        }
        self._tell(scored.figures() | figures | times)
        return batch

    def _compute_loss(self, model: Any, inputs: Batch) -> Tensor:
        """The policy's loss on one minibatch; the critic learns from it on the way, all by itself."""
        settings = self.settings
        groups = Groups(**{name: inputs[name] for name in ("prompt_ids", "prompt_mask", "reply_ids", "reply_mask")})
        packed = pack(groups)
        if self.critic is not None:
            began = time.perf_counter()
            valued = pack(groups.with_ends()) if settings.values_ends else packed
            loss = self.critic.learn(inputs.get("states"), valued, inputs["values"], inputs["returns"], inputs["valued"])
            self._tell({"value/loss": loss, "time/critic": time.perf_counter() - began})
        logp, entropy = (packed.unpack(x) for x in reply_logps(model, packed, temperature=settings.temperature))
        mask = groups.reply_mask.flatten(0, 1)
        if settings.loss == "clipped":
            old_logp, advantages, weights = (inputs[name].flatten(0, 1) for name in ("old_logp", "advantages", "weights"))
            parts = policy_loss(logp.flatten(0, 1), old_logp, advantages, mask, clip=settings.clip, weights=weights)
            loss = parts.loss
            self._tell({"clip_share": float(parts.clip_fraction), "policy/approx_kl": float(parts.approx_kl)})
        else:
            loss = pair_loss(logp, inputs["old_logp"], groups.reply_mask, inputs["worth"], settings)
        self._tell({"entropy": float(mean_over(entropy.flatten(0, 1), mask))})
        warming = self.state.global_step < settings.critic_warmup * settings.updates
        return loss * 0.0 if warming else loss

    def _tell(self, figures: dict[str, float]) -> None:
        """For the next log, where figures of the same name are averaged."""
        for name, value in figures.items():
            self._metrics["train"][name].append(value)

    def training_step(self, *args: Any, **kwargs: Any) -> Tensor:
        """TRL's, timed: rollouts and rewards are in it, and are told of by themselves."""
        began = time.perf_counter()
        loss = super().training_step(*args, **kwargs)
        self._tell({"time/training_step": time.perf_counter() - began})
        return loss

    # --- checkpoints

    def save_more(self, folder: Path) -> None:
        """The critic."""
        if self.critic is not None:
            self.critic.save(folder)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is not None and self.critic is not None:
            self.critic.restore(Path(checkpoint))


def _config(settings: PolicySettings, folder: Path) -> GRPOConfig:
    every = settings.updates
    return GRPOConfig(
        **common(settings, folder, updates=every),
        max_steps=settings.steps * every,
        per_device_train_batch_size=settings.prompts * _REPEATED // settings.minibatches,
        steps_per_generation=settings.minibatches,
        num_iterations=settings.epochs,
        num_generations=_REPEATED,
        # TRL draws each pass over the contexts from where the last one left its generator, which a resumed run cannot know.
        shuffle_dataset=False,
        max_completion_length=settings.max_tokens,
        temperature=settings.temperature,
        # No KL in TRL's loss and no reference of TRL's: both are ours, in the reward.
        beta=0.0,
    )


def common(settings: Any, folder: Path, *, updates: int = 1) -> dict[str, Any]:
    """What every TRL configuration has in common; ``updates`` optimiser steps are a step of the run."""
    return {
        "output_dir": str(folder / "checkpoints"),
        "seed": settings.seed,
        "data_seed": settings.seed,
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": "constant_with_warmup",
        "warmup_steps": settings.warmup,
        "weight_decay": settings.weight_decay,
        "max_grad_norm": settings.clip_gradient,
        "logging_steps": updates,
        "save_strategy": "steps",
        "save_steps": settings.save_every * updates,
        "save_total_limit": settings.keep_checkpoints,
        "bf16": settings.autocast,
        "gradient_checkpointing": False,
        "use_cpu": not torch.cuda.is_available(),
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
        "remove_unused_columns": False,
    }


def _not_asked(**columns: Any) -> list[float | None]:
    """TRL wants a reward function; the rewards are computed by ``rewards``."""
    raise AssertionError("rewards do not come this way")
