"""The shape of what the model emits: JSON schemas for constrained decoding, and the exact bytes that training teaches.

Keys stand in a fixed order without whitespace, so that a small model spends its tokens on words and the incremental decoder of the
writer may rely on the order.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grammar:
    """How a language writes what a move needs; lengths in characters, a blank counting as one."""

    net: str
    """A net price stands beside the word; every line of the phrasebook names it in one of these forms."""
    stay: str
    must_say: Mapping[str, tuple[str, ...]]
    """By a move's key: without these, in any order, a reply does not do what its move says (``agent.guardrails.moves``)."""
    ends: str
    """Of a sentence, for a class."""
    asks: str
    """Of a question, for a class."""
    longest: int
    """Of a sentence."""
    near: int
    """Between two things that a move needs, and of a question on each side of its point."""


_NET_EN = r"\{net\} net|[ (]net(?: (?:rate|price|figure|amount))?(?: (?:of|at|is|would be|comes to|to|for|be))?[:,]? \{net\}"
_NET_ZH = "净价(?:是|为|：)?\\{net\\}"
_GRAMMARS = {
    "en": _Grammar(
        net=_NET_EN,
        stay=r"(?:\{dates\}|\{check_in\} to \{check_out\})",
        must_say={
            "ask": (f"(?:{_NET_EN})",),
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
        },
        ends=".!?",
        asks="?",
        longest=160,
        near=65,
    ),
    "zh": _Grammar(
        net=_NET_ZH,
        stay="(?:\\{dates\\}|\\{check_in\\}[到至]\\{check_out\\})",
        must_say={
            "ask": (_NET_ZH,),
            "probe": ("[?？]",),
            "escalate": ("(?:同事|主管|专人|负责人)",),
            "calm": ("(?:抱歉|对不起|道歉|理解|不好意思)",),
            "redirect": ("(?:哪位|谁|负责)",),
            "clarify:net_or_selling": ("(?:净价|底价|结算价)", "(?:售价|卖价)"),
            "clarify:amount": ("(?:具体|准确|确切|多少|金额|数字|哪个价)",),
            "clarify:which_room": ("哪[个种间][^。？?{}0-9]{0,6}房",),
            "clarify:dates": ("(?:日期|哪几?天|期间|时间段|整段)",),
            "clarify:breakfast": ("(?:早餐|含早)",),
            "clarify:tax": ("税",),
            "clarify:rooms": ("(?:几间|多少间|房间数)",),
            "clarify:condition": ("(?:条件|取决|要求|限制|挂钩|前提)",),
        },
        ends=".!?。！？",
        asks="?？",
        longest=70,
        near=30,
    ),
}


_TERMS_ARE_TOLD = (MoveKind.ACCEPT, MoveKind.CONFIRM)
_BEFORE = {MoveKind.ASK: 3, MoveKind.CLARIFY: 1}
_BEFORE_ELSE, _AFTER, _MOST_SENTENCES = 2, 2, 6
"""Sentences before and after the one with what the move needs, and in a reply of a move that needs nothing."""


def reply_schema(context: TurnContext) -> Schema:
    """The schema of a reply that makes one of the turn's moves.

    The text is words and blanks: no digit, no blank without a value in that move, and in English and Chinese what the move cannot do
    without, a net price beside the word.
    """
    shapes = [_reply_shape(move, tuple(blanks(context, move)), _GRAMMARS.get(context.language)) for move in context.allowed]
    return shapes[0] if len(shapes) == 1 else {"anyOf": shapes}


def _reply_shape(move: AllowedMove, names: Sequence[str], grammar: _Grammar | None) -> Schema:
    loose = rf"^(?:[^{{}}0-9]|{_one_of(names)})*[^{{}}0-9](?:[^{{}}0-9]|{_one_of(names)})*$"
    return {
        "type": "object",
        "properties": {
            "move": {"type": "string", "enum": [move.key]},
            "text": {"type": "string", "pattern": loose if grammar is None else _sentences(move, names, grammar)},
        },
        "required": ["move", "text"],
        "additionalProperties": False,
    }


def _sentences(move: AllowedMove, names: Sequence[str], grammar: _Grammar) -> str:
    """A few sentences, with what the move needs close together: a small model that may not end yet and cannot tell why goes on for ever."""
    blank = _one_of([name for name in names if name != "net"]) + (f"|{grammar.net}" if "net" in names else "")
    ends, asks, longest, close = grammar.ends, grammar.asks, grammar.longest, grammar.near
    sentence = rf"(?:[^{{}}0-9{ends}]|{blank}){{1,{longest}}}[{ends}]+"
    # Decoders know no lookahead, and give up on the intersection of several expressions: so every order is written out.
    near = f"[^{{}}0-9{ends}]{{0,{close}}}" if move.kind is MoveKind.CLARIFY else rf"(?:[^{{}}0-9{asks}]|{blank}){{0,{close}}}"
    orders = "|".join(near.join(order) for order in _orders(move, names, grammar))
    if not orders:
        return f"^(?:{sentence}){{1,{_MOST_SENTENCES}}}$"
    if move.kind is MoveKind.CLARIFY:
        words = rf"(?:[^{{}}0-9{ends}]|{blank}){{0,{close}}}"
        return f"^(?:{sentence}){{0,{_BEFORE[move.kind]}}}{words}(?:{orders}){words}[{asks}](?:{sentence}){{0,{_AFTER}}}$"
    words = rf"(?:[^{{}}0-9{ends}]|{blank}){{0,{longest}}}"
    return f"^(?:{sentence}){{0,{_BEFORE.get(move.kind, _BEFORE_ELSE)}}}{words}(?:{orders}){words}[{ends}]*(?:{sentence}){{0,{_AFTER}}}$"


def _orders(move: AllowedMove, names: Sequence[str], grammar: _Grammar) -> Iterator[tuple[str, ...]]:
    if move.kind in _TERMS_ARE_TOLD and {"net", "selling"} <= set(names):
        for order in permutations((f"(?:{grammar.net})", r"\{selling\}", r"\{room\}", grammar.stay)):
            yield (*order, f"[{grammar.asks}]")
    elif needed := grammar.must_say.get(move.key):
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
