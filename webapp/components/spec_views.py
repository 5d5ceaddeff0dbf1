"""A reward spec to look at: what each fault costs as bars, the judge's questions, and what a change would have done.

Decided here: words and pictures. What a rule is, and what a false alarm, is ``training.rewards``' to say.
"""

from collections.abc import Sequence
from html import escape

import altair as alt

from training.rewards.patterns import PatternRule
from training.rewards.preview import Preview
from training.rewards.spec import Ramp, RewardSpec
from webapp.components.rating_charts import FINE, ODD, QUIET, Picture
from webapp.components.verdicts import rule_words

_STEP = 26


def weights_chart(spec: RewardSpec) -> Picture:
    """What a breach of each rule costs, the dearest first; a bonus goes to the right. One that grows goes from mildest to worst."""
    rows = [
        {
            "rule": rule_words(name),
            "least": weight.mildest if isinstance(weight, Ramp) else 0.0,
            "most": weight.worst if isinstance(weight, Ramp) else weight,
            "kind": "off" if weight == 0 else "fault",
            "of": "guard",
        }
        for name, weight in spec.rules.items()
    ]
    rows += [
        {
            "rule": rule_words(rule.name),
            "least": 0.0,
            "most": rule.weight,
            "kind": "bonus" if rule.weight > 0 else "off" if rule.weight == 0 else "fault",
            "of": "own",
        }
        for rule in spec.patterns
    ]
    rows.sort(key=lambda row: (float(row["most"]), str(row["rule"])))
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("rule:N", sort=[str(row["rule"]) for row in rows], title=None, axis=alt.Axis(labelLimit=220, labelOverlap=False)),
        color=alt.Color("kind:N", scale=alt.Scale(domain=["fault", "bonus", "off"], range=[ODD, FINE, QUIET]), legend=None),
        tooltip=[alt.Tooltip("rule:N"), alt.Tooltip("most:Q", title="weight"), alt.Tooltip("of:N", title="whose")],
    )
    bars = base.mark_bar(height=13, cornerRadiusEnd=3).encode(x=alt.X("most:Q", title="points of E for a breach"), x2="least:Q")
    return alt.layer(bars).properties(height=len(rows) * _STEP + 60)


def patterns_html(patterns: Sequence[PatternRule]) -> str:
    """The spec's own rules, each as a card."""
    return "".join(_pattern(rule) for rule in patterns)


def _pattern(rule: PatternRule) -> str:
    only = [*(str(move).replace("_", " ") for move in rule.moves), *(str(stage) for stage in rule.stages), *rule.languages]
    rows = f"<dt>Looks for</dt><dd><code>{escape(rule.pattern)}</code></dd>"
    rows += f"<dt>Not with</dt><dd><code>{escape(rule.unless)}</code></dd>" if rule.unless else ""
    rows += f"<dt>Only</dt><dd>{escape(', '.join(only))}</dd>" if only else ""
    rows += f"<dt>Why</dt><dd>{escape(rule.note)}</dd>" if rule.note else ""
    kind = "p-good" if rule.weight > 0 else "p-dim" if rule.weight == 0 else "p-bad"
    return (
        f'<section class="p-card"><header><h4>{escape(rule.name)}</h4><span class="p-chip {kind}">{rule.weight:+g}</span></header>'
        f'<p class="p-sub">{escape(rule.says)}</p><dl>{rows}</dl></section>'
    )


def preview_words(found: Preview) -> tuple[str, ...]:
    """What a change would have done, as sentences."""
    if not found.by_rule:
        return ("Nothing in it differs from what is in force.",)
    simulated = f", {found.simulated_turns:,} of them said to practice hotels" if found.simulated_turns else ""
    lines = [f"{found.turns:,} turns of ours were tried{simulated}; **{found.hits:,}** would be hit."]
    share = found.false_alarm_estimate
    if share is not None:
        lines.append(
            f"People have rated {found.rated_hits:,} of them; **{found.false_alarms:,}** of these are false alarms "
            f"({share.value:.0%}, {share.low:.0%} to {share.high:.0%}), since people liked the reply and found no fault in it."
        )
    elif found.hits:
        lines.append("Nobody has rated any of the hits, so nothing is known of false alarms: read the examples.")
    if found.left_out:
        lines.append(f"Left out were {found.left_out:,} turns whose context cannot be rebuilt.")
    lines.append(f"E changes by {found.mean_change:+.2f} a turn on average, before it is clipped.")
    return tuple(lines)


def examples_html(found: Preview, *, most: int = 10) -> str:
    """Replies that would be hit, false alarms first."""
    return "".join(
        '<div class="p-said">'
        + (
            f'<span class="p-tag">{"false alarm" if one.is_false_alarm else f"{one.stars:.1f} stars"}</span> '
            if one.stars is not None
            else ""
        )
        + f'{escape(one.text)}<p class="p-heard">{escape(one.message)}</p></div>'
        for one in found.examples[:most]
    )
