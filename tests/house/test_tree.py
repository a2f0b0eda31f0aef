"""What must never be in the tree: paths of a machine, addresses of a registry, secrets."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Put together from parts, so that this file does not hold what it forbids.
FORBIDDEN = {
    "address of a package registry": "|".join(
        re.escape(".".join(parts))
        for parts in (
            ("pypi", "org"),
            ("files", "pythonhosted", "org"),
            ("registry", "npmjs", "org"),
            ("deb", "debian", "org"),
        )
    ),
    "path of a machine": "/".join(("", "work", "main")) + "|" + "/".join(("", "root", "")),
    "private key": "-----BEGIN [A-Z ]*PRIVATE " + "KEY-----\n[A-Za-z0-9+/=]{40}",
}


def tracked_text_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_nothing_forbidden_is_tracked() -> None:
    found = []
    for path in tracked_text_files():
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [
            f"{path.relative_to(ROOT)}: {what}: {match[0]}"
            for what, pattern in FORBIDDEN.items()
            for match in re.finditer(pattern, text)
        ]
    assert found == []


def test_every_package_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "src").rglob("*.py")
        if not path.read_text(encoding="utf-8").lstrip().startswith('"""')
    ]
    assert silent == []
