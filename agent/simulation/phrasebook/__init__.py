"""The phrasebook's files and their loader: every line is validated, or nothing loads.

Decided here: the file format (groups of lines that share their tags) and what makes a line invalid: an unknown tag or slot, a net price
without the word "net" beside it, an argument that could not be true, a line that stands twice, foreign words in a Chinese line. Finding
phrases by tag is here too. A book holds one language; which tags a group may leave out is ``tags``'.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from agent.simulation.phrasebook.tags import bd_stages, bd_tactic, bd_tone, hotel_stages, hotel_tactic
from agent.simulation.phrases import (
    BD_SLOTS,
    BD_TACTICS,
    HOTEL_SLOTS,
    HOTEL_TACTICS,
    BDPart,
    BDPhrase,
    HotelPart,
    HotelPhrase,
    Language,
    Lever,
    Quality,
    Tactic,
    TypingStyle,
    is_held_out,
    slots_of,
)
from db.errors import ParleyError
from db.vocabulary import HotelMoveKind, Mood, MoveKind, Stage

FOLDER = Path(__file__).parent


class PhrasebookError(ParleyError):
    """A phrasebook file that cannot be used; names the file and the line's text."""


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    lines: str = Field(min_length=1)
    tactic: Tactic | None = None
    stages: frozenset[Stage] = frozenset()

    def texts(self) -> list[str]:
        return [line.strip() for line in self.lines.splitlines() if line.strip()]


class _HotelGroup(_Group):
    part: HotelPart = HotelPart.BODY
    intent: HotelMoveKind | None = None
    topic: str
    mood: Mood
    lever: Lever | None = None
    styles: frozenset[TypingStyle] = frozenset()

    @model_validator(mode="after")
    def _body_has_intent(self) -> "_HotelGroup":
        if (self.part is HotelPart.BODY) != (self.intent is not None):
            raise ValueError("a body needs an intent, an opener or tail has none")
        if self.tactic is not None and self.tactic not in HOTEL_TACTICS:
            raise ValueError(f"{self.tactic} is not a hotel's tactic")
        return self

    def phrases(self, language: Language, file: str) -> Iterator[HotelPhrase]:
        tactic = self.tactic or hotel_tactic(self.intent, self.topic, self.mood)
        stages = self.stages or hotel_stages(self.intent, self.topic)
        for text in self.texts():
            yield HotelPhrase(
                text=text,
                part=self.part,
                intent=self.intent,
                topic=self.topic,
                mood=self.mood,
                lever=self.lever,
                tactic=tactic,
                stages=stages,
                styles=self.styles,
                slots=slots_of(text),
                held_out=is_held_out(text),
                language=language,
                file=file,
            )


class _BDGroup(_Group):
    part: BDPart
    moves: frozenset[MoveKind] = frozenset()
    topic: str | None = None
    argument: Lever | None = None
    after: frozenset[HotelMoveKind] = frozenset()
    moods: frozenset[Mood] = frozenset()
    tone: Mood | None = None
    lever: Lever | None = None
    quality: Quality
    fault: str | None = None

    @model_validator(mode="after")
    def _tags_fit(self) -> "_BDGroup":
        if (self.quality is Quality.WRONG) != (self.fault is not None):
            raise ValueError("a wrong line names its fault, and only a wrong line has one")
        if (self.part is BDPart.REASON) != (self.argument is not None):
            raise ValueError("a reason names its argument, and only a reason has one")
        if (self.part is BDPart.ACK) != bool(self.after and self.moods):
            raise ValueError("an acknowledgement says what it answers and in which mood")
        if self.part is not BDPart.ACK and not self.moves:
            raise ValueError("a line names the moves it belongs to")
        if self.tactic is not None and self.tactic not in BD_TACTICS:
            raise ValueError(f"{self.tactic} is not a tactic of ours")
        return self

    def phrases(self, language: Language, file: str) -> Iterator[BDPhrase]:
        tactic = self.tactic or bd_tactic(self.part, self.moves, self.topic, self.moods)
        tone = self.tone or bd_tone(self.part, self.moves, self.quality, self.fault)
        stages = self.stages or bd_stages(self.moves, self.after)
        for text in self.texts():
            yield BDPhrase(
                text=text,
                part=self.part,
                moves=self.moves,
                topic=self.topic,
                argument=self.argument,
                tactic=tactic,
                tone=tone,
                stages=stages,
                after=self.after,
                moods=self.moods,
                lever=self.lever,
                quality=self.quality,
                fault=self.fault,
                slots=slots_of(text),
                held_out=is_held_out(text),
                language=language,
                file=file,
            )


class _HotelFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    side: Literal["hotel"]
    language: Language = "en"
    groups: list[_HotelGroup]


class _BDFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    side: Literal["bd"]
    language: Language = "en"
    groups: list[_BDGroup]


_FILE: TypeAdapter[_HotelFile | _BDFile] = TypeAdapter(Annotated[_HotelFile | _BDFile, Field(discriminator="side")])


@dataclass(frozen=True, kw_only=True)
class Phrasebook:
    """Both sides' phrases of one language in file order, found by tag."""

    language: Language
    hotel: tuple[HotelPhrase, ...]
    bd: tuple[BDPhrase, ...]
    _by_intent: dict[tuple[HotelPart, HotelMoveKind | None, str], tuple[HotelPhrase, ...]] = field(init=False, repr=False)
    _by_part: dict[tuple[BDPart, MoveKind | None, Quality], tuple[BDPhrase, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_intent: dict[tuple[HotelPart, HotelMoveKind | None, str], list[HotelPhrase]] = {}
        for phrase in self.hotel:
            by_intent.setdefault((phrase.part, phrase.intent, phrase.topic), []).append(phrase)
        by_part: dict[tuple[BDPart, MoveKind | None, Quality], list[BDPhrase]] = {}
        for line in self.bd:
            for move in line.moves or {None}:
                by_part.setdefault((line.part, move, line.quality), []).append(line)
        object.__setattr__(self, "_by_intent", {key: tuple(found) for key, found in by_intent.items()})
        object.__setattr__(self, "_by_part", {key: tuple(found) for key, found in by_part.items()})

    def hotel_lines(self, part: HotelPart, intent: HotelMoveKind | None, topic: str) -> tuple[HotelPhrase, ...]:
        """Hotel phrases of one part, intent and topic; empty where there are none."""
        return self._by_intent.get((part, intent, topic), ())

    def bd_lines(self, part: BDPart, move: MoveKind | None, quality: Quality) -> tuple[BDPhrase, ...]:
        """Our phrases of one part, move (None for acknowledgements) and quality; empty where there are none."""
        return self._by_part.get((part, move, quality), ())

    def coverage(self) -> dict[str, Counter[str]]:
        """How many phrases there are per tag, by side and kind of tag (``"hotel intent"``, ``"bd move"``, …)."""
        counts: dict[str, Counter[str]] = {
            "hotel intent": Counter(str(p.intent or p.part) for p in self.hotel),
            "hotel topic": Counter(f"{p.intent or p.part}:{p.topic}" for p in self.hotel),
            "hotel mood": Counter(str(p.mood) for p in self.hotel),
            "hotel tactic": Counter(str(p.tactic) for p in self.hotel),
            "hotel stage": Counter(str(stage) for p in self.hotel for stage in p.stages),
            "hotel lever": Counter(str(p.lever) for p in self.hotel if p.lever),
            "hotel style": Counter(str(style) for p in self.hotel for style in p.styles),
            "bd part": Counter(str(p.part) for p in self.bd),
            "bd move": Counter(str(move) for p in self.bd for move in p.moves),
            "bd tactic": Counter(str(p.tactic) for p in self.bd),
            "bd tone": Counter(str(p.tone) for p in self.bd),
            "bd stage": Counter(str(stage) for p in self.bd for stage in p.stages),
            "bd argument": Counter(str(p.argument) for p in self.bd if p.argument),
            "bd quality": Counter(str(p.quality) for p in self.bd),
            "bd fault": Counter(p.fault for p in self.bd if p.fault),
        }
        counts["language"] = Counter({str(self.language): len(self.hotel) + len(self.bd)})
        counts["side"] = Counter({"hotel": len(self.hotel), "bd": len(self.bd)})
        counts["held out"] = Counter({"hotel": sum(p.held_out for p in self.hotel), "bd": sum(p.held_out for p in self.bd)})
        return counts


_NEAR_NET = re.compile(r"\bnet\b(?:\W+(?:a|of|price|rate|amount|is))*\W*\{net\}|\{net\}\W+net\b", re.IGNORECASE)
_NEAR_SELLING = re.compile(r"\b(?:sell|sells|selling|guests?|travellers?|sale)\b", re.IGNORECASE)
_NEAR_NET_ZH = re.compile(r"(?:净价|底价|到手价|结算价)[^，。？！；]{0,6}\{net\}|\{net\}(?:的)?(?:净价|底价|到手价|结算价)")
_NEAR_SELLING_ZH = re.compile(r"售价|卖价|客人|售卖|在卖|卖")
_FOREIGN_WORD = re.compile(r"[A-Za-zÀ-ɏ]{4,}")


def load(folder: Path = FOLDER, language: Language = "en") -> Phrasebook:
    """Read and validate every YAML file of a folder and return the lines of one language.

    Raises PhrasebookError naming the file and what is wrong with which line, whatever its language.
    """
    hotel: list[HotelPhrase] = []
    bd: list[BDPhrase] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            parsed = _FILE.validate_python(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
        except (ValidationError, yaml.YAMLError) as error:
            raise PhrasebookError(f"{path.name} is not a phrasebook file: {error}") from error
        if isinstance(parsed, _HotelFile):
            found = [phrase for group in parsed.groups for phrase in group.phrases(parsed.language, path.name)]
            for phrase in found:
                _check_slots(path, phrase.text, phrase.slots, HOTEL_SLOTS)
                _check_script(path, phrase.text, phrase.language)
            hotel += found
        else:
            lines = [phrase for group in parsed.groups for phrase in group.phrases(parsed.language, path.name)]
            for line in lines:
                _check_slots(path, line.text, line.slots, BD_SLOTS)
                if line.quality is not Quality.WRONG:
                    _check_script(path, line.text, line.language)
                    _check_truth(path, line)
            bd += lines
    _check_unique(hotel, bd)
    ours = tuple(line for line in bd if line.language == language)
    theirs = tuple(phrase for phrase in hotel if phrase.language == language)
    if not ours or not theirs:
        raise PhrasebookError(f"{folder} holds no complete phrasebook of {language}: both sides need phrases")
    return Phrasebook(language=language, hotel=theirs, bd=ours)


def phrasebook(language: str = "en") -> Phrasebook:
    """The shipped phrasebook of a language, loaded once; English for a language that has none."""
    return _shipped("zh" if language == "zh" else "en")


@cache
def _shipped(language: Language) -> Phrasebook:
    return load(language=language)


def _check_slots(path: Path, text: str, slots: frozenset[str], known: frozenset[str]) -> None:
    if unknown := slots - known:
        raise PhrasebookError(f"{path.name}: unknown slot {', '.join(sorted(unknown))} in {text!r}; known are {', '.join(sorted(known))}")
    if text.count("{") != text.count("}") or text.count("{") != len(re.findall(r"\{\w+\}", text)):
        raise PhrasebookError(f"{path.name}: braces do not pair up in {text!r}")


def _check_script(path: Path, text: str, language: Language) -> None:
    if language == "zh" and (found := _FOREIGN_WORD.search(re.sub(r"\{\w+\}", "", text))):
        raise PhrasebookError(f"{path.name}: the foreign word {found.group()} in {text!r}")


def _check_truth(path: Path, line: BDPhrase) -> None:
    """A price must say which price it is, and nobody else's price may be quoted without the slot that makes it true."""
    near_net, near_selling = (_NEAR_NET_ZH, _NEAR_SELLING_ZH) if line.language == "zh" else (_NEAR_NET, _NEAR_SELLING)
    if "net" in line.slots and not near_net.search(line.text):
        raise PhrasebookError(f"{path.name}: {{net}} without the word net beside it in {line.text!r}")
    if line.slots & {"selling", "current_selling", "competitor_price"} and not near_selling.search(line.text):
        raise PhrasebookError(f"{path.name}: a selling price that does not say so in {line.text!r}")
    if line.argument is Lever.PARITY and "competitor_source" not in line.slots:
        raise PhrasebookError(f"{path.name}: a parity argument names its source: {line.text!r}")
    if MoveKind.CONFIRM in line.moves and line.part is BDPart.BODY:
        missing = {"room", "net", "selling", "check_in"} - line.slots
        if missing or not ("dates" in line.slots or {"check_in", "check_out"} <= line.slots):
            raise PhrasebookError(f"{path.name}: a confirmation repeats room, dates, net, selling and start: {line.text!r}")


def _check_unique(hotel: list[HotelPhrase], bd: list[BDPhrase]) -> None:
    # The same words may serve two intents or moods ("Thank you."), but never the same place twice.
    places = Counter((p.language, p.part, p.intent, p.topic, p.mood, p.styles, p.lever, p.text.casefold()) for p in hotel)
    ours = Counter((p.language, p.part, p.moves, p.topic, p.argument, p.after, p.moods, p.lever, p.quality, p.text.casefold()) for p in bd)
    for place, count in [*places.items(), *ours.items()]:
        if count > 1:
            raise PhrasebookError(f"the same line stands {count} times: {place[-1]!r}")
