"""Many dialogues at once: all that wait for our side are answered by one call of the policy, then every hotel answers.

Decided here: what happens between two replies. It is what the service does on autopilot: the hotel's words are read as by a perfect model
whose reading is cross-checked with the words, a silence is a turn that the SOP follows up, and an answer of the policy that is no reply is
replaced by the safe template of the first move that is open. The SOP bounds the number of turns.
"""

from collections.abc import Callable, Sequence

from agent.context import read_context, turn_context
from agent.domain import HotelMove, Reply, TurnContext, Utterance
from agent.language.templates import template
from agent.simulation import SimulatedHotel
from agent.sop import Step, Terms, advance, begin, commit, open_state
from db.errors import ParleyError
from db.vocabulary import Speaker
from training.dialogues.dialogue import Dialogue, Exchange
from training.dialogues.hotels import Meeting, meet
from training.starter.progress import BuildEvent, Report, silent
from training.starter.reading import as_service_reads

Speak = Callable[[Sequence[TurnContext]], Sequence[Reply | None]]
"""A policy: one reply to each context, blanks filled; None for an answer that cannot be read."""


class BadSpeaker(ParleyError):
    """A policy that does not answer each context once, with a move that is open there."""


def play_many(
    numbers: Sequence[int],
    speak: Speak,
    *,
    seed: int,
    held_out: bool,
    chinese: float = 0.0,
    at_once: int = 64,
    progress: Report = silent,
) -> list[Dialogue]:
    """Hold the dialogues of these numbers to their end, in their order (``play``); so large a share of them in Chinese.

    The same number and seed meets the same hotel whatever is said.
    """
    meetings = [meet(number, seed, held_out=held_out, chinese=chinese) for number in numbers]
    return play(meetings, speak, at_once=at_once, progress=progress)


def play(meetings: Sequence[Meeting], speak: Speak, *, at_once: int = 64, progress: Report = silent) -> list[Dialogue]:
    """Meet these hotels, in their order.

    ``at_once`` changes nothing, but as far as ``speak``'s answer to a context depends on the others that it is asked with.

    Raises:
        BadSpeaker: for another number of replies than contexts, or a move that is not open.
        ValueError: for ``at_once`` below 1.
    """
    if at_once < 1:
        raise ValueError(f"at least one dialogue is held at once, not {at_once}")
    held: dict[int, Dialogue] = {}
    waiting = list(enumerate(meetings))[::-1]
    running: list[tuple[int, _Talk]] = []
    while waiting or running:
        while waiting and len(running) < at_once:
            place, meeting = waiting.pop()
            running.append((place, _Talk(meeting)))
        contexts = [talk.context for _, talk in running]
        replies = speak(contexts)
        if len(replies) != len(contexts):
            raise BadSpeaker(f"The policy gave {len(replies)} replies to {len(contexts)} contexts; it must answer each once.")
        for (_, talk), reply in zip(running, replies, strict=True):
            talk.say(reply)
        held |= {place: talk.dialogue() for place, talk in running if talk.over}
        running = [(place, talk) for place, talk in running if not talk.over]
        progress(BuildEvent(phase="dialogues", done=len(held), total=len(meetings)))
    return [held[place] for place in range(len(meetings))]


class _Talk:
    """One dialogue on its way."""

    def __init__(self, meeting: Meeting) -> None:
        self._meeting = meeting
        self._terms = {fact.label: Terms(facts=fact, mandate=mandate) for fact, mandate in meeting.tickets}
        self._hotel = SimulatedHotel(meeting.profile, meeting.facts, seed=meeting.chances)
        self._history: tuple[Utterance, ...] = ()
        self._heard: HotelMove | None = None
        self._step = begin(open_state(tuple(self._terms)))
        self._exchanges: list[Exchange] = []
        self.context = self._now()

    @property
    def over(self) -> bool:
        """Whether the last word was said."""
        return self._step.state.stage.is_end

    def dialogue(self) -> Dialogue:
        """What was held so far."""
        meeting = self._meeting
        return Dialogue(
            number=meeting.number, seed=meeting.seed, profile=meeting.profile, tickets=meeting.tickets,
            exchanges=tuple(self._exchanges), state=self._step.state,
        )  # fmt: skip

    def say(self, reply: Reply | None) -> None:
        """Our turn, and the hotel's answer to it."""
        context = self.context
        if reply is not None and reply.move not in context.allowed:
            open_moves = ", ".join(move.key for move in context.allowed)
            raise BadSpeaker(f"The policy made the move {reply.move.key!r} where only {open_moves} is open.")
        sent = reply or Reply(move=context.allowed[0], text=template(context, context.allowed[0]))
        state = commit(self._step.state, sent.move)
        self._history = (*self._history, Utterance(Speaker.BD, sent.text))
        if state.stage.is_end:
            self._step = Step(state=state, allowed=())
            self._exchanges.append(Exchange(context=context, reply=reply, sent=sent, answer=None))
            return
        answer = self._hotel.hear(sent.text)
        self._exchanges.append(Exchange(context=context, reply=reply, sent=sent, answer=answer))
        before = read_context(state, self._meeting.facts, self._history, language=self._meeting.language)
        self._heard = as_service_reads(answer.text, answer.truth, before)
        self._history = (*self._history, Utterance(Speaker.HOTEL, answer.text))
        self._step = advance(state, self._heard, self._terms)
        self.context = self._now()

    def _now(self) -> TurnContext:
        meeting = self._meeting
        return turn_context(
            self._step, meeting.facts, self._history, hotel_move=self._heard, today=meeting.today, language=meeting.language
        )
