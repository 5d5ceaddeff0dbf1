"""What a policy is measured by: whole dialogues with held-out hotels, and the bad cases; one value a dialogue and one a case.

Decided here: how a dialogue becomes figures. Experts see the simulator's truth and rate every answer of the policy; an answer that is no
reply gets one star, for the safe template that was said in its place is not the policy's. Agreements and prices are counted over the rooms
for which there is a price that both sides would take, as in ``benchmarks.negotiations``. Everything that is rated here is simulated.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from agent.domain import Reply, TicketFacts, TurnContext, plain
from agent.guardrails import check
from db.vocabulary import Severity
from training.badcases import WEIGHT, BadCase, cases, verdict
from training.dialogues import Dialogue, play_many
from training.experts import Expert, Rating, Truth, judge, panel, witnessed
from training.starter.progress import BuildEvent, Report, silent

RATERS, PANEL = 5, 2_027
"""Experts on the panel, and its seed: none of them rates what anything learns from."""
SHOWN = 3
"""Dialogues whose turns are kept for reading."""
_AT_ONCE = 64


class Speaks(Protocol):
    """What is measured: a ``training.dialogues.Speak`` that tells how much it wrote (``training.objectives.speaker.Speaker``)."""

    tokens: int
    seconds: float
    lengths: tuple[int, ...]
    """Tokens of each answer of the last call."""

    def __call__(self, contexts: Sequence[TurnContext], /) -> Sequence[Reply | None]:
        """One reply to each context; None for an answer that cannot be read."""
        ...


class _Figures(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class DialogueFigures(_Figures):
    """One dialogue."""

    number: int
    persona: str
    language: str = "en"
    """ISO 639-1, of both sides."""
    rating: float = Field(ge=1, le=5)
    """Mean stars of the panel over the policy's answers."""
    stars: tuple[float, ...] = ()
    """The panel's mean of each answer, in their order; none where they were not kept."""
    excellent: bool
    """Whether most of the panel calls at least one reply excellent."""
    rooms: int
    rooms_possible: int
    """Those for which there is a price that both sides would take."""
    rooms_agreed: int
    """Of the possible ones."""
    captured: float | None
    """Share of the bargaining zone that our side got, mean over the possible rooms, 0 without an agreement; None where none is possible."""
    unmeant: int
    """Rooms agreed that the hotel does not hold for agreed at that price."""
    goodwill: float
    """The hotel's at the end, in [0, 1]."""
    turns: int
    """Of both sides, silences included."""
    responded: float
    """Share of our turns that the hotel answered with words, the last word left out."""
    replies: int
    """Answers of the policy."""
    unreadable: int
    violations: dict[str, int]
    """Replies in which a rule of the guard found something, by rule."""
    violated: int
    """Replies in which any did."""
    severe: int
    """Replies with a severe breach."""
    faults: dict[str, int]
    """Replies that truly have a fault, by fault."""
    faulted: int
    """Replies that have any."""
    tokens: int


class CaseFigures(_Figures):
    """One answer to a bad case."""

    case: str
    fault: str
    copy_number: int = 0
    fixed: bool
    clean: bool
    residual: int = Field(ge=0, le=3)
    """Severity of the worst that remains: 0 nothing, 3 severe."""
    reply: str | None
    """None for an answer that is no reply: the case's fault counts as what remains."""


class Sample(_Figures):
    """One turn of a dialogue, for reading."""

    number: int
    """Of the dialogue."""
    turn: int
    """Of our side, from 1."""
    hotel: str
    persona: str
    facts: tuple[str, ...]
    """One line a room."""
    heard: str
    """The hotel's last words; empty at the opening and for a silence."""
    move: str
    reply: str
    """What was said."""
    readable: bool
    """Whether it is the policy's; else the safe template in its place."""
    stars: float
    """Mean of the panel."""


class PolicyFigures(_Figures):
    """One policy."""

    seed: int
    """Of the hotels: two policies with the same one met the same hotels."""
    dialogues: tuple[DialogueFigures, ...]
    cases: tuple[CaseFigures, ...]
    samples: tuple[Sample, ...]
    """The first dialogues, turn by turn."""
    seconds: float
    """That the policy spent on answering."""
    tokens: int


def measure(
    speaker: Speaks,
    *,
    dialogues: int,
    seed: int,
    chinese: float = 0.0,
    case_copies: int = 1,
    own: Sequence[BadCase] = (),
    at_once: int = _AT_ONCE,
    progress: Report = silent,
) -> PolicyFigures:
    """Hold dialogues 1 to ``dialogues`` with held-out hotels, answer every bad case ``case_copies`` times, and rate it all.

    So large a share of the hotels as ``chinese`` speaks Chinese, the others English. ``own`` are bad cases of an instance's own, beside
    those that are shipped.

    Raises:
        ValueError: where there is nothing to measure.
    """
    if dialogues < 1 or case_copies < 1:
        raise ValueError(f"a policy is measured on at least one dialogue and one answer to a case, not {dialogues} and {case_copies}")
    before = speaker.tokens, speaker.seconds
    written: dict[TurnContext, int] = {}

    def speak(contexts: Sequence[TurnContext]) -> Sequence[Reply | None]:
        replies = speaker(contexts)
        written.update(zip(contexts, speaker.lengths, strict=True))
        return replies

    numbers = range(1, dialogues + 1)
    held = play_many(numbers, speak, seed=seed, held_out=True, chinese=chinese, at_once=at_once, progress=progress)
    wanted = [(case, copy) for case in (*cases(), *own) for copy in range(case_copies)]
    answers = speaker([case.context for case, _ in wanted])
    experts = panel(RATERS, PANEL)
    figures: list[DialogueFigures] = []
    samples: list[Sample] = []
    for done, dialogue in enumerate(held, start=1):
        truths, ratings = _rated(dialogue, experts)
        tokens = sum(written[exchange.context] for exchange in dialogue.exchanges)
        figures.append(_figures(dialogue, truths, ratings, tokens=tokens))
        if done <= SHOWN:
            samples.extend(_samples(dialogue, ratings))
        progress(BuildEvent(phase="rating", done=done, total=dialogues))
    return PolicyFigures(
        seed=seed,
        dialogues=tuple(figures),
        cases=tuple(_case(case, copy, reply) for (case, copy), reply in zip(wanted, answers, strict=True)),
        samples=tuple(samples),
        seconds=speaker.seconds - before[1],
        tokens=speaker.tokens - before[0],
    )


def _rated(dialogue: Dialogue, experts: Sequence[Expert]) -> tuple[tuple[Truth, ...], list[list[Rating] | None]]:
    """The truth about each turn, and the panel's ratings of it; None where the policy had no reply."""
    truths = witnessed(dialogue.conversation)
    ratings: list[list[Rating] | None] = []
    for exchange, truth in zip(dialogue.exchanges, truths, strict=True):
        judgement = judge(truth)
        ratings.append(None if exchange.reply is None else [expert.rate_judged(truth, judgement) for expert in experts])
    return truths, ratings


def _figures(dialogue: Dialogue, truths: Sequence[Truth], ratings: Sequence[list[Rating] | None], *, tokens: int) -> DialogueFigures:
    spoken = [truth for truth, given in zip(truths, ratings, strict=True) if given is not None]
    found = [check(truth.context, Reply(move=truth.move, text=truth.text)) for truth in spoken]
    violations = [{violation.rule for violation in breaches} for breaches in found]
    faults = [{str(fault.kind) for fault in judge(truth).faults} for truth in spoken]
    possible = [room for room in dialogue.rooms if room.possible]
    answers = [exchange.answer for exchange in dialogue.exchanges if exchange.answer is not None]
    stars = tuple(map(_stars, ratings))
    return DialogueFigures(
        number=dialogue.number,
        persona=str(dialogue.profile.persona),
        language=dialogue.profile.language,
        rating=math.fsum(stars) / len(stars),
        stars=stars,
        excellent=any(_is_excellent(given) for given in ratings if given is not None),
        rooms=len(dialogue.rooms),
        rooms_possible=len(possible),
        rooms_agreed=sum(room.agreed is not None for room in possible),
        captured=math.fsum(room.captured for room in possible) / len(possible) if possible else None,
        unmeant=sum(room.unmeant for room in dialogue.rooms),
        goodwill=truths[-1].after.goodwill,
        turns=dialogue.turns,
        responded=sum(bool(answer.text.strip()) for answer in answers) / len(answers) if answers else 0.0,
        replies=len(ratings),
        unreadable=len(ratings) - len(spoken),
        violations=dict(Counter(rule for rules in violations for rule in rules).most_common()),
        violated=sum(map(bool, violations)),
        severe=sum(any(violation.severity is Severity.SEVERE for violation in breaches) for breaches in found),
        faults=dict(Counter(kind for kinds in faults for kind in kinds).most_common()),
        faulted=sum(map(bool, faults)),
        tokens=tokens,
    )


def _stars(given: Sequence[Rating] | None) -> float:
    return 1.0 if given is None else math.fsum(rating.stars for rating in given) / len(given)


def _is_excellent(given: Sequence[Rating]) -> bool:
    return sum(rating.excellent for rating in given) * 2 > len(given)


def _case(case: BadCase, copy: int, reply: Reply | None) -> CaseFigures:
    found = None if reply is None else verdict(case, reply)
    return CaseFigures(
        case=case.id,
        fault=str(case.fault),
        copy_number=copy,
        fixed=found is not None and found.fixed,
        clean=found is not None and found.clean,
        residual=WEIGHT[case.severity if found is None else found.residual],
        reply=None if reply is None else reply.text,
    )


def _samples(dialogue: Dialogue, ratings: Sequence[list[Rating] | None]) -> list[Sample]:
    return [
        Sample(
            number=dialogue.number,
            turn=turn,
            hotel=exchange.context.facts[0].hotel_name,
            persona=str(dialogue.profile.persona),
            facts=tuple(_line(fact) for fact in exchange.context.facts),
            heard=exchange.context.history[-1].text if exchange.context.history else "",
            move=str(exchange.sent.move),
            reply=exchange.said,
            readable=exchange.reply is not None,
            stars=_stars(given),
        )
        for turn, (exchange, given) in enumerate(zip(dialogue.exchanges, ratings, strict=True), start=1)
    ]


def _line(fact: TicketFacts) -> str:
    stay = f"{fact.check_in:%d %b %Y} to {fact.check_out:%d %b %Y}"
    prices = f"net {plain(fact.current_net)}, selling {plain(fact.current_selling)} {fact.currency}"
    seen = "" if fact.competitor_price is None else f"; {fact.competitor_source} shows {plain(fact.competitor_price)}"
    return f"#{fact.label} {fact.room_type}, {stay}, {prices}{seen}"
