"""``python -m parley``."""

from parley import main

main()
