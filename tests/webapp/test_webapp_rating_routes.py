"""The routes of the rating desk: who may call them, from where, and what is refused in which words."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rating_work import add_queue, add_talks, current_ratings, id_of, ratings_in
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient
from web_site import PASSWORD, add_people

from db.engine import SessionFactory
from db.models import RatingAssignment
from db.vocabulary import AssignmentState, IssueTag, JudgementKind, Role
from webapp.annotate import assets, ratings
from webapp.annotate.guard import CALLER, LARGEST_BODY
from webapp.annotate.routes import routes
from webapp.annotate.words import FAULTS, TAKEN, language_name
from webapp.auth.cookies import SESSION_COOKIE, seal
from webapp.auth.gate import Gate
from webapp.auth.sign_in import sign_in
from webapp.settings import web_settings

SITE = "http://parley.test"
Ask = Callable[..., Any]


@pytest.fixture
def desk(web_database: SessionFactory) -> Iterator[SessionFactory]:
    """Three conversations in a queue, and a desk in this process."""
    add_people(web_database)
    add_talks(web_database, 3)
    add_queue(web_database, JudgementKind.TURN)
    yield web_database
    ratings.rating_desk.close()


@pytest.fixture
def browser(desk: SessionFactory) -> TestClient:
    app = Starlette(routes=routes(), middleware=[Middleware(Gate)])
    return TestClient(app, base_url=SITE, headers={"Origin": SITE, "X-Requested-With": CALLER})


def enter(browser: TestClient, role: Role) -> None:
    token = sign_in(f"{role}@parley.test", PASSWORD, address=None)
    browser.cookies.set(SESSION_COOKIE, seal(token, key=web_settings().signing_key()))


@pytest.fixture
def ask(browser: TestClient) -> Ask:
    """Sends a request as the annotator; the answer's JSON, after checking its status."""
    enter(browser, Role.ANNOTATOR)

    def send(name: str, status: int = 200, **body: Any) -> Any:
        answer = browser.post(f"/annotate/api/{name}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    return send


def key() -> str:
    return uuid.uuid4().hex


class TestWhoMayCall:
    def test_whoever_is_not_signed_in_is_told_to_sign_in(self, browser: TestClient) -> None:
        answer = browser.post("/annotate/api/next", json={})
        assert answer.status_code == 401
        assert "Sign in again" in answer.json()["error"]

    def test_a_role_without_ratings_is_refused(self, browser: TestClient) -> None:
        enter(browser, Role.BD)
        assert browser.post("/annotate/api/next", json={}).status_code == 403

    def test_only_operations_decide_disputes(self, browser: TestClient, ask: Ask) -> None:
        ask("dispute", 403)
        enter(browser, Role.OPS)
        assert browser.post("/annotate/api/dispute", json={}).json() == {"task": None}

    @pytest.mark.parametrize(
        "headers",
        [{"Origin": "http://elsewhere.test"}, {"Origin": "null"}, {"Origin": ""}, {"X-Requested-With": "XMLHttpRequest"}],
        ids=["another site", "a sandbox", "nobody says", "no page of ours"],
    )
    def test_another_sites_request_is_refused_even_with_the_cookie(self, browser: TestClient, headers: dict[str, str]) -> None:
        enter(browser, Role.ANNOTATOR)
        assert browser.post("/annotate/api/release", json={}, headers=headers).status_code == 403

    def test_a_form_is_refused(self, browser: TestClient) -> None:
        enter(browser, Role.ANNOTATOR)
        assert browser.post("/annotate/api/release", data={"a": "b"}).status_code == 415

    def test_too_much_is_refused(self, browser: TestClient) -> None:
        enter(browser, Role.ANNOTATOR)
        body = json.dumps({"reason": "x" * LARGEST_BODY})
        answer = browser.post("/annotate/api/skip", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413


class TestAnswers:
    def test_a_task_is_blind_and_in_words(self, ask: Ask) -> None:
        answer = ask("next", n=2)
        assert len(answer["tasks"]) == 2
        assert answer["progress"]["judged_today"] == 0
        task = answer["tasks"][0]
        assert (task["kind"], task["stage"], task["meant"], task["language_name"]) == (
            "turn",
            "Persuasion",
            "ask for a lower price",
            "English",
        )
        assert not {"version", "policy", "model", "draft", "author"} & {word for name in task for word in name.split("_")}

    def test_which_turn_it_is_is_told_to_those_who_may_make_a_bad_case_of_it(self, browser: TestClient, ask: Ask) -> None:
        assert "turn_id" not in ask("next", n=1)["tasks"][0]
        enter(browser, Role.OPS)
        [task] = browser.post("/annotate/api/next", json={"n": 1}).json()["tasks"]
        assert uuid.UUID(task["turn_id"])

    def test_a_save_is_in_the_database_when_it_is_answered_and_counts_once(self, desk: SessionFactory, ask: Ask) -> None:
        task = ask("next", n=1)["tasks"][0]
        sent = {
            "assignment_id": task["assignment_id"],
            "key": key(),
            "judgement": {"stars": 2, "tags": [{"tag": IssueTag.PRESSURE, "severity": "major"}], "comment": "too hard", "seconds": 3.5},
        }
        first, again = ask("save", **sent), ask("save", **sent)
        assert first["rating_id"] == again["rating_id"]
        [rating] = ratings_in(desk)
        assert (rating.stars, rating.comment, rating.seconds, rating.rater_id) == (2, "too hard", 3.5, id_of(desk, Role.ANNOTATOR))
        assert ask("progress")["progress"]["judged_today"] == 1

    def test_undo_brings_the_judgement_back_and_a_revision_replaces_it(self, desk: SessionFactory, ask: Ask) -> None:
        task = ask("next", n=1)["tasks"][0]
        saved = ask("save", assignment_id=task["assignment_id"], key=key(), judgement={"stars": 5, "excellent": True})
        revised = ask("revise", rating_id=saved["rating_id"], key=key(), judgement={"stars": 4})
        assert [row.stars for row in current_ratings(desk)] == [4]
        assert revised["rating_id"] != saved["rating_id"]
        again = ask("undo", assignment_id=task["assignment_id"])["task"]
        assert (again["item_id"], again["taken_back"]["stars"]) == (task["item_id"], 4)
        assert current_ratings(desk) == []

    def test_a_skip_and_a_release_end_what_is_held(self, desk: SessionFactory, ask: Ask) -> None:
        task = ask("next", n=2)["tasks"][0]
        assert ask("skip", assignment_id=task["assignment_id"], key=key(), reason="I cannot decide") == {}
        assert ask("release") == {"released": 1}
        with desk.begin() as session:
            held = session.scalars(select(func.count()).where(RatingAssignment.state == AssignmentState.RESERVED)).one()
        assert held == 0

    def test_what_the_desk_refuses_is_a_sentence_that_stays_a_no(self, ask: Ask) -> None:
        task = ask("next", n=1)["tasks"][0]
        answer = ask("save", 409, assignment_id=task["assignment_id"], key=key(), judgement={"stars": 2, "excellent": True})
        assert answer["code"] == "JudgementWrong"
        assert "at least 4 stars" in answer["error"]
        assert ask("save", 409, assignment_id=str(uuid.uuid4()), key=key(), judgement={"stars": 2})["code"] == "LeaseUnknown"

    @pytest.mark.parametrize(
        ("judgement", "said"),
        [
            ({"stars": 6}, "judgement.stars"),
            ({"stars": 3, "comment": "x" * 5_000}, "judgement.comment"),
            ({"stars": 3, "comment": "a\0b"}, "no text"),
            ({"stars": 3, "version": "v1"}, "judgement.version"),
            ({"stars": 3, "tags": [{"tag": "ugly", "severity": "minor"}]}, "judgement.tags"),
            ({"stars": 3, "seconds": -1}, "judgement.seconds"),
        ],
    )
    def test_what_cannot_be_meant_is_named(self, desk: SessionFactory, ask: Ask, judgement: dict[str, Any], said: str) -> None:
        task = ask("next", n=1)["tasks"][0]
        answer = ask("save", 422, assignment_id=task["assignment_id"], key=key(), judgement=judgement)
        assert said in answer["error"]
        assert ratings_in(desk) == []

    def test_what_is_no_json_is_named(self, browser: TestClient, ask: Ask) -> None:
        answer = browser.post("/annotate/api/next", content=b"{", headers={"Content-Type": "application/json"})
        assert answer.status_code == 422


class TestPage:
    def test_scripts_are_kept_for_ever_under_an_address_of_their_content(self, browser: TestClient) -> None:
        answer = browser.get(f"{assets.address()}/desk.js")
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-type"].startswith("text/javascript")
        assert browser.get("/annotate/page/older/desk.js").headers["cache-control"] == "no-store"
        assert browser.get(f"{assets.address()}/secret.js").status_code == 404

    def test_every_fault_has_a_letter_of_its_own(self) -> None:
        letters = [fault.key for fault in FAULTS]
        assert {fault.tag for fault in FAULTS} == set(IssueTag)
        assert len(set(letters)) == len(letters)
        assert not TAKEN.intersection(letters)

    @pytest.mark.parametrize(("code", "name"), [("pt", "Portuguese"), ("zh", "Chinese"), ("xx", "xx"), ("", "")])
    def test_languages_have_names(self, code: str, name: str) -> None:
        assert language_name(code) == name
