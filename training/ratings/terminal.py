"""What is done with what was said before people judge it, in a terminal: scores, and second drafts."""

from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from agent.language.client import ModelClient
from agent.settings import AgentSettings
from db.engine import SessionFactory
from db.repositories import examples
from training.ratings.alternatives import draw_alternatives
from training.ratings.doubts import Scored, score_logged
from training.rewards.approval import in_force
from training.rewards.judge import Judge
from training.rewards.scoring import Scorer
from training.runs.checks import judge_settings, reward_model_sha256
from training.runs.plan import NO_JUDGE
from training.starter.progress import BuildEvent, bars


def score_command(sessions: SessionFactory, reward_model: Path, *, judge: str, judge_url: str | None, last_n: int, console: Console) -> int:
    """Score by the reward spec in force and say what came of it; returns the exit status."""
    name = reward_model_sha256(reward_model)
    with sessions() as session:
        spec = in_force(session)
    # It brings torch, which takes seconds.
    from training.rewards.model import RewardModel

    model = RewardModel.load(reward_model)
    with bars() as report:

        def told(done: int, total: int) -> None:
            report(BuildEvent(phase="scoring", done=done, total=total))

        if judge == NO_JUDGE:
            scorer = Scorer(model.score_replies, None, spec)
            found = score_logged(sessions, scorer, reward_model=name, last_n=last_n, progress=told)
        else:
            with Judge(judge_settings(judge, judge_url=judge_url), rubric=spec.rubric) as asked:
                asked.probe()
                scorer = Scorer(model.score_replies, asked.judge_many, spec)
                found = score_logged(sessions, scorer, reward_model=name, last_n=last_n, progress=told)
    console.print(scored_words(found), highlight=False)
    return 0


def alternatives_command(sessions: SessionFactory, model_url: str, *, last_n: int, at_once: int, console: Console) -> int:
    """Draw second drafts for the newest conversations and say how many there are; returns the exit status."""
    with sessions() as session:
        newest = examples.list_conversations(session, as_of=datetime.now(UTC))[-last_n:]
    settings = AgentSettings(model_url=model_url)
    client = ModelClient(settings.model_url, timeout=settings.model_timeout_s, retries=settings.model_retries)
    with client, bars() as report:

        def told(done: int, total: int) -> None:
            report(BuildEvent(phase="second drafts", done=done, total=total))

        drawn = draw_alternatives(sessions, client, newest, at_once=at_once, progress=told)
    console.print(f"{drawn:,} second drafts in {len(newest):,} conversations; queues for comparing find them.", highlight=False)
    return 0


def scored_words(found: Scored) -> str:
    """What came of it, in a sentence or two."""
    if not found.turns and not found.left_out:
        return "Every reply has its score already."
    left = f" {found.left_out:,} could not be scored: what was known when they were written cannot be rebuilt." if found.left_out else ""
    return f"{found.turns:,} replies scored, {found.judged:,} of them judged as well; about {found.doubtful:,} the two are at odds.{left}"
