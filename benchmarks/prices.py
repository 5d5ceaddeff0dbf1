"""How well and how fast prices are understood, on third-party data: ``python -m benchmarks.prices [--json] [--misses N]``.

Decided here: how each set is scored. The data is not part of the project; it is looked for in the folder that ``PARLEY_DATA`` names,
by default ``../shared/data`` beside the repository. A row counts as right only where every value is exact and nothing else was found.
Amounts in small units ("10 cents") are compared in the main unit.
"""

import argparse
import gzip
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from agent.prices import (
    Anchors,
    NumberKind,
    PriceForm,
    PriceMention,
    Turn,
    agreed_price,
    find_numbers,
    find_prices,
)

Row = dict[str, Any]
Interval = tuple[Decimal | None, Decimal | None]
_CENTS = {"Cent", "Pence", "Penny"}


@dataclass(slots=True)
class Score:
    """Rows right of rows scored, with the misses."""

    name: str
    language: str
    goal: float | None = None
    right: int = 0
    total: int = 0
    misses: list[str] = field(default_factory=list[str])

    def add(self, is_right: bool, text: str, wanted: object, found: object) -> None:
        """Count one row."""
        self.total += 1
        self.right += is_right
        if not is_right:
            self.misses.append(f"{text!r}: wanted {wanted}, found {found}")

    @property
    def percent(self) -> float:
        """Share right in percent; 0 for an empty set."""
        return 100 * self.right / self.total if self.total else 0.0


def data_folder() -> Path:
    """Where the third-party sets lie."""
    return Path(os.environ.get("PARLEY_DATA", Path(__file__).parents[1] / ".." / "shared" / "data")).resolve()


def rows_of(name: str, folder: Path | None = None) -> list[Row]:
    """The rows of one set, plain or gzipped. Raises FileNotFoundError naming the file and the setting."""
    base = (folder or data_folder()) / f"{name}.jsonl"
    packed = base.with_suffix(".jsonl.gz")
    if base.exists():
        text = base.read_text(encoding="utf-8")
    elif packed.exists():
        text = gzip.decompress(packed.read_bytes()).decode("utf-8")
    else:
        raise FileNotFoundError(f"{base}[.gz] is not there: set PARLEY_DATA to the folder of the third-party sets")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def exact(value: object) -> Decimal:
    """A gold value as Decimal."""
    return Decimal(str(value))


def same(left: Decimal | None, right: Decimal | None) -> bool:
    """Equal, but for the rounding of the gold values' own fifteen digits."""
    if left is None or right is None:
        return left is right
    return abs(left - right) <= abs(right) * Decimal("1e-12")


def interval(mention: PriceMention) -> Interval:
    """The stretch that a mention covers; one amount is a stretch of itself."""
    if mention.low is not None or mention.high is not None:
        return mention.low, mention.high
    return mention.value, mention.value


def same_intervals(found: Iterable[Interval], wanted: Iterable[Interval]) -> bool:
    """Pairwise equal, in order."""
    left, right = list(found), list(wanted)
    return len(left) == len(right) and all(same(a[0], b[0]) and same(a[1], b[1]) for a, b in zip(left, right, strict=True))


def same_values(found: Iterable[Decimal], wanted: Iterable[Decimal]) -> bool:
    """Pairwise equal, in order."""
    left, right = list(found), list(wanted)
    return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))


def score_duckling() -> Iterator[Score]:
    """duckling's corpus: money (unit-free rows without their unit) and, apart, plain numerals and currency codes."""
    rows = rows_of("price_duckling")
    for language, goal in (("en", 90.0), ("zh", 85.0)):
        money = Score("duckling money, values", language, goal)
        numerals = Score("duckling plain numerals", language)
        together = Score("duckling money and numerals", language, goal)
        codes = Score("duckling money, ISO codes", language)
        for row in rows:
            if row["lang"] != language:
                continue
            if row["bare_number"]:
                found_numbers = [mention.value for mention in find_numbers(row["text"], language=language)]
                is_right = same_values(found_numbers, [exact(row["value"])])
                for score in (numerals, together):
                    score.add(is_right, row["text"], row["value"], [str(value) for value in found_numbers])
                continue
            mentions = find_prices(row["text"], language=language)
            unit = Decimal("0.01") if row["currency"] in _CENTS else Decimal(1)
            ends = [None if row[key] is None else exact(row[key]) * unit for key in ("value", "low", "high")]
            wanted = (ends[0], ends[0]) if row["kind"] == "exact" else (ends[1], ends[2])
            is_right = same_intervals([interval(mention) for mention in mentions], [wanted])
            for score in (money, together):
                score.add(is_right, row["text"], wanted, shown(mentions))
            if is_right and len(row["currency"]) == 3 and row["currency"].isupper() and "grand" not in row["text"]:
                found_codes = [mention.currency for mention in mentions]
                # "dime" and "quarter" name their dollar only through the corpus they stand in.
                if not any(coin in row["text"] for coin in ("dime", "quarter", "nickel")):
                    codes.add(found_codes == [row["currency"]], row["text"], row["currency"], found_codes)
        yield from (money, numerals, together, codes)


def shown(mentions: Iterable[PriceMention]) -> list[str]:
    """Mentions in a few characters, for the list of misses."""
    return [
        f"{mention.form}:{mention.text}={mention.value if mention.value is not None else (mention.low, mention.high)}"
        for mention in mentions
    ]


def score_recognizers() -> Iterator[Score]:
    """Recognizers-Text: currency values, and as they come numbers, percentages and ranges (brackets ignored)."""
    rows = rows_of("price_recognizers_text")
    scorers: dict[str, Callable[[Score, Row, str], None]] = {
        "currency": _currency_row,
        "number": _number_row,
        "percentage": _percent_row,
        "numberrange": _range_row,
    }
    for model, scorer in scorers.items():
        for language in ("en", "zh"):
            goal = {"en": 90.0, "zh": 85.0}[language] if model == "currency" else None
            score = Score(f"Recognizers {model}, values", language, goal)
            for row in rows:
                if row["lang"] == language and row["model"] == model:
                    scorer(score, row, language)
            yield score


def _currency_row(score: Score, row: Row, language: str) -> None:
    wanted = [
        exact(span["value"]) * (Decimal("0.01") if span["unit"] in _CENTS else 1) for span in row["spans"] if span["value"] is not None
    ]
    mentions = find_prices(row["text"], language=language, price_expected=False)
    found = [mention for mention in mentions if any(not (char.isdigit() or char in " .,-") for char in mention.text)]
    found = [mention for mention in found if mention.form not in (PriceForm.PERCENT, PriceForm.RELATIVE)]
    values = [value for mention in found for value in dict.fromkeys(interval(mention)) if value is not None]
    score.add(same_rounded(values, wanted), row["text"], [str(value) for value in wanted], shown(found))


def same_rounded(found: list[Decimal], wanted: list[Decimal]) -> bool:
    """As ``same_values``."""
    return same_values(found, wanted)


def _number_row(score: Score, row: Row, language: str) -> None:
    wanted = [exact(span["value"]) for span in row["spans"] if span["value"] not in (None, "null")]
    found = [mention for mention in find_numbers(row["text"], language=language) if mention.kind is not NumberKind.ORDINAL]
    score.add(
        same_values([mention.value for mention in found], wanted),
        row["text"],
        [str(value) for value in wanted],
        [str(mention.value) for mention in found],
    )


def _percent_row(score: Score, row: Row, language: str) -> None:
    wanted = [exact(span["value"].rstrip("%")) for span in row["spans"] if span["value"] not in (None, "null")]
    found = [mention.value for mention in find_numbers(row["text"], language=language) if mention.kind is NumberKind.PERCENT]
    score.add(same_values(found, wanted), row["text"], [str(value) for value in wanted], [str(value) for value in found])


def _range_row(score: Score, row: Row, language: str) -> None:
    wanted: list[Interval] = []
    for span in row["spans"]:
        low, _, high = span["value"].strip("[]()").partition(",")
        wanted.append((exact(low) if low else None, exact(high) if high else None))
    mentions = [mention for mention in find_prices(row["text"], language=language) if mention.form is PriceForm.RANGE]
    found = [interval(mention) for mention in mentions]
    if any(low == high for low, high in wanted):
        # "equals 20" is an interval of one point there and an amount here.
        found = [interval(mention) for mention in find_prices(row["text"], language=language)]
    score.add(same_intervals(found, wanted), row["text"], span_texts(wanted), shown(mentions))


def span_texts(intervals: Iterable[Interval]) -> list[str]:
    """Intervals in a few characters."""
    return [f"{low}..{high}" for low, high in intervals]


def score_cn2an() -> Iterator[Score]:
    """cn2an's unit tests: Chinese numerals."""
    score = Score("cn2an numerals", "zh")
    for row in rows_of("price_cn2an_numbers"):
        found = [mention.value for mention in find_numbers(row["text"], language="zh")]
        score.add(same_values(found, [exact(row["value"])]), row["text"], row["value"], [str(value) for value in found])
    yield score


def score_crosswoz() -> Iterator[Score]:
    """CrossWOZ: the annotated price and no other; a turn annotated "no price" must give none. Hotels, then the other domains."""
    rows = rows_of("price_crosswoz_zh")
    for name, is_hotel, goal in (("CrossWOZ hotel prices", True, 90.0), ("CrossWOZ other prices", False, None)):
        score = Score(name, "zh", goal)
        for row in rows:
            prices = [price for price in row["prices"] if (price["domain"] == "酒店") is is_hotel]
            if not prices or prices[0]["value"] == "免费":
                continue
            wanted: list[Interval] = [
                (
                    None if price["range"][0] is None else exact(price["range"][0]),
                    None if price["range"][1] is None else exact(price["range"][1]),
                )
                for price in prices
                if price["range"] is not None
            ]
            mentions = find_prices(row["text"], language="zh")
            score.add(same_intervals([interval(mention) for mention in mentions], wanted), row["text"], span_texts(wanted), shown(mentions))
        yield score


def score_sgd() -> Iterator[Score]:
    """Schema-Guided Dialogue: the nightly price among street numbers and telephones."""
    score = Score("SGD hotel prices", "en")
    for row in rows_of("price_sgd_hotel_bysa"):
        wanted = [exact(value) for value in row["value"][:1]]
        mentions = find_prices(row["text"], price_expected=False)
        found = [mention.value for mention in mentions if mention.value is not None]
        score.add(same_values(found, wanted), row["text"], row["value"], shown(mentions))
    yield score


def score_craigslist() -> Iterator[Score]:
    """CraigslistBargain: the price that was typed into the offer form, from what was said before."""
    every = Score("CraigslistBargain, several numbers", "en", 92.0)
    hard = Score("CraigslistBargain, last number is not it", "en", 50.0)
    single = Score("CraigslistBargain, one number", "en")
    for row in rows_of("craigslist_offer_price"):
        if not row["mention"].startswith("literal"):
            continue
        found = stands_at(row)
        is_right = found is not None and same(found, exact(row["gold_price"]))
        label = f"{row['id']} ({row['offer_role']} offers, list {row['list_price']}) " + " / ".join(
            f"{turn['role'][0]}: {turn.get('text', turn.get('price', turn['act']))}" for turn in row["context"][-6:]
        )
        if row["n_distinct_numbers"] < 2:
            single.add(is_right, label, row["gold_price"], found)
            continue
        every.add(is_right, label, row["gold_price"], found)
        if not row["last_number_is_gold"]:
            hard.add(is_right, label, row["gold_price"], found)
    yield from (every, hard, single)


def stands_at(row: Row) -> Decimal | None:
    """The price that the side about to make its formal offer would put down, given the talk so far."""
    turns = [
        Turn(speaker=turn["role"], text=turn["text"])
        if turn["act"] == "message"
        else Turn(speaker=turn["role"], text="", offer=_button(turn))
        for turn in row["context"]
    ]
    return agreed_price(turns, Anchors(current_selling=exact(row["list_price"])), speaker=row["offer_role"])


def _button(turn: Row) -> Decimal | None:
    return exact(turn["price"]) if turn["act"] == "offer" and turn.get("price") is not None else None


def turns_for_speed() -> list[str]:
    """Real turns of talk, English and Chinese, with and without prices."""
    texts = [turn["text"] for row in rows_of("craigslist_offer_price") for turn in row["context"] if turn["act"] == "message"]
    texts += [row["text"] for row in rows_of("price_crosswoz_zh")]
    texts += [row["text"] for row in rows_of("price_sgd_hotel_bysa")]
    return list(dict.fromkeys(texts))


def measure_speed(texts: list[str], *, rounds: int = 3) -> float:
    """Turns a second of ``find_prices`` on one core (processor time, best of ``rounds``)."""
    best = float("inf")
    for _ in range(rounds):
        begun = time.process_time()
        for text in texts:
            find_prices(text)
        best = min(best, time.process_time() - begun)
    return len(texts) / best


SETS: tuple[Callable[[], Iterator[Score]], ...] = (
    score_duckling,
    score_recognizers,
    score_cn2an,
    score_crosswoz,
    score_sgd,
    score_craigslist,
)


def figures(scores: Iterable[Score], turns_per_second: float) -> dict[str, float]:
    """One flat object of figures: percent right and rows by set and language, and speed."""
    result: dict[str, float] = {}
    for score in scores:
        key = f"{score.name} {score.language}".lower().replace(",", "").replace(" ", "_").replace("-", "_")
        result[f"{key}_percent"] = round(score.percent, 2)
        result[f"{key}_rows"] = score.total
    result["turns_per_second"] = round(turns_per_second)
    return result


def main() -> int:
    """Print the table, the misses that were asked for, and with ``--json`` the figures as the last line; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prices", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object of figures as the last line")
    parser.add_argument("--misses", type=int, default=0, metavar="N", help="list up to N misses of each set")
    options = parser.parse_args()
    console = Console(width=max(100, Console().width))
    try:
        scores = [score for each in SETS for score in each()]
        speed = measure_speed(turns_for_speed())
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    table = Table("set", "language", "right", "rows", "%", "goal")
    for score in scores:
        mark = "" if score.goal is None else f"{'[green]' if score.percent >= score.goal else '[red]'}≥ {score.goal:g}"
        table.add_row(score.name, score.language, str(score.right), str(score.total), f"{score.percent:.1f}", mark)
    table.add_row(
        "speed, turns a second on one core", "en, zh", "", "", f"{speed:,.0f}", f"{'[green]' if speed >= 10_000 else '[red]'}≥ 10,000"
    )
    console.print(table)
    for score in scores if options.misses else ():
        console.print(f"\n[bold]{score.name} ({score.language})[/]: {len(score.misses)} missed")
        for miss in score.misses[: options.misses]:
            console.print(f"  {miss}", markup=False, highlight=False)
    if options.json:
        print(json.dumps(figures(scores, speed)))
    return int(speed < 10_000 or any(score.goal is not None and score.percent < score.goal for score in scores))


if __name__ == "__main__":
    sys.exit(main())
