"""Bad cases made out of real turns: frozen exactly, worded in versions, refused where they could not find anything bad."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from agent.domain import Reply, TurnContext
from agent.language.prompts import render_write
from agent.records import from_json, list_from_json, to_json
from agent.service import Negotiations, connect
from agent.service.demo import seed_demo
from agent.settings import AgentSettings
from db import models
from db.engine import create_engine_from, session_factory
from db.models import AuditEvent, BadCaseVersion, Rating, RatingTag, Turn
from db.repositories import bad_cases, turns, users
from db.repositories.bad_cases import CandidateFilter, CaseFilter
from db.vocabulary import IssueTag, JudgementKind, MoveKind, Role, Severity, Speaker
from tests.training.data.data_scenes import ScriptedClient, opened, pending
from training.badcases import BadCaseError, ShippedCase, evaluate, matcher, stored, verdict
from training.badcases import cases as shipped_cases
from training.badcases.choices import BY_KEY, CHOICES, Argument, CheckError, check_of, choice_of, line_of, says
from training.badcases.matchers import MATCHERS
from training.badcases.stored import CannotFreeze, CaseChanged, CaseExists, CaseWrong, Wording

PUSHY = "Answer today or we drop your hotel."
WORDING = Wording(
    title="Threatens with dropping the hotel",
    fault=IssueTag.PRESSURE,
    severity=Severity.SEVERE,
    wrong="It threatens the hotel instead of asking.",
    must=("thanks",),
    must_not=('mentions: ["today", "drop"]',),
)


@pytest.fixture
def client() -> ScriptedClient:
    return ScriptedClient()


@pytest.fixture
def negotiations(database_url: str, client: ScriptedClient) -> Iterator[Negotiations]:
    settings = AgentSettings(_env_file=None)  # pyright: ignore[reportCallIssue]
    with connect(database_url, settings=settings, client=client) as service:
        with service.transaction() as session:
            seed_demo(session, today=date(2027, 1, 1))
        yield service


@pytest.fixture
def talk(negotiations: Negotiations) -> UUID:
    """A conversation whose third message is ours, and a threat."""
    conversation = opened(negotiations)
    for _ in negotiations.approve(pending(negotiations, conversation), key="greet", actor=None):
        pass
    for _ in negotiations.receive(conversation, "Hello. We could do 118 net, not less.", key="offer", actor=None):
        pass
    for _ in negotiations.edit(pending(negotiations, conversation), PUSHY, key="push", actor=None, despite_guard=True):
        pass
    return conversation


@pytest.fixture
def session(negotiations: Negotiations, database_url: str) -> Iterator[Session]:
    """Beside the service, on its database; what is not committed is gone afterwards."""
    engine = create_engine_from(database_url)
    with session_factory(engine)() as session:
        yield session
    engine.dispose()


@pytest.fixture
def lead(session: Session) -> UUID:
    return users.create(session, email="lead@example.com", name="Lea Lead", roles=[Role.OPS])[0].id


@pytest.fixture
def turn(session: Session, talk: UUID) -> Turn:
    found = turns.find_by_number(session, talk, 3)
    assert found is not None
    assert (found.speaker, found.text) == (Speaker.BD, PUSHY)
    return found


def rate(session: Session, turn: Turn, rater: UUID, **changed: Any) -> Rating:
    values: dict[str, Any] = {"stars": 1, "idempotency_key": str(uuid4())}
    rating = Rating(kind=JudgementKind.TURN, rater_id=rater, conversation_id=turn.conversation_id, turn_id=turn.id, **values | changed)
    session.add(rating)
    session.flush()
    return rating


def make(session: Session, turn: Turn, lead: UUID, wording: Wording = WORDING) -> UUID:
    return stored.make(session, wording, turn_id=turn.id, rating_id=None, actor=lead)


class TestFreezing:
    def test_the_writer_would_be_told_the_same_again(self, session: Session, client: ScriptedClient, turn: Turn) -> None:
        context, reply = stored.freeze(session, turn.id)
        assert render_write(context) in client.prompts[1:]  # among the rewrites, which name faults
        assert reply.text == PUSHY
        assert reply.move == from_json(type(reply.move), turn.move)

    def test_what_is_frozen_comes_back_as_it_was(self, session: Session, turn: Turn, lead: UUID) -> None:
        context, reply = stored.freeze(session, turn.id)
        case_id = make(session, turn, lead)
        session.expire_all()
        (case,) = stored.cases(session)
        assert (case.id, case.context, case.bad) == (str(case_id), context, reply)

    @pytest.mark.parametrize("case", shipped_cases(), ids=lambda case: case.id)
    def test_any_context_survives_the_way_through_json(self, case: ShippedCase) -> None:
        assert from_json(TurnContext, to_json(case.context)) == case.context
        assert from_json(Reply, to_json(case.bad)) == case.bad

    def test_only_our_own_turns_with_a_move_can_be_frozen(
        self, negotiations: Negotiations, talk: UUID, lead: UUID, session: Session
    ) -> None:
        heard = turns.find_by_number(session, talk, 2)
        assert heard is not None
        session.commit()
        negotiations.take_over(talk, actor=lead, key="mine")
        for _ in negotiations.say(talk, "Let me speak to you myself.", actor=lead, key="own"):
            pass
        with negotiations.transaction() as later:
            own = turns.find_by_number(later, talk, 4)
            assert own is not None
            with pytest.raises(CannotFreeze, match="A person wrote this turn"):
                stored.freeze(later, own.id)
            for wrong in (heard.id, uuid4()):
                with pytest.raises(CannotFreeze, match="no turn of ours"):
                    stored.freeze(later, wrong)


class TestMaking:
    def test_a_case_feeds_the_evaluation(self, session: Session, turn: Turn, lead: UUID) -> None:
        make(session, turn, lead)
        held = stored.cases(session)
        # A process without the database is given the same.
        written = to_json(stored.kept(session))
        assert tuple(map(stored.of_kept, list_from_json(stored.Kept, written))) == held
        _, bad = stored.freeze(session, turn.id)
        kind = replace(bad, text="Thank you for the clear answer. May I come back to it with my colleagues?")
        assert evaluate(lambda _: bad, cases=held, progress=False).fix.value == 0
        assert evaluate(lambda _: kind, cases=held, progress=False).fix.value == 1

    def test_what_must_not_be_is_found(self, session: Session, turn: Turn, lead: UUID) -> None:
        make(session, turn, lead)
        (case,) = stored.cases(session)
        found = verdict(case, replace(case.bad, text="Thank you. Could you answer today?"))
        assert found.fixed
        assert "it does what it must not: use at least one of these words: “today”, “drop”" in found.reasons

    def test_the_making_is_in_the_audit_trail(self, session: Session, turn: Turn, lead: UUID) -> None:
        rating = rate(session, turn, lead)
        case_id = stored.make(session, WORDING, turn_id=turn.id, rating_id=rating.id, actor=lead)
        event = session.scalars(select(AuditEvent).where(AuditEvent.subject_id == case_id)).one()
        assert (event.action, event.actor_id) == ("bad_case.make", lead)
        assert event.after is not None
        assert event.after["must_not"] == list(WORDING.must_not)

    def test_a_turn_has_one_case(self, session: Session, turn: Turn, lead: UUID) -> None:
        case_id = make(session, turn, lead)
        with pytest.raises(CaseExists) as caught:
            make(session, turn, lead)
        assert caught.value.case_id == case_id

    def test_the_judgement_is_about_the_turn(self, session: Session, turn: Turn, lead: UUID) -> None:
        first = turns.find_by_number(session, turn.conversation_id, 1)
        assert first is not None
        other = rate(session, first, lead)
        with pytest.raises(CaseWrong, match="not about this turn"):
            stored.make(session, WORDING, turn_id=turn.id, rating_id=other.id, actor=lead)

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"title": "  "}, "needs a title"),
            ({"title": "x" * 121}, "needs a title"),
            ({"wrong": "bad"}, "what is wrong"),
            ({"fault": IssueTag.ONE_ROOM_ONLY, "must": ()}, "passes all of this"),
            ({"fault": IssueTag.SILENCE_AS_CONSENT, "must": ("names_every_open_room",), "must_not": ()}, None),
            ({"must": ("thanks", "thanks")}, "stands there twice"),
            ({"must": ("thanks",), "must_not": ("thanks",)}, "do and not do the same"),
            ({"must_not": ("blames_nobody",)}, "two times no"),
            ({"must": ("names_rooms: [7]",)}, "no such room"),
        ],
    )
    def test_a_wording_that_is_not_sound_is_refused(
        self, session: Session, turn: Turn, lead: UUID, changed: dict[str, Any], said: str | None
    ) -> None:
        wording = replace(WORDING, **changed)
        if said is None:
            make(session, turn, lead, wording)
            return
        with pytest.raises(CaseWrong, match=said):
            make(session, turn, lead, wording)
        assert session.scalars(select(func.count(models.BadCase.id))).one() == 0

    @pytest.mark.parametrize(
        "line", ["nonsense", "mentions", "mentions: [", 'asks_about: "weather"', 'no_rule_broken: ["luck"]', 'names_amount: ["much"]']
    )
    def test_a_check_that_cannot_be_read_is_refused(self, session: Session, turn: Turn, lead: UUID, line: str) -> None:
        with pytest.raises(CheckError):
            make(session, turn, lead, replace(WORDING, must=(line,)))


class TestVersions:
    def test_the_newest_version_counts_and_the_older_ones_stay(self, session: Session, turn: Turn, lead: UUID) -> None:
        case_id = make(session, turn, lead)
        stored.revise(session, case_id, replace(WORDING, title="Threatens", must=("greets",)), seen=1, actor=lead)
        case = bad_cases.get_with_versions(session, case_id)
        assert [(version.number, version.title) for version in case.versions] == [(2, "Threatens"), (1, WORDING.title)]
        (current,) = stored.cases(session)
        assert [wanted.says for wanted in current.must] == ["greet"]
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "bad_case.edit")).one()
        assert event.before is not None
        assert event.after is not None
        assert (event.before["title"], event.after["title"]) == (WORDING.title, "Threatens")

    def test_the_same_words_again_are_no_version(self, session: Session, turn: Turn, lead: UUID) -> None:
        case_id = make(session, turn, lead)
        stored.revise(session, case_id, replace(WORDING, title=f" {WORDING.title} "), seen=1, actor=lead)
        assert len(bad_cases.get_with_versions(session, case_id).versions) == 1

    def test_two_people_do_not_overwrite_each_other(self, negotiations: Negotiations, session: Session, turn: Turn, lead: UUID) -> None:
        case_id = make(session, turn, lead)
        session.commit()
        with negotiations.transaction() as first:
            stored.revise(first, case_id, replace(WORDING, title="First"), seen=1, actor=lead)
        with negotiations.transaction() as second, pytest.raises(CaseChanged):
            stored.revise(second, case_id, replace(WORDING, title="Second"), seen=1, actor=lead)
        with negotiations.transaction() as third:
            lost = BadCaseVersion(bad_case_id=case_id, number=2, title="x", fault=IssueTag.PRESSURE, severity=Severity.MINOR, wrong="x")
            assert not bad_cases.add_version(third, lost)

    def test_a_retired_case_is_not_evaluated_until_it_comes_back(self, session: Session, turn: Turn, lead: UUID) -> None:
        case_id = make(session, turn, lead)
        stored.set_retired(session, case_id, retired=True, seen=1, actor=lead)
        stored.set_retired(session, case_id, retired=True, seen=2, actor=lead)
        assert stored.cases(session) == ()
        assert bad_cases.count(session, CaseFilter(retired=True)) == 1
        stored.set_retired(session, case_id, retired=False, seen=2, actor=lead)
        assert len(stored.cases(session)) == 1
        actions = session.scalars(select(AuditEvent.action).where(AuditEvent.subject_id == case_id).order_by(AuditEvent.id)).all()
        assert list(actions) == ["bad_case.make", "bad_case.retire", "bad_case.restore"]

    def test_a_case_whose_checks_are_gone_says_which_one_it_is(self, session: Session, turn: Turn, lead: UUID) -> None:
        case_id = make(session, turn, lead)
        old = BadCaseVersion(
            bad_case_id=case_id, number=2, title="Old one", fault=IssueTag.PRESSURE, severity=Severity.MINOR, wrong="x", must=["was_once"]
        )
        assert bad_cases.add_version(session, old)
        with pytest.raises(BadCaseError, match=f"Old one.*{case_id}.*was_once"):
            stored.cases(session)

    def test_nothing_of_a_case_can_be_overwritten(self, session: Session, turn: Turn, lead: UUID) -> None:
        make(session, turn, lead)
        (version,) = session.scalars(select(BadCaseVersion)).all()
        version.title = "Nothing happened"
        with pytest.raises(DBAPIError, match="kept as they were written"):
            session.flush()


class TestFinding:
    def test_cases_are_found_by_words_fault_and_severity(self, session: Session, turn: Turn, lead: UUID) -> None:
        make(session, turn, lead)
        for wanted, count in (
            (CaseFilter(text="THREATENS dropping"), 1),
            (CaseFilter(text="threat %"), 0),
            (CaseFilter(text="\0"), 0),
            (CaseFilter(fault=IssueTag.PRESSURE, severity=Severity.SEVERE), 1),
            (CaseFilter(fault=IssueTag.REPROACH), 0),
            (CaseFilter(severity=Severity.MINOR), 0),
            (CaseFilter(retired=True), 0),
        ):
            assert bad_cases.count(session, wanted) == count, wanted
            assert len(bad_cases.search(session, wanted)) == count, wanted

    def test_rated_turns_are_offered_until_they_are_cases(self, session: Session, turn: Turn, lead: UUID) -> None:
        other = users.create(session, email="other@example.com", name="Otto", roles=[Role.ANNOTATOR])[0].id
        low = rate(session, turn, lead, stars=2)
        session.add(RatingTag(rating_id=low.id, tag=IssueTag.PRESSURE, severity=Severity.MAJOR))
        rate(session, turn, other, stars=4)
        session.flush()
        session.expire_all()

        def found(**wanted: Any) -> list[int | None]:
            return [rating.stars for rating, _ in bad_cases.list_candidates(session, CandidateFilter(**wanted))]

        assert found() == [2]
        assert sorted(stars or 0 for stars in found(most_stars=5)) == [2, 4]
        assert found(most_stars=5, tag=IssueTag.PRESSURE) == [2]
        assert found(tag=IssueTag.REPROACH) == []
        assert found(text="drop your") == [2]
        assert found(text="rooftop") == []
        assert len(bad_cases.list_judgements(session, turn.id)) == 2
        rate(session, turn, lead, stars=5, supersedes_id=low.id)
        assert found() == []
        make(session, turn, lead)
        assert found(most_stars=5) == []


class TestChoices:
    def test_every_matcher_can_be_chosen(self) -> None:
        assert {choice.name for choice in CHOICES} == set(MATCHERS)
        assert len(BY_KEY) == len(CHOICES)

    @pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.key)
    def test_a_choice_becomes_a_line_and_comes_back(self, choice: Any) -> None:
        values: dict[Argument, Any] = {
            Argument.NONE: None,
            Argument.AMOUNTS: ["350", "12.50"],
            Argument.WORDS: ["noted", "底价", 'say "yes": now'],
            Argument.ROOMS: [1, 2],
            Argument.MOVES: [MoveKind.ASK.value],
            Argument.RULES: ["promises"],
            Argument.CHARACTERS: 300,
            Argument.SHARE: 0.5,
        }
        line = line_of(choice, values[choice.argument])
        assert choice_of(line) == (choice, values[choice.argument])
        assert check_of(line).says == says(line)
        assert choice.words in says(line)

    @pytest.mark.parametrize("case", shipped_cases(), ids=lambda case: case.id)
    def test_every_check_of_the_shipped_cases_could_have_been_chosen(self, case: ShippedCase) -> None:
        for wanted in (*case.must, *case.should, *case.must_not):
            name = next(name for name, kind in MATCHERS.items() if kind is type(wanted.matcher))
            assert any(choice.name == name for choice in CHOICES)

    def test_amounts_and_words_are_tidied(self) -> None:
        assert line_of(BY_KEY["names_amount"], [" 350 ", "350", ""]) == 'names_amount: ["350"]'
        assert check_of('names_amount: ["350"]').matcher == matcher("names_amount", [350])

    def test_an_argument_that_is_missing_or_wrong_is_refused_in_words(self) -> None:
        with pytest.raises(CheckError, match="needs to know which"):
            line_of(BY_KEY["mentions"], [])
        with pytest.raises(CheckError, match="cannot be used"):
            line_of(BY_KEY["names_amount"], ["a lot"])
