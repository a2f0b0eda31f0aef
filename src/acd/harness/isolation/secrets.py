"""Which files are not to be committed by us: those that look like secrets, by their name or by what they hold.

Known forms only (`acd.core.text.holds_token`): a secret without such a form is not seen.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path

from acd.core.text import holds_token

LARGEST_FILE = 50 * 1024 * 1024
"""Bytes; a larger file is left out, whatever it is."""

_SEARCHED = 1024 * 1024
_PATTERNS = (
    r"\.env(\..+)?",
    r".*\.(pem|key|p12|pfx|jks|keystore|kdbx|ppk|asc|gpg)",
    r"id_(rsa|dsa|ecdsa|ed25519).*",
    r"\.?(netrc|npmrc|pypirc|pgpass|git-credentials|htpasswd)",
    r"(.*[._-])?(credentials?|secrets?)(\.(json|ya?ml|toml|ini|txt|env|cfg))?",
    r"(.*-)?service-?account.*\.json",
)
_NAMES = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS), re.IGNORECASE)
_HARMLESS = re.compile(r"\.env\.(example|sample|template|dist)|.*\.pub", re.IGNORECASE)
_FOLDERS = {".ssh", ".aws", ".gnupg", ".kube", ".docker"}


def why_left_out(root: Path, name: str) -> str | None:
    """Why a file of a tree is not to be committed; None where nothing speaks against it.

    Args:
        root: the tree.
        name: the path in it; one that ends with `/` is a repository of its own, one that is gone says nothing.
    """
    if name.endswith("/"):
        return "a repository of its own"
    path = root / name
    try:
        info = path.lstat()
    except FileNotFoundError:
        return None
    if _NAMES.fullmatch(path.name) and not _HARMLESS.fullmatch(path.name):
        return "its name is one of files that hold secrets"
    if _FOLDERS & set(Path(name).parts[:-1]):
        return "its folder is one that holds secrets"
    if not stat.S_ISREG(info.st_mode):
        return None  # of a link, git keeps where it points; others it does not keep
    if info.st_size > LARGEST_FILE:
        return f"it has {info.st_size} bytes, more than {LARGEST_FILE}"
    return _why_by_content(path)


def _why_by_content(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            text = file.read(_SEARCHED).decode(errors="replace")
    except OSError as error:  # git could not read it either, and would keep nothing at all
        return f"it cannot be read ({error.strerror})"
    return "it holds what looks like a key or a token" if holds_token(text) else None
