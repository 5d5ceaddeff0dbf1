"""Rules about the outer form: one language, plain prose, a length that a busy person reads, nothing of the machine."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from agent.domain import Reply, TurnContext
from agent.guardrails.rule import Violation
from agent.guardrails.said import said
from agent.guardrails.wording import breaches, wording
from db.vocabulary import MoveKind, Severity

TEXT_LIMIT = 800
"""Most characters of one reply."""
LONG = 480
"""Characters from which a reply that repeats no terms is called long."""

_MACHINE = "is not a message to a person: write plain sentences only"
_FORMAT = (
    wording(
        r"[{}]|\[[^\]]{0,60}\]|```|\*\*|__\w|<[^>]{0,60}>|<\||\|>|^\s*#{1,6} |\n\s*#{1,6} |\\n|\\u[0-9a-f]{4}|https?://|www\.", _MACHINE
    ),
    wording(r'"\s*(?:move|text|kind|mood|basis)\s*"?\s*:|\bclarify:\w+|\bmove\s*:|(?<![\w#])#\d', _MACHINE),
    wording(
        r"(?:^|\n)\s*(?:assistant|user|hotel|us|bd|human|ai|moves?|aim|heard|asked|offered|agreed|now|fact|language|reasoning|thought|"
        r"analysis|answer|reply|message|output|json)\s*[:：]",
        _MACHINE,
    ),
    wording(
        r"\bas an? (?:ai|artificial|language model|assistant|bot|chatbot|llm)\b|\b(?:ai|language) (?:model|assistant)\b|\bi(?:'m|"
        r" am) an? (?:ai|bot|chatbot|robot|assistant|"
        r"language model|program)\b|\bllm\b|\bchatbot\b|\bstep by step\b|\bstep (?:\d|one|two)\b|\blet me think\b|\bmy reasoning\b|"
        r"\bchain of thought\b|"
        r"\bhere(?:'s| is) (?:the|a|my) (?:message|reply|response|draft|text)\b|</?think|\bignore (?:all|the|previous)\b"
        "|人工智能|语言模型|机器人|作为(?:一个)?ai|一步一步|逐步推理|思考过程|推理过程",
        _MACHINE,
    ),
)
_SHINGLE = 6


@dataclass(frozen=True, slots=True)
class FormatLeak:
    """JSON, markup, placeholders, speaker labels, reasoning, words of a machine, or the wording of what it was told."""

    name: str = "format_leak"
    severity: Severity = Severity.SEVERE

    def check(self, context: TurnContext, reply: Reply) -> list[Violation]:
        """Every trace of the machine."""
        heard = said(context, reply)
        found = breaches(self.name, self.severity, _FORMAT, heard)
        words = [(hit.group(), hit.start(), hit.end()) for hit in re.finditer(r"[a-z']+", heard.masked)]
        for index in range(len(words) - _SHINGLE + 1):
            window = words[index : index + _SHINGLE]
            if tuple(word for word, _, _ in window) in _told():
                start, end = heard.span(window[0][1], window[-1][2])
                message = f"{heard.quote(window[0][1], window[-1][2])} {_MACHINE}"
                found.append(Violation(rule=self.name, severity=self.severity, message=message, start=start, end=end))
                break
        return found


@cache
def _told() -> frozenset[tuple[str, ...]]:
    """Runs of words of what the model is told, so that a reply cannot recite it."""
    shingles: set[tuple[str, ...]] = set()
    for name in ("write.system.jinja2", "read.system.jinja2"):
        words = re.findall(r"[a-z']+", (files("agent.language.prompts") / name).read_text(encoding="utf-8").lower())
        shingles |= {tuple(words[index : index + _SHINGLE]) for index in range(len(words) - _SHINGLE + 1)}
    return frozenset(shingles)


_HAN = re.compile("[\u3400-\u9fff]")
_OTHER_SCRIPTS = re.compile("[\u0370-\u052f\u0590-\u06ff\u0900-\u0e7f\u3040-\u30ff\uac00-\ud7af]+")
_LATIN_WORD = re.compile(r"[A-Za-zÀ-ÿ]{3,}")
_FOREIGN = re.compile(
    r"\b(?:nous|vous|votre|notre|merci|bonjour|avec|s'il|est-ce|prix|gracias|por favor|usted|precio|hola|nuestro|para usted|bitte|danke|"
    r"wir|ihnen|"
    r"und|nicht|preis|grazie|prego|prezzo|obrigado|preço|terima kasih|khrap|arigato)\b"
)
_ZH_LATIN = frozenset(
    {"ota", "usd", "eur", "gbp", "cny", "rmb", "thb", "jpy", "sgd", "aed", "hkd", "idr", "vnd", "myr", "krw", "twd", "aud", "net"}
)


@dataclass(frozen=True, slots=True)
class MixedLanguage:
    """A reply speaks one language; the hotel's own names do not count."""

    name: str = "mixed_language"
    severity: Severity = Severity.MAJOR

    def check(self, context: TurnContext, reply: Reply) -> list[Violation]:
        """The first words of another language."""
        heard = said(context, reply)
        # Look-alike letters have been folded away, so the writing system is judged on the characters as written.
        written = "".join("\x00" if heard.is_quoted(at, at + 1) else heard.text[heard.origin[at]] for at in range(len(heard.folded)))
        hit = _OTHER_SCRIPTS.search(written)
        if hit is None and context.language == "zh":
            latin = [word for word in _LATIN_WORD.finditer(written) if word.group().lower() not in self._allowed(context)]
            hit = latin[0] if latin else None
            if hit is None and not _HAN.search(written):
                hit = re.search(r"\w[^\x00]*", written)
        elif hit is None and context.language == "en":
            hit = _HAN.search(written) or _FOREIGN.search(heard.masked)
        if hit is None:
            return []
        start, end = heard.span(hit.start(), hit.end())
        message = f"{heard.quote(hit.start(), hit.end())} is another language than the rest: write in one language"
        return [Violation(rule=self.name, severity=self.severity, message=message, start=start, end=end)]

    @staticmethod
    def _allowed(context: TurnContext) -> frozenset[str]:
        return _ZH_LATIN | {fact.currency.lower() for fact in context.facts}


@dataclass(frozen=True, slots=True)
class Length:
    """Not empty, not longer than a reply may be, and not long without terms to repeat."""

    name: str = "length"
    severity: Severity = Severity.MAJOR

    def check(self, context: TurnContext, reply: Reply) -> list[Violation]:
        """At most one violation."""
        heard = said(context, reply)
        if not re.search(r"[^\W\d_]", heard.folded):
            return [Violation(rule=self.name, severity=self.severity, message="the reply has no words: write a message")]
        if len(reply.text) > TEXT_LIMIT:
            return [self._too_long(self.severity, TEXT_LIMIT, len(reply.text))]
        terms = reply.move.kind in (MoveKind.ACCEPT, MoveKind.CONFIRM, MoveKind.CLOSE)
        if len(reply.text) > LONG and not terms:
            return [self._too_long(Severity.MINOR, LONG, len(reply.text))]
        return []

    def _too_long(self, severity: Severity, limit: int, length: int) -> Violation:
        return Violation(
            rule=self.name,
            severity=severity,
            message=f"the reply is too long ({length} characters): say it in {limit}",
            start=limit,
            end=length,
        )
