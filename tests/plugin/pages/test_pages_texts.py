import hashlib
import re
from pathlib import Path

import pytest

from biometric.liveness.steps.window import Hint
from plugin.errors import PUBLIC
from plugin.factors.enrolment import CONSENT_TEXT_VERSION
from plugin.pages.texts import BROWSER_TEXTS, browser_texts

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = sorted((ROOT / "plugin" / "static" / "js").rglob("*.js"))
PAGES = sorted((ROOT / "templates").glob("*.html"))

CONSENT_DIGESTS = {"2026-1": "7ec9590e8d8fe355", "2026-2": "ce086d7f5a3b8672", "2026-3": "701759eef87aa556"}


def test_the_consent_text_cannot_change_without_its_version():
    text = re.sub(r"\s+", " ", (ROOT / "templates" / "consent_text.html").read_text(encoding="utf-8"))
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    assert CONSENT_DIGESTS[CONSENT_TEXT_VERSION] == digest


def test_the_consent_text_says_what_the_law_asks_for():
    text = (ROOT / "templates" / "consent_text.html").read_text(encoding="utf-8")
    for heading in ("What is stored", "Why", "How long", "How to take it back", "If you do not agree"):
        assert heading in text


def test_every_error_code_of_the_scripts_has_a_sentence():
    source = "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    codes = set(re.findall(r"'((?:camera|passkey)_[a-z]+|network|answer_unreadable|too_late)'", source))
    assert {"camera_denied", "passkey_dismissed", "network"} <= codes
    assert {f"error.{code}" for code in codes} - set(BROWSER_TEXTS) == set()


def test_every_text_that_a_script_names_exists():
    source = "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    named = set(re.findall(r"\btext\('([a-z_.]+)'\)", source))
    assert named - set(BROWSER_TEXTS) == set()


@pytest.mark.parametrize(
    "key",
    ["step.centre", "step.turn_left", "step.turn_right", "step.smile", "step.blink_1", "step.blink_2", "step.blink_3"],
)
def test_every_step_of_a_challenge_has_a_sentence(key):
    assert BROWSER_TEXTS[key]


@pytest.mark.parametrize("hint", Hint)
def test_every_hint_says_what_to_do(hint):
    assert BROWSER_TEXTS[f"hint.{hint}"]


def test_there_is_no_sentence_for_a_hint_that_does_not_exist():
    assert {key.removeprefix("hint.") for key in BROWSER_TEXTS if key.startswith("hint.")} == set(Hint)


@pytest.mark.parametrize("key", sorted(BROWSER_TEXTS))
def test_sentences_are_short(key):
    assert len(BROWSER_TEXTS[key]) <= 100


def test_texts_pass_through_the_translation():
    assert browser_texts(str.upper)["step.smile"] == "SMILE"


def test_no_sentence_reveals_how_a_face_was_judged():
    revealing = re.compile(r"score|similar|liveness|match|spoof|threshold|photo of", re.IGNORECASE)
    said = [*BROWSER_TEXTS.values(), *(public.message for public in PUBLIC.values())]
    assert [sentence for sentence in said if revealing.search(sentence)] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages_have_no_inline_script_style_or_handler(path):
    source = path.read_text(encoding="utf-8")
    assert re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", source) is None


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_never_write_html_and_are_checked(path):
    source = path.read_text(encoding="utf-8")
    assert source.startswith("// @ts-check\n")
    assert re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", source) is None
    assert len(source.splitlines()) <= 150
