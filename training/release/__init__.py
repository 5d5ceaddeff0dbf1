"""From an adapter that was trained to one that answers hotels: is it whole, is it better, how it goes out, and how it comes back.

What measures (``evaluation``, ``gate``, ``wholeness``) loads torch; what moves versions (``fleet``, ``publishing``, ``traffic``, ``watch``,
``ab``) does not, and is imported by workers and pages. So nothing is imported here.
"""
