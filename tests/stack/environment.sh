#!/usr/bin/env bash
# Make .venv hold exactly what requirements.lock names. One clear line when something is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."

stop() { printf 'facestep: %s\n' "$*" >&2; exit 1; }

python=""
for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null || continue
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || stop "Python 3.11, 3.12 or 3.13 is needed; install one (Debian: apt-get install python3 python3-venv) or set PYTHON=/path/to/python3"

if [ ! -x .venv/bin/python ]; then
    echo "· making the Python environment (.venv)"
    "$python" -m venv .venv || stop "python3 -m venv failed; install the venv module (Debian: apt-get install python3-venv)"
fi
if ! .venv/bin/python -c 'import uv' 2>/dev/null; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-bootstrap.lock \
        || stop "uv could not be installed from the package index; check the network or PIP_INDEX_URL, then run the same command again"
fi
echo "· installing the locked packages (about 2 GB on the first run, TensorFlow among them)"
.venv/bin/python -m uv pip sync --python .venv/bin/python --require-hashes requirements.lock \
    || stop "the locked packages could not be installed; check the network and the free disk space (3 GB), then run the same command again"
.venv/bin/python -m uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable . \
    || stop "the project itself could not be installed into .venv"
