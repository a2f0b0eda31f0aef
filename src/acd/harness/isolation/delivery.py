"""The end of a session's worktree: what is not committed is kept, what is committed is merged, the worktree is removed.

Each step can be interrupted and done again: what the journal tells is not done twice, and what was done without being
told yet is found done.
"""

from __future__ import annotations

from pathlib import Path

from acd.core.errors import GitError
from acd.core.facts import Delivered, DeliveryOutcome, LeftoversKept, Started, WorkLeft
from acd.core.settings import Settings
from acd.git import Repository, WritableRepository
from acd.harness.isolation import leftovers
from acd.harness.isolation.carried import carry_out, is_carried
from acd.harness.isolation.merging import Merging
from acd.harness.isolation.names import kept_ref
from acd.harness.isolation.old_refs import clear_old_refs
from acd.harness.isolation.worktree import forget_worktree, path_in_tree
from acd.harness.journaled import UNMERGED, Journaled
from acd.harness.outcome import Verdict, failed
from acd.harness.record import Record
from acd.harness.workspace import Workspace


class WorktreeEnd:
    """Ends the worktree of one session, whose processes are gone."""

    def __init__(
        self, record: Record, started: Started, journaled: Journaled, settings: Settings
    ) -> None:
        if started.worktree is None or started.branch is None:
            raise ValueError(f"session {started.session_id} has no worktree")
        self._record = record
        self._started = started
        self._journaled = journaled
        self._settings = settings
        self._folder = Path(started.worktree)
        self._branch = started.branch
        self._workspace = Workspace.of(started)
        self._base = WritableRepository(Path(started.target.path))
        self._work = WritableRepository(self._folder, ceiling=self._folder.parent)

    async def head(self) -> str | None:
        """The last commit of the work.

        Where the agent took its worktree apart, the branch that was made for it tells.

        Raises:
            GitError: the target's repository is gone, too.
        """
        if await self._is_intact():
            return await self._work.head()
        return await self._base.commit_of(f"refs/heads/{self._branch}") or self._started.head_before

    async def tidy(self) -> None:
        """Keep what is not committed, and leave the feature list as its last commit has it.

        A list that the agent changed and did not commit is committed by us when nothing else is uncommitted, or when it
        was the session's work to write it. Else its claims go with the work that was not committed either.

        Raises:
            GitError: git refuses, or the agent took its worktree apart, so that git cannot say what is not committed.
            OSError: files cannot be read.
        """
        if self._journaled.leftovers is not None:
            return
        if not await self._is_intact():
            self._refuse_if_something_is_left()
            return
        await self._work.unlock(self._branch)
        name = path_in_tree(self._workspace.feature_list, self._folder)
        changed = await self._work.uncommitted()
        if name in changed and (changed == [name] or self._started.session_type == "initializer"):
            await self._commit_list(name)
            changed = await self._work.uncommitted()
        if changed:
            await self._keep_leftovers()
        if name in changed:
            await self._work.restore(name)

    async def deliver(self, verdict: Verdict) -> Delivered:
        """Merge the commits, or keep them, and bring a carried list back. The caller holds the repository.

        What git refuses becomes the reason for which the commits stay where they are.
        """
        if self._journaled.delivered is not None:
            return self._journaled.delivered
        try:
            delivered = await self._deliver(verdict)
        except GitError as error:
            ref = f"refs/heads/{self._branch}"
            delivered = self._delivered("refused", ref=ref, reason=str(error))
        self._record.add(delivered)
        self._journaled.delivered = delivered
        return delivered

    async def remove(self, delivered: Delivered) -> None:
        """Remove the worktree, and its branch unless that keeps the work. The caller holds the repository.

        Raises:
            GitError: git refuses.
            OSError: the folder cannot be deleted.
        """
        await forget_worktree(self._started.target, self._folder)
        await clear_old_refs(self._base, self._settings)
        branch = f"refs/heads/{self._branch}"
        tip = await self._base.commit_of(branch)
        if tip is None or delivered.ref == branch or delivered.commit is None:
            return
        if await self._base.is_ancestor(tip, delivered.commit):
            await self._base.delete_branch(self._branch, tip)

    async def _is_intact(self) -> bool:
        """Whether the worktree still is one of the target's repository.

        Raises:
            GitError: it seems to be, and git cannot say.
        """
        if not self._folder.is_dir():
            return False
        try:
            common_dir = await self._work.common_dir()
            top = await self._work.top_level()
        except GitError:
            if self._is_linked():
                raise  # git cannot look now: that the agent took it apart is not said by this
            return False
        return str(common_dir) == self._started.git_common_dir and top.samefile(self._folder)

    def _refuse_if_something_is_left(self) -> None:
        """Of what used to be a worktree, git cannot tell any more what is committed elsewhere and what is not."""
        if self._folder.is_dir() and any(each.name != ".git" for each in self._folder.iterdir()):
            where = self._started.target.path
            raise GitError(f"the agent cut the folder off, it is no worktree of {where} any more")

    def _is_linked(self) -> bool:
        """Whether the worktree's own file still names a folder that the repository keeps for it."""
        try:
            named = (self._folder / ".git").read_text().removeprefix("gitdir: ").strip()
        except (OSError, ValueError):
            return False
        kept = Path(named)
        return str(kept.parent.parent) == self._started.git_common_dir and kept.is_dir()

    async def _commit_list(self, name: str) -> None:
        if self._journaled.work_left is None:
            self._journaled.work_left = WorkLeft(
                **self._record.now(), commit=await self._work.head()
            )
            self._record.add(self._journaled.work_left)
        await self._work.commit_path(name, "Keep the feature list as the session left it")

    async def _keep_leftovers(self) -> None:
        tip = await self._work.head()
        if tip is None:  # the agent began a history of its own and committed nothing
            return
        ref = self._kept_ref
        message = f"What session {self._started.session_id} had not committed"
        commit, files, left_out = await leftovers.keep(self._work, ref, tip, message)
        self._journaled.leftovers = LeftoversKept(
            **self._record.now(),
            ref=ref if commit else None,
            commit=commit,
            files=files if commit else 0,
            left_out=left_out,
        )
        self._record.add(self._journaled.leftovers)

    async def _deliver(self, verdict: Verdict) -> Delivered:
        branch = f"refs/heads/{self._branch}"
        tip = await self.head()
        if tip is None:
            return self._delivered("nothing")
        if tip != self._started.head_before and (kept := await self._keep(verdict, tip)):
            return kept
        merging = self._merging()
        result = await merging.merge(self._started.head_before, tip)
        if result.outcome in {"merged", "nothing"}:
            if reason := await self._carry_out():
                return self._delivered("refused", result.commit, reason=reason)
            into = f"refs/heads/{merging.branch}" if merging.branch else None
            return self._delivered(result.outcome, result.commit, into)
        await self._base.set_ref(branch, tip)
        return self._delivered(result.outcome, tip, branch, result.reason)

    async def _keep(self, verdict: Verdict, tip: str) -> Delivered | None:
        """Keep commits that the settings want kept and not merged; None where they are to be merged."""
        if verdict.status == "failed" and (
            self._settings.keep_failed_work == "ref" or verdict.error_type == "tampering"
        ):
            leftovers = self._journaled.leftovers
            taken = leftovers is not None and leftovers.ref is not None  # by what was not committed
            ref = f"refs/heads/{self._branch}" if taken else self._kept_ref
            await self._base.set_ref(ref, tip)
            return self._delivered("kept", tip, ref, f"the session failed ({verdict.error_type})")
        if self._settings.merge == "none":
            ref = f"refs/heads/{self._branch}"
            await self._base.set_ref(ref, tip)
            return self._delivered("kept", tip, ref, UNMERGED)
        return None

    def _merging(self) -> Merging:
        started = self._started
        number = started.session_id if started.session_number is None else started.session_number
        message = f"Merge session {number} of {started.target.repo_id}"
        return Merging(self._base, started.base_branch, self._settings.merge, message)

    async def _carry_out(self) -> str | None:
        """Bring back a list that git does not know; the reason where that cannot be done."""
        started = self._started
        queue_dir = Path(started.queue_dir) if started.queue_dir else None
        own = Workspace.in_place(started.target, queue_dir)
        if not is_carried(self._workspace) and not await self._is_ignored_list():
            return None
        try:
            return await carry_out(self._workspace, own)
        except OSError as error:
            return f"the feature list {own.feature_list} cannot be written: {error}"

    async def _is_ignored_list(self) -> bool:
        """Whether the list lies where git is told to ignore it: it is in no commit then."""
        if not await self._is_intact():
            return False
        name = path_in_tree(self._workspace.feature_list, self._folder)
        return name is not None and await self._work.is_ignored(name)

    @property
    def _kept_ref(self) -> str:
        return kept_ref(self._started.target.repo_id, self._started.session_id)

    def _delivered(
        self,
        outcome: DeliveryOutcome,
        commit: str | None = None,
        ref: str | None = None,
        reason: str = "",
    ) -> Delivered:
        return Delivered(
            **self._record.now(),
            outcome=outcome,
            commit=commit,
            ref=ref,
            reason=reason,
        )


def not_merged(delivered: Delivered, base_branch: str | None) -> Verdict:
    """What it means for a session that its work could not be merged.

    A refusal lasts until somebody does something. After a conflict a new session begins with what is there by then.
    Without a ref the commits are in the branch, and only the feature list, which git does not know, was refused.
    """
    if delivered.ref is None:
        return failed("config", f"its feature list cannot be brought back: {delivered.reason}")
    ref = (delivered.ref or "").removeprefix("refs/heads/")
    where = base_branch or "the commit that is checked out"
    message = (
        f"its commits are not merged into {where} but kept on branch {ref}: {delivered.reason}"
    )
    return failed("config" if delivered.outcome == "refused" else "unknown", message)


def repository_of_work(started: Started) -> Repository:
    """The repository in which a session's commits can be read, also when its worktree is gone."""
    if started.worktree is None and started.workspace is not None:
        return Repository(Path(started.workspace))
    return Repository(Path(started.target.path))
