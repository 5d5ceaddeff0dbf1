#!/bin/sh
# Resolves cpu.lock and gpu.lock again: `make lock`. Pins that still fit are kept; `make lock UPGRADE=--upgrade` renews them all.
set -eu
cd "$(dirname "$0")/.."
python=${1:?the python to make an environment with}
uv_version=0.13.9

trap "rm -rf .venv/lock" EXIT
"$python" -m venv .venv/lock
.venv/lock/bin/python -m pip install --quiet "uv==$uv_version"

resolve() {
    # No header, no annotations and no indexes: the files must read the same wherever they were made.
    .venv/lock/bin/uv pip compile --quiet ${UPGRADE:-} --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
        --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links "$@"
}

# The CPU build of torch comes from where this machine's pip finds such wheels; where it finds none, from PyTorch's own index.
links=$(.venv/lock/bin/python -m pip config get global.find-links 2>/dev/null || echo "${PIP_FIND_LINKS:-}")
resolve requirements/cpu.in requirements/dev.in --override requirements/overrides.txt ${links:+--find-links "$links"} -o requirements/cpu.lock ||
    resolve requirements/cpu.in requirements/dev.in --override requirements/overrides.txt --index https://download.pytorch.org/whl/cpu --index-strategy unsafe-best-match -o requirements/cpu.lock
resolve requirements/gpu.in requirements/dev.in -o requirements/gpu.lock
