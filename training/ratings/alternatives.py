"""Second drafts of replies that were said, so that people can compare two replies to the same words.

Decided here: the version that spoke writes again, at a temperature at which it says something else, once for each turn; nothing of it is
ever sent. It stands beside the first draft as one that was thrown away, where queues for comparing find it.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

from agent.domain import Reply, TurnContext
from agent.language.client import ModelClient, ModelRefused
from agent.language.prompts import prompts_version
from agent.language.writer import WriterFailed, write
from agent.records import to_json
from db.engine import SessionFactory
from db.models import Draft
from db.repositories import examples
from db.repositories.examples import JudgedConversation
from db.vocabulary import DraftOrigin, DraftStatus
from training.data.contexts import past_contexts

TEMPERATURE = 1.0
_BATCH = 20


def draw_alternatives(
    sessions: SessionFactory,
    client: ModelClient,
    conversation_ids: Sequence[UUID],
    *,
    at_once: int = 8,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> int:
    """Draw one for each reply of the policy that has no other draft; returns how many were new and read differently.

    Raises what ``client`` raises where the model server is away; what was drawn before stands.
    """
    drawn = 0
    for start in range(0, len(conversation_ids), _BATCH):
        with sessions() as session:
            held = examples.load_judged(session, conversation_ids[start : start + _BATCH])
        asked = [(one, draft, context) for one in held for draft, context in _alone(one)]
        with ThreadPoolExecutor(max_workers=at_once) as pool:
            replies = list(pool.map(lambda each: _again(client, each[0], each[2]), asked))
        with sessions.begin() as session:
            for (one, draft, _), reply in zip(asked, replies, strict=True):
                if reply is not None and reply.text != draft.text:
                    session.add(_kept(one, draft, reply))
                    drawn += 1
        progress(min(start + _BATCH, len(conversation_ids)), len(conversation_ids))
    return drawn


def _alone(one: JudgedConversation) -> list[tuple[Draft, TurnContext]]:
    """Drafts by the policy that were said as they are, with their contexts, where there is no other one for the turn."""
    contexts = past_contexts(one.conversation, one.turns, one.drafts)
    said = {turn.draft_id for turn in one.turns}
    for_turn = [draft.for_turn for draft in one.drafts]
    return [
        (draft, contexts[draft.for_turn])
        for draft in one.drafts
        if draft.id in said
        and draft.origin is DraftOrigin.POLICY
        and draft.status is not DraftStatus.EDITED
        and for_turn.count(draft.for_turn) == 1
        and draft.for_turn in contexts
    ]


def _again(client: ModelClient, one: JudgedConversation, context: TurnContext) -> Reply | None:
    version = one.conversation.policy_version
    assert version is not None, "a reply of the policy has a version"
    try:
        *_, reply = write(context, client=client, model=version.name, temperature=TEMPERATURE)
    except (WriterFailed, ModelRefused):
        return None
    return reply if isinstance(reply, Reply) else None


def _kept(one: JudgedConversation, draft: Draft, reply: Reply) -> Draft:
    return Draft(
        conversation_id=one.conversation.id,
        for_turn=draft.for_turn,
        attempt=draft.attempt + 1,
        origin=DraftOrigin.POLICY,
        text=reply.text,
        move=to_json(reply.move),
        allowed=draft.allowed,
        brief=draft.brief,
        policy_version_id=one.conversation.policy_version_id,
        prompts_version=prompts_version(),
        status=DraftStatus.REJECTED,
        decided_at=datetime.now(UTC),
    )
