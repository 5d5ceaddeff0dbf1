"""A batch: the same seed meets the same hotels, an interrupted one goes on, and every negotiation comes to an end state."""

import io
from datetime import date
from itertools import pairwise

import pytest
from rich.console import Console
from sqlalchemy import select

from agent.service import Negotiations
from agent.service.batch import jobs_from_csv, negotiate_many, run_job, simulated_jobs
from agent.service.intake import IntakeError, template_csv
from db.models import Conversation
from db.repositories import conversations
from db.vocabulary import Speaker

TODAY = date(2027, 1, 1)


def test_the_same_seed_makes_the_same_hotels() -> None:
    assert list(simulated_jobs(n=5, seed=7, today=TODAY)) == list(simulated_jobs(n=5, seed=7, today=TODAY))
    assert list(simulated_jobs(n=1, seed=7, today=TODAY)) != list(simulated_jobs(n=1, seed=8, today=TODAY))


def test_every_made_up_ticket_passes_the_intake() -> None:
    jobs = list(simulated_jobs(n=300, seed=1, today=TODAY))
    assert {len(job.forms) for job in jobs} == {1, 2, 3}


def test_a_file_is_met_hotel_by_hotel_and_again_with_fresh_copies() -> None:
    rows = template_csv().splitlines()
    other = rows[1].replace("PC-2041", "PC-9").replace("Hotel Aurora", "Zenith Lodge")
    same = rows[1].replace("PC-2041", "PC-7").replace("Deluxe Double", "Suite")
    jobs = list(jobs_from_csv("\n".join([*rows, other, same]).encode(), n=3))
    assert [job.forms[0].hotel for job in jobs] == ["Hotel Aurora", "Zenith Lodge", "Hotel Aurora"]
    assert [len(job.forms) for job in jobs] == [2, 1, 2]
    references = [form.reference for job in jobs for form in job.forms]
    assert len(set(references)) == len(references)


def test_a_file_with_a_bad_row_is_refused_whole() -> None:
    with pytest.raises(IntakeError, match="row 2, current_net"):
        list(jobs_from_csv(template_csv().replace("128.00", "cheap").encode(), n=1))


@pytest.mark.model
def test_every_negotiation_ends_and_is_logged_once(negotiations: Negotiations) -> None:
    out = io.StringIO()
    console = Console(file=out, width=160)
    assert negotiate_many(negotiations, csv_file=None, n=6, at_once=4, seed=5, today=TODAY, console=console) == 0
    assert "6 of 6 negotiations ended" in out.getvalue()
    for job in simulated_jobs(n=6, seed=5, today=TODAY):
        outcome = run_job(negotiations, job, seed=5)  # found, not negotiated again
        assert outcome.view is not None
        view = outcome.view
        assert view.is_end
        assert view.stage.is_end
        assert [turn.number for turn in view.turns] == list(range(1, len(view.turns) + 1))
        assert all(a.speaker is not b.speaker for a, b in pairwise(view.turns))
        for turn in view.turns:
            assert turn.stage_after is not None
            assert turn.policy_version == "policy-v1"
            if turn.speaker is Speaker.BD:
                assert turn.move in turn.allowed
                assert turn.rules_checked > 8
                assert not turn.verdicts, (turn.text, turn.verdicts)
    assert negotiate_many(negotiations, csv_file=None, n=2, at_once=2, seed=5, language="zh", today=TODAY, console=console) == 0
    with negotiations.transaction() as session:
        assert conversations.count(session) == 8
        assert sorted(session.scalars(select(Conversation.language))) == ["en"] * 6 + ["zh"] * 2
