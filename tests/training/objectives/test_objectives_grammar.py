"""The shape that a reply is held to while it is drawn: as vLLM holds to it, and in what is drawn."""

import json
import re
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from agent.language.format import encode_reply, reply_schema
from agent.language.prompts import render_write
from agent.serving.starter import MODEL_FOLDER
from training.badcases import cases
from training.objectives.forbidden import Forbidden
from training.objectives.grammar import Grammar, Shapes
from training.objectives.sampling import Bounds, Sampling, sample
from training.starter.samples import prompt_ids

_SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string", "pattern": "^[a-e]{1,4}[.]$"}},
    "required": ["text"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(MODEL_FOLDER)


@pytest.fixture(scope="module")
def model() -> PreTrainedModel:
    torch.set_num_threads(1)
    return AutoModelForCausalLM.from_pretrained(MODEL_FOLDER, dtype=torch.float32).eval()


def how(tokenizer: Any, *, copies: int, temperature: float = 0.7) -> Sampling:
    return Sampling(copies=copies, temperature=temperature, max_tokens=160, end_id=tokenizer.eos_token_id, pad_id=tokenizer.pad_token_id)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("case", [case for case in cases() if case.context.language == "en"][::8], ids=lambda case: case.id)
def test_that_what_may_come_next_is_what_vllm_lets_come(tokenizer: Any, case: Any) -> None:
    from vllm.v1.structured_output.backend_guidance import GuidanceBackend  # What it imports warns of torch's own future.
    from vllm.v1.structured_output.backend_types import StructuredOutputOptions

    outputs = SimpleNamespace(disable_any_whitespace=True, disable_additional_properties=False)
    settings: Any = SimpleNamespace(structured_outputs_config=outputs)
    backend = GuidanceBackend(settings, tokenizer=tokenizer, vocab_size=len(tokenizer))
    schema = reply_schema(case.context)
    theirs = backend.compile_grammar(StructuredOutputOptions.JSON, json.dumps(schema))
    ours = Shapes([Grammar(tokenizer, len(tokenizer)).at_start(schema)], copies=1)
    bits = backend.allocate_token_bitmask(1)
    # A reply that puts the case right, as far as both let it come.
    for token in tokenizer.encode(encode_reply(case.good), add_special_tokens=False)[:30]:
        theirs.fill_bitmask(bits, 0)
        allowed = [number for number in range(len(tokenizer)) if int(bits[0, number // 32]) >> (number % 32) & 1]
        logits = torch.zeros(1, 1, len(tokenizer))
        ours.keep_to(logits, [0])
        assert logits[0, 0].isfinite().nonzero().flatten().tolist() == allowed
        if token not in allowed:
            break
        assert theirs.accept_tokens("", [token])
        ours.go_on([[token]], [0])


def test_that_every_drawn_reply_has_the_shape(model: PreTrainedModel, tokenizer: Any) -> None:
    asked = [case.context for case in cases() if case.context.language == "en"][:6]
    prompts = [prompt_ids(render_write(context), tokenizer) for context in asked]
    grammar = Grammar(tokenizer, len(tokenizer))
    shapes = [Bounds(shape=grammar.at_start(reply_schema(context))) for context in asked]
    drawn = sample(model, prompts, how(tokenizer, copies=3), seed=5, bounds=shapes)
    for context, copies in zip(asked, drawn.ids, strict=True):
        for ids in copies:
            if ids[-1] != tokenizer.eos_token_id:
                continue
            said = json.loads(tokenizer.decode(ids, skip_special_tokens=True))
            schema = reply_schema(context)
            shape = next(one for one in schema.get("anyOf", [schema]) if one["properties"]["move"]["enum"] == [said["move"]])
            assert re.search(shape["properties"]["text"]["pattern"], said["text"])
    assert all(torch.tensor(logps).isfinite().all() for copies in drawn.logps for logps in copies), "what was drawn had a chance"


def test_that_copies_go_ways_of_their_own(model: PreTrainedModel, tokenizer: Any) -> None:
    start = Grammar(tokenizer, len(tokenizer)).at_start(_SCHEMA)
    drawn = sample(model, [tokenizer.encode("Anything?")], how(tokenizer, copies=16, temperature=2.0), seed=1, bounds=[Bounds(shape=start)])
    said = {tokenizer.decode(ids, skip_special_tokens=True) for ids in drawn.ids[0]}
    assert len(said) > 4
    assert all(re.fullmatch(r'\{"text":"[a-e]{1,4}\."\}', one) for one in said)


def test_that_a_reply_ends_where_nothing_may_come(model: PreTrainedModel, tokenizer: Any) -> None:
    start = Grammar(tokenizer, len(tokenizer)).at_start(_SCHEMA)
    everything = Forbidden([token] for token in range(len(tokenizer)))
    drawn = sample(model, [tokenizer.encode("Anything?")], how(tokenizer, copies=2), seed=1, bounds=[Bounds(never=everything, shape=start)])
    assert drawn.ids[0] == [[tokenizer.eos_token_id]] * 2


def test_that_a_schema_without_a_grammar_is_refused(tokenizer: Any) -> None:
    with pytest.raises(ValueError, match="no grammar comes of the schema"):
        Grammar(tokenizer, len(tokenizer)).at_start({"type": "string", "pattern": "(?=lookahead)"})
