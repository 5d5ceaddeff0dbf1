"""Training examples from elsewhere: rows of a TRL-format file, kept as they came."""

import uuid

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Json, words
from db.vocabulary import JudgementKind


class ImportedExample(Base, kw_only=True):
    """One example. Its ``id`` is the example's own, so that importing a file twice adds nothing. Append-only."""

    __tablename__ = "imported_example"
    __table_args__ = (Index(None, "format", "id"), Index(None, "imported_by"))

    format: Mapped[str]
    """``prompt_completion``, ``preference`` or ``unpaired_preference``."""
    kind: Mapped[JudgementKind | None] = mapped_column(words(JudgementKind, "kind"), default=None)
    content: Mapped[Json]
    """The columns that TRL reads."""
    provenance: Mapped[Json] = mapped_column(default_factory=dict)
    """Where it came from, as the file says."""
    imported_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("app_user.id"), default=None)
