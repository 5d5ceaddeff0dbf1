"""REPO's lead over several materials: ``python -m benchmarks.materials BENCH BENCH …``.

What is named are folders of benchmarks that came to their end and differ in ``seed`` alone. All trainings of one benchmark share its
material, its reward model and its hotels, so that none of its intervals holds what others would bring. Here the unit is a training, paired
with the other arm's of the same seed and material, or a material, with the mean of its trainings. Intervals are Student's, 95 %: of
trainings they are too narrow by what those of one material have in common; of materials they are honest, and wide for few. Everything is
simulated.
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from pydantic import ValidationError
from rich.table import Table
from scipy.stats import t as student

from db.errors import ParleyError
from parley.front import console
from training.bench.arms import REPO
from training.bench.results import COMPARED, RESULTS, Results, Row
from training.bench.show import spelt_number
from training.bench.statistics import figure

MAY_DIFFER = ("seed", "arms", "seeds")
"""Of a profile: the material, which arms there are and how many trainings each has."""


class NotAlike(ParleyError):
    """Benchmarks whose figures cannot stand in one table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """REPO's figure less another arm's."""

    mean: float
    half: float | None
    """Half of Student's 95 % interval; None for fewer than two."""
    above: int
    """In how many it is more than 0."""
    count: int


def lead(differences: Sequence[float]) -> Lead:
    """Of one figure's differences, at least one."""
    count = len(differences)
    half = float(student.ppf(0.975, count - 1)) * stdev(differences) / math.sqrt(count) if count > 1 else None
    return Lead(mean=fmean(differences), half=half, above=sum(one > 0 for one in differences), count=count)


def read(folders: Sequence[Path]) -> list[Results]:
    """What each benchmark found.

    Raises:
        NotAlike: for a folder without a finished benchmark of this release, and for benchmarks that differ in more than their material.
    """
    found = [_read(folder) for folder in folders]
    first, *others = ({**one.profile, "judge": one.judge, "spec": one.spec} for one in found)
    for folder, other in zip(folders[1:], others, strict=True):
        differ = sorted(key for key in {*first, *other} - {*MAY_DIFFER} if first.get(key) != other.get(key))
        if differ:
            raise NotAlike(f"{folder} differs from {folders[0]} in {', '.join(differ)}: only seed, arms and seeds may")
    materials = [one.profile["seed"] for one in found]
    if len(set(materials)) != len(materials):
        raise NotAlike(f"two of the benchmarks have the same material (seeds {', '.join(map(str, materials))}): name each once")
    return found


def _read(folder: Path) -> Results:
    try:
        return Results.model_validate_json((folder / RESULTS).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotAlike(f"{folder} has no {RESULTS}: let parley bench come to its end there") from error
    except ValidationError as error:
        raise NotAlike(f"{folder / RESULTS} is of another release: the same parley bench writes it anew, without training again") from error


def differences(found: Sequence[Results], other: str, name: str) -> list[list[float]]:
    """REPO's figure less the other arm's, by material and training; materials without both arms are left out."""
    both = [(rows[REPO], rows[other]) for rows in map(_rows, found) if {REPO, other} <= rows.keys()]
    return [[upper - lower for upper, lower in zip(*(one.by_training[name] for one in pair), strict=True)] for pair in both]


def _rows(found: Results) -> Mapping[str, Row]:
    return {row.arm: row for row in found.rows}


def table(found: Sequence[Results], name: str) -> Table:
    """One line an arm: the figure in each material, and REPO's lead."""
    heads = ["by training, 95 %", "above in", "by material, 95 %", "above in"]
    shown = Table("", *(f"material {one.profile['seed']}" for one in found), *heads, title=figure(name).title)
    for arm in dict.fromkeys(row.arm for one in found for row in one.rows):
        values = [rows[arm].figures[name].value if arm in rows else None for rows in map(_rows, found)]
        apart = differences(found, arm, name) if arm != REPO else []
        told = [cell for one in _leads(apart) for cell in (_spelt(one, name), f"{one.above} of {one.count}")]
        shown.add_row(arm, *("" if value is None else spelt_number(value, figure(name)) for value in values), *told)
    return shown


def _leads(apart: Sequence[Sequence[float]]) -> list[Lead]:
    """Over trainings and over materials; none where there is nothing to compare."""
    return [lead([one for some in apart for one in some]), lead([fmean(some) for some in apart])] if apart else []


def _spelt(one: Lead, name: str) -> str:
    known = figure(name)
    mean = spelt_number(one.mean, known, signed=True)
    if one.half is None:
        return mean
    low, high = (spelt_number(one.mean + end, known, signed=True) for end in (-one.half, one.half))
    return f"{mean} ({low} to {high})"


def document(found: Sequence[Results]) -> dict[str, Any]:
    """All leads, as JSON values: by figure and arm, over trainings and over materials."""
    others = dict.fromkeys(row.arm for one in found for row in one.rows if row.arm != REPO)
    return {
        name: {
            other: {
                unit: asdict(one) for unit, one in zip(("trainings", "materials"), _leads(differences(found, other, name)), strict=False)
            }
            for other in others
        }
        for name in COMPARED
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bench", type=Path, nargs="+", help="folder of a benchmark that came to its end")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        found = read(options.bench)
    except NotAlike as error:
        parser.error(str(error))
    if options.json:
        print(json.dumps(document(found)))
        return
    for name in COMPARED:
        console.print(table(found, name))


if __name__ == "__main__":
    main()
