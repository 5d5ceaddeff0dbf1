"""Contexts, preferences, demonstrations and stars from simulated dialogues and simulated experts, without a database.

Decided here: which dialogues there are (trained personas and phrases only, held-out ones never), which of their turns become contexts, that
a policy is also asked and rated after its own words, who rates what, and by which rules ratings become examples: the same as for people's
(``training.data``). All of it follows from the seed, every row says that it is simulated, and of scripted dialogues the first contexts of a
larger set are those of a smaller one.
"""

import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean
from uuid import UUID, uuid5

from agent.language.prompts import prompts_version
from agent.simulation import Conversation, Quality, converse, sample_profile, sample_tickets
from agent.simulation.phrases import Language
from training.data.columns import Format, Row, Source, derived_id, instant, ordered, pseudonym
from training.data.examples import BAD_STARS, GOOD_STARS, RatedReply
from training.data.export import Contrasts
from training.data.spool import Spool
from training.dialogues import Meeting, play
from training.experts import Expert, Rating, panel
from training.snapshots.candidates import REPEATING, SCRIPTED, Candidate, Policy, rated, repeating, scripted
from training.snapshots.contexts import ContextRow, Simulation, context_row
from training.snapshots.splits import split_of
from training.starter.progress import BuildEvent, Report, silent

_SPACE = UUID("5b0d4f3e-8f6c-5a53-9d6c-0f2f6f9b7a11")
_FIRST_DAY, _DAYS = date(2025, 1, 1), 1500
"""Dialogues are spread over these days."""
_CHUNK = 16
"""Dialogues that a process plays at once."""
_WORTH_A_POOL = 8
"""Fewer chunks are played faster than processes start."""
SPEAKERS = (Quality.EXCELLENT, Quality.FINE, Quality.FINE, Quality.CLUMSY, Quality.WRONG)
"""How our side speaks in a dialogue, one drawn for each: contexts come after good words and after bad ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSettings:
    """What is simulated. The same settings give the same rows."""

    contexts: int = 2_000
    seed: int = 0
    per_hotel: int = 4
    """Contexts of one dialogue at most: many hotels teach more than many turns of one."""
    qualities: tuple[Quality, ...] = (Quality.EXCELLENT, Quality.FINE, Quality.FINE, Quality.CLUMSY, Quality.WRONG)
    """Of the scripted replies to a context."""
    samples: int = 2
    """Replies of the policy to a context, where one is given."""
    experts: int = 5
    raters: int = 3
    """Experts whose stars a reply gets."""
    comparisons: int = 3
    """Pairs of replies to a context that an expert compares, besides the spoilt one with what it was made from; 0 compares nothing."""
    own_comparisons: int = 3
    """Further pairs, of the policy's own replies: what it will choose between when it learns. Scripted replies alone teach a reward model
    to tell good phrases from bad ones, and little about those that a policy really says."""
    policy: str = ""
    """Name of the policy whose replies are rated too; empty where there is none."""
    own: float = 0.5
    """Share of the contexts that stand in dialogues of the policy's own, where one is given. What it says too often is a repetition only
    after its own words: without them neither a reward model nor a policy learns that it grates."""
    again: int = 0
    """Each number meets other hotels; who rates, and how, is the seed's. For what is rated later, when the policy has become another."""
    chinese: float = 0.0
    """Share of the dialogues that are held in Chinese; the others are held in English."""
    validation_share: float = 0.1

    def __post_init__(self) -> None:
        if (
            min(self.contexts, self.per_hotel, self.samples, self.experts, self.raters) < 1
            or min(self.comparisons, self.own_comparisons) < 0
        ):
            raise ValueError("contexts, per_hotel, samples, experts and raters are at least 1, comparisons at least 0")
        if self.raters > self.experts:
            raise ValueError(f"a reply cannot be rated by {self.raters} of {self.experts} experts")
        shares = {"validation_share": self.validation_share, "own": self.own, "chinese": self.chinese}
        for name, share in shares.items():
            if not 0 <= share <= 1:
                raise ValueError(f"{name} is a share in [0, 1], not {share}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedRows:
    """What was simulated; rows have the columns of ``training.data.columns`` and ``split``."""

    settings: SimulatedSettings
    contexts: list[ContextRow]
    preferences: list[Row] = field(default_factory=list[Row])
    demonstrations: list[Row] = field(default_factory=list[Row])
    stars: list[Row] = field(default_factory=list[Row])
    """Good and bad replies by themselves (``label``)."""

    @property
    def tables(self) -> dict[Format, list[Row]]:
        """All rows but the contexts."""
        return {Format.PREFERENCE: self.preferences, Format.PROMPT_COMPLETION: self.demonstrations, Format.UNPAIRED_PREFERENCE: self.stars}


def simulated_rows(
    n_contexts: int = 2_000,
    seed: int = 0,
    *,
    at_once: int = 1,
    policy: Policy | None = None,
    holds: Policy | None = None,
    settings: SimulatedSettings | None = None,
    report: Report = silent,
) -> SimulatedRows:
    """Simulate, with ``at_once`` processes, on which the result does not depend. ``settings`` stands in for both numbers.

    With a ``policy`` its replies are rated beside the scripted ones, also in dialogues that ``holds`` held: the same policy as it is
    served, or the policy itself. Raises ValueError for numbers that make no sense.
    """
    chosen = settings or SimulatedSettings(contexts=n_contexts, seed=seed)
    if policy is None:
        chosen = replace(chosen, policy="", own=0.0)
        return _examples(_played(chosen, chosen.contexts, at_once, report), chosen)
    chosen = replace(chosen, policy=chosen.policy or "policy")
    own = round(chosen.own * chosen.contexts)
    experts = panel(chosen.experts, chosen.seed)
    pairs = _played(chosen, chosen.contexts - own, at_once, report) + _held(chosen, own, holds or policy, report)
    return _examples(_with_policy(pairs, policy, experts, chosen, report), chosen)


# -- dialogues --------------------------------------------------------------------------------------------------------------------------

_Pair = tuple[ContextRow, list[Candidate]]
"""A context with the replies to it."""


def _played(settings: SimulatedSettings, wanted: int, at_once: int, report: Report) -> list[_Pair]:
    """Contexts of dialogues in which both sides are scripted."""

    def converse_all(numbers: Sequence[int]) -> Iterator[list[_Pair]]:
        yield from _results([(settings, numbers[start : start + _CHUNK]) for start in range(0, len(numbers), _CHUNK)], at_once)

    return _enough(settings, wanted, converse_all, report, phase="simulating")


def _held(settings: SimulatedSettings, wanted: int, policy: Policy, report: Report) -> list[_Pair]:
    """Contexts of dialogues that the policy holds itself."""
    experts = panel(settings.experts, settings.seed)

    def hold(numbers: Sequence[int]) -> Iterator[list[_Pair]]:
        drawn = [_Drawn.at(f"{settings.seed}{_later(settings)}/own/{number}") for number in numbers]
        for at, dialogue in zip(drawn, play([at.meeting(settings.chinese) for at in drawn], policy), strict=True):
            yield list(_turns(settings, at, dialogue.conversation, experts))

    return _enough(settings, wanted, hold, report, phase="dialogues of the policy")


def _enough(
    settings: SimulatedSettings, wanted: int, hold: Callable[[Sequence[int]], Iterator[list[_Pair]]], report: Report, *, phase: str
) -> list[_Pair]:
    """Exactly as many contexts as are wanted, dialogue after dialogue."""
    pairs: list[_Pair] = []
    first = 0
    while len(pairs) < wanted:
        # A dialogue may be shorter than what is drawn from it: then some more are played.
        missing = -(-(wanted - len(pairs)) // settings.per_hotel)
        for played in hold(range(first, first + missing)):
            pairs.extend(played)
            report(BuildEvent(phase=phase, done=min(len(pairs), wanted), total=wanted))
        first += missing
    return pairs[:wanted]


def _results(chunks: Sequence[tuple[SimulatedSettings, Sequence[int]]], at_once: int) -> Iterator[list[_Pair]]:
    if at_once <= 1 or len(chunks) < _WORTH_A_POOL:
        yield from map(_play, chunks)
        return
    with ProcessPoolExecutor(min(at_once, len(chunks)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(_play, chunks)


def _play(chunk: tuple[SimulatedSettings, Sequence[int]]) -> list[_Pair]:
    settings, numbers = chunk
    experts = panel(settings.experts, settings.seed)
    return list(chain.from_iterable(_dialogue(settings, number, experts) for number in numbers))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """What a dialogue begins from."""

    name: str
    rng: random.Random
    seed: int
    today: date

    @classmethod
    def at(cls, name: str) -> "_Drawn":
        rng = random.Random(f"snapshot:{name}")
        seed = int.from_bytes(sha256(f"parley simulated dialogue {name}".encode()).digest()[:6])
        return cls(name=name, rng=rng, seed=seed, today=_FIRST_DAY + timedelta(days=rng.randrange(_DAYS)))

    def language(self, chinese: float) -> Language:
        """Which language it is held in, where so large a share of all is in Chinese."""
        return "zh" if random.Random(f"language:{self.name}").random() < chinese else "en"

    def meeting(self, chinese: float) -> Meeting:
        """The hotel that ``converse`` would meet, from which a context draws it again."""
        language = self.language(chinese)
        tickets = sample_tickets(self.seed, today=self.today)
        profile = sample_profile(tuple(fact for fact, _ in tickets), self.seed, language=language)
        return Meeting(number=0, seed=self.seed, tickets=tickets, profile=profile, chances=self.seed, today=self.today, language=language)


def _later(settings: SimulatedSettings) -> str:
    return f"/again {settings.again}" if settings.again else ""


def _dialogue(settings: SimulatedSettings, number: int, experts: Sequence[Expert]) -> Iterator[_Pair]:
    """Some turns of one scripted dialogue."""
    at = _Drawn.at(f"{settings.seed}{_later(settings)}/{number}")
    conversation = converse(at.seed, today=at.today, quality=at.rng.choice(SPEAKERS), language=at.language(settings.chinese))
    yield from _turns(settings, at, conversation, experts)


def _turns(settings: SimulatedSettings, at: _Drawn, conversation: Conversation, experts: Sequence[Expert]) -> Iterator[_Pair]:
    """Some turns of the dialogue, each with rated scripted replies."""
    assert not conversation.profile.held_out, "held-out personas are only ever measured with"
    mandates = {fact.label: mandate for fact, mandate in conversation.tickets}
    hotel = pseudonym("hotel", uuid5(_SPACE, f"hotel {at.seed}")) or ""
    drawn = at.rng.sample(range(len(conversation.exchanges)), min(settings.per_hotel, len(conversation.exchanges)))
    for turn in sorted(drawn):
        row = context_row(
            conversation.exchanges[turn].context,
            hotel=hotel,
            split=split_of(hotel, settings.validation_share),
            conversation_id=uuid5(_SPACE, f"conversation {at.seed}"),
            created_at=instant(datetime.combine(at.today, time(), UTC)),
            simulation=Simulation(seed=at.seed, profile=conversation.profile, mandates=mandates),
        )
        said = list(scripted(row.context, settings.qualities, at.rng))
        twice = [repeating(row.context, reply, at.rng) for reply in said[:1]]
        yield row, rated(row, said, experts, by=SCRIPTED) + rated(row, list(filter(None, twice)), experts, by=REPEATING)


def _with_policy(
    pairs: Sequence[_Pair], policy: Policy, experts: Sequence[Expert], settings: SimulatedSettings, report: Report
) -> list[_Pair]:
    asked = [row.context for row, _ in pairs for _ in range(settings.samples)]
    replies = list(policy(asked))
    if len(replies) != len(asked):
        raise ValueError(f"the policy gave {len(replies)} replies to {len(asked)} contexts; it must answer each once")
    joined: list[_Pair] = []
    for place, (row, known) in enumerate(pairs):
        said = [reply for reply in replies[place * settings.samples : (place + 1) * settings.samples] if reply is not None]
        own = rated(row, said, experts, by=settings.policy)
        joined.append((row, [*known, *(candidate for candidate in own if all(candidate.completion != k.completion for k in known))]))
        report(BuildEvent(phase="rating the policy", done=len(joined), total=len(pairs)))
    return joined


# -- examples ---------------------------------------------------------------------------------------------------------------------------


def _examples(pairs: Sequence[_Pair], settings: SimulatedSettings) -> SimulatedRows:
    rows = SimulatedRows(settings=settings, contexts=[row for row, _ in pairs])
    splits = {row.hotel: row.split for row in rows.contexts}
    preferences: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="parley-simulated-") as folder, Spool(Path(folder) / "rated") as aside:
        contrasts = Contrasts(aside)
        for row, candidates in pairs:
            rng = random.Random(f"raters:{settings.seed}:{row.id}")
            for candidate in candidates:
                told = rng.sample(candidate.ratings, settings.raters)
                where = _where(row, candidate, told)
                contrasts.add([_rated_reply(row, candidate, told, where)])
                rows.demonstrations.extend(_demonstration(row, candidate, told, where))
                rows.stars.extend(_starred(row, candidate, told, where))
            preferences.extend(_compared(row, candidates, settings.comparisons, rng))
            if twice := [candidate for candidate in candidates if candidate.by == REPEATING]:
                preferences.extend(_compared(row, [candidates[0], *twice], min(1, settings.comparisons), rng))
            own = [candidate for candidate in candidates if settings.policy and candidate.by == settings.policy]
            preferences.extend(_compared(row, own, settings.own_comparisons, rng))
        preferences.extend(example.row for example in contrasts.examples())
    for row in chain(preferences, rows.demonstrations, rows.stars):
        row["split"] = str(splits[row["hotel"]])
    rows.preferences.extend(sorted(_once(preferences), key=lambda row: row["id"]))
    return rows


def _once(preferences: Sequence[Row]) -> Iterator[Row]:
    """Each pair of replies to a prompt once: what an expert compared may be two stars apart as well."""
    seen: set[tuple[str, str, str]] = set()
    for row in preferences:
        content = (row["prompt"][-1]["content"], row["chosen"][0]["content"], row["rejected"][0]["content"])
        if content not in seen:
            seen.add(content)
            yield row


def _rated_reply(row: ContextRow, candidate: Candidate, told: Sequence[Rating], where: Row) -> RatedReply:
    mean = fmean(rating.stars for rating in told)
    key = uuid5(_SPACE, f"{row.id}/{candidate.completion[0]['content']}")
    return RatedReply(
        turn_id=key, prompt=row.messages, completion=candidate.completion, stars=mean, provenance=where | {"source": Source.STARS}
    )


def _demonstration(row: ContextRow, candidate: Candidate, told: Sequence[Rating], where: Row) -> Iterator[Row]:
    """The rule of ``training.data.examples``: somebody called it excellent, nobody thinks badly of it. None is spoilt on purpose."""
    excellent = [rating for rating in told if rating.excellent and candidate.by != REPEATING]
    if excellent and all(rating.stars > BAD_STARS for rating in told) and not candidate.has_figures:
        yield _row(Format.PROMPT_COMPLETION, Source.EXCELLENT, {"prompt": row.messages, "completion": candidate.completion}, where)


def _starred(row: ContextRow, candidate: Candidate, told: Sequence[Rating], where: Row) -> Iterator[Row]:
    mean = fmean(rating.stars for rating in told)
    if not BAD_STARS < mean < GOOD_STARS:
        content = {"prompt": row.messages, "completion": candidate.completion, "label": mean >= GOOD_STARS}
        yield _row(Format.UNPAIRED_PREFERENCE, Source.STARS, content, where)


def _compared(row: ContextRow, candidates: Sequence[Candidate], number: int, rng: random.Random) -> Iterator[Row]:
    """Pairs of replies that an expert looks at side by side; where it cannot tell them apart there is no example."""
    pairs = [(one, other) for index, one in enumerate(candidates) for other in candidates[index + 1 :]]
    for one, other in rng.sample(pairs, min(number, len(pairs))):
        expert = rng.randrange(len(one.ratings))
        of_one, of_other = one.ratings[expert], other.ratings[expert]
        liking = [(rating.stars, rating.excellent) for rating in (of_one, of_other)]
        if liking[0] == liking[1]:
            continue
        better, worse = (one, other) if liking[0] > liking[1] else (other, one)
        content = {"prompt": row.messages, "chosen": better.completion, "rejected": worse.completion}
        where = _where(row, better, [better.ratings[expert]]) | {"rating_ids": [_rating_id(row, better, worse, of_one.expert)]}
        yield _row(Format.PREFERENCE, Source.COMPARISON, content, where)


def _row(kind: Format, source: Source, content: Row, where: Row) -> Row:
    row_id = derived_id(kind, source, *where["rating_ids"])
    return ordered(kind, {**where, "id": str(row_id), "source": str(source), **content})


def _where(row: ContextRow, candidate: Candidate, told: Sequence[Rating]) -> Row:
    return {
        "rating_ids": sorted(_rating_id(row, candidate, None, rating.expert) for rating in told),
        "turn_id": None,
        "conversation_id": str(row.conversation_id),
        "hotel": row.hotel,
        "policy_version": candidate.by,
        "prompts_version": prompts_version(),
        "rater": pseudonym("rater", uuid5(_SPACE, told[0].expert)) if len(told) == 1 else None,
        "language": row.context.language,
        "created_at": row.created_at,
        "simulated_hotel": True,
        "simulated_rater": True,
    }


def _rating_id(row: ContextRow, candidate: Candidate, other: Candidate | None, expert: str) -> str:
    said = [candidate.completion[0]["content"], *([] if other is None else [other.completion[0]["content"]])]
    return str(uuid5(_SPACE, "\x1f".join([row.id, expert, *said])))
