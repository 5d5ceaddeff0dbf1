"""Held-out negotiations on autopilot through the real service: ``python -m benchmarks.negotiations [--n N] [--sample FILE] [--json]``.

Every version under test (``--arms``; ``base`` is the model without an adapter) meets the same simulated hotels: held-out personas, phrases
and names. What came of it is read from the database: drafts and the guard's verdicts, templates, leaks, agreements, repetition, how alike
the replies are beside the phrasebook's, and the stars of simulated experts, who see the hotel's truth by replaying it. With ``--keep
FOLDER`` an interrupted run goes on where it was; without it nothing is kept. ``--sample FILE`` writes replies for blind reading.
"""

import argparse
import hashlib
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn, track
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from agent import sop
from agent.language.prompts import prompts_version
from agent.service import Negotiations, connection
from agent.service.batch import Job, run_job
from agent.serving.starter import MODEL_FOLDER, shipped_adapters
from agent.settings import AgentSettings
from agent.simulation import NothingToSay, Quality, ScriptedBD
from benchmarks.negotiation_figures import NO_WORDS, Said, Talk
from benchmarks.negotiation_report import BASE, PHRASEBOOK, goals_of, measure, table_of, write_sample
from benchmarks.throwaway import model_server
from db.embedded import EmbeddedPostgres
from db.engine import create_engine_from, session_factory
from db.errors import ParleyError
from db.migrate import upgrade
from db.models import Conversation, ConversationTicket, Draft, Ticket, Turn
from db.repositories import deployments, policy_versions
from db.vocabulary import DeploymentRole, Speaker
from training.dialogues import held_out
from training.dialogues.retelling import CannotRetell, retold
from training.experts import witness


class UnknownArm(ParleyError):
    """No version has this name."""


# --- the negotiations -----------------------------------------------------------------------------------------------------------------


def mark() -> str:
    """A hash of the weights, the prompts and the SOP: what was kept from other ones is not taken up again."""
    digest = hashlib.sha256(f"{sop.sop_version()} {prompts_version()}".encode())
    for folder in (MODEL_FOLDER, *shipped_adapters().values()):
        for path in sorted(folder.glob("*.safetensors")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


def held_out_jobs(arm: str, *, n: int, seed: int, chinese: float = 0.0) -> list[Job]:
    """``n`` negotiations with held-out personas and names; every arm gets the same hotels, as tickets of its own."""
    return list(held_out.held_out_jobs(n=n, seed=seed, own=f"{mark()}:{arm}", chinese=chinese))


def play(negotiations: Negotiations, arm: str, jobs: Sequence[Job], *, seed: int, at_once: int, console: Console) -> Counter[str]:
    """Let this version negotiate all of them; returns what went wrong, by message. Ctrl-C lets the running ones finish."""
    with negotiations.transaction() as session:
        version = policy_versions.find_by_name(session, version_name(arm))
        if version is None:
            known = ", ".join(version.name for version in policy_versions.list_all(session))
            raise UnknownArm(f"No version is called {arm!r}; --arms takes {BASE} and any of {known}.")
        deployments.deploy(session, version.id, DeploymentRole.LIVE)
    wrong: Counter[str] = Counter()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress, ThreadPoolExecutor(max_workers=at_once) as pool:
        bar = progress.add_task(f"negotiating, {arm}", total=len(jobs))
        futures = [pool.submit(run_job, negotiations, job, seed=seed) for job in jobs]
        try:
            for future in as_completed(futures):
                failure = future.exception()
                error = f"{type(failure).__name__}: {failure}" if failure else future.result().error
                wrong.update([error] if error else [])
                progress.advance(bar)
        except KeyboardInterrupt:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return wrong


def version_name(arm: str) -> str:
    """The name under which an arm's version is stored and served."""
    return AgentSettings().model_name if arm == BASE else arm


@contextmanager
def database(folder: Path) -> Generator[str]:
    """The address of a migrated database in this folder.

    Its server runs in a session of its own: Ctrl-C is for the negotiations, which need it until the running ones have finished.
    """
    server = EmbeddedPostgres(folder / "postgres")
    server.prepare()
    command = [sys.executable, "-m", "db.embedded", str(server.folder), "--port", str(server.port)]
    with server.log.open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    try:
        server.wait()
        url = server.create_database("parley")
        upgrade(url)
        yield url
    finally:
        server.stop()
        process.wait()


@contextmanager
def folder_of_its_own() -> Generator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="parley-benchmark-") as name:
        Path(name).chmod(0o755)  # the database server may have to run as nobody
        yield Path(name)


# --- what was said and what it came to ------------------------------------------------------------------------------------------------


def load(session: Session, arm: str, jobs: Sequence[Job]) -> list[Talk]:
    """The arm's negotiations as the database holds them, in a handful of statements. Raises CannotRetell."""
    numbers = {job.key: job.number for job in jobs}
    ticket = selectinload(Conversation.tickets).joinedload(ConversationTicket.ticket, innerjoin=True)
    found = session.scalars(
        select(Conversation)
        .options(ticket.joinedload(Ticket.hotel, innerjoin=True), joinedload(Conversation.policy_version))
        .where(Conversation.idempotency_key.in_(numbers))
        .order_by(Conversation.id)
    ).all()
    ids = [conversation.id for conversation in found]
    turns, drafts = defaultdict[object, list[Turn]](list), defaultdict[object, list[Draft]](list)
    for turn in session.scalars(select(Turn).where(Turn.conversation_id.in_(ids)).order_by(Turn.number)):
        turns[turn.conversation_id].append(turn)
    with_verdicts = select(Draft).options(selectinload(Draft.verdicts)).where(Draft.conversation_id.in_(ids))
    for draft in session.scalars(with_verdicts.order_by(Draft.for_turn, Draft.attempt)):
        drafts[draft.conversation_id].append(draft)
    talks: list[Talk] = []
    for conversation in track(found, f"retelling, {arm}"):
        assert conversation.policy_version is not None
        if conversation.policy_version.name != version_name(arm):
            raise CannotRetell(f"{conversation.idempotency_key} was held by {conversation.policy_version.name}: keep another folder.")
        talks.append(_talk(numbers[conversation.idempotency_key or ""], conversation, turns[conversation.id], drafts[conversation.id]))
    return sorted(talks, key=lambda talk: talk.number)


def _talk(number: int, conversation: Conversation, turns: Sequence[Turn], drafts: Sequence[Draft]) -> Talk:
    assert conversation.seed is not None, "a simulated hotel has a seed"
    again = retold(conversation, turns)
    ours = [turn for turn in turns if turn.speaker is Speaker.BD]
    origins = {draft.id: draft.origin for draft in drafts}
    said = [
        Said(number=turn.number, origin=origins[turn.draft_id], truth=truth)
        for turn, truth in zip(ours, again.truths, strict=True)
        if turn.draft_id is not None
    ]
    return Talk(
        number=number,
        seed=conversation.seed,
        ended=conversation.closed_at is not None,
        turns=len(turns),
        said=tuple(said),
        rooms=again.rooms,
        first_drafts=tuple(
            frozenset(verdict.rule if draft.text else NO_WORDS for verdict in draft.verdicts) for draft in drafts if draft.attempt == 1
        ),
    )


def scripted(talks: Sequence[Talk], *, seed: int) -> list[Talk]:
    """The same places, with the phrasebook's excellent lines in them, the held-out ones included."""
    bd = ScriptedBD(held_out=True)
    return [replace(talk, said=tuple(_scripted(bd, talk, seed))) for talk in track(talks, "composing, phrasebook")]


def _scripted(bd: ScriptedBD, talk: Talk, seed: int) -> Generator[Said]:
    for said in talk.said:
        truth, rng = said.truth, random.Random(f"{seed}:{talk.number}:{said.number}")
        try:
            text = bd.say(truth.context, truth.move, rng=rng, quality=Quality.EXCELLENT)
        except NothingToSay:
            continue
        if said is talk.said[-1]:  # Nobody hears the last word, as in ``retell``.
            heard = replace(truth, text=text)
        else:
            heard = witness(
                truth.context, truth.move, text, profile=truth.profile, mandates=truth.mandates, seed=talk.seed, heard=truth.heard
            )
        yield replace(said, truth=heard)


def _told(wrong: Mapping[str, Counter[str]]) -> str:
    most = ((arm, *each) for arm, messages in wrong.items() for each in messages.most_common(10))
    return "\n".join(f"failed {times} times, {arm}: {message}" for arm, message, times in most)


def main() -> None:
    """Negotiate what has not been negotiated yet, then measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=500, help="negotiations of each version")
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--arms", default=f"policy-v1,{BASE}", help="versions, the one that the goals are about first")
    parser.add_argument("--seed", type=int, default=2027)
    parser.add_argument("--chinese", type=float, default=0.0, help="share of them that are held in Chinese, from 0 to 1")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--sample", type=Path, help="write replies for blind reading here, and whose they are to FILE.key.json")
    parser.add_argument("--url", help="a model server that serves the shipped weights under their names; without it one is started")
    parser.add_argument("--keep", type=Path, help="keep the database in this folder, and go on with what is in it")
    arguments = parser.parse_args()
    console = Console(width=150)
    arms = dict.fromkeys(arguments.arms.split(","))
    if not 0 <= arguments.chinese <= 1:
        parser.error(f"--chinese is a share from 0 to 1, not {arguments.chinese:g}")
    jobs = {arm: held_out_jobs(arm, n=arguments.n, seed=arguments.seed, chinese=arguments.chinese) for arm in arms}
    wrong: dict[str, Counter[str]] = {}
    with nullcontext(arguments.keep) if arguments.keep else folder_of_its_own() as folder, database(folder) as url:
        engine = create_engine_from(url)
        sessions = session_factory(engine)
        with sessions() as session:
            keys = [job.key for own in jobs.values() for job in own]
            over = select(func.count()).where(Conversation.idempotency_key.in_(keys), Conversation.closed_at.is_not(None))
            to_hold = len(keys) - session.scalars(over).one()
        console.print(f"{to_hold} of {len(keys)} negotiations are to be held.")
        if to_hold:
            try:
                served = nullcontext(arguments.url) if arguments.url else model_server(folder)
                with served as model_url, connection.connect(url, settings=AgentSettings(model_url=model_url)) as negotiations:
                    for arm, own in jobs.items():
                        wrong[arm] = play(negotiations, arm, own, seed=arguments.seed, at_once=arguments.at_once, console=console)
            except UnknownArm as error:
                sys.exit(str(error))
            except KeyboardInterrupt:
                kept = "the same command goes on from here" if arguments.keep else "nothing is kept without --keep FOLDER"
                sys.exit(f"Interrupted; {kept}.")
        with sessions() as session:
            talks: dict[str, Sequence[Talk]] = {arm: load(session, arm, own) for arm, own in jobs.items()}
        engine.dispose()
    if not all(any(talk.said for talk in held) for held in talks.values()):
        sys.exit(f"Nothing was said, so there is nothing to measure. {_told(wrong)}")
    talks[PHRASEBOOK] = scripted(next(iter(talks.values())), seed=arguments.seed)
    measured = measure(talks, n=arguments.n, seed=arguments.seed)
    compared = next(iter(measured.likeness.values()))[0]
    console.print(table_of(measured))
    console.print(f"Every star is a simulated expert's. distinct-2 and self-BLEU are of {compared} replies of each source.")
    console.print(goals_of(measured))
    for arm, figures in measured.conducts.items():
        for leak in figures.leaks[:10]:
            console.print(f"leak, {arm}: {leak}", markup=False)
        for text in figures.repeated[:10]:
            console.print(f"repeated, {arm}: {text}", markup=False)
    if any(wrong.values()):
        console.print(_told(wrong), markup=False)
    if arguments.sample:
        count = write_sample(arguments.sample, talks, seed=arguments.seed)
        console.print(f"{count} replies for reading are in {arguments.sample}.")
    if arguments.json:
        print(json.dumps(asdict(measured) | {"seed": arguments.seed, "marked": mark()}))


if __name__ == "__main__":
    main()
