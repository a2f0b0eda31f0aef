"""`python -m bench.history_corpus FOLDER [--size 1GB] [--seed N] [--quirks]`: write a history and what it comes to."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.history_corpus import Plan, write_history

_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9}


def main() -> None:
    """Write it and say what is in it."""
    parser = argparse.ArgumentParser(prog="python -m bench.history_corpus", description=__doc__)
    parser.add_argument("folder", type=Path, help="set CLAUDE_CONFIG_DIR to it to read it")
    parser.add_argument("--size", type=_size, default="1GB", help="like 2MB or 1GB (default)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--quirks", action="store_true", help="with lines that readers stumble over"
    )
    given = parser.parse_args()
    expected = write_history(given.folder, Plan(given.size, given.seed, given.quirks))
    print(
        f"{expected.bytes:,} bytes in {expected.files:,} files: {expected.lines:,} lines, "
        f"{expected.total.requests:,} requests, {len(expected.by_day)} days; "
        f"totals are in {given.folder / 'expected.json'}"
    )


def _size(text: str) -> int:
    for unit, factor in _UNITS.items():
        if text.upper().endswith(unit):
            return int(float(text[: -len(unit)]) * factor)
    return int(text)


if __name__ == "__main__":
    main()
