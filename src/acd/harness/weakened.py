"""Looking through a session's commits for checks that were made easier; see `acd.harness.weakening` for the signs."""

from __future__ import annotations

from collections.abc import Sequence

from acd.git import Repository
from acd.harness.weakening import ChangedFile, is_test, signs

_MOST_TESTS = 100


async def weakened_checks(
    repository: Repository, before: str, after: str, commands: Sequence[str]
) -> list[str]:
    """What looks like it between two commits, in words; of the first hundred test files that changed.

    Raises:
        GitError: git cannot tell.
    """
    changed = [ChangedFile(*each) for each in await repository.changed_files(before, after)]
    tests = [each.path for each in changed if each.letter in "AM" and is_test(each.path)]
    lines = {
        path: await repository.changed_lines(before, after, path) for path in tests[:_MOST_TESTS]
    }
    return signs(changed, lines, commands, await repository.prefix())
