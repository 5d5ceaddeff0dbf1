"""What a training run is set to: frozen pydantic models, one a kind of objective, and the presets of the starter model.

The paper's figures are for a model of 32 billion parameters (LoRA r = 64, learning rate 1e-6, batch 128); the presets were found by short
measured runs with the starter model (``docs/objectives.md``). What the paper leaves open is a setting here.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.serving.precision import Format, fast_format
from agent.settings import AgentSettings
from db.errors import ParleyError

SERVING_TEMPERATURE = float(AgentSettings.model_fields["temperature"].default)
"""Replies are sampled in training as in service, so that what is learned is what is said, unless a preset explores more."""
EXPLORING_TEMPERATURE = 0.7
"""At which the starter model's own replies differ enough for something to be learned from their difference (decision 33)."""
LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class SettingsError(ParleyError):
    """A setting that is not there, out of range, or at odds with another."""


class RunSettings(BaseModel):
    """What every objective needs."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    seed: int = 0
    rank: int = Field(default=8, ge=1)
    """Of a fresh LoRA adapter. The model server's rank limit sets its speed: 8 is what Parley serves. A continued adapter keeps its own."""
    alpha: int = Field(default=16, ge=1)
    modules: tuple[str, ...] = LINEAR
    """Layers that the adapter changes."""
    learning_rate: float = Field(default=1e-6, gt=0)
    warmup: int = Field(default=2, ge=0)
    """Optimiser steps over which the learning rate comes up; then it stays."""
    weight_decay: float = Field(default=0.0, ge=0)
    clip_gradient: float = Field(default=1.0, gt=0)
    """Largest norm of the policy's gradient."""
    balance: float = Field(default=0.0, ge=0, le=1)
    """Between kinds of moves: 0 takes the material as it comes, 1 every kind as often as every other (``training.objectives.order``)."""
    temperature: float = Field(default=SERVING_TEMPERATURE, gt=0)
    """Of sampling, in training and on held-out contexts."""
    max_tokens: int = Field(default=160, ge=1)
    """Longest reply, in tokens. The paper's 512 is for its model; the starter's longest is about 100."""
    unreadable: float = Field(default=-3.0, le=0)
    """R_model and R_total of an answer that is no reply: broken JSON, a move or a blank that is not open. In deviations of the reward
    model, which never sees such an answer."""
    rollout_width: int = Field(default=16, ge=1)
    """Contexts that are answered at once. A set's replies are scored in the background while the next set is written and, once all are
    written, valued: narrower sets begin to be scored earlier and are slower to write. Part of what a result follows from."""
    rollout_server: str | None = None
    """Address of a vLLM server of one's own that writes the replies, for a model that is too slow in this process. It holds the same base
    model and shares this machine's files. Its sums depend on what it is asked at once: the same seed need not give the same run."""
    sampler_dtype: Format = Field(default_factory=fast_format)
    """Of the copy of the policy that writes the replies: what this machine multiplies fast."""
    autocast: bool = False
    """Compute the update in bfloat16, weights and optimiser in float32. Worth it where the processor has bfloat16 instructions."""
    save_every: int = Field(default=10, ge=1)
    """Steps between checkpoints."""
    keep_checkpoints: int = Field(default=2, ge=1)
    held_out_every: int = Field(default=10, ge=1)
    """Steps between measurements on held-out contexts."""
    held_out_copies: int = Field(default=1, ge=1)
    """Replies to each held-out context."""
    patience: int = Field(default=0, ge=0)
    """Measurements without a better R_total on held-out contexts after which the run ends; 0 never ends it early."""


class SFTSettings(RunSettings):
    """Imitation of demonstrations. The paper: 10 epochs."""

    steps: int = Field(default=100, ge=1)
    """Optimiser steps."""
    batch: int = Field(default=16, ge=1)
    rehearsal: int = Field(default=0, ge=0)
    """A kind of move, in a language, of which there are fewer demonstrations is filled up to so many with what the policy says by itself
    (``training.runs.rehearsal``): what nobody shows is not forgotten. 0 for none."""


class DPOSettings(RunSettings):
    """Direct preference optimisation. The paper: 10 epochs."""

    steps: int = Field(default=100, ge=1)
    """Optimiser steps."""
    batch: int = Field(default=16, ge=1)
    beta: float = Field(default=0.1, gt=0)
    loss: Literal["sigmoid", "ipo", "sppo_hard"] = "sigmoid"
    """``sppo_hard`` is SPPO with hard labels: its targets are ±0.5 / beta nats, so choose beta for that."""


class PolicySettings(RunSettings):
    """Reinforcement learning on replies that the policy writes itself. A step is one set of replies and all that is learned from it."""

    steps: int = Field(default=100, ge=1)
    environment: Literal["contexts", "dialogues"] = "contexts"
    """``dialogues`` are held by the policy itself with simulated hotels: a step is all turns of ``copies`` dialogues with each of
    ``prompts`` hotels, each turn paid for itself and for what its dialogue came to (``training.dialogues.episodes``)."""
    renewed: float = Field(default=0.0, ge=0, le=1)
    """Share of the contexts whose place is taken by a turn like it, of talks that the policy, as it is by then, holds with simulated hotels
    (``training.objectives.renewing``): it learns after the words that it says by now. 0 keeps to the snapshot's."""
    renew_every: int = Field(default=8, ge=1)
    """Steps after which such talks are held anew."""
    hotels: int = Field(default=1000, ge=1)
    """Simulated hotels that there are to meet."""
    outcome_weight: float = Field(default=1.0, ge=0)
    """Of what a dialogue came to, beside the rewards of its turns."""
    outcome_discount: float = Field(default=0.95, gt=0, le=1)
    """Of what it came to, for each turn of ours that is still to follow."""
    prompts: int = Field(default=16, ge=1)
    """Contexts in a step, or hotels. The paper's batch of 128 replies is ``prompts * copies``."""
    copies: int = Field(default=8, ge=1)
    """Replies to each context (G), or dialogues with each hotel."""
    minibatches: int = Field(default=2, ge=1)
    """Optimiser steps in one pass over the replies; a context's replies stay together."""
    epochs: int = Field(default=1, ge=1)
    """Passes over the replies."""
    loss: Literal["clipped", "p3o", "p3o_joint", "sppo"] = "clipped"
    """PPO's, on advantages; or of replies to one context against each other, which needs none: P3O on neighbours (a pair is clipped
    separately or jointly), soft SPPO on the best and the worst, from the policy that wrote them."""
    sppo_beta: float = Field(default=0.1, gt=0)
    """A reply that wins its group with certainty is to become ``0.5 / sppo_beta`` nats likelier in a step."""
    advantage: Literal["gae", "group", "rank", "value"] = "gae"
    """Over the tokens with a critic; a reply against its group, by z-score (GRPO) or by rank (GOPO); or ``value`` (DVPO): what the critic
    says of each token once it is said, whatever these replies are paid. The critic then learns returns as they are (Monte Carlo): fit it
    in a run with ``critic_warmup = steps``, and take it from there with ``critic = "frozen"``."""
    value_steps: bool = True
    """With ``advantage = "value"``: credit a token with the step that the value takes at it, rather than with the value (DVPO's own)."""
    aggregation: Literal["total", "model", "gdpo"] = "total"
    """``total`` is what the reward spec combines (REPO's product or the sum), ``model`` the reward model alone, ``gdpo`` each source
    normalised by itself."""
    gdpo_weights: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Of reward model, judge and rules."""
    care: float = Field(default=0.0, ge=0)
    """Coefficient of GRPO-CARE's bonus for replies whose words follow from their move; 0 is off, the paper has 0.5."""
    off_policy: Literal["none", "tis", "obrs"] = "none"
    """Correction for the difference between the weights that sampled and those that learn (precision, staleness)."""
    beta: float = Field(default=0.02, ge=0)
    """Weight of the KL penalty in the reward, per token and nat; 0 is no penalty, and no target makes it one."""
    kl_target: float | None = Field(default=None, gt=0)
    """KL in nats a token at which the policy is held: the weight grows steeply where it comes near (``training.objectives.kl_weight``).
    None leaves the weight as it is."""
    kl: Literal["k1", "k3"] = "k3"
    """Estimate of KL(policy || reference) at a token: the log-ratio, or Schulman's k3, which is never negative."""
    clip: float | None = Field(default=0.2, gt=0)
    gamma: float = Field(default=1.0, gt=0, le=1)
    lam: float = Field(default=0.95, ge=0, le=1)
    critic: Literal["learned", "frozen"] = "learned"
    """``frozen`` takes the values of an earlier critic as they are."""
    critic_trunk: Literal["reference", "own"] = "reference"
    """What the value head stands on: the reference's hidden states, which the KL needs anyway, or a model of its own."""
    critic_learning_rate: float = Field(default=1e-3, gt=0)
    critic_epochs: int = Field(default=4, ge=1)
    """Passes of the critic over each minibatch; the head on the reference's states is cheap."""
    critic_clip_gradient: float = Field(default=1.0, gt=0)
    value_clip: float | None = Field(default=None, gt=0)
    """In the reward's unit."""
    critic_warmup: int = Field(default=0, ge=0)
    """Steps at the beginning in which only the critic learns."""

    @model_validator(mode="after")
    def _fits(self) -> "PolicySettings":
        if self.prompts % self.minibatches:
            raise ValueError(f"{self.prompts} prompts cannot be split into {self.minibatches} equal minibatches")
        if self.advantage in ("group", "rank") and self.copies < 2:
            raise ValueError(
                f"advantage {self.advantage!r} compares replies to one context and needs copies of 2 or more, not {self.copies}"
            )
        if self.aggregation == "gdpo" and self.advantage != "group":
            raise ValueError(f"aggregation 'gdpo' makes advantages of groups: set advantage to 'group', not {self.advantage!r}")
        if self.environment == "dialogues" and not self.has_critic:
            raise ValueError("environment 'dialogues' has one reply to each context, nothing to compare it with: set advantage to 'gae'")
        if self.environment == "dialogues" and self.renewed:
            raise ValueError("environment 'dialogues' has no contexts to renew, every turn is the policy's own: leave renewed at 0")
        if self.loss != "clipped":
            self._fits_pairs()
        return self

    def _fits_pairs(self) -> None:
        if self.copies % 2:
            raise ValueError(f"loss {self.loss!r} takes replies in pairs: set copies to an even number, not {self.copies}")
        if self.aggregation == "gdpo" or self.off_policy != "none":
            raise ValueError(f"loss {self.loss!r} knows neither aggregation 'gdpo' nor off_policy: leave both as they are")

    @property
    def updates(self) -> int:
        """Optimiser steps in a step."""
        return self.minibatches * self.epochs

    @property
    def has_critic(self) -> bool:
        """Whether values are needed."""
        return self.loss == "clipped" and self.advantage in ("gae", "value")

    @property
    def values_ends(self) -> bool:
        """Whether the critic values a token once it is said, the last one too, and not only what stands before it."""
        return self.advantage == "value"


_AUTOCAST = fast_format() == "bfloat16"
_BALANCE = 0.5
_REPLIES: dict[str, Any] = {
    "learning_rate": 2e-3,
    "balance": _BALANCE,
    "temperature": EXPLORING_TEMPERATURE,
    "lam": 1.0,
    "kl_target": 0.1,
    "steps": 30,
    "prompts": 8,
    "copies": 4,
    "minibatches": 2,
    "autocast": _AUTOCAST,
}
STARTER: dict[str, dict[str, Any]] = {
    "sft": {"learning_rate": 3e-3, "balance": _BALANCE, "steps": 120, "autocast": _AUTOCAST},
    "dpo": {"learning_rate": 2e-3, "balance": _BALANCE, "steps": 120, "autocast": _AUTOCAST},
    "ppo": _REPLIES,
    "grpo": _REPLIES,
    "repo": _REPLIES,
}
"""What the starter model needs other than the defaults, by objective."""

S = TypeVar("S", bound=RunSettings)


def parsed(kind: type[S], values: Mapping[str, Any]) -> S:
    """Settings from plain values. Raises SettingsError that names every wrong one."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'settings'}: {fault['msg']}" for fault in error.errors())
        raise SettingsError(f"these settings cannot be used: {faults}. Known are: {', '.join(sorted(kind.model_fields))}") from error
