#!/bin/sh
# Makes or renews the environment: finds a Python that the locks are made for and hands over to install.py. Prints nothing where all is there.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
found=""
for candidate in ${PYTHON:-python3.11 python3 python /usr/bin/python3.11 /usr/bin/python3}; do
    version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    found="$found $candidate=$version"
    [ "$version" = 3.11 ] || continue
    if ! "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
        found="$found(without venv)"
        continue
    fi
    exec "$candidate" "$root/requirements/install.py" "$@"
done
echo "Parley's pinned packages are for Python 3.11 with its venv module. Found here:${found:- no Python at all}." >&2
echo "Install it (on Debian: apt-get install python3.11 python3.11-venv), or name one: make up PYTHON=/path/to/python3.11" >&2
exit 1
