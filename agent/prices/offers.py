"""The bargaining grammar: from the numbers and the set phrases of a text to prices with form, direction, polarity and basis.

Decided here: which numbers of a hotel's message are prices and how they are put (an amount, a step, a share, a stretch, a named anchor).
Numbers come from ``kinds`` and ``money``, the meaning of the words around them from ``wording``; nothing is resolved here.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from agent.prices.fold import fold
from agent.prices.kinds import HALF_PRICE, Counted, count
from agent.prices.mention import NumberKind, Polarity, PriceBasis, PriceForm, PriceMention
from agent.prices.money import cantonese_money, coin_money
from agent.prices.wording import basis_of, clause_of, has_tax_on_top, is_refused, is_told, polarity_of

_NOT = r"(?:\b(?:unable|not?|nothing|never|cannot|can not|without|n't)\b|n't\b|\b(?:cant|wont|dont)\b|不能|不会|不可以|不)"
_LESS = r"(?:under|below|less(?: than)?|lower(?: than)?|cheaper than|beneath|fewer than|smaller than|smaller or equal than)"
_MORE = r"(?:over|above|more(?: than)?|higher(?: than)?|greater(?: than)?|larger than|bigger than|exceed(?:s|ing)?|surpass(?:es|ing)?|beyond|upwards of|past|in excess of)"
_FILL = r"(?:[ ]+(?:or equal(?: to)?|about|around|like|say|a|the|my|our|that|it|to))*[ ]*"
_BOUND_BEFORE = re.compile(
    rf"(?P<floor>\b(?:at (?:the (?:very )?)?least|min(?:imum|\.)?(?: (?:of|is|would be|price|rate))*|the least (?:i|we)(?: (?:can"
    rf"|could|would|'d))? (?:do|take|accept|go)(?: is)?|starting (?:at|from|with)|starts? (?:at|from|with)|north of){_FILL}$"
    rf"|(?:至少|最少|起码|起碼|最低|底线|不低于|不少于|不小于|不低於|大于等于|大于或等于|至少要|≥|>=|>[ ]=)(?:也要|得|要|是|有|为)*[ ]*$)"
    rf"|(?P<cap>\b(?:at (?:the (?:very )?)?most|max(?:imum|\.)?(?: (?:of|is|would be))*|up to|as high as|the most (?:i"
    rf"|we)(?: (?:can|could|would|'d))? (?:do|pay|go|offer|spend)(?: is)?|south of|within){_FILL}$"
    rf"|(?:最多|至多|不超过|不超過|不高于|不大于|最高|顶多|不到|以内|小于[ ]*(?:等于|或[ ]*等于)|≤|<=|<[ ]=)(?:也就|是|只能|有)*[ ]*$)"
    rf"|(?P<notless>{_NOT}[^.,!?]{{0,26}}?\b{_LESS}{_FILL}$)"
    rf"|(?P<notmore>{_NOT}[^.,!?]{{0,26}}?\b{_MORE}{_FILL}$)"
    rf"|(?P<less>\b{_LESS}{_FILL}$|(?:低于|少于|小于|低於|少於)[ ]*$|(?<![=<>])<[ ]*$)"
    rf"|(?P<more>\b{_MORE}{_FILL}$|(?:高于|超过|超過|大于|多于|高於|超出|过)[ ]*(?:了)?[ ]*$|(?<![=<>])>[ ]*$)"
)
_BOUND_AFTER = re.compile(
    r"^(?P<more>[ ]*(?:or|and) (?:more|above|up|higher|over|better|greater)\b(?! than)|[ ]?\+(?!\+|[ ]?(?:tax|vat|service|\d))"
    r"|[ ]*(?:元|块)?[ ]*(?:或者?)?(?:以上|之上|或者更多|起(?!码|来)|往上))"
    r"|^(?P<less>[ ]*(?:or|and) (?:less|below|under|lower|cheaper)\b|[ ]*(?:tops|max|maximum|at most)\b|[ ]*(?:元|块)?(?:或者?)?(?:以下"
    r"|之下|以内|之内|封顶|以里|往下))"
    r"|^(?P<floor>[ ]*(?:min|minimum|at least|at the least)\b)"
)
_RANGE_LINK = re.compile(r"[ ]*(?:-+|~|to|through|till?|or|and|到|至|—|与|和|與)[ ]*")
_RANGE_BEFORE = re.compile(
    r"\b(?:between|from|anywhere from|in the range of|range of|somewhere in)[ ]+(?:about |around )?$|(?:在|从|介于|位于|于)[ ]*$"
)
_BETWEEN = re.compile(r"\b(?:between|somewhere between|in between)[ ]+(?:about |around |like )?$|(?:在|介于|位于)[ ]*$")
_DECADE_BEFORE = re.compile(
    r"(?P<which>low(?:er)?|mid(?:dle)?|high(?:er)?|upper|late|early)(?:[ -]+(?:of the|to (?:mid|upper|high)))?[ -]+(?:the )?$"
)
_ABOUT = re.compile(
    r"(?:\b(?:about|around|approx(?:imately)?\.?|roughly|circa|near(?:ly)?|almost|close to|somewhere (?:around|near)|say|ballpark"
    r"|more or less|some|in the region of|like)|~|大约|大概|差不多|约|左右|将近|接近)[ ]*(?:的|是|为)?[ ]*$"
)
_ABOUT_AFTER = re.compile(r"^[ ]*(?:or so|-?ish|give or take|more or less|ballpark|左右|上下|出头|多(?!少)|来块)")

_DOWN_BEFORE = re.compile(
    r"(?:\b(?:knock(?:ing|ed)?|shav(?:e|ing)|drop(?:ping|ped)?|cut(?:ting)?|reduc(?:e|ing|ed)|lower(?:ing|ed)?|slash(?:ing)?"
    r"|deduct(?:ing)?|discount(?:ed)?|minus|trim(?:ming)?|decreas(?:e|ing|ed)|come down|go down|down|take off|bring (?:it|that"
    r"|the price) down|subtract|reduction|a cut|save)\b"
    r"(?:[ ](?:it|off|down|that|this|the|my|our|your|his|them|price|rate|rates|prices|net|asking|room))*(?:[ ](?:by|of|another"
    r"|about|around|an|extra|additional|say|maybe|like|at least|just|only|a further|further|some|up to|you|off|down|a))*[ ]*$)"
    r"|(?:降价|下调|便宜|优惠|優惠|降低|降|减免|减|減|让利|让|讓|抹掉|抹|去掉|砍掉|砍|少收|少|立减|返|低)(?:个|了|价|你|您|我们|你们|给你|点|大概|至少|最多|再|掉|了个|大约)*[ ]*$"
)
_TAKE = re.compile(r"\b(?:tak(?:e|ing)|giv(?:e|ing)|get|do|knock(?:ing)?|offer)\b")
_UP_BEFORE = re.compile(
    r"(?:\b(?:add(?:ing)?|rais(?:e|ing)|increas(?:e|ing|ed)|bump(?:ing)?|go up|come up|up|plus|put on|tack on)\b(?:[ ](?:it|the"
    r"|price|rate|that|on|up))*(?:[ ](?:by|of|another|about|an|extra|say|maybe|just|a further|only))*[ ]*$)"
    r"|(?:加价|上调|提高|加|涨价|涨|漲|贵|多收|多加|高)(?:个|了|价|你|您|大概|再)*[ ]*$"
)
_TO_TARGET = re.compile(r"(?:\b(?:to|at|till|until|for|is|was|to be|as low as|as|=)[ ]*(?:about|around|like)?|到|至|成|为|是|于)[ ]*\$?$")
_DOWN_AFTER = re.compile(
    r"^[ ]*(?:(?:dollars|bucks|usd|eur|rmb|yuan)[ ]+)?(?:off\b(?! (?:the )?(?:freeway|highway))|less\b|lower\b|cheaper\b"
    r"|discount\b|down\b(?! payment)|reduction\b|below\b|under (?:the )?(?:agoda|booking|expedia|current|that|what)|decrease\b"
    r"|rebate\b|的?(?:优惠|優惠|折扣|减免))"
)
_UP_AFTER = re.compile(
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
_PRICE_WORD = re.compile(
    r"\b(?:price[ds]?|rates?|net|nett|costs?|offer|pay|ask(?:ing)?|sell(?:ing)?|deal|budget|quote|night|take|accept|do|go|charge"
    r"|discount|settle|meet you|firm|all in)\b|价|一晚|报|降|给你|收"
)
_COMPETITOR = r"(?:agoda|booking(?:\.com)?|expedia|ctrip|trip\.com|hotels\.com|traveloka|airbnb|tripadvisor|google|(?:the |your |our |my )?compet(?:itors?|ition)|(?:the )?other(?:s| sites?| otas?| channels?| platforms?)|elsewhere|everyone else)"
_RELATIVE = re.compile(
    r"(?<![a-z])(?=[smeplawfuhiyktoc5n跟和与同按照参对匹各折取一就你您我维原价现])(?:"
    rf"(?P<competitor>\b(?:same|match(?:ing|es)?|equal(?:s)?|parity|in line|like|level|align(?:ed)?|as (?:low|good"
    rf"|cheap))\b[^.,!?\d]{{0,26}}?\b{_COMPETITOR}\b|\bwhat(?:ever)? (?:\w+ )?{_COMPETITOR}\b (?:has|have|shows?|charges?|gets?"
    rf"|pays?|offers?)"
    rf"|(?:跟|和|与|同|按|照|参照|对齐|匹配)(?:携程|美团|飞猪|去哪儿?|缤客|agoda|booking|同行|别家|竞争对手|其他平台|他们|其它平台)(?:上)?(?:的?价格?)?(?:一样|一致|同价|走|来|持平)?)"
    r"|(?P<midpoint>\b(?:split(?:ting)? (?:the |that |it )?(?:diff\w*|down the middle|in half|it)|split it|meet(?:ing)?(?: (?:me"
    r"|you|us|each other))?(?: (?:somewhere|right))?(?: (?:in|at))?(?: the)? (?:middle|half ?way|midpoint)|half ?way"
    r"|in the middle|middle ground|fifty[- ]fifty)\b|(?<!\d)50[/-]50(?!\d)"
    r"|各让一步|各退一步|折中|折衷|取(?:个)?中间|中间价|对半|一人一半|一人让一半)"
    r"|(?P<last_ask>\b(?:your (?:price|offer|number|figure|proposal|ask|rate|request)|(?:what|the (?:price|rate|number"
    r"|one)) you(?:'ve)? (?:ask(?:ed)?|propos(?:ed)?|said|want(?:ed)?|request(?:ed)?|mention(?:ed)?|offer(?:ed)?)(?: for)?"
    r"|as you (?:ask(?:ed)?|propos(?:ed)?|said|suggest(?:ed)?))\b|(?:按|就|照)(?:你|您|你们|贵方)(?:说|提|要|讲)?的(?:价格?|数|来|办)?|(?:你|您"
    r"|你们)(?:说|提|要)的(?:价格?|那个))"
    r"|(?P<last_offer>\b(?:(?:my|our) (?:last |final |latest |previous |earlier )?(?:price|offer|number|figure|proposal|quote)"
    r"|what (?:i|we) (?:said|offered|quoted|told you)|as (?:i|we) said|as (?:offered|quoted))\b|(?:我|我们)(?:刚才|之前|上次)?(?:说|报"
    r"|给)的(?:价格?|数)?)"
    r"|(?P<current>\b(?:(?:same|current|existing|today's|present|old|contract(?:ed)?) (?:price|rates?|net|level|one|terms)"
    r"|keep (?:it|the (?:price|rate)s?|things?)(?: as| the same| where| at the)?|unchanged|no change|stays? (?:as (?:it )?is"
    r"|the same|put)|as (?:it is|is|before|now)|same as (?:now|before|today|always|last year))\b|维持(?:原价|现价|不变)?|原价|价格?不变|照旧|现价"
    r"|跟之前一样|和现在一样)"
    r")"
)


@dataclass(slots=True)
class _Price:
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


def find_prices(
    text: str, *, language: str | None = None, price_expected: bool = True, scale: Decimal | None = None
) -> tuple[PriceMention, ...]:
    """Every price in ``text``, left to right, with form, polarity, basis and span; nothing raises, whatever the text.

    ``price_expected``: a bare number ("430") counts as a price; otherwise it needs a currency or a word of trade beside it.
    ``scale``: a typical price of this conversation in the same currency. It settles how much "4-something", "2.5" or "four thirty" is,
    and keeps small stray numbers out. ``language`` (ISO 639-1) settles what "¥" is.
    A one-sided bound is a ``RANGE`` with ``low`` or ``high`` None and the bound as ``value``; see ``Polarity`` for what it means.
    """
    folded = fold(text)
    counted, _ = count(text, folded, language)
    prices = (
        _prices(folded, counted, price_expected=price_expected, scale=scale)
        if counted or not folded.isascii() or len(folded) < 12 or "half" in folded
        else []
    )
    prices.extend(_relatives(folded, prices))
    if not prices:
        return ()
    prices.sort(key=lambda price: (price.start, price.end))
    return tuple(_mention(text, folded, prices, place) for place in range(len(prices)))


def _prices(folded: str, counted: list[Counted], *, price_expected: bool, scale: Decimal | None) -> list[_Price]:
    whole = coin_money(folded, [entry.numeral for entry in counted])
    if whole is not None:
        return [_Price(PriceForm.ABSOLUTE, 0, len(folded), value=whole, explicit=True)]
    prices: list[_Price] = []
    if "個" in folded or "个" in folded:
        prices = [_Price(PriceForm.ABSOLUTE, start, end, value=value) for start, end, value in cantonese_money(folded)]
    taken = [(price.start, price.end) for price in prices]
    for place, entry in enumerate(counted):
        numeral = entry.numeral
        if any(start < numeral.end and numeral.start < end for start, end in taken):
            continue
        price = _price(folded, entry, counted[place + 1] if place + 1 < len(counted) else None, scale)
        if price is None or (not price.explicit and not _wanted(folded, price, price_expected=price_expected, scale=scale)):
            continue
        prices.append(price)
    if any(price.explicit for price in prices):
        prices = [price for price in prices if price.explicit or not _in_han_name(folded, price)]
    _half_price(folded, prices)
    prices = _joined(folded, prices)
    for place, price in enumerate(prices):
        floor = prices[place - 1].end if place else 0
        ceiling = prices[place + 1].start if place + 1 < len(prices) else len(folded)
        _shape(folded, price, floor, ceiling, scale)
    return _merged_bounds(folded, prices)


def _price(folded: str, entry: Counted, following: Counted | None, scale: Decimal | None) -> _Price | None:
    numeral, money = entry.numeral, entry.money
    if entry.kind is NumberKind.PERCENT:
        assert entry.percent is not None
        end = _percent_end(folded, numeral.end)
        if entry.discount:
            return _Price(PriceForm.PERCENT, numeral.start, end, value=abs(100 - entry.percent), sign=-1, explicit=True)
        sign = -1 if entry.percent < 0 else 0
        return _Price(PriceForm.PERCENT, numeral.start, end, value=abs(entry.percent), sign=sign, explicit=True)
    if entry.kind is not NumberKind.AMOUNT:
        if entry.kind is NumberKind.OTHER and numeral.glued and _is_run_on(folded, numeral.start, numeral.value, scale):
            return _Price(PriceForm.ABSOLUTE, numeral.start, numeral.end, value=numeral.value)
        # "5.6到5.78元", "200-300元": the first number of a stretch shares the second one's currency.
        if not (
            following
            and following.money
            and entry.kind in (NumberKind.OTHER, NumberKind.COUNT)
            and not numeral.fraction
            and _is_link(folded, numeral.end, following)
        ):
            return None
    price = _Price(PriceForm.ABSOLUTE, numeral.start, numeral.end, value=abs(numeral.value), approximate=numeral.approximate)
    high = numeral.high
    if money is not None:
        price.value, price.start, price.end = money.value, money.start, money.end
        price.currency, price.explicit, high = money.currency, True, money.high
    assert price.value is not None
    if scale is not None and money is None and not numeral.scaled:
        factor = _factor(price.value, scale, vague=high is not None)
        price.value *= factor
        if high is not None:
            high = price.value + factor - 1 if high * factor == price.value else high * factor
    if high is not None and high > price.value:
        price.form, price.low, price.high, price.value, price.approximate = PriceForm.RANGE, price.value, high, None, True
    if numeral.value < 0:
        price.form, price.sign = PriceForm.DELTA, -1
    return price


def _is_run_on(folded: str, start: int, value: Decimal, scale: Decimal | None) -> bool:
    """ "he said900": a word typed against a number that may well be a price here."""
    return scale is not None and scale / 4 <= value <= scale * 2 and folded[max(0, start - 3) : start].isalpha()


def _is_link(folded: str, end: int, following: Counted) -> bool:
    start = following.money.start if following.money else following.numeral.start
    return end <= start and start - end < 8 and _RANGE_LINK.fullmatch(folded[end:start]) is not None


def _factor(value: Decimal, scale: Decimal, *, vague: bool) -> Decimal:
    """ "4-something" or "2.5" where prices lie around 430 or 260: hundreds (or thousands) are left unsaid."""
    one = Decimal(1)
    if value <= 0 or value >= 100 or (value == int(value) and not vague and value >= 10) or value * 8 >= scale:
        return one
    for factor in (Decimal(100), Decimal(1000)):
        if scale * Decimal("0.5") <= value * factor <= scale * Decimal("1.6") and (vague or value != int(value)):
            return factor
    return one


def _percent_end(folded: str, end: int) -> int:
    match = re.compile(
        r"[ ]*(?:%|per[ ]?cents?\b|percents?(?:age)?\b|pct\b|(?:个|個)?[ ]*百[ ]*分[ ]*(?:点|點)|(?:个|個)(?:点|點)|折|成[半一二三四五六七八九]?)"
    ).match(folded, end)
    return match.end() if match else end


def _wanted(folded: str, price: _Price, *, price_expected: bool, scale: Decimal | None) -> bool:
    """A bare number is a price only where one is expected and it may be one."""
    value = price.value if price.value is not None else price.low
    if not price_expected:
        first, last = clause_of(folded, price.start, price.end)
        return value is not None and value >= 10 and _PRICE_WORD.search(folded, first, last) is not None
    if scale is None or value is None or value * 10 >= scale:
        return True
    before, after = folded[: price.start], folded[price.end :]
    return bool(
        price.sign
        or _DOWN_BEFORE.search(before[-48:])
        or _DOWN_AFTER.match(after)
        or _UP_AFTER.match(after)
        or _UP_BEFORE.search(before[-48:])
        or _is_half_of_range(folded, price)
    )


def _is_half_of_range(folded: str, price: _Price) -> bool:
    return re.compile(r"[ ]*[-~到至][ ]*\d").match(folded, price.end) is not None


def _in_han_name(folded: str, price: _Price) -> bool:
    """A bare number between Chinese words that are no words of trade ("798艺术区"), beside prices with a currency."""
    before, after = folded[max(0, price.start - 1) : price.start], folded[price.end : price.end + 1]
    return (
        "\u4e00" <= after <= "\u9fff"
        and before not in tuple("价是到给报收卖要能为于按做在最少多低高让降减加出付至和与")
        and after not in tuple("到至和与一左不以起的")
    )


def _half_price(folded: str, prices: list[_Price]) -> None:
    if "half" in folded or "半" in folded or "折" in folded:
        prices.extend(
            _Price(PriceForm.PERCENT, match.start(), match.end(), value=Decimal(50), sign=-1, explicit=True)
            for match in HALF_PRICE.finditer(folded)
        )
        prices.sort(key=lambda price: price.start)


def _joined(folded: str, prices: list[_Price]) -> list[_Price]:
    """Two amounts joined by "to", "-", "between … and …" become one stretch."""
    result: list[_Price] = []
    for price in prices:
        last = result[-1] if result else None
        if last is not None and _joins(folded, last, price):
            low, high = last.value, price.value
            assert low is not None
            assert high is not None
            result[-1] = _Price(
                last.form if last.form is PriceForm.PERCENT else PriceForm.RANGE, last.start, price.end, low=min(low, high), high=max(low, high),
                value=None if last.form is not PriceForm.PERCENT else min(low, high), sign=last.sign or price.sign,
                currency=last.currency or price.currency, approximate=last.approximate or price.approximate, explicit=last.explicit or price.explicit,
            )  # fmt: skip
        else:
            result.append(price)
    return result


def _joins(folded: str, last: _Price, price: _Price) -> bool:
    plain = (PriceForm.ABSOLUTE, PriceForm.PERCENT)
    if last.value is None or price.value is None or price.form not in plain or last.form not in plain or last.end > price.start:
        return False
    if last.form is not price.form and not (last.form is PriceForm.ABSOLUTE and not last.explicit):
        return False
    between = folded[last.end : price.start]
    link = _RANGE_LINK.fullmatch(between)
    if link is None:
        return False
    if last.form is not price.form:
        last.form = PriceForm.PERCENT
    word = between.strip()
    before = folded[max(0, last.start - 24) : last.start]
    if word in ("and", "和", "与", "與"):
        return _BETWEEN.search(before) is not None or folded.startswith(("间", "之间", "間", "之間"), price.end)
    if word == "or":
        return False
    if word == "to" and _DOWN_BEFORE.search(before):
        return False
    if last.currency and price.currency and last.currency != price.currency:
        return False
    if price.value < last.value and not last.explicit and price.explicit and last.value > 100 * price.value:
        return False
    return True


def _shape(folded: str, price: _Price, floor: int, ceiling: int, scale: Decimal | None) -> None:
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
    bound = _BOUND_BEFORE.search(before)
    behind = _BOUND_AFTER.match(after)
    if (not bound and not (behind and behind.lastgroup != "plain")) or price.form is PriceForm.DELTA:
        _step_of(price, before, after, scale)
        if price.form is PriceForm.DELTA:
            return
    if bound or behind:
        _bind(price, bound, behind, before, after)


def _shape_share(price: _Price, before: str, after: str) -> None:
    if price.sign == 0:
        price.sign = (
            -1
            if _DOWN_AFTER.match(after) or _DOWN_BEFORE.search(before)
            else 1
            if _UP_AFTER.match(after) or _UP_BEFORE.search(before)
            else 0
        )
        if price.sign and _TO_TARGET.search(before):
            price.sign = 0
    if price.sign == 0 and (_SHARE_TOLD.match(after) or _SHARE_TOLD_BEFORE.search(before)):
        price.told = True
    elif price.sign:
        _set_anchor(price, after)


def _set_anchor(price: _Price, after: str) -> None:
    match = _ANCHOR_AFTER.match(after)
    if match and match["competitor"]:
        price.anchor = "competitor"
    elif match and match["current"]:
        price.anchor = "current"
    elif match and match["ask"]:
        price.anchor = "last_ask"


def _narrow(price: _Price, which: str) -> None:
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


def _step_of(price: _Price, before: str, after: str, scale: Decimal | None) -> None:
    assert price.value is not None
    if scale is not None and price.value * 2 > scale:
        return
    down_after = _DOWN_AFTER.match(after)
    up_after = _UP_AFTER.match(after)
    if _TO_TARGET.search(before) and not down_after and not up_after:
        return
    if down_after or (_DOWN_BEFORE.search(before) and not _is_high_word(before)):
        price.form, price.sign = PriceForm.DELTA, -1
    elif up_after or _UP_BEFORE.search(before):
        price.form, price.sign = PriceForm.DELTA, 1
    else:
        return
    _set_anchor(price, after)


def _is_high_word(before: str) -> bool:
    """ "最低430" is a floor and "down at 430" an amount, no step."""
    return before.rstrip().endswith(("最低", "较低", "discounted", "lower price", "lower rate", "discount price"))


def _bind(price: _Price, bound: re.Match[str] | None, behind: re.Match[str] | None, before: str, after: str) -> None:
    which = next((name for name, text in (bound or behind).groupdict().items() if text is not None), "") if (bound or behind) else ""
    is_floor = which in ("floor", "more", "notless")
    if which in ("less", "more") and bound and is_refused(before[: bound.start()], after):
        # "anything under 450 is impossible": what is refused lies on the other side.
        is_floor = not is_floor
    price.flips = True
    price.form = PriceForm.RANGE
    price.low, price.high = (price.value, None) if is_floor else (None, price.value)


def _merged_bounds(folded: str, prices: list[_Price]) -> list[_Price]:
    """ "at least 20 and at most 30" is one stretch."""
    result: list[_Price] = []
    for price in prices:
        last = result[-1] if result else None
        if (
            last is not None
            and last.form is price.form is PriceForm.RANGE
            and (last.low is None) != (price.low is None)
            and (last.high is None) != (price.high is None)
            and price.start - last.end < 32
            and not re.search(r"[.!?]", folded[last.end : price.start])
        ):
            low = last.low if last.low is not None else price.low
            high = last.high if last.high is not None else price.high
            if low is not None and high is not None and low < high:
                last.low, last.high, last.value, last.end = low, high, None, price.end
                continue
        result.append(price)
    return result


def _relatives(folded: str, prices: list[_Price]) -> list[_Price]:
    found: list[_Price] = []
    for match in _RELATIVE.finditer(folded):
        anchor = match.lastgroup
        if any(price.start < match.end() and match.start() < price.end for price in prices):
            continue
        first, last = clause_of(folded, match.start(), match.end())
        told = any(first <= price.start and price.end <= last + 24 for price in prices)
        found.append(_Price(PriceForm.RELATIVE, match.start(), match.end(), anchor=anchor, told=told))
    return found


def _mention(text: str, folded: str, prices: list[_Price], place: int) -> PriceMention:
    price = prices[place]
    first, last = clause_of(folded, price.start, price.end)
    floor = max((other.end for other in prices[:place]), default=0)
    ceiling = min((other.start for other in prices[place + 1 :] if other.start >= price.end), default=len(folded))
    before = folded[max(first, floor if floor <= price.start else 0) : price.start]
    after = folded[price.end : min(last, ceiling)]
    if price.told:
        polarity = Polarity.MENTION
    elif price.flips:
        polarity = Polarity.MENTION if is_told(before, after) else Polarity.OFFER
    else:
        polarity = polarity_of(before, after)
    value = price.value
    return PriceMention(
        form=price.form,
        value=value,
        low=price.low,
        high=price.high,
        sign=price.sign if price.form in (PriceForm.DELTA, PriceForm.PERCENT) else 0,
        anchor=price.anchor,
        currency=price.currency,
        basis=basis_of(before, after) if price.form is not PriceForm.RELATIVE else PriceBasis.UNKNOWN,
        polarity=polarity,
        approximate=price.approximate,
        plus_tax=has_tax_on_top(folded[price.end : price.end + 40]),
        start=price.start,
        end=price.end,
        text=text[price.start : price.end],
    )
