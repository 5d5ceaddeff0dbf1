"""What a reward model is worth on pairs it has not seen: how often it is right, how sure it may be, and what it likes for the wrong reason.

Decided here: the measures. Intervals are 95 % and drawn over hotels, since pairs of one talk are alike. How they are drawn on a page is
``page``'s.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from scipy.stats import rankdata

from agent.language.prompts import LANGUAGES
from training.rewards.model.scorer import Centre

BINS = 10
"""Of the predicted win probability of the favourite, from 0.5 to 1."""
_RESAMPLES = 1000
_FEWEST = 20
"""Pairs in which a phrase must stand on one side only."""
_SHOWN = 12
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredPair:
    """A held-out pair with the raw scores that the model gave."""

    better: str
    worse: str
    gap: float
    """Score of the better minus score of the worse."""
    source: str
    hotel: str
    language: str = ""
    """ISO 639-1; empty where the row did not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredReply:
    """A held-out reply with its raw score and how good it is."""

    text: str
    score: float
    worth: float
    """Stars or a true score; replies of the same worth, to a quarter, count as equally rated."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Share(_Frozen):
    """A share with its interval."""

    value: float
    low: float
    high: float
    n: int


class Bin(_Frozen):
    """Pairs whose favourite the model gave a win probability in one range."""

    n: int
    predicted: float
    frequency: float
    """How often the favourite was indeed preferred."""


class LengthBias(_Frozen):
    """Whether longer replies are liked for being longer."""

    correlation: float | None
    """Of score with length (characters), ranked, among equally rated replies; None where there are fewer than three."""
    replies: int
    predicted: float | None
    """Mean predicted win probability of the longer reply of a pair …"""
    actual: float | None
    """… and how often it was preferred. None where all pairs are of one length."""
    pairs: int
    longer_won: Share | None = None
    """How often the model is right where the longer reply was preferred …"""
    shorter_won: Share | None = None
    """… and where the shorter one was: a model that goes by length alone has 1 there and 0 here. None where there is no such pair."""


class PhraseBias(_Frozen):
    """A phrase that stands on one side only of ``n`` pairs."""

    phrase: str
    n: int
    predicted: float
    """Mean predicted win probability of the side with the phrase."""
    actual: float
    z: float
    """Their difference in its standard errors; of a thousand phrases, three lie beyond 3 by chance."""


class Report(_Frozen):
    """All of it, as it is kept and drawn."""

    pairs_train: int
    prompts_train: int
    steps: int
    seconds: float
    """Of the last sitting, by the clock …"""
    core_seconds: float
    """… and of processor time, over all threads."""
    parameters: int
    """That were trained."""
    accuracy: Share
    accuracy_by_source: dict[str, Share]
    accuracy_by_language: dict[str, Share] = {}
    """Of the languages that rows tell."""
    between_prompts: float | None = None
    """Share of the variance of held-out scores that lies between prompts. Comparisons teach nothing of it: where it is large, the sign of a
    reward says more of the prompt than of the reply. None where no prompt has two replies."""
    log_loss: float
    """Mean over held-out pairs, natural logarithm; a coin has 0.693."""
    calibration: list[Bin]
    calibration_error: float
    """ECE: mean distance of predicted from actual frequency over the bins, weighted by their pairs."""
    length: LengthBias
    overrated: list[PhraseBias]
    underrated: list[PhraseBias]
    phrases: int
    """Phrases that were looked at."""
    rank_correlation: float | None
    """Spearman's, of score with worth, where replies of known worth were given."""
    centre: Centre
    below_zero_better: float
    """Share of the better replies of held-out pairs whose reward is below 0 …"""
    below_zero_worse: float
    """… and of the worse ones."""
    augmentation: dict[str, int]
    """Pairs that RRM added, by kind; empty without it."""

    @property
    def shares(self) -> dict[str, Share]:
        """How often it is right, over all pairs, by source and by language."""
        by_language = {f"in {LANGUAGES.get(code, code)}": share for code, share in self.accuracy_by_language.items()}
        return {"all": self.accuracy, **self.accuracy_by_source, **by_language}


def accuracy(pairs: Sequence[ScoredPair], *, seed: int = 0) -> Share:
    """Share of the pairs in which the better reply scores higher; equal scores count half."""
    right = np.array([1.0 if pair.gap > 0 else 0.5 if pair.gap == 0 else 0.0 for pair in pairs])
    by_hotel: defaultdict[str, list[int]] = defaultdict(list)
    for place, pair in enumerate(pairs):
        by_hotel[pair.hotel or str(place)].append(place)
    sums = np.array([right[places].sum() for places in by_hotel.values()])
    sizes = np.array([len(places) for places in by_hotel.values()])
    drawn = np.random.default_rng(seed).integers(0, len(sums), (_RESAMPLES, len(sums)))
    low, high = np.quantile(sums[drawn].sum(1) / sizes[drawn].sum(1), (0.025, 0.975))
    return Share(value=float(right.mean()), low=float(low), high=float(high), n=len(pairs))


def accuracy_by(pairs: Sequence[ScoredPair], what: Callable[[ScoredPair], str]) -> dict[str, Share]:
    """The same for each source, or language; pairs of which it is not known are left out."""
    found: defaultdict[str, list[ScoredPair]] = defaultdict(list)
    for pair in pairs:
        found[what(pair)].append(pair)
    return {name: accuracy(found[name]) for name in sorted(found) if name}


def between_prompts(scores: Sequence[Sequence[float]]) -> float | None:
    """Intraclass correlation ICC(1) of the scores of each prompt's replies, by a one-way analysis of variance; never below 0.

    Shrout and Fleiss 1979, with the mean group size of Donner 1986 for groups of unequal size.
    """
    groups = [np.asarray(group) for group in scores if len(group) > 1]
    if len(groups) < 2:
        return None
    sizes = np.array([len(group) for group in groups])
    means, total = np.array([group.mean() for group in groups]), np.concatenate(groups)
    between = float((sizes * (means - total.mean()) ** 2).sum() / (len(groups) - 1))
    within = float(sum(((group - mean) ** 2).sum() for group, mean in zip(groups, means, strict=True)) / (len(total) - len(groups)))
    size = float((len(total) - (sizes**2).sum() / len(total)) / (len(groups) - 1))
    spread = max(between - within, 0.0) / size
    return spread / (spread + within) if spread + within > 0 else None


def log_loss(pairs: Sequence[ScoredPair]) -> float:
    """Mean of -log sigmoid(gap)."""
    return float(np.logaddexp(0, -np.array([pair.gap for pair in pairs])).mean())


def calibration(pairs: Sequence[ScoredPair]) -> tuple[list[Bin], float]:
    """The bins that hold pairs, and the expected calibration error."""
    favoured = np.array([_probability(abs(pair.gap)) for pair in pairs])
    right = np.array([1.0 if pair.gap > 0 else 0.5 if pair.gap == 0 else 0.0 for pair in pairs])
    place = np.minimum(((favoured - 0.5) * 2 * BINS).astype(int), BINS - 1)
    bins = [
        Bin(n=int(within.sum()), predicted=float(favoured[within].mean()), frequency=float(right[within].mean()))
        for number in range(BINS)
        if (within := place == number).any()
    ]
    return bins, sum(one.n * abs(one.predicted - one.frequency) for one in bins) / len(pairs)


def length_bias(pairs: Sequence[ScoredPair], replies: Sequence[ScoredReply]) -> LengthBias:
    """See ``LengthBias``."""
    longer = [(len(words(pair.better)) - len(words(pair.worse)), pair.gap) for pair in pairs]
    uneven = [(gap if more > 0 else -gap, more > 0) for more, gap in longer if more]
    return LengthBias(
        correlation=_within(replies),
        replies=len(replies),
        predicted=float(np.mean([_probability(gap) for gap, _ in uneven])) if uneven else None,
        actual=float(np.mean([won for _, won in uneven])) if uneven else None,
        pairs=len(uneven),
        longer_won=_right([pair for pair, (more, _) in zip(pairs, longer, strict=True) if more > 0]),
        shorter_won=_right([pair for pair, (more, _) in zip(pairs, longer, strict=True) if more < 0]),
    )


def _right(pairs: Sequence[ScoredPair]) -> Share | None:
    return accuracy(pairs) if pairs else None


def _within(replies: Sequence[ScoredReply]) -> float | None:
    """Correlation of the ranks of score and length, each within its group of equal worth, over all groups together."""
    groups: defaultdict[float, list[ScoredReply]] = defaultdict(list)
    for reply in replies:
        groups[round(reply.worth * 4)].append(reply)
    scores, lengths = list[float](), list[float]()
    for group in groups.values():
        if len(group) > 2:
            scores += _ranks([reply.score for reply in group])
            lengths += _ranks([len(words(reply.text)) for reply in group])
    if len(scores) < 3 or np.std(scores) == 0 or np.std(lengths) == 0:
        return None
    return float(np.corrcoef(scores, lengths)[0, 1])


def _ranks(values: Sequence[float]) -> list[float]:
    """Ranks from -0.5 to 0.5."""
    return ((rankdata(values) - 0.5) / len(values) - 0.5).tolist()


def rank_correlation(replies: Sequence[ScoredReply]) -> float | None:
    """Spearman's of score with worth; None where one of them does not vary."""
    if len(replies) < 3:
        return None
    score, worth = rankdata([reply.score for reply in replies]), rankdata([reply.worth for reply in replies])
    if score.std() == 0 or worth.std() == 0:
        return None
    return float(np.corrcoef(score, worth)[0, 1])


def phrase_bias(pairs: Sequence[ScoredPair]) -> tuple[list[PhraseBias], list[PhraseBias], int]:
    """The phrases of one to three words that are most over-rated and most under-rated, and how many were looked at.

    A phrase counts in the pairs in which one reply has it and the other has not.
    """
    found: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    won: Counter[str] = Counter()
    variance: Counter[str] = Counter()
    for pair in pairs:
        chance = _probability(pair.gap)
        better, worse = set(phrases(words(pair.better))), set(phrases(words(pair.worse)))
        for phrase in better ^ worse:
            found[phrase] += 1
            predicted[phrase] += chance if phrase in better else 1 - chance  # pyright: ignore[reportArgumentType]
            won[phrase] += phrase in better
            variance[phrase] += chance * (1 - chance)  # pyright: ignore[reportArgumentType]
    judged = [
        PhraseBias(
            phrase=phrase, n=n, predicted=predicted[phrase] / n, actual=won[phrase] / n,
            z=(predicted[phrase] - won[phrase]) / max(sqrt(variance[phrase]), 0.5),
        )
        for phrase, n in found.items()
        if n >= _FEWEST
    ]  # fmt: skip
    judged.sort(key=lambda bias: (-bias.z, bias.phrase))
    return _different(judged), _different(judged[::-1]), len(judged)


def _different(judged: Sequence[PhraseBias]) -> list[PhraseBias]:
    """The first ones that are not about the very same pairs as one before ("if" and "if i may")."""
    shown: list[PhraseBias] = []
    for bias in judged:
        if len(shown) == _SHOWN:
            break
        same = (other for other in shown if (bias.n, bias.z) == (other.n, other.z))
        if not any(bias.phrase in other.phrase or other.phrase in bias.phrase for other in same):
            shown.append(bias)
    return shown


def words(reply: str) -> str:
    """What a reply says, without the form around it."""
    try:
        said = json.loads(reply)
    except ValueError:
        return reply
    return str(said.get("text", reply)) if isinstance(said, dict) else reply


def phrases(text: str) -> Iterator[str]:
    """Every run of one to three words (of Chinese, characters), folded."""
    tokens = re.findall(r"\{\w+\}|[\u4e00-\u9fff]|[^\W_]+(?:'\w+)?", text.casefold())
    for size in (1, 2, 3):
        for start in range(len(tokens) - size + 1):
            yield " ".join(tokens[start : start + size])


def _probability(gap: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(gap, -60, 60))))
