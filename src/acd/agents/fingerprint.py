"""Telling accounts apart without telling who they are."""

from __future__ import annotations

import hashlib

_LENGTH = 8


def fingerprint(secret: str) -> str:
    """Eight hexadecimal digits that are the same for the same key, token or account id, and do not lead back to it."""
    return hashlib.sha256(b"acd account\0" + secret.encode()).hexdigest()[:_LENGTH]
