"""The queue file, `repo-queue.json`: read as a whole, entry by entry; a bad entry never spoils its neighbours."""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from acd.core.errors import ConfigError, QueueFileError
from acd.core.models import Target
from acd.harness.routing import ComplexityLevel, ModelConfig
from acd.queue.depending import bad_dependencies
from acd.queue.entry import Defaults, Entry, convert, known_keys, target_of

_LARGEST = 16 * 1024**2
_TOP_LEVEL = frozenset({"version", "defaults", "modelConfig", "repos", "notes", "$schema"})


class QueueFile(msgspec.Struct, frozen=True):
    """What a queue file says. `text` is the file as it stands, for an edit that keeps everything else.

    `problems` name the entries that were skipped, `warnings` what was understood but looks wrong.
    """

    path: Path
    text: str
    targets: list[Target]
    models: ModelConfig
    problems: list[str] = []
    warnings: list[str] = []

    @property
    def folder(self) -> Path:
        """Where relative paths of its entries start."""
        return self.path.parent


def read_queue_file(path: Path) -> QueueFile:
    """Read and understand the queue file.

    Raises:
        QueueFileError: it is missing, unreadable or no queue file at all; with line and column where there is one.
    """
    path = Path(os.path.realpath(path))
    return parse_queue_file(_read_text(path), path)


def parse_queue_file(text: str, path: Path) -> QueueFile:
    """Like `read_queue_file`, from text that stands at `path`.

    Raises:
        QueueFileError: as there.
    """
    document = _document(text, path)
    try:
        defaults = convert(document.get("defaults", {}), Defaults)
        models = convert(document.get("modelConfig", {}), ModelConfig)
    except ConfigError as error:
        raise QueueFileError(f"{path}: in defaults or modelConfig: {error}") from error
    targets, problems = _targets(document["repos"], defaults, models, path.parent)
    warnings = [*_unknown_keys(document), *_shared_lists(targets)]
    return QueueFile(path, text, targets, models, problems, warnings)


def _read_text(path: Path) -> str:
    try:
        # Without O_NONBLOCK a FIFO of that name would hold us for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
                raise QueueFileError(f"{path}: not a regular file of at most {_LARGEST} bytes")
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(_LARGEST).decode("utf-8-sig")
        finally:
            os.close(descriptor)
    except FileNotFoundError as error:
        raise QueueFileError(
            f"{path}: no such queue file; name yours with --queue or ACD_QUEUE_FILE"
        ) from error
    except UnicodeDecodeError as error:
        raise QueueFileError(f"{path}: not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise QueueFileError(f"{path}: {error.strerror}") from error


def _document(text: str, path: Path) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise QueueFileError(
            f"{path}: not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from error
    except (RecursionError, ValueError) as error:  # nested too deeply, or a number of 5,000 digits
        raise QueueFileError(f"{path}: not a queue file: {error}") from error
    if isinstance(document, dict):
        document = {key: value for key, value in document.items() if value is not None}
    if not isinstance(document, dict) or not isinstance(document.get("repos"), list):
        raise QueueFileError(f'{path}: expected an object with a list "repos" (line 1, column 1)')
    return document


def _targets(
    repos: list[object], defaults: Defaults, models: ModelConfig, folder: Path
) -> tuple[list[Target], list[str]]:
    targets: dict[str, Target] = {}
    places: dict[str, str] = {}
    problems = []
    for index, raw in enumerate(repos):
        try:
            target = target_of(raw, defaults, models, folder)
            if target.repo_id in targets:
                raise ConfigError("id: another entry has it already")
        except ConfigError as error:
            problems.append(f"{_place(index, raw)}: {error}; skipped")
        else:
            targets[target.repo_id] = target
            places[target.repo_id] = _place(index, raw)
    named = {str(raw.get("id")) for raw in repos if isinstance(raw, dict)}
    while bad := bad_dependencies(list(targets.values()), named):
        problems += [
            f"{places[repo_id]}: dependsOn: {why}; skipped" for repo_id, why in bad.items()
        ]
        targets = {repo_id: each for repo_id, each in targets.items() if repo_id not in bad}
    return list(targets.values()), problems


def _place(index: int, raw: object) -> str:
    repo_id = raw.get("id") if isinstance(raw, dict) else None
    return f"repos[{index}] ({repo_id})" if repo_id is not None else f"repos[{index}]"


def _unknown_keys(document: dict[str, Any]) -> Iterable[str]:
    """One line a key and kind of place: 199 entries with the same odd key are one piece of news."""
    yield from _strangers([("the file", document)], _TOP_LEVEL)
    yield from _strangers([("defaults", document.get("defaults"))], known_keys(Defaults))
    models = document.get("modelConfig", {})
    yield from _strangers([("modelConfig", models)], known_keys(ModelConfig))
    levels = models.get("complexityLevels") or {}
    yield from _strangers(
        [(f"modelConfig.complexityLevels.{name}", level) for name, level in levels.items()],
        known_keys(ComplexityLevel),
    )
    entries = [(_place(index, raw), raw) for index, raw in enumerate(document["repos"])]
    yield from _strangers(entries, known_keys(Entry))


def _strangers(parts: list[tuple[str, Any]], known: frozenset[str]) -> Iterable[str]:
    counts: Counter[str] = Counter()
    first: dict[str, str] = {}
    for place, part in parts:
        for key in part if isinstance(part, dict) else ():
            if key not in known:
                counts[key] += 1
                first.setdefault(key, place)
    for key, count in counts.items():
        more = f" and {count - 1} more" if count > 1 else ""
        yield f"unknown key {key!r} in {first[key]}{more}; ignored"


def _shared_lists(targets: list[Target]) -> Iterable[str]:
    """Several targets in one repository are fine; two that count the same features are most likely a slip."""
    owners: dict[str | None, str] = {}
    for target in targets:
        owner = owners.setdefault(target.feature_list, target.repo_id)
        if owner != target.repo_id:
            yield f"{target.repo_id!r} and {owner!r} share one feature list, {target.feature_list}"
