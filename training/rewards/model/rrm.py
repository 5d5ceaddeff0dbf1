"""RRM (arXiv 2409.13156): pairs of replies from other talks, so that a phrase which is liked everywhere is worth nothing by itself.

Decided here: what is drawn. A reply from another hotel's talk is often still fine ("understood, thank you"), and with blanks for names and
prices more often yet. So it is drawn from replies whose move this turn does not allow and that name a price, a room or dates; and a tie
between two such replies is only claimed where both break rules of the guard or neither does.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import exp

from agent.domain import Reply
from agent.guardrails import FormatLeak, InternalWords, MixedLanguage, Pressure, Promises, Rule
from agent.language.format import move_and_words
from agent.language.prompts.specimen import WRITE
from training.rewards.model.comparisons import Compared, Comparison, Prompt
from training.rewards.model.errors import PreferencesUnusable

NON_CONTEXTUAL, NEUTRAL = "rrm non-contextual", "rrm neutral"
"""Sources of added comparisons: an own reply beats a foreign one; two foreign ones tie."""
_RULES: tuple[Rule, ...] = (FormatLeak(), InternalWords(), MixedLanguage(), Pressure(), Promises())
"""Rules that judge words without their turn."""
_MOVES = re.compile(r"^moves:\n(.*?)^blanks:", re.MULTILINE | re.DOTALL)
_SPECIFIC = re.compile(r"\{(?!hotel\})\w+\}|\d")
"""A price, a room or dates, as a blank or written out."""
Score = Callable[[Sequence[Compared]], list[list[float]]]
"""Raw scores of every reply of every group."""


@dataclass(frozen=True, slots=True)
class _Source:
    """The replies of one prompt that may be drawn for others."""

    hotel: str
    winners: tuple[str, ...]
    losers: tuple[str, ...]


def augment(groups: Sequence[Compared], *, seed: int, score: Score, gap: float) -> tuple[list[Compared], Counter[str]]:
    """The groups with foreign replies and their comparisons, kept where the first model (``score``) is ``gap`` or more off.

    The counter says how many pairs of each kind were made and kept, and how many prompts found nothing to draw. Raises PreferencesUnusable
    where prompts do not tell which moves are allowed.
    """
    rng = random.Random(seed)
    sources = [_source(group) for group in groups]
    sources = [source for source in sources if source.winners and source.losers]
    counts: Counter[str] = Counter()
    widened = [_widened(group, sources, rng, counts) for group in groups]
    for group, scores in zip(widened, score(widened), strict=True):
        kept: list[Comparison] = []
        for pair in group.comparisons:
            if pair.source in (NON_CONTEXTUAL, NEUTRAL):
                if abs(1 / (1 + exp(scores[pair.worse] - scores[pair.better])) - pair.wanted) < gap:
                    continue
                counts[f"{pair.source}, kept"] += 1
            kept.append(pair)
        group.comparisons = kept
    return [_without_idle(group) for group in widened], counts


def _widened(group: Compared, sources: Sequence[_Source], rng: random.Random, counts: Counter[str]) -> Compared:
    """A copy with the winner and the loser of two other talks, the eight kinds of win and the six kinds of tie of the paper."""
    allowed, hotel = allowed_moves(group.prompt), group.comparisons[0].hotel
    foreign: list[str] = []
    taken: set[str] = {hotel}
    for source in rng.sample(sources, min(len(sources), _TRIED)):
        winners = [text for text in source.winners if move_and_words(text)[0] not in allowed]
        losers = [text for text in source.losers if move_and_words(text)[0] not in allowed]
        if source.hotel not in taken and winners and losers:
            foreign += [rng.choice(winners), rng.choice(losers)]
            taken.add(source.hotel)
        if len(foreign) == _DRAWN:
            break
    own = range(len(group.replies))
    wide = replace(group, replies=list(group.replies), comparisons=list(group.comparisons))
    if len(foreign) < _DRAWN:
        counts["prompts with nothing to draw"] += 1
        return wide
    drawn = [wide.index(text) for text in dict.fromkeys(foreign)]
    added = [Comparison(mine, other, 1.0, NON_CONTEXTUAL, hotel) for mine in own for other in drawn if other not in own]
    added += [
        Comparison(one, other, 0.5, NEUTRAL, hotel)
        for one, other in combinations(drawn, 2)
        if is_clean(wide.replies[one]) == is_clean(wide.replies[other])
    ]
    counts.update(pair.source for pair in added)
    wide.comparisons += added
    return wide


_TRIED = 60
"""Other talks that are looked at for a prompt."""
_DRAWN = 4


def _source(group: Compared) -> _Source:
    clear = [pair for pair in group.comparisons if pair.wanted == 1.0]
    winners = {group.replies[pair.better] for pair in clear}
    losers = {group.replies[pair.worse] for pair in clear} - winners
    return _Source(group.comparisons[0].hotel, tuple(sorted(filter(is_specific, winners))), tuple(sorted(filter(is_specific, losers))))


def _without_idle(group: Compared) -> Compared:
    """Without replies that no comparison mentions any more: they would cost time and teach nothing."""
    used = sorted({index for pair in group.comparisons for index in (pair.better, pair.worse)})
    place: Mapping[int, int] = {old: new for new, old in enumerate(used)}
    return replace(
        group,
        replies=[group.replies[index] for index in used],
        comparisons=[replace(pair, better=place[pair.better], worse=place[pair.worse]) for pair in group.comparisons],
    )


def allowed_moves(prompt: Prompt) -> frozenset[str]:
    """Keys of the moves that a prompt offers. Raises PreferencesUnusable for a prompt that is not one of ours."""
    found = _MOVES.search(prompt[-1][1])
    if found is None:
        raise PreferencesUnusable("RRM needs prompts that list the allowed moves (agent.language.prompts): train without it.")
    return frozenset(line.split(": ", 1)[0] for line in found[1].splitlines())


def is_specific(reply: str) -> bool:
    """Whether the reply names a price, a room or dates."""
    return _SPECIFIC.search(move_and_words(reply)[1]) is not None


def is_clean(reply: str) -> bool:
    """Whether no rule that needs no turn objects to the words."""
    text = re.sub(r"\{\w+\}", "it", move_and_words(reply)[1])
    context = replace(WRITE, language="zh" if re.search(r"[\u4e00-\u9fff]", text) else "en")
    return not any(rule.check(context, Reply(move=WRITE.allowed[0], text=text)) for rule in _RULES)
