"""The environment of TRL's last PPO trainer, beside Parley's own: made once, in the cache folder of the person who runs the benchmark.

Release 1.12.0 is the last with ``trl.experimental.ppo``. It works with the libraries that Parley pins, so only TRL itself is installed
there; everything else is looked up in the environment that runs this.
"""

import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

from platformdirs import user_cache_path

from db.errors import ParleyError

TRL = "1.12.0"
_WHEEL = "9c8f117b21a941edbc85744f5a341c9453d38e81f24ae81d3c6e9b9ca3b96409"
_STAMP = "made-from"


class EnvironmentMissing(ParleyError):
    """TRL's last PPO trainer could not be installed."""


def folder() -> Path:
    """Where it is, or will be."""
    return user_cache_path("parley") / "benchmarks" / f"trl-{TRL}"


def ready(where: Path) -> bool:
    """Whether it stands there, on top of the environment that runs this."""
    stamp = where / _STAMP
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == _lower()


def python(where: Path) -> Path:
    """Its interpreter."""
    return where / "bin" / "python"


def make(where: Path) -> Path:
    """Make it unless it is there; its interpreter. Says on standard error what it does.

    Raises EnvironmentMissing if TRL cannot be had.
    """
    if ready(where):
        return python(where)
    print(f"Installing TRL {TRL}, the last with PPO, into {where}", file=sys.stderr, flush=True)
    where.parent.mkdir(parents=True, exist_ok=True)
    venv.create(where, symlinks=True, clear=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
        wanted.write(f"trl=={TRL} --hash=sha256:{_WHEEL}\n")
        wanted.flush()
        pip = [sys.executable, "-m", "pip", "--python", str(python(where)), "--disable-pip-version-check", "--no-input", "--quiet"]
        done = subprocess.run(
            [*pip, "install", "--no-deps", "--require-hashes", "-r", wanted.name], capture_output=True, text=True, check=False
        )
    if done.returncode != 0:
        raise EnvironmentMissing(
            f"TRL {TRL} could not be installed into {where}: {done.stderr.strip().splitlines()[-1]}. Look at pip's index settings, "
            "or leave its PPO out (--only)."
        )
    site = where / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    (site / "parley.pth").write_text(_lower() + "\n", encoding="utf-8")
    (where / _STAMP).write_text(_lower(), encoding="utf-8")
    return python(where)


def _lower() -> str:
    """The packages that it stands on."""
    return sysconfig.get_paths()["purelib"]
