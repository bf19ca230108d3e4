"""House rules that a linter does not know: imports, lengths, words, and what never enters the repository."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures_cache import picture_path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = sorted(path for package in ("plugin", "biometric", "vault") for path in (ROOT / package).rglob("*.py"))
MIGRATIONS = ROOT / "plugin" / "store" / "migrations"


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def importers(library: str) -> set[str]:
    return {str(path.relative_to(ROOT)) for path in PRODUCT if library in imports_of(path)}


def test_packages_import_each_other_in_one_direction():
    words = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout
    assert " 0 broken" in done.stdout


def test_flask_stays_in_the_web_layer():
    allowed = (
        "plugin/app.py",
        "plugin/doors/",
        "plugin/pages/",
        "plugin/api/",
        "plugin/web/",
        "plugin/commands/serve.py",
        "plugin/commands/key_service.py",
        "plugin/encrypted/",
    )
    assert [name for name in importers("flask") if not name.startswith(allowed)] == []


def test_hvac_is_spoken_in_one_file():
    assert importers("hvac") <= {"vault/transit_http.py"}


def test_tenseal_is_spoken_in_one_file():
    assert importers("tenseal") <= {"vault/he.py"}


def test_tensorflow_only_converts_trains_and_attacks():
    may = (
        *("biometric/convert", "biometric/training/net.py", "biometric/evaluation/adversarial"),
        "plugin/commands/gradients.py",
    )
    assert [path for path in importers("tensorflow") if not path.startswith(may)] == []


def test_no_pickle_anywhere():
    assert importers("pickle") == set()


def test_the_environment_is_read_in_one_file():
    readers = {
        str(path.relative_to(ROOT))
        for path in PRODUCT
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text(encoding="utf-8"))
    }
    assert readers <= {"plugin/settings.py"}


JUDGE_A_PICTURE = """
import sys
from pathlib import Path

import cv2

import plugin.app, plugin.wiring, plugin.commands.serve
from biometric.compare import compare
from biometric.pipeline import FacePipeline

pipeline = FacePipeline.open(Path(sys.argv[1]))
face = pipeline.still(cv2.imread(sys.argv[2])).embeddings
print(compare(face, face, calibration=pipeline.calibration).match)
print(sorted(name for name in sys.modules if name.split(".")[0] in {"tensorflow", "tensorboard", "keras"}))
"""


@pytest.mark.models
def test_serving_does_not_import_tensorflow():
    models = Path(os.environ.get("FACESTEP_MODELS_DIR", "~/.cache/facestep/models")).expanduser()
    command = [sys.executable, "-c", JUDGE_A_PICTURE, str(models), str(picture_path("person_b_1"))]
    seen = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert seen.splitlines() == ["True", "[]"]


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_short(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and MIGRATIONS not in path.parents:
            documented = ast.get_docstring(node, clean=False)
            length = (node.end_lineno or node.lineno) - node.lineno + 1 - len((documented or "").splitlines())
            assert length <= 40, f"{node.name} has {length} lines without its docstring"


def test_an_enrolled_face_is_never_called_a_template():
    misuse = re.compile(r"(face|biometric|enrolled|reference)[ _]templates?\b", re.IGNORECASE)
    where = [str(path.relative_to(ROOT)) for path in PRODUCT if misuse.search(path.read_text(encoding="utf-8"))]
    assert where == []


def test_no_pictures_of_people_and_no_large_files_are_tracked():
    large = [str(path.relative_to(ROOT)) for path in tracked() if path.stat().st_size > 3_000_000]
    photos = [
        str(p.relative_to(ROOT)) for p in tracked() if p.suffix.lower() in {".jpg", ".jpeg", ".mp4", ".y4m", ".npz"}
    ]
    assert (large, photos) == ([], [])


def test_no_address_of_a_package_registry_is_tracked():
    hosts = re.compile(
        "|".join(("pypi" + r"\.org", "python" + "hosted", "npm" + r"js\.(org|com)", r"repo1?\.maven" + r"\."))
    )
    binary = {".png", ".ico", ".woff2", ".tflite", ".onnx"}
    found = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.suffix not in binary and hosts.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []
