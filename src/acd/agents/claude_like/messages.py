"""Assistant and user lines → requests, texts, tools, and the failures that the agent says in the model's place."""

from __future__ import annotations

import hashlib
from datetime import datetime

from acd.agents.claude_like.content import (
    Block,
    blocks_of,
    call_text,
    folder,
    is_call,
    name_of,
    optional_name,
    result_text,
    said,
)
from acd.agents.claude_like.failures import Failure
from acd.agents.claude_like.shapes import (
    NULL,
    Message,
    StreamAssistant,
    StreamUser,
    TranscriptAssistant,
    TranscriptUser,
)
from acd.agents.claude_like.usage import epoch_moment, model_name, moment, terms_of, usage_of
from acd.core.events import (
    AgentFailed,
    AgentStarted,
    Event,
    RequestSeen,
    TextSaid,
    ToolEnded,
    ToolUsed,
    Unrecognised,
)

# The agent's own words in the shape of a model's: no request was made for them.
SYNTHETIC = "<synthetic>"

KEY_LIMIT = 200


def assistant_events(
    agent: str,
    shape: StreamAssistant | TranscriptAssistant,
    line: bytes,
    *,
    told: bool = True,
) -> list[Event]:
    """The request with this line's snapshot of its usage, then (`told`) what the line's blocks hold."""
    message = shape.message
    if message is None:
        return [Unrecognised(line_type="assistant without message")]
    synthetic = message.model == SYNTHETIC
    at, subagent = moment(shape.timestamp), optional_name(shape.subagent)
    blocks = blocks_of(message.content)
    events: list[Event] = []
    if not synthetic:
        events.append(
            RequestSeen(
                at=at,
                request_key=_request_key(agent, message, shape, line),
                model=model_name(name_of(message.model)) or "unknown",
                usage=usage_of(message.usage),
                terms=terms_of(message.usage),
                request_id=optional_name(shape.request_id),
                tools=[name_of(block.name) for block in blocks or () if is_call(block)],
                subagent=subagent,
            )
        )
    if shape.is_api_error_message or (synthetic and shape.error):
        events.append(_failure(shape, at, blocks or []))
    elif blocks is None:
        events.append(Unrecognised(at=at, line_type="assistant content"))
    elif told and not synthetic:
        events.extend(_block_events(at, subagent, blocks))
    return events


def user_events(shape: StreamUser | TranscriptUser, *, told: bool = True) -> list[Event]:
    """Prompts and the results of tools (`told`); in a transcript the first prompt also tells who the agent is."""
    if isinstance(shape, TranscriptUser) and shape.is_meta:
        return []
    at, subagent = moment(shape.timestamp), optional_name(shape.subagent)
    events = _started(shape, at) if isinstance(shape, TranscriptUser) else []
    if not told:
        return events
    blocks = blocks_of(shape.message.content if shape.message else NULL)
    if blocks is None:
        return [*events, Unrecognised(at=at, line_type="user content")]
    for block in blocks:
        if block.type == "tool_result":
            events.append(_tool_ended(shape, at, subagent, block))
        elif block.type == "text":
            events.append(TextSaid(at=at, role="user", text=said(block.text), subagent=subagent))
    return events


def _request_key(
    agent: str, message: Message, shape: StreamAssistant | TranscriptAssistant, line: bytes
) -> str:
    for candidate in (message.id, shape.uuid):
        name = name_of(candidate)
        # A name that had to be changed to be storable could be another's name, too.
        if name and name == candidate and len(name) <= KEY_LIMIT:
            return f"{agent}:{name}"
    return f"{agent}:{hashlib.sha256(line.strip()).hexdigest()}"


def _failure(
    shape: StreamAssistant | TranscriptAssistant, at: datetime | None, blocks: list[Block]
) -> AgentFailed:
    limit = shape.api_error_params.rate_limit_info if shape.api_error_params else None
    failure = Failure(
        status=shape.api_error_status,
        assistant_error=shape.error,
        api_error=shape.api_error,
        limit_rejected=limit is not None and limit.status == "rejected",
    )
    text = said(next((block.text for block in blocks if block.type == "text"), ""))
    return AgentFailed(
        at=at,
        error_type=failure.error_type,
        message=text or failure.error_code or "",
        error_code=optional_name(failure.error_code),
        output=text,
        resets_at=epoch_moment(limit.resets_at) if limit else None,
    )


def _block_events(at: datetime | None, subagent: str | None, blocks: list[Block]) -> list[Event]:
    events: list[Event] = []
    for block in blocks:
        if block.type == "text":
            events.append(TextSaid(at=at, role="agent", text=said(block.text), subagent=subagent))
        elif is_call(block):
            events.append(
                ToolUsed(
                    at=at,
                    tool_use_id=name_of(block.id),
                    name=name_of(block.name),
                    text=call_text(block),
                    subagent=subagent,
                )
            )
    return events


def _tool_ended(
    shape: StreamUser | TranscriptUser, at: datetime | None, subagent: str | None, block: Block
) -> ToolEnded:
    tool_use_id = name_of(block.tool_use_id)
    failed = block.is_error is True
    return ToolEnded(
        at=at,
        tool_use_id=tool_use_id,
        # A refusal is an error, too; the permission's decision tells them apart.
        outcome="ok" if not failed else "denied" if shape.refused(tool_use_id) else "error",
        text=result_text(block),
        subagent=subagent,
    )


def _started(shape: TranscriptUser, at: datetime | None) -> list[Event]:
    """The first prompt of a session has no parent; a subagent's first prompt has none either."""
    if shape.parent_uuid is not None or shape.is_sidechain or not name_of(shape.session_id):
        return []
    return [
        AgentStarted(
            at=at,
            agent_session_id=name_of(shape.session_id),
            agent_version=optional_name(shape.version),
            cwd=folder(shape.cwd),
            branch=optional_name(shape.git_branch),
        )
    ]
