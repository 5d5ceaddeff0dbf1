"""When a schedule is due: cron's own rules in a time zone, quiet hours, and sentences for what cannot be meant."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.jobs.schedule import QuietHours, ScheduleRefused, parse_cron, parse_quiet


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "timezone", "after", "due"),
    [
        ("0 3 * * *", "UTC", "2026-11-28T02:59:59", "2026-11-28T03:00"),
        ("0 3 * * *", "UTC", "2026-11-28T03:00", "2026-11-29T03:00"),
        ("*/15 * * * *", "UTC", "2026-11-28T03:07", "2026-11-28T03:15"),
        ("0 3 * * mon-fri", "UTC", "2026-11-28T03:00", "2026-11-30T03:00"),
        ("0 3 * * *", "Asia/Shanghai", "2026-11-28T00:00", "2026-11-28T19:00"),
        ("30 1 1 * *", "UTC", "2026-12-31T23:00", "2027-01-01T01:30"),
        ("0 0 29 2 *", "UTC", "2026-01-01T00:00", "2028-02-29T00:00"),
        # Both days are restricted: either is enough, as cron has it. The 1st is a Tuesday.
        ("0 3 1 * sun", "UTC", "2026-11-28T00:00", "2026-11-29T03:00"),
        ("0 3 1 * sun", "UTC", "2026-11-29T03:00", "2026-12-01T03:00"),
        # The clock skips 02:30 on this night, and has it twice on the other one.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T01:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30", "2026-10-26T01:30"),
    ],
)
def test_that_the_next_hour_is_crons(expression: str, timezone: str, after: str, due: str) -> None:
    assert parse_cron(expression, timezone).after(at(after)) == at(due)


@pytest.mark.parametrize(
    ("expression", "timezone", "says"),
    [
        ("0 3 * *", "UTC", "has 4 fields"),
        ("61 3 * * *", "UTC", "cannot be read"),
        ("0 3 * * someday", "UTC", "cannot be read"),
        ("0 0 30 2 *", "UTC", "cannot be read|within five years"),
        ("0 3 * * *", "Mars/Olympus", "no time zone 'Mars/Olympus'"),
        ("0 3 * * *", "../etc/passwd", "no time zone"),
        ("", "UTC", "has 0 fields"),
    ],
)
def test_that_what_cannot_be_meant_is_refused_with_a_sentence(expression: str, timezone: str, says: str) -> None:
    with pytest.raises(ScheduleRefused, match=says):
        parse_cron(expression, timezone)


@given(
    instant=st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]),
)
def test_that_a_daily_hour_comes_within_a_day_or_so_and_at_its_hour(instant: datetime, minute: int, hour: int, zone: str) -> None:
    due = parse_cron(f"{minute} {hour} * * *", zone).after(instant)
    assert instant < due <= instant + timedelta(hours=50)
    local = due.astimezone(ZoneInfo(zone))
    assert local.minute == minute
    assert local.hour == hour or local.utcoffset() != (local - timedelta(hours=3)).utcoffset()


def test_that_quiet_hours_may_pass_midnight_and_end_when_they_end() -> None:
    night = parse_quiet("22:00-06:30", "Europe/Berlin")
    assert night == QuietHours(start=time(22), end=time(6, 30), zone=ZoneInfo("Europe/Berlin"))
    assert [night.has(at(f"2026-11-28T{hour}")) for hour in ("20:59", "21:00", "23:59", "05:29", "05:30")] == [
        False,
        True,
        True,
        True,
        False,
    ]
    day = parse_quiet("09:00-17:00")
    assert [day.has(at(f"2026-11-28T{hour}")) for hour in ("08:59", "09:00", "16:59", "17:00")] == [False, True, True, False]


@pytest.mark.parametrize("span", ["22:00", "22-25", "ten-eleven", "22:00-06:00-07:00", "10:00-10:00", "10:00+01:00-11:00"])
def test_that_a_span_that_is_none_is_refused(span: str) -> None:
    with pytest.raises(ScheduleRefused):
        parse_quiet(span)
