"""The same weights on both engines: vLLM, which talks to people, and transformers, which trains."""

import json
import re

import pytest
from openai import OpenAI
from transformers import Qwen3ForCausalLM

from agent.language.blanks import blanks, fill
from agent.language.format import reply_schema
from agent.serving.starter import MODEL_FOLDER
from db.vocabulary import MoveKind
from training.starter.corpus import play_many
from training.starter.evaluation import generate, sample_of
from training.starter.selfplay import WriteExercise
from training.starter.tokenizer import load_tokenizer

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def turns() -> list[WriteExercise]:
    played = play_many(905_000_000, 4, held_out=True, threads=1, report=lambda done: None)
    return sample_of([exercise for exercise in played if isinstance(exercise, WriteExercise)], 12, seed=3)


def ask(address: str, turn: WriteExercise, *, constrained: bool, temperature: float) -> str:
    shape = {"type": "json_schema", "json_schema": {"name": "reply", "schema": reply_schema(turn.context)}}
    with OpenAI(base_url=address, api_key="none") as client:
        answer = client.post(
            "/chat/completions",
            cast_to=dict[str, list[dict[str, dict[str, str]]]],
            body={
                "model": "parley-starter",
                "messages": turn.prompt(),
                "temperature": temperature,
                "max_tokens": 250,
                "seed": 1,
                **({"response_format": shape} if constrained else {}),
            },
        )
    return answer["choices"][0]["message"]["content"]


def test_most_greedy_replies_are_the_same_on_both_engines(model_server: str, turns: list[WriteExercise]) -> None:
    # Most, not all: in bfloat16 two nearly equal words may change places with the order of a sum.
    model = Qwen3ForCausalLM.from_pretrained(MODEL_FOLDER).eval()
    tokenizer = load_tokenizer(MODEL_FOLDER)
    ours = [generate(model, tokenizer, [turn.prompt()], temperature=0.0, seed=0, max_tokens=250)[0] for turn in turns]
    served = [ask(model_server, turn, constrained=False, temperature=0.0) for turn in turns]
    assert sum(one == other for one, other in zip(ours, served, strict=True)) >= 0.75 * len(turns)


def test_all_sampled_replies_obey_the_schema(model_server: str, turns: list[WriteExercise]) -> None:
    for turn in turns:
        said = json.loads(ask(model_server, turn, constrained=True, temperature=0.7))
        assert list(said) == ["move", "text"]
        move = next(move for move in turn.context.allowed if move.key == said["move"])
        assert not re.search(r"\d", said["text"])
        assert fill(said["text"], blanks(turn.context, move))
        if move.kind is MoveKind.ASK:
            assert "{net}" in said["text"]
