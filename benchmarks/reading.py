"""How well a hotel's words are understood: ``python -m benchmarks.reading [--json] [--limit N] [--no-model] [--url URL]``.

Decided here: which messages are read, what the right reading of each is, and how three systems are scored on them: the rules alone, a
linear classifier on TF-IDF that learns from the starter model's own exercises, and Parley's reading as served (the model behind vLLM with
the cross-check). Held-out hotels come from the simulator and carry its truth. The third-party sets are not part of the project; they are
looked for in the folder that ``PARLEY_DATA`` names. Their acts are mapped onto our kinds by ``KINDS``, a turn of several acts is its
weightiest (``WEIGHT``), and what our kinds have no word for is left out.
"""

import argparse
import json
import random
import re
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union

from agent.domain import HotelMove, HotelOffer, TicketFacts, Utterance, selling_from_net
from agent.language import fallbacks
from agent.language.client import ModelClient
from agent.language.context import ReadContext
from agent.language.reader import read, read_by_rules
from agent.settings import AgentSettings
from benchmarks.prices import Row, rows_of
from benchmarks.throwaway import model_server
from db.vocabulary import HotelMoveKind, PriceBasis, Speaker
from training.starter.selfplay import ReadExercise, play

K = HotelMoveKind
KINDS: dict[str, dict[str, HotelMoveKind | None]] = {
    "negochat": {"Quit": K.STOP, "Offer": K.OFFER, "Reject": K.REFUSE, "Accept": K.AGREE, "Query": K.QUESTION, "Greet": K.GREETING},
    "button": {"offer": K.OFFER, "accept": K.AGREE, "reject": K.REFUSE, "quit": K.REFUSE},
    "weak": {
        "greet": K.GREETING, "inquire": K.QUESTION, "propose": K.OFFER, "counter": K.OFFER, "agree": K.AGREE, "agree-noprice": K.AGREE,
        "disagree": K.REFUSE, "inform": K.INFORM, "affirm": K.INFORM, "deny": K.INFORM,
        "counter-noprice": None, "confirm": None,  # argument, praise, small talk and consent, all under one name
    },
    "yes or no": {"True": K.AGREE, "False": K.REFUSE},
}  # fmt: skip
"""Acts of third-party sets and what they are here; a yes or a no counts as the answer to terms that were repeated for confirmation.
A button press labels the words before it: to leave a deal by its button is a no to what was offered last."""
WEIGHT = (K.STOP, K.OFFER, K.REFUSE, K.AGREE, K.QUESTION, K.GREETING)
"""The kind of a turn with several acts is the first of these: what ends the talk, then money, then decisions."""
HELD_OUT_NEGOTIATIONS = 250
"""Negotiations that the held-out messages are drawn from: few would hold the same few phrases again and again."""
TRAINING_NEGOTIATIONS = 500
"""Negotiations that the linear classifier learns from, with the seeds that the starter model's corpus begins with."""
LIMIT = 400
"""Messages of each set; the model reads each once, some forty a second on two idle cores."""
AT_ONCE = 8
MISSES = 15
CONFUSIONS = 8
_NEGOCHAT_ISSUES = (
    "programmer, team manager, project manager, QA; salary, pension fund, leased company car, no agreement, fast or slow promotion track, "
    "workday of working hours, work day"
)
"""Stands where the room's name does: words that a yes may hold."""
_LITERAL = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:k\b)?", re.IGNORECASE)

Prices = frozenset[tuple[Decimal, PriceBasis | None]]
"""Amounts with their kind; None where a set knows no kinds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message with its right reading."""

    text: str
    context: ReadContext
    kind: HotelMoveKind
    prices: Prices | None = None
    """What an offer names; None where the set does not say."""


@dataclass(frozen=True, slots=True)
class TurnSet:
    """Messages of one source."""

    name: str
    turns: Sequence[Turn]
    note: str = ""

    def sample(self, limit: int) -> "TurnSet":
        """At most ``limit`` of the turns, the same ones every time."""
        if len(self.turns) <= limit:
            return self
        return replace(self, turns=random.Random(self.name).sample(list(self.turns), limit))


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


Reader = Callable[[Sequence[Turn]], list[HotelMove]]


# --- what is read ---------------------------------------------------------------------------------------------------------------------


def held_out(negotiations: int = HELD_OUT_NEGOTIATIONS) -> TurnSet:
    """Simulated hotels of held-out personas, speaking in held-out phrases."""
    exercises = [each for seed in range(negotiations) for each in play(seed, held_out=True) if isinstance(each, ReadExercise)]
    return TurnSet("held-out hotels", [_simulated(each) for each in exercises], "simulator's truth; amounts with net or selling")


def _simulated(exercise: ReadExercise) -> Turn:
    truth = exercise.truth
    prices = frozenset((offer.amount, _kind_of_price(offer, exercise.context)) for offer in truth.offers)
    return Turn(text=exercise.text, context=exercise.context, kind=truth.kind, prices=prices if truth.kind is K.OFFER else frozenset())


def _kind_of_price(offer: HotelOffer, context: ReadContext) -> PriceBasis:
    """The kind that the words name; else the one that the hotel has named before; else that of the figure of ours that it says back."""
    known = context.basis_known
    if offer.basis is not PriceBasis.UNKNOWN or known not in (None, PriceBasis.UNKNOWN):
        return offer.basis if offer.basis is not PriceBasis.UNKNOWN else known or PriceBasis.UNKNOWN
    asked = [(net, selling_from_net(net, context.fact(label).commission)) for label, net in context.asked]
    if any(offer.amount == net for net, _ in asked):
        return PriceBasis.NET
    return PriceBasis.SELLING if any(offer.amount == selling for _, selling in asked) else PriceBasis.UNKNOWN


def negochat() -> Iterator[TurnSet]:
    """Employers who bargain over a salary, a car, hours…: turns whose offers name the salary, and then every turn."""
    money: list[Turn] = []
    every: list[Turn] = []
    for rows in _grouped(rows_of("negochat_acts"), lambda row: str(row["dialogue"])):
        talk = _Talk("the employer", _NEGOCHAT_ISSUES, Decimal(90_000), always_asked=True)
        for row in rows:
            context = talk.hear(row["role"], row["text"], before=row["prev"])
            acts = {act["act"] for act in row["acts"]} if row["human_side"] else set[str]()
            kinds = {KINDS["negochat"].get(act) for act in acts}
            kind = next((kind for kind in WEIGHT if kind in kinds), None)
            if context is None or kind is None:
                continue
            salaries = [act["slots"].get("Salary", "") for act in row["acts"] if act["act"] == "Offer" and isinstance(act["slots"], dict)]
            figures = [_number(salary) for salary in salaries if salary[:1].isdigit()]
            prices = frozenset((figure, None) for figure in figures) if figures else None
            turn = Turn(text=row["text"], context=context, kind=kind, prices=prices if kind is K.OFFER else None)
            every.append(turn)
            if kind is not K.OFFER or prices:
                money.append(turn)
    yield TurnSet("negochat, money", money, "wizards' labels; an offer names the salary")
    yield TurnSet("negochat, every issue", every, "as above, with offers of cars, hours and posts, which are no prices")


def craigslist_buttons() -> TurnSet:
    """Deals that were closed, or left, by a button: the words that named the price, and the words that took or refused it.

    Only the buttons are labelled by people, so only turns whose kind follows from them are here: where a deal closed at a price, the turn
    that names it first, after which no other price falls, is the offer, and the other side's last words after it the yes. The last words
    of one who rejects or quits, after the other's, without a number, are the no.
    """
    turns: list[Turn] = []
    for rows in _grouped(rows_of("craigslist_hfval_turn_acts"), lambda row: str(row["id"]).rpartition("-")[0]):
        said = [row for row in rows if row["text"]]
        pressed = [row for row in rows if row["gold"]]
        if not said or not pressed:
            continue
        last = pressed[-1]
        offered = next((row for row in reversed(pressed) if row["intent"] == "offer"), None)
        contexts = list(_contexts(said, _number(said[0]["list_price"])))
        act = KINDS["button"][last["intent"]]
        if act is K.AGREE and offered:
            turns += _closed(said, contexts, _number(offered["price"]))
        elif act is K.REFUSE and len(said) > 1 and said[-1]["role"] == last["role"] != said[-2]["role"]:
            context = contexts[-1]
            if context is not None and not _numbers(said[-1]["text"]):
                turns.append(Turn(text=said[-1]["text"], context=context, kind=K.REFUSE))
    return TurnSet("craigslist, buttons", turns, "people's button presses")


def _closed(said: Sequence[Row], contexts: Sequence[ReadContext | None], price: Decimal) -> Iterator[Turn]:
    first = next((index for index, row in enumerate(said) if price in _numbers(row["text"])), None)
    if first is None or any(_numbers(row["text"]) - {price} for row in said[first:]):
        return
    context = contexts[first]
    if context is not None:
        yield Turn(text=said[first]["text"], context=context, kind=K.OFFER, prices=frozenset({(price, None)}))
    taken = [index for index, row in enumerate(said) if index > first and row["role"] != said[first]["role"]]
    context = contexts[taken[-1]] if taken else None
    if len(taken) == 1 and context is not None:
        yield Turn(text=said[taken[0]]["text"], context=context, kind=K.AGREE)


def craigslist_weak() -> TurnSet:
    """Every turn as a parser of the data's makers labelled it: often wrong, so of use only to compare."""
    turns: list[Turn] = []
    for rows in _grouped(rows_of("craigslist_turn_acts_weak"), lambda row: str(row["id"]).rpartition("-")[0]):
        for row, context in zip(rows, _contexts(rows, _number(rows[0]["list_price"])), strict=True):
            kind = KINDS["weak"][row["weak_intent"]]
            if kind is not None and context is not None:
                price = row["weak_price"] if kind is K.OFFER else None
                prices = None if price is None else frozenset({(_number(price), None)})
                turns.append(Turn(text=row["text"], context=context, kind=kind, prices=prices))
    return TurnSet("craigslist, weak", turns, "WEAK: labels made by a parser")


def yes_no() -> TurnSet:
    """Short answers, English and Chinese, as answers to terms repeated for confirmation."""
    turns: list[Turn] = []
    for row in rows_of("yesno_recognizers_text"):
        talk = _Talk("the hotel", "Deluxe King Room", Decimal(450), language=row["lang"])
        context = talk.hear("hotel", row["text"], before="Deluxe King Room, 428 net, from 12 October. Could you confirm with a yes?")
        if context is not None and row["answers"]:
            turns.append(Turn(text=row["text"], context=context, kind=KINDS["yes or no"][str(row["answers"][0]["value"])] or K.OTHER))
    return TurnSet("recognizers, yes or no", turns, "test cases; an emoji or a bare “ok” is no yes here, by rule")


class _Talk:
    """A foreign dialogue as a negotiation: one side is the hotel, one thing the room, its list price today's price, commission none."""

    def __init__(self, hotel: str, room: str, price: Decimal, *, always_asked: bool = False, language: str = "en") -> None:
        self._facts = TicketFacts(
            label=1, hotel_name=hotel, room_type=room, check_in=date(2026, 10, 12), check_out=date(2026, 10, 16), currency="USD",
            current_net=price, commission=Decimal(0),
        )  # fmt: skip
        self._price, self._always_asked, self._language = price, always_asked, language
        self._named: list[tuple[str, Decimal]] = []
        self._last: tuple[str, str] | None = None

    def hear(self, role: str, text: str, *, before: str | None) -> ReadContext | None:
        """What reading this turn may look at; None for a turn without words. ``before`` is the other side's turn before it."""
        if not text.strip():
            return None
        if before:
            self._note("" if self._last is None or self._last[1] != before else self._last[0], before)
        asked = [(1, price) for who, price in self._named if who != role]
        if before and self._always_asked and not asked:
            asked = [(1, self._price)]
        context = ReadContext(
            facts=(self._facts,),
            history=(Utterance(Speaker.BD, before),) if before else (),
            asked=tuple(asked),
            offered=tuple((1, price) for who, price in self._named if who == role),
            language=self._language,
            basis_known=PriceBasis.NET,
        )
        self._note(role, text)
        return context

    def _note(self, role: str, text: str) -> None:
        if self._last != (role, text):
            self._last = (role, text)
            self._named += [(role, price) for price in sorted(_numbers(text)) if self._price / 10 <= price <= 5 * self._price]


def _contexts(rows: Sequence[Row], price: Decimal) -> Iterator[ReadContext | None]:
    """Of each turn of a dialogue over one thing."""
    talk = _Talk("the other side", str(rows[0]["title"]), price)
    for before, row in zip((None, *rows), rows, strict=False):
        other = before is not None and before["role"] != row["role"]
        yield talk.hear(row["role"], row["text"], before=before["text"] if other and before is not None else None)


def _grouped(rows: Iterable[Row], key: Callable[[Row], str]) -> list[list[Row]]:
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return list(groups.values())


def _number(value: object) -> Decimal:
    plain = str(value).lower().split()[0].replace(",", "").rstrip(".")
    return (Decimal(plain.rstrip("k")) * (1000 if plain.endswith("k") else 1)).normalize()


def _numbers(text: str) -> set[Decimal]:
    """Literal numbers; deliberately not our own grammar, since this decides what is right."""
    return {_number(hit.group()) for hit in _LITERAL.finditer(text)}


# --- who reads ------------------------------------------------------------------------------------------------------------------------


def rules(turns: Sequence[Turn]) -> list[HotelMove]:
    """As in service where the model is away."""
    return [read_by_rules(turn.text, turn.context) for turn in turns]


def linear(negotiations: int = TRAINING_NEGOTIATIONS) -> Reader:
    """Logistic regression on words and characters for the kind and for net or selling; the amount is the last number that stands there.

    It learns from the exercises that the starter model is trained on.
    """
    exercises = [each for seed in range(negotiations) for each in play(seed) if isinstance(each, ReadExercise)]
    texts = [exercise.text for exercise in exercises]
    kinds = _classifier().fit(texts, [str(exercise.truth.kind) for exercise in exercises])
    priced = [exercise for exercise in exercises if exercise.truth.offers]
    bases = _classifier().fit([e.text for e in priced], [str(_kind_of_price(e.truth.offers[0], e.context)) for e in priced])

    def classify(turns: Sequence[Turn]) -> list[HotelMove]:
        texts = [turn.text for turn in turns]
        moves: list[HotelMove] = []
        for text, kind, basis in zip(texts, kinds.predict(texts), bases.predict(texts), strict=True):
            named = [_number(hit.group()) for hit in _LITERAL.finditer(text)] if kind == K.OFFER else []
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
    sets = [each.sample(options.limit) for each in (held_out(), *foreign)]
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
