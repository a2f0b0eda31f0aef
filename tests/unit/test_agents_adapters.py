"""How agents are found and started, and where they keep what they wrote."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from uuid import UUID

import pytest

from acd.agents.claude_code import ClaudeCode
from acd.agents.claude_code.locate import locate
from acd.agents.protocol import Adapter, Binary, Launch
from acd.agents.registry import adapter_names, load_adapter
from acd.agents.scripted import Scripted
from acd.agents.version import checked, find_version
from acd.core.errors import AgentMissing, AgentTooOld, ConfigError
from acd.core.settings import Settings

SESSION = UUID("11111111-2222-4333-8444-555555555555")
BINARY = Binary(argv=["/opt/claude"])


def launch(prompt: str = "do it", **more: object) -> Launch:
    fields: dict[str, object] = {
        "session_id": SESSION,
        "session_type": "coding",
        "prompt": prompt,
        "model": "sonnet",
        "workspace": Path("/work/shop"),
        "session_dir": Path("/acd/sessions/1"),
    }
    return Launch(**(fields | more))  # type: ignore[arg-type]


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\nexit 9\n")
    path.chmod(0o755)
    return path


def test_adapters_are_found_by_name() -> None:
    assert {"claude-code", "scripted"} <= set(adapter_names())
    for name in ("claude-code", "scripted"):
        adapter: Adapter = load_adapter(name)
        assert adapter.name == name
        assert adapter.provider == "anthropic"


def test_an_unknown_agent_is_named_beside_those_that_are_installed() -> None:
    with pytest.raises(ConfigError, match=r"unknown agent 'codex'; installed: .*claude-code"):
        load_adapter("codex")


def test_the_command_of_claude_code(tmp_path: Path) -> None:
    argv = ClaudeCode().command(BINARY, launch(), Settings(home=tmp_path))
    assert argv == [
        "/opt/claude",
        "-p",
        "do it",
        "--session-id",
        str(SESSION),
        "--model",
        "sonnet",
        "--output-format",
        "stream-json",
        "--verbose",
        *("--settings", "/acd/sessions/1/claude-settings.json"),
        *("--permission-mode", "acceptEdits"),
        *("--allowedTools", "Bash", "Read", "Glob", "Grep", "Agent", "Task", "TodoWrite"),
    ]


def test_the_limits_of_a_launch_are_handed_to_claude_code(tmp_path: Path) -> None:
    limits = launch(fallback_model="haiku", budget_usd=0.00001, max_turns=7)
    argv = ClaudeCode().command(BINARY, limits, Settings(home=tmp_path))
    at = argv.index("--fallback-model")
    assert argv[at : at + 6] == [
        *("--fallback-model", "haiku"),
        *("--max-budget-usd", "0.00001"),
        *("--max-turns", "7"),
    ]


def test_a_fallback_to_the_same_model_is_none(tmp_path: Path) -> None:
    argv = ClaudeCode().command(BINARY, launch(fallback_model="sonnet"), Settings(home=tmp_path))
    assert "--fallback-model" not in argv


@pytest.mark.parametrize("adapter", [ClaudeCode(), Scripted()])
def test_a_prompt_is_never_a_flag_nor_too_long(adapter: Adapter, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, scenario=tmp_path / "s.json")
    argv = adapter.command(BINARY, launch("--dangerously-skip-permissions\0"), settings)
    assert argv[2] == " --dangerously-skip-permissions\ufffd"
    longest = "é" * (64 * 1024 - 1) + "e"
    assert adapter.command(BINARY, launch(longest), settings)[2] == longest
    with pytest.raises(ConfigError, match="131072 bytes"):
        adapter.command(BINARY, launch(longest + "e"), settings)


def test_the_environment_of_claude_code(tmp_path: Path) -> None:
    plain = ClaudeCode().environment(launch(), Settings(home=tmp_path, claude_config_dir=None))
    assert plain == {"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    own = ClaudeCode().environment(launch(), Settings(home=tmp_path, claude_config_dir=tmp_path))
    assert own["CLAUDE_CONFIG_DIR"] == str(tmp_path)
    assert not any(name.startswith(("AWS", "GOOGLE")) for name in ClaudeCode.environment_names)


def test_the_command_of_the_scripted_agent(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, scenario=tmp_path / "s.json")
    adapter = Scripted()
    argv = adapter.command(adapter.find(settings), launch(max_turns=3), settings)
    assert argv == [
        *(sys.executable, "-P", "-m", "acd.testing.scripted_agent"),
        *("-p", "do it", "--session-id", str(SESSION), "--model", "sonnet"),
        *("--session-type", "coding", "--scenario", str(tmp_path / "s.json")),
        *("--max-turns", "3"),
    ]
    assert adapter.environment(launch(), settings) == {
        "SCRIPTED_CONFIG_DIR": str(tmp_path / "scripted-agent")
    }


def test_the_scripted_agent_needs_a_scenario(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ACD_SCENARIO"):
        Scripted().command(BINARY, launch(), Settings(home=tmp_path, scenario=None))


def test_the_setting_names_the_program(tmp_path: Path) -> None:
    path = program(tmp_path / "my claude")
    settings = Settings(home=tmp_path, claude_binary=path)
    assert ClaudeCode().find(settings) == Binary(argv=[str(path)])


@pytest.mark.parametrize("kind", ["missing", "folder", "not executable"])
def test_a_setting_that_names_no_program_is_an_error_not_a_search(
    kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "claude"
    if kind == "folder":
        path.mkdir()
    if kind == "not executable":
        path.write_text("")
    with pytest.raises(AgentMissing, match="ACD_CLAUDE_BINARY"):
        locate(path)


def test_path_comes_before_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = program(tmp_path / "bin" / "claude")
    monkeypatch.setenv("PATH", f"{tmp_path / 'nothing'}{os.pathsep}{path.parent}")
    assert locate(None) == path


def test_the_package_brings_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = program(tmp_path / "claude_agent_sdk" / "_bundled" / "claude")
    # Importing it would fail the test: the package is to be looked up only.
    (tmp_path / "claude_agent_sdk" / "__init__.py").write_text("raise SystemExit(1)\n")
    monkeypatch.setenv("PATH", "")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert locate(None) == bundled


def test_a_missing_program_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "claude_agent_sdk").mkdir()
    (tmp_path / "claude_agent_sdk" / "__init__.py").write_text("")
    monkeypatch.setenv("PATH", "")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(AgentMissing, match=r"acd-harness\[claude\]"):
        locate(None)


@pytest.mark.parametrize("adapter", [ClaudeCode(), Scripted()])
def test_transcripts_are_found_by_session_in_whatever_folder(
    adapter: Adapter, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, claude_config_dir=tmp_path / "scripted-agent")
    projects = tmp_path / "scripted-agent" / "projects"
    names = [
        f"-work-shop/{SESSION}.jsonl",
        f"-work-shop/{SESSION}/subagents/agent-a.jsonl",
        f"-work-shop/{SESSION}/subagents/workflows/w1/agent-b.jsonl",
    ]
    others = [
        "-work-shop/other.jsonl",
        "-work-shop/other/subagents/agent-a.jsonl",
        f"-work-shop/{SESSION}/subagents/agent-a.meta.json",
        f"-work-shop/{SESSION}/tool-results/x.jsonl",
        f"{SESSION}.jsonl",
    ]
    for name in names + others:
        (projects / name).parent.mkdir(parents=True, exist_ok=True)
        (projects / name).write_text("{}\n")
    (projects / "-elsewhere").mkdir()
    (projects / "-elsewhere" / f"{SESSION}.jsonl").symlink_to("/etc/passwd")

    found = adapter.transcripts(str(SESSION), Path("/anything"), settings)
    assert [str(path.relative_to(projects)) for path in found] == names


def test_no_transcripts_where_there_is_no_folder(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, claude_config_dir=tmp_path / "none")
    assert ClaudeCode().transcripts(str(SESSION), tmp_path, settings) == []


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ("2.1.330 (Claude Code)\n", "2.1.330"),
        ("claude v2.1.197", "2.1.197"),
        ("10.0", "10.0"),
        ("no version", None),
        ("", None),
    ],
)
def test_a_version_is_read_from_what_the_program_says(output: str, version: str | None) -> None:
    assert find_version(output) == version


@pytest.mark.parametrize("version", ["2.1.197", "2.1.330", "2.2.0", "2.10.0", "10.0.0"])
def test_a_version_that_can_be_read(version: str) -> None:
    binary = checked(ClaudeCode(), BINARY, f"{version} (Claude Code)")
    assert binary == Binary(argv=BINARY.argv, version=version)


@pytest.mark.parametrize("output", ["2.1.196 (Claude Code)", "1.0.3", "2.1", "", "usage: \x1b[1m"])
def test_a_version_that_is_too_old_or_untold(output: str) -> None:
    with pytest.raises(AgentTooOld, match=r"/opt/claude says .*2\.1\.197 or later is needed") as e:
        checked(ClaudeCode(), BINARY, output)
    assert "\x1b" not in str(e.value)


def test_an_agent_without_versions_is_never_too_old() -> None:
    assert checked(Scripted(), BINARY, "anything").version is None
