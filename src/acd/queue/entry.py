"""One entry of the queue file → `Target`. Pure but for `realpath`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from acd.core.budgets import Amount, Budget
from acd.core.errors import ConfigError
from acd.core.models import Complexity, Target
from acd.core.permissions import checked_rules
from acd.core.text import storable
from acd.harness.routing import ModelConfig, resolve_complexity

_PRIORITY = re.compile(r"[Pp]?([+-]?\d{1,9})")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://|[^/\s]+:")
"""What is an address and not a folder: `https://…`, `ssh://…`, or git's short form `user@host:path`."""
_SECRET = re.compile(r"https?://[^/]*@|[a-z][a-z0-9+.-]*://[^/@]*:[^/@]*@")
_LONGEST_ID = 200
_INT32 = 2**31 - 1
DEFAULT_PRIORITY = 99

_S = TypeVar("_S", bound=msgspec.Struct)
_T = TypeVar("_T")


class _Amount(Amount, frozen=True, forbid_unknown_fields=True):
    """An amount as it is written: a slip of the pen in a budget must not leave it without a bound."""


_UNBOUND = _Amount()


class EntryBudget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry's `budget`: of one session of it, and of the target in all."""

    session: _Amount = _Amount()
    target: _Amount = _Amount()


class DefaultBudget(EntryBudget, frozen=True, forbid_unknown_fields=True):
    """The `budget` of `defaults`: also for all targets, on one day and in all."""

    day: _Amount = _Amount()
    total: _Amount = _Amount()


class Defaults(msgspec.Struct, frozen=True, rename="camel"):
    """The queue file's `defaults`; an entry may say each of them itself. `session_delay` in seconds."""

    session_delay: float = 0.0
    max_sessions_per_repo: int = 50
    priority: int | float | str = DEFAULT_PRIORITY
    agent: str = "claude-code"
    until_complete: bool = True
    verify: str | None = None
    prompt: str | None = None
    budget: DefaultBudget = DefaultBudget()


class Entry(msgspec.Struct, frozen=True, rename="camel"):
    """An entry as it is written; what is left out comes from `Defaults`."""

    id: str
    path: str
    name: str | None = None
    priority: int | float | str | None = None
    complexity: Complexity | None = None
    enabled: bool = True
    focus: str | None = None
    prompt: str | None = None
    prd: str | None = None
    feature_list: str | None = None
    until_complete: bool | None = None
    tags: list[str] = []
    serial_group: str | None = None
    verify: str | None = None
    agent: str | None = None
    session_delay: float | None = None
    max_sessions_per_repo: int | None = None
    clone: str | None = None
    allow_tools: list[str] = []
    deny_tools: list[str] = []
    depends_on: list[str] = []
    budget: EntryBudget = EntryBudget()
    notes: Any = None


def known_keys(struct: type[msgspec.Struct]) -> frozenset[str]:
    """The keys, as written in the file, that a part of it may have."""
    return frozenset(struct.__struct_encode_fields__)


def convert(raw: object, struct: type[_S]) -> _S:
    """A part of the file in its typed form; null counts as left out, and `"3"` as 3.

    Raises:
        ConfigError: saying which key is wrong and what was expected.
    """
    if isinstance(raw, dict):
        raw = {key: value for key, value in raw.items() if value is not None}
    try:
        return msgspec.convert(raw, struct, strict=False)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        key = place.rstrip("`").lstrip(".")
        raise ConfigError(f"{key}: {message}" if key else message) from error


def target_of(raw: object, defaults: Defaults, models: ModelConfig, folder: Path) -> Target:
    """The target that an entry describes; relative paths count from `folder`, the queue file's own.

    Raises:
        ConfigError: the entry cannot be used; says why.
    """
    if isinstance(raw, dict) and isinstance(raw.get("complexity"), str):
        raw = {**raw, "complexity": raw["complexity"].lower()}
    entry = convert(raw, Entry)
    _check_id(entry.id)
    repository = _resolve(entry.path, folder)
    comes = bool(entry.clone) and not repository.exists()
    prompt = entry.prompt or defaults.prompt
    delay = _first(entry.session_delay, defaults.session_delay)
    sessions = _first(entry.max_sessions_per_repo, defaults.max_sessions_per_repo)
    if not 0 <= delay < _INT32 or not 0 <= sessions <= _INT32:
        raise ConfigError("sessionDelay and maxSessionsPerRepo cannot be negative or that large")
    return Target(
        repo_id=entry.id,
        name=storable(entry.name or entry.id),
        path=str(repository),
        priority=_priority(_first(entry.priority, defaults.priority)),
        complexity=resolve_complexity(entry.complexity, entry.focus, models),
        enabled=entry.enabled,
        focus=_storable(entry.focus),
        prompt=_beside(prompt, folder, repository, comes),
        prd=_beside(entry.prd, folder, repository, comes),
        feature_list=str(_feature_list(entry.feature_list, folder, repository, comes)),
        until_complete=_first(entry.until_complete, defaults.until_complete),
        serial_group=_storable(entry.serial_group),
        tags=[storable(tag) for tag in entry.tags],
        verify_command=_storable(entry.verify or defaults.verify),
        agent=storable(entry.agent or defaults.agent),
        max_sessions=sessions,
        session_delay_s=delay,
        clone=_source(entry.clone, folder),
        allow_tools=checked_rules("allowTools", entry.allow_tools),
        deny_tools=checked_rules("denyTools", entry.deny_tools),
        depends_on=sorted(set(entry.depends_on)),
        budget=_budget(entry.budget, defaults.budget),
    )


def _budget(stated: EntryBudget, defaults: DefaultBudget) -> Budget:
    """What an entry says of its own session and target comes before the defaults, bound by bound."""
    return Budget(
        session=_amount(stated.session, defaults.session),
        target=_amount(stated.target, defaults.target),
        day=_amount(defaults.day, _UNBOUND),
        total=_amount(defaults.total, _UNBOUND),
    )


def _amount(stated: Amount, default: Amount) -> Amount:
    if stated == default == _UNBOUND:
        return Amount()
    names = Amount.__struct_fields__
    return Amount(**{name: _first(getattr(stated, name), getattr(default, name)) for name in names})


def _first(stated: _T | None, default: _T) -> _T:
    return default if stated is None else stated


def _storable(text: str | None) -> str | None:
    """What the database could not take would stop the sync of every other target too."""
    return None if text is None else storable(text)


def _check_id(repo_id: str) -> None:
    if not repo_id.strip():
        raise ConfigError("id: it is empty")
    if not repo_id.isprintable() or len(repo_id) > _LONGEST_ID:
        raise ConfigError(f"id: only printable characters, at most {_LONGEST_ID}")


def _priority(value: float | str) -> int:
    """`1`, `1.0`, `"1"`, `"P1"`; negative ones are more important still."""
    if isinstance(value, str):
        match = _PRIORITY.fullmatch(value.strip())
        number = float(match[1]) if match else None
    else:
        number = float(value)
    if number is None or not number.is_integer() or abs(number) > _INT32:
        raise ConfigError(f'priority: expected a whole number or "P1", got {value!r}')
    return int(number)


def _resolve(path: str, folder: Path) -> Path:
    """Symbolic links followed, so that what is compared later is where a file really lies."""
    if not path.strip() or storable(path) != path:
        raise ConfigError(f"not a path: {path!r}")
    return Path(os.path.realpath(folder / Path(path).expanduser()))


def _source(clone: str | None, folder: Path) -> str | None:
    """What git clones from: an address as it stands, a folder made absolute.

    Security: the address is stored and shown, so it may carry no password; one that begins with a dash would be an
    option of git's.
    """
    if clone is None or not clone.strip():
        return None
    if storable(clone) != clone or not clone.isprintable() or clone.startswith("-"):
        raise ConfigError(f"clone: not an address that git can clone: {clone!r}")
    if not _ADDRESS.match(clone):
        return str(_resolve(clone, folder))
    if _SECRET.match(clone):
        raise ConfigError(
            "clone: the address carries a password or token; give it to git's credential helper instead"
        )
    return clone


def _choose(path: str, folder: Path, repository: Path, comes: bool) -> Path:
    """Relative to the queue file; else, where nothing is there, inside the repository if it is there.

    Or if it comes: it is to be cloned, so that nobody can look yet.
    """
    beside = _resolve(path, folder)
    inside = _resolve(path, repository)
    return inside if (comes or inside.exists()) and not beside.exists() else beside


def _beside(path: str | None, folder: Path, repository: Path, comes: bool) -> str | None:
    return str(_choose(path, folder, repository, comes)) if path else None


def _feature_list(path: str | None, folder: Path, repository: Path, comes: bool) -> Path:
    """Security: a feature list is read and shown, so it may lie only in the repository or with the queue file."""
    if path is None:
        found = _resolve("feature_list.json", repository)
    else:
        found = _choose(path, folder, repository, comes)
    if not (found.is_relative_to(repository) or found.is_relative_to(folder)):
        raise ConfigError(
            f"featureList: {found} lies neither in the repository nor with the queue file"
        )
    return found
