"""A Chromium for the browser tests: the machine's own, or one that is put where it is missing (``python -m tests.chromium``).

As root on Debian it is installed like any package. An ordinary user gets the same packages unpacked under the environment's folder, with
private package lists, so that nothing outside the project changes. Prints the path of the executable.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

UNPACKED = Path(sys.prefix) / "chromium"
_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

_LAUNCHER = """#!/bin/sh
# Runs the Chromium unpacked in this folder with the libraries and fonts unpacked beside it.
here="{root}"
libraries="$here/usr/lib/{triplet}"
export LD_LIBRARY_PATH="$libraries:$libraries/pulseaudio:$here/lib/{triplet}:$here/usr/lib/chromium:$LD_LIBRARY_PATH"
export FONTCONFIG_FILE="{fonts}"
export XDG_DATA_DIRS="$here/usr/share:/usr/local/share:/usr/share"
exec "$here/usr/lib/chromium/chromium" "$@"
"""

_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><dir>/usr/share/fonts</dir><dir>{root}/usr/share/fonts</dir><cachedir>{folder}/fontcache</cachedir></fontconfig>
"""


class NoChromium(Exception):
    """No browser is there and none can be put there; says what to do."""


def find() -> Path:
    """The executable: ``PARLEY_CHROMIUM``, one on the PATH, or the unpacked one.

    Raises:
        NoChromium: if there is none.
    """
    named = os.environ.get("PARLEY_CHROMIUM")
    if named is not None:
        if not os.access(named, os.X_OK):
            raise NoChromium(f"PARLEY_CHROMIUM names {named}, which cannot be executed.")
        return Path(named)
    for name in _NAMES:
        found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/bin:/usr/local/bin")
        if found is not None:
            return Path(found)
    launcher = UNPACKED / "chromium"
    if launcher.exists():
        return launcher
    raise NoChromium("No Chromium here: run `python -m tests.chromium`, or name one in PARLEY_CHROMIUM.")


def ensure() -> Path:
    """``find``, after putting one there where none is."""
    try:
        return find()
    except NoChromium:
        if "PARLEY_CHROMIUM" in os.environ:
            raise
    if shutil.which("apt-get") is None:
        raise NoChromium("This machine has no Chromium and no apt-get: install Chromium and name it in PARLEY_CHROMIUM.")
    if os.geteuid() == 0:
        _run("apt-get", "update", "-q")
        _run("apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium", "fonts-liberation", "fonts-noto-cjk")
    else:
        _unpack()
    return find()


def _unpack() -> None:
    """Download Chromium and what the machine lacks of its dependencies, and unpack them without installing."""
    shutil.rmtree(UNPACKED, ignore_errors=True)
    root = UNPACKED / "root"
    root.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="parley-apt-") as made:
        apt = Path(made)
        for folder in ("state/lists/partial", "cache/archives/partial", "log"):
            (apt / folder).mkdir(parents=True)
        options = [
            f"Dir::State={apt}/state",
            f"Dir::State::lists={apt}/state/lists",
            "Dir::State::status=/var/lib/dpkg/status",
            f"Dir::Cache={apt}/cache",
            f"Dir::Log={apt}/log",
            "Debug::NoLocking=1",
            "APT::Sandbox::User=",
        ]
        flags = [part for option in options for part in ("-o", option)]
        _run("apt-get", *flags, "update", "-q")
        _run(
            "apt-get",
            *flags,
            "install",
            "-q",
            "-y",
            "--no-install-recommends",
            "--download-only",
            "chromium",
            "fonts-liberation",
            "fonts-noto-cjk",
        )
        for package in sorted((apt / "cache" / "archives").glob("*.deb")):
            _run("dpkg", "-x", str(package), str(root))
    fonts = UNPACKED / "fonts.conf"
    fonts.write_text(_FONTS.format(root=root, folder=UNPACKED))
    launcher = UNPACKED / "chromium"
    launcher.write_text(_LAUNCHER.format(root=root, triplet=_triplet(root), fonts=fonts))
    launcher.chmod(0o755)
    _run(str(launcher), "--version")


def _triplet(root: Path) -> str:
    """Debian's name of the architecture's library folder, for example ``x86_64-linux-gnu``."""
    return next((folder.name for folder in sorted((root / "usr" / "lib").glob("*-linux-gnu*"))), f"{os.uname().machine}-linux-gnu")


def _run(*command: str) -> None:
    """Run with its output on our standard error, so that standard output carries the path alone."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, stdout=sys.stderr, stderr=sys.stderr, stdin=subprocess.DEVNULL, env=environment, check=False)
    if done.returncode != 0:
        raise NoChromium(f"`{' '.join(command)}` failed ({done.returncode}): install Chromium yourself and name it in PARLEY_CHROMIUM.")


if __name__ == "__main__":
    try:
        print(ensure())
    except NoChromium as error:
        sys.exit(str(error))
