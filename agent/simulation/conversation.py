"""A whole conversation of a scripted BD with a simulated hotel over the real SOP, without a model.

Decided here: nothing of its own; it joins ``sop``, ``context``, ``ScriptedBD`` and ``SimulatedHotel``, with the hotel's truth in the place
of a reading. It shows what the simulator does, and is the ground on which its figures are measured.
"""

import random
from dataclasses import dataclass
from datetime import date

from agent.context import turn_context
from agent.domain import AllowedMove, HotelMove, Mandate, Reply, TicketFacts, TurnContext, Utterance
from agent.simulation.hotel import HotelUtterance, SimulatedHotel
from agent.simulation.phrases import Language, Quality
from agent.simulation.profile import HotelProfile, Persona, sample_profile
from agent.simulation.scripted import NothingToSay, ScriptedBD
from agent.simulation.tickets import sample_tickets
from agent.sop import NegotiationState, Terms, advance, begin, commit, open_state
from db.vocabulary import Speaker

WRONG_SHARE = 0.5
"""Share of the replies of a wrong BD that carry a fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One reply of ours and what came back; ``answer`` is None for the last word."""

    context: TurnContext
    reply: Reply
    answer: HotelUtterance | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """How it went."""

    tickets: tuple[tuple[TicketFacts, Mandate], ...]
    profile: HotelProfile
    exchanges: tuple[Exchange, ...]
    state: NegotiationState

    @property
    def answers(self) -> tuple[HotelUtterance, ...]:
        """Everything that the hotel said or left unsaid, in order."""
        return tuple(exchange.answer for exchange in self.exchanges if exchange.answer is not None)

    @property
    def messages(self) -> int:
        """Messages of both sides, silence not counted."""
        return sum(1 + (exchange.answer is not None and exchange.answer.text != "") for exchange in self.exchanges)


def converse(
    seed: int,
    *,
    today: date,
    tickets: int | None = None,
    quality: Quality | str = Quality.EXCELLENT,
    persona: Persona | str | None = None,
    held_out: bool = False,
    language: Language = "en",
) -> Conversation:
    """One conversation to its end, both sides in one language. The same arguments give the same one.

    A BD of quality ``WRONG`` is a clumsy one who commits a fault of the phrasebook in ``WRONG_SHARE`` of the replies.
    """
    pairs = sample_tickets(seed, tickets, today=today)
    facts = tuple(fact for fact, _ in pairs)
    terms = {fact.label: Terms(facts=fact, mandate=mandate) for fact, mandate in pairs}
    profile = sample_profile(facts, seed, persona=persona, held_out=held_out, language=language)
    hotel = SimulatedHotel(profile, facts, seed=seed)
    bd = ScriptedBD(held_out=held_out)
    rng = random.Random(f"conversation:{seed}")
    history: list[Utterance] = []
    exchanges: list[Exchange] = []
    heard: HotelMove | None = None
    step = begin(open_state(tuple(terms)))
    while True:
        context = turn_context(step, facts, history, hotel_move=heard, today=today, language=language)
        move: AllowedMove = rng.choice(step.allowed)
        reply = Reply(move=move, text=_words(bd, context, move, rng, Quality(quality)))
        history.append(Utterance(Speaker.BD, reply.text))
        state = commit(step.state, move)
        if state.stage.is_end:
            exchanges.append(Exchange(context=context, reply=reply, answer=None))
            return Conversation(tickets=pairs, profile=profile, exchanges=tuple(exchanges), state=state)
        answer = hotel.hear(reply.text)
        history.append(Utterance(Speaker.HOTEL, answer.text))
        exchanges.append(Exchange(context=context, reply=reply, answer=answer))
        heard = answer.truth
        step = advance(state, heard, terms)


def _words(bd: ScriptedBD, context: TurnContext, move: AllowedMove, rng: random.Random, quality: Quality) -> str:
    if quality is not Quality.WRONG:
        return bd.say(context, move, rng=rng, quality=quality)
    if rng.random() < WRONG_SHARE:
        try:
            return bd.say(context, move, rng=rng, quality=Quality.WRONG)
        except NothingToSay:
            pass  # Not every move can be made wrongly.
    return bd.say(context, move, rng=rng, quality=Quality.CLUMSY)
