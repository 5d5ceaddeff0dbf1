"""A reward model's training in a terminal: settings as they are typed, a bar, and what the model is worth."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from training.rewards.model.errors import RewardModelError
from training.rewards.model.material import Material, train_on
from training.rewards.model.report import Report, Share
from training.rewards.model.settings import RewardModelSettings
from training.rewards.model.training import PAGE
from training.runs.values import typed
from training.snapshots import open_snapshot
from training.starter.progress import bars

WEAK = 0.5
"""Accuracy at which a model is no better than a coin."""


def settings_of(pairs: Sequence[str]) -> RewardModelSettings:
    """``["epochs=2", "rrm=true"]`` as settings. Raises SettingsError for what is no pair, RewardModelError for what is no setting."""
    values = typed(pairs)
    known = RewardModelSettings.model_fields
    for name in values:
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.5)
            meant = f" (did you mean {near[0]!r}?)" if near else ""
            raise RewardModelError(f"There is no setting {name!r} of a reward model{meant}; known are {', '.join(sorted(known))}.")
    try:
        return RewardModelSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        raise RewardModelError(f"{where} cannot be {first['input']!r}: {message}." if where else f"{message}.") from error


def reward_model_command(folder: Path, snapshot: Path, pairs: Sequence[str], *, console: Console) -> int:
    """Train into ``folder``, or go on there, and say how good it is; returns the exit status.

    Raises:
        ParleyError: for a snapshot, settings or rows that cannot be used, before any time is spent.
    """
    settings = settings_of(pairs)
    with console.status("Checking …"):
        material = Material.of_snapshot(open_snapshot(snapshot))
    with bars() as progress:
        report = train_on(material, folder, settings, progress=progress)
    tell(folder, report, console)
    return 0


def tell(folder: Path, report: Report, console: Console) -> None:
    """What a model is worth, in a table and a few sentences."""
    shares: dict[str, Share | None] = {
        **report.shares,
        "where the longer reply was preferred": report.length.longer_won,
        "where the shorter reply was preferred": report.length.shorter_won,
    }
    table = Table("held-out pairs", "number", "the model is right", "95 %")
    for name, share in shares.items():
        if share is not None:
            table.add_row(name, f"{share.n:,}", f"{share.value:.1%}", f"{share.low:.1%} to {share.high:.1%}")
    console.print(table)

    def say(words: str) -> None:
        console.print(words, highlight=False, soft_wrap=True)

    say(f"Calibration error {report.calibration_error:.3f}, log loss {report.log_loss:.3f} (a coin: 0.693).")
    say(
        f"Zero is the mean of {report.centre.references:,} reference replies: {report.below_zero_better:.0%} of the better and "
        f"{report.below_zero_worse:.0%} of the worse replies are below it."
    )
    if report.between_prompts is not None:
        say(f"Of the variance of held-out scores, {report.between_prompts:.0%} lies between prompts, of which comparisons teach nothing.")
    if report.length.shorter_won is not None and report.length.shorter_won.high < WEAK:
        say("[yellow]It goes by length: where people preferred the shorter reply it is mostly wrong. Try --set balance_length=true.[/]")
    say(f"Report  {escape(str(folder / PAGE))}")
