"""A draft that the model finds unlikely is held against others, and one that is fluent enough is taken."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from language_turns import ASK, turn

from agent.domain import Reply
from agent.language.client import Completion, ModelClient, TokenLogprob
from agent.language.writer import Redraw, Token, WriterFailed, fluency, read_answer, write

REDRAW = Redraw(below=-0.9, copies=3)


def answer(words: str, *logprobs: float, move: str = ASK.key) -> Completion:
    told = tuple(TokenLogprob(token="x", logprob=logprob) for logprob in logprobs)
    return Completion(text=json.dumps({"move": move, "text": words}), is_cut=False, logprobs=told)


class Drawn(ModelClient):
    """Streams the first answer and draws the others."""

    def __init__(self, first: Completion, others: Sequence[Completion] = ()) -> None:
        super().__init__("http://127.0.0.1:9/v1")
        self._first, self._others = first, others
        self.asked: list[dict[str, Any]] = []

    def stream_json(self, *, logprobs: list[float] | None = None, **asked: Any) -> Iterator[str]:
        if logprobs is not None:
            logprobs.extend(token.logprob for token in self._first.logprobs)
        yield from self._first.text

    def complete_many(self, **asked: Any) -> list[Completion]:
        self.asked.append(asked)
        return list(self._others)


def written(client: Drawn, redraw: Redraw = REDRAW) -> list[Token | Reply]:
    with client:
        return list(write(turn(ASK), client=client, model="m", temperature=0.3, seed=7, redraw=redraw))


def said(pieces: Sequence[Token | Reply]) -> str:
    """What somebody who follows the stream has before them at the end."""
    shown = ""
    for piece in pieces:
        if isinstance(piece, Token):
            shown = piece.text if piece.fresh else shown + piece.text
    return shown


def test_fluency_is_the_mean_and_an_eighth_of_the_lowest() -> None:
    assert fluency([-0.1, -4.0, -0.1, -0.2]) == pytest.approx(-1.1 - 0.5)


def test_a_likely_draft_is_taken_as_it_is() -> None:
    client = Drawn(answer("Could you come down a little?", -0.5, -0.2, -0.8))
    pieces = written(client)
    assert pieces[-1] == Reply(move=ASK, text="Could you come down a little?")
    assert client.asked == []


def test_an_unlikely_draft_gives_way_to_the_first_that_is_fluent_enough() -> None:
    """Not to the most fluent: that is the line the model knows best, again and again."""
    client = Drawn(answer("Could you come up a down?", -0.9), [answer("One?", -0.85), answer("Two?", -0.6), answer("Three?", -0.1)])
    pieces = written(client)
    assert pieces[-1] == Reply(move=ASK, text="Two?")
    assert said(pieces) == "Two?", "what was shown before is void"
    (asked,) = client.asked
    assert (asked["copies"], asked["temperature"], asked["seed"]) == (3, 0.7, 7)


def test_where_none_is_fluent_enough_the_most_fluent_of_all_is_taken() -> None:
    client = Drawn(answer("Could you come up a down?", -1.5), [answer("One?", -1.2), answer("Two?", -0.9), answer("Three?", -1.0)])
    assert said(written(client)) == "Two?"


def test_one_odd_word_is_enough_to_draw_again_and_to_lose() -> None:
    usual = [-0.1] * 19
    client = Drawn(
        answer("I wanted day to check.", -8.0, *usual), [answer("One day, a two?", -7.0, *usual), answer("Three?", *[-0.7] * 20)]
    )
    assert written(client)[-1] == Reply(move=ASK, text="Three?")


def test_an_unlikely_draft_stays_where_the_others_are_less_likely_still() -> None:
    pieces = written(Drawn(answer("First?", -0.85), [answer("One?", -0.9), answer("Two?", -1.2)]))
    assert pieces[-1] == Reply(move=ASK, text="First?")
    assert said(pieces) == "First?"


@pytest.mark.parametrize("broken", [Completion(text='{"move":"ask', is_cut=True), answer("Could you?", -0.1, move="dance")])
def test_a_draft_that_is_no_reply_is_drawn_again(broken: Completion) -> None:
    pieces = written(Drawn(broken, [broken, answer("Two?", -2.0)]))
    assert pieces[-1] == Reply(move=ASK, text="Two?")


def test_where_nothing_is_a_reply_the_writer_has_failed() -> None:
    broken = Completion(text='{"move":"ask', is_cut=True, logprobs=(TokenLogprob(token="x", logprob=-0.1),))
    with pytest.raises(WriterFailed, match="cut off"):
        written(Drawn(broken, [broken, broken]))


def test_nothing_is_drawn_again_where_it_is_switched_off_or_no_likelihood_is_told() -> None:
    for client, redraw in ((Drawn(answer("One?", -3.0)), Redraw(below=-0.9, copies=0)), (Drawn(answer("One?")), REDRAW)):
        assert written(client, redraw)[-1] == Reply(move=ASK, text="One?")
        assert client.asked == []


class Kept(ModelClient):
    """A real client that keeps what came."""

    def __init__(self, base_url: str, **settings: Any) -> None:
        super().__init__(base_url, **settings)
        self.drawn: list[list[Completion]] = []
        self.first = ""

    def stream_json(self, **asked: Any) -> Iterator[str]:
        self.first = "".join(super().stream_json(**asked))
        yield self.first

    def complete_many(self, **asked: Any) -> list[Completion]:
        self.drawn.append(super().complete_many(**asked))
        return self.drawn[-1]


@pytest.mark.model
def test_the_server_draws_several_with_their_log_probabilities(model_server: str) -> None:
    context = turn(ASK)
    with Kept(model_server, timeout=120.0) as client:
        *_, reply = write(context, client=client, model="parley-starter", temperature=0.3, seed=7, redraw=Redraw(below=0.0, copies=3))
    (others,) = client.drawn
    assert len(others) == 3
    assert all(each.logprobs and all(token.logprob <= 0 for token in each.logprobs) for each in others)
    assert reply in [read_answer(context, text) for text in (client.first, *(each.text for each in others))]
