"""Which currency a word or sign names, as ISO 4217.

Decided here: the lexicon. The names and codes are Babel's (CLDR, English and Chinese); ours are only the signs, the slang ("quid",
"kuai", "块") and the list of codes that are English words and therefore never count.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from babel import Locale
from babel.numbers import list_currencies


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of money: ISO code (None where the word leaves the country open) and its worth in the main unit."""

    iso: str | None
    worth: Decimal = Decimal(1)


_CENT = Decimal("0.01")
_SLANG: dict[str, str | None] = {
    "dollar": None, "dollars": None, "dollers": None, "dollor": None, "dollors": None, "dolars": None, "bucks": None, "buck": None,
    "smackers": None,
    "us dollar": "USD", "us dollars": "USD", "usd": "USD", "usds": "USD", "american dollars": "USD", "greenbacks": "USD",
    "united states dollars": "USD",
    "united states dollar": "USD", "u.s. dollars": "USD", "euro": "EUR", "euros": "EUR", "eur": "EUR", "eurs": "EUR", "pound": "GBP",
    "pounds": "GBP",
    "quid": "GBP", "sterling": "GBP", "pounds sterling": "GBP", "british pound": "GBP", "british pounds": "GBP", "gbp": "GBP",
    "yuan": "CNY", "rmb": "CNY", "renminbi": "CNY", "kuai": "CNY", "chinese yuan": "CNY", "cny": "CNY", "chinese yuans": "CNY",
    "yuans": "CNY", "cnh": "CNY",
    "yen": "JPY", "jpy": "JPY", "japanese yen": "JPY", "won": "KRW", "krw": "KRW", "baht": "THB", "bahts": "THB", "thb": "THB",
    "rupee": "INR", "rupees": "INR", "rs": "INR", "inr": "INR", "rupiah": "IDR", "rupiahs": "IDR", "rp": "IDR", "idr": "IDR",
    "ringgit": "MYR", "ringgits": "MYR", "rm": "MYR", "myr": "MYR", "malaysia ringgit": "MYR", "malaysia ringgits": "MYR",
    "malaysian ringgits": "MYR",
    "dong": "VND", "vnd": "VND", "peso": None, "pesos": None, "php": "PHP", "dirham": "AED", "dirhams": "AED", "aed": "AED", "dhs": "AED",
    "dh": "AED",
    "dinar": None, "dinars": None, "riyal": None, "riyals": None, "rial": None, "rials": None, "saudi riyal": "SAR",
    "saudi riyals": "SAR", "saudiriyal": "SAR",
    "sar": "SAR", "qar": "QAR", "qatari riyals": "QAR", "egp": "EGP", "l.e": "EGP", "l.e.": "EGP", "geneh": "EGP", "lebanese pounds": "LBP",
    "franc": None, "francs": None, "swiss franc": "CHF", "swiss francs": "CHF", "chf": "CHF", "sfr": "CHF", "french francs": None,
    "krona": "SEK",
    "kronor": "SEK", "sek": "SEK", "krone": None, "kroner": None, "nok": "NOK", "dkk": "DKK", "zloty": "PLN", "zlotys": "PLN", "pln": "PLN",
    "forint": "HUF", "huf": "HUF", "lira": "TRY", "liras": "TRY", "turkish lira": "TRY", "rouble": "RUB", "roubles": "RUB",
    "ruble": "RUB", "rubles": "RUB",
    "rub": "RUB", "hryvnia": "UAH", "uah": "UAH", "shekel": "ILS", "shekels": "ILS", "ils": "ILS", "nis": "ILS", "rand": "ZAR",
    "rands": "ZAR", "zar": "ZAR",
    "real": "BRL", "reais": "BRL", "brl": "BRL", "sgd": "SGD", "singapore dollars": "SGD", "hkd": "HKD", "hong kong dollars": "HKD",
    "twd": "TWD", "ntd": "TWD",
    "aud": "AUD", "cad": "CAD", "nzd": "NZD", "kwd": "KWD", "bgn": "BGN", "omr": "OMR", "bhd": "BHD", "jod": "JOD", "lkr": "LKR",
    "pkr": "PKR", "npr": "NPR",
    "mxn": "MXN", "czk": "CZK", "tugrik": "MNT", "tugriks": "MNT", "mnt": "MNT", "peseta": None, "pesetas": None, "mark": None,
    "marks": None,
    "dutch guilders": None, "guilders": None, "guilder": None, "bitcoin": "XBT", "bitcoins": "XBT", "btc": "XBT",
    "australian dollars": "AUD", "canadian dollars": "CAD",
    "new zealand dollars": "NZD", "mxn$": "MXN", "lari": "GEL", "kip": "LAK", "tenge": "KZT", "taka": "BDT", "kyat": "MMK", "riel": "KHR",
    "naira": "NGN",
    "shillings": None, "shilling": None, "cedi": "GHS", "lev": "BGN", "leva": "BGN", "lei": "RON", "leu": "RON",
}  # fmt: skip
_SMALL: dict[str, Unit] = {
    **{
        word: Unit(None, _CENT)
        for word in ("cent", "cents", "c", "¢", "penny", "pennies", "centavos", "centimes", "paise", "paisa", "satang", "kopecks")
    },
    **{word: Unit("GBP", _CENT) for word in ("pence",)},
    **{word: Unit("MYR", _CENT) for word in ("sen", "sens")},
    **{word: Unit("UAH", _CENT) for word in ("kopiyka", "kopiykas")},
    "mao": Unit("CNY", Decimal("0.1")),
    "jiao": Unit("CNY", Decimal("0.1")),
    "fen": Unit("CNY", _CENT),
}
_ENGLISH_WORDS = frozenset(
    [
        "all",
        "try",
        "top",
        "cup",
        "mad",
        "imp",
        "pen",
        "kid",
        "std",
        "xxx",
        "tot",
        "tag",
        "sun",
        "mat",
        "gel",
        "sos",
        "bam",
        "cop",
        "mop",
        "lak",
        "ars",
        "ron",
        "amd",
        "ang",
        "awg",
        "bob",
        "bif",
        "cdf",
        "clf",
        "dop",
        "eek",
        "etb",
        "fim",
        "fok",
        "ern",
        "ggp",
        "irr",
        "kes",
        "lit",
        "lsl",
        "mga",
        "mro",
        "mur",
        "nad",
        "nio",
        "pab",
        "ves",
        "sle",
        "svc",
        "sit",
        "som",
        "shp",
        "nom",
        "sur",
        "tnd",
        "tops",
        "pts",
        "mul",
        "zig",
        "mks",
        "yum",
    ]
)
"""Codes that are English words, names or abbreviations: "all 70 of us" is no Albanian money."""

_SIGNS: dict[str, str | None] = {
    "$": None, "€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "฿": "THB", "₫": "VND", "₱": "PHP", "₽": "RUB", "₺": "TRY", "₪": "ILS",
    "₴": "UAH", "₦": "NGN", "₸": "KZT", "₾": "GEL", "₭": "LAK", "₮": "MNT", "₡": "CRC", "₲": "PYG", "₼": "AZN", "₿": "XBT", "؋": "AFN",
    "៛": "KHR", "¤": None,
}  # fmt: skip
_DOLLARS = {
    "us": "USD", "u.s.": "USD", "usd": "USD", "c": "CAD", "ca": "CAD", "cad": "CAD", "can": "CAD", "a": "AUD", "au": "AUD", "aud": "AUD",
    "hk": "HKD", "hkd": "HKD",
    "s": "SGD", "sg": "SGD", "sgd": "SGD", "nt": "TWD", "ntd": "TWD", "nz": "NZD", "nzd": "NZD", "r": "BRL", "mex": "MXN", "mx": "MXN",
    "mxn": "MXN", "tw": "TWD", "m": "MXN",
}  # fmt: skip
_HAN: dict[str, str | None] = {
    "元": "CNY", "圆": "CNY", "圓": "CNY", "块钱": "CNY", "塊錢": "CNY", "块": "CNY", "塊": "CNY", "蚊": "HKD", "人民币": "CNY",
    "人民幣": "CNY",
    "元人民币": "CNY", "元人民幣": "CNY", "元钱": "CNY",
    "美元": "USD", "美金": "USD", "美圆": "USD", "美圓": "USD", "美刀": "USD", "刀": "USD", "港币": "HKD", "港幣": "HKD", "港元": "HKD",
    "欧元": "EUR",
    "歐元": "EUR", "欧": "EUR",
    "日元": "JPY", "日圆": "JPY", "日圓": "JPY", "円": "JPY", "英镑": "GBP", "英鎊": "GBP", "镑": "GBP", "鎊": "GBP", "韩元": "KRW",
    "韓元": "KRW",
    "韩币": "KRW", "韓圜": "KRW",
    "台币": "TWD", "台幣": "TWD", "新台币": "TWD", "新台幣": "TWD", "臺幣": "TWD", "泰铢": "THB", "泰銖": "THB", "铢": "THB",
    "新币": "SGD", "新加坡元": "SGD",
    "新元": "SGD", "坡币": "SGD",
    "澳元": "AUD", "澳币": "AUD", "澳门元": "MOP", "澳門元": "MOP", "葡币": "MOP", "加元": "CAD", "加币": "CAD", "纽元": "NZD",
    "新西兰元": "NZD", "马币": "MYR",
    "令吉": "MYR", "林吉特": "MYR", "卢布": "RUB", "盧布": "RUB",
    "卢比": "INR", "盧比": "INR", "瑞士法郎": "CHF", "瑞郎": "CHF", "法郎": None, "越南盾": "VND", "印尼盾": "IDR", "盾": None,
    "比索": None, "菲律宾比索": "PHP",
    "迪拉姆": "AED", "里拉": "TRY", "比特币": "XBT", "比特幣": "XBT", "马克": None,
}  # fmt: skip
HAN_SMALL = {"角": Decimal("0.1"), "毛": Decimal("0.1"), "毫": Decimal("0.1"), "分": _CENT, "仙": _CENT}


@cache
def words() -> dict[str, Unit]:
    """Folded English words (up to three of them) and ISO codes to units, without those that are ordinary words."""
    table: dict[str, Unit] = {}
    english = Locale("en")
    # Historical currencies keep names such as "pound" for themselves; Babel's name tables hold them after the codes.
    for code in sorted(list_currencies()):
        lowered = code.lower()
        if lowered not in _ENGLISH_WORDS:
            table.setdefault(lowered, Unit(code))
        name = fold_name(english.currencies.get(code, ""))
        if name and "(" not in name and len(name.split()) <= 3 and " " in name:
            table.setdefault(name, Unit(code))
            table.setdefault(f"{name}s", Unit(code))
    table.update({word: Unit(iso) for word, iso in _SLANG.items()})
    table.update(_SMALL)
    return table


def fold_name(name: str) -> str:
    """A currency name as it is looked up."""
    return name.lower().replace("’", "'")


def sign_pattern() -> str:
    """Expression for a currency sign with an optional country before a dollar sign."""
    countries = "|".join(sorted((re.escape(key) for key in _DOLLARS), key=len, reverse=True))
    signs = "".join(re.escape(sign) for sign in _SIGNS if sign != "$")
    return rf"(?:(?<![a-z'])(?:{countries})[ ]?\$|\$|[{signs}¥￥]|ரூ)"


def sign_unit(sign: str, language: str | None, *, chinese: bool) -> Unit:
    """The unit of a matched sign; "¥" is the yuan in Chinese text and left open elsewhere."""
    if sign == "￥":
        return Unit("CNY")
    if sign == "¥":
        return Unit("CNY" if chinese or language == "zh" else "JPY" if language == "ja" else None)
    if sign == "ரூ":
        return Unit("LKR")
    if sign.endswith("$") and len(sign) > 1:
        return Unit(_DOLLARS[sign[:-1].strip()])
    return Unit(_SIGNS[sign])


def han_pattern() -> str:
    """Expression for a Chinese currency name, longest first."""
    return "|".join(sorted(_all_han(), key=len, reverse=True))


def han_unit(name: str) -> Unit:
    """The unit of a matched Chinese name."""
    return Unit(_all_han()[name])


@cache
def _all_han() -> dict[str, str | None]:
    names = {name: code for code, name in sorted(Locale("zh").currencies.items()) if "(" not in name and "（" not in name and len(name) > 1}
    return {**names, **_HAN}
