"""What can be wrong with a request to the service, one class per thing that a caller can act on."""

from collections.abc import Sequence
from uuid import UUID

from agent.guardrails import Violation
from db.errors import ParleyError


class UnknownConversation(ParleyError):
    """No such conversation."""

    def __init__(self, conversation_id: UUID) -> None:
        super().__init__(f"There is no conversation {conversation_id}. Open the list of conversations and choose one.")


class UnknownDraft(ParleyError):
    """No such draft."""

    def __init__(self, draft_id: UUID) -> None:
        super().__init__(f"There is no draft {draft_id}. Reload the conversation to see its current draft.")


class StaleDraft(ParleyError):
    """The draft was decided, replaced or overtaken in the meantime."""

    def __init__(self, draft_id: UUID, status: str) -> None:
        super().__init__(f"Draft {draft_id} is already {status}. Reload the conversation to see its current draft.")


class ConversationEnded(ParleyError):
    """Nothing more can be said in it."""

    def __init__(self, conversation_id: UUID, stage: str) -> None:
        super().__init__(f"Conversation {conversation_id} has ended ({stage}). Open a new one to go on with this hotel.")


class ConversationBusy(ParleyError):
    """Another request on the same conversation is still at work."""

    def __init__(self, conversation_id: UUID, waited_s: float) -> None:
        super().__init__(f"Conversation {conversation_id} was busy with another message for {waited_s:g} s. Nothing was lost; try again.")


class NotYourTurn(ParleyError):
    """The action does not fit where the conversation stands."""


class MessageTooLong(ParleyError):
    """More characters than a message may have."""

    def __init__(self, length: int, limit: int) -> None:
        super().__init__(f"The message has {length:,} characters; at most {limit:,} are taken. Shorten it, or paste it in parts.")


class UnreadableMessage(ParleyError):
    """The text holds bytes that are no text."""

    def __init__(self, character: str, position: int) -> None:
        super().__init__(
            f"The message holds a character that is no text (U+{ord(character):04X} at position {position + 1}). "
            "It looks like a file: paste the words of the message instead."
        )


class OpenError(ParleyError):
    """A conversation cannot be opened on these tickets."""


class CloseError(ParleyError):
    """A conversation cannot be closed in this way."""


class GuardRefused(ParleyError):
    """A person's edit breaks guard rules."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        what = "; ".join(dict.fromkeys(violation.message for violation in violations))
        super().__init__(f"The edited reply would break the rules: {what}. Change it, or send it all the same under your name.")
