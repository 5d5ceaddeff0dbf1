"""What a reward model is trained with. Everything that changes the result stands here."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agent.serving.precision import fast_format
from agent.serving.starter import MODEL_FOLDER


class RewardModelSettings(BaseModel):
    """One training. The same settings and rows give the same model on the same machine."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    base: Path = MODEL_FOLDER
    """Folder of a Qwen3 model with tokenizer and chat template; it gets a scalar head."""

    seed: int = 0

    epochs: float = Field(default=1.0, gt=0)

    prompts_a_step: int = Field(default=8, ge=1)
    """Prompts in one optimiser step, each with all of its replies and all comparisons of them."""

    learning_rate: float = Field(default=3e-4, gt=0)
    """Peak, after a tenth of the steps; then down along a cosine."""

    lora_rank: int = Field(default=0, ge=0)
    """Rank of a LoRA adapter on every linear layer; 0 trains all weights, which suits a model this small."""

    prompt_tokens: int = Field(default=640, ge=16)
    """The last so many tokens of a prompt are read; the hotel's message and the moves stand at the end."""

    completion_tokens: int = Field(default=256, ge=8)
    """A reply is read up to here."""

    centring: float = Field(default=0.01, ge=0)
    """Weight of the square of a pair's summed scores in the loss: keeps the scores of all prompts around one zero."""

    rrm: bool = False
    """Train a first model, add pairs of replies from other talks (RRM, arXiv 2409.13156) where the first one is wrong, train again."""

    rrm_gap: float = Field(default=0.2, ge=0, lt=1)
    """An added pair counts where the first model's win probability is at least this far from the wanted one."""

    balance_length: bool = False
    """Weigh pairs so that, among pairs as unequal in length, the longer reply wins half of the weight: length then tells nothing."""

    reference_slot: bool = False
    """Show the model a good reply beside the one to be scored (POLAR, arXiv 2507.05197); rows then have a ``reference``."""

    one_rater: bool = False
    """Learn from one person's preferences alone, knowingly."""

    bf16: bool = Field(default_factory=lambda: fast_format() == "bfloat16")
    """Train under bfloat16 autocast, by default where this machine has instructions for it: a third less processor time, and as good a
    model (``docs/reward-model.md``). Weights are float32, and scores are always computed in float32."""

    threads: int = Field(default=1, ge=1)
    """CPU threads. Part of the settings, since the last bits of a sum depend on it."""

    save_steps: int = Field(default=25, ge=1)
    """Steps between checkpoints, from which a killed training goes on."""

    @model_validator(mode="after")
    def _one_idea_at_a_time(self) -> Self:
        if self.rrm and self.reference_slot:
            raise ValueError("rrm pairs have no reference of their own: choose rrm or reference_slot")
        return self
