"""How a hotel speaks an amount in Chinese: the colloquial surface forms of a price, made by code so that each can be read back.

Decided here: the Chinese words of the forms of ``amounts``. Every form carries its meaning with it (``SpokenPrice``). "四百三" is
430, "九折" leaves 90 %, and "块" or "元" stands only beside yuan, because it names the currency.
"""

import random
import re
from decimal import ROUND_HALF_UP, Decimal

from agent.domain import plain
from agent.language.written import amount_text
from agent.simulation.amounts import SpokenPrice, Surface
from db.vocabulary import PriceBasis

_DIGITS = "零一二三四五六七八九"
_NET_FORMS = ("净价{}", "净价{}", "{}净价", "底价{}", "到手价{}", "到手{}", "结算价{}")
_SELLING_FORMS = ("卖价{}", "售价{}", "卖价{}", "对外售价{}")
_TAX_FORMS = ("不含税", "不含税", "未税", "++", "税另算")
_ALL_IN_FORMS = ("含税", "含税", "全包")
_LARGEST = 100_000_000
_ROUNDS_AT_MOST = Decimal("1.003")
"""A discount that would miss the amount by more is not used."""


def han(number: int) -> str:
    """A whole number in Chinese words ("四百三十", "一万两千五百"); raises ValueError outside 0 … 99,999,999."""
    if not 0 <= number < _LARGEST:
        raise ValueError(f"{number} is not written out: only 0 to {_LARGEST - 1:,} are")
    if number < 10:
        return _DIGITS[number]
    high, low = divmod(number, 10_000)
    text = ("两万" if high == 2 else f"{_section(high)}万") if high else ""
    if low:
        text += ("零" if high and low < 1000 else "") + _section(low, inside=bool(high))
    return text


def _section(number: int, *, inside: bool = False) -> str:
    """A number below ten thousand; ``inside`` a larger one, ten is written "一十"."""
    text, gap = "", False
    for size, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, size)
        if digit == 0:
            gap = bool(text)
            continue
        word = "两" if digit == 2 and size >= 100 and not text else _DIGITS[digit]
        if size == 10 and digit == 1 and not text and not inside:
            word = ""
        text += ("零" if gap else "") + word + unit
        gap = False
    return text


_LAST_UNIT = re.compile(r"(?P<upper>百|千|万)(?P<digit>[一二两三四五六七八九])(?P<unit>十|百|千)$")
_BELOW = {"百": "十", "千": "百", "万": "千"}


def clipped(number: int) -> str | None:
    """The number as it is said, without its last unit ("四百三" for 430, "五万二"); None where nothing can be left out."""
    said = han(number)
    found = _LAST_UNIT.search(said)
    if found is None or _BELOW[found["upper"]] != found["unit"]:
        return None
    return said[: found.start("digit")] + found["digit"].replace("两", "二")


def absolute(surface: Surface, amount: Decimal, currency: str, rng: random.Random) -> str | None:
    """The bare amount in one absolute form, without net or selling; None where the form cannot say this amount."""
    whole = amount == amount.to_integral_value() and amount < 1_000_000
    match surface:
        case Surface.DIGITS | Surface.PLUS_TAX | Surface.ALL_IN:
            return plain(amount)
        case Surface.CURRENCY:
            return amount_text(amount, currency, "zh") if currency != "CNY" else f"{plain(amount)}{rng.choice(('元', '块', '块钱'))}"
        case Surface.WORDS:
            return han(int(amount)) if whole else None
        case Surface.SPOKEN:
            return clipped(int(amount)) if whole else None
        case Surface.THOUSANDS:
            return _shortened(amount, rng)
        case Surface.CUT | Surface.PERCENT:
            return None


def _shortened(amount: Decimal, rng: random.Random) -> str | None:
    size, unit = (Decimal(10_000), "万") if amount >= 10_000 else (Decimal(1000), "千")
    if amount < size or amount % 100:
        return None
    whole, rest = divmod(amount, size)
    if rest and rest % (size / 10) == 0 and rng.random() < 0.4:
        return f"{int(whole)}{unit}{int(rest * 10 / size)}"
    return f"{plain(amount / size)}{unit}"


def speak(
    amount: Decimal, *, surface: Surface, state: PriceBasis, currency: str, current_net: Decimal, rng: random.Random, reducible: bool = True
) -> SpokenPrice:
    """Say ``amount`` in a form; where the form cannot say it, in plain digits.

    ``state`` is the kind of price that the words shall name (UNKNOWN: they leave it open). Cuts and discounts are taken off
    ``current_net``, and what they come to is the amount of the result; they are used only where the sentence is ``reducible``, for
    "给您便宜20" is Chinese and "做到便宜20" is not.
    """
    if surface in (Surface.CUT, Surface.PERCENT) and reducible and state is not PriceBasis.SELLING and amount < current_net:
        reduced = _reduced(surface, amount, current_net, state, rng)
        if reduced is not None:
            return reduced
    said = absolute(surface, amount, currency, rng)
    if said is None:
        surface, said = Surface.DIGITS, plain(amount)
    # What comes on top follows the amount, so the kind goes before it: "净价430不含税".
    extra = (
        rng.choice(_TAX_FORMS) if surface is Surface.PLUS_TAX else rng.choice(("含税", "含税", "全包")) if surface is Surface.ALL_IN else ""
    )
    if state is PriceBasis.UNKNOWN:
        text = said + extra
    elif extra:
        text = ("净价" if state is PriceBasis.NET else "卖价") + said + extra
    else:
        text = rng.choice(_NET_FORMS if state is PriceBasis.NET else _SELLING_FORMS).format(said)
    return SpokenPrice(text=text, surface=surface, amount=amount, stated=state, plus_tax=surface is Surface.PLUS_TAX)


def echoed(amount: Decimal, *, surface: Surface, state: PriceBasis, rng: random.Random) -> SpokenPrice:
    """Our own price, said back in a yes or a no: the bare amount or "净价430", without a currency, so that a yes stays a plain one."""
    plainly = surface in (Surface.WORDS, Surface.SPOKEN, Surface.THOUSANDS)
    said = (absolute(surface, amount, "", rng) if plainly else None) or plain(amount)
    text = f"净价{said}" if state is PriceBasis.NET else said
    return SpokenPrice(text=text, surface=surface if plainly else Surface.DIGITS, amount=amount, stated=state)


def _reduced(surface: Surface, amount: Decimal, current_net: Decimal, state: PriceBasis, rng: random.Random) -> SpokenPrice | None:
    kind = "净价" if state is PriceBasis.NET else ""
    if surface is Surface.PERCENT:
        # The concession is rounded down to a whole share, so that it never gives more than was meant.
        share = int((current_net - amount) * 100 / current_net)
        come_to = (current_net * (100 - share) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
        if not 1 <= share <= 90 or come_to > amount * _ROUNDS_AT_MOST:
            return None
        return SpokenPrice(text=f"{kind}打{discount(share)}折", surface=surface, amount=come_to, stated=state)
    off = current_net - amount
    if off < 1:
        return None
    number = han(int(off)) if off == off.to_integral_value() and 10 <= off < 1000 and rng.random() < 0.5 else plain(off)
    text = f"{kind}{rng.choice(('便宜', '便宜', '降', '让'))}{number}"
    return SpokenPrice(text=text, surface=surface, amount=amount, stated=state)


def discount(share: int) -> str:
    """The figure before "折" for a share that is taken off, in percent: 10 is "九", 5 is "九五"."""
    tens, ones = divmod(100 - share, 10)
    return _DIGITS[tens] + (_DIGITS[ones] if ones else "")


def vague(amount: Decimal, rng: random.Random) -> str:
    """A region instead of an amount ("四百多"), which has to be asked about."""
    size = Decimal(10) ** amount.adjusted()
    base = int(amount / size) * int(max(size, 1))
    return f"{han(base)}{'多' if base >= 1000 or rng.random() < 0.6 else '几'}"
