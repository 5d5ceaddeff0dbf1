"""Words by which an expert suspects a fault in a sentence that the phrasebook does not know.

The words stand in ``hints.yaml``; decided here is only how they are searched for. A pattern is searched in folded text with slots in it
(``xamount``, ``xroom``, …); see ``plain``.
"""

import re
from importlib.resources import files
from typing import Any

import yaml

from training.experts.faults import FaultKind

_FILE: dict[str, Any] = yaml.safe_load((files("training.experts") / "hints.yaml").read_text(encoding="utf-8"))


def _any(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


def plain(sentence: str) -> str:
    """A sentence as the patterns expect it: folded, without apostrophes and double spaces."""
    return " ".join(re.sub(r"['’`]", " ", sentence.casefold()).split())


ANYWHERE: dict[FaultKind, re.Pattern[str]] = {FaultKind(kind): _any(words) for kind, words in _FILE["anywhere"].items()}
"""Suspicious wherever they stand."""
AGREED_ALREADY = _any(_FILE["agreed_already"])
"""The talk is treated as settled."""
FORGETS = _any(_FILE["forgets"])
"""A room is left behind."""
ROBOTIC = _any(_FILE["robotic"])
"""What was said is announced as said again."""
NEEDS_NO_BOSS = _any(_FILE["needs_no_boss"])
"""The person who answers is pressed although somebody else decides."""
DISMISSES = _any(_FILE["dismisses"])
"""A feeling is brushed aside."""
DONE = _any(_FILE["done"])
"""The talk is treated as finished."""
LOWER = _any(_FILE["lower"])
"""Less is asked for."""
PRICE = _any(_FILE["price"])
"""The price is spoken of …"""
LATER = _any(_FILE["later"])
"""… and put off, not brought up."""
GREETING = _any(_FILE["greeting"])
SORRY = _any(_FILE["sorry"])
"""A feeling is named, or something regretted."""
THANKS = _any(_FILE["thanks"])
DEMAND = _any(_FILE["demand"])
"""Something is demanded."""
WHO = _any(_FILE["who"])
"""The right person is asked for."""
ASKS = _any(_FILE["asks"])
ASKS_KINDLY = _any(_FILE["asks_kindly"])
"""The choice is left to the hotel."""
ASSUMES = _any(_FILE["assumes"])
FOREIGN = re.compile(rf"\b(?:{'|'.join(_FILE['foreign'])})\b")
CHINESE = re.compile(r"[\u3400-\u9fff]")
OTHER_SCRIPT = re.compile(r"[\u0370-\u1fff\u3040-\u30ff\uac00-\ud7af]")
"""Greek to Thai, kana and Hangul: no script of a reply of ours."""
