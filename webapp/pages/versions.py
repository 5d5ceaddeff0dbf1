"""Versions of the policy: which came from which, what answers hotels now, and the moves that operations may make.

Moves are ``training.release.traffic``'s; this page asks for them and says what came of it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from functools import partial
from uuid import UUID

import pandas as pd
import streamlit as st

from db.models import Deployment, PolicyVersion
from db.repositories import deployments, policy_versions, retrains
from db.vocabulary import DeploymentRole, PolicyStatus
from training.release import traffic
from training.release.traffic import Moved
from webapp import backend, database
from webapp.auth.identity import Identity
from webapp.components.empty import empty_html
from webapp.components.version_views import deployed_html, lineage_dot, origin_html, spans_html, version_state
from webapp.components.words import moment
from webapp.pages.version_samples import show_side_by_side
from webapp.shell import places
from webapp.shell.notes import note, told
from webapp.shell.signed_in import reader_zone, signed_in

_LEAST_SHARE, _MOST_SHARE, _USUAL_SHARE = 1, 50, 10
"""Per cent of new conversations."""
_FEWEST_REASON = 10


def show() -> None:
    """Draw the page."""
    person = signed_in(*places.VERSIONS.roles)
    zone = reader_zone()
    st.html(
        '<div class="p-title"><h1>Versions</h1>'
        '<p class="p-sub">Who answers hotels. A conversation keeps the version that it was opened with.</p></div>'
    )
    with database.sessions().begin() as session:
        versions = policy_versions.list_all(session)
        active = {one.policy_version_id: one for one in deployments.list_active(session)}
    if not versions:
        st.html(empty_html("No version yet", "The base model answers. A retrain that passes the gate brings the first version."))
        return
    _show_active(list(active.values()), person, zone)
    st.subheader("Lineage")
    st.graphviz_chart(lineage_dot(versions, active), width="content")
    chosen = _table(versions, active, zone)
    _show_version(chosen, versions, active, person, zone)
    show_side_by_side(versions, newer=chosen)


# -- what answers now -------------------------------------------------------------------------------------------------------------------


def _show_active(active: Sequence[Deployment], person: Identity, zone: tzinfo) -> None:
    live = next((one for one in active if one.role is DeploymentRole.LIVE), None)
    canary = next((one for one in active if one.role is DeploymentRole.CANARY), None)
    left, right = st.columns(2, gap="medium")
    with left.container(border=True, height="stretch"):
        if live is None:
            st.caption("No version is live: the base model answers.")
        else:
            st.html(deployed_html(live, zone=zone))
            _offer_roll_back(live, person, "the version before becomes live again")
    with right.container(border=True, height="stretch"):
        if canary is None:
            st.caption("No canary. Choose a published version below to try it on a share of new conversations.")
        else:
            st.html(deployed_html(canary, zone=zone))
            _change_canary(canary, person)


def _change_canary(canary: Deployment, person: Identity) -> None:
    now = round(canary.share * 100)
    with st.form(f"share:{canary.id}", border=False, enter_to_submit=False):
        share = st.slider(
            "Per cent of new conversations",
            min_value=_LEAST_SHARE,
            max_value=max(_MOST_SHARE, now),
            value=max(now, _LEAST_SHARE),
            key=f"share:{canary.id}:per-cent",
        )
        if st.form_submit_button("Set the share", icon=":material/tune:"):
            _move(lambda: traffic.set_share(database.sessions(), share=share / 100, actor=person.user_id))
            st.rerun()
    with st.container(horizontal=True):
        st.button(
            "Promote",
            type="primary",
            icon=":material/rocket_launch:",
            on_click=_move,
            args=(partial(_promote, canary.policy_version_id, person),),
            help="It answers all new conversations from now on.",
        )
        _offer_roll_back(canary, person, "its share goes back to the live version")
        places.link(places.COMPARISON, "How it does")


def _offer_roll_back(deployed: Deployment, person: Identity, effect: str) -> None:
    name, version_id = deployed.policy_version.name, deployed.policy_version_id
    with st.popover("Roll back", icon=":material/undo:"), st.form(f"back:{deployed.id}", border=False, enter_to_submit=False):
        st.caption(f"{name} answers nobody any more, and {effect}.")
        reason = st.text_input("Reason", max_chars=500, key=f"back:{deployed.id}:reason")
        pressed = st.form_submit_button(f"Roll back {name}", type="primary", icon=":material/undo:")
    if not pressed:
        return
    if len((reason or "").strip()) < _FEWEST_REASON:
        st.warning(f"Say in at least {_FEWEST_REASON} characters why. It is written into the audit trail.", icon=":material/info:")
        return
    _move(
        lambda: traffic.roll_back(
            database.sessions(), backend.fleet(), actor=person.user_id, reason=(reason or "").strip(), version_id=version_id
        )
    )
    st.rerun()


# -- all versions -----------------------------------------------------------------------------------------------------------------------


def _table(versions: Sequence[PolicyVersion], active: Mapping[UUID, Deployment], zone: tzinfo) -> PolicyVersion:
    """The list; the selected version, else the one that the address names, else the newest."""
    names = {version.id: version.name for version in versions}
    frame = pd.DataFrame(
        [
            {
                "Version": version.name,
                "State": version_state(version, active),
                "Parent": names.get(version.parent_id, "—") if version.parent_id is not None else "—",
                "Objective": str(version.note.get("objective", "—")),
                "Made": moment(version.created_at, zone=zone),
            }
            for version in versions
        ]
    )
    selection = st.dataframe(
        frame,
        key="versions",
        hide_index=True,
        row_height=36,
        height=330 if len(versions) > 12 else "auto",
        on_select="rerun",
        selection_mode="single-row",
        column_config={"Version": st.column_config.TextColumn(width="medium")},
        alt="Versions, newest first; select one to see where it came from",
    )
    chosen = [versions[index] for index in selection["selection"]["rows"] if index < len(versions)]
    named = [version for version in versions if str(version.id) == st.query_params.get("id")]
    return (chosen or named or [versions[0]])[0]


def _show_version(
    version: PolicyVersion, versions: Sequence[PolicyVersion], active: Mapping[UUID, Deployment], person: Identity, zone: tzinfo
) -> None:
    parent = next((one for one in versions if one.id == version.parent_id), None)
    with database.sessions().begin() as session:
        spans = deployments.list_of_version(session, version.id)
        retrain = retrains.find_of_candidate(session, version.id)
    left, right = st.columns([1, 1], gap="medium")
    with left:
        st.html(origin_html(version, parent))
    with right:
        st.html(spans_html(spans, zone=zone))
        with st.container(horizontal=True):
            if retrain is not None:
                places.link(places.RETRAIN, "Its retrain", query={"id": str(retrain.id)})
                if retrain.training_run_id is not None:
                    places.link(places.RUN, "Its training run", query={"id": str(retrain.training_run_id)})
        if version.status is PolicyStatus.PUBLISHED and version.id not in active:
            _offer_canary(version, active, person)


def _offer_canary(version: PolicyVersion, active: Mapping[UUID, Deployment], person: Identity) -> None:
    if any(one.role is DeploymentRole.CANARY for one in active.values()):
        st.caption("There is a canary already: promote it or roll it back first.")
        return
    with st.form(f"canary:{version.id}", border=False, enter_to_submit=False):
        share = st.slider("Per cent of new conversations", _LEAST_SHARE, _MOST_SHARE, _USUAL_SHARE, key=f"canary:{version.id}:per-cent")
        first, second = st.columns(2)
        tried = first.form_submit_button("Try it as a canary", icon=":material/science:", width="stretch")
        at_once = second.form_submit_button("Make it live at once", icon=":material/rocket_launch:", width="stretch")
    if tried:
        _move(lambda: traffic.start_canary(database.sessions(), backend.fleet(), version.id, share=share / 100, actor=person.user_id))
        st.rerun()
    if at_once:
        _move(partial(_promote, version.id, person))
        st.rerun()


def _promote(version_id: UUID, person: Identity) -> Moved | None:
    return traffic.promote(database.sessions(), backend.fleet(), version_id, actor=person.user_id)


def _move(make: Callable[[], Moved | None]) -> None:
    """Make a move and say on the next run what came of it."""
    with told():
        note(_words(make()))


def _words(moved: Moved | None) -> str:
    match moved:
        case None:
            return "Nothing was changed: somebody else was faster, or it was so already."
        case Moved(action=traffic.PROMOTE):
            return f"{moved.version} is live."
        case Moved(action=traffic.ROLL_BACK):
            went = f" {moved.conversations:,} open conversations go on with it." if moved.conversations else ""
            return f"{moved.version} is rolled back; {moved.live or 'the base model'} answers.{went}"
        case Moved(action=traffic.CANARY):
            return f"{moved.version} is the canary."
        case _:
            return f"The share of {moved.version} is set."
