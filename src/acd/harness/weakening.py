"""Signs that a session made its checks easier instead of its work better. Pure.

They are signs, not proofs (a test can become wrong, a script can move), so they are shown to a person and fail nothing.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from acd.core.text import printable, shorten
from acd.git import ChangedLines
from acd.harness.verify import words_of

_MOST = 10
_SHOWN_LINE = 120

_TEST_FILE = re.compile(
    r"(^|/)(tests?|__tests__|specs?)/.*\.\w+$"
    r"|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$|_test\.(go|exs|rb|dart|cc|cpp)$|_spec\.rb$"
    r"|\.(test|spec)\.[cm]?[jt]sx?$|(^|/)[^/]*Tests?\.(java|kt|cs|swift|php)$"
)

# How known test tools are told to leave a test out, or all others.
_SKIPS = re.compile(
    r"pytest\.(mark\.)?(skip|skipif|xfail|importorskip)\b|@(unittest\.)?(skip|skipIf|skipUnless|expectedFailure)\b"
    r"|\bself\.skipTest\(|\b(it|test|describe|suite|context)\.(skip|only|todo|failing)\b"
    r"|\b(xit|xtest|xdescribe|fit|fdescribe)\(|\bt\.Skip(f|Now)?\(|#\[ignore|@(Ignore|Disabled)\b|\bpending\s+['\"]"
)

# A test of its own, by the habits of common languages and tools; a table of parameters is not seen.
_TESTS = re.compile(
    r"^\s*(async\s+)?def\s+test\w*\s*\(|^\s*(it|test|specify)(\.each\([^)]*\))?\s*\(|^\s*func\s+Test\w*\("
    r"|^\s*#\[(\w+::)?test\]|^\s*@(Test|ParameterizedTest|Fact|Theory)\b|^\s*(it|specify)\s+['\"]"
)


class ChangedFile(NamedTuple):
    """A file that differs between two commits: git's letter for how (A, M, D, R, …), and its old name."""

    letter: str
    path: str


def is_test(path: str) -> bool:
    """Whether a file looks like one of tests, by the habits of common languages."""
    return _TEST_FILE.search(path) is not None


def named_in(commands: Iterable[str], prefix: str) -> Iterator[str]:
    """The paths, from the repository's root, that words of some commands would be; `prefix` is where they run."""
    for command in commands:
        for word in words_of(command):
            for part in (word, word.partition("=")[2]):
                path = posixpath.normpath(posixpath.join(prefix, part.partition("::")[0]))
                if part and not path.startswith(("/", "..")):
                    yield path


def signs(
    changed: Iterable[ChangedFile],
    lines: Mapping[str, ChangedLines],
    commands: Iterable[str],
    prefix: str = "",
) -> list[str]:
    """What looks like a weakened check, in words, the first ten.

    Args:
        changed: the files that the session's commits changed.
        lines: the lines that they added and removed, by file; of test files that are still there.
        commands: the verify commands as they stood before the session.
        prefix: the folder in which they run, as seen from the repository's root.
    """
    found = list(_signs(list(changed), lines, set(named_in(commands, prefix))))
    more = len(found) - _MOST
    return found[:_MOST] + ([f"and {more} more"] if more > 0 else [])


def _signs(
    changed: list[ChangedFile], lines: Mapping[str, ChangedLines], named: set[str]
) -> Iterator[str]:
    for letter, path in changed:
        if letter == "A":
            continue
        if path in named:
            how = "deleted" if letter == "D" else "edited"
            yield f"{printable(path)}, which a verify command names, was {how}"
        elif letter == "D" and is_test(path):
            yield f"the test file {printable(path)} was deleted"
    fewer = sum(_tests_in(each.removed) - _tests_in(each.added) for each in lines.values())
    if fewer > 0:
        yield f"the number of tests fell by {fewer}, in {printable(', '.join(lines))}"
    for path, (added, _) in lines.items():
        for line in added:
            if _SKIPS.search(line):
                yield f"{printable(path)} leaves tests out: {shorten(printable(line.strip()), _SHOWN_LINE)}"


def _tests_in(lines: Iterable[str]) -> int:
    return sum(_TESTS.search(line) is not None for line in lines)
