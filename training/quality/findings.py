"""What a report says in sentences: the careless first, then what has moved, then how good it is.

Decided here: from which figures something is worth a sentence. The lines for alpha, 0.8 and 0.667, are Krippendorff's own (Content
Analysis, 2004, p. 241).
"""

from dataclasses import dataclass
from enum import StrEnum
from math import isnan
from uuid import UUID

from db.vocabulary import Preferred
from training.experts.agreement import Alpha
from training.quality.conduct import FEWEST, Conduct, ConductKind
from training.quality.report import Rater, Report

RELIABLE = 0.8
TENTATIVE = 0.667
DRIFT = 0.25
"""Stars by which the newest week must depart."""
BIASED = 0.5
"""Stars by which a person must depart from the others, at the near end of the interval."""
MANY_WRONG = 0.6
"""Share of known answers below which a person is named."""
FEWEST_GOLD = 8
HASTY = 1 / 3
"""Of the usual time of a judgement."""
_CHOICES = {Preferred.FIRST: "the first reply", Preferred.SECOND: "the second reply", Preferred.TIE: "a tie"}


class Tone(StrEnum):
    """How a finding is meant."""

    BAD = "bad"
    LOOK = "look"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence."""

    tone: Tone
    text: str


def findings(report: Report) -> tuple[Finding, ...]:
    """The sentences, what asks for action first; none where nothing was judged."""
    if not report.judgements and not report.gold_met:
        return ()
    found = [Finding(Tone.BAD, _careless(report, rater)) for rater in report.raters if rater.conduct is not None]
    found += [Finding(Tone.LOOK, text) for text in (*_departing(report), *_hasty(report), *_wrong(report), *_drifting(report))]
    careless = any(rater.conduct is not None for rater in report.raters)
    found += _agreeing("stars", report.stars_alpha, without=report.careful_alpha if careless else None)
    found += _agreeing("which reply is better", report.preferred_alpha)
    if not report.shared:
        found.append(Finding(Tone.LOOK, "Nothing was judged by more than one person yet, so nothing can be said about agreement."))
    if report.gold_met >= FEWEST_GOLD:
        share = report.gold_right / report.gold_met
        tone = Tone.GOOD if share >= MANY_WRONG else Tone.LOOK
        found.append(Finding(tone, f"{share:.0%} of {report.gold_met} known answers were met."))
    return tuple(sorted(found, key=lambda finding: [*Tone].index(finding.tone)))


def conduct_words(conduct: Conduct, names: dict[UUID, str]) -> str:
    """What was found of a person, without the person's name."""
    match conduct.kind:
        case ConductKind.RANDOM:
            return f"answers have nothing to do with those of others (likeness {conduct.figure:.2f} over {conduct.over} shared)"
        case ConductKind.CONSTANT:
            choice = conduct.choice
            what = _CHOICES[choice] if isinstance(choice, Preferred) else f"{choice} star{'' if choice == 1 else 's'}"
            return f"gives {what} in {conduct.figure:.0%} of {conduct.over} judgements, whatever is judged"
        case ConductKind.COPY:
            source = "somebody" if conduct.source is None else names.get(conduct.source, "somebody")
            when = ", later" if conduct.known else "; the times do not tell who copies"
            return f"gives the same answers as {source} in {conduct.figure:.0%} of {conduct.over} shared{when}"


def _careless(report: Report, rater: Rater) -> str:
    assert rater.conduct is not None
    name, words = _name(report, rater), conduct_words(rater.conduct, report.names)
    return f"{name}’s {words}." if rater.conduct.kind is ConductKind.RANDOM else f"{name} {words}."


def _departing(report: Report) -> list[str]:
    told: list[str] = []
    for rater in report.raters:
        bias = rater.bias
        if rater.conduct is None and bias is not None and rater.shared >= FEWEST and (bias.low > BIASED or bias.high < -BIASED):
            told.append(f"{_name(report, rater)} gives {abs(bias.value):.1f} stars {'more' if bias.value > 0 else 'less'} than the others.")
    return told


def _hasty(report: Report) -> list[str]:
    times = sorted(rater.seconds for rater in report.raters if rater.seconds is not None)
    if len(times) < 3:
        return []
    usual = times[len(times) // 2]
    return [
        f"{_name(report, rater)} takes {rater.seconds:.0f} s a judgement, where {usual:.0f} s is usual."
        for rater in report.raters
        if rater.seconds is not None and rater.judgements >= FEWEST and rater.seconds < HASTY * usual
    ]


def _wrong(report: Report) -> list[str]:
    return [
        f"{_name(report, rater)} met {rater.gold_right} of {rater.gold_met} known answers."
        for rater in report.raters
        if rater.gold_met >= FEWEST_GOLD and rater.gold_right < MANY_WRONG * rater.gold_met
    ]


def _drifting(report: Report) -> list[str]:
    known = [week for week in report.weeks if week.stars is not None]
    if len(known) < 2:
        return []
    newest, before = known[-1].stars, known[:-1]
    total = sum(week.judgements for week in before)
    usual = sum(week.stars.value * week.judgements for week in before if week.stars is not None) / total
    if newest is None or known[-1].judgements < FEWEST or newest.low <= usual <= newest.high or abs(newest.value - usual) < DRIFT:
        return []
    return [f"Stars are at {newest.value:.1f} in the newest week, after {usual:.1f} before: the replies have changed, or the eye for them."]


def _agreeing(what: str, alpha: Alpha, *, without: Alpha | None = None) -> list[Finding]:
    if isnan(alpha.value):
        return []
    figure = f"alpha {alpha.value:.2f}, {alpha.low:.2f} to {alpha.high:.2f}"
    if without is not None and not isnan(without.value):
        figure += f"; {without.value:.2f} without those named above"
    if alpha.value >= RELIABLE:
        return [Finding(Tone.GOOD, f"Raters agree well on {what} ({figure}).")]
    if alpha.value >= TENTATIVE:
        return [Finding(Tone.GOOD, f"Raters agree on {what} ({figure}).")]
    return [Finding(Tone.LOOK, f"Raters do not agree enough on {what} ({figure}): talk through what they judged differently.")]


def _name(report: Report, rater: Rater) -> str:
    return report.names.get(rater.rater_id, "Somebody")
