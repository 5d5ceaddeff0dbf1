"""A trained reward model at work: scores whose zero is an ordinary reference reply and whose unit is the references' deviation.

Decided here: what a finished model's folder holds, and how replies are batched: all replies to a prompt together, prompts of one length
together. REPO multiplies with these scores, so their zero matters (methods: R + |R| E / n).
"""

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any, Self, cast

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from agent.domain import Reply, TurnContext
from agent.language.format import encode_filled
from agent.language.prompts import Message, render_write
from training.rewards.model.comparisons import Prompt
from training.rewards.model.errors import NotARewardModel, RewardModelError, TrainingDiverged
from training.rewards.model.network import ReplyScorer, load_scorer
from training.rewards.model.packing import Packed, Packer, collate
from training.rewards.model.settings import RewardModelSettings

WEIGHTS, CARD, READY = "weights", "reward_model.json", "READY"
"""Names in a finished folder; the mark is written last."""
_REPLIES_TOGETHER = 12
"""Replies to one prompt in one pack."""
_SAME = 1e-6
"""A deviation below which scores are called the same."""
_BATCH_TOKENS = 6144
"""Tokens of a batch, padding included."""


class Centre(BaseModel):
    """What turns a raw score into a reward."""

    model_config = ConfigDict(frozen=True)

    mean: float
    """Raw score of the mean reference reply: the zero."""
    deviation: float
    """Standard deviation of the references' raw scores: the unit."""
    references: int


def centre_of(raw: Sequence[float]) -> Centre:
    """Zero and unit from raw scores of reference replies. Raises RewardModelError where all have one score."""
    centre = Centre(mean=fmean(raw), deviation=pstdev(raw), references=len(raw))
    if centre.deviation < _SAME:
        raise RewardModelError(f"All {len(raw)} reference replies have the same score: give different ones, or train longer.")
    return centre


class Card(BaseModel):
    """What is kept beside the weights."""

    model_config = ConfigDict(frozen=True)

    settings: RewardModelSettings
    centre: Centre
    fingerprint: str
    """SHA-256 of settings and rows."""


class RawScorer:
    """A network with its packer: raw scores, before they are centred."""

    def __init__(self, model: Any, tokenizer: PreTrainedTokenizerBase, packer: Packer) -> None:
        self._model = model
        self._packer = packer
        self._pad_id = cast(int, tokenizer.pad_token_id)

    def __call__(self, items: Sequence[tuple[Prompt, str | None, str]]) -> list[float]:
        """Raw scores of (prompt, reference, reply), in order. The same list gives the same scores. Raises TrainingDiverged for a nan."""
        places: dict[tuple[Prompt, str | None], dict[str, list[int]]] = {}
        for place, (prompt, reference, reply) in enumerate(items):
            places.setdefault((prompt, reference), {}).setdefault(reply, []).append(place)
        packs: list[tuple[Packed, list[list[int]]]] = []
        for (prompt, reference), by_reply in places.items():
            replies = sorted(by_reply)
            for start in range(0, len(replies), _REPLIES_TOGETHER):
                some = replies[start : start + _REPLIES_TOGETHER]
                packs.append((self._packer.pack(prompt, reference, some), [by_reply[reply] for reply in some]))
        packs.sort(key=lambda entry: len(entry[0].ids))
        scores = [0.0] * len(items)
        training = self._model.training
        self._model.eval()
        try:
            for batch in _batches(packs):
                for (_, owners), row in zip(batch, self._run([pack for pack, _ in batch]), strict=True):
                    for own, score in zip(owners, row, strict=False):
                        for place in own:
                            scores[place] = score
        finally:
            self._model.train(training)
        if not all(map(math.isfinite, scores)):
            raise TrainingDiverged("The reward model gave a score that is no finite number: train it again with a lower learning rate.")
        return scores

    def _run(self, packs: Sequence[Packed]) -> list[list[float]]:
        with torch.inference_mode():
            batch = {name: value.to(self._model.device) for name, value in collate(packs, pad_id=self._pad_id).items()}
            return self._model(**batch).logits.float().tolist()


def _batches(packs: Sequence[tuple[Packed, list[list[int]]]]) -> list[list[tuple[Packed, list[list[int]]]]]:
    """Packs sorted by length, as many together as fit."""
    batches: list[list[tuple[Packed, list[list[int]]]]] = []
    for entry in packs:
        if batches and (len(batches[-1]) + 1) * len(entry[0].ids) <= _BATCH_TOKENS:
            batches[-1].append(entry)
        else:
            batches.append([entry])
    return batches


class RewardModel:
    """A finished reward model. Not safe for threads that score at the same time on one model."""

    def __init__(self, network: ReplyScorer, tokenizer: PreTrainedTokenizerBase, card: Card) -> None:
        """Use ``load``."""
        self.card = card
        self._network, self._tokenizer = network, tokenizer
        settings = card.settings
        packer = Packer(tokenizer, prompt_tokens=settings.prompt_tokens, completion_tokens=settings.completion_tokens)
        self._raw = RawScorer(network, tokenizer, packer)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The model that ``train`` finished in this folder. Raises NotARewardModel."""
        if not (folder / READY).is_file():
            raise NotARewardModel(f"There is no finished reward model in {folder}: train one, or go on with a training that was cut off.")
        try:
            card = Card.model_validate_json((folder / CARD).read_text(encoding="utf-8"))
        except (OSError, ValidationError) as error:
            raise NotARewardModel(f"{folder / CARD} cannot be read: {error}. Train the reward model anew.") from error
        network = load_scorer(folder / WEIGHTS, card.settings.base)
        return cls(network, AutoTokenizer.from_pretrained(folder / WEIGHTS), card)

    def score(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str], *, references: Sequence[str] | None = None
    ) -> list[float]:
        """Rewards in references' deviations: 0 is a reference reply. Completions are what the policy emits, with blanks.

        Several completions of one prompt are cheap: the prompt is read once. Raises RewardModelError where ``references`` are missing for a
        model with a reference slot or given to one without, and TrainingDiverged for a score that is not finite.
        """
        if self.card.settings.reference_slot != (references is not None):
            needs = "needs a reference for each reply" if references is None else "was trained without a reference slot"
            raise RewardModelError(f"This reward model {needs}.")
        read = [tuple((message["role"], message["content"]) for message in prompt) for prompt in prompts]
        items = list(zip(read, references or [None] * len(read), completions, strict=True))
        centre = self.card.centre
        return [(raw - centre.mean) / centre.deviation for raw in self._raw(items)]

    def centred_on(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str], *, references: Sequence[str] | None = None
    ) -> Self:
        """The same network with another zero and unit: these replies' mean and deviation. Nothing is written.

        Excellent demonstrations put most of a policy's replies below zero; what the base writes puts half of them there. Raises
        RewardModelError where the replies do not differ in score.
        """
        old = self.card.centre
        raw = [score * old.deviation + old.mean for score in self.score(prompts, completions, references=references)]
        centre = centre_of(raw)
        return type(self)(self._network, self._tokenizer, self.card.model_copy(update={"centre": centre}))

    def score_replies(self, items: Sequence[tuple[TurnContext, Reply]]) -> list[float]:
        """The same for replies in their turns; blanks may be filled or not."""
        prompts = [render_write(context) for context, _ in items]
        emitted = [encode_filled(context, reply) for context, reply in items]
        return self.score(prompts, emitted)
