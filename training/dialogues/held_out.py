"""Negotiations for the service with hotels that no training meets: held-out personas, who speak held-out phrases, and held-out names.

Decided here: that the number and the seed make hotel, tickets and chances, so that two versions of the policy meet the same hotels, each
on tickets of its own.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from agent.service.batch import Job, simulated_jobs
from agent.service.intake import TicketForm
from agent.simulation import HELD_OUT_PERSONAS
from training.starter import names


def held_out_jobs(*, n: int, seed: int, today: date, own: str) -> Iterator[Job]:
    """``n`` negotiations; ``own`` tells whose they are: the same word takes up the same conversations."""
    for job in simulated_jobs(n=n, seed=seed, today=today):
        yield _held_out(job, own, seed)


def _held_out(job: Job, own: str, seed: int) -> Job:
    rng = random.Random(f"held out:{seed}:{job.number}")
    hotel, site = names.hotel_name(rng, held_out=True), names.booking_site(rng, held_out=True)
    forms: list[TicketForm] = []
    for form in job.forms:
        taken = {other.room_type for other in forms}
        room = next(name for name in iter(lambda: names.room_type(rng, held_out=True), "") if name not in taken)
        evidence = tuple(line.replace(form.hotel, hotel).replace(form.room_type, room) for line in form.evidence)
        source = site if form.competitor_source else None
        changed = {"hotel": hotel, "room_type": room, "evidence": evidence, "competitor_source": source}
        forms.append(form.model_copy(update=changed | {"reference": f"{own}:{form.reference}"}))
    return replace(job, key=f"held-out:{own}:{seed}:{job.number}", forms=tuple(forms), persona=rng.choice(sorted(HELD_OUT_PERSONAS)))
