"""Works out the golden tokens of an adapter: ``python -m training.release.golden_tokens ADAPTER [--base MODEL]``.

Decided here: which tokens are certain. The trainer computes in float32, a server in bfloat16 and in other batches; where the first two
choices are nearly alike, either may come out. So each of our greedy replies to the bad cases is cut into the stretches in which the first
choice is far ahead, and the stretches that the bare base would not have said are taken first: they prove that the adapter is on.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, cast

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from agent.language.prompts import render_write
from agent.serving.starter import MODEL_FOLDER
from db.errors import ParleyError
from training.badcases import cases
from training.objectives.policy import Policy
from training.objectives.settings import RunSettings
from training.release.golden import Golden, GoldenPrompt, NoGolden, weights_sha256, write_golden
from training.release.wholeness import refuse_broken
from training.starter.samples import prompt_ids

CERTAIN = 1.0
"""Nats by which the first choice must be ahead of the second."""
_CONTEXTS, _TOKENS = 16, 48
_PROMPTS, _LONGEST, _SHORTEST = 4, 24, 3
"""Prompts that are kept, and tokens of a stretch. A prompt costs whoever is being answered at the time of a publication."""
_FEWEST = 24
"""Tokens in all below which nothing would be proved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Greedy:
    """A greedy reply to one prompt."""

    prompt: Sequence[int]
    tokens: Sequence[int]
    ahead: Sequence[float]
    """Nats by which each token is ahead of the second choice."""
    own: Sequence[bool]
    """Whether the base would have said another one, with as much certainty."""


def compute(adapter: Path, base: Path = MODEL_FOLDER) -> Golden:
    """The golden prompts of an adapter.

    Raises:
        AdapterBroken: for one that cannot be served.
        NoGolden: for one that is certain of nearly nothing.
    """
    refuse_broken(adapter, base)
    policy = Policy.load(RunSettings(), base=base, adapter=adapter, sampler=torch.float32, reference=False)
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    known = cases()
    contexts = [known[index * len(known) // _CONTEXTS].context for index in range(min(_CONTEXTS, len(known)))]
    end = policy.tokenizer.eos_token_id
    assert isinstance(end, int), "a chat model's tokenizer has an end mark"
    replies = greedy(policy.sampler(), plain, [prompt_ids(render_write(context), policy.tokenizer) for context in contexts], end_id=end)
    prompts = choose(replies)
    if sum(len(prompt.expected) for prompt in prompts) < _FEWEST:
        raise NoGolden(f"{adapter} is certain of hardly a token in {len(replies)} replies: it says nothing that could be compared.")
    return Golden(adapter_sha256=weights_sha256(adapter), end_id=end, prompts=prompts)


def greedy(model: PreTrainedModel, base: PreTrainedModel, prompts: Sequence[Sequence[int]], *, end_id: int) -> list[Greedy]:
    """The model's greedy replies, without their end marks, beside what the base makes of the same tokens."""
    width = max(map(len, prompts))
    asked = torch.tensor([[end_id] * (width - len(prompt)) + list(prompt) for prompt in prompts])
    shown = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    with torch.inference_mode():
        answered = cast(Any, model).generate(
            asked, attention_mask=shown, do_sample=False, max_new_tokens=_TOKENS, eos_token_id=end_id, pad_token_id=end_id
        )
        said = [[token for token in reply if token != end_id] for reply in answered[:, width:].tolist()]
        return [_looked_at(model, base, prompt, tokens) for prompt, tokens in zip(prompts, said, strict=True)]


def _looked_at(model: PreTrainedModel, base: PreTrainedModel, prompt: Sequence[int], tokens: Sequence[int]) -> Greedy:
    whole = torch.tensor([[*prompt, *tokens]])
    ahead, first = _certainty(model, whole, len(prompt))
    other_ahead, other = _certainty(base, whole, len(prompt))
    said = range(len(tokens))
    return Greedy(
        prompt=prompt,
        tokens=tokens,
        # A token that this forward pass, without padding and by itself, would not have said is not certain.
        ahead=[ahead[at] if first[at] == tokens[at] else 0.0 for at in said],
        own=[other[at] != tokens[at] and other_ahead[at] >= CERTAIN for at in said],
    )


def _certainty(model: PreTrainedModel, whole: torch.Tensor, start: int) -> tuple[list[float], list[int]]:
    """For each token from ``start`` on, given those before it: nats between the first two choices, and the first."""
    logits = cast(Any, model)(input_ids=whole).logits[0, start - 1 : -1].float()
    best = logits.topk(2, dim=-1)
    return (best.values[:, 0] - best.values[:, 1]).tolist(), best.indices[:, 0].tolist()


def choose(replies: Sequence[Greedy]) -> tuple[GoldenPrompt, ...]:
    """The stretches that prove most, at most one a reply: those that tell the adapter from its base first, then the longest."""
    best = [max(found, key=_worth) for reply in replies if (found := _stretches(reply))]
    return tuple(sorted(best, key=_worth, reverse=True)[:_PROMPTS])


def _stretches(reply: Greedy) -> list[GoldenPrompt]:
    found: list[GoldenPrompt] = []
    for certain, group in groupby(range(len(reply.tokens)), key=lambda at: reply.ahead[at] >= CERTAIN):
        run = list(group)
        if certain and len(run) >= _SHORTEST:
            for start in range(run[0], run[-1] + 1, _LONGEST):
                stop = min(start + _LONGEST, run[-1] + 1)
                found.append(
                    GoldenPrompt(
                        prompt=(*reply.prompt, *reply.tokens[:start]),
                        expected=tuple(reply.tokens[start:stop]),
                        telling=sum(reply.own[start:stop]),
                    )
                )
    return [prompt for prompt in found if len(prompt.expected) >= _SHORTEST]


def _worth(prompt: GoldenPrompt) -> tuple[int, int]:
    return prompt.telling, len(prompt.expected)


def main() -> None:
    """Work them out and keep them beside the adapter."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("adapter", type=Path)
    parser.add_argument("--base", type=Path, default=MODEL_FOLDER)
    arguments = parser.parse_args()
    # A small model gains nothing from a second thread, and beside busy processes it loses much.
    torch.set_num_threads(1)
    try:
        write_golden(arguments.adapter, compute(arguments.adapter, arguments.base))
    except ParleyError as error:
        sys.exit(" ".join(str(error).split()))


if __name__ == "__main__":
    main()
