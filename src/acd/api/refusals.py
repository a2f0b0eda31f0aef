"""What is not there, said the same way everywhere."""

from __future__ import annotations

from uuid import UUID

from fastapi import HTTPException


def known_target(repo_id: str, report: bytes | None) -> bytes:
    """The report.

    Raises:
        HTTPException: 404, there is none because there is no such target.
    """
    if report is None:
        raise HTTPException(404, f"No target has the id {repo_id!r}.")
    return report


def known_session(session_id: UUID, report: bytes | None) -> bytes:
    """The report.

    Raises:
        HTTPException: 404, there is none because there is no such session.
    """
    if report is None:
        raise HTTPException(404, f"No session has the id {session_id}.")
    return report


def elsewhere(what: str, host: str) -> HTTPException:
    """409: another machine has it, and is named."""
    told = {
        "code": "elsewhere",
        "message": f"{what} on the machine {host}: ask the server there.",
        "host": host,
    }
    return HTTPException(409, told)
