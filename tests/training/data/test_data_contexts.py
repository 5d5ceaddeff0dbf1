"""A past turn's prompt, rebuilt from its rows, is the prompt that was sent to the model then, letter for letter."""

from uuid import UUID, uuid4

import pytest
from data_scenes import ScriptedClient, opened, pending
from sqlalchemy import select

from agent.domain import TurnContext
from agent.language.prompts import Message, render_write
from agent.service import Negotiations
from db.models import Draft
from db.repositories import conversations, turns
from db.vocabulary import Mode
from training.data.contexts import past_contexts


def rebuilt(negotiations: Negotiations, conversation_id: UUID) -> dict[int, TurnContext]:
    with negotiations.transaction() as session:
        conversation = conversations.get_with_tickets(session, conversation_id)
        drafts = session.scalars(
            select(Draft).where(Draft.conversation_id == conversation_id).order_by(Draft.for_turn, Draft.attempt)
        ).all()
        return past_contexts(conversation, turns.list_said(session, conversation_id), drafts)


def first_prompts(client: ScriptedClient) -> list[list[Message]]:
    """What was asked of the model first in each turn; a rewrite names faults."""
    return [prompt for prompt in client.prompts if "faults" not in prompt[-1]["content"].lower()]


@pytest.mark.parametrize("seed", [1, 2, 5, 9])
@pytest.mark.parametrize("references", [("DEMO-101",), ("DEMO-101", "DEMO-102")])
def test_a_whole_negotiation_is_told_again(
    negotiations: Negotiations, client: ScriptedClient, seed: int, references: tuple[str, ...]
) -> None:
    conversation_id = opened(negotiations, *references, mode=Mode.AUTOPILOT, seed=seed)
    for _ in negotiations.play(conversation_id):
        pass
    told = [render_write(context) for context in rebuilt(negotiations, conversation_id).values()]
    assert len(told) >= 4
    assert told == first_prompts(client)


def test_edits_new_drafts_and_words_in_between_are_told_again(negotiations: Negotiations, client: ScriptedClient) -> None:
    conversation_id = opened(negotiations)
    for step in range(4):
        draft = pending(negotiations, conversation_id)
        if step == 1:
            for _ in negotiations.regenerate(draft, key=str(uuid4()), actor=None):
                pass
            draft = pending(negotiations, conversation_id)
        if step == 2:
            for _ in negotiations.receive(conversation_id, "Sorry, one more thing: breakfast is on us.", key="again", actor=None):
                pass
            draft = pending(negotiations, conversation_id)
        for _ in negotiations.edit(
            draft, f"Good to hear from you, we look at it again ({step}).", key=str(uuid4()), actor=None, despite_guard=True
        ):
            pass
        for _ in negotiations.hear_simulated(conversation_id):
            pass
    told = [render_write(context) for context in rebuilt(negotiations, conversation_id).values()]
    sent = first_prompts(client)
    assert sorted({str(prompt) for prompt in sent}) == sorted(str(prompt) for prompt in told)
