"""The page on quality: what it draws from figures, who may see it, and what it looks like in a real browser."""

import uuid
from datetime import UTC, datetime, timedelta

import altair as alt
import pytest
from playwright.sync_api import Page, expect
from web_site import Site, StartSite, assert_no_traceback, settle, sign_in, take_screenshot

from db.models import Conversation, GoldAnswer, Hotel, Rating, RatingItem, RatingQueue, RatingTag, Turn
from db.repositories import users
from db.repositories.rating_figures import Judged
from db.vocabulary import Counterpart, IssueTag, JudgementKind, JudgementSource, Mode, QueuePolicy, Role, Speaker, Stage
from training.quality import make_report, trial
from training.quality.findings import Finding, Tone
from webapp.components.rating_charts import (
    Dot,
    agreement_chart,
    bias_chart,
    findings_html,
    queue_dots,
    rater_dots,
    speed_chart,
    tag_dots,
    trust_chart,
    weekly_alpha_chart,
    weekly_stars_chart,
)

HONEST = trial.honest(trial.replies(8), raters=5, per_item=3, seed=5)
CARELESS = (*trial.at_random(HONEST, share=0.6), *trial.constant(HONEST, share=0.6), *trial.copied(HONEST, source=min(HONEST.honest)))
LONG = "María de las Mercedes Fernández-Villaverde y Ruiz de Gauna Schmidt-Oberländer"


def rows_of(chart: alt.TopLevelMixin) -> list[dict[str, object]]:
    """Everything that a chart draws."""
    found: list[dict[str, object]] = []

    def walk(part: object) -> None:
        if isinstance(part, dict):
            values = part.get("values")
            found.extend(values if isinstance(values, list) else [])
            for inner in part.values():
                walk(inner)
        elif isinstance(part, list):
            for inner in part:
                walk(inner)

    walk(chart.to_dict())
    return found


class TestPictures:
    def test_that_the_careless_are_drawn_in_another_colour(self) -> None:
        names = {rater: f"Person {index}" for index, rater in enumerate(sorted({row.rater_id for row in [*HONEST.judged, *CARELESS]}))}
        report = make_report([*HONEST.judged, *CARELESS], [], names=names)
        careless = {names[trial.rater_id(name)] for name in ("random", "constant", "copier")}
        for chart in (trust_chart(report), speed_chart(report), bias_chart(report), agreement_chart(rater_dots(report))):
            drawn = {str(row["name"]): row["odd"] for row in rows_of(chart) if "name" in row}
            assert set(drawn) == set(names.values())
            assert {name for name, odd in drawn.items() if odd == "odd"} == careless

    def test_that_two_people_of_one_name_are_two_lines(self) -> None:
        report = make_report(HONEST.judged, [], names=dict.fromkeys(HONEST.honest, "Ada"))
        assert len({str(row["name"]) for row in rows_of(trust_chart(report))}) == len(HONEST.honest)

    def test_that_what_has_no_figure_is_left_out(self) -> None:
        nan = float("nan")
        drawn = rows_of(agreement_chart([Dot("one", 0.7, 0.6, 0.8, ""), Dot("two", nan, nan, nan, "")]))
        assert {row["name"] for row in drawn if "name" in row} == {"one"}

    def test_that_every_picture_can_be_drawn_of_nothing(self) -> None:
        report = make_report([], [], names={})
        charts = [trust_chart(report), speed_chart(report), bias_chart(report), weekly_stars_chart(report.weeks)]
        charts.append(weekly_alpha_chart(report.weeks))
        charts += [agreement_chart(dots) for dots in (queue_dots(report), rater_dots(report), tag_dots(report))]
        assert all(chart.to_dict() for chart in charts)

    def test_that_names_are_no_markup(self) -> None:
        html = findings_html([Finding(Tone.BAD, "<img src=x onerror=alert(1)> gives 4 stars")])
        assert "<img" not in html
        assert "&lt;img" in html


def fill(site: Site, judged: tuple[Judged, ...], *, names: dict[uuid.UUID, str], source: JudgementSource, queue: str, ago: int) -> None:
    """Puts these judgements into the database, so that the first is ``ago`` days old; known answers for every tenth turn."""
    shift = datetime.now(UTC) - timedelta(days=ago) - judged[0].at
    with site.sessions.begin() as session:
        hotel = Hotel(name=f"House of {queue}", city="Lisbon", country="PT")
        session.add(hotel)
        session.flush()
        talk = Conversation(hotel_id=hotel.id, mode=Mode.COPILOT, counterpart=Counterpart.HUMAN, idempotency_key=queue)
        asked = RatingQueue(name=queue, kind=JudgementKind.TURN, policy=QueuePolicy.NEWEST, raters_per_item=3)
        session.add_all([talk, asked])
        people = {
            rater: users.create(session, email=f"{source}-{rater.hex}@parley.test", name=name, roles=[Role.ANNOTATOR])[0].id
            for rater, name in names.items()
        }
        session.flush()
        items: dict[tuple[uuid.UUID, ...], RatingItem] = {}
        for number, unit in enumerate(dict.fromkeys(row.unit for row in judged), start=1):
            turn = Turn(conversation_id=talk.id, number=number, speaker=Speaker.BD, text="Could you?", stage_before=Stage.PROPOSAL)
            session.add(turn)
            session.flush()
            items[unit] = RatingItem(queue_id=asked.id, conversation_id=talk.id, turn_id=turn.id, open_places=0)
            if number % 10 == 0:
                gold = GoldAnswer(turn_id=turn.id, stars_from=3, stars_to=5)
                session.add(gold)
                session.flush()
                items[unit].gold_answer_id = gold.id
        session.add_all(items.values())
        session.flush()
        for number, row in enumerate(judged):
            item = items[row.unit]
            rating = Rating(
                kind=row.kind,
                rater_id=people[row.rater_id],
                conversation_id=talk.id,
                turn_id=item.turn_id,
                item_id=item.id,
                idempotency_key=f"{queue}-{number}",
                stars=row.stars,
                excellent=row.excellent,
                seconds=row.seconds,
                source=source,
            )
            # The panel judges one reply a minute; here that is one in three hours.
            rating.created_at = row.at + shift + (row.at - judged[0].at) * 180
            session.add(rating)
            session.flush()
            session.add_all(RatingTag(rating_id=rating.id, tag=IssueTag(tag), severity=severity) for tag, severity in row.tags)


@pytest.fixture(scope="module")
def site(start_site: StartSite) -> Site:
    site: Site = start_site()
    judged = tuple(sorted([*HONEST.judged, *CARELESS], key=lambda row: row.at))
    names = {rater: f"Annotator {index}" for index, rater in enumerate(sorted(HONEST.honest))}
    names |= {
        trial.rater_id("random"): "Randall <b>Dice</b>",
        trial.rater_id("constant"): "Connie Fourstars",
        trial.rater_id("copier"): LONG,
    }
    fill(site, judged, names=names, source=JudgementSource.DESK, queue="Newest replies of all hotels in the southern region", ago=40)
    other = trial.honest(trial.replies(8)[:90], raters=4, per_item=3, seed=9)
    experts = {rater: f"expert {index}" for index, rater in enumerate(sorted(other.honest))}
    fill(site, other.judged, names=experts, source=JudgementSource.SIMULATED, queue="Simulated", ago=20)
    return site


@pytest.mark.browser
def test_a_team_lead_sees_at_a_glance_who_does_not_judge(site: Site, window: Page) -> None:
    sign_in(window, site, Role.OPS, path="/quality")
    findings = window.get_by_role("list", name="Findings")
    expect(findings).to_contain_text("Connie Fourstars gives 4 stars in 100%")
    expect(findings).to_contain_text("Randall <b>Dice</b>’s answers have nothing to do with")
    expect(findings).to_contain_text(f"{LONG} gives the same answers as Annotator 0")
    for title in (
        "Agreement by queue",
        "Stars week by week",
        "Agreement week by week",
        "Strict and lenient",
        "Trust",
        "Pace",
        "Agreement on each fault",
    ):
        expect(window.get_by_role("heading", name=title, exact=True)).to_be_visible()
    expect(window.locator("canvas.marks, .vega-embed svg").first).to_be_visible()
    settle(window)
    window.set_viewport_size({"width": 1280, "height": 2150})
    window.wait_for_timeout(1500)
    take_screenshot(window, "quality")
    window.set_viewport_size({"width": 1024, "height": 700})
    window.wait_for_timeout(800)
    take_screenshot(window, "quality small")
    assert_no_traceback(window)


@pytest.mark.browser
def test_simulated_judgements_are_shown_apart_and_named_so(site: Site, window: Page) -> None:
    sign_in(window, site, Role.OPS, path="/quality")
    expect(window.get_by_text("Simulated experts: no person")).to_have_count(0)
    window.get_by_text("Simulated experts", exact=True).click()
    expect(window.get_by_text("Simulated experts: no person has judged any of this")).to_be_visible()
    settle(window)
    expect(window.get_by_role("list", name="Findings")).not_to_contain_text("Connie")
    expect(window.get_by_text("Known answers met")).to_be_visible()
    take_screenshot(window, "quality simulated")
    window.get_by_text("4 weeks", exact=True).click()
    settle(window)
    assert_no_traceback(window)


@pytest.mark.browser
def test_the_page_is_not_for_annotators(site: Site, window: Page) -> None:
    sign_in(window, site, Role.ANNOTATOR, path="/quality")
    expect(window.get_by_text("This page is not for your role")).to_be_visible()
    expect(window.get_by_text("Connie")).to_have_count(0)


@pytest.mark.browser
def test_before_anything_was_judged_the_page_says_what_to_do(start_site: StartSite, window: Page) -> None:
    sign_in(window, start_site(), Role.OPS, path="/quality")
    expect(window.get_by_text("Nothing was judged in this time")).to_be_visible()
    take_screenshot(window, "quality without judgements")
    assert_no_traceback(window)
