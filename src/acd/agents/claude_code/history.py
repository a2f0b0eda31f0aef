"""The history that Claude Code keeps in its own folders (facts: claude-code.md, section 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from acd.agents.claude_like.folders import transcripts_below
from acd.agents.claude_like.past import PastReader
from acd.agents.history import Entry, HistoryFile
from acd.core.settings import Settings


class ClaudeCodeHistory:
    """Transcripts, the main ones and those of subagents at any depth."""

    name = "claude-code"
    provider = "anthropic"
    from_anywhere = True

    def roots(self, settings: Settings, environ: Mapping[str, str]) -> list[Path]:
        """`~/.claude`, `~/.config/claude`, and what CLAUDE_CONFIG_DIR names: one folder or several with commas between."""
        chosen = str(settings.claude_config_dir or environ.get("CLAUDE_CONFIG_DIR") or "")
        named = [Path(part.strip()).expanduser() for part in chosen.split(",") if part.strip()]
        config = environ.get("XDG_CONFIG_HOME") or "~/.config"
        usual = [Path("~/.claude").expanduser(), Path(config).expanduser() / "claude"]
        return list(dict.fromkeys([*named, *usual]))

    def files(self, root: Path) -> Iterable[HistoryFile]:
        """See `acd.agents.claude_like.folders`."""
        return transcripts_below(root)

    def reader(self, file: HistoryFile, *, told: bool) -> PastReader:
        """See `acd.agents.claude_like.past`."""
        subagent = file.path.stem.removeprefix("agent-") if file.subagent else None
        return PastReader(self.name, told=told, session_id=file.agent_session_id, subagent=subagent)

    def entries(
        self, file: HistoryFile, after: str, *, told: bool, only: str | None = None
    ) -> Iterable[Entry]:
        """It keeps no stores."""
        return ()
