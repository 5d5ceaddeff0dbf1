"""The benchmark in a terminal: what is asked for is checked, a bar shows each stage at work, the paper's table comes at the end."""

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from training.bench.arms import WITHOUT_JUDGE, BenchRefused, definitions
from training.bench.plan import BenchPlan
from training.bench.profiles import profile as profile_of
from training.bench.supervising import Standing, run, standing
from training.rewards.judge import Judge, JudgeSettings
from training.rewards.spec import RewardSpec, load_spec, shipped_spec
from training.runs.checks import judge_settings
from training.runs.plan import NO_JUDGE, STARTER_JUDGE
from training.runs.terminal import interrupts


def plan_of(name: str, *, arms: Sequence[str], seeds: int | None, values: Sequence[str], judge: str, spec: Path | None) -> BenchPlan:
    """What is asked for. Raises BenchRefused, SettingsError, SpecError."""
    chosen = profile_of(name, arms=arms, seeds=seeds, values=values)
    if judge == NO_JUDGE and WITHOUT_JUDGE in chosen.arms:
        raise BenchRefused(f"Without a judge {WITHOUT_JUDGE} is REPO itself: name a judge (--judge), or the other arms (--arms).")
    rewards: RewardSpec = shipped_spec() if spec is None else load_spec(spec)
    return BenchPlan(
        profile=chosen,
        judge=judge,
        judge_model="" if judge == NO_JUDGE else JudgeSettings().model,
        spec=rewards.body(),
        definitions=definitions(chosen.arms),
    )


def starter_judges(folder: Path, plan: BenchPlan) -> bool:
    """Whether our own model server has to judge what is left to do."""
    return plan.judge == STARTER_JUDGE and _asks(standing(folder, plan), folder)


def _asks(now: Standing, folder: Path) -> bool:
    return any(stage.asks_the_judge and not stage.is_done(folder) for stage in now.stages)


def bench_command(folder: Path, plan: BenchPlan, *, console: Console, at_once: int | None = None, judge_url: str | None = None) -> int:
    """Do what is missing, print the table and write ``bench.json`` and ``bench.html``; the exit status. The folder is held by the caller.

    Raises:
        JudgeUnreachable, JudgeUnreadable: before any time is spent.
        BenchFailed: for a stage that breaks off.
    """
    before, profile = standing(folder, plan), plan.profile
    if plan.asks_a_judge and _asks(before, folder):
        settings = judge_settings(plan.judge, judge_url=judge_url).model_copy(update={"retries": 1})
        with Judge(settings, rubric=plan.reward_spec.rubric) as judge:
            judge.probe()
    console.print(f"[b]{profile.name}[/]: {len(profile.arms)} arms, {profile.seeds} seed(s), in {escape(str(folder))}", highlight=False)
    if not plan.asks_a_judge:
        console.print("No judge: E comes from the rules alone.", highlight=False)
    if before.done and not before.whole:
        console.print(f"{len(before.done)} of {len(before.stages)} stages are done already.", highlight=False)
    with _bars(console, before) as show, interrupts(console) as asked:
        after = run(folder, plan, at_once=at_once or os.cpu_count() or 1, judge_url=judge_url, show=show, stops_asked=asked)
    if not after.whole:
        console.print(f"Stopped after {len(after.done)} of {len(after.stages)} stages; the same command goes on.", highlight=False)
        return 3
    _tell(folder, plan, console)
    return 0


def _tell(folder: Path, plan: BenchPlan, console: Console) -> None:
    # Imported here: figures are made of what loads torch, and while stages are at work nothing here should hold memory.
    from training.bench.page import write_page
    from training.bench.results import RESULTS, results, write_results
    from training.bench.show import tables

    with console.status("Drawing intervals …"):
        found = results(folder, plan)
        write_results(folder, found)
        page = write_page(folder, plan, found)
    for table in tables(found):
        console.print(table)
    console.print(f"Figures {escape(str(folder / RESULTS))}\nReport  {escape(str(page))}", highlight=False, soft_wrap=True)


@contextmanager
def _bars(console: Console, before: Standing) -> Generator[Callable[[Standing], None]]:
    columns = (
        TextColumn("{task.description:<26}"),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[detail]}"),
    )
    with Progress(*columns, console=console) as progress:
        total = progress.add_task("all stages", total=len(before.stages), completed=len(before.done), detail="")
        tasks: dict[str, TaskID] = {}
        titles = {stage.name: stage.title for stage in before.stages}
        told = set(before.done)

        def show(now: Standing) -> None:
            progress.update(total, completed=len(now.done))
            for name in sorted(now.done - told):
                told.add(name)
                progress.console.print(f"done: {titles[name]}", highlight=False)
            for name in tasks.keys() - now.running.keys():
                progress.remove_task(tasks.pop(name))
            for name, event in now.running.items():
                if name not in tasks:
                    tasks[name] = progress.add_task(titles[name], total=1, detail="starting")
                if event is not None:
                    detail = " ".join(part for part in (event.phase, event.detail) if part)
                    progress.update(tasks[name], completed=event.done, total=max(event.total, 1), detail=detail)

        yield show
