"""What the files leave out: the tactic, tone and stages of a line, derived from its intent, topic and moves.

Decided here: the defaults, and nothing else; a tag that stands in a file always wins. Stages follow from the SOP's own table: a line of a
hotel belongs to the stages in which a move that it answers is allowed.
"""

from collections.abc import Iterable
from functools import cache

from agent.simulation.phrases import BDPart, Quality, Tactic
from agent.sop.stages import STAGES
from db.vocabulary import HotelMoveKind, Mood, MoveKind, Stage

_K, _M, _S, _T = HotelMoveKind, MoveKind, Stage, Tactic

# Our moves after which a hotel may speak with this intent; what is missing may be said after anything that waits for an answer.
_ANSWERS: dict[HotelMoveKind, frozenset[MoveKind]] = {
    _K.GREETING: frozenset({_M.GREET, _M.REDIRECT}),
    _K.INFORM: frozenset({_M.PROBE, _M.ASK, _M.HOLD}),
    _K.OFFER: frozenset({_M.ASK, _M.HOLD}),
    _K.AGREE: frozenset({_M.ASK, _M.HOLD}),
    _K.REFUSE: frozenset({_M.ASK, _M.HOLD}),
    _K.STALL: frozenset({_M.ASK, _M.HOLD, _M.CONFIRM}),
    _K.QUESTION: frozenset({_M.PROBE, _M.ASK, _M.HOLD}),
    _K.WRONG_PERSON: frozenset({_M.GREET, _M.REDIRECT}),
    _K.LEGAL: frozenset({_M.ASK, _M.HOLD}),
    _K.OTHER: frozenset({_M.PROBE, _M.CLOSE}),
}
# Topics that answer something else than their intent does at large.
_TOPIC_ANSWERS: dict[str, frozenset[MoveKind]] = {
    "to_confirm": frozenset({_M.CONFIRM, _M.ACCEPT}),
    "wrong_terms": frozenset({_M.CONFIRM, _M.ACCEPT}),
    "vague": frozenset({_M.ASK, _M.HOLD}),
    "basis_net": frozenset({_M.CLARIFY}),
    "basis_selling": frozenset({_M.CLARIFY}),
    "breakfast_yes": frozenset({_M.CLARIFY}),
    "breakfast_no": frozenset({_M.CLARIFY}),
    "tax_yes": frozenset({_M.CLARIFY}),
    "tax_no": frozenset({_M.CLARIFY}),
    "dates_all": frozenset({_M.CLARIFY}),
    "which_room": frozenset({_M.CLARIFY}),
    "room_count": frozenset({_M.CLARIFY}),
    "drop_condition": frozenset({_M.CLARIFY}),
    "why_him": frozenset({_M.GREET, _M.REDIRECT}),
    "who": frozenset({_M.GREET, _M.PROBE}),
    "dates": frozenset({_M.ASK, _M.HOLD, _M.CONFIRM}),
    "selling": frozenset({_M.ASK, _M.HOLD, _M.CONFIRM}),
    "farewell": frozenset({_M.CLOSE, _M.ESCALATE}),
    "small_talk": frozenset({_M.PROBE, _M.ASK}),
    "match": frozenset({_M.ASK, _M.HOLD}),
    "mismatch": frozenset({_M.ASK, _M.HOLD}),
    "disliked": frozenset({_M.ASK, _M.HOLD}),
    "close": frozenset({_M.ASK, _M.HOLD}),
    "heard_argument": frozenset({_M.ASK, _M.HOLD}),
    "step_seen": frozenset({_M.ASK, _M.HOLD}),
    "went_back": frozenset({_M.ASK, _M.HOLD}),
    "disliked_again": frozenset({_M.ASK, _M.HOLD}),
    "already_agreed": frozenset({_M.ASK, _M.HOLD, _M.CONFIRM}),
    "what_terms": frozenset({_M.CONFIRM, _M.ACCEPT}),
    "no_greeting": frozenset({_M.GREET, _M.PROBE, _M.ASK}),
}
_WAITING = frozenset(MoveKind) - {_M.CLOSE, _M.ESCALATE}

_TOPIC_TACTICS: dict[tuple[HotelMoveKind | None, str], Tactic] = {
    (_K.OFFER, "first"): _T.ANCHOR,
    (_K.OFFER, "counter"): _T.CONCEDE,
    (_K.OFFER, "final"): _T.TAKE_IT_OR_LEAVE_IT,
    (_K.OFFER, "conditional"): _T.CONDITION,
    (_K.OFFER, "vague"): _T.DEFLECT,
    (_K.OFFER, "which_unclear"): _T.CONCEDE,
    (_K.OFFER, "again"): _T.HOLD_FIRM,
    (_K.REFUSE, "final"): _T.TAKE_IT_OR_LEAVE_IT,
    (_K.STALL, "boss"): _T.AUTHORITY,
    (_K.INFORM, "pushback"): _T.HOLD_FIRM,
    (_K.INFORM, "drop_condition"): _T.CONCEDE,
    (None, "match"): _T.CONCEDE,
    (None, "close"): _T.CONCEDE,
    (None, "mismatch"): _T.HOLD_FIRM,
    (None, "disliked"): _T.COMPLAIN,
    (None, "repeated"): _T.COMPLAIN,
    (None, "no_greeting"): _T.COMPLAIN,
    (None, "internal"): _T.COMPLAIN,
    (None, "heard_argument"): _T.HOLD_FIRM,
    (None, "step_seen"): _T.CONCEDE,
    (None, "went_back"): _T.COMPLAIN,
    (None, "unanswered"): _T.COMPLAIN,
    (None, "broken_promise"): _T.COMPLAIN,
    (None, "disliked_again"): _T.COMPLAIN,
    (None, "already_agreed"): _T.COMPLAIN,
    (None, "too_good"): _T.COMPLAIN,
    (None, "chatter"): _T.DEFLECT,
}
_INTENT_TACTICS: dict[HotelMoveKind, Tactic] = {
    _K.GREETING: _T.DISCLOSE,
    _K.INFORM: _T.DISCLOSE,
    _K.OFFER: _T.CONCEDE,
    _K.AGREE: _T.CONCEDE,
    _K.REFUSE: _T.HOLD_FIRM,
    _K.QUESTION: _T.DEFLECT,
    _K.STALL: _T.DELAY,
    _K.SILENCE: _T.DELAY,
    _K.UPSET: _T.COMPLAIN,
    _K.WRONG_PERSON: _T.AUTHORITY,
    _K.STOP: _T.TAKE_IT_OR_LEAVE_IT,
    _K.LEGAL: _T.AUTHORITY,
    _K.OTHER: _T.DISCLOSE,
}
_PART_TACTICS: dict[BDPart, Tactic] = {
    BDPart.HELLO: _T.OPEN_SOFTLY,
    BDPart.INTRO: _T.OPEN_SOFTLY,
    BDPart.PURPOSE: _T.OPEN_SOFTLY,
    BDPart.QUESTION: _T.OPEN_SOFTLY,
    BDPart.ANSWER: _T.CLARIFY,
    BDPart.REASON: _T.REASON,
}
_MOVE_TACTICS: dict[MoveKind, Tactic] = {
    _M.GREET: _T.OPEN_SOFTLY,
    _M.PROBE: _T.OPEN_SOFTLY,
    _M.ASK: _T.ANCHOR,
    _M.HOLD: _T.HOLD_FIRM,
    _M.CLARIFY: _T.CLARIFY,
    _M.ACCEPT: _T.RECIPROCATE,
    _M.CONFIRM: _T.CONFIRM,
    _M.CALM: _T.DE_ESCALATE,
    _M.REDIRECT: _T.CLARIFY,
    _M.FOLLOW_UP: _T.OPEN_SOFTLY,
    _M.CLOSE: _T.WALK_AWAY,
    _M.ESCALATE: _T.DE_ESCALATE,
}
_HARSH_FAULTS = frozenset({"pressure", "reproach", "haggling_with_anger", "ignoring_wrong_person"})
_WARM_PARTS = frozenset({BDPart.HELLO, BDPart.ACK, BDPart.CLOSING})


def hotel_tactic(intent: HotelMoveKind | None, topic: str, mood: Mood) -> Tactic:
    """What a hotel's line does, where its file does not say."""
    if (intent, topic) in _TOPIC_TACTICS:
        return _TOPIC_TACTICS[intent, topic]
    if mood is Mood.WARM and intent in (None, _K.GREETING, _K.OTHER):
        return _T.FLATTER
    if intent is None:
        return _T.COMPLAIN if mood in (Mood.ANNOYED, Mood.ANGRY) else _T.DISCLOSE
    return _INTENT_TACTICS[intent]


def hotel_stages(intent: HotelMoveKind | None, topic: str) -> frozenset[Stage]:
    """The stages in which a hotel may say such a line."""
    answered = _TOPIC_ANSWERS.get(topic) or (_ANSWERS.get(intent, _WAITING) if intent is not None else _WAITING)
    return stages_of(answered)


def bd_tactic(part: BDPart, moves: frozenset[MoveKind], topic: str | None, moods: frozenset[Mood]) -> Tactic:
    """What a line of ours does, where its file does not say."""
    if part is BDPart.ACK:
        return _T.DE_ESCALATE if moods and moods <= {Mood.ANNOYED, Mood.ANGRY, Mood.ANXIOUS} else _T.ACKNOWLEDGE
    if part in _PART_TACTICS:
        return _PART_TACTICS[part]
    move = min(moves, key=list(MoveKind).index)
    if part is BDPart.CLOSING and move in (_M.ASK, _M.HOLD, _M.FOLLOW_UP, _M.CLOSE):
        return _T.ACKNOWLEDGE
    if topic == "step_closer":
        return _T.STEP_CLOSER
    if move is _M.CLOSE and topic == "deal":
        return _T.CONFIRM
    return _MOVE_TACTICS[move]


def bd_tone(part: BDPart, moves: frozenset[MoveKind], quality: Quality, fault: str | None) -> Mood:
    """How a line of ours sounds, where its file does not say."""
    if fault in _HARSH_FAULTS:
        return Mood.ANNOYED
    if quality is Quality.EXCELLENT and (part in _WARM_PARTS or _M.CALM in moves):
        return Mood.WARM
    return Mood.NEUTRAL


def bd_stages(moves: frozenset[MoveKind], after: frozenset[HotelMoveKind]) -> frozenset[Stage]:
    """The stages in which the SOP allows one of the moves; for an acknowledgement those in which its occasion may arise, or the next."""
    if moves:
        return stages_of(moves)
    heard = frozenset[Stage]().union(*(hotel_stages(kind, "") for kind in after))
    return heard | frozenset[Stage]().union(*(STAGES[stage].exits for stage in heard)) - _ENDS


_ENDS = frozenset(stage for stage in Stage if stage.is_end)


def stages_of(moves: Iterable[MoveKind]) -> frozenset[Stage]:
    """Every stage whose row of the SOP's table allows one of these moves."""
    return _stages_of(frozenset(moves))


@cache
def _stages_of(moves: frozenset[MoveKind]) -> frozenset[Stage]:
    return frozenset(stage for stage, row in STAGES.items() if row.moves & moves)
