"""The token and the cookie that stands for it: how they are made, who can read them, what passes for them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from acd.core.environment import load_settings
from acd.core.errors import ConfigError
from acd.core.settings import Settings
from acd.web.access import Access, access_of
from acd.web.token import read_or_make_token
from tests.integration.web.conftest import client_of

CLOSED = "/api/nothing"
"""A POST of it needs the token, and is 404 (405) with it."""


async def passes(client: httpx.AsyncClient, **headers: str) -> bool:
    answer = await client.post(CLOSED, headers=headers)
    assert answer.status_code in (401, 404, 405)
    return answer.status_code != 401


def test_it_is_for_its_owner_alone_and_stays(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    old = os.umask(0)
    try:
        token = read_or_make_token(home)
    finally:
        os.umask(old)
    assert len(token) >= 43
    assert (home / "token").stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o777 == 0o700
    assert read_or_make_token(home) == token
    assert [entry.name for entry in home.iterdir()] == ["token"]


def test_those_that_start_at_once_have_the_same(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from acd.web.token import read_or_make_token; "
        "sys.stdin.read(1); print(read_or_make_token(Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "home")]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    for each in started:
        assert each.stdin is not None
        each.stdin.write("x")
        each.stdin.flush()
    told = [each.communicate(timeout=60)[0] for each in started]
    assert {each.returncode for each in started} == {0}
    assert len(set(told)) == 1
    assert [entry.name for entry in (tmp_path / "home").iterdir()] == ["token"]


@pytest.mark.parametrize("text", ["", "short\n", "x" * 31, "with blank " * 5, "ä" * 40, "x" * 2000])
def test_a_file_that_holds_none_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "token"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    with pytest.raises(ConfigError, match="holds no token"):
        read_or_make_token(tmp_path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o610])
def test_one_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    read_or_make_token(tmp_path)
    (tmp_path / "token").chmod(mode)
    with pytest.raises(ConfigError, match="can be read by others"):
        read_or_make_token(tmp_path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("x" * 43)
    elsewhere.chmod(0o600)
    (tmp_path / "token").symlink_to(elsewhere)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_or_make_token(tmp_path)
    (tmp_path / "token").unlink()
    os.mkfifo(tmp_path / "token", 0o600)
    with pytest.raises(ConfigError, match="no regular file"):
        read_or_make_token(tmp_path)


async def test_what_passes_for_it(ask: httpx.AsyncClient, token: str) -> None:
    for good in (f"Bearer {token}", f"bearer {token}", f"BEARER  {token} "):
        assert await passes(ask, Authorization=good), good
    wrong = [
        "",
        "Bearer",
        "Bearer ",
        token,
        f"Basic {token}",
        f"Bearer {token[:-1]}",
        f"Bearer {token}x",
        f"Bearer {token.upper()}",
        f"Bearer {token} {token}",
        f"Bearer {token},{token}",
        f"Token {token}",
        "Bearer ÿÿÿÿ",
        f"Bearer {'x' * 100_000}",
    ]
    for bad in wrong:
        answer = await ask.post(CLOSED, headers=[(b"Authorization", bad.encode("latin-1"))])
        assert answer.status_code == 401, bad[:50]
        assert answer.headers["www-authenticate"] == "Bearer"
    assert not await passes(ask, Cookie=f"token={token}")
    assert (await ask.post(f"{CLOSED}?token={token}")).status_code == 401


async def test_a_link_lets_one_browser_in(beyond: FastAPI) -> None:
    access: Access = beyond.state.parts.access
    code = access.new_code()
    async with client_of(beyond, "acd.example") as browser:
        assert (await browser.get("/login?code=wrong")).status_code == 401
        assert (await browser.get("/api/health")).status_code == 401
        answer = await browser.get(f"/login?code={code}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        for word in ("HttpOnly", "SameSite=Strict", "Path=/"):
            assert word in cookie
        assert "Secure" not in cookie
        assert (await browser.get("/api/health")).status_code == 200
        assert await passes(browser)
        foreign = await browser.post(CLOSED, headers={"Origin": "http://acd.example:81"})
        assert foreign.status_code == 403
    async with client_of(beyond, "acd.example") as other:
        assert (await other.get(f"/login?code={code}")).status_code == 401, "it was used already"


async def test_the_cookie_is_not_the_token_and_says_nothing_to_another_server(
    beyond: FastAPI, token: str, tmp_path: Path
) -> None:
    access: Access = beyond.state.parts.access
    cookie = access.cookie_for(access.new_code()) or ""
    assert token not in cookie
    pair = cookie.split(";")[0]
    async with client_of(beyond) as client:
        assert await passes(client, Cookie=f"a=b; {pair}; c=d")
        assert not await passes(client, Cookie=pair[:-1])
        assert not await passes(client, Cookie=pair.split("=")[0])
        assert not await passes(client, Cookie="\x00=;;;=")
        assert not await passes(client, Authorization=f"Bearer {pair.split('=')[1]}")
    other = Access(read_or_make_token(tmp_path / "other"))
    assert other.cookie_name != access.cookie_name


def test_codes_are_forgotten_when_there_are_too_many() -> None:
    access = Access("t" * 43)
    first = access.new_code()
    codes = [access.new_code() for _ in range(100)]
    assert access.cookie_for(first) is None
    assert access.cookie_for(codes[0])
    assert access.cookie_for(codes[0]) is None


@pytest.mark.parametrize("hosts", ["*", "a b", "acd.example:3434", "http://acd.example", "-x", "ä"])
def test_a_host_that_is_none_is_refused(settings: Settings, hosts: str) -> None:
    given = load_settings({}, home=settings.home, allowed_hosts=hosts)
    with pytest.raises(ConfigError, match="ACD_ALLOWED_HOSTS"):
        access_of(given, "t" * 43)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", "", "*"])  # noqa: S104
def test_beyond_loopback_hosts_must_be_named(settings: Settings, host: str) -> None:
    with pytest.raises(ConfigError, match="ACD_ALLOWED_HOSTS"):
        access_of(load_settings({}, home=settings.home, host=host), "t" * 43)
    access = access_of(
        load_settings({}, home=settings.home, host=host, allowed_hosts="Acd.Example,"), "t" * 43
    )
    assert access.always
    assert access.hosts == {"localhost", "127.0.0.1", "[::1]", "acd.example"}
