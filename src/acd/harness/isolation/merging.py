"""Bringing a session's commits into its target's branch. Whoever calls holds the repository.

The branch is moved forward where it is checked out, by git itself, which touches no file that has changes of its own;
where it is checked out nowhere, only the ref moves. What is in the branch already is left alone, so that doing it again
after a crash merges nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from acd.core.errors import GitError
from acd.core.facts import DeliveryOutcome
from acd.core.models import MergePolicy
from acd.core.text import excerpt
from acd.git import WritableRepository

_TRIES = 5
_SHOWN = 5
_LONGEST_REASON = 1000
_NOT_FORWARD = "Not possible to fast-forward"


class Result(NamedTuple):
    """As in the fact `Delivered`. `commit` is the branch's tip after a merge."""

    outcome: DeliveryOutcome
    commit: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class Merging:
    """What may be merged into where: `branch` None is the commit that is checked out in the target's folder."""

    repository: WritableRepository
    branch: str | None
    policy: MergePolicy
    message: str

    @property
    def where(self) -> str:
        """The branch, as a person calls it."""
        return self.branch or "the commit that is checked out"

    async def merge(self, head_before: str | None, tip: str) -> Result:
        """Merge the commits from `head_before` to `tip`; what git says against it becomes the reason."""
        try:
            for _ in range(_TRIES):
                result = await self._try(head_before, tip)
                if result is not None:
                    return result
        except GitError as error:
            return Result("refused", reason=excerpt(str(error), _LONGEST_REASON))
        return Result("refused", reason=f"{self.where} moves too often")

    async def _try(self, head_before: str | None, tip: str) -> Result | None:
        """None: the branch moved just now, look again."""
        base = await self.tip()
        if base is None:
            return Result("refused", reason=f"the branch {self.branch} is gone")
        if await self.repository.is_ancestor(tip, base):
            return Result("nothing" if tip == head_before else "merged", base)
        new = await self._joined(base, tip)
        if isinstance(new, Result):
            return new
        against = await self._forward(base, new)
        if against is None:
            return Result("merged", new)
        return None if _NOT_FORWARD in against else Result("refused", reason=_one_line(against))

    async def _joined(self, base: str, tip: str) -> str | Result:
        """A commit that has both."""
        if await self.repository.is_ancestor(base, tip):
            return tip
        if self.policy == "fast-forward":
            reason = f"{self.where} has moved on, and merge is set to fast-forward"
            return Result("refused", reason=reason)
        commit, conflicts = await self.repository.merge(base, tip, self.message)
        return commit or Result("conflict", reason=self._conflict(conflicts))

    async def tip(self) -> str | None:
        """Where the branch is now."""
        return await self.repository.commit_of(
            f"refs/heads/{self.branch}" if self.branch else "HEAD"
        )

    async def _forward(self, base: str, new: str) -> str | None:
        if self.branch is None:
            if await self.repository.branch() is not None:
                return (
                    f"a branch is checked out in {self.repository.path} now, where there was none"
                )
            return await self._forward_tree(self.repository, new)
        tree = await self.repository.tree_with_branch(self.branch)
        if tree is not None:
            return await self._forward_tree(WritableRepository(tree), new)
        if _is_rebased(await self.repository.common_dir(), self.branch):
            return f"{self.branch} is being rebased"
        moved = await self.repository.set_ref(f"refs/heads/{self.branch}", new, base)
        return None if moved else _NOT_FORWARD

    async def _forward_tree(self, tree: WritableRepository, new: str) -> str | None:
        if reason := await tree.forward(new):
            return reason
        return None if await tree.head() == new else f"git did not move {self.where}"

    def _conflict(self, paths: list[str]) -> str:
        shown = ", ".join(paths[:_SHOWN])
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        return f"{self.where} has changed in the same places meanwhile: {shown}{more}"


def _is_rebased(common_dir: Path, branch: str) -> bool:
    for folder in (common_dir, *common_dir.glob("worktrees/*")):
        for name in ("rebase-merge", "rebase-apply"):
            noted = folder / name / "head-name"
            if noted.is_file() and noted.read_text().strip() == f"refs/heads/{branch}":
                return True
    return False


def _one_line(said: str) -> str:
    """What git said in several lines, as one sentence."""
    lines = [
        line.strip().removeprefix("error: ").removeprefix("fatal: ") for line in said.splitlines()
    ]
    kept = [line for line in lines if line and line not in {"Aborting", "Updating"}]
    return excerpt(" ".join(kept), _LONGEST_REASON)
