"""How a hotel's words look once typed or dictated: typos, emoji, voice notes.

Decided here: which words are never touched, because a label hangs on them (numbers, net, selling, yes and no, the room's own name), and
which slips a Chinese keyboard makes: a wrong character of the same sound, never one that a price or a yes is written with.
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

# Characters of the same sound, as an input method offers them.
_SLIPS = {
    "说的": "说得", "定的": "定得", "给的": "给得", "你的": "你得", "真的": "真得", "现在": "现再", "在忙": "再忙", "在管": "再管",
    "再说": "在说", "已经": "以经", "觉得": "觉的", "知道": "知到", "应该": "因该", "老板": "老版", "一直": "一只", "时候": "时侯",
    "那边": "哪边", "部分": "部份", "重新": "从新", "辛苦": "幸苦", "账": "帐",
}  # fmt: skip
_ZH_FILLERS = ("嗯", "那个", "就是说", "呃", "这个这个", "然后呢", "喂")
_ZH_EMOJI = {
    "warm": ("😊", "🌹", "🙏", "👍", "[呲牙]"),
    "neutral": ("🙂", "👌", "[抱拳]", "[握手]"),
    "anxious": ("😅", "😬", "[捂脸]"),
    "annoyed": ("🙄", "😤", "[白眼]"),
    "angry": ("😡", "💢", "[发怒]"),
}


def typed(
    text: str, style: TypingStyle, *, mood: str, rng: random.Random, keep: tuple[str, ...] = (), careful: bool = False, language: str = "en"
) -> str:
    """The text in a typing style. ``keep`` are words left alone (room and hotel names); ``careful`` adds no word of its own."""
    if language == "zh":
        return _typed_chinese(text, style, mood, rng, keep, careful)
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


def _typed_chinese(text: str, style: TypingStyle, mood: str, rng: random.Random, keep: tuple[str, ...], careful: bool) -> str:
    match style:
        case TypingStyle.TYPOS:
            return text if careful else _with_slips(text, rng, keep)
        case TypingStyle.EMOJI:
            return text + rng.choice(_ZH_EMOJI[mood]) if rng.random() < 0.8 else text
        case TypingStyle.VOICE_NOTE:
            return _dictated_chinese(text, rng, careful)
        case TypingStyle.TERSE:
            return text.rstrip("。")
        case TypingStyle.PLAIN | TypingStyle.CHATTY:
            return text


def _with_slips(text: str, rng: random.Random, keep: tuple[str, ...]) -> str:
    """At most two wrong characters, as people leave them standing."""
    possible = [right for right in _SLIPS if right in text and not any(right in name for name in keep)]
    for right in rng.sample(possible, k=min(len(possible), rng.choice((0, 1, 1, 2)))):
        text = text.replace(right, _SLIPS[right], 1)
    # Many do not switch the keyboard for a comma or a stop.
    return re.sub("[，。]", " ", text).strip() if rng.random() < 0.3 else text


def _dictated_chinese(text: str, rng: random.Random, careful: bool) -> str:
    # Dictation writes commas where the speaker draws breath, and hardly ever a full stop; the last mark is dropped.
    spoken = re.sub("[。！…；]+(?=.)", "，", text).rstrip("。！…，")
    return spoken if careful or rng.random() < 0.35 else f"{rng.choice(_ZH_FILLERS)}，{spoken}"
