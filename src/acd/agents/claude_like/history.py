"""Where a Claude-like agent keeps what it wrote about a session (claude-code.md, section 6)."""

from __future__ import annotations

import re
from pathlib import Path

# An id comes from a line that an agent printed: it must not become a pattern or a way out of the folder.
_SESSION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def find_transcripts(config_dir: Path, session_id: str) -> list[Path]:
    """Transcripts of the session below `config_dir`: main ones first, then those of subagents, each sorted by path.

    The name of the folder between is made from the session's working directory by rules that differ between
    versions; so it is not computed, the session's id is looked for in all of them.
    """
    if not _SESSION_ID.fullmatch(session_id):
        return []
    projects = config_dir / "projects"
    main = sorted(projects.glob(f"*/{session_id}.jsonl"))
    subagents = sorted(projects.glob(f"*/{session_id}/subagents/**/*.jsonl"))
    return [path for path in [*main, *subagents] if path.is_file() and not path.is_symlink()]
