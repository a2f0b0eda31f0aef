"""Where Gemini CLI keeps its chats, and who reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from acd.agents.claude_like.content import folder
from acd.agents.gemini.chat import AGENT, ChatReader
from acd.agents.gemini.shapes import Chat
from acd.agents.history import Entry, HistoryFile
from acd.agents.layout import gemini as layout
from acd.core.errors import UnreadableLine
from acd.core.settings import Settings

_OWNER = ".project_root"
_REGISTRY = "projects.json"
_LARGEST = 256 * 1024**2

_CHAT = msgspec.json.Decoder(Chat)
_PROJECTS = msgspec.json.Decoder(dict[str, dict[str, str]])


class GeminiHistory:
    """Chats: `tmp/<project>/chats/session-<time>-<id>.jsonl`; a subagent's in a folder named after its session.

    `tmp/<project>/.project_root` tells the project's folder (`ProjectRegistry` in gemini-cli's source). Older versions
    named `<project>` by the SHA-256 of that folder's path: then `projects.json` is asked whose hash it is.
    """

    name = AGENT
    provider = "google"
    from_anywhere = False

    def roots(self, settings: Settings, environ: Mapping[str, str]) -> list[Path]:
        """See `acd.agents.layout.gemini`."""
        return layout.roots(environ)

    def files(self, root: Path) -> Iterable[HistoryFile]:
        """See `acd.agents.layout.gemini`."""
        return layout.files(root)

    def reader(self, file: HistoryFile, *, told: bool) -> ChatReader:
        """A reader that knows the project's folder."""
        return ChatReader(
            file.agent_session_id,
            _project_folder(_project_of(file)),
            subagent=file.path.stem if file.subagent else None,
            told=told,
        )

    def entries(
        self, file: HistoryFile, after: str, *, told: bool, only: str | None = None
    ) -> Iterable[Entry]:
        """The messages of a chat in one document.

        Raises:
            UnreadableLine: with a short reason.
        """
        chat = _whole(file.path)
        cwd = _project_folder(_project_of(file)) or _known_by_hash(file.path, chat.project_hash)
        reader = ChatReader(file.agent_session_id, cwd, subagent=None, told=told)
        started = reader.started(chat.session_id, chat.start_time, chat.directories)
        session = started.agent_session_id or file.path.stem
        yield Entry(key="head", agent_session_id=session, events=[started])
        for number, raw in enumerate(chat.messages):
            try:
                events = reader.message(raw)
            except UnreadableLine as error:
                yield Entry(f"message {number}", session, [], left_out=str(error))
            else:
                yield Entry(f"message {number}", session, events)


def _project_of(file: HistoryFile) -> Path:
    chats = file.path.parent.parent if file.subagent else file.path.parent
    return chats.parent


def _project_folder(project: Path) -> str | None:
    try:
        return folder((project / _OWNER).read_text(errors="replace").strip())
    except OSError:
        return None


def _known_by_hash(path: Path, project_hash: object) -> str | None:
    """The project among those that the registry knows whose path has this hash."""
    for above in path.parents:
        try:
            registry = _PROJECTS.decode((above / _REGISTRY).read_bytes())
        except OSError:
            continue
        except msgspec.MsgspecError:
            return None
        known = registry.get("projects", {})
        return next((p for p in known if _hash(p) == project_hash), None)
    return None


def _hash(path: str) -> str:
    return hashlib.sha256(path.encode(errors="replace")).hexdigest()


def _whole(path: Path) -> Chat:
    try:
        if path.stat().st_size > _LARGEST:
            raise UnreadableLine(f"longer than {_LARGEST} bytes")
        return _CHAT.decode(path.read_bytes())
    except OSError as error:
        raise UnreadableLine(f"cannot be read: {error.strerror}") from None
    except msgspec.MsgspecError:
        raise UnreadableLine("no chat of Gemini CLI") from None
    except RecursionError:
        raise UnreadableLine("nested too deeply") from None
