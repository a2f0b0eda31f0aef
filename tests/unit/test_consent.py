"""Consent to a repository's own agent settings: by content, file by file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from acd.agents.claude_code import ADAPTER
from acd.core.errors import ConfigError
from acd.core.settings import Settings
from acd.harness.consent import Consents, consent_needed, folders_of, own_files, without_consent

PATTERNS = ADAPTER.own_settings
SETTINGS, HOOK = ".claude/settings.json", ".claude/hooks/check.sh"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "home").mkdir()
    return Settings(home=tmp_path / "home")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / ".git").mkdir(parents=True)
    return folder


def write(folder: Path, name: str, text: str = "{}") -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def test_text_for_the_model_needs_no_consent(settings: Settings, repository: Path) -> None:
    for name in ("CLAUDE.md", ".claude/CLAUDE.md", ".claude/rules/style.md", "settings.json"):
        write(repository, name)
    assert without_consent(PATTERNS, settings, repository) == []


def test_consent_is_to_the_content(settings: Settings, repository: Path) -> None:
    consents = Consents(settings)
    names = (SETTINGS, HOOK, ".claude/settings.local.json", ".claude/agents/a.md", ".mcp.json")
    for name in names:
        write(repository, name)
    assert without_consent(PATTERNS, settings, repository) == sorted(names)
    consents.give(repository, own_files(PATTERNS, [repository]))
    assert without_consent(PATTERNS, settings, repository) == []
    assert (settings.home / "consents.json").stat().st_mode & 0o077 == 0
    write(repository, HOOK, "rm -rf ~")
    assert without_consent(PATTERNS, settings, repository) == [HOOK]
    (repository / HOOK).unlink()
    assert without_consent(PATTERNS, settings, repository) == []
    write(repository, ".claude/commands/new.md")
    assert without_consent(PATTERNS, settings, repository) == [".claude/commands/new.md"]


def test_consent_is_taken_back_and_belongs_to_one_repository(
    settings: Settings, repository: Path, tmp_path: Path
) -> None:
    write(repository, SETTINGS)
    write(tmp_path / "other", SETTINGS)
    consents = Consents(settings)
    consents.give(repository, own_files(PATTERNS, [repository]))
    assert without_consent(PATTERNS, settings, tmp_path / "other") == [SETTINGS]
    assert consents.revoke(repository)
    assert not consents.revoke(repository)
    assert without_consent(PATTERNS, settings, repository) == [SETTINGS]


def test_a_worktree_needs_no_more_than_the_same_contents(
    settings: Settings, repository: Path, tmp_path: Path
) -> None:
    write(repository, SETTINGS)
    write(repository, ".claude/settings.local.json")
    Consents(settings).give(repository, own_files(PATTERNS, [repository]))
    worktree = tmp_path / "worktree"
    write(worktree, SETTINGS)
    write(worktree, ".git", "gitdir: …")
    assert without_consent(PATTERNS, settings, repository, [worktree]) == []
    write(worktree, SETTINGS, '{"hooks": {}}')
    assert without_consent(PATTERNS, settings, repository, [worktree]) == [SETTINGS]


def test_folders_above_count_up_to_the_work_tree(settings: Settings, repository: Path) -> None:
    inner = repository / "packages" / "api"
    inner.mkdir(parents=True)
    write(repository.parent, ".mcp.json")
    write(repository, ".mcp.json")
    assert list(folders_of(inner)) == [inner, inner.parent, repository]
    assert without_consent(PATTERNS, settings, inner) == [".mcp.json"]


def link_out(folder: Path) -> None:
    (folder / SETTINGS).symlink_to("/etc/hostname")


def link_to_folder(folder: Path) -> None:
    (folder / ".claude" / "hooks").symlink_to(folder.parent, target_is_directory=True)


def pipe(folder: Path) -> None:
    os.mkfifo(folder / SETTINGS)


def large(folder: Path) -> None:
    with (folder / SETTINGS).open("wb") as file:
        file.truncate(5 * 1024**2)


@pytest.mark.parametrize("make", [link_out, link_to_folder, pipe, large])
def test_what_cannot_be_read_is_never_loaded(
    settings: Settings, repository: Path, make: Callable[[Path], None]
) -> None:
    (repository / ".claude").mkdir()
    make(repository)
    found = own_files(PATTERNS, [repository])
    assert [file.sha256 for file in found] == [None]
    with pytest.raises(ConfigError, match="cannot be consented to"):
        Consents(settings).give(repository, found)
    assert len(without_consent(PATTERNS, settings, repository)) == 1


def test_a_folder_that_is_a_link(settings: Settings, repository: Path, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", "settings.json")
    (repository / ".claude").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert without_consent(PATTERNS, settings, repository) == [".claude/"]


def test_damaged_consents_load_nothing(settings: Settings, repository: Path) -> None:
    write(repository, SETTINGS)
    (settings.home / "consents.json").write_text("[")
    with pytest.raises(ConfigError, match=r"consents\.json is damaged"):
        without_consent(PATTERNS, settings, repository)


def test_many_files_are_told_in_a_few_words() -> None:
    told = consent_needed("shop", ["a", "b", "c", "d"])
    assert "(a, b, c and 1 more)" in told
    assert "`acd consent shop`" in told
