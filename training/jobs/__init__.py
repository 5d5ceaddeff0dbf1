"""Retrains: from the wish for better weights, by a person or a schedule, to a canary under live traffic, by itself.

``requests`` writes the wish as a row, ``schedules`` and ``tick`` do so at the right moment; ``work`` takes a row under a lease and carries
its steps out (``chain``); ``app`` and ``tasks`` are the Celery side, which only carries the wish to run: Postgres is the truth. Nothing
here loads torch but ``step``, a process of its own; so nothing is imported here.
"""
