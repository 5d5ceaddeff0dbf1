"""Simulated colleagues at the copilot: they put the phrasebook's excellent words in the place of the drafts, as good BD staff would.

Decided here: that an edit keeps the draft's move and passes the guard; where no line does, the draft goes out as it is. The talk goes on
with what was sent, so that what is learnt from it knows what was said before, and does not say it again.
"""

import random
from uuid import UUID

from agent.service import Negotiations
from agent.service.batch import Job, open_job
from agent.service.errors import GuardRefused
from agent.service.views import DraftView
from agent.simulation import NothingToSay, Quality, ScriptedBD
from db.repositories import examples, users
from db.vocabulary import Mode, Role
from training.data.contexts import past_contexts

_BD = ScriptedBD()
_NAME, _EMAIL = "Colleague (simulated)", "colleague@simulated.invalid"


def negotiate_with_a_colleague(negotiations: Negotiations, job: Job, *, seed: int) -> UUID:
    """The conversation, held on copilot to its end, or gone on with from where it stopped.

    Raises what the service raises.
    """
    with negotiations.transaction() as session:
        colleague = users.create(session, email=_EMAIL, name=_NAME, roles=[Role.BD])[0].id
    conversation_id = open_job(negotiations, job, seed=seed, mode=Mode.COPILOT, actor=colleague)
    for _ in negotiations.resume(conversation_id):
        pass
    while not (view := negotiations.view(conversation_id)).is_end:
        if view.pending is not None:
            _decide(negotiations, conversation_id, view.pending, colleague)
        else:
            for _ in negotiations.hear_simulated(conversation_id):
                pass
    return conversation_id


def _decide(negotiations: Negotiations, conversation_id: UUID, draft: DraftView, colleague: UUID) -> None:
    """Send better words in place of the draft where there are any, else the draft."""
    key = f"colleague:{draft.id}"
    words = _better(negotiations, conversation_id, draft)
    if words is not None:
        try:
            for _ in negotiations.edit(draft.id, words, key=key, actor=colleague):
                pass
        except GuardRefused:
            words = None
    if words is None:
        for _ in negotiations.approve(draft.id, key=key, actor=colleague):
            pass


def _better(negotiations: Negotiations, conversation_id: UUID, draft: DraftView) -> str | None:
    with negotiations.transaction() as session:
        (held,) = examples.load_judged(session, [conversation_id])
        context = past_contexts(held.conversation, held.turns, held.drafts).get(draft.for_turn)
    if context is None:
        return None
    try:
        rng = random.Random(f"{held.conversation.seed}:{draft.for_turn}")
        words = _BD.say(context, draft.move, rng=rng, quality=Quality.EXCELLENT)
    except NothingToSay:
        return None
    return words if words != draft.text else None
