"""Two versions side by side: what each said to the same bad cases when the gate measured it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from db.models import PolicyVersion, Retrain
from db.repositories import retrains
from db.vocabulary import IssueTag, RetrainStep
from training.release.answers import Answer, read_answers
from webapp import database
from webapp.components.rating_words import FAULT_WORDS
from webapp.components.version_views import answers_html

_LOOKED_THROUGH = 50
"""Retrains, the newest, whose measurements are known here."""
_SHOWN = 8


def show_side_by_side(versions: Sequence[PolicyVersion], *, newer: PolicyVersion) -> None:
    """Draw the choice of two versions and their answers; ``newer`` stands on the right at first."""
    st.subheader("Side by side")
    with database.sessions().begin() as session:
        measured = _measured(retrains.list_newest(session, limit=_LOOKED_THROUGH))
    known = [version.name for version in versions if version.name in measured]
    if len(known) < 2:
        st.caption("Two versions that the gate has measured are needed: each retrain that comes as far as the gate brings them.")
        return
    parent = next((version.name for version in versions if version.id == newer.parent_id), "")
    right_at = known.index(newer.name) if newer.name in known else 0
    others = [name for name in known if name != known[right_at]]
    left_at = known.index(parent) if parent in others else known.index(others[0])
    first, second, third = st.columns([1, 1, 1.2], vertical_alignment="bottom")
    one = first.selectbox("One version", known, index=left_at, key=f"side:{newer.id}:one")
    other = second.selectbox("The other", known, index=right_at, key=f"side:{newer.id}:other")
    only = third.checkbox("Only where they differ in being a fix", key="side:differ")
    _show(measured[one], measured[other], one, other, only=only)


def _measured(newest: Sequence[Retrain]) -> Mapping[str, tuple[Path, str]]:
    """By version's name: the gate's folder in which it was measured last, and on which side."""
    found: dict[str, tuple[Path, str]] = {}
    for retrain in newest:
        if retrain.verdict is None:
            continue
        folder = Path(retrain.folder) / RetrainStep.EVALUATE
        if retrain.candidate is not None:
            found.setdefault(retrain.candidate.name, (folder, "candidate"))
        found.setdefault(str(retrain.verdict.get("live", "")), (folder, "live"))
    return found


def _show(one: tuple[Path, str], other: tuple[Path, str], first: str, second: str, *, only: bool) -> None:
    ours, theirs = _answers(*one), _answers(*other)
    rows = [
        (FAULT_WORDS[IssueTag(fault)], heard, answer.text, answer.fixed, theirs[case][2].text, theirs[case][2].fixed)
        for case, (fault, heard, answer) in ours.items()
        if case in theirs and not (only and answer.fixed == theirs[case][2].fixed)
    ]
    if not rows:
        said = "They differ in none of the cases." if only and ours and theirs else "Their answers are not on this machine."
        st.caption(said)
        return
    st.html(answers_html(rows[:_SHOWN], first, second))
    if len(rows) > _SHOWN:
        with st.expander(f"{len(rows) - _SHOWN} more"):
            st.html(answers_html(rows[_SHOWN:], first, second))


def _answers(folder: Path, side: str) -> dict[str, tuple[str, str, Answer]]:
    """By case: its fault, what was heard, and the version's answer."""
    return {row.case: (row.fault, row.heard, row.candidate if side == "candidate" else row.live) for row in read_answers(folder)}
