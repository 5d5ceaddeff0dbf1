"""What the desk's page sends, and what it may send: sizes, forms, and the sentence that says what is wrong."""

import uuid
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from db.vocabulary import IssueTag, Preferred, Severity
from training.ratings.views import Judgement, Tag

LONGEST_COMMENT = 4_000
LONGEST_REWRITE = 4_000
LONGEST_REASON = 400


def _printable(text: str) -> str:
    if "\0" in text:
        raise ValueError("it holds a character that is no text")
    return text


Comment = Annotated[str, Field(max_length=LONGEST_COMMENT), AfterValidator(_printable)]
Rewrite = Annotated[str, Field(max_length=LONGEST_REWRITE), AfterValidator(_printable)]
Key = Annotated[str, Field(min_length=8, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SentTag(_Sent):
    """One fault."""

    tag: IssueTag
    severity: Severity


class SentJudgement(_Sent):
    """A judgement as the page writes it; which fields belong to which kind is the desk's to say."""

    stars: int | None = Field(default=None, ge=1, le=5)
    excellent: bool = False
    tags: tuple[SentTag, ...] = Field(default=(), max_length=len(IssueTag))
    comment: Comment = ""
    rewrite: Rewrite | None = None
    preferred: Preferred | None = None
    strength: int | None = Field(default=None, ge=1, le=4)
    outcome: Literal["won", "lost", "open"] | None = None
    decided_by: Comment = ""
    seconds: float | None = Field(default=None, ge=0, le=7 * 86_400, allow_inf_nan=False)

    def judgement(self) -> Judgement:
        """The same, as the desk takes it."""
        fields = {name: getattr(self, name) for name in type(self).model_fields if name != "tags"}
        return Judgement(tags=tuple(Tag(tag=each.tag, severity=each.severity) for each in self.tags), **fields)


class Next(_Sent):
    """Tasks, please."""

    n: int = Field(default=2, ge=1, le=6)


class Save(_Sent):
    """A judgement of a task."""

    assignment_id: uuid.UUID
    key: Key
    judgement: SentJudgement


class Skip(_Sent):
    """Not this one, and why."""

    assignment_id: uuid.UUID
    key: Key
    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON), AfterValidator(_printable)]


class Revise(_Sent):
    """A judgement that replaces an earlier one."""

    rating_id: uuid.UUID
    key: Key
    judgement: SentJudgement


class Undo(_Sent):
    """Take back a save or skip: the one of this assignment, or the last one."""

    assignment_id: uuid.UUID | None = None


class Nothing(_Sent):
    """A request that says all by its address."""


def in_words(error: ValidationError) -> str:
    """The first thing that is wrong with a request."""
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the request"
    return f"The desk cannot take this: {where}: {first['msg']}. Change it and save again."
