"""The one base of every error that Parley raises on purpose.

A subclass exists for each thing that a caller can act on, and lives in the room that raises it. The message names the value that was
wrong and what to do about it.
"""


class ParleyError(Exception):
    """Anything a caller may show to a person as it is: a sentence with the value and the mend."""
