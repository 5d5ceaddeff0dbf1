"""Who works on a conversation while people look on: one background job a conversation, whatever becomes of the page.

A page starts a job with an idempotency key and follows its events; a reload, a double click or a second window finds the same job and
follows it from the start. Nothing here is the truth: a job that dies with the process is begun again from what Postgres knows
(``Negotiations.resume``). While the model server is away a job waits and tries again by itself.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from secrets import token_hex
from threading import Condition, Event, Lock
from uuid import UUID

import structlog

from agent.domain import HotelMove
from agent.guardrails import Violation
from agent.language.client import ModelUnavailable
from agent.service.errors import GuardRefused
from agent.service.events import Advanced, Drafted, Ended, Judged, Read, Received, Sent, TurnEvent, Writing
from agent.service.negotiations import Negotiations
from db.errors import ParleyError
from db.vocabulary import Counterpart, Mode, Speaker, Stage

_LOG = structlog.get_logger("parley.web.desk")
_KEPT_KEYS = 2_000
RETRY_S = 2.0
"""Seconds between two attempts while the model server is away."""


class Phase(StrEnum):
    """What a job is doing, as far as a person cares."""

    STARTING = "starting"
    READING = "reading"
    WRITING = "writing"
    CHECKING = "checking"
    REWRITING = "rewriting"
    WAITING_FOR_MODEL = "waiting_for_model"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A job at one moment."""

    phase: Phase = Phase.STARTING
    version: int = 0
    """Grows with every change."""
    turns: int = 0
    """Turns that this job has added to the transcript."""
    sent: int = 0
    """How many of them are ours."""
    text: str = ""
    """The draft so far."""
    hotel_move: HotelMove | None = None
    stage: Stage | None = None
    refused: tuple[Violation, ...] = ()
    """What the guard said where it refused a person's words."""
    error: str = ""
    """A sentence for the person, where the job failed."""

    @property
    def is_over(self) -> bool:
        """True where nothing more will come."""
        return self.phase in {Phase.DONE, Phase.FAILED, Phase.STOPPED}


def fold(progress: Progress, event: TurnEvent) -> Progress:
    """The progress after one more event."""
    match event:
        case Received():
            return replace(progress, phase=Phase.READING, turns=progress.turns + 1, text="", hotel_move=None)
        case Read():
            return replace(progress, hotel_move=event.hotel_move)
        case Advanced():
            return replace(progress, phase=Phase.WRITING, stage=event.stage, text="")
        case Writing():
            return replace(progress, phase=Phase.WRITING, text=event.text if event.fresh else progress.text + event.text)
        case Judged():
            return replace(progress, phase=Phase.REWRITING if event.violations else Phase.CHECKING)
        case Drafted():
            return replace(progress, phase=Phase.CHECKING, text=event.text)
        case Sent():
            return replace(progress, turns=progress.turns + 1, sent=progress.sent + 1, text="", hotel_move=None)
        case Ended():
            return replace(progress, stage=event.stage, text="")


@dataclass(slots=True)
class Job:
    """One piece of work on one conversation."""

    conversation_id: UUID
    key: str
    changed: Condition = field(default_factory=Condition)
    stop: Event = field(default_factory=Event)
    progress: Progress = field(default_factory=Progress)

    def update(self, progress: Progress) -> None:
        """Publish a new state to everyone who follows."""
        with self.changed:
            self.progress = replace(progress, version=self.progress.version + 1)
            self.changed.notify_all()

    def follow(self, *, beat_s: float = 0.25) -> Iterator[Progress]:
        """The job's states as they come, and the present one again every ``beat_s`` seconds; ends with the job."""
        seen = -1
        while True:
            with self.changed:
                if self.progress.version == seen:
                    self.changed.wait(beat_s)
                current = self.progress
            seen = current.version
            yield current
            if current.is_over:
                return


Work = Callable[[], Iterator[TurnEvent]]


class Desk:
    """The jobs of this process. Thread-safe."""

    def __init__(self, negotiations: Negotiations, *, workers: int = 64) -> None:
        self._negotiations = negotiations
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="desk")
        self._lock = Lock()
        self._jobs: dict[UUID, Job] = {}
        self._keys: dict[str, None] = {}
        self._paused: set[UUID] = set()

    def close(self) -> None:
        """Ask all jobs to stop after their present turn, and wait for none of them."""
        with self._lock:
            for job in self._jobs.values():
                job.stop.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def job(self, conversation_id: UUID) -> Job | None:
        """The conversation's running or latest job."""
        with self._lock:
            return self._jobs.get(conversation_id)

    def busy(self, conversation_id: UUID) -> bool:
        """Whether somebody works on it now."""
        job = self.job(conversation_id)
        return job is not None and not job.progress.is_over

    def finished(self, conversation_id: UUID) -> Job | None:
        """The conversation's latest job, if it is over: whatever is read from now on holds what it did."""
        job = self.job(conversation_id)
        return job if job is not None and job.progress.is_over else None

    def start(self, conversation_id: UUID, work: Work, *, key: str) -> Job:
        """Begin work, or find what is already being done: the same key twice, or a conversation that is busy, begins nothing."""
        with self._lock:
            present = self._jobs.get(conversation_id)
            if present is not None and (key in self._keys or not present.progress.is_over):
                return present
            self._keys[key] = None
            while len(self._keys) > _KEPT_KEYS:
                del self._keys[next(iter(self._keys))]
            job = self._jobs[conversation_id] = Job(conversation_id, key)
            self._pool.submit(self._run, job, work)
            return job

    def resume(self, conversation_id: UUID) -> Job:
        """Go on with whatever is pending. Harmless where nothing is."""
        return self.start(conversation_id, lambda: self._negotiations.resume(conversation_id), key=f"resume:{token_hex(8)}")

    def hear(self, conversation_id: UUID, *, key: str, actor: UUID | None) -> Job:
        """Let the simulated hotel answer our last reply once."""
        return self.start(conversation_id, lambda: self._hear(conversation_id, actor), key=key)

    def play(self, conversation_id: UUID) -> Job:
        """Let the agent and the simulated hotel talk until an end, a take-over, or ``pause``."""
        self._paused.discard(conversation_id)
        return self.start(conversation_id, lambda: self._play(conversation_id), key=f"play:{token_hex(8)}")

    def pause(self, conversation_id: UUID) -> None:
        """Stop playing after the present turn, and do not begin again until ``play``."""
        self._paused.add(conversation_id)
        job = self.job(conversation_id)
        if job is not None:
            job.stop.set()

    def paused(self, conversation_id: UUID) -> bool:
        """Whether a person has stopped the play."""
        return conversation_id in self._paused

    def dismiss(self, conversation_id: UUID) -> None:
        """Forget a job that is over, with the error it left."""
        with self._lock:
            job = self._jobs.get(conversation_id)
            if job is not None and job.progress.is_over:
                del self._jobs[conversation_id]

    def _hear(self, conversation_id: UUID, actor: UUID | None) -> Iterator[TurnEvent]:
        view = self._negotiations.view(conversation_id)
        if view.turns and view.turns[-1].speaker is Speaker.BD:
            yield from self._negotiations.hear_simulated(conversation_id, actor=actor)
        else:  # a second attempt: the hotel has spoken already, only our answer is missing
            yield from self._negotiations.resume(conversation_id)

    def _play(self, conversation_id: UUID) -> Iterator[TurnEvent]:
        yield from self._negotiations.resume(conversation_id)
        while not self.paused(conversation_id):
            view = self._negotiations.view(conversation_id)
            plays = view.mode is Mode.AUTOPILOT and view.counterpart is Counterpart.SIMULATED and view.taken_over_by is None
            if not plays or view.is_end or not view.turns or view.turns[-1].speaker is Speaker.HOTEL:
                return
            yield from self._negotiations.hear_simulated(conversation_id)

    def _run(self, job: Job, work: Work) -> None:
        try:
            self._drain(job, work)
        except GuardRefused as refusal:
            self._forget_key(job.key)
            refused = tuple(refusal.violations)
            job.update(replace(job.progress, phase=Phase.FAILED, refused=refused, error=str(refusal)))
        except ParleyError as error:
            self._forget_key(job.key)
            _LOG.info("a job could not be done", conversation=str(job.conversation_id), reason=str(error))
            job.update(replace(job.progress, phase=Phase.FAILED, error=str(error)))
        except Exception:
            # The page of whoever waits must learn of it; the details belong in the log.
            self._forget_key(job.key)
            reference = token_hex(4)
            _LOG.exception("a job broke", conversation=str(job.conversation_id), reference=reference)
            sentence = (
                f"Something went wrong on our side; nothing that was sent is lost. Try again, or tell your administrator: {reference}."
            )
            job.update(replace(job.progress, phase=Phase.FAILED, error=sentence))

    def _forget_key(self, key: str) -> None:
        """What was not done may be asked for again."""
        with self._lock:
            self._keys.pop(key, None)

    def _drain(self, job: Job, work: Work) -> None:
        attempt = work
        while True:
            try:
                for event in attempt():
                    job.update(fold(job.progress, event))
            except ModelUnavailable:
                if job.progress.phase is not Phase.WAITING_FOR_MODEL:
                    _LOG.warning("waiting for the model server", conversation=str(job.conversation_id))
                job.update(replace(job.progress, phase=Phase.WAITING_FOR_MODEL, text=""))
                if job.stop.wait(RETRY_S):
                    job.update(replace(job.progress, phase=Phase.STOPPED))
                    return
                # The words that came in are already stored; what is left to do is what ``resume`` does.
                continue
            over = Phase.STOPPED if job.stop.is_set() else Phase.DONE
            job.update(replace(job.progress, phase=over))
            return
