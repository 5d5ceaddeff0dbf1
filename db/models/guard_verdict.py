"""What the guard said about a draft, rule by rule."""

import uuid
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, words
from db.vocabulary import Severity

if TYPE_CHECKING:
    from db.models.draft import Draft


class GuardVerdict(Base, kw_only=True):
    """One rule's verdict. A rule that found several faults has several rows; one that found none may have a row with ``passed``."""

    __tablename__ = "guard_verdict"
    __table_args__ = (
        Index(None, "draft_id"),
        Index("ix_guard_verdict_failed", "rule", "created_at", postgresql_where=text("NOT passed")),
        Index("ix_guard_verdict_failed_newest", "created_at", "draft_id", postgresql_where=text("NOT passed")),
        CheckConstraint("passed OR severity IS NOT NULL", name="failed_has_severity"),
        CheckConstraint("span_start >= 0 AND span_end >= span_start", name="span"),
    )

    draft_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("draft.id"))
    rule: Mapped[str]
    passed: Mapped[bool]
    severity: Mapped[Severity | None] = mapped_column(words(Severity, "severity"), default=None)
    message: Mapped[str] = mapped_column(default="")
    span_start: Mapped[int | None] = mapped_column(default=None)
    span_end: Mapped[int | None] = mapped_column(default=None)
    """Characters of the text, half open."""
    of_edit: Mapped[bool] = mapped_column(default=False)
    """True where a person's edited text was judged, not the draft's own."""

    draft: Mapped["Draft"] = relationship(lazy="raise", init=False)
