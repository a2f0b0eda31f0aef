"""Lines of a transcript, in the words and the order of fields of Claude Code 2.1.330 (tests/data/claude-code)."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.history_corpus.truth import Sum, Usage


@dataclass
class Place:
    """Where lines are said: what nearly every line repeats. `agent`: a subagent's id, else empty."""

    session: str
    cwd: str
    branch: str
    version: str
    agent: str = ""

    def __post_init__(self) -> None:
        self.tail = (
            f'"userType":"external","entrypoint":"cli","cwd":"{self.cwd}","sessionId":"{self.session}",'
            f'"version":"{self.version}","gitBranch":"{self.branch}"}}'
        )
        self.side = (
            f'"isSidechain":true,"agentId":"{self.agent}"' if self.agent else '"isSidechain":false'
        )


def stamp(at: datetime) -> str:
    """A time as lines have it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unique(chance: random.Random) -> str:
    """A random uuid (version 4)."""
    digits = f"{chance.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


@dataclass
class Writer:
    """Makes lines without their ends; every one has a uuid of its own, and those of one place form a chain."""

    chance: random.Random
    parent: str = "null"

    def prompt(self, place: Place, at: datetime, text: str) -> str:
        """What a person said, or (in a subagent's file) the agent that called it."""
        return (
            f'{{"parentUuid":{self.parent},{place.side},"promptId":"{unique(self.chance)}","type":"user",'
            f'"message":{{"role":"user","content":"{text}"}},"uuid":{self._next()},"timestamp":"{stamp(at)}",'
            f'"permissionMode":"acceptEdits",{place.tail}'
        )

    def result(self, place: Place, at: datetime, call: str, text: str) -> str:
        """What a tool gave back: for the model, and for the eye."""
        return (
            f'{{"parentUuid":{self.parent},{place.side},"promptId":"{unique(self.chance)}","type":"user",'
            f'"message":{{"role":"user","content":[{{"tool_use_id":"{call}","type":"tool_result","content":"{text}"}}]}},'
            f'"uuid":{self._next()},"timestamp":"{stamp(at)}",'
            f'"toolUseResult":{{"stdout":"{text}","stderr":"","interrupted":false,"isImage":false}},{place.tail}'
        )

    def picture(self, place: Place, at: datetime, call: str, data: str) -> str:
        """A tool that gave back a picture: the longest lines there are."""
        return (
            f'{{"parentUuid":{self.parent},{place.side},"type":"user","message":{{"role":"user","content":'
            f'[{{"tool_use_id":"{call}","type":"tool_result","content":[{{"type":"image","source":'
            f'{{"type":"base64","data":"{data}","media_type":"image/png"}}}}]}}]}},"uuid":{self._next()},'
            f'"timestamp":"{stamp(at)}",{place.tail}'
        )

    def assistant(
        self, place: Place, at: datetime, reply: Reply, usage: str, block: str, *, last: bool
    ) -> str:
        """One block of a reply, with the usage as known by then."""
        stop = '"tool_use"' if last else "null"
        identity = f'"id":"{reply.id}",' if reply.id else ""
        model = json.dumps(reply.model)
        line = (
            f'{{"parentUuid":{self.parent},{place.side},"message":{{{identity}"type":"message","role":"assistant",'
            f'"model":{model},"content":[{block}],"stop_reason":{stop},"stop_sequence":null,"usage":{usage},'
            f'"stop_details":null}},"requestId":{reply.request},"requestedModel":{model},"type":"assistant",'
            f'"uuid":{self._next()},"timestamp":"{stamp(at)}","effort":"medium",{place.tail}'
        )
        reply.uuid = self.parent
        return line

    def synthetic(self, place: Place, at: datetime) -> str:
        """The agent's own words in the shape of a reply: no request was made."""
        return (
            f'{{"parentUuid":{self.parent},{place.side},"type":"assistant","uuid":{self._next()},'
            f'"timestamp":"{stamp(at)}","message":{{"id":"{unique(self.chance)}","model":"<synthetic>","role":"assistant",'
            f'"type":"message","usage":{{"input_tokens":0,"output_tokens":0,"cache_creation_input_tokens":0,'
            f'"cache_read_input_tokens":0}},"content":[{{"type":"text","text":"No response requested."}}]}},{place.tail}'
        )

    def attachment(self, place: Place, at: datetime, text: str) -> str:
        """Something that the agent put into the model's context."""
        return (
            f'{{"parentUuid":{self.parent},{place.side},"attachment":{{"type":"text_reminder","content":"{text}"}},'
            f'"type":"attachment","uuid":{self._next()},"timestamp":"{stamp(at)}",{place.tail}'
        )

    def bookmark(self, place: Place, text: str) -> str:
        """A line for the agent's own use, without a time."""
        return f'{{"type":"last-prompt","lastPrompt":"{text}","sessionId":"{place.session}"}}'

    def cost_state(self, place: Place, spent: Mapping[str, Sum]) -> str:
        """The agent's own account, by model, at the end of a session."""
        models = {
            model: {
                "inputTokens": one.input_tokens,
                "outputTokens": one.output_tokens,
                "cacheReadInputTokens": one.cache_read_tokens,
                "cacheCreationInputTokens": one.cache_write_tokens,
                "webSearchRequests": one.web_searches,
                "costUSD": float(one.cost_usd),
            }
            for model, one in spent.items()
        }
        state = {"type": "cost-state", "sessionId": place.session, "modelUsage": models}
        return json.dumps(state, separators=(",", ":"))

    def _next(self) -> str:
        self.parent = f'"{unique(self.chance)}"'
        return self.parent


@dataclass
class Reply:
    """A model's reply as its lines tell it. `request` is JSON: a quoted id, or null. `uuid`: of its last line, quoted."""

    id: str
    model: str | None
    request: str
    uuid: str = ""


def usage_json(usage: Usage, *, plain_split: bool = False, floats: bool = False) -> str:
    """`message.usage`.

    Args:
        usage: the counts.
        plain_split: tell the cache writes by their sum and say of both times to live that they are 0.
        floats: whole numbers as other programs may write them, `12.0`.
    """
    mark = ".0" if floats else ""
    write_5m, write_1h = (0, 0) if plain_split else (usage.cache_write_5m, usage.cache_write_1h)
    return (
        f'{{"input_tokens":{usage.input}{mark},"cache_creation_input_tokens":{usage.cache_write}{mark},'
        f'"cache_read_input_tokens":{usage.cache_read}{mark},"output_tokens":{usage.output}{mark},'
        f'"server_tool_use":{{"web_search_requests":{usage.web_searches},"web_fetch_requests":0}},'
        f'"service_tier":"standard","cache_creation":{{"ephemeral_1h_input_tokens":{write_1h},'
        f'"ephemeral_5m_input_tokens":{write_5m}}},"inference_geo":"global","iterations":[],"speed":"standard"}}'
    )
