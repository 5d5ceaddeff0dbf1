"""What the words around a price say about it: put forward, refused or only told about; net or selling; tax on top or not.

Decided here: polarity, basis and tax of a price from its own clause. The cues are words of hotel and purchase talk, English and Chinese.
"""

import re

from agent.prices.mention import Polarity, PriceBasis

REFUSED_ECHO = re.compile(
    r"^[ ]*(?:卖|做|的话)?[ ]*(?:\?+[ ]*(?:no\b|nope|never|impossible|can'?t|sorry|too|not\b|不|没|太|做)"
    r"|[,;][ ]*(?:no way|impossible|never|not possible|不行|不可能|做不|太低|没法|还不如|不卖)|\?+[ ]*那?我?们?(?:就|要|得)亏)"
)
"""The other side's number thrown back: "430? No way."."""
_REACH = 80
"""Characters: words further away say nothing about a price."""
_CLAUSE_END = re.compile(r"[!?;:\n]|[.,](?!\d)|\bbut\b|\bhowever\b|但|不过|不過|可是")

_ASKED_OTHERWISE = re.compile(
    r"\b(?:why (?:not|don'?t|can'?t)|(?:can|could|would|wo|do)(?:n'?t| not|'t) (?:you|we|u)\b|if (?:you|we|u|i) (?:can'?t|don'?t)"
    r"|don'?t mind|not bad|no problem|if not|or not)"
)
_HAN_ASKED = re.compile(r"能不能|可不可以|行不行|是不是|要不")
_HAN_CANNOT = re.compile(
    r"(?:不能|不行|没法|沒法|无法|無法|做不到|做不了|不可能|不接受|接受不了|不同意|不可以|没办法|很难|难以|不会|給不了|给不了"
    r"|不是|不要|没(?:有)?(?:答应|同意|接受|说)过)(?:(?!给[你您]|可以)[^,.?!]){0,10}$"
)
_TOO = re.compile(
    r"^[^?]{0,24}?(?:\btoo (?:low|high|much|little|steep|cheap|expensive|far|big)|\bimpossible\b|\bnot (?:possible|enough"
    r"|acceptable|doable|going to|feasible|gonna|something|an option|workable)|\bwo(?:n'?t|uld ?n'?t)\b|\bca(?:n'?t|nnot)\b"
    r"|\bisn'?t\b|"
    r"\bdoes ?n[o']?'?t work|\bunacceptable\b|\bout of (?:the question|my|our)|\bno (?:good|way)\b|\bbelow (?:our |my )?cost"
    r"|\b(?:really|pretty|very|so|a (?:bit|little)|quite|kind of|kinda|way|extremely|rather) (?:low|high|steep|much|cheap"
    r"|expensive)|(?:\bis|\bwas|'s|\bwould|\bwill|\bdoes|^) not\b)"
)
_HAN_TOO = re.compile(
    r"^[^,.?!]{0,6}?(?:不行(?!就算|的话)|不是(?:我们?|咱们?)(?:谈|说)|做不了|做不到|太低|太高|不可能|接受不了|有点低|有点高|偏低|太少|太贵|不够|(?:没法|沒法|无法|無法|不能)(?!再?(?:动|低|降|少|让))"
    r"|肯定不|给不了|不划算|亏|不接受|免谈|不做|不考虑|不卖|不谈)"
)
_OFFERS = (
    r"(?:\b(?:i|we)(?:'d| would| could| can(?!')| will|'ll| am willing|'m willing)\b|\b(?:how|what) about\b|\b(?:can|could"
    r"|would|will) (?:you|u|we|i)\b|\bwilling\b|\bif you\b|\btotal of\b|\blet'?s\b|给[你您]|我们可以)"
)
_CANNOT = re.compile(
    r"\b(?:ca[n]?'?t|cannot|can not|won'?t|will not|would ?n[o']t|wouldn'?t|couldn'?t|could not|not able|unable|impossible|no way"
    r"|never|do(?:es)?n'?t|do(?:es)? not|did ?n[o']t|didn'?t|isn'?t|is not|not|refuse|reject|hardly|"
    r"too low at|hard to|difficult to|shouldn'?t)\b(?![ ](?:only|just|mind|bad|a problem|have a problem))(?:(?!"
    + _OFFERS
    + r")[^?]){0,36}$"
)
_TOLD = re.compile(
    r"(?:(?:\b(?:agoda|(?<=on )booking|booking\.com|expedia|trip\.com|ctrip|traveloka|hotels\.com|airbnb|google|competitors?|elsewhere"
    r"|other (?:sites?|hotels?|channels?|otas?)|currently|at the moment|used to|last (?:year|month|season|time|week)|"
    r"breakfast|lunch|dinner|tax(?:es)?|vat|service (?:charge|fee)|deposit|fees?|parking|commission|delivery|shipping|"
    r"instead of|rather than|down from|originally|worth|valued|cost (?:me|us)|costs|paid|retails?|msrp|(?:got|bought"
    r"|purchased|paid|tried to buy) (?:it|them|this|that|the \w+|mine)(?: \w+)? (?:for|at)|"
    r"(?:appreciate|thanks for) you|you (?:dropp|tak|knock|lower|reduc)ing|rack rate|resort fee|city tax|extra bed|mark[- ]?up"
    r"|margin|occupancy)\b"
    r"|携程|美团|飞猪|去哪儿|缤客|去年|之前|目前|早餐|押金|税|原来|本来|你说|你们要|佣金|服务费|加床|停车)"
    rf"(?:(?!{_OFFERS})[^?])" + r"{0,30}"
    r"|\b(?:you|u)(?:'re| are| were|'ve| have)? (?:said|asked|wanted|offered|mentioned|want|asking|proposed|quoted|list(?:ed)?"
    r"|have)(?: (?:for|it|at|me|us|listed|is|to pay))*[ ]*"
    r"|\bi (?:said|asked|wanted)(?: for)?[ ]*"
    r"|(?<!\bi )(?<!\bwe )\b(?:was|were)\b(?! (?:hoping|thinking|looking|wondering))[^?]{0,12}"
    r")[ ]*$"
)
_TOLD_AFTER = re.compile(
    r"^[ ]*(?:(?:usd|eur|dollars?|bucks)[ ]+)?(?:(?:is|was)[ ]+)?(?:for|in|of|as|on)?[ ]*(?:the |a |your )?(?:breakfast|parking"
    r"|extra bed|delivery|shipping|dinner|"
    r"tax(?:es)?\b(?! incl)|deposit|fees?|commission|agoda|booking\.com|expedia|last (?:year|month|time)|gift card|discount code"
    r"|budget)\b|^[ ]*(?:元|块)?的?(?:佣金|押金)"
)
_QUESTIONED = re.compile(r"\b(?:why(?! not| don)|how come|where (?:did|does)|is it|is that|did you (?:say|mean))\b[^.]{0,30}$")

_NET = re.compile(
    r"(?<![a-z])(?:net+o?|nett|net rate|net price|to us|for us|we (?:get|receive|need|keep)|in our pocket|contract(?:ed)? rate|cost price"
    r"|b2b|wholesale)\b|净价|淨價|底价|底價|结算价|结算|到手|净得"
)
_SELLING = re.compile(
    r"(?<![a-z])(?:brutto|selling|sell(?:s|ing)?(?: (?:it|price|rate|at|for))?|sold|sale price|retail|rack|gross|guest (?:pays|price)"
    r"|customers? (?:pays?|see)|public(?: rate| price)?|on (?:your|the) (?:site|page|app|website)|display(?:ed)?|shown|consumer"
    r"|bar rate|b2c|end price)\b"
    r"|售价|售價|卖价|賣價|挂牌|前台价|门市价|门店价|标价|对客|卖(?!家)|展示价|网上价|前端"
)
_TAX_AFTER = re.compile(
    r"^[ ]*(?:(?:net|nett|usd|eur|a night|per night|/night)[ ]*)?(?:\+\+|\+[ ]?\+|\+[ ]?(?:\d+(?:\.\d+)?%[ ]?)?(?:tax|vat|service|gst)"
    r"|plus (?:\d+% )?(?:tax|vat|service|gst|taxes)|(?:before|excl(?:uding|\.|usive)?(?: of)?|without|ex|exclusive of"
    r"|not including|and) (?:\w+ )?(?:tax|vat|taxes|service)\b|net of tax|不含税|未税|另加税|加税|加服务费|不含服务费|另收)"
)


def clause_of(folded: str, start: int, end: int) -> tuple[int, int]:
    """The bounds of the clause that holds ``folded[start:end]``."""
    first = max(0, start - _REACH)
    for match in _CLAUSE_END.finditer(folded, first, start):
        first = match.end()
    reach = min(len(folded), end + _REACH)
    last = _CLAUSE_END.search(folded, end, reach)
    return first, last.start() if last else reach


def is_refused(before: str, after: str) -> bool:
    """True where the clause says that the price cannot be ("can't do 430", "430 is too low", "430不行")."""
    if _CANNOT.search(before) and not _ASKED_OTHERWISE.search(before):
        return True
    if _TOO.match(after):
        return True
    if not before.isascii() and _HAN_CANNOT.search(before) and not _HAN_ASKED.search(before):
        return True
    return not after.isascii() and _HAN_TOO.match(after) is not None


def polarity_of(before: str, after: str) -> Polarity:
    """Polarity of a price from its clause: what stands before it and after it, up to the next price."""
    if is_refused(before, after):
        return Polarity.REFUSAL
    return Polarity.MENTION if is_told(before, after) or _QUESTIONED.search(before) else Polarity.OFFER


def is_told(before: str, after: str) -> bool:
    """True where the clause tells of a price without putting it forward ("Agoda shows 455", "worth over $80")."""
    return _TOLD.search(before[-56:]) is not None or _TOLD_AFTER.match(after) is not None


def basis_of(before: str, after: str) -> PriceBasis:
    """Net or selling, from the nearest word; a word right behind the amount wins over one before it."""
    close = after[:28]
    net, selling = _NET.search(close), _SELLING.search(close)
    if net or selling:
        first_net = net.start() if net else len(close)
        first_selling = selling.start() if selling else len(close)
        return PriceBasis.NET if first_net < first_selling else PriceBasis.SELLING
    last_net = max((match.end() for match in _NET.finditer(before)), default=-1)
    last_selling = max((match.end() for match in _SELLING.finditer(before)), default=-1)
    if last_net == last_selling:
        return PriceBasis.UNKNOWN
    return PriceBasis.NET if last_net > last_selling else PriceBasis.SELLING


def has_tax_on_top(after: str) -> bool:
    """True for "450++", "plus tax", "excl. VAT", "不含税" right behind the amount."""
    return _TAX_AFTER.match(after) is not None
