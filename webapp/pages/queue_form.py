"""The settings of a queue as a form: what is to be judged, how it is chosen, by how many, and how much of it is known beforehand."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import streamlit as st

from db.repositories import policy_versions
from db.vocabulary import JudgementKind, QueuePolicy, Stage
from training.ratings.queues import QueueSettings
from webapp import database
from webapp.components.rating_words import KIND_WORDS, POLICY_WORDS
from webapp.components.words import STAGE_WORDS

_FRESH = QueueSettings(name="", kind=JudgementKind.TURN, policy=QueuePolicy.NEWEST, raters_per_item=2, gold_share=Decimal("0.05"))
_LANGUAGES = {"en": "English", "zh": "Chinese"}


def queue_form(settings: QueueSettings | None, *, key: str, button: str) -> QueueSettings | None:
    """Draw the form; the settings once the button is pressed. ``settings`` are those of a queue that is there: its kind stays."""
    now = settings or _FRESH
    with st.form(key):
        name = st.text_input("Name", value=now.name, placeholder="Newest replies", key=f"{key}:name")
        first, second = st.columns(2)
        kind = first.selectbox(
            "What is judged",
            [*JudgementKind],
            index=[*JudgementKind].index(now.kind),
            format_func=KIND_WORDS.__getitem__,
            disabled=settings is not None,
            key=f"{key}:kind",
        )
        policy = second.selectbox(
            "How it is chosen",
            [*QueuePolicy],
            index=[*QueuePolicy].index(now.policy),
            format_func=POLICY_WORDS.__getitem__,
            key=f"{key}:policy",
        )
        first, second, third = st.columns(3)
        raters = first.number_input("Raters an item", min_value=1, max_value=20, value=now.raters_per_item, key=f"{key}:raters")
        gold = second.number_input(
            "Known answers, %",
            min_value=0.0,
            max_value=50.0,
            value=float(now.gold_share * 100),
            step=1.0,
            format="%g",
            key=f"{key}:gold",
            help="Of a hundred replies handed out, so many have a known answer. Only for single replies.",
        )
        over = third.number_input(
            "A dispute above, stars",
            min_value=1,
            max_value=4,
            value=now.adjudicate_over,
            key=f"{key}:over",
            help="Raters who differ by more stars than this make a dispute, which somebody must decide. 4 never does.",
        )
        first, second, third = st.columns(3)
        minutes = first.number_input(
            "Minutes to answer",
            min_value=0.5,
            max_value=1440.0,
            value=now.reservation_s / 60,
            step=1.0,
            format="%g",
            key=f"{key}:minutes",
        )
        size = second.number_input("Items kept ready", min_value=1, max_value=1_000_000, value=now.size, key=f"{key}:size")
        priority = third.number_input(
            "Priority", min_value=-1000, max_value=1000, value=now.priority, key=f"{key}:priority", help="Higher comes first"
        )
        with st.expander("Choose only from …", expanded=_filtered(now)):
            language, stage, version, since, until = _filters(now, key)
        if not st.form_submit_button(button, type="primary", icon=":material/save:"):
            return None
    return QueueSettings(
        name=name or "",
        kind=now.kind if settings is not None else kind,
        policy=policy,
        raters_per_item=int(raters),
        reservation_s=round(minutes * 60),
        priority=int(priority),
        gold_share=Decimal(str(gold)) / 100 if kind is JudgementKind.TURN else Decimal(0),
        adjudicate_over=int(over),
        size=int(size),
        language=language,
        stage=stage,
        policy_version_id=version,
        since=since,
        until=until,
    )


def _filtered(now: QueueSettings) -> bool:
    return any(value is not None for value in (now.language, now.stage, now.policy_version_id, now.since, now.until))


def _filters(now: QueueSettings, key: str) -> tuple[str | None, Stage | None, UUID | None, datetime | None, datetime | None]:
    languages: list[str | None] = list(dict.fromkeys([None, *_LANGUAGES, now.language]))
    names = _version_names()
    versions: list[UUID | None] = list(dict.fromkeys([None, *names, now.policy_version_id]))
    first, second, third = st.columns(3)
    language = first.selectbox(
        "Language",
        languages,
        index=languages.index(now.language),
        format_func=_language_words,
        key=f"{key}:language",
    )
    stages: list[Stage | None] = [None, *Stage]
    stage = second.selectbox(
        "Stage", stages, index=stages.index(now.stage), format_func=lambda one: STAGE_WORDS[one] if one else "Any stage", key=f"{key}:stage"
    )
    version = third.selectbox(
        "Version",
        versions,
        index=versions.index(now.policy_version_id),
        format_func=lambda one: names.get(one, "?") if one else "Any version",
        key=f"{key}:version",
    )
    first, second = st.columns(2)
    since = first.date_input("From", value=_day(now.since), format="YYYY-MM-DD", key=f"{key}:since", help="Days are those of UTC")
    last = second.date_input("To, this day included", value=_last_day(now.until), format="YYYY-MM-DD", key=f"{key}:until")
    return language, stage, version, _from(since, now.since), _until(last, now.until)


def _language_words(code: str | None) -> str:
    return _LANGUAGES.get(code, code) if code else "Any language"


def _version_names() -> dict[UUID, str]:
    with database.sessions().begin() as session:
        return {version.id: version.name for version in policy_versions.list_all(session)}


def _day(moment: datetime | None) -> date | None:
    return moment.astimezone(UTC).date() if moment is not None else None


def _last_day(until: datetime | None) -> date | None:
    return (until.astimezone(UTC) - timedelta(microseconds=1)).date() if until is not None else None


def _from(day: date | None, before: datetime | None) -> datetime | None:
    """The day's start, or the exact moment that was set where the day is still the same."""
    return before if day == _day(before) else _start(day) if day is not None else None


def _until(day: date | None, before: datetime | None) -> datetime | None:
    """The day's end, likewise."""
    return before if day == _last_day(before) else _start(day + timedelta(days=1)) if day is not None else None


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
