"""Training on its pages: the list, a run with its curves and what it says, a retrain with its steps and its verdict."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from page_app import OpenPage, id_of, words
from training_rows import FIGURES, REFUSED, VERDICT, add_retrain, add_run

from db.engine import SessionFactory
from db.repositories import retrains, training_runs
from db.vocabulary import RetrainState, RetrainStep, Role, RunState
from tests.training.rewards.reward_turns import ask, turn
from training.jobs.plan import Logged, PlanRefused, RetrainPlan, Simulated
from training.objectives.said import FEW, write_said
from training.runs.said import read_said
from webapp.components.retrain_views import figures_words, gain_chart, verdict_html
from webapp.components.run_words import duration, objective_words, samples_html, span_words
from webapp.components.training_charts import panels
from webapp.pages import run_view
from webapp.pages.retrain_form import planned
from webapp.run_files import read_said_pairs


class TestWhatItSays:
    def test_that_what_is_written_is_read_and_the_last_line_of_a_step_counts(self, tmp_path: Path) -> None:
        contexts = [turn()] * (FEW + 2)
        write_said(tmp_path, 0, contexts, [[ask("First.")]] * len(contexts))
        write_said(tmp_path, 10, contexts, [[None]] * len(contexts))
        with (tmp_path / "said.jsonl").open("a") as file:
            file.write('{"step": 20, "sa\n')
        write_said(tmp_path, 10, contexts, [[ask("Again.")]] * len(contexts))
        said = read_said(tmp_path)
        assert list(said) == [0, 10]
        assert len(said[0]) == FEW
        assert said[10][0]["reply"]["text"] == "Again."
        pairs = read_said_pairs(str(tmp_path))
        assert pairs is not None
        assert pairs[:2] == (0, 10)
        assert (pairs[2][0]["before"]["text"], pairs[2][0]["after"]["text"]) == ("First.", "Again.")

    def test_that_there_is_nothing_before_the_second_measurement(self, tmp_path: Path) -> None:
        assert read_said_pairs(str(tmp_path)) is None
        write_said(tmp_path, 0, [turn()], [[ask()]])
        assert read_said_pairs(str(tmp_path)) is None

    def test_that_replies_are_no_markup(self) -> None:
        sample = {"history": [{"text": "<i>No</i>"}], "before": None, "after": {"text": "<b>Yes</b>", "total": 1.25}}
        html = samples_html([sample])
        assert "&lt;i&gt;No" in html
        assert "&lt;b&gt;Yes" in html
        assert "An answer that is no reply" in html
        assert "R_total +1.25" in html


class TestWords:
    def test_that_time_is_told_in_two_units(self) -> None:
        said = [span_words(timedelta(seconds=seconds)) for seconds in (-5, 42, 125, 3_700, 90_000)]
        assert said == ["0 s", "42 s", "2 min 5 s", "1 h 1 min", "1 d 1 h"]
        start = datetime(2026, 1, 1, tzinfo=UTC)
        assert duration(None, None) == ""
        assert duration(start, None, now=start + timedelta(seconds=9)) == "9 s"
        assert objective_words("gopo") == "gopo"

    def test_that_the_figures_that_people_want_come_first(self) -> None:
        first, others = panels(FIGURES)
        assert [panel.title for panel in first][:3] == ["Whole reward, R_total", "Reward model, R_model", "Enhancement E = judge + rules"]
        assert "Explained variance of the critic" in [panel.title for panel in first]
        assert [panel.title for panel in others] == ["Replies that break a rule"]
        assert panels({}) == ([], [])
        assert all(panel.chart.to_dict() for panel in first)


class TestTheList:
    def test_that_before_anything_was_trained_it_says_what_to_do(self, open_page: OpenPage) -> None:
        page = open_page("training")
        assert "Nothing was retrained yet" in words(page)
        page.segmented_control(key="training_view").select("Training runs").run()
        assert "Nothing was trained yet" in words(page)

    def test_that_runs_stand_there_newest_first(self, web_database: SessionFactory, tmp_path: Path, open_page: OpenPage) -> None:
        add_run(web_database, tmp_path / "a", objective="sft", state=RunState.FAILED, error="The disk is full.")
        add_run(web_database, tmp_path / "b", objective="repo", state=RunState.RUNNING, step=30)
        page = open_page("training")
        page.segmented_control(key="training_view").select("Training runs").run()
        shown = page.dataframe[-1].value
        assert list(shown["Objective"]) == ["REPO", "Imitate (SFT)"]
        assert list(shown["Done"]) == [0.3, 0.0]

    @pytest.mark.parametrize("path", ["training", "run", "retrain"])
    def test_that_it_is_for_operations(self, open_page: OpenPage, path: str) -> None:
        assert [title.value for title in open_page(path, role=Role.BD).title] == ["This page is not for your role"]


class TestARun:
    def test_that_one_that_goes_on_shows_its_curves_and_what_it_says(
        self, web_database: SessionFactory, tmp_path: Path, open_page: OpenPage
    ) -> None:
        folder = tmp_path / "run"
        run = add_run(web_database, folder, state=RunState.RUNNING, step=30, figures=FIGURES)
        write_said(folder, 0, [turn()], [[ask("At first <b>so</b>.")]])
        write_said(folder, 20, [turn()], [[ask("Then so.")]])
        said = words(open_page("run", id=str(run)))
        assert "Whole reward, R_total" in said
        assert "KL to the start, nats a token" in said
        assert "At first &lt;b&gt;so&lt;/b&gt;." in said
        assert "Step 20" in said
        assert "are not on this machine" in said

    def test_that_one_that_is_over_shows_samples_and_its_report(
        self, web_database: SessionFactory, tmp_path: Path, open_page: OpenPage
    ) -> None:
        folder = tmp_path / "run"
        run = add_run(web_database, folder, state=RunState.DONE, step=100, figures=FIGURES)
        (folder / "report.html").write_text("<html></html>")
        (folder / "samples.json").write_text(json.dumps([{"history": [], "before": {"text": "Old."}, "after": {"text": "New."}}]))
        said = words(open_page("run", id=str(run)))
        assert "Old." in said
        assert "The conversation opens here." in said
        assert "not on this machine" not in said

    def test_that_one_that_broke_says_why(self, web_database: SessionFactory, tmp_path: Path, open_page: OpenPage) -> None:
        run = add_run(web_database, tmp_path / "run", state=RunState.FAILED, error="The disk is full.")
        page = open_page("run", id=str(run))
        assert [error.value for error in page.error] == ["The disk is full."]
        assert "No step is over yet" in words(page)

    def test_that_an_address_without_a_run_leads_to_the_list(self, open_page: OpenPage) -> None:
        assert "Choose a training run" in [info.value[:21] for info in open_page("run", id="nonsense").info]
        assert "there is no training run" in open_page("run", id=str(uuid4())).exception[0].message

    def test_that_a_long_run_is_thinned_but_keeps_what_was_measured(
        self, web_database: SessionFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(run_view, "MOST_POINTS", 10)
        figures = {step: {"kl": step / 100} | ({"held_out/total": 1.0} if step == 33 else {}) for step in range(101)}
        run: UUID = add_run(web_database, tmp_path / "run", state=RunState.RUNNING, step=100, figures=figures)
        with web_database() as session:
            read = run_view.read_figures(training_runs.get(session, run))
        assert sorted(read) == sorted({*range(0, 101, 10), 33})


class TestRetrainNow:
    def test_that_the_form_opens_with_what_is_usual(self, open_page: OpenPage) -> None:
        page = open_page("training")
        next(button for button in page.button if button.label == "Retrain now").click().run()
        assert page.selectbox(key="retrain-now:objective").value == "repo"
        assert page.slider(key="retrain-now:share").value == 10
        assert [button.label for button in page.button].count("Begin") == 1

    def test_that_what_is_not_asked_for_stays_as_it_was(self) -> None:
        plan = RetrainPlan(seed=5, settings={"beta": 0.1}, material=Logged(min_trust=0.4))
        fields = {
            "objective": "repo",
            "kind": "logged",
            "judge": "none",
            "people_only": True,
            "minutes": None,
            "steps": 30,
            "canary_share": 0.1,
            "imitate": 30,
            "automatic": True,
        }
        made = planned(plan, fields)
        assert (made.seed, made.settings, made.material) == (5, {"beta": 0.1}, Logged(min_trust=0.4, people_only=True))
        assert (made.budget.steps, made.automatic) == (30, True)
        other = planned(plan, fields | {"kind": "simulated", "objective": "sft"})
        assert (other.material, other.settings) == (Simulated(), {})
        with pytest.raises(PlanRefused):
            planned(plan, fields | {"canary_share": 2})


class TestARetrain:
    def test_that_one_at_work_shows_its_steps_and_its_training(
        self, web_database: SessionFactory, tmp_path: Path, open_page: OpenPage
    ) -> None:
        run = add_run(web_database, tmp_path / "run", state=RunState.RUNNING, step=30, figures=FIGURES)
        retrain = add_retrain(web_database, tmp_path / "retrain", state=RetrainState.RUNNING, step=RetrainStep.POLICY, run=run)
        page = open_page("retrain", id=str(retrain))
        said = words(page)
        assert "At work" in said
        assert "pairs 1,204, accuracy 0.713, contexts 450" in said
        assert "step 30 of 100" in said
        assert "Whole reward, R_total" in said
        assert "The gate has not judged it yet" in said
        next(button for button in page.button if button.label == "Cancel it").click().run()
        assert "is being cancelled" in words(page)
        with web_database() as session:
            assert retrains.get(session, retrain).cancel_asked_at is not None

    def test_that_one_that_was_rejected_can_be_let_on_for_a_reason(
        self, web_database: SessionFactory, tmp_path: Path, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        woken: list[UUID] = []
        monkeypatch.setattr("webapp.workers.wake", woken.extend)
        retrain = add_retrain(web_database, tmp_path / "a", state=RetrainState.REJECTED, step=RetrainStep.GATE, verdict=REFUSED)
        page = open_page("retrain", id=str(retrain))
        assert "Rejected by the gate" in words(page)
        assert "&lt;b&gt;worse" in words(page)
        next(button for button in page.button if button.label == "Override the gate").click().run()
        assert ["Say in 10 to 2,000 characters" in error.value for error in page.error] == [True]
        assert woken == []
        page.text_area(key=f"override:{retrain}:reason").input("The raters were mistaken: see ticket 12.")
        next(button for button in page.button if button.label == "Override the gate").click().run()
        assert "Pat Ops let it go on all the same" in page.warning[0].value
        assert woken == [retrain], "nobody waits for the next tick"
        with web_database() as session:
            assert retrains.get(session, retrain).state is RetrainState.QUEUED

    def test_that_one_that_failed_says_why_and_can_be_begun_again(
        self, web_database: SessionFactory, tmp_path: Path, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        woken: list[UUID] = []
        monkeypatch.setattr("webapp.workers.wake", woken.extend)
        retrain = add_retrain(
            web_database, tmp_path / "a", state=RetrainState.FAILED, step=RetrainStep.POLICY, error="The disk is full: free 2 GiB."
        )
        page = open_page("retrain", id=str(retrain))
        assert [error.value for error in page.error] == ["The disk is full: free 2 GiB."]
        next(button for button in page.button if button.label == "Begin again").click().run()
        assert "Waits" in words(page)
        assert woken == [retrain]

    def test_that_they_are_listed_with_how_far_each_is(self, web_database: SessionFactory, tmp_path: Path, open_page: OpenPage) -> None:
        add_retrain(
            web_database, tmp_path / "a", state=RetrainState.RUNNING, step=RetrainStep.GATE, requested_by=id_of(web_database, Role.OPS)
        )
        shown = open_page("training").dataframe[0].value
        assert list(shown["State"]) == ["At work"]
        assert list(shown["Step"]) == ["Gate"]
        assert list(shown["By"]) == ["Pat Ops"]

    def test_that_an_address_without_a_retrain_leads_to_the_list(self, open_page: OpenPage) -> None:
        assert [info.value for info in open_page("retrain").info] == ["Choose a retrain from the list."]


class TestTheVerdict:
    def test_that_every_criterion_is_told(self) -> None:
        html = verdict_html(VERDICT)
        assert html.count("<li") == len(VERDICT["criteria"])
        assert "not met" not in html
        assert "not met" in verdict_html(REFUSED)
        assert gain_chart(VERDICT) is not None
        assert gain_chart({"criteria": [{"name": "whole", "met": False}]}) is None

    def test_that_figures_are_short(self) -> None:
        figures = {"adapter": "/a/very/long/folder/adapter", "share": 0.123456, "list": [1], "whole": True, "pairs": 12345}
        assert figures_words(figures) == "adapter adapter, share 0.123, whole yes, pairs 12,345"
        assert figures_words({"doing": "measuring"}) == "measuring"
