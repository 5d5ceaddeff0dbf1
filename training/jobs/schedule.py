"""When a schedule is due: pure arithmetic on cron expressions, time zones and quiet hours.

Decided here: an expression has the five fields of cron, read by Celery's own parser; hours are those of the schedule's time zone, also
where the clock is changed (what the clock skips is due as much later, what comes twice is due the first time); a span of quiet hours may
pass midnight, and its end is no longer quiet.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from celery.schedules import ParseException, crontab

from db.errors import ParleyError

_FARTHEST = timedelta(days=366 * 5)
_FORM = "five fields (minute, hour, day of the month, month, day of the week), such as '0 3 * * 1-5'"


class ScheduleRefused(ParleyError):
    """An expression, a time zone or a span that cannot be meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """A parsed expression in a time zone."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    any_day: bool
    any_weekday: bool
    zone: ZoneInfo

    def after(self, instant: datetime) -> datetime:
        """The first due instant after this one, in UTC.

        Raises:
            ScheduleRefused: if there is none within five years (30 February).
        """
        day = instant.astimezone(self.zone).date()
        last = day + _FARTHEST
        while day <= last:
            if self._has(day.month, day.day, (day.weekday() + 1) % 7):
                # By way of UTC: an hour that the clock skips comes so much later. So they are put in order only then.
                local = (datetime.combine(day, time(hour, minute), self.zone) for hour in self.hours for minute in self.minutes)
                if due := [found for one in local if (found := one.astimezone(UTC)) > instant]:
                    return min(due)
            day += timedelta(days=1)
        raise ScheduleRefused("the expression names a day that does not come within five years: give one that there is")

    def _has(self, month: int, day: int, weekday: int) -> bool:
        if month not in self.months:
            return False
        # As cron has it: where both days are restricted, either is enough.
        if self.any_day or self.any_weekday:
            return day in self.days and weekday in self.weekdays
        return day in self.days or weekday in self.weekdays


def parse_cron(expression: str, timezone: str = "UTC") -> Cron:
    """An expression such as ``30 2 * * mon-fri``.

    Raises:
        ScheduleRefused: for one that is none, or an unknown time zone.
    """
    fields = expression.split()
    if len(fields) != 5:
        raise ScheduleRefused(f"{expression!r} has {len(fields)} fields, and a schedule is written in {_FORM}")
    minute, hour, day, month, weekday = fields
    try:
        parsed = crontab(minute=minute, hour=hour, day_of_month=day, month_of_year=month, day_of_week=weekday)
    except (ParseException, ValueError) as error:
        raise ScheduleRefused(f"{expression!r} cannot be read ({error}); a schedule is written in {_FORM}") from error
    cron = Cron(
        minutes=frozenset(parsed.minute),
        hours=frozenset(parsed.hour),
        days=frozenset(parsed.day_of_month),
        months=frozenset(parsed.month_of_year),
        weekdays=frozenset(parsed.day_of_week),
        any_day=day.startswith("*"),
        any_weekday=weekday.startswith("*"),
        zone=zone_named(timezone),
    )
    cron.after(datetime(2024, 1, 1, tzinfo=UTC))
    return cron


def zone_named(name: str) -> ZoneInfo:
    """A time zone by its name in the tz database. Raises ScheduleRefused."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ScheduleRefused(f"there is no time zone {name!r}: give one like Europe/Berlin, Asia/Shanghai or UTC") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """A span of each day in which nothing is begun, and nothing goes on."""

    start: time
    end: time
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if self.start == self.end:
            raise ScheduleRefused("quiet hours that end when they begin would be all day or never: give two different times")

    def has(self, instant: datetime) -> bool:
        """Whether the instant lies in it."""
        local = instant.astimezone(self.zone).time()
        if self.start < self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end


def parse_quiet(span: str, timezone: str = "UTC") -> QuietHours:
    """A span such as ``22:00-06:30``. Raises ScheduleRefused."""
    try:
        start, end = (time.fromisoformat(part.strip()) for part in span.split("-"))
        if start.tzinfo is not None or end.tzinfo is not None:
            raise ValueError("its zone is the schedule's")
    except ValueError as error:
        raise ScheduleRefused(f"{span!r} is no span of hours ({error}): write it like 22:00-06:30") from error
    return QuietHours(start=start, end=end, zone=zone_named(timezone))
