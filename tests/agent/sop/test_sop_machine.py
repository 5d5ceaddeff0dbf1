"""The SOP, walked: every reachable state against every kind of hotel move, held to the stage table and to the secret."""

import importlib
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.domain import AllowedMove, HotelMove, HotelOffer, Mandate, TicketFacts, selling_from_net
from agent.sop import (
    STAGES,
    NegotiationState,
    Step,
    Terms,
    advance,
    ask_at,
    begin,
    commit,
    dump_state,
    load_state,
    open_state,
)
from db.vocabulary import ClarifyTopic, ConcessionTactic, HotelMoveKind, Mood, MoveKind, PriceBasis, Stage, TicketStatus


def facts(label: int = 1) -> TicketFacts:
    return TicketFacts(
        label=label,
        hotel_name="Hotel Aurora",
        room_type=f"Room {label}",
        check_in=date(2027, 3, 1),
        check_out=date(2027, 3, 4),
        currency="EUR",
        current_net=Decimal(500),
        commission=Decimal("0.15"),
    )


def mandate(tactic: ConcessionTactic = ConcessionTactic.LINEAR, *, max_rounds: int = 3) -> Mandate:
    return Mandate(opening_ask=Decimal(400), target=Decimal(430), ceiling=Decimal(450), tactic=tactic, exponent=2.0, max_rounds=max_rounds)


def terms(labels: tuple[int, ...] = (1,), *, max_rounds: int = 3) -> dict[int, Terms]:
    return {label: Terms(facts=facts(label), mandate=mandate(max_rounds=max_rounds)) for label in labels}


def offer(net: int, *, basis: PriceBasis = PriceBasis.NET, label: int | None = None) -> HotelMove:
    return HotelMove(kind=HotelMoveKind.OFFER, offers=(HotelOffer(amount=Decimal(net), basis=basis, label=label),))


YES = HotelMove(kind=HotelMoveKind.AGREE, says_yes=True)
NO = HotelMove(kind=HotelMoveKind.REFUSE)
SILENCE = HotelMove(kind=HotelMoveKind.SILENCE)
STALL = HotelMove(kind=HotelMoveKind.STALL)
GREETING = HotelMove(kind=HotelMoveKind.GREETING)


def said(step: Step, kind: MoveKind) -> NegotiationState:
    return commit(step.state, next(move for move in step.allowed if move.kind is kind))


def asked(price_terms: dict[int, Terms]) -> NegotiationState:
    """A conversation in which we have greeted, probed and asked for the first price."""
    state = said(begin(open_state(tuple(price_terms))), MoveKind.GREET)
    state = said(advance(state, GREETING, price_terms), MoveKind.PROBE)
    return said(advance(state, HotelMove(kind=HotelMoveKind.INFORM), price_terms), MoveKind.ASK)


def every_hotel_move() -> Iterator[HotelMove]:
    """All kinds, moods, yes or no, unclear points, and amounts on every side of the secret."""
    for kind in HotelMoveKind:
        yield HotelMove(kind=kind)
    yield YES
    yield HotelMove(kind=HotelMoveKind.REFUSE, mood=Mood.ANGRY)
    for amount in (1, 430, 440, 451):
        yield offer(amount)
    for basis in (PriceBasis.SELLING, PriceBasis.UNKNOWN):
        yield offer(520, basis=basis)
    yield offer(440, label=2)
    yield offer(470, label=1)
    yield HotelMove(kind=HotelMoveKind.AGREE, says_yes=True, offers=(HotelOffer(amount=Decimal(445), basis=PriceBasis.NET),))
    yield HotelMove(kind=HotelMoveKind.INFORM, stated_basis=PriceBasis.NET)
    yield HotelMove(kind=HotelMoveKind.INFORM, stated_basis=PriceBasis.SELLING)
    for topic in (ClarifyTopic.AMOUNT, ClarifyTopic.CONDITION):
        yield HotelMove(kind=HotelMoveKind.OFFER, unclear=(topic,))


# The only points that the machine remembers having asked.
ASKED_ONCE = {ClarifyTopic.CONDITION}


def shape(state: NegotiationState) -> NegotiationState:
    """What the machine can tell apart; the list of amounts said so far is only remembered, so the walk need not split on it."""
    tickets = tuple(
        replace(t, asked=t.asked[-1:], named=(), open_points=(*sorted(set(t.open_points) & ASKED_ONCE),)) for t in state.tickets
    )
    # Turns matter only near the limit, waits and refusals only up to theirs.
    return replace(state, tickets=tickets, turns=0 if state.turns < state.most_turns - 3 else state.turns, waits=min(state.waits, 5))


@pytest.fixture
def low_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same machine with low counters, so that its whole state space can be walked."""
    module = importlib.import_module("agent.sop.advance")
    for name in ("MOST_REFUSALS", "MOST_WAITS", "MOST_CALMS", "MOST_CLARIFICATIONS", "MOST_CONFIRMATIONS"):
        monkeypatch.setattr(module, name, 1)


def walk(labels: tuple[int, ...], *, most_states: int) -> tuple[set[tuple[Stage, HotelMoveKind]], bool]:
    """Breadth first from the greeting; returns the (stage, move) pairs met and whether every reachable state was visited."""
    price_terms = terms(labels, max_rounds=2)
    moves = list(every_hotel_move())
    start = begin(open_state(labels))
    queue: deque[NegotiationState] = deque(commit(start.state, move) for move in start.allowed)
    seen: set[NegotiationState] = set()
    pairs: set[tuple[Stage, HotelMoveKind]] = set()
    while queue and len(seen) < most_states:
        state = queue.popleft()
        if shape(state) in seen:
            continue
        seen.add(shape(state))
        for hotel_move in moves:
            step = advance(state, hotel_move, price_terms)
            pairs.add((state.stage, hotel_move.kind))
            if state.stage.is_end:
                assert step.state == state
                assert step.allowed == ()
                continue
            assert step.state.stage in STAGES[state.stage].exits, (state.stage, hotel_move, step.state.stage)
            assert step.allowed, f"dead end in {step.state.stage} after {hotel_move}"
            assert len({move.key for move in step.allowed}) == len(step.allowed)
            for move in step.allowed:
                assert move.kind in STAGES[step.state.stage].moves, (step.state.stage, move)
                after = commit(step.state, move)
                check_prices(step.state, move, after, price_terms)
                if shape(after) not in seen:
                    queue.append(after)
    return pairs, not queue


@pytest.mark.usefixtures("low_limits")
def test_every_reachable_state_answers_every_move_within_the_table() -> None:
    pairs, complete = walk((1,), most_states=100_000)
    assert complete
    # CLOSING and ESCALATED are left with the very words that enter them, so no hotel ever answers in them.
    spoken_in = set(Stage) - {Stage.CLOSING, Stage.ESCALATED}
    assert pairs == {(stage, kind) for stage in spoken_in for kind in HotelMoveKind}


def test_the_machine_with_its_real_limits_and_several_tickets_keeps_to_the_table() -> None:
    pairs, _ = walk((1, 2), most_states=1_500)
    assert len(pairs) > 100


def check_prices(state: NegotiationState, move: AllowedMove, after: NegotiationState, price_terms: dict[int, Terms]) -> None:
    for ticket in after.tickets:
        own = price_terms[ticket.label].mandate
        assert all(own.opening_ask <= ask <= own.ceiling for ask in ticket.asked)
        assert list(ticket.asked) == sorted(ticket.asked), "an ask went back"
        assert ticket.agreed is None or ticket.agreed <= own.ceiling
        assert (ticket.status is TicketStatus.AGREED) == (ticket.agreed is not None)
    if move.kind in (MoveKind.ACCEPT, MoveKind.CONFIRM):
        assert move.price is not None
        assert move.label is not None
        assert move.price <= price_terms[move.label].mandate.ceiling
    if after.stage.is_end:
        assert not after.open_labels, "a ticket was forgotten"
    assert state.focus in {ticket.label for ticket in state.tickets}


hotel_moves = st.sampled_from(list(every_hotel_move()))


@settings(max_examples=300)
@given(moves=st.lists(hotel_moves, min_size=1, max_size=60), choices=st.lists(st.integers(0, 3), min_size=60, max_size=60))
def test_any_hotel_is_brought_to_an_end(moves: list[HotelMove], choices: list[int]) -> None:
    price_terms = terms((1, 2))
    step = begin(open_state((1, 2)))
    state = commit(step.state, step.allowed[0])
    for turn in range(60):
        step = advance(state, moves[turn % len(moves)], price_terms)
        if not step.allowed:
            break
        state = commit(step.state, step.allowed[choices[turn] % len(step.allowed)])
        assert load_state(dump_state(state)) == state
    assert state.stage.is_end
    assert not state.open_labels


@settings(max_examples=200)
@given(moves=st.lists(st.sampled_from([SILENCE, STALL]), min_size=1, max_size=30))
def test_silence_never_agrees(moves: list[HotelMove]) -> None:
    price_terms = terms()
    for start in (asked(price_terms), said(advance(asked(price_terms), offer(420), price_terms), MoveKind.ACCEPT)):
        state = start
        for move in moves:
            step = advance(state, move, price_terms)
            assert all(allowed.kind not in (MoveKind.ACCEPT, MoveKind.CONFIRM) for allowed in step.allowed)
            if not step.allowed:
                break
            state = commit(step.state, step.allowed[0])
        assert all(ticket.agreed is None for ticket in state.tickets)


def test_an_offer_at_the_target_is_accepted_at_once() -> None:
    step = advance(asked(terms()), offer(430), terms())
    assert step.state.stage is Stage.CONFIRMATION
    assert [(move.kind, move.price) for move in step.allowed] == [(MoveKind.ACCEPT, Decimal(430))]


def test_between_target_and_ceiling_we_push_once_and_then_accept() -> None:
    price_terms = terms()
    step = advance(asked(price_terms), offer(445), price_terms)
    assert [move.kind for move in step.allowed] == [MoveKind.ASK]
    state = said(step, MoveKind.ASK)
    step = advance(state, NO, price_terms)
    assert [(move.kind, move.price) for move in step.allowed] == [(MoveKind.ACCEPT, Decimal(445))]


def test_above_the_ceiling_nothing_is_accepted_and_three_refusals_end_it() -> None:
    price_terms = terms(max_rounds=9)
    state = asked(price_terms)
    for _ in range(2):
        step = advance(state, offer(470), price_terms)
        assert MoveKind.ACCEPT not in {move.kind for move in step.allowed}
        step = advance(said(step, MoveKind.ASK), NO, price_terms)
        state = said(step, MoveKind.ASK)
    step = advance(state, NO, price_terms)
    assert step.state.stage is Stage.CLOSING
    assert said(step, MoveKind.CLOSE).stage is Stage.DECLINED


def test_a_yes_counts_only_after_the_terms_were_repeated() -> None:
    price_terms = terms()
    step = advance(asked(price_terms), YES, price_terms)
    assert [(move.kind, move.price) for move in step.allowed] == [(MoveKind.CONFIRM, Decimal(400))]
    assert step.state.ticket().status is TicketStatus.OPEN
    step = advance(said(step, MoveKind.CONFIRM), YES, price_terms)
    assert step.state.ticket().agreed == Decimal(400)
    assert said(step, MoveKind.CLOSE).stage is Stage.AGREED


def test_a_yes_with_another_number_is_an_offer() -> None:
    price_terms = terms()
    move = HotelMove(kind=HotelMoveKind.AGREE, says_yes=True, offers=(HotelOffer(amount=Decimal(460), basis=PriceBasis.NET),))
    step = advance(asked(price_terms), move, price_terms)
    assert step.state.ticket().agreed is None
    assert step.state.stage is Stage.PERSUASION


def test_a_price_raised_after_our_acceptance_takes_the_yes_off_the_table() -> None:
    price_terms = terms()
    state = said(advance(asked(price_terms), offer(430), price_terms), MoveKind.ACCEPT)
    step = advance(state, offer(480), price_terms)
    assert step.state.ticket().pending is None
    assert {move.kind for move in step.allowed} == {MoveKind.ASK, MoveKind.HOLD}


def test_net_or_selling_is_asked_before_anything_else_and_the_answer_places_the_amount() -> None:
    price_terms = terms()
    step = advance(asked(price_terms), offer(500, basis=PriceBasis.UNKNOWN), price_terms)
    assert [move.key for move in step.allowed] == ["clarify:net_or_selling"]
    answer = HotelMove(kind=HotelMoveKind.INFORM, stated_basis=PriceBasis.SELLING)
    step = advance(commit(step.state, step.allowed[0]), answer, price_terms)
    assert step.state.ticket().standing_offer == Decimal("425.00")
    assert [move.kind for move in step.allowed] == [MoveKind.ACCEPT]


def test_a_selling_price_is_compared_as_net() -> None:
    price_terms = terms()
    selling = selling_from_net(Decimal(430), Decimal("0.15"))
    move = HotelMove(kind=HotelMoveKind.OFFER, offers=(HotelOffer(amount=selling, basis=PriceBasis.SELLING),))
    step = advance(asked(price_terms), move, price_terms)
    assert [(allowed.kind, allowed.price) for allowed in step.allowed] == [(MoveKind.ACCEPT, Decimal("430.00"))]


@pytest.mark.parametrize(("echo", "net"), [("400", "400"), ("470.59", "400.00")])
def test_an_amount_that_repeats_ours_needs_no_question(echo: str, net: str) -> None:
    price_terms = terms()
    move = HotelMove(kind=HotelMoveKind.OFFER, offers=(HotelOffer(amount=Decimal(echo), basis=PriceBasis.UNKNOWN),))
    step = advance(asked(price_terms), move, price_terms)
    assert [(allowed.kind, allowed.price) for allowed in step.allowed] == [(MoveKind.ACCEPT, Decimal(net))]


def test_an_implausibly_low_offer_is_asked_about_and_not_taken() -> None:
    step = advance(asked(terms()), offer(4), terms())
    assert [move.key for move in step.allowed] == ["clarify:amount"]


def test_no_ticket_is_forgotten_after_the_first_agreement() -> None:
    price_terms = terms((1, 2))
    state = said(advance(asked(price_terms), offer(430), price_terms), MoveKind.ACCEPT)
    step = advance(state, YES, price_terms)
    assert step.state.focus == 2
    assert [(move.kind, move.label) for move in step.allowed] == [(MoveKind.ASK, 2)]


def test_an_upset_hotel_is_calmed_first_and_only_then_asked() -> None:
    price_terms = terms()
    angry = HotelMove(kind=HotelMoveKind.OFFER, mood=Mood.ANGRY, offers=(HotelOffer(amount=Decimal(470), basis=PriceBasis.NET),))
    step = advance(asked(price_terms), angry, price_terms)
    assert [move.kind for move in step.allowed] == [MoveKind.CALM]
    step = advance(said(step, MoveKind.CALM), GREETING, price_terms)
    assert MoveKind.ASK in {move.kind for move in step.allowed}


@pytest.mark.parametrize(
    ("kind", "first", "end"),
    [
        (HotelMoveKind.LEGAL, MoveKind.ESCALATE, Stage.HANDED_OVER),
        (HotelMoveKind.STOP, MoveKind.CLOSE, Stage.DECLINED),
    ],
)
def test_the_law_and_a_request_to_stop_end_the_talk(kind: HotelMoveKind, first: MoveKind, end: Stage) -> None:
    step = advance(asked(terms()), HotelMove(kind=kind), terms())
    assert said(step, first).stage is end


def test_the_wrong_person_is_asked_who_decides_and_then_let_go() -> None:
    wrong = HotelMove(kind=HotelMoveKind.WRONG_PERSON)
    state = said(begin(open_state((1,))), MoveKind.GREET)
    step = advance(state, wrong, terms())
    step = advance(said(step, MoveKind.REDIRECT), wrong, terms())
    assert said(step, MoveKind.CLOSE).stage is Stage.HANDED_OVER


@given(
    tactic=st.sampled_from(list(ConcessionTactic)),
    opening=st.decimals("0.5", "99999", places=2),
    spread=st.decimals("0", "1", places=3),
    exponent=st.floats(0.2, 8),
    rounds=st.integers(1, 12),
)
def test_asks_rise_from_the_opening_and_never_pass_the_ceiling(
    tactic: ConcessionTactic, opening: Decimal, spread: Decimal, exponent: float, rounds: int
) -> None:
    ceiling = opening * (1 + spread)
    own = Mandate(opening_ask=opening, target=ceiling, ceiling=ceiling, tactic=tactic, exponent=exponent, max_rounds=rounds)
    asks = [ask_at(own, round_) for round_ in range(rounds + 3)]
    assert asks[0] == opening
    assert asks == sorted(asks)
    assert all(opening <= ask <= ceiling for ask in asks)


def test_boulware_yields_later_than_linear_and_conceder_earlier() -> None:
    middle = {tactic: ask_at(mandate(tactic, max_rounds=5), 2) for tactic in ConcessionTactic}
    assert middle[ConcessionTactic.BOULWARE] < middle[ConcessionTactic.LINEAR] < middle[ConcessionTactic.CONCEDER]


def test_a_mandate_does_not_show_itself() -> None:
    assert "430" not in repr(mandate())
    assert "450" not in repr(Terms(facts=facts(), mandate=mandate()))
