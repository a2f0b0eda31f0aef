"""`acd`: finds the command by its name, calls it, and tells errors in words.

Imports nothing of the program but its errors and its version, so that `acd --help` answers at once.
"""

from __future__ import annotations

import difflib
import os
import sys
import textwrap
from typing import NamedTuple, NoReturn

from acd import __version__
from acd.cli.failures import install_hook, told
from acd.cli.loading import load
from acd.core.errors import ConfigError
from acd.core.text import redact

_HELP = frozenset({"-h", "--help"})


class Command(NamedTuple):
    """Where a command lives (a module with a Typer application, by its name there) and what it is for.

    `here`: it works on this machine, and cannot on the server that ACD_URL names.
    """

    name: str
    module: str
    summary: str
    here: bool = False
    app: str = "app"


_CONTROL = "acd.cli.control"

GROUPS: tuple[tuple[str, tuple[Command, ...]], ...] = (
    (
        "Work",
        (
            Command(
                "run", "acd.cli.run", "Work the queue until it is done, with a live view", here=True
            ),
            Command(
                "worker",
                "acd.cli.worker",
                "Work sessions that others queue, until stopped",
                here=True,
            ),
            Command(
                "sync",
                "acd.cli.sync",
                "Read the queue file and record what waits in files",
                here=True,
            ),
            Command(
                "import",
                "acd.cli.importing",
                "Record the history that agents keep in their own folders",
                here=True,
            ),
            Command("serve", "acd.cli.serve", "Serve the API and the pages alone", here=True),
            Command(
                "demo", "acd.cli.demo", "See everything work on a small queue, without a model"
            ),
        ),
    ),
    (
        "Control",
        (
            Command("pause", _CONTROL, "Let no further session begin until resumed", app="pausing"),
            Command("resume", _CONTROL, "Go on after a pause", app="resuming"),
            Command("drain", _CONTROL, "Let what runs end, then end", app="draining"),
            Command("stop", _CONTROL, "End what runs in order, or one session", app="stopping"),
            Command("retry", _CONTROL, "Give a target another try at once", app="retrying"),
            Command("unblock", _CONTROL, "Let blocked targets be worked again", app="unblocking"),
            Command("login", "acd.cli.login", "A link that lets a browser change things"),
            Command("skip", _CONTROL, "Leave a feature of a target out", app="skipping"),
        ),
    ),
    (
        "Look",
        (
            Command(
                "status", "acd.cli.status", "What works now, the queue with its progress, totals"
            ),
            Command("sessions", "acd.cli.sessions", "Sessions, newest first"),
            Command("session", "acd.cli.session", "One session with everything recorded of it"),
            Command(
                "features", "acd.cli.features", "A target's features, what does not pass first"
            ),
            Command("errors", "acd.cli.errors", "Errors of agents and of acd, newest first"),
            Command("commits", "acd.cli.commits", "Commits made in sessions, newest first"),
            Command("usage", "acd.cli.usage", "Tokens and cost by day, model, target, session, …"),
            Command(
                "report", "acd.cli.report", "What was done, what it cost, what is stuck and why"
            ),
            Command(
                "statusline", "acd.cli.statusline_command", "A line for Claude Code's status line"
            ),
            Command(
                "audit",
                "acd.cli.audit",
                "Explain a session's or a day's total down to file and byte",
                here=True,
            ),
            Command("export", "acd.cli.export", "Records as a file: CSV, JSON Lines, Parquet"),
            Command(
                "prices", "acd.cli.prices", "What models cost, and which have no price; set one"
            ),
        ),
    ),
    (
        "Care",
        (
            Command(
                "doctor",
                "acd.cli.doctor",
                "Check everything that can be wrong, say what to do",
                here=True,
            ),
            Command(
                "consent",
                "acd.cli.consent",
                "May a repository's own agent settings be loaded?",
                here=True,
            ),
            Command("reprice", "acd.cli.reprice", "Price recorded requests anew", here=True),
            Command("notify", "acd.cli.notify", "Test the notifications", here=True),
            Command("config", "acd.cli.config", "Every setting: value, where from, meaning"),
            Command("db", "acd.cli.db", "Start, stop, dump, restore, … the database", here=True),
        ),
    ),
)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Do what the command line says and exit.

    Exit status: 0 done; 1 failed, the message says why; 2 wrong usage; 3 the database is away; 130 interrupted.
    """
    words = sys.argv[1:] if arguments is None else arguments
    install_hook()
    if not words or words[0] in {"-h", "--help", "help"}:
        print(_overview())
        sys.exit(0 if words else 2)
    if words[0] in {"-V", "--version"}:
        print(f"acd {__version__}")
        sys.exit(0)
    command = _find(words[0])
    if command is None:
        print(_unknown(words[0]), file=sys.stderr)
        sys.exit(2)
    with told():
        if command.here and not _HELP & set(words):
            _insist_on_here(command)
        app = getattr(load(command.module), command.app)
        app(args=words[1:], prog_name=f"acd {command.name}")
    sys.exit(0)


def _insist_on_here(command: Command) -> None:
    """Refuse what cannot be done on another machine, before it is done on this one by mistake.

    Raises:
        ConfigError: ACD_URL names a server.
    """
    if url := os.environ.get("ACD_URL"):
        raise ConfigError(
            f"`acd {command.name}` works on this machine, but ACD_URL is set ({redact(url)}): the reading commands show "
            f"that server's records. For this machine: ACD_URL= acd {command.name} …"
        )


def _find(name: str) -> Command | None:
    return next((one for _, group in GROUPS for one in group if one.name == name), None)


def _unknown(word: str) -> str:
    if word.startswith("-"):
        return f"acd: options stand after the command: acd COMMAND {word!r} …; see acd --help"
    names = [one.name for _, group in GROUPS for one in group]
    near = difflib.get_close_matches(word, names, n=1)
    hint = f"did you mean `acd {near[0]}`?" if near else "see acd --help"
    return f"acd: there is no command {word!r}; {hint}"


def _overview() -> str:
    lines = [
        "acd works a queue of git repositories with coding agents and records every session in PostgreSQL.",
        "",
        "Usage: acd COMMAND [OPTIONS]",
    ]
    width = max(len(one.name) for _, group in GROUPS for one in group)
    for title, group in GROUPS:
        lines += ["", f"{title}:", *(f"  {one.name:<{width}}  {one.summary}" for one in group)]
    after = (
        "acd COMMAND --help shows a command's options. Everything lies under ACD_HOME (or --home); the database is "
        "an embedded one unless DATABASE_URL is set; with ACD_URL, that server is looked at and controlled. New here? acd demo, then acd doctor."
    )
    columns = min(_columns(), 100)
    return "\n".join(
        [*textwrap.wrap(lines[0], columns), *lines[1:], "", *textwrap.wrap(after, columns)]
    )


def _columns() -> int:
    try:
        return os.get_terminal_size().columns
    except OSError:  # not a terminal
        return 100
