"""The shape of what the model emits: JSON schemas for constrained decoding, and the exact bytes that training teaches.

Keys stand in a fixed order without whitespace, so that a small model spends its tokens on words and the incremental decoder of the
writer may rely on the order.
"""

import json
from collections.abc import Sequence
from typing import Any

from agent.domain import AllowedMove, HotelMove, Reply
from db.vocabulary import HotelMoveKind, Mood, PriceBasis

TEXT_LIMIT = 800
"""Most characters of one reply."""

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


def reply_schema(allowed: Sequence[AllowedMove]) -> Schema:
    """The schema of a reply whose move is one of ``allowed``."""
    return {
        "type": "object",
        "properties": {
            "move": {"type": "string", "enum": [move.key for move in allowed]},
            "text": {"type": "string", "minLength": 1, "maxLength": TEXT_LIMIT},
        },
        "required": ["move", "text"],
        "additionalProperties": False,
    }


def encode_reading(move: HotelMove) -> str:
    """What the model should emit for a message that means ``move``: ``{"kind":"offer","mood":"neutral","basis":"net"}``.

    The basis is the one that the message names by itself, else that of the first offer, else unknown.
    """
    basis = move.stated_basis or (move.offers[0].basis if move.offers else PriceBasis.UNKNOWN)
    return _compact({"kind": str(move.kind), "mood": str(move.mood), "basis": str(basis)})


def encode_reply(reply: Reply) -> str:
    """What the model should emit for ``reply``: ``{"move":"ask","text":"…"}``."""
    return _compact({"move": reply.move.key, "text": reply.text})


def _compact(value: dict[str, str]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
