"""How our earlier sentences began, so that the model can be kept from beginning one that way again.

The guard refuses a sentence that was said before; a small model, which sees only the last few messages, falls into the same ones again and
again. Keeping it from their first words costs nothing and makes it find others. Where several began alike, their common beginning is kept
away from too: a model that is let into a sentence whose every end is forbidden joins it to the end of another one.

A Chinese sentence has no spaces, and where its tokens end depends on the tokenizer. A clause ends with a token; besides, a few lengths are
kept away from, one of which most likely does: the others do no harm.
"""

import re
from collections import Counter
from collections.abc import Iterator

from agent.domain import TurnContext
from agent.guardrails.repetition import NO_ARGUMENT
from agent.language.written import CURRENCIES_ZH, HAN
from db.vocabulary import Speaker

WORDS = 4
"""How much of a sentence is kept away from: long enough to be that sentence and no other."""
MOST = 60
"""The newest ones count. vLLM takes 128 at most, and makes two of each: at the start of a text and within it."""
_FEWEST_WORDS = 3
_SHARED_BY = {3: 2, 2: 4}
"""A beginning of so many words is kept away from once this many different sentences have had it."""
_SENTENCE = re.compile(r"[^.!?。！？]+[.!?。！？]?")
_FACT = "{}"
_CHARACTERS = range(4, 8)
"""Of a Chinese sentence: fewer begin too many sentences, and more leave it without another end."""
_LENGTHS = 4, 6
_LONGEST = 16
MOST_HAN = 110
"""No space before a Chinese word makes one token with it, so that hardly any of these is made two of."""
_DAY = r"(?:\d+年)?\d+月\d+日"
_VALUE_HAN = rf"{_DAY}(?:至{_DAY})?|\d[\d,.]*(?: ?[A-Z]{{3}}|{'|'.join(CURRENCIES_ZH.values())})?"
_CHINESE = re.compile(f"[{HAN}]")
_CLAUSE_END = re.compile("[，,；;：:、]")


def used_openings(context: TurnContext) -> list[str]:
    """The words with which our earlier sentences began, up to the first fact in them; each once, the newest ``MOST``."""
    newest_first = list(reversed(list(_sentences(context))))
    if context.language == "zh":
        return list(dict.fromkeys(opening for sentence in newest_first for opening in _openings_han(sentence)))[:MOST_HAN]
    # Not with its end: behind the last sentence the full stop and the closing quote are one token, which a "." does not forbid.
    openings = dict.fromkeys(opening for sentence in newest_first if (opening := _opening(sentence.rstrip(".!?").split())))
    shared = {
        length: Counter(opening[:length] for opening in openings if len(opening) > length) for length in sorted(_SHARED_BY, reverse=True)
    }
    shortened = dict.fromkeys(_shortest(opening, shared) for opening in openings)
    return [" ".join(opening) for opening in shortened][:MOST]


def _shortest(opening: tuple[str, ...], shared: dict[int, Counter[tuple[str, ...]]]) -> tuple[str, ...]:
    lengths = [length for length, count in shared.items() if len(opening) > length and count[opening[:length]] >= _SHARED_BY[length]]
    return opening[: min(lengths, default=len(opening))]


def _sentences(context: TurnContext) -> Iterator[str]:
    """What we have said, each fact of it as ``_FACT``."""
    # Terms may be repeated, but not the whole reply.
    may_repeat = all(move.kind in NO_ARGUMENT for move in context.allowed)
    names = {name for fact in context.facts for name in (fact.hotel_name, fact.room_type, fact.competitor_source, fact.currency) if name}
    value = _VALUE_HAN if context.language == "zh" else r"\S*\d(?:[^\s.!?]|[.](?=\d))*"
    facts = re.compile("|".join([*map(re.escape, sorted(names, key=len, reverse=True)), value]))
    for said in context.history:
        if said.speaker is Speaker.BD:
            sentences = _SENTENCE.findall(facts.sub(f" {_FACT} ", said.text))
            yield from sentences[:1] if may_repeat else sentences


def _openings_han(sentence: str) -> Iterator[str]:
    """Of a Chinese sentence: its first characters that no fact stands among, up to the end of a clause or at several lengths."""
    runs = (run.strip(" ，,。.！!？?") for run in sentence.split(_FACT))
    run = next((run for run in runs if len(run) >= _CHARACTERS.start and _CHINESE.search(run)), "")
    ends = [end.start() for end in _CLAUSE_END.finditer(run)]
    # "好的，" begins many sentences: what tells them apart comes behind it.
    begin = ends[0] + 1 if ends and ends[0] < _CHARACTERS.start else 0
    clause = next((end - begin for end in [*ends, len(run)] if end - begin >= _CHARACTERS.start), 0)
    if clause >= _CHARACTERS.stop:
        yield from (run[: begin + length] for length in _LENGTHS)
    if clause and clause <= _LONGEST:
        yield run[: begin + clause]


def _opening(words: list[str]) -> tuple[str, ...]:
    """The first words that tell the sentence from others; empty where too few stand together.

    No blank is among them: once its brace is open the grammar leaves no other way, and the server would give up.
    """
    runs = " ".join(words).split(_FACT)
    first = runs[0].split()
    if len(first) > WORDS and first[1] == "I":
        # "Shall I try again": vLLM finds a string within a text only where its first word has as many tokens there as at the start.
        return tuple(first[1:WORDS])
    if len(first) >= _FEWEST_WORDS:
        return tuple(first[:WORDS])
    # "Would {net} net be possible for the {room}?": behind a fact only a whole opening is sure to be of this sentence.
    later = (run.split() for run in runs[1:])
    return next((tuple(run[:WORDS]) for run in later if len(run) >= WORDS), ())
