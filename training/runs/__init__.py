"""Training runs: checked first, trained in a process of their own, watched, recorded, reported, and resumed to the same result.

``checks`` turns what somebody asks for into a ``Plan``, ``supervising`` trains it, ``terminal`` shows that. Only the training process
(``process``, ``work``, ``samples``) loads torch: whoever supervises a run stays small and may be forked.
"""

from training.runs.checks import Request, check, recheck
from training.runs.errors import RunBusy, RunRefused
from training.runs.plan import Plan
from training.runs.status import Status
from training.runs.supervising import supervise

__all__ = ["Plan", "Request", "RunBusy", "RunRefused", "Status", "check", "recheck", "supervise"]
