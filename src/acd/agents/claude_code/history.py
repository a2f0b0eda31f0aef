"""The history that Claude Code keeps in its own folders (facts: claude-code.md, section 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from acd.agents.claude_like.past import PastReader
from acd.agents.history import Entry, HistoryFile
from acd.agents.layout import claude_code as layout
from acd.core.settings import Settings


class ClaudeCodeHistory:
    """Transcripts, the main ones and those of subagents at any depth."""

    name = "claude-code"
    provider = "anthropic"
    from_anywhere = True

    def roots(self, settings: Settings, environ: Mapping[str, str]) -> list[Path]:
        """See `acd.agents.layout.claude_code`."""
        return layout.roots(environ, settings.claude_config_dir)

    def files(self, root: Path) -> Iterable[HistoryFile]:
        """See `acd.agents.layout.transcripts`."""
        return layout.files(root)

    def reader(self, file: HistoryFile, *, told: bool) -> PastReader:
        """See `acd.agents.claude_like.past`."""
        subagent = file.path.stem.removeprefix("agent-") if file.subagent else None
        return PastReader(self.name, told=told, session_id=file.agent_session_id, subagent=subagent)

    def entries(
        self, file: HistoryFile, after: str, *, told: bool, only: str | None = None
    ) -> Iterable[Entry]:
        """It keeps no stores."""
        return ()
