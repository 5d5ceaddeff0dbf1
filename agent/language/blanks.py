"""Facts are code's business: the model writes ``{net}`` or ``{room}``, and code fills in the amount, the date or the name.

A small model learns to put words together long before it learns to copy a number that it has never met, and a large one may still invent
one. What a reply may name is known without either. (Delexicalisation: Wen et al. 2015, arXiv 1508.01745.) What a model writes out all the
same stays as it is, and is the guard's.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from agent.domain import AllowedMove, TicketFacts, TurnContext, selling_from_net
from agent.language.written import HAN, SIGNS, amount_text, day_text, is_written_in, stay_text
from db.errors import ParleyError
from db.vocabulary import Mood, Speaker

_SITES_ZH = {"the hotel's own site": "贵酒店官网"}
"""What a source that is no name is called in Chinese."""
_LONGEST = 24
"""Characters after which an open brace is no blank any more."""


class UnknownBlank(ParleyError):
    """A text holds a blank that nothing true can be put into in this turn."""


def blanks(context: TurnContext, move: AllowedMove) -> dict[str, str]:
    """What each blank stands for in a reply that makes ``move``; one that has no true value there is not among them."""
    facts = context.fact(move.label)
    language = context.language
    values = {
        "hotel": facts.hotel_name,
        "room": facts.room_type,
        "dates": stay_text(facts.check_in, facts.check_out, language),
        "check_in": day_text(facts.check_in, language),
        "check_out": day_text(facts.check_out, language),
    }
    if move.may_name_prices:
        values |= {name: amount_text(amount, facts.currency, language) for name, amount in _amounts(context, move, facts)}
    if "competitor_price" in values and facts.competitor_source is not None:
        source = facts.competitor_source
        values["competitor_source"] = _SITES_ZH.get(source, source) if language == "zh" else source
        if facts.competitor_seen_on is not None:
            values["seen_on"] = day_text(facts.competitor_seen_on, language)
    told = " ".join(said.text for said in context.history if said.speaker is Speaker.BD)
    untold = next((sentence for sentence in facts.evidence if sentence not in told and is_written_in(sentence, language)), None)
    if untold is not None:
        values["evidence"] = untold
    if context.agreed and move.may_name_prices:
        values["agreed"] = _agreed(context, long=False)
    return values


def _amounts(context: TurnContext, move: AllowedMove, facts: TicketFacts) -> Iterator[tuple[str, Decimal]]:
    yield "current_selling", facts.current_selling
    if move.price is not None:
        yield "net", move.price
        yield "selling", selling_from_net(move.price, facts.commission)
    if facts.competitor_price is not None and facts.competitor_source is not None:
        yield "competitor_price", facts.competitor_price
    heard = context.hotel_move
    if heard is not None and heard.offers and heard.mood is not Mood.ANGRY:
        yield "offer", heard.offers[0].amount


def open_blanks(context: TurnContext) -> tuple[str, ...]:
    """Names of the blanks that some allowed move can fill, in a fixed order; what a prompt offers."""
    return tuple(dict.fromkeys(name for move in context.allowed for name in blanks(context, move)))


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its blanks filled. Raises UnknownBlank for one that has no value."""
    filler = Filler(values)
    return filler.feed(text) + filler.finish()


class Filler:
    """``fill`` for a text that comes in pieces, cut anywhere."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._open = ""
        """An opening brace and what has come after it."""
        self._end = ""
        """The last few characters given out."""

    def feed(self, piece: str) -> str:
        """The words that this piece completes. Raises UnknownBlank."""
        out: list[str] = []
        for character in piece:
            if not self._open:
                if character == "{":
                    self._open = character
                else:
                    out.append(self._given(character))
                continue
            self._open += character
            if character == "}":
                out.append(self._given(self._value(self._open)))
                self._open = ""
            elif len(self._open) > _LONGEST:
                raise UnknownBlank("the text holds a brace that opens no blank")
        return "".join(out)

    def finish(self) -> str:
        """What is left at the end: nothing. Raises UnknownBlank where a blank was cut off."""
        if self._open:
            raise UnknownBlank(f"the text ends within the blank {self._open}")
        return ""

    def _value(self, blank: str) -> str:
        value = self._values.get(blank[1:-1])
        if value is None:
            raise UnknownBlank(f"the text holds {blank}, which nothing true can be put into in this turn")
        # "the {room}" with a room that is called "The Loft".
        return value.removeprefix("The ") if self._end.casefold().endswith("the ") else value

    def _given(self, words: str) -> str:
        self._end = (self._end + words)[-4:]
        return words


def blank_out(text: str, context: TurnContext, move: AllowedMove) -> str:
    """The inverse of ``fill``, for words that people or phrasebooks wrote: amounts, dates and names in any of our forms become blanks."""
    values = blanks(context, move)
    forms: dict[str, str] = {}
    for name in sorted(values, key=_PREFERRED.index):
        for form in _forms(name, values[name], context, context.fact(move.label)):
            forms.setdefault(form, name)
    longest_first = sorted(forms, key=len, reverse=True)
    pattern = re.compile(rf"(?<!{_WORD})(?<!\d[.,])(?:{'|'.join(map(re.escape, longest_first))})(?!{_WORD}|[.,]\d)")
    return pattern.sub(lambda found: f"{{{forms[found[0]]}}}", text)


_WORD = rf"[^\W_{HAN}]"
"""What a value that is a word of its own cannot touch: a letter or digit. Chinese leaves no space between words."""
_PREFERRED = (
    "evidence", "agreed", "net", "selling", "offer", "current_selling", "competitor_price", "competitor_source", "dates", "check_in",
    "check_out", "seen_on", "hotel", "room",
)  # fmt: skip
"""Which blank a value becomes where two have the same."""


def _forms(name: str, value: str, context: TurnContext, facts: TicketFacts) -> Iterator[str]:
    """A value in every form in which our side may have written it: an amount with the sign, a date with the whole month."""
    days = {"check_in": facts.check_in, "check_out": facts.check_out, "seen_on": facts.competitor_seen_on}
    long = value
    if name == "dates":
        long = stay_text(facts.check_in, facts.check_out, context.language, long=True)
    elif name == "agreed":
        long = _agreed(context, long=True)
    elif (day := days.get(name)) is not None:
        long = day_text(day, context.language, long=True)
    sign = SIGNS.get(facts.currency)
    for form in (value, long):
        yield form
        if sign:
            yield form.replace(f"{facts.currency} ", sign)


def _agreed(context: TurnContext, *, long: bool) -> str:
    parts: list[str] = []
    for terms in context.agreed:
        facts = context.fact(terms.label)
        net = amount_text(terms.net, facts.currency, context.language)
        selling = amount_text(selling_from_net(terms.net, facts.commission), facts.currency, context.language)
        stay = stay_text(facts.check_in, facts.check_out, context.language, long=long)
        if context.language == "zh":
            parts.append(f"{facts.room_type}，{stay}，净价{net}（售价{selling}）")
        else:
            parts.append(f"{net} net ({selling} selling) for the {facts.room_type} from {stay}")
    return ("；" if context.language == "zh" else " and ").join(parts)
