"""OpenAI's two APIs: what a request says, and an answer as server-sent events or as one object."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from acd.testing.other_models.script import Asked, Json, Step, call_of


def responses_asked(body: Json) -> Asked:
    """A request of the Responses API."""
    tools = {
        str(tool["name"]): list(tool.get("parameters", {}).get("properties", {}))
        for tool in body.get("tools") or ()
        if "name" in tool
    }
    given = body.get("input") or []
    results = sum(
        item.get("type") in ("function_call_output", "custom_tool_call_output")
        for item in given
        if isinstance(item, dict)
    )
    return Asked("responses", str(body.get("model")), tools, results, bool(body.get("stream")))


def chat_asked(body: Json) -> Asked:
    """A request of the Chat Completions API."""
    functions = [tool["function"] for tool in body.get("tools") or () if "function" in tool]
    tools = {
        str(function["name"]): list(function.get("parameters", {}).get("properties", {}))
        for function in functions
    }
    results = sum(message.get("role") == "tool" for message in body.get("messages") or ())
    return Asked("chat", str(body.get("model")), tools, results, bool(body.get("stream")))


def responses_events(asked: Asked, step: Step, name: str) -> Iterator[Json]:
    """The events of one answer. `name` makes its ids unique."""
    answer, tokens = step
    response: Json = {"id": f"resp_{name}", "object": "response", "model": asked.model}
    yield {"type": "response.created", "response": response | {"status": "in_progress"}}
    called = call_of(asked, answer)
    if not isinstance(called, str):
        tool, arguments = called
        item: Json = {
            "type": "function_call",
            "id": f"fc_{name}",
            "call_id": f"call_{name}",
            "name": tool,
            "arguments": msgspec.json.encode(arguments).decode(),
            "status": "completed",
        }
    else:
        text = {"type": "output_text", "text": called, "annotations": []}
        item = {
            "type": "message",
            "id": f"msg_{name}",
            "role": "assistant",
            "status": "completed",
            "content": [text],
        }
    yield {"type": "response.output_item.added", "output_index": 0, "item": item}
    yield {"type": "response.output_item.done", "output_index": 0, "item": item}
    usage = {
        "input_tokens": tokens.fresh + tokens.cached,
        "input_tokens_details": {"cached_tokens": tokens.cached},
        "output_tokens": tokens.output + tokens.reasoning,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.fresh + tokens.cached + tokens.output + tokens.reasoning,
    }
    done = response | {"status": "completed", "output": [item], "usage": usage}
    yield {"type": "response.completed", "response": done}


def chat_usage(step: Step) -> Json:
    """`usage` of a chat completion: cached inside the prompt, reasoning inside the completion."""
    tokens = step[1]
    prompt, completion = tokens.fresh + tokens.cached, tokens.output + tokens.reasoning
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": tokens.cached},
        "completion_tokens_details": {"reasoning_tokens": tokens.reasoning},
    }


def chat_message(asked: Asked, step: Step, name: str) -> Json:
    """The message of one answer."""
    called = call_of(asked, step[0])
    if isinstance(called, str):
        return {"role": "assistant", "content": called}
    tool, arguments = called
    function = {"name": tool, "arguments": msgspec.json.encode(arguments).decode()}
    call = {"index": 0, "id": f"call_{name}", "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def chat_chunks(asked: Asked, step: Step, name: str) -> Iterator[Json]:
    """The chunks of a streamed answer; the last one tells the usage."""
    head: Json = {
        "id": f"chatcmpl-{name}",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": asked.model,
    }
    message = chat_message(asked, step, name)
    ended = "tool_calls" if "tool_calls" in message else "stop"
    yield head | {"choices": [{"index": 0, "delta": message, "finish_reason": None}]}
    yield head | {"choices": [{"index": 0, "delta": {}, "finish_reason": ended}]}
    yield head | {"choices": [], "usage": chat_usage(step)}


def chat_whole(asked: Asked, step: Step, name: str) -> Json:
    """The answer as one object."""
    message = chat_message(asked, step, name)
    ended = "tool_calls" if "tool_calls" in message else "stop"
    return {
        "id": f"chatcmpl-{name}",
        "object": "chat.completion",
        "created": 1,
        "model": asked.model,
        "choices": [{"index": 0, "message": message, "finish_reason": ended}],
        "usage": chat_usage(step),
    }
