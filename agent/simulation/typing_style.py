"""How a hotel's words look once typed or dictated: typos, emoji, voice notes.

Decided here: which words are never touched, because a label hangs on them (numbers, net, selling, yes and no, the room's own name).
"""

import random
import re

from agent.simulation.phrases import TypingStyle

_WORD = re.compile(r"[A-Za-z]{5,}")
_PROTECTED = frozenset(
    [
        "yes",
        "agreed",
        "agree",
        "agreement",
        "accept",
        "accepted",
        "confirm",
        "confirmed",
        "correct",
        "deal",
        "never",
        "cannot",
        "selling",
        "commission",
        "breakfast",
        "taxes",
        "included",
        "extra",
        "without",
        "hundred",
        "thousand",
        "twenty",
        "thirty",
        "forty",
        "fifty",
        "sixty",
        "seventy",
        "eighty",
        "ninety",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
        "three",
        "seven",
        "eight",
        "percent",
        "discount",
        "lawyer",
        "contract",
        "legal",
        "liable",
        "wrong",
        "person",
        "reception",
        "manager",
        "decide",
        "approve",
        "acceptable",
        "something",
        "total",
        "service",
        "price",
    ]
)
_NEIGHBOURS = {
    "a": "s", "e": "r", "i": "o", "o": "p", "r": "t", "t": "y", "n": "m", "s": "d", "l": "k", "u": "i", "c": "v", "h": "j",
}  # fmt: skip
_EMOJI = {
    "warm": ("😊", "🙂", "🙏", "🌞", "👍"),
    "neutral": ("🙂", "👍", "👌"),
    "anxious": ("😬", "😅", "🙏"),
    "annoyed": ("🙄", "😒", "😤"),
    "angry": ("😡", "🤬", "👎"),
}
_FILLERS = ("um", "uh", "well", "you know", "so yeah", "ehm")
_SHORTHAND = (("you", "u"), ("please", "pls"), ("thanks", "thx"), ("your", "ur"), ("because", "bc"), ("tomorrow", "tmr"))


def typed(text: str, style: TypingStyle, *, mood: str, rng: random.Random, keep: tuple[str, ...] = (), careful: bool = False) -> str:
    """The text in a typing style. ``keep`` are words left alone (room and hotel names); ``careful`` adds no word of its own."""
    match style:
        case TypingStyle.TYPOS:
            return _with_typos(text, rng, keep, careful)
        case TypingStyle.EMOJI:
            return f"{text} {rng.choice(_EMOJI[mood])}" if rng.random() < 0.8 else text
        case TypingStyle.VOICE_NOTE:
            return _dictated(text, rng, careful)
        case TypingStyle.TERSE:
            return text.rstrip(".") if rng.random() < 0.5 else text
        case TypingStyle.PLAIN | TypingStyle.CHATTY:
            return text


def _with_typos(text: str, rng: random.Random, keep: tuple[str, ...], careful: bool) -> str:
    kept = _PROTECTED | {word.casefold() for name in keep for word in name.split()}

    def slip(found: re.Match[str]) -> str:
        word = found.group()
        if word.casefold() in kept or rng.random() > 0.16:
            return word
        at = rng.randrange(1, len(word) - 1)
        kind = rng.randrange(4)
        if kind == 0:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        if kind == 1:
            return word[:at] + word[at + 1 :]
        if kind == 2:
            return word[:at] + word[at] + word[at:]
        return word[:at] + _NEIGHBOURS.get(word[at], word[at]) + word[at + 1 :]

    if careful:
        return text.lower() if rng.random() < 0.5 else text
    result = _WORD.sub(slip, text)
    for long, short in _SHORTHAND:
        if rng.random() < 0.3:
            result = re.sub(rf"\b{long}\b", short, result)
    return result.lower() if rng.random() < 0.4 else result


def _dictated(text: str, rng: random.Random, careful: bool) -> str:
    # Some dictation writes a comma where the speaker draws breath, some writes none.
    breath = "," if rng.random() < 0.5 else ""
    spoken = re.sub(r"[.!?…]+(?=\s)", breath, text)
    spoken = re.sub(r"(?<![\d\w])[,;:]+|[;:]+(?!\d)|[.,!?…]+$" + ("" if breath else r"|,(?!\d)"), "", spoken)
    words = " ".join(spoken.split())
    # Acronyms stay as they are: dictation writes USD in capitals.
    words = " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words.split())
    if careful or rng.random() < 0.35:
        return words
    return f"{rng.choice(_FILLERS)} {words}"
