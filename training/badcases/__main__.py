"""What the bad cases cover, and how the safe templates do on them: ``python -m training.badcases [--templates] [--json]``."""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from agent.domain import Reply, TurnContext
from agent.language.templates import template
from db.vocabulary import IssueTag, Severity
from training.badcases import BadCase, Estimate, Summary, cases, evaluate


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m training.badcases", description=__doc__)
    parser.add_argument("--templates", action="store_true", help="also judge the safe templates, and list what remains")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    arguments = parser.parse_args()
    console = Console()
    console.print(_coverage(cases()))
    figures: dict[str, Any] = {"cases": len(cases())}
    if arguments.templates:
        summary = evaluate(_safe_reply)
        console.print(_figures(summary))
        for case, found in summary.verdicts:
            for reason in found.reasons:
                console.print(f"{case.id}: {reason}", markup=False, highlight=False)
        figures |= {"fix": summary.fix.value, "clean_fix": summary.clean_fix.value, "residual": summary.residual.value}
    if arguments.json:
        print(json.dumps(figures))


def _safe_reply(context: TurnContext) -> Reply:
    move = context.allowed[0]
    return Reply(move=move, text=template(context, move))


def _coverage(held: Sequence[BadCase]) -> Table:
    table = Table(title="Bad cases", show_footer=True)
    columns = ["severe", "major", "minor", "en", "zh"]
    counts = {fault: Counter(tag for case in held if case.fault is fault for tag in _tags(case)) for fault in IssueTag}
    total = Counter(tag for case in held for tag in _tags(case))
    table.add_column("fault", footer="all")
    table.add_column("cases", footer=str(len(held)), justify="right")
    for column in columns:
        table.add_column(column, footer=str(total[column]), justify="right")
    table.add_column("stages", footer=str(len({case.context.stage for case in held})))
    for fault, count in counts.items():
        own = [case for case in held if case.fault is fault]
        stages = ", ".join(sorted({str(case.context.stage) for case in own}))
        table.add_row(str(fault), str(len(own)), *(str(count[column] or "") for column in columns), stages)
    return table


def _tags(case: BadCase) -> tuple[str, str]:
    return str(case.severity), case.context.language


def _figures(summary: Summary) -> Table:
    table = Table("figure", "value", "95 % interval", title=f"The safe templates on {summary.cases} bad cases")
    table.add_row("fix rate", f"{summary.fix.value:.1%}", _interval(summary.fix, percent=True))
    table.add_row("clean-fix rate", f"{summary.clean_fix.value:.1%}", _interval(summary.clean_fix, percent=True))
    table.add_row("mean residual severity (0-3)", f"{summary.residual.value:.2f}", _interval(summary.residual, percent=False))
    for severity in reversed(Severity):
        table.add_row(f"worst that remains is {severity}", f"{summary.remaining[severity]:.1%}", "")
    for fault, result in summary.by_fault.items():
        table.add_row(str(fault), f"{result.fixed} fixed, {result.clean} clean of {result.cases}", "")
    return table


def _interval(estimate: Estimate, *, percent: bool) -> str:
    form = "{:.1%} to {:.1%}" if percent else "{:.2f} to {:.2f}"
    return form.format(estimate.low, estimate.high)


if __name__ == "__main__":
    main()
