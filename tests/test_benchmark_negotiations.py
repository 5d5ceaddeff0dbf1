"""The benchmark of held-out negotiations: what it holds for a leak, how alike replies are, and that the truth is retold from the turns."""

import io
import json
import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from uuid import uuid4

import pytest
from rich.console import Console

from agent.domain import Mandate, plain, selling_from_net
from agent.records import to_json
from agent.service import Negotiations, connect
from agent.settings import AgentSettings
from agent.simulation import HELD_OUT_PERSONAS, Conversation, converse
from agent.sop import Terms
from benchmarks.negotiation_figures import (
    NO_WORDS,
    Room,
    Said,
    Talk,
    above,
    amounts_in,
    conduct,
    distinct,
    leaks,
    likeness,
    mean_over,
    p_above,
    rated,
    repeats,
    self_bleu,
    share_of,
    tokens,
)
from benchmarks.negotiation_report import BASE, PHRASEBOOK, goals_of, measure, table_of, write_sample
from benchmarks.negotiations import UnknownArm, held_out_jobs, load, play, scripted
from db.models import Turn
from db.vocabulary import DraftOrigin, Speaker, Stage
from training.dialogues.retelling import CannotRetell, retell
from training.experts import panel, witnessed

SEED = 5


@pytest.fixture(scope="module")
def conversation() -> Conversation:
    return converse(SEED, today=date(2027, 1, 4), tickets=2, persona="sceptic")


def turns_of(conversation: Conversation) -> list[Turn]:
    """The conversation as the service would have stored it."""
    own = uuid4()
    turns: list[Turn] = []
    for exchange in conversation.exchanges:
        said = Turn(conversation_id=own, number=len(turns) + 1, speaker=Speaker.BD, text=exchange.reply.text, stage_before=Stage.OPENING)
        said.move = to_json(exchange.reply.move)
        turns.append(said)
        if exchange.answer is not None:
            heard = Turn(conversation_id=own, number=len(turns) + 1, speaker=Speaker.HOTEL, text=exchange.answer.text,
                         stage_before=Stage.OPENING)  # fmt: skip
            heard.hotel_move = to_json(exchange.answer.truth)
            turns.append(heard)
    return turns


def talk_of(conversation: Conversation, *, number: int = 1, origin: DraftOrigin = DraftOrigin.POLICY) -> Talk:
    said = [Said(number=2 * at + 1, origin=origin, truth=truth) for at, truth in enumerate(witnessed(conversation))]
    rooms = [
        Room(label=facts.label, agreed=ticket.agreed, ceiling=mandate.ceiling, meant=ticket.agreed,
             reservation=conversation.profile.stance(facts.label).reservation)
        for (facts, mandate), ticket in zip(conversation.tickets, conversation.state.tickets, strict=True)
    ]  # fmt: skip
    return Talk(number=number, seed=SEED, ended=True, turns=2 * len(said) - 1, said=tuple(said), rooms=tuple(rooms),
                first_drafts=(frozenset(),) * len(said))  # fmt: skip


# --- what was said --------------------------------------------------------------------------------------------------------------------


def test_the_truth_is_retold_from_the_turns(conversation: Conversation) -> None:
    facts = tuple(fact for fact, _ in conversation.tickets)
    terms = {fact.label: Terms(facts=fact, mandate=mandate) for fact, mandate in conversation.tickets}
    told = retell(facts, terms, conversation.profile, turns_of(conversation), seed=SEED)

    assert [replace(truth, context=replace(truth.context, today=date(2027, 1, 4))) for truth in told] == list(witnessed(conversation))


def test_of_a_conversation_without_a_word_there_is_nothing_to_tell(conversation: Conversation) -> None:
    terms = {fact.label: Terms(facts=fact, mandate=mandate) for fact, mandate in conversation.tickets}
    assert retell(tuple(fact for fact, _ in conversation.tickets), terms, conversation.profile, [], seed=SEED) == []


@pytest.mark.parametrize("number", [2, 3], ids=["the hotel says something else", "our words were others"])
def test_a_conversation_that_comes_out_otherwise_is_not_measured(conversation: Conversation, number: int) -> None:
    facts = tuple(fact for fact, _ in conversation.tickets)
    terms = {fact.label: Terms(facts=fact, mandate=mandate) for fact, mandate in conversation.tickets}
    turns = turns_of(conversation)
    turns[number - 1].text = "Who decides on your prices, and what have you got against 17 net?"
    with pytest.raises(CannotRetell, match=r"now|open there"):
        retell(facts, terms, conversation.profile, turns, seed=SEED)


def test_every_arm_meets_the_same_hotels_that_training_never_saw() -> None:
    ours, theirs = held_out_jobs("policy-v1", n=30, seed=1), held_out_jobs(BASE, n=30, seed=1)

    assert {job.persona for job in ours} == set(HELD_OUT_PERSONAS)
    assert not {job.key for job in ours} & {job.key for job in theirs}
    for own, other in zip(ours, theirs, strict=True):
        assert own.persona == other.persona
        assert len({form.room_type for form in own.forms}) == len(own.forms)
        for mine, its in zip(own.forms, other.forms, strict=True):
            assert mine.reference != its.reference
            assert mine.model_copy(update={"reference": ""}) == its.model_copy(update={"reference": ""})
    assert len({form.reference for job in (*ours, *theirs) for form in job.forms}) == sum(len(job.forms) for job in (*ours, *theirs))


# --- leaks ----------------------------------------------------------------------------------------------------------------------------


def test_a_limit_that_nobody_named_is_a_leak_in_digits_in_words_and_as_a_selling_price(conversation: Conversation) -> None:
    first = talk_of(conversation).said[0].truth
    mandate = Mandate(target=Decimal("1222.37"), ceiling=Decimal(1234), opening_ask=Decimal("1201.11"))
    limits = {1: mandate}
    selling = selling_from_net(mandate.ceiling, first.context.fact(1).commission)

    assert leaks(first.context, "Our limit is 1,234 net.", limits) == ["ceiling of #1"]
    assert leaks(first.context, "We could go to one thousand two hundred thirty-four.", limits) == ["ceiling of #1"]
    assert leaks(first.context, f"Guests would pay {selling}.", limits) == ["ceiling of #1 as a selling price"]
    assert leaks(first.context, "Our limit is 1235 net.", limits) == []


def test_a_limit_is_no_leak_once_it_is_public(conversation: Conversation) -> None:
    asked = 0
    for said in talk_of(conversation).said:
        context, move = said.truth.context, said.truth.move
        assert leaks(context, said.truth.text, said.truth.mandates) == []
        if move.price is not None and move.label is not None:
            limits = {move.label: Mandate(target=move.price, ceiling=move.price, opening_ask=move.price)}
            assert leaks(context, f"{plain(move.price)} net would help.", limits) == []
            asked += 1
    assert asked > 2


def test_every_number_of_a_text_is_seen() -> None:
    assert amounts_in("From 5 May: 1,250.50 or four hundred.") >= {Decimal(5), Decimal("1250.50"), Decimal(400)}


# --- how alike ------------------------------------------------------------------------------------------------------------------------


def test_a_repeat_is_one_whatever_its_case_and_spaces() -> None:
    assert repeats(["Thank you.", "thank  you.", "Thank you!", "THANK YOU."]) == ["thank  you.", "THANK YOU."]


def test_distinct_counts_different_pairs_among_all() -> None:
    assert distinct(["a b a b"], 2) == pytest.approx(2 / 3)
    assert distinct(["one", "two"], 2) == 0.0


def bleu(own: Sequence[str], others: Sequence[Sequence[str]]) -> float:
    """BLEU-4 by its definition, one pair of texts after another."""

    def grams(words: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
        return Counter(tuple(words[at : at + order]) for at in range(len(words) - order + 1))

    precisions: list[Fraction] = []
    for order in (1, 2, 3, 4):
        counts = grams(own, order)
        clipped = sum(min(count, max(grams(other, order)[gram] for other in others)) for gram, count in counts.items())
        if order == 1 and not clipped:
            return 0.0
        precisions.append((Fraction(clipped) or Fraction(1, 10)) / max(counts.total(), 1))
    nearest = min((len(other) for other in others), key=lambda length: (abs(length - len(own)), length))
    brevity = 1.0 if len(own) > nearest else math.exp(1 - nearest / len(own))
    return brevity * math.prod(float(precision) ** 0.25 for precision in precisions)


def test_self_bleu_is_the_mean_of_what_its_definition_gives() -> None:
    rng = random.Random(2)
    words = ("we", "ask", "for", "a", "lower", "price", "please", ".", "?")
    texts = [" ".join(rng.choices(words, k=rng.randint(1, 14))) for _ in range(40)]
    read = [tokens(text) for text in texts]
    expected = [bleu(own, read[:at] + read[at + 1 :]) for at, own in enumerate(read)]

    assert self_bleu(texts) == pytest.approx(sum(expected) / len(expected))


def test_self_bleu_of_sameness_and_of_strangers() -> None:
    assert self_bleu(["could you look at the price again"] * 3) == pytest.approx(1.0)
    assert self_bleu(["could you look again", "prices went down everywhere", "thanks for everything"]) == 0.0
    with pytest.raises(ValueError, match="two or more"):
        self_bleu(["alone"])


# --- how sure -------------------------------------------------------------------------------------------------------------------------


def test_an_interval_over_conversations_is_wider_than_one_over_turns() -> None:
    rng = random.Random(3)
    levels = [rng.gauss(3, 1) for _ in range(40)]
    talks = [[rng.gauss(level, 0.2) for _ in range(10)] for level in levels]
    clustered, single = mean_over(talks), mean_over([[value] for talk in talks for value in talk])

    assert clustered.value == pytest.approx(single.value)
    assert clustered.high - clustered.low > 2 * (single.high - single.low)
    assert clustered.low < clustered.value < clustered.high
    with pytest.raises(ValueError, match="at least one"):
        mean_over([[]])


def test_a_share_of_nothing_is_unknown() -> None:
    assert (share_of(0, 0).low, share_of(0, 0).high) == (0.0, 1.0)
    assert 0 < share_of(0, 500).high < 0.01


def test_the_test_of_pairs_sees_a_difference_and_none_where_there_is_none() -> None:
    rng = random.Random(4)
    none = [rng.gauss(0, 1) for _ in range(60)]
    some = [value + 0.6 for value in none]

    assert p_above(some) < 0.001
    assert p_above([-value for value in some]) > 0.99
    assert p_above([0.0, 0.0]) == 1.0
    assert p_above([1.0, 1.0, 1.0]) == pytest.approx(1 / 8, abs=0.01)


# --- all of it ------------------------------------------------------------------------------------------------------------------------


def test_what_went_wrong_is_counted(conversation: Conversation) -> None:
    talk = talk_of(conversation)
    good = talk.rooms[0]
    bad = replace(good, agreed=good.ceiling + 1, meant=good.ceiling * Decimal("0.99"))
    drafts = (frozenset({"pressure", "length"}), frozenset({NO_WORDS}), *talk.first_drafts[2:])
    template = replace(talk.said[1], origin=DraftOrigin.TEMPLATE)
    again = replace(talk.said[2], truth=replace(talk.said[2].truth, text=talk.said[0].truth.text))
    spoiled = replace(talk, rooms=(good, bad), first_drafts=drafts, said=(talk.said[0], template, again, *talk.said[3:]), ended=False)
    figures = conduct([spoiled], negotiations=2)

    assert (figures.negotiations, figures.ended, figures.rooms) == (2, 0, 2)
    assert figures.objections == {"pressure": 1, "length": 1, NO_WORDS: 1}
    assert figures.first_passed.value == pytest.approx(1 - 2 / len(drafts))
    assert figures.passed_by_rooms == {2: figures.first_passed}
    assert (figures.templates, len(figures.repeated), figures.above_ceiling, figures.unmeant) == (1, 1, 1, 1)
    assert figures.turns is None


def test_experts_prefer_excellent_replies_to_clumsy_ones_at_the_same_hotels() -> None:
    talks = {
        quality: [talk_of(converse(seed, today=date(2027, 1, 4), quality=quality), number=seed) for seed in range(8)]
        for quality in ("excellent", "clumsy")
    }
    upper, lower = (rated(talks[quality], panel(3, seed=1)) for quality in ("excellent", "clumsy"))
    gain, p = above(upper, lower)

    assert gain > 1
    assert p < 0.01
    assert sum(upper.shares.values()) == pytest.approx(1)
    assert upper.stars.low < upper.stars.value < upper.stars.high
    counts = {count for count, _, _ in likeness(talks, seed=1).values()}
    assert counts == {min(upper.replies, lower.replies)}


def test_the_sample_hides_its_sources_and_uses_a_place_once(tmp_path: Path) -> None:
    held = [talk_of(converse(seed, today=date(2027, 1, 4)), number=seed) for seed in range(4)]
    held.append(talk_of(converse(9, today=date(2027, 1, 4)), number=9, origin=DraftOrigin.TEMPLATE))
    talks = {"policy-v1": held, BASE: held, PHRASEBOOK: scripted(held, seed=1)}
    file = tmp_path / "sample.md"
    count = write_sample(file, talks, seed=1)
    key = json.loads((tmp_path / "sample.md.key.json").read_text())
    text = file.read_text()

    assert len(key) == count == text.count("\n> ") == text.count("Our move: ")
    assert not any(source in text for source in talks)
    assert 9 not in {one["negotiation"] for one in key}
    places = [("policy-v1" if one["source"] == PHRASEBOOK else one["source"], one["negotiation"], one["turn"]) for one in key]
    assert len(places) == len(set(places))


@pytest.fixture
def negotiations(database_url: str, model_server: str) -> Iterator[Negotiations]:
    settings = AgentSettings(model_url=model_server, busy_wait_s=60, _env_file=None)  # pyright: ignore[reportCallIssue]
    with connect(database_url, settings=settings) as service:
        yield service


@pytest.mark.soak
@pytest.mark.model
def test_a_small_run_is_measured_from_the_database(negotiations: Negotiations) -> None:
    console = Console(file=io.StringIO(), width=150)
    jobs = {arm: held_out_jobs(arm, n=2, seed=3) for arm in ("policy-v1", BASE)}
    for _ in range(2):  # the second time everything is there
        for arm, own in jobs.items():
            assert not play(negotiations, arm, own, seed=3, at_once=2, console=console)
    with pytest.raises(UnknownArm, match="policy-v1"):
        play(negotiations, "policy-v0", (), seed=3, at_once=1, console=console)
    with negotiations.transaction() as session:
        talks: dict[str, Sequence[Talk]] = {arm: load(session, arm, own) for arm, own in jobs.items()}
        with pytest.raises(CannotRetell, match="was held by"):
            load(session, BASE, jobs["policy-v1"])
    assert all(talk.ended and len(talk.first_drafts) == len(talk.said) for held in talks.values() for talk in held)
    measured = measure(talks | {PHRASEBOOK: scripted(talks["policy-v1"], seed=3)}, n=2, seed=3)

    assert [figures.ended for figures in measured.conducts.values()] == [2, 2]
    assert [figures.leaks for figures in measured.conducts.values()] == [(), ()]
    assert [figures.above_ceiling for figures in measured.conducts.values()] == [0, 0]
    assert measured.ratings[PHRASEBOOK].stars.value > measured.ratings[BASE].stars.value
    assert len(table_of(measured).columns) == 4
    assert goals_of(measured).row_count == 9
