"""The rows of a snapshot from the database: what had been said and judged before an instant.

Decided here: what is kept out. Judgements of people whose answers are not to be relied on; whole conversations that somebody named, in
which a bad case was found (every version is tried on those), or whose simulated hotel has a persona that is only ever measured with.
Which judgement makes an example is ``training.data``'s.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from agent.simulation import HELD_OUT_PERSONAS
from db.models import Rating
from db.repositories import examples
from db.repositories.examples import JudgedConversation
from db.vocabulary import Counterpart, DraftStatus, Speaker
from training.data.columns import TRAINED, Row, Source, instant, pseudonym
from training.data.contexts import past_contexts
from training.data.examples import Examiner
from training.data.export import Contrasts, imported_row, without_personal_data
from training.data.masking import Mask
from training.data.spool import Spool
from training.quality.trust import trust_weights
from training.snapshots.contexts import CONTEXTS, context_row
from training.snapshots.splits import Split
from training.snapshots.writing import SnapshotWriter
from training.starter.progress import BuildEvent, Report

_BATCH = 100
"""Conversations loaded at once."""


class Quarantine(StrEnum):
    """Why something is kept out."""

    LOW_TRUST = "of somebody whose answers are not to be relied on"
    FLAGGED = "in a conversation that was named to be kept out"
    BAD_CASE = "in a conversation with a bad case, on which every version is tried"
    HELD_OUT = "in a conversation with a simulated hotel that is only ever measured with"


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotSettings:
    """What of the database a training run may see. The same settings on the same database give the same bytes."""

    as_of: datetime | None = None
    """Only what had been written before; now where it is not given."""
    since: datetime | None = None
    """Only what was judged then or later."""
    languages: tuple[str, ...] = ()
    """ISO 639-1; every language where none is given."""
    sources: tuple[Source, ...] = tuple(Source)
    people_only: bool = False
    """Leave out what simulated experts judged."""
    min_trust: float = 0.25
    """Judgements of somebody with a smaller weight (``training.quality.trust``, in [0, 1]) are kept out; somebody new has 0.5."""
    flagged: tuple[UUID, ...] = ()
    """Conversations to be kept out."""
    judged_only: bool = False
    """Contexts only from conversations that somebody has judged."""
    allow_one_rater: bool = False
    """Take preferences that are all of one person."""
    validation_share: float = 0.1
    """Of the hotels."""

    def __post_init__(self) -> None:
        for name, moment in (("as_of", self.as_of), ("since", self.since)):
            if moment is not None and moment.tzinfo is None:
                raise ValueError(f"{name} needs a time zone: {moment} may be meant anywhere")
        if not 0 <= self.min_trust <= 1 or not 0 <= self.validation_share <= 1:
            raise ValueError(f"min_trust and validation_share are in [0, 1], not {self.min_trust} and {self.validation_share}")


@dataclass(slots=True, kw_only=True)
class KeptOut:
    """What makes no rows, counted."""

    left_out: Counter[str] = field(default_factory=Counter[str])
    conversations: Counter[str] = field(default_factory=Counter[str])
    judgements: Counter[str] = field(default_factory=Counter[str])
    ids: set[str] = field(default_factory=set[str])
    """Of the conversations."""

    def conversation(self, judged: JudgedConversation, reason: Quarantine) -> None:
        """All of it; a message that staff edited counts as a judgement."""
        edits = {turn.draft_id for turn in judged.turns} & {draft.id for draft in judged.drafts if draft.status is DraftStatus.EDITED}
        self.conversations[reason] += 1
        self.judgements[reason] += len(judged.ratings) + len(edits)
        self.ids.add(str(judged.conversation.id))

    def quarantined(self) -> dict[str, dict[str, int]]:
        """By reason, every reason named."""
        return {str(reason): {"conversations": self.conversations[reason], "judgements": self.judgements[reason]} for reason in Quarantine}


def collect(session: Session, writer: SnapshotWriter, settings: SnapshotSettings, *, as_of: datetime, report: Report) -> KeptOut:
    """Give every row of the database to the writer, personal data masked; ``session`` sees one moment."""
    reader = _Reader(session, settings, as_of)
    with ExitStack() as stack:
        # Replies to the same prompt are put against each other within a split, so that no pair of rows joins the two.
        contrasts = {split: Contrasts(stack.enter_context(Spool(writer.aside / f"rated.{split}"))) for split in Split}
        for table, row in reader.native(writer, contrasts, report):
            writer.put(table, row)
        for split in Split:
            for example in contrasts[split].examples():
                if reader.passes(example.row):
                    writer.put(example.format, example.row)
        for table, row in reader.imported():
            writer.put(table, row)
    return reader.kept_out


class _Reader:
    """Reads one database for one snapshot."""

    def __init__(self, session: Session, settings: SnapshotSettings, as_of: datetime) -> None:
        self.kept_out = KeptOut(ids={str(conversation_id) for conversation_id in settings.flagged})
        self._session, self._settings, self._as_of = session, settings, as_of
        weights = trust_weights(session, as_of=as_of)
        self._distrusted = {rater for rater, weight in weights.items() if weight < settings.min_trust}
        self._distrusted_names = {pseudonym("rater", rater) for rater in self._distrusted}
        self._since = "" if settings.since is None else instant(settings.since)

    def native(self, writer: SnapshotWriter, contrasts: Mapping[Split, Contrasts], report: Report) -> Iterator[tuple[str, Row]]:
        """Contexts, and examples of what was judged here; rated replies go to ``contrasts``."""
        session = self._session
        judged_ids = examples.list_judged_conversations(session)
        wanted = judged_ids if self._settings.judged_only else examples.list_conversations(session, as_of=self._as_of)
        for start in range(0, len(wanted), _BATCH):
            for judged in examples.load_judged(session, wanted[start : start + _BATCH], as_of=self._as_of):
                if self._is_wanted(judged):
                    yield from self._contexts(judged, writer)
                    examiner = Examiner(self._trusted(judged), people_only=self._settings.people_only, as_of=self._as_of)
                    yield from ((str(example.format), example.row) for example in examiner.examples() if self.passes(example.row))
                    self.kept_out.left_out.update(str(reason) for reason in examiner.left_out.elements())
                    for reply in examiner.rated:
                        contrasts[writer.split_of(reply.provenance)].add([reply])
            session.expunge_all()
            report(BuildEvent(phase="reading", done=min(start + _BATCH, len(wanted)), total=len(wanted)))

    def imported(self) -> Iterator[tuple[str, Row]]:
        """What came in files."""
        for kind in TRAINED:
            for stored in examples.iterate_imported(self._session, kind):
                if stored.created_at >= self._as_of:
                    continue
                row = imported_row(stored, kind)
                if row["rater"] in self._distrusted_names:
                    self.kept_out.judgements[Quarantine.LOW_TRUST] += 1
                elif row["conversation_id"] not in self.kept_out.ids and self.passes(row):
                    yield str(kind), without_personal_data(row)

    def passes(self, row: Row) -> bool:
        """Whether the filters let a row through."""
        settings = self._settings
        known_language = not settings.languages or row["language"] in settings.languages
        of_people = not (settings.people_only and row["simulated_rater"])
        return known_language and of_people and row["source"] in settings.sources and (row["created_at"] or "") >= self._since

    def _is_wanted(self, judged: JudgedConversation) -> bool:
        if judged.conversation.created_at >= self._as_of:
            return False
        reason = self._quarantine(judged)
        if reason is not None:
            self.kept_out.conversation(judged, reason)
            return False
        return not self._settings.languages or judged.conversation.language in self._settings.languages

    def _quarantine(self, judged: JudgedConversation) -> Quarantine | None:
        conversation = judged.conversation
        if conversation.id in self._settings.flagged:
            return Quarantine.FLAGGED
        if judged.case_turns:
            return Quarantine.BAD_CASE
        if conversation.counterpart is Counterpart.SIMULATED and conversation.persona in HELD_OUT_PERSONAS:
            return Quarantine.HELD_OUT
        return None

    def _trusted(self, judged: JudgedConversation) -> JudgedConversation:
        """Without judgements of people who are not to be relied on; what decided a dispute was weighed by somebody already."""
        kept: defaultdict[bool, list[Rating]] = defaultdict(list)
        for rating in judged.ratings:
            kept[rating.adjudicates or rating.rater_id not in self._distrusted].append(rating)
        self.kept_out.judgements[Quarantine.LOW_TRUST] += len(kept[False])
        return replace(judged, ratings=kept[True])

    def _contexts(self, judged: JudgedConversation, writer: SnapshotWriter) -> Iterator[tuple[str, Row]]:
        """The place of each of our turns."""
        conversation = judged.conversation
        found = past_contexts(conversation, judged.turns, judged.drafts)
        mask = Mask.of(judged.contacts)
        hotel = pseudonym("hotel", conversation.hotel_id) or ""
        for turn in judged.turns:
            context = found.get(turn.number)
            if turn.speaker is Speaker.BD and context is not None:
                where: dict[str, Any] = {
                    "hotel": hotel,
                    "split": writer.split_of({"hotel": hotel}),
                    "conversation_id": conversation.id,
                    "turn_id": turn.id,
                    "created_at": instant(turn.created_at),
                    "simulated_hotel": conversation.counterpart is Counterpart.SIMULATED,
                }
                yield CONTEXTS, context_row(mask.context(context), **where).row()
