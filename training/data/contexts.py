"""What the writer was told for a turn of the past: the turn's context, rebuilt from what was stored.

Stage, brief, allowed moves and reading stand in the rows. What the SOP remembered at that moment (focus, prices asked, heard and agreed)
does not: it follows from replaying the stored moves, and the state's present value says nothing of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agent import sop
from agent.context import turn_context
from agent.domain import AllowedMove, HotelMove, TurnContext
from agent.records import from_json, list_from_json
from agent.service.desk import facts_of, terms_of, utterances
from db.models import Conversation, Draft, Turn
from db.vocabulary import Speaker, Stage


def past_contexts(conversation: Conversation, said: Sequence[Turn], drafts: Sequence[Draft]) -> dict[int, TurnContext]:
    """The context of each of our turns, by number, said or only drafted; a turn that has no stored moves has none.

    ``conversation`` comes with its tickets and their hotels, ``said`` with every turn in order, ``drafts`` in the order of their attempts.
    """
    facts, terms, words = facts_of(conversation.tickets), terms_of(conversation.tickets), utterances(said)
    first_drafts: dict[int, Draft] = {}
    for draft in drafts:
        first_drafts.setdefault(draft.for_turn, draft)
    state = sop.open_state(tuple(terms))
    contexts: dict[int, TurnContext] = {}
    for number in range(1, max([len(said), *first_drafts]) + 1):
        turn = said[number - 1] if number <= len(said) else None
        before = said[number - 2] if number > 1 else None
        draft = first_drafts.get(number)
        allowed = _allowed(turn, draft)
        if allowed:
            step = sop.Step(state=replace(state, stage=_stage(turn, before, state)), allowed=allowed)
            reading = _reading(before)
            context = turn_context(step, facts, words[: number - 1], hotel_move=reading, language=conversation.language)
            contexts[number] = replace(context, brief=draft.brief) if draft is not None and draft.brief is not None else context
        if turn is not None:
            state = _after(state, turn, terms)
    return contexts


def _allowed(turn: Turn | None, draft: Draft | None) -> tuple[AllowedMove, ...]:
    ours = turn is not None and turn.speaker is Speaker.BD
    stored = draft.allowed if draft is not None else turn.allowed if turn is not None and ours else None
    return list_from_json(AllowedMove, stored or [])


def _stage(turn: Turn | None, before: Turn | None, state: sop.NegotiationState) -> Stage:
    if turn is not None and turn.speaker is Speaker.BD:
        return turn.stage_before
    return (before.stage_after if before is not None else None) or state.stage


def _reading(before: Turn | None) -> HotelMove | None:
    return from_json(HotelMove, before.hotel_move) if before is not None and before.hotel_move else None


def _after(state: sop.NegotiationState, turn: Turn, terms: Mapping[int, sop.Terms]) -> sop.NegotiationState:
    """A message that nobody read, or words of a person who took over, change nothing."""
    if turn.speaker is Speaker.HOTEL:
        reading = _reading(turn)
        return sop.advance(state, reading, terms).state if reading is not None else state
    return sop.commit(state, from_json(AllowedMove, turn.move)) if turn.move else state
