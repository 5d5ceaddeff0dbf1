"""The demo, step by step: negotiate, rate, retrain, gate, canary, live, negotiate again, on an instance that is its own.

Decided here: that it begins with the bare base, an average BD; that what is learnt from and what is measured are other hotels, phrases and
raters; and that every step is found again by its key, so that the same command goes on after any stop. The retrain is carried out by the
instance's own worker, as everywhere.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, as_completed, wait
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from threading import Event
from typing import Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.language.client import ModelClient
from agent.service import Negotiations
from agent.service.batch import Job, open_job, run_job, simulated_jobs
from agent.serving.starter import shipped_adapters
from agent.settings import AgentSettings
from db.engine import SessionFactory
from db.errors import ParleyError
from db.models import Retrain, RetrainStepRow
from db.repositories import policy_versions, retrains
from db.vocabulary import RetrainState
from training.demo.colleagues import negotiate_with_a_colleague
from training.demo.comparing import Compared, compared
from training.demo.raters import Rated, compare_alternatives, rate_conversations
from training.dialogues.held_out import held_out_jobs
from training.experts import Expert, panel
from training.jobs import requests
from training.jobs.plan import Budget, Effort, Judge, Logged, RetrainPlan
from training.objectives.settings import SettingsError
from training.ratings.alternatives import draw_alternatives
from training.release import traffic
from training.release.fleet import Fleet
from training.runs.values import typed

TODAY = date(2027, 1, 4)
"""Of all stays: the same hotels in every demo."""
LINE = "demo"
_SEED, _HELD_OUT_SEED = 41, 2_028
_TEACHERS = tuple(replace(expert, name=f"teacher {number}") for number, expert in enumerate(panel(3, seed=41), start=1))
"""Who rates what is learnt from; who measures never does."""
_JUDGES = panel(5, seed=2_027)
_LOOK_S = 1.0


class DemoFailed(ParleyError):
    """A step did not come to what the next one needs."""


class DemoSettings(BaseModel):
    """How much is done."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    lessons: int = Field(default=20, ge=8)
    """Negotiations that the experts' ratings are of."""
    shown: int = Field(default=36, ge=0)
    """Negotiations in which a colleague edits the drafts."""
    measured: int = Field(default=24, ge=2)
    """Held-out hotels that are met before and after."""
    at_once: int = Field(default=8, ge=1, le=64)
    """Negotiations at the same time."""
    imitate: int = Field(default=60, ge=0)
    """Steps in which edits, rewrites and excellent replies are imitated."""
    steps: int = Field(default=8, ge=1)
    """Steps of REPO after that."""
    dialogues: int = Field(default=24, ge=10)
    """Of the gate, with held-out hotels of its own."""
    canary_share: float = Field(default=0.7, gt=0, lt=1)
    canary_most: int = Field(default=160, ge=40)
    """Negotiations while the canary is out, at most; after them it is only waited for."""
    minutes: float = Field(default=20.0, gt=0)
    """Of work on the retrain at most."""
    judge: Judge = "starter"

    @property
    def plan(self) -> RetrainPlan:
        """Of the retrain."""
        return RetrainPlan(
            line=LINE,
            objective="repo",
            settings={"steps": self.steps, "prompts": 8, "copies": 4, "learning_rate": 5e-4, "beta": 0.1, "balance": 1.0},
            imitate=self.imitate,
            # Of some 600 demonstrations two or three go on to the right person and none is Chinese: both are forgotten without rehearsal.
            imitation={"learning_rate": 2e-3, "batch": 8},
            rehearsal=12,
            material=Logged(judged_only=True, validation_share=0.2),
            reward_model={"balance_length": True, "threads": 2},
            judge=self.judge,
            held_out=24,
            # All hotels of the demo speak English.
            effort=Effort(dialogues=self.dialogues, chinese=0.0),
            canary_share=self.canary_share,
            automatic=True,
            budget=Budget(minutes=self.minutes),
        )


def demo_settings(values: Sequence[str]) -> DemoSettings:
    """From ``key=value``. Raises SettingsError with what was wrong."""
    try:
        return DemoSettings.model_validate(typed(values))
    except ValidationError as error:
        fault = error.errors()[0]
        known = ", ".join(DemoSettings.model_fields)
        raise SettingsError(
            f"{'.'.join(map(str, fault['loc']))} cannot be {fault['input']!r}: {fault['msg']}. There are {known}."
        ) from error


class Audience(Protocol):
    """Who follows the demo."""

    def step(self, title: str, says: str) -> None:
        """The next step begins."""
        ...

    def progress(self, done: int, of: int) -> None:
        """So much of it is done."""
        ...

    def retraining(self, row: Retrain, steps: Sequence[RetrainStepRow]) -> None:
        """How the retrain is doing."""
        ...

    def done(self, says: str) -> None:
        """What came of the step."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What the demo came to."""

    retrain_id: UUID
    before: str
    """Name of the version that was live at the beginning."""
    after: str
    compared: Mapping[str, Compared]
    """By the figure's name."""


def run_demo(
    negotiations: Negotiations,
    sessions: SessionFactory,
    client: ModelClient,
    fleet: Fleet,
    audience: Audience,
    *,
    settings: DemoSettings | None = None,
    wake: Callable[[UUID], None] = lambda _: None,
) -> Came:
    """All of it, or what is missing of it.

    ``client`` draws second drafts to compare; ``wake`` tells a worker that there is something to do, which the tick finds in any case.

    Raises:
        DemoFailed: where the gate rejects the candidate, its canary is taken back, or a step breaks off.
    """
    return _Demo(negotiations, sessions, client, fleet, audience, settings or DemoSettings(), wake).run()


class _Demo:
    def __init__(
        self,
        negotiations: Negotiations,
        sessions: SessionFactory,
        client: ModelClient,
        fleet: Fleet,
        audience: Audience,
        settings: DemoSettings,
        wake: Callable[[UUID], None],
    ) -> None:
        self._negotiations, self._sessions, self._client = negotiations, sessions, client
        self._fleet, self._audience = fleet, audience
        self._settings, self._wake = settings, wake

    def run(self) -> Came:
        retrain = self._retrain()
        if retrain is None:
            self._begin_with_the_base()
        before = self._measured("before", "Negotiate", "with hotels that no training meets, to know where we begin")
        if retrain is None:
            self._lessons()
            self._shown()
            retrain = self._ask()
        row = self._followed(retrain)
        if row.state is RetrainState.CANARY:
            row = self._canary(retrain)
        if row.state is not RetrainState.LIVE:
            raise DemoFailed(f"The retrain ended {row.state}: {_why(row)} `parley retrain show {str(retrain)[:13]}` has every figure.")
        after = self._measured("after", "Negotiate again", "the same hotels meet the new version")
        assert row.candidate is not None, "what is live has a version"
        return Came(retrain_id=retrain, before=AgentSettings().model_name, after=row.candidate.name, compared=compared(before, after))

    # -- steps ---------------------------------------------------------------------------------------------------------------------------

    def _begin_with_the_base(self) -> None:
        self._audience.step("Begin", "with the bare base, an average BD with bad habits")
        with self._sessions() as session:
            base = policy_versions.find_by_name(session, AgentSettings().model_name)
        if base is None:
            raise DemoFailed("The instance has no version of the base model: start it again.")
        traffic.promote(self._sessions, self._fleet, base.id, reason="the demo begins with the base")
        self._audience.done(f"{base.name} is live; {', '.join(shipped_adapters())} ships and waits on the page Versions")

    def _measured(self, own: str, title: str, says: str) -> dict[int, Rated]:
        """What the judges say of the held-out hotels, by their number."""
        self._audience.step(title, says)
        jobs = list(held_out_jobs(n=self._settings.measured, seed=_HELD_OUT_SEED, own=f"demo:{own}"))
        held = self._held(jobs, _HELD_OUT_SEED)
        rated = self._rated(held.values(), _JUDGES)
        stars = [star for one in rated.values() for star in one.stars]
        mean = sum(stars) / len(stars)
        self._audience.done(f"{len(held)} negotiations, {len(stars)} replies, {mean:.2f} stars by {len(_JUDGES)} simulated experts")
        return {number: rated[conversation_id] for number, conversation_id in held.items()}

    def _shown(self) -> None:
        self._audience.step("Colleagues", "on copilot a simulated colleague edits the drafts, and the talk goes on with the edits")
        jobs = [replace(job, key=f"colleague:{job.key}") for job in simulated_jobs(n=self._settings.shown, seed=_SEED + 2, today=TODAY)]
        held = self._together(jobs, lambda job: negotiate_with_a_colleague(self._negotiations, job, seed=_SEED + 2))
        self._rated(held.values(), _TEACHERS)
        self._audience.done(f"{len(held)} negotiations, every edit kept beside its draft")

    def _lessons(self) -> None:
        says = "with other hotels; simulated experts give stars, name faults, compare, and write what they would have said"
        self._audience.step("Negotiate and rate", says)
        held = self._held(list(simulated_jobs(n=self._settings.lessons, seed=_SEED, today=TODAY)), _SEED)
        rated = self._rated(held.values(), _TEACHERS)
        replies = sum(len(one.stars) for one in rated.values())
        draw_alternatives(
            self._sessions, self._client, list(held.values()), at_once=self._settings.at_once, progress=self._audience.progress
        )
        compared = compare_alternatives(self._sessions, list(held.values()), _TEACHERS)
        self._audience.done(f"{replies * len(_TEACHERS):,} ratings of {replies} replies, {compared:,} comparisons, all on the page Quality")

    def _ask(self) -> UUID:
        with self._sessions.begin() as session:
            retrain_id = requests.request_retrain(session, self._settings.plan).id
        self._wake(retrain_id)
        return retrain_id

    def _followed(self, retrain_id: UUID) -> Retrain:
        """Until it has its canary, or has ended."""
        self._audience.step("Retrain", "snapshot, reward model, REPO, evaluation, gate, publication, canary")
        while True:
            row = self._look(retrain_id)
            if row.state is RetrainState.CANARY or row.state.is_end:
                self._audience.done(f"the retrain is {row.state}")
                return row
            time.sleep(_LOOK_S)

    def _canary(self, retrain_id: UUID) -> Retrain:
        """New conversations come in, until the watch has decided."""
        self._audience.step("Canary", f"{self._settings.canary_share:.0%} of new conversations; the watch looks at it each minute")
        jobs = simulated_jobs(n=self._settings.canary_most, seed=_SEED + 1, today=TODAY)
        held, running, decided = 0, set[Future[UUID]](), Event()
        with ThreadPoolExecutor(max_workers=self._settings.at_once) as pool:
            try:
                while (row := self._look(retrain_id)).state is RetrainState.CANARY:
                    # One that is over makes place for the next one: a long talk holds nobody up.
                    free = self._settings.at_once - len(running)
                    running |= {pool.submit(self._hold_until, decided, job) for job in islice(jobs, free)}
                    done, running = wait(running, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
                    self._rated([one.result() for one in done], _JUDGES, quietly=True)
                    held += len(done)
                    self._audience.progress(held, self._settings.canary_most)
                    if not done and not running:
                        time.sleep(_LOOK_S)
            finally:
                decided.set()
        self._audience.done(f"after {held} negotiations it is {row.state}")
        return row

    def _hold_until(self, decided: Event, job: Job) -> UUID:
        """One of the canary's time; what is not over when it is decided stays open, as talks with hotels do."""
        conversation = open_job(self._negotiations, job, seed=_SEED + 1)
        for _ in self._negotiations.play(conversation, go_on=lambda: not decided.is_set()):
            pass
        return conversation

    # -- parts of a step -----------------------------------------------------------------------------------------------------------------

    def _held(self, jobs: Sequence[Job], seed: int) -> dict[int, UUID]:
        """Hold them on autopilot, or find them; conversations by the job's number."""

        def hold(job: Job) -> UUID:
            outcome = run_job(self._negotiations, job, seed=seed)
            if outcome.view is None:
                raise DemoFailed(f"A negotiation broke off: {outcome.error} The same command goes on from here.")
            return outcome.view.id

        return self._together(jobs, hold)

    def _together(self, jobs: Sequence[Job], hold: Callable[[Job], UUID]) -> dict[int, UUID]:
        with ThreadPoolExecutor(max_workers=self._settings.at_once) as pool:
            futures = {pool.submit(hold, job): job for job in jobs}
            found: dict[int, UUID] = {}
            try:
                for future in as_completed(futures):
                    found[futures[future].number] = future.result()
                    self._audience.progress(len(found), len(jobs))
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return dict(sorted(found.items()))

    def _rated(self, held: Iterable[UUID], experts: Sequence[Expert], *, quietly: bool = False) -> dict[UUID, Rated]:
        return rate_conversations(
            self._sessions, list(held), experts, progress=(lambda _done, _of: None) if quietly else self._audience.progress
        )

    def _retrain(self) -> UUID | None:
        """The demo's, where it was asked for before."""
        with self._sessions() as session:
            return next((row.id for row in retrains.list_newest(session) if row.policy_line == LINE), None)

    def _look(self, retrain_id: UUID) -> Retrain:
        with self._sessions() as session:
            row, steps = retrains.get_with_people(session, retrain_id), retrains.steps(session, retrain_id)
        self._audience.retraining(row, steps)
        return row


def _why(row: Retrain) -> str:
    """What is known of the end, as one or more sentences."""
    if row.error:
        return row.error
    failed = [one for one in (row.verdict or {}).get("criteria", ()) if not one["met"]]
    return "".join(f"{one['title']}: {one['says']}. " for one in failed).strip()
