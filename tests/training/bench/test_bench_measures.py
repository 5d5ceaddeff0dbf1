from collections.abc import Sequence

import pytest

from agent.domain import Reply, TurnContext
from agent.guardrails import check
from agent.simulation import Quality
from db.vocabulary import Severity
from tests.training.dialogues.dialogue_speakers import ScriptedSpeaker
from training.badcases import WEIGHT, cases
from training.bench.measures import PANEL, RATERS, SHOWN, PolicyFigures, measure
from training.dialogues import play_many
from training.experts import judge, panel, witnessed
from training.snapshots.simulated import SimulatedSettings

GOOD = {case.context: case.good for case in cases()}
BAD = {case.context: case.bad for case in cases()}


class Answering(ScriptedSpeaker):
    """A scripted speaker that answers bad cases from a list."""

    def __init__(self, quality: Quality, known: dict[TurnContext, Reply], *, unreadable: float = 0.0) -> None:
        super().__init__(quality, unreadable=unreadable)
        self._known = known

    def reply(self, context: TurnContext) -> Reply | None:
        return self._known.get(context) or super().reply(context)


@pytest.fixture(scope="module")
def excellent() -> PolicyFigures:
    return measure(Answering(Quality.EXCELLENT, GOOD), dialogues=12, seed=4)


@pytest.fixture(scope="module")
def poor() -> PolicyFigures:
    return measure(Answering(Quality.CLUMSY, BAD, unreadable=0.1), dialogues=12, seed=4)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def test_excellent_words_are_rated_far_above_clumsy_ones(excellent: PolicyFigures, poor: PolicyFigures) -> None:
    ratings = [_mean([dialogue.rating for dialogue in figures.dialogues]) for figures in (excellent, poor)]
    assert ratings[0] > 4.1 > 2.6 > ratings[1]
    assert _mean([dialogue.excellent for dialogue in excellent.dialogues]) > 0.95
    assert not any(dialogue.excellent for dialogue in poor.dialogues)


def test_good_replies_fix_every_case_cleanly_and_bad_ones_none(excellent: PolicyFigures, poor: PolicyFigures) -> None:
    assert all(case.fixed and case.clean and case.residual == 0 for case in excellent.cases)
    assert not any(case.fixed or case.clean for case in poor.cases)
    assert {case.case: case.residual for case in poor.cases}.keys() == {case.id for case in cases()}
    assert all(case.residual >= 1 for case in poor.cases)


def test_a_share_of_the_hotels_is_met_in_chinese_and_rated_alike(excellent: PolicyFigures) -> None:
    found = measure(Answering(Quality.EXCELLENT, GOOD), dialogues=12, seed=4, chinese=0.5)
    chinese = [one for one in found.dialogues if one.language == "zh"]
    assert 2 < len(chinese) < 10
    assert [one for one in found.dialogues if one.language == "en"] == [
        one for one in excellent.dialogues if one.number not in {each.number for each in chinese}
    ]
    assert _mean([one.rating for one in chinese]) > 4.0


def test_figures_are_those_of_the_dialogues(poor: PolicyFigures) -> None:
    held = play_many(range(1, 13), Answering(Quality.CLUMSY, BAD, unreadable=0.1), seed=4, held_out=True)
    experts = panel(RATERS, PANEL)
    for dialogue, figures in zip(held, poor.dialogues, strict=True):
        truths = witnessed(dialogue.conversation)
        stars: list[float] = []
        for exchange, truth in zip(dialogue.exchanges, truths, strict=True):
            judgement = judge(truth)
            stars.append(1.0 if exchange.reply is None else _mean([expert.rate_judged(truth, judgement).stars for expert in experts]))
        readable = [exchange for exchange in dialogue.exchanges if exchange.reply is not None]
        assert figures.rating == pytest.approx(_mean(stars))
        assert (figures.number, figures.persona) == (dialogue.number, dialogue.profile.persona)
        assert (figures.replies, figures.unreadable) == (len(dialogue.exchanges), len(dialogue.exchanges) - len(readable))
        assert figures.violated == sum(bool(check(exchange.context, exchange.sent)) for exchange in readable)
        assert max(figures.violations.values(), default=0) <= figures.violated <= sum(figures.violations.values())
        kept = [truth for exchange, truth in zip(dialogue.exchanges, truths, strict=True) if exchange.reply is not None]
        assert figures.faulted == sum(bool(judge(truth).faults) for truth in kept)
        possible = [room for room in dialogue.rooms if room.ceiling > room.reservation]
        assert (figures.rooms_possible, figures.rooms_agreed) == (len(possible), sum(room.agreed is not None for room in possible))
        answers = [exchange.answer.text for exchange in dialogue.exchanges if exchange.answer is not None]
        assert figures.responded == pytest.approx(_mean([answer != "" for answer in answers]))
        assert figures.turns == len(dialogue.exchanges) + len(answers)
        assert figures.tokens == sum(len(exchange.said.split()) for exchange in readable)
    assert sum(figures.unreadable for figures in poor.dialogues) > 5


def test_what_was_written_is_counted_with_the_cases(poor: PolicyFigures) -> None:
    written = sum(len((case.reply or "").split()) for case in poor.cases)
    assert poor.tokens == sum(dialogue.tokens for dialogue in poor.dialogues) + written
    assert poor.seconds > 0


def test_a_policy_without_a_readable_answer_gets_one_star_and_fixes_nothing() -> None:
    found = measure(ScriptedSpeaker(unreadable=1.0), dialogues=6, seed=4)
    assert all(dialogue.rating == 1.0 and not dialogue.excellent for dialogue in found.dialogues)
    assert all(dialogue.unreadable == dialogue.replies for dialogue in found.dialogues)
    severities: dict[str, Severity] = {case.id: case.severity for case in cases()}
    assert all(not case.fixed and case.reply is None and case.residual == WEIGHT[severities[case.case]] for case in found.cases)
    assert all(not sample.readable and sample.stars == 1.0 for sample in found.samples)


def test_each_copy_of_a_case_is_an_answer(excellent: PolicyFigures) -> None:
    found = measure(Answering(Quality.EXCELLENT, GOOD), dialogues=1, seed=4, case_copies=3)
    assert len(found.cases) == 3 * len(cases())
    assert {case.copy_number for case in found.cases} == {0, 1, 2}


def test_the_first_dialogues_are_kept_for_reading(excellent: PolicyFigures, poor: PolicyFigures) -> None:
    for figures in (excellent, poor):
        assert {sample.number for sample in figures.samples} == set(range(1, SHOWN + 1))
        assert len(figures.samples) == sum(dialogue.replies for dialogue in figures.dialogues[:SHOWN])
    # Side by side: the same hotels open each of them.
    first = [next(sample for sample in figures.samples if sample.number == 2) for figures in (excellent, poor)]
    assert first[0].facts == first[1].facts
    assert first[0].heard == first[1].heard == ""


def test_figures_come_back_from_json(poor: PolicyFigures) -> None:
    assert PolicyFigures.model_validate_json(poor.model_dump_json()) == poor


def test_nobody_on_the_panel_rates_what_is_learned_from() -> None:
    raters = {(expert.name, expert.seed) for expert in panel(RATERS, PANEL)}
    for seed in range(100):
        assert not raters & {(expert.name, expert.seed) for expert in panel(SimulatedSettings(seed=seed).experts, seed)}


def test_there_is_something_to_measure() -> None:
    with pytest.raises(ValueError, match="at least one dialogue"):
        measure(ScriptedSpeaker(), dialogues=0, seed=1)
