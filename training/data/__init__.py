"""Examples to learn from: judgements become rows in TRL's formats, and files of them go out and come in.

``export_examples(sessions, folder)`` and ``import_examples(sessions, path)`` are what the page and the command line call.
"""

from training.data.columns import Format
from training.data.export import Chosen, Exported, ExportRefused, export_examples
from training.data.filing import Filing
from training.data.importing import Imported, RowError, import_examples, template_csv
from training.data.reading import FileUnreadable

__all__ = [
    "Chosen",
    "ExportRefused",
    "Exported",
    "FileUnreadable",
    "Filing",
    "Format",
    "Imported",
    "RowError",
    "export_examples",
    "import_examples",
    "template_csv",
]
