"""Whether a message of ours goes into what the hotel said, keeps to what both know, and stops where a yes was given.

Decided here: by which words an answer, an invented fact, a push after a yes and a careless yes are recognised. ``hearing`` takes in what a
message says; this says how well it fits into the conversation. What follows from either is the hotel's business.
"""

import re

from agent.domain import TicketFacts
from agent.simulation.hearing import Heard
from agent.simulation.phrases import Lever

_WANTS_MORE = re.compile(
    r"\b(?:little|bit|slightly|even|go|any) (?:lower|less)(?: still)?\b|lower still"
    r"|\b(?:one|another|a) (?:more|further|extra|last) discount"
    r"|improve (?:it|that|this|on)\b|really best price|your best price|shave (?:a|some)"
)
_HEARSAY = re.compile(
    r"\b(?:all|every|most|many|other|several) (?:the |of the )?(?:other |your )?(?:hotels?|guests?|competitors?|properties)\b"
    r"[^.?!]*\b(?:went down|lowered|agreed|accepted|complain\w*|signed|cut|dropped|gave|waiting)\b"
    r"|\bnext door\b|tour operator|very few visitors|\ba wholesaler told\b|everybody (?:else )?(?:has|is|in)\b"
    r"|your (?:competitors?|neighbours?)\b[^.?!]*\b(?:has|have|already|did|went|gave|sell|agreed)\b"
)
_BLIND_YES = re.compile(
    r"\bwe are agreed\b|\bdeal\b|all clear\b|\bi (?:will |have )?note(?:d)? it\b|go with that"
    r"|consider (?:it|this) done|all set\b|sorted then"
)
_HAGGLES_ON = re.compile(r"\b(?:discount|lower rate|about the (?:price|rate)|need a (?:lower|better))\b|calm down")
_BECAUSE = re.compile(
    r"\b(?:because|so that|the reason|reason is|why i|that is why|since you|(?:would|could|may|might) (?:help|bring|make|give|keep))\b"
)
_DAY = re.compile(
    r"\b\d{1,2}(?:st|nd|rd|th)? (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|\b(?:dates?|nights?|period)\b", re.IGNORECASE
)
_ROOM = re.compile(r"\brooms?\b")
_CJK = re.compile(r"[㐀-鿿]")
_OTHER_LATIN = re.compile(r"\b(?:hola|necesitamos|guten tag|einen|bonjour|merci|gracias|bitte|por favor|nous|wir)\b")
FREE_TO_ANSWER = frozenset({"who", "number", "what_terms"})
"""Questions that a greeting or a request answers by itself."""


def answers(text: str, heard: Heard, question: str, fact: TicketFacts) -> bool:
    """Whether a message says anything about the question that the hotel had asked; ``question`` is the topic of its phrase.

    Only English is judged by words; in another script a message counts as an answer.
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
    """Whether it says why: it quotes a fact of the ticket, or speaks of causes and effects."""
    return any(sentence in text for sentence in fact.evidence) or _BECAUSE.search(text.casefold()) is not None


def wants_more(text: str) -> bool:
    """Whether it asks for a further step without naming one: the push after a yes."""
    return _WANTS_MORE.search(text.casefold()) is not None


def spreads_hearsay(text: str) -> bool:
    """Whether it claims something about others that the hotel, living there, knows to be untrue."""
    return _HEARSAY.search(text.casefold()) is not None


def says_blind_yes(text: str) -> bool:
    """Whether it calls something agreed; together with the absence of any number that is a careless yes."""
    return _BLIND_YES.search(text.casefold()) is not None


def haggles_on(text: str) -> bool:
    """Whether an apology goes straight on to the price, or tells the other to calm down."""
    return _HAGGLES_ON.search(text.casefold()) is not None


def mixes_languages(text: str, *, english: bool) -> bool:
    """Whether an English conversation is spoken to in something else; names of rooms are Latin in any language."""
    return english and (_CJK.search(text) is not None or _OTHER_LATIN.search(text.casefold()) is not None)
