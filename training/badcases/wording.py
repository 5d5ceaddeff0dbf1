"""The matchers that look at how a reply is worded: its tone, its words, its language, and what it repeats.

Decided here: what counts as a feeling acknowledged, a greeting, thanks and a reproach, in English and Chinese, when a word stands in a
reply, and when one says something new.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from agent.domain import Reply, TurnContext
from agent.guardrails.said import fold, said
from db.vocabulary import Speaker

# -- tone -------------------------------------------------------------------------------------------------------------------------------

_FEELING = re.compile(
    r"\b(?:sorry|apologi[sz]e|apology|apologies|understand|regret|frustrat\w+|upset\w*|annoy\w+|hear (?:you|how|that)|you are right|"
    r"every (?:right|reason)|see why)\b|抱歉|对不起|道歉|理解|不好意思|难怪"
)
_GREETING = re.compile(r"\b(?:hello|hi|hey|dear|greetings|good (?:morning|afternoon|evening|day))\b|您好|你好|早上好|下午好|晚上好")
_THANKS = re.compile(r"\b(?:thanks?|thank you|grateful|appreciate\w*)\b|谢")
_BLAME = re.compile(
    r"\b(?:your (?:fault|loss|own)|what a (?:pity|shame)|disappoint\w*|you (?:should(?:n't)? have|could have|never|still haven't|"
    r"always|refuse|keep|just don't|promised)|waste of|wasted|ungrateful|unreasonable|stubborn|don't (?:complain|come)|blame|"
    r"not very (?:helpful|professional|cooperative)|unprofessional|ignor(?:e|ed|ing) (?:me|us|my|our)|after all (?:we|i))\b"
    "|失望|白费|浪费|别怪|你们自己|自己看着办|不配合|没诚意|可惜了|怎么这样|太固执"
)


def _words(turn: TurnContext, reply: Reply) -> str:
    return said(turn, reply).masked


@dataclass(frozen=True, slots=True)
class AcknowledgesFeeling:
    """The feeling is named, or we say sorry."""

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return _FEELING.search(_words(turn, reply)) is not None


@dataclass(frozen=True, slots=True)
class Greets:
    """A greeting stands in the reply."""

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return _GREETING.search(_words(turn, reply)) is not None


@dataclass(frozen=True, slots=True)
class Thanks:
    """The hotel is thanked."""

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return _THANKS.search(_words(turn, reply)) is not None


@dataclass(frozen=True, slots=True)
class BlamesNobody:
    """No reproach."""

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return _BLAME.search(_words(turn, reply)) is None


# -- words ------------------------------------------------------------------------------------------------------------------------------


def _stands_in(text: str, word: str) -> bool:
    """Whole words for scripts that divide words, else anywhere; a trailing ``*`` stands for any ending."""
    folded = fold(word.removesuffix("*"))[0]
    if not folded.isascii():
        return folded in text
    end = "" if word.endswith("*") else r"(?!\w)"
    return re.search(rf"(?<!\w){re.escape(folded)}{end}", text) is not None


@dataclass(frozen=True, slots=True)
class Mentions:
    """At least one of these words stands in the reply; ``rank*`` stands for any ending."""

    words: tuple[str, ...]

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return any(_stands_in(said(turn, reply).folded, word) for word in self.words)


@dataclass(frozen=True, slots=True)
class MentionsNoneOf:
    """None of these words stands in the reply."""

    words: tuple[str, ...]

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return not Mentions(self.words).holds(turn, reply)


class Language(StrEnum):
    """Languages that a case may ask for."""

    EN = "en"
    ZH = "zh"


_HAN = re.compile("[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class LanguageIs:
    """The reply is written in this language; names that the facts hold do not count."""

    language: Language

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        text = _words(turn, reply)
        han, latin = len(_HAN.findall(text)), len(re.findall(r"[a-z]{3,}", text))
        return han > latin if self.language is Language.ZH else latin > 0 and han == 0


@dataclass(frozen=True, slots=True)
class NotLongerThan:
    """At most so many characters."""

    characters: int

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        return len(reply.text) <= self.characters


@dataclass(frozen=True, slots=True)
class SaysSomethingNew:
    """At least this share (0 to 1) of the reply's word pairs stands in no earlier reply of ours."""

    share: float

    def holds(self, turn: TurnContext, reply: Reply) -> bool:
        """See the class."""
        pairs = _pairs(reply.text)
        earlier = [_pairs(turn.text) for turn in turn.history if turn.speaker is Speaker.BD]
        return bool(pairs) and len(pairs - set[tuple[str, str]]().union(*earlier)) / len(pairs) >= self.share


def _pairs(text: str) -> set[tuple[str, str]]:
    words = re.findall(r"[a-z']+|[\u3400-\u9fff]", fold(text)[0])
    return set(pairwise(words))
