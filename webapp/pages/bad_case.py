"""One bad case: the talk as it was, what is wrong with the reply, what a fix must do, and every version of that.

Operations make it, change it and retire it; annotators read it. Whatever is chosen is tried on the reply at once, so that a person sees
whether the case finds what is bad, and whether a better reply would pass, before it is saved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from uuid import UUID

import streamlit as st
from sqlalchemy.orm import Session

from agent.domain import Reply, TurnContext
from db.errors import ParleyError
from db.models import BadCase, BadCaseVersion, Rating
from db.repositories import bad_cases
from db.vocabulary import IssueTag, Role, Severity
from training.badcases import WEIGHT, Verdict, stored
from training.badcases.choices import says
from training.badcases.stored import MOST_TITLE_CHARS, MOST_WRONG_CHARS, Wording
from webapp import database
from webapp.auth.identity import Identity
from webapp.components.past_talk import past_talk_html, rooms_html
from webapp.components.rating_words import FAULT_WORDS, SEVERITY_WORDS, fault_list, stars
from webapp.components.words import moment, move_words
from webapp.pages.case_checks import choose_checks
from webapp.shell import places
from webapp.shell.notes import note, told
from webapp.shell.signed_in import reader_zone, signed_in


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """What the page is about."""

    turn_id: UUID
    context: TurnContext
    bad: Reply
    judgements: Sequence[Rating]
    case: BadCase | None
    """With its versions; None while it is being made."""
    rating_id: UUID | None = None

    @property
    def newest(self) -> BadCaseVersion | None:
        return self.case.versions[0] if self.case is not None else None


def show() -> None:
    """Draw the page."""
    person = signed_in(*places.BAD_CASE.roles)
    with database.sessions().begin() as session:
        scene = _scene(session, person)
    if scene is None:
        st.info("Choose a case from the list, or a rated reply to make one of.", icon=":material/info:")
        places.link(places.BAD_CASES, "All bad cases")
        return
    newest = scene.newest
    title = newest.title if newest is not None else "A new bad case"
    tag = '<span class="p-chip p-dim">retired</span>' if newest is not None and newest.retired else ""
    st.html(f'<div class="p-title"><h1>{escape(title)}</h1>{tag}</div>')
    places.link(places.BAD_CASES, "All bad cases", icon=":material/arrow_back:")
    left, right = st.columns([1.25, 1], gap="large")
    with left:
        st.html(past_talk_html(scene.context, scene.bad))
        if person.may(Role.OPS):
            _show_judgements(scene.judgements)
            places.link(places.NEW_RULE, "Make a rule of it", query={"turn": str(scene.turn_id)}, icon=":material/rule:")
        with st.expander("The rooms"):
            st.html(rooms_html(scene.context))
    with right:
        if person.may(Role.OPS):
            _edit(scene, person)
        elif newest is not None:
            _read(newest)
        if scene.case is not None:
            _show_versions(scene.case.versions)


def _scene(session: Session, person: Identity) -> _Scene | None:
    case_id, turn_id = _uuid("id"), _uuid("turn")
    if case_id is None and turn_id is not None and person.may(Role.OPS):
        present = bad_cases.find_by_turn(session, turn_id)
        if present is None:
            context, bad = stored.freeze(session, turn_id)
            judgements = _told(bad_cases.list_judgements(session, turn_id), person)
            return _Scene(turn_id=turn_id, context=context, bad=bad, judgements=judgements, case=None, rating_id=_uuid("rating"))
        case_id = present.id
    if case_id is None:
        return None
    case = bad_cases.get_with_versions(session, case_id)
    context, bad = stored.frozen(case)
    judgements = _told(bad_cases.list_judgements(session, case.turn_id), person)
    return _Scene(turn_id=case.turn_id, context=context, bad=bad, judgements=judgements, case=case)


def _told(judgements: Sequence[Rating], person: Identity) -> Sequence[Rating]:
    """What others said is not told to somebody who comes from the rating desk: they may be judging the reply, and do so by themselves."""
    judging = st.query_params.get("from") == "rate"
    return [each for each in judgements if each.rater_id == person.user_id] if judging else judgements


def _uuid(name: str) -> UUID | None:
    try:
        return UUID(st.query_params.get(name, ""))
    except ValueError:
        return None


# -- reading ----------------------------------------------------------------------------------------------------------------------------


def _show_judgements(judgements: Sequence[Rating]) -> None:
    if not judgements:
        return
    with st.expander(f"What people said of it ({len(judgements)})", expanded=True):
        for judgement in judgements:
            faults = fault_list([(tag.tag, tag.severity) for tag in judgement.tags])
            st.html(f"<div>{stars(judgement.stars)} <span class='p-sub'>{escape(faults)}</span></div>")
            for said, words in (("", judgement.comment), ("Would have said: ", judgement.rewrite or "")):
                if words.strip():
                    st.html(f'<p class="p-sub">{said}“{escape(words)}”</p>')


def _read(version: BadCaseVersion) -> None:
    st.html(_version_html(version))


def _show_versions(versions: Sequence[BadCaseVersion]) -> None:
    zone = reader_zone()
    with st.expander(f"Versions ({len(versions)})"):
        for version in versions:
            who = version.writer.name if version.writer is not None else "Parley"
            st.html(f'<div class="p-label">Version {version.number} · {escape(who)} · {moment(version.created_at, zone=zone)}</div>')
            st.html(_version_html(version))


def _version_html(version: BadCaseVersion) -> str:
    chips = (
        f'<span class="p-chip p-quiet">{escape(FAULT_WORDS[version.fault])}</span> '
        f'<span class="p-chip p-quiet">{escape(SEVERITY_WORDS[version.severity])}</span>'
        + (' <span class="p-chip p-dim">retired</span>' if version.retired else "")
    )
    checks = "".join(
        f"<dt>{side}</dt><dd style='text-align:left'>{escape(_says(line))}</dd>"
        for side, lines in (("Must", version.must), ("Must not", version.must_not))
        for line in lines
    )
    return (
        f'<section class="p-card"><header><h4>{escape(version.title)}</h4></header><div>{chips}</div>'
        f'<p style="white-space:pre-wrap;margin:.5rem 0 0">{escape(version.wrong)}</p><dl>{checks}</dl></section>'
    )


def _says(line: str) -> str:
    try:
        return says(line)
    except ParleyError:
        return f"{line} (cannot be read any more)"


# -- changing ---------------------------------------------------------------------------------------------------------------------------


def _edit(scene: _Scene, person: Identity) -> None:
    newest = scene.newest
    key = f"case:{scene.turn_id}:{newest.number if newest is not None else 0}"
    start = stored.wording_of(newest) if newest is not None else _first_words(scene.judgements)
    title = st.text_input("Title", value=start.title, max_chars=MOST_TITLE_CHARS, placeholder="Takes “noted” for a yes", key=f"{key}:title")
    first, second = st.columns([1.6, 1])
    fault = first.selectbox(
        "Fault", [*IssueTag], index=[*IssueTag].index(start.fault), format_func=FAULT_WORDS.__getitem__, key=f"{key}:fault"
    )
    severity = second.selectbox(
        "Severity", [*Severity], index=[*Severity].index(start.severity), format_func=SEVERITY_WORDS.__getitem__, key=f"{key}:severity"
    )
    wrong = st.text_area("What is wrong", value=start.wrong, max_chars=MOST_WRONG_CHARS, height=90, key=f"{key}:wrong")
    must = choose_checks("A better reply must …", start.must, turn=scene.context, bad=scene.bad, key=f"{key}:must", denied=False)
    must_not = choose_checks("It must not …", start.must_not, turn=scene.context, bad=scene.bad, key=f"{key}:not", denied=True)
    wording = Wording(title=title or "", fault=fault, severity=severity, wrong=wrong or "", must=must.lines, must_not=must_not.lines)
    problems = (*must.problems, *must_not.problems)
    for problem in problems:
        st.warning(problem, icon=":material/info:")
    if not problems:
        _try_out(scene, wording, key=key)
    with st.container(horizontal=True):
        word = "Make the bad case" if newest is None else "Save as a new version"
        if st.button(word, type="primary", icon=":material/save:", disabled=bool(problems), key=f"{key}:save"):
            _save(scene, wording, person)
        if newest is not None and scene.case is not None:
            label, icon = ("Bring back", ":material/undo:") if newest.retired else ("Retire", ":material/archive:")
            st.button(
                label,
                icon=icon,
                key=f"{key}:retire",
                on_click=_set_retired,
                args=(scene.case.id, newest.number, not newest.retired, person),
                help="A retired case is kept, with its versions, and not asked of the agent any more.",
            )


def _first_words(judgements: Sequence[Rating]) -> Wording:
    """What the judgements suggest: the worst fault that they name, and the comments."""
    tags = sorted((tag for judgement in judgements for tag in judgement.tags), key=lambda tag: -WEIGHT[tag.severity])
    comments = "\n".join(judgement.comment.strip() for judgement in judgements if judgement.comment.strip())
    return Wording(
        title="",
        fault=tags[0].tag if tags else next(iter(IssueTag)),
        severity=tags[0].severity if tags else Severity.MAJOR,
        wrong=comments[:MOST_WRONG_CHARS],
    )


def _try_out(scene: _Scene, wording: Wording, *, key: str) -> None:
    try:
        found = stored.judge(wording, scene.context, scene.bad)
    except ParleyError as error:
        st.warning(str(error), icon=":material/info:")
        return
    if found.fixed:
        st.warning("The reply as it was said passes: nothing would count as bad yet. Add what it does not do.", icon=":material/info:")
    else:
        st.success("The reply as it was said fails, as it should.", icon=":material/check:")
    rewrites = [judgement.rewrite for judgement in scene.judgements if judgement.rewrite]
    better = st.text_area(
        "Try a better reply",
        value=rewrites[0] if rewrites else "",
        height=80,
        key=f"{key}:better",
        help="Only to see whether it passes; it is not kept.",
    )
    moves = list(dict.fromkeys([scene.bad.move, *scene.context.allowed]))
    several = len(scene.context.facts) > 1
    move = st.selectbox("Its move", moves, format_func=lambda one: move_words(one, several=several), key=f"{key}:move")
    if better and better.strip():
        _show_verdict(stored.judge(wording, scene.context, Reply(move=move, text=better.strip())))


def _show_verdict(found: Verdict) -> None:
    if found.clean:
        st.success("A clean fix.", icon=":material/check_circle:")
        return
    lines = "\n".join(f"- {escape(reason)}" for reason in found.reasons)
    word = "A fix, but not a clean one:" if found.fixed else "No fix:"
    st.info(f"{word}\n{lines}", icon=":material/info:")


def _save(scene: _Scene, wording: Wording, person: Identity) -> None:
    try:
        with database.sessions().begin() as session:
            if scene.case is None or scene.newest is None:
                case_id = stored.make(session, wording, turn_id=scene.turn_id, rating_id=scene.rating_id, actor=person.user_id)
            else:
                case_id = scene.case.id
                stored.revise(session, case_id, wording, seen=scene.newest.number, actor=person.user_id)
    except ParleyError as error:
        st.error(str(error), icon=":material/error:")
        return
    note("The bad case is saved.")
    places.go(places.BAD_CASE, id=str(case_id))


def _set_retired(case_id: UUID, seen: int, retired: bool, person: Identity) -> None:
    with told():
        with database.sessions().begin() as session:
            stored.set_retired(session, case_id, retired=retired, seen=seen, actor=person.user_id)
        note("The case is retired." if retired else "The case is in force again.")
