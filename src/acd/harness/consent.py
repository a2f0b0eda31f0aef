"""Consent, by content, to a repository's own settings for its agent: hooks, servers and variables that run unasked.

Claude Code with `-p` asks nobody whether it trusts a folder (CVE-2025-59536, CVE-2026-21852: hooks of a repository ran,
its variables sent the key elsewhere). So these files are loaded only where a person said yes to just these contents.
Consent is to each file: a session's worktree may lack those that git does not know, and what is not there does nothing.
A session may itself write such a file; the consent protects the sessions after it.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from acd.core.errors import ConfigError
from acd.core.settings import Settings
from acd.files.locks import hold
from acd.harness.safe_read import FileRefused, read_regular_file

_LARGEST = 4 * 1024**2
_MOST = 2000


class OwnFile(msgspec.Struct, frozen=True, order=True):
    """A file by which a repository sets its agent up: its name in the repository, and the hash of what it holds.

    `sha256` is None where it cannot be read (a link that leads out, a pipe, too large): there is no consent to that.
    """

    name: str
    sha256: str | None


class Consents:
    """The consents given on this machine: one file under ACD_HOME, by the repository's path."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.home / "consents.json"

    def given(self, repository: Path) -> set[OwnFile]:
        """Files to which somebody said yes.

        Raises:
            ConfigError: the file is damaged.
        """
        return set(self._read().get(_key(repository), []))

    def give(self, repository: Path, files: Iterable[OwnFile]) -> None:
        """Say yes to just these; whatever was said before about the repository is void.

        Raises:
            ConfigError: one of them cannot be read, or the file of consents is damaged. Busy: it is being written.
        """
        files = sorted(files)
        if unreadable := [file.name for file in files if file.sha256 is None]:
            raise ConfigError(
                f"{', '.join(unreadable)}: no regular file of the repository, or too large; what cannot be read cannot "
                "be consented to: replace it by a plain file"
            )
        with hold(self._path.with_suffix(".lock")):
            self._write({**self._read(), _key(repository): files})

    def revoke(self, repository: Path) -> bool:
        """Take it back; whether there was any.

        Raises:
            ConfigError: the file of consents is damaged. Busy: it is being written.
        """
        with hold(self._path.with_suffix(".lock")):
            everything = self._read()
            if everything.pop(_key(repository), None) is None:
                return False
            self._write(everything)
            return True

    def _read(self) -> dict[str, list[OwnFile]]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, list[OwnFile]])
        except FileNotFoundError:
            return {}
        except msgspec.MsgspecError as error:
            raise ConfigError(
                f"{self._path} is damaged ({error}): remove it and consent anew"
            ) from error

    def _write(self, consents: dict[str, list[OwnFile]]) -> None:
        temporary = self._path.with_suffix(".new")
        temporary.touch(0o600)
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(consents)))
        temporary.replace(self._path)


def own_files(patterns: Sequence[str], folders: Iterable[Path]) -> set[OwnFile]:
    """What an agent that works in one of the folders could load of their own; see `Adapter.own_settings`."""
    found: set[OwnFile] = set()
    for folder in folders:
        for name in _names(patterns, folder):
            found.add(OwnFile(name, _hash(folder, name)))
    return found


def folders_of(path: Path) -> Iterator[Path]:
    """A folder and those above it, up to the root of its work tree."""
    for folder in (path, *path.parents):
        yield folder
        if (folder / ".git").exists():
            return


def without_consent(
    patterns: Sequence[str], settings: Settings, repository: Path, places: Iterable[Path] = ()
) -> list[str]:
    """Names of the files that must not be loaded, sorted.

    Args:
        patterns: the adapter's.
        settings: where consents are kept.
        repository: the target's path, which consent is given to.
        places: where else the agent looks: its worktree, and the work tree that this one belongs to (Claude Code
            2.1.330 loads `.claude/settings.local.json` of that one, too).

    Raises:
        ConfigError: the file of consents is damaged.
    """
    if not patterns:
        return []
    folders = {folder for place in (repository, *places) for folder in folders_of(place)}
    found = own_files(patterns, sorted(folders))
    return sorted({file.name for file in found - Consents(settings).given(repository)})


def consent_needed(repo_id: str, files: Sequence[str]) -> str:
    """What is not loaded, and how it would be."""
    few = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
    return (
        f"{repo_id}: its own agent settings are not loaded without your consent ({few}): "
        f"`acd consent {repo_id}` shows them"
    )


def _key(repository: Path) -> str:
    return os.path.realpath(repository)


def _names(patterns: Sequence[str], folder: Path) -> Iterator[str]:
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    unwanted = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    tops = {pattern.split("/", 1)[0] for pattern in wanted}
    for name in (each for top in sorted(tops) for each in _walk(folder, top)):
        if _fits(name, wanted) and not _fits(name, unwanted):
            yield name


def _walk(folder: Path, top: str) -> Iterator[str]:
    """Names below `top`, or itself where it is a file. Links to folders are not followed: they are names themselves."""
    path = folder / top
    if path.is_symlink() or not path.is_dir():
        if os.path.lexists(path):
            yield top if not path.is_dir() else f"{top}/"
        return
    count = 0
    for here, folders, files in os.walk(path):
        links = [name for name in folders if Path(here, name).is_symlink()]
        for name in (*links, *files):
            count += 1
            if count > _MOST:
                yield f"{top}/… more than {_MOST} files"
                return
            yield Path(here, name).relative_to(folder).as_posix()


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _hash(folder: Path, name: str) -> str | None:
    try:
        return hashlib.sha256(read_regular_file(folder / name, [folder], _LARGEST)).hexdigest()
    except (FileRefused, OSError):
        return None
