"""How good people's judgements are: agreement, drift, known answers, and how far each person is to be trusted.

Pure functions over the rows of ``db.repositories.rating_figures``; simulated judgements are never mixed with people's.
"""

from training.quality.report import Rater, Report, make_report, read_report
from training.quality.trust import trust_weights

__all__ = ["Rater", "Report", "make_report", "read_report", "trust_weights"]
