"""Judgements of whole conversations: what goes out of them, and how files of them come in."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from data_scenes import Judge, add_contact, opened, pending, talk
from sqlalchemy import select

from agent.service import Negotiations
from db.engine import SessionFactory
from db.models import BadCase, ImportedExample, RatingItem, RatingQueue, Turn
from db.vocabulary import IssueTag, ItemState, JudgementKind, JudgementSource, QueuePolicy, Severity
from training.data import Chosen, Filing, Format, export_examples, import_examples, template_csv
from training.data.columns import pseudonym
from training.data.examples import LeftOut

ONLY = Chosen(formats=(Format.DIALOGUE,))


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "dialogue.jsonl").read_text().splitlines()]


def test_a_judgement_of_a_conversation_goes_out_with_all_that_was_said(
    negotiations: Negotiations, sessions: SessionFactory, tmp_path: Path
) -> None:
    conversation = talk(negotiations, seed=1)
    with negotiations.transaction() as session:
        judge = Judge(session)
        faults = {IssueTag.PUSHING_ON: Severity.MAJOR, IssueTag.GUESSING: Severity.MINOR}
        rating = judge.judge_dialogue(conversation, 2, outcome="lost", decided_by="Asked too often", comment="Flat", faults=faults).id
        withdrawn = judge.judge_dialogue(conversation, 5)
        judge.withdraw(withdrawn)
        rater = judge.user.id
    done = export_examples(sessions, tmp_path / "out", ONLY)
    with sessions() as session:
        said = session.scalars(select(Turn).where(Turn.conversation_id == conversation).order_by(Turn.number)).all()
    (row,) = rows(done.folder)
    assert row["messages"] == [{"role": "assistant" if turn.speaker == "bd" else "user", "content": turn.text} for turn in said]
    assert (row["stars"], row["excellent"], row["outcome"], row["decided_by"]) == (2, False, "lost", "Asked too often")
    assert (row["comment"], row["faults"]) == ("Flat", ["guessing:minor", "pushing_on:major"])
    assert (row["source"], row["rating_ids"], row["turn_id"]) == ("dialogue", [str(rating)], None)
    assert (row["conversation_id"], row["rater"]) == (str(conversation), pseudonym("rater", rater))


def test_only_what_had_been_said_when_it_was_judged_goes_out(negotiations: Negotiations, sessions: SessionFactory, tmp_path: Path) -> None:
    conversation = opened(negotiations)
    for _ in negotiations.approve(pending(negotiations, conversation), key=str(uuid4()), actor=None):
        pass
    with negotiations.transaction() as session:
        Judge(session).judge_dialogue(conversation, 4)
    for _ in negotiations.receive(conversation, "We could do 120 net.", key="later", actor=None):
        pass
    (row,) = rows(export_examples(sessions, tmp_path / "out", ONLY).folder)
    assert [message["role"] for message in row["messages"]] == ["assistant"]


def test_personal_data_is_masked_in_what_was_said_and_in_what_people_say_of_it(
    negotiations: Negotiations, sessions: SessionFactory, tmp_path: Path
) -> None:
    conversation = opened(negotiations)
    with negotiations.transaction() as session:
        add_contact(session, conversation, name="Rosalind Quill", email="r.quill@aurora.example")
    for _ in negotiations.approve(pending(negotiations, conversation), key=str(uuid4()), actor=None):
        pass
    for _ in negotiations.receive(conversation, "Rosalind here: 120 net.", key="h", actor=None):
        pass
    with negotiations.transaction() as session:
        Judge(session).judge_dialogue(conversation, 4, decided_by="Rosalind gave in", comment="Write to r.quill@aurora.example")
    masked = (export_examples(sessions, tmp_path / "masked", ONLY).folder / "dialogue.jsonl").read_text()
    assert "[name] here: 120 net." in masked
    assert "[name] gave in" in masked
    assert "Write to [email]" in masked
    shown = Chosen(formats=(Format.DIALOGUE,), with_personal_data=True)
    assert "Rosalind gave in" in (export_examples(sessions, tmp_path / "shown", shown).folder / "dialogue.jsonl").read_text()


def test_disputes_bad_cases_and_on_request_simulated_experts_are_left_out(
    negotiations: Negotiations, sessions: SessionFactory, tmp_path: Path
) -> None:
    disputed, bad, machines = (talk(negotiations, seed=seed, references=[f"DEMO-10{seed + 1}"]) for seed in (0, 2, 3))
    with negotiations.transaction() as session:
        queue = RatingQueue(name="Whole", kind=JudgementKind.DIALOGUE, policy=QueuePolicy.NEWEST, raters_per_item=2)
        session.add(queue)
        session.flush()
        item = RatingItem(queue_id=queue.id, conversation_id=disputed, open_places=0, state=ItemState.DISPUTED)
        session.add(item)
        session.flush()
        judge = Judge(session)
        judge.judge_dialogue(disputed, 1, item_id=item.id)
        judge.judge_dialogue(bad, 4)
        session.add(BadCase(turn_id=judge.turns(bad)[0].id, context={}, reply={}))
        Judge(session, "Simulated", source=JudgementSource.SIMULATED).judge_dialogue(machines, 4)
    done = export_examples(sessions, tmp_path / "out", ONLY)
    assert [row["conversation_id"] for row in rows(done.folder)] == [str(machines)]
    assert done.left_out[LeftOut.DISPUTED] == 1
    assert done.left_out[LeftOut.BAD_CASE] >= 1
    people = export_examples(sessions, tmp_path / "people", Chosen(formats=(Format.DIALOGUE,), people_only=True))
    assert rows(people.folder) == []
    with negotiations.transaction() as session:
        Judge(session).judge_dialogue(disputed, 3, item_id=item.id, adjudicates=True)
        session.get_one(RatingItem, item.id).state = ItemState.ADJUDICATED
    decided = rows(export_examples(sessions, tmp_path / "decided", ONLY).folder)
    assert [row["stars"] for row in decided if row["conversation_id"] == str(disputed)] == [3]


@pytest.mark.parametrize("filing", list(Filing))
def test_a_file_of_dialogues_comes_in_and_goes_out_the_same(
    negotiations: Negotiations, sessions: SessionFactory, tmp_path: Path, filing: Filing
) -> None:
    conversation = talk(negotiations, seed=1)
    with negotiations.transaction() as session:
        Judge(session).judge_dialogue(conversation, 2, outcome="lost", faults={IssueTag.PUSHING_ON: Severity.MAJOR})
    chosen = Chosen(formats=(Format.DIALOGUE,), filing=filing)
    done = export_examples(sessions, tmp_path / "out", chosen)
    assert import_examples(sessions, done.folder).added == 1
    assert export_examples(sessions, tmp_path / "again", chosen).sha256 == done.sha256, "what is here already is not there twice"


def test_the_sheet_of_dialogues_can_be_filled_in(sessions: SessionFactory, tmp_path: Path) -> None:
    file = tmp_path / "sheet.csv"
    file.write_text(template_csv(Format.DIALOGUE))
    assert import_examples(sessions, file).errors == []
    (row,) = rows(export_examples(sessions, tmp_path / "out", ONLY).folder)
    assert [message["role"] for message in row["messages"]] == ["assistant", "user"]
    assert (row["stars"], row["outcome"], row["faults"]) == (4, "won", ["robotic_repetition:minor"])
    with sessions() as session:
        assert session.scalars(select(ImportedExample.kind)).all() == [JudgementKind.DIALOGUE]


def test_a_silent_hotel_is_a_message_and_bad_cells_are_named(sessions: SessionFactory, tmp_path: Path) -> None:
    said = [{"role": "assistant", "content": "Hello?"}, {"role": "user", "content": ""}]
    wrong: list[dict[str, Any]] = [
        {"messages": said, "stars": 6},
        {"messages": [{"role": "system", "content": "You are"}], "stars": 3},
        {"messages": said, "stars": 3, "faults": ["rudeness:minor"]},
        {"messages": said, "stars": 3, "outcome": "drawn"},
        {"messages": "no JSON", "stars": 3},
    ]
    lines = [json.dumps(row) for row in ({"messages": said, "stars": 3}, *wrong)]
    (tmp_path / "mine.jsonl").write_text("\n".join(lines))
    told = import_examples(sessions, tmp_path / "mine.jsonl")
    assert (told.good, told.bad) == (1, 5)
    assert [(error.row, error.column.split(".")[0]) for error in told.errors] == [
        (2, "stars"),
        (3, "messages"),
        (4, "faults"),
        (5, "outcome"),
        (6, "messages"),
    ]
    (row,) = rows(export_examples(sessions, tmp_path / "out", ONLY).folder)
    assert row["messages"][1] == {"role": "user", "content": ""}
