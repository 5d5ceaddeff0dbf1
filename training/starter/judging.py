"""Replies to be judged, with the marks that a good judge would give: known, since the phrasebook says how good each line is.

Decided here: how a line's quality, its fault and the moment in which it falls become marks on the shipped rubric's items.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from agent.domain import AllowedMove, Reply, TurnContext
from agent.language.prompts import Message
from agent.simulation import NothingToSay, Quality, ScriptedBD, phrasebook
from agent.simulation.phrases import LANGUAGES
from db.vocabulary import HotelMoveKind, Mood, MoveKind
from training.judging import Marks, render_judge, shipped_rubric
from training.starter.samples import Job, Sample

QUALITIES = (Quality.EXCELLENT, Quality.EXCELLENT, Quality.FINE, Quality.FINE, Quality.CLUMSY, Quality.WRONG, Quality.WRONG)

_USUAL: Mapping[Quality, Marks] = {
    Quality.EXCELLENT: {"empathy": 1, "sop": 2, "progress": 1, "promises": 0, "silence": 0, "reasoning": 0, "style": 2},
    Quality.FINE: {"empathy": 0, "sop": 1, "progress": 1, "promises": 0, "silence": 0, "reasoning": 0, "style": 1},
    Quality.CLUMSY: {"empathy": -1, "sop": 0, "progress": 0, "promises": 0, "silence": 0, "reasoning": 0, "style": -1},
    Quality.WRONG: {"empathy": -1, "sop": 0, "progress": 0, "promises": 0, "silence": 0, "reasoning": -1, "style": -1},
}
_FAULTY: Mapping[str, Marks] = {
    "over_promise": {"promises": -2},
    "pressure": {"promises": -2, "empathy": -2},
    "internal_words": {"promises": -2},
    "invented_fact": {"reasoning": -2},
    "net_selling_mixup": {"sop": -2},
    "guessing": {"sop": -2},
    "missing_terms": {"sop": -2},
    "ignoring_wrong_person": {"sop": -2, "empathy": -2},
    "reasoning_leak": {"style": -2},
    "mixed_language": {"style": -2},
    "robotic_repetition": {"style": -2, "progress": -2},
    "one_room_only": {"sop": -1, "progress": -2},
    "pushing_on": {"sop": -1, "progress": -2},
    "silence_as_consent": {"silence": -2, "sop": -2},
    "haggling_with_anger": {"empathy": -2, "progress": -1},
    "reproach": {"empathy": -2},
    "skipped_greeting": {"empathy": -2, "sop": -2},
}
_TOUCHY = frozenset({Mood.ANNOYED, Mood.ANGRY, Mood.ANXIOUS})
_UNDECIDED = frozenset({HotelMoveKind.SILENCE, HotelMoveKind.STALL})
_PRICED = frozenset({MoveKind.ASK, MoveKind.HOLD})
_STEP = {Quality.EXCELLENT: 1, Quality.FINE: 0, Quality.CLUMSY: -1, Quality.WRONG: -1}


@dataclass(frozen=True, slots=True)
class JudgeExercise:
    """A reply that is to be judged, and the marks that it deserves."""

    context: TurnContext
    reply: Reply
    quality: Quality
    marks: Marks

    def prompt(self) -> list[Message]:
        """What the model is given."""
        return render_judge(self.context, self.reply, shipped_rubric())

    def completion(self) -> str:
        """What it should answer."""
        return shipped_rubric().encode(self.marks)

    def sample(self) -> Sample:
        """Both, as training takes them."""
        return Sample(Job.JUDGE, tuple(self.prompt()), self.completion())


def judge_exercise(bd: ScriptedBD, context: TurnContext, rng: random.Random) -> JudgeExercise | None:
    """A reply of any quality to this turn; None where the phrasebook has none."""
    move, quality = rng.choice(context.allowed), rng.choice(QUALITIES)
    try:
        text = bd.say(context, move, rng=rng, quality=quality)
    except NothingToSay:
        return None
    return JudgeExercise(context, Reply(move=move, text=text), quality, marks(context, move, text, quality))


def marks(context: TurnContext, move: AllowedMove, text: str, quality: Quality) -> Marks:
    """The marks of a reply of known quality."""
    heard = context.hotel_move
    given = dict(_USUAL[quality])
    if heard is not None and heard.mood in _TOUCHY:
        given["empathy"] = max(-2, given["empathy"] + _STEP[quality])
    if heard is not None and heard.kind in _UNDECIDED:
        given["silence"] += 1 + _STEP[quality]
    if move.kind in _PRICED:
        given["reasoning"] = max(-2, given["reasoning"] + 1 + _STEP[quality])
        given["progress"] += max(0, _STEP[quality])
    if quality is Quality.WRONG:
        given |= _FAULTY.get(_fault_of(text), {})
    return given


def _fault_of(text: str) -> str:
    return next((fault for line, fault in _wrong_lines() if line.search(text)), "")


@cache
def _wrong_lines() -> tuple[tuple[re.Pattern[str], str], ...]:
    lines = (line for language in LANGUAGES for line in phrasebook(language).bd if line.fault is not None)
    return tuple((re.compile(".{1,160}?".join(map(re.escape, re.split(r"\{\w+\}", line.text)))), line.fault or "") for line in lines)
