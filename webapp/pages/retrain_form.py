"""What a retrain is asked for, as fields: the objective, the material, what it may cost and what share of conversations tries the result.

Used for a retrain by hand and for what a schedule begins. What is not asked here stays as the plan had it.
"""

from typing import Any

import streamlit as st

from training.jobs.plan import Logged, RetrainPlan, Simulated, parse_plan
from training.runs.plan import NO_JUDGE, STARTER_JUDGE
from training.runs.values import SETTINGS
from webapp.components.run_words import objective_words

_MATERIAL_WORDS = {"logged": "What people judged here", "simulated": "Simulated dialogues"}
_JUDGE_WORDS = {NO_JUDGE: "No judge", STARTER_JUDGE: "Our own model"}
_MOST_SHARE = 50
"""Per cent of new conversations for a canary."""


def plan_fields(plan: RetrainPlan, *, key: str) -> dict[str, Any]:
    """Draw the fields, filled from ``plan``, inside a form of the caller's; what they say, for ``planned``."""
    objectives, materials = [*SETTINGS], [*_MATERIAL_WORDS]
    first, second = st.columns(2)
    objective = first.selectbox(
        "Objective", objectives, index=objectives.index(plan.objective), format_func=objective_words, key=f"{key}:objective"
    )
    kind = second.selectbox(
        "Learns from", materials, index=materials.index(plan.material.kind), format_func=_MATERIAL_WORDS.__getitem__, key=f"{key}:material"
    )
    people_only = isinstance(plan.material, Logged) and plan.material.people_only
    judges: list[str] = list(dict.fromkeys([*_JUDGE_WORDS, plan.judge]))
    judge = st.selectbox(
        "Judge",
        judges,
        index=judges.index(plan.judge),
        format_func=_judge_words,
        key=f"{key}:judge",
        help="Who answers the reward spec’s questions about each reply while it learns.",
    )
    imitate = st.number_input(
        "Steps of imitation first",
        min_value=0,
        value=plan.imitate,
        key=f"{key}:imitate",
        help="Edits, rewrites and excellent replies are imitated before the objective begins: rewards choose among what it says already.",
    )
    first, second = st.columns(2)
    minutes = first.number_input(
        "At most minutes", min_value=1.0, value=plan.budget.minutes, format="%g", placeholder="No limit", key=f"{key}:minutes"
    )
    steps = second.number_input(
        "At most training steps", min_value=1, value=plan.budget.steps, placeholder="As the objective says", key=f"{key}:steps"
    )
    share = st.slider(
        "Canary: per cent of new conversations",
        min_value=0,
        max_value=_MOST_SHARE,
        value=min(round(plan.canary_share * 100), _MOST_SHARE),
        key=f"{key}:share",
        help="Where the gate lets it pass. With 0 it goes live without a canary.",
    )
    people = st.checkbox(
        "Leave out simulated experts’ judgements",
        value=people_only,
        key=f"{key}:people",
        help="Counts where it learns from what was judged.",
    )
    automatic = st.checkbox("A canary that does well goes live by itself", value=plan.automatic, key=f"{key}:automatic")
    return {
        "objective": objective,
        "kind": kind,
        "judge": judge,
        "imitate": int(imitate),
        "people_only": people,
        "minutes": minutes,
        "steps": steps,
        "canary_share": share / 100,
        "automatic": automatic,
    }


def _judge_words(judge: str) -> str:
    return _JUDGE_WORDS.get(judge, judge)


def planned(plan: RetrainPlan, fields: dict[str, Any]) -> RetrainPlan:
    """The plan with what the fields say. Raises PlanRefused."""
    values = plan.model_dump(mode="json")
    if fields["kind"] != plan.material.kind:
        values["material"] = (Logged() if fields["kind"] == "logged" else Simulated()).model_dump(mode="json")
    if fields["kind"] == "logged":
        values["material"]["people_only"] = fields["people_only"]
    if fields["objective"] != plan.objective:
        # They are the other objective's.
        values["settings"] = {}
    values |= {name: fields[name] for name in ("objective", "judge", "imitate", "canary_share", "automatic")}
    values["budget"] = {"minutes": fields["minutes"], "steps": None if fields["steps"] is None else int(fields["steps"])}
    return parse_plan(values)
