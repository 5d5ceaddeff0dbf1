"""How well a hotel's words are understood: ``python -m benchmarks.reading [--json] [--limit N] [--no-model] [--url URL]``.

Decided here: how three systems are scored on the messages of ``reading_sets``: the rules alone, a linear classifier on TF-IDF that learns
from the starter model's own exercises, and Parley's reading as served (the model behind vLLM with the rules before it).
"""

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union

from agent.domain import HotelMove, HotelOffer
from agent.language import fallbacks
from agent.language.client import ModelClient
from agent.language.reader import read, read_by_rules
from agent.settings import AgentSettings
from agent.simulation.phrases import LANGUAGES
from benchmarks.reading_sets import (
    LITERAL,
    K,
    Turn,
    TurnSet,
    craigslist_buttons,
    craigslist_weak,
    held_out,
    kind_of_price,
    negochat,
    number_in,
    yes_no,
)
from benchmarks.throwaway import model_server
from db.vocabulary import HotelMoveKind, PriceBasis
from training.starter.selfplay import ReadExercise, play

TRAINING_NEGOTIATIONS = 500
"""Negotiations that the linear classifier learns from, with the seeds that the starter model's corpus begins with."""
LIMIT = 400
"""Messages of each set; the model reads each once, some forty a second on two idle cores."""
AT_ONCE = 8
MISSES = 15
CONFUSIONS = 8
Reader = Callable[[Sequence[Turn]], list[HotelMove]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How one system read one set."""

    n: int
    accuracy: float
    interval: tuple[float, float]
    """Wilson, 95 %."""
    balanced: float
    """Mean recall over the kinds that the set has."""
    macro_f1: float
    """Over the same kinds."""
    imagined_yes: int
    """Messages that agree to nothing and were read as an agreement."""
    amounts_n: int
    amounts: float
    """Share of the offers with every amount exact, with its kind where the set knows kinds, and no other beside it."""
    amounts_interval: tuple[float, float]
    imagined_prices: int
    """Messages that name no price and were read as an offer of one; only where the set says so."""


# --- who reads ------------------------------------------------------------------------------------------------------------------------


def rules(turns: Sequence[Turn]) -> list[HotelMove]:
    """As in service where the model is away."""
    return [read_by_rules(turn.text, turn.context) for turn in turns]


def linear(negotiations: int = TRAINING_NEGOTIATIONS) -> Reader:
    """Logistic regression on words and characters for the kind and for net or selling; the amount is the last number that stands there.

    It learns from the exercises that the starter model is trained on.
    """
    played = (each for language in LANGUAGES for seed in range(negotiations) for each in play(seed, language=language))
    exercises = [each for each in played if isinstance(each, ReadExercise)]
    texts = [exercise.text for exercise in exercises]
    kinds = _classifier().fit(texts, [str(exercise.truth.kind) for exercise in exercises])
    priced = [exercise for exercise in exercises if exercise.truth.offers]
    bases = _classifier().fit([e.text for e in priced], [str(kind_of_price(e.truth.offers[0], e.context)) for e in priced])

    def classify(turns: Sequence[Turn]) -> list[HotelMove]:
        texts = [turn.text for turn in turns]
        moves: list[HotelMove] = []
        for text, kind, basis in zip(texts, kinds.predict(texts), bases.predict(texts), strict=True):
            named = [number_in(hit.group()) for hit in LITERAL.finditer(text)] if kind == K.OFFER else []
            offers = tuple(HotelOffer(amount=amount, basis=PriceBasis(basis)) for amount in named[-1:])
            moves.append(HotelMove(kind=HotelMoveKind(kind), offers=offers))
        return moves

    return classify


def _classifier() -> Pipeline:
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\w+|[^\w\s]")
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=3, max_features=40_000)
    return make_pipeline(make_union(words, characters), LogisticRegression(C=10, max_iter=300))


def served(url: str) -> Reader:
    """The model behind ``url`` with the cross-check. The reader raises RuntimeError where the rules had to step in for the model."""
    settings = AgentSettings()

    def answer(turns: Sequence[Turn]) -> list[HotelMove]:
        before = fallbacks.counts().get(fallbacks.Fallback.RULES_MODEL_AWAY, 0)
        with ModelClient(url, timeout=settings.model_timeout_s) as client, ThreadPoolExecutor(AT_ONCE) as pool:
            moves = list(pool.map(lambda turn: read(turn.text, context=turn.context, client=client, model=settings.model_name), turns))
        missed = fallbacks.counts().get(fallbacks.Fallback.RULES_MODEL_AWAY, 0) - before
        if missed:
            raise RuntimeError(f"the model server at {url} left {missed} of {len(turns)} messages unanswered")
        return moves

    return answer


# --- how well -------------------------------------------------------------------------------------------------------------------------


def scored(turns: Sequence[Turn], moves: Sequence[HotelMove]) -> Score:
    """The score of these readings; an empty set has none (ValueError)."""
    gold, found = [str(turn.kind) for turn in turns], [str(move.kind) for move in moves]
    kinds = sorted(set(gold))
    pairs = list(zip(turns, moves, strict=True))
    hits = Counter(wanted for wanted, given in zip(gold, found, strict=True) if wanted == given)
    right = hits.total()
    priced = [(turn, move) for turn, move in pairs if turn.prices]
    exact = sum(prices_right(turn, move) for turn, move in priced)
    return Score(
        n=len(turns),
        accuracy=right / len(turns),
        interval=_wilson(right, len(turns)),
        balanced=sum(hits[kind] / gold.count(kind) for kind in kinds) / len(kinds),
        macro_f1=sum(2 * hits[kind] / (gold.count(kind) + found.count(kind)) for kind in kinds) / len(kinds),
        imagined_yes=sum(move.kind is K.AGREE and turn.kind is not K.AGREE for turn, move in pairs),
        amounts_n=len(priced),
        amounts=exact / max(1, len(priced)),
        amounts_interval=_wilson(exact, len(priced)),
        imagined_prices=sum(turn.prices == frozenset() and bool(move.offers) for turn, move in pairs),
    )


def prices_right(turn: Turn, move: HotelMove) -> bool:
    """True where the amounts are exactly those of the turn, with their kinds where the set knows them."""
    knows_kinds = any(basis is not None for _, basis in turn.prices or ())
    return frozenset((offer.amount, offer.basis if knows_kinds else None) for offer in move.offers) == turn.prices


def _wilson(right: int, n: int) -> tuple[float, float]:
    if not n:
        return 0.0, 1.0
    interval = binomtest(right, n).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


# --- what is shown --------------------------------------------------------------------------------------------------------------------


def table_of(sets: Sequence[TurnSet], scores: dict[str, dict[str, Score]]) -> Table:
    """Rows: set and system. Columns: the figures."""
    table = Table("set", "system", "n", "kind right, %", "95 %", "balanced", "macro-F1", "yes imagined", "amounts exact, %", "of", "95 %")
    for each in sets:
        for system, score in scores[each.name].items():
            low, high = score.interval
            least, most = score.amounts_interval
            amounts = [_percent(score.amounts), str(score.amounts_n), f"{_percent(least)}–{_percent(most)}"] if score.amounts_n else []
            table.add_row(
                each.name, system, str(score.n), _percent(score.accuracy), f"{_percent(low)}–{_percent(high)}",
                _percent(score.balanced), _percent(score.macro_f1), str(score.imagined_yes), *amounts,
            )  # fmt: skip
        table.add_section()
    return table


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def explain(console: Console, each: TurnSet, moves: Sequence[HotelMove], system: str) -> None:
    """The largest confusions of a system and some of its misses."""
    pairs = list(zip(each.turns, moves, strict=True))
    confused = Counter(f"{turn.kind} → {move.kind}" for turn, move in pairs if turn.kind is not move.kind)
    console.print(f"\n[bold]{each.name}[/], {system} ({each.note})")
    console.print("  " + (", ".join(f"{pair} {count}" for pair, count in confused.most_common(CONFUSIONS)) or "no kind confused"))
    missed = [(t, m) for t, m in pairs if t.kind is not m.kind or (t.prices and not prices_right(t, m))]
    for turn, move in random.Random(0).sample(missed, min(MISSES, len(missed))):
        wanted = " ".join(sorted(f"{amount:f} {basis or ''}".strip() for amount, basis in turn.prices or ()))
        found = " ".join(f"{offer.amount:f} {offer.basis}" for offer in move.offers)
        console.print(f"  {turn.text!r}: {turn.kind} {wanted}, read as {move.kind} {found}", markup=False, highlight=False)


def figures(scores: dict[str, dict[str, Score]]) -> dict[str, float]:
    """One flat object: set, system and figure in each name; shares in percent."""
    result: dict[str, float] = {}
    for name, by_system in scores.items():
        for system, score in by_system.items():
            key = f"{name}_{system}".replace(",", "").replace(" ", "_").replace("-", "_")
            result |= {f"{key}_n": score.n, f"{key}_imagined_yes": score.imagined_yes, f"{key}_imagined_prices": score.imagined_prices}
            shares = {"kind": score.accuracy, "balanced": score.balanced, "macro_f1": score.macro_f1}
            shares |= {"kind_low": score.interval[0], "kind_high": score.interval[1]}
            if score.amounts_n:
                result[f"{key}_amounts_n"] = score.amounts_n
                shares |= {"amounts": score.amounts, "amounts_low": score.amounts_interval[0], "amounts_high": score.amounts_interval[1]}
            result |= {f"{key}_{figure}": round(100 * share, 2) for figure, share in shares.items()}
    return result


def main() -> int:
    """Print the table, the confusions and misses of Parley's reading, and with ``--json`` the figures as the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object of figures as the last line")
    parser.add_argument("--limit", type=int, default=LIMIT, metavar="N", help=f"messages of each set at most (default {LIMIT})")
    parser.add_argument("--no-model", action="store_true", help="only the two baselines")
    parser.add_argument("--url", metavar="URL", help="a model server that runs already (http://…/v1); else one is started")
    options = parser.parse_args()
    console = Console(width=max(150, Console().width))
    try:
        foreign = [*negochat(), craigslist_buttons(), craigslist_weak(), yes_no()]
    except FileNotFoundError as error:
        print(f"Third-party sets are left out: {error}", file=sys.stderr)
        foreign = []
    sets = [each.sample(options.limit) for each in (held_out(), held_out(language="zh"), *foreign)]
    with ExitStack() as stack:
        readers = {"rules": rules, "linear": linear()}
        if not options.no_model:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parley-benchmark-")))
            readers["Parley"] = served(options.url or stack.enter_context(model_server(folder)))
        moves = {each.name: {system: reader(each.turns) for system, reader in readers.items()} for each in sets}
    scores = {each.name: {system: scored(each.turns, found) for system, found in moves[each.name].items()} for each in sets}
    shown = "rules" if options.no_model else "Parley"
    console.print(table_of(sets, scores))
    for each in sets:
        explain(console, each, moves[each.name][shown], shown)
    if options.json:
        print(json.dumps(figures(scores)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
