"""What a simulated hotel makes of the words it is sent: prices, arguments, tone. It never sees which move we meant.

Decided here: by which words an argument, a question or a fault is recognised. What follows from it is the hotel's business.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from agent.domain import TicketFacts
from agent.prices import PriceForm, PriceMention, find_prices
from agent.simulation.phrases import Lever
from db.vocabulary import ClarifyTopic, PriceBasis


def _any(*patterns: str) -> re.Pattern[str]:
    """Patterns are in lower case and searched in folded text: that is much faster than ignoring case."""
    return re.compile("|".join(patterns))


ARGUMENTS: dict[Lever, re.Pattern[str]] = {
    Lever.SEASON: _any(
        r"\b(?:low|quiet|slow|weak|off)[- ](?:season|nights?|dates|period)", r"\bquiet\b", r"\boccupancy", r"empty (?:room|bed|night)",
        r"\bslow(?:er)?\b", r"rooms? (?:still )?open", r"weaker nights", r"busy season", r"stronger season", r"fill a few",
    ),
    Lever.VOLUME: _any(
        r"room[- ]nights?", r"\bvolume", r"\bquantity", r"(?:more|several|number of) (?:booked )?(?:bookings?|nights?|rooms?)",
        r"nights sold",
        r"(?:sell|selling|fill|filling) more",
    ),
    Lever.VISIBILITY: _any(
        r"\bvisib", r"easier (?:for \w+ )?to (?:choose|notice|find)", r"room easier", r"\bnotice", r"stand out", r"catch(?:es)? the eye",
        r"\bcompare",
        r"be seen", r"\bscroll", r"closer look", r"\battention", r"look elsewhere", r"look at (?:the price|high)", r"expensive",
    ),
    Lever.RELATIONSHIP: _any(
        r"\bpartner(?:s|ship)?\b", r"\bcooperation", r"\btrust\b", r"work(?:ing)? (?:well )?(?:together|with)",
        r"long time", r"\bopen(?:ly|ness)\b",
        r"fair (?:with|for both|step)", r"feel good about", r"respect whatever",
    ),
    Lever.REVIEWS: _any(r"\breviews?\b", r"\brating", r"guests (?:praise|write)", r"write about", r"tell others"),
    Lever.PARITY: _any(r"\bparity", r"\bin line\b", r"\belsewhere\b", r"other sites?", r"\bcompetitor", r"\bcheaper\b", r"undercut"),
}  # fmt: skip

_TOPICS: dict[ClarifyTopic, re.Pattern[str]] = {
    ClarifyTopic.NET_OR_SELLING: _any(
        r"net (?:price |rate )?(?:to us )?or\b",
        r"or (?:the |a )?selling",
        r"\bso net\b.*\?",
        r"is (?:this|that) (?:the )?net",
        r"or is it what",
        r"net, or",
    ),
    ClarifyTopic.CONDITION: _any(r"\bcondition"),
    ClarifyTopic.TAX: _any(r"\btax(?:es)?\b"),
    ClarifyTopic.BREAKFAST: _any(r"\bbreakfast\b", r"room only"),
    ClarifyTopic.WHICH_ROOM: _any(r"which (?:of the )?rooms?\b", r"(?:do you mean|is that for) the (?!dates)", r"which room", r"what room"),
    ClarifyTopic.ROOMS: _any(r"how many rooms", r"every room", r"number of rooms", r"all rooms or"),
    ClarifyTopic.DATES: _any(
        r"which dates",
        r"for which (?:of the )?nights",
        r"whole period",
        r"all (?:of |nights)",
        r"about the dates",
        r"for which dates",
        r"is that for\b",
    ),
    ClarifyTopic.AMOUNT: _any(r"exact(?:ly)?\b", r"precise", r"catch the amount", r"how much exactly"),
}

_GREETS = _any(r"\b(?:hello|hi|good (?:day|morning|afternoon|evening)|dear|greetings)\b")
_CALMS = _any(
    r"\bsorry\b",
    r"apolog",
    r"frustrat",
    r"\bupset\b",
    r"i hear (?:you|your)",
    r"annoyed",
    r"i am listening",
    r"here to listen",
    r"\bangry\b",
    r"calm down",
    r"we regret",
)
_THANKS = _any(r"\bthanks?\b", r"\bappreciate", r"\bgrateful")
_ENDS = _any(
    r"\bgoodbye\b", r"have a (?:good|lovely|nice|great) (?:day|week|one)", r"all the best", r"leave (?:it at that|the rate as it is)",
    r"best regards", r"until next time", r"it did not work out", r"respect your decision", r"no agreement then", r"closing this",
    r"agreed on\b", r"agreed is\b", r"have noted (?:[a-z]{3} |[$€£¥])?\d", r"pleasure to work", r"the result is",
    r"we have (?:[a-z]{3} |[$€£¥])?\d", r"clear now", r"thank you for your answer\.$", r"talking it through", r"^then not",
    r"wish you", r"\btake care\b",
    r"speaking with you again", r"thank you (?:all the same|anyway)", r"the agreement:", r"\bnoted:", r"^done\.", r"kind regards",
    r"not possible at the moment",
)  # fmt: skip
_HANDS_OVER = _any(r"\bcolleague (?:will|takes|who|of mine)", r"to a colleague", r"my colleague will", r"a colleague")
_REDIRECTS = _any(
    r"\bwho at\b", r"who is it\b", r"who (?:decides|is (?:in charge|responsible|the)|looks after|handles|sets|makes)", r"\bwhom\b",
    r"right (?:colleague|contact)",
    r"which colleague", r"put me in touch", r"connect me", r"pass me on", r"forward my message", r"so who\b", r"name of the person",
)  # fmt: skip
_RIGHT_PERSON = _any(
    r"right (?:person|contact)", r"(?:sets|do) the rates",
    r"(?:look after|in charge of|handle|decides on|responsible|set|take care of) (?:the )?(?:rates?|pric)",
    r"are you responsible", r"rates are your area", r"something that you take care", r"speak with you about",
)  # fmt: skip
_REMINDS = _any(
    r"\bremind", r"feel about my question", r"look at my message", r"checking in", r"follow(?:ing)? up",
    r"have (?:you )?(?:had|been able)", r"heard back", r"still (?:open|waiting|happy)",
    r"whenever you", r"take the time you need", r"no hurry", r"last message", r"any news", r"hear from you", r"hear your thoughts",
    r"have not answered", r"had time", r"had a chance", r"these things take time", r"when you have", r"let me know what you think about",
)  # fmt: skip
_ACCEPTS = _any(
    r"works for us", r"(?<!can )(?<!could )\b(?:we|i) (?:are happy to |gladly )?(?:accept|take|agree)\b",
    r"accepted\b", r"is fine for us", r"(?:is|are) (?:fine|good)(?: for us)?\. so",  r"gladly take", r"that works",
    r"say yes to", r"we take",
)  # fmt: skip
_CONFIRMS = _any(
    r"\bconfirm", r"is (?:that|this|everything)(?: all)? (?:right|correct)", r"do (?:we|i) have (?:it right|your agreement)",
    r"correct\?",
    r"your yes", r"clear yes", r"taken? (?:that )?as agreed", r"do you agree\?", r"what you (?:meant|agree)", r"yes\?", r"\bok\?",
    r"okay for you",
)  # fmt: skip
_PROMISES = _any(
    r"\bguarantee", r"\bpromise", r"\branking", r"top of (?:our|the) list", r"\btraffic", r"\bcompensat", r"sold out", r"more orders",
    r"double your", r"i give you my word", r"\bfirst page",
)  # fmt: skip
_PRESSES = _any(
    r"last chance", r"\bimmediately\b", r"off our site", r"\bregret it", r"or nothing", r"\bor else\b", r"think twice", r"you must\b",
    r"take your hotel (?:off|down)", r"delist", r"will see what comes",
)  # fmt: skip
_INTERNAL = _any(
    r"\bticket\b", r"work order", r"target price", r"\bprompt\b", r"price score", r"in (?:the|our) system", r"language model", r"\(move:",
    r"my instructions", r"step one",
)  # fmt: skip
_PRESUMES = _any(r"take it that you agree", r"no reply means", r"silent approval", r"heard nothing", r"as you did not answer", r"i assume")
_BRUSQUE = _any(r"^(?:we want|give me|i need|state|kindly revise|our request:)", r"\bneed your yes", r"give me the person")
_STARTS = _any(r"\bstart", r"\bvalid from", r"\bfrom \d", r"\bbeginning\b", r"in force")
_ASKS = re.compile(r"\?")
_SENTENCES = re.compile(r"(?<=[.!?…])\s+")
_NUMBERS = re.compile(r"\d[\d.,]*")


def skeleton(sentence: str) -> str:
    """A sentence without its numbers, case and punctuation: two sentences with one skeleton are a repetition."""
    return " ".join(re.sub(r"[^\w#\s]", " ", _NUMBERS.sub("#", sentence.casefold())).split())


def sentences(text: str) -> list[str]:
    """The sentences of a message."""
    return [part for part in _SENTENCES.split(text.strip()) if part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One message of ours, as the hotel takes it in."""

    sentences: frozenset[str]
    """Skeletons of the sentences that say something (four words or more)."""
    label: int | None
    """The room it names, None where it names none or several."""
    net: tuple[Decimal, ...]
    """Net prices requested or repeated, in order; facts about today's or others' prices are not among them."""
    selling: tuple[Decimal, ...]
    quoted_competitor: tuple[Decimal, ...]
    """Prices said to be somebody else's."""
    basis_named: bool
    arguments: frozenset[Lever]
    clarifies: ClarifyTopic | None
    asks: bool
    greets: bool
    thanks: bool
    calms: bool
    ends: bool
    hands_over: bool
    redirects: bool
    asks_for_person: bool
    reminds: bool
    accepts: bool
    confirms: bool
    names_start: bool
    promises: bool
    presses: bool
    internal: bool
    presumes: bool
    brusque: bool


def hear(text: str, facts: tuple[TicketFacts, ...], *, focus: int) -> Heard:
    """Take in a message about these tickets; ``focus`` is the label that an unnamed room stands for."""
    folded = text.casefold()
    named = [fact.label for fact in facts if fact.room_type.casefold() in folded]
    label = named[0] if len(named) == 1 else None
    fact = next(fact for fact in facts if fact.label == (label or focus))
    net, selling, competitor = _sorted_prices(text, fact, facts)
    source = (fact.competitor_source or "").casefold()
    arguments = {lever for lever, words in ARGUMENTS.items() if words.search(folded)}
    if competitor or (source and source in folded):
        arguments.add(Lever.PARITY)
    asks = bool(_ASKS.search(folded))
    clarifies = next((topic for topic, words in _TOPICS.items() if words.search(folded)), None) if asks and not net else None
    said = frozenset(key for sentence in sentences(text) if len((key := skeleton(sentence)).split()) >= 4)
    return Heard(
        sentences=said,
        label=label,
        net=net,
        selling=selling,
        quoted_competitor=competitor,
        basis_named=re.search(r"\bnet\b", folded) is not None,
        arguments=frozenset(arguments),
        clarifies=clarifies,
        asks=asks,
        greets=bool(_GREETS.search(folded)),
        thanks=bool(_THANKS.search(folded)),
        calms=bool(_CALMS.search(folded)),
        ends=bool(_ENDS.search(folded)) and not asks,
        hands_over=bool(_HANDS_OVER.search(folded)) and not asks and not net,
        redirects=bool(_REDIRECTS.search(folded)) and not net,
        asks_for_person=bool(_RIGHT_PERSON.search(folded)),
        reminds=bool(_REMINDS.search(folded)),
        accepts=bool(_ACCEPTS.search(folded)),
        confirms=bool(_CONFIRMS.search(folded)) and bool(net) and (bool(selling) or bool("start" in folded) or "confirm" in folded),
        names_start=bool(_STARTS.search(folded)),
        promises=bool(_PROMISES.search(folded)),
        presses=bool(_PRESSES.search(folded)),
        internal=bool(_INTERNAL.search(folded)),
        presumes=bool(_PRESUMES.search(folded)),
        brusque=bool(_BRUSQUE.search(folded)),
    )


def _sorted_prices(
    text: str, fact: TicketFacts, facts: tuple[TicketFacts, ...]
) -> tuple[tuple[Decimal, ...], tuple[Decimal, ...], tuple[Decimal, ...]]:
    """The absolute prices of a message as (requested net, selling, somebody else's)."""
    if not any(character.isdigit() for character in text):
        return (), (), ()
    known_selling = {known.current_selling for known in facts} | {known.competitor_price for known in facts}
    net: list[Decimal] = []
    selling: list[Decimal] = []
    competitor: list[Decimal] = []
    for mention in find_prices(text, scale=fact.current_net):
        value = mention.value
        # "Up to 430" is a range with one bound: that bound is what is asked for.
        if mention.form not in (PriceForm.ABSOLUTE, PriceForm.RANGE) or value is None:
            continue
        if _is_echo(text, mention):
            continue
        if _is_elsewhere(text, mention, fact):
            competitor.append(value)
        elif (kind := _kind_beside(text, mention)) is PriceBasis.SELLING or (kind is PriceBasis.UNKNOWN and value in known_selling):
            selling.append(value)
        elif fact.current_net / 3 <= value <= fact.current_net * 2:
            net.append(value)
    return tuple(net), tuple(selling), tuple(competitor)


_CURRENCY = r"(?:[a-z]{3} ?|[$€£¥] ?)?$"
_BEFORE = re.compile(rf"\b(?P<kind>net|selling)(?: (?:price|rate|of|is|would be|at))* {_CURRENCY}")
_AFTER = re.compile(r" ?(?:[a-z]{3} )?(?P<kind>net|selling)\b")
_ECHOED = re.compile(rf"\b(?:your|the) {_CURRENCY}")


def _kind_beside(text: str, mention: PriceMention) -> PriceBasis:
    """The kind that stands right beside the amount, else the one that the whole clause speaks of."""
    found = _AFTER.match(text[mention.end : mention.end + 14].casefold()) or _BEFORE.search(_before(text, mention))
    return PriceBasis(found["kind"]) if found else mention.basis


def _is_echo(text: str, mention: PriceMention) -> bool:
    """ "I have noted your 430": the hotel's own number, said back."""
    return _ECHOED.search(_before(text, mention)) is not None and _AFTER.match(text[mention.end :].casefold()) is None


def _before(text: str, mention: PriceMention) -> str:
    return text[max(0, mention.start - 40) : mention.start].casefold()


def _is_elsewhere(text: str, mention: PriceMention, fact: TicketFacts) -> bool:
    if fact.competitor_source is None or mention.basis is PriceBasis.NET:
        return False
    if mention.value == fact.competitor_price:
        return True
    around = text[max(0, mention.start - 50) : mention.end + 50].casefold()
    return fact.competitor_source.casefold() in around and mention.value != fact.current_selling
