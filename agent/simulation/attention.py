"""Whether a message of ours goes into what the hotel said, keeps to what both know, and stops where a yes was given.

Decided here: by which words an answer, a slip, a push after a yes and a careless yes are recognised. ``hearing`` takes in what a message
says; this says how well it fits into the conversation. What follows from either is the hotel's business. Only English is judged by words.
"""

import re
from enum import StrEnum

from agent.domain import TicketFacts
from agent.simulation.hearing import Heard, sentences
from agent.simulation.phrases import Lever


class Slip(StrEnum):
    """Something that no good colleague writes to a hotel."""

    PROMISE = "promise"
    """What nobody can keep."""
    PRESSURE = "pressure"
    OFFICE_WORDS = "office_words"
    """Words and thoughts of our own side."""
    HEARSAY = "hearsay"
    """A claim about others that the hotel, living there, knows to be untrue."""
    PRESUMPTION = "presumption"
    """Silence, or a guess of ours, taken for a yes."""
    REPROACH = "reproach"
    STIFF = "stiff"
    """It talks at people instead of with them: orders, officialese, gushing."""
    STUTTER = "stutter"
    """The same thing twice in one message."""
    FOREIGN = "foreign"
    """English mixed with another language."""


_PHRASES: dict[Slip, tuple[str, ...]] = {
    Slip.PROMISE: (
        "guarantee", "i promise", "will surely", "will definitely", "will certainly", "no doubt about it", "badge", "we refund",
        "i make sure that", "than you can handle", "i give you my word", "sold out", "compensat", "on our homepage", "first page",
        "top of the list",
    ),
    Slip.PRESSURE: (
        "decide now", "no other choice", "have to hide", "consequences", "what happens to hotels", "or we stop", "or we drop",
        "final warning", "ends tonight", "last chance", "you have to give", "regret it", "think twice", "or nothing",
        "off our site", "before it is too late",
    ),
    Slip.OFFICE_WORDS: (
        "our ceiling", "opening ask", "my kpi", "get scored", "my mandate", "price chase", "assigned to me", "level two",
        "concession schedule", "the target is", "target price", "the system", "work order", "thought:", "reply:", "analysis of",
        "i need to write", "the stage is", "next move is", "my plan is", "the hotel seems", "the hotel refused", "language model",
        "(move", "my instructions", "escalate the case",
    ),
    Slip.HEARSAY: (
        "next door", "tour operator", "a wholesaler told", "another hotel", "other hotels are", "hotels in your street",
        "in your area gave", "demand in your city", "our data shows", "colleague of yours", "everybody knows", "event cancelled",
        "your guests complained", "expects very few", "your competitors have", "all hotels", "your neighbours have",
    ),
    Slip.PRESUMPTION: (
        "take it that you", "so it is a yes", "tells me that everything", "there was no objection", "without further questions",
        "unless i hear", "as your agreement", "no answer is", "counts as approved", "no reply means", "silent approval",
        "heard nothing", "you surely mean", "i suppose, no need", "i read your number as", "so i put", "so i took",
        "so i write that down", "i assume", "always is, so",
    ),
    Slip.REPROACH: (
        "wasted my time", "expected more from", "easier to work with", "short-sighted", "with that attitude",
        "a pity that you do not", "do not complain", "what comes of it", "blame yourself", "being angry", "no need to shout",
        "nothing left to be upset",
    ),
    Slip.STIFF: (
        "we want", "i need to know", "we need the", "it has to be", "kindly revert", "kindly give", "kindly indicate", "kindly re",
        "kindly advise", "kindly be", "kindly maintain", "please be informed", "please advise", "in line with our", "requesting",
        "the undersigned", "be that as it may", "still waiting", "reminder:", "gentle reminder", "a reminder", "noted with thanks",
        "duly noted", "is acknowledged", "is noted", "been received", "with regard to", "with thanks for", "can only repeat",
        "remains applicable", "is maintained", "alright alright", "sorry, sorry", "sorry sorry", "truly terrible", "a great team",
        "such a professional", "valued", "any inconvenience", "earliest convenience", "read this", "can you just",
        "take it personally", "it happens", "do my job", "you have not answered", "nothing heard", "you already know",
        "same as before", "i read what you wrote", "not what i hoped", "please quote", "please reduce", "please apply",
        "you do the rates", "are you responsible?", "can you decide", "the boss of", "as stipulated", "pertaining", "hereby",
        "awaiting", "favourable reply", "to discuss rates", "thanks in advance", "add a bit", "we stay at", "quick tick",
        "i regret that you", "we regret that you", "following up again",
    ),
}  # fmt: skip
_WANTS_MORE = re.compile(
    r"\b(?:little|bit|slightly|even|go|any) (?:lower|less)(?: still)?\b|lower still|best price|your lowest|\bshave\b|round it down"
    r"|\b(?:one more|another|further|extra|one last) (?:discount|reduction|step)\b|improve (?:it|that|this|on)\b|sharpen"
)
_BLIND_YES = re.compile(
    r"\bwe are agreed\b|\bdeal\b|all clear\b|\bi (?:will |have )?(?:note(?:d)?|put) it\b|go with that|consider (?:it|this) done|all set\b"
    r"|sorted then|as discussed|all good then|usual terms|confirmed from my side|not go through it|next topic"
)
_HAGGLES_ON = re.compile(
    r"\b(?:the discount|lower rate|cheaper|(?:about|to) the (?:price|rate)|need a (?:lower|better)|cut the rate|go down)\b"
    r"|just reduce|too expensive|calm down"
)
_BECAUSE = re.compile(
    r"\b(?:because|so that|the reason|reason is|why i|that is why|since you|(?:would|could|may|might) (?:help|bring|make|give|keep))\b"
)
_DAY = re.compile(
    r"\b\d{1,2}(?:st|nd|rd|th)? (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|\b(?:dates?|nights?|period)\b", re.IGNORECASE
)
_ROOM = re.compile(r"\brooms?\b")
_CJK = re.compile(r"[㐀-鿿]")
_OTHER_SCRIPT = re.compile(r"[Ѐ-ӿ؀-ۿऀ-ॿ฀-๿぀-ヿ㐀-鿿가-힯]")
_OTHER_LATIN = re.compile(
    r"\b(?:hola|necesitamos|estimado|mejorar|guten|einen|bonjour|merci|gracias|bitte|por favor|nous|wir)\b"
    r"|\b(?:ciao|troppo|prezzo|preis|habitaci)"
)
FREE_TO_ANSWER = frozenset({"who", "number", "what_terms"})
"""Questions that a greeting or a request answers by itself."""


def slips(text: str, *, english: bool) -> frozenset[Slip]:
    """What is wrong with a message, by its words alone; ``english`` says whether the conversation is held in English."""
    if not english:
        return frozenset()
    folded = text.casefold()
    found: set[Slip] = set()
    for slip, phrases in _PHRASES.items():
        # A plain loop: this runs for every message, and a generator would double its time.
        for phrase in phrases:
            if phrase in folded:
                found.add(slip)
                break
    if (not text.isascii() and _OTHER_SCRIPT.search(text)) or _OTHER_LATIN.search(folded):
        found.add(Slip.FOREIGN)
    said = sentences(folded)
    if len(set(said)) < len(said) or folded.count("as i said") + folded.count("as i told") > 1 or "word for word" in folded:
        found.add(Slip.STUTTER)
    return frozenset(found)


def answers(text: str, heard: Heard, question: str, fact: TicketFacts) -> bool:
    """Whether a message says anything about the question that the hotel had asked; ``question`` is the topic of its phrase.

    In Chinese every message counts as an answer.
    """
    if question in FREE_TO_ANSWER or _CJK.search(text):
        return True
    folded = text.casefold()
    match question:
        case "why" | "benefit":
            return bool(heard.arguments) or gives_reason(text, fact)
        case "where":
            return bool(heard.quoted_competitor) or Lever.PARITY in heard.arguments or fact.competitor_source is None
        case "basis":
            return heard.basis_named
        case "selling":
            return bool(heard.selling) or "selling" in folded
        case "dates":
            return heard.names_start or _DAY.search(text) is not None
        case "room":
            return fact.room_type.casefold() in folded or _ROOM.search(folded) is not None
        case "commission":
            return "commission" in folded or "share" in folded or "margin" in folded
        case _:
            return True


def gives_reason(text: str, fact: TicketFacts) -> bool:
    """Whether it says why: it quotes a fact of the ticket, or speaks of causes and effects; a Chinese message always counts."""
    return (
        any(sentence in text for sentence in fact.evidence) or _CJK.search(text) is not None or _BECAUSE.search(text.casefold()) is not None
    )


def wants_more(text: str) -> bool:
    """Whether it asks for a further step without naming one: the push after a yes."""
    return _WANTS_MORE.search(text.casefold()) is not None


def says_blind_yes(text: str) -> bool:
    """Whether it calls something agreed; together with the absence of any number that is a careless yes."""
    return _BLIND_YES.search(text.casefold()) is not None


def haggles_on(text: str) -> bool:
    """Whether what should be an apology goes straight on to the price, or tells the other to calm down."""
    return _HAGGLES_ON.search(text.casefold()) is not None
