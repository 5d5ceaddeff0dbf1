"""Names are code's business: a draft that calls the room, the hotel or the currency by a wrong name is put right before it is judged.

A small model learns to copy numbers long before it learns to copy names that it has never met. Which room, hotel, currency and booking
site a reply is about is known without it, so what it writes in their place is taken for a slot and filled from the facts. Nothing else is
touched: a wrong number, date or promise stays as it is and is the guard's.
"""

from agent.domain import Reply, TurnContext, plain
from agent.guardrails.names import Thing, misnomers


def grounded(context: TurnContext, reply: Reply) -> Reply:
    """The reply with every wrong name replaced by that of the ticket which the move is about."""
    facts = context.fact(reply.move.label)
    text = reply.text
    for wrong in reversed(misnomers(context, reply)):
        match wrong.thing:
            case Thing.CURRENCY if wrong.amount is not None:
                right = f"{facts.currency} {plain(wrong.amount)}"
            case Thing.ROOM:
                right = facts.room_type
            case Thing.HOTEL:
                right = facts.hotel_name
            case Thing.SOURCE if facts.competitor_source is not None:
                right = facts.competitor_source
            case _:
                continue
        before = text[: wrong.start]
        if before.lower().endswith("the ") and right.startswith("The "):
            right = right.removeprefix("The ")
        text = before + right + text[wrong.end :]
    return Reply(move=reply.move, text=text)
