"""Policy figures made by hand: each dialogue is alike but for what a test is about."""

from collections.abc import Sequence
from typing import Any

from training.bench.measures import CaseFigures, DialogueFigures, PolicyFigures

_ALIKE: dict[str, Any] = {
    "persona": "sceptic",
    "rating": 3.0,
    "excellent": False,
    "rooms": 1,
    "rooms_possible": 1,
    "rooms_agreed": 1,
    "captured": 0.5,
    "unmeant": 0,
    "goodwill": 0.5,
    "turns": 11,
    "responded": 1.0,
    "replies": 6,
    "unreadable": 0,
    "violations": {},
    "violated": 0,
    "severe": 0,
    "faults": {},
    "faulted": 0,
    "tokens": 300,
}


def dialogue(number: int, **different: Any) -> DialogueFigures:
    """One dialogue."""
    return DialogueFigures.model_validate({**_ALIKE, "number": number, **different})


def case(name: str, *, fixed: bool = True, clean: bool = True, copy_number: int = 0) -> CaseFigures:
    """One answer to a case."""
    return CaseFigures(
        case=name, fault="pressure", copy_number=copy_number, fixed=fixed, clean=clean, residual=0 if clean else 2, reply="Thank you."
    )


def policy(dialogues: Sequence[DialogueFigures], cases: Sequence[CaseFigures] = (), *, seed: int = 1) -> PolicyFigures:
    """One policy."""
    return PolicyFigures(seed=seed, dialogues=tuple(dialogues), cases=tuple(cases), samples=(), seconds=1.0, tokens=100)


def rated(ratings: Sequence[float], *, seed: int = 1) -> PolicyFigures:
    """A policy with these ratings, of dialogues 1, 2, …"""
    return policy([dialogue(number, rating=rating) for number, rating in enumerate(ratings, start=1)], seed=seed)
