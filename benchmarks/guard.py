"""How long the guard takes over one reply: ``python -m benchmarks.guard [--json]``.

The replies are those of scripted negotiations; one is checked by all rules at a time, on one core.
"""

import argparse
import json
import statistics
import time
from datetime import date

from rich.console import Console
from rich.table import Table

from agent.guardrails import RULES, check
from agent.simulation import converse

CONVERSATIONS = 40


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    replies = [
        (exchange.context, exchange.reply) for seed in range(CONVERSATIONS) for exchange in converse(seed, today=date(2027, 1, 4)).exchanges
    ]
    times: list[float] = []
    for context, reply in replies:
        started = time.perf_counter()
        check(context, reply)
        times.append(1000 * (time.perf_counter() - started))
    quantiles = statistics.quantiles(times, n=100)
    figures = {"replies": len(times), "rules": len(RULES), "ms_p50": round(quantiles[49], 3), "ms_p95": round(quantiles[94], 3)}
    table = Table("figure", "value", title="The guard over one reply")
    for name, value in figures.items():
        table.add_row(name, str(value))
    Console().print(table)
    if arguments.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
