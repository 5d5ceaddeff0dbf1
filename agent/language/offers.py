"""The prices that a hotel's message offers: each tied to a room and to net or selling, or named as a point to ask about.

Amounts come from the price grammar and from nowhere else. What the grammar, the conversation and simple arithmetic leave open is asked,
never guessed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from agent.domain import HotelOffer, TicketFacts, selling_from_net
from agent.language import signals
from agent.language.consent import normalised, says_no
from agent.language.context import ReadContext
from agent.prices import Anchors, Polarity, PriceForm, PriceMention, find_prices, resolve
from db.vocabulary import ClarifyTopic, PriceBasis

LEAST_SHARE = Decimal("0.1")
MOST_SHARE = Decimal(5)
"""A bare number below or above these shares of today's price is a count, a year or a reference, not an offer."""
LONG_MESSAGE = 1_000
"""Characters from which a number counts as a price only where it is called one: long texts are full of other numbers."""
_NEAR = Decimal("1.00")
"""Two amounts this close are the same price said as net and as selling: hotels round."""
_SENTENCE_END = re.compile(r"[.!?。！？;\n](?!\d)")
_VAGUE_BEFORE = re.compile(
    r"(?:(?<!how )(?<!what )\babout|\b(?:around|approx\w*\.?|roughly|circa|nearly|almost|close to|ballpark|somewhere)|~|大约|大概|差不多|"
    r"接近)\W*(?:the )?\W*$",
    re.IGNORECASE,
)
_VAGUE_AFTER = re.compile(r"\W*(?:-?ish\b|or so\b|give or take|more or less|and something|左右|上下)", re.IGNORECASE)
_TODAY = "current"
"""The anchor of "our rate stays as it is": today's price, named to refuse rather than to offer."""
_OFF_TODAY = re.compile(
    r"\W*(?:off|from|on|below) (?:of )?(?:our|the|your|my|today'?s|that) (?:\w+ )?(?:rate|price|tariff|net)s?\b", re.IGNORECASE
)
_OFF_TODAY_HAN = re.compile(r"(?:净价|底价|结算价|到手价?|售价|卖价|价格|房价)(?:可以|能|就)?(?:降|让|减|少|便宜)?\W*$")
""""净价让20": what is lowered is today's price, unless it says "再"."""
_EVERY_ROOM = re.compile(
    r"\b(?:both|all (?:rooms?|of them|room types)|each room|either)\b|"
    "(?:两[个间种]?(?:房型?)?|房型?|全部|所有)都|所有房型|都(?:按|给|能给|可以给|算|做|降到|卖)"
)
_NOT_EVERY_ROOM = re.compile(
    r"\b(?:not|n't|never)\b[^.,;!?]{0,20}\b(?:both|all|each|either)\b|\b(?:one|some|two|half) of (?:them|the rooms?|these|those)\b|"
    "(?:不是|并非|不能).{0,4}(?:都|所有|全部)|其中[一两]"
)
"""The price is for some of the rooms, and the words do not say for which."""
_COMMITS_BEFORE = re.compile(
    r"\b(?:accept|agree (?:to|on|with)|take|match|do|meet|give|go (?:with|for|to)|"
    r"(?:ok(?:ay)?|fine|happy|live|work|stay|stick|remain) (?:with|at|by|to)|"
    r"confirm|approve|keep|offer|at|for|is|repeat|同意|接受|按|就|照)\W*(?:you )?(?:the |on |at |with )?\W*$",
    re.IGNORECASE,
)
_COMMITS_AFTER = re.compile(
    r"\W*(?:then\b|it is\b|is (?:ok(?:ay)?|fine|good|accepted|agreed|confirmed|final|firm|still|the same|acceptable)\b|works?\b|stands?\b|"
    r"(?:still )?(?:holds?|remains?|stays?)\b|$)",
    re.IGNORECASE,
)
"""Words that make "your number" or "our price" a price put forward; without them it is only spoken about."""
_TURNED_DOWN_AFTER = re.compile(
    r"\W*(?:nett?|selling)?\W*(?:is|would be|means|'s) "
    r"(?:(?:just|only|really|simply|something|more|a|an|for me|for us|than|that|which|i|we|what) )*"
    r"(?:loss|joke|insult|no[ -]go|giveaway|can ?not|can't|won't|will not|below cost|under cost|out of)\b",
    re.IGNORECASE,
)
_EXCEPTED_AFTER = re.compile(r"\W*(?:nett?|selling|all in)?\W*(?:but |though |just )?not (?:on|for|during|over|at|in) ", re.IGNORECASE)
"""What follows takes days or rooms out of the offer, not the price back."""
_BREAK = re.compile(r"[,;.()\n，；。、]|\band\b|和")


@dataclass(frozen=True, slots=True)
class Priced:
    """What a message says about prices."""

    offers: tuple[HotelOffer, ...] = ()
    unclear: tuple[ClarifyTopic, ...] = ()
    stated_basis: PriceBasis | None = None
    named_amount: bool = False
    """A price was put forward, resolvable or not."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    amount: Decimal
    basis: PriceBasis
    label: int | None
    mention: PriceMention


def offers_in(text: str, context: ReadContext) -> Priced:
    """Every price that the message puts forward as the hotel's own."""
    scale = context.fact().current_net
    mentions = [m for m in find_prices(text, language=context.language, scale=scale) if _puts_forward(m, text)]
    if len(text) > LONG_MESSAGE:
        mentions = [m for m in mentions if m.currency or m.basis is not PriceBasis.UNKNOWN]
    stated = signals.stated_basis(text)
    candidates: list[_Candidate] = []
    unclear: list[ClarifyTopic] = []
    for mention in mentions:
        label = _label_of(mention, text, context)
        facts = context.fact(label)
        amount = _amount(mention, text, context, facts)
        if amount is None:
            if _is_meant(mention, facts):
                unclear.append(ClarifyTopic.AMOUNT)
            continue
        if not LEAST_SHARE * facts.current_net <= amount <= MOST_SHARE * facts.current_selling:
            if mention.currency or mention.basis is not PriceBasis.UNKNOWN:
                unclear.append(ClarifyTopic.AMOUNT)
            continue
        if mention.plus_tax and facts.tax_included is not False:
            unclear.append(ClarifyTopic.TAX)
        basis = _basis(mention, amount, context, facts, stated)
        candidates.append(_Candidate(amount, basis, label, mention))
    offers, open_points = _settle(candidates, text, context)
    unclear += open_points
    if stated is None and len({offer.basis for offer in offers}) == 1 and offers[0].basis is not PriceBasis.UNKNOWN:
        stated = offers[0].basis if any(c.mention.basis is offers[0].basis for c in candidates) else None
    return Priced(
        offers=offers,
        unclear=tuple(dict.fromkeys(unclear)),
        stated_basis=stated,
        named_amount=bool(candidates or unclear),
    )


def _puts_forward(mention: PriceMention, text: str) -> bool:
    """True where the hotel offers the price that is mentioned, and does not merely speak about it."""
    if mention.anchor == _TODAY or _TURNED_DOWN_AFTER.match(text, mention.end):
        return False
    if mention.polarity is not Polarity.OFFER:
        return mention.polarity is Polarity.REFUSAL and mention.form is PriceForm.ABSOLUTE and _excepts(mention, text)
    if mention.anchor in ("last_ask", "last_offer"):
        return bool(_COMMITS_BEFORE.search(text[: mention.start]) or _COMMITS_AFTER.match(text, mention.end))
    return True


def _excepts(mention: PriceMention, text: str) -> bool:
    """True where the only "not" of the sentence stands behind the price and is about days or rooms."""
    before = re.split(r"[.!?。！？；;\n]", text[: mention.start])[-1]
    return _EXCEPTED_AFTER.match(text, mention.end) is not None and not says_no(before) and "not" not in before and "n't" not in before


def _is_meant(mention: PriceMention, facts: TicketFacts) -> bool:
    """True where something that cannot be reckoned is nevertheless a price, not a stray percentage or count."""
    if mention.form is PriceForm.PERCENT:
        return mention.sign != 0
    if mention.form is PriceForm.RELATIVE:
        return mention.anchor in ("competitor", "midpoint")
    sizes = [size for size in (mention.value, mention.low, mention.high) if size is not None]
    return not sizes or max(sizes) >= LEAST_SHARE * facts.current_net or mention.form is PriceForm.DELTA


def _amount(mention: PriceMention, text: str, context: ReadContext, facts: TicketFacts) -> Decimal | None:
    if mention.currency is not None and mention.currency != facts.currency:
        return None
    if mention.approximate and _is_vague(mention, text):
        return None
    anchors = _anchors(context, facts)
    if mention.form in (PriceForm.DELTA, PriceForm.PERCENT) and _is_off_today(mention, text):
        # "10 off our net rate" counts from today's price, whatever was offered since.
        anchors = replace(anchors, last_offer=None)
    resolved = resolve(mention, anchors)
    return resolved if isinstance(resolved, Decimal) and resolved > 0 else None


def _is_off_today(mention: PriceMention, text: str) -> bool:
    before = text[: mention.start]
    if mention.text.rstrip().endswith("折"):
        return "再" not in before[-4:]
    return _OFF_TODAY.match(text, mention.end) is not None or _OFF_TODAY_HAN.search(before) is not None


def _is_vague(mention: PriceMention, text: str) -> bool:
    """True where the amount is blurred; "let's say 440" and "how about 440" only soften the offer."""
    inside = _VAGUE_BEFORE.match(mention.text) is not None or mention.form is PriceForm.RANGE
    return inside or bool(_VAGUE_BEFORE.search(text[: mention.start]) or _VAGUE_AFTER.match(text, mention.end))


def _anchors(context: ReadContext, facts: TicketFacts) -> Anchors:
    """What relative prices count from, all in the kind of price that the hotel talks in."""
    ask = _last(context.asked, facts.label)
    offer = _last(context.offered, facts.label)
    selling = _known_basis(context, facts) is PriceBasis.SELLING
    if selling and ask is not None:
        ask = selling_from_net(ask, facts.commission)
    return Anchors(
        current_net=facts.current_selling if selling else facts.current_net,
        current_selling=facts.current_selling,
        last_ask=ask,
        last_offer=offer,
        competitor=facts.competitor_price,
    )


def _last(prices: Sequence[tuple[int, Decimal]], label: int) -> Decimal | None:
    mine = [amount for owner, amount in prices if owner == label]
    return mine[-1] if mine else None


def _known_basis(context: ReadContext, facts: TicketFacts) -> PriceBasis | None:
    known = context.basis_known if facts.label == context.focus else None
    return None if known is PriceBasis.UNKNOWN else known


def _basis(mention: PriceMention, amount: Decimal, context: ReadContext, facts: TicketFacts, stated: PriceBasis | None) -> PriceBasis:
    if mention.basis is not PriceBasis.UNKNOWN:
        return mention.basis
    known = _known_basis(context, facts)
    match mention.form, mention.anchor:
        case PriceForm.RELATIVE, "competitor":
            return PriceBasis.SELLING
        case PriceForm.RELATIVE, "last_ask":
            return known if known is PriceBasis.SELLING else PriceBasis.NET
        case PriceForm.PERCENT, _ if known is None and _last(context.offered, facts.label) is None:
            # A share of today's net price is the same share of today's selling price.
            return PriceBasis.NET
        case _:
            pass
    asked = {net for label, net in context.asked if label == facts.label}
    if amount in asked:
        return PriceBasis.NET
    if amount in {selling_from_net(net, facts.commission) for net in asked}:
        return PriceBasis.SELLING
    return stated or known or PriceBasis.UNKNOWN


def _settle(candidates: list[_Candidate], text: str, context: ReadContext) -> tuple[tuple[HotelOffer, ...], list[ClarifyTopic]]:
    """One offer for each room, and what stands in the way of it."""
    unclear: list[ClarifyTopic] = []
    offers: list[HotelOffer] = []
    some_rooms = len(context.facts) > 1 and _NOT_EVERY_ROOM.search(normalised(text)) is not None
    every_room = len(context.facts) > 1 and not some_rooms and _EVERY_ROOM.search(normalised(text)) is not None
    labels = list(dict.fromkeys(candidate.label for candidate in candidates))
    for label in labels:
        own = _without_today([c for c in candidates if c.label == label], context.fact(label))
        own = _without_twins(_without_midpoint(own), context.fact(label))
        if len({c.amount for c in own}) > 1:
            last_sentence = [c for c in own if not _SENTENCE_END.search(text, c.mention.end, own[-1].mention.start)]
            if len({c.amount for c in last_sentence}) > 1:
                unclear.append(ClarifyTopic.WHICH_ROOM if label is None and len(context.facts) > 1 else ClarifyTopic.AMOUNT)
                continue
        if not own:
            continue
        chosen = own[-1]
        if chosen.basis is PriceBasis.UNKNOWN:
            unclear.append(ClarifyTopic.NET_OR_SELLING)
        if label is None and some_rooms:
            unclear.append(ClarifyTopic.WHICH_ROOM)
        owners = [facts.label for facts in context.facts] if label is None and every_room else [label]
        offers += [HotelOffer(amount=chosen.amount, basis=chosen.basis, label=owner) for owner in owners]
    return tuple(offers), unclear


def _without_today(own: list[_Candidate], facts: TicketFacts) -> list[_Candidate]:
    """Today's price beside another one is where the talk starts from, not an offer."""
    others = [c for c in own if c.amount not in (facts.current_net, facts.current_selling)]
    return others or own


def _without_midpoint(own: list[_Candidate]) -> list[_Candidate]:
    """An amount that is named beside "split the difference" is what the middle comes to for the hotel."""
    named = [c for c in own if c.mention.anchor != "midpoint"]
    return named or own


def _without_twins(own: list[_Candidate], facts: TicketFacts) -> list[_Candidate]:
    """The same price said as net and as selling is one offer, the net one; where the two do not match, net is what we pay."""
    net = [c for c in own if c.basis is PriceBasis.NET]
    selling = [c for c in own if c.basis is PriceBasis.SELLING]
    if not net or not selling:
        return own
    matching = [c for c in selling if any(abs(selling_from_net(n.amount, facts.commission) - c.amount) <= _NEAR for n in net)]
    return [c for c in own if c not in matching] if matching else [c for c in own if c not in selling]


def _label_of(mention: PriceMention, text: str, context: ReadContext) -> int | None:
    """The ticket whose room is named nearest to the price, in its sentence; a punctuation mark between counts as distance."""
    if len(context.facts) == 1:
        return context.facts[0].label
    plain = text.casefold()
    if len(plain) != len(text):
        plain = text.lower() if len(text.lower()) == len(text) else text
    starts = [hit.end() for hit in _SENTENCE_END.finditer(plain, 0, mention.start)]
    start = starts[-1] if starts else 0
    stop = _SENTENCE_END.search(plain, mention.end)
    end = stop.start() if stop else len(plain)
    best: tuple[float, int] | None = None
    for label, words in _room_words(context.facts).items():
        for word in words:
            for hit in re.finditer(rf"(?<![^\W\d_]){re.escape(word)}(?![^\W\d_])" if word.isascii() else re.escape(word), plain[start:end]):
                at, to = hit.start() + start, hit.end() + start
                gap = plain[to : mention.start] if to <= mention.start else plain[mention.end : at]
                distance = len(gap) + 30.0 * len(_BREAK.findall(gap))
                if best is None or distance < best[0]:
                    best = (distance, label)
    return best[1] if best else None


def _room_words(facts: Sequence[TicketFacts]) -> dict[int, frozenset[str]]:
    """For each ticket the words of its room type that no other ticket's room type has."""
    words = {fact.label: frozenset(re.findall(r"[^\W\d_]{3,}", fact.room_type.casefold())) for fact in facts}
    return {
        label: own - frozenset().union(*(others for other, others in words.items() if other != label)) - {"room", "rooms", "with", "and"}
        for label, own in words.items()
    }
