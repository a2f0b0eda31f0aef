"""Text that others wrote: made fit to store, to show and to keep (`security.md`, point 6). Pure functions."""

from __future__ import annotations

import re

REDACTED = "[redacted]"

# PostgreSQL's text takes neither NUL nor half a surrogate pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

# Controls (C0, DEL, C1), line separators, marks that change the direction of writing, halves of surrogate pairs.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)

_ASSIGNED = r"""\\?["']?\s{0,3}[=:]\s{0,3}\\?["']?"""
_VALUE = r"""[^\s"'\\,;&|$(){}<>\[\]]{4,}"""
_VARIABLE = (
    r"(?:SECRET|TOKEN|PASSWORD|PASSWD|API_?KEY|ACCESS_KEY|PRIVATE_KEY|AUTH_KEY)[A-Z0-9_]{0,40}"
)
_WORD = r"\b(?:[Pp]assword|[Pp]asswd|pwd)"

# What a secret looks like: (a part of text without which it cannot be there, pattern of what precedes it and is kept,
# pattern of the secret). The part is looked for first: nearly all text has none, and that search is fast.
_FORMS = (
    ("sk-", "", r"\bsk-[A-Za-z0-9_-]{8,}"),  # Anthropic, OpenAI and their like
    ("gh", "", r"gh[pousr]_[A-Za-z0-9]{16,}"),
    ("github_pat_", "", r"github_pat_\w{16,}"),
    ("glpat-", "", r"glpat-[\w-]{16,}"),
    ("AKIA", "", r"AKIA[A-Z0-9]{12,}"),  # AWS
    ("ASIA", "", r"ASIA[A-Z0-9]{12,}"),  # AWS, temporary
    ("AIza", "", r"AIza[\w-]{30,}"),  # Google
    ("xox", "", r"xox[a-z]-[A-Za-z0-9-]{8,}"),  # Slack
    ("eyJ", "", r"eyJ[\w-]{8,}\.eyJ[\w-]{4,}(?:\.[\w-]*)?"),  # JSON Web Token
    ("earer ", r"[Bb]earer ", r"[A-Za-z0-9._~+/=-]{8,}"),
    ("BEARER ", r"BEARER ", r"[A-Za-z0-9._~+/=-]{8,}"),
    ("://", r"""://[^\s:/@"'<>]{0,100}:""", r"""[^\s/@"'<>]{1,256}(?=@)"""),
    (
        "KEY-----",
        "",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)",
    ),
    ("SECRET", _VARIABLE + _ASSIGNED, _VALUE),
    ("TOKEN", _VARIABLE + _ASSIGNED, _VALUE),
    ("PASSW", _VARIABLE + _ASSIGNED, _VALUE),
    ("KEY", _VARIABLE + _ASSIGNED, _VALUE),
    ("assw", _WORD + _ASSIGNED, _VALUE),
    ("pwd", _WORD + _ASSIGNED, _VALUE),
)
# A search for one character is faster still: that of a part's characters which text has least.
_RARE_FIRST = "JQZXKWYVBCGPDUHERTNIASjqzxk_-:wgyp"
_SECRETS = tuple(
    (
        min(part, key=f"{_RARE_FIRST}{part}".find),
        part,
        re.compile(f"({kept})(?:{secret})", re.DOTALL),
    )
    for part, kept, secret in _FORMS
)

# A secret whose beginning is shown is known as one by this many characters after it (a password in a URL: by the `@`).
_MARGIN = 512


def storable(text: str) -> str:
    """`text` with what PostgreSQL cannot store (NUL, lone surrogates) replaced by U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text
    return _UNSTORABLE.sub("\ufffd", text)


def shorten(text: str, limit: int) -> str:
    """`text` cut to at most `limit` characters; a cut shows as an ellipsis, which is counted."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"


def printable(text: str) -> str:
    r"""`text` on one line with every control character escaped (`\x1b`, `\n`): safe for terminals and logs."""
    return _UNPRINTABLE.sub(lambda m: m.group().encode("unicode_escape").decode("ascii"), text)


def redact(text: str) -> str:
    """`text` with secrets replaced by `[redacted]`.

    Known forms only: API keys (`sk-…`, `ghp_…`, `AKIA…`, `xox…`, …), bearer tokens, passwords in URLs and DSNs,
    values of variables named like secrets (`…_TOKEN=`, `PASSWORD: `), JSON Web Tokens, PEM private keys (one
    that is cut off, too). A secret without such a form stays.
    """
    for character, part, pattern in _SECRETS:
        if character in text and part in text:
            text = pattern.sub(rf"\1{REDACTED}", text)
    return text


def excerpt(text: str, limit: int) -> str:
    """`text` as a row may hold it: redacted, storable, at most `limit` characters.

    Only the beginning is searched for secrets, so that a huge text costs no more than a small one: what is shown and a
    margin; a few times `limit` where a secret was found, since what stands behind it moves up.
    """
    beginning = text[: limit + _MARGIN]
    clean = redact(beginning)
    if clean != beginning:
        clean = redact(text[: max(8 * limit, limit + _MARGIN)])
    return shorten(storable(clean[: limit + 1]), limit)
