"""Which judgements in the database count, and that 200,000 of them are read along their indexes."""

import gc
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from db.models import Base, Conversation, Draft, GoldAnswer, Hotel, Rating, RatingItem, RatingQueue, RatingTag, Turn, User
from db.repositories import rating_figures, users
from db.repositories.rating_figures import SIMULATED
from db.vocabulary import (
    Counterpart,
    DraftOrigin,
    DraftStatus,
    IssueTag,
    JudgementKind,
    JudgementSource,
    Mode,
    Preferred,
    QueuePolicy,
    Role,
    Severity,
    Speaker,
    Stage,
)
from training.quality import read_report, trust_weights
from training.quality.collector import uncollected

Row = TypeVar("Row", bound=Base)
START = datetime(2027, 1, 4, 9, tzinfo=UTC)


@dataclass
class Desk:
    """Writes what people judge and what they say, one minute after the other."""

    session: Session
    minutes: int = 0
    people: dict[str, User] = field(default_factory=dict[str, User])

    def __post_init__(self) -> None:
        hotel = self.write(Hotel(name="Aurora", city="Lisbon", country="PT"))
        self.conversation = self.write(
            Conversation(hotel_id=hotel.id, mode=Mode.COPILOT, counterpart=Counterpart.HUMAN, idempotency_key=uuid.uuid4().hex)
        )
        self.queue = self.write(RatingQueue(name="Replies", kind=JudgementKind.TURN, policy=QueuePolicy.NEWEST))

    def write(self, row: Row) -> Row:
        self.session.add(row)
        self.session.flush()
        return row

    def person(self, name: str) -> User:
        if name not in self.people:
            made = users.create(self.session, email=f"{name.lower()}@parley.test", name=name, roles=[Role.ANNOTATOR])
            self.people[name] = made[0]
        return self.people[name]

    def turn(self) -> Turn:
        self.minutes += 1
        return self.write(
            Turn(
                conversation_id=self.conversation.id,
                number=self.minutes,
                speaker=Speaker.BD,
                text="Could you do 420?",
                stage_before=Stage.PROPOSAL,
            )
        )

    def draft(self, attempt: int) -> Draft:
        return self.write(
            Draft(
                conversation_id=self.conversation.id,
                for_turn=999,
                attempt=attempt,
                origin=DraftOrigin.POLICY,
                text=f"Could you do {attempt}?",
                status=DraftStatus.REJECTED,
            )
        )

    def item(self, turn: Turn, *, gold: GoldAnswer | None = None, queue: RatingQueue | None = None) -> RatingItem:
        return self.write(
            RatingItem(
                queue_id=(queue or self.queue).id,
                conversation_id=self.conversation.id,
                turn_id=turn.id,
                gold_answer_id=None if gold is None else gold.id,
                open_places=1,
            )
        )

    def known(self, turn: Turn, stars: tuple[int, int], *, tags: Sequence[IssueTag] = ()) -> GoldAnswer:
        """An answer that is known from now on."""
        gold = GoldAnswer(turn_id=turn.id, stars_from=stars[0], stars_to=stars[1], tags=[*tags])
        gold.created_at = START + timedelta(minutes=self.minutes, seconds=30)
        return self.write(gold)

    def rate(self, name: str, turn: Turn, stars: int | None, item: RatingItem | None = None, **other: object) -> Rating:
        """A judgement, a minute after the one before."""
        tags: tuple[IssueTag, ...] = other.pop("tags", ())  # type: ignore[assignment]
        values: dict[str, object] = {
            "kind": JudgementKind.TURN,
            "rater_id": self.person(name).id,
            "conversation_id": self.conversation.id,
            "turn_id": turn.id,
            "item_id": None if item is None else item.id,
            "idempotency_key": uuid.uuid4().hex,
            "stars": stars,
        }
        return self.keep(Rating(**(values | other)), tags)  # type: ignore[arg-type]

    def compare(self, name: str, first: Draft, second: Draft, preferred: Preferred) -> Rating:
        return self.keep(
            Rating(
                kind=JudgementKind.COMPARISON,
                rater_id=self.person(name).id,
                conversation_id=self.conversation.id,
                first_draft_id=first.id,
                second_draft_id=second.id,
                idempotency_key=uuid.uuid4().hex,
                preferred=preferred,
                strength=None if preferred is Preferred.TIE else 3,
            )
        )

    def keep(self, rating: Rating, tags: tuple[IssueTag, ...] = ()) -> Rating:
        self.minutes += 1
        rating.created_at = START + timedelta(minutes=self.minutes)
        self.write(rating)
        for tag in tags:
            self.write(RatingTag(rating_id=rating.id, tag=tag, severity=Severity.MAJOR))
        return rating


@pytest.fixture
def desk(session: Session) -> Desk:
    return Desk(session)


def stars_by_name(desk: Desk, *, since: datetime | None = None, until: datetime | None = None) -> dict[str, list[int | None]]:
    names = {person.id: name for name, person in desk.people.items()}
    found: dict[str, list[int | None]] = {}
    for row in rating_figures.list_judged(desk.session, since=since, until=until):
        found.setdefault(names[row.rater_id], []).append(row.stars)
    return found


def test_that_only_the_judgement_that_stands_counts(desk: Desk) -> None:
    turn = desk.turn()
    item = desk.item(turn)
    old = desk.rate("Ada", turn, 2, item, tags=(IssueTag.PRESSURE,))
    desk.rate("Ada", turn, 4, item, supersedes_id=old.id)
    slip = desk.rate("Ben", turn, 1, item)
    desk.rate("Ben", turn, None, item, supersedes_id=slip.id, withdrawn=True)
    desk.rate("Cid", turn, 3, item, tags=(IssueTag.PRESSURE, IssueTag.REPROACH), seconds=12.5)
    desk.rate("Eve", turn, 5, item, adjudicates=True)
    desk.rate("Sim", turn, 5, source=JudgementSource.SIMULATED)
    assert stars_by_name(desk) == {"Ada": [4], "Cid": [3]}
    ada, cid = rating_figures.list_judged(desk.session)
    assert (ada.queue_id, ada.unit, ada.tags) == (desk.queue.id, (turn.id,), frozenset())
    assert cid.tags == {(IssueTag.PRESSURE, Severity.MAJOR), (IssueTag.REPROACH, Severity.MAJOR)}
    assert cid.seconds == 12.5
    (simulated,) = rating_figures.list_judged(desk.session, sources=SIMULATED)
    assert (simulated.stars, simulated.queue_id) == (5, None)


def test_that_an_earlier_instant_shows_what_stood_then(desk: Desk) -> None:
    turn = desk.turn()
    old = desk.rate("Ada", turn, 2)
    new = desk.rate("Ada", turn, 4, supersedes_id=old.id)
    desk.rate("Ada", turn, None, supersedes_id=new.id, withdrawn=True)
    assert stars_by_name(desk) == {}
    assert stars_by_name(desk, until=new.created_at) == {"Ada": [2]}
    assert stars_by_name(desk, until=new.created_at + timedelta(seconds=1)) == {"Ada": [4]}
    assert stars_by_name(desk, until=old.created_at) == {}
    assert stars_by_name(desk, since=old.created_at + timedelta(seconds=1), until=new.created_at) == {}


def test_that_two_drafts_are_the_same_thing_either_way_round(desk: Desk) -> None:
    first, second = sorted((desk.draft(1), desk.draft(2)), key=lambda draft: draft.id)
    desk.compare("Ada", first, second, Preferred.FIRST)
    desk.compare("Ben", second, first, Preferred.SECOND)
    desk.compare("Cid", second, first, Preferred.TIE)
    rows = rating_figures.list_judged(desk.session)
    assert {row.unit for row in rows} == {(first.id, second.id)}
    assert [row.preferred for row in rows] == [Preferred.FIRST, Preferred.FIRST, Preferred.TIE]


def test_that_of_a_known_answer_the_first_word_counts_whatever_became_of_it(desk: Desk) -> None:
    turn = desk.turn()
    gold = desk.known(turn, (1, 2), tags=[IssueTag.PRESSURE])
    item = desk.item(turn, gold=gold)
    wrong = desk.rate("Ada", turn, 4, item)
    desk.rate("Ada", turn, 1, item, supersedes_id=wrong.id, tags=(IssueTag.PRESSURE,))
    desk.rate("Ben", turn, 2, item, tags=(IssueTag.PRESSURE, IssueTag.REPROACH))
    desk.rate("Cid", turn, 2, item)
    assert stars_by_name(desk) == {}
    right = {row.rater_id: row.right for row in rating_figures.list_gold_judged(desk.session)}
    assert right == {desk.person("Ada").id: False, desk.person("Ben").id: True, desk.person("Cid").id: False}
    again = desk.item(turn, gold=gold, queue=desk.write(RatingQueue(name="Again", kind=JudgementKind.TURN, policy=QueuePolicy.RANDOM)))
    desk.rate("Cid", turn, 1, again, tags=(IssueTag.PRESSURE,))
    assert [row.right for row in rating_figures.list_gold_judged(desk.session)] == [False, True, False]
    later = START + timedelta(minutes=desk.minutes)
    assert rating_figures.list_gold_judged(desk.session, since=later) == []
    gold.retired_at = START + timedelta(days=1)
    desk.session.flush()
    assert rating_figures.list_gold_judged(desk.session) == []
    assert len(rating_figures.list_gold_judged(desk.session, until=START + timedelta(hours=5))) == 3


def test_that_what_was_said_before_the_answer_was_known_is_an_ordinary_judgement(desk: Desk) -> None:
    turn = desk.turn()
    item = desk.item(turn)
    desk.rate("Ada", turn, 5, item)
    gold = desk.known(turn, (1, 2))
    item.gold_answer_id = gold.id
    desk.session.flush()
    desk.rate("Ben", turn, 1, item)
    assert stars_by_name(desk) == {"Ada": [5]}
    assert [(row.rater_id, row.right) for row in rating_figures.list_gold_judged(desk.session)] == [(desk.person("Ben").id, True)]
    gold.retired_at = START + timedelta(minutes=desk.minutes)
    desk.session.flush()
    again = desk.known(turn, (4, 5))
    item.gold_answer_id = again.id
    desk.session.flush()
    desk.rate("Cid", turn, 1, item)
    assert stars_by_name(desk) == {"Ada": [5]}, "Ben has been told an answer, if another one"
    assert [row.rater_id for row in rating_figures.list_gold_judged(desk.session)] == [desk.person("Cid").id]


def test_that_people_and_simulated_experts_are_never_in_one_figure(desk: Desk) -> None:
    for number in range(40):
        turn = desk.turn()
        desk.rate("Ada", turn, number % 5 + 1)
        desk.rate("Ben", turn, number % 5 + 1, excellent=True)  # or the two would be as one
        desk.rate("Sim", turn, 5 - number % 5, source=JudgementSource.SIMULATED)
    people = read_report(desk.session)
    assert (people.judgements, people.shared, people.simulated) == (80, 40, False)
    assert people.stars_alpha.value == 1
    assert {people.names[rater.rater_id] for rater in people.raters} == {"Ada", "Ben"}
    simulated = read_report(desk.session, simulated=True)
    assert (simulated.judgements, simulated.shared, simulated.simulated) == (40, 0, True)
    weights = trust_weights(desk.session)
    likely = (40 + 20 / 2) / 60  # forty shared things in full likeness, beside the start of one half
    assert [weights[desk.person(name).id] for name in ("Ada", "Ben", "Sim")] == pytest.approx([likely, likely, 0.5])
    assert {rater.rater_id: rater.trust for rater in people.raters} == {
        desk.person(name).id: weights[desk.person(name).id] for name in ("Ada", "Ben")
    }
    assert trust_weights(desk.session, as_of=START) == {}


def test_that_the_mark_changes_with_every_judgement_and_every_known_answer(desk: Desk) -> None:
    marks = [rating_figures.mark(desk.session)]
    turn = desk.turn()
    old = desk.rate("Ada", turn, 2)
    marks.append(rating_figures.mark(desk.session))
    desk.rate("Ada", turn, None, supersedes_id=old.id, withdrawn=True)
    marks.append(rating_figures.mark(desk.session))
    gold = desk.known(turn, (1, 2))
    marks.append(rating_figures.mark(desk.session))
    gold.retired_at = START
    desk.session.flush()
    marks.append(rating_figures.mark(desk.session))
    assert len(set(marks)) == len(marks)
    assert rating_figures.mark(desk.session) == marks[-1]


def test_that_the_collector_is_on_again_when_the_figures_are_made(desk: Desk) -> None:
    with uncollected():
        assert not gc.isenabled()
        read_report(desk.session)
        assert not gc.isenabled(), "somebody else is still making theirs"
    assert gc.isenabled()


CROWD = """
INSERT INTO app_user (id, email, name, roles) SELECT gen_random_uuid(), 'r' || i || '@parley.test', 'R' || i, '{annotator}'
    FROM generate_series(1, 20) i;
INSERT INTO turn (id, conversation_id, number, speaker, text, stage_before)
    SELECT gen_random_uuid(), id, 1000 + n, 'bd', 'Could you?', 'proposal' FROM conversation, generate_series(1, 10000) n;
INSERT INTO rating_item (id, queue_id, conversation_id, turn_id, open_places, priority, position, state)
    SELECT gen_random_uuid(), (SELECT id FROM rating_queue), conversation_id, id, 0, 0, 0, 'judged' FROM turn WHERE number > 1000;
INSERT INTO rating (id, kind, rater_id, conversation_id, turn_id, item_id, idempotency_key, stars, withdrawn, adjudicates, source,
                    excellent, comment, decided_by, created_at)
    SELECT gen_random_uuid(), 'turn', u.id, i.conversation_id, i.turn_id, i.id, i.id::text, 3, false, false, 'desk', false, '', '',
           now() - random() * interval '400 days'
    FROM rating_item i JOIN LATERAL (SELECT id FROM app_user WHERE i.id IS NOT NULL ORDER BY random() LIMIT 3) u ON true;
INSERT INTO rating_tag (id, rating_id, tag, severity) SELECT gen_random_uuid(), id, 'pressure', 'minor' FROM rating WHERE random() < 0.2;
ANALYZE;
"""
"""30,000 judgements of 10,000 turns, over 400 days."""


@pytest.fixture
def statements(desk: Desk) -> Iterator[list[tuple[str, object]]]:
    for statement in CROWD.split(";\n")[:-1]:
        desk.session.execute(text(statement))
    sent: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        sent.append((statement, parameters))

    engine = desk.session.connection().engine
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def test_that_a_few_weeks_are_read_by_their_time_and_what_follows_by_its_index(desk: Desk, statements: list[tuple[str, object]]) -> None:
    assert rating_figures.list_judged(desk.session, since=datetime.now(UTC) - timedelta(days=7))
    sent = statements[0]
    rows = desk.session.connection().exec_driver_sql(f"EXPLAIN {sent[0]}", sent[1])  # type: ignore[arg-type]
    plan = "\n".join(row[0] for row in rows)
    for index in ("ix_rating_created_at_id", "uq_rating_supersedes_id", "uq_rating_tag_rating_id_tag"):
        assert index in plan, plan
    assert "Seq Scan on rating " not in plan
    assert "Seq Scan on rating_tag" not in plan
