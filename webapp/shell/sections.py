"""Which page draws which place, and under which heading each is found. A heading stands only over what the person may see."""

from collections.abc import Callable, Mapping

from webapp.pages import (
    audit,
    bad_case,
    bad_cases,
    comparison,
    conversations,
    data,
    gold,
    health,
    home,
    negotiation,
    new_rule,
    new_ticket,
    people,
    quality,
    queue,
    queues,
    rate,
    retrain,
    reward_spec,
    run,
    schedule,
    ticket_import,
    tickets,
    training,
    versions,
)
from webapp.shell import places
from webapp.shell.places import Place

SECTIONS: Mapping[str, tuple[tuple[Place, Callable[[], None]], ...]] = {
    "Negotiate": (
        (places.TICKETS, tickets.show),
        (places.CONVERSATIONS, conversations.show),
        (places.NEW_TICKET, new_ticket.show),
        (places.IMPORT, ticket_import.show),
        (places.NEGOTIATION, negotiation.show),
    ),
    "Judge": (
        (places.RATE, rate.show),
        (places.QUALITY, quality.show),
        (places.BAD_CASES, bad_cases.show),
        (places.BAD_CASE, bad_case.show),
        (places.QUEUES, queues.show),
        (places.QUEUE, queue.show),
        (places.GOLD, gold.show),
        (places.DATA, data.show),
    ),
    "Learn": (
        (places.TRAINING, training.show),
        (places.RETRAIN, retrain.show),
        (places.RUN, run.show),
        (places.VERSIONS, versions.show),
        (places.COMPARISON, comparison.show),
        (places.REWARD_SPEC, reward_spec.show),
        (places.NEW_RULE, new_rule.show),
        (places.SCHEDULE, schedule.show),
    ),
    "Watch": (
        (places.HEALTH, health.show),
        (places.AUDIT, audit.show),
        (places.PEOPLE, people.show),
        (places.HOME, home.show),
    ),
}
"""Pages by what people come for."""
