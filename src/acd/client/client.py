"""The two clients: they carry what `conversation` says over httpx, one waiting, the other in an event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from acd.client.access import address, is_here, token_for
from acd.client.call import Call, Page, written
from acd.client.conversation import (
    Outcome,
    Retry,
    Step,
    Wait,
    good_answer,
    lost,
    result_of,
)
from acd.client.events import Event, EventReader
from acd.core.errors import ServerAway

T = TypeVar("T")
RowT = TypeVar("RowT")

_CONNECT_S = 5.0
_ANSWER_S = 30.0
_BYE = "bye"
"""Tells a reader that the server stops; it comes back by itself."""


class _Base:
    """What both are told."""

    def __init__(
        self, url: str | None = None, *, token: str | None = None, retry: Retry | None = None
    ) -> None:
        """Take the server's URL (else ACD_URL, else this machine's), its token (see `token_for`), how to try again.

        Raises:
            ConfigError: the URL is none of a server.
        """
        self.url = address(url)
        self.retry = retry or Retry()
        self._token = token_for(self.url, token)

    def _options(self) -> dict[str, Any]:
        bearer = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return {
            "base_url": self.url,
            "headers": {"User-Agent": "acd-client", **bearer},
            "timeout": httpx.Timeout(_ANSWER_S, connect=_CONNECT_S),
            # A proxy is for other machines, and the token goes to nobody but the server itself.
            "trust_env": not is_here(self.url),
        }

    def _request(self, call: Call[Any], headers: Mapping[str, str]) -> dict[str, Any]:
        sent = {**headers, **({"Content-Type": "application/json"} if call.body else {})}
        return {
            "method": call.method,
            "url": call.path,
            "params": dict(call.query),
            "content": call.body,
            "headers": sent,
        }

    def _broken(self, error: httpx.RequestError) -> ServerAway:
        return ServerAway(f"{self.url} broke off: {lost(error).reason}", code="broken")


class Client(_Base):
    """Sends calls and waits for their answers. Close it, or use it as a context manager."""

    def __init__(
        self, url: str | None = None, *, token: str | None = None, retry: Retry | None = None
    ) -> None:
        super().__init__(url, token=token, retry=retry)
        self._http = httpx.Client(**self._options())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(self, call: Call[T]) -> T:
        """What the server answers.

        Raises:
            ServerError: it says no. ServerAway: it, or its database, cannot be reached.
        """
        return result_of(call, self.url, self._answer(call))

    def pages(self, call: Call[Page[RowT]]) -> Generator[Page[RowT]]:
        """This page and those that follow. Ends at an empty one, which a log that is still written to may have."""
        following: Call[Page[RowT]] | None = call
        while following:
            page = self.send(following)
            yield page
            following = page.next if page.rows else None

    def rows(self, call: Call[Page[RowT]]) -> Generator[RowT]:
        """The rows of all pages."""
        for page in self.pages(call):
            yield from page.rows

    def stream(self, call: Call[bytes]) -> Generator[bytes]:
        """The body in parts, for exports.

        Raises:
            ServerAway: also where it broke off: what came so far is not all.
        """
        response = self._answer(call, whole=False)
        try:
            yield from response.iter_bytes()
        except httpx.RequestError as error:
            raise self._broken(error) from error
        finally:
            response.close()

    def follow(self, *, repo_id: str | None = None, last_id: str | None = None) -> Generator[Event]:
        """What happens, as it happens, without end; a lost connection is taken up behind the last event.

        Raises:
            ServerAway: it stayed away. ServerError: it refuses, with 410 where `last_id` is of another database.
        """
        call, reader = _events(repo_id), EventReader(last_id)
        while True:
            response = self._answer(call, _behind(reader), whole=False)
            try:
                for line in response.iter_lines():
                    if (event := reader.line(line)) and event.name != _BYE:
                        yield event
            except httpx.RequestError:
                pass  # asked for again
            finally:
                response.close()
            reader.forget_half()
            time.sleep(self.retry.first_s)

    def _answer(
        self, call: Call[Any], headers: Mapping[str, str] | None = None, *, whole: bool = True
    ) -> httpx.Response:
        talk, step = _begun(self)
        while not isinstance(step, httpx.Response):
            outcome: Outcome = None
            if isinstance(step, Wait):
                time.sleep(step.seconds)
            else:
                outcome = self._sent(call, headers or {}, whole)
            step = _next(talk, outcome)
        return step

    def _sent(self, call: Call[Any], headers: Mapping[str, str], whole: bool) -> Outcome:
        try:
            request = self._http.build_request(**self._request(call, headers))
            response = self._http.send(request, stream=True)
            if whole or not response.is_success:
                response.read()
        except httpx.RequestError as error:
            return lost(error)
        return response


class AsyncClient(_Base):
    """The same in an event loop."""

    def __init__(
        self, url: str | None = None, *, token: str | None = None, retry: Retry | None = None
    ) -> None:
        super().__init__(url, token=token, retry=retry)
        self._http = httpx.AsyncClient(**self._options())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(self, call: Call[T]) -> T:
        """As `Client.send`."""
        return result_of(call, self.url, await self._answer(call))

    async def pages(self, call: Call[Page[RowT]]) -> AsyncGenerator[Page[RowT]]:
        """As `Client.pages`."""
        following: Call[Page[RowT]] | None = call
        while following:
            page = await self.send(following)
            yield page
            following = page.next if page.rows else None

    async def rows(self, call: Call[Page[RowT]]) -> AsyncGenerator[RowT]:
        """As `Client.rows`."""
        async for page in self.pages(call):
            for row in page.rows:
                yield row

    async def stream(self, call: Call[bytes]) -> AsyncGenerator[bytes]:
        """As `Client.stream`."""
        response = await self._answer(call, whole=False)
        try:
            async for part in response.aiter_bytes():
                yield part
        except httpx.RequestError as error:
            raise self._broken(error) from error
        finally:
            await response.aclose()

    async def follow(
        self, *, repo_id: str | None = None, last_id: str | None = None
    ) -> AsyncGenerator[Event]:
        """As `Client.follow`."""
        call, reader = _events(repo_id), EventReader(last_id)
        while True:
            response = await self._answer(call, _behind(reader), whole=False)
            try:
                async for line in response.aiter_lines():
                    if (event := reader.line(line)) and event.name != _BYE:
                        yield event
            except httpx.RequestError:
                pass  # asked for again
            finally:
                await response.aclose()
            reader.forget_half()
            await asyncio.sleep(self.retry.first_s)

    async def _answer(
        self, call: Call[Any], headers: Mapping[str, str] | None = None, *, whole: bool = True
    ) -> httpx.Response:
        talk, step = _begun(self)
        while not isinstance(step, httpx.Response):
            outcome: Outcome = None
            if isinstance(step, Wait):
                await asyncio.sleep(step.seconds)
            else:
                outcome = await self._sent(call, headers or {}, whole)
            step = _next(talk, outcome)
        return step

    async def _sent(self, call: Call[Any], headers: Mapping[str, str], whole: bool) -> Outcome:
        try:
            request = self._http.build_request(**self._request(call, headers))
            response = await self._http.send(request, stream=True)
            if whole or not response.is_success:
                await response.aread()
        except httpx.RequestError as error:
            return lost(error)
        return response


_Talk = Generator[Step, Outcome, httpx.Response]


def _begun(client: _Base) -> tuple[_Talk, Step | httpx.Response]:
    talk = good_answer(client.url, client.retry)
    return talk, _next(talk, None)


def _next(talk: _Talk, outcome: Outcome) -> Step | httpx.Response:
    """The next step, or the answer where the talk is over."""
    try:
        return talk.send(outcome)
    except StopIteration as end:
        answer: httpx.Response = end.value
        return answer


def _events(repo_id: str | None) -> Call[bytes]:
    return Call("GET", "/api/events", bytes, written({"repoId": repo_id}))


def _behind(reader: EventReader) -> dict[str, str]:
    return {"Last-Event-ID": reader.last_id} if reader.last_id else {}
