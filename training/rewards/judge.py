"""The judge (RJ): a language model marks replies on the rubric's items, over the OpenAI protocol.

Decided here: how many are asked at once, what is remembered, and when a judgement is missing. A judgement that fails or cannot be read
is None and is counted with its reason; it is never a zero. What is asked and how an answer is read is ``training.judging``'s, how marks
enter a reward is ``training.rewards.enhancement``'s.
"""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import Self

import openai
import structlog
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent.domain import Reply, TurnContext
from agent.language.client import ModelClient, ModelRefused, ModelUnavailable
from agent.language.prompts import Message
from agent.language.prompts.specimen import WRITE
from db.errors import ParleyError
from training.judging import Marks, Rubric, judgement_schema, render_judge, shipped_rubric
from training.rewards.judge_cache import JudgeCache, judgement_key

_log = structlog.get_logger(__name__)


class JudgeSettings(BaseSettings):
    """Where the judge answers and when we lose patience; every field is set by the environment with the prefix ``PARLEY_JUDGE_``."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_JUDGE_", use_attribute_docstrings=True, extra="ignore", env_ignore_empty=True)

    base_url: str = "http://127.0.0.1:8400/v1"
    """Address of an OpenAI-compatible server, up to and with ``/v1``; by default our own model server."""

    model: str = "parley-starter"
    """Name of the model that judges. Judgements are remembered under it: a model that changes needs a new name."""

    api_key: SecretStr = SecretStr("none")
    """Key of the server, where it wants one."""

    timeout_s: float = Field(default=60.0, gt=0)
    """Seconds to wait for one answer."""

    retries: int = Field(default=4, ge=0)
    """Further tries, with growing random pauses, after no answer, status 429 or a server's error."""

    at_once: int = Field(default=16, ge=1)
    """Judgements in flight at the same time."""

    max_tokens: int = Field(default=160, ge=16)
    """Longest answer; the shipped rubric's takes some 50 tokens."""

    cache: Path | None = None
    """File in which judgements are remembered, shared by every process on this machine; none are where it is not set."""


class JudgeUnreachable(ParleyError):
    """The judge gave no answer to the question that is asked before a training begins."""


class JudgeUnreadable(ParleyError):
    """The judge answered the question that is asked before a training begins, but not with marks."""


class Missing(StrEnum):
    """Why there is no judgement."""

    TIMEOUT = "no answer in time"
    UNREACHABLE = "no answer"
    REFUSED = "refused"
    CUT = "cut off"
    NONSENSE = "not the rubric's marks"
    SKIPPED = "not asked, since the judge was away"


class Judge:
    """A thread-safe judge; close it, or use it in a ``with`` statement."""

    def __init__(self, settings: JudgeSettings | None = None, *, rubric: Rubric | None = None) -> None:
        """Settings come from the environment and the rubric is the shipped one where none is given. Nothing is asked yet.

        Raises JudgeCacheError where the cache's file cannot be used.
        """
        self.settings = JudgeSettings() if settings is None else settings
        self.rubric = shipped_rubric() if rubric is None else rubric
        self.counts: Counter[str] = Counter()
        """Since the judge was made: ``asked`` of the model, ``remembered``, ``judged``, and each ``Missing`` reason."""
        self._schema = judgement_schema(self.rubric)
        self._lock = Lock()
        self._cache = JudgeCache(self.settings.cache) if self.settings.cache is not None else None
        self._pool = ThreadPoolExecutor(self.settings.at_once, thread_name_prefix="judge")
        self._client = ModelClient(
            self.settings.base_url,
            api_key=self.settings.api_key.get_secret_value(),
            timeout=self.settings.timeout_s,
            retries=self.settings.retries,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of connections, threads and the cache; questions in flight are waited for."""
        self._pool.shutdown()
        self._client.close()
        if self._cache is not None:
            self._cache.close()

    def probe(self) -> None:
        """Ask for one judgement, past the cache, before time is spent on what needs a judge.

        Raises JudgeUnreachable or JudgeUnreadable, naming the server and what to do.
        """
        prompt = render_judge(WRITE, Reply(move=WRITE.allowed[0], text="Thank you, that helps us."), self.rubric)
        where = f"the judge {self.settings.model!r} at {self.settings.base_url}"
        try:
            answer = self._answer(prompt)
        except (ModelUnavailable, ModelRefused) as fault:
            raise JudgeUnreachable(
                f"No judgement from {where}: {fault} Set PARLEY_JUDGE_BASE_URL, PARLEY_JUDGE_MODEL and PARLEY_JUDGE_API_KEY, "
                "or train without a judge."
            ) from fault
        if isinstance(answer, Missing):
            raise JudgeUnreadable(
                f"The answer of {where} is {answer}. Use a server with structured output (json_schema), raise "
                "PARLEY_JUDGE_MAX_TOKENS if it was cut off, or train without a judge."
            )

    def judge_many(self, items: Sequence[tuple[TurnContext, Reply]]) -> list[Marks | None]:
        """Marks for each reply in its context, in order; None where a judgement is missing.

        The same reply in the same context is asked about once. After as many questions as are in flight have had no answer in a row, the
        rest of this call is not asked: a judge that has gone costs one round of waiting, not one an item.
        """
        prompts = [render_judge(context, reply, self.rubric) for context, reply in items]
        keys = [judgement_key(self.settings.model, self.rubric, prompt) for prompt in prompts]
        questions = dict(zip(keys, prompts, strict=True))
        known = self._cache.get(list(questions)) if self._cache is not None else {}
        remembered = sum(key in known for key in keys)
        outcomes = self._ask({key: prompt for key, prompt in questions.items() if key not in known})
        marks = {**known, **{key: given for key, given in outcomes.items() if not isinstance(given, Missing)}}
        missing = Counter(given for key in keys if isinstance(given := outcomes.get(key), Missing))
        judged = [marks.get(key) for key in keys]
        with self._lock:
            self.counts.update({"remembered": remembered, "judged": len(judged) - missing.total()})
            self.counts.update({str(reason): count for reason, count in missing.items()})
        if missing:
            _log.warning("judge.missing", of=len(judged), **{reason.name.lower(): count for reason, count in missing.items()})
        return judged

    def _ask(self, questions: dict[str, list[Message]]) -> dict[str, Marks | Missing]:
        outage = _Outage(self.settings.at_once)
        futures: dict[Future[Marks | Missing], str] = {
            self._pool.submit(self._judge, prompt, outage): key for key, prompt in questions.items()
        }
        outcomes: dict[str, Marks | Missing] = {}
        for future in as_completed(futures):
            key = futures[future]
            outcomes[key] = given = future.result()
            if self._cache is not None and not isinstance(given, Missing):
                self._cache.put({key: given})
        return outcomes

    def _judge(self, prompt: list[Message], outage: "_Outage") -> Marks | Missing:
        if outage.lasts:
            return Missing.SKIPPED
        try:
            answer = self._answer(prompt)
        except ModelUnavailable as fault:
            outage.failed()
            return Missing.TIMEOUT if isinstance(fault.__cause__, openai.APITimeoutError) else Missing.UNREACHABLE
        except ModelRefused:
            answer = Missing.REFUSED
        outage.answered()
        return answer

    def _answer(self, prompt: list[Message]) -> Marks | Missing:
        with self._lock:
            self.counts["asked"] += 1
        completion = self._client.complete_json(
            model=self.settings.model, messages=prompt, schema=self._schema, max_tokens=self.settings.max_tokens
        )
        marks = self.rubric.parse(completion.text)
        if marks is not None:
            return marks
        return Missing.CUT if completion.is_cut else Missing.NONSENSE


class _Outage:
    """Counts questions without an answer in a row, over all threads of one call."""

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._in_a_row = 0
        self._lock = Lock()

    @property
    def lasts(self) -> bool:
        return self._in_a_row >= self._patience

    def failed(self) -> None:
        with self._lock:
            self._in_a_row += 1

    def answered(self) -> None:
        with self._lock:
            self._in_a_row = 0
