"""Closing a session whose processes are gone: what it changed, how it ended, its last fact.

Everything that is needed stands in the session's journal, so that it makes no difference who closes the session: the
harness that started it, or, after that one died, another. A fact that is in the journal already is not written again,
so that closing can be interrupted anywhere and begun anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from acd.agents.protocol import Adapter
from acd.core.errors import FeatureListError, FeatureListMissing, GitError
from acd.core.facts import (
    CommitSeen,
    Delivered,
    Ended,
    FeatureChanged,
    FeaturesSeen,
    HarnessFailed,
    LimitHit,
    Started,
)
from acd.core.models import Commit, Feature, FeatureStatus
from acd.core.settings import Settings
from acd.core.text import excerpt, redact
from acd.harness.features import counts, diff
from acd.harness.isolation.delivery import WorktreeEnd, not_merged, repository_of_work
from acd.harness.journaled import NOT_KEPT, Journaled
from acd.harness.judging import CANNOT_RUN, Judging, features_before
from acd.harness.outcome import Ending, Outcome, Verdict, failed, judge
from acd.harness.record import Record
from acd.harness.workspace import Workspace, repository_lock

logger = logging.getLogger(__name__)

_COMPLAINT_LENGTH = 2000


@dataclass
class _After:
    """What was found after the session. `left_at`: the commit at which its agent left the workspace."""

    features: list[Feature] | None = None
    left_at: str | None = None
    head: str | None = None
    branch: str | None = None


async def close_session(
    record: Record,
    adapter: Adapter,
    settings: Settings,
    ending: Ending,
    stop: asyncio.Event,
    *,
    repository_held: bool = False,
) -> Outcome:
    """Write everything that belongs at a session's end, `Ended` last.

    The repository is held all the while, or, where the session had a worktree of its own, while its work is merged.

    Args:
        record: the session's.
        adapter: its agent's.
        settings: what is done with its commits, and where transcripts are.
        ending: what is known of its agent's end.
        stop: once it is set, no claim is checked any more.
        repository_held: the caller holds the repository already.

    Raises:
        OSError: the disk is full or failing; the session stays open and is closed by the next harness that can.
        ValueError: the session never started.
    """
    journaled = Journaled.of(list(record.folder.journal.facts()))
    started = journaled.started
    if started is None:
        raise ValueError(f"{record.folder.path} has no started session")
    closing = _Closing(record, started, journaled, ending, settings, stop)
    closing.keep_transcripts(adapter, settings)
    lock = repository_lock(
        Path(started.git_common_dir) if started.git_common_dir and not repository_held else None
    )
    if started.worktree is None:
        async with lock:
            await closing.look_at_work()
    else:
        end = WorktreeEnd(record, started, journaled, settings)
        await closing.look_at_work(end)
        async with lock:
            await closing.deliver(end)
    return closing.end()


def link_transcripts(
    record: Record, adapter: Adapter, started: Started, settings: Settings
) -> None:
    """Link what the agent wrote about the session in its own folder."""
    workspace = Path(started.workspace or started.target.path)
    record.folder.link_transcripts(
        adapter.transcripts(str(started.session_id), workspace, settings)
    )


class _Closing:
    def __init__(
        self,
        record: Record,
        started: Started,
        journaled: Journaled,
        ending: Ending,
        settings: Settings,
        stop: asyncio.Event,
    ) -> None:
        self._record = record
        self._started = started
        self._workspace = Workspace.of(started)
        self._repository = repository_of_work(started)
        self._journaled = journaled
        self._ending = ending
        self._settings = settings
        self._stop = stop
        self._after = _After()

    def keep_transcripts(self, adapter: Adapter, settings: Settings) -> None:
        """The last look at them; what cannot be kept is said, and the session ends all the same."""
        try:
            link_transcripts(self._record, adapter, self._started, settings)
        except OSError as error:
            self._fail(failed("internal", f"the agent's transcripts cannot be kept: {error}"))

    async def look_at_work(self, worktree: WorktreeEnd | None = None) -> None:
        """What the session did: to its feature list, in commits; what else it left in its worktree is kept."""
        if self._journaled.delivered is not None:  # all of it is told, and the worktree may be gone
            self._after.features = self._journaled.features_last
            self._spoil_unless_checked()
            return
        await self._look_at_head(worktree)
        if worktree is not None:
            await self._tidy(worktree)
        await self._look_at_features()
        self._spoil_unless_checked()
        await self._look_at_commits()

    async def _tidy(self, worktree: WorktreeEnd) -> None:
        """What git cannot keep is said, and stays where it is."""
        try:
            await worktree.tidy()
        except GitError as error:
            message = f"what is not committed in {self._started.worktree} cannot be kept elsewhere and stays there: {error}"
            self._fail(failed("config", message), NOT_KEPT)

    async def _look_at_head(self, worktree: WorktreeEnd | None) -> None:
        """The commit at which the agent left its workspace; what is committed later is the harness's own."""
        told = self._journaled.work_left or self._journaled.features_left
        if told is not None:
            self._after.left_at = told.commit
        elif self._started.git_common_dir is not None:
            with self._git_trouble():
                self._after.left_at = await (worktree or self._repository).head()

    async def deliver(self, worktree: WorktreeEnd) -> None:
        """Merge the work into the target's branch, or keep it, and remove the worktree."""
        with self._git_trouble():
            delivered = await worktree.deliver(judge(self._ending))
            merged = delivered.outcome in {"merged", "nothing"}
            branch = self._started.base_branch if merged else self._started.branch
            self._after.head, self._after.branch = delivered.commit, branch
            if not merged:
                await self._withdraw(delivered)
            await self._remove(worktree, delivered)

    async def _remove(self, worktree: WorktreeEnd, delivered: Delivered) -> None:
        """A folder that cannot be deleted is said, and left; so is one that alone has what was not committed."""
        if self._journaled.has_work_left:
            return
        try:
            await worktree.remove(delivered)
        except OSError as error:
            self._fail(failed("internal", f"the session's worktree cannot be removed: {error}"))

    async def _withdraw(self, delivered: Delivered) -> None:
        """What is not in the target's branch does not count: its list is what it was there."""
        queue_dir = Path(self._started.queue_dir) if self._started.queue_dir else None
        try:
            features = await Workspace.in_place(self._started.target, queue_dir).read_features()
        except FeatureListMissing:
            features = []
        except FeatureListError as error:
            self._fail(failed("config", str(error)))
            return
        found = diff(self._after.features or [], features)
        statuses: dict[str, FeatureStatus] = {
            each.key: "removed" if each.change == "removed" else "pending" for each in found
        }
        changes = [
            FeatureChanged(
                **self._record.now(),
                key=key,
                change="unmerged",
                status=status,
                detail=delivered.reason,
            )
            for key, status in statuses.items()
            if (key, "unmerged") not in self._journaled.changes
        ]
        if found:
            seen = FeaturesSeen(**self._record.now(), when="after", features=features)
            self._record.add(*changes, seen)
        self._after.features = features

    async def _look_at_features(self) -> None:
        """Judge what the agent did to its feature list; see `Judging`."""
        judging = Judging(
            record=self._record,
            started=self._started,
            journaled=self._journaled,
            workspace=self._workspace,
            repository=self._repository,
            settings=self._settings,
            stop=self._stop,
            left_at=self._after.left_at,
        )
        try:
            self._after.features = await judging.settle()
        except FeatureListError as error:
            self._lose_feature_list(error)

    async def _look_at_commits(self) -> None:
        """A `CommitSeen` for each commit that the session's agent made."""
        if self._started.git_common_dir is None:
            return
        commits: list[Commit] = []
        with self._git_trouble():
            if self._started.worktree is None:
                self._after.head = await self._repository.head()
                self._after.branch = await self._repository.branch()
            commits = await self._repository.commits(self._started.head_before, self._after.left_at)
        new = [commit for commit in commits if commit.sha not in self._journaled.commits]
        if new:
            self._record.add(*(CommitSeen(**self._record.now(), commit=each) for each in new))
        self._journaled.commits |= {commit.sha for commit in new}

    @contextmanager
    def _git_trouble(self) -> Iterator[None]:
        """What git cannot tell is said, and the session ends all the same."""
        try:
            yield
        except GitError as error:
            self._fail(failed("config", str(error)))

    def end(self) -> Outcome:
        """The verdict's own facts, then `Ended`."""
        verdict = self._verdict()
        if verdict.window is not None and not self._journaled.limit_hit:
            self._record.add(
                LimitHit(**self._record.now(), window=verdict.window, resets_at=verdict.resets_at)
            )
        if self._ending.trouble is not None:
            self._fail(self._ending.trouble)
        if verdict.ours:
            self._fail(verdict)
        outcome = self._outcome(verdict)
        self._record.add(self._ended(outcome))
        return outcome

    def _verdict(self) -> Verdict:
        """How the session ended. One whose work could not be merged has failed, whatever its agent says."""
        verdict = judge(self._ending)
        delivered = self._journaled.delivered
        if delivered is None or delivered.outcome not in {"refused", "conflict"}:
            return verdict
        trouble = not_merged(delivered, self._started.base_branch)
        self._fail(trouble, f"merge_{delivered.outcome}")
        return verdict if verdict.status == "failed" else trouble

    def _lose_feature_list(self, error: FeatureListError) -> None:
        """A session after which nobody can read the list has failed when it was its work to write one."""
        trouble = failed("config", str(error))
        self._fail(trouble)
        if self._started.session_type == "initializer":
            self._spoil(trouble)

    def _spoil_unless_checked(self) -> None:
        """A session whose claims no machine of ours can check has failed: a person has to do something."""
        for failure in self._journaled.failures:
            if failure.error_code == CANNOT_RUN:
                self._spoil(failed("config", failure.message))

    def _spoil(self, trouble: Verdict) -> None:
        """Let a session that seemed to end well fail."""
        if judge(self._ending).error_type is None:
            self._ending = msgspec.structs.replace(self._ending, report=None, trouble=trouble)

    def _fail(self, verdict: Verdict, code: str | None = None) -> None:
        error_type, message = verdict.error_type or "unknown", redact(verdict.message or "")
        if (error_type, message) in {(f.error_type, f.message) for f in self._journaled.failures}:
            return
        fact = HarnessFailed(
            **self._record.now(),
            error_type=error_type,
            message=message,
            error_code=code,
            stack_trace=verdict.stack_trace,
            retryable=verdict.retryable,
        )
        self._record.add(fact)
        self._journaled.failures.append(fact)

    def _outcome(self, verdict: Verdict) -> Outcome:
        _, before = _counts(features_before(self._started, self._journaled))
        total, passing = _counts(self._after.features)
        return Outcome(
            session_id=self._started.session_id,
            status=verdict.status,
            error_type=verdict.error_type,
            error_message=verdict.message,
            resets_at=verdict.resets_at,
            retryable=verdict.retryable,
            features_before=before,
            features_after=passing,
            features_completed=None if passing is None or before is None else passing - before,
            total_features=total,
            passing_features=passing,
            verified_features=self._verified(),
            judged=self._journaled.against_the_agent(),
            commits_made=len(self._journaled.commits),
            duration_ms=self._ending.duration_ms,
            exit_code=self._ending.exit_code,
            kept_on=self._journaled.kept_on(),
        )

    def _verified(self) -> int:
        judged = self._journaled.judged.values()
        seen = {*self._started.verified, *(c.key for c in judged if c.status == "passing")}
        return sum(each.passes and each.key in seen for each in self._after.features or [])

    def _ended(self, outcome: Outcome) -> Ended:
        return Ended(
            **self._record.now(),
            status=outcome.status,
            error_type=outcome.error_type,
            error_message=outcome.error_message,
            exit_code=outcome.exit_code,
            duration_ms=outcome.duration_ms,
            branch=self._after.branch,
            head_after=self._after.head,
            features_before=outcome.features_before,
            features_after=outcome.features_after,
            features_completed=outcome.features_completed,
            commits_made=outcome.commits_made,
        )


def _counts(features: list[Feature] | None) -> tuple[int, int] | tuple[None, None]:
    return (None, None) if features is None else counts(features)


def complaint_in(stderr: Path) -> str:
    """The beginning of what an agent printed on stderr, fit to be kept."""
    with stderr.open("rb") as file:
        data = file.read(4 * _COMPLAINT_LENGTH)
    return excerpt(data.decode(errors="replace").strip(), _COMPLAINT_LENGTH)
