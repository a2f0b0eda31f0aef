"""`acd statusline`: one line for Claude Code's status line, from what it tells on stdin and a small file that acd keeps.

Claude Code calls it at every change, so it imports a handful of modules of the standard library and nothing else, asks no
database and reads one file (`acd.queue.status_file` writes it). It never fails: an empty line or an exit status would make
the status line go blank. Facts: the documentation of Claude Code's status line (JSON on stdin with `model.display_name`,
`workspace.current_dir`, `cost.total_cost_usd`, `context_window.used_percentage`; the first line of stdout is shown).
"""

from __future__ import annotations

import os
import sys
import time

from acd.core.home import home_by

try:  # the half of `json` that is written in C: the other half loads `re`, which takes longer than all the rest
    from _json import make_scanner
except ImportError:  # another Python
    from json.scanner import make_scanner

FILE = "statusline.json"
"""Name of the file in ACD_HOME. Times in it are seconds since the epoch, money is text."""

_STALE_S = 3600
_BETWEEN = " \u00b7 "
_MOST = 40
_LONGEST = 4096


def main() -> None:
    """Print the line."""
    line = line_of(_told(), _kept(), time.time())
    sys.stdout.buffer.write((line + "\n").encode("utf-8", "replace"))


def line_of(told: dict, kept: dict, now: float) -> str:  # type: ignore[type-arg]
    """The line: model and context, this session's cost, today, the block of five hours, the target worked in here.

    Args:
        told: what Claude Code says of its session; whatever is missing or of another kind is left out.
        kept: the file's content.
        now: seconds since the epoch.
    """
    parts = [_model(told), _session(told), *_spent(kept, now), _target(told, kept)]
    return _BETWEEN.join(part for part in parts if part) or "acd"


def _model(told: dict) -> str:  # type: ignore[type-arg]
    name = _text(_at(told, "model", "display_name"))[:_MOST]
    used = _number(_at(told, "context_window", "used_percentage"))
    return f"{name} {used:.0f}%" if name and used is not None else name


def _session(told: dict) -> str:  # type: ignore[type-arg]
    cost = _number(_at(told, "cost", "total_cost_usd"))
    return "" if cost is None else f"{_money(cost)} session"


def _spent(kept: dict, now: float) -> list[str]:  # type: ignore[type-arg]
    written, ends = _number(kept.get("writtenAt")), _number(kept.get("dayEnds"))
    if written is None or ends is None:
        return []
    old = time.strftime(" (%H:%M)", time.localtime(written)) if now - written > _STALE_S else ""
    parts = []
    listed = _text(kept.get("todayListed"))[:_MOST], _text(kept.get("blockListed"))[:_MOST]
    today = _number(kept.get("todayUsd"))
    if today is not None and now < ends:
        parts.append(f"{_money(today)} today{_of(listed[0])}{old}")
    cost, until = _number(kept.get("blockUsd")), _number(kept.get("blockEnds"))
    if cost is not None and until is not None and now < until:
        hours, minutes = divmod(int(until - now) // 60, 60)
        parts.append(f"{_money(cost)} block{_of(listed[1])}, {hours}h{minutes:02d}m left{old}")
    return parts


def _of(listed: str) -> str:
    """That a cost is at list price, as the file says it (`acd.core.billing`)."""
    return f" {listed}" if listed else ""


def _target(told: dict, kept: dict) -> str:  # type: ignore[type-arg]
    folder = _text(_at(told, "workspace", "current_dir")) or _text(told.get("cwd"))
    targets = kept.get("targets")
    if not folder or not isinstance(targets, list):
        return ""
    best, words = "", ""
    for one in targets:
        path = _text(one.get("path")) if isinstance(one, dict) else ""
        inside = path and (folder == path or folder.startswith(path + "/"))
        if inside and len(path) > len(best):
            best = path
            words = f"{_text(one.get('repoId'))[:_MOST]} {one.get('passing')}/{one.get('total')}"
    return words


def _at(told: dict, *names: str) -> object:  # type: ignore[type-arg]
    found: object = told
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _text(value: object) -> str:
    """Printable and not endless: a folder's or a model's name must not steer the terminal."""
    if not isinstance(value, str):
        return ""
    return "".join(c if c.isprintable() else "?" for c in value)[:_LONGEST]


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 1e11 else None  # neither infinite nor absurd


def _money(usd: float) -> str:
    return f"${usd:,.2f}"


def _told() -> dict:  # type: ignore[type-arg]
    if sys.stdin is None or sys.stdin.isatty():
        return {}
    return _object(sys.stdin.buffer.read())


def _kept() -> dict:  # type: ignore[type-arg]
    try:
        with open(os.path.join(home_by(os.environ), FILE), "rb") as file:  # noqa: PTH118, PTH123 - pathlib costs 10 ms
            return _object(file.read())
    except OSError:
        return {}


class _Reading:
    """How `json.loads` reads unless told otherwise: what its scanner asks for."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float


def _object(data: bytes) -> dict:  # type: ignore[type-arg]
    text = data.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    try:
        found, _end = make_scanner(_Reading())(text, 0)  # type: ignore[arg-type]
    # SystemError: what is no JSON, of which the C half cannot tell without the other half.
    except (ValueError, RecursionError, StopIteration, SystemError):
        return {}
    return found if isinstance(found, dict) else {}
