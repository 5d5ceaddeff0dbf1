"""Rules that are a list of wordings: the shared class, and the words of our own workings that a hotel never gets to see."""

import re
from dataclasses import dataclass

from agent.domain import Reply, TurnContext
from agent.guardrails.rule import Violation
from agent.guardrails.said import Said, Sentence, said
from db.vocabulary import Severity

_DENIAL = re.compile(
    r"\b(?:cannot|can't|can not|could not|couldn't|not able to|unable to|won't|will not|do not|don't|never|no|not(?! only| just| merely)|"
    r"without)\b"
    "|不(?!仅|但|光|只|得不)|无法|没法|没有|不会"
)
_DENIAL_REACH = 40
"""Characters before a wording in which a denial makes it harmless ("we cannot promise any ranking")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One forbidden wording and what to say about it."""

    pattern: re.Pattern[str]
    message: str
    unless_denied: bool = False
    """A denial right before it makes it harmless."""
    unless_asked: bool = False
    """In a question it is harmless."""


def wording(pattern: str, message: str, *, unless_denied: bool = False, unless_asked: bool = False) -> Wording:
    """A wording from a pattern over folded (lower-case) text."""
    return Wording(pattern=re.compile(pattern), message=message, unless_denied=unless_denied, unless_asked=unless_asked)


def breaches(rule: str, severity: Severity, wordings: tuple[Wording, ...], heard: Said) -> list[Violation]:
    """One violation for each place where a forbidden wording stands outside quoted facts."""
    found: list[Violation] = []
    for entry in wordings:
        for hit in entry.pattern.finditer(heard.masked):
            sentence = heard.sentence_at(hit.start())
            if (entry.unless_asked and sentence is not None and sentence.asks) or (entry.unless_denied and _denied(heard, hit, sentence)):
                continue
            start, end = heard.span(hit.start(), hit.end())
            message = f"{heard.quote(hit.start(), hit.end())} {entry.message}"
            found.append(Violation(rule=rule, severity=severity, message=message, start=start, end=end))
    return found


def _denied(heard: Said, hit: re.Match[str], sentence: Sentence | None) -> bool:
    start = max(hit.start() - _DENIAL_REACH, sentence.start if sentence is not None else 0)
    return _DENIAL.search(heard.masked[start : hit.start()]) is not None


_SECRETS = (
    r"\btickets?\b|\bwork[\s-]?orders?\b|\btarget(?:s|ed|ing)?\b|\bceilings?\b|\bmandates?\b|\breservation (?:price|value)s?\b|"
    r"\bwalk[\s-]?away\b|"
    r"\bsystems?\b|\bscor(?:e|es|ed|ing)\b|\bprompts?\b(?! (?:reply|answer|response|attention|action|feedback|help|confirmation))|"
    r"\bsop\b|\bsops\b|"
    r"\bconcession(?:s| schedule)?\b|\bopening (?:ask|price)\b|\bprice[\s-]?chas(?:e|es|ing)\b|\bkpis?\b|\ballowed moves?\b|"
    r"\binstructions?\b|"
    r"\binternal(?:ly)?\b|\bour (?:limit|maximum|max|budget|bottom line|floor)\b|\b(?:my|our) (?:boss|manager)'?s? (?:limit|said|says|"
    r"wants|told)\b|"
    r"\bescalat(?:e|ed|es|ing|ion)\b|\bguardrails?\b|\bviolations?\b|\breward(?:s| model)\b"
    "|工单|任务单|目标价?|底线|上限|心理价|系统|评分|得分|打分|提示词|追价|话术|绩效|内部|升级处理"
)
_SECRET_WORD = re.compile(rf"(?:{_SECRETS})")
_SPELLED_OUT = re.compile(r"(?<![a-z0-9])[a-z](?:[\s.\-_*·]{1,3}[a-z]){3,}(?![a-z0-9])")


@dataclass(frozen=True, slots=True)
class InternalWords:
    """Words of our own workings: ticket, target, system, score, prompt and the like, also spelled out letter by letter."""

    name: str = "internal_words"
    severity: Severity = Severity.SEVERE

    def check(self, context: TurnContext, reply: Reply) -> list[Violation]:
        """Every internal word outside quoted facts."""
        heard = said(context, reply)
        message = "is a word of our own workings: leave it out"
        found = breaches(self.name, self.severity, (Wording(pattern=_SECRET_WORD, message=message),), heard)
        for hit in _SPELLED_OUT.finditer(heard.masked):
            if _SECRET_WORD.search(re.sub("[^a-z]", "", hit.group())):
                start, end = heard.span(hit.start(), hit.end())
                text = f"{heard.quote(hit.start(), hit.end())} {message}"
                found.append(Violation(rule=self.name, severity=self.severity, message=text, start=start, end=end))
        return found
