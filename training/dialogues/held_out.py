"""Negotiations for the service with the held-out hotels of ``training.dialogues.hotels``: the same ones, with their numbers and their seed.

Two versions of the policy meet the same hotels, each on tickets of its own.
"""

from collections.abc import Iterator

from agent.service.batch import Job, form_of
from training.dialogues.hotels import meet


def held_out_jobs(*, n: int, seed: int, own: str, chinese: float = 0.0) -> Iterator[Job]:
    """``n`` negotiations, so large a share of them in Chinese.

    ``own`` tells whose they are: the same word takes up the same conversations.
    """
    for number in range(1, n + 1):
        meeting = meet(number, seed, held_out=True, chinese=chinese)
        # A number that is Chinese in one share and English in another is two negotiations.
        mark = own if meeting.language == "en" else f"{own}:{meeting.language}"
        yield Job(
            number=number,
            key=f"held-out:{mark}:{seed}:{number}",
            forms=tuple(form_of(facts, mandate, f"{mark}:SIM-{seed}-{number}-{facts.label}") for facts, mandate in meeting.tickets),
            persona=meeting.profile.persona,
            language=meeting.language,
        )
