"""The rules that a session of Claude Code gets. What they do is shown with the genuine program (tests/acceptance)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from uuid import UUID

import pytest

from acd.agents.claude_code import ADAPTER
from acd.agents.protocol import Binary, Launch
from acd.core.errors import ConfigError
from acd.core.models import Target
from acd.core.permissions import Permissions
from acd.core.settings import Settings
from acd.harness.permissions import permissions_of, push_guard
from acd.harness.workspace import Workspace


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "user"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


def launch(workspace: Path, **rules: object) -> Launch:
    return Launch(
        session_id=UUID(int=7),
        session_type="coding",
        prompt="do it",
        model="sonnet",
        workspace=workspace,
        session_dir=Path("/acd/sessions/7"),
        permissions=Permissions(**rules),  # type: ignore[arg-type]
    )


def words(given: Launch, settings: Settings | None = None) -> list[str]:
    return ADAPTER.command(Binary(argv=["claude"]), given, settings or Settings())


def rules(given: Launch, kind: str) -> list[str]:
    files = ADAPTER.session_files(given, Settings())
    found: list[str] = json.loads(files["claude-settings.json"])["permissions"][kind]
    return found


def test_credentials_are_neither_read_nor_changed(home: Path) -> None:
    denied = rules(launch(home / "shop"), "deny")
    for place in (".ssh/**", ".aws/**", ".config/gh/**", ".netrc", ".claude/.credentials.json"):
        assert {f"Read(/{home}/{place})", f"Edit(/{home}/{place})"} <= set(denied)
    assert f"Edit(/{home}/.bashrc)" in denied
    assert f"Read(/{home}/.bashrc)" not in denied


def test_a_place_that_holds_the_workspace_is_not_denied(home: Path) -> None:
    denied = rules(launch(home / ".config" / "gh" / "shop"), "deny")
    assert f"Read(/{home}/.config/gh/**)" not in denied
    assert f"Read(/{home}/.ssh/**)" in denied


def test_a_path_is_no_pattern(home: Path) -> None:
    odd = home / "a[b]*" / "list.json"
    assert rules(launch(home / "shop", files=(odd,)), "allow")[0] == (
        f"Edit(/{home}/a\\[b\\]\\*/list.json)"
    )


def test_pushing_is_denied_unless_it_is_allowed(home: Path) -> None:
    assert "Bash(git push:*)" in rules(launch(home), "deny")
    assert "Bash(git push:*)" not in rules(launch(home, allow_push=True), "deny")
    assert push_guard(Settings())["GIT_CONFIG_COUNT"] == "1"
    assert push_guard(Settings(allow_push=True)) == {}


def test_a_strict_session_has_no_shell_but_a_list_and_no_network(home: Path) -> None:
    strict = launch(home / "shop", profile="strict", allow=("Bash(./check.sh)",))
    tools = words(strict)
    assert tools[tools.index("--allowedTools") + 1 :] == [
        "Glob",
        "Grep",
        "Agent",
        "Task",
        "TodoWrite",
    ]
    assert {"Bash(git commit:*)", "Bash(./check.sh)"} <= set(rules(strict, "allow"))
    assert {"WebFetch", "WebSearch"} <= set(rules(strict, "deny"))
    assert "WebFetch" not in rules(launch(home / "shop"), "deny")


def test_rules_of_the_queue_entry_are_added(home: Path) -> None:
    given = launch(home, allow=("WebSearch", "Bash(x:*)"), deny=("Bash(rm:*)",))
    assert words(given)[-1] == "WebSearch"
    assert rules(given, "allow") == ["Bash(x:*)"]
    assert rules(given, "deny")[-1] == "Bash(rm:*)"


def test_without_consent_only_text_of_the_repository_is_read(home: Path) -> None:
    assert "--setting-sources" not in words(launch(home))
    given = launch(home, own_settings=False)
    argv = words(given)
    at = argv.index("--setting-sources")
    assert argv[at : at + 5] == [
        "--setting-sources",
        "user",
        "--strict-mcp-config",
        "--add-dir",
        str(home),
    ]
    assert "CLAUDE_CODE_ADDITIONAL_DIRECTORIES_CLAUDE_MD" in ADAPTER.environment(given, Settings())


def test_everything_is_allowed_only_in_words_and_never_to_root(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not any("dangerously" in word for word in words(launch(home)))
    bypass = launch(home, bypass=True)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    argv = words(bypass)
    assert "--dangerously-skip-permissions" in argv
    assert "--permission-mode" not in argv
    assert "Bash(git push:*)" in rules(bypass, "deny")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("IS_SANDBOX", "1")
    with pytest.raises(ConfigError, match="IS_SANDBOX"):
        words(bypass)
    assert "--dangerously-skip-permissions" in words(bypass, Settings(agent_env="IS_SANDBOX"))


def test_our_own_files_are_private_but_the_worktrees(tmp_path: Path) -> None:
    home, shop = tmp_path / "acd", tmp_path / "shop"
    for name in ("sessions", "worktrees", "postgres"):
        (home / name).mkdir(parents=True)
    settings = Settings(home=home, queue_file=tmp_path / "q" / "queue.json")
    target = Target(
        repo_id="shop", name="Shop", path=str(shop), verify_command="pytest -q", deny_tools=["X"]
    )
    own = Workspace.in_place(target, None)
    found = permissions_of(settings, target, own, shop / ".git", own_settings=True)
    assert {home / "sessions", home / "postgres", home / "token"} <= set(found.private)
    assert home / "worktrees" not in found.private
    assert (found.files, found.deny, found.allow) == ((), ("X",), ("Bash(pytest -q)",))
    assert shop / ".env" not in found.private
    assert tmp_path / ".env" in found.private
    assert found.protected == (tmp_path / "q" / "queue.json",)
    elsewhere = Workspace(home / "worktrees" / "7", tmp_path / "q" / "shop.json", ())
    found = permissions_of(settings, target, elsewhere, None, own_settings=True)
    assert found.files == (tmp_path / "q" / "shop.json",)
    assert shop / ".env" in found.private
