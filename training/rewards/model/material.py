"""What a reward model learns from and is measured on, out of a snapshot or of simulated rows.

Decided here: the split is the rows'; zero and unit come from held-out demonstrations, or from the replies that somebody names, a base
policy's for instance; replies of known worth are those that people or experts call good or bad by themselves.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Self

from datasets import Dataset

from agent.domain import Reply
from agent.language.format import encode_filled
from training.dialogues import Speak
from training.rewards.model.comparisons import Row, with_references
from training.rewards.model.report import Report
from training.rewards.model.settings import RewardModelSettings
from training.rewards.model.training import Rated, train
from training.snapshots import ContextRow, EmptySnapshot, SimulatedRows, Snapshot, Split
from training.starter.progress import Report as Progress
from training.starter.progress import silent

FEWEST_FOR_ZERO = 40
"""Replies; where there are fewer contexts, some are answered again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Rows in the columns of ``training.data.columns``; no hotel is on both sides."""

    learned: Sequence[Row]
    """Preferences."""
    held_out: Sequence[Row]
    references: Sequence[Row]
    """Held-out replies whose mean score is the zero."""
    demonstrations: Sequence[Row]
    """Of both splits: what a reference slot is filled from."""
    rated: Sequence[Rated] = ()

    @classmethod
    def of_snapshot(cls, snapshot: Snapshot) -> Self:
        """Raises EmptySnapshot where it has no preferences."""
        demonstrations = {split: _rows(snapshot.demonstrations, split) for split in Split}
        return cls(
            learned=snapshot.preferences(Split.TRAIN).to_list(),
            held_out=snapshot.preferences(Split.VALIDATION).to_list(),
            references=demonstrations[Split.VALIDATION],
            demonstrations=[row for rows in demonstrations.values() for row in rows],
            rated=_rated(_rows(snapshot.stars, Split.VALIDATION)),
        )

    @classmethod
    def of_rows(cls, rows: SimulatedRows) -> Self:
        """The same of rows without a folder."""
        return cls(
            learned=_split(rows.preferences, Split.TRAIN),
            held_out=_split(rows.preferences, Split.VALIDATION),
            references=_split(rows.demonstrations, Split.VALIDATION),
            demonstrations=rows.demonstrations,
            rated=_rated(_split(rows.stars, Split.VALIDATION)),
        )

    def joined(self, other: Self) -> Self:
        """The rows of both. That no hotel is on both sides is for the caller to know: a hotel's side follows from its name."""
        return replace(
            self,
            learned=[*self.learned, *other.learned],
            held_out=[*self.held_out, *other.held_out],
            references=[*self.references, *other.references],
            demonstrations=[*self.demonstrations, *other.demonstrations],
            rated=[*self.rated, *other.rated],
        )

    def centred_on(self, contexts: Iterable[ContextRow], speak: Speak) -> Self:
        """The same with its zero at what ``speak`` writes in the validation split's contexts: half of it is then liked.

        Where there are fewer contexts than ``FEWEST_FOR_ZERO`` some are answered again. An answer that cannot be read is no reference.
        """
        rows = [row for row in contexts if row.split is Split.VALIDATION]
        held_out = list(islice(cycle(rows), max(len(rows), FEWEST_FOR_ZERO)))
        replies = speak([row.context for row in held_out])
        said = zip(held_out, replies, strict=True)
        return replace(self, references=[_reference(row, reply) for row, reply in said if reply is not None])

    def with_slot(self) -> Self:
        """Each row with a ``reference``, another demonstration for its prompt; rows for which there is none are left out."""
        return replace(
            self,
            learned=with_references(self.learned, self.demonstrations),
            held_out=with_references(self.held_out, self.demonstrations),
            references=with_references(self.references, self.demonstrations),
            rated=(),
        )


def train_on(material: Material, folder: Path, settings: RewardModelSettings, *, progress: Progress = silent) -> Report:
    """``train`` with everything out of one hand. Raises as it does."""
    given = material.with_slot() if settings.reference_slot else material
    return train(given.learned, given.held_out, given.references, folder, settings, rated=given.rated, progress=progress)


def _rows(read: Callable[[Split], Dataset], split: Split) -> list[Row]:
    """A table of a snapshot; nothing where it has none."""
    try:
        return read(split).to_list()
    except EmptySnapshot:
        return []


def _split(rows: Sequence[Row], split: Split) -> list[Row]:
    return [row for row in rows if row["split"] == split]


def _rated(stars: Sequence[Row]) -> list[Rated]:
    return [Rated(prompt=row["prompt"], completion=row["completion"][0]["content"], worth=float(row["label"])) for row in stars]


def _reference(row: ContextRow, reply: Reply) -> dict[str, Any]:
    emitted = encode_filled(row.context, reply)
    return {"prompt": row.messages, "completion": [{"role": "assistant", "content": emitted}], "hotel": row.hotel}
