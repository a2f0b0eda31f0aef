"""The folder of one session, `<ACD_HOME>/sessions/<session id>/`, and the journals that belong to no session."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from acd.files.journal import Journal

_PRIVATE_DIR = 0o700
_PRIVATE_FILE = 0o600


@dataclass(frozen=True)
class SessionFolder:
    """Paths in a session's folder; the folder itself may not exist yet (see `create`)."""

    path: Path

    @property
    def session_id(self) -> UUID:
        """The folder's name.

        Raises:
            ValueError: when the folder is none of ours.
        """
        return UUID(self.path.name)

    @property
    def stream(self) -> Path:
        """What the agent printed, byte for byte."""
        return self.path / "stream.jsonl"

    @property
    def stderr(self) -> Path:
        """The agent's stderr."""
        return self.path / "stderr.log"

    @property
    def journal(self) -> Journal:
        """The harness's own facts."""
        return Journal(self.path / "journal.jsonl", self.stream)

    @property
    def transcripts(self) -> Path:
        """Folder of links to the agent's own transcripts."""
        return self.path / "transcripts"

    @property
    def list_before(self) -> Path:
        """The feature list, byte for byte, as it was before the session; not there where there was none."""
        return self.path / "feature_list.before"

    @property
    def verify_log(self) -> Path:
        """What the last verify command printed."""
        return self.path / "verify.log"

    @property
    def lock(self) -> Path:
        """Held by the harness process that looks after the session."""
        return self.path / "lock"

    def create(self) -> None:
        """Make the folder with its empty files, readable by the owner only.

        Raises:
            FileExistsError: when the session has a folder already.
        """
        self.path.parent.mkdir(mode=_PRIVATE_DIR, parents=True, exist_ok=True)
        self.path.mkdir(mode=_PRIVATE_DIR)
        self.transcripts.mkdir(mode=_PRIVATE_DIR)
        for file in (self.stream, self.stderr):
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _PRIVATE_FILE))

    def keep(self, files: Mapping[str, bytes]) -> None:
        """Write further files, by name, readable by the owner only.

        Raises:
            OSError: the disk is full or failing.
        """
        for name, content in files.items():
            path = self.path / name
            path.touch(_PRIVATE_FILE)
            path.write_bytes(content)

    def link_transcripts(self, files: list[Path]) -> None:
        """Link what the agent wrote elsewhere into the folder, so that it outlives the agent's own clean-up.

        A hard link where the file system allows it: it shows every later line too. Else a copy, made anew when the
        file has grown. The name keeps subagents apart: `<stem>.jsonl` of each file, which agents make unique.
        """
        for source in files:
            link = self.transcripts / source.name
            try:
                if link.exists():
                    if link.samefile(source) or link.stat().st_size == source.stat().st_size:
                        continue
                else:
                    os.link(source, link)
                    continue
            except FileNotFoundError:
                continue  # the agent moved it between its listing and now; the next look finds it again
            except OSError:
                pass  # another file system, or one without hard links: copy
            _copy(source, link)


def _copy(source: Path, destination: Path) -> None:
    """Copy by way of a temporary name, so that a reader never sees half a file shrink or vanish."""
    temporary = destination.with_suffix(".copying")
    shutil.copyfile(source, temporary)
    temporary.chmod(_PRIVATE_FILE)
    temporary.replace(destination)


def session_folders(sessions_dir: Path) -> Iterator[SessionFolder]:
    """Every session folder that has a journal, in no particular order; other folders are not ours and are left alone."""
    for name in _names(sessions_dir):
        folder = SessionFolder(sessions_dir / name)
        if is_uuid(name) and folder.journal.path.exists():
            yield folder


def unfinished_folders(sessions_dir: Path) -> Iterator[SessionFolder]:
    """Those of them that have a lock file: it is there from before a session's first fact until after its last."""
    for name in _names(sessions_dir):
        # Plain strings: there may be tens of thousands of folders, and this is asked before every session.
        if os.path.lexists(f"{sessions_dir}/{name}/lock") and is_uuid(name):
            folder = SessionFolder(sessions_dir / name)
            if folder.journal.path.exists():
                yield folder


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries]
    except FileNotFoundError:
        return []


def target_journal(targets_dir: Path, target_id: UUID) -> Journal:
    """The journal of facts that belong to a target but to no session."""
    return Journal(targets_dir / str(target_id) / "journal.jsonl", None)


def target_journals(targets_dir: Path) -> Iterator[Journal]:
    """Every such journal."""
    for path in sorted(targets_dir.glob("*/journal.jsonl")):
        if is_uuid(path.parent.name):
            yield Journal(path, None)


def is_uuid(name: str) -> bool:
    """Whether a folder may be one of ours, by its name."""
    try:
        UUID(name)
    except ValueError:
        return False
    return True
