"""Preferences that a tiny model can learn in seconds: the kind reply beats the curt one, whatever the talk."""

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from training.rewards.model import RewardModelSettings

KIND = ("Thank you, that helps.", "Thanks, I see.", "Thank you for telling me.")
CURT = ("No.", "Give it now.", "Now, please decide.")
Rows = list[dict[str, Any]]


def message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def emitted(text: str, move: str = "ask") -> str:
    return json.dumps({"move": move, "text": text}, ensure_ascii=False, separators=(",", ":"))


def prompt(number: int) -> list[dict[str, str]]:
    user = f"hotel: {number}\nmoves:\nask: 420 net - request this price\nhold: 410 net - stay\nblanks: {{net}}\nlanguage: English"
    return [message("system", "You write to a hotel."), message("user", user)]


def preferences(hotels: Sequence[int], seed: int = 0, **more: Any) -> Rows:
    """Three pairs a hotel, over one prompt."""
    rng = random.Random(seed)
    return [
        {
            "id": f"{hotel}/{place}",
            "prompt": prompt(hotel),
            "chosen": [message("assistant", emitted(f"{kind} {{net}}"))],
            "rejected": [message("assistant", emitted(f"{rng.choice(CURT)} {{net}}"))],
            "hotel": f"hotel-{hotel}",
            "source": ("comparison", "edit")[place % 2],
            "rater": f"rater-{rng.randrange(3)}",
            **more,
        }
        for hotel in hotels
        for place, kind in enumerate(KIND)
    ]


def references(hotels: Sequence[int]) -> Rows:
    """A good or middling reply to each prompt, with a hotel's own words, so that their scores differ."""
    return [
        {
            "prompt": prompt(hotel),
            "completion": [message("assistant", emitted(f"{KIND[hotel % 3]} {hotel} {'Please.' * (hotel % 4)}"))],
            "hotel": f"hotel-{hotel}",
        }
        for hotel in hotels
    ]


def settings(base: Path, **more: Any) -> RewardModelSettings:
    values: Mapping[str, Any] = {
        "base": base, "epochs": 2, "prompts_a_step": 4, "learning_rate": 3e-3, "prompt_tokens": 48, "completion_tokens": 80,
        "save_steps": 5,
    }  # fmt: skip
    return RewardModelSettings.model_validate({**values, **more})
