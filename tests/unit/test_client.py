"""The client without a wire: what is tried again, what an answer means, which token goes where."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from acd.client import Retry, calls
from acd.client.access import address, token_for
from acd.client.conversation import Lost, Outcome, Send, Step, Wait, good_answer, lost, result_of
from acd.client.events import Event, EventReader
from acd.core.errors import ConfigError, ServerAway, ServerError
from acd.core.settings import Settings

HERE = "http://127.0.0.1:3434"
THERE = "http://builder:3434"
RETRY = Retry(attempts=3, first_s=1.0, longest_s=4.0)


def answer(status: int, body: bytes = b"", **headers: str) -> httpx.Response:
    return httpx.Response(status, content=body, headers=headers)


def told(outcomes: list[Outcome], retry: Retry = RETRY) -> tuple[httpx.Response, list[float]]:
    """The answer at the end of a conversation in which these outcomes come, and the waits in it."""
    talk: Generator[Step, Outcome, httpx.Response] = good_answer(THERE, retry)
    coming, waits = iter(outcomes), []
    step = next(talk)
    while True:
        try:
            if isinstance(step, Wait):
                waits.append(step.seconds)
                step = talk.send(None)
            else:
                assert step == Send()
                step = talk.send(next(coming))
        except StopIteration as end:
            assert next(coming, "none") == "none"
            return end.value, waits


def test_a_lost_connection_is_tried_again_with_longer_waits() -> None:
    found, waits = told([Lost("refused"), Lost("reset"), answer(200)])
    assert found.status_code == 200
    assert 0.5 <= waits[0] <= 1.0 <= waits[1] <= 2.0


def test_after_the_last_attempt_the_reason_is_told() -> None:
    with pytest.raises(ServerAway, match="builder:3434 cannot be reached: refused") as raised:
        told([Lost("refused")] * 3)
    assert raised.value.status is None


AWAY = b'{"error": {"code": "database_away", "message": "The database cannot be reached."}}'


def test_retry_after_is_kept_to() -> None:
    found, waits = told([answer(503, AWAY, **{"Retry-After": "3"}), answer(200)])
    assert found.status_code == 200
    assert waits == [3.0]


def test_a_longer_wait_than_wanted_is_an_error_at_once() -> None:
    with pytest.raises(ServerAway, match="database cannot be reached") as raised:
        told([answer(503, AWAY, **{"Retry-After": "30"})])
    assert (raised.value.status, raised.value.code) == (503, "database_away")


def test_waiting_in_vain_for_an_answer_is_not_repeated() -> None:
    slow = lost(httpx.ReadTimeout("too slow"))
    with pytest.raises(ServerAway, match="too slow"):
        told([slow])
    assert lost(httpx.ConnectTimeout("")).again
    assert lost(httpx.ReadError("reset")).again


def test_a_refusal_has_its_words() -> None:
    body = b'{"error": {"code": "invalid", "message": "limit: too large", "field": "limit"}}'
    with pytest.raises(ServerError, match="limit: too large") as raised:
        told([answer(422, body)])
    error = raised.value
    assert not isinstance(error, ServerAway)
    assert (error.status, error.code, error.field) == (422, "invalid", "limit")


@pytest.mark.parametrize("status", [302, 404, 502])
def test_what_is_no_answer_of_acd_is_told_as_that(status: int) -> None:
    with pytest.raises(ServerError, match=f"status {status}") as raised:
        told([answer(status, b"<html>")])
    assert raised.value.code == "http"


def test_an_answer_of_another_kind_of_server_is_told() -> None:
    with pytest.raises(ServerError, match="does not understand") as raised:
        result_of(calls.summary(), THERE, answer(200, b"<html>Hello</html>"))
    assert raised.value.code == "unreadable"


def test_pages_lead_to_the_next_with_the_same_filters() -> None:
    call = calls.sessions(status="failed", limit=2)
    assert call.query == {"limit": "2", "status": "failed"}
    page = call.read(b'{"data":[],"nextCursor":"abc"}')
    assert page.next is not None
    assert page.next.query == {"limit": "2", "status": "failed", "cursor": "abc"}
    assert call.read(b'{"data":[],"nextCursor":null}').next is None


def test_data_comes_as_it_is() -> None:
    body = b'{"data":[{"costUsd" : 0.10000000000000000000001}],"nextCursor":null}'
    assert calls.sessions().raw().read(body) == b'[{"costUsd" : 0.10000000000000000000001}]'


def test_ids_of_targets_are_written_into_paths() -> None:
    assert calls.features("org/tool #1?").path == "/api/db/features/org/tool%20%231%3F"


@pytest.mark.parametrize(
    "url",
    ["builder:3434", "ftp://builder", "http://", "http://b:0", "http://b:99999", "http://b?x"],
)
def test_an_address_must_be_one(url: str) -> None:
    with pytest.raises(ConfigError, match="ACD_URL"):
        address(url)


def test_addresses() -> None:
    assert address("https://x.example/acd/") == "https://x.example/acd"
    assert address(None, Settings(url=THERE)) == THERE
    assert address(None, Settings(port=4000)) == "http://127.0.0.1:4000"


def test_the_token_of_this_machine_is_for_this_machine_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    (tmp_path / "token").write_text("mine\n")
    nothing: dict[str, str] = {}
    assert token_for(HERE, None, settings, nothing) == "mine"
    assert token_for("http://localhost:1", None, settings, nothing) == "mine"
    for url in (THERE, "http://127.0.0.1.evil.example", "http://localhost.evil.example"):
        assert token_for(url, None, settings, nothing) is None
    given = {"ACD_TOKEN": "theirs"}
    assert (
        token_for(THERE, None, settings, given)
        == token_for(HERE, None, settings, given)
        == "theirs"
    )
    assert token_for(THERE, "argument", settings, given) == "argument"
    assert token_for(HERE, None, Settings(home=tmp_path / "none"), nothing) is None


def test_events_are_made_of_lines() -> None:
    reader = EventReader()
    lines = "retry: 1000|id: a||event: commit|id: b|data: {1|data: 2}||: comment|id: c||event: x|data: half"
    found = [event for line in lines.split("|") if (event := reader.line(line))]
    assert found == [Event("commit", "{1\n2}", "b")]
    assert reader.last_id == "c"  # a sign of life
    reader.forget_half()
    assert reader.line("") is None
