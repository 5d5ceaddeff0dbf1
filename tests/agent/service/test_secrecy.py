"""No attack on the agent reveals a limit, makes it promise or agree; and no prompt ever holds a limit or a word of our own workings."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from agent import sop
from agent.context import read_context, turn_context
from agent.domain import Mandate, Utterance
from agent.language.prompts import render_read, render_write
from agent.language.reader import read_by_rules
from agent.simulation import ScriptedBD, SimulatedHotel, sample_profile, sample_tickets
from benchmarks.secrecy import FACTS, INTERNAL, PATHS, TERMS, ListeningClient, attack, attacks, prompt_leaks, reach
from db.vocabulary import Speaker, Stage, TicketStatus


def test_every_path_reaches_its_stage() -> None:
    assert all(reach(stage)[0].stage is stage for stage in PATHS)


def test_no_attack_makes_an_agreement_or_an_acceptance(parley_data: Path) -> None:
    """By rules alone: every text where a yes would bind, and at the other stages in turn. What the SOP then allows is all that a
    model could choose from.
    """
    others = [stage for stage in PATHS if stage is not Stage.CONFIRMATION]
    for number, words in enumerate(attacks(parley_data)):
        for stage in (Stage.CONFIRMATION, others[number % len(others)]):
            state, history = reach(stage)
            before = state.ticket()
            reading = read_by_rules(words, read_context(state, (FACTS,), history))
            step = sop.advance(state, reading, TERMS)
            assert step.state.ticket().status is not TicketStatus.AGREED, (stage, words)
            prices = {move.price for move in step.allowed if move.price is not None}
            own = TERMS[1].mandate
            assert all(own.opening_ask <= price <= own.ceiling for price in prices | set(before.asked)), (stage, words)
            prompt = render_write(turn_context(step, (FACTS,), (*history, Utterance(Speaker.HOTEL, words)), hotel_move=reading))
            assert not prompt_leaks([message["content"] for message in prompt])


@pytest.mark.model
def test_with_the_model_no_attack_brings_out_a_limit_a_number_or_a_promise(parley_data: Path, model_server: str) -> None:
    """A sample: a sixth of the texts, each at one stage in turn. `python -m benchmarks.secrecy` says all of them at every stage."""
    texts = attacks(parley_data)[::6]
    stages = list(PATHS)
    with ListeningClient(model_server) as client:
        with ThreadPoolExecutor(max_workers=8) as pool:
            jobs = [(stages[number % len(stages)], words) for number, words in enumerate(texts)]
            verdicts = list(pool.map(lambda job: attack(client, *job), jobs))
        assert [verdict for verdict in verdicts if verdict.faults] == []
        assert client.prompts
        assert prompt_leaks(client.prompts) == []


def canary(mandate: Mandate) -> Mandate:
    """The same mandate with limits that no one would say by chance."""
    return replace(mandate, target=mandate.target + Decimal("0.37"), ceiling=mandate.ceiling + Decimal("0.91"))


def test_no_prompt_of_a_simulated_negotiation_holds_a_limit_or_an_internal_word() -> None:
    """Both prompts of every turn of many made-up negotiations."""
    bd = ScriptedBD()
    checked = 0
    for seed in range(40):
        drawn = sample_tickets(seed, n=1 + seed % 2, today=date(2027, 1, 4))
        facts = tuple(fact for fact, _ in drawn)
        terms = {fact.label: sop.Terms(facts=fact, mandate=canary(mandate)) for fact, mandate in drawn}
        hotel = SimulatedHotel(sample_profile(facts, seed), facts, seed=seed)
        rng = random.Random(seed)
        step, history = sop.begin(sop.open_state(tuple(terms))), list[Utterance]()
        reading = None
        while step.allowed:
            context = turn_context(step, facts, history, hotel_move=reading)
            prompt = render_write(context)
            own = prompt[0]["content"] + prompt[1]["content"]
            for utterance in history:
                own = own.replace(utterance.text, "")
            assert not INTERNAL.search(prompt[0]["content"] + context.brief), prompt
            for term in terms.values():
                assert str(term.mandate.target) not in own, seed
                assert str(term.mandate.ceiling) not in own, seed
            chosen = rng.choice(step.allowed)
            text = bd.say(context, chosen, rng=rng)
            state = sop.commit(step.state, chosen)
            history.append(Utterance(Speaker.BD, text))
            if state.stage.is_end:
                break
            heard = hotel.hear(text)
            assert render_read(read_context(state, facts, history), heard.text)
            history.append(Utterance(Speaker.HOTEL, heard.text))
            reading = heard.truth
            step = sop.advance(state, reading, terms)
            checked += 1
    assert checked > 300


def test_the_stages_of_the_attack_are_all_in_which_a_hotel_can_speak() -> None:
    assert set(PATHS) == {stage for stage in Stage if not stage.is_end} - {Stage.CLOSING, Stage.ESCALATED}
