"""The audit trail: what is listed, what filters leave, and a change before and after."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from page_app import OpenPage, id_of, words
from sqlalchemy.orm import Session

from db.engine import SessionFactory
from db.models import AuditEvent
from db.repositories import audit_events
from db.repositories.audit_events import TrailFilter
from db.vocabulary import Role
from webapp.components.changes import differences_html
from webapp.pages.audit import PAGE_SIZE, action_words


def act(session: Session, action: str, *, actor: UUID | None = None, subject: UUID | None = None, **after: object) -> AuditEvent:
    return audit_events.record(
        session, actor_id=actor, action=action, subject_type=action.partition(".")[0], subject_id=subject, after=dict(after) or None
    )


class TestTheTrail:
    def test_that_each_filter_leaves_what_it_names(self, web_database: SessionFactory, open_page: OpenPage) -> None:
        ops, subject = id_of(web_database, Role.OPS), uuid4()
        with web_database.begin() as session:
            act(session, "deployment.promote", actor=ops, subject=subject)
            act(session, "deployment.roll_back")
            act(session, "ticket.import", actor=ops)

        def found(wanted: TrailFilter) -> list[str]:
            with web_database() as session:
                return sorted(event.action for event in audit_events.search(session, wanted))

        assert found(TrailFilter()) == ["deployment.promote", "deployment.roll_back", "ticket.import"]
        assert found(TrailFilter(actor_id=ops)) == ["deployment.promote", "ticket.import"]
        assert found(TrailFilter(by_system=True)) == ["deployment.roll_back"]
        assert found(TrailFilter(action="ticket.import")) == ["ticket.import"]
        assert found(TrailFilter(subject_type="deployment")) == ["deployment.promote", "deployment.roll_back"]
        assert found(TrailFilter(subject_id=subject)) == ["deployment.promote"]
        now = datetime.now(UTC)
        assert found(TrailFilter(since=now - timedelta(hours=1), until=now + timedelta(hours=1)))
        assert not found(TrailFilter(since=now + timedelta(hours=1)))
        assert not found(TrailFilter(until=now - timedelta(hours=1)))

    def test_that_the_words_to_choose_from_are_those_that_stand_there(self, web_database: SessionFactory) -> None:
        with web_database.begin() as session:
            assert list(audit_events.list_actions(session)) == []
            for action in ("b.two", "a.one", "b.two", "c.three"):
                act(session, action)
            assert list(audit_events.list_actions(session)) == ["a.one", "b.two", "c.three"]
            assert list(audit_events.list_subject_types(session)) == ["a", "b", "c"]


class TestThePage:
    def test_that_before_anything_was_done_it_says_so(self, open_page: OpenPage) -> None:
        assert "Nothing has been done yet" in words(open_page("audit"))

    def test_that_fifty_stand_on_a_page_and_the_rest_on_the_next(self, web_database: SessionFactory, open_page: OpenPage) -> None:
        with web_database.begin() as session:
            for number in range(PAGE_SIZE + 3):
                act(session, "ticket.import", number=number)
        page = open_page("audit")
        assert len(page.dataframe[0].value) == PAGE_SIZE
        page.button(key="audit_page:chevron_right").click().run()
        assert len(page.dataframe[0].value) == 3
        page.selectbox(key="audit_action").select("ticket.import").run()
        assert len(page.dataframe[0].value) == PAGE_SIZE, "a filter begins at the first page"

    def test_that_what_is_no_id_is_told(self, web_database: SessionFactory, open_page: OpenPage) -> None:
        with web_database.begin() as session:
            act(session, "ticket.import")
        page = open_page("audit")
        page.text_input(key="audit_id").input("nonsense").run()
        assert [warning.value[:15] for warning in page.warning] == ["That is no id: "]
        page.text_input(key="audit_id").input(str(uuid4())).run()
        assert "Nothing fits these filters" in words(page)

    @pytest.mark.parametrize("role", [Role.BD, Role.ANNOTATOR])
    def test_that_it_is_for_operations(self, open_page: OpenPage, role: Role) -> None:
        page = open_page("audit", role=role)
        assert [title.value for title in page.title] == ["This page is not for your role"]
        assert not page.dataframe


class TestWords:
    def test_that_actions_are_read_as_people_say_them(self) -> None:
        assert action_words("rating_queue.close") == "close (rating queue)"
        assert action_words("login") == "login"

    def test_that_a_change_marks_what_differs_and_no_words_are_markup(self) -> None:
        html = differences_html({"share": "0.1", "name": "same"}, {"share": "<b>0.2</b>", "name": "same"})
        assert html.count("p-old") == html.count("p-new") == 1
        assert "&lt;b&gt;0.2" in html

    def test_that_a_thing_is_told_by_what_is_filled_of_it(self) -> None:
        html = differences_html({}, {"rule": {"name": "threat", "unless": None, "moves": [], "weight": -60.0, "says": "<i>no</i>"}})
        assert "name: threat<br>weight: -60.0<br>says: &lt;i&gt;no" in html
        assert "unless" not in html
