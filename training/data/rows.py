"""What a row of each format must hold to come in: its columns, their types, and the words for what is wrong with a cell."""

import json
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from db.vocabulary import IssueTag, Severity
from training.data.columns import Format

_LONGEST_TEXT = 200_000


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL character, which no database takes")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("holds half a character (a lone surrogate)") from error
    return text


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty, but it is required")
    return text


Text = Annotated[str, Field(max_length=_LONGEST_TEXT), AfterValidator(_storable)]
Label = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_storable)]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    content: Annotated[Text, AfterValidator(_said)]


class _Message(_Said):
    role: Literal["system", "user", "assistant"]


class _Reply(_Said):
    role: Literal["assistant"]


class _Line(BaseModel):
    """One message of a dialogue; a hotel that did not answer said nothing."""

    model_config = ConfigDict(extra="forbid", strict=True)

    content: Text
    role: Literal["user", "assistant"]


def _from_user(value: Any) -> Any:
    """Plain text is what the user said."""
    return [{"role": "user", "content": value}] if isinstance(value, str) else value


def _from_assistant(value: Any) -> Any:
    return [{"role": "assistant", "content": value}] if isinstance(value, str) else value


def _separated(value: Any) -> Any:
    return value.replace("|", " ").split() if isinstance(value, str) else value


def _from_json(value: Any) -> Any:
    """A sheet has the messages of a dialogue as JSON in one cell."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise ValueError(f"is no JSON: {error}") from error


def _fault(word: str) -> str:
    tag, _, severity = word.partition(":")
    if tag not in set(IssueTag) or severity not in set(Severity):
        raise ValueError(f"is no fault; write one of {', '.join(IssueTag)}, a colon, and one of {', '.join(Severity)}")
    return word


Prompt = Annotated[list[_Message], BeforeValidator(_from_user), Field(min_length=1)]
Completion = Annotated[list[_Reply], BeforeValidator(_from_assistant), Field(min_length=1)]


class Checked(BaseModel):
    """What every row may say of itself."""

    model_config = ConfigDict(extra="forbid")

    id: UUID | None = None
    source: Label | None = None
    rating_ids: Annotated[list[UUID] | None, BeforeValidator(_separated)] = None
    turn_id: UUID | None = None
    conversation_id: UUID | None = None
    hotel: Label | None = None
    policy_version: Label | None = None
    prompts_version: Label | None = None
    rater: Label | None = None
    language: Label | None = None
    created_at: AwareDatetime | None = None
    simulated_hotel: bool | None = None
    simulated_rater: bool | None = None


class _PromptCompletion(Checked):
    prompt: Prompt
    completion: Completion


class _Preference(Checked):
    prompt: Prompt
    chosen: Completion
    rejected: Completion


class _UnpairedPreference(Checked):
    prompt: Prompt
    completion: Completion
    label: bool


class _Dialogue(Checked):
    messages: Annotated[list[_Line], BeforeValidator(_from_json), Field(min_length=1)]
    stars: Annotated[int, Field(ge=1, le=5)]
    excellent: bool = False
    outcome: Literal["won", "lost", "open"] | None = None
    decided_by: Text = ""
    faults: Annotated[list[Annotated[str, AfterValidator(_fault)]], BeforeValidator(_separated)] = []
    comment: Text = ""


ROWS: dict[Format, type[Checked]] = {
    Format.PROMPT_COMPLETION: _PromptCompletion,
    Format.PREFERENCE: _Preference,
    Format.UNPAIRED_PREFERENCE: _UnpairedPreference,
    Format.DIALOGUE: _Dialogue,
}
