"""From an incident to the draft of a rule: words that gave a bad reply away, as a pattern that is safe to run.

Decided here: how words become a pattern (in any case, over any white space, whole words where a language has them), and what a draft
starts from. Whether the rule hits too much is for ``preview`` to find out, and who lets it in for ``approval``.
"""

import re
from collections.abc import Sequence

from db.errors import ParleyError
from db.vocabulary import Severity
from training.rewards.spec import RewardSpec

_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")
_WORD = re.compile(r"[0-9a-z_]", re.IGNORECASE)
_DEFAULT_WEIGHTS = {Severity.MINOR: -20.0, Severity.MAJOR: -60.0, Severity.SEVERE: -100.0}


class NoWords(ParleyError):
    """A rule without anything to look for."""


def pattern_of(words: Sequence[str]) -> str:
    """A pattern that finds any of these words or phrases; ``*`` stands for any ending of a word.

    Raises:
        NoWords: where nothing is left of them.
    """
    phrases = [one for one in (" ".join(word.split()) for word in words) if one.strip("* ")]
    if not phrases:
        raise NoWords("Write at least one word or phrase that the rule looks for.")
    return "|".join(dict.fromkeys(_phrase(phrase) for phrase in phrases))


def _phrase(phrase: str) -> str:
    written = r"\s+".join(_word(word) for word in phrase.split())
    # RE2 knows word boundaries of ASCII only; Chinese writes without any.
    start = r"\b" if _WORD.match(phrase) else ""
    end = r"\b" if _WORD.match(phrase[-1]) else ""
    return f"{start}{written}{end}"


def _word(word: str) -> str:
    return r"\w*".join(_SPECIAL.sub(r"\\\1", part) for part in word.split("*"))


def usual_weight(severity: Severity) -> float:
    """What a breach of this severity costs where nobody says otherwise: about what the guard's own rules of it cost."""
    return _DEFAULT_WEIGHTS[severity]


def free_name(wanted: str, spec: RewardSpec) -> str:
    """``wanted`` made a name for a rule that the spec does not have yet."""
    plain = re.sub(r"[^a-z0-9]+", "_", wanted.lower()).strip("_")[:40] or "rule"
    name = plain if plain[0].isalpha() and len(plain) >= 3 else f"rule_{plain}"
    taken = {rule.name for rule in spec.all_rules}
    numbered = (name if number == 1 else f"{name}_{number}" for number in range(1, len(taken) + 2))
    return next(one for one in numbered if one not in taken)
