"""The shape of an answer, held to while it is drawn: what the model server does with a JSON schema, for replies drawn in this process.

Decided here: nothing new. The library is the one that the model server is told to use (``agent.serving.server``), and it makes a grammar of
a schema in the same way there.
"""

import json
from collections.abc import Sequence

import numpy as np
import torch
from llguidance import LLMatcher
from llguidance.hf import from_tokenizer
from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from agent.language.format import Schema


class Grammar:
    """Which tokens may come next, of the answers that a schema allows; made once for a tokenizer."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, logits: int) -> None:
        """``logits`` are as many as the model has, which may be more than there are tokens."""
        self._tokens = from_tokenizer(tokenizer, logits)

    def at_start(self, schema: Schema) -> LLMatcher:
        """An answer of which nothing is written. Raises ValueError for a schema that cannot be held to."""
        grammar = LLMatcher.grammar_from_json_schema(json.dumps(schema), defaults={"whitespace_flexible": False})
        matcher = LLMatcher(self._tokens, grammar, log_level=0)
        if matcher.is_error():
            raise ValueError(f"no grammar comes of the schema {json.dumps(schema)}: {matcher.get_error()}")
        return matcher


class Shapes:
    """Where each of G answers to each of N prompts stands in its grammar."""

    def __init__(self, starts: Sequence[LLMatcher | None], copies: int) -> None:
        """``starts`` are one for each prompt, and stay as they are; None is held to nothing."""
        self._at = [[None if start is None else start.deep_copy() for _ in range(copies)] for start in starts]

    def keep_to(self, logits: Tensor, rows: Sequence[int]) -> None:
        """Leave no chance, in the logits (rows, G, vocabulary), to what may not come next."""
        mask = allocate_token_bitmask(logits.shape[0] * logits.shape[1], logits.shape[2])
        for place, at in enumerate(at for row in rows for at in self._at[row]):
            if at is not None:
                fill_next_token_bitmask(at, mask, place)
        allowed = np.unpackbits(mask.view(np.uint8), axis=1, bitorder="little")[:, : logits.shape[2]].astype(bool)
        logits.masked_fill_(~torch.from_numpy(allowed).view(logits.shape).to(logits.device), -torch.inf)

    def go_on(self, tokens: Sequence[Sequence[int]], rows: Sequence[int]) -> None:
        """These tokens (rows, G) are written; an answer that has ended stays as it is."""
        for row, written in zip(rows, tokens, strict=True):
            for at, token in zip(self._at[row], written, strict=True):
                if at is not None and not at.is_stopped():
                    at.consume_token(token)
