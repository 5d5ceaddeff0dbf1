"""How a price is put: a bound, a step up or down, a share, a narrowed stretch, "about".

Decided here: what the words right beside an amount make of it, on a draft that ``offers`` collects. Polarity, basis and tax are
decided in ``wording``.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from agent.prices.mention import PriceForm
from agent.prices.wording import clause_of, is_refused

_NOT = r"(?:\b(?:unable|not?|nothing|never|cannot|can not|without|n't)\b|n't\b|\b(?:cant|wont|dont)\b|不能|不会|不可以|不)"
_LESS = r"(?:under|below|less(?: than)?|lower(?: than)?|cheaper than|beneath|fewer than|smaller than|smaller or equal than)"
_MORE = (
    r"(?:over|above|more(?: than)?|higher(?: than)?|greater(?: than)?|larger than|bigger than|exceed(?:s|ing)?|surpass(?:es"
    r"|ing)?|beyond|upwards of|past|in excess of)"
)
_FILL = r"(?:[ ]+(?:or equal(?: to)?|about|around|like|say|a|the|my|our|that|it|to))*[ ]*"
_BOUND_BEFORE = re.compile(
    rf"(?P<floor>\b(?:at (?:the (?:very )?)?least|min(?:imum|\.)?(?: (?:of|is|would be|price|rate))*|the least (?:i|we)(?: (?:can"
    rf"|could|would|'d))? (?:do|take|accept|go)(?: is)?|starting (?:at|from|with)|starts? (?:at|from|with)|north of){_FILL}$"
    rf"|(?:至少|最少|起码|起碼|最低|底线|不低于|不少于|不小于|不低於|大于等于|大于或等于|至少要|≥|>=|>[ ]=)(?:也要|得|要|是|有|为)*[ ]*$)"
    rf"|(?P<cap>\b(?:at (?:the (?:very )?)?most|max(?:imum|\.)?(?: (?:of|is|would be))*"
    rf"|(?<!round )(?<!rounding )(?<!come )(?<!came )(?<!move )up to|as high as|the most (?:i"
    rf"|we)(?: (?:can|could|would|'d))? (?:do|pay|go|offer|spend)(?: is)?|south of|within){_FILL}$"
    rf"|(?:最多|至多|不超过|不超過|不高于|不大于|最高|顶多|不到|以内|小于[ ]*(?:等于|或[ ]*等于)|≤|<=|<[ ]=)(?:也就|是|只能|有)*[ ]*$)"
    rf"|(?P<notless>{_NOT}[^.,!?]{{0,26}}?\b{_LESS}{_FILL}$)"
    rf"|(?P<notmore>{_NOT}[^.,!?]{{0,26}}?\b{_MORE}{_FILL}$)"
    rf"|(?P<less>\b{_LESS}{_FILL}$|(?:低于|少于|小于|低於|少於)[ ]*$|(?<![=<>])<[ ]*$)"
    rf"|(?P<more>\b{_MORE}{_FILL}$|(?:高于|超过|超過|大于|多于|高於|超出|(?<![应意受说谈])过)[ ]*(?:了)?[ ]*$|(?<![=<>])>[ ]*$)"
)
_BOUND_CUE = re.compile(
    r"least|most|min|max|start|north|south|high|within|under|below|less|lower|cheaper|beneath|fewer|smaller|over|above|more|greater|larger"
    r"|bigger|exceed|surpass|beyond|upwards|past|excess|up to|[至最起底不顶以低少小高超大多过<>≥≤]"
)
"""A word without which there is no bound: most prices stop here."""
_BOUND_AFTER = re.compile(
    r"^(?P<more>[ ]*(?:or|and) (?:more|above|up|higher|over|better|greater)\b(?! than)|[ ]?\+(?![+ \d]|tax|vat|service)"
    r"|[ ]*(?:元|块)?[ ]*(?:或者?)?(?:以上|之上|或者更多|起(?!码|来)|往上))"
    r"|^(?P<less>[ ]*(?:or|and) (?:less|below|under|lower|cheaper)\b|[ ]*(?:tops|max|maximum|at most)\b|[ ]*(?:元|块)?(?:或者?)?(?:以下"
    r"|之下|以内|之内|封顶|以里|往下))"
    r"|^(?P<floor>[ ]*(?:min|minimum|at least|at the least)\b)"
)
_DECADE_BEFORE = re.compile(
    r"(?P<which>low(?:er)?|mid(?:dle)?|high(?:er)?|upper|late|early)(?:[ -]+(?:of the|to (?:mid|upper|high)))?[ -]+(?:the )?$"
)
_ABOUT = re.compile(
    r"(?:\b(?:about|around|approx(?:imately)?\.?|roughly|circa|near(?:ly)?|almost|close to|somewhere (?:around|near)|say|ballpark"
    r"|more or less|some|in the region of|like)|~|大约|大概|差不多|约|左右|将近|接近)[ ]*(?:的|是|为)?[ ]*$"
)
_ABOUT_AFTER = re.compile(r"^[ ]*(?:or so|-?ish|give or take|more or less|ballpark|左右|上下|出头|多(?!少)|来块)")

DOWN_BEFORE = re.compile(
    r"(?:\b(?:knock(?:ing|ed)?|shav(?:e|ing)|drop(?:ping|ped)?|cut(?:ting)?|reduc(?:e|ing|ed)|lower(?:ing|ed)?|slash(?:ing)?"
    r"|deduct(?:ing)?|discount(?:ed)?|minus|trim(?:ming)?|decreas(?:e|ing|ed)|come down|go down|down|take off|bring (?:it|that"
    r"|the price) down|subtract|reduction|a cut|save)\b"
    r"(?:[ ](?:it|off|down|that|this|the|my|our|your|his|them|price|rate|rates|prices|net|asking|room))*(?:[ ](?:by|of|another"
    r"|about|around|an|extra|additional|say|maybe|like|at least|just|only|a further|further|some|up to|you|off|down|a))*[ ]*$)"
    r"|(?:降价|下调|便宜|优惠|優惠|降低|降|减免|减|減|让利|让|讓|抹掉|抹|去掉|砍掉|砍|少收|少|立减|返|低)(?:个|了|价|你|您|我们"
    r"|你们|给你|点|大概|至少|最多|再|掉|了个|大约)*[ ]*$"
)
_TAKE = re.compile(r"\b(?:tak(?:e|ing)|giv(?:e|ing)|get|do|knock(?:ing)?|offer)\b")
UP_BEFORE = re.compile(
    r"(?:\b(?:add(?:ing)?|rais(?:e|ing)|increas(?:e|ing|ed)|bump(?:ing)?|go up|come up|up|plus|put on|tack on)\b(?:[ ](?:it|the"
    r"|price|rate|that|on|up))*(?:[ ](?:by|of|another|about|an|extra|say|maybe|just|a further|only))*[ ]*$)"
    r"|(?:加价|上调|提高|加|涨价|涨|漲|贵|多收|多加|高)(?:个|了|价|你|您|大概|再)*[ ]*$"
)
_TO_TARGET = re.compile(r"(?:\b(?:to|at|till|until|for|is|was|to be|as low as|as|=)[ ]*(?:about|around|like)?|到|至|成|为|是|于)[ ]*\$?$")
DOWN_AFTER = re.compile(
    r"^[ ]*(?:(?:dollars|bucks|usd|eur|rmb|yuan)[ ]+)?(?:off\b(?! (?:the )?(?:freeway|highway))|less\b|lower\b|cheaper\b"
    r"|discount\b|down\b(?! payment)|reduction\b|below\b|under (?:the )?(?:agoda|booking|expedia|current|that|what)|decrease\b"
    r"|rebate\b|的?(?:优惠|優惠|折扣|减免))"
)
UP_AFTER = re.compile(
    r"^[ ]*(?:(?:dollars|bucks|usd|eur|rmb|yuan)[ ]+)?(?:more\b(?! than you| information)|higher\b|extra\b|on top\b|increase\b"
    r"|above\b(?! (?:average))|up\b|surcharge\b|supplement\b)"
)
_ANCHOR_AFTER = re.compile(
    r"^[ ]*(?:off|less|lower|cheaper|below|under|above|over|more|higher|down|discount)?[ ]*(?:than|from|on|of|off)?[ ]*(?:the "
    r"|your |our |my )?(?P<competitor>agoda|booking|expedia|ctrip|trip\.com|competitor|traveloka|market"
    r"|other)?(?P<current>current|existing|present|today's|list|asking|contract)?(?P<ask>you(?:r)? (?:ask|price|offer|said)"
    r"|price you|what you)?"
)
_SHARE_TOLD = re.compile(
    r"^[^.,!?]{0,12}?\b(?:commission|markup|mark-up|margin|occupancy|occupied|full|tax|vat|service|sure|of (?:our|the|your|all)"
    r"|cotton|deposit|up ?front|refund\w*)\b|^[ ]*的?(?:佣金|入住率|税|服务费|把握|概率|客人|订单)"
)
_SHARE_TOLD_BEFORE = re.compile(
    r"\b(?:commission|markup|mark-up|margin|occupancy|tax|vat|service charge|service|deposit|running at|conversion"
    r"|share)\b[^.,!?]{0,20}$|(?:佣金|入住率|税率?|服务费|利润)[^,.!?]{0,8}$"
)


@dataclass(slots=True)
class Draft:
    """A price being worked out; turned into a frozen mention at the end."""

    form: PriceForm
    start: int
    end: int
    value: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    sign: int = 0
    anchor: str | None = None
    currency: str | None = None
    approximate: bool = False
    explicit: bool = False
    told: bool = False
    flips: bool = False
    """A bound whose own words hold the negation ("not under 450"), so that it is no refusal."""


def shape(folded: str, price: Draft, floor: int, ceiling: int, scale: Decimal | None) -> None:
    """Look at the words beside an amount: a bound, a step up or down, a tens-of-hundreds stretch, "about"."""
    first = max(floor, clause_of(folded, price.start, price.end)[0])
    before = folded[max(first, price.start - 48) : price.start]
    after = folded[price.end : min(ceiling, price.end + 40)]
    if price.form is PriceForm.PERCENT:
        _shape_share(price, before, after)
        return
    if price.form is PriceForm.RANGE and (which := _DECADE_BEFORE.search(before)):
        _narrow(price, which["which"])
        price.start -= len(which[0])
        return
    if _ABOUT.search(before) or _ABOUT_AFTER.match(after):
        price.approximate = True
    if price.form is PriceForm.RANGE or price.value is None:
        return
    bound = _BOUND_BEFORE.search(before) if _BOUND_CUE.search(before) else None
    behind = _BOUND_AFTER.match(after)
    if (not bound and not (behind and behind.lastgroup != "plain")) or price.form is PriceForm.DELTA:
        _step_of(price, before, after, scale)
        if price.form is PriceForm.DELTA:
            return
    if bound or behind:
        _bind(price, bound, behind, before, after)


def _shape_share(price: Draft, before: str, after: str) -> None:
    if price.sign == 0:
        behind = -1 if DOWN_AFTER.match(after) else 1 if UP_AFTER.match(after) else 0
        ahead = 0 if _TO_TARGET.search(before) else -1 if DOWN_BEFORE.search(before) else 1 if UP_BEFORE.search(before) else 0
        price.sign = behind or ahead
    if price.sign == 0 and (_SHARE_TOLD.match(after) or _SHARE_TOLD_BEFORE.search(before)):
        price.told = True
    elif price.sign:
        _set_anchor(price, after)


def _set_anchor(price: Draft, after: str) -> None:
    match = _ANCHOR_AFTER.match(after)
    if match and match["competitor"]:
        price.anchor = "competitor"
    elif match and match["current"]:
        price.anchor = "current"
    elif match and match["ask"]:
        price.anchor = "last_ask"


def _narrow(price: Draft, which: str) -> None:
    """ "low 300s" 300-330, "mid 300s" 340-360, "high 300s" 370-399: thirds of the stretch, the middle one narrowed."""
    assert price.low is not None
    assert price.high is not None
    width = price.high - price.low + 1
    base = price.low
    if which in ("low", "lower", "early"):
        price.high = base + width * 3 / 10
    elif which in ("mid", "middle"):
        price.low, price.high = base + width * 4 / 10, base + width * 6 / 10
    else:
        price.low = base + width * 7 / 10


def _step_of(price: Draft, before: str, after: str, scale: Decimal | None) -> None:
    assert price.value is not None
    if scale is not None and price.value * 2 > scale:
        return
    down_after = DOWN_AFTER.match(after)
    up_after = UP_AFTER.match(after)
    if _TO_TARGET.search(before) and not down_after and not up_after:
        return
    if down_after or (DOWN_BEFORE.search(before) and not _is_high_word(before)):
        price.form, price.sign = PriceForm.DELTA, -1
    elif up_after or UP_BEFORE.search(before):
        price.form, price.sign = PriceForm.DELTA, 1
    else:
        return
    _set_anchor(price, after)


def _is_high_word(before: str) -> bool:
    """ "最低430" is a floor and "down at 430" an amount, no step."""
    return before.rstrip().endswith(("最低", "较低", "discounted", "lower price", "lower rate", "discount price"))


def _bind(price: Draft, bound: re.Match[str] | None, behind: re.Match[str] | None, before: str, after: str) -> None:
    found = bound or behind
    which = found.lastgroup if found else ""
    is_floor = which in ("floor", "more", "notless")
    if which in ("less", "more") and (
        is_refused(before[: bound.start()], after) if bound else behind is not None and is_refused(before, after[behind.end() :])
    ):
        # "anything under 450 is impossible": what is refused lies on the other side.
        is_floor = not is_floor
    price.flips = True
    price.form = PriceForm.RANGE
    price.low, price.high = (price.value, None) if is_floor else (None, price.value)
