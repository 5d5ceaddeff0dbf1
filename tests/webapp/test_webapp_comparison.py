"""A/B on its page: both arms with intervals, how sure a difference is, and what the watch sees."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from page_app import OpenPage, words
from test_webapp_versions import a_version

from db.engine import SessionFactory
from db.models import Conversation, Hotel, Turn
from db.repositories import deployments
from db.vocabulary import Counterpart, DeploymentRole, Mode, PolicyStatus, Role, Speaker, Stage
from training.release.ab import MEASURES, AbReport, Arm, Comparison, Interval
from training.release.evidence import Evidence
from training.release.watch import Criterion, Watched
from webapp.components.ab_charts import comparison_html, evidence_chart, measure_chart, needed_words

ANSWERED, STARS = MEASURES[0], next(measure for measure in MEASURES if measure.name == "stars")


def an_arm(version: str, role: DeploymentRole, **figures: Interval) -> Arm:
    return Arm(version_id=uuid4(), version=version, role=role, share=0.5, opened=40, figures=figures)


def a_comparison(**changed: object) -> Comparison:
    values: dict[str, object] = {
        "measure": "answered",
        "difference": 0.08,
        "low": 0.02,
        "high": 0.14,
        "p": 0.01,
        "still_needed": 0,
        "days": 0.0,
    }
    return Comparison(**(values | changed))  # pyright: ignore[reportArgumentType]


def talks(sessions: SessionFactory, version: UUID, *, number: int, answered: int) -> None:
    """Conversations of a version, of which the hotel answers the first ``answered``; all are over."""
    with sessions.begin() as session:
        hotel = Hotel(name=f"House {uuid4().hex[:6]}", city="Lisbon", country="PT")
        session.add(hotel)
        session.flush()
        for each in range(number):
            talk = Conversation(
                hotel_id=hotel.id,
                mode=Mode.AUTOPILOT,
                counterpart=Counterpart.HUMAN,
                policy_version_id=version,
                turn_count=2,
                stage=Stage.DECLINED,
                closed_at=datetime.now(UTC) + timedelta(minutes=1),
            )
            session.add(talk)
            session.flush()
            session.add(Turn(conversation_id=talk.id, number=1, speaker=Speaker.BD, text="Could you?", stage_before=Stage.PROPOSAL))
            said = "We could." if each < answered else ""
            session.add(Turn(conversation_id=talk.id, number=2, speaker=Speaker.HOTEL, text=said, stage_before=Stage.PROPOSAL))


class TestThePage:
    def test_that_without_a_version_it_says_what_to_do(self, open_page: OpenPage) -> None:
        assert "Nothing is deployed" in words(open_page("a-b"))

    def test_that_both_arms_are_shown_with_what_is_still_needed(self, web_database: SessionFactory, open_page: OpenPage) -> None:
        with web_database.begin() as session:
            live, canary = a_version(session, "policy-v1"), a_version(session, "policy-v2")
            deployments.deploy(session, live, DeploymentRole.LIVE)
            deployments.deploy(session, canary, DeploymentRole.CANARY, share=Decimal("0.3"))
        talks(web_database, live, number=12, answered=9)
        talks(web_database, canary, number=8, answered=4)
        said = words(open_page("a-b"))
        assert "70% of new conversations, 12 so far" in said
        assert "30% of new conversations, 8 so far" in said
        assert "no clear difference" in said
        assert "more conversations of the canary" in said
        assert "What the watch sees" in said
        assert "a chance of at most 5%" in said

    def test_that_the_live_version_alone_is_no_comparison(self, web_database: SessionFactory, open_page: OpenPage) -> None:
        with web_database.begin() as session:
            deployments.deploy(session, a_version(session, "policy-v1"), DeploymentRole.LIVE)
        said = words(open_page("a-b"))
        assert "There is no canary" in said
        assert "Nothing was counted yet" in said
        assert "What the watch sees" not in said

    def test_that_after_a_promotion_the_version_before_stands_beside(self, web_database: SessionFactory, open_page: OpenPage) -> None:
        with web_database.begin() as session:
            before, live = (a_version(session, name, status=PolicyStatus.PUBLISHED) for name in ("policy-v1", "policy-v2"))
            deployments.deploy(session, before, DeploymentRole.LIVE)
        talks(web_database, before, number=40, answered=4)
        with web_database.begin() as session:
            deployments.deploy(session, live, DeploymentRole.LIVE)
        talks(web_database, live, number=40, answered=36)
        said = words(open_page("a-b"))
        assert "stands what was live before" in said
        assert "live +80.0 points" in said
        assert "p < 0.001" in said
        assert "more conversations of the canary" not in said

    def test_that_it_is_for_operations(self, open_page: OpenPage) -> None:
        assert [title.value for title in open_page("a-b", role=Role.BD).title] == ["This page is not for your role"]


class TestPictures:
    def test_that_a_figure_without_an_interval_is_a_dot(self) -> None:
        one = Interval(value=0.5, low=-math.inf, high=math.inf, conversations=1)
        report = AbReport(since=None, arms=(an_arm("policy-v1", DeploymentRole.LIVE, answered=one),), comparisons={})
        chart = measure_chart(report, ANSWERED)
        assert chart is not None
        assert [(row["low"], row["high"]) for row in chart.to_dict()["data"]["values"]] == [(0.5, 0.5)]
        assert measure_chart(report, STARS) is None

    def test_that_how_near_a_canary_is_to_its_end_is_drawn(self) -> None:
        fine = Criterion(
            name="errors", title="errors", evidence=Evidence(pairs=9, money=1, most=1, at_most=0), limit=100, canary=0.1, live=0.1
        )
        harm = Criterion(
            name="ratings", title="ratings", evidence=Evidence(pairs=9, money=120, most=150, at_most=9), limit=100, canary=0.9, live=0.1
        )
        watched = Watched(
            canary_id=uuid4(),
            canary="v2",
            live_id=uuid4(),
            live="v1",
            since=datetime.now(UTC),
            conversations=9,
            enough=200,
            may_promote=False,
            criteria=(fine, harm),
            error_rate=0.05,
        )
        drawn = [row for data in evidence_chart(watched).to_dict()["layer"] for row in data["data"]["values"]]
        shares = [row["share"] for row in drawn if "share" in row]
        assert shares[0] == 0
        assert shares[1] > 1


class TestWords:
    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({}, "better"),
            ({"difference": -0.08}, "worse"),
            ({"p": 0.3}, "no clear difference"),
            ({"p": 1e-9}, "p &lt; 0.001"),
        ],
    )
    def test_that_a_difference_is_named_only_where_it_is_sure(self, changed: dict[str, object], said: str) -> None:
        assert said in comparison_html(a_comparison(**changed), ANSWERED).replace("p < ", "p &lt; ")

    def test_that_less_is_better_where_it_is(self) -> None:
        violated = next(measure for measure in MEASURES if measure.name == "violated")
        assert "worse" in comparison_html(a_comparison(), violated)
        assert "+8.0 points" in comparison_html(a_comparison(), violated)
        assert "+0.08" in comparison_html(a_comparison(), STARS)
        assert "Nothing to compare yet" in comparison_html(None, STARS)

    def test_that_what_is_needed_is_told(self) -> None:
        assert needed_words(a_comparison(), ANSWERED) == "Enough conversations to see a difference of 5 points."
        told = needed_words(a_comparison(still_needed=1200, days=3.4), ANSWERED)
        assert told == "1,200 more conversations of the canary to see a difference of 5 points, about 3 days at this pace."
        assert "about an hour at" in needed_words(a_comparison(still_needed=5, days=0.02), ANSWERED)
        assert "Too little is known" in needed_words(a_comparison(still_needed=None, days=None), STARS)
