"""Looking after an agent until nothing of it runs any more: one that we started, or one whose harness died."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from acd.agents.protocol import Adapter
from acd.core.errors import FeatureListError
from acd.core.facts import Started
from acd.core.settings import Settings
from acd.harness.closing import complaint_in, link_transcripts
from acd.harness.features import counts, read_feature_list
from acd.harness.live import LiveState
from acd.harness.outcome import Ending, Verdict
from acd.harness.process import AgentProcess, exit_code_of
from acd.harness.record import Record
from acd.harness.stopping import reason_of
from acd.harness.strays import end_processes
from acd.harness.stream import StreamFollower
from acd.harness.trouble import Trouble
from acd.harness.watch import EndReason, Limits, Watch
from acd.harness.workspace import Workspace

logger = logging.getLogger(__name__)

OnProgress = Callable[[LiveState], None]
"""Is shown the live state when it has changed, up to ten times a second."""


class StuckProcessError(Exception):
    """Processes of a session hang in the kernel and cannot be ended."""


class Attendant:
    """Attends one session's agent."""

    def __init__(
        self,
        record: Record,
        started: Started,
        adapter: Adapter,
        settings: Settings,
        on_progress: OnProgress | None = None,
    ) -> None:
        self._record = record
        self._started = started
        self._workspace = Workspace.of(started)
        self._adapter = adapter
        self._settings = settings
        self._on_progress = on_progress
        self._features_at = 0
        self._stop: asyncio.Event | None = None
        self.live = _live_state(started)
        self._follower = StreamFollower(record.folder.stream, adapter.read_stream, self.live)

    async def attend(
        self, process: AgentProcess, stop: asyncio.Event, seconds_left: float | None = None
    ) -> EndReason:
        """Watch the agent until it is gone or has to be ended."""
        self._stop = stop
        self._look_at_features()
        watch = Watch(
            process=process,
            folder=self._record.folder,
            follower=self._follower,
            live=self.live,
            limits=Limits.of(self._settings, seconds_left),
            stop=stop,
            on_output=self._on_output,
            on_tick=self._on_tick,
        )
        return await watch.until_end()

    async def end(
        self,
        process: AgentProcess | None,
        reason: EndReason | None,
        *,
        trouble: Verdict | None = None,
        grace: float | None = None,
        duration_ms: int | None = None,
    ) -> Ending:
        """End every process of the session, read what is left of its stream, and say what is known of its end.

        Raises:
            StuckProcessError: some process cannot be ended; the session must stay open.
        """
        grace = self._settings.terminate_grace if grace is None else grace
        if stuck := await end_processes(self._started.session_id, grace):
            raise StuckProcessError(f"processes {stuck} cannot be ended")
        exit_code = None if process is None else await exit_code_of(process)
        reading = Trouble()
        with reading:
            await self._follower.finish()
        return Ending(
            reason=reason,
            exit_code=exit_code,
            printed=self._record.folder.stream.stat().st_size > 0,
            complaint=complaint_in(self._record.folder.stderr),
            report=self.live.report,
            failure=self.live.failure,
            limit=self.live.limit,
            trouble=trouble
            or reading.verdict
            or (reason_of(self._stop) if reason == "stopped" else None),
            duration_ms=duration_ms,
            denials=self.live.denials,
            denied_call=self.live.denied_call,
        )

    def _on_output(self) -> None:
        self._record.ring(self._record.folder)
        if self._on_progress is not None:
            self._on_progress(self.live)

    def _on_tick(self) -> None:
        try:
            link_transcripts(self._record, self._adapter, self._started, self._settings)
        except (
            OSError
        ) as error:  # no reason to disturb the agent: they are looked at again, and at the end
            logger.warning("session %s: transcripts: %s", self._started.session_id, error)
        self._look_at_features()
        self._on_output()

    def _look_at_features(self) -> None:
        """Only for show; a list that is just being written is looked at again the next time."""
        workspace = self._workspace
        try:
            changed_at = workspace.feature_list.stat().st_mtime_ns
            if changed_at == self._features_at:
                return
            features = read_feature_list(workspace.feature_list, workspace.roots)
        except (FeatureListError, OSError):
            return
        self._features_at = changed_at
        self.live.total_features, self.live.passing_features = counts(features)


def _live_state(started: Started) -> LiveState:
    """A clock that was set back must not make the session older than it is, so the age is never negative."""
    age = max((datetime.now(UTC) - started.at).total_seconds(), 0.0)
    return LiveState(
        session_id=started.session_id,
        target=started.target,
        session_type=started.session_type,
        session_number=started.session_number,
        model=started.model,
        started=time.monotonic() - age,
    )
