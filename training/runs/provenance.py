"""What code a run was made by: versions of the packages that can change its result, and the revision of the repository."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("parley", "torch", "transformers", "trl", "peft", "accelerate", "tokenizers", "safetensors", "datasets", "numpy")
_ROOT = Path(__file__).resolve().parents[2]


def versions() -> dict[str, str]:
    """Of those that are installed."""
    found = {"python": sys.version.split()[0]}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_revision(root: Path = _ROOT) -> str | None:
    """Of the repository that this code stands in, with ``+`` where code has been changed since; None where it stands in none."""
    if not (root / ".git").exists():
        return None
    try:
        revision = _git(root, "rev-parse", "HEAD")
        return revision + ("+" if _git(root, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, timeout=20).stdout.strip()
