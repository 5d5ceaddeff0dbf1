"""Whether a message holds an explicit yes, an explicit no, a stall or nothing at all, in English and Chinese.

The decision is deliberately one-sided. A yes that is missed costs one more question; a yes that is imagined binds a hotel to a price it
never gave. So a sentence counts as a yes only when it holds an affirmative *and every other word of it is known to be harmless* (fillers,
numbers, currencies, the room's name), and when no sentence of the message hedges, negates or answers with a priced question. "ok",
"noted", a thumbs-up, "sure, I'll check" and "yes but" are therefore no yes.
"""

import re
import unicodedata
from collections.abc import Collection
from functools import cache

LONGEST_CONSENT = 2_000
"""Characters; a longer message is never taken for a yes, because what binds two parties is short."""

_WORD_NUMBER = (
    r"(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|"
    r"nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|grand|k)"
)
_NUMBER = rf"(?:\d[\d.,]*|{_WORD_NUMBER}(?:[\s-]+(?:and\s+)?{_WORD_NUMBER})*)"
_MONEY = (
    rf"(?:(?:us|hk|s|a|nt|rmb|usd|eur|gbp|cny|thb|jpy|sgd|aed)?\s*[$€£¥฿]?\s*{_NUMBER}\s*(?:usd|eur|gbp|cny|rmb|thb|jpy|sgd|aed|dollars?|"
    rf"euros?|pounds?|"
    r"yuan|baht|net|selling|nett|all[\s-]in)?)"
)
_US = r"(?:me|us|my side|our side|my end|our end)"
_IT = r"(?:that|this|it|these|those|the (?:price|rate|terms|offer|proposal|deal)|your (?:price|rate|terms|offer|proposal|request|ask))"
_SUBJECT = r"(?:i|we|i'm|we're|i am|we are|i've|we've|i have|we have)"

_CORES_EN = [
    # An adverb is a yes only where it opens the sentence: "with breakfast, of course" agrees to nothing.
    r"(?:^\W*)(?:absolutely|definitely|certainly|of course|indeed)",
    r"ye+s+|yep|yup|yeah|yea|aye|affirmative|no problem|not a problem|no objections?|"
    r"why not",
    r"agreed?|(?:we|i)(?:'ll| will| can| do| gladly| really| fully| also)* agree|we(?: are|'re) in agreement|with pleasure|by all means",
    r"accepted|(?:we|i)(?:(?:'ll| will| can| do| hereby| gladly| happily))* accept|"
    r"accept",
    r"(?:it'?s |it is |that'?s |that is |you have |you'?ve got |we have |you got |we'?ve got )?(?<!the )(?:a )?deal(?: done)?|"
    r"done(?: deal)?|sold|you(?: have|'ve)? (?:got )?yourself a deal",
    r"confirmed|confirming|(?:we|i)(?: can| do| hereby| gladly)? confirm|approved|correct|exactly|all (?:good|correct|right with us)",
    rf"{_IT}(?:'?s| is| are) (?:right|correct|fine|ok|okay|good|great|perfect|acceptable|agreed|all right|alright|confirmed)",
    rf"(?:{_IT}|{_MONEY}) (?:would be|will be) (?:acceptable|fine|ok|okay|all right|alright)",
    rf"{_IT}(?:'ll work|'ll do)",
    rf"{_IT} (?:works?|suits?|would work|will work|will do)|works(?: (?:for|with) {_US})|fine (?:by|with|for) {_US}|(?:ok|okay|"
    rf"good) (?:for|with|by) {_US}",
    rf"{_SUBJECT}(?: \w+)? (?:ok|okay|fine|happy|good|comfortable|on board) with (?:{_IT}|{_MONEY})",
    rf"{_SUBJECT} (?:happy|glad|willing|ready) to (?:accept|agree|confirm|do|take)(?: (?:to|on|with))?(?: (?:{_IT}|{_MONEY}))?",
    rf"{_MONEY} (?:it is|it'?s|works?|is (?:fine|ok|okay|good|great|perfect|agreed|acceptable|accepted|confirmed|a deal)|then|suits? us)",
    rf"{_MONEY} sounds (?:good|great|fine|perfect|fair|reasonable)",
    rf"(?:ok|okay|fine|alright|all right|sure|good|great|perfect)[\s,:-]+(?:at |for |with |to |then )?{_MONEY}(?![\w%])",
    rf"(?:let'?s|let us|we(?:'ll| will| can)|i(?:'ll| will| can)) (?:do|go with|take|proceed with|go for|settle on|lock in|"
    rf"lock|live with|work with) (?:the )?(?:{_IT}|{_MONEY})",
    r"sounds (?:good|great|fine|perfect|fair|reasonable|alright|all right|like a (?:deal|plan))",
    r"go ahead|please proceed|let'?s proceed|you (?:got|have) it|count us in|we have an agreement|"
    r"shake on it",
]
_CORES_ZH = [
    "可以的?|成交|同意|没问题|没有问题|没意见|没有意见|我们?接受|接受|我们?确认|确认|就这么定了?|就这样定了?|一言为定|说定了?|定了|"
    "行(?:的|啊|吧)?|"
    "就按(?:这个|你们?的?)(?:价格?|说的)?(?:来|办|吧)?|是的|对的?|没错|批准了?|(?:^|(?<=[，,\\s]))是(?=$|[，,\\s])"
]

_HARMLESS_EN_TEXT = """
a about absolutely acceptable accepted actually aed afternoon again agreed all alright also am and apr april are as at aug august awesome
baht be bed best between both breakfast bungalow by can cheers city classic club cny colleague come comfort confirmed date dates day deal
dear dec december decent deluxe demand do dollar dollars done double each effective eight eighteen eighty eleven enough eur euro euros
evening everyone everything exactly excellent excl executive fair family fantastic feb february fifteen fifty fine first five for forty
forward four fourteen friday friend from garden gbp generous glad gladly go good grand great greetings happy have hello here here's hey hi
hkd hundred i i'm idr in incl included including inclusive into is it it'll it's its jan january jpy jul july jun june junior just k king
krw let's lets look looking lot loud lovely madam many mar march may me monday morning much my myr nd net nett nice night nights nine
nineteen ninety nov november ocean oct october of offer oh ok okay on one our ours over part per perfect please pleased pleasure pound
pounds premier premium price prices proceed proposal queen rate rates rd really reasonable regards request right rmb room rooms saturday
sea second seems selling sep sept september settled seven seventeen seventy sgd side single sir six sixteen sixty so sound sounds st
standard start starting stay stays studio suggestion suite sunday super superior sure tax taxes team ten terms th thank thanks that that's
thats thb the their them then there these thirteen thirty this those thousand three thursday till to too total tuesday twelve twenty twin
two understood until up update us usd very view villa vnd warm we we're wednesday welcome well will with wonderful working yeah yen yep
yes you your youre yours yuan zero
"""
_HARMLESS_EN = frozenset(_HARMLESS_EN_TEXT.split())
_HARMLESS_ZH = re.compile(
    "好的?|嗯|哦|啊|哈|吧|呢|的|了|那|就|我们?|咱们?|你们?|您|贵方|这边|这个|价格?|价钱|净价|底价|卖价|售价|按|元|块钱?|人民币|美元|谢谢|"
    "感谢|麻烦|请|"
    "房型?|间|晚|天|每|都|也|是|从|到|至|起|开始|含早?|早餐|含税|税|大床|双床|标准|豪华|高级|家庭|套房|海景|城景|单人|双人|月|日|号|年|"
    "[零一二两三四五六七八九十百千万]|合作|愉快|辛苦"
)

_HEDGES = re.compile(
    r"\b(?:but|however|though|although|if|unless|provided|providing|subject to|depend(?:s|ing)?|let me|(?:i|we)(?:'ll| will| need to|"
    r" have to|"
    r" must| should| would| might| may)(?: first)? (?:check|see|ask|confirm|review|discuss|think|look|consider|talk|speak|get|come|"
    r"revert|let|try)|"
    r"to confirm|will confirm|can you|could you|check(?:ing)?|get back|come back|maybe|perhaps|probably|possibly|might|wait(?:ing)?|"
    r"pending|hold on|only|except|as long as|in (?:return|exchange)|consider(?:ing)?|think (?:about|it over)|we'?ll see|let'?s see|"
    r"review(?:ing)?|"
    r"discuss|tentative(?:ly)?|in principle|for now|almost|nearly|instead|rather|unfortunately|sadly|sorry|regret|later|yet|until (?:i|we)|"
    r"still|yeah,? right|minimum|prepaid|non[\s-]?refundable|without|minus|plus|noted|suppose|guess|hypothetically|pretend|imagine)\b"
    "|但是?|不过|可是|然而|如果|要是|假如|除非|前提|看看|看一下|考虑|商量|请示|汇报|再说|回头|等一?下?|稍后|只|仅|也许|可能|大概|应该|"
    "差不多|尽量|研究|"
    "确认一下|问一?下|问问|需要|必须|吗|么|最低|最少|预付|暂时|先"
)
_NEGATIONS = re.compile(
    r"\b(?:no|nope|nah|not|never|none|nothing|neither|nor|cannot|can't|cant|won't|wont|don't|dont|doesn't|didn't|isn't|aren't|wouldn't|"
    r"couldn't|shouldn't|unable|impossible|disagree(?:d)?|decline(?:d)?|reject(?:ed)?|refuse(?:d)?|deal[\s-]?breaker|hardly|against)\b|"
    r"n't\b"
    "|不|没|别|无法|拒绝|难|免谈"
)
_NOT_NEGATIVE = re.compile(
    r"\b(?:no (?:problems?|worries|objections?|rush|idea|need|issues?|doubt|strings|conditions?|restrictions?|minimum|more than|other)|"
    r"not a problem|why not|not bad)\b|没问题|没有问题|没意见|没有意见|不客气|没错|不错|没关系"
)
_REFUSALS = re.compile(
    r"(?:^|[.!?]\s*)\W*(?:no+|nope|nah)\b|[,;:]\s*(?:so |but |and )?no\b(?=\s*(?:[.,!;]|$|we\b|i\b|sorry|thank|that|this|way|chance|"
    r"not\b))|"
    r"^\W*(?:i'?m |we'?re |i am |we are |so |very )*sorry\W*$|(?:^|[.!?]\s*)\W*(?:i |we )?(?:must |have to )?(?:refuse|reject|decline)d?\b|"
    r"\bno (?:deal|can do)\b|\b(?:i|we)(?:'ll| will|'d rather| would rather| have to| must) pass(?! (?:it|this|that|on|the)\b)|"
    r"\b(?:is|are|'?s|was|way|far|just|bit|little|really) too (?:high|much|steep|deep|big|far|expensive)\b|"
    r"\b(?:that(?:'s| is)|this is|it's|it is) (?:not (?:correct|right|true|what (?:i|we)|the (?:number|price|rate|amount))|incorrect|"
    r"wrong)\b|\b(?:does not|doesn't|do not|don't) (?:fit|suit) (?:us|me|our|my|with)\b|"
    r"\b(?:did not|didn't|have not|haven't|has not) (?:agreed?|accept(?:ed)?|promised?|confirm(?:ed)?|offer(?:ed)?)\b|"
    r"\bnever (?:agreed|said|promised|offered|accepted|confirmed|happen|accept|agree|get that|get this)\b|"
    r"\bnot (?:willing|prepared|ready|offering|going) (?:to )?(?:agree|accept|do|go|give|offer|lower|that|this|such|any)\b|"
    r"\bnot in (?:our|my|the) (?:budget|interest|plan)\b|\bnot negotiable\b|\bnon-?negotiable\b|\b(?:off|not on) the table\b|"
    r"\bout of (?:our|my|the) (?:price range|budget|reach|range)\b|\bnot worth\b|"
    r"\b(?:is|would be|means) (?:a |an |only a |just a )?loss\b|\b(?:sell|work|run|rent)\w* at a loss\b|"
    r"\b(?:but|so|is|said|say|still|again,?|it's a|it is a) (?:a )?no\b(?! (?:reply|answer|response|news|word|sign|one))|"
    r"\bno (?:way|change|chance|discount|(?:further )?reduction)\b|"
    r"\bnot (?:possible|acceptable|an option|interested|able|going to|ok|okay|agreed|for (?:us|me)|feasible|realistic|doable|happening|"
    r"viable|today)\b|\b(?:unfortunately|certainly|definitely|absolutely|of course|afraid|rather|probably|sorry,?) not\b|\bwish (?:i|"
    r"we) could\b|"
    r"\b(?:afraid|sorry),? (?:that )?(?:i|we) (?:can'?t|cannot)\b|"
    r"\b(?:can'?t|cannot|can not|won'?t|will not|couldn'?t|could not|wouldn'?t|unable to|are not able to)(?: \w+){0,2} "
    r"(?:do|accept|agree|go|offer|give|lower|reduce|drop|match|approve|make|move|change|afford|meet|sell|take|help|support|cut|work|pay|happen|justify|"
    r"absorb|sustain|grant|allow|entertain|stretch|budge)\b|"
    r"\b(?:price|rate|it|that|this)s? (?:stays?|remains?) (?:as (?:it|they) (?:is|are)|the same|unchanged|where)\b|"
    r"(?<!you )(?<!to )\b(?:keep|stay with|stick (?:to|with)) (?:our|the|this|my) (?:\w+ )?(?:price|rate)\b|"
    r"\b(?:it'?s|answer (?:is|remains|stays)) (?:a )?no\b|"
    r"\b(?:impossible|out of the question|too (?:low|cheap|little)|disagree|i decline|we decline|(?:i|we)(?: \w+)? (?:reject|refuse)|"
    r"(?:must|have to|need to) (?:decline|refuse|reject)|(?:do not|don'?t|does not|doesn'?t) (?:agree|accept|work|think so)|forget it|"
    r"isn'?t possible)\b"
    "|^不(?:好(?!意思)|[是中成])|(?<!行)不行|(?<!可)不可以|不同意|(?<!能)不能|不接受|没法|无法|办不到|做不到|做不了|拒绝|太低|免谈|不可能|降不了|没办法|不好意思.{0,6}不|"
    "(?<!变)不变|维持原价|没(?:有)?(?:答应|同意|接受|说)过|不是(?:我们?|咱们?)(?:谈|说)|写错了|连成本|还不如|亏本|赔本|要亏|不敢答应|"
    "不做(?=\\W|$)|到不?一块去|不考虑|动不了|降不下|给不了"
)
_VERBS = r"(?:check|see|think|ask|look|get back|come back|revert|consider|discuss|review|talk|speak|consult|decide|approve|wait)"
_STALLS = re.compile(
    rf"\b(?:let me (?:{_VERBS})|(?:i|we)(?:'ll| will| must| should| shall| would rather)(?: \w+)? {_VERBS}|"
    rf"(?:need|needs|have|has|want|wants) to(?: first)? {_VERBS}|rather {_VERBS}|will (?:{_VERBS}|let you know|do my best)|noted|"
    r"get back to you|take (?:it|this) to (?:the|my|our)|come back to you|let you know|think (?:about it|it over)|under (?:review|"
    r"consideration)|(?:we|i)'?ll see|(?:is|"
    r"are) discussing (?:it|this)|can'?t say(?: \w+){0,2} (?:now|yet)|(?:will|'ll)(?: \w+)? have a look|looks? at (?:it|this) first|"
    r"not sure yet|(?:need|give me|give us|want) (?:some |a bit of |more )?time|(?:run|put|take|bring|send) (?:it|this|that) "
    r"(?:past|by|up|over|to) |one moment|hold on|bear with (?:me|us)|"
    r"busy (?:now|right now|at the moment|today)|call (?:me|you) (?:back|later)|later|another time|waiting (?:for|on))\b|"
    r"(?:^|[.,!;]\s*)(?:(?:hm+|well|so|right|ok|okay|uh|um)\W+)*(?:maybe|perhaps|possibly)\W*(?:$|[.!…])"
    r"|([看想算问查议聊])一?\1|看一下|想一下|翻一?下|考虑|商量|请示|汇报|回头|再说|稍后|等一?下|等等|晚点|晚些|改天|研究(?:一下|研究)|琢磨|"
    "斟酌|合计|再议|容我|过(?:两|几)天|(?<!耐心)等我|等.{1,6}(?:消息|回来|开完?会)|问一下|再联系|"
    "再(?:给[你您]?)?(?:答复|回复)|有空再"
)
_ACKNOWLEDGED = re.compile(
    r"\W*(?:(?:ok+(?:ay)?|sure|alright|all right|fine|good|great|noted|understood|received|got it|i see|i understand|i hear you|hm+|"
    r"so|uh|um|ehm|right|maybe|perhaps|possibly|let'?s see|thanks?(?: you)?|well|with thanks|收到|知道了|明白了?|了解|好的?|嗯|哦|"
    r"谢谢)\W*){1,4}"
)
_SENTENCE_END = re.compile(r"(?<!\d)[.](?!\d)|(?<=\d)[.](?!\d)|(?<!\d)[.](?=\d)|[!?！？。；;\n]+|…+")
_WORDS = re.compile(r"[a-zà-ÿ]+(?:'[a-z]+)?")
_CJK = re.compile("[\u3400-\u9fff]+")
_LETTERS_LEFT = re.compile(r"[^\W\d_]")
_STICKER = re.compile(r"\[[\u3400-\u9fff]{1,4}\]")
"""An emoji as chat programs spell it out: "[握手]"."""
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad\ufe00-\ufe0f]")


def normalised(text: str) -> str:
    """Lower case in compatibility form, straight apostrophes, without invisible characters and stickers."""
    plain = unicodedata.normalize("NFKC", _STICKER.sub(" ", _INVISIBLE.sub("", text))).casefold()
    return plain.replace("\u2019", "'").replace("\u2018", "'").replace("`", "'")


def says_yes(text: str, *, names: Collection[str] = ()) -> bool:
    """True where an explicit yes stands in the text and nothing in it takes the yes back.

    ``names`` are further words that may stand in the sentence of the yes, such as the words of the room type or the hotel.
    """
    if len(text) > LONGEST_CONSENT:
        return False
    plain = normalised(text)
    without_idioms = _NOT_NEGATIVE.sub(" ", plain)
    if _NEGATIONS.search(without_idioms) or _HEDGES.search(plain):
        return False
    known = frozenset(word for name in names for word in (*_WORDS.findall(normalised(name)), *_CJK.findall(name)))
    affirmed = False
    for sentence, is_question in _sentences(plain):
        if is_question:
            # "Yes. Can you do 440?" is a counter-offer; "Deal. When does it start?" is a yes with a question.
            if any(character.isdigit() for character in sentence):
                return False
            continue
        affirmed = affirmed or _affirms(sentence, known)
    return affirmed


def says_no(text: str) -> bool:
    """True where the text turns something down in so many words."""
    plain = normalised(text[:LONGEST_CONSENT])
    return bool(_REFUSALS.search(_NOT_NEGATIVE.sub(" ", plain)))


def is_silence(text: str) -> bool:
    """True where the text holds no letter and no digit: nothing, emoji, stickers, punctuation."""
    return not any(unicodedata.category(character)[0] in "LN" for character in _STICKER.sub("", text))


def is_stall(text: str) -> bool:
    """True where the text puts off an answer or only acknowledges ("let me see", "noted", a bare "ok") and is no explicit yes."""
    plain = normalised(text[:LONGEST_CONSENT])
    return bool(_STALLS.search(plain) or _ACKNOWLEDGED.fullmatch(plain)) and not says_yes(text)


def _sentences(plain: str) -> list[tuple[str, bool]]:
    """The sentences, each with whether it is a question."""
    found: list[tuple[str, bool]] = []
    start = 0
    for end in _SENTENCE_END.finditer(plain):
        found.append((plain[start : end.start()], any(mark in end.group() for mark in "?？")))
        start = end.end()
    found.append((plain[start:], False))
    return [
        (sentence, asks) for sentence, asks in found if _WORDS.search(sentence) or _CJK.search(sentence) or any(map(str.isdigit, sentence))
    ]


@cache
def _cores() -> tuple[re.Pattern[str], re.Pattern[str]]:
    return re.compile("|".join(rf"(?<![\w'])(?:{core})(?![\w'])" for core in _CORES_EN)), re.compile("|".join(_CORES_ZH))


def _affirms(sentence: str, known: frozenset[str]) -> bool:
    english, chinese = _cores()
    # A Chinese name may hold a word of consent ("行政套房").
    for name in known:
        sentence = sentence if name.isascii() else sentence.replace(name, " ")
    rest, hits = english.subn(" ", sentence)
    # Chinese characters carry no word boundary, so an affirmative must open a clause or follow only harmless characters.
    rest, hits_zh = chinese.subn(" ", rest)
    if not hits and not hits_zh:
        return False
    rest = _HARMLESS_ZH.sub(" ", rest)
    unknown = [word for word in _WORDS.findall(rest) if word not in _HARMLESS_EN and word not in known]
    rest = _WORDS.sub(" ", rest)
    return not unknown and not _LETTERS_LEFT.search(rest)
