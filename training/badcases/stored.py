"""Bad cases that people make out of real turns: frozen at the making, then worded in versions, of which the newest counts.

Decided here: when a case is sound. Its checks can be read, ask nothing twice and nothing that excludes itself, and the reply as it was said
fails them; a case that its own bad reply passes would call every version of the policy a success. Every change is an audit event.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from sqlalchemy.orm import Session

from agent.domain import AllowedMove, Reply, TurnContext
from agent.records import from_json, to_json
from db import models
from db.errors import ParleyError
from db.models import BadCaseVersion, Json, Rating, Turn
from db.repositories import audit_events, bad_cases, conversations, drafts, turns
from db.vocabulary import IssueTag, Severity, Speaker
from training.badcases.case import BadCase, Check
from training.badcases.choices import Argument, check_of, choice_of
from training.badcases.loading import BadCaseError
from training.badcases.verdicts import Verdict, verdict
from training.data.contexts import past_contexts

MOST_TITLE_CHARS = 120
MOST_WRONG_CHARS = 2_000
FEWEST_WRONG_CHARS = 10


class CannotFreeze(ParleyError):
    """A turn of which no case can be made."""


class CaseWrong(ParleyError):
    """The wording of a case is not sound."""


class CaseExists(ParleyError):
    """The turn has a case already."""

    def __init__(self, case_id: uuid.UUID) -> None:
        super().__init__("This turn is a bad case already. Open that one and change it.")
        self.case_id = case_id


class CaseChanged(ParleyError):
    """Somebody else has changed the case in the meantime."""

    def __init__(self) -> None:
        super().__init__("Somebody else has changed this case in the meantime. Reload the page to see their version, then change that.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What a person says of a case."""

    title: str
    fault: IssueTag
    severity: Severity
    wrong: str
    """What is wrong with the reply, in plain words."""
    must: tuple[str, ...] = ()
    """What a fix does, one line a check (``training.badcases.choices``)."""
    must_not: tuple[str, ...] = ()
    """What a clean fix does not do, likewise."""


# -- reading ----------------------------------------------------------------------------------------------------------------------------


def cases(session: Session) -> tuple[BadCase, ...]:
    """Every case in force, the oldest first: what ``evaluate`` takes beside the shipped ones.

    Raises:
        BadCaseError: naming a case that cannot be read any more.
    """
    return tuple(as_case(case, version) for case, version, _ in reversed(bad_cases.search(session, limit=None)))


def as_case(case: models.BadCase, version: BadCaseVersion) -> BadCase:
    """One stored case in one of its versions. Raises BadCaseError."""
    try:
        context, bad = frozen(case)
        return _built(str(case.id), wording_of(version), context, bad)
    except (ValidationError, ParleyError) as error:
        raise BadCaseError(f"The bad case “{version.title}” ({case.id}) cannot be used; change it or retire it. {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A case in force as plain values, for a process that has no database."""

    id: str
    context: TurnContext
    bad: Reply
    wording: Wording


def kept(session: Session) -> tuple[Kept, ...]:
    """Every case in force, the oldest first. Raises BadCaseError as ``cases`` does."""
    found: list[Kept] = []
    for case, version, _ in reversed(bad_cases.search(session, limit=None)):
        as_case(case, version)
        context, bad = frozen(case)
        found.append(Kept(id=str(case.id), context=context, bad=bad, wording=wording_of(version)))
    return tuple(found)


def of_kept(one: Kept) -> BadCase:
    """The case again."""
    return _built(one.id, one.wording, one.context, one.bad)


def frozen(case: models.BadCase) -> tuple[TurnContext, Reply]:
    """What was to be answered, and what was said."""
    return from_json(TurnContext, case.context), from_json(Reply, case.reply)


def wording_of(version: BadCaseVersion) -> Wording:
    """What a stored version says."""
    return Wording(
        title=version.title,
        fault=version.fault,
        severity=version.severity,
        wrong=version.wrong,
        must=tuple(version.must),
        must_not=tuple(version.must_not),
    )


def freeze(session: Session, turn_id: uuid.UUID) -> tuple[TurnContext, Reply]:
    """The turn as its writer saw it, and what we said. Raises CannotFreeze."""
    turn = session.get(Turn, turn_id)
    if turn is None or turn.speaker is not Speaker.BD:
        raise CannotFreeze(f"There is no turn of ours {turn_id}. Choose a rated turn from the list.")
    conversation = conversations.get_with_tickets(session, turn.conversation_id)
    said = turns.list_said(session, turn.conversation_id)
    context = past_contexts(conversation, said, drafts.list_attempts(session, turn.conversation_id, turn.number)).get(turn.number)
    if context is None or turn.move is None:
        raise CannotFreeze("A person wrote this turn after taking over: it makes none of our moves. Choose a turn that the agent wrote.")
    return context, Reply(move=from_json(AllowedMove, turn.move), text=turn.text)


# -- trying out -------------------------------------------------------------------------------------------------------------------------


def judge(wording: Wording, context: TurnContext, reply: Reply) -> Verdict:
    """How a reply does on a case that is still being worded. Raises CaseWrong or CheckError where a check cannot be used."""
    return verdict(_built("draft", wording, context, reply), reply)


# -- writing ----------------------------------------------------------------------------------------------------------------------------


def make(session: Session, wording: Wording, *, turn_id: uuid.UUID, rating_id: uuid.UUID | None, actor: uuid.UUID) -> uuid.UUID:
    """Make a case of one turn, with its first version; ``rating_id`` is the judgement that led to it.

    Raises:
        CannotFreeze: the turn cannot be used.
        CaseWrong, CheckError: the wording is not sound.
        CaseExists: the turn has a case.
    """
    context, bad = freeze(session, turn_id)
    sound = _sound(wording, context, bad)
    rating = session.get(Rating, rating_id) if rating_id is not None else None
    if rating_id is not None and (rating is None or rating.turn_id != turn_id):
        raise CaseWrong(f"The judgement {rating_id} is not about this turn. Open the turn from the list of rated turns.")
    case, is_new = bad_cases.add_once(
        session,
        models.BadCase(turn_id=turn_id, rating_id=rating_id, context=to_json(context), reply=to_json(bad), created_by=actor),
    )
    if not is_new:
        raise CaseExists(case.id)
    _write(session, case.id, sound, number=1, retired=False, actor=actor)
    _record(session, "bad_case.make", case.id, actor, before=None, after={"turn_id": str(turn_id), **to_json(sound)})
    return case.id


def revise(session: Session, case_id: uuid.UUID, wording: Wording, *, seen: int, actor: uuid.UUID) -> None:
    """Word a case anew; ``seen`` is the number of the version that the person has changed. The same words change nothing.

    Raises:
        CaseWrong, CheckError: the wording is not sound.
        CaseChanged: there is a newer version than ``seen``.
    """
    case = bad_cases.get_with_versions(session, case_id)
    newest = _newest(case, seen)
    sound = _sound(wording, *frozen(case))
    before = wording_of(newest)
    if sound == before:
        return
    _write(session, case_id, sound, number=seen + 1, retired=newest.retired, actor=actor)
    _record(session, "bad_case.edit", case_id, actor, before=to_json(before), after=to_json(sound))


def set_retired(session: Session, case_id: uuid.UUID, *, retired: bool, seen: int, actor: uuid.UUID) -> None:
    """Take a case out of evaluation, or back into it; nothing of it is lost.

    Raises:
        CaseChanged: there is a newer version than ``seen``.
        CaseWrong, CheckError: a case that comes back is not sound any more.
    """
    case = bad_cases.get_with_versions(session, case_id)
    newest = _newest(case, seen)
    if newest.retired == retired:
        return
    wording = wording_of(newest) if retired else _sound(wording_of(newest), *frozen(case))
    _write(session, case_id, wording, number=seen + 1, retired=retired, actor=actor)
    action = "bad_case.retire" if retired else "bad_case.restore"
    _record(session, action, case_id, actor, before={"retired": newest.retired}, after={"retired": retired})


# -- what is sound ----------------------------------------------------------------------------------------------------------------------


def _sound(wording: Wording, context: TurnContext, bad: Reply) -> Wording:
    """The wording with its spaces tidied. Raises CaseWrong or CheckError."""
    title, wrong = " ".join(wording.title.split()), wording.wrong.strip()
    if not 1 <= len(title) <= MOST_TITLE_CHARS or not title.isprintable():
        raise CaseWrong(f"A case needs a title of at most {MOST_TITLE_CHARS} characters, such as “Takes ‘noted’ for a yes”.")
    if not FEWEST_WRONG_CHARS <= len(wrong) <= MOST_WRONG_CHARS or "\0" in wrong:
        raise CaseWrong(f"Say in {FEWEST_WRONG_CHARS} to {MOST_WRONG_CHARS:,} characters what is wrong with the reply.")
    tidy = Wording(title=title, fault=wording.fault, severity=wording.severity, wrong=wrong, must=wording.must, must_not=wording.must_not)
    if verdict(_built("new", tidy, context, bad), bad).fixed:
        raise CaseWrong(
            "The reply as it was said passes all of this, so nothing would count as bad. "
            "Add something under “must” that a better reply does and this one does not, or choose the fault that it has."
        )
    return tidy


def _built(case_id: str, wording: Wording, context: TurnContext, bad: Reply) -> BadCase:
    if twice := sorted(set(wording.must) & set(wording.must_not)):
        raise CaseWrong(f"A reply cannot do and not do the same: {check_of(twice[0]).says}. Take one of the two away.")
    for line in wording.must_not:
        choice, _ = choice_of(line)
        if choice.denies:
            raise CaseWrong(f"“Must not {choice.words}” says two times no. Put it under “must”, or choose its opposite.")
    return BadCase(
        id=case_id,
        fault=wording.fault,
        severity=wording.severity,
        wrong=wording.wrong,
        context=context,
        bad=bad,
        must=_checks(wording.must, context),
        should=(),
        must_not=_checks(wording.must_not, context),
    )


def _checks(lines: Sequence[str], context: TurnContext) -> tuple[Check, ...]:
    if len(set(lines)) < len(lines):
        raise CaseWrong("The same check stands there twice. Take one away.")
    labels = {facts.label for facts in context.facts}
    for line in lines:
        choice, value = choice_of(line)
        if choice.argument is Argument.ROOMS and not set(value) <= labels:
            raise CaseWrong(
                f"This conversation has no such room: {check_of(line).says}. Its rooms are {', '.join(map(str, sorted(labels)))}."
            )
    return tuple(check_of(line) for line in lines)


# -- rows -------------------------------------------------------------------------------------------------------------------------------


def _newest(case: models.BadCase, seen: int) -> BadCaseVersion:
    newest = case.versions[0]
    if newest.number != seen:
        raise CaseChanged
    return newest


def _write(session: Session, case_id: uuid.UUID, wording: Wording, *, number: int, retired: bool, actor: uuid.UUID) -> None:
    version = BadCaseVersion(
        bad_case_id=case_id,
        number=number,
        title=wording.title,
        fault=wording.fault,
        severity=wording.severity,
        wrong=wording.wrong,
        must=list(wording.must),
        must_not=list(wording.must_not),
        retired=retired,
        written_by=actor,
    )
    if not bad_cases.add_version(session, version):
        raise CaseChanged


def _record(session: Session, action: str, case_id: uuid.UUID, actor: uuid.UUID, *, before: Json | None, after: Json) -> None:
    audit_events.record(session, actor_id=actor, action=action, subject_type="bad_case", subject_id=case_id, before=before, after=after)
