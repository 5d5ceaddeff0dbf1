"""Many requests at once do not bring the model server down."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from agent.language.client import ModelClient
from agent.language.format import READING_SCHEMA
from agent.language.prompts import Message

pytestmark = pytest.mark.model

LONG = "The season is quiet here and we have rooms on most nights of the week. " * 30
"""Several of it are more than the engine reads in one step, so that a prompt would have to be cut."""


def test_seeded_prompts_that_come_together_are_all_answered(model_server: str) -> None:
    with ModelClient(model_server, timeout=120.0, retries=0) as client:

        def ask(number: int) -> str:
            messages = [Message(role="user", content=f"{number}: {LONG}")]
            answer = client.complete_json(
                model="parley-starter", messages=messages, schema=READING_SCHEMA, max_tokens=48, temperature=0.7, seed=number
            )
            return answer.text

        with ThreadPoolExecutor(max_workers=24) as pool:
            answers = list(pool.map(ask, range(48)))

    assert all(answer.startswith('{"kind":') for answer in answers)
