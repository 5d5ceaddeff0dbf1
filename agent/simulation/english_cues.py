"""By which English words an argument, a question, a courtesy or a fault of ours is recognised."""

import re

from agent.simulation.cues import Cues, one_of
from agent.simulation.phrases import Lever
from db.vocabulary import ClarifyTopic

_ARGUMENTS: dict[Lever, re.Pattern[str]] = {
    Lever.SEASON: one_of(
        r"\b(?:low|quiet|slow|weak|off)[- ](?:season|nights?|dates|period)", r"\bquiet\b", r"\boccupancy", r"empty (?:room|bed|night)",
        r"\bslow(?:er)?\b", r"rooms? (?:still )?open", r"weaker nights", r"busy season", r"stronger season", r"fill a few",
    ),
    Lever.VOLUME: one_of(
        r"room[- ]nights?", r"\bvolume", r"\bquantity", r"(?:more|several|number of) (?:booked )?(?:bookings?|nights?|rooms?)",
        r"nights sold",
        r"(?:sell|selling|fill|filling) more",
    ),
    Lever.VISIBILITY: one_of(
        r"\bvisib", r"easier (?:for \w+ )?to (?:choose|notice|find)", r"room easier", r"\bnotice", r"stand out", r"catch(?:es)? the eye",
        r"\bcompare",
        r"be seen", r"\bscroll", r"closer look", r"\battention", r"look elsewhere", r"look at (?:the price|high)", r"expensive",
    ),
    Lever.RELATIONSHIP: one_of(
        r"\bpartner(?:s|ship)?\b", r"\bcooperation", r"\btrust\b", r"work(?:ing)? (?:well )?(?:together|with)",
        r"long time", r"\bopen(?:ly|ness)\b",
        r"fair (?:with|for both|step)", r"feel good about", r"respect whatever",
    ),
    Lever.REVIEWS: one_of(r"\breviews?\b", r"\brating", r"guests (?:praise|write)", r"write about", r"tell others"),
    Lever.PARITY: one_of(r"\bparity", r"\bin line\b", r"\belsewhere\b", r"other sites?", r"\bcompetitor", r"\bcheaper\b", r"undercut"),
}  # fmt: skip

_TOPICS: dict[ClarifyTopic, re.Pattern[str]] = {
    ClarifyTopic.NET_OR_SELLING: one_of(
        r"net (?:price |rate )?(?:to us )?or\b",
        r"or (?:the |a )?selling",
        r"\bso net\b.*\?",
        r"is (?:this|that) (?:the )?net",
        r"or is it what",
        r"net, or",
    ),
    ClarifyTopic.CONDITION: one_of(r"\bcondition"),
    ClarifyTopic.TAX: one_of(r"\btax(?:es)?\b"),
    ClarifyTopic.BREAKFAST: one_of(r"\bbreakfast\b", r"room only"),
    ClarifyTopic.WHICH_ROOM: one_of(
        r"which (?:of the )?rooms?\b", r"(?:do you mean|is that for) the (?!dates)", r"which room", r"what room"
    ),
    ClarifyTopic.ROOMS: one_of(r"how many rooms", r"every room", r"number of rooms", r"all rooms or"),
    ClarifyTopic.DATES: one_of(
        r"which dates",
        r"for which (?:of the )?nights",
        r"whole period",
        r"all (?:of |nights)",
        r"about the dates",
        r"for which dates",
        r"is that for\b",
    ),
    ClarifyTopic.AMOUNT: one_of(r"exact(?:ly)?\b", r"precise", r"catch the amount", r"how much exactly"),
}

_GREETS = one_of(r"\b(?:hello|hi|good (?:day|morning|afternoon|evening)|dear|greetings)\b")
_CALMS = one_of(
    r"\bsorry\b",
    r"apolog",
    r"frustrat",
    r"\bupset\b",
    r"i hear (?:you|your)",
    r"annoyed",
    r"i am listening",
    r"here to listen",
    r"\bangry\b",
    r"calm down",
    r"we regret",
)
_THANKS = one_of(r"\bthanks?\b", r"\bappreciate", r"\bgrateful")
_ENDS = one_of(
    r"\bgoodbye\b", r"have a (?:good|lovely|nice|great) (?:day|week|one)", r"all the best", r"leave (?:it at that|the rate as it is)",
    r"best regards", r"until next time", r"it did not work out", r"respect your decision", r"no agreement then", r"closing this",
    r"agreed on\b", r"agreed is\b", r"have noted (?:[a-z]{3} |[$€£¥])?\d", r"pleasure to work", r"the result is",
    r"we have (?:[a-z]{3} |[$€£¥])?\d", r"clear now", r"thank you for your answer\.$", r"talking it through", r"^then not",
    r"wish you", r"\btake care\b",
    r"speaking with you again", r"thank you (?:all the same|anyway)", r"the agreement:", r"\bnoted:", r"^done\.", r"kind regards",
    r"not possible at the moment",
)  # fmt: skip
_HANDS_OVER = one_of(r"\bcolleague (?:will|takes|who|of mine)", r"to a colleague", r"my colleague will", r"a colleague")
_REDIRECTS = one_of(
    r"\bwho at\b", r"who is it\b", r"who (?:decides|is (?:in charge|responsible|the)|looks after|handles|sets|makes)", r"\bwhom\b",
    r"right (?:colleague|contact)",
    r"which colleague", r"put me in touch", r"connect me", r"pass me on", r"forward my message", r"so who\b", r"name of the person",
)  # fmt: skip
_RIGHT_PERSON = one_of(
    r"right (?:person|contact)", r"(?:sets|do) the rates",
    r"(?:look after|in charge of|handle|decides on|responsible|set|take care of) (?:the )?(?:rates?|pric)",
    r"are you responsible", r"rates are your area", r"something that you take care", r"speak with you about",
)  # fmt: skip
_REMINDS = one_of(
    r"\bremind", r"feel about my question", r"look at my message", r"checking in", r"follow(?:ing)? up",
    r"have (?:you )?(?:had|been able)", r"heard back", r"still (?:open|waiting|happy)",
    r"whenever you", r"take the time you need", r"no hurry", r"last message", r"any news", r"hear from you", r"hear your thoughts",
    r"have not answered", r"had time", r"had a chance", r"these things take time", r"when you have", r"let me know what you think about",
)  # fmt: skip
_ACCEPTS = one_of(
    r"works for us", r"(?<!can )(?<!could )\b(?:we|i) (?:are happy to |gladly )?(?:accept|take|agree)\b",
    r"accepted\b", r"is fine for us", r"(?:is|are) (?:fine|good)(?: for us)?\. so",  r"gladly take", r"that works",
    r"say yes to", r"we take",
)  # fmt: skip
_CONFIRMS = one_of(
    r"\bconfirm", r"is (?:that|this|everything)(?: all)? (?:right|correct)", r"do (?:we|i) have (?:it right|your agreement)",
    r"correct\?",
    r"your yes", r"clear yes", r"taken? (?:that )?as agreed", r"do you agree\?", r"what you (?:meant|agree)", r"yes\?", r"\bok\?",
    r"okay for you",
)  # fmt: skip
_PROMISES = one_of(
    r"\bguarantee", r"\bpromise", r"\branking", r"top of (?:our|the) list", r"\btraffic", r"\bcompensat", r"sold out", r"more orders",
    r"double your", r"i give you my word", r"\bfirst page",
)  # fmt: skip
_PRESSES = one_of(
    r"last chance", r"\bimmediately\b", r"off our site", r"\bregret it", r"or nothing", r"\bor else\b", r"think twice", r"you must\b",
    r"take your hotel (?:off|down)", r"delist", r"will see what comes",
)  # fmt: skip
_INTERNAL = one_of(
    r"\bticket\b", r"work order", r"target price", r"\bprompt\b", r"price score", r"in (?:the|our) system", r"language model", r"\(move:",
    r"my instructions", r"step one",
)  # fmt: skip
_PRESUMES = one_of(
    r"take it that you agree", r"no reply means", r"silent approval", r"heard nothing", r"as you did not answer", r"i assume"
)
_BRUSQUE = one_of(r"^(?:we want|give me|i need|state|kindly revise|our request:)", r"\bneed your yes", r"give me the person")
_STARTS = one_of(
    r"\bstart", r"\bvalid (?:from|\d)", r"\bfrom \d", r"\bbegin", r"in (?:force|effect)", r"\bas of \d", r"\beffective\b",
    r"\bfirst (?:valid|day|night)", r"\bcommencement", r"\bgo-live", r"\binception", r"\bonward",
    # The first day once more, after the dates of the stay.
    r"(?P<first>\d{1,2} [a-z]{3,9} \d{4}) to .*(?P=first)",
)  # fmt: skip
_CURRENCY = r"(?:[a-z]{3} ?|[$€£¥] ?)?$"


ENGLISH = Cues(
    arguments=_ARGUMENTS,
    topics=_TOPICS,
    greets=_GREETS,
    calms=_CALMS,
    thanks=_THANKS,
    ends=_ENDS,
    hands_over=_HANDS_OVER,
    redirects=_REDIRECTS,
    right_person=_RIGHT_PERSON,
    reminds=_REMINDS,
    accepts=_ACCEPTS,
    confirms=_CONFIRMS,
    promises=_PROMISES,
    presses=_PRESSES,
    internal=_INTERNAL,
    presumes=_PRESUMES,
    brusque=_BRUSQUE,
    starts=_STARTS,
    asks=one_of(r"\?", r"(?:kindly indicate|please advise) whether"),
    names_net=one_of(r"\bnet\b"),
    asks_for_yes=one_of(r"start", r"confirm"),
    kind_before=one_of(rf"\b(?:(?P<net>net)|(?P<selling>selling))(?: (?:price|rate|of|is|would be|at))* {_CURRENCY}"),
    kind_after=one_of(r" ?(?:[a-z]{3} )?(?:(?P<net>net)|(?P<selling>selling))\b"),
    echoed=one_of(rf"\b(?:your|the) {_CURRENCY}"),
)
