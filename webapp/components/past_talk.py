"""A turn of the past as a person judges it: the rooms' public facts, the talk before it, and the reply that was said."""

from html import escape

from agent.domain import Reply, TicketFacts, TurnContext
from db.vocabulary import Speaker
from webapp.components.stages import stage_chip
from webapp.components.words import money, move_words, stay, understood_words


def past_talk_html(context: TurnContext, reply: Reply) -> str:
    """The talk as bubbles, the reply marked as the one that is in question."""
    several = len(context.facts) > 1
    hotel = context.facts[0].hotel_name
    before = "".join(
        _bubble(said.text, "Us" if said.speaker is Speaker.BD else hotel, ours=said.speaker is Speaker.BD) for said in context.history
    )
    heard = (
        f'<div class="p-divider"><span>Understood: {escape(understood_words(context.hotel_move))}</span></div>'
        if context.hotel_move
        else ""
    )
    words = escape(move_words(reply.move, several=several))
    asked = (
        '<div class="p-row p-us"><div class="p-bubble" style="outline:2px solid var(--p-bad)">'
        f'<div class="p-head"><b>The reply in question</b><span>{words}</span></div>'
        f'<div class="p-text">{escape(reply.text)}</div>'
        f'<div class="p-foot">{stage_chip(context.stage)}</div></div></div>'
    )
    return f'<div class="p-chat" role="log" aria-label="Conversation">{before}{heard}{asked}</div>'


def rooms_html(context: TurnContext) -> str:
    """The rooms, each as a small card."""
    several = len(context.facts) > 1
    return "".join(_room(facts, several=several) for facts in context.facts)


def _bubble(text: str, who: str, *, ours: bool) -> str:
    body = f'<div class="p-text">{escape(text)}</div>' if text.strip() else '<div class="p-text p-silent">No answer</div>'
    return (
        f'<div class="p-row {"p-us" if ours else "p-them"}"><div class="p-bubble">'
        f'<div class="p-head"><b>{escape(who)}</b></div>{body}</div></div>'
    )


def _room(facts: TicketFacts, *, several: bool) -> str:
    number = f'<span class="p-number">{facts.label}</span>' if several else ""
    elsewhere = (
        f"<dt>Found at</dt><dd>{escape(money(facts.competitor_price, facts.currency))}"
        f"<small>{escape(facts.competitor_source or '')}</small></dd>"
        if facts.competitor_price is not None
        else ""
    )
    return (
        f'<section class="p-card"><header>{number}<h4>{escape(facts.room_type)}</h4></header>'
        f'<p class="p-sub">{escape(facts.hotel_name)} · {escape(stay(facts.check_in, facts.check_out))}</p>'
        f"<dl><dt>Net today</dt><dd>{escape(money(facts.current_net, facts.currency))}</dd>"
        f"<dt>Selling today</dt><dd>{escape(money(facts.current_selling, facts.currency))}</dd>{elsewhere}</dl></section>"
    )
