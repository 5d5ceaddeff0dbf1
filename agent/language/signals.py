"""Words of a hotel's message that decide by themselves, whatever the model makes of them: stop, law, the wrong person, feeling, strings.

English and Chinese. Everything here is pure and takes the message as it came; it decides no price and no consent.
"""

import re
from dataclasses import dataclass

from agent.domain import TicketFacts
from agent.language.consent import normalised
from db.vocabulary import ClarifyTopic, Mood, PriceBasis

_STOP = re.compile(
    r"\b(?:stop|quit) (?:contacting|calling|writing|messaging|emailing|texting|bothering|harassing|asking|spamming|pestering|this|"
    r"it|now)\b|"
    r"(?:^|[.!?,;]|\bplease|\bjust) *(?:please )?stop *(?:[.!,;?]|$)|"
    r"\b(?:do not|don't|never) (?:ever )?(?:contact|call|write|message|email|bother|text) (?:to )?(?:me|us|here|again|this)\b|"
    r"\b(?:leave (?:me|us) alone|unsubscribe|(?:remove|delete|take) (?:me|us|our \w+) (?:from|off) (?:your|the|this) "
    r"(?:list|site|platform|mailing\w*)|"
    r"go away|(?<=[.!,] )get lost|fuck\w*|f\*+k?\w*|screw you|go to hell|shut up|piss off|bastards?|assholes?|morons?|idiots?|"
    r"scam(?:mers?)?|"
    r"spam(?:mers?|ming)?)\b"
    "|别再(?:联系|打|发|烦)|不要再(?:联系|打|发|烦)|不要联系|请勿联系|"
    "^滚|滚开|滚蛋|(?<=[，,。！! ])滚(?=[，,。！! ]|$)|别来找我|名单[里上]?(?:划|删|去|拿)掉|"
    "骚扰|骗子|傻[逼瓜子]|闭嘴|退订|拉黑"
)
_LEGAL = re.compile(
    r"\b(?:lawyers?|attorneys?|legal(?:ly)?|lawsuits?|sue|suing|(?:in|to|the) courts?|court case|litigation|liabilit(?:y|ies)|liable|"
    r"gdpr|breach(?:es|ed)?|clauses?|"
    r"indemnif\w+|arbitration|"
    r"terms and conditions|addendum|contracts?(?!(?:ed)? (?:rates?|prices?)))\b|合同|律师|法务|起诉|法律|违约|诉讼|条款纠纷"
)
_OFFICE = r"(?:revenue|sales|reservations?|general|commercial|owner|manager|boss|head office|director)"
_WRONG_PERSON = re.compile(
    r"\b(?:wrong (?:person|number|department|contact)|not the (?:right|correct|proper|best) (?:person|contact|one)|"
    r"not (?:in charge|responsible|my (?:job|department|area|decision|call|business))|"
    r"i (?:do not|don't|can't|cannot) (?:decide|handle|manage|set|deal with|take care of) (?:the |these |our |any |about |on )*"
    r"(?:room )?(?:prices?|rates?|this|that|it|contracts?)|"
    r"i(?:'m| am) (?:just|only) (?:the |at the |a |an )?(?:reception\w*|front desk|night \w+|intern|trainee|housekeep\w*|concierge)|"
    r"i(?:'m| am) the (?:night (?:porter|manager|auditor|clerk)|porter|receptionist|intern|trainee|housekeeper|concierge|bell ?boy)|"
    r"(?:don't|do not) know (?:anything |much |a thing )?about (?:the |your |our )?(?:room )?(?:rates|prices|contracts)|"
    r"this is (?:the |only the )?(?:reception|front desk|housekeeping|restaurant|bar|spa)|not authori[sz]ed|no authority|"
    rf"{_OFFICE}(?: manager| team| department)? (?:takes care of|handles|decides|does|is responsible|looks after)|"
    r"colleague (?:in charge|responsible|for (?:prices|rates))|"
    r"(?:he|she|they) (?:handles?|decides?|does|do|sets?|makes?|takes? care of) (?:the |on )?(?:prices?|rates?|this|that))\b|"
    # "I have to ask our manager" puts off; "you must ask our manager" sends away.
    rf"(?:\byou (?:must|should|need to|have to|can|may|could|better)|\bplease|\bkindly|\bbetter|^|[.,!;]) *"
    rf"(?:contact|ask|call|write to|email|(?:speak|talk) (?:to|with)) (?:our|my|the) {_OFFICE}\b"
    "|才能(?:定|做主|决定)|(?:[您你]|这个|价格)(?:得|要)(?:找|问)|定价的(?:人)?是|(?:帮忙|只能).{0,4}传个?话|把话带给|转告|转达|由[他她].{0,2}决定|"
    "(?:以前|之前|原来)是我管|换(?:了)?同事|实习生|不负责|不归我|不是我(?:管|负责)|找错人|打错|我是前台|我只是前台|这里是前台|做不了主|没有权限"
)
_ENDS_TALK = re.compile(
    r"\b(?:(?:do not|don't) ask (?:me |us )?(?:again|any ?more)|end (?:this|the) (?:conversation|discussion|chat|talk)|"
    r"please close (?:it|this)|last word|"
    r"leave us in peace|(?:negotiations?|talks|discussion|conversation) (?:is|are) over|"
    r"(?:i'm|we're|i am|we are)(?: going to)? opt(?:ing)? out|"
    r"(?:won't|will not|cannot|can't|couldn't|not going to|unable to|(?:does not|doesn't) look like we(?:'ll| will))(?: \w+){0,3} "
    r"(?:reach(?:ing)?|come to|find|make|mak(?:e|ing)) (?:a|an|any) (?:deal|agreement)|"
    r"(?:i'm|we're|i am|we are) (?:done|finished|through) (?:here|talking|with (?:this|you|your))|"
    r"(?:let us|let's) stop here|(?:not|don't) (?:wish|want) to (?:continue|go on)|(?:decision|answer) is (?:made|"
    r"final)|no (?:further|"
    r"more) (?:discussion|talks?|messages))\b|不用再说|不用再谈|到此为止|不必再|没必要(?:继续|再)|(?:请)?不要再问"
)
_ANGRY = re.compile(
    r"\b(?:furious|outrageous|insult(?:ing|ed|s)?|how dare|disgust\w*|fed up|sick (?:and tired )?of|angry|shameless|disgrace\w*|"
    r"enough is enough)\b|!{3,}|"
    "气死|受够了|割.{0,3}肉|死活|欺人太甚|过分|离谱|荒唐|不像话|侮辱|恶心|岂有此理"
)
_ANNOYED = re.compile(
    r"\b(?:ridiculous|unacceptable|a joke|tired of|annoy\w*|disappoint\w*|waste of (?:my|our|everyone's) time|wasting (?:my|our) time|"
    r"(?:getting )?on (?:my|our) nerves|this is tiring|work(?:ing)? for (?:free|nothing)|keep (?:asking|pushing|repeating|insisting)|"
    r"rude|nonsense|frustrat\w*|upset|"
    r"unbelievable|terrible|complain\w*|again and again|every (?:single )?time|already told you|as i said|seriously\?)|"
    r"(?<!别)生气|失望|投诉(?!了?吧)|(?<!麻)烦|什么意思|说过了|又来|催来催去|体谅|天天来?压价|做慈善|受得了"
)
_ANXIOUS = re.compile(
    r"\b(?:worr(?:y|ied|ies|ying)|concern(?:ed|s)?|afraid|nervous|struggl\w*|under pressure|scared|unsure|desperate|anxious)\b|担心|害怕|"
    r"压力|焦虑|怕"
)
_WARM = re.compile(
    r"\b(?:thanks?|thank you|great|happy|glad|pleasure|lovely|wonderful|appreciate|kind(?:ly)?|dear|cheers|best regards|nice to)\b|"
    r"[😊🙂😀😄🤝🙏]|谢谢|感谢|高兴|愉快|欢迎|辛苦"
)
_GREETING = re.compile(
    r"^\W*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|greetings|welcome)\b|"
    r"^\W*(?:您好|你好|在的|在呢|嗨|哈喽|早上好|下午好|晚上好)"
)
_RIGHT_PERSON = re.compile(
    r"\b(?:right person|that would be me|i(?:'m| am) (?:in charge|responsible|the one)|i (?:do|handle|manage|decide|set|"
    r"take care of) (?:the |our |"
    r"all )?(?:rates|prices)|"
    r"speaking|go ahead|go on|yes,? (?:that's )?me)\b|是我|我负责|请讲|请说"
)
_QUESTION = re.compile(
    r"[?？]|(?:^\W*|[,.;!]\s*)(?:(?:well|so|uh|um|ehm|right|ok|okay|yeah|and|but|alright|hm+|oh|you know|tell me|by the way|honestly|"
    r"actually|sorry|at|for|from|on|in|to|compared to|until|since|with)\W+)*(?:(?:who|whom|what|when|where|why|how|which) "
    r"(?:is|are|do|does|did|was|would|will|can|could|should|much|many|room|rate|dates?|price|category|type|period)\b|"
    r"(?:can|could|would|will) you\b|do you\b|are you\b|is (?:it|this|that)\b|may i\b|"
    r"(?:could|can) (?:we|i) (?:know|ask|get|have)\b)|"
    r"\b(?:what|how) about (?:the|your|our|my|a)\b|\bwhat (?:would|will|is|are|was) (?:the|your|our)\b|"
    r"\b(?:tell|give|send) (?:me|us) (?:what|which|how|when|why|a (?:figure|number|price)|the (?:dates|details))\b|"
    r"吗|呢\W*$|什么|多少|为何|为什么|哪|怎么"
)
_AUXILIARY = r"(?:can|could|would|will|shall|do|does|did|is|are|was|were|have|has|may)"
_MAY_ASK = re.compile(
    r"[?？]|\b(?:who|whom|whose|what|when|where|why|how|which|tell me|let me know)\b|"
    rf"(?:^\W*|[,.;!]\s*|\b(?:so|uh|um|well|right|and|but|or|know|hi|hello)\W+){_AUXILIARY}\b|"
    rf"\b{_AUXILIARY} (?:you|we|i|it|this|that|they|there)\b|"
    "吗|呢|么|什么|多少|为何|哪|怎么|几|谁|是否|能否"
)
"""Without any of these, nothing is asked."""
_TAG = re.compile(
    r"\b(?:how (?:can|may) (?:i|we) (?:help|assist)(?: you)?|what can (?:i|we) do for you|how are you(?: doing)?(?: today)?)\b\s*[?？]?|"
    r"\b(?:is that (?:clear|a problem|ok(?:ay)?)(?: now)?|what do you say|i hope that is ok(?:ay)?|right|ok(?:ay)?|no)\s*[?？]|"
    "怎么说呢|那什么(?=\\W)|没什么|没怎么|什么都|怎么都|哪[天样个里儿]都|哪样不"
)
_NO_NEED = re.compile(r"\b(?:no|not|don't|doesn't|never|cannot|can't|without|if|when|would be)\b[^.!?]{0,20}$")
_DISCOUNT = re.compile(
    r"\b(?:discount|better (?:price|rate|offer|deal)|special (?:price|rate|offer)|come down|go (?:a (?:bit|little) )?lower|reduce|"
    r"lower (?:it|the|our)|"
    r"(?:some|little) (?:room|flexibility))\b|优惠|便宜|降一?点|让利|再低"
)
_HYPOTHETICAL = re.compile(r"\b(?:if|whether)\b|是否|能不能|可不可以|行不行")
_LEANS_TO_YES = re.compile(r"^\W*(?:yes|yeah|yep|ok(?:ay)?|agreed?|deal|fine|sure|accepted|confirmed)\b|^\W*(?:可以|行|同意|成交|好)")
_NET = re.compile(r"\b(?:nett?o?|what you pay us)\b|净价|净房价|底价|结算价")
_SELLING = re.compile(r"\b(?:sell(?:ing)?|retail|public|guests? pays?|on your (?:site|website))\b|售价|卖价|零售价|门市价")
_NOT_BEFORE = re.compile(r"(?:\bnot|\bisn't|n't|\bno|不是|非)(?: the| a| our| your)?\s*$")


def wants_stop(text: str) -> bool:
    """True where the hotel asks us to stop, or is abusive."""
    return _STOP.search(normalised(text)) is not None


def is_legal(text: str) -> bool:
    """True where contract, legal or liability matters are raised."""
    return _LEGAL.search(normalised(text)) is not None


def is_wrong_person(text: str) -> bool:
    """True where the writer says that someone else decides on prices."""
    return _WRONG_PERSON.search(normalised(text)) is not None


def is_greeting(text: str) -> bool:
    """True where the message is short and opens with a greeting."""
    return len(text) <= 80 and _GREETING.search(normalised(text)) is not None


def is_right_person(text: str) -> bool:
    """True where the writer says that prices are theirs to talk about."""
    return _RIGHT_PERSON.search(normalised(text)) is not None


def is_question(text: str) -> bool:
    """True where something is asked."""
    return _QUESTION.search(_TAG.sub(" ", normalised(text))) is not None


def may_ask(text: str) -> bool:
    """False where no word of the message could make it a question."""
    return _MAY_ASK.search(normalised(text)) is not None


def ends_talk(text: str) -> bool:
    """True where the hotel says that it is done talking, without asking us to stop outright."""
    return _ENDS_TALK.search(normalised(text)) is not None


def hints_at_discount(text: str) -> bool:
    """True where a lower price is spoken of without a number."""
    plain = normalised(text)
    return any(not _NO_NEED.search(plain[: hit.start()]) for hit in _DISCOUNT.finditer(plain)) and not plain.rstrip().endswith(("?", "？"))


def is_hypothetical(sentence: str) -> bool:
    """True where a number of the sentence stands behind an "if" or "whether"."""
    plain = normalised(sentence)
    hit = _HYPOTHETICAL.search(plain)
    return hit is not None and any(character.isdigit() for character in plain[hit.end() :])


def sentences(text: str) -> list[str]:
    """The sentences of a message; a point between digits ends none."""
    return [piece for piece in re.split(r"(?<=[!?。！？；;\n])|(?<=[.])(?!\d)", text) if piece.strip()]


def leans_to_yes(text: str) -> bool:
    """True where the message opens as a yes does; whether it is one is for ``consent``."""
    return _LEANS_TO_YES.search(normalised(text)) is not None


def mood_of(text: str) -> Mood:
    """How the message sounds by its words alone, the strongest feeling first."""
    plain = normalised(text)
    for pattern, mood in ((_ANGRY, Mood.ANGRY), (_ANNOYED, Mood.ANNOYED), (_ANXIOUS, Mood.ANXIOUS), (_WARM, Mood.WARM)):
        if pattern.search(plain):
            return mood
    return Mood.NEUTRAL


def stated_basis(text: str) -> PriceBasis | None:
    """The one kind of price that the message names, in a statement; None where it names both, none, or only asks."""
    named: set[PriceBasis] = set()
    for sentence in re.split(r"(?<=[.!?。！？\n])", normalised(text)):
        if sentence.rstrip().endswith(("?", "？")):
            continue
        for pattern, basis in ((_NET, PriceBasis.NET), (_SELLING, PriceBasis.SELLING)):
            if any(not _NOT_BEFORE.search(sentence[: hit.start()]) for hit in pattern.finditer(sentence)):
                named.add(basis)
    return named.pop() if len(named) == 1 else None


@dataclass(frozen=True, slots=True)
class Strings:
    """What is tied to a price: the hotel's own words, and the points that must therefore be asked."""

    conditions: tuple[str, ...]
    topics: tuple[ClarifyTopic, ...]


_CLAUSE = re.compile(r"[.;!?\n。；！？，、]|,(?!\d)|(?<=\d)[.](?!\d)|\b(?:but|however|and)\b|但是?|不过")
_STRINGS = (
    (
        ClarifyTopic.DATES,
        re.compile(
            r"\b(?:week ?days?|week ?ends?|week ?nights?|monday|tuesday|wednesday|thursday|friday|saturday|sunday|black ?outs?|"
            r"low season|high season|peak|"
            r"(?:valid|only|until|till|through|from) (?:on |for |in |from |until |till )?(?:the )?(?:\d{1,2}(?:st|nd|rd|th)?\b|jan\w*|"
            r"feb\w*|mar\w*|apr\w*|may|jun\w*|jul\w*|aug\w*|"
            r"sep\w*|oct\w*|nov\w*|dec\w*|end of|next|this)|except(?: for)?|excluding (?!tax|vat|service|breakfast)|certain dates|"
            r"selected dates)\b"
            "|平日|周末|工作日|周[一二三四五六日]|除了|节假日|部分日期"
        ),
    ),
    (
        ClarifyTopic.BREAKFAST,
        re.compile(r"\b(?:without|no|excluding|excl\.?|plus|minus|w/o) breakfasts?\b|\broom[ -]only\b|不含早|无早|单房|早餐另"),
    ),
    (
        ClarifyTopic.TAX,
        re.compile(
            r"\+\+|\b(?:plus|excluding|excl\.?|before|without|no|exclusive of) (?:\w+ )?(?:tax(?:es)?|vat|service(?: charge)?)\b|"
            r"\btax(?:es)? (?:extra|excluded|not included|on top)\b|"
            "不含税|税另|未税|税费另"
        ),
    ),
    (
        ClarifyTopic.ROOMS,
        re.compile(
            r"\b(?:only|max(?:imum)?|up to|at most|limited to|for|no more than) (?:\w+ )?(?:\d+|one|two|three|four|five|six|ten|"
            r"a (?:few|handful of|couple of)) rooms?\b|"
            "最多.{0,4}间|只有.{0,4}间|仅.{0,4}间"
        ),
    ),
    (
        ClarifyTopic.CONDITION,
        re.compile(
            r"\b(?:min(?:imum)?\.? (?:of )?(?:\w+ )?(?:nights?|stay|rooms?|days?|bookings?|length)|min(?:imum)? stay|"
            r"at least \w+ (?:nights?|rooms?|days?|bookings?)|pre-?paid|pre-?pay\w*|"
            r"non[- ]?refundable|no refunds?|advance (?:payment|purchase|booking)|deposit|in (?:exchange|return)|as long as|provided|"
            r"providing|on condition|subject to|unless|"
            r"only if|if you|only for|guaranteed? (?:volume|rooms?|nights?|number)|commitment|book \d+|members? only|mobile only|package)\b"
            "|最少住|至少住|连住|预付|不可取消|不可退|不退|押金|前提|只要|如果你|如果您|除非|保量|包房|条件是"
        ),
    ),
)  # fmt: skip
_LONGEST_CONDITION = 80


def strings_attached(text: str, facts: TicketFacts) -> Strings:
    """The conditions in the message and what they leave open; a string that only repeats the facts leaves nothing open."""
    conditions: list[str] = []
    topics: list[ClarifyTopic] = []
    for clause in _clauses(text):
        for topic, pattern in _STRINGS:
            if not pattern.search(normalised(clause)):
                continue
            if clause not in conditions:
                conditions.append(clause)
            settled = (
                (topic is ClarifyTopic.BREAKFAST and facts.breakfast is False)
                or (topic is ClarifyTopic.TAX and facts.tax_included is False)
                or (topic is ClarifyTopic.ROOMS and re.search(rf"(?<!\d){facts.rooms} rooms?\b", normalised(clause)) is not None)
            )
            if topic not in topics and not settled:
                topics.append(topic)
    return Strings(conditions=tuple(conditions[:3]), topics=tuple(topics))


def _clauses(text: str) -> list[str]:
    pieces = [" ".join(piece.split()).strip(" -–—:：()（）\"'") for piece in _CLAUSE.split(text[:4000])]
    return [piece[:_LONGEST_CONDITION].rstrip() for piece in pieces if piece]
