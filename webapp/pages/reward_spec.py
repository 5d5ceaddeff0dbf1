"""The reward spec, for operations: what is in force, a change to propose, and every version with what it changed.

A change is proposed by one person and put in force by another (``training.rewards.approval``); this page only asks for it.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from html import escape
from uuid import UUID

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from db import models
from db.errors import ParleyError
from db.repositories import reward_specs
from db.vocabulary import SpecStatus
from training.rewards import approval
from training.rewards.spec import Change, RewardSpec, shipped_spec
from webapp import database
from webapp.auth.identity import Identity
from webapp.components.changes import changes_html
from webapp.components.empty import empty_html
from webapp.components.spec_views import patterns_html, weights_chart
from webapp.components.words import moment
from webapp.pages.spec_editor import edit_spec
from webapp.shell import places
from webapp.shell.notes import note, told
from webapp.shell.signed_in import reader_zone, signed_in

_STATUS_CLASS = {SpecStatus.DRAFT: "p-warn", SpecStatus.APPROVED: "p-quiet", SpecStatus.RETIRED: "p-dim"}
_STATUS_WORDS = {SpecStatus.DRAFT: "waits for approval", SpecStatus.APPROVED: "approved", SpecStatus.RETIRED: "retired"}


class View(StrEnum):
    """What is shown."""

    IN_FORCE = "In force"
    CHANGE = "Change it"
    HISTORY = "History"


def show() -> None:
    """Draw the page."""
    person = signed_in(*places.REWARD_SPEC.roles)
    with database.sessions().begin() as session:
        versions = reward_specs.list_all(session)
        spec, problem = _in_force(session)
    chip = f'<span class="p-chip p-good">version {spec.version} in force</span>'
    waiting = sum(row.status is SpecStatus.DRAFT for row in versions)
    chip += f' <span class="p-chip p-warn">{_count(waiting)} for approval</span>' if waiting else ""
    st.html(
        f'<div class="p-title"><h1>Reward spec</h1>{chip}</div><p class="p-sub">What a reply’s faults cost when the policy learns. '
        "One person proposes a change, another approves it, and the next retrain takes it.</p>"
    )
    if problem:
        st.error(problem, icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        view = st.segmented_control("View", [*View], default=View.IN_FORCE, required=True, key="spec_view", label_visibility="collapsed")
        places.link(places.NEW_RULE, "Rule from an incident", icon=":material/add_alert:")
    if view == View.CHANGE:
        edit_spec(spec, person)
    elif view == View.HISTORY:
        _show_versions(versions, spec, person)
    else:
        _show_spec(spec)


def _in_force(session: Session) -> tuple[RewardSpec, str]:
    """The spec in force, or the one that ships and the reason why the stored one cannot be used."""
    try:
        return approval.in_force(session), ""
    except ParleyError as error:
        return shipped_spec(), f"{error} Until it is mended here is the one that ships."


# -- in force ---------------------------------------------------------------------------------------------------------------------------


def _show_spec(spec: RewardSpec) -> None:
    left, right = st.columns([1.15, 1], gap="large")
    with left:
        st.subheader("What a fault costs")
        st.altair_chart(weights_chart(spec), width="stretch", alt="Weight of each rule, in points of E")
        product = "R_model + |R_model| · E / n" if spec.combine == "repo" else f"R_model + {spec.sum_weight:g} · E / n"
        veto = f"A severe breach gives −{spec.veto_value:g} whatever people like." if spec.veto else "No veto for severe breaches."
        st.caption(f"E = judge + rules, clipped to ±{spec.n:g}. R_total = {product}. {veto}")
    with right:
        st.subheader("Rules of our own")
        if spec.patterns:
            st.html(patterns_html(spec.patterns))
        else:
            st.html(empty_html("None yet", "Where the guard misses something, draft a rule from the reply that it missed."))
        st.subheader("What the judge is asked")
        rows = [
            {"Asks": item.asks, "Points a mark": item.weight, "Marks": f"{item.lowest} to {item.highest}"} for item in spec.rubric.items
        ]
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            row_height=34,
            column_config={
                "Points": st.column_config.NumberColumn(width=60, format="%g", help="That one mark is worth"),
                "Marks": st.column_config.TextColumn(width=70),
            },
            alt="The judge's questions with their weights",
        )


# -- versions ---------------------------------------------------------------------------------------------------------------------------


def _show_versions(versions: Sequence[models.RewardSpec], spec: RewardSpec, person: Identity) -> None:
    if not versions:
        st.html(
            empty_html("Nothing was changed yet", "The spec that ships with Parley is in force. Choose “Change it” to propose another.")
        )
        return
    chosen = _table(versions, spec)
    row = chosen or next((one for one in versions if one.status is SpecStatus.DRAFT), versions[0])
    _show_version(row, person)


def _table(versions: Sequence[models.RewardSpec], spec: RewardSpec) -> models.RewardSpec | None:
    zone = reader_zone()
    frame = pd.DataFrame(
        [
            {
                "Version": row.version,
                "State": "in force" if row.version == spec.version else _STATUS_WORDS[row.status],
                "From": "" if row.parent is None else str(row.parent),
                "Proposed by": row.author.name if row.author is not None else "Parley",
                "Approved by": row.approver.name if row.approver is not None else "",
                "When": moment(row.created_at, zone=zone),
                "Why": " ".join(row.note.split()),
            }
            for row in versions
        ]
    )
    selection = st.dataframe(
        frame,
        key="spec_versions",
        hide_index=True,
        row_height=38,
        height=400 if len(versions) > 12 else "auto",
        on_select="rerun",
        selection_mode="single-row",
        column_config={"Version": st.column_config.NumberColumn(width=70), "Why": st.column_config.TextColumn(width="large")},
        alt="Versions of the reward spec; select one to see what it changed",
    )
    chosen = [versions[index] for index in selection["selection"]["rows"] if index < len(versions)]
    return chosen[0] if chosen else None


def _show_version(row: models.RewardSpec, person: Identity) -> None:
    with database.sessions().begin() as session:
        changes: Sequence[Change] = approval.changes(session, row.version)
    with st.container(border=True):
        chip = f'<span class="p-chip {_STATUS_CLASS[row.status]}">{_STATUS_WORDS[row.status]}</span>'
        who = row.author.name if row.author is not None else "Parley"
        st.html(f'<div class="p-title"><h3>Version {row.version}</h3>{chip}<span class="p-sub">proposed by {escape(who)}</span></div>')
        if row.note:
            st.html(f'<p class="p-sub">“{escape(row.note)}”</p>')
        if changes:
            st.html(changes_html(changes))
        else:
            st.caption("It was not made from another version.")
        _acts(row, person)


def _acts(row: models.RewardSpec, person: Identity) -> None:
    if row.status is SpecStatus.RETIRED:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if row.status is SpecStatus.DRAFT:
            st.button(
                f"Put version {row.version} in force",
                type="primary",
                icon=":material/check:",
                key=f"approve:{row.version}",
                on_click=_act,
                args=(_approve, row.version, person),
            )
        label = "Refuse it" if row.status is SpecStatus.DRAFT else "Take it out of force"
        st.button(label, icon=":material/block:", key=f"retire:{row.version}", on_click=_act, args=(_retire, row.version, person))
        if row.status is SpecStatus.DRAFT and row.created_by == person.user_id:
            st.caption("Your own proposal: somebody else approves it.", width="content")


def _act(act: Callable[[int, UUID], str], version: int, person: Identity) -> None:
    with told():
        note(act(version, person.user_id))


def _approve(version: int, actor: UUID) -> str:
    with database.sessions().begin() as session:
        approval.approve(session, version, actor=actor)
    return f"Version {version} is in force: the next retrain takes it."


def _retire(version: int, actor: UUID) -> str:
    with database.sessions().begin() as session:
        approval.retire(session, version, actor=actor)
        current = approval.in_force(session).version
    return f"Version {version} is retired; version {current} is in force."


def _count(number: int) -> str:
    return "1 draft" if number == 1 else f"{number} drafts"
