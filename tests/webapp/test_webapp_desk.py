"""The desk: one job a conversation, whatever becomes of the page that began it."""

from collections.abc import Iterator
from threading import Event
from typing import cast
from uuid import UUID, uuid4

import pytest

from agent.domain import HotelMove
from agent.guardrails import Violation
from agent.language.client import ModelUnavailable
from agent.service import Negotiations
from agent.service.errors import GuardRefused, MessageTooLong
from agent.service.events import Advanced, Drafted, Ended, Judged, Read, Received, Sent, TurnEvent, Writing
from db.vocabulary import DraftOrigin, HotelMoveKind, Severity, Stage
from webapp import desk as desk_module
from webapp.desk import Desk, Job, Phase, Progress, fold

VIOLATION = Violation(rule="promises", severity=Severity.SEVERE, message="no promises")


@pytest.fixture
def desk() -> Iterator[Desk]:
    opened = Desk(cast("Negotiations", None))  # these tests bring their own work
    yield opened
    opened.close()


@pytest.fixture
def conversation() -> UUID:
    return uuid4()


def finish(job: Job) -> Progress:
    return list(job.follow(beat_s=0.05))[-1]


def folded(*events: TurnEvent) -> Progress:
    progress = Progress()
    for event in events:
        progress = fold(progress, event)
    return progress


class TestProgress:
    def test_the_words_of_a_draft_add_up(self) -> None:
        assert folded(Writing(text="Good ", fresh=True), Writing(text="morning")).text == "Good morning"

    def test_a_rewrite_begins_afresh(self) -> None:
        refused = folded(Writing(text="I promise", fresh=True), Judged(violations=(VIOLATION,)))
        assert (refused.phase, refused.text) == (Phase.REWRITING, "I promise")
        assert fold(refused, Writing(text="We ", fresh=True)).text == "We "

    def test_a_whole_turn_ends_with_nothing_left_to_show(self) -> None:
        done = folded(
            Received(turn_number=2, text="190"),
            Read(hotel_move=HotelMove(kind=HotelMoveKind.OFFER)),
            Advanced(stage=Stage.PERSUASION, allowed=("ask(180 net)",), brief="…"),
            Writing(text="Could you", fresh=True),
            Judged(violations=()),
            Drafted(draft_id=uuid4(), text="Could you do 180?", origin=DraftOrigin.POLICY),
            Sent(turn_number=3, text="Could you do 180?"),
            Ended(stage=Stage.AGREED),
        )
        assert (done.turns, done.sent, done.text, done.stage) == (2, 1, "", Stage.AGREED)


class TestJobs:
    def test_whoever_comes_later_sees_the_job_from_where_it_is(self, desk: Desk, conversation: UUID) -> None:
        gate = Event()

        def work() -> Iterator[TurnEvent]:
            yield Writing(text="Good ", fresh=True)
            gate.wait(5)
            yield Writing(text="morning")

        job = desk.start(conversation, work, key="a")
        for progress in job.follow(beat_s=0.05):
            if progress.text:
                break
        assert desk.job(conversation) is job
        gate.set()
        assert finish(job).text == "Good morning"
        assert finish(job).phase is Phase.DONE

    def test_a_second_click_begins_nothing(self, desk: Desk, conversation: UUID) -> None:
        begun: list[str] = []

        def work() -> Iterator[TurnEvent]:
            begun.append("x")
            yield Sent(turn_number=1, text="Hello")

        first = desk.start(conversation, work, key="approve:1")
        assert desk.start(conversation, work, key="approve:1") is first
        finish(first)
        assert desk.start(conversation, work, key="approve:1") is first
        assert begun == ["x"]

    def test_another_action_waits_for_no_one_but_begins_nothing_meanwhile(self, desk: Desk, conversation: UUID) -> None:
        gate = Event()

        def work() -> Iterator[TurnEvent]:
            gate.wait(5)
            yield Sent(turn_number=1, text="Hello")

        first = desk.start(conversation, work, key="a")
        assert desk.start(conversation, work, key="b") is first
        assert desk.busy(conversation)
        gate.set()
        finish(first)
        assert not desk.busy(conversation)

    def test_what_was_refused_is_told_and_may_be_tried_again(self, desk: Desk, conversation: UUID) -> None:
        def too_long() -> Iterator[TurnEvent]:
            raise MessageTooLong(100_000, 20_000)
            yield

        failed = finish(desk.start(conversation, too_long, key="a"))
        assert failed.phase is Phase.FAILED
        assert "100,000 characters" in failed.error
        again = desk.start(conversation, lambda: iter([Sent(turn_number=1, text="Hello")]), key="a")
        assert finish(again).phase is Phase.DONE

    def test_a_refused_edit_keeps_what_the_guard_said(self, desk: Desk, conversation: UUID) -> None:
        def edit() -> Iterator[TurnEvent]:
            raise GuardRefused([VIOLATION])
            yield

        assert finish(desk.start(conversation, edit, key="a")).refused == (VIOLATION,)
        desk.dismiss(conversation)
        assert desk.job(conversation) is None

    def test_what_nobody_foresaw_gets_a_reference_and_no_details(self, desk: Desk, conversation: UUID) -> None:
        def broken() -> Iterator[TurnEvent]:
            raise ZeroDivisionError("secret 423")
            yield

        said = finish(desk.start(conversation, broken, key="a")).error
        assert "Something went wrong on our side" in said
        assert "423" not in said


class TestWaitingForTheModel:
    def test_a_draft_goes_on_by_itself_once_the_model_is_there(
        self, desk: Desk, conversation: UUID, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(desk_module, "RETRY_S", 0.01)
        attempts: list[int] = []

        def work() -> Iterator[TurnEvent]:
            attempts.append(1)
            yield Received(turn_number=1, text="Hello")
            if len(attempts) < 4:
                raise ModelUnavailable("not there yet")
            yield Drafted(draft_id=uuid4(), text="Good morning", origin=DraftOrigin.POLICY)

        job = desk.start(conversation, work, key="a")
        assert finish(job).phase is Phase.DONE
        assert len(attempts) == 4

    def test_the_wait_can_be_stopped(self, desk: Desk, conversation: UUID) -> None:
        def work() -> Iterator[TurnEvent]:
            raise ModelUnavailable("not there yet")
            yield

        job = desk.start(conversation, work, key="a")
        for progress in job.follow(beat_s=0.05):
            if progress.phase is Phase.WAITING_FOR_MODEL:
                desk.pause(conversation)
        assert job.progress.phase is Phase.STOPPED
