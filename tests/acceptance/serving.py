"""`acd serve` as a user starts it, for the length of a block."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from tests.acceptance.program import Program


@contextmanager
def served_by(program: Program) -> Iterator[str]:
    """The address that it tells; it must end well."""
    process = program.start("serve")
    try:
        assert process.stdout
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, f"{line}{process.communicate()[1]}"
        yield found[0]
    finally:
        process.terminate()
        try:
            process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0
