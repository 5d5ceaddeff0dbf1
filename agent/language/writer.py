"""From a turn to the words of a reply, as they come from the model.

The model answers ``{"move":…,"text":…}``, the text with blanks for what is a fact. ``ReplyDecoder`` takes the answer in pieces of any size,
cut anywhere; ``write`` fills the blanks (``agent.language.blanks``) and yields the words as soon as they are certain, and at the end the
whole reply. A draft that the model itself finds unlikely, as a small one's is that has lost its thread, is held against others. What a
reply is worth is for the guard.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from statistics import fmean
from typing import Any

from agent.domain import AllowedMove, Reply, TurnContext
from agent.guardrails.rule import Violation
from agent.language.blanks import Filler, UnknownBlank, blanks, fill
from agent.language.client import Completion, ModelClient
from agent.language.echo import Unechoed, unechoed
from agent.language.fallbacks import Fallback, note
from agent.language.format import reply_schema
from agent.language.openings import used_openings
from agent.language.prompts import render_write
from db.errors import ParleyError

MOST_TOKENS = 280
"""Enough for a full confirmation; prompt and answer together fit a window of 1,024."""


class WriterFailed(ParleyError):
    """The model's answer is no reply: broken JSON, an unknown move, no words. The safe template takes its place."""


@dataclass(frozen=True, slots=True)
class Token:
    """The next words of the reply's text, as they came. ``fresh`` words replace all that came before."""

    text: str
    fresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Redraw:
    """When further drafts are drawn beside the first one. The first of them that is fluent enough is taken, else the most fluent of all."""

    below: float
    """``fluency`` that is not enough, of the first draft and of the others. A draft that is no reply is always drawn again."""
    copies: int
    """0 never draws again."""
    temperature: float = 0.7
    """Of the others: at the first one's they would be much the same."""


NEVER = Redraw(below=0.0, copies=0)
_WORST_WORD_IN = 8
"""A draft whose worst token is 4 less likely than another's (in log-probability) is as bad as one whose mean is 0.5 below."""


def fluency(logprobs: Sequence[float]) -> float:
    """How likely the model finds its own draft, from its tokens' log-probabilities: their mean, and the lowest one for a single odd joint.

    A small model that is kept from a beginning it has used already leaves its sentence at one unlikely word and is fluent again behind
    it, which the mean alone does not show.
    """
    return fmean(logprobs) + min(logprobs) / _WORST_WORD_IN


def write(
    context: TurnContext,
    *,
    client: ModelClient,
    model: str,
    temperature: float = 0.7,
    seed: int | None = None,
    violations: Sequence[Violation] = (),
    max_tokens: int = MOST_TOKENS,
    redraw: Redraw = NEVER,
) -> Iterator[Token | Reply]:
    """Stream the reply's words; the last thing yielded is the whole ``Reply`` with one of the allowed moves.

    With ``violations`` it is a rewrite, told what to avoid. Raises WriterFailed (counted) where no answer is a reply, and what the
    client raises.
    """
    asked: dict[str, Any] = {
        "model": model,
        "messages": render_write(context, violations=violations),
        "schema": reply_schema(context),
        "max_tokens": max_tokens,
        "seed": seed,
        "never": used_openings(context),
    }
    first: Reply | None = None
    failure = ""
    logprobs: list[float] = []
    try:
        pieces = client.stream_json(temperature=temperature, logprobs=logprobs if redraw.copies else None, **asked)
        for piece in _streamed(context, pieces):
            if isinstance(piece, Reply):
                first = piece
            else:
                yield piece
    except (WriterFailed, UnknownBlank) as fault:
        failure = str(fault)
    fluent = fluency(logprobs) if first is not None and logprobs else None
    reply = first
    if redraw.copies and (first is None or (fluent is not None and fluent < redraw.below)):
        others = client.complete_many(copies=redraw.copies, temperature=redraw.temperature, **asked)
        reply = _fluent_of(context, others, first, fluent, enough=redraw.below)
        if reply is not None and reply is not first:
            yield Token(reply.text, fresh=True)
    if reply is None:
        note(Fallback.WRITER_BAD_OUTPUT, reason=failure)
        raise WriterFailed(failure)
    yield reply


def _streamed(context: TurnContext, pieces: Iterator[str]) -> Iterator[Token | Reply]:
    decoder = ReplyDecoder()
    filler: Filler | None = None
    heard = Unechoed()
    for piece in pieces:
        if words := decoder.feed(piece):
            filler = filler or Filler(blanks(context, _move(context, decoder.fields)))
            if filled := heard.feed(filler.feed(words)):
                yield Token(filled)
    if filled := heard.finish():
        yield Token(filled)
    yield _reply(context, decoder.finish())


def _fluent_of(
    context: TurnContext, others: Sequence[Completion], first: Reply | None, fluent: float | None, *, enough: float
) -> Reply | None:
    """The first of the others that is fluent enough, else the most fluent of all, the first draft among them.

    Always the most fluent would be the shortest and best-known line, whatever it is worth: the model's mode and not its voice.
    """
    best, highest = first, fluent
    for answer in others:
        if not answer.logprobs:
            continue
        found = fluency([token.logprob for token in answer.logprobs])
        if highest is not None and found <= highest:
            continue
        try:
            best, highest = read_answer(context, answer.text), found
        except (WriterFailed, UnknownBlank):
            continue
        if found >= enough:
            break
    return best


def read_answer(context: TurnContext, answer: str) -> Reply:
    """The reply that a whole answer of the model is, its blanks filled. Raises WriterFailed or UnknownBlank where it is none; uncounted."""
    decoder = ReplyDecoder()
    decoder.feed(answer)
    return _reply(context, decoder.finish())


def _reply(context: TurnContext, fields: Mapping[str, str]) -> Reply:
    if set(fields) != {"move", "text"}:
        raise WriterFailed("the model's answer lacks its move or its text")
    move = _move(context, fields)
    text = unechoed(fill(fields["text"], blanks(context, move)))
    if not text:
        raise WriterFailed("the model's answer has no words")
    return Reply(move=move, text=text)


def _move(context: TurnContext, fields: Mapping[str, str]) -> AllowedMove:
    """The move comes before the words: which price a blank stands for depends on it."""
    for move in context.allowed:
        if move.key == fields.get("move"):
            return move
    raise WriterFailed("the model's answer names a move that is not allowed in this turn")


class _At(Enum):
    START = auto()
    KEY_OR_END = auto()
    KEY = auto()
    IN_KEY = auto()
    COLON = auto()
    VALUE = auto()
    IN_VALUE = auto()
    COMMA_OR_END = auto()
    DONE = auto()


_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_BLANK = " \t\r\n"


class ReplyDecoder:
    """Decodes one flat JSON object of strings from pieces cut anywhere, also inside an escape or a surrogate pair."""

    def __init__(self, *, streamed: str = "text") -> None:
        """``streamed`` is the key whose value ``feed`` gives out as it comes."""
        self._streamed = streamed
        self._at = _At.START
        self._key = ""
        self._string: list[str] = []
        self._escape: str | None = None
        """What has come of an escape, without its backslash; None outside one."""
        self._high = 0
        """A high surrogate that waits for its low one."""
        self._fields: dict[str, str] = {}

    def feed(self, piece: str) -> str:
        """Take the next piece; return the words of the streamed value that it completes. Raises WriterFailed on broken JSON."""
        words: list[str] = []
        for character in piece:
            if self._at in (_At.IN_KEY, _At.IN_VALUE):
                decoded = self._in_string(character)
                if decoded and self._at is _At.IN_VALUE and self._key == self._streamed:
                    words.append(decoded)
            elif character not in _BLANK:
                self._between(character)
        return "".join(words)

    @property
    def fields(self) -> Mapping[str, str]:
        """The fields that are complete."""
        return self._fields

    def finish(self) -> dict[str, str]:
        """The whole object. Raises WriterFailed where it was cut off."""
        if self._at is not _At.DONE:
            raise WriterFailed("the model's answer was cut off")
        return dict(self._fields)

    def _in_string(self, character: str) -> str:
        if self._escape is not None:
            return self._in_escape(character)
        if character == "\\":
            self._escape = ""
            return ""
        lost = self._lost_surrogate()
        if character == '"':
            # The lost half of a pair still belongs to the string that ends here.
            if lost:
                self._string.append(lost)
            self._end_string()
            return ""
        return self._take(lost + character)

    def _in_escape(self, character: str) -> str:
        escape = (self._escape or "") + character
        if escape[0] != "u":
            if escape not in _ESCAPES:
                raise WriterFailed("the model's answer holds an escape that JSON does not know")
            self._escape = None
            return self._take(self._lost_surrogate() + _ESCAPES[escape])
        if len(escape) < 5:
            self._escape = escape
            return ""
        self._escape = None
        try:
            code = int(escape[1:], 16)
        except ValueError as fault:
            raise WriterFailed("the model's answer holds an escape that JSON does not know") from fault
        return self._code_unit(code)

    def _code_unit(self, code: int) -> str:
        if 0xD800 <= code < 0xDC00:
            lost = self._lost_surrogate()
            self._high = code
            return self._take(lost)
        if 0xDC00 <= code < 0xE000:
            high, self._high = self._high, 0
            return self._take(chr(0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)) if high else "\ufffd")
        return self._take(self._lost_surrogate() + chr(code))

    def _lost_surrogate(self) -> str:
        high, self._high = self._high, 0
        return "\ufffd" if high else ""

    def _take(self, text: str) -> str:
        if text:
            self._string.append(text)
        return text

    def _end_string(self) -> None:
        whole = "".join(self._string)
        self._string = []
        if self._at is _At.IN_KEY:
            if whole in self._fields:
                raise WriterFailed("the model's answer names a key twice")
            self._key, self._at = whole, _At.COLON
        else:
            self._fields[self._key] = whole
            self._at = _At.COMMA_OR_END

    def _between(self, character: str) -> None:
        after = _STEPS.get((self._at, character))
        if after is None:
            raise WriterFailed("the model's answer is not the JSON object that was asked for")
        self._at = after


_STEPS = {
    (_At.START, "{"): _At.KEY_OR_END,
    (_At.KEY_OR_END, '"'): _At.IN_KEY,
    (_At.KEY_OR_END, "}"): _At.DONE,
    (_At.KEY, '"'): _At.IN_KEY,
    (_At.COLON, ":"): _At.VALUE,
    (_At.VALUE, '"'): _At.IN_VALUE,
    (_At.COMMA_OR_END, ","): _At.KEY,
    (_At.COMMA_OR_END, "}"): _At.DONE,
}
