"""A policy in this process, as whoever measures it asks it: its weights alone, sampled at serving temperature.

There is no guard and no template here. An answer that is no reply is None, and counted. ``AsServed`` adds how replies are drawn in service:
each keeps to the turn's schema, none begins a sentence as an earlier one began, and what is no reply is drawn again.
"""

import copy
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Self

import torch

from agent.domain import Reply, TurnContext
from agent.language.format import reply_schema
from agent.language.openings import used_openings
from agent.language.prompts import render_write
from agent.serving.starter import MODEL_FOLDER
from training.dialogues import Speak
from training.objectives.attention import few_queries
from training.objectives.forbidden import Forbidden
from training.objectives.grammar import Grammar
from training.objectives.policy import Policy, PolicyError
from training.objectives.rollout import read
from training.objectives.sampling import Bounds, Sampling, sample
from training.objectives.settings import SERVING_TEMPERATURE, RunSettings
from training.starter.samples import prompt_ids

MAX_TOKENS = 160
"""Of the longest reply."""
_AT_ONCE = 64
_AGAIN, _ROUNDS = 0.7, 8
"""Temperature of redraws, and how many there are, as in service (``agent.settings.AgentSettings.redraws``)."""


class Speaker:
    """Answers many contexts at once (``training.dialogues.Speak``).

    The same seed and the same contexts in one call give the same answers, whatever was asked before. In other company a context may get
    another answer: a batch of another shape rounds otherwise.
    """

    def __init__(
        self,
        base: Path = MODEL_FOLDER,
        adapter: Path | None = None,
        *,
        temperature: float = SERVING_TEMPERATURE,
        max_tokens: int = MAX_TOKENS,
        seed: int = 0,
        dtype: torch.dtype | None = None,
        policy: Policy | None = None,
    ) -> None:
        """The base alone where there is no ``adapter``; else with it merged. Raises PolicyError where the two do not fit.

        A ``policy`` that is in training speaks as it is now, until it writes its next replies; nothing else is then loaded.
        """
        if policy is None:
            policy = Policy.load(RunSettings(seed=seed), base=base, adapter=adapter, sampler=dtype, reference=False)
            self._model = few_queries(policy.sampler())
        else:
            # How a run's own copy computes is part of what its result follows from.
            self._model = policy.sampler()
        self._tokenizer = policy.tokenizer
        end, pad = self._tokenizer.eos_token_id, self._tokenizer.pad_token_id
        assert isinstance(end, int), "a chat model's tokenizer has an end mark"
        assert isinstance(pad, int), "and one to pad with"
        self._grammar = Grammar(self._tokenizer, int(self._model.config.vocab_size))
        self._how = Sampling(copies=1, temperature=temperature, max_tokens=max_tokens, end_id=end, pad_id=pad)
        self._seed = seed
        self.tokens = 0
        """Written so far, end marks included."""
        self.seconds = 0.0
        """Spent on answering so far."""
        self.unreadable = 0
        """Answers so far that were no replies."""
        self.lengths: tuple[int, ...] = ()
        """Tokens of each answer of the last call, readable or not."""

    def __call__(self, contexts: Sequence[TurnContext], *, served: bool = False) -> list[Reply | None]:
        """One reply to each context, blanks filled. Where each is asked as often in a row as every other, its prompt is computed once.

        With ``served`` each keeps to the turn's schema, and none begins a sentence as an earlier one of its talk began, as in service.

        Raises:
            PolicyError: for a prompt that with the longest reply does not fit the model's window.
        """
        began = time.perf_counter()
        copies = _in_a_row(contexts)
        prompts = [prompt_ids(render_write(context), self._tokenizer) for context in contexts[::copies]]
        window = int(self._model.config.max_position_embeddings)
        longest = max(map(len, prompts), default=0)
        if longest + self._how.max_tokens > window:
            raise PolicyError(
                f"a prompt has {longest} tokens and a reply may have {self._how.max_tokens}, but the model's window is {window}: "
                "lower max_tokens or take a model with a longer window"
            )
        asked = sha256(json.dumps([self._seed, prompts]).encode()).digest()
        how = replace(self._how, copies=copies)
        bounds = [self._bounds(context) for context in contexts[::copies]] if served else ()
        samples = sample(self._model, prompts, how, seed=int.from_bytes(asked[:6]), bounds=bounds)
        answers = [ids for replies in samples.ids for ids in replies]
        replies = [
            read(context, str(self._tokenizer.decode(ids, skip_special_tokens=True)))
            for context, ids in zip(contexts, answers, strict=True)
        ]
        self.lengths = tuple(map(len, answers))
        self.tokens += sum(self.lengths)
        self.unreadable += replies.count(None)
        self.seconds += time.perf_counter() - began
        return replies

    def fits(self, context: TurnContext) -> bool:
        """Whether its prompt leaves room for the longest reply in the model's window."""
        longest = int(self._model.config.max_position_embeddings) - self._how.max_tokens
        return len(prompt_ids(render_write(context), self._tokenizer)) <= longest

    def _bounds(self, context: TurnContext) -> Bounds:
        never = Forbidden.words(used_openings(context), self._tokenizer)
        return Bounds(never=never, shape=self._grammar.at_start(reply_schema(context)))

    def again(self, number: int, *, temperature: float) -> Self:
        """The same weights with the chances of the ``number``-th time, counting from 1."""
        other = copy.copy(self)
        other._how, other._seed = replace(self._how, temperature=temperature), self._seed + number
        return other


def _in_a_row(contexts: Sequence[TurnContext]) -> int:
    """How often each is asked in a row, where that is the same for all; else 1."""
    times = {len(list(alike)) for _, alike in groupby(contexts, key=id)}
    return times.pop() if len(times) == 1 else 1


class AsServed:
    """Draws replies as the service does (``training.dialogues.Speak``).

    The service holds the model to the turn's schema and keeps it from beginnings it has used (``agent.language.openings``) while it writes,
    and draws again where no reply came (``agent.language.writer.Redraw``). So does this, at the temperature of redraws, up to ``_ROUNDS``
    times, each with chances of its own. The service holds drafts that the model finds unlikely against others besides; here the first that
    can be read stands.
    """

    def __init__(self, speaker: Speaker) -> None:
        self._first, self.fits = speaker, speaker.fits
        self._again = [speaker.again(number, temperature=_AGAIN) for number in range(1, _ROUNDS + 1)]
        self.tokens = 0
        self.seconds = 0.0
        self.lengths: tuple[int, ...] = ()

    def __call__(self, contexts: Sequence[TurnContext]) -> list[Reply | None]:
        """One reply to each context, blanks filled. Raises PolicyError as ``Speaker`` does."""
        replies = self._first(contexts, served=True)
        lengths = list(self._first.lengths)
        for speaker in self._again:
            missing = [place for place, reply in enumerate(replies) if reply is None]
            if not missing:
                break
            drawn = speaker([contexts[place] for place in missing], served=True)
            for place, reply, length in zip(missing, drawn, speaker.lengths, strict=True):
                if reply is not None:
                    replies[place], lengths[place] = reply, length
        self.lengths = tuple(lengths)
        asked = [self._first, *self._again]
        self.tokens, self.seconds = sum(one.tokens for one in asked), sum(one.seconds for one in asked)
        return replies


def in_batches(speak: Speak, report: Callable[[int, int], None]) -> Speak:
    """The same, some at a time, since every prompt that is being answered is held in memory; ``report`` hears how many, and of how many."""

    def each(contexts: Sequence[TurnContext]) -> list[Reply | None]:
        replies: list[Reply | None] = []
        for start in range(0, len(contexts), _AT_ONCE):
            report(start, len(contexts))
            replies += speak(contexts[start : start + _AT_ONCE])
        return replies

    return each
