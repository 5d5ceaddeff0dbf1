"""From what people said about one conversation to examples: which judgement makes which example, and which makes none.

Four things people do are told apart (``Source``). A reply is what the model should emit (``encode_reply``) with facts as blanks, as it is
trained and served. Where an item was adjudicated only the adjudication counts; a disputed one counts for nothing until then.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from agent.domain import AllowedMove, Reply
from agent.language.blanks import blank_out
from agent.language.format import encode_reply
from agent.language.prompts import prompts_version, render_write
from agent.records import from_json
from db.models import Draft, Json, Rating, Turn
from db.repositories.examples import JudgedConversation
from db.vocabulary import Counterpart, DraftStatus, JudgementKind, JudgementSource, Preferred, Speaker
from training.data.columns import Format, Row, Source, derived_id, instant, messages, ordered, pseudonym
from training.data.contexts import past_contexts
from training.data.masking import Mask

GOOD_STARS = 4
"""From here on a reply is a good example."""
BAD_STARS = 2
"""Up to here it is a bad one."""


_ROLES = {Speaker.BD: "assistant", Speaker.HOTEL: "user"}


class LeftOut(StrEnum):
    """Why a judgement made no example."""

    DISPUTED = "waits for somebody to decide between raters who differ"
    NO_MOVE = "is about a reply without a move, such as a person's own words after taking over"
    SAME_WORDS = "prefers one of two replies that are the same once prices, dates and names are blanks"
    BAD_CASE = "is about a bad case: every version is tried on it, so none may learn from it"
    REFUSED_EDIT = "is an edit that the guard objected to or raters think badly of, so it is no demonstration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One row, before it is written."""

    id: UUID
    format: Format
    row: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedReply:
    """A reply with the stars it got: where another one to the same prompt is two stars apart, the two are a preference."""

    turn_id: UUID
    prompt: list[dict[str, str]]
    completion: list[dict[str, str]]
    stars: float
    """The mean."""
    provenance: dict[str, Any]


class Examiner:
    """Makes the examples of one conversation."""

    def __init__(
        self, judged: JudgedConversation, *, masked: bool = True, people_only: bool = False, as_of: datetime | None = None
    ) -> None:
        """``masked`` hides personal data; ``people_only`` leaves out what simulated experts judged, ``as_of`` the edits made since then."""
        self.left_out: Counter[LeftOut] = Counter()
        self.rated: list[RatedReply] = []
        """Filled by ``examples``."""
        self._judged = judged
        self._mask = Mask.of(judged.contacts) if masked else None
        self._contexts = past_contexts(judged.conversation, judged.turns, judged.drafts)
        self._drafts = {draft.id: draft for draft in judged.drafts}
        self._turns = {turn.id: turn for turn in judged.turns}
        self._edited_drafts = [
            draft
            for draft in judged.drafts
            if draft.status is DraftStatus.EDITED and (as_of is None or draft.decided_at is None or draft.decided_at < as_of)
        ]
        self._prompts: dict[int, list[dict[str, str]]] = {}
        self._people_only = people_only
        self._ratings = [*self._counting(judged.ratings)]

    def examples(self) -> Iterator[Example]:
        """Every example of the conversation."""
        by_turn: defaultdict[UUID, list[Rating]] = defaultdict(list)
        for rating in self._ratings:
            if self._is_bad_case(rating):
                self.left_out[LeftOut.BAD_CASE] += 1
            elif rating.kind is JudgementKind.COMPARISON:
                yield from self._compared(rating)
            elif rating.turn_id is not None:
                by_turn[rating.turn_id].append(rating)
        for turn_id, ratings in by_turn.items():
            yield from self._rated_turn(self._turns[turn_id], ratings)
        for draft in self._edited_drafts:
            if draft.for_turn in self._judged.case_turns:
                self.left_out[LeftOut.BAD_CASE] += 1
            else:
                yield from self._edited(draft, by_turn)

    def dialogues(self) -> Iterator[Example]:
        """Each judgement of the conversation as a whole, with what had been said by then; none of it where a turn is a bad case."""
        for rating in self._counting(self._judged.dialogues):
            if self._judged.case_turns:
                self.left_out[LeftOut.BAD_CASE] += 1
                continue
            said = [turn for turn in self._judged.turns if turn.created_at <= rating.created_at]
            content = {
                "messages": [{"role": _ROLES[turn.speaker], "content": self._masked(turn.text)} for turn in said],
                "stars": rating.stars,
                "excellent": rating.excellent,
                "outcome": rating.outcome,
                "decided_by": self._masked(rating.decided_by),
                "faults": [f"{tag.tag}:{tag.severity}" for tag in rating.tags],
                "comment": self._masked(rating.comment),
            }
            yield _example(Format.DIALOGUE, Source.DIALOGUE, [rating.id], content, self._where(Source.DIALOGUE, [rating], None))

    # -- what people did ----------------------------------------------------------------------------------------------------------------

    def _rated_turn(self, turn: Turn, ratings: Sequence[Rating]) -> Iterator[Example]:
        said = self._said(turn)
        if said is None:
            self.left_out[LeftOut.NO_MOVE] += len(ratings)
            return
        prompt = self._prompt(turn.number)
        for rating in ratings:
            where = self._where(Source.STARS, [rating], turn)
            if rating.stars is not None and not BAD_STARS < rating.stars < GOOD_STARS:
                label = rating.stars >= GOOD_STARS
                content = {"prompt": prompt, "completion": said, "label": label}
                yield _example(Format.UNPAIRED_PREFERENCE, Source.STARS, [rating.id], content, where)
            if rating.rewrite:
                yield from self._rewritten(turn, rating, said)
        excellent = [rating for rating in ratings if rating.excellent]
        if excellent and not _is_disliked(ratings):
            where = self._where(Source.EXCELLENT, excellent, turn)
            content = {"prompt": prompt, "completion": said}
            yield _example(Format.PROMPT_COMPLETION, Source.EXCELLENT, [turn.id], content, where)
        stars = [rating.stars for rating in ratings if rating.stars is not None]
        if stars:
            where = self._where(Source.STARS, ratings, turn)
            mean = sum(stars) / len(stars)
            self.rated.append(RatedReply(turn_id=turn.id, prompt=prompt, completion=said, stars=mean, provenance=where))

    def _rewritten(self, turn: Turn, rating: Rating, said: list[dict[str, str]]) -> Iterator[Example]:
        better = self._reply(turn.number, self._move(turn), turn.move, rating.rewrite or "")
        if better is None or better == said:
            self.left_out[LeftOut.SAME_WORDS] += 1
            return
        prompt, where = self._prompt(turn.number), self._where(Source.REWRITE, [rating], turn)
        yield _example(Format.PROMPT_COMPLETION, Source.REWRITE, [rating.id], {"prompt": prompt, "completion": better}, where)
        content = {"prompt": prompt, "chosen": better, "rejected": said}
        yield _example(Format.PREFERENCE, Source.REWRITE, [rating.id], content, where)

    def _compared(self, rating: Rating) -> Iterator[Example]:
        if rating.preferred is None or rating.preferred is Preferred.TIE or rating.first_draft_id is None or rating.second_draft_id is None:
            return
        first, second = self._drafts[rating.first_draft_id], self._drafts[rating.second_draft_id]
        better, worse = (first, second) if rating.preferred is Preferred.FIRST else (second, first)
        chosen, rejected = (self._reply(draft.for_turn, draft.move, draft.move, draft.text) for draft in (better, worse))
        if chosen is None or rejected is None:
            self.left_out[LeftOut.NO_MOVE] += 1
        elif chosen == rejected:
            self.left_out[LeftOut.SAME_WORDS] += 1
        else:
            where = self._where(Source.COMPARISON, [rating], self._turn_at(better.for_turn))
            content = {"prompt": self._prompt(better.for_turn), "chosen": chosen, "rejected": rejected}
            yield _example(Format.PREFERENCE, Source.COMPARISON, [rating.id], content, where)

    def _edited(self, draft: Draft, by_turn: dict[UUID, list[Rating]]) -> Iterator[Example]:
        turn = self._turn_at(draft.for_turn)
        edited_move = turn.move if turn is not None and turn.draft_id == draft.id else draft.move
        better = self._reply(draft.for_turn, draft.move, edited_move, draft.edited_text or "")
        before = self._reply(draft.for_turn, draft.move, draft.move, draft.text)
        if better is None:
            self.left_out[LeftOut.NO_MOVE] += 1
            return
        prompt = self._prompt(draft.for_turn)
        where = self._where(Source.EDIT, [], turn, by=draft.decided_by, at=draft.decided_at or draft.created_at)
        if draft.id in self._judged.refused_edits or (turn is not None and _is_disliked(by_turn.get(turn.id, []))):
            self.left_out[LeftOut.REFUSED_EDIT] += 1
        else:
            yield _example(Format.PROMPT_COMPLETION, Source.EDIT, [draft.id], {"prompt": prompt, "completion": better}, where)
        if before is None or before == better:
            self.left_out[LeftOut.SAME_WORDS] += 1
        else:
            content = {"prompt": prompt, "chosen": better, "rejected": before}
            yield _example(Format.PREFERENCE, Source.EDIT, [draft.id], content, where)

    def _is_bad_case(self, rating: Rating) -> bool:
        if rating.turn_id is not None:
            return self._turns[rating.turn_id].number in self._judged.case_turns
        return rating.first_draft_id is not None and self._drafts[rating.first_draft_id].for_turn in self._judged.case_turns

    def _counting(self, ratings: Sequence[Rating]) -> Iterator[Rating]:
        decided = {rating.item_id for rating in ratings if rating.adjudicates}
        for rating in ratings:
            if rating.item_id in self._judged.disputed_items and not rating.adjudicates:
                self.left_out[LeftOut.DISPUTED] += 1
            elif self._people_only and rating.source is JudgementSource.SIMULATED:
                continue
            elif rating.adjudicates or rating.item_id is None or rating.item_id not in decided:
                yield rating

    # -- what a row holds ---------------------------------------------------------------------------------------------------------------

    def _prompt(self, number: int) -> list[dict[str, str]]:
        if number not in self._prompts:
            context = self._contexts[number]
            shown = self._mask.context(context) if self._mask is not None else context
            self._prompts[number] = [{"role": message["role"], "content": message["content"]} for message in render_write(shown)]
        return self._prompts[number]

    def _said(self, turn: Turn) -> list[dict[str, str]] | None:
        return self._reply(turn.number, self._move(turn), turn.move, turn.text)

    def _move(self, turn: Turn) -> Json | None:
        """The move that was chosen: a person's edit may name another price, which is not the policy's to choose."""
        draft = self._drafts.get(turn.draft_id) if turn.draft_id is not None else None
        return draft.move if draft is not None else turn.move

    def _reply(self, number: int, chosen: Json | None, made: Json | None, text: str) -> list[dict[str, str]] | None:
        """``text`` as the model would have emitted it; ``made`` has the price that stands in it."""
        context = self._contexts.get(number)
        if context is None or not chosen or not text.strip():
            return None
        move = from_json(AllowedMove, chosen)
        words = blank_out(text, context, from_json(AllowedMove, made) if made else move)
        reply = Reply(move=move, text=self._masked(words))
        return messages("assistant", encode_reply(reply))

    def _masked(self, text: str) -> str:
        return self._mask(text) if self._mask is not None else text

    def _turn_at(self, number: int) -> Turn | None:
        turn = self._judged.turns[number - 1] if number <= len(self._judged.turns) else None
        return turn if turn is not None and turn.speaker is Speaker.BD else None

    def _where(
        self, source: Source, ratings: Sequence[Rating], turn: Turn | None, *, by: UUID | None = None, at: datetime | None = None
    ) -> dict[str, Any]:
        conversation = self._judged.conversation
        raters = {rating.rater_id for rating in ratings} or {by}
        moments = [rating.created_at for rating in ratings] + ([at] if at is not None else [])
        return {
            "source": str(source),
            "rating_ids": sorted(str(rating.id) for rating in ratings),
            "turn_id": str(turn.id) if turn is not None else None,
            "conversation_id": str(conversation.id),
            "hotel": pseudonym("hotel", conversation.hotel_id),
            "policy_version": conversation.policy_version.name if conversation.policy_version is not None else None,
            "prompts_version": prompts_version(),
            "rater": pseudonym("rater", raters.pop()) if len(raters) == 1 else None,
            "language": conversation.language,
            "created_at": instant(max(moments)),
            "simulated_hotel": conversation.counterpart is Counterpart.SIMULATED,
            "simulated_rater": any(rating.source is JudgementSource.SIMULATED for rating in ratings),
        }


def contrast(better: RatedReply, worse: RatedReply) -> Example:
    """Two replies to the same prompt, told apart by their stars."""
    ids = sorted([*better.provenance["rating_ids"], *worse.provenance["rating_ids"]])
    raters = {better.provenance["rater"], worse.provenance["rater"]}
    where = better.provenance | {
        "rating_ids": ids,
        "rater": raters.pop() if len(raters) == 1 else None,
        "created_at": max(better.provenance["created_at"], worse.provenance["created_at"]),
        "simulated_hotel": better.provenance["simulated_hotel"] or worse.provenance["simulated_hotel"],
        "simulated_rater": better.provenance["simulated_rater"] or worse.provenance["simulated_rater"],
    }
    content = {"prompt": better.prompt, "chosen": better.completion, "rejected": worse.completion}
    return _example(Format.PREFERENCE, Source.STARS, [better.turn_id, worse.turn_id], content, where)


def _example(kind: Format, source: Source, ids: Sequence[UUID], content: dict[str, Any], where: dict[str, Any]) -> Example:
    row_id = derived_id(kind, source, *ids)
    return Example(id=row_id, format=kind, row=ordered(kind, {"id": str(row_id), **content, **where}))


def _is_disliked(ratings: Sequence[Rating]) -> bool:
    return any(rating.stars is not None and rating.stars <= BAD_STARS for rating in ratings)
