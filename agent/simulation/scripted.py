"""Our side of a conversation, written from the phrasebook: an honest BD of a chosen quality.

Decided here: how a reply is put together (answer what was said, then the move, then one question) and that no sentence is said twice in a
conversation. Which move to make is not decided here; it comes from the SOP. It speaks the language of the context.
"""

import random
import re
from collections.abc import Iterable
from functools import cache, lru_cache

from agent.domain import AllowedMove, TurnContext
from agent.language.blanks import blanks
from agent.simulation.hearing import arguments_in, sentences, skeleton
from agent.simulation.phrasebook import Phrasebook, phrasebook
from agent.simulation.phrases import BDPart, BDPhrase, Lever, Quality
from db.errors import ParleyError
from db.vocabulary import HotelMoveKind, MoveKind, Speaker

# These say in their own body what they answer.
_WITHOUT_ACK = frozenset({MoveKind.GREET, MoveKind.CLOSE, MoveKind.FOLLOW_UP, MoveKind.CALM})
_PARTS: dict[MoveKind, tuple[BDPart, ...]] = {
    MoveKind.GREET: (BDPart.HELLO, BDPart.INTRO, BDPart.PURPOSE, BDPart.QUESTION),
    MoveKind.PROBE: (BDPart.ACK, BDPart.BODY),
    MoveKind.ASK: (BDPart.ACK, BDPart.ANSWER, BDPart.REASON, BDPart.BODY, BDPart.CLOSING),
    MoveKind.HOLD: (BDPart.ACK, BDPart.ANSWER, BDPart.REASON, BDPart.BODY, BDPart.CLOSING),
    MoveKind.CLARIFY: (BDPart.ACK, BDPart.BODY, BDPart.CLOSING),
    MoveKind.ACCEPT: (BDPart.ACK, BDPart.BODY),
    MoveKind.CONFIRM: (BDPart.ACK, BDPart.BODY),
    MoveKind.CALM: (BDPart.BODY, BDPart.CLOSING),
    MoveKind.REDIRECT: (BDPart.ACK, BDPart.BODY, BDPart.CLOSING),
    MoveKind.FOLLOW_UP: (BDPart.HELLO, BDPart.BODY, BDPart.CLOSING),
    MoveKind.CLOSE: (BDPart.BODY, BDPart.CLOSING),
    MoveKind.ESCALATE: (BDPart.ACK, BDPart.BODY, BDPart.CLOSING),
}
# How often an optional part is said, by quality: an average BD leaves things out.
_SAYS: dict[Quality, dict[BDPart, float]] = {
    Quality.EXCELLENT: {BDPart.ACK: 0.95, BDPart.ANSWER: 1.0, BDPart.REASON: 1.0, BDPart.CLOSING: 0.6},
    Quality.FINE: {BDPart.ACK: 0.75, BDPart.ANSWER: 0.3, BDPart.REASON: 0.85, BDPart.CLOSING: 0.4},
    Quality.CLUMSY: {BDPart.ACK: 0.4, BDPart.ANSWER: 0.0, BDPart.REASON: 0.5, BDPart.CLOSING: 0.15},
    Quality.WRONG: {},
}
_SLOT = re.compile(r"\{\w+\}")
_QUESTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("where", ("where", "which site", "who is cheaper", "undercut", "compared to whom", "show me")),
    ("selling", ("selling price be", "show it to guests", "travellers see", "sell it for")),
    ("basis", ("net or", "net price?", "net here", "commission inside")),
    ("dates", ("which dates", "which period", "from when", "those nights", "the dates", "start date")),
    ("room", ("which room", "room type", "category", "do you mean the", "only about the")),
    ("commission", ("commission", "your share", "your margin")),
    ("who", ("who are you", "which company", "who am i talking", "from where are you")),
    ("where", ("哪个平台", "哪儿看到", "谁家在卖", "跟谁比", "哪个网站")),
    ("selling", ("售价会", "对客卖多少", "页面上看到", "最后卖价")),
    ("basis", ("净价还是", "净价吗", "底价，还是", "含不含你们佣金")),
    ("dates", ("哪几天", "几号", "日期", "那几晚")),
    ("room", ("房型", "哪种房", "说的是", "只谈")),
    ("commission", ("佣金", "抽成")),
    ("who", ("您是哪位", "哪个平台的", "怎么称呼", "你们公司叫")),
)


class NothingToSay(ParleyError):
    """The phrasebook has no line for this move and quality."""


class ScriptedBD:
    """Writes replies out of the phrasebook. Phrases that are held out are used only where ``held_out`` is set."""

    def __init__(self, *, book: Phrasebook | None = None, held_out: bool = False) -> None:
        """``book`` replaces the shipped phrasebook of the context's language."""
        self._book = book
        self._held_out = held_out

    def say(self, context: TurnContext, move: AllowedMove, *, rng: random.Random, quality: Quality | str = Quality.EXCELLENT) -> str:
        """The words for one move in this context. The same context, move and random state give the same words.

        ``Quality.WRONG`` gives a line with one of the faults of the phrasebook; it is for bad cases only. Raises NothingToSay where no line
        exists for the move.
        """
        wanted = Quality(quality)
        writer = _Reply(self._book or phrasebook(context.language), self._held_out, context, move, rng, wanted)
        return writer.wrong() if wanted is Quality.WRONG else writer.compose()


class _Reply:
    """One reply in the making."""

    def __init__(
        self, book: Phrasebook, held_out: bool, context: TurnContext, move: AllowedMove, rng: random.Random, quality: Quality
    ) -> None:
        self._book, self._held_out, self._context, self._move, self._rng, self._quality = book, held_out, context, move, rng, quality
        self._fact = context.fact(move.label)
        self._ours = tuple(said.text for said in context.history if said.speaker is Speaker.BD)
        self._said = {skeleton(sentence) for text in self._ours for sentence in sentences(text)}
        self._values = blanks(context, move)
        last = context.history[-1] if context.history else None
        self._heard = last.text if last is not None and last.speaker is Speaker.HOTEL else ""

    def compose(self) -> str:
        text = self._attempt()
        for _ in range(_ATTEMPTS):
            if not any(_overlap(text, old) > _MOST_OVERLAP for old in self._ours):
                break
            text = self._attempt()
        return text

    def _attempt(self) -> str:
        pieces: list[str] = []
        for part in _PARTS[self._move.kind]:
            chance = 0.35 if part is BDPart.HELLO and self._move.kind is MoveKind.FOLLOW_UP else _SAYS[self._quality].get(part, 1.0)
            if self._rng.random() >= chance:
                continue
            piece = self._piece(part)
            if piece is not None:
                if part is BDPart.CLOSING and pieces and _is_one_too_many(piece, pieces[-1]):
                    continue
                if part is BDPart.BODY and pieces and _thanks_twice(piece, pieces[-1]) and self._move.kind is not MoveKind.GREET:
                    # One word of thanks is warm, two are a form letter.
                    pieces.pop()
                pieces.append(piece)
            elif part is BDPart.BODY:
                raise NothingToSay(f"the phrasebook has no {self._quality} line for {self._move}")
        return _joined(pieces, self._book.language)

    def wrong(self) -> str:
        lines = self._book.bd_lines(BDPart.WHOLE, self._move.kind, Quality.WRONG)
        filled = self._first_new((line for line in lines if self._held_out or not line.held_out), repeat=True)
        if filled is None:
            raise NothingToSay(f"the phrasebook has no wrong line for {self._move}")
        return filled

    def _piece(self, part: BDPart) -> str | None:
        if part is BDPart.ACK:
            return self._acknowledgement()
        if part is BDPart.ANSWER:
            topic = self._question_asked()
            return None if topic is None else self._first_new(p for p in self._lines(part) if p.topic == topic)
        if part is BDPart.REASON:
            return self._reason()
        for quality in _FALLBACKS[self._quality]:
            piece = self._first_new(line for line in self._lines(part, quality) if self._fits(line))
            if piece is not None or part is not BDPart.BODY:
                return piece
        every = [line for quality in _FALLBACKS[self._quality] for line in self._lines(part, quality) if self._fits(line)]
        return self._first_new(every, repeat=True)

    def _lines(self, part: BDPart, quality: Quality | None = None) -> list[BDPhrase]:
        """The part's lines for our move in one quality, or in the nearest one that has any."""
        kind = None if part is BDPart.ACK else self._move.kind
        for wanted in _FALLBACKS[self._quality] if quality is None else (quality,):
            lines = [line for line in self._book.bd_lines(part, kind, wanted) if self._held_out or not line.held_out]
            if lines:
                return lines
        return []

    def _fits(self, line: BDPhrase) -> bool:
        if line.stages and self._context.stage not in line.stages:
            return False
        if line.part is BDPart.BODY and self._move.kind is MoveKind.CLARIFY:
            return line.topic == str(self._move.topic)
        if line.part is BDPart.BODY and self._move.kind is MoveKind.CLOSE:
            return line.topic == ("deal" if self._context.agreed else "no_deal")
        if line.part is BDPart.BODY and self._move.kind is MoveKind.ASK:
            earlier = [asked for label, asked in self._context.asked if label == self._fact.label]
            if line.topic == "step_closer":
                # Only a higher request than the last one is a step toward the hotel.
                return bool(earlier) and self._move.price is not None and self._move.price > earlier[-1]
            # The first request names the room and the dates; later ones may be short.
            return bool(earlier) or ("room" in line.slots and bool(line.slots & {"dates", "check_in"}))
        return True

    def _acknowledgement(self) -> str | None:
        move = self._context.hotel_move
        if move is None or self._move.kind in _WITHOUT_ACK or move.kind is HotelMoveKind.SILENCE:
            return None
        mood = move.mood
        fitting = [line for line in self._lines(BDPart.ACK) if move.kind in line.after and mood in line.moods]
        touched = arguments_in(self._heard)
        close = [line for line in fitting if line.lever in touched]
        general = [line for line in fitting if line.lever is None]
        # To call an offer a step when it is taken up again would be odd after a plain no, and so on: tags see to that.
        return self._first_new(close if close and self._rng.random() < 0.7 else general)

    def _question_asked(self) -> str | None:
        move = self._context.hotel_move
        if move is None or move.kind is not HotelMoveKind.QUESTION:
            return None
        folded = self._heard.casefold()
        return next((topic for topic, words in _QUESTIONS if any(word in folded for word in words)), None)

    def _reason(self) -> str | None:
        usable = [line for line in self._lines(BDPart.REASON) if line.argument is not None]
        if self._quality is Quality.EXCELLENT:
            usable = self._best_argument(usable)
        return self._first_new(usable)

    def _best_argument(self, lines: list[BDPhrase]) -> list[BDPhrase]:
        """What the hotel has shown to care about, as far as it has not been used up; anything unused otherwise."""
        cares = arguments_in(" ".join(said.text for said in self._context.history if said.speaker is Speaker.HOTEL))
        used = arguments_in(" ".join(self._ours))
        for wanted in (cares - used, set(Lever) - used):
            found = [line for line in lines if line.argument in wanted and line.slots <= self._values.keys()]
            if found:
                return found
        return lines

    def _first_new(self, lines: Iterable[BDPhrase], *, repeat: bool = False) -> str | None:
        """A random line whose slots can be filled and whose sentences have not been said; ``repeat`` allows an old one as a last way."""
        usable = [line for line in lines if line.slots <= self._values.keys()]
        self._rng.shuffle(usable)
        for line in usable:
            text = line.text.format_map(self._values)
            if any(skeleton(sentence) in self._said for sentence in sentences(text)):
                continue
            # The same line with another price or date in it is the same line.
            if not any(_filled(line.text).search(old) for old in self._ours):
                return text
        if not repeat or not usable:
            return None
        text = usable[0].text.format_map(self._values)
        if self._book.language == "zh":
            return next((f"{lead}{text}" for lead in _LEADS_ZH if not any(lead in old for old in self._ours)), f"{_LEADS_ZH[-1]}{text}")
        lead = next((lead for lead in _LEADS if not any(skeleton(f"{lead} {text}").startswith(said) for said in self._said)), _LEADS[-1])
        return f"{lead} {text[:1].lower()}{text[1:]}" if not text.startswith("I ") else f"{lead} {text}"


def _thanks_twice(piece: str, before: str) -> bool:
    return ("hank" in piece and "hank" in before) or ("谢" in piece and "谢" in before)


def _is_one_too_many(closing: str, before: str) -> bool:
    """One question is enough, and one "let me know"."""
    return (closing.endswith(("?", "？")) and before.endswith(("?", "？"))) or any(
        words in closing and words in before for words in ("et me know", "告诉我", "谢")
    )


# Where a quality has nothing (new) to say, the nearest one speaks.
_FALLBACKS: dict[Quality, tuple[Quality, ...]] = {
    Quality.EXCELLENT: (Quality.EXCELLENT, Quality.FINE),
    Quality.FINE: (Quality.FINE, Quality.EXCELLENT),
    Quality.CLUMSY: (Quality.CLUMSY, Quality.FINE, Quality.EXCELLENT),
    Quality.WRONG: (Quality.WRONG,),
}
_ATTEMPTS = 4
_MOST_OVERLAP = 0.45
"""Share of a reply's word triples that may stand in one earlier reply of ours."""


@cache
def _filled(template: str) -> re.Pattern[str]:
    """A template with anything in its slots."""
    parts = [re.escape(part) for part in _SLOT.split(template)]
    return re.compile(rf"(?:^|[.!?,] |[。！？，]){'.{1,90}?'.join(parts)}", re.IGNORECASE)


def _overlap(text: str, earlier: str) -> float:
    triples, before = _triples(text), _triples(earlier)
    return len(triples & before) / len(triples) if len(triples) >= 6 else 0.0


@lru_cache(maxsize=4096)
def _triples(text: str) -> frozenset[tuple[str, str, str]]:
    words = skeleton(text).split()
    return frozenset(zip(words, words[1:], words[2:], strict=False))


_LEADS = ("If I may,", "Once more,", "To come back to it,", "As a last thought,", "Allow me to say it again,")


_LEADS_ZH = ("恕我再说一次，", "回到刚才的话题，", "还想补充一句，", "容我多说一句，", "最后跟您说一声，")


def _joined(pieces: list[str], language: str) -> str:
    if language == "zh":
        return "".join(pieces)
    text = ""
    for piece in pieces:
        if not text:
            text = piece
        elif text.endswith(","):
            text = f"{text} {piece}" if piece.startswith("I ") else f"{text} {piece[:1].lower()}{piece[1:]}"
        else:
            text = f"{text} {piece[:1].upper()}{piece[1:]}"
    return text
