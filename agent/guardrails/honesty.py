"""What we may not say because it would be untrue, or would bind us: promises, invented facts, pressure."""

from dataclasses import dataclass

from agent.domain import Reply, TurnContext
from agent.guardrails.rule import Violation
from agent.guardrails.said import fold, said
from agent.guardrails.wording import breaches, wording
from db.vocabulary import Severity

_CERTAIN = (
    r"(?:will|'ll|shall|going to|guarantee[ds]?|ensures?|make sure|promise[ds]?|surely|certainly|definitely|can (?:give|offer|get|bring|"
    r"send|provide|put)|"
    r"would (?:give|offer|send|bring) you)"
)
_GAINS = (
    r"(?:bookings?|orders?|reservations?|guests|occupancy|revenue|sales|volume|visibility|exposure|visitors|clicks|demand|room nights|"
    r"income|profit)"
)
_NO_PROMISE = "is a promise that we cannot keep: leave it out"

_PROMISES = (
    wording(
        r"\b(?:rank(?:s|ed|ing|ings)?|search position|better (?:position|placement|spot)|(?:top|first) (?:of the|page|position|place|"
        r"spot|results?)\b[^.!?]{0,12}|"
        r"featured|badge|preferred (?:partner|program\w*))\b"
        "|排名|排序|置顶|首页|前排|推荐位|流量|曝光位",
        _NO_PROMISE,
        unless_denied=True,
    ),
    wording(r"\bwill be (?:sold out|fully booked|full)\b|\bthat is certain\b|\bfor sure\b", _NO_PROMISE, unless_denied=True),
    wording(r"\btraffic\b", _NO_PROMISE, unless_denied=True),
    wording(
        r"\b(?:compensat(?:e[ds]?|ion|ing)|reimburse\w*|refund\w*|rebates?|kick-?backs?|bonus(?:es)?|cash ?back|vouchers?|subsid(?:y|ies|"
        r"i[sz]e\w*)|"
        r"free (?:ads?|advertising|promotion|marketing|campaign))\b"
        "|补偿|赔偿|返现|返佣|回扣|奖金|补贴|免费(?:推广|广告|宣传)",
        _NO_PROMISE,
        unless_denied=True,
    ),
    wording(
        r"\b(?:guarantee[ds]?|guaranteeing|we promise|i promise|promised?|assure you)\b|保证|承诺|担保|一定会|肯定会|"
        r"包您", _NO_PROMISE, unless_denied=True),
    wording(
        rf"\b{_CERTAIN}\b[^.!?。！？]{{0,60}}\b(?:more|extra|additional|higher|increased?|better|boost\w*|a lot of|many|"
        rf"plenty of) {_GAINS}\b", _NO_PROMISE, unless_denied=True),
    wording(
        rf"\b{_CERTAIN} (?:\w+ ){{0,3}}(?:boost|increase|raise|double|triple|grow|lift|fill|sell out|"
        rf"maximi[sz]e)\b", _NO_PROMISE, unless_denied=True),
    wording(r"\b(?:lower|reduce|cut|waive|drop) (?:our|the|your) commission\b|降低?佣金|减佣|免佣", _NO_PROMISE, unless_denied=True),
    wording(
        r"(?:会|将|能)(?:给您?|为您?|让您?|帮您?)?(?:带来|增加|提高|提升|获得)[^。！？]{0,12}(?:订单|预订|客人|客源|收入|入住率|销量|"
        r"曝光)|更多(?:订单|预订|客源)", _NO_PROMISE, unless_denied=True),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Promises:
    """Promises of ranking, traffic, orders, compensation, commission, or of anything guaranteed."""

    name: str = "promises"
    severity: Severity = Severity.SEVERE

    def check(self, context: TurnContext, reply: Reply) -> list[Violation]:
        """Every promise that is not denied in the same breath."""
        return breaches(self.name, self.severity, _PROMISES, said(context, reply))


_PRESSING = "puts the hotel under pressure: ask kindly instead"
_PRESSURE = (
    wording(
        r"\b(?:last chance|final (?:offer|warning|notice|chance)|take it or leave it|or else|now or never|ultimatum|"
        r"before it'?s too late|only (?:valid )?today|"
        r"you(?:'ll| will) (?:regret|lose|miss out|be (?:sorry|removed|delisted))|consequences|legal action|lawyers?|sue you|penal(?:ty|"
        r"ties|i[sz]e\w*)|blacklist\w*|"
        r"de-?list\w*|you (?:must|have to|had better|have no choice|better)|forced to|no other choice|asap|urgent(?:ly)?|deadline|"
        r"(?:need|answer|reply|confirm|decide|respond|accept|agree)[^.!?]{0,30}(?:immediately|right away|at once|right now)|"
        r"hurry|time is running out|running out of time|don'?t waste)\b",
        _PRESSING,
        unless_denied=True,
    ),
    wording(
        r"\bif you (?:do not|don't|refuse|decline|won't|will not|say no)\b[^.!?]{0,60}\b(?:we|our site|i)(?:'ll| will| would| may| must|"
        r" have to)\b|"
        r"\bthink twice\b",
        _PRESSING,
    ),
    wording(
        r"\b(?:otherwise|or|if not|unless|else)\b[^.!?]{0,40}\b(?:we|our site|i)(?:'ll| will| would| may| might| shall| must| have to|"
        r" can)[^.!?]{0,30}"
        r"\b(?:remove|hide|stop|suspend|close|take down|take you off|drop|downgrade|promote|move|switch|send|reduce|lower|prefer|cancel|"
        r"end)\b",
        _PRESSING,
    ),
    wording(
        r"\b(?:remove|hide|suspend|take down|downgrade|stop (?:selling|promoting|listing|showing)) (?:your|the) (?:hotel|property|"
        r"listing|room|rooms)\b", _PRESSING
    ),
    wording(
        "最后机会|最后通牒|否则|不然的话|要不然|下架|下线|必须|请您?(?:立刻|立即|马上)|赶紧|后果|处罚|惩罚|拉黑|今天之内|过期不候|别怪|"
        "没得选|律师|起诉", _PRESSING, unless_denied=True),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pressure:
    """Threats, deadlines and commands."""

    name: str = "pressure"
    severity: Severity = Severity.SEVERE

    def check(self, context: TurnContext, reply: Reply) -> list[Violation]:
        """Every wording that threatens or commands."""
        return breaches(self.name, self.severity, _PRESSURE, said(context, reply))


_SITES = (
    r"\b(?:agoda|booking\.com|booking dot com|expedia|hotels\.com|trip\.com|ctrip|airbnb|priceline|trivago|kayak|hostelworld|makemytrip|"
    r"traveloka|klook|rakuten|"
    r"orbitz|travelocity|tripadvisor|google hotels?|hotelbeds|webbeds|qunar|fliggy|meituan|elong|tongcheng|hrs\.com|lastminute|hotwire|"
    r"skyscanner|momondo|"
    r"goibibo|oyo|tiket\.com|despegar|almosafer)\b|携程|美团|飞猪|去哪儿|同程|艺龙|缤客|爱彼迎|途牛|马蜂窝"
)
_UNKNOWN_SITE = (wording(_SITES, "is named nowhere in the facts as a source: leave it out"),)
_NOT_OURS = "is not in the facts: say only what is known about this hotel"
_CLAIMS = (
    wording(
        r"\b(?:other|another|similar|neighbou?ring|nearby|competing|most|all|many|several|comparable|partner) (?:\w+ )?(?:hotels?|"
        r"properties|property|partners)\b|"
        r"\bhotels (?:nearby|around you|in (?:your|the) (?:area|city|neighbou?rhood|region|town))\b|\byour (?:competitors?|neighbou?rs?|"
        r"rivals?)\b|\beveryone else\b|"
        r"\bthe hotel (?:next door|across|down the road)\b|\bnext door\b"
        "|其他酒店|别的酒店|其它酒店|周边酒店|附近酒店|同类酒店|竞争对手|同行|隔壁",
        _NOT_OURS,
        unless_asked=True,
        unless_denied=True,
    ),
    wording(
        r"\b(?:demand|occupancy|bookings|searches|the market|sales|interest|tourism|arrivals) (?:\w+ ){0,3}?(?:is|are|has|have|was|were|"
        r"will|looks?|remains?|keeps?)\b(?: \w+){0,2} "
        r"(?:low|lower|high|higher|weak|weaker|strong|stronger|soft|softer|slow|slower|down|up|falling|dropping|dropped|fallen|rising|"
        r"risen|rose|declin\w+|decreas\w+|"
        r"increas\w+|doubled|growing|grown|quiet|bad|poor)\b"
        r"|\b(?:most|many|some|all|several) (?:of )?(?:your|our|the) (?:guests|travell?ers|customers) (?:\w+ )?(?:complain\w*|said|say|"
        r"told|want|think)\b"
        r"|\b(?:told us|we(?:'ve| have)? heard|tour operators?|rumou?rs?)\b|\b(?:city|market|region|area|town) expects\b"
        r"|\b(?:our data|our statistics|our analysis|our figures|studies|research|statistics) (?:show|shows|say|says|suggest|suggests|"
        r"indicate|indicates|prove|proves)\b"
        "|(?:需求|入住率|预订量?|市场|搜索量?|客流)(?:正在|目前|最近|已经|明显|比较)?(?:很|较|在)?(?:低迷|下降|下滑|上升|增长|疲软|旺盛|"
        "走低|走高|减少|增加)|数据显示|研究表明",
        _NOT_OURS,
        unless_asked=True,
        unless_denied=True,
    ),
)  # fmt: skip
_CHEAPER = (
    wording(
        r"\b(?:cheaper|lower|less|better (?:price|rate|deal)s?)\b[^.!?]{0,40}\b(?:elsewhere|other (?:sites?|platforms?|channels?|"
        r"websites?|places)|another (?:site|platform|channel)|"
        r"competitors?|market)\b|\b(?:elsewhere|other (?:sites?|platforms?|channels?|websites?)|another (?:site|platform|"
        r"channel))\b[^.!?]{0,40}\b(?:cheaper|lower|less|better)\b"
        "|(?:别处|其他平台|其它平台|别的平台|外面|别的网站|其他网站)[^。！？]{0,12}(?:更低|便宜|低)",
        "is not borne out by the facts: no lower price is known",
        unless_asked=True,
        unless_denied=True,
    ),
)


@dataclass(frozen=True, slots=True)
class InventedFacts:
    """Sources, demand, other hotels' data and cheaper prices that the facts do not hold."""

    name: str = "invented_facts"
    severity: Severity = Severity.SEVERE

    def check(self, context: TurnContext, reply: Reply) -> list[Violation]:
        """Every claim that no fact of the conversation bears out; a verbatim quotation of a fact is none."""
        heard = said(context, reply)
        known = " ".join(
            fold(text)[0]
            for fact in context.facts
            for text in (fact.competitor_source or "", fact.hotel_name, fact.room_type, *fact.evidence)
        )
        found = [
            violation
            for violation in breaches(self.name, self.severity, _UNKNOWN_SITE, heard)
            if violation.start is not None and fold(reply.text[violation.start : violation.end])[0] not in known
        ]
        found += breaches(self.name, self.severity, _CLAIMS, heard)
        undercut = any(fact.competitor_price is not None and fact.competitor_price < fact.current_selling for fact in context.facts)
        return found if undercut else found + breaches(self.name, self.severity, _CHEAPER, heard)
