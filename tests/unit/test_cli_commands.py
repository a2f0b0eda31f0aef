"""The program as it is called: which commands there are, what they cost to load, how errors are told."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

from acd import __version__
from acd.cli.main import GROUPS

COMMANDS = [command for _, group in GROUPS for command in group]
HEAVY = {
    "fastapi",
    "procrastinate",
    "genai_prices",
    "psycopg",
    "alembic",
    "rich",
    "typer",
    "msgspec",
}


def acd(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program with nothing in its environment but what is given."""
    return subprocess.run(
        [sys.executable, "-m", "acd", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={"HOME": "/nonexistent", **environment},
        check=False,
    )


def modules_after(code: str, *arguments: str) -> set[str]:
    """Top-level names of the modules that are loaded after running `code` as the program would."""
    program = f"import sys\nsys.argv = ['acd', *{arguments!r}]\ntry:\n    {code}\nexcept SystemExit:\n    pass\n"
    program += "print('\\x00', *sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        env={"HOME": "/nonexistent"},
        check=True,
    )
    return set(done.stdout.rpartition("\x00")[2].split())


def test_help_lists_every_command() -> None:
    done = acd("--help")
    assert done.returncode == 0
    listed = {line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")}
    assert listed == {command.name for command in COMMANDS}
    words = "run worker session status sync sessions features errors commits usage serve doctor db demo prices config export consent pause resume drain stop retry unblock skip login report notify reprice statusline import audit"
    assert listed == set(words.split())
    assert all(command.summary in done.stdout for command in COMMANDS)


def test_help_loads_nothing_that_it_does_not_need() -> None:
    loaded = modules_after("from acd.cli.main import main; main()", "--help")
    assert "acd" in loaded
    assert not loaded & HEAVY


NOT_FOR_LOOKING = {
    "fastapi",
    "uvicorn",
    "procrastinate",
    "genai_prices",
    "alembic",
    "sqlalchemy",
    "pydantic",
    "prometheus_client",
    "pyarrow",
}


def test_the_status_command_loads_no_server_no_engine_no_prices() -> None:
    loaded = modules_after("import acd.cli.status, acd.cli.from_database")
    assert "psycopg" in loaded
    assert not loaded & {*NOT_FOR_LOOKING, "httpx"}


def test_looking_at_a_server_loads_no_driver() -> None:
    loaded = modules_after("import acd.cli.status, acd.cli.from_server")
    assert "httpx" in loaded
    assert not loaded & {*NOT_FOR_LOOKING, "psycopg"}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_a_module(command: object) -> None:
    assert find_spec(getattr(command, "module", "")) is not None


def test_version() -> None:
    done = acd("--version")
    assert (done.returncode, done.stdout) == (0, f"acd {__version__}\n")


def test_without_a_command_the_help_is_shown_as_wrong_usage() -> None:
    done = acd()
    assert done.returncode == 2
    assert "Usage: acd COMMAND" in done.stdout


def test_an_unknown_command_gets_a_suggestion() -> None:
    done = acd("stauts\x1b[2J")
    assert done.returncode == 2
    assert "did you mean `acd status`?" in done.stderr
    assert "\x1b" not in done.stderr


def test_an_unknown_option_is_wrong_usage() -> None:
    done = acd("config", "--nonsense")
    assert done.returncode == 2
    assert "--nonsense" in done.stderr


def test_a_bad_setting_is_named_without_a_traceback() -> None:
    done = acd("config", BACKEND_PORT="many")
    assert done.returncode == 1
    assert "BACKEND_PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_traceback_is_shown_on_request() -> None:
    done = acd("config", BACKEND_PORT="many", ACD_DEBUG="1")
    assert "Traceback" in done.stderr


def test_an_unreachable_database_is_told_with_what_to_do() -> None:
    url = "postgresql://acd_user:hunter2hunter2@127.0.0.1:1/acd_database"
    done = acd("status", DATABASE_URL=url)
    assert done.returncode == 3
    assert "127.0.0.1" in done.stderr
    assert "acd doctor" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_settings_are_shown_with_their_origin_and_without_secrets() -> None:
    url = "postgresql://acd_user:hunter2hunter2@db.example/acd_database"
    done = acd("config", "--home", "/somewhere", DATABASE_URL=url, ACD_CONCURRENCY="3")
    assert done.returncode == 0
    assert "hunter2" not in done.stdout
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "--home" in lines["ACD_HOME"]
    assert "/somewhere" in lines["ACD_HOME"]
    assert " 3 " in lines["ACD_CONCURRENCY"]
    assert "default" in lines["BACKEND_PORT"]


@pytest.mark.parametrize("command", ["run", "worker", "sync", "serve", "doctor", "db"])
def test_what_needs_this_machine_says_so_where_another_one_is_named(command: str) -> None:
    done = acd(command, ACD_URL="http://me:secret@builder:3434")
    assert done.returncode == 1
    assert f"`acd {command}` works on this machine" in done.stderr
    assert "secret" not in done.stderr
    assert acd(command, "--help", ACD_URL="http://builder:3434").returncode == 0


def test_an_address_that_is_none_is_named() -> None:
    done = acd("sessions", ACD_URL="builder")
    assert done.returncode == 1
    assert "ACD_URL must be like http://builder:3434, not 'builder'" in done.stderr


def test_a_server_that_is_not_there_is_told_at_once() -> None:
    done = acd("sessions", ACD_URL="http://127.0.0.1:1")
    assert done.returncode == 3
    assert "http://127.0.0.1:1 cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr
