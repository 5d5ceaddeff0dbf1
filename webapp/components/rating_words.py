"""The words people read around ratings: faults, severities, what a queue asks for and how it chooses."""

from db.vocabulary import IssueTag, JudgementKind, QueuePolicy, Severity
from webapp.annotate.words import FAULTS

FAULT_WORDS: dict[IssueTag, str] = {fault.tag: fault.name for fault in FAULTS}
SEVERITY_WORDS: dict[Severity, str] = {Severity.MINOR: "Minor", Severity.MAJOR: "Major", Severity.SEVERE: "Severe"}
KIND_WORDS: dict[JudgementKind, str] = {
    JudgementKind.TURN: "Single replies",
    JudgementKind.COMPARISON: "Two replies compared",
    JudgementKind.DIALOGUE: "Whole conversations",
}
POLICY_WORDS: dict[QueuePolicy, str] = {
    QueuePolicy.NEWEST: "Newest first",
    QueuePolicy.RANDOM: "Drawn at random",
    QueuePolicy.UNCERTAIN: "Where the checks or rewards are in doubt",
    QueuePolicy.CANARY: "From the canary version",
    QueuePolicy.BAD_CASE: "Rejected, edited or badly rated",
}


def stars(number: int | None) -> str:
    """A number of stars as people see it (``★★☆☆☆``); empty without one."""
    return "" if number is None else "★" * number + "☆" * (5 - number)


def fault_list(tags: list[tuple[IssueTag, Severity]]) -> str:
    """Faults with their severity in one line."""
    return ", ".join(f"{FAULT_WORDS[tag]} ({SEVERITY_WORDS[severity].lower()})" for tag, severity in tags)
