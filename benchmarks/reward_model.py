"""What the reward model is worth: ``python -m benchmarks.reward_model [--pairs N] [--small N] [--only NAME …] [--folder F] [--json]``.

Simulated experts rate scripted replies and replies of the base (``training.snapshots.simulated_rows``); hotels to measure on are others.
One model learns from ``--pairs`` preferences as ``parley bench`` has it; its kinds (material, balanced lengths, LoRA, RRM,
reference slot with its control) from ``--small`` of them. Reported are accuracy on held-out pairs, also where the shorter reply is the
better one, on pairs of replies that a policy wrote, calibration, rank correlation with the experts' true score on held-out hotels and on
personas and phrases that are held out altogether, the zero, and the time of a core. The planted phrase is RRM's own experiment: it opens
80 % of the chosen replies in training; what is measured is how often a loser that gets it beats its winner. Everything is simulated.
"""

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from scipy.stats import spearmanr

from agent.language.prompts import Message
from benchmarks.reward_model_material import PLANTED, Measured, learned_from, material_of, measured, planted, shuffled, speaker
from training.rewards.model import Rated, Report, RewardModel, RewardModelSettings, train
from training.rewards.model.comparisons import Row, prompt_of
from training.rewards.model.material import Material, train_on
from training.rewards.model.report import LengthBias, ScoredPair, Share, accuracy, length_bias
from training.starter.progress import bars

PAIRS_A_CONTEXT = 2.9
"""Training pairs that one simulated context gives, roughly."""
SAMPLES = 2
"""Replies of the base to each context, where the material has some."""
KINDS: Mapping[str, tuple[bool, dict[str, Any]]] = {
    "scripted": (False, {}),
    "scripted, balanced": (False, {"balance_length": True}),
    "written": (True, {}),
    "written, balanced": (True, {"balance_length": True}),
    "lora": (False, {"lora_rank": 16, "learning_rate": 1e-3}),
    "rrm": (False, {"rrm": True}),
    "slot": (False, {"reference_slot": True}),
    "slot shuffled": (False, {"reference_slot": True}),
    "planted": (False, {}),
    "planted rrm": (False, {"rrm": True}),
}
"""For each kind whether replies of the base are in its material, and its settings."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=6000, help="training pairs of the main model; 0 leaves it out")
    parser.add_argument("--small", type=int, default=600, help="training pairs of each kind; 0 leaves them out")
    parser.add_argument("--only", nargs="*", choices=KINDS, default=KINDS)
    parser.add_argument("--measure", nargs="*", type=Path, default=[], metavar="FOLDER", help="finished reward models to be measured too")
    parser.add_argument("--contexts", type=int, default=160, help="contexts that models are measured on")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="settings of the main model")
    parser.add_argument("--folder", type=Path, default=Path("build") / "reward-model", help="where models are kept; a second run goes on")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    console = Console(stderr=options.json)
    # A slot leaves out the prompts that have but one demonstration.
    small = options.small * (2.5 if any("slot" in name for name in options.only) else 1)
    contexts = int(max(options.pairs, small) / PAIRS_A_CONTEXT) + 20
    sets = measured(options.contexts)
    wanted = {KINDS[name][0] for name in options.only if options.small} | ({True} if options.pairs else set[bool]())
    material = {written: material_of(learned_from(contexts, samples=SAMPLES * written), sets) for written in sorted(wanted)}
    of_policies = ", ".join(f"{len(found):,} of {name}" for name, found in sets.pairs.items())
    console.print(
        f"Measured on {len(sets.rows.preferences):,} pairs of scripted replies and, of policies' replies, {of_policies}. "
        "All raters and hotels are simulated."
    )
    results: dict[str, dict[str, Any]] = {}
    for place in options.measure:
        report = Report.model_validate_json((place / "report.json").read_text(encoding="utf-8"))
        results[str(place)] = _figures(report) | _more(RewardModel.load(place), sets)
    if options.pairs:
        chosen = material[True].centred_on(sets.rows.contexts, speaker(None, seed=2))
        chosen = replace(chosen, learned=chosen.learned[: options.pairs])
        settings = RewardModelSettings.model_validate(dict(pair.split("=", 1) for pair in options.set))
        folder = options.folder / "-".join(["main", str(options.pairs), *options.set])
        with bars() as progress:
            report = train_on(chosen, folder, settings, progress=progress)
        model = RewardModel.load(folder)
        results["main"] = _figures(report) | _more(model, sets)
        results["main"] |= {"speed": speed(model, sets.rated), "zero": zeros(model, sets)}
    if options.small:
        results |= _kinds(material, sets, options.small, options.folder, options.only)
    _show(console, results)
    if options.json:
        print(json.dumps(results))


def _kinds(material: Mapping[bool, Material], sets: Measured, pairs: int, folder: Path, only: Sequence[str]) -> dict[str, dict[str, Any]]:
    results: dict[str, dict[str, Any]] = {}
    for name in only:
        written, values = KINDS[name]
        # Whole hotels, so that prompts keep all of their comparisons.
        learned = sorted(material[written].learned, key=lambda row: str(row["hotel"]))
        chosen = replace(material[written], learned=learned)
        settings, slot = RewardModelSettings(**values), bool(values.get("reference_slot"))
        if slot:
            chosen = shuffled(chosen) if "shuffled" in name else chosen.with_slot()
        chosen = replace(chosen, learned=chosen.learned[:pairs])
        if "planted" in name:
            chosen = replace(chosen, learned=planted(chosen.learned, PLANTED, ["chosen"]))
        place = folder / f"{name.replace(', ', '-').replace(' ', '-')}-{pairs}"
        with bars() as progress:
            report = train(chosen.learned, chosen.held_out, chosen.references, place, settings, rated=chosen.rated, progress=progress)
        results[name] = _figures(report)
        if not slot:
            results[name] |= _more(RewardModel.load(place), sets)
    return results


# -- what is measured -------------------------------------------------------------------------------------------------------------------


def _more(model: RewardModel, sets: Measured) -> dict[str, Any]:
    """What the training's own report cannot know: policies' replies, held-out phrases, the planted phrase."""
    tempted = scored(model, planted(sets.rows.preferences, 1.0, ["rejected"]))
    found: dict[str, Any] = {"strangers": ranked(model, sets.strangers), "tempted": accuracy(tempted).value, "written": {}}
    for name, rows in sets.pairs.items():
        pairs = scored(model, rows)
        length = length_bias(pairs, [])
        found["written"][name] = {
            "accuracy": accuracy(pairs).model_dump(), "rank": ranked(model, sets.written[name]), "longer": _share(length.longer_won),
            "shorter": _share(length.shorter_won), "longer_is_better": length.actual, "longer_is_predicted": length.predicted,
        }  # fmt: skip
    return found


def scored(model: RewardModel, rows: Sequence[Row]) -> list[ScoredPair]:
    """The pairs with the model's scores, in references' deviations."""
    prompts = [_messages(row["prompt"]) for row in rows]
    better, worse = ([row[side][0]["content"] for row in rows] for side in ("chosen", "rejected"))
    gaps = zip(rows, better, worse, model.score(prompts, better), model.score(prompts, worse), strict=True)
    return [ScoredPair(better=a, worse=b, gap=x - y, source=str(row["source"]), hotel=str(row["hotel"])) for row, a, b, x, y in gaps]


def ranked(model: RewardModel, replies: Sequence[Rated]) -> float:
    """Spearman's of the score with the true score."""
    found = spearmanr(liked(model, replies), [one.worth for one in replies])
    return float(found.statistic)  # pyright: ignore[reportAttributeAccessIssue]


def liked(model: RewardModel, replies: Sequence[Rated]) -> list[float]:
    """R_model of each."""
    return model.score([_messages(one.prompt) for one in replies], [one.completion for one in replies])


def zeros(model: RewardModel, sets: Measured) -> dict[str, dict[str, float]]:
    """Share of replies below zero, by who wrote them, with the zero at the base's replies and at excellent demonstrations."""
    demonstrations = sets.rows.demonstrations
    excellent = model.centred_on([_messages(row["prompt"]) for row in demonstrations],
                                 [row["completion"][0]["content"] for row in demonstrations])  # fmt: skip
    return {
        zero: {name: sum(score < 0 for score in liked(which, replies)) / len(replies) for name, replies in sets.written.items()}
        | {"scripted": sum(score < 0 for score in liked(which, sets.rated)) / len(sets.rated)}
        for zero, which in (("base's replies", model), ("demonstrations", excellent))
    }


def speed(model: RewardModel, rows: Sequence[Rated]) -> dict[str, float]:
    """Replies scored in a second of a core: each prompt with one reply, and with all of its replies at once."""
    by_prompt = {prompt_of(one.prompt, "a reply"): one for one in rows}
    found: dict[str, float] = {}
    for name, chosen in (("one reply a prompt", list(by_prompt.values())), ("all replies of a prompt", list(rows))):
        began = time.process_time()
        liked(model, chosen)
        found[name] = len(chosen) / (time.process_time() - began)
    return found


def _messages(prompt: Sequence[Any]) -> list[Message]:
    return [Message(role=message["role"], content=message["content"]) for message in prompt]


def _share(share: Share | None) -> dict[str, Any] | None:
    return None if share is None else share.model_dump()


def _figures(report: Report) -> dict[str, Any]:
    length: LengthBias = report.length
    return {
        "pairs": report.pairs_train,
        "accuracy": report.accuracy.model_dump(),
        "by_source": {source: share.model_dump() for source, share in report.accuracy_by_source.items()},
        "longer": _share(length.longer_won),
        "shorter": _share(length.shorter_won),
        "log_loss": report.log_loss,
        "calibration_error": report.calibration_error,
        "calibration": [one.model_dump() for one in report.calibration],
        "rank_correlation": report.rank_correlation,
        "length": length.model_dump(include={"correlation", "replies", "predicted", "actual", "pairs"}),
        "overrated": [bias.model_dump() for bias in report.overrated[:3]],
        "core_seconds": report.core_seconds,
        "parameters": report.parameters,
        "augmentation": report.augmentation,
        "centre": report.centre.model_dump(),
        "below_zero": [report.below_zero_better, report.below_zero_worse],
    }


def _show(console: Console, results: dict[str, dict[str, Any]]) -> None:
    columns = ("model", "pairs", "accuracy", "95 %", "shorter is better", "log loss", "ECE", "rank, held-out hotels",
               "rank, held-out phrases", "phrase on the loser", "core s")  # fmt: skip
    table = Table(*columns, title="Held-out pairs of scripted replies (simulated)")
    number: Callable[[Any, str], str] = lambda value, form: "" if value is None else format(value, form)  # noqa: E731
    for name, found in results.items():
        share, shorter = found["accuracy"], found["shorter"]
        table.add_row(
            name, f"{found['pairs']:,}", f"{share['value']:.1%}", f"{share['low']:.1%} to {share['high']:.1%}",
            number(shorter and shorter["value"], ".1%"), f"{found['log_loss']:.3f}", f"{found['calibration_error']:.3f}",
            number(found["rank_correlation"], ".3f"), number(found.get("strangers"), ".3f"), number(found.get("tempted"), ".1%"),
            f"{found['core_seconds']:.0f}",
        )  # fmt: skip
    console.print(table)
    table = Table("model", "replies of", "pairs", "accuracy", "95 %", "longer is better", "shorter is better", "rank",
                  title="Pairs of replies that a policy wrote, half a star apart or more (simulated)")  # fmt: skip
    for name, found in results.items():
        for policy, told in found.get("written", {}).items():
            share, longer, shorter = told["accuracy"], told["longer"], told["shorter"]
            table.add_row(
                name, policy, str(share["n"]), f"{share['value']:.1%}", f"{share['low']:.1%} to {share['high']:.1%}",
                f"{longer['value']:.1%} of {longer['n']}" if longer else "", f"{shorter['value']:.1%} of {shorter['n']}" if shorter else "",
                f"{told['rank']:.3f}",
            )  # fmt: skip
    console.print(table)
    for name, found in results.items():
        for source, share in found["by_source"].items():
            console.print(f"{name}, {source}: {share['value']:.1%} of {share['n']} ({share['low']:.1%} to {share['high']:.1%})")
        for pace, value in found.get("speed", {}).items():
            console.print(f"{name}, {pace}: {value:.0f} replies scored in a second of a core")
        for zero, told in found.get("zero", {}).items():
            shares = ", ".join(f"{share:.0%} of {who}" for who, share in told.items())
            console.print(f"{name}, zero at {zero}: below it are {shares}")


if __name__ == "__main__":
    main()
