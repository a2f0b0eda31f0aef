"""What steps are made of: a file written, the feature list changed, a commit made; for real, and told as tool calls."""

from __future__ import annotations

import subprocess
from pathlib import Path

from acd.testing import ledger
from acd.testing.scripted_agent import feature_list
from acd.testing.scripted_agent.session import SEEDED, Charge, Session
from acd.testing.scripted_agent.wire import Json, ToolResult


def pick(session: Session, key: str | None) -> Json | None:
    """The named entry of the feature list, else the next pending one (None: all pass).

    Raises:
        KeyError: the list has no such feature.
    """
    features = feature_list.FeatureList(session.feature_list)
    if key is None:
        return features.next_pending()
    entry = features.find(key)
    if entry is None:
        raise KeyError(f"no feature {key!r} in {session.feature_list}")
    return entry


def write_file(session: Session, path: Path, content: str, charge: Charge = SEEDED) -> None:
    """Write a new file (tool Write), or append to one that exists (tool Edit)."""
    old = path.read_text(encoding="utf-8") if path.exists() else None
    shown = str(path.resolve())

    def act() -> ToolResult:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((old or "") + content, encoding="utf-8")
        detail: Json = {"filePath": shown, "originalFile": old, "structuredPatch": []}
        if old is None:
            return ToolResult(f"File created successfully at: {shown}", detail | {"type": "create"})
        return ToolResult(f"The file {shown} has been updated successfully.", detail)

    if old is None:
        tool_input: Json = {"file_path": shown, "content": content}
        session.use_tool("Write", tool_input, act, charge, say="I will write the file.")
    else:
        tool_input = {"file_path": shown, "old_string": old, "new_string": old + content}
        session.use_tool("Edit", tool_input, act, charge)


def rewrite_list(
    session: Session, features: feature_list.FeatureList, key: str, change: str, charge: Charge
) -> None:
    """Save a feature list that was changed in memory (tool Edit), and enter the change in the ledger."""
    path = str(features.path.resolve())
    old = features.path.read_text(encoding="utf-8")

    def act() -> ToolResult:
        with session.gate.held():
            features.save()
            session.touch_feature(key, change)
        detail = {"filePath": path, "originalFile": old, "structuredPatch": []}
        return ToolResult(f"The file {path} has been updated successfully.", detail)

    tool_input = {"file_path": path, "old_string": key, "new_string": f"{key} ({change})"}
    session.use_tool("Edit", tool_input, act, charge)


def set_passing(session: Session, key: str, passes: bool, change: str, charge: Charge) -> None:
    """Set one feature's flag in the list; `change` is the ledger's word for it."""
    features = feature_list.FeatureList(session.feature_list)
    entry = features.find(key)
    if entry is not None:
        feature_list.set_passing(entry, passes)
        rewrite_list(session, features, key, change, charge)


def commit(session: Session, message: str, charge: Charge = SEEDED) -> None:
    """Commit everything under the working directory (tool Bash); a refusal of git's shows as the tool's error."""

    def act() -> ToolResult:
        git("add", "-A", ".")
        made = git("commit", "-q", "-m", message)
        if made.returncode:
            return _bash_result(made)
        head = git("rev-parse", "HEAD")
        entry = ledger.Committed(session_id=session.id, sha=head.stdout.strip(), message=message)
        session.book.add(entry)
        return _bash_result(head)

    command = f"git add -A . && git commit -q -m '{message}' && git rev-parse HEAD"
    session.use_tool("Bash", {"command": command, "description": "commit"}, act, charge)


def run_bash(session: Session, command: str, charge: Charge = SEEDED, say: str = "") -> None:
    """Run a command line for real (tool Bash)."""

    def act() -> ToolResult:
        return _bash_result(
            subprocess.run(
                ["/bin/sh", "-c", command],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
        )

    session.use_tool("Bash", {"command": command, "description": "run"}, act, charge, say=say)


def git(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git in the working directory, with whatever identity the environment gives."""
    return subprocess.run(
        ["git", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def _bash_result(ran: subprocess.CompletedProcess[str]) -> ToolResult:
    detail = {
        "stdout": ran.stdout.strip(),
        "stderr": ran.stderr.strip(),
        "interrupted": False,
        "isImage": False,
        "noOutputExpected": False,
    }
    failed = ran.returncode != 0
    shown = ran.stdout.strip() or ran.stderr.strip()
    return ToolResult(f"Exit code {ran.returncode}\n{shown}" if failed else shown, detail, failed)
