"""The shape of what the model emits: JSON schemas for constrained decoding, and the exact bytes that training teaches.

Keys stand in a fixed order without whitespace, so that a small model spends its tokens on words and the incremental decoder of the
writer may rely on the order.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import Any

from agent.domain import AllowedMove, HotelMove, Reply, TurnContext
from agent.language.blanks import blank_out, blanks
from db.vocabulary import HotelMoveKind, Mood, MoveKind, PriceBasis

Schema = dict[str, Any]

READING_SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "enum": [str(kind) for kind in HotelMoveKind]},
        "mood": {"type": "string", "enum": [str(mood) for mood in Mood]},
        "basis": {"type": "string", "enum": [str(basis) for basis in PriceBasis]},
    },
    "required": ["kind", "mood", "basis"],
    "additionalProperties": False,
}


_NET = r"\{net\} net|[ (]net(?: (?:rate|price|figure|amount))?(?: (?:of|at|is|would be|comes to|to|for|be))?[:,]? \{net\}"
"""A net price stands beside the word; every line of the phrasebook names it in one of these forms."""
_MUST_SAY: dict[str, tuple[str, ...]] = {
    "ask": (f"(?:{_NET})",),
    "probe": (r"\?",),
    "escalate": ("colleague",),
    "calm": ("(?:[Ss]orry|pologi|nderstand|upset|regret|hear|fault|mistake|responsib|frustrat)",),
    "redirect": ("(?:[Ww]ho|in charge|contact|right person|[Pp]oint me)",),
    "clarify:net_or_selling": (" net", " sell"),
    "clarify:amount": ("(?:exact|figure|amount|how much)",),
    "clarify:which_room": ("(?:[Ww]hich|[Ww]hat)", "room"),
    "clarify:dates": ("(?:date|night|period)",),
    "clarify:breakfast": ("breakfast",),
    "clarify:tax": ("tax",),
    "clarify:rooms": ("(?:[Hh]ow many|number of)",),
    "clarify:condition": ("(?:condition|depend|require|restrict|minimum)",),
}
"""By a move's key: without these, in any order, an English reply does not do what its move says (``agent.guardrails.moves``)."""


_TERMS_ARE_TOLD = (MoveKind.ACCEPT, MoveKind.CONFIRM)
_BEFORE = {MoveKind.ASK: 3, MoveKind.CLARIFY: 1}
_BEFORE_ELSE, _AFTER, _MOST_SENTENCES = 2, 2, 6
"""Sentences before and after the one with what the move needs, and in a reply of a move that needs nothing."""
_LONGEST, _NEAR, _QUESTION = 160, 65, 65
"""Characters of a sentence, a blank counting as one; between two things that a move needs; and of a question on each side of its point."""


def reply_schema(context: TurnContext) -> Schema:
    """The schema of a reply that makes one of the turn's moves.

    The text is words and blanks: no digit, no blank without a value in that move, and what the move cannot do without; in English a net
    price stands beside the word.
    """
    shapes = [_reply_shape(move, tuple(blanks(context, move)), english=context.language == "en") for move in context.allowed]
    return shapes[0] if len(shapes) == 1 else {"anyOf": shapes}


def _reply_shape(move: AllowedMove, names: Sequence[str], *, english: bool) -> Schema:
    pattern = _english(move, names) if english else rf"^(?:[^{{}}0-9]|{_one_of(names)})*[^{{}}0-9](?:[^{{}}0-9]|{_one_of(names)})*$"
    return {
        "type": "object",
        "properties": {"move": {"type": "string", "enum": [move.key]}, "text": {"type": "string", "pattern": pattern}},
        "required": ["move", "text"],
        "additionalProperties": False,
    }


def _english(move: AllowedMove, names: Sequence[str]) -> str:
    """A few sentences, with what the move needs close together: a small model that may not end yet and cannot tell why goes on for ever."""
    blank = _one_of([name for name in names if name != "net"]) + (f"|{_NET}" if "net" in names else "")
    sentence = rf"(?:[^{{}}0-9.!?]|{blank}){{1,{_LONGEST}}}[.!?]+"
    # Decoders know no lookahead, and give up on the intersection of several expressions: so every order is written out.
    near = f"[^{{}}0-9.!?]{{0,{_QUESTION}}}" if move.kind is MoveKind.CLARIFY else rf"(?:[^{{}}0-9?]|{blank}){{0,{_NEAR}}}"
    orders = "|".join(near.join(order) for order in _orders(move, names))
    if not orders:
        return f"^(?:{sentence}){{1,{_MOST_SENTENCES}}}$"
    if move.kind is MoveKind.CLARIFY:
        words = rf"(?:[^{{}}0-9.!?]|{blank}){{0,{_QUESTION}}}"
        return f"^(?:{sentence}){{0,{_BEFORE[move.kind]}}}{words}(?:{orders}){words}\\?(?:{sentence}){{0,{_AFTER}}}$"
    words = rf"(?:[^{{}}0-9.!?]|{blank}){{0,{_LONGEST}}}"
    return f"^(?:{sentence}){{0,{_BEFORE.get(move.kind, _BEFORE_ELSE)}}}{words}(?:{orders}){words}[.!?]*(?:{sentence}){{0,{_AFTER}}}$"


def _orders(move: AllowedMove, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    if move.kind in _TERMS_ARE_TOLD and {"net", "selling"} <= set(names):
        for order in permutations((f"(?:{_NET})", r"\{selling\}", r"\{room\}", r"(?:\{dates\}|\{check_in\} to \{check_out\})")):
            yield (*order, r"\?")
    elif needed := _MUST_SAY.get(move.key):
        yield from permutations(needed)


def _one_of(names: Sequence[str]) -> str:
    return rf"\{{(?:{'|'.join(names)})\}}"


def encode_reading(move: HotelMove) -> str:
    """What the model should emit for a message that means ``move``: ``{"kind":"offer","mood":"neutral","basis":"net"}``.

    The basis is the one that the message names by itself, else that of the first offer, else unknown.
    """
    basis = move.stated_basis or (move.offers[0].basis if move.offers else PriceBasis.UNKNOWN)
    return _compact({"kind": str(move.kind), "mood": str(move.mood), "basis": str(basis)})


def encode_reply(reply: Reply) -> str:
    """What the model should emit for ``reply``: ``{"move":"ask","text":"…"}``."""
    return encode_words(reply.move.key, reply.text)


def encode_words(move_key: str, text: str) -> str:
    """The same by the move's key."""
    return _compact({"move": move_key, "text": text})


def encode_filled(context: TurnContext, reply: Reply) -> str:
    """The same for a reply whose blanks may be filled: amounts, dates and names of the turn become blanks again."""
    return encode_reply(Reply(move=reply.move, text=blank_out(reply.text, context, reply.move)))


def move_and_words(answer: str) -> tuple[str, str]:
    """The inverse of ``encode_words``: the move's key and the text; an empty key and the whole answer where it is not of that form."""
    try:
        said = json.loads(answer)
    except ValueError:
        return "", answer
    return (str(said.get("move", "")), str(said.get("text", ""))) if isinstance(said, dict) else ("", answer)


def _compact(value: dict[str, str]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
