"""A benchmark's findings as tables of a terminal."""

from rich.table import Table

from agent.language.prompts import LANGUAGES
from training.bench.results import Cases, Interval, Results, Row
from training.bench.statistics import CaseFigure, DialogueFigure, figure

PAPERS = ("rating", "excellent", "fix", "clean_fix", "residual")
"""The columns of the paper's table."""
MORE = ("later", "agreement", "captured", "turns", "responded", "unreadable", "violated", "faulted", "tokens")
SHORT = {
    "rating": "rating 1-5",
    "excellent": "≥ 1 excellent",
    "fix": "bad-case fix",
    "clean_fix": "clean fix",
    "residual": "residual 0-3",
    "later": "late, 1-5",
    "agreement": "rooms agreed",
    "captured": "zone won",
    "turns": "turns",
    "responded": "answered",
    "unreadable": "no reply",
    "violated": "guard refuses",
    "faulted": "faulty",
    "tokens": "tokens",
}
_VERDICTS = {"better": "[green]better[/]", "worse": "[red]worse[/]", "undecided": "undecided"}


def tables(found: Results) -> list[Table]:
    """All that have a line."""
    every = main_table(found), more_table(found), languages_table(found), comparisons_table(found), goals_table(found)
    return [table for table in every if table.row_count]


def main_table(found: Results) -> Table:
    """The paper's table with 95 % intervals."""
    seeds = found.profile["seeds"]
    table = Table("", *(SHORT[name] for name in PAPERS), title=f"Simulated hotels and raters, {seeds} seed(s), 95 % intervals")
    if seeds > 1:
        table.add_column("rating by seed")
    for row in found.rows:
        by_seed = [", ".join(f"{value:.2f}" for value in row.by_training["rating"])] if seeds > 1 else []
        table.add_row(row.arm, *(spelt(row, name) for name in PAPERS), *by_seed)
    return table


def more_table(found: Results) -> Table:
    """What the paper does not give; figures without their intervals, which the page has."""
    table = Table("", *(SHORT[name] for name in MORE), "s a reply", "pass^1, 2, 4", title="Beside the paper's")
    for row in found.rows:
        passes = ", ".join(f"{chance:.0%}" for chance in row.pass_k.values())
        table.add_row(row.arm, *(spelt(row, name, interval=False) for name in MORE), f"{row.seconds_a_reply:.3f}", passes)
    return table


def languages_table(found: Results) -> Table:
    """What dialogues and bad cases came to, by the language that they are held in."""
    languages = languages_of(found)
    head = [f"{LANGUAGES.get(language, language)}, {told}" for language in languages for told in ("rating", "fix", "clean")]
    table = Table("", *head, title="By language")
    for row in found.rows if languages else ():
        table.add_row(row.arm, *(cell for language in languages for cell in spelt_language(row, language)))
    return table


def languages_of(found: Results) -> list[str]:
    """That anything was held in, ISO 639-1."""
    return sorted({language for row in found.rows for language in (*row.rating_by_language, *row.cases_by_language)})


def spelt_language(row: Row, language: str) -> tuple[str, str, str]:
    """Rating, and shares fixed and fixed cleanly; empty where there was no dialogue, or no such case."""
    rating = row.rating_by_language.get(language)
    return ("" if rating is None else f"{rating:.2f}", *spelt_cases(row.cases_by_language.get(language)))


def spelt_cases(some: Cases | None) -> tuple[str, str]:
    """Shares fixed and fixed cleanly; empty where there was no such case."""
    return ("", "") if some is None else (f"{some.fixed / some.answers:.1%}", f"{some.clean / some.answers:.1%}")


def comparisons_table(found: Results) -> Table:
    """REPO against each."""
    head = "REPO against", "figure", "difference", "95 %", "p", "p (Holm)", "REPO is"
    table = Table(*head, title="By pairs: the same hotels, the same cases")
    for one in found.comparisons:
        known = figure(one.figure)
        interval = f"{spelt_number(one.low, known, signed=True)} to {spelt_number(one.high, known, signed=True)}"
        difference = spelt_number(one.value, known, signed=True)
        table.add_row(one.other, SHORT[one.figure], difference, interval, _p(one.p), _p(one.p_corrected), _VERDICTS[one.verdict])
    return table


def goals_table(found: Results) -> Table:
    """What was to be reached."""
    table = Table("REPO", "goal", "reached", "", title="Goals")
    for goal in found.goals:
        known = figure(goal.figure)
        table.add_row(
            SHORT[goal.figure],
            "≥ " + (f"{goal.goal:.2%}" if known.share else f"{goal.goal:.2f}"),
            spelt_interval(goal.reached, known),
            "[green]met[/]" if goal.met else "[red]not met[/]",
        )
    return table


def spelt(row: Row, name: str, *, interval: bool = True) -> str:
    """A figure of an arm; empty where nothing was counted for it."""
    if name not in row.figures:
        return ""
    known = figure(name)
    return spelt_interval(row.figures[name], known) if interval else spelt_number(row.figures[name].value, known)


def spelt_interval(value: Interval, known: DialogueFigure | CaseFigure) -> str:
    """A figure with its interval."""
    return f"{spelt_number(value.value, known)} ({spelt_number(value.low, known)} to {spelt_number(value.high, known)})"


def spelt_number(value: float, known: DialogueFigure | CaseFigure, *, signed: bool = False) -> str:
    """A share in per cent with one digit, anything else with two; ``signed`` for a difference."""
    sign = "+" if signed else ""
    return f"{value:{sign}.1%}" if known.share else f"{value:{sign}.2f}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
