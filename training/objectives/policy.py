"""The policy that learns: a base model with a LoRA adapter in it, the reference that it is held to, and the plain copy that writes replies.

A run begins at the base, with a fresh adapter, or at an adapter that there is, which it goes on training. It is never merged into the base
first: the server holds one base and adapters of rank 8, and two of them on top of one another would need rank 16 (decision 20).
"""

import copy
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, Self, cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from agent.serving.precision import fast_format
from agent.serving.starter import MODEL_FOLDER, MODEL_NAME
from db.errors import ParleyError
from training.objectives.sampling import Drawn, Sampling, draw
from training.objectives.served import RolloutServer
from training.objectives.settings import RunSettings

ADAPTER = "default"
REFERENCE = "reference"


class Writer(Protocol):
    """Draws replies: ``sampling.draw`` of one model."""

    def __call__(self, prompts: Sequence[Sequence[int]], how: Sampling, *, seed: int) -> Iterator[Drawn]: ...  # noqa: D102


class PolicyError(ParleyError):
    """A base model or an adapter that cannot be trained."""


class Policy:
    """A trainable adapter on a frozen base, and what belongs to it."""

    def __init__(self, model: PeftModel, plain: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> None:
        """``plain`` is a model of the base's shape that nobody else uses."""
        self.model, self.tokenizer = model, tokenizer
        self._plain = plain
        self.server: RolloutServer | None = None
        """Writes the replies, where the policy is too large to do so in this process."""

    @classmethod
    def load(
        cls,
        settings: RunSettings,
        *,
        base: Path = MODEL_FOLDER,
        adapter: Path | None = None,
        sampler: torch.dtype | None = None,
        reference: bool = True,
    ) -> Self:
        """A fresh adapter on the base, or ``adapter`` to go on from; ``sampler`` is the copy's dtype, None the fast one.

        Without ``reference``, nothing remembers the adapter that it went on from (TRL's DPO keeps one itself).

        Raises:
            PolicyError: if the adapter does not fit the base.
        """
        torch.manual_seed(settings.seed)
        tokenizer = AutoTokenizer.from_pretrained(base)
        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        plain = AutoModelForCausalLM.from_pretrained(base, dtype=sampler or getattr(torch, fast_format()))
        # peft writes this name into the adapter's configuration: no path of this machine.
        model.name_or_path = MODEL_NAME if base == MODEL_FOLDER else base.name
        adapted = _fresh(model, settings) if adapter is None else _continued(model, adapter)
        policy = cls(adapted, plain.eval().requires_grad_(False), tokenizer)
        if adapter is not None and reference:
            policy._keep_reference()
        return policy

    def _keep_reference(self) -> None:
        """A frozen copy of the adapter as it is now."""
        self.model.add_adapter(REFERENCE, self.model.peft_config[ADAPTER])
        for name, parameter in self.model.named_parameters():
            if f".{ADAPTER}." in name:
                other = self.model.get_parameter(name.replace(f".{ADAPTER}.", f".{REFERENCE}."))
                other.data.copy_(parameter.data)
        self._freeze_reference()

    def _freeze_reference(self) -> None:
        for name, parameter in self.model.named_parameters():
            if f".{REFERENCE}." in name:
                parameter.requires_grad_(False)

    @property
    def device(self) -> torch.device:
        """Where the model is: whoever trains it may have moved it."""
        return next(self.model.parameters()).device

    @property
    def trunk(self) -> PreTrainedModel:
        """The transformer under the language head, adapter and all."""
        return cast(Any, self.model.get_base_model()).model

    def trunk_copy(self) -> PreTrainedModel:
        """A plain trunk of its own in float32, with the adapter as it is now merged into it."""
        return cast(PreTrainedModel, copy.deepcopy(cast(Any, self.sampler()).model).float())

    @contextmanager
    def as_reference(self) -> Generator[None]:
        """Within, the model is as it was when the run began: the adapter off, or the one that it went on from."""
        if REFERENCE not in self.model.peft_config:
            with self.model.disable_adapter():
                yield
            return
        self.model.set_adapter(REFERENCE)
        try:
            yield
        finally:
            self.model.set_adapter(ADAPTER)
            self._freeze_reference()

    def sampler(self) -> PreTrainedModel:
        """The plain copy, on the model's device, with the adapter as it is now merged into it, in float32 and then rounded once."""
        cast(Any, self._plain).to(self.device)
        with torch.no_grad():
            for name, module in cast(Any, self.model.get_base_model()).named_modules():
                if isinstance(module, LoraLayer):
                    layer = cast(Any, module)
                    merged = layer.base_layer.weight + layer.get_delta_weight(ADAPTER)
                    cast(Any, self._plain.get_submodule(name)).weight.copy_(merged)
        return self._plain

    def writer(self) -> Writer:
        """What writes replies with the adapter as it is now: the plain copy, or the rollout server where there is one."""
        if self.server is None:
            return partial(draw, self.sampler())
        with tempfile.TemporaryDirectory(prefix="parley-adapter-") as folder:
            return partial(self.server.draw, self.server.bring(self.save(Path(folder))))

    def save(self, folder: Path) -> Path:
        """Write the adapter alone, as peft does, ready to be published."""
        # "auto" would ask the hub whether the vocabulary has grown.
        self.model.save_pretrained(str(folder), save_embedding_layers=False, selected_adapters=[ADAPTER])
        (folder / "README.md").unlink(missing_ok=True)
        return folder


def _fresh(model: PreTrainedModel, settings: RunSettings) -> PeftModel:
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        target_modules=list(settings.modules),
        task_type="CAUSAL_LM",
        base_model_name_or_path=model.name_or_path,
    )
    try:
        return cast(PeftModel, get_peft_model(cast(Any, model), config))
    except ValueError as error:
        raise PolicyError(f"an adapter on {', '.join(settings.modules)} does not fit {model.name_or_path}: {error}") from error


def _continued(model: PreTrainedModel, adapter: Path) -> PeftModel:
    try:
        return PeftModel.from_pretrained(cast(Any, model), str(adapter), is_trainable=True)
    except (ValueError, RuntimeError, OSError) as error:
        first = str(error).splitlines()[0]
        raise PolicyError(f"the adapter {adapter} does not fit the base model {model.name_or_path}: {first}") from error
