"""Versions of the policy to look at: which came from which, what is live and what is canary, and what two said to the same cases."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from html import escape
from uuid import UUID

from db.models import Deployment, PolicyVersion
from db.vocabulary import DeploymentRole, PolicyStatus
from webapp.components.words import moment

MOST_DRAWN = 24
"""Versions in the picture of the lineage; the list has them all."""
_STATUS_WORDS = {
    PolicyStatus.CANDIDATE: "candidate",
    PolicyStatus.PUBLISHED: "published",
    PolicyStatus.REJECTED: "rejected",
    PolicyStatus.REMOVED: "files removed",
}
_FILLS = {
    "live": "#bfe5cc",
    "canary": "#fbe3ae",
    "published": "#dfe9ea",
    "candidate": "#eef2f2",
    "rejected": "#f6d2ce",
    "files removed": "#eef2f2",
}
_ROLE_WORDS = {DeploymentRole.LIVE: "live", DeploymentRole.CANARY: "canary", DeploymentRole.RETIRED: "rolled back"}
_NOTED = {
    "objective": "Objective",
    "start": "Began at",
    "snapshot_sha256": "Snapshot",
    "spec_version": "Reward spec",
    "adapter_sha256": "Weights",
    "seed": "Seed",
}
_LONGEST = 26


def version_state(version: PolicyVersion, roles: Mapping[UUID, Deployment]) -> str:
    """``live``, ``canary 10 %`` or how far it has come."""
    deployed = roles.get(version.id)
    if deployed is None:
        return _STATUS_WORDS[version.status]
    share = f" {deployed.share:.0%}" if deployed.role is DeploymentRole.CANARY else ""
    return f"{_ROLE_WORDS[deployed.role]}{share}"


def lineage_dot(versions: Sequence[PolicyVersion], roles: Mapping[UUID, Deployment]) -> str:
    """The newest versions and what each began at, in Graphviz' language."""
    drawn = list(versions[:MOST_DRAWN])
    known = {version.id for version in drawn}
    lines = [
        'digraph lineage { rankdir=LR; bgcolor="transparent"; nodesep=0.25; ranksep=0.45;',
        'node [shape=box, style="rounded,filled", color="#9db0b2", margin="0.16,0.08"];',
        'node [fontname="sans-serif", fontsize=12, fontcolor="#16292c"];',
        'edge [color="#8a9a9c", arrowsize=0.7];',
    ]
    for version in drawn:
        state = version_state(version, roles)
        fill = _FILLS.get(state.partition(" ")[0], _FILLS.get(state, "#dfe9ea"))
        label = _quoted(_cut(version.name), state)
        lines.append(f'"{version.id}" [label={label}, fillcolor="{fill}"];')
        if version.parent_id in known:
            lines.append(f'"{version.parent_id}" -> "{version.id}";')
    return "\n".join([*lines, "}"])


def _quoted(*lines: str) -> str:
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def deployed_html(deployed: Deployment, *, zone: tzinfo) -> str:
    """What has a role now, as a card's head."""
    kind = "p-good" if deployed.role is DeploymentRole.LIVE else "p-warn"
    share = "" if deployed.role is DeploymentRole.LIVE else f" {deployed.share:.0%} of new conversations"
    return (
        f'<div class="p-title"><h3>{escape(deployed.policy_version.name)}</h3>'
        f'<span class="p-chip {kind}">{_ROLE_WORDS[deployed.role]}{share}</span></div>'
        f'<p class="p-sub">since {moment(deployed.active_from, zone=zone)}</p>'
    )


def origin_html(version: PolicyVersion, parent: PolicyVersion | None) -> str:
    """Where a version came from."""
    rows = f"<dt>Parent</dt><dd>{escape(parent.name) if parent is not None else '—'}</dd>"
    rows += f"<dt>Base model</dt><dd>{escape(version.base_model)}</dd>"
    for name, title in _NOTED.items():
        value = version.note.get(name)
        if value is not None:
            said = str(value)[:16] if name.endswith("sha256") else str(value)
            rows += f"<dt>{title}</dt><dd>{escape(said)}</dd>"
    return f'<section class="p-card"><header><h4>{escape(version.name)}</h4></header><dl>{rows}</dl></section>'


def spans_html(spans: Sequence[Deployment], *, zone: tzinfo) -> str:
    """When the version had which role."""
    if not spans:
        return '<p class="p-sub">It has never answered a hotel.</p>'
    items = "".join(f"<li>{_span(span, zone)}</li>" for span in spans)
    return f'<ul class="p-sub">{items}</ul>'


def _span(span: Deployment, zone: tzinfo) -> str:
    share = f" {span.share:.0%}" if span.role is DeploymentRole.CANARY else ""
    until = "now" if span.active_to is None else moment(span.active_to, zone=zone)
    return f"{_ROLE_WORDS[span.role]}{share}, {moment(span.active_from, zone=zone)} to {until}"


def answers_html(rows: Sequence[tuple[str, str, str | None, bool, str | None, bool]], first: str, second: str) -> str:
    """Two versions' answers to the same cases: fault, heard, and of each version the text and whether it is a fix."""
    return "".join(
        f'<p class="p-heard"><b>{escape(fault)}</b> {escape(f"Hotel: {heard}" if heard.strip() else "The hotel has said nothing.")}</p>'
        f'<div class="p-pair">{_answer(one, one_fixed, first)}{_answer(other, other_fixed, second, newer=True)}</div>'
        for fault, heard, one, one_fixed, other, other_fixed in rows
    )


def _answer(text: str | None, fixed: bool, whose: str, *, newer: bool = False) -> str:
    kind = "p-said p-after" if newer else "p-said"
    mark = '<span class="p-chip p-good">fixed</span>' if fixed else '<span class="p-chip p-bad">not fixed</span>'
    said = escape(text) if text is not None else "<em>An answer that is no reply.</em>"
    return f'<div class="{kind}"><p class="p-label">{escape(whose)} {mark}</p>{said}</div>'
