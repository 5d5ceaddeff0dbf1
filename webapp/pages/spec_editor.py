"""Changing the reward spec: weights and a few settings in tables, what would differ, what it would have done, and the proposal.

Nothing counts until somebody else has approved it. What is typed stays in the visitor's session only.
"""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from db.errors import ParleyError
from db.repositories import reward_specs
from training.rewards import approval
from training.rewards.patterns import PatternRule
from training.rewards.preview import Preview, preview
from training.rewards.spec import Ramp, RewardSpec, diff, parse_spec
from webapp import database
from webapp.auth.identity import Identity
from webapp.components.changes import changes_html
from webapp.components.spec_views import examples_html, preview_words
from webapp.components.verdicts import rule_words
from webapp.shell.notes import note

_LAST = (500, 2_000, 10_000)
_TRIED = "spec_tried"
_ROW = 35


def edit_spec(spec: RewardSpec, person: Identity) -> None:
    """Draw the editor on the spec in force."""
    left, right = st.columns([1.1, 1], gap="large")
    with left:
        body = _fields(spec)
    with right:
        st.subheader("What would differ")
        try:
            changed = parse_spec(body, source="The changed spec")
        except ParleyError as error:
            st.warning(str(error), icon=":material/info:")
            return
        found = diff(spec, changed)
        if not found:
            st.caption("Nothing yet: change a weight on the left. It is a proposal until somebody else has approved it.")
            return
        st.html(changes_html(found))
        try_out(changed, spec, key=f"spec:{changed.digest}")
        propose(lambda session: _still(session, spec, changed), person, key=f"spec:{spec.version}")


def _still(session: Session, seen: RewardSpec, changed: RewardSpec) -> RewardSpec:
    """The changed spec, as long as what it was made from is still in force: else it would take back what somebody else has changed."""
    current = approval.in_force(session)
    if current.version != seen.version:
        raise approval.ProposalRefused(
            f"Version {current.version} has come into force meanwhile. Reload the page and make the change to that."
        )
    return changed


def _fields(spec: RewardSpec) -> dict[str, Any]:
    """The whole body as it stands in the fields."""
    body = spec.body()
    key = f"edit:{spec.version}"
    st.subheader("Points a breach costs")
    fixed = [name for name, weight in spec.rules.items() if not isinstance(weight, Ramp)]
    own = [rule.name for rule in spec.patterns]
    rows = [{"Rule": rule_words(name), "Points": float(body["rules"][name])} for name in fixed]
    rows += [{"Rule": f"{name} (our own)", "Points": rule.weight} for name, rule in zip(own, spec.patterns, strict=True)]
    edited = _table(rows, locked="Rule", number="Points", key=f"{key}:rules", what="What each rule costs; click a number to change it")
    for name, points in zip([*fixed, *own], edited, strict=True):
        if name in body["rules"]:
            body["rules"][name] = points
        else:
            next(rule for rule in body["patterns"] if rule["name"] == name)["weight"] = points
    st.caption("0 switches a rule off. A rule of the guard never pays: it costs 0 to −1,000.")
    for name, weight in spec.rules.items():
        if isinstance(weight, Ramp):
            body["rules"][name] = _ramp(name, weight, key=f"{key}:{name}")
    if own:
        gone = st.multiselect("Take out rules of our own", own, placeholder="None", key=f"{key}:gone")
        body["patterns"] = [rule for rule in body["patterns"] if rule["name"] not in gone]
    with st.expander("Whole reward"):
        body |= _whole(spec, key)
    with st.expander("The judge’s questions"):
        items = body["rubric"]["items"]
        asked = [{"Asks": item["asks"], "Points a mark": float(item["weight"])} for item in items]
        points = _table(asked, locked="Asks", number="Points a mark", key=f"{key}:rubric", what="What a mark of the judge is worth")
        for item, one in zip(items, points, strict=True):
            item["weight"] = one
    return body


def _table(rows: list[dict[str, Any]], *, locked: str, number: str, key: str, what: str) -> list[float]:
    edited = st.data_editor(
        pd.DataFrame(rows),
        key=key,
        hide_index=True,
        disabled=[locked],
        row_height=_ROW,
        height=_ROW * (len(rows) + 1) + 5,
        column_config={
            locked: st.column_config.TextColumn(width="large"),
            number: st.column_config.NumberColumn(format="%g", required=True),
        },
        alt=what,
    )
    return [float(value) for value in edited[number]]


def _ramp(name: str, weight: Ramp, *, key: str) -> dict[str, float | int]:
    st.html(f'<p class="p-label">{rule_words(name)}: grows with the characters</p>')
    first, second, third, fourth = st.columns(4)
    mildest = first.number_input("Mildest", max_value=0.0, min_value=-1000.0, value=weight.mildest, format="%g", key=f"{key}:mildest")
    start = second.number_input("up to", min_value=0, max_value=10_000, value=weight.start, step=20, key=f"{key}:start")
    worst = third.number_input("Worst", max_value=0.0, min_value=-1000.0, value=weight.worst, format="%g", key=f"{key}:worst")
    end = fourth.number_input("from", min_value=1, max_value=10_000, value=weight.end, step=20, key=f"{key}:end")
    return {"mildest": mildest, "worst": worst, "start": int(start), "end": int(end)}


def _whole(spec: RewardSpec, key: str) -> dict[str, Any]:
    bound = st.number_input("E is clipped to ±", min_value=1.0, max_value=10_000.0, value=spec.n, format="%g", key=f"{key}:n")
    veto = st.checkbox("A severe breach overrides everything (veto)", value=spec.veto, key=f"{key}:veto")
    value = st.number_input(
        "A vetoed reply gets minus",
        min_value=0.1,
        max_value=1_000.0,
        value=spec.veto_value,
        format="%g",
        disabled=not veto,
        key=f"{key}:value",
    )
    return {"n": bound, "veto": veto, "veto_value": value}


# -- what a change would have done, and its proposal ------------------------------------------------------------------------------------


def try_out(change: RewardSpec | PatternRule, spec: RewardSpec, *, key: str) -> None:
    """A button that tries a change on the newest turns, and what came of it as long as the change is the same."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        last = st.selectbox("Our last turns", _LAST, index=1, format_func=lambda number: f"{number:,}", key="spec_last", width=130)
        pressed = st.button("Try it on them", icon=":material/search_check:", key=f"{key}:try"[:120])
    if pressed:
        bar = st.progress(0.0, text="Trying it on what was said …")
        found = preview(database.sessions(), change, last, against=spec, progress=lambda done: _advance(bar.progress, done, last))
        bar.empty()
        st.session_state[_TRIED] = (key, found)
    tried: tuple[str, Preview] | None = st.session_state.get(_TRIED)
    if tried is None or tried[0] != key:
        return
    _show(tried[1])


def _advance(tell: Callable[..., object], done: int, last: int) -> None:
    tell(min(done / last, 1.0), text=f"Trying it on what was said: {done:,} turns")


def _show(found: Preview) -> None:
    if not found.turns:
        st.info("No turn of ours is logged yet, so there is nothing to try it on.", icon=":material/info:")
        return
    st.markdown("\n\n".join(preview_words(found)))
    if len(found.by_rule) > 1:
        rows = [
            {"Rule": rule_words(one.rule), "Hits": one.hits, "Rated": one.rated, "False alarms": one.false_alarms} for one in found.by_rule
        ]
        st.dataframe(pd.DataFrame(rows), hide_index=True, row_height=_ROW, alt="Hits and false alarms of each rule")
    if found.examples:
        with st.expander(f"Replies that it hits ({len(found.examples)})", expanded=len(found.by_rule) == 1):
            st.html(examples_html(found))


def propose(make: Callable[[Session], RewardSpec], person: Identity, *, key: str) -> None:
    """The reason and the button; ``make`` gives the whole spec that is proposed, while nobody else can put another in force."""
    why = st.text_area(
        "Why it is to change",
        max_chars=approval.MOST_NOTE_CHARS,
        height=80,
        placeholder="What happened, and what this will mend",
        key=f"{key}:why",
    )
    if not st.button("Propose it", type="primary", icon=":material/send:", key=f"{key}:propose"):
        return
    try:
        with database.sessions().begin() as session:
            reward_specs.lock(session)
            version = approval.propose(session, make(session), note=why or "", actor=person.user_id)
    except ParleyError as error:
        st.error(str(error), icon=":material/error:")
        return
    note(f"Version {version} is proposed. Somebody else of operations puts it in force under “History”.")
    st.rerun()
