"""Everything that is fetched or built once, before the first server starts: model files and Keycloak itself."""

from __future__ import annotations

import subprocess
import sys

from tests.stack.errors import StackError
from tests.stack.keycloak import prepared_home


def main() -> int:
    models = subprocess.run([sys.executable, "-m", "plugin.cli", "models", "fetch"], check=False)
    if models.returncode:
        return models.returncode
    try:
        prepared_home()
    except StackError as exc:
        print(f"facestep: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
