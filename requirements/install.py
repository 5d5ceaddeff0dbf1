"""Makes the environment ``.venv`` from a lock file, only where it is not there yet: ``install.sh [LOCK]`` finds a Python and runs this.

Nothing but the standard library is used. Every file is checked against the lock's hashes, and nothing is installed that the lock does not
name, because the CPU build of vLLM asks for packages that break it. A stamp in the environment says which lock it was made from.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
STAMP = ENVIRONMENT / "parley-lock"
PYTORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# Plain imports pass where torchvision's CUDA build broke transformers; importing a model class does not.
SMOKE_TEST = "from transformers import Qwen3ForCausalLM; import vllm"


def main() -> None:
    """Install what ``sys.argv[1]`` (default ``requirements/cpu.lock``) pins, and Parley itself."""
    lock = (Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "requirements" / "cpu.lock").resolve()
    if not lock.is_file():
        sys.exit(f"There is no lock file {lock}.")
    # The place belongs to it: an environment that was moved does not work.
    packages = _digest(lock.read_bytes(), str(ROOT).encode())
    project = _digest((ROOT / "pyproject.toml").read_bytes())
    present = STAMP.read_text().split() if STAMP.exists() else []
    if present == [packages, project]:
        return
    started = time.monotonic()
    if present[:1] != [packages]:
        make_environment(lock, anew=bool(present))
    if not pip("install", "--no-deps", "--no-build-isolation", "-e", str(ROOT)):
        sys.exit("Parley itself could not be installed; pip's last lines above say why.")
    STAMP.write_text(f"{packages} {project}\n")
    say(f"The environment is ready ({time.monotonic() - started:.0f} s)")


def make_environment(lock: Path, *, anew: bool) -> None:
    """All packages of the lock; ``anew``: not over what an older lock left, because pip does not remove what is no longer named."""
    if anew or not _usable():
        say(f"Making the environment in {ENVIRONMENT}")
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        venv.create(ENVIRONMENT, symlinks=True, with_pip=True)
    install_torch(lock)
    install_packages(lock)
    say("Compiling them, so that every start is fast")
    # On all cores, where pip would use one; files that are no Python for people to run (templates) are passed over in silence.
    packages = ENVIRONMENT / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    subprocess.run([PYTHON, "-m", "compileall", "-qq", "-j", "0", str(packages)], env=_environment(), check=False)
    say("Trying it")
    if subprocess.run([PYTHON, "-W", "ignore", "-c", SMOKE_TEST], cwd=ROOT, env=_environment(), check=False).returncode != 0:
        sys.exit(f"The environment does not work: `{SMOKE_TEST}` fails (see above). Remove {ENVIRONMENT} and run the same command again.")


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def install_torch(lock: Path) -> None:
    """The CPU build of torch is not on the usual index: take it from where this machine's pip finds it, else from PyTorch's own."""
    pinned = re.search(r"^torch==\S+\+cpu(?: \\\n +--hash=\S+)+", lock.read_text(), re.MULTILINE)
    if pinned is None:
        return  # a GPU lock, whose torch is the usual one
    say("Installing torch for the CPU")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as alone:
        alone.write(pinned.group() + "\n")
        alone.flush()
        arguments = ["install", "--no-deps", "--no-compile", "--require-hashes", "-r", alone.name]
        if pip(*arguments, quiet=True):
            return
        say(f"This machine's pip finds no CPU build; trying {PYTORCH_CPU_INDEX}")
        if not pip(*arguments, "--extra-index-url", PYTORCH_CPU_INDEX):
            name = pinned.group().split()[0]
            sys.exit(
                f"{name} could not be had: this machine's pip does not find it, nor could it be fetched from {PYTORCH_CPU_INDEX}. "
                "Put the wheel into a folder and name that in PIP_FIND_LINKS, then run the same command again."
            )


def install_packages(lock: Path) -> None:
    """Everything else, with a count of what has been fetched."""
    total = len(re.findall(r"^[\w.-]+(?:\[[^\]]*\])?==", lock.read_text(), re.MULTILINE))
    say(f"Installing {total} packages from {lock.name}: a few minutes on the first time")
    command = _pip("install", "--no-deps", "--no-compile", "--require-hashes", "--progress-bar", "off", "-r", str(lock))
    last: list[str] = []
    fetched = 0
    with subprocess.Popen(command, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        assert running.stdout is not None
        for line in running.stdout:
            last = [*last[-20:], line]
            if line.startswith(("Collecting ", "Requirement already satisfied: ")):
                fetched += 1
                _count(f"  {fetched} of {total} fetched", every=50, number=fetched)
            elif line.startswith("Installing collected packages"):
                _count(f"  unpacking {total} packages", every=1, number=1)
    if sys.stdout.isatty():
        print()
    if running.returncode != 0:
        print("".join(last), file=sys.stderr)
        sys.exit("Not everything could be installed; pip's last lines above say why. Run the same command again to go on.")


def _count(text: str, *, every: int, number: int) -> None:
    """On a terminal one line that changes, elsewhere now and then a line."""
    if sys.stdout.isatty():
        print(f"\r{text:<40}", end="", flush=True)
    elif number % every == 0:
        print(text, flush=True)


def pip(*arguments: str, quiet: bool = False) -> bool:
    """Run the environment's pip; true if it succeeded."""
    command = _pip("--quiet", *arguments)
    return subprocess.run(command, env=_environment(), check=False, stderr=subprocess.DEVNULL if quiet else None).returncode == 0


def _pip(*arguments: str) -> list[str]:
    return [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]


def _environment() -> dict[str, str]:
    """Our own, without what would send Python to other packages, and with leave to write bytecode: starts are twice as slow without it."""
    return {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE"}}


def _usable() -> bool:
    return PYTHON.exists() and subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0


def say(text: str) -> None:
    """A line of progress."""
    print(f"· {text}", flush=True)


if __name__ == "__main__":
    main()
