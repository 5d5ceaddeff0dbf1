"""Words that a reply must not contain, kept away while it is drawn: vLLM's ``bad_words``, for replies that are drawn in this process.

Decided here: nothing new. A string is forbidden as its tokens at the start of a text and, where its first word has as many tokens there,
as those within one; the last token cannot follow the others. That is what the model server does with it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Self

from transformers import PreTrainedTokenizerFast


class Forbidden:
    """Token sequences, by what stands before their last token."""

    def __init__(self, sequences: Iterable[Sequence[int]] = ()) -> None:
        """An empty sequence forbids nothing."""
        self._last: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for sequence in sequences:
            if sequence:
                self._last[tuple(sequence[:-1])].append(sequence[-1])
        self._lengths = sorted({len(before) for before in self._last})

    @classmethod
    def words(cls, texts: Iterable[str], tokenizer: PreTrainedTokenizerFast) -> Self:
        """From words, in both of their forms."""
        return cls(form for text in texts for form in _forms(text, tokenizer))

    @property
    def reach(self) -> int:
        """How many of the last tokens matter."""
        return self._lengths[-1] if self._lengths else 0

    def after(self, written: Sequence[int]) -> list[int]:
        """Tokens that may not come next."""
        known = (length for length in self._lengths if length <= len(written))
        return [token for length in known for token in self._last.get(tuple(written[len(written) - length :]), ())]


def _forms(text: str, tokenizer: Any) -> list[list[int]]:
    at_start, within = (list(tokenizer.encode(before + text.lstrip(), add_special_tokens=False)) for before in ("", " "))
    return [at_start, within] if len(within) == len(at_start) and within[:1] != at_start[:1] else [at_start]
