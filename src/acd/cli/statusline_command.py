"""`acd statusline` where it is asked how it is called; `acd.cli.entry` takes the short way."""

from __future__ import annotations

from acd.cli import statusline as line
from acd.cli.options import new_app

app = new_app()


@app.command()
def statusline() -> None:
    """A line for Claude Code's status line: session, today, block of five hours, target.

    Reads Claude Code's JSON on stdin, and statusline.json in ACD_HOME, which `acd run`, `acd worker`, `acd serve` and `acd sync` keep
    fresh. In Claude Code's settings.json:

    {"statusLine": {"type": "command", "command": "acd statusline"}}
    """
    line.main()
