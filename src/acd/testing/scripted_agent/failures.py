"""How each failure of the model's API shows (section 5 of the facts about Claude Code), by the name a scenario uses."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from acd.testing.scripted_agent.wire import Failure

FailureName = Literal[
    "auth",
    "forbidden",
    "billing",
    "rate_limit",
    "usage_limit",
    "overloaded",
    "server",
    "network",
    "model",
    "context",
    "output_limit",
]

FAILURES: Mapping[str, Failure] = MappingProxyType(
    {
        "auth": Failure(
            error_type="auth",
            status=401,
            api_error_type="authentication_error",
            error="authentication_failed",
            retry_error="authentication_failed",
            text="Invalid API key · Fix external API key",
        ),
        "forbidden": Failure(
            error_type="auth",
            status=403,
            api_error_type="permission_error",
            error="authentication_failed",
            text="Failed to authenticate. API Error: 403 forbidden",
        ),
        "billing": Failure(
            error_type="billing",
            status=400,
            api_error_type="invalid_request_error",
            error="billing_error",
            text="Credit balance is too low",
        ),
        "rate_limit": Failure(
            error_type="rate_limit",
            status=429,
            api_error_type="rate_limit_error",
            error="rate_limit",
            retry_error="rate_limit",
            text="API Error: Request rejected (429) · rate limited",
        ),
        "usage_limit": Failure(
            error_type="usage_limit",
            status=429,
            api_error_type="rate_limit_error",
            api_error="usage_limit_reached",
            error="rate_limit",
            text="You've hit your limit",
        ),
        "overloaded": Failure(
            error_type="overloaded",
            status=529,
            api_error_type="overloaded_error",
            error="server_error",
            retry_error="overloaded",
            text="API Error: 529 Overloaded. This is a server-side issue, usually temporary — try again in a moment.",
        ),
        "server": Failure(
            error_type="server",
            status=500,
            api_error_type="api_error",
            error="server_error",
            retry_error="server_error",
            text="API Error: 500 Internal server error",
        ),
        "network": Failure(
            error_type="network",
            api_error="connection_failed",
            error="server_error",
            retry_error="unknown",
            text="API Error: Connection refused — a firewall or proxy may be blocking it (ECONNREFUSED)",
        ),
        "model": Failure(
            error_type="model",
            status=404,
            api_error_type="not_found_error",
            error="model_not_found",
            text="There's an issue with the selected model. It may not exist or you may not have access to it.",
        ),
        "context": Failure(
            error_type="context",
            status=400,
            api_error_type="invalid_request_error",
            error="invalid_request",
            text="Prompt is too long",
            terminal_reason="prompt_too_long",
        ),
        "output_limit": Failure(
            error_type="output_limit",
            api_error="max_output_tokens",
            error="max_output_tokens",
            text="API Error: the response exceeded the output token maximum.",
        ),
    }
)
