"""From an incident to a rule: the reply that went wrong beside the draft, tried on it at once, on everything that was said, then proposed.

The turn comes in the address (``turn``); without one the rated replies are listed to choose from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from uuid import UUID

import streamlit as st
from pydantic import ValidationError
from sqlalchemy.orm import Session

from agent.domain import Reply, TurnContext
from db.errors import ParleyError
from db.models import Rating
from db.repositories import bad_cases
from db.repositories.bad_cases import Purpose
from db.vocabulary import IssueTag, MoveKind, Severity, Stage
from training.badcases import WEIGHT, stored
from training.rewards import approval
from training.rewards.drafting import free_name, pattern_of, usual_weight
from training.rewards.patterns import MOST_CHARS, PatternRule, Within
from training.rewards.spec import RewardSpec
from webapp import database
from webapp.components.past_talk import past_talk_html
from webapp.components.rating_words import SEVERITY_WORDS, fault_list, stars
from webapp.components.words import STAGE_WORDS, move_kind_words
from webapp.pages.rated_turns import choose_rated_turn
from webapp.pages.spec_editor import propose, try_out
from webapp.shell import places
from webapp.shell.signed_in import signed_in

_LANGUAGES = {"en": "English", "zh": "Chinese"}
_WITHIN_WORDS = {Within.SENTENCE: "in one sentence", Within.REPLY: "in the whole reply"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Incident:
    """What the rule is drafted from."""

    turn_id: UUID
    context: TurnContext
    bad: Reply
    judgements: Sequence[Rating]


def show() -> None:
    """Draw the page."""
    person = signed_in(*places.NEW_RULE.roles)
    turn_id = _turn()
    st.html(
        '<div class="p-title"><h1>Rule from an incident</h1><p class="p-sub">What the guard let through, so that the policy unlearns it. '
        "The rule counts once somebody else has approved it, from the next retrain on.</p></div>"
    )
    places.link(places.REWARD_SPEC, "Reward spec", icon=":material/arrow_back:")
    if turn_id is None:
        st.caption("Select the reply that went wrong.")
        chosen = choose_rated_turn(Purpose.CASE)
        if chosen is not None:
            places.go(places.NEW_RULE, turn=str(chosen.turn_id))
        return
    with database.sessions().begin() as session:
        spec = approval.in_force(session)
        incident = _incident(session, turn_id)
    left, right = st.columns([1, 1.05], gap="large")
    with left:
        st.html(past_talk_html(incident.context, incident.bad))
        _show_judgements(incident.judgements)
    with right:
        rule = _draft(incident, spec)
        if rule is None:
            return
        _try_here(rule, incident)
        key = f"rule:{incident.turn_id}"
        try_out(rule, spec, key=f"{key}:{rule.model_dump_json()}")
        # Another rule may have come into force meanwhile: the draft goes on top of what is in force then.
        propose(lambda session: approval.in_force(session).with_pattern(rule), person, key=key)


def _turn() -> UUID | None:
    try:
        return UUID(st.query_params.get("turn", ""))
    except ValueError:
        return None


def _incident(session: Session, turn_id: UUID) -> _Incident:
    context, bad = stored.freeze(session, turn_id)
    return _Incident(turn_id=turn_id, context=context, bad=bad, judgements=bad_cases.list_judgements(session, turn_id))


def _show_judgements(judgements: Sequence[Rating]) -> None:
    for judgement in judgements:
        faults = fault_list([(tag.tag, tag.severity) for tag in judgement.tags])
        said = f"“{judgement.comment}”" if judgement.comment.strip() else ""
        st.html(f'<div>{stars(judgement.stars)} <span class="p-sub">{escape(faults)} {escape(said)}</span></div>')


# -- the draft --------------------------------------------------------------------------------------------------------------------------


def _draft(incident: _Incident, spec: RewardSpec) -> PatternRule | None:
    key = f"draft:{incident.turn_id}"
    fault, severity = _worst(incident.judgements)
    words = st.multiselect(
        "Words that gave it away",
        [],
        accept_new_options=True,
        placeholder="Type a word or a phrase and press Enter; drop* stands for any ending",
        key=f"{key}:words",
    )
    pattern = _pattern(words, key)
    first, second, third = st.columns([1.4, 1, 1])
    name = first.text_input("Name", value=free_name(str(fault or "new_rule"), spec), max_chars=48, key=f"{key}:name")
    severity = second.selectbox(
        "Severity", [*Severity], index=[*Severity].index(severity), format_func=SEVERITY_WORDS.__getitem__, key=f"{key}:severity"
    )
    weight = third.number_input(
        "Points", min_value=-1000.0, max_value=1000.0, value=usual_weight(severity), step=10.0, format="%g", key=f"{key}:weight:{severity}"
    )
    says = st.text_input("What to tell people", value="is not how we speak: leave it out", max_chars=300, key=f"{key}:says")
    with st.expander("Only where …"):
        unless = st.text_input("Not with (a pattern)", max_chars=MOST_CHARS, key=f"{key}:unless", help="A piece with this too is excused.")
        within = st.selectbox("Looked for", [*Within], format_func=_WITHIN_WORDS.__getitem__, key=f"{key}:within")
        moves = st.multiselect("Moves", [*MoveKind], format_func=move_kind_words, placeholder="Every move", key=f"{key}:moves")
        stages = st.multiselect("Stages", [*Stage], format_func=STAGE_WORDS.__getitem__, placeholder="Every stage", key=f"{key}:stages")
        languages = st.multiselect(
            "Languages", [*_LANGUAGES], format_func=_LANGUAGES.__getitem__, placeholder="Any", key=f"{key}:languages"
        )
    if not pattern.strip():
        st.info("Say which words gave the reply away: the page tries them at once.", icon=":material/info:")
        return None
    try:
        rule = PatternRule(
            name=name or "",
            severity=severity,
            weight=weight,
            pattern=pattern,
            unless=(unless or "").strip() or None,
            within=within,
            says=says or "",
            moves=tuple(moves),
            stages=tuple(stages),
            languages=tuple(languages),
            note=f"From turn {incident.turn_id}.",
        )
        spec.with_pattern(rule)
    except (ValidationError, ParleyError) as error:
        st.warning(_sentence(error), icon=":material/info:")
        return None
    return rule


def _pattern(words: Sequence[str], key: str) -> str:
    """The pattern of the words, or one that the person has written in its place."""
    try:
        made = pattern_of(words) if words else ""
    except ParleyError as error:
        st.warning(str(error), icon=":material/info:")
        return ""
    with st.expander("Pattern", expanded=False):
        own = st.text_input(
            "Pattern (RE2)",
            value=made,
            max_chars=MOST_CHARS,
            key=f"{key}:pattern:{hash(made)}",
            help="Searched without regard to case. No look-around, no back-references.",
        )
    return own or ""


def _worst(judgements: Sequence[Rating]) -> tuple[IssueTag | None, Severity]:
    tags = sorted((tag for judgement in judgements for tag in judgement.tags), key=lambda tag: -WEIGHT[tag.severity])
    return (tags[0].tag, tags[0].severity) if tags else (None, Severity.MAJOR)


def _sentence(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        where = {"name": "The name", "says": "What to tell people", "pattern": "The pattern", "unless": "“Not with”"}
        said = first["msg"].removeprefix("Value error, ")
        field = str(first["loc"][0]) if first["loc"] else ""
        if field == "name":
            return "A name has small letters, digits and _, begins with a letter and has 3 to 48 characters."
        return f"{where.get(field, 'The rule')} {said[:1].lower()}{said[1:]}."
    return str(error)


def _try_here(rule: PatternRule, incident: _Incident) -> None:
    found = rule.check(incident.context, incident.bad)
    if found:
        st.success(f"It finds the reply: {found[0].message}", icon=":material/check:")
    elif not rule.applies(incident.context, incident.bad):
        st.warning("It does not look at this reply: its move, stage or language is left out under “Only where”.", icon=":material/info:")
    else:
        st.warning("It does not find the reply in question. Take words that stand in it.", icon=":material/info:")
