"""Simulated negotiations as exercises: for each turn, the prompt that the server would get and what a good answer to it is.

Nothing is imitated but replies that pass the guard. The hotel's turns are read through the same cross-check as in service, so prompts
look exactly as they will. One negotiation, in English or in Chinese, follows from its seed alone; held-out ones draw their names and
profiles from other lists.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from agent.context import read_context, turn_context
from agent.domain import AllowedMove, HotelMove, Mandate, Reply, TicketFacts, TurnContext, Utterance, plain
from agent.guardrails import Violation, check
from agent.language.blanks import blank_out, blanks, fill
from agent.language.context import ReadContext
from agent.language.format import encode_reading, encode_reply
from agent.language.prompts import Message, render_read, render_write
from agent.language.templates import template as safe_template
from agent.simulation import ScriptedBD, SimulatedHotel, sample_profile, sample_tickets
from agent.simulation.phrases import Language
from agent.sop import Terms, advance, begin, commit, open_state
from db.vocabulary import ClarifyTopic, MoveKind, Speaker
from training.starter import chinese_names, names
from training.starter.judging import JudgeExercise, judge_exercise
from training.starter.reading import as_service_reads
from training.starter.samples import Job, Sample

QUALITIES = ("excellent", "fine", "fine", "fine", "clumsy", "clumsy")
"""How our side speaks, one drawn a turn: an average colleague with habits that experts mark down, and room above it."""
ATTEMPTS = 6
"""Drafts of the scripted colleague before a turn is given the safe template."""
OWN_NAMES_SHARE = 0.85
"""Share of conversations whose hotel, rooms and booking site get freshly invented names, and a currency of any country."""
EXTRA_REPLY_SHARE = 0.35
"""Chance of a second, different reply to the same turn."""
JUDGE_SHARE = 0.3
"""Chance that a turn also yields a reply to be judged."""
DRILLED = frozenset({MoveKind.CLARIFY, MoveKind.CALM, MoveKind.REDIRECT, MoveKind.ESCALATE})
"""Moves that a negotiation needs seldom and that have to be right: a drill takes more replies from each such turn."""
DRILLS = 4
REWRITE_SHARE = 0.12
"""Chance that a turn also yields a rewrite of a faulty draft."""


@dataclass(frozen=True, slots=True)
class WriteExercise:
    """A turn that is to be answered, and an answer that passes the guard; with ``violations`` it is a rewrite."""

    context: TurnContext
    reply: Reply
    template: str
    """The reply's text with blanks: what the model writes."""
    violations: tuple[Violation, ...] = ()

    def prompt(self) -> list[Message]:
        """What the model is given."""
        return render_write(self.context, violations=self.violations)

    def completion(self) -> str:
        """What it should answer."""
        return encode_reply(Reply(move=self.reply.move, text=self.template))

    def sample(self) -> Sample:
        """Both, as training takes them."""
        job = Job.REWRITE if self.violations else Job.WRITE
        return Sample(job, tuple(self.prompt()), self.completion())


@dataclass(frozen=True, slots=True)
class ReadExercise:
    """A hotel's message that is to be sorted, and the simulator's truth about it."""

    context: ReadContext
    text: str
    truth: HotelMove

    def prompt(self) -> list[Message]:
        """What the model is given."""
        return render_read(self.context, self.text)

    def completion(self) -> str:
        """What it should answer."""
        return encode_reading(self.truth)

    def sample(self) -> Sample:
        """Both, as training takes them."""
        return Sample(Job.READ, tuple(self.prompt()), self.completion())


Exercise = WriteExercise | ReadExercise | JudgeExercise


def play(
    seed: int, *, held_out: bool = False, qualities: Sequence[str] = QUALITIES, drill: bool = False, language: Language = "en"
) -> Iterator[Exercise]:
    """One negotiation from greeting to end, as the exercises that it holds; ``drill`` adds replies to turns of the rarer kinds."""
    rng = random.Random(f"{seed}/{held_out}")
    today = date(2025, 1, 1) + timedelta(days=rng.randrange(1500))
    drawn = sample_tickets(rng.getrandbits(48), n=rng.choice((1, 1, 1, 2, 3)), today=today)
    tickets = _named_anew(drawn, rng, held_out=held_out, language=language)
    facts = tuple(fact for fact, _ in tickets)
    terms = {fact.label: Terms(facts=fact, mandate=mandate) for fact, mandate in tickets}
    profile = sample_profile(facts, rng.getrandbits(48), held_out=held_out, language=language)
    hotel = SimulatedHotel(profile, facts, seed=rng.getrandbits(48))
    bd = ScriptedBD(held_out=held_out)
    history: tuple[Utterance, ...] = ()
    step = begin(open_state(tuple(fact.label for fact in facts)))
    heard: HotelMove | None = None
    while step.allowed:
        context = turn_context(step, facts, history, hotel_move=heard, language=language)
        reply, template = _reply(bd, context, rng, qualities)
        if template is not None:
            yield WriteExercise(context, reply, template)
            yield from _more(bd, context, reply, template, rng, qualities)
        if drill and reply.move.kind in DRILLED:
            yield from _drills(bd, context, reply.move, random.Random(f"drill/{seed}/{len(history)}"), qualities)
        if rng.random() < JUDGE_SHARE and (judged := judge_exercise(bd, context, rng)) is not None:
            yield judged
        history = (*history, Utterance(Speaker.BD, reply.text))
        state = commit(step.state, reply.move)
        if state.stage.is_end:
            return
        said = hotel.hear(reply.text)
        before = read_context(state, facts, history, language=language)
        if said.text.strip():
            yield ReadExercise(before, said.text, said.truth)
        heard = as_service_reads(said.text, said.truth, before)
        history = (*history, Utterance(Speaker.HOTEL, said.text))
        step = advance(state, heard, terms)


def _named_anew(
    tickets: Sequence[tuple[TicketFacts, Mandate]], rng: random.Random, *, held_out: bool, language: Language
) -> tuple[tuple[TicketFacts, Mandate], ...]:
    if not held_out and rng.random() >= OWN_NAMES_SHARE:
        return tuple(tickets)
    invented = chinese_names if language == "zh" else names
    hotel = invented.hotel_name(rng, held_out=held_out)
    site, currency = invented.booking_site(rng, held_out=held_out), invented.currency(rng)
    taken: set[str] = set()
    renamed: list[tuple[TicketFacts, Mandate]] = []
    for facts, mandate in tickets:
        room = next(room for room in iter(lambda: invented.room_type(rng, held_out=held_out), None) if room not in taken)
        taken.add(room)
        if language == "zh":
            evidence = chinese_names.evidence(rng, len(facts.evidence), hotel=hotel, room=room)
        else:
            evidence = tuple(line.replace(facts.hotel_name, hotel).replace(facts.room_type, room) for line in facts.evidence)
        source = site if facts.competitor_source else None
        facts = replace(facts, hotel_name=hotel, room_type=room, evidence=evidence, competitor_source=source, currency=currency)
        renamed.append((facts, mandate))
    return tuple(renamed)


def _reply(bd: ScriptedBD, context: TurnContext, rng: random.Random, qualities: Sequence[str]) -> tuple[Reply, str | None]:
    """A draft of the scripted colleague that passes the guard, with its template; where it finds none, the safe one, not to be imitated."""
    move = rng.choice(context.allowed)
    for _ in range(ATTEMPTS):
        said = bd.say(context, move, rng=rng, quality=rng.choice(qualities))
        template = blank_out(said, context, move)
        reply = Reply(move=move, text=fill(template, blanks(context, move)))
        # A figure or a name that is written out would teach the model to write figures.
        if not _FIGURE.search(template) and not check(context, reply):
            return reply, template
    return Reply(move=context.allowed[0], text=safe_template(context, context.allowed[0])), None


_FIGURE = re.compile(r"\d")


def _more(
    bd: ScriptedBD, context: TurnContext, reply: Reply, template: str, rng: random.Random, qualities: Sequence[str]
) -> Iterator[WriteExercise]:
    """Now and then another reply to the same turn, or the same one as the mend of a faulty draft."""
    if rng.random() < EXTRA_REPLY_SHARE:
        other, others = _reply(bd, context, rng, qualities)
        if others is not None and others != template:
            yield WriteExercise(context, other, others)
    if rng.random() < REWRITE_SHARE:
        violations = check(context, Reply(move=reply.move, text=_spoilt(reply.text, context, reply.move, rng)))
        if violations:
            yield WriteExercise(context, reply, template, violations)


def _drills(
    bd: ScriptedBD, context: TurnContext, move: AllowedMove, rng: random.Random, qualities: Sequence[str]
) -> Iterator[WriteExercise]:
    """More replies to a turn; where a point is to be asked about, also as if another one had been open."""
    moves = [replace(move, topic=topic) for topic in ClarifyTopic] if move.topic is not None else [move] * DRILLS
    for each in moves:
        supposed = replace(context, allowed=(each,))
        reply, template = _reply(bd, supposed, rng, qualities)
        if template is not None:
            yield WriteExercise(supposed, reply, template)


def _spoilt(text: str, context: TurnContext, move: AllowedMove, rng: random.Random) -> str:
    """A draft with one of the faults that small models make: a wrong number, a promise, an internal word, a leak, no words left."""
    facts = context.fact(move.label)
    says = _SPOILS[context.language]
    match rng.randrange(6):
        case 0 if move.price is not None:
            return text.replace(plain(move.price), plain(move.price + rng.choice((-20, -10, -3, 4, 15, 30))))
        case 1:
            return f"{text}{says.promise}"
        case 2:
            return f"{text}{says.internal}"
        case 3:
            return f"{text}{says.seen.format(plain(facts.current_net * Decimal(rng.choice(('0.61', '0.72', '0.83')))))}"
        case 4:
            return f"{text}{says.foreign}"
        case _:
            return f"<think>{text}</think>" if rng.random() < 0.5 else " ".join([text] * 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spoils:
    """Sentences that spoil a draft."""

    promise: str
    internal: str
    seen: str
    """``{}`` is an invented amount."""
    foreign: str


_SPOILS = {
    "en": _Spoils(
        promise=" We will rank you first and guarantee more orders.",
        internal=" This is our target price for the ticket.",
        seen=" I saw {} elsewhere.",
        foreign=" 谢谢您的支持。",
    ),
    "zh": _Spoils(
        promise="我们保证把您排在第一，订单一定更多。",
        internal="这是工单上的目标价。",
        seen="我在别处看到{}。",
        foreign=" Thank you for your support.",
    ),
}
