"""Text that others wrote: made fit to store, to show and to keep (`security.md`, point 6). Pure functions."""

from __future__ import annotations

import re

REDACTED = "[redacted]"

WITHOUT_NUL = r"^[^\x00]*$"
"""Of text that PostgreSQL can hold, as JSON schemas write a pattern."""

# PostgreSQL's text takes neither NUL nor half a surrogate pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

# Controls (C0, DEL, C1), line separators, marks that change the direction of writing, halves of surrogate pairs.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)

# As above but for the ends of lines and tabs; and what takes no room at all.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
)

_ASSIGNED = r"""\\?["']?\s{0,3}[=:]\s{0,3}\\?["']?"""
_VALUE = r"""[^\s"'\\,;&|$(){}<>\[\]]{4,}"""
_VARIABLE = (
    r"(?:SECRET|TOKEN|PASSWORD|PASSWD|API_?KEY|ACCESS_KEY|PRIVATE_KEY|AUTH_KEY)[A-Z0-9_]{0,40}"
)
_WORD = r"\b(?:[Pp]assword|[Pp]asswd|pwd)"

# What a secret looks like: (marks without one of which it cannot be there, pattern of what precedes it and is kept,
# pattern of the secret). The marks are looked for first: nearly all text has none, and that search is fast.
# A mark stands at the secret's beginning or before it, and ends at most `_MARK_REACH` characters behind that beginning.
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
    ("earer |BEARER ", r"(?:[Bb]earer|BEARER) ", r"[A-Za-z0-9._~+/=-]{8,}"),
    ("://", r"""://[^\s:/@"'<>]{0,100}:""", r"""[^\s/@"'<>]{1,256}(?=@)"""),
    (
        "KEY-----",
        "",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)",
    ),
    ("SECRET|TOKEN|PASSW|KEY", _VARIABLE + _ASSIGNED, _VALUE),
    ("assw|pwd", _WORD + _ASSIGNED, _VALUE),
)
# A search for one character is faster still: that of a mark's characters which text has least.
_RARE_FIRST = "JQZXKWYVBCGPDUHERTNIASjqzxk_-:wgyp"
_MARKS = tuple(
    (min(mark, key=f"{_RARE_FIRST}{mark}".find), mark, number)
    for number, (marks, _, _) in enumerate(_FORMS)
    for mark in marks.split("|")
)
_SECRETS = tuple(re.compile(f"({kept})(?:{secret})", re.DOTALL) for _, kept, secret in _FORMS)

# Those that are known by their own shape, whatever stands before them.
_TOKENS = tuple((part, re.compile(secret, re.DOTALL)) for part, kept, secret in _FORMS if not kept)

# A secret whose beginning is shown is known as one by this many characters after it (a password in a URL: by the `@`).
_MARGIN = 512
_MARK_REACH = 80  # -----BEGIN … PRIVATE KEY-----


def storable(text: str) -> str:
    """`text` with what PostgreSQL cannot store (NUL, lone surrogates) replaced by U+FFFD."""
    if "\0" not in text and (text.isascii() or _has_no_surrogate(text)):
        return text
    return _UNSTORABLE.sub("\ufffd", text)


def _has_no_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def shorten(text: str, limit: int) -> str:
    """`text` cut to at most `limit` characters; a cut shows as an ellipsis, which is counted."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"


def printable(text: str) -> str:
    r"""`text` on one line with every control character escaped (`\x1b`, `\n`): safe for terminals and logs."""
    return _UNPRINTABLE.sub(lambda m: m.group().encode("unicode_escape").decode("ascii"), text)


def visible(text: str) -> str:
    r"""`text` of any number of lines with everything escaped (`\u202e`) that cannot be seen or moves other text.

    Ends of lines and tabs stay: for pages, which escape markup themselves.
    """
    return _INVISIBLE.sub(lambda m: m.group().encode("unicode_escape").decode("ascii"), text)


def redact(text: str) -> str:
    """`text` with secrets replaced by `[redacted]`.

    Known forms only: API keys (`sk-…`, `ghp_…`, `AKIA…`, `xox…`, …), bearer tokens, passwords in URLs and DSNs,
    values of variables named like secrets (`…_TOKEN=`, `PASSWORD: `), JSON Web Tokens, PEM private keys (one
    that is cut off, too). A secret without such a form stays.
    """
    for number in _forms_marked(text):
        text = _SECRETS[number].sub(rf"\1{REDACTED}", text)
    return text


def _forms_marked(text: str) -> list[int]:
    """Numbers of the forms of which the text holds a mark, in their order."""
    found: list[int] = []
    for character, mark, number in _MARKS:
        if character in text and mark in text and number not in found:
            found.append(number)
    return found


def holds_token(text: str) -> bool:
    """Whether a key or token of a known shape is in `text`; values of variables named like secrets do not count."""
    return any(part in text and pattern.search(text) for part, pattern in _TOKENS)


def excerpt(text: str, limit: int) -> str:
    """`text` as a row may hold it: redacted, storable, at most `limit` characters.

    Only the beginning is searched for secrets, so that a huge text costs no more than a small one: what is shown and a
    margin; a few times `limit` where a secret was found, since what stands behind it moves up.
    """
    if not _forms_marked(text[: limit + _MARK_REACH]):
        return shorten(storable(text[: limit + 1]), limit)
    beginning = text[: limit + _MARGIN]
    clean = redact(beginning)
    if clean != beginning:
        clean = redact(text[: max(8 * limit, limit + _MARGIN)])
    return shorten(storable(clean[: limit + 1]), limit)
