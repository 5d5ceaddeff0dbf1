"""Any module of the rewards can be the first that is imported."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAM = """
import importlib, sys
names = sys.argv[1:]
importlib.import_module("training.rewards.model.terminal")  # what is not the training's is loaded once
for name in names:
    for loaded in [loaded for loaded in sys.modules if loaded.split(".")[0] == "training"]:
        del sys.modules[loaded]
    try:
        importlib.import_module(name)
    except ImportError as error:
        print(name, error)
"""


def test_that_no_order_of_imports_runs_into_a_cycle() -> None:
    paths = sorted((ROOT / "training" / "rewards").glob("*.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    assert "training.rewards.functions" in names
    done = subprocess.run([sys.executable, "-c", PROGRAM, *names], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
