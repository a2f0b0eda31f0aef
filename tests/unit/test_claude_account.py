"""Which login Claude Code works with is told apart by fingerprints that give nothing away."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from acd.agents.claude_code import ClaudeCode
from acd.agents.claude_code.account import account_in
from acd.agents.fingerprint import fingerprint
from acd.core.settings import Settings
from acd.harness.account import account_of, account_of_agent

KEY = "sk-ant-api03-secret"
ACCOUNT = "5f0c8a1e-0000-4000-8000-000000000001"


def logged_in(folder: Path, account: object = ACCOUNT) -> Path:
    folder.mkdir(exist_ok=True)
    document = {"numStartups": 4, "oauthAccount": {"accountUuid": account, "emailAddress": "a@b.c"}}
    (folder / ".claude.json").write_text(json.dumps(document))
    return folder


def test_a_key_comes_before_a_login_and_none_is_told(tmp_path: Path) -> None:
    folder = logged_in(tmp_path)
    login = account_in({}, folder)
    assert login == f"login {fingerprint(ACCOUNT)}"
    of_key = account_in({"ANTHROPIC_API_KEY": KEY}, folder)
    assert of_key == f"API key {fingerprint(KEY)}"
    assert "secret" not in of_key
    assert account_in({"CLAUDE_CODE_OAUTH_TOKEN": KEY}, folder).startswith("OAuth token ")
    both = {"CLAUDE_CODE_OAUTH_TOKEN": "t", "ANTHROPIC_API_KEY": KEY}
    assert account_in(both, folder) == of_key
    assert account_in({**both, "ANTHROPIC_AUTH_TOKEN": "g"}, folder).startswith("token ")
    assert account_in({**both, "CLAUDE_CODE_USE_BEDROCK": "1"}, folder) == ""


def test_fingerprints_differ_and_stay_the_same() -> None:
    assert fingerprint(KEY) == fingerprint(KEY)
    assert fingerprint(KEY) != fingerprint(KEY + "x")
    assert len(fingerprint(KEY)) == 8


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"oauthAccount": 3}', '{"oauthAccount": {}}', "{"]
)
def test_a_file_that_tells_no_account(tmp_path: Path, text: str) -> None:
    (tmp_path / ".claude.json").write_text(text)
    assert account_in({}, tmp_path) == ""
    assert account_in({}, tmp_path / "none") == ""


def test_the_login_is_that_of_the_agents_folder_and_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(logged_in(tmp_path / "home")))
    settings = Settings(home=tmp_path / "acd")
    assert account_of(ClaudeCode(), settings) == f"login {fingerprint(ACCOUNT)}"
    own = logged_in(tmp_path / "own", "another")
    chosen = msgspec.structs.replace(settings, claude_config_dir=own)
    assert account_of(ClaudeCode(), chosen) == f"login {fingerprint('another')}"
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    assert account_of_agent("claude-code", settings) == f"API key {fingerprint(KEY)}"
    assert account_of_agent("no such agent", settings) == ""
