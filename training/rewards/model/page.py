"""The report as one HTML page without anything from elsewhere: tables and two drawings in SVG."""

from collections.abc import Sequence
from html import escape

from training.rewards.model.report import Bin, PhraseBias, Report, Share

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .8rem;text-align:right;border-bottom:1px solid #ddd}"
    "td:first-child,th:first-child{text-align:left}svg{max-width:100%}"
)
_SIDE, _MARGIN = 320, 46


def render(report: Report, title: str) -> str:
    """The page."""
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{report.pairs_train:,} pairs over {report.prompts_train:,} prompts, {report.steps:,} steps, {report.parameters:,} parameters "
        f"trained, {report.core_seconds:.0f} core seconds.</p>",
        "<h2>How often it is right</h2><p>Held-out hotels; 95 % intervals over hotels.</p>",
        _accuracy(report.shares, "held-out"),
        "<h2>How sure it may be</h2>",
        f"<p>Expected calibration error {report.calibration_error:.3f}, log loss {report.log_loss:.3f} (a coin: 0.693).</p>",
        calibration_svg(report.calibration),
        "<h2>Length</h2>",
        _length(report),
        f"<h2>Phrases</h2><p>{report.phrases:,} phrases stand on one side only of 20 or more pairs; 3 in 1,000 pass ±3 by chance.</p>",
        _phrases("over-rated", report.overrated),
        _phrases("under-rated", report.underrated),
        "<h2>Zero and unit</h2>",
        f"<p>Zero is the mean of {report.centre.references:,} reference replies (raw {report.centre.mean:+.3f}), the unit their deviation "
        f"({report.centre.deviation:.3f}). Below zero are {report.below_zero_better:.0%} of the better and {report.below_zero_worse:.0%} "
        f"of the worse held-out replies.{_between(report)}</p>",
    ]
    if report.augmentation:
        added = _table(("added by RRM", "pairs"), [(kind, f"{count:,}") for kind, count in report.augmentation.items()])
        parts.append(f"<h2>Added pairs</h2>{added}")
    body = "\n".join(parts)
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>\n{body}\n</html>\n'


def _between(report: Report) -> str:
    if report.between_prompts is None:
        return ""
    return f" Of the variance of held-out scores, {report.between_prompts:.0%} lies between prompts, of which comparisons teach nothing."


def calibration_svg(bins: Sequence[Bin]) -> str:
    """Predicted win probability of the favourite against how often it won; a dot's area is the number of pairs."""
    most = max(one.n for one in bins)
    dots = "".join(
        f'<circle cx="{_x(one.predicted):.1f}" cy="{_y(one.frequency):.1f}" r="{3 + 9 * (one.n / most) ** 0.5:.1f}" fill="#1b7f5c" '
        f'fill-opacity=".7"><title>{one.n} pairs: predicted {one.predicted:.2f}, preferred {one.frequency:.2f}</title></circle>'
        for one in bins
    )
    ticks = "".join(
        f'<text x="{_x(value):.0f}" y="{_SIDE + _MARGIN + 16}" text-anchor="middle">{value:.1f}</text>'
        f'<line x1="{_x(value):.0f}" x2="{_x(value):.0f}" y1="{_y(1):.0f}" y2="{_y(0):.0f}" stroke="#eee"/>'
        for value in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    ) + "".join(
        f'<text x="{_MARGIN - 6}" y="{_y(value) + 4:.0f}" text-anchor="end">{value:g}</text>'
        f'<line x1="{_x(0.5):.0f}" x2="{_x(1):.0f}" y1="{_y(value):.0f}" y2="{_y(value):.0f}" stroke="#eee"/>'
        for value in (0, 0.25, 0.5, 0.75, 1)
    )
    size = _SIDE + 2 * _MARGIN
    return (
        f'<svg viewBox="0 0 {size} {size}" width="{size}" height="{size}" font-size="11" role="img" aria-label="calibration">{ticks}'
        f'<line x1="{_x(0.5):.0f}" y1="{_y(0.5):.0f}" x2="{_x(1):.0f}" y2="{_y(1):.0f}" stroke="#999" stroke-dasharray="4"/>{dots}'
        f'<text x="{size / 2:.0f}" y="{size - 8}" text-anchor="middle">predicted win probability of the favourite</text>'
        f'<text x="12" y="{size / 2:.0f}" text-anchor="middle" transform="rotate(-90 12 {size / 2:.0f})">share preferred</text></svg>'
    )


def _x(probability: float) -> float:
    return _MARGIN + (probability - 0.5) * 2 * _SIDE


def _y(share: float) -> float:
    return _MARGIN + (1 - share) * _SIDE


def _accuracy(shares: dict[str, Share], of: str) -> str:
    rows = [(name, f"{share.n:,}", f"{share.value:.1%}", f"{share.low:.1%} to {share.high:.1%}") for name, share in shares.items()]
    return _table((of, "pairs", "accuracy", "95 %"), rows)


def _length(report: Report) -> str:
    length = report.length
    correlated = "not known" if length.correlation is None else f"{length.correlation:+.3f}"
    text = f"Rank correlation of score with length among {length.replies:,} equally rated replies: {correlated}."
    if length.predicted is not None and length.actual is not None:
        text += (
            f" In {length.pairs:,} pairs of different length the longer reply is preferred {length.actual:.1%} of the time, "
            f"predicted {length.predicted:.1%}."
        )
    won = {"the longer reply was preferred": length.longer_won, "the shorter reply was preferred": length.shorter_won}
    return f"<p>{text}</p>{_accuracy({name: share for name, share in won.items() if share is not None}, 'pairs in which')}"


def _phrases(name: str, biases: Sequence[PhraseBias]) -> str:
    rows = [(bias.phrase, str(bias.n), f"{bias.predicted:.2f}", f"{bias.actual:.2f}", f"{bias.z:+.1f}") for bias in biases]
    return _table((f"most {name}", "pairs", "predicted", "preferred", "z"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(value)}</td>' for value in row)}</tr>" for row in rows)
    return f"<table><tr>{titles}</tr>{body}</table>"
