"""`acd config`: every setting."""

from __future__ import annotations

import os

import msgspec

from acd.cli.options import AsJson, DatabaseUrl, Home, QueueFile, Verbose, new_app
from acd.cli.output import Column, show_json, show_table
from acd.core.environment import Described, described_settings, load_settings
from acd.core.settings import SECRET_SETTINGS, Settings
from acd.core.text import REDACTED, redact

app = new_app()

_COLUMNS = (
    Column("Setting"),
    Column("Value", wrapped=True),
    Column("From", wrapped=True),
    Column("Meaning", wrapped=True),
)
_FLAGS = {"home": "--home", "database_url": "--database-url", "queue_file": "--queue"}


class Setting(msgspec.Struct, frozen=True, rename="camel"):
    """One setting. `origin` is a flag, the name of an environment variable, or `default`."""

    name: str
    variable: str
    value: str | int | float | None
    origin: str
    meaning: str


@app.command()
def config(
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    queue: QueueFile = None,
    verbose: Verbose = False,
) -> None:
    """Every setting: its environment variable, value (secrets hidden), where that comes from, what it means."""
    settings = load_settings(home=home, database_url=database_url, queue_file=queue)
    flags = {"home": home, "database_url": database_url, "queue_file": queue}
    given = {name for name, value in flags.items() if value is not None}
    rows = [_setting(one, settings, given) for one in described_settings()]
    if as_json:
        show_json(msgspec.json.encode(rows))
    else:
        show_table(
            _COLUMNS, [[row.variable, _shown(row.value), row.origin, row.meaning] for row in rows]
        )


def _setting(one: Described, settings: Settings, given: set[str]) -> Setting:
    variables = [name for name in one.environment if os.environ.get(name)]
    origin = _FLAGS[one.name] if one.name in given else next(iter(variables), "default")
    value = _plain(getattr(settings, one.name))
    if one.name in SECRET_SETTINGS and value:
        value = REDACTED
    return Setting(one.name, one.environment[0], value, origin, one.description)


def _plain(value: object) -> str | int | float | None:
    if value is None or isinstance(value, (int, float)):
        return value
    return redact(str(value))


def _shown(value: str | float | None) -> str:
    return "not set" if value is None or value == "" else str(value)
