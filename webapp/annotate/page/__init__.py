"""The page's own scripts and styles: plain ES modules that the browser loads as they are."""

from pathlib import Path

FOLDER = Path(__file__).parent
