"""A negotiation through the service, on real Postgres and a real model server: what is kept, repeated, refused and taken up again."""

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from uuid import UUID, uuid4

import psycopg
import pytest

from agent.language.client import ModelUnavailable
from agent.service import Negotiations, connect, transcript
from agent.service.errors import (
    CloseError,
    ConversationEnded,
    GuardRefused,
    MessageTooLong,
    NotYourTurn,
    OpenError,
    StaleDraft,
    UnknownConversation,
    UnknownDraft,
    UnreadableMessage,
)
from agent.service.events import Advanced, Drafted, Ended, Read, Received, Sent, TurnEvent
from agent.settings import AgentSettings
from db.engine import psycopg_url
from db.repositories import tickets
from db.repositories.tickets import TicketNotFound
from db.vocabulary import Counterpart, HotelMoveKind, Mode, MoveKind, Speaker, Stage, TicketStatus

pytestmark = pytest.mark.model

Opener = Callable[..., UUID]


def run(events: Iterator[TurnEvent]) -> list[TurnEvent]:
    return list(events)


def drafted(events: list[TurnEvent]) -> UUID:
    return next(event.draft_id for event in events if isinstance(event, Drafted))


def say_and_answer(negotiations: Negotiations, conversation: UUID, words: str) -> list[TurnEvent]:
    """The hotel speaks, and our draft is approved as it is."""
    events = run(negotiations.receive(conversation, words, key=f"test:{uuid4()}", actor=None))
    return events + run(negotiations.approve(drafted(events), key=f"test:{uuid4()}", actor=None))


def greeted(negotiations: Negotiations, opened: Opener, *references: str) -> UUID:
    conversation = opened(*references)
    events = run(negotiations.resume(conversation))
    run(negotiations.approve(drafted(events), key=f"test:{uuid4()}", actor=None))
    return conversation


def test_a_negotiation_goes_from_the_greeting_to_an_agreement(negotiations: Negotiations, opened: Opener) -> None:
    conversation = greeted(negotiations, opened)
    say_and_answer(negotiations, conversation, "Hello, yes, I handle the rates here.")
    say_and_answer(negotiations, conversation, "We are about half full in these weeks.")
    events = say_and_answer(negotiations, conversation, "We could do 112 euros net for that room.")
    read = next(event for event in events if isinstance(event, Read))
    assert read.hotel_move.kind is HotelMoveKind.OFFER
    advanced = next(event for event in events if isinstance(event, Advanced))
    assert advanced.stage is Stage.CONFIRMATION
    events = say_and_answer(negotiations, conversation, "Yes, confirmed.")
    assert isinstance(events[-1], Ended)
    view = negotiations.view(conversation)
    assert view.stage is Stage.AGREED
    assert view.tickets[0].agreed_net == Decimal(112)
    with negotiations.transaction() as session:
        ticket = tickets.find_by_reference(session, "DEMO-101")
        assert ticket is not None
        assert (ticket.status, ticket.agreed_net) == (TicketStatus.AGREED, Decimal(112))


def test_every_turn_is_logged_with_what_shaped_it(negotiations: Negotiations, opened: Opener) -> None:
    conversation = greeted(negotiations, opened)
    say_and_answer(negotiations, conversation, "Hello, that is me.")
    view = negotiations.view(conversation)
    assert [(turn.number, turn.speaker) for turn in view.turns] == [(1, Speaker.BD), (2, Speaker.HOTEL), (3, Speaker.BD)]
    for turn in view.turns:
        assert turn.policy_version == "policy-v1"
        assert turn.stage_after is not None
        assert turn.allowed
        assert turn.sop_version or turn.speaker is Speaker.BD
    ours = view.turns[2]
    assert ours.move is not None
    assert ours.rules_checked > 8
    assert view.turns[1].hotel_move is not None


def test_silence_is_not_consent(negotiations: Negotiations, opened: Opener) -> None:
    conversation = greeted(negotiations, opened)
    say_and_answer(negotiations, conversation, "Hello, yes that is me.")
    say_and_answer(negotiations, conversation, "112 net is possible.")
    for words in ("", "👍", "ok let me see", "noted"):
        events = say_and_answer(negotiations, conversation, words)
        if any(isinstance(event, Ended) for event in events):
            break
        assert negotiations.view(conversation).tickets[0].agreed_net is None
    assert negotiations.view(conversation).tickets[0].agreed_net is None


def test_a_repeated_message_is_one_turn(negotiations: Negotiations, opened: Opener) -> None:
    conversation = greeted(negotiations, opened)
    first = run(negotiations.receive(conversation, "Hello.", key="same", actor=None))
    again = run(negotiations.receive(conversation, "Hello.", key="same", actor=None))
    assert first[0] == again[0] == Received(turn_number=2, text="Hello.")
    assert drafted(first) == drafted(again)
    assert len(negotiations.view(conversation).turns) == 2


def test_a_repeated_approval_sends_once(negotiations: Negotiations, opened: Opener) -> None:
    conversation = opened()
    draft = drafted(run(negotiations.resume(conversation)))
    sent = [run(negotiations.approve(draft, key="once", actor=None))[-1] for _ in range(3)]
    assert len(set(map(repr, sent))) == 1
    assert len(negotiations.view(conversation).turns) == 1
    with pytest.raises(StaleDraft, match="approved"):
        run(negotiations.approve(draft, key="another", actor=None))


def test_a_repeated_opening_is_one_conversation(negotiations: Negotiations, opened: Opener) -> None:
    assert opened(key="k") == opened(key="k")
    with pytest.raises(OpenError, match="talked to about this already"):
        opened(key="other")


def test_two_requests_at_once_make_one_turn_each(negotiations: Negotiations, opened: Opener) -> None:
    conversation = greeted(negotiations, opened)
    draft_ids: list[UUID] = []

    def receive() -> None:
        draft_ids.append(drafted(run(negotiations.receive(conversation, "Hello.", key="same", actor=None))))

    threads = [threading.Thread(target=receive) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(draft_ids)) == 1
    assert len(draft_ids) == 4
    assert len(negotiations.view(conversation).turns) == 2


def test_an_edit_is_kept_beside_its_draft(negotiations: Negotiations, opened: Opener, person: UUID) -> None:
    conversation = opened()
    draft = drafted(run(negotiations.resume(conversation)))
    words = (
        "Good morning! This is the partner team; I write about the room rates of Hotel Aurora Lisboa. Are you the right person for this?"
    )
    run(negotiations.edit(draft, words, key="e", actor=person, despite_guard=True))
    turn = negotiations.view(conversation).turns[0]
    assert turn.text == words
    assert turn.edited_from is not None
    assert turn.edited_from != words
    assert turn.author == "Bea Dee"


def test_an_edit_that_breaks_the_rules_is_refused_until_a_person_insists(negotiations: Negotiations, opened: Opener, person: UUID) -> None:
    conversation = opened()
    draft = drafted(run(negotiations.resume(conversation)))
    words = "Give us 77 net and we guarantee you the first place in the ranking."
    with pytest.raises(GuardRefused) as refused:
        run(negotiations.edit(draft, words, key="e1", actor=person))
    assert len(refused.value.violations) >= 2
    run(negotiations.edit(draft, words, key="e2", actor=person, despite_guard=True))
    verdicts = negotiations.view(conversation).turns[0].verdicts
    assert any(verdict.of_edit for verdict in verdicts)


def test_an_edit_that_asks_for_another_price_changes_what_we_asked(negotiations: Negotiations, opened: Opener, person: UUID) -> None:
    conversation = greeted(negotiations, opened)
    say_and_answer(negotiations, conversation, "Hello, I handle the rates.")
    events = run(negotiations.receive(conversation, "Rates are what they are, demand is fine.", key="m", actor=None))
    advanced = next(event for event in events if isinstance(event, Advanced))
    assert advanced.stage in (Stage.PROPOSAL, Stage.PERSUASION)
    words = "Could you do 110 EUR net for the Deluxe Double from 2 to 31 March? That would help it stand level with other sites."
    run(negotiations.edit(drafted(events), words, key="e", actor=person, despite_guard=True))
    assert negotiations.view(conversation).tickets[0].last_ask == Decimal(110)


def test_regenerating_gives_another_draft_for_the_same_turn(negotiations: Negotiations, opened: Opener) -> None:
    conversation = opened()
    first = drafted(run(negotiations.resume(conversation)))
    second = drafted(run(negotiations.regenerate(first, key="r", actor=None)))
    assert second != first
    assert drafted(run(negotiations.regenerate(first, key="r", actor=None))) == second
    with pytest.raises(StaleDraft, match="rejected"):
        run(negotiations.approve(first, key="a", actor=None))
    run(negotiations.approve(second, key="b", actor=None))
    assert len(negotiations.view(conversation).turns) == 1


def test_the_hotel_may_speak_before_our_draft_went_out(negotiations: Negotiations, opened: Opener) -> None:
    conversation = greeted(negotiations, opened)
    stale = drafted(run(negotiations.receive(conversation, "Hello.", key="1", actor=None)))
    fresh = drafted(run(negotiations.receive(conversation, "Are you still there?", key="2", actor=None)))
    with pytest.raises(StaleDraft):
        run(negotiations.approve(stale, key="a", actor=None))
    run(negotiations.approve(fresh, key="b", actor=None))
    assert [turn.number for turn in negotiations.view(conversation).turns] == [1, 2, 3, 4]


def test_several_rooms_are_each_brought_to_their_own_end(negotiations: Negotiations, opened: Opener) -> None:
    conversation = greeted(negotiations, opened, "DEMO-101", "DEMO-102")
    say_and_answer(negotiations, conversation, "Hello, yes, that is me.")
    say_and_answer(negotiations, conversation, "Deluxe Double: 110 net.")
    events = say_and_answer(negotiations, conversation, "Yes, confirmed.")
    assert not any(isinstance(event, Ended) for event in events)
    view = negotiations.view(conversation)
    assert [ticket.status for ticket in view.tickets] == [TicketStatus.AGREED, TicketStatus.OPEN]
    assert view.turns[-1].move is not None
    assert (view.turns[-1].move.kind, view.turns[-1].move.label) == (MoveKind.ASK, 2)


def test_after_a_take_over_the_person_speaks(negotiations: Negotiations, opened: Opener, person: UUID) -> None:
    conversation = opened()
    run(negotiations.resume(conversation))
    with pytest.raises(NotYourTurn, match="Take the conversation over"):
        run(negotiations.say(conversation, "Hello", actor=person, key="s0"))
    negotiations.take_over(conversation, actor=person, key="t")
    negotiations.take_over(conversation, actor=person, key="t")
    for _ in range(2):
        run(negotiations.say(conversation, "Hello, this is Bea.", actor=person, key="s1"))
    events = run(negotiations.receive(conversation, "Hi Bea, 115 net?", key="h", actor=person))
    assert [type(event) for event in events] == [Received]
    with pytest.raises(CloseError, match="at which net price"):
        negotiations.close(conversation, outcome=TicketStatus.AGREED, actor=person, key="c")
    with pytest.raises(CloseError, match="above our limit"):
        negotiations.close(conversation, outcome=TicketStatus.AGREED, agreed={1: Decimal(120)}, actor=person, key="c")
    negotiations.close(conversation, outcome=TicketStatus.AGREED, agreed={1: Decimal(115)}, actor=person, key="c")
    negotiations.close(conversation, outcome=TicketStatus.AGREED, agreed={1: Decimal(115)}, actor=person, key="c")
    view = negotiations.view(conversation)
    assert view.is_end
    assert view.tickets[0].agreed_net == Decimal(115)
    with pytest.raises(ConversationEnded):
        run(negotiations.receive(conversation, "Hello?", key="late", actor=None))


def test_a_simulated_hotel_is_played_to_the_end_on_autopilot(negotiations: Negotiations, opened: Opener) -> None:
    conversation = opened("DEMO-110", mode=Mode.AUTOPILOT, counterpart=Counterpart.SIMULATED)
    events = run(negotiations.play(conversation))
    assert isinstance(events[-1], Ended)
    view = negotiations.view(conversation)
    assert view.is_end
    assert [turn.number for turn in view.turns] == list(range(1, len(view.turns) + 1))
    assert all(a.speaker is not b.speaker for a, b in zip(view.turns, view.turns[1:], strict=False))


def test_a_simulated_talk_that_is_not_to_go_on_stays_open_after_our_turn_and_is_taken_up_again(
    negotiations: Negotiations, opened: Opener
) -> None:
    conversation = opened("DEMO-110", mode=Mode.AUTOPILOT, counterpart=Counterpart.SIMULATED)
    run(negotiations.play(conversation, go_on=lambda: len(negotiations.view(conversation).turns) < 3))
    view = negotiations.view(conversation)
    assert [turn.speaker for turn in view.turns] == [Speaker.BD, Speaker.HOTEL, Speaker.BD]
    assert not view.is_end
    assert isinstance(run(negotiations.play(conversation))[-1], Ended)


def test_a_person_s_hotel_does_not_answer_by_itself(negotiations: Negotiations, opened: Opener) -> None:
    conversation = greeted(negotiations, opened)
    with pytest.raises(NotYourTurn, match="paste its words"):
        run(negotiations.hear_simulated(conversation))


def test_an_approval_works_after_the_checkpoint_was_lost(negotiations: Negotiations, opened: Opener, database_url: str) -> None:
    conversation = opened()
    draft = drafted(run(negotiations.resume(conversation)))
    with psycopg.connect(psycopg_url(database_url), autocommit=True) as connection:
        connection.execute("TRUNCATE langgraph.checkpoints, langgraph.checkpoint_writes, langgraph.checkpoint_blobs")
    events = run(negotiations.approve(draft, key="a", actor=None))
    assert isinstance(events[-1], Sent)
    assert len(negotiations.view(conversation).turns) == 1


def test_without_a_model_the_words_are_kept_and_taken_up_later(negotiations: Negotiations, opened: Opener, database_url: str) -> None:
    conversation = greeted(negotiations, opened)
    nowhere = AgentSettings(model_url="http://127.0.0.1:9/v1", model_retries=0, _env_file=None)  # pyright: ignore[reportCallIssue]
    with connect(database_url, settings=nowhere) as lonely:
        for words in ("Hello, that is me.", "Are you there?"):
            with pytest.raises(ModelUnavailable, match=r"127\.0\.0\.1:9"):
                run(lonely.receive(conversation, words, key=words, actor=None))
    view = negotiations.view(conversation)
    assert view.awaits_draft
    assert [turn.text for turn in view.turns[1:]] == ["Hello, that is me.", "Are you there?"]
    draft = drafted(run(negotiations.resume(conversation)))
    run(negotiations.approve(draft, key="a", actor=None))
    assert [turn.number for turn in negotiations.view(conversation).turns] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("words", "error", "word"),
    [
        ("x" * 100_000, MessageTooLong, "100,000 characters"),
        ("\x00\x01PNG", UnreadableMessage, r"U\+0000"),
        ("half a pair \ud800", UnreadableMessage, r"U\+D800"),
    ],
)
def test_what_is_no_message_is_refused_and_nothing_is_lost(
    negotiations: Negotiations, opened: Opener, words: str, error: type[Exception], word: str
) -> None:
    conversation = greeted(negotiations, opened)
    with pytest.raises(error, match=word):
        run(negotiations.receive(conversation, words, key="bad", actor=None))
    assert len(negotiations.view(conversation).turns) == 1


def test_unknown_ids_are_named(negotiations: Negotiations) -> None:
    nobody = uuid4()
    with pytest.raises(UnknownConversation, match=str(nobody)):
        run(negotiations.receive(nobody, "Hello", key="k", actor=None))
    with pytest.raises(UnknownConversation, match=str(nobody)):
        negotiations.view(nobody)
    with pytest.raises(UnknownDraft, match=str(nobody)):
        run(negotiations.approve(nobody, key="k", actor=None))
    with pytest.raises(TicketNotFound, match=str(nobody)):
        negotiations.open(ticket_ids=[nobody], mode=Mode.COPILOT, counterpart=Counterpart.HUMAN, actor=None, key="k")


def test_tickets_of_two_hotels_are_two_conversations(negotiations: Negotiations, opened: Opener) -> None:
    with pytest.raises(OpenError, match="Harbour Lights Inn, Hotel Aurora Lisboa"):
        opened("DEMO-101", "DEMO-103")
    with pytest.raises(OpenError, match="at least one"):
        negotiations.open(ticket_ids=[], mode=Mode.COPILOT, counterpart=Counterpart.HUMAN, actor=None, key="k")


def test_a_silent_hotel_is_reminded_once_its_time_has_come(negotiations: Negotiations, opened: Opener, database_url: str) -> None:
    conversation = greeted(negotiations, opened)
    assert negotiations.follow_up_due() == 0
    with psycopg.connect(psycopg_url(database_url), autocommit=True) as connection:
        connection.execute("UPDATE conversation SET next_follow_up_at = now() - interval '1 minute'")
    assert negotiations.follow_up_due() == 1
    assert negotiations.follow_up_due() == 0
    view = negotiations.view(conversation)
    assert view.turns[-1].text == ""
    assert view.stage is Stage.FOLLOW_UP
    assert view.pending is not None


def test_a_transcript_shows_the_talk_and_no_limit(negotiations: Negotiations, opened: Opener) -> None:
    conversation = greeted(negotiations, opened)
    view = negotiations.view(conversation)
    markdown = transcript.to_markdown(view)
    assert markdown.startswith("# Hotel Aurora Lisboa, Lisbon")
    assert view.turns[0].text.splitlines()[0] in markdown
    for document in (markdown, transcript.to_json_text(view)):
        assert "119" not in document
        assert "ceiling" not in document
