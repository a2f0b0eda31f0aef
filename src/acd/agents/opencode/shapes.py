"""The fields that we read of a session, a message and its parts; whatever else they hold is skipped undecoded.

The database's columns `data` and the older JSON files hold the same objects. Source: `session.sql.ts`, `message-v2.ts`,
`json-migration.ts` and `Session.getUsage` of github.com/anomalyco/opencode (formerly sst/opencode), and what
opencode-ai 1.18.33 wrote. Only what figures depend on has a strict type.
"""

from __future__ import annotations

from typing import Any

import msgspec

from acd.agents.claude_like.shapes import Count


class Cache(msgspec.Struct, gc=False):
    """Tokens that came from the cache and went into it."""

    read: Count = None
    write: Count = None


class Tokens(msgspec.Struct, gc=False):
    """Tokens of a request. Nothing is inside anything else: `input` is without cache, `output` without reasoning."""

    input: Count = None
    output: Count = None
    reasoning: Count = None
    cache: Cache | None = None


class Time(msgspec.Struct, gc=False):
    """Milliseconds since 1970."""

    created: Any = None


class Info(msgspec.Struct, rename={"parent_id": "parentID"}, gc=False):
    """A session."""

    parent_id: Any = None
    directory: Any = None
    version: Any = None
    time: Time | None = None


class Failure(msgspec.Struct, gc=False):
    """`error` of a message: its name, and what is known of it."""

    name: Any = None
    data: Any = None


class Message(
    msgspec.Struct, rename={"provider_id": "providerID", "model_id": "modelID"}, gc=False
):
    """A message of the user's or the model's."""

    role: Any = None
    time: Time | None = None
    provider_id: Any = None
    model_id: Any = None
    agent: Any = None
    mode: Any = None
    path: Any = None
    tokens: Tokens | None = None
    error: Failure | None = None


class State(msgspec.Struct, gc=False):
    """How far a tool's call is."""

    status: Any = None
    input: Any = None
    output: Any = None
    error: Any = None
    metadata: Any = None


class Part(msgspec.Struct, rename={"call_id": "callID"}, gc=False):
    """A part of a message: `type` tells which of the fields can be there. A `step-finish` ends a request."""

    type: Any = None
    text: Any = None
    synthetic: Any = None
    tool: Any = None
    call_id: Any = None
    state: State | None = None
    tokens: Tokens | None = None
