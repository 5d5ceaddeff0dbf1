"""The live version and its canary side by side: figures over conversations, with intervals, tests and what is still needed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from arms import Talk, now, write
from sqlalchemy import text

from db.engine import SessionFactory
from db.repositories.arm_figures import ArmSums, Sums
from training.release.ab import MEASURES, compare, interval, read_ab
from training.release.fleet import Fleet
from training.release.traffic import promote, start_canary

Published = Callable[[str], UUID]
BY_NAME = {measure.name: measure for measure in MEASURES}
NONE = Sums(conversations=0, of=0, per=0, of_of=0, per_per=0, of_per=0)


def counted(of: int, per: int) -> Sums:
    return Sums(conversations=per, of=of, per=per, of_of=of, per_per=per, of_per=of)


def arm(**sums: Sums) -> ArmSums:
    names = ("answered", "succeeded", "stars", "violated", "unusable", "fell_back")
    return ArmSums(opened=100, first_opened_at=None, **{name: sums.get(name, NONE) for name in names})


@pytest.fixture
def arms(sessions: SessionFactory, fleet: Fleet, published: Published) -> tuple[UUID, UUID]:
    live, canary = published("policy-v2"), published("policy-v3")
    promote(sessions, fleet, live)
    start_canary(sessions, fleet, canary, share=0.2)
    with sessions.begin() as session:
        session.execute(text("UPDATE deployment SET active_from = now() - interval '4 days' WHERE role = 'canary'"))
    return live, canary


def test_that_both_arms_are_told_of_what_happened_to_their_own_conversations(sessions: SessionFactory, arms: tuple[UUID, UUID]) -> None:
    started = now() - timedelta(days=3)
    with sessions.begin() as session:
        write(session, arms[0], [Talk(agreed=n < 5, stars=3, violated=[n < 2, False]) for n in range(10)], since=started)
        write(session, arms[0], [Talk(answered=False, violated=[False])], since=started)
        write(session, arms[1], [Talk(agreed=n < 4, stars=5, violated=[False, False], template=1) for n in range(5)], since=started)
        # Opened a moment ago and not answered yet: it tells nothing so far.
        write(session, arms[1], [Talk(answered=False, violated=[False])], since=now() - timedelta(hours=1))
        report = read_ab(session)
    live, canary = report.arms
    assert (live.version, live.share, live.opened) == ("policy-v2", pytest.approx(0.8), 11)
    assert (canary.version, canary.share, canary.opened) == ("policy-v3", pytest.approx(0.2), 6)
    assert live.figures["answered"].value == pytest.approx(10 / 11)
    assert canary.figures["answered"].conversations == 5
    assert (live.figures["succeeded"].value, canary.figures["succeeded"].value) == (0.5, 0.8)
    assert (live.figures["stars"].value, canary.figures["stars"].value) == (3, 5)
    assert live.figures["violated"].value == pytest.approx(2 / 21)
    assert canary.figures["templates"].value == pytest.approx(5 / 11)
    assert report.comparisons["succeeded"].difference == pytest.approx(0.3)
    assert report.comparisons["succeeded"].p > 0.05
    days = report.comparisons["succeeded"].days
    assert days is not None
    assert days == pytest.approx((report.comparisons["succeeded"].still_needed or 0) / (6 / 4), rel=0.01)


def test_that_a_live_version_alone_is_shown_by_itself(sessions: SessionFactory, fleet: Fleet, published: Published) -> None:
    with sessions() as session:
        assert read_ab(session).arms == ()
    live = published("policy-v2")
    promote(sessions, fleet, live)
    with sessions.begin() as session:
        write(session, live, [Talk(agreed=True)], since=datetime.now(UTC) + timedelta(seconds=1))
        report = read_ab(session)
    assert (report.since, report.comparisons) == (None, {})
    assert report.arms[0].share == 1
    assert report.arms[0].figures["succeeded"].value == 1


def test_that_stars_for_a_persons_words_tell_nothing_of_the_version(sessions: SessionFactory, fleet: Fleet, published: Published) -> None:
    live = published("policy-v2")
    promote(sessions, fleet, live)
    with sessions.begin() as session:
        write(session, live, [Talk(stars=2), Talk(stars=2), Talk(stars=5, edited=True)], since=now() + timedelta(seconds=1))
        report = read_ab(session)
    assert (report.arms[0].figures["stars"].value, report.arms[0].figures["stars"].conversations) == (2, 2)


def test_that_without_a_canary_the_version_before_stands_beside(sessions: SessionFactory, fleet: Fleet, published: Published) -> None:
    before, live = published("policy-v2"), published("policy-v3")
    promote(sessions, fleet, before)
    with sessions.begin() as session:
        write(session, before, [Talk(agreed=n < 2, stars=3) for n in range(10)], since=now() + timedelta(seconds=1))
    promote(sessions, fleet, live)
    with sessions.begin() as session:
        write(session, live, [Talk(agreed=n < 8, stars=4) for n in range(10)], since=now() + timedelta(seconds=2))
        report = read_ab(session)
    assert [(arm.version, arm.word, arm.share, arm.opened) for arm in report.arms] == [
        ("policy-v3", "live", 1.0, 10),
        ("policy-v2", "before", 0.0, 10),
    ]
    assert report.since is None
    assert report.comparisons["succeeded"].difference == pytest.approx(0.6)
    assert report.comparisons["succeeded"].p < 0.05
    assert report.comparisons["stars"].difference == pytest.approx(1)


def test_that_a_share_has_wilsons_interval() -> None:
    found = interval(counted(8, 10), counted=True)
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    none = interval(counted(0, 10), counted=True)
    assert none is not None
    assert none.low == pytest.approx(0)
    assert interval(NONE, counted=True) is None


def test_that_a_ratio_spreads_over_conversations_not_over_replies() -> None:
    # Ten conversations of ten replies each; in one of them all are against a rule.
    clustered = Sums(conversations=10, of=10, per=100, of_of=100, per_per=1000, of_per=100)
    spread = Sums(conversations=10, of=10, per=100, of_of=10, per_per=1000, of_per=100)  # one in each
    wide, narrow = interval(clustered, counted=False), interval(spread, counted=False)
    assert wide is not None
    assert narrow is not None
    assert wide.value == narrow.value == pytest.approx(0.1)
    assert wide.high - wide.low == pytest.approx(2 * 1.96 * 0.1, rel=1e-3)
    assert narrow.high - narrow.low == pytest.approx(0, abs=1e-6)


def test_that_a_clear_difference_is_called_one_and_a_small_one_needs_more() -> None:
    clear = compare(arm(succeeded=counted(100, 400)), arm(succeeded=counted(200, 400)), BY_NAME["succeeded"], pace=50)
    assert clear is not None
    assert clear.p < 1e-10
    assert clear.low > 0.15
    # Two shares about 0.4 and a difference of 5 points: some 1,500 in each arm (Fleiss).
    assert clear.still_needed == pytest.approx(1370 - 400, abs=60)
    assert clear.days == pytest.approx((clear.still_needed or 0) / 50)
    small = compare(arm(succeeded=counted(40, 100)), arm(succeeded=counted(42, 100)), BY_NAME["succeeded"])
    assert small is not None
    assert small.p > 0.5
    assert small.days is None


def test_that_stars_are_compared_by_their_means() -> None:
    def stars(*given: int) -> Sums:
        n = len(given)
        return Sums(conversations=n, of=sum(given), per=n, of_of=sum(one * one for one in given), per_per=n, of_per=sum(given))

    found = compare(arm(stars=stars(*[3, 4] * 30)), arm(stars=stars(*[4, 5] * 30)), BY_NAME["stars"])
    assert found is not None
    assert found.difference == pytest.approx(1)
    assert found.p < 1e-6
    same = compare(arm(stars=stars(3, 3, 3)), arm(stars=stars(3, 3)), BY_NAME["stars"])
    assert same is not None
    assert (same.p, same.still_needed) == (1.0, None)
    assert compare(arm(), arm(stars=stars(3)), BY_NAME["stars"]) is None
