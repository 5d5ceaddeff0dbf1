"""Versions on their page: what answers now, the moves that people make, lineage, and two versions side by side."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from page_app import OpenPage, id_of, words
from sqlalchemy.orm import Session
from training_rows import REFUSED, VERDICT, add_retrain

from db.engine import SessionFactory
from db.models import PolicyVersion
from db.repositories import audit_events, deployments
from db.vocabulary import DeploymentRole, PolicyStatus, RetrainState, RetrainStep, Role
from training.release.answers import ANSWERS, read_answers
from webapp.components.version_views import lineage_dot


def a_version(session: Session, name: str, *, parent: UUID | None = None, status: PolicyStatus = PolicyStatus.PUBLISHED) -> UUID:
    """One without an adapter, so that no model server has to hold it."""
    version = PolicyVersion(name=name, base_model="starter", parent_id=parent, status=status, note={"objective": "repo"})
    session.add(version)
    session.flush()
    return version.id


@pytest.fixture
def two(web_database: SessionFactory) -> tuple[UUID, UUID]:
    """One that is live, and its child."""
    with web_database.begin() as session:
        first = a_version(session, "policy-v1")
        second = a_version(session, "policy-v2", parent=first)
        deployments.deploy(session, first, DeploymentRole.LIVE)
    return first, second


def active(sessions: SessionFactory) -> dict[str, tuple[DeploymentRole, float]]:
    with sessions() as session:
        return {one.policy_version.name: (one.role, float(one.share)) for one in deployments.list_active(session)}


class TestMoves:
    def test_that_without_a_version_it_says_where_one_comes_from(self, open_page: OpenPage) -> None:
        assert "No version yet" in words(open_page("versions"))

    def test_that_a_canary_is_begun_given_more_promoted_and_rolled_back(
        self, web_database: SessionFactory, two: tuple[UUID, UUID], open_page: OpenPage
    ) -> None:
        _, second = two
        page = open_page("versions", id=str(second))
        assert "No canary" in words(page)
        page.slider(key=f"canary:{second}:per-cent").set_value(20)
        next(button for button in page.button if button.label == "Try it as a canary").click().run()
        assert active(web_database)["policy-v2"] == (DeploymentRole.CANARY, 0.2)
        assert "20% of new conversations" in words(page)

        slider = next(slider for slider in page.slider if slider.label == "Per cent of new conversations")
        slider.set_value(35)
        next(button for button in page.button if button.label == "Set the share").click().run()
        assert active(web_database)["policy-v2"] == (DeploymentRole.CANARY, 0.35)

        next(button for button in page.button if button.label == "Promote").click().run()
        assert active(web_database) == {"policy-v2": (DeploymentRole.LIVE, 1.0)}

        next(button for button in page.button if button.label == "Roll back policy-v2").click().run()
        assert any("Say in at least 10 characters why" in warning.value for warning in page.warning)
        next(field for field in page.text_input if field.label == "Reason").input("It promises too much.")
        next(button for button in page.button if button.label == "Roll back policy-v2").click().run()
        assert active(web_database) == {"policy-v1": (DeploymentRole.LIVE, 1.0)}
        with web_database() as session:
            trail = [(event.action, event.actor_id) for event in audit_events.list_of_subject(session, "policy_version", second)]
            ops = id_of(web_database, Role.OPS)
            assert trail == [(f"deployment.{did}", ops) for did in ("canary", "share", "promote", "roll_back")]

    def test_that_one_that_is_not_published_cannot_be_deployed(self, web_database: SessionFactory, open_page: OpenPage) -> None:
        with web_database.begin() as session:
            version = a_version(session, "policy-v3", status=PolicyStatus.REJECTED)
        page = open_page("versions", id=str(version))
        assert not [button for button in page.button if button.label == "Try it as a canary"]
        assert "It has never answered a hotel" in words(page)

    def test_that_the_first_version_cannot_be_rolled_back(self, two: tuple[UUID, UUID], open_page: OpenPage) -> None:
        page = open_page("versions")
        next(field for field in page.text_input if field.label == "Reason").input("Just to see what happens.")
        next(button for button in page.button if button.label == "Roll back policy-v1").click().run()
        assert any("No version was live before" in error.value for error in page.error)

    def test_that_it_is_for_operations(self, open_page: OpenPage) -> None:
        assert [title.value for title in open_page("versions", role=Role.BD).title] == ["This page is not for your role"]


class TestSideBySide:
    def test_that_what_the_gate_measured_is_shown_for_two_versions(
        self, web_database: SessionFactory, two: tuple[UUID, UUID], tmp_path: Path, open_page: OpenPage
    ) -> None:
        _, second = two
        folder = tmp_path / "retrain"
        add_retrain(web_database, folder, state=RetrainState.LIVE, step=RetrainStep.LIVE, candidate=second, verdict=VERDICT)
        gate = folder / "evaluate"
        gate.mkdir(parents=True)
        row = {"case": "one", "fault": "pressure", "heard": "No <b>way</b>."}
        answers = [row | {"candidate": {"text": "Take your time.", "fixed": True}, "live": {"text": None, "fixed": False}}]
        (gate / ANSWERS).write_text(json.dumps(answers))
        page = open_page("versions", id=str(second))
        said = words(page)
        assert "Take your time." in said
        assert "An answer that is no reply" in said
        assert "No &lt;b&gt;way" in said
        page.checkbox(key="side:differ").check().run()
        assert "Take your time." in words(page)

    def test_that_files_of_another_machine_are_no_error(
        self, web_database: SessionFactory, two: tuple[UUID, UUID], tmp_path: Path, open_page: OpenPage
    ) -> None:
        add_retrain(web_database, tmp_path / "gone", state=RetrainState.LIVE, step=RetrainStep.LIVE, candidate=two[1], verdict=VERDICT)
        assert read_answers(tmp_path / "gone") == []
        assert "not on this machine" in words(open_page("versions", id=str(two[1])))

    def test_that_one_measured_version_is_not_enough(
        self, web_database: SessionFactory, two: tuple[UUID, UUID], tmp_path: Path, open_page: OpenPage
    ) -> None:
        add_retrain(web_database, tmp_path / "a", state=RetrainState.REJECTED, step=RetrainStep.GATE, verdict=REFUSED)
        assert "Two versions that the gate has measured are needed" in words(open_page("versions"))


class TestLineage:
    def test_that_names_cannot_break_the_picture(self, web_database: SessionFactory) -> None:
        with web_database.begin() as session:
            first = a_version(session, 'a "quoted" \\ name that is far longer than fits into a box')
            a_version(session, "child", parent=first)
            versions = session.query(PolicyVersion).order_by(PolicyVersion.id.desc()).all()
            dot = lineage_dot(versions, {})
        assert '\\"quoted\\" \\\\ name' in dot
        assert "…" in dot
        assert dot.count("->") == 1
