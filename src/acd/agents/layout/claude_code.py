"""Where Claude Code keeps its transcripts (facts: claude-code.md, section 6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from acd.agents.layout.file import HistoryFile
from acd.agents.layout.transcripts import transcripts_below


def roots(environ: Mapping[str, str], chosen: Path | None = None) -> list[Path]:
    """`~/.claude`, `~/.config/claude`, and what CLAUDE_CONFIG_DIR names: one folder or several with commas between.

    Args:
        environ: the environment.
        chosen: what the settings say in its place.
    """
    said = str(chosen or environ.get("CLAUDE_CONFIG_DIR") or "")
    named = [Path(part.strip()).expanduser() for part in said.split(",") if part.strip()]
    config = environ.get("XDG_CONFIG_HOME") or "~/.config"
    usual = [Path("~/.claude").expanduser(), Path(config).expanduser() / "claude"]
    return list(dict.fromkeys([*named, *usual]))


def files(root: Path) -> Iterator[HistoryFile]:
    """See `acd.agents.layout.transcripts`."""
    return transcripts_below(root)
