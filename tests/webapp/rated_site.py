"""What the tests of the pages around ratings start from: real conversations in a site's database, and what people said of them."""

from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import select
from web_site import Site

from agent.service import Negotiations, connect
from agent.service.demo import seed_demo
from agent.settings import AgentSettings
from db.models import Rating, RatingTag, Turn
from db.repositories import ratings, users
from db.vocabulary import IssueTag, JudgementKind, Role, Severity, Speaker
from tests.training.data.data_scenes import ScriptedClient, opened, pending

PUSHY = "Answer today or we drop your hotel <b>for good</b>."


def talk(site: Site, *references: str) -> UUID:
    """A conversation on demo tickets: greeting, the hotel's offer, and a threat of ours as the third turn."""
    with site.sessions() as session:
        address = session.get_bind().engine.url.render_as_string(hide_password=False)
    settings = AgentSettings(_env_file=None)  # pyright: ignore[reportCallIssue]
    with connect(address, settings=settings, client=ScriptedClient()) as service:
        with service.transaction() as session:
            seed_demo(session, today=date(2027, 1, 1))
        conversation = opened(service, *references)
        _speak(service, conversation)
        return conversation


def _speak(service: Negotiations, conversation: UUID) -> None:
    for _ in service.approve(pending(service, conversation), key=str(uuid4()), actor=None):
        pass
    for _ in service.receive(conversation, "Hello. We could do 118 net, not less.", key=str(uuid4()), actor=None):
        pass
    for _ in service.edit(pending(service, conversation), PUSHY, key=str(uuid4()), actor=None, despite_guard=True):
        pass


def our_turns(site: Site, conversation: UUID) -> list[Turn]:
    """What we said, in order."""
    with site.sessions() as session:
        return list(
            session.scalars(
                select(Turn).where(Turn.conversation_id == conversation, Turn.speaker == Speaker.BD).order_by(Turn.number)
            ).all()
        )


def person(site: Site, role: Role) -> UUID:
    """The person of that role."""
    with site.sessions() as session:
        found = users.find_by_email(session, f"{role}@parley.test")
        assert found is not None
        return found.id


def rate(site: Site, turn: Turn, *, stars: int, comment: str = "", rewrite: str | None = None, fault: IssueTag | None = None) -> UUID:
    """An annotator's judgement of one turn."""
    rating = Rating(
        kind=JudgementKind.TURN,
        rater_id=person(site, Role.ANNOTATOR),
        conversation_id=turn.conversation_id,
        turn_id=turn.id,
        idempotency_key=str(uuid4()),
        stars=stars,
        comment=comment,
        rewrite=rewrite,
    )
    with site.sessions.begin() as session:
        tags = [RatingTag(rating_id=rating.id, tag=fault, severity=Severity.SEVERE)] if fault is not None else []
        ratings.add(session, rating, tags)
    return rating.id
