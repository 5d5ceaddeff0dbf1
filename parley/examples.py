"""Commands that bring judgements out of an instance, and examples in."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from parley.front import app, console, word


@app.command("export")
def export_(
    folder: Annotated[Path, typer.Argument(help="Folder for the files; it appears when they are whole.", file_okay=False)],
    formats: Annotated[
        list[str] | None, typer.Option("--format", help="prompt_completion, preference or unpaired_preference; left out, all three.")
    ] = None,
    filing: Annotated[str, typer.Option("--as", help="jsonl, parquet or dataset (Hugging Face).")] = "jsonl",
    people_only: Annotated[bool, typer.Option("--people-only", help="Leave out what simulated experts judged.")] = False,
    with_personal_data: Annotated[
        bool, typer.Option("--with-personal-data", help="Do not mask names, e-mail addresses and phone numbers of hotels' people.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace an earlier export in that folder.")] = False,
) -> None:
    """Write everything that was judged as examples to train on, in TRL's formats."""
    from training.data import Chosen, Filing, Format
    from training.data.terminal import export_to
    from webapp.instance.commands import connected_database

    chosen = Chosen(
        formats=tuple(word(Format, name, "--format") for name in formats or Format),
        filing=word(Filing, filing, "--as"),
        people_only=people_only,
        with_personal_data=with_personal_data,
    )
    with connected_database() as sessions:
        raise typer.Exit(export_to(sessions, folder, chosen, replace=replace, console=console))


@app.command("import")
def import_examples_(
    file: Annotated[
        Path | None, typer.Argument(help="A .jsonl, .parquet, .csv or .zip file, or the folder of an export or a dataset.", exists=True)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    template: Annotated[str, typer.Option(help="Print a CSV file with the columns of this format and one example row.")] = "",
) -> None:
    """Import examples to train on; a row with an error is named and left out, a known example is skipped."""
    from training.data import Format, template_csv
    from training.data.terminal import import_from
    from webapp.instance.commands import connected_database

    if template:
        sys.stdout.write(template_csv(word(Format, template, "--template")))
        return
    if file is None:
        raise typer.BadParameter("name a file to import, or a format whose --template to print", param_hint="FILE")
    with connected_database() as sessions:
        raise typer.Exit(import_from(sessions, file, dry_run=dry_run, console=console))
