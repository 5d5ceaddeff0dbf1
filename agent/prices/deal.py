"""At what price a conversation stands: the last price that one side put forward and the other took up, or the speaker's own last word.

Decided here: what an offer, an acceptance and a counter-offer are across turns. One turn's prices come from ``offers``, relative ones
are reckoned by ``anchors`` against what both sides have said so far. Nothing here makes an agreement binding: the SOP asks for an
explicit yes to explicit numbers, this only tells where the talk has arrived.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from agent.prices.anchors import Anchors, resolve
from agent.prices.fold import fold
from agent.prices.mention import Polarity, PriceForm, PriceMention
from agent.prices.offers import find_prices

_YES = re.compile(
    r"\b(?:deal|ok(?:ay|ey)?|k|sure|yes|yeah|yep|yup|ya|agree[ds]?|accept(?:ed|able)?|perfect|sold|done|fine|great|awesome"
    r"|excellent|alright|all right|absolutely|definitely|of course|certainly|"
    r"sounds? (?:good|great|fair|perfect|fine|reasonable|like a (?:deal|plan)|awesome|amazing)|works?(?: (?:for me|for us|fine"
    r"|great|perfectly|out))?|(?:that|it) (?:will|would|'?ll|does) (?:work|do)|fair enough|that'?s (?:fair|fine|good|great|ok"
    r"|okay|reasonable|doable)|"
    r"i (?:can|could|will|would|'?ll|guess i can) (?:do|take|accept|go with|live with|manage|pay|agree to) (?:it|that|this)"
    r"|i'?ll take it|take it|it'?s yours|all yours|you(?:'?ve| have)? (?:got|have) (?:yourself )?a deal|(?:you|u) got it"
    r"|got a deal|let'?s do (?:it|that|this)|"
    r"let'?s go (?:with|for) (?:it|that)|good (?:deal|price|to me|with me)|i'?m (?:good|ok|okay|fine|happy) with|go for it"
    r"|no problem|can do|doable|happy to|i'?d be willing|reasonable|cool|glad)\b"
    r"|成交|可以|好的|没问题|同意|行(?!不)|好吧|接受|就这样|定了|ok"
)
_NO = re.compile(
    r"\b(?:no(?!\s+(?:problem|worries|issues?|doubt|damage|scratches))|nope|nah|ca[n]?'?t|cannot|won'?t|wouldn'?t|couldn'?t|not"
    r"|too (?:low|high|much|expensive|cheap)|unfortunately|sorry|unable|no way|never|(?:really|pretty|very|so|bit|little) (?:low"
    r"|high|steep))\b"
    r"|不行|不能|不可以|不接受|没办法|太低|太高|做不到|做不了|不同意"
)
_STRONG_YES = re.compile(
    r"\b(?:deal|i (?:can|could) do (?:that|it)|sold|agreed|accept(?:ed)?|i'?ll take it|it'?s yours|you(?:'?ve| have)? (?:got"
    r"|have) (?:yourself )?a deal|got a deal|let'?s do (?:it|that|this)|sounds? (?:good|great|fair|perfect)|that works"
    r"|works for me|that'?s (?:fine|fair|perfect))\b|成交|没问题|同意|接受"
)
_OFFERS_BEFORE = re.compile(
    r"\b(?:how about|what about|(?:can|could|would|will|may) (?:you|we|i|u)|i(?:'d| would| could| can| will|'ll| am| might|'m)"
    r"|we(?:'d| would| could| can| will|'ll)|let'?s|willing|offer|meet (?:you|me|us)|lowest|highest|best|accept|asking|"
    r"drop|lower|come (?:down|up)|split|settle|final|firm|make it|budget|only|up to)\b[^.!?]{0,32}$|\b(?:take|do|pay|say|go|give"
    r"|maybe|at least|have|deal for|closer to|down to|up to|total of|at)(?: (?:you|me|it))?[ ]*$"
    r"|(?:给你|给您|最低|最多|报|降到|收|要|可以|能|就)[^,.?!;]{0,6}$"
)
_OFFERS_AFTER = re.compile(
    r"^[^.!?]{0,12}?(?:\?|\band (?:it'?s|you|we|i|call)\b|\bis (?:the|my|our) (?:lowest|highest|best|most|max|final|bottom"
    r"|absolute|least)|\b(?:cash|firm|max|tops|today|works?|obo|would work|would be|sounds|it is)\b|\bis (?:fine|good|great|ok"
    r"|okay|perfect|fair))"
    r"|^[ ]*$|行吗|可以吗|怎么样"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of talk; ``offer`` is a price put down formally beside the words (a form, a button), None for plain talk."""

    speaker: str
    text: str
    offer: Decimal | None = None


@dataclass(slots=True)
class _Table:
    """What lies on the table while the talk is read."""

    last: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    """Each side's last own price."""
    latest: tuple[str, Decimal] | None = None
    """The newest price and who put it forward."""
    agreed: Decimal | None = None
    refused_by: str | None = None
    """Who turned the newest price down without naming another."""


def agreed_price(turns: Sequence[Turn], anchors: Anchors, *, speaker: str | None = None) -> Decimal | None:
    """The price at which the talk stands, or None where no price was named.

    It is the last price put forward by one side and taken up by the other (an explicit yes, or the same number said back). Where
    nothing was taken up it is the newest price put forward; where ``speaker`` has turned that one down, the last one of ``speaker``.
    ``anchors`` gives what relative prices start from before anybody has named one, and the size of prices to expect.
    """
    table = _Table()
    scale = anchors.current_net or anchors.current_selling or anchors.competitor
    for turn in turns:
        _hear(table, turn, anchors, scale)
    if table.agreed is not None:
        return table.agreed
    if speaker is not None and table.refused_by == speaker and speaker in table.last:
        return table.last[speaker]
    if table.latest is not None:
        return table.latest[1]
    return None


def _hear(table: _Table, turn: Turn, anchors: Anchors, scale: Decimal | None) -> None:
    if turn.offer is not None:
        _put(table, turn.speaker, turn.offer)
        return
    folded = fold(turn.text)
    mentions = find_prices(turn.text, scale=scale)
    open_price = table.latest[1] if table.latest is not None and table.latest[0] != turn.speaker else None
    bids = _bids(folded, turn, mentions, table, anchors, scale)
    new = [bid for bid in bids if bid.amount != open_price]
    says_yes = _takes_up(folded, mentions)
    yes_first = says_yes and (not new or _yes_comes_first(folded, new[0]))
    echoed = bool(bids) and bids[-1].amount == open_price
    if open_price is not None and not any(bid.is_firm for bid in new) and (yes_first or echoed):
        # A yes, or the other side's number said back, takes it up; loose numbers beside it ("an extra $5") do not change that.
        _put(table, turn.speaker, open_price)
        table.agreed = open_price
        return
    firm = [bid for bid in bids if bid.is_firm] or bids
    if firm:
        _put(table, turn.speaker, firm[-1].amount)
    elif open_price is not None and table.agreed is None and _NO.search(folded):
        table.refused_by = turn.speaker


@dataclass(frozen=True, slots=True)
class _Bid:
    """An amount that the speaker puts forward; firm where words of offering go with it."""

    amount: Decimal
    is_firm: bool
    start: int


def _bids(folded: str, turn: Turn, mentions: Sequence[PriceMention], table: _Table, anchors: Anchors, scale: Decimal | None) -> list[_Bid]:
    own = table.last.get(turn.speaker)
    other = next((price for side, price in reversed(table.last.items()) if side != turn.speaker), None)
    start = anchors.current_net or anchors.current_selling
    here = Anchors(
        current_net=start,
        current_selling=anchors.current_selling,
        last_ask=other if other is not None else start,
        last_offer=own if own is not None else start,
        competitor=anchors.competitor,
    )
    stated: list[_Bid] = []
    stepped: list[_Bid] = []
    for mention in mentions:
        if mention.polarity is not Polarity.OFFER or (mention.form is PriceForm.RELATIVE and mention.anchor != "midpoint"):
            continue
        amount = resolve(mention, here)
        if isinstance(amount, tuple):
            amount = amount[1]
        if amount is None or (scale is not None and not scale * Decimal("0.15") <= amount <= scale * 2):
            continue
        relative = mention.form in (PriceForm.DELTA, PriceForm.PERCENT, PriceForm.RELATIVE)
        before = folded[max(0, mention.start - 48) : mention.start]
        after = folded[mention.end : mention.end + 32]
        is_firm = _OFFERS_BEFORE.search(before) is not None or _OFFERS_AFTER.match(after) is not None
        (stepped if relative else stated).append(_Bid(amount, is_firm, mention.start))
    return stated or stepped


def _yes_comes_first(folded: str, bid: _Bid) -> bool:
    yes = _YES.search(folded)
    return yes is not None and yes.start() < bid.start


def _takes_up(folded: str, mentions: Sequence[PriceMention]) -> bool:
    if any(mention.polarity is Polarity.REFUSAL for mention in mentions) or _YES.search(folded) is None:
        return False
    return _NO.search(folded) is None or _STRONG_YES.search(folded) is not None


def _put(table: _Table, speaker: str, price: Decimal) -> None:
    table.last.pop(speaker, None)
    table.last[speaker] = price
    table.latest = (speaker, price)
    table.agreed = None
    table.refused_by = None
