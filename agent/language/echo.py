"""A sentence that a reply has just said is not said again.

A small model that may not begin as it did before sometimes says one sentence twice. Its words wait only as long as they are those of an
earlier sentence of the same reply; so the page never shows what is not sent.
"""

_ENDS = (".", "!", "?", "。", "！", "？")


class Unechoed:
    """Takes a reply in pieces of any size and gives it back without sentences that stand in it already."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._sentence = ""
        self._given = 0
        """Characters of the sentence that were given out."""

    def feed(self, piece: str) -> str:
        """The words that are certain with this piece."""
        return "".join(map(self._take, piece))

    def finish(self) -> str:
        """What waited at the end."""
        return self._end()

    def _take(self, character: str) -> str:
        if character.isspace() and self._sentence.endswith(_ENDS):
            return self._end(character)
        self._sentence += character
        if any(said.startswith(self._sentence) for said in self._said):
            return ""
        return self._give()

    def _give(self) -> str:
        words, self._given = self._sentence[self._given :], len(self._sentence)
        return words

    def _end(self, behind: str = "") -> str:
        words = "" if self._sentence in self._said else self._give() + behind
        if self._sentence:
            self._said.append(self._sentence)
        self._sentence, self._given = "", 0
        return words


def unechoed(text: str) -> str:
    """The text without sentences that stand in it already."""
    clean = Unechoed()
    return (clean.feed(text) + clean.finish()).strip()
