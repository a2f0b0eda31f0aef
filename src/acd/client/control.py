"""What can be changed on a server. Most of it needs the token."""

from __future__ import annotations

from uuid import UUID

from acd.client.call import Call, changing, quoted
from acd.core.contract import ErrorRow, Synced
from acd.core.control_rows import (
    FeatureSkipped,
    LoginLink,
    QueueOrder,
    SessionStop,
    TargetChanged,
    TargetTried,
)
from acd.core.error_rows import GroupResolved
from acd.core.queue_rows import SyncDone


def login() -> Call[LoginLink]:
    """Make a link that lets one browser in; its path is one of the server's."""
    return changing("POST", "/api/login", LoginLink)


def sync_targets() -> Call[SyncDone]:
    """Read the queue file of the server's settings."""
    return changing("POST", "/api/db/targets/sync", SyncDone)


def sync_features(repo_id: str) -> Call[Synced]:
    """Read a target's feature list."""
    return changing("POST", f"/api/db/features/sync/{quoted(repo_id)}", Synced)


def resolve_error(error_id: UUID) -> Call[ErrorRow]:
    """Mark an error as resolved."""
    return changing("POST", f"/api/db/errors/{error_id}/resolve", ErrorRow)


def resolve_error_group(key: str) -> Call[GroupResolved]:
    """Mark every error of a group as resolved."""
    return changing("POST", f"/api/db/errors/groups/{quoted(key)}/resolve", GroupResolved)


def pause_queue() -> Call[QueueOrder]:
    """Begin no further session; those that run go on."""
    return changing("POST", "/api/queue/pause", QueueOrder)


def resume_queue() -> Call[QueueOrder]:
    """Go on."""
    return changing("POST", "/api/queue/resume", QueueOrder)


def drain_queue() -> Call[QueueOrder]:
    """Let what runs end, and end."""
    return changing("POST", "/api/queue/drain", QueueOrder)


def stop_queue() -> Call[QueueOrder]:
    """End what runs in order, and end."""
    return changing("POST", "/api/queue/stop", QueueOrder)


def stop_session(session_id: UUID) -> Call[SessionStop]:
    """End one session in order."""
    return changing("POST", f"/api/db/sessions/{session_id}/stop", SessionStop)


def set_priority(repo_id: str, priority: int) -> Call[TargetChanged]:
    """Move a target in the queue, in its file too; lower is sooner."""
    body = {"repoId": repo_id, "newPriority": priority}
    return changing("PUT", "/api/targets/update-priority", TargetChanged, body)


def set_enabled(repo_id: str, enabled: bool) -> Call[TargetChanged]:
    """Enable or disable a target, in its file too."""
    body = {"repoId": repo_id, "enabled": enabled}
    return changing("PUT", "/api/targets/toggle-enabled", TargetChanged, body)


def retry_target(repo_id: str) -> Call[TargetTried]:
    """Let a target's failures so far count no longer, and its next session be due at once."""
    return changing("POST", f"/api/targets/{quoted(repo_id)}/retry", TargetTried)


def unblock_target(repo_id: str) -> Call[TargetTried]:
    """Let a blocked target be active again, with another try."""
    return changing("POST", f"/api/targets/{quoted(repo_id)}/unblock", TargetTried)


def skip_feature(repo_id: str, key: str, *, skip: bool = True) -> Call[FeatureSkipped]:
    """Leave a feature out from the next session on, or take it in again."""
    path = f"/api/targets/{quoted(repo_id)}/features/{quoted(key)}/skip"
    return changing("POST" if skip else "DELETE", path, FeatureSkipped)
