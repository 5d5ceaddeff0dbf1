"""What people read: words, amounts, marks and cards. Nothing that a hotel wrote may become markup."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent.domain import AllowedMove, HotelMove, HotelOffer, TicketFacts
from agent.guardrails import RULES, Violation
from agent.service.intake import TicketForm
from agent.service.views import TicketProgress, TurnView
from db.vocabulary import (
    ClarifyTopic,
    DraftOrigin,
    HotelMoveKind,
    MoveKind,
    PriceBasis,
    Role,
    Severity,
    Speaker,
    Stage,
    TicketStatus,
)
from webapp.components.facts import Limits, gap_percent, progress_html
from webapp.components.people import who_html
from webapp.components.stages import allowed_html, stage_path
from webapp.components.transcript import draft_html, transcript_html, writing_html
from webapp.components.verdicts import RULE_WORDS, highlight, verdict_list
from webapp.components.words import moment, money, move_words, stay, understood_words
from webapp.pages.new_ticket import problem_lines

EVIL = '<script>alert("1")</script>'
NOW = datetime(2027, 3, 1, 14, 5, tzinfo=UTC)


def violation(start: int | None = None, end: int | None = None, *, rule: str = "promises", message: str = "no promises") -> Violation:
    return Violation(rule=rule, severity=Severity.MAJOR, message=message, start=start, end=end)


def facts(**other: object) -> TicketFacts:
    values: dict[str, object] = {
        "label": 1,
        "hotel_name": "Hotel Aurora",
        "room_type": "Deluxe Double",
        "check_in": date(2027, 3, 1),
        "check_out": date(2027, 3, 31),
        "currency": "EUR",
        "current_net": Decimal("200"),
        "commission": Decimal("0.15"),
        "competitor_price": Decimal("210"),
        "competitor_source": "Agoda",
        "competitor_seen_on": date(2027, 1, 20),
    }
    return TicketFacts(**(values | other))  # type: ignore[arg-type]


def progress(**other: object) -> TicketProgress:
    values: dict[str, object] = {
        "label": 1,
        "ticket_id": uuid4(),
        "reference": "PC-1",
        "facts": facts(),
        "status": TicketStatus.OPEN,
        "agreed_net": None,
        "agreed_selling": None,
        "last_ask": None,
        "last_offer": None,
        "pending": None,
    }
    return TicketProgress(**(values | other))  # type: ignore[arg-type]


def turn(number: int, speaker: Speaker, text: str, **other: object) -> TurnView:
    values: dict[str, object] = {
        "number": number,
        "speaker": speaker,
        "text": text,
        "stage_after": Stage.PERSUASION,
        "hotel_move": None,
        "move": None,
        "allowed": (),
        "verdicts": (),
        "rules_checked": 0,
        "policy_version": None,
        "sop_version": None,
        "prompts_version": None,
        "origin": None,
        "edited_from": None,
        "author": None,
        "created_at": NOW,
    }
    return TurnView(**(values | other))  # type: ignore[arg-type]


class TestAmountsAndDates:
    @pytest.mark.parametrize(
        ("amount", "shown"),
        [("200", "EUR 200"), ("200.00", "EUR 200"), ("1234.5", "EUR 1,234.5"), ("12.345", "EUR 12.345"), ("1E+3", "EUR 1,000")],
    )
    def test_an_amount_is_exact_and_has_no_idle_zeros(self, amount: str, shown: str) -> None:
        assert money(Decimal(amount), "EUR") == shown

    def test_no_amount_is_a_dash(self) -> None:
        assert money(None, "EUR") == "—"

    def test_a_stay_repeats_nothing(self) -> None:
        assert stay(date(2027, 3, 1), date(2027, 3, 31)) == "1–31 Mar 2027"
        assert stay(date(2027, 3, 1), date(2027, 4, 2)) == "1 Mar – 2 Apr 2027"
        assert stay(date(2027, 12, 30), date(2028, 1, 2)) == "30 Dec 2027 – 2 Jan 2028"

    def test_a_moment_is_told_in_the_readers_zone(self) -> None:
        tokyo = timezone(timedelta(hours=9))
        assert moment(NOW, zone=tokyo, now=NOW) == "23:05"
        assert moment(NOW, zone=UTC, now=NOW + timedelta(days=1)) == "1 Mar, 14:05"
        assert moment(NOW, zone=UTC, now=NOW + timedelta(days=400)) == "1 Mar 2027, 14:05"

    def test_the_gap_is_what_travellers_see(self) -> None:
        assert gap_percent(Decimal("235.29"), Decimal("210")) == Decimal("12.0")
        assert gap_percent(Decimal("235.29"), None) is None


class TestMoves:
    def test_every_move_and_topic_has_words(self) -> None:
        for kind in MoveKind:
            assert move_words(AllowedMove(kind=kind))
        for topic in ClarifyTopic:
            assert move_words(AllowedMove(kind=MoveKind.CLARIFY, topic=topic)).startswith("Clarify ")

    def test_the_room_is_named_only_where_there_are_several(self) -> None:
        move = AllowedMove(kind=MoveKind.ASK, label=2, price=Decimal("428.00"))
        assert move_words(move) == "Ask for 428 net"
        assert move_words(move, several=True) == "Ask for 428 net · room 2"

    def test_what_the_hotel_meant_names_its_price(self) -> None:
        offer = HotelOffer(amount=Decimal("190"), basis=PriceBasis.UNKNOWN)
        assert understood_words(HotelMove(kind=HotelMoveKind.OFFER, offers=(offer,))) == "named a price: 190"
        for kind in HotelMoveKind:
            assert understood_words(HotelMove(kind=kind))


class TestStages:
    def test_every_stage_can_be_shown(self) -> None:
        for stage in Stage:
            assert stage_path(stage).count('aria-current="step"') == 1

    def test_what_is_past_is_ticked(self) -> None:
        assert stage_path(Stage.PROPOSAL).count("p-past") == 2

    def test_nothing_allowed_shows_nothing(self) -> None:
        assert allowed_html(()) == ""


class TestVerdicts:
    def test_every_rule_of_the_guard_has_plain_words(self) -> None:
        assert {rule.name for rule in RULES} - set(RULE_WORDS) == set()

    def test_the_offending_words_are_marked(self) -> None:
        assert highlight("We promise a lot", [violation(3, 10)]).count("<mark") == 1
        assert ">promise</mark>" in highlight("We promise a lot", [violation(3, 10)])

    def test_overlapping_marks_become_one(self) -> None:
        shown = highlight("We promise a lot", [violation(3, 10), violation(5, 12, rule="pressure")])
        assert ">promise a</mark>" in shown
        assert "A promise we may not make; Pressure" in shown

    @given(st.text(max_size=60), st.lists(st.tuples(st.integers(-5, 70), st.integers(-5, 70)), max_size=6))
    def test_marks_never_lose_or_change_a_letter(self, text: str, spans: list[tuple[int, int]]) -> None:
        from html import unescape
        from re import sub

        shown = highlight(text.replace("\r", ""), [violation(start, end) for start, end in spans])
        assert unescape(sub(r"</?mark[^>]*>", "", shown)) == text.replace("\r", "")

    def test_the_worst_stands_first(self) -> None:
        minor = Violation(rule="length", severity=Severity.MINOR, message="long")
        severe = Violation(rule="promises", severity=Severity.SEVERE, message="promise")
        assert verdict_list([minor, severe], "x").index("promise") < verdict_list([minor, severe], "x").index("long")
        assert verdict_list([], "x") == ""


class TestNothingBecomesMarkup:
    def test_in_the_transcript(self) -> None:
        said = turn(1, Speaker.BD, EVIL, author=EVIL, edited_from=EVIL, move=AllowedMove(kind=MoveKind.GREET))
        heard = turn(2, Speaker.HOTEL, EVIL)
        shown = transcript_html([said, heard], hotel_name=EVIL, zone=UTC)
        assert "<script" not in shown
        assert shown.count("&lt;script&gt;") == 5

    def test_in_drafts_and_verdicts(self) -> None:
        bad = violation(0, 8, message=EVIL, rule=EVIL)
        assert "<script" not in draft_html(EVIL, verdicts=[bad], move=None, origin=DraftOrigin.POLICY)
        assert "<script" not in writing_html(EVIL, EVIL)

    def test_in_facts_and_names(self) -> None:
        card = progress(facts=facts(room_type=EVIL, competitor_source=EVIL, evidence=(EVIL,), currency="EUR"))
        assert "<script" not in progress_html(card)
        assert "<script" not in who_html(EVIL, EVIL, [Role.BD])


class TestTickets:
    def test_our_limits_are_shown_only_where_they_are_given(self) -> None:
        limits = Limits(opening_ask=Decimal("170"), target=Decimal("176"), ceiling=Decimal("188"))
        assert "188" not in progress_html(progress())
        assert "EUR 188 net" in progress_html(progress(), limits=limits)

    def test_an_agreement_says_what_it_saves(self) -> None:
        agreed = progress(status=TicketStatus.AGREED, agreed_net=Decimal("180"), agreed_selling=Decimal("211.76"))
        assert "EUR 180 net" in progress_html(agreed)
        assert "10.0 % below today" in progress_html(agreed)

    def test_a_price_that_waits_for_a_yes_is_not_called_agreed(self) -> None:
        shown = progress_html(progress(pending=Decimal("180")))
        assert "waits for the hotel" in shown
        assert "below today" not in shown


class TestTheTicketForm:
    def test_each_problem_names_its_field_as_the_page_does(self) -> None:
        with pytest.raises(ValidationError) as caught:
            TicketForm.model_validate({"reference": " ", "hotel": "Aurora", "current_net": "a lot", "currency": "EURO"})
        lines = "\n".join(problem_lines(caught.value))
        assert "**Reference**: is needed" in lines
        assert "**Net price today**" in lines
        assert "(it says “a lot”)" in lines
        assert "room_type" not in lines
