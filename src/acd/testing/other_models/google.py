"""Google's Gemini API: what a request says, and an answer."""

from __future__ import annotations

from acd.testing.other_models.script import Asked, Json, Step, call_of


def gemini_asked(path: str, body: Json) -> Asked:
    """A request of `…/models/<model>:generateContent` or `:streamGenerateContent`."""
    model, _, method = path.partition("?")[0].rpartition("/")[2].partition(":")
    tools = {
        str(function["name"]): _properties(function)
        for tool in body.get("tools") or ()
        for function in tool.get("functionDeclarations") or ()
    }
    results = sum(
        "functionResponse" in part
        for content in body.get("contents") or ()
        for part in content.get("parts") or ()
    )
    return Asked("gemini", model, tools, results, method == "streamGenerateContent")


def gemini_answer(asked: Asked, step: Step) -> Json:
    """One answer, with its usage: cached inside the prompt, thoughts outside the candidates."""
    answer, tokens = step
    called = call_of(asked, answer)
    if isinstance(called, str):
        part: Json = {"text": called}
    else:
        name, arguments = called
        part = {"functionCall": {"name": name, "args": arguments}}
    prompt = tokens.fresh + tokens.cached
    return {
        "candidates": [
            {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
        ],
        "usageMetadata": {
            "promptTokenCount": prompt,
            "candidatesTokenCount": tokens.output,
            "cachedContentTokenCount": tokens.cached,
            "thoughtsTokenCount": tokens.reasoning,
            "totalTokenCount": prompt + tokens.output + tokens.reasoning,
        },
        "modelVersion": asked.model,
    }


def _properties(function: Json) -> list[str]:
    schema = function.get("parametersJsonSchema") or function.get("parameters") or {}
    return list(schema.get("properties", {}))
