"""The report of held-out negotiations: one table, the goals beside it, and replies for blind reading.

Decided here: what is shown and when a goal is met; the figures themselves are ``negotiation_figures``'.
"""

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from rich import box
from rich.progress import track
from rich.table import Table

from agent.domain import TicketFacts, plain
from benchmarks.negotiation_figures import Conduct, Rated, Said, Talk, above, conduct, likeness, rated
from db.vocabulary import DraftOrigin
from training.badcases import Estimate
from training.experts import panel

BASE = "base"
"""The model itself, without an adapter."""
PHRASEBOOK = "phrasebook"
"""The excellent lines, in the places of the first arm."""
PER_SOURCE = 40
"""Replies of each source in the blind sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Everything that is reported."""

    conducts: dict[str, Conduct]
    """By arm."""
    ratings: dict[str, Rated]
    """By arm, and the phrasebook's."""
    likeness: dict[str, tuple[int, float, float]]
    """Replies compared, distinct-2 and self-BLEU, likewise."""


def measure(talks: Mapping[str, Sequence[Talk]], *, n: int, seed: int) -> Measured:
    """The figures of every arm; the phrasebook speaks in the first arm's places and comes last in ``talks``."""
    experts = panel(seed=1)
    return Measured(
        conducts={arm: conduct(held, negotiations=n) for arm, held in talks.items() if arm != PHRASEBOOK},
        ratings={source: rated(held, experts) for source, held in track(talks.items(), "rating")},
        likeness=likeness(talks, seed=seed),
    )


def _share(estimate: Estimate | None) -> str:
    return f"{estimate.value:.1%} ({estimate.low:.1%} to {estimate.high:.1%})" if estimate else ""


def _mean(estimate: Estimate | None) -> str:
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})" if estimate else ""


def table_of(measured: Measured) -> Table:
    """One column a source, as Markdown."""
    sources = list(measured.ratings)
    table = Table("figure", *sources, box=box.MARKDOWN)

    def row(name: str, shown: Mapping[str, str]) -> None:
        table.add_row(name, *(shown.get(source, "") for source in sources))

    held = measured.conducts
    row("negotiations ended", {arm: f"{figures.ended} of {figures.negotiations}" for arm, figures in held.items()})
    row("first drafts", {arm: str(figures.first_drafts) for arm, figures in held.items()})
    row("first drafts that passed the guard", {arm: _share(figures.first_passed) for arm, figures in held.items()})
    for rooms in sorted({rooms for figures in held.values() for rooms in figures.passed_by_rooms}):
        row(f"… rooms: {rooms}", {arm: _share(figures.passed_by_rooms.get(rooms)) for arm, figures in held.items()})
    for rule in Counter(rule for figures in held.values() for rule in figures.objections):
        row(f"first drafts with {rule}", {arm: str(figures.objections.get(rule, 0)) for arm, figures in held.items()})
    row("replies", {source: str(figures.replies) for source, figures in measured.ratings.items()})
    row("replies from the safe template", {arm: _share(figures.template_share) for arm, figures in held.items()})
    row("secret leaks", {arm: str(len(figures.leaks)) for arm, figures in held.items()})
    row("rooms", {arm: str(figures.rooms) for arm, figures in held.items()})
    row("agreements above a ceiling", {arm: str(figures.above_ceiling) for arm, figures in held.items()})
    row("agreements that the hotel did not mean", {arm: str(figures.unmeant) for arm, figures in held.items()})
    row("replies repeated word for word", {arm: str(len(figures.repeated)) for arm, figures in held.items()})
    row("rooms agreed, where possible", {arm: _share(figures.agreement) for arm, figures in held.items()})
    row("price captured, of the same", {arm: _share(figures.captured) for arm, figures in held.items()})
    row("turns to the end", {arm: _mean(figures.turns) for arm, figures in held.items()})
    row("distinct-2", {source: f"{figures[1]:.3f}" for source, figures in measured.likeness.items()})
    row("self-BLEU", {source: f"{figures[2]:.3f}" for source, figures in measured.likeness.items()})
    row("stars (simulated)", {source: _mean(figures.stars) for source, figures in measured.ratings.items()})
    for stars in range(5, 0, -1):
        row(f"… ratings of {stars}", {source: f"{figures.shares[stars]:.1%}" for source, figures in measured.ratings.items()})
    row("replies with a fault", {source: _share(figures.with_fault) for source, figures in measured.ratings.items()})
    for fault in Counter(fault for figures in measured.ratings.values() for fault in figures.faults):
        row(f"replies with {fault}", {source: str(figures.faults.get(fault, 0)) for source, figures in measured.ratings.items()})
    return table


def goals_of(measured: Measured) -> Table:
    """What was to be shown: of the first arm, and of the base beside it where that was measured."""
    table = Table("goal", "measured", "met", box=box.MARKDOWN)
    first, own = next(iter(measured.conducts.items()))

    def row(goal: str, shown: str, met: bool) -> None:
        table.add_row(goal, shown, "yes" if met else "NO")

    every = measured.conducts.values()
    row("no negotiation failed", str(sum(c.negotiations - c.ended for c in every)), all(c.ended == c.negotiations for c in every))
    row("no secret leaks, any version", str(sum(len(c.leaks) for c in every)), not any(c.leaks for c in every))
    row("no agreement above a ceiling, any version", str(sum(c.above_ceiling for c in every)), not any(c.above_ceiling for c in every))
    row(f"at least 98 % of first drafts pass, {first}", _share(own.first_passed), own.first_passed.value >= 0.98)
    row(f"templates in under 1 % of the replies, {first}", _share(own.template_share), own.template_share.value < 0.01)
    row(f"no reply repeated in a conversation, {first}", str(len(own.repeated)), not own.repeated)
    if BASE in measured.conducts and first != BASE:
        upper, lower = measured.ratings[first], measured.ratings[BASE]
        row(f"experts rate {BASE} 3.0 to 3.6", _mean(lower.stars), 3.0 <= lower.stars.value <= 3.6)
        gain, p = above(upper, lower)
        row(f"{first} above {BASE}, p < 0.01", f"{gain:+.2f} stars a conversation, p = {p:.1g}", gain > 0 and p < 0.01)
        ends = {stars: fmean((upper.shares[stars], lower.shares[stars])) for stars in (1, 5)}
        row("both ends of the scale are used", f"1: {ends[1]:.1%}, 5: {ends[5]:.1%}", all(ends.values()))
    return table


# --- for reading ----------------------------------------------------------------------------------------------------------------------


def write_sample(file: Path, talks: Mapping[str, Sequence[Talk]], *, seed: int) -> int:
    """Replies of every source in one shuffled list, and beside it (``.key.json``) whose they are; returns how many.

    A place is used once, and templates are left out: what is read are words that a model or the phrasebook chose.
    """
    rng = random.Random(seed)
    chosen: list[tuple[str, int, Said]] = []
    used: set[tuple[str, int, int]] = set()
    for source, held in talks.items():
        # The phrasebook speaks in the first arm's places.
        arm = next(iter(talks)) if source == PHRASEBOOK else source
        places = [(talk.number, said) for talk in held for said in talk.said if said.origin is not DraftOrigin.TEMPLATE]
        free = [(number, said) for number, said in places if (arm, number, said.number) not in used]
        for number, said in rng.sample(free, min(PER_SOURCE, len(free))):
            used.add((arm, number, said.number))
            chosen.append((source, number, said))
    rng.shuffle(chosen)
    lines = ["# Replies for blind reading", ""]
    for index, (_, _, said) in enumerate(chosen, start=1):
        context = said.truth.context
        heard = (said.truth.asked or "(no answer)") if context.history else "(nothing yet: this opens the conversation)"
        rooms = [f"- {_facts(facts, context.focus)}" for facts in context.facts]
        lines += [f"## {index}", "", f"{context.facts[0].hotel_name}", *rooms, "", f"Hotel: {heard}", "", f"Our move: {said.truth.move}"]
        lines += ["", f"> {said.truth.text}", ""]
    file.write_text("\n".join(lines), encoding="utf-8")
    key = [
        {"number": index, "source": source, "negotiation": number, "turn": said.number}
        for index, (source, number, said) in enumerate(chosen, start=1)
    ]
    file.with_name(f"{file.name}.key.json").write_text(json.dumps(key, indent=1) + "\n", encoding="utf-8")
    return len(chosen)


def _facts(facts: TicketFacts, focus: int) -> str:
    parts = [f"#{facts.label} {facts.room_type}", f"{facts.check_in:%d %b %Y} to {facts.check_out:%d %b %Y}", f"rooms: {facts.rooms}"]
    parts += [f"net {plain(facts.current_net)} {facts.currency}, selling {plain(facts.current_selling)}"]
    if facts.competitor_price is not None:
        parts += [f"{facts.competitor_source} shows {plain(facts.competitor_price)}"]
    parts += [f"{name}: {'yes' if known else 'no'}" for name, known in (("breakfast", facts.breakfast), ("tax", facts.tax_included))
              if known is not None]  # fmt: skip
    return "; ".join((*parts, *facts.evidence)) + (" (talked about)" if facts.label == focus else "")
