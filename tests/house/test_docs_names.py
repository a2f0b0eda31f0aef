"""What the documentation names is there: files, modules, routes, options; and what is there is named."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from typer.core import TyperGroup
from typer.main import get_command

from acd.cli.main import GROUPS
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.server import create_app
from tests.house.pages import PAGES, ROOT, blocks_of, prose_of, words_set_as_code

NOT_IN_THE_TREE = {
    "repo-queue.json": "a user's",
    "feature_list.json": "a target's",
    ".env": "a user's",
    "stream.jsonl": "a session's",
    "journal.jsonl": "a session's",
    "stderr.log": "a session's",
    "statusline.json": "of ACD_HOME",
    "settings.json": "Claude Code's",
    "transcripts/": "a session's",
    ".mcp.json": "a repository's, for its agent",
    ".claude/": "a repository's, for its agent",
    "CLAUDE.md": "a repository's, for its agent",
    "rules/": "a repository's, for its agent",
    ".claude/CLAUDE.md": "a repository's, for its agent",
    ".claude/rules/": "a repository's, for its agent",
    "CLAUDE.local.md": "a repository's, for its agent",
    "screenshots/": "made by a command",
    "uv.lock": "the one that there is not, and why",
}
# Of the agent, and of the benchmarks.
OPTIONS_OF_OTHERS = {
    "--permission-mode",
    "--output-format",
    "--offline",
    "--scale",
    "--size",
    "--strict",
    "--targets",
    "--seed",
    "--keep",
    "--page",
    "--docs",
    "--folder",
    "--serve",
}
_FILE = re.compile(
    r"[\w.*-]+(?:/[\w.*<>-]+)*(?:/|\.(?:py|md|sql|toml|json|jsonl|lock|yml|png|log|example))"
)
_MODULE = re.compile(r"acd(?:\.\w+)+")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_PLACEHOLDER = re.compile(r"<|NNNN")
_SHORTEST = 8
"""Characters of the shortest description that says something."""


@cache
def tree() -> frozenset[str]:
    """Every file and folder, as `/src/acd/core/` or `/README.md`."""
    found = set()
    for top in ROOT.iterdir():
        if top.name in {".git", ".venv"} or top.name.endswith("_cache"):
            continue
        for path in [top, *top.rglob("*")]:
            if "__pycache__" not in path.parts:
                found.add(f"/{path.relative_to(ROOT)}{'/' if path.is_dir() else ''}")
    return frozenset(found)


def is_there(name: str) -> bool:
    """A file or folder of that name, wherever it is; up to the first part that the reader fills in."""
    cut = _PLACEHOLDER.search(name)
    if cut:
        name = name[: cut.start()].rpartition("/")[0] + "/"
    return any(fnmatch(path, f"*/{name}") for path in tree())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_are_there(page: Path) -> None:
    named = [word for word in words_set_as_code(page) if _FILE.fullmatch(word)]
    ours = [word for word in named if not _MODULE.fullmatch(word) and word not in NOT_IN_THE_TREE]
    missing = [word for word in ours if not word.startswith("ACD_HOME/") and not is_there(word)]
    assert missing == []


@pytest.mark.parametrize("name", ["src/acd/nothing.py", "sql/nothing*.sql", "src/nothing/<name>/"])
def test_a_file_that_is_not_there_is_noticed(name: str) -> None:
    assert _FILE.fullmatch(name)
    assert not is_there(name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_modules_that_are_named_can_be_imported(page: Path) -> None:
    assert [word for word in words_set_as_code(page) if not _is_importable(word)] == []


def _is_importable(word: str) -> bool:
    if (
        not _MODULE.fullmatch(word) or word == "acd.agents"
    ):  # also the name of the entry point group
        return True
    if find_spec(word.rpartition(".")[0]) is None:
        return False
    parent, _, name = word.rpartition(".")
    return hasattr(importlib.import_module(parent), name) or find_spec(word) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets_of = [link for link in _LINK.findall(prose_of(page)) if "://" not in link]
    assert [link for link in targets_of if not _leads_somewhere(page, link)] == []


def _leads_somewhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    if not target.exists():
        return False
    return not anchor or anchor in _anchors(target)


def _anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def everything() -> str:
    return "\n".join(page.read_text() for page in PAGES)


@cache
def commands() -> Mapping[str, frozenset[str]]:
    """The options of every command of acd, by its name; `db start` and the like too."""
    found: dict[str, frozenset[str]] = {}
    for one in (one for _, group in GROUPS for one in group):
        command = get_command(getattr(importlib.import_module(one.module), one.app))
        below = command.commands if isinstance(command, TyperGroup) else {}
        for name, each in {
            one.name: command,
            **{f"{one.name} {k}": v for k, v in below.items()},
        }.items():
            found[name] = frozenset(word for option in each.params for word in option.opts)
    return found


def test_every_command_is_named() -> None:
    code = {word for page in PAGES for words in words_set_as_code(page) for word in words.split()}
    missing = [name for name in commands() if name.split()[-1] not in code]
    assert missing == []


def test_every_command_that_is_named_exists() -> None:
    named = re.findall(r"\bacd ([a-z]+)(?: ([a-z]+))?", "\n".join(_calls()))
    known = commands()
    wrong = [
        f"{name} {sub}".strip()
        for name, sub in named
        if name not in known or (sub and name == "db" and f"db {sub}" not in known)
    ]
    assert wrong == []


def _calls() -> Iterator[str]:
    """What is written as a call: code in prose, and lines of shell."""
    for page in PAGES:
        yield from (word for word in words_set_as_code(page) if word.startswith("acd "))
        for block in blocks_of(page):
            if block.language == "bash":
                yield from (line for line in block.text.splitlines() if line.startswith("acd "))


def test_every_option_that_is_named_exists() -> None:
    known = frozenset().union(*commands().values())
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", everything()))
    assert named - known - OPTIONS_OF_OTHERS - {"--help", "--version"} == set()
    assert {"--concurrency", "--dry-run", "--json"} <= known & named


async def test_every_path_of_the_api_that_is_named_exists(database: Database) -> None:
    app = create_app(database, Settings())
    known = {_shape(path) for path in app.openapi()["paths"] if path.startswith("/api/")}
    named = {_shape(path) for path in re.findall(r"/api/[\w/{}-]+", everything())}
    assert named - known == set()
    assert known - named == set()


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path).rstrip("/")


def test_every_table_is_described(database_url: str) -> None:
    """docs/database.md has a line for each table: its key, and the words that stand in the catalogue."""
    lines = re.findall(
        r"^\| `(\w+)` \| ([^|]*) \| ([^|]*) \|$",
        (ROOT / "docs/database.md").read_text(),
        re.MULTILINE,
    )
    with psycopg.connect(database_url) as connection:
        tables = connection.execute(
            "SELECT c.relname, obj_description(c.oid), (SELECT string_agg(quote_ident(a.attname), ', ' "
            "ORDER BY array_position(i.indkey::smallint[], a.attnum)) FROM pg_index i JOIN pg_attribute a "
            "ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey) WHERE i.indrelid = c.oid AND i.indisprimary) "
            "FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
        ).fetchall()
    described = {name: (words.strip(), key.strip()) for name, key, words in lines}
    assert {name: words for name, (words, _) in described.items()} == {
        name: words for name, words, _ in tables if words
    }
    assert {name: key for name, (_, key) in described.items()} == {
        name: ", ".join(f"`{column}`" for column in key.split(", "))
        for name, words, key in tables
        if words
    }
    assert [name for name, words, _ in tables if not words] == ["acd_schema_version"]  # Alembic's
    assert min(len(words) for words, _ in described.values()) > _SHORTEST
