"""Foreign text as harmless data inside a prompt: one line, no control tokens, no way out of its quotation marks, a bounded length.

Only the form is changed here. Whether the words are a trap does not matter to the form: the model sees them quoted, and code decides
what they mean.
"""

import unicodedata

ELLIPSIS = "…"

# Angle brackets, square brackets and braces carry every chat template's control tokens and our own JSON; a double quote would end
# the quotation.
_NEUTRAL = str.maketrans(
    {
        "<": "‹", ">": "›", "＜": "‹", "＞": "›", "[": "(", "]": ")", "{": "(", "}": ")", "［": "(", "］": ")", "｛": "(", "｝": ")",
        '"': "'", "“": "'", "”": "'", "„": "'", "＂": "'", "|": "/", "｜": "/",
    }
)  # fmt: skip


def cost(character: str) -> float:
    """Roughly how many tokens one character takes in a small byte-level vocabulary."""
    if character.isascii():
        return 0.4 if character.isalpha() or character == " " else 1.0
    return 2.0 if ord(character) < 0x10000 else 4.0


def neutral(text: str) -> str:
    """The text on one line, without control, format and private characters, with brackets and quotes that mean nothing to a template."""
    kept: list[str] = []
    for character in text:
        category = unicodedata.category(character)
        if category in ("Cf", "Co", "Cn"):
            continue
        if category in ("Cc", "Zl", "Zp", "Zs"):
            kept.append(" ")
        elif category == "Cs":
            kept.append("\ufffd")
        else:
            kept.append(character)
    return " ".join("".join(kept).translate(_NEUTRAL).split())


def clipped(text: str, budget: float) -> str:
    """The neutral text, cut to about ``budget`` tokens: the beginning and the end stay, since prices tend to stand at the end."""
    # A message may be 20,000 characters; nothing beyond these ends can survive the cut.
    reach = int(budget * 4) + 16
    line = neutral(text) if len(text) <= 2 * reach else f"{neutral(text[:reach])} {neutral(text[-reach:])}"
    if len(text) <= 2 * reach and sum(map(cost, line)) <= budget:
        return line
    head = _within(line, budget * 0.6)
    tail = _within(line[::-1], budget * 0.4)[::-1]
    return f"{head.rstrip()}{ELLIPSIS}{tail.lstrip()}"


def _within(line: str, budget: float) -> str:
    spent = 0.0
    for index, character in enumerate(line):
        spent += cost(character)
        if spent > budget:
            return line[:index]
    return line
