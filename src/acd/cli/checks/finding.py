"""The result of a check."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["ok", "warn", "fail"]


class Finding(msgspec.Struct, frozen=True, rename="camel"):
    """One line of the doctor's: what was looked at, how it is, and what to do about it where it is not well."""

    subject: str
    state: State
    message: str
    advice: str | None = None


def ok(subject: str, message: str) -> Finding:
    """All is well."""
    return Finding(subject, "ok", message)


def warn(subject: str, message: str, advice: str | None = None) -> Finding:
    """It works, but not as well as it could, or something will surprise."""
    return Finding(subject, "warn", message, advice)


def fail(subject: str, message: str, advice: str | None = None) -> Finding:
    """Something cannot work before this is mended."""
    return Finding(subject, "fail", message, advice)
