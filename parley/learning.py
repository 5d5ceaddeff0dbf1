"""Commands of single trainings and measurements, and of what they start from."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from parley.front import app, console

starter_app = typer.Typer(help="The starter model that ships with Parley.", no_args_is_help=True)
app.add_typer(starter_app, name="starter")


@app.command()
def train(
    objective: Annotated[str, typer.Argument(help="sft, dpo, ppo, grpo or repo; left out with --resume.")] = "",
    snapshot: Annotated[Path | None, typer.Option(help="Folder of a snapshot: what the run may see.")] = None,
    spec: Annotated[str, typer.Option(help="Reward spec: a YAML file or a version's number; left out, the one in force.")] = "",
    reward_model: Annotated[Path | None, typer.Option(help="Folder of a reward model; ppo, grpo and repo need one.")] = None,
    judge: Annotated[str, typer.Option(help="Address of an OpenAI-compatible server, starter (our own), or none.")] = "none",
    allow_missing_judge: Annotated[bool, typer.Option("--allow-missing-judge", help="Begin although the judge does not answer.")] = False,
    start: Annotated[str, typer.Option("--from", help="base, a version of the policy (policy-v1), or an adapter's folder.")] = "base",
    base: Annotated[Path | None, typer.Option(help="Folder of another base model than the starter model.")] = None,
    critic: Annotated[Path | None, typer.Option(help="Checkpoint whose critic the run begins with.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same weights on the same machine.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run; left out, one under the data folder.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="A setting of the objective, key=value; several are allowed.")] = None,
    processes: Annotated[int, typer.Option(min=1, help="Processes that train together.")] = 1,
    resume: Annotated[str, typer.Option(help="Go on with a run: its folder or its id.")] = "",
    database: Annotated[bool, typer.Option("--database/--no-database", help="Record the run in the database, or in files only.")] = True,
) -> None:
    """Train the policy. Everything is checked first; Ctrl-C stops at the end of a step, --resume goes on to the same result."""
    from db.settings import DatabaseSettings
    from training.runs.terminal import asked_for, needs_starter_judge, resume_command, train_command
    from webapp.instance.services import connected_training

    request = asked_for(
        objective, snapshot, resume=resume, spec=spec, reward_model=reward_model, judge=judge, judge_may_be_missing=allow_missing_judge,
        start=start, base=base, critic=critic, seed=seed, settings=settings or [], processes=processes,
    )  # fmt: skip
    with connected_training(database=database, model=needs_starter_judge(judge, resume)) as (sessions, judge_url):
        if request is None:
            raise typer.Exit(resume_command(resume, console=console, sessions=sessions, judge_url=judge_url))
        runs = DatabaseSettings().home / "runs"
        raise typer.Exit(train_command(request, out=out, runs=runs, console=console, sessions=sessions, judge_url=judge_url))


@app.command()
def gate(
    candidate: Annotated[Path, typer.Argument(help="Folder of a run, or of an adapter.", exists=True, file_okay=False)],
    against: Annotated[str, typer.Option(help="base, a version of the policy, or an adapter's folder; left out, what is live.")] = "",
    dialogues: Annotated[int, typer.Option(min=10, help="Whole dialogues with simulated hotels, the same for both.")] = 100,
    margin: Annotated[float | None, typer.Option(help="A gain in stars that is enough, whatever its p.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the figures; left out, gate in the candidate's.")] = None,
    database: Annotated[bool, typer.Option("--database/--no-database", help="Ask the database what is live.")] = True,
) -> None:
    """Say whether a trained adapter is better than what is live, and safe: every criterion with its figures. Status 1 where it is not."""
    from training.release.evaluation import Effort
    from training.release.gate import GateSettings
    from training.release.terminal import gate_command
    from webapp.instance.services import connected_training

    effort, settings = Effort(dialogues=dialogues), GateSettings(margin=margin)
    with connected_training(database=database, model=False) as (sessions, _):
        raise typer.Exit(gate_command(candidate, against, out=out, effort=effort, settings=settings, console=console, sessions=sessions))


@app.command()
def score(
    reward_model: Annotated[Path, typer.Option(help="Folder of a reward model.")],
    judge: Annotated[str, typer.Option(help="Address of an OpenAI-compatible server, starter (our own), or none.")] = "starter",
    last: Annotated[int, typer.Option(min=1, help="How many of the newest replies at most.")] = 2_000,
) -> None:
    """Score replies that were sent and have no score yet; a queue for the uncertain then shows those where model and judge are at odds."""
    from training.ratings.terminal import score_command
    from webapp.instance.services import connected_training

    with connected_training(database=True, model=judge == "starter") as (sessions, judge_url):
        assert sessions is not None, "a database was asked for"
        raise typer.Exit(score_command(sessions, reward_model, judge=judge, judge_url=judge_url, last_n=last, console=console))


@app.command()
def alternatives(
    last: Annotated[int, typer.Option(min=1, help="How many of the newest conversations.")] = 100,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="How many are drawn at the same time.")] = 8,
) -> None:
    """Draw second drafts of replies that were said, which nobody is sent; a queue for comparing shows both, blind and in random order."""
    from training.ratings.terminal import alternatives_command
    from webapp.instance.services import connected_training

    with connected_training(database=True, model=True) as (sessions, model_url):
        assert sessions is not None, "a database was asked for"
        assert model_url is not None, "a model server was asked for"
        raise typer.Exit(alternatives_command(sessions, model_url, last_n=last, at_once=at_once, console=console))


@app.command()
def snapshot(
    folder: Annotated[Path, typer.Argument(help="A folder that is not there yet.")],
    simulated: Annotated[bool, typer.Option("--simulated", help="From simulated dialogues and experts, without a database.")] = False,
    n: Annotated[int, typer.Option("--n", min=1, max=1_000_000, help="Contexts to simulate.")] = 2_000,
    seed: Annotated[int, typer.Option(help="Of what is simulated.")] = 0,
    chinese: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the simulated dialogues in Chinese; the others are in English.")
    ] = 0.0,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="Processes that simulate; the bytes do not depend on it.")] = 1,
    as_of: Annotated[str, typer.Option(help="What the database held then: date and time with a time zone; left out, now.")] = "",
    since: Annotated[str, typer.Option(help="Only what was judged then or later.")] = "",
    languages: Annotated[list[str] | None, typer.Option("--language", help="ISO 639-1; several are allowed; left out, all.")] = None,
    sources: Annotated[list[str] | None, typer.Option("--source", help="Where examples come from (edit, stars, …); left out, all.")] = None,
    people_only: Annotated[bool, typer.Option("--people-only", help="Leave out what simulated experts judged.")] = False,
    min_trust: Annotated[float, typer.Option(min=0, max=1, help="Keep out raters with a smaller weight.")] = 0.25,
    flagged: Annotated[list[UUID] | None, typer.Option("--keep-out", help="A conversation's id; several are allowed.")] = None,
    judged_only: Annotated[bool, typer.Option("--judged-only", help="Contexts of judged conversations only.")] = False,
    allow_one_rater: Annotated[bool, typer.Option("--allow-one-rater", help="Take preferences that are all of one person.")] = False,
    validation_share: Annotated[float, typer.Option(min=0, max=1, help="Share of the hotels that are not trained on.")] = 0.1,
) -> None:
    """Freeze what a training run may see, of the database or simulated."""
    from training.snapshots.terminal import asked_for, snapshot_command
    from webapp.instance.services import connected_training

    settings = asked_for(
        simulated=simulated, contexts=n, seed=seed, chinese=chinese,
        as_of=as_of, since=since, languages=languages or [], sources=sources or [],
        people_only=people_only, min_trust=min_trust, flagged=flagged or [], judged_only=judged_only, allow_one_rater=allow_one_rater,
        validation_share=validation_share,
    )  # fmt: skip
    with connected_training(database=not simulated, model=False) as (sessions, _):
        raise typer.Exit(snapshot_command(folder, console=console, sessions=sessions, settings=settings, at_once=at_once))


@app.command("reward-model")
def reward_model_(
    folder: Annotated[Path, typer.Argument(help="Folder of the model; a training in it that was cut off goes on.")],
    snapshot: Annotated[Path, typer.Option(help="Folder of a snapshot: the preferences that are learned from.")],
    settings: Annotated[list[str] | None, typer.Option("--set", help="A setting, key=value; several are allowed.")] = None,
) -> None:
    """Train the model of what people prefer, and report how good it is on hotels that it has not seen."""
    from training.rewards.model.terminal import reward_model_command

    raise typer.Exit(reward_model_command(folder, snapshot, settings or [], console=console))


@app.command()
def bench(
    profile: Annotated[str, typer.Option(help="quick (all objectives of the paper, one seed), full (hours), or toy.")] = "quick",
    out: Annotated[Path | None, typer.Option(help="Folder; what is whole in it is not done again.", file_okay=False)] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Trainings of each arm.")] = None,
    arms: Annotated[str, typer.Option(help="Names with commas between; left out, the profile's.")] = "",
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value of the profile, or repo.steps=30 of an objective.")] = None,
    judge: Annotated[str, typer.Option(help="Address of an OpenAI-compatible server, starter (our own), or none.")] = "starter",
    spec: Annotated[Path | None, typer.Option(help="Reward spec, a YAML file; left out, the one that ships.")] = None,
    at_once: Annotated[int | None, typer.Option(min=1, help="Processes at work; left out, one a core.")] = None,
) -> None:
    """Train every objective on the same simulated material and print the paper's table. The same command goes on after any stop."""
    from db.settings import DatabaseSettings
    from training.bench.plan import begun
    from training.bench.terminal import bench_command, plan_of, starter_judges
    from webapp.instance.services import connected_training

    names = [name.strip() for name in arms.split(",") if name.strip()]
    plan = plan_of(profile, arms=names, seeds=seeds, values=settings or [], judge=judge, spec=spec)
    folder = out or DatabaseSettings().home / "bench" / profile
    with begun(folder, plan) as kept, connected_training(database=False, model=starter_judges(folder, kept)) as (_, judge_url):
        raise typer.Exit(bench_command(folder, kept, console=console, at_once=at_once, judge_url=judge_url))


@starter_app.command()
def build(
    out: Annotated[Path, typer.Option(help="Folder for the model; an unfinished build in it is resumed.")],
    preset: Annotated[str, typer.Option(help="toy (a minute, for tests), english, or full, which goes on from english.")] = "full",
    begin: Annotated[
        Path | None, typer.Option(help="Finished model of the preset that this one goes on from; left out, it is built first.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same weights on the same machine.")] = 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw away an unfinished build.")] = False,
) -> None:
    """Build the starter model from nothing."""
    from training.starter.build import build as build_starter
    from training.starter.progress import bars

    with bars() as progress:
        built = build_starter(out, preset, seed, resume=not fresh, progress=progress, begin=begin)
    if built is not None:
        print(f"{built.folder}: sha256 {built.weights_hash}\n{built.adapter}: sha256 {built.adapter_hash}")
