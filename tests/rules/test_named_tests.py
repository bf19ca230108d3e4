"""A document that names a test as its proof names one that there is."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = list(ROOT.glob("tests/**/test_*.py"))
NAMED = re.compile(r"([\w/]*\btest_\w+\.py)(?:::(\w+))?")


def named():
    pages = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
    found = {(page, *match) for page in pages for match in NAMED.findall(page.read_text(encoding="utf-8"))}
    return sorted(found)


@pytest.mark.parametrize(("page", "path", "name"), named(), ids=lambda part: getattr(part, "name", part))
def test_a_test_that_a_document_names_is_there(page, path, name):
    files = [file for file in FILES if file.as_posix().endswith("/" + path)]
    assert files, f"{page.name} names {path}"
    assert not name or any(f"def {name}(" in file.read_text(encoding="utf-8") for file in files)


def test_documents_name_tests():
    assert len(named()) > 20
