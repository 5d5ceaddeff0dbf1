"""Replies to simulated contexts, and what the experts say of them.

Decided here: which replies a context gets (scripted lines, one of each quality of a list, the first of them once more with a sentence said
twice, and where asked what a policy says) and that they are rated in the words that would go out: blanks filled. The experts see the truth;
nothing that rewards has a part in it.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from agent.domain import Reply, TurnContext
from agent.language.blanks import UnknownBlank, blank_out, blanks, fill
from agent.language.format import encode_reply
from agent.language.signals import sentences
from agent.simulation import NothingToSay, Quality, ScriptedBD
from db.vocabulary import Speaker
from training.data.columns import messages
from training.experts import Expert, Rating, judge
from training.snapshots.contexts import ContextRow

Policy = Callable[[Sequence[TurnContext]], Sequence[Reply | None]]
"""Writes one reply to each context, blanks filled; None for an answer that is no reply, which nobody can rate."""

SCRIPTED, REPEATING = "scripted", "repeating"
"""Who wrote a candidate that no policy wrote."""
_FIGURE = re.compile(r"\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One reply to a context, rated by everybody."""

    reply: Reply
    """Blanks filled, as it would go out."""
    completion: list[dict[str, str]]
    """What the model emits for it, with blanks."""
    by: str
    """``SCRIPTED``, ``REPEATING``, or the name of a policy."""
    ratings: tuple[Rating, ...]
    """One of each expert."""

    @property
    def has_figures(self) -> bool:
        """A figure is written out that should be a blank: no example for a model that may not write figures."""
        return _FIGURE.search(self.completion[0]["content"]) is not None


def scripted(context: TurnContext, qualities: Sequence[Quality], rng: random.Random) -> Iterator[Reply]:
    """A reply of each quality, its move drawn from the allowed ones; a quality that has no line there is left out."""
    bd = ScriptedBD()
    for quality in qualities:
        move = rng.choice(context.allowed)
        try:
            yield Reply(move=move, text=bd.say(context, move, rng=rng, quality=quality))
        except NothingToSay:
            continue  # Not every move can be made wrongly.


def repeating(context: TurnContext, reply: Reply, rng: random.Random) -> Reply | None:
    """The reply with a sentence in it that we have said before, in this talk or in the reply itself; None where every one names a figure.

    A policy that is paid reply by reply says what pays again and again. Scripts hardly ever do, so that without such replies nothing that
    learns from ratings knows that it grates.
    """
    ours = [turn.text for turn in context.history if turn.speaker is Speaker.BD]
    known = [sentence.strip() for text in (*ours, reply.text) for sentence in sentences(text) if not _FIGURE.search(sentence)]
    if not known:
        return None
    said = [sentence.strip() for sentence in sentences(reply.text)]
    said.insert(rng.randrange(len(said) + 1), rng.choice(known))
    return Reply(move=reply.move, text=("" if context.language == "zh" else " ").join(said))


def rated(row: ContextRow, replies: Sequence[Reply], experts: Sequence[Expert], *, by: str) -> list[Candidate]:
    """The replies with their ratings; the same words twice are one candidate, and words that cannot be encoded are none."""
    emitted: dict[str, Reply] = {}
    for reply in replies:
        template = blank_out(reply.text, row.context, reply.move)
        try:
            words = fill(template, blanks(row.context, reply.move))
        except UnknownBlank:
            continue
        emitted.setdefault(encode_reply(Reply(move=reply.move, text=template)), Reply(move=reply.move, text=words))
    truths = row.truths(list(emitted.values()))
    judgements = [judge(truth) for truth in truths]
    return [
        Candidate(
            reply=reply,
            completion=messages("assistant", said),
            by=by,
            ratings=tuple(expert.rate_judged(truth, judgement) for expert in experts),
        )
        for (said, reply), truth, judgement in zip(emitted.items(), truths, judgements, strict=True)
    ]
