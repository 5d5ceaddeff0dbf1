"""The bargaining grammar: from the numbers and the set phrases of a text to prices with form, direction, polarity and basis.

Decided here: which numbers of a hotel's message are prices and how they are put (an amount, a step, a share, a stretch, a named anchor).
Numbers come from ``kinds`` and ``money``, the meaning of the words around them from ``wording``; nothing is resolved here.
"""

import itertools
import re
from bisect import bisect_left
from decimal import Decimal

from agent.prices.fold import fold
from agent.prices.kinds import HALF_PRICE, Counted, count
from agent.prices.mention import NumberKind, Polarity, PriceBasis, PriceForm, PriceMention
from agent.prices.money import cantonese_money, coin_money
from agent.prices.shape import DOWN_AFTER, DOWN_BEFORE, UP_AFTER, UP_BEFORE, Draft, shape
from agent.prices.wording import REFUSED_ECHO, basis_of, clause_of, has_tax_on_top, is_told, polarity_of

_RANGE_LINK = re.compile(r"[ ]*(?:-+|~|to|through|till?|or|and|到|至|—|与|和|與)[ ]*")
_RANGE_BEFORE = re.compile(
    r"\b(?:between|from|anywhere from|in the range of|range of|somewhere in)[ ]+(?:about |around )?$|(?:在|从|介于|位于|于)[ ]*$"
)
_BETWEEN = re.compile(r"\b(?:between|somewhere between|in between)[ ]+(?:about |around |like )?$|(?:在|介于|位于)[ ]*$")
_FROM = re.compile(r"(?:\bfrom|从|由)[ ]*$")
_TO_AFTER = re.compile(r"[ ]*(?:元|块)?[ ]*(?:(?:down |up )?to\b|(?:降|减|调|涨)(?:价)?(?:到|至))")
_LEADS_TO = re.compile(r"[ ]*(?:元|块)?[ ]*(?:到|至|to|down to|up to)[ ]*")
_PRICE_WORD = re.compile(
    r"\b(?:price[ds]?|rates?|net|nett|costs?|offer|pay|ask(?:ing)?|sell(?:ing)?|deal|budget|quote|night|take|accept|do|go|charge"
    r"|discount|settle|meet you|firm|all in)\b|价|一晚|报|降|给你|收"
)
_COMPETITOR = (
    r"(?:agoda|booking(?:\.com)?|expedia|ctrip|trip\.com|hotels\.com|traveloka|airbnb|tripadvisor|google|(?:the |your |our "
    r"|my )?compet(?:itors?|ition)|(?:the )?other(?:s| sites?| otas?| channels?| platforms?)|elsewhere|everyone else)"
)
_RELATIVE = re.compile(
    r"(?<![a-z])(?=[smeplawfuhiyktoc5n跟和与同按照参对匹各折取一就你您我维原价现])(?:"
    rf"(?P<competitor>\b(?:same|match(?:ing|es)?|equal(?:s)?|parity|in line|like|level|align(?:ed)?|as (?:low|good"
    rf"|cheap))\b[^.,!?\d]{{0,26}}?\b{_COMPETITOR}\b|\bwhat(?:ever)? (?:\w+ )?{_COMPETITOR}\b (?:has|have|shows?|charges?|gets?"
    rf"|pays?|offers?)"
    rf"|(?:跟|和|与|同|按|照|参照|对齐|匹配)(?:携程|美团|飞猪|去哪儿?|缤客|agoda|booking|同行|别家|竞争对手|其他平台|他们"
    rf"|其它平台)(?:上)?(?:的?价格?)?(?:一样|一致|同价|走|来|持平)?)"
    r"|(?P<midpoint>\b(?:split(?:ting)? (?:the |that |it )?(?:diff\w*|down the middle|in half|it)|split it|meet(?:ing)?(?: (?:me"
    r"|you|us|each other))?(?: (?:somewhere|right))?(?: (?:in|at))?(?: the)? (?:middle|half ?way|midpoint)|half ?way"
    r"|in the middle|middle ground|fifty[- ]fifty)\b|(?<!\d)50[/-]50(?!\d)"
    r"|各让一步|各退一步|折中|折衷|取(?:个)?中间|中间价|对半|一人一半|一人让一半)"
    r"|(?P<last_ask>\b(?:your (?:price|offer|number|figure|proposal|ask|rate|request)|(?:what|the (?:price|rate|number"
    r"|one)) you(?:'ve)? (?:ask(?:ed)?|propos(?:ed)?|said|want(?:ed)?|request(?:ed)?|mention(?:ed)?|offer(?:ed)?)(?: for)?"
    r"|as you (?:ask(?:ed)?|propos(?:ed)?|said|suggest(?:ed)?))\b|(?:按|就|照)(?:你|您|你们|贵方)(?:说|提|要|讲)?的(?:价格?|数|来"
    r"|办)?|(?:你|您"
    r"|你们)(?:说|提|要)的(?:价格?|那个))"
    r"|(?P<last_offer>\b(?:(?:my|our) (?:last |final |latest |previous |earlier )?(?:price|offer|figure|proposal|quote)"
    r"|what (?:i|we) (?:said|offered|quoted|told you)|as (?:i|we) said|as (?:offered|quoted))\b|(?:我|我们)(?:刚才|之前|上次)?(?:说|报"
    r"|给)的(?:价格?|数)?)"
    r"|(?P<current>\b(?:(?:same|current|existing|today's|present|old|contract(?:ed)?) (?:price|rates?|net|level|one|terms)"
    r"|keep (?:it|the (?:price|rate)s?|things?)(?: as| the same| where| at the)?|unchanged|no change|stays? (?:as (?:it )?is"
    r"|the same|put)|as (?:it is|is|before|now)|same as (?:now|before|today|always|last year))\b|维持(?:原价|现价|不变)?|原价"
    r"|价格?不变|照旧|现价"
    r"|跟之前一样|和现在一样)"
    r")"
)


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
    floors = [0, *(price.end for price in prices)]
    ceilings = [*(price.start for price in prices[1:]), len(folded)]
    return tuple(_mention(text, folded, *entry) for entry in zip(prices, floors, ceilings, strict=False))


def _prices(folded: str, counted: list[Counted], *, price_expected: bool, scale: Decimal | None) -> list[Draft]:
    whole = coin_money(folded, [entry.numeral for entry in counted])
    if whole is not None:
        return [Draft(PriceForm.ABSOLUTE, 0, len(folded), value=whole, explicit=True)]
    prices: list[Draft] = []
    if "個" in folded or "个" in folded:
        prices = [Draft(PriceForm.ABSOLUTE, start, end, value=value) for start, end, value in cantonese_money(folded)]
    taken = [(price.start, price.end) for price in prices]
    for place, entry in enumerate(counted):
        numeral = entry.numeral
        if taken and any(start < numeral.end and numeral.start < end for start, end in taken):
            continue
        price = _price(folded, entry, counted[place + 1] if place + 1 < len(counted) else None, scale)
        if price is not None:
            prices.append(price)
    if any(price.explicit for price in prices):
        prices = [price for price in prices if price.explicit or not _in_han_name(folded, price)]
    _half_price(folded, prices)
    prices = [
        price for price in _joined(folded, prices) if price.explicit or _wanted(folded, price, price_expected=price_expected, scale=scale)
    ]
    for place, price in enumerate(prices):
        floor = prices[place - 1].end if place else 0
        ceiling = prices[place + 1].start if place + 1 < len(prices) else len(folded)
        shape(folded, price, floor, ceiling, scale)
    for price, following in itertools.pairwise(prices):
        # "降20到460": the step is told by the price that it leads to.
        price.told = price.told or (price.form is PriceForm.DELTA and _LEADS_TO.fullmatch(folded[price.end : following.start]) is not None)
    return _merged_bounds(folded, prices)


def _price(folded: str, entry: Counted, following: Counted | None, scale: Decimal | None) -> Draft | None:
    numeral, money = entry.numeral, entry.money
    if entry.kind is NumberKind.PERCENT:
        assert entry.percent is not None
        end = _percent_end(folded, numeral.end)
        if entry.discount:
            return Draft(PriceForm.PERCENT, numeral.start, end, value=abs(100 - entry.percent), sign=-1, explicit=True)
        sign = -1 if entry.percent < 0 else 0
        return Draft(PriceForm.PERCENT, numeral.start, end, value=abs(entry.percent), sign=sign, explicit=True)
    if entry.kind is not NumberKind.AMOUNT:
        if entry.kind is NumberKind.OTHER and numeral.glued and _is_run_on(folded, numeral.start, numeral.value, scale):
            return Draft(PriceForm.ABSOLUTE, numeral.start, numeral.end, value=numeral.value)
        # "5.6到5.78元", "200-300元": the first number of a stretch shares the second one's currency.
        if not (
            following
            and following.money
            and entry.kind in (NumberKind.OTHER, NumberKind.COUNT)
            and not numeral.fraction
            and _is_link(folded, numeral.end, following)
        ):
            return None
    price = Draft(PriceForm.ABSOLUTE, numeral.start, numeral.end, value=abs(numeral.value), approximate=numeral.approximate)
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
        r"[ ]*(?:%|per[ ]?cents?\b|percents?(?:age)?\b|pct\b|(?:个|個)?[ ]*百[ ]*分[ ]*(?:点|點)|(?:个|個)(?:点|點)|折"
        r"|成[半一二三四五六七八九]?)"
    ).match(folded, end)
    return match.end() if match else end


def _wanted(folded: str, price: Draft, *, price_expected: bool, scale: Decimal | None) -> bool:
    """A bare number is a price only where one is expected and it may be one."""
    value = price.value if price.value is not None else price.high
    if not price_expected:
        first, last = clause_of(folded, price.start, price.end)
        return value is not None and value >= 10 and _PRICE_WORD.search(folded, first, last) is not None
    if scale is None or value is None or value * 10 >= scale:
        return True
    before, after = folded[: price.start], folded[price.end :]
    return bool(
        price.sign or DOWN_BEFORE.search(before[-48:]) or DOWN_AFTER.match(after) or UP_AFTER.match(after) or UP_BEFORE.search(before[-48:])
    )


def _in_han_name(folded: str, price: Draft) -> bool:
    """A bare number between Chinese words that are no words of trade ("798艺术区"), beside prices with a currency."""
    before, after = folded[max(0, price.start - 1) : price.start], folded[price.end : price.end + 1]
    return (
        "\u4e00" <= after <= "\u9fff"
        and before not in tuple("价是到给报收卖要能为于按做在最少多低高让降减加出付至和与")
        and after not in tuple("到至和与一左不以起的")
    )


def _half_price(folded: str, prices: list[Draft]) -> None:
    if "half" in folded or "半" in folded or "折" in folded:
        prices.extend(
            Draft(PriceForm.PERCENT, match.start(), match.end(), value=Decimal(50), sign=-1, explicit=True)
            for match in HALF_PRICE.finditer(folded)
        )
        prices.sort(key=lambda price: price.start)


def _joined(folded: str, prices: list[Draft]) -> list[Draft]:
    """Two amounts joined by "to", "-", "between … and …" become one stretch."""
    result: list[Draft] = []
    for price in prices:
        last = result[-1] if result else None
        if last is not None and _joins(folded, last, price):
            result[-1] = _stretch(last, price)
        else:
            result.append(price)
    return result


def _stretch(first: Draft, second: Draft) -> Draft:
    assert first.value is not None
    assert second.value is not None
    low, high = sorted((first.value, second.value))
    is_share = second.form is PriceForm.PERCENT
    return Draft(
        PriceForm.PERCENT if is_share else PriceForm.RANGE,
        first.start,
        second.end,
        value=low if is_share else None,
        low=low,
        high=high,
        sign=first.sign or second.sign,
        currency=first.currency or second.currency,
        approximate=first.approximate or second.approximate,
        explicit=first.explicit or second.explicit,
    )


def _joins(folded: str, last: Draft, price: Draft) -> bool:
    plain = (PriceForm.ABSOLUTE, PriceForm.PERCENT)
    if last.value is None or price.value is None or price.form not in plain or last.form not in plain or last.end > price.start:
        return False
    if last.form is not price.form and not (last.form is PriceForm.ABSOLUTE and not last.explicit):
        return False
    between = folded[last.end : price.start]
    link = _RANGE_LINK.fullmatch(between)
    if link is None:
        return False
    word = between.strip()
    before = folded[max(0, last.start - 24) : last.start]
    if word in ("and", "和", "与", "與"):
        return _BETWEEN.search(before) is not None or folded.startswith(("间", "之间", "間", "之間"), price.end)
    if word == "or":
        return False
    if word in ("to", "到", "至") and (DOWN_BEFORE.search(before) or (_FROM.search(before) and price.value < last.value)):
        return False
    if last.currency and price.currency and last.currency != price.currency:
        return False
    # "2000 to $15" is no stretch.
    return price.value >= last.value or last.explicit or not price.explicit or last.value <= 100 * price.value


def _merged_bounds(folded: str, prices: list[Draft]) -> list[Draft]:
    """ "at least 20 and at most 30" is one stretch."""
    result: list[Draft] = []
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


def _relatives(folded: str, prices: list[Draft]) -> list[Draft]:
    found: list[Draft] = []
    starts = [price.start for price in prices]
    for match in _RELATIVE.finditer(folded):
        start, end = match.span()
        first, last = clause_of(folded, start, end)
        near = prices[bisect_left(starts, first - 24) : bisect_left(starts, last + 24)]
        if any(price.start < end and start < price.end for price in near):
            continue
        if any(price.anchor == match.lastgroup and 0 <= start - price.end < 24 for price in near):
            # "10% off the current rate" is one price.
            continue
        told = any(first <= price.start and price.end <= last + 24 for price in near)
        found.append(Draft(PriceForm.RELATIVE, start, end, anchor=match.lastgroup, told=told))
    return found


def _mention(text: str, folded: str, price: Draft, floor: int, ceiling: int) -> PriceMention:
    """``floor`` and ``ceiling``: where the price before ends and the one behind begins; words beyond them are not about this one."""
    first, last = clause_of(folded, price.start, price.end)
    before = folded[max(first, min(floor, price.start)) : price.start]
    after = folded[price.end : min(last, ceiling)]
    if price.told or (_FROM.search(before) and _TO_AFTER.match(folded, price.end)):
        # "from 480 down to 450": the first one is where things stood.
        polarity = Polarity.MENTION
    elif price.flips:
        polarity = Polarity.MENTION if is_told(before, after) else Polarity.OFFER
    else:
        polarity = Polarity.REFUSAL if REFUSED_ECHO.match(folded[price.end : price.end + 32]) else polarity_of(before, after)
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
