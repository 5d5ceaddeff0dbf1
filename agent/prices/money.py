"""Numbers with a currency: "$ 75 million", "RMB 388", "20 dollar 43c", "三块五", "5306亿台币".

Decided here: which currency words belong to which number, and how main and small units add up. Values are in the main unit ("10 cents"
is 0.10). Whether a number without a currency is money is decided in ``kinds`` and ``offers``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from agent.prices.currency import HAN_SMALL, Unit, han_pattern, han_unit, sign_pattern, sign_unit, words
from agent.prices.scan import Numeral

_HAS_HAN = re.compile(r"[\u4e00-\u9fff]")
_SIGN_BEFORE = re.compile(rf"({sign_pattern()})[ ]*-?$")
_SIGN_AFTER = re.compile(rf"(?P<gap>[ ]?)(?P<sign>{sign_pattern()}(?:ur)?)")
_WORD_BEFORE = re.compile(r"(?<![a-z])((?:[a-z]+ )?[a-z]+)\.?[ ]*-?$")
_WORDS_AFTER = re.compile(r"[ ]*(?:[.,]?-[ ]?)?((l\.e\.?)|([a-z]+)(?:[ ]([a-z]+))?(?:[ ]([a-z]+))?)")
_HAN_BEFORE = re.compile(rf"({han_pattern()})[ ]*$")
_HAN_AFTER = re.compile(rf"[ ]*(?:大洋|个)?({han_pattern()}|[角毛毫分仙])")
_MILLIONS = re.compile(r"[ ]*m(usd|eur|gbp|cny|rmb|aud|cad|chf|jpy|inr|sek)\b")
_SCALE_AFTER = re.compile(r"[ ](million|billion|thousand)\b")
_JOIN = re.compile(r"[ ]*(?:(?:and|plus|又|n|&)[ ]*)?")
_ENDS = re.compile(r"[ ]*(?:$|[.,!?;)]|(?:a|per|each|and)\b|/)")
_CENTS_BEHIND = re.compile(r"[ ]?\d+[ ]?(?:c|cents?)\b")
_CANTONESE = re.compile(
    r"(?P<whole>[一二兩两三四五六七八九\d]?)(?:個|个)(?:(?P<half>半)"
    r"|(?P<tenth>[一二三四五六七八九])(?:毫(?P<cent>[一二三四五六七八九])?)?)(?=$|[,.!?;])"
)
_ARTICLE_UNIT = re.compile(
    r"(?<![\w$])a (dollar|buck|penny|euro|quid|rupee|yuan)\b(?! (?:amount|figure|value|sign|store|menu|per|or two|less|more|under"
    r"|over|below|above|lower|higher))"
)
_COIN = re.compile(r"(?:(?:a )?|(?P<count>.+) )(?P<coin>dime|nickel|quarter)s?")
_COIN_WORTH = {"dime": Decimal("0.10"), "nickel": Decimal("0.05"), "quarter": Decimal("0.25")}
_PREFIX_WORDS = frozenset(
    [
        "rs",
        "rm",
        "rp",
        "rmb",
        "dhs",
        "dh",
        "dollar",
        "dollars",
        "euro",
        "euros",
        "sfr",
        "ringgit",
        "ringgits",
        "yuan",
        "renminbi",
        "baht",
        "inr",
        "pounds",
        "pound",
        "rupees",
        "rupee",
        "peso",
        "pesos",
        "us",
    ]
) - {"us"}
_NOT_AFTER = frozenset(["c", "o", "real", "mark", "won"])
"""Words that are money only where they are attached ("43c") or not at all after a number."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the main unit with its span, currency words included."""

    value: Decimal
    start: int
    end: int
    currency: str | None
    high: Decimal | None = None
    worth: Decimal = Decimal(1)
    named: bool = False
    """The currency stands as a word, so that loose cents may follow ("15 dollars 50")."""


def attach_money(folded: str, numerals: list[Numeral], language: str | None) -> list[tuple[Numeral, Money | None]]:
    """Each number with its money, or None where no currency stands beside it; numbers that are cents of the one before are merged away."""
    chinese = language == "zh" or (not folded.isascii() and _HAS_HAN.search(folded) is not None)
    if "a " in folded:
        numerals = _with_article_units(folded, numerals)
    result: list[tuple[Numeral, Money | None]] = []
    at = floor = 0
    while at < len(numerals):
        numeral = numerals[at]
        if numeral.start < floor:
            # "75 USD million": the scale word was taken by the money before it.
            at += 1
            continue
        ceiling = numerals[at + 1].start if at + 1 < len(numerals) else len(folded)
        money = _money(folded, numeral, floor, ceiling, language, chinese)
        at += 1
        if money is not None:
            money, at = _with_small_units(folded, money, numerals, at, chinese=chinese)
        at = _skip_repeated(folded, numeral, numerals, at)
        result.append((numeral, money))
        floor = money.end if money else numeral.end
    return result


def cantonese_money(folded: str) -> Iterator[tuple[int, int, Decimal]]:
    """ "五個半" 5.5, "三個一毫四" 3.14: spans and amounts at the end of a clause."""
    for match in _CANTONESE.finditer(folded):
        digits = "一二三四五六七八九"
        whole = match["whole"]
        value = (
            Decimal(1) if not whole else Decimal(whole) if whole.isdecimal() else Decimal(2 if whole in "兩两" else digits.index(whole) + 1)
        )
        if match["half"]:
            value += Decimal("0.5")
        else:
            value += Decimal(digits.index(match["tenth"]) + 1) / 10
            if match["cent"]:
                value += Decimal(digits.index(match["cent"]) + 1) / 100
        yield match.start(), match.end(), value


def coin_money(folded: str, numerals: list[Numeral]) -> Decimal | None:
    """The worth of a text that names only coins ("four quarters", "a dime"); None for any other text."""
    if not folded.rstrip().endswith(("dime", "dimes", "nickel", "nickels", "quarter", "quarters")):
        return None
    match = _COIN.fullmatch(folded.strip())
    if match is None or (match["count"] and (len(numerals) != 1 or numerals[0].end - numerals[0].start != len(match["count"]))):
        return None
    count = numerals[0].value if match["count"] else Decimal(1)
    return count * _COIN_WORTH[match["coin"]]


def _with_article_units(folded: str, numerals: list[Numeral]) -> list[Numeral]:
    taken = {numeral.start for numeral in numerals}
    extra = [
        Numeral(value=Decimal(1), start=match.start(), end=match.start() + 1, spelled=True)
        for match in _ARTICLE_UNIT.finditer(folded)
        if match.start() not in taken
    ]
    return sorted([*numerals, *extra], key=lambda numeral: numeral.start) if extra else numerals


def _money(folded: str, numeral: Numeral, floor: int, ceiling: int, language: str | None, chinese: bool) -> Money | None:
    before = folded[max(floor, numeral.start - 24) : numeral.start]
    start, end = numeral.start, numeral.end
    unit: Unit | None = None
    named = False
    if before and (found := _unit_before(before, language, chinese=chinese, literal=folded[start].isdecimal())):
        unit, length = found
        start -= length
    value, high = numeral.value, numeral.high
    if end < len(folded) and (after := _unit_after(folded, numeral, unit, ceiling, language, chinese)):
        after_unit, end = after
        if unit is None or after_unit.iso is not None:
            unit = after_unit if unit is None or unit.iso is None else unit
        named = True
    elif end < len(folded) and (millions := _MILLIONS.match(folded, end)):
        unit = words()[millions[1]]
        value *= 10**6
        end = millions.end()
    if unit is None:
        return None
    scale = _SCALE_AFTER.match(folded, end) if named and not numeral.scaled else None
    if scale:
        value *= {"thousand": 10**3, "million": 10**6, "billion": 10**9}[scale[1]]
        end = scale.end()
    value, high = value * unit.worth, None if high is None else high * unit.worth
    return Money(abs(value), start, end, unit.iso, high, unit.worth, named)


def _unit_before(before: str, language: str | None, *, chinese: bool, literal: bool) -> tuple[Unit, int] | None:
    last = before.rstrip(" -")[-1:]
    if not last:
        return None
    if not ("a" <= last <= "z" or last == "."):
        sign = _SIGN_BEFORE.search(before)
        if sign:
            return sign_unit(sign[1], language, chinese=chinese), len(before) - sign.start()
        if chinese and (han := _HAN_BEFORE.search(before)) and len(han[1]) > 1:
            return han_unit(han[1]), len(before) - han.start()
        return None
    word = _WORD_BEFORE.search(before)
    if word is None:
        return None
    table = words()
    both = word[1]
    single = both.rsplit(" ", 1)[-1]
    for name in (both, single) if both != single else (both,):
        unit = table.get(name)
        if (
            unit is not None
            and unit.worth == 1
            and (
                (name in _PREFIX_WORDS and (literal or len(name) <= 3))
                or " " in name
                or (len(name) == 3 and unit.iso is not None and _is_code(name, unit))
            )
        ):
            return unit, len(before) - word.start(1) - (len(both) - len(name))
    return None


def _is_code(name: str, unit: Unit) -> bool:
    return name.upper() == unit.iso or name in ("rmb", "nis", "ntd", "btc")


def _unit_after(
    folded: str, numeral: Numeral, known: Unit | None, ceiling: int, language: str | None, chinese: bool
) -> tuple[Unit, int] | None:
    end = numeral.end
    char = folded[end]
    nearest = char if char != " " else folded[end + 1 : end + 2]
    if "a" <= nearest <= "z" or nearest == "-" or folded.startswith((".-", ",-"), end):
        return _word_after(folded, numeral, known, ceiling)
    sign = _SIGN_AFTER.match(folded, end)
    if sign:
        if numeral.ordinal:
            return None
        following = folded[sign.end() : sign.end() + 2].strip()
        if sign["gap"] and following[:1].isdigit() and not _CENTS_BEHIND.match(folded, sign.end()):
            # "50 $30": the sign belongs to the number behind it; "10 $ 30 cent" keeps it.
            return None
        if known is not None and following[:1].isdigit():
            return None
        name = sign["sign"].removesuffix("ur")
        return sign_unit(name, language, chinese=chinese), sign.end()
    if char == " " or char in "大个角毛毫分仙" or chinese:
        han = _HAN_AFTER.match(folded, end)
        if han:
            return _han_after(folded, numeral, han)
    return None


def _han_after(folded: str, numeral: Numeral, han: re.Match[str]) -> tuple[Unit, int] | None:
    name = han[1]
    if name in HAN_SMALL:
        # "分" is a score and "毛" a first name unless the amount stands by itself.
        if name in "分毫仙角" and not (folded[: numeral.start].strip() == "" and han.end() == len(folded.rstrip())):
            return None
        return Unit("CNY", HAN_SMALL[name]), han.end()
    if folded.startswith("化", han.end()) or (name == "元" and folded.startswith("素", han.end())):
        return None
    return han_unit(name), han.end()


def _word_after(folded: str, numeral: Numeral, known: Unit | None, ceiling: int) -> tuple[Unit, int] | None:
    match = _WORDS_AFTER.match(folded, numeral.end)
    if match is None:
        return None
    table = words()
    if match[2]:
        return table["l.e"], match.end(2)
    first, second, third = match[3], match[4], match[5]
    names = [(f"{first} {second} {third}", match.end(5))] if third else []
    names += [(f"{first} {second}", match.end(4))] if second else []
    names.append((first, match.end(3)))
    attached = match.start(3) == numeral.end
    for name, end in names:
        unit = table.get(name)
        if unit is None or (name in _NOT_AFTER and not (attached and name == "c")) or folded[end : end + 1] == "'":
            continue
        if end > ceiling:
            continue
        # "50 usd 20": the code belongs to the number it stands directly before only where that one has nothing else.
        if known is not None and unit.iso is not None and known.iso is not None and known.iso != unit.iso:
            return None
        return unit, end
    return None


def _with_small_units(folded: str, money: Money, numerals: list[Numeral], at: int, *, chinese: bool) -> tuple[Money, int]:
    """Add "43 cents", "and fourteen", "毛五" behind a main unit."""
    while at < len(numerals):
        following = numerals[at]
        joint = _JOIN.match(folded, money.end)
        if joint is None or joint.end() < following.start or following.start < money.end or following.fraction:
            break
        if (
            following.value != int(following.value)
            or following.value < 0
            or (following.glued and folded[following.start - 1 : following.start].isascii())
        ):
            break
        ceiling = numerals[at + 1].start if at + 1 < len(numerals) else len(folded)
        share = _small_share(folded, money, following, ceiling, joint[0].strip(), chinese=chinese)
        if share is None:
            break
        worth, end = share
        money = replace(money, value=money.value + following.value * worth, end=end, worth=worth)
        at += 1
    return money, at


def _small_share(folded: str, money: Money, following: Numeral, ceiling: int, joint: str, *, chinese: bool) -> tuple[Decimal, int] | None:
    end = following.end
    if chinese and (small := re.compile(r"([角毛毫分仙]|美分|日本銭|钱|仙)").match(folded, end)) and following.value < 100:
        worth = HAN_SMALL.get(small[1], Decimal("0.01"))
        return (worth, small.end()) if worth < money.worth else None
    words_after = _WORDS_AFTER.match(folded, end)
    if words_after and words_after[3]:
        unit = words().get(words_after[3])
        if unit is not None and unit.worth < money.worth and following.value < 100 and words_after.end(3) <= ceiling:
            return unit.worth, words_after.end(3)
    if chinese:
        if joint == "" and money.named and folded[following.start] in "零〇" and following.value < 10 and money.worth == 1:
            return Decimal("0.01"), end
        if (
            money.named
            and following.value < 10
            and end - following.start == 1
            and money.end == following.start
            and not _counts(folded, end)
        ):
            return money.worth / 10, end
        return None
    if following.value >= 100 or following.scaled or following.high is not None or money.worth != 1:
        return None
    loose = money.named or following.spelled
    spelled_joint = joint in ("", "and")
    if loose and spelled_joint and _ENDS.match(folded, end) and (joint == "" or money.named or following.spelled):
        return Decimal("0.01"), end
    return None


def _counts(folded: str, end: int) -> bool:
    return folded[end : end + 1] in tuple("个間间晚天月年人位次家套折成%点千百万") or _HAN_AFTER.match(folded, end) is not None


def _skip_repeated(folded: str, numeral: Numeral, numerals: list[Numeral], at: int) -> int:
    """ "forty-five (45)" says one number twice."""
    if at < len(numerals) and numerals[at].value == numeral.value and folded[numeral.end : numerals[at].start] == " (":
        return at + 1
    return at
