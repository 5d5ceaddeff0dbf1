"""What the guard objected to in a draft."""

import uuid
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, words
from db.vocabulary import Severity

if TYPE_CHECKING:
    from db.models.draft import Draft


class GuardVerdict(Base, kw_only=True):
    """One breach of one rule. A draft that passed has none; which rules judged it is in its ``rules_checked``."""

    __tablename__ = "guard_verdict"
    __table_args__ = (
        Index(None, "draft_id"),
        Index(None, "rule", "created_at"),
        Index(None, "created_at", "draft_id"),
        CheckConstraint("span_start >= 0 AND span_end >= span_start", name="span"),
    )

    draft_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("draft.id"))
    rule: Mapped[str]
    severity: Mapped[Severity] = mapped_column(words(Severity, "severity"))
    message: Mapped[str] = mapped_column(default="")
    span_start: Mapped[int | None] = mapped_column(default=None)
    span_end: Mapped[int | None] = mapped_column(default=None)
    """Characters of the text, half open."""
    of_edit: Mapped[bool] = mapped_column(default=False)
    """True where a person's edited text was judged, not the draft's own."""

    draft: Mapped["Draft"] = relationship(lazy="raise", init=False)
