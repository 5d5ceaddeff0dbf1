"""What a new rule, or a changed weight, would have done to the replies that were really sent: hits, and hits that were false alarms.

Decided here: what a false alarm is. It is a hit on a reply that people rated at ``GOOD_STARS`` or more on average and found no fault in.
Only some hits were ever rated, so their share is an estimate and comes with its interval. Judgements of simulated experts do not count.
Nothing is written; the turns are read in batches, all at one moment of the database.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from itertools import islice
from statistics import fmean
from time import perf_counter
from uuid import UUID

from agent.domain import AllowedMove, Reply, TurnContext
from agent.guardrails import Rule
from agent.records import from_json
from db.engine import SessionFactory
from db.models import Rating, Turn
from db.repositories import reward_specs
from db.repositories.examples import read_one_moment
from db.repositories.reward_specs import LoggedConversation
from db.vocabulary import Counterpart
from training.badcases.evaluation import Estimate, wilson
from training.data.contexts import past_contexts
from training.data.examples import GOOD_STARS
from training.rewards.functions import Hit, hit_of
from training.rewards.patterns import PatternRule
from training.rewards.spec import RewardSpec, shipped_spec

MOST_EXAMPLES = 20
_BATCH = 100
"""Conversations that are held in memory at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One reply that would be hit."""

    conversation_id: UUID
    number: int
    rule: str
    text: str
    message: str
    """What the rule says of it."""
    stars: float | None
    """What people gave it on average; None where nobody rated it."""
    is_false_alarm: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFigures:
    """One rule that was tried."""

    rule: str
    hits: int
    """Replies, not findings."""
    rated: int
    """Hits that people have rated."""
    false_alarms: int
    """Hits that people liked and found no fault in."""
    old_total: float
    """What the rule added to E_func before, over all turns."""
    new_total: float
    """What it would add now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a change would have done to the newest turns."""

    turns: int
    """Our turns that were tried."""
    simulated_turns: int
    """Those of them that were said to a simulated hotel."""
    rated_turns: int
    """Those of them that people have rated."""
    left_out: int
    """Turns whose context cannot be rebuilt."""
    hits: int
    """Turns that any of the tried rules hits."""
    rated_hits: int
    false_alarms: int
    by_rule: tuple[RuleFigures, ...]
    """In the spec's order, those without a hit as well."""
    examples: tuple[Example, ...]
    """False alarms first, then the newest; at most ``MOST_EXAMPLES``."""
    mean_change: float
    """Of E_func over the turns that were tried, before anything is clipped."""
    seconds: float

    @property
    def false_alarm_estimate(self) -> Estimate | None:
        """Share of the hits that are false alarms, with Wilson's 95 % interval, from the hits that were rated; None where none was."""
        return wilson(self.false_alarms, self.rated_hits) if self.rated_hits else None


def preview(
    sessions: SessionFactory,
    change: RewardSpec | PatternRule,
    last_n: int = 5_000,
    *,
    against: RewardSpec | None = None,
    progress: Callable[[int], None] | None = None,
) -> Preview:
    """Try a change on the newest ``last_n`` turns of ours that make a move.

    ``change`` is one rule, or a whole spec; ``against`` (the spec in force, say) leaves of a spec only what differs from it, and without it
    every rule is tried as if it were new. ``progress`` is told how many turns have been tried.
    """
    started = perf_counter()
    tally = _Tally(_trials(change, against))
    with sessions() as session:
        read_one_moment(session)
        newest = reward_specs.list_newest_replies(session, last_n)
        remaining = iter(newest)
        while batch := list(islice(remaining, _BATCH)):
            for logged in reward_specs.load_logged(session, batch):
                tally.add(logged, newest[logged.conversation.id])
            session.expunge_all()
            if progress is not None:
                progress(tally.turns)
    return tally.preview(perf_counter() - started)


@dataclass(slots=True, kw_only=True)
class _Trial:
    """One rule, before and after, and what it has hit so far."""

    name: str
    old: tuple[Rule, RewardSpec] | None
    new: tuple[Rule, RewardSpec] | None
    hits: int = 0
    rated: int = 0
    false_alarms: int = 0
    old_total: float = 0.0
    new_total: float = 0.0

    def hit(self, context: TurnContext, reply: Reply) -> Hit | None:
        """The rule's hit as it would be now, or as it was where the rule is taken out."""
        before = hit_of(*self.old, context, reply) if self.old is not None else None
        after = hit_of(*self.new, context, reply) if self.new is not None else None
        self.old_total += before.weight if before is not None else 0.0
        self.new_total += after.weight if after is not None else 0.0
        return after if self.new is not None else before

    def figures(self) -> RuleFigures:
        return RuleFigures(
            rule=self.name,
            hits=self.hits,
            rated=self.rated,
            false_alarms=self.false_alarms,
            old_total=self.old_total,
            new_total=self.new_total,
        )


def _trials(change: RewardSpec | PatternRule, against: RewardSpec | None) -> list[_Trial]:
    """Every rule whose definition or weight differs. One that is taken out is tried as well: its hits are what would be lost."""
    if isinstance(change, PatternRule):
        base = against or shipped_spec()
        only, new, old = change.name, _definitions(base.with_pattern(change)), _definitions(base)
    else:
        only, new, old = None, _definitions(change), _definitions(against) if against is not None else {}
    return [
        _Trial(name=name, old=old[name][:2] if name in old else None, new=new[name][:2] if name in new else None)
        for name in dict.fromkeys((*new, *old))
        if name == only or (only is None and (name not in new or name not in old or new[name][2] != old[name][2]))
    ]


def _definitions(spec: RewardSpec) -> dict[str, tuple[Rule, RewardSpec, object]]:
    """By name: the rule, its spec, and all that can differ about it."""
    return {rule.name: (rule, spec, spec.rules.get(rule.name, rule)) for rule in spec.all_rules}


class _Tally:
    """Counts, turn by turn."""

    def __init__(self, trials: list[_Trial]) -> None:
        self._trials = trials
        self.turns = self._simulated = self._rated = self._left_out = self._hits = self._rated_hits = self._false_alarms = 0
        self._alarms: list[Example] = []
        self._others: list[Example] = []

    def add(self, logged: LoggedConversation, numbers: Set[int]) -> None:
        """The turns of these numbers of one conversation, the newest first."""
        contexts = past_contexts(logged.conversation, logged.turns, logged.drafts)
        ratings: defaultdict[UUID | None, list[Rating]] = defaultdict(list)
        for rating in logged.ratings:
            ratings[rating.turn_id].append(rating)
        for number in sorted(numbers, reverse=True):
            turn, context = logged.turns[number - 1], contexts.get(number)
            if context is None:
                self._left_out += 1
                continue
            self.turns += 1
            self._simulated += logged.conversation.counterpart is Counterpart.SIMULATED
            self._try(turn, context, Reply(move=from_json(AllowedMove, turn.move), text=turn.text), ratings[turn.id])

    def _try(self, turn: Turn, context: TurnContext, reply: Reply, ratings: Sequence[Rating]) -> None:
        stars = [rating.stars for rating in ratings if rating.stars is not None]
        mean = fmean(stars) if stars else None
        is_good = mean is not None and mean >= GOOD_STARS and not any(rating.tags for rating in ratings)
        self._rated += mean is not None
        hits: list[Hit] = []
        for trial in self._trials:
            hit = trial.hit(context, reply)
            if hit is not None:
                hits.append(hit)
                trial.hits += 1
                trial.rated += mean is not None
                trial.false_alarms += is_good
        if not hits:
            return
        self._hits += 1
        self._rated_hits += mean is not None
        self._false_alarms += is_good
        shown = self._alarms if is_good else self._others
        if len(shown) < MOST_EXAMPLES:
            worst = min(hits, key=lambda hit: hit.weight)
            shown.append(
                Example(
                    conversation_id=turn.conversation_id,
                    number=turn.number,
                    rule=worst.rule,
                    text=turn.text,
                    message=worst.message,
                    stars=mean,
                    is_false_alarm=is_good,
                )
            )

    def preview(self, seconds: float) -> Preview:
        """All of it, once the last turn is in."""
        change = sum(trial.new_total - trial.old_total for trial in self._trials)
        return Preview(
            turns=self.turns,
            simulated_turns=self._simulated,
            rated_turns=self._rated,
            left_out=self._left_out,
            hits=self._hits,
            rated_hits=self._rated_hits,
            false_alarms=self._false_alarms,
            by_rule=tuple(trial.figures() for trial in self._trials),
            examples=tuple((self._alarms + self._others)[:MOST_EXAMPLES]),
            mean_change=change / self.turns if self.turns else 0.0,
            seconds=seconds,
        )
