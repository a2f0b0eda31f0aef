"""Where Qwen Code keeps its chats, and who reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from acd.agents.history import Entry, HistoryFile
from acd.agents.layout import qwen as layout
from acd.agents.qwen.record import AGENT, ChatReader
from acd.core.settings import Settings


class QwenHistory:
    """Chats: `projects/<folder>/chats/<session>.jsonl`.

    What subagents spent stands in their session's chat; their own transcripts, where a version writes them, tell the
    same requests without an id in common, so they are left alone. Models are priced as OpenRouter names and prices them:
    their maker's own list is not in genai-prices.
    """

    name = AGENT
    provider = "openrouter"
    from_anywhere = False

    def roots(self, settings: Settings, environ: Mapping[str, str]) -> list[Path]:
        """See `acd.agents.layout.qwen`."""
        return layout.roots(environ)

    def files(self, root: Path) -> Iterable[HistoryFile]:
        """See `acd.agents.layout.qwen`."""
        return layout.files(root)

    def reader(self, file: HistoryFile, *, told: bool) -> ChatReader:
        """A reader that remembers which requests were told by one of their two records."""
        return ChatReader(file.agent_session_id or file.path.stem, told=told)

    def entries(
        self, file: HistoryFile, after: str, *, told: bool, only: str | None = None
    ) -> Iterable[Entry]:
        """It keeps no stores."""
        return ()
