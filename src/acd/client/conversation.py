"""How a call goes, whoever carries it: a generator that says what to do next and is told what came of it.

It says `Send()` (send the call's request) or `Wait(seconds)`; it is told the answer, or of the `Lost` one. Both clients
drive it, so what is tried again and which error an answer is stands here once, and can be tested without a wire.
"""

from __future__ import annotations

import random
from collections.abc import Generator
from http import HTTPStatus
from typing import NamedTuple, TypeVar

import httpx
import msgspec

from acd.client.call import Call
from acd.core.errors import ServerAway, ServerError

T = TypeVar("T")


class Retry(NamedTuple):
    """How often a call is sent at most, and how long is waited between: longer each time, with some chance in it.

    Where the server says when to come back (`Retry-After`), that is kept to; where it is longer than `longest_s`, the
    call fails instead.
    """

    attempts: int = 5
    first_s: float = 0.2
    longest_s: float = 10.0

    def wait(self, sent: int, said: float | None) -> float | None:
        """Seconds to wait after the call was sent `sent` times; None to give up."""
        if sent >= self.attempts or (said is not None and said > self.longest_s):
            return None
        longest = min(self.first_s * 2.0 ** (sent - 1), self.longest_s)
        return max(said or 0.0, longest * random.uniform(0.5, 1.0))  # noqa: S311 - no secret


class Send(NamedTuple):
    """Send the request."""


class Wait(NamedTuple):
    """Do nothing for a while."""

    seconds: float


class Lost(NamedTuple):
    """No whole answer came; `again` says whether another attempt may help at once."""

    reason: str
    again: bool = True


Step = Send | Wait
Outcome = httpx.Response | Lost | None


class _Problem(msgspec.Struct):
    code: str
    message: str
    field: str | None = None


class _Failure(msgspec.Struct):
    error: _Problem


def good_answer(where: str, retry: Retry) -> Generator[Step, Outcome, httpx.Response]:
    """Ask until there is an answer that counts; `where` names the server in errors.

    Returns:
        A success. The body of any other answer must have been read when it is sent in here.

    Raises:
        ServerAway: not reachable, or its database is away, and it stayed so.
        ServerError: it says no.
    """
    sent = 0
    while True:
        outcome = yield Send()
        sent += 1
        if isinstance(outcome, httpx.Response) and outcome.is_success:
            return outcome
        error = _error(outcome, where)
        wait = retry.wait(sent, _said(outcome)) if _may_pass(outcome, error) else None
        if wait is None:
            raise error
        yield Wait(wait)


def result_of(call: Call[T], where: str, answer: httpx.Response) -> T:
    """What a success says.

    Raises:
        ServerError: it is not the answer of a server of acd that this version knows.
    """
    try:
        return call.read(answer.content)
    except msgspec.DecodeError as error:
        raise ServerError(
            f"{where} answers {call.path} in a way that this version does not understand: {error}",
            status=answer.status_code,
            code="unreadable",
        ) from error


def lost(error: httpx.RequestError) -> Lost:
    """What to make of an exception. One who has waited for an answer in vain does not wait five times as long."""
    slow = isinstance(error, httpx.TimeoutException) and not isinstance(
        error, httpx.ConnectTimeout | httpx.PoolTimeout
    )
    return Lost(str(error) or type(error).__name__, again=not slow)


def _may_pass(outcome: Outcome, error: ServerError) -> bool:
    return isinstance(error, ServerAway) and not (isinstance(outcome, Lost) and not outcome.again)


def _error(outcome: Outcome, where: str) -> ServerError:
    if not isinstance(outcome, httpx.Response):
        reason = outcome.reason if outcome else "nothing came back"
        return ServerAway(f"{where} cannot be reached: {reason}", code="unreachable")
    problem = _problem(outcome, where)
    kind = ServerAway if outcome.status_code == HTTPStatus.SERVICE_UNAVAILABLE else ServerError
    return kind(problem.message, status=outcome.status_code, code=problem.code, field=problem.field)


def _problem(answer: httpx.Response, where: str) -> _Problem:
    """What the server says; something in front of it, such as a proxy, may say it in its own way."""
    try:
        return msgspec.json.decode(answer.content, type=_Failure).error
    except msgspec.DecodeError:
        return _Problem("http", f"{where} answers with status {answer.status_code}")


def _said(outcome: Outcome) -> float | None:
    """Seconds of Retry-After; its other form, a date, is not one that our servers send."""
    given = outcome.headers.get("retry-after", "") if isinstance(outcome, httpx.Response) else ""
    return float(given) if given.isascii() and given.isdigit() else None
