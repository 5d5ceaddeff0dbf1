"""What annotators read: the anchors of the stars, the faults with their keys, and the words for strength, outcome and moves.

Decided here: which letter stands for which fault. The letters that the desk itself needs (``TAKEN``) are never given to a fault.
"""

from dataclasses import asdict, dataclass

from babel import Locale, UnknownLocaleError

from db.vocabulary import ClarifyTopic, IssueTag, JudgementKind, MoveKind

TAKEN = frozenset("ecrsulwox")
"""Excellent, comment, rewrite, skip, undo; of a conversation: lost, won, open, and what decided it; of a reply: make it a bad case (x)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """What a number of stars means."""

    stars: int
    name: str
    means: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault as people see it on the page."""

    tag: IssueTag
    key: str
    name: str
    means: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of a few answers, with the key that gives it."""

    value: str
    key: str
    name: str


REPLY_ANCHORS = (
    Anchor(stars=1, name="Harmful", means="Must not go out: untrue, pressing, rude."),
    Anchor(stars=2, name="Weak", means="The wrong step, or it misses what the hotel said."),
    Anchor(stars=3, name="Passable", means="Right step, but flat, clumsy or no reason."),
    Anchor(stars=4, name="Good", means="I would send it, perhaps with a small touch."),
    Anchor(stars=5, name="Just right", means="True, warm, brief; I would send it as is."),
)
DIALOGUE_ANCHORS = (
    Anchor(stars=1, name="Harmful", means="The hotel was misled, or has cause for anger."),
    Anchor(stars=2, name="Weak", means="Steps wrong or skipped; a deal was luck."),
    Anchor(stars=3, name="Passable", means="Right steps; a better talk would get more."),
    Anchor(stars=4, name="Good", means="Well led; only small things to better."),
    Anchor(stars=5, name="Just right", means="Nobody could have led it better."),
)
FAULTS = (
    Fault(
        tag=IssueTag.SILENCE_AS_CONSENT,
        key="y",
        name="Silence taken as yes",
        means="Silence, “noted” or an emoji is treated as an agreement.",
    ),
    Fault(tag=IssueTag.NET_SELLING_MIXUP, key="n", name="Net or selling mixed up", means="A net price is called selling, or taken for it."),
    Fault(tag=IssueTag.GUESSING, key="g", name="Guesses", means="What the hotel left vague is taken as said."),
    Fault(tag=IssueTag.INVENTED_FACT, key="f", name="Invented fact", means="It states something that nobody gave."),
    Fault(tag=IssueTag.OVER_PROMISE, key="p", name="Promises too much", means="Ranking, guests or money that we may not promise."),
    Fault(
        tag=IssueTag.MISSING_TERMS, key="t", name="Terms missing", means="It confirms without room, dates, net and selling price in full."
    ),
    Fault(tag=IssueTag.ONE_ROOM_ONLY, key="a", name="Not all rooms", means="Only one of several rooms is dealt with."),
    Fault(tag=IssueTag.PUSHING_ON, key="k", name="Keeps haggling", means="The offer is good enough, and it asks for more."),
    Fault(tag=IssueTag.HAGGLING_WITH_ANGER, key="h", name="Haggles with an upset hotel", means="An upset hotel is answered with a price."),
    Fault(tag=IssueTag.PRESSURE, key="z", name="Squeezes", means="Threats, ultimatums or false urgency."),
    Fault(tag=IssueTag.REPROACH, key="j", name="Judges the hotel", means="It blames or lectures."),
    Fault(
        tag=IssueTag.IGNORING_WRONG_PERSON, key="d", name="Not the one who decides", means="It goes on although this person cannot decide."
    ),
    Fault(tag=IssueTag.SKIPPED_GREETING, key="v", name="No greeting", means="It comes to the price without saying who we are."),
    Fault(tag=IssueTag.ROBOTIC_REPETITION, key="b", name="Broken record", means="It says again what was said before."),
    Fault(tag=IssueTag.MIXED_LANGUAGE, key="m", name="Mixed language", means="Not the hotel's language, or two at once."),
    Fault(tag=IssueTag.INTERNAL_WORDS, key="i", name="Internal words", means="Words of ours that a hotel should never read."),
    Fault(tag=IssueTag.REASONING_LEAK, key="q", name="Quotes its thinking", means="Reasoning or instructions show."),
)
STRENGTHS = (
    Choice(value="1", key="1", name="Barely better"),
    Choice(value="2", key="2", name="Slightly better"),
    Choice(value="3", key="3", name="Clearly better"),
    Choice(value="4", key="4", name="Much better"),
)
OUTCOMES = (
    Choice(value="won", key="w", name="Won"),
    Choice(value="lost", key="l", name="Lost"),
    Choice(value="open", key="o", name="Still open"),
)
SKIP_REASONS = (
    Choice(value="I do not know this language well enough", key="1", name="I do not know this language well enough"),
    Choice(value="Something is missing or broken", key="2", name="Something is missing or broken"),
    Choice(value="I took part in this conversation", key="3", name="I took part in this conversation"),
    Choice(value="I cannot decide", key="4", name="I cannot decide"),
)
MEANT: dict[MoveKind, str] = {
    MoveKind.GREET: "introduce us, no price yet",
    MoveKind.PROBE: "ask about their situation",
    MoveKind.ASK: "ask for a lower price",
    MoveKind.HOLD: "stay with the last request, with a new reason",
    MoveKind.CLARIFY: "clear up",
    MoveKind.ACCEPT: "accept their price",
    MoveKind.CONFIRM: "repeat the terms and ask for a yes",
    MoveKind.CALM: "calm things, ask for nothing",
    MoveKind.REDIRECT: "ask who decides",
    MoveKind.FOLLOW_UP: "nudge after silence",
    MoveKind.CLOSE: "thank and end",
    MoveKind.ESCALATE: "bring in a colleague",
}
TOPICS: dict[ClarifyTopic, str] = {
    ClarifyTopic.NET_OR_SELLING: "net or selling price",
    ClarifyTopic.AMOUNT: "the amount",
    ClarifyTopic.WHICH_ROOM: "which room",
    ClarifyTopic.DATES: "the dates",
    ClarifyTopic.BREAKFAST: "breakfast",
    ClarifyTopic.TAX: "tax",
    ClarifyTopic.ROOMS: "how many rooms",
    ClarifyTopic.CONDITION: "their condition",
}


def meant(move: MoveKind | None, topic: ClarifyTopic | None) -> str:
    """What a reply was to do, to go after "Meant to"; empty where it is not told."""
    if move is None:
        return ""
    return f"{MEANT[move]} {TOPICS[topic]}" if move is MoveKind.CLARIFY and topic is not None else MEANT[move]


def language_name(code: str) -> str:
    """A language in English; the code itself where it is not known."""
    try:
        return Locale.parse(code.replace("-", "_")).get_language_name("en") or code
    except (UnknownLocaleError, ValueError):
        return code


def page_words() -> dict[str, object]:
    """Everything above, as the page's scripts take it."""
    return {
        "anchors": {
            JudgementKind.TURN: [asdict(anchor) for anchor in REPLY_ANCHORS],
            JudgementKind.DIALOGUE: [asdict(anchor) for anchor in DIALOGUE_ANCHORS],
        },
        "faults": [asdict(fault) for fault in FAULTS],
        "strengths": [asdict(choice) for choice in STRENGTHS],
        "outcomes": [asdict(choice) for choice in OUTCOMES],
        "skipReasons": [asdict(choice) for choice in SKIP_REASONS],
    }
