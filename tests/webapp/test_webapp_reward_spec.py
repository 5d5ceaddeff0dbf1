"""The reward spec on its pages: changed, tried, proposed, approved by somebody else; and a rule drafted from a reply that went wrong."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as some
from page_app import OpenPage, id_of, words
from rated_site import PUSHY, our_turns, rate, talk
from web_site import Site

from db.engine import SessionFactory
from db.repositories import reward_specs
from db.vocabulary import IssueTag, Role, Severity, SpecStatus
from tests.training.rewards.reward_turns import ask, turn
from training.rewards import approval
from training.rewards.drafting import NoWords, free_name, pattern_of, usual_weight
from training.rewards.patterns import PatternRule, Within
from training.rewards.spec import shipped_spec
from webapp.components.spec_views import patterns_html, weights_chart


def a_rule(**changed: object) -> PatternRule:
    values: dict[str, object] = {"name": "threat", "weight": -60, "pattern": "drop your hotel", "says": "is a threat: leave it out"}
    return PatternRule.model_validate(values | changed)


def propose(sessions: SessionFactory, role: Role = Role.OPS, weight: float = -77) -> int:
    with sessions.begin() as session:
        spec = approval.in_force(session).with_weight("promises", weight)
        return approval.propose(session, spec, note="Too many promises of late.", actor=id_of(sessions, role))


class TestDrafting:
    @given(phrases=some.lists(some.text("abcdefgh .*+?()[]{}|^$\\价格便宜", min_size=1, max_size=20), min_size=1, max_size=4))
    def test_that_whatever_is_typed_becomes_a_pattern_that_can_be_run_and_finds_it(self, phrases: list[str]) -> None:
        try:
            pattern = pattern_of(phrases)
        except NoWords:
            assert not any(phrase.strip(" *") for phrase in phrases)
            return
        rule = a_rule(pattern=pattern, within=Within.REPLY)
        for phrase in phrases:
            if phrase.strip("* "):
                said = " ".join(phrase.replace("*", "").split())
                assert rule.check(turn(), ask(f"Well, {said} then")), (pattern, said)

    def test_that_a_word_is_not_found_inside_another(self) -> None:
        rule = a_rule(pattern=pattern_of(["rank"]))
        assert rule.check(turn(), ask("Your rank will fall."))
        assert not rule.check(turn(), ask("Frankly, could you?"))
        assert a_rule(pattern=pattern_of(["rank*"])).check(turn(), ask("Your ranking will fall."))

    def test_that_white_space_between_words_does_not_matter(self) -> None:
        assert a_rule(pattern=pattern_of(["drop  your hotel"])).check(turn(), ask("We DROP your  hotel today."))

    def test_that_a_name_is_one_that_is_free(self) -> None:
        spec = shipped_spec()
        assert free_name("pressure", spec) == "pressure_2"
        assert free_name("A threat!", spec) == "a_threat"
        assert free_name("9", spec) == "rule_9"
        assert free_name("", spec) == "rule"
        assert PatternRule.model_validate(a_rule().model_dump() | {"name": free_name("价格", spec)})

    def test_that_graver_faults_cost_more(self) -> None:
        assert usual_weight(Severity.SEVERE) < usual_weight(Severity.MAJOR) < usual_weight(Severity.MINOR) < 0


class TestTheSpec:
    def test_that_what_ships_is_shown_as_in_force(self, open_page: OpenPage) -> None:
        page = open_page("reward-spec")
        said = words(page)
        assert "version 1 in force" in said
        assert "None yet" in said
        assert "R_model + |R_model| · E / n" in said

    def test_that_a_change_is_proposed_and_said_why(self, web_database: SessionFactory, open_page: OpenPage) -> None:
        page = open_page("reward-spec")
        page.segmented_control(key="spec_view").select("Change it").run()
        assert "Nothing yet: change a weight" in words(page)
        page.number_input(key="edit:1:length:worst").set_value(-45.0).run()
        assert "rules.length.worst" in words(page)
        page.button(key="spec:1:propose").click().run()
        assert ["Say in 10 to 2,000 characters" in error.value for error in page.error] == [True]
        page.text_area(key="spec:1:why").input("Replies have grown too long.").run()
        page.button(key="spec:1:propose").click().run()
        with web_database() as session:
            row = reward_specs.get(session, 2)
            assert (row.status, row.note, row.body["rules"]["length"]["worst"]) == (SpecStatus.DRAFT, "Replies have grown too long.", -45)
            assert row.created_by == id_of(web_database, Role.OPS)

    def test_that_what_cannot_be_is_told_before_it_is_proposed(self, open_page: OpenPage) -> None:
        page = open_page("reward-spec")
        page.segmented_control(key="spec_view").select("Change it").run()
        page.number_input(key="edit:1:length:start").set_value(900).run()
        assert any("a ramp must end after it starts" in warning.value for warning in page.warning)
        assert not [button for button in page.button if button.label == "Propose it"]

    def test_that_a_change_is_not_proposed_over_somebody_elses(self, web_database: SessionFactory, open_page: OpenPage) -> None:
        page = open_page("reward-spec")
        page.segmented_control(key="spec_view").select("Change it").run()
        page.number_input(key="edit:1:length:worst").set_value(-45.0).run()
        page.text_area(key="spec:1:why").input("Replies have grown too long.").run()
        version = propose(web_database)
        with web_database.begin() as session:
            approval.approve(session, version, actor=id_of(web_database, Role.ADMIN))
        page.button(key="spec:1:propose").click().run()
        with web_database() as session:
            assert reward_specs.newest_version(session) == version

    def test_that_somebody_else_puts_it_in_force(self, web_database: SessionFactory, open_page: OpenPage) -> None:
        version = propose(web_database)
        own = open_page("reward-spec")
        assert "1 draft for approval" in words(own)
        own.segmented_control(key="spec_view").select("History").run()
        assert "Your own proposal" in words(own)
        own.button(key=f"approve:{version}").click().run()
        assert [f"You have proposed version {version} yourself" in error.value for error in own.error] == [True]
        other = open_page("reward-spec", role=Role.ADMIN)
        other.segmented_control(key="spec_view").select("History").run()
        assert "rules.promises" in words(other)
        other.button(key=f"approve:{version}").click().run()
        assert f"version {version} in force" in words(other)
        with web_database() as session:
            assert approval.in_force(session).rules["promises"] == -77

    def test_that_a_draft_can_be_refused(self, web_database: SessionFactory, open_page: OpenPage) -> None:
        version = propose(web_database)
        page = open_page("reward-spec")
        page.segmented_control(key="spec_view").select("History").run()
        page.button(key=f"retire:{version}").click().run()
        with web_database() as session:
            assert reward_specs.get(session, version).status is SpecStatus.RETIRED

    @pytest.mark.parametrize("path", ["reward-spec", "new-rule"])
    def test_that_the_pages_are_for_operations(self, open_page: OpenPage, path: str) -> None:
        page = open_page(path, role=Role.ANNOTATOR)
        assert [title.value for title in page.title] == ["This page is not for your role"]


class TestFromAnIncident:
    @pytest.fixture
    def turn_id(self, web_database: SessionFactory, open_page: OpenPage) -> UUID:
        site = Site("", web_database, Path())
        bad = our_turns(site, talk(site, "DEMO-101"))[1]
        rate(site, bad, stars=1, comment="A <b>threat</b>.", fault=IssueTag.PRESSURE)
        return bad.id

    def test_that_without_a_turn_the_rated_replies_are_listed(self, turn_id: UUID, open_page: OpenPage) -> None:
        page = open_page("new-rule", turn="nonsense")
        assert list(page.dataframe[0].value["Reply"]) == [PUSHY]

    def test_that_a_turn_that_is_not_there_is_told(self, open_page: OpenPage) -> None:
        page = open_page("new-rule", turn=str(uuid4()))
        assert "There is no turn of ours" in page.exception[0].message

    def test_that_a_rule_is_drafted_tried_and_proposed(self, web_database: SessionFactory, turn_id: UUID, open_page: OpenPage) -> None:
        page = open_page("new-rule", turn=str(turn_id))
        key = f"draft:{turn_id}"
        assert "The reply in question" in words(page)
        assert "&lt;b&gt;threat" in words(page)
        assert page.text_input(key=f"{key}:name").value == "pressure_2"
        page.session_state[f"{key}:words"] = ["today or else"]
        page.run()
        assert any("It does not find the reply" in warning.value for warning in page.warning)
        page.session_state[f"{key}:words"] = ["drop your hotel"]
        page.run()
        assert [one.value for one in page.success] == ['It finds the reply: "drop your hotel" is not how we speak: leave it out']
        next(button for button in page.button if button.label == "Try it on them").click().run()
        assert "2 turns of ours were tried" in words(page)
        assert "**1** would be hit" in words(page)
        page.text_area(key=f"rule:{turn_id}:why").input("A hotel was threatened.").run()
        page.button(key=f"rule:{turn_id}:propose").click().run()
        with web_database() as session:
            row = reward_specs.get(session, 2)
            assert row.body["patterns"][0]["name"] == "pressure_2"
            assert row.body["patterns"][0]["note"] == f"From turn {turn_id}."

    def test_that_a_name_or_pattern_that_cannot_be_is_told_in_a_sentence(self, turn_id: UUID, open_page: OpenPage) -> None:
        page = open_page("new-rule", turn=str(turn_id))
        key = f"draft:{turn_id}"
        page.session_state[f"{key}:words"] = ["drop your hotel"]
        page.run()
        page.text_input(key=f"{key}:name").input("Not A Name").run()
        assert [warning.value[:30] for warning in page.warning] == ["A name has small letters, digit"[:30]]
        page.text_input(key=f"{key}:name").input("pressure").run()
        assert any("choose another" in warning.value for warning in page.warning)
        page.text_input(key=f"{key}:name").input("threat").run()
        next(field for field in page.text_input if field.label == "Pattern (RE2)").input("(broken").run()
        assert any("cannot be read" in warning.value for warning in page.warning)


class TestPictures:
    def test_that_every_rule_is_drawn_and_no_words_are_markup(self) -> None:
        spec = shipped_spec().with_pattern(a_rule(says="<b>bad</b> words", weight=0)).with_pattern(a_rule(name="thanks", weight=5))
        drawn = weights_chart(spec).to_dict()["data"]["values"]
        assert len(drawn) == len(spec.rules) + 2
        assert {row["kind"] for row in drawn} == {"fault", "off", "bonus"}
        assert "&lt;b&gt;bad" in patterns_html(spec.patterns)
