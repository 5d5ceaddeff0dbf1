"""What an arm learns from, where it is not the material as it is."""

import json
from typing import Any

from agent.domain import Reply
from agent.language.format import encode_words
from tests.training.objectives.learning import contexts
from training.bench.learning import promising
from training.rewards.spec import GUARD_RULES


def row(key: str, text: str, language: str = "en") -> dict[str, Any]:
    return {"prompt": [], "completion": [{"role": "assistant", "content": encode_words(key, text)}], "language": language}


def test_that_every_price_comes_with_a_promise() -> None:
    made = promising([row("ask", "Could we do {net} net?"), row("close", "Thank you."), row("hold", "We stay at {net} net.")])
    said = [json.loads(one["completion"][0]["content"]) for one in made]
    assert [one["move"] for one in said] == ["ask", "hold"]
    (context,) = contexts(1)
    assert all(
        "{net}" in one["text"] and GUARD_RULES["promises"].check(context, Reply(move=context.allowed[0], text=one["text"])) for one in said
    )


def test_that_a_promise_to_a_chinese_hotel_is_chinese() -> None:
    """An English one would be called a mixed language instead."""
    made = promising(
        [row("ask", "净价 {net} 可以吗？", "zh"), row("ask", "Could we do {net} net?"), row("hold", "我们仍是净价 {net}。", "zh")]
    )
    said = [json.loads(one["completion"][0]["content"])["text"] for one in made]
    assert [any("\u4e00" <= sign <= "\u9fff" for sign in text) for text in said] == [True, False, True]
