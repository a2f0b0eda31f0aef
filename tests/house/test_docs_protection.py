"""docs/protection.md promises nothing without a test that exists by the name it gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_PAGE = (_ROOT / "docs" / "protection.md").read_text()
_PROMISED, _NOT_PROMISED = _PAGE.split("## What it does not protect you from")
_LINK = re.compile(r"\[`(\w+)`\]\(\.\./(tests/[\w/]+\.py)\)")
_PROMISES = re.split(r"\n(?=- \*\*)", _PROMISED)[1:]


def test_there_are_promises_and_limits() -> None:
    assert len(_PROMISES) > 20
    assert _NOT_PROMISED.count("\n- **") > 5


@pytest.mark.parametrize("promise", _PROMISES, ids=lambda promise: promise[4:40])
def test_each_promise_names_tests_that_exist(promise: str) -> None:
    named = _LINK.findall(promise)
    assert named
    for test, path in named:
        assert re.search(rf"^(?:async )?def {test}\(", (_ROOT / path).read_text(), re.MULTILINE), (
            test
        )
