"""From preference rows to what is learned from: each prompt with its replies, and which of them beat which.

Decided here: which rows are refused, with an error before any time is spent. All comparisons of a prompt stay together, so that the prompt
is read once however often its replies were compared (InstructGPT, arXiv 2203.02155, section 3.5).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from training.rewards.model.errors import PreferencesUnusable

Row = Mapping[str, Any]
"""A row in the columns of ``training.data.columns``; in reference-slot mode with ``reference``, an assistant's message, besides."""
Prompt = tuple[tuple[str, str], ...]
"""(role, content) of each message."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One reply beats another: indices into a ``Compared.replies``. ``wanted`` is the probability to learn; 0.5 is a tie."""

    better: int
    worse: int
    wanted: float = 1.0
    source: str = "imported"
    hotel: str = ""
    language: str = ""
    weight: float = 1.0
    """Of the comparison in the loss."""


@dataclass(slots=True, kw_only=True)
class Compared:
    """A prompt with its replies and their comparisons."""

    prompt: Prompt
    reference: str | None = None
    replies: list[str] = field(default_factory=list[str])
    comparisons: list[Comparison] = field(default_factory=list[Comparison])

    def index(self, reply: str) -> int:
        """Place of the reply, which is added where it is new."""
        if reply not in self.replies:
            self.replies.append(reply)
        return self.replies.index(reply)


def compared(rows: Sequence[Row], *, name: str, reference_slot: bool = False, one_rater: bool = True) -> list[Compared]:
    """The rows by prompt, in their order. Raises PreferencesUnusable, naming the rows (``name``) and what is wrong with them."""
    if not rows:
        raise PreferencesUnusable(f"There are no {name} preferences. Collect comparisons, edits or ratings first, or widen the snapshot.")
    found: dict[tuple[Prompt, str | None], Compared] = {}
    for number, row in enumerate(rows):
        where = f"{name} preference {row.get('id') or number}"
        prompt = prompt_of(row.get("prompt"), where)
        chosen, rejected = said(row.get("chosen"), f"chosen of {where}"), said(row.get("rejected"), f"rejected of {where}")
        if chosen == rejected:
            raise PreferencesUnusable(f"In {where} the chosen and the rejected reply are the same: leave the row out.")
        reference = said(row.get("reference"), f"reference of {where}") if reference_slot else None
        if reference in (chosen, rejected):
            raise PreferencesUnusable(f"In {where} the reference is one of the two replies, which gives the answer away.")
        group = found.setdefault((prompt, reference), Compared(prompt=prompt, reference=reference))
        group.comparisons.append(
            Comparison(
                group.index(chosen),
                group.index(rejected),
                source=str(row.get("source") or "imported"),
                hotel=str(row.get("hotel") or ""),
                language=str(row.get("language") or ""),
            )
        )
    if not one_rater:
        _refuse_one_rater(rows, name)
    return list(found.values())


def _refuse_one_rater(rows: Sequence[Row], name: str) -> None:
    raters = {row.get("rater") for row in rows}
    if len(raters) == 1 and None not in raters:
        raise PreferencesUnusable(
            f"All {len(rows)} {name} preferences come from one rater ({raters.pop()}): the model would learn one person's taste. "
            "Add another rater's, or set one_rater if that is what you want."
        )


def refuse_shared_hotels(train: Sequence[Row], held_out: Sequence[Row], name: str) -> None:
    """Raises PreferencesUnusable where a hotel stands on both sides: accuracy would be measured on what was learned by heart."""
    shared = {row.get("hotel") for row in train} & {row.get("hotel") for row in held_out} - {None, ""}
    if shared:
        raise PreferencesUnusable(
            f"{len(shared)} hotels are among the training and among the {name} rows (one is {min(map(str, shared))}): split by hotel."
        )


def prompt_of(messages: object, where: str) -> Prompt:
    """A prompt's messages. Raises PreferencesUnusable."""
    return tuple(_messages(messages, f"the prompt of {where}"))


def said(messages: object, where: str) -> str:
    """The text of a list of one assistant's message. Raises PreferencesUnusable."""
    found = list(_messages(messages, f"the {where}"))
    if len(found) != 1 or found[0][0] != "assistant":
        raise PreferencesUnusable(f"The {where} is not one message of the assistant's.")
    return found[0][1]


def _messages(messages: object, where: str) -> Iterator[tuple[str, str]]:
    # Rows from a parquet file hold arrays, rows from JSON lists.
    if not isinstance(messages, Sequence) or isinstance(messages, str) or not messages:
        raise PreferencesUnusable(f"{where[:1].upper()}{where[1:]} is {messages!r}, not a list of messages.")
    for message in messages:
        role, content = (message.get("role"), message.get("content")) if isinstance(message, Mapping) else (None, None)
        if not isinstance(role, str) or not isinstance(content, str) or not content.strip():
            raise PreferencesUnusable(f"{where[:1].upper()}{where[1:]} has a message without a role or without words.")
        yield role, content


def with_references(rows: Sequence[Row], demonstrations: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows (preferences or demonstrations) with a ``reference``: a demonstration for the same prompt that is none of the row's replies.

    Rows whose prompt has no such demonstration are left out.
    """
    known: defaultdict[Prompt, list[str]] = defaultdict(list)
    for number, row in enumerate(demonstrations):
        known[prompt_of(row["prompt"], f"demonstration {number}")].append(said(row["completion"], f"completion {number}"))
    found: list[dict[str, Any]] = []
    for number, row in enumerate(rows):
        own = {said(row[column], f"{column} of row {number}") for column in ("chosen", "rejected", "completion") if row.get(column)}
        other = next((text for text in known[prompt_of(row["prompt"], f"row {number}")] if text not in own), None)
        if other is not None:
            found.append({**row, "reference": [{"role": "assistant", "content": other}]})
    return found
