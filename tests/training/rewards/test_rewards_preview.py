"""A change of the reward tried on what was really said: hits, false alarms, and the way from an incident to a rule in force."""

from uuid import UUID

import pytest
from reward_talks import PROMISING, PUSHING, Talks, person, three_talks
from reward_turns import ask, turn
from sqlalchemy.orm import Session

from db.engine import SessionFactory
from db.models import Turn
from db.repositories import turns
from db.vocabulary import IssueTag, JudgementSource, Speaker, Stage
from training.rewards import preview as preview_module
from training.rewards.approval import approve, in_force, propose
from training.rewards.functions import functions
from training.rewards.patterns import PatternRule
from training.rewards.preview import Preview, preview
from training.rewards.spec import shipped_spec

PUSHY = PatternRule(name="last_chance", weight=-60, pattern=r"\blast (?:chance|offer)\b", says="pushes the hotel")


@pytest.fixture
def said(talks: Talks) -> list[list[Turn]]:
    return three_talks(talks)


def by_rule(found: Preview) -> dict[str, int]:
    return {one.rule: one.hits for one in found.by_rule if one.hits}


def test_a_new_rule_shows_what_it_would_have_hit(sessions: SessionFactory, said: list[list[Turn]]) -> None:
    found = preview(sessions, PUSHY)
    assert (found.turns, found.hits, found.left_out, found.simulated_turns) == (6, 2, 0, 6)
    assert [one.rule for one in found.by_rule] == ["last_chance"], "no other rule is tried"
    assert {(example.conversation_id, example.number) for example in found.examples} == {
        (said[0][1].conversation_id, said[0][1].number),
        (said[1][0].conversation_id, said[1][0].number),
    }
    assert {example.message for example in found.examples} == {'"last offer" pushes the hotel'}
    assert found.mean_change == pytest.approx(-60 * 2 / 6)
    assert found.false_alarm_estimate is None, "nobody has rated any of it"
    assert found.seconds > 0


def test_a_hit_on_a_reply_that_people_liked_is_a_false_alarm(sessions: SessionFactory, talks: Talks, said: list[list[Turn]]) -> None:
    talks.rate(said[0][1], 5)
    talks.rate(said[0][1], 3)
    talks.rate(said[1][0], 2, fault=IssueTag.PRESSURE)
    talks.rate(said[1][1], 5)
    found = preview(sessions, PUSHY)
    assert (found.rated_turns, found.rated_hits, found.false_alarms) == (3, 2, 1)
    (one,) = found.by_rule
    assert (one.hits, one.rated, one.false_alarms, one.new_total) == (2, 2, 1, -120.0)
    estimate = found.false_alarm_estimate
    assert estimate is not None
    assert estimate.value == 0.5
    assert estimate.low < 0.5 < estimate.high
    assert [(example.is_false_alarm, example.stars) for example in found.examples] == [(True, 4.0), (False, 2.0)]


@pytest.mark.parametrize(
    ("stars", "fault", "source", "is_rated"),
    [
        (4, IssueTag.PRESSURE, JudgementSource.DESK, True),  # liked, but a fault was named
        (3, None, JudgementSource.DESK, True),
        (5, None, JudgementSource.SIMULATED, False),  # not a person
    ],
)
def test_what_is_no_false_alarm(
    sessions: SessionFactory,
    talks: Talks,
    said: list[list[Turn]],
    stars: int,
    fault: IssueTag | None,
    source: JudgementSource,
    is_rated: bool,
) -> None:
    talks.rate(said[0][1], stars, fault=fault, source=source)
    found = preview(sessions, PUSHY)
    assert (found.rated_hits, found.false_alarms) == (int(is_rated), 0)


def test_only_the_newest_turns_are_tried(spoken: SessionFactory) -> None:
    assert preview(spoken, PUSHY, 2).turns == 2
    assert preview(spoken, PUSHY, 2).hits == 0, "the third negotiation pushes nobody"
    assert preview(spoken, PUSHY, 4).hits == 1


def test_the_size_of_a_batch_changes_nothing(spoken: SessionFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = preview(spoken, shipped_spec().with_pattern(PUSHY))
    monkeypatch.setattr(preview_module, "_BATCH", 1)
    told: list[int] = []
    piecewise = preview(spoken, shipped_spec().with_pattern(PUSHY), progress=told.append)
    assert told == [2, 4, 6]
    assert (whole.by_rule, whole.examples, whole.mean_change) == (piecewise.by_rule, piecewise.examples, piecewise.mean_change)


def test_a_whole_spec_tries_every_rule(spoken: SessionFactory) -> None:
    found = preview(spoken, shipped_spec())
    assert [one.rule for one in found.by_rule] == list(shipped_spec().rules)
    assert by_rule(found)["promises"] == 1
    assert "promises" in {hit.rule for hit in functions(turn(), ask(PROMISING), shipped_spec()).hits}
    assert found.mean_change == pytest.approx(sum(one.new_total for one in found.by_rule) / 6)


def test_a_changed_weight_tries_only_what_differs(spoken: SessionFactory) -> None:
    found = preview(spoken, shipped_spec().with_weight("promises", -90), against=shipped_spec())
    (one,) = found.by_rule
    assert (one.rule, one.hits, one.old_total, one.new_total) == ("promises", 1, -60.0, -90.0)
    assert found.mean_change == pytest.approx(-30 / 6)


def test_a_rule_that_is_taken_out_shows_what_is_lost(spoken: SessionFactory) -> None:
    found = preview(spoken, shipped_spec(), against=shipped_spec().with_pattern(PUSHY))
    (one,) = found.by_rule
    assert (one.rule, one.hits, one.old_total, one.new_total) == ("last_chance", 2, -120.0, 0.0)
    assert found.mean_change == pytest.approx(120 / 6)


def test_a_rule_that_is_worded_anew_is_held_against_the_old_one(spoken: SessionFactory) -> None:
    narrower = PUSHY.model_copy(update={"unless": "is it not"})
    found = preview(spoken, narrower, against=shipped_spec().with_pattern(PUSHY))
    assert (found.hits, found.by_rule[0].old_total, found.by_rule[0].new_total) == (0, -120.0, 0.0)
    same = preview(spoken, PUSHY, against=shipped_spec().with_pattern(PUSHY))
    assert (same.hits, same.mean_change) == (2, 0.0), "a rule is tried even where it is in force as it stands"


def test_the_examples_end_somewhere(spoken: SessionFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview_module, "MOST_EXAMPLES", 1)
    assert len(preview(spoken, PUSHY).examples) == 1


def test_words_of_a_person_who_took_over_are_not_tried(sessions: SessionFactory, talks: Talks, session: Session) -> None:
    ours = talks.say(PUSHING, seed=3)
    with talks.service.transaction() as writing:
        actor = person(writing, "Bea Bd")
    talks.service.take_over(ours[0].conversation_id, actor=actor, key="take")
    for _ in talks.service.say(ours[0].conversation_id, PUSHING, actor=actor, key="say"):
        pass
    assert preview(sessions, PUSHY).turns == 1


def test_a_turn_whose_choices_were_not_stored_is_left_out_and_counted(sessions: SessionFactory, talks: Talks) -> None:
    here = talks.say(PUSHING, seed=3)[0].conversation_id
    with sessions.begin() as writing:
        number = len(turns.list_said(writing, here)) + 1
        for speaker, move in ((Speaker.HOTEL, None), (Speaker.BD, {"kind": "hold", "label": 1})):
            said = Turn(conversation_id=here, number=number, speaker=speaker, text=PUSHING, stage_before=Stage.PERSUASION, move=move)
            turns.add_once(writing, said)
            number += 1
    found = preview(sessions, PUSHY)
    assert (found.turns, found.hits, found.left_out) == (1, 1, 1)


def test_nothing_said_is_nothing_hit(sessions: SessionFactory) -> None:
    found = preview(sessions, shipped_spec())
    assert (found.turns, found.hits, found.mean_change, found.false_alarm_estimate) == (0, 0, 0.0, None)


def test_from_an_incident_to_a_rule_in_force(
    sessions: SessionFactory, session: Session, talks: Talks, said: list[list[Turn]], ops: UUID, admin: UUID
) -> None:
    incident = said[0][1]
    talks.rate(incident, 1, fault=IssueTag.PRESSURE)
    talks.rate(said[0][0], 5)
    eager = PatternRule(name="no_pressure", weight=-60, pattern="dear partner", says="pushes", note="A hotel complained.")
    careful = PUSHY.model_copy(update={"note": "A hotel complained."})
    assert preview(sessions, eager).false_alarms == 1, "the first idea hits a good reply"
    tried = preview(sessions, careful)
    assert (tried.false_alarms, tried.hits) == (0, 2)
    version = propose(session, in_force(session).with_pattern(careful), note="Hotels feel pushed by last offers.", actor=ops)
    approve(session, version, actor=admin)
    score = functions(turn(), ask("This is our last offer."), in_force(session))
    assert ("last_chance", -60.0) in {(hit.rule, hit.weight) for hit in score.hits}
