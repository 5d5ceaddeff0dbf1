"""The report is one page that stands alone, whatever a run has and has not told of."""

import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from db.vocabulary import RunState
from tests.training.runs.run_scenes import Scene
from training.runs import Plan, Status, check
from training.runs.charts import Curve, line_chart
from training.runs.report import PANELS, curve, render, write_report

DONE = Status(state=RunState.DONE, step=3, steps=3, adapter="/runs/a/adapter", adapter_sha256="ab" * 32, best_step=2, best_total=0.5)
FIGURES: dict[int, dict[str, Any]] = {step: {key: 0.1 * step for _, _, series in PANELS for _, key in series} for step in range(4)}
REPLY = {"move": "ask:410", "text": "<b>410</b> & no more?", "total": 1.2, "model": 1.0, "judge": None, "functions": -3.0}
SAMPLES: list[dict[str, Any]] = [
    {
        "stage": "proposal",
        "history": [{"speaker": "bd", "text": "Hi"}, {"speaker": "hotel", "text": "<script>no</script>"}],
        "before": None,
        "after": REPLY,
    },
    {"stage": "opening", "history": [], "before": {"move": "open", "text": "Hello"}, "after": REPLY},
]


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def plan(scene: Scene) -> Plan:
    return check(scene.request())


def test_that_it_has_every_curve_and_nothing_from_elsewhere(plan: Plan) -> None:
    page = render(plan, DONE, FIGURES, SAMPLES)
    tags = Tags(page).seen
    assert sum(tag == "svg" for tag, _ in tags) == len(PANELS)
    assert sum(tag == "polyline" for tag, _ in tags) == sum(len(series) for _, _, series in PANELS)
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in tags}
    assert not any("src" in attributes or "href" in attributes for _, attributes in tags)
    assert not re.search(r"https?://", page)


def test_that_it_tells_what_the_run_was_and_what_came_of_it(plan: Plan) -> None:
    page = render(plan, replace(DONE, judged={"judged": 7, "no answer in time": 2}), FIGURES, SAMPLES)
    for said in (
        "simulated",
        plan.snapshot_sha256,
        plan.reward_spec.digest,
        "ab" * 32,
        "step 2",
        "2 no answer in time",
        "learning_rate",
        "torch",
    ):
        assert said in page
    assert "&lt;script&gt;no" in page
    assert "&lt;b&gt;410" in page
    assert "An answer that is no reply" in page
    assert "not judged" in page


def test_that_it_is_written_while_nothing_is_known_yet_and_loads_itself_again(plan: Plan, tmp_path: Path) -> None:
    page = write_report(tmp_path, plan, Status(state=RunState.RUNNING)).read_text(encoding="utf-8")
    assert "No step is over yet" in page
    assert 'http-equiv="refresh"' in page
    assert 'http-equiv="refresh"' not in render(plan, DONE, FIGURES, [])
    assert "disk is full" in render(plan, Status(state=RunState.FAILED, error="the disk is full"), {}, [])


def test_that_what_is_no_number_is_left_out() -> None:
    figures = {1: {"kl": 0.1}, 2: {"kl": None}, 3: {"kl": math.nan}, 4: {}, 5: {"kl": 0.3}}
    assert curve(figures, "kl") == [(1, 0.1), (5, 0.3)]


@pytest.mark.parametrize(
    ("values", "ticks"), [((0.0, 4.0), ["0", "1", "4"]), ((-3.0, -3.0), ["-3"]), ((0.0, 0.0), ["0"]), ((1e-6, 3e-6), ["1e-06", "3e-06"])]
)
def test_that_an_axis_has_round_numbers_and_every_point_lies_on_it(values: tuple[float, float], ticks: list[str]) -> None:
    figure = line_chart("x", [Curve(name="y", points=[(0, values[0]), (9, values[1])])])
    heights = [float(pair.split(",")[1]) for pair in re.findall(r'points="([^"]+)"', figure)[0].split()]
    assert all(20 <= height <= 190 for height in heights)
    assert set(ticks) <= set(re.findall(r'text-anchor="end">([^<]+)<', figure))


def test_that_a_single_step_can_be_drawn() -> None:
    assert "nan" not in line_chart("x", [Curve(name="y", points=[(5, 2.0)])], share=True)
