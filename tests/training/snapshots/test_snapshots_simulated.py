"""Simulated contexts and examples: deterministic, never held out, rated by the experts and by nobody else."""

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from statistics import fmean

import pytest

from agent.domain import Reply, TurnContext
from agent.language.blanks import blanks, fill
from agent.language.format import encode_reply
from agent.language.prompts import render_write
from agent.language.signals import sentences
from agent.simulation import HELD_OUT_PERSONAS, Quality, ScriptedBD, phrasebook
from agent.simulation.hearing import skeleton
from db.vocabulary import Speaker
from training.data.columns import PROVENANCE, Format, columns
from training.experts import judge, panel, witness
from training.snapshots import ContextRow, SimulatedRows, SimulatedSettings, context_id, evenly, simulated_rows, split_of
from training.snapshots import simulated as simulated_module
from training.snapshots.candidates import repeating, scripted
from training.snapshots.contexts import Simulation


@cache
def simulated(contexts: int, seed: int = 7) -> SimulatedRows:
    return simulated_rows(contexts, seed)


def test_that_the_same_seed_gives_the_same_rows_with_any_number_of_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulated_module, "_CHUNK", 2)
    settings = SimulatedSettings(contexts=16, seed=7, per_hotel=1, qualities=(Quality.FINE, Quality.WRONG))
    seen: list[int] = []
    pooled = simulated_rows(settings=settings, at_once=2, report=lambda event: seen.append(event.done))
    assert pooled == simulated_rows(settings=settings)
    assert seen == list(range(2, 17, 2)), "eight chunks, which are worth a pool"
    assert simulated(8, 7) != simulated(8, 8)


def test_that_the_first_contexts_of_a_larger_set_are_those_of_a_smaller_one() -> None:
    assert simulated(48).contexts[:8] == simulated(8).contexts


def test_that_later_rounds_meet_other_hotels_and_are_rated_by_the_same_experts() -> None:
    first, later = simulated(48), simulated_rows(settings=SimulatedSettings(contexts=48, seed=7, again=1))
    assert not {row.hotel for row in first.contexts} & {row.hotel for row in later.contexts}
    raters = [{row["rater"] for row in rows.preferences} - {None} for rows in (first, later)]
    assert raters[0] == raters[1] != set()


def test_that_a_share_of_the_dialogues_is_in_chinese_and_the_english_ones_stay_as_they_were() -> None:
    mixed = simulated_rows(settings=SimulatedSettings(contexts=48, seed=7, chinese=0.5))
    languages = {row.id: row.context.language for row in mixed.contexts}
    assert set(languages.values()) == {"en", "zh"}
    english = {row.id for row in simulated(48).contexts}
    assert all((context in english) == (language == "en") for context, language in languages.items())
    assert {row["language"] for row in mixed.preferences} == {"en", "zh"}
    for row in mixed.demonstrations:
        words = row["completion"][0]["content"]
        assert not any(map(str.isdigit, words)), "a figure is a blank in Chinese too"
        assert any("\u4e00" <= character <= "\u9fff" for character in words) == (row["language"] == "zh")


def test_that_there_are_as_many_contexts_as_were_asked_for_and_about_three_pairs_for_each() -> None:
    rows = simulated(48)
    assert len(rows.contexts) == len({row.id for row in rows.contexts}) == 48
    assert 2.5 * 48 < len(rows.preferences) < 4.5 * 48
    assert {row["source"] for row in rows.preferences} == {"comparison", "stars"}
    assert max(Counter(row.hotel for row in rows.contexts).values()) == 4


def test_that_nothing_held_out_is_seen() -> None:
    rows = simulated(48)
    personas = {row.simulation.profile.persona for row in rows.contexts if row.simulation is not None}
    assert personas
    assert not personas & HELD_OUT_PERSONAS
    kept = {skeleton(line.text) for line in phrasebook().bd if line.held_out}
    said = {json.loads(row[column][0]["content"])["text"] for row in rows.preferences for column in ("chosen", "rejected")}
    assert kept
    assert not kept & {skeleton(text) for text in said}


def test_that_every_row_says_where_it_came_from_and_finds_its_context() -> None:
    rows = simulated(48)
    contexts = {row.id: row for row in rows.contexts}
    for kind, examples in (
        (Format.PREFERENCE, rows.preferences),
        (Format.PROMPT_COMPLETION, rows.demonstrations),
        (Format.UNPAIRED_PREFERENCE, rows.stars),
    ):
        assert len({row["id"] for row in examples}) == len(examples) > 0
        for row in examples:
            assert set(row) == {*columns(kind), "split"}
            assert {*PROVENANCE} <= set(row)
            assert row["simulated_rater"]
            assert row["simulated_hotel"]
            context = contexts[str(context_id(row["prompt"]))]
            assert row["prompt"] == context.messages == render_write(context.context)
            assert (row["hotel"], row["split"]) == (context.hotel, split_of(context.hotel, 0.1))


def test_that_chosen_replies_are_truly_better_most_of_the_time_and_stars_apart_almost_always() -> None:
    rows = simulated(48)
    contexts = {row.id: row for row in rows.contexts}
    shares: dict[str, list[bool]] = {"comparison": [], "stars": []}
    for row in rows.preferences:
        context = contexts[str(context_id(row["prompt"]))]
        chosen, rejected = (_score(context, row[column]) for column in ("chosen", "rejected"))
        shares[row["source"]].append(chosen > rejected)
    assert 0.8 < sum(shares["comparison"]) / len(shares["comparison"]) < 1
    assert sum(shares["stars"]) / len(shares["stars"]) > 0.97


def test_that_a_new_reply_is_seen_as_the_experts_would_see_it() -> None:
    row = simulated(48).contexts[5]
    hotel = row.simulation
    assert hotel is not None
    replies = list(scripted(row.context, (Quality.EXCELLENT, Quality.CLUMSY), random.Random(1)))
    alone = [
        witness(row.context, reply.move, reply.text, profile=hotel.profile, mandates=hotel.mandates, seed=hotel.seed) for reply in replies
    ]
    assert list(row.truths(replies)) == alone == [row.truth(reply) for reply in replies]
    good, clumsy = (panel(1)[0].rate(truth).stars for truth in alone)
    assert good > clumsy


def test_that_a_policys_replies_are_rated_beside_the_scripted_ones() -> None:
    bd, asked = ScriptedBD(), list[TurnContext]()

    def policy(contexts: Sequence[TurnContext]) -> list[Reply]:
        asked.extend(contexts)
        rng = random.Random(len(asked))
        return [Reply(move=context.allowed[0], text=f"Dear friend, {bd.say(context, context.allowed[0], rng=rng)}") for context in contexts]

    settings = SimulatedSettings(contexts=12, seed=3, samples=2, comparisons=6, own=0)
    rows = simulated_rows(policy=policy, settings=settings)
    assert len(asked) == 24
    by = Counter(row["policy_version"] for row in rows.preferences)
    assert by["policy"] > 0
    assert by["scripted"] > 0
    assert rows.contexts == simulated_rows(12, 3).contexts
    own = [
        row for row in rows.preferences if "Dear friend" in row["chosen"][0]["content"] and "Dear friend" in row["rejected"][0]["content"]
    ]
    fewer = simulated_rows(policy=policy, settings=replace(settings, own_comparisons=0)).preferences
    assert len(own) > sum("Dear friend" in r["chosen"][0]["content"] and "Dear friend" in r["rejected"][0]["content"] for r in fewer)
    with pytest.raises(ValueError, match="0 replies to 24 contexts"):
        simulated_rows(policy=lambda contexts: [], settings=settings)


def test_that_a_policy_is_also_asked_and_rated_after_its_own_words() -> None:
    bd = ScriptedBD()
    pet = "We would like to look back on this as a talk between partners."

    def says_one_thing(contexts: Sequence[TurnContext]) -> list[Reply]:
        return [Reply(move=at.allowed[0], text=pet) for at in contexts]

    def holds(contexts: Sequence[TurnContext]) -> list[Reply]:
        said = [bd.say(at, at.allowed[0], rng=random.Random(len(at.history))) for at in contexts]
        return [Reply(move=at.allowed[0], text=f"{text} {pet}") for at, text in zip(contexts, said, strict=True)]

    settings = SimulatedSettings(contexts=20, seed=3, samples=1, own=0.5)
    rows = simulated_rows(policy=says_one_thing, holds=holds, settings=settings)
    ours = [row for row in rows.contexts if any(pet in said.text for said in row.context.history)]
    openings = [row for row in rows.contexts[10:] if not row.context.history]
    assert len(rows.contexts) == 20
    assert {row.id for row in ours} == {row.id for row in rows.contexts[10:]} - {row.id for row in openings}
    for row in ours:  # the hotel can be drawn again, for experts to rate what is said there later
        assert row.simulation is not None
        assert Simulation.of(row.simulation.seed, row.context) == row.simulation
    assert rows.contexts[:10] == simulated_rows(10, 3).contexts
    assert rows == simulated_rows(policy=says_one_thing, holds=holds, settings=settings)

    def liked(among: list[ContextRow]) -> float:
        truths = [row.truth(Reply(move=row.context.allowed[0], text=pet)) for row in among]
        return fmean(panel(1)[0].rate(truth).stars for truth in truths)

    assert liked(ours) < liked([row for row in rows.contexts if row not in ours])


def test_that_a_sentence_said_twice_is_shown_to_the_experts_who_mostly_mind_it() -> None:
    rows = simulated(48)
    tried = [(row, reply) for row in rows.contexts for reply in scripted(row.context, (Quality.EXCELLENT,), random.Random(1))]
    twice = [(row, reply, repeating(row.context, reply, random.Random(2))) for row, reply in tried]
    better = 0
    for row, reply, again in twice:
        assert again is not None
        assert again.move == reply.move
        assert len(again.text) > len(reply.text)
        before = [said.text for said in row.context.history if said.speaker is Speaker.BD]
        said = Counter(sentence.strip() for sentence in sentences(again.text)) - Counter(one.strip() for one in sentences(reply.text))
        (added,) = said.elements()
        assert any(added in text for text in (*before, reply.text))
        better += judge(row.truth(reply)).score > judge(row.truth(again)).score
    assert better > 0.6 * len(twice)
    assert "repeating" in {row["policy_version"] for row in rows.stars if not row["label"]}
    assert "repeating" not in {row["policy_version"] for row in rows.demonstrations}


def test_that_nothing_is_said_twice_where_every_sentence_names_a_figure() -> None:
    context = simulated(48).contexts[0].context
    bare = replace(context, history=())
    assert repeating(bare, Reply(move=bare.allowed[0], text="We have 120 in mind."), random.Random(1)) is None


def test_that_an_answer_which_is_no_reply_is_nobodys_to_rate() -> None:
    settings = SimulatedSettings(contexts=8, seed=3, samples=2, own=0)
    rows = simulated_rows(policy=lambda contexts: [None] * len(contexts), settings=settings)
    plain = simulated_rows(settings=settings)
    assert (rows.preferences, rows.stars) == (plain.preferences, plain.stars)


def test_that_no_demonstration_writes_out_a_figure() -> None:
    assert not any(character.isdigit() for row in simulated(48).demonstrations for character in row["completion"][0]["content"])


def test_that_limits_stand_in_no_row_and_no_text_of_a_context() -> None:
    for row in simulated(48).contexts:
        assert row.simulation is not None
        assert set(json.loads(row.row()["simulation"])) == {"seed"}
        assert "mandates" not in repr(row)
        assert "Mandate" not in repr(row)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("contexts", 0), ("raters", 6), ("validation_share", 1.5), ("comparisons", -1), ("own_comparisons", -1), ("own", 1.1), ("chinese", 2)],
)
def test_that_numbers_that_make_no_sense_are_refused(name: str, wrong: float) -> None:
    with pytest.raises(ValueError, match=r"at least|cannot be rated|is a share in"):
        replace(SimulatedSettings(), **{name: wrong})


def _score(row: ContextRow, completion: list[dict[str, str]]) -> float:
    said = json.loads(completion[0]["content"])
    move = next(move for move in row.context.allowed if move.key == said["move"])
    assert encode_reply(Reply(move=move, text=said["text"])) == completion[0]["content"]
    return judge(row.truth(Reply(move=move, text=fill(said["text"], blanks(row.context, move))))).score


def test_that_a_few_of_many_contexts_are_evenly_spread() -> None:
    rows = simulated(20).contexts
    assert [rows.index(row) for row in evenly(rows, 4)] == [len(rows) * part // 4 for part in range(4)]
    assert evenly(rows, len(rows) + 5) == list(rows)
    assert evenly([], 3) == evenly(rows, 0) == []
