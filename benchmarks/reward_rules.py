"""How fast replies are scored by rules: ``python -m benchmarks.reward_rules [--turns N] [--json]``.

First RF alone, over the replies of scripted negotiations, one at a time on one core: the guard's rules, then with twenty pattern rules.
Then the preview of one new rule and of a whole spec over ``--turns`` logged turns in a throwaway PostgreSQL. Four negotiations with
simulated hotels are held and their rows copied, each reply with a tail of its own, so that no cache helps. CPU time is this process's.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, text

from agent.domain import Reply, TurnContext
from agent.language.client import Completion, ModelClient
from agent.service import connect
from agent.service.demo import seed_demo
from agent.settings import AgentSettings
from agent.simulation import converse
from benchmarks.throwaway import throwaway
from db.engine import create_engine_from, session_factory
from db.repositories import tickets
from db.vocabulary import Counterpart, Mode
from training.rewards.functions import functions
from training.rewards.patterns import PatternRule
from training.rewards.preview import preview
from training.rewards.spec import RewardSpec, shipped_spec

TICKETS = ("DEMO-101", "DEMO-103", "DEMO-104", "DEMO-106")
CONVERSATIONS = 40
RULE = PatternRule(name="last_chance", weight=-60, pattern=r"\b(?:last|final) (?:chance|offer|call)\b", says="pushes the hotel")
COPIED = {
    "conversation": ("id", "idempotency_key"),
    "conversation_ticket": ("id", "conversation_id"),
    "draft": ("id", "conversation_id", "action_key"),
    "turn": ("id", "conversation_id", "draft_id", "idempotency_key"),
}
"""Tables in the order of their references, and the columns that a copy has of its own."""


class Silent(ModelClient):
    """A model that says nothing that can be used: the rules read and the templates write."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9/v1")

    def complete_json(self, **asked: Any) -> Completion:
        """Nothing."""
        return Completion(text="", is_cut=False)

    def stream_json(self, **asked: Any) -> Iterator[str]:
        """Nothing."""
        yield ""


def twenty_more(spec: RewardSpec) -> RewardSpec:
    """The spec with twenty pattern rules."""
    for letter in "abcdefghijklmnopqrst":
        pattern = rf"\b(?:last|final) (?:chance|offer) {letter}\b"
        spec = spec.with_pattern(RULE.model_copy(update={"name": f"rule_{letter}", "pattern": pattern}))
    return spec


def replies_per_second(spec: RewardSpec, replies: Sequence[tuple[TurnContext, Reply]]) -> float:
    """RF over all replies, in replies for each second of CPU."""
    started = time.process_time()
    for context, reply in replies:
        functions(context, reply, spec)
    return len(replies) / (time.process_time() - started)


def fill(url: str, turns: int) -> None:
    """Hold four negotiations and copy them until there are enough turns of ours."""
    with connect(url, settings=AgentSettings(), client=Silent()) as service:
        with service.transaction() as session:
            seed_demo(session, today=date(2027, 1, 1))
            found = [tickets.find_by_reference(session, reference) for reference in TICKETS]
        for seed, ticket in enumerate(ticket for ticket in found if ticket is not None):
            conversation_id = service.open(
                ticket_ids=[ticket.id], mode=Mode.AUTOPILOT, counterpart=Counterpart.SIMULATED, actor=None, key=f"b{seed}", seed=seed
            )
            for _ in service.play(conversation_id):
                pass
    engine = create_engine_from(url)
    with engine.begin() as connection:
        said = connection.scalar(text("SELECT count(*) FROM turn WHERE speaker = 'bd'")) or 1
        for table, own in COPIED.items():
            _copy(connection, table, own, copies=turns // said + 1)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    engine.dispose()


def _copy(connection: Connection, table: str, own: Sequence[str], *, copies: int) -> None:
    named = text("SELECT column_name::text FROM information_schema.columns WHERE table_name = :table")
    columns = [str(name) for name in connection.scalars(named, {"table": table})]
    new = {name: f"{name} || g" if name.endswith("_key") else f"md5({name}::text || g)::uuid" for name in own}
    if table == "turn":
        new["text"] = "text || ' ' || translate(g::text, '0123456789', 'abcdefghij') || '.'"
    chosen = ", ".join(new.get(name, name) for name in columns)
    connection.execute(text(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen} FROM {table}, generate_series(1, {copies}) g"))


def measure(turns: int) -> dict[str, float]:
    """All figures."""
    replies = [
        (exchange.context, exchange.reply) for seed in range(CONVERSATIONS) for exchange in converse(seed, today=date(2027, 1, 4)).exchanges
    ]
    figures: dict[str, float] = {
        "replies": len(replies),
        "rf_replies_per_cpu_s": replies_per_second(shipped_spec(), replies),
        "rf_with_20_patterns_replies_per_cpu_s": replies_per_second(twenty_more(shipped_spec()), replies),
    }
    with throwaway(model=False) as own:
        fill(own.database_url, turns)
        engine = create_engine_from(own.database_url)
        for name, change in (("one_rule", RULE), ("whole_spec", shipped_spec())):
            started = time.process_time()
            found = preview(session_factory(engine), change, turns)
            figures["turns"] = found.turns
            figures[f"preview_{name}_turns_per_s"] = found.turns / found.seconds
            figures[f"preview_{name}_turns_per_cpu_s"] = found.turns / (time.process_time() - started)
        engine.dispose()
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = {name: round(value) for name, value in measure(arguments.turns).items()}
    table = Table("figure", "value", title="Scoring replies by rules")
    for name, value in figures.items():
        table.add_row(name, f"{value:,}")
    Console(stderr=arguments.json).print(table)
    if arguments.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
