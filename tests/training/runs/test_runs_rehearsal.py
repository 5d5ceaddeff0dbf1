"""Rehearsal: what nobody shows is filled up with what the policy says by itself, and nothing else is."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from agent.domain import Reply, TurnContext
from agent.language.blanks import blanks, fill
from training.objectives.order import kind_of_row
from training.runs.rehearsal import FILE, Row, with_rehearsal

WANTED = 3


class Saying:
    """Says the words to what it is asked, to every third nothing that can be read; what was said so far must be an even number of turns."""

    def __init__(self, words: str) -> None:
        self.words = words
        self.asked: list[TurnContext] = []
        self.readable = 0

    def fits(self, context: TurnContext) -> bool:
        return len(context.history) % 2 == 0

    def __call__(self, contexts: Sequence[TurnContext]) -> list[Reply | None]:
        assert len(contexts) <= 64
        self.asked += contexts
        said = [Reply(move=context.allowed[0], text=self.words) if place % 3 else None for place, context in enumerate(contexts)]
        self.readable += len(said) - said.count(None)
        return said


def hotel_of(context: TurnContext) -> str:
    return blanks(context, context.allowed[0])["hotel"]


def shown(kind: str, language: str, count: int) -> list[Row]:
    completion = [{"role": "assistant", "content": json.dumps({"move": kind, "text": "Hello."})}]
    return [{"prompt": [], "completion": completion, "language": language}] * count


def kinds(rows: Sequence[Row]) -> Counter[tuple[str, str]]:
    return Counter(kind_of_row(row, "completion") for row in rows)


def test_what_is_shown_often_is_left_alone_and_the_rest_is_filled_up_in_every_language(tmp_path: Path) -> None:
    demonstrations = [*shown("ask:1", "en", 5), *shown("calm", "en", 2)]
    voice, told = Saying("Good day."), list[tuple[int, int]]()
    rows = with_rehearsal(
        demonstrations, tmp_path, wanted=WANTED, seed=1, voice=lambda: voice, report=lambda done, total: told.append((done, total))
    )
    assert told == [(done, len(voice.asked)) for done in range(0, len(voice.asked), 64)]
    assert rows[:7] == demonstrations
    found = kinds(rows)
    assert found["en", "ask"] == 5, "it is shown more often than is wanted"
    asked = Counter((context.language, str(context.allowed[0].kind)) for context in voice.asked)
    assert asked["en", "calm"] == 1
    assert asked["zh", "ask"] == asked["zh", "greet"] == asked["en", "greet"] == WANTED
    assert max(asked.values()) == WANTED
    assert all(voice.fits(context) for context in voice.asked)
    assert sum(found.values()) == 7 + voice.readable < 7 + len(voice.asked), "what cannot be read is not imitated"


def test_a_rehearsed_row_is_the_policys_own_words_with_blanks(tmp_path: Path) -> None:
    class Naming(Saying):
        def __call__(self, contexts: Sequence[TurnContext]) -> list[Reply | None]:
            self.asked += contexts
            return [Reply(move=context.allowed[0], text=self.words.format(hotel_of(context))) for context in contexts]

    voice = Naming("Is this {}?")
    rows = with_rehearsal(shown("ask:1", "en", 1), tmp_path, wanted=1, seed=1, voice=lambda: voice)[1:]
    assert len(rows) == len(voice.asked) > 10
    for context, row in zip(voice.asked, rows, strict=True):
        said = json.loads(row["completion"][0]["content"])["text"]
        assert hotel_of(context) not in said
        assert fill(said, blanks(context, context.allowed[0])) == f"Is this {hotel_of(context)}?"


def test_a_run_that_goes_on_has_the_same_and_asks_nobody(tmp_path: Path) -> None:
    first = with_rehearsal(shown("ask:1", "en", 1), tmp_path, wanted=2, seed=1, voice=lambda: Saying("Good day."))

    def nobody() -> Saying:
        raise AssertionError("it is in the folder")

    assert with_rehearsal(shown("ask:1", "en", 1), tmp_path, wanted=2, seed=1, voice=nobody) == first
    assert (tmp_path / FILE).read_text().count("\n") == len(first) - 1
