"""Text that others wrote, made fit to store, to show and to keep."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.core.text import REDACTED, excerpt, printable, redact, shorten, storable

KEY_BLOCK = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----"

SECRETS = [
    ("ANTHROPIC_API_KEY=sk-ant-api03-Ab_c-dEf0123", f"ANTHROPIC_API_KEY={REDACTED}"),
    ("use sk-ant-oat01-fake0000 here", f"use {REDACTED} here"),
    ("sk-proj-0123456789abcdef", REDACTED),
    (
        "remote https://ghp_0123456789abcdefABCD@github.com/a/b",
        f"remote https://{REDACTED}@github.com/a/b",
    ),
    ("github_pat_11ABCDEFG0123456789_abc", REDACTED),
    ("glpat-0123456789abcdefABCD", REDACTED),
    ("id AKIAIOSFODNN7EXAMPLE.", f"id {REDACTED}."),
    ("xoxb-1234567890-abcdefghij", REDACTED),
    ("AIzaSyA-0123456789_0123456789-abcdefghi", REDACTED),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", REDACTED),
    ("Authorization: Bearer abc.DEF-123_456", f"Authorization: Bearer {REDACTED}"),
    ("postgresql://acd:s3cr3t@db:5432/acd", f"postgresql://acd:{REDACTED}@db:5432/acd"),
    ("redis://:s3cr3t@cache", f"redis://:{REDACTED}@cache"),
    ("host=db password=s3cr3t user=acd", f"host=db password={REDACTED} user=acd"),
    ('{"password": "s3cr3t"}', f'{{"password": "{REDACTED}"}}'),
    ('{\\"DB_PASSWORD\\": \\"s3cr3t\\"}', f'{{\\"DB_PASSWORD\\": \\"{REDACTED}\\"}}'),
    ("export MY_SECRET_V2=hunter22; ls", f"export MY_SECRET_V2={REDACTED}; ls"),
    (f"a\n{KEY_BLOCK}\nb", f"a\n{REDACTED}\nb"),
    ("a\n-----BEGIN PRIVATE KEY-----\nMIIEow", f"a\n{REDACTED}"),
]

HARMLESS = [
    "git add -A && git commit -q -m 'add hello'",
    "http://localhost:8080/a@b",
    "ssh://git@github.com:a/b.git",
    "max_tokens = 100000",
    "token = get_token()",
    "TOKEN=$(cat token.txt)",
    "task-force risk-averse disk-space",
    "the bearer of news",
    "password:",
]


@pytest.mark.parametrize(("text", "expected"), SECRETS)
def test_a_secret_is_redacted_and_its_surroundings_stay(text: str, expected: str) -> None:
    assert redact(text) == expected
    assert redact(expected) == expected


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "sk-" * 300_000,
        "-----BEGIN PRIVATE KEY-----" * 40_000,
        "://" + "a:" * 500_000,
        "PASSWORD" * 120_000,
        "eyJ" + "a" * 1_000_000,
    ],
)
def test_redaction_takes_time_in_proportion_to_the_text(text: str) -> None:
    begun = time.process_time()
    redact(text)
    assert time.process_time() - begun < 5  # quadratic would be hours


def test_storable_replaces_only_what_postgresql_refuses() -> None:
    assert storable("a\0b\ud83dc") == "a\ufffdb\ufffdc"
    assert storable("tab\tnewline\n\x1b[0m \U0001f600") == "tab\tnewline\n\x1b[0m \U0001f600"


@given(st.text(st.characters(codec=None)))
@settings(deadline=None)
def test_storable_text_is_utf8_without_nul(text: str) -> None:
    assert "\0" not in storable(text)
    assert storable(text).encode().decode() == storable(text)
    assert len(storable(text)) == len(text)


@given(st.text(st.characters(codec=None)))
@settings(deadline=None)
def test_printable_text_holds_no_control_character(text: str) -> None:
    shown = printable(text)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", shown)
    assert shown.encode().decode() == shown


def test_printable_escapes_readably() -> None:
    assert printable("a\x1b[31m\n\u202eb\x9b") == "a\\x1b[31m\\n\\u202eb\\x9b"
    assert printable("Grüße 😀") == "Grüße 😀"


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("abcd", 1, "…"), ("", 0, "")],
)
def test_shorten(text: str, limit: int, expected: str) -> None:
    assert shorten(text, limit) == expected


def test_an_excerpt_never_shows_half_a_secret() -> None:
    secret = "sk-ant-api03-" + "Q" * 60
    for padding in range(0, 120):
        assert "QQ" not in excerpt("x " * padding + secret + " tail", 100)


@given(st.text(), st.integers(1, 600))
@settings(deadline=None)
def test_an_excerpt_keeps_to_its_limit(text: str, limit: int) -> None:
    assert len(excerpt(text, limit)) <= limit
