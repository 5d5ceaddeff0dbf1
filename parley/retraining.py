"""Commands on retrains and their schedules."""

from typing import Annotated

import typer

from parley.front import Actor, Person, app, console

retrain_app = typer.Typer(help="Retrains: from what was judged to a canary, by themselves.", no_args_is_help=True)
schedule_app = typer.Typer(help="When retrains are begun without a person.", no_args_is_help=True)
app.add_typer(retrain_app, name="retrain")
retrain_app.add_typer(schedule_app, name="schedule")

_Retrain = Annotated[str, typer.Argument(help="Id of a retrain, or its beginning.")]
_Objective = Annotated[str, typer.Option(help="sft, dpo, ppo, grpo or repo.")]
_Settings = Annotated[list[str] | None, typer.Option("--set", help="A setting of the objective, key=value; several are allowed.")]
_Plan = Annotated[list[str] | None, typer.Option("--plan", help="A field of the plan: key=value, or effort.dialogues=50.")]
_Simulated = Annotated[int | None, typer.Option("--simulated", min=20, help="Simulated contexts, in place of what people judged.")]
_Line = Annotated[str, typer.Option(help="Policy line; of one line one retrain is at work at a time.")]
_Start = Annotated[str, typer.Option("--from", help="live, base, or a version of the policy.")]
_Share = Annotated[float, typer.Option(min=0, max=0.99, help="Of new conversations for the canary; with 0 it goes live at once.")]
_Automatic = Annotated[bool, typer.Option("--automatic", help="Let a canary that does well become live by itself.")]
_Minutes = Annotated[float | None, typer.Option(help="Minutes that it may take up to its gate.")]
_Schedule = Annotated[str, typer.Argument(help="Name of a schedule.")]


@retrain_app.command()
def now(
    objective: _Objective = "repo", settings: _Settings = None, plan: _Plan = None, simulated: _Simulated = None, line: _Line = "main",
    start: _Start = "live", canary: _Share = 0.1, automatic: _Automatic = False, minutes: _Minutes = None, email: Actor = "",
    here: Annotated[bool, typer.Option("--here", help="Work on it in this process instead of leaving it to a worker.")] = False,
) -> None:  # fmt: skip
    """Ask for a retrain."""
    from training.jobs.terminal import planned, request_command
    from webapp.instance.services import connected_training

    asked = planned(
        objective=objective, settings=settings or [], simulated=simulated, values=plan or [], minutes=minutes, line=line, start=start,
        canary_share=canary, automatic=automatic,
    )  # fmt: skip
    with connected_training(database=True, model=here) as (sessions, model_url):
        assert sessions is not None, "a database was asked for"
        raise typer.Exit(request_command(sessions, asked, email=email, here=here, model_url=model_url, console=console))


@retrain_app.command("list")
def list_retrains(limit: Annotated[int, typer.Option(min=1, max=1000, help="How many of the newest.")] = 20) -> None:
    """The newest retrains and how they are doing."""
    from training.jobs.terminal import list_command
    from webapp.instance.commands import connected_database

    with connected_database() as sessions:
        raise typer.Exit(list_command(sessions, limit=limit, console=console))


@retrain_app.command("show")
def show_retrain(retrain: _Retrain) -> None:
    """One retrain, step by step, with its verdict."""
    from training.jobs.terminal import show_command
    from webapp.instance.commands import connected_database

    with connected_database() as sessions:
        raise typer.Exit(show_command(sessions, retrain, console=console))


@retrain_app.command()
def cancel(retrain: _Retrain, email: Actor = "") -> None:
    """End a retrain; what is done stands."""
    from training.jobs.terminal import cancel_command
    from webapp.instance.commands import connected_database

    with connected_database() as sessions:
        raise typer.Exit(cancel_command(sessions, retrain, email=email, console=console))


@retrain_app.command()
def again(retrain: _Retrain, email: Actor = "") -> None:
    """Go on with one that has failed or was cancelled."""
    from training.jobs.terminal import again_command
    from webapp.instance.commands import connected_database

    with connected_database() as sessions:
        raise typer.Exit(again_command(sessions, retrain, email=email, console=console))


@retrain_app.command()
def override(retrain: _Retrain, reason: Annotated[str, typer.Option(help="Why it may go out all the same.")], email: Person) -> None:
    """Let a rejected candidate past the gate, for a reason that is kept."""
    from training.jobs.terminal import override_command
    from webapp.instance.commands import connected_database

    with connected_database() as sessions:
        raise typer.Exit(override_command(sessions, retrain, reason=reason, email=email, console=console))


@schedule_app.command("add")
def add_schedule(
    name: _Schedule,
    cron: Annotated[str, typer.Option(help="Minute, hour, day of the month, month, day of the week: '0 3 * * 1-5'.")] = "",
    ratings: Annotated[int | None, typer.Option(min=1, help="So many new judgements are enough.")] = None,
    bad_cases: Annotated[int | None, typer.Option(min=1, help="So many new bad cases are enough.")] = None,
    quiet: Annotated[str, typer.Option(help="Hours in which nothing is begun or goes on: 08:00-20:00.")] = "",
    timezone: Annotated[str, typer.Option(help="Of the hours, such as Europe/Berlin.")] = "UTC",
    objective: _Objective = "repo", settings: _Settings = None, plan: _Plan = None, simulated: _Simulated = None, line: _Line = "main",
    start: _Start = "live", canary: _Share = 0.1, automatic: _Automatic = False, minutes: _Minutes = None, email: Actor = "",
) -> None:  # fmt: skip
    """Begin retrains at an hour, or once enough is new."""
    from training.jobs.terminal import add_schedule_command, planned
    from webapp.instance.commands import connected_database

    asked = planned(
        objective=objective, settings=settings or [], simulated=simulated, values=plan or [], minutes=minutes, line=line, start=start,
        canary_share=canary, automatic=automatic,
    )  # fmt: skip
    with connected_database() as sessions:
        raise typer.Exit(
            add_schedule_command(
                sessions, name, asked, cron=cron, ratings=ratings, bad_cases=bad_cases, quiet=quiet, timezone=timezone, email=email,
                console=console,
            )
        )  # fmt: skip


@schedule_app.command("list")
def list_schedules() -> None:
    """Every schedule and its next hour."""
    from training.jobs.terminal import list_schedules_command
    from webapp.instance.commands import connected_database

    with connected_database() as sessions:
        raise typer.Exit(list_schedules_command(sessions, console=console))


@schedule_app.command("enable")
def enable_schedule(
    name: _Schedule, off: Annotated[bool, typer.Option("--off", help="Switch it off instead.")] = False, email: Actor = ""
) -> None:
    """Switch a schedule on, or off."""
    from training.jobs.terminal import enable_schedule_command
    from webapp.instance.commands import connected_database

    with connected_database() as sessions:
        raise typer.Exit(enable_schedule_command(sessions, name, enabled=not off, email=email, console=console))


@schedule_app.command("remove")
def remove_schedule(name: _Schedule, email: Actor = "") -> None:
    """Drop a schedule; what it has begun goes on."""
    from training.jobs.terminal import remove_schedule_command
    from webapp.instance.commands import connected_database

    with connected_database() as sessions:
        raise typer.Exit(remove_schedule_command(sessions, name, email=email, console=console))
