"""Settings out of environment variables and flags, checked; and what a person reads about each."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from acd.core.errors import ConfigError
from acd.core.notices import notice_kinds
from acd.core.settings import Settings, default_home

_OTHER_NAMES = {
    "database_url": ("DATABASE_URL", "ACD_DATABASE_URL"),
    "port": ("BACKEND_PORT", "ACD_PORT"),
    "claude_config_dir": ("CLAUDE_CONFIG_DIR", "ACD_CLAUDE_CONFIG_DIR"),
}
_NO_VARIABLE = frozenset({"given", "skip_permissions"})
_OF_THE_MACHINE = {"home": default_home, "host_name": socket.gethostname}


class Described(NamedTuple):
    """A setting as a person reads about it."""

    name: str
    environment: tuple[str, ...]
    default: object
    description: str


def described_settings() -> Iterator[Described]:
    """Every setting with the variables that set it (the first one found counts), its default and what it means."""
    hints = get_type_hints(Settings, include_extras=True)
    for field in msgspec.structs.fields(Settings):
        if field.name not in _NO_VARIABLE:
            own = _OF_THE_MACHINE.get(field.name)
            default = own() if own else field.default
            metas = [meta for meta in hints[field.name].__metadata__ if isinstance(meta, Meta)]
            description = " ".join(meta.description for meta in metas if meta.description)
            yield Described(field.name, _variables(field.name), default, description)


def load_settings(environment: Mapping[str, str] | None = None, **overrides: object) -> Settings:
    """Read the settings; `overrides` (from flags; None is no override) win over the environment.

    Raises:
        ConfigError: naming each setting that is wrong and why.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, object] = {}
    for field in msgspec.structs.fields(Settings):
        found = [environment[name] for name in _variables(field.name) if environment.get(name)]
        if field.name not in _NO_VARIABLE and found:
            values[field.name] = found[0]
    values.update({name: value for name, value in overrides.items() if value is not None})
    return _checked(values)


def _checked(values: dict[str, object]) -> Settings:
    problems = []
    for name in values:
        try:
            _convert({name: values[name]})
        except (msgspec.ValidationError, ValueError) as error:
            variables = " or ".join(_variables(name))
            said = str(error).removesuffix(f" - at `$.{name}`")
            choices = _choices(name)
            problems.append(f"{variables}: {said}" + (f"; choose {choices}" if choices else ""))
    if unknown := sorted(set(values) - set(Settings.__struct_fields__)):
        problems.append(f"no such setting: {', '.join(unknown)}")
    if problems:
        raise ConfigError("bad settings:\n  " + "\n  ".join(problems))
    return _convert(values)


def _choices(name: str) -> str:
    """The words that a setting takes, where it takes only some."""
    kind = get_type_hints(Settings).get(name)
    return " or ".join(map(str, get_args(kind))) if get_origin(kind) is Literal else ""


def _convert(values: dict[str, object]) -> Settings:
    settings = msgspec.convert(
        {**values, "given": list(values)}, Settings, strict=False, dec_hook=_decode
    )
    notice_kinds(settings.notify_on)
    try:
        ZoneInfo(settings.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {settings.timezone!r}") from error
    return settings


def _decode(kind: type, value: Any) -> Any:  # noqa: ANN401 - the signature that msgspec asks for
    if kind is Path:
        return Path(value).expanduser()
    raise NotImplementedError(f"{kind} in a setting")


def _variables(name: str) -> tuple[str, ...]:
    return _OTHER_NAMES.get(name, (f"ACD_{name.upper()}",))
