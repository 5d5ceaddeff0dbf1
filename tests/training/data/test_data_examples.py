"""Which judgement makes which example: from whole conversations to rows."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from data_scenes import Judge, add_contact, another_draft, judged_talks, opened, pending, talk
from sqlalchemy import select

from agent.language.prompts import render_write
from agent.service import Negotiations
from db.engine import SessionFactory
from db.models import BadCase, Draft, RatingItem, RatingQueue, Ticket, Turn
from db.repositories import conversations, tickets, turns
from db.vocabulary import ItemState, JudgementKind, Preferred, QueuePolicy, Speaker
from training.data import Chosen, Format, export_examples
from training.data.contexts import past_contexts
from training.data.examples import LeftOut


def rows(folder: Path, kind: Format, *, source: str | None = None) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in (folder / f"{kind}.jsonl").read_text().splitlines()]
    return [row for row in found if source in (None, row["source"])]


def reply(row: dict[str, Any], column: str = "completion") -> dict[str, str]:
    (message,) = row[column]
    assert message["role"] == "assistant"
    return json.loads(message["content"])


def test_every_sort_of_judgement_makes_its_examples(negotiations: Negotiations, sessions: SessionFactory, tmp_path: Path) -> None:
    talks = judged_talks(negotiations)
    done = export_examples(sessions, tmp_path / "out")
    demonstrations = {source: rows(done.folder, Format.PROMPT_COMPLETION, source=source) for source in ("excellent", "rewrite", "edit")}
    assert {source: len(found) for source, found in demonstrations.items()} == {"excellent": 2, "rewrite": 3, "edit": 3}
    preferences = {source: rows(done.folder, Format.PREFERENCE, source=source) for source in ("comparison", "rewrite", "edit")}
    assert {source: len(found) for source, found in preferences.items()} == {"comparison": 3, "rewrite": 3, "edit": 3}
    labels = [row["label"] for row in rows(done.folder, Format.UNPAIRED_PREFERENCE)]
    assert (labels.count(True), labels.count(False)) == (2 + 3, 1 + 3), "the simulated expert's four stars are among the good ones"
    assert {row["conversation_id"] for row in rows(done.folder, Format.PREFERENCE)} == {str(talk) for talk in talks}
    for row in preferences["comparison"]:
        assert reply(row, "chosen")["text"] == "Dear team, we look forward to your answer."
    for row in preferences["edit"]:
        assert reply(row, "chosen")["text"].endswith("Thank you, dear partner.")
        assert not reply(row, "rejected")["text"].endswith("Thank you, dear partner.")
    for row in preferences["rewrite"]:
        assert reply(row, "chosen")["text"].startswith("Could we meet")
        assert row["rating_ids"]
        assert row["rater"].startswith("rater-")
    for found in (*demonstrations.values(), *preferences.values()):
        assert all(row["hotel"].startswith("hotel-") and row["language"] == "en" and row["simulated_hotel"] for row in found)


def test_a_prompt_is_the_one_that_was_served_and_a_reply_has_blanks(
    negotiations: Negotiations, sessions: SessionFactory, tmp_path: Path
) -> None:
    conversation_id = talk(negotiations, seed=4, turns=5)
    with negotiations.transaction() as session:
        judge = Judge(session)
        ours = judge.turns(conversation_id)
        rated = {str(judge.rate(turn, 5, excellent=True).turn_id): turn for turn in ours}
        conversation = conversations.get_with_tickets(session, conversation_id)
        drafts = session.scalars(
            select(Draft).where(Draft.conversation_id == conversation_id).order_by(Draft.for_turn, Draft.attempt)
        ).all()
        contexts = past_contexts(conversation, turns.list_said(session, conversation_id), drafts)
    done = export_examples(sessions, tmp_path / "out", Chosen(formats=(Format.PROMPT_COMPLETION,)))
    found = rows(done.folder, Format.PROMPT_COMPLETION, source="excellent")
    assert len(found) == len(ours)
    priced = 0
    for row in found:
        turn = rated[row["turn_id"]]
        assert row["prompt"] == render_write(contexts[turn.number])
        assert turn.move is not None
        assert reply(row)["move"] == turn.move["kind"] + (f":{turn.move['topic']}" if turn.move["topic"] else "")
        price = (turn.move["price"] or "").removesuffix(".00")
        if price and price in turn.text:
            priced += 1
            assert price not in reply(row)["text"]
            assert "{net}" in reply(row)["text"]
    assert priced, "the talk comes to prices"


def test_ties_middling_stars_and_own_words_make_nothing(negotiations: Negotiations, sessions: SessionFactory, tmp_path: Path) -> None:
    conversation_id = opened(negotiations)
    for _ in negotiations.approve(pending(negotiations, conversation_id), key=str(uuid4()), actor=None):
        pass
    with negotiations.transaction() as session:
        judge = Judge(session)
        (turn,) = judge.turns(conversation_id)
        other = another_draft(session, turn, "Another hello.")
        judge.compare(session.get_one(Draft, turn.draft_id), other, Preferred.TIE)
        judge.rate(turn, 3)
        person = judge.user.id
    negotiations.take_over(conversation_id, actor=person, key="mine")
    for _ in negotiations.say(conversation_id, "This is a person. Let us talk tomorrow.", actor=person, key="said"):
        pass
    with negotiations.transaction() as session:
        judge = Judge(session)
        judge.rate(judge.turns(conversation_id)[-1], 5, excellent=True)
    done = export_examples(sessions, tmp_path / "out")
    assert set(done.rows.values()) == {0}
    assert done.left_out == {LeftOut.NO_MOVE: 1}


def test_what_somebody_dislikes_is_no_demonstration(negotiations: Negotiations, sessions: SessionFactory, tmp_path: Path) -> None:
    conversation_id = talk(negotiations, seed=1)
    with negotiations.transaction() as session:
        ann, bob = Judge(session), Judge(session)
        ours = ann.turns(conversation_id)
        ann.rate(ours[0], 5, excellent=True)
        ann.rate(ours[1], 1)
        bob.rate(ours[0], 2)
    done = export_examples(sessions, tmp_path / "out")
    assert done.rows[Format.PROMPT_COMPLETION] == 0, "neither the excellent reply nor the edit"
    assert done.left_out[LeftOut.REFUSED_EDIT] == 1
    assert len(rows(done.folder, Format.PREFERENCE, source="edit")) == 1, "it is still better than its draft"


def test_disputes_wait_and_adjudication_decides(negotiations: Negotiations, sessions: SessionFactory, tmp_path: Path) -> None:
    conversation_id = talk(negotiations, seed=1)
    with negotiations.transaction() as session:
        ann, bob = Judge(session), Judge(session)
        turn = ann.turns(conversation_id)[0]
        queue = RatingQueue(name="Q", kind=JudgementKind.TURN, policy=QueuePolicy.NEWEST)
        session.add(queue)
        session.flush()
        item = RatingItem(queue_id=queue.id, conversation_id=conversation_id, turn_id=turn.id, open_places=0, state=ItemState.DISPUTED)
        session.add(item)
        session.flush()
        ann.rate(turn, 5, item_id=item.id)
        bob.rate(turn, 1, item_id=item.id)
    waiting = export_examples(sessions, tmp_path / "waiting")
    assert waiting.rows[Format.UNPAIRED_PREFERENCE] == 0
    assert waiting.left_out[LeftOut.DISPUTED] == 2
    with negotiations.transaction() as session:
        judge = Judge(session)
        decision = judge.rate(session.get_one(Turn, turn.id), 4, item_id=item.id, adjudicates=True)
        session.get_one(RatingItem, item.id).state = ItemState.ADJUDICATED
    decided = export_examples(sessions, tmp_path / "decided")
    (row,) = rows(decided.folder, Format.UNPAIRED_PREFERENCE)
    assert row["label"] is True
    assert row["rating_ids"] == [str(decision.id)]
    assert not decided.left_out


def test_stars_that_are_far_apart_on_the_same_prompt_are_a_preference(
    negotiations: Negotiations, sessions: SessionFactory, tmp_path: Path
) -> None:
    with negotiations.transaction() as session:
        ticket = tickets.find_by_reference(session, "DEMO-101")
        assert ticket is not None
        for number in (1, 2):
            copied = {column.key: getattr(ticket, column.key) for column in Ticket.__table__.columns if column.key not in _OWN}
            session.add(Ticket(**copied, reference=f"SAME-{number}"))
    made = [opened(negotiations, reference) for reference in ("DEMO-101", "SAME-1", "SAME-2")]
    for words, conversation_id in zip(("A.", "B.", "C."), made, strict=True):
        said = negotiations.edit(
            pending(negotiations, conversation_id), f"Hello from us, {words}", key=str(uuid4()), actor=None, despite_guard=True
        )
        for _ in said:
            pass
    with negotiations.transaction() as session:
        judge = Judge(session)
        stars = dict(zip(made, (2, 5, 3), strict=True))
        ids: dict[UUID, UUID] = {talk: judge.rate(judge.turns(talk)[0], given).id for talk, given in stars.items()}
    done = export_examples(sessions, tmp_path / "out", Chosen(formats=(Format.PREFERENCE,)))
    (row,) = rows(done.folder, Format.PREFERENCE, source="stars")
    assert reply(row, "chosen")["text"].endswith("B.")
    assert reply(row, "rejected")["text"].endswith("A.")
    assert row["rating_ids"] == sorted(str(ids[made[index]]) for index in (0, 1))


_OWN = ("id", "created_at", "updated_at", "reference", "status", "agreed_net", "closed_at", "search_text")


def test_people_of_the_hotel_are_masked_everywhere(negotiations: Negotiations, sessions: SessionFactory, tmp_path: Path) -> None:
    conversation_id = opened(negotiations)
    with negotiations.transaction() as session:
        add_contact(session, conversation_id, name="Rosalind Quill", email="r.quill@aurora.example", phone="+351 912 345 678")
    for _ in negotiations.approve(pending(negotiations, conversation_id), key=str(uuid4()), actor=None):
        pass
    heard = "This is rosalind, call 912345678 or write to R.Quill@aurora.example. We could do 120 net, only weekdays for Quill's guests."
    for _ in negotiations.receive(conversation_id, heard, key="h", actor=None):
        pass
    draft = pending(negotiations, conversation_id)
    words = "Dear Rosalind Quill, thank you. Shall we call +351 912 345 678?"
    for _ in negotiations.edit(draft, words, key=str(uuid4()), actor=None, despite_guard=True):
        pass
    with negotiations.transaction() as session:
        judge = Judge(session)
        turn = judge.turns(conversation_id)[-1]
        assert turn.speaker is Speaker.BD
        judge.rate(turn, 5, excellent=True, rewrite="Thank you, Rosalind! We write to someone@else.example then.")
    masked = export_examples(sessions, tmp_path / "masked")
    text = "".join((masked.folder / f"{kind}.jsonl").read_text() for kind in Format)
    assert masked.rows[Format.PREFERENCE] == 2
    # Long enough to stand in no id by chance.
    for secret in ("osalind", "uill", "912345", "912 345", "345 678", "aurora.example", "else.example"):
        assert secret not in text, secret
    for shown in ("[name]", "[email]", "[phone]", "120 net", "Aurora"):
        assert shown in text, shown
    shown = export_examples(sessions, tmp_path / "shown", Chosen(with_personal_data=True))
    text = "".join((shown.folder / f"{kind}.jsonl").read_text() for kind in Format)
    assert "Rosalind" in text
    assert "912345678" in text


def test_a_turn_that_is_a_bad_case_teaches_nothing(negotiations: Negotiations, sessions: SessionFactory, tmp_path: Path) -> None:
    judged_talks(negotiations)
    before = export_examples(sessions, tmp_path / "before")
    about = {row["turn_id"] for row in rows(before.folder, Format.UNPAIRED_PREFERENCE)}
    with sessions.begin() as session:
        for turn_id in about:
            session.add(BadCase(turn_id=UUID(turn_id), context={}, reply={}))
    after = export_examples(sessions, tmp_path / "after")
    left = [row["turn_id"] for kind in Format for row in rows(after.folder, kind)]
    assert left
    assert about.isdisjoint(left)
    assert after.left_out[LeftOut.BAD_CASE] > before.left_out[LeftOut.BAD_CASE] == 0
