"""The step that delegates to a subagent, which has its own requests and its own transcript."""

from __future__ import annotations

from acd.testing.prices import Count
from acd.testing.scripted_agent.recorder import Chain, Subagent
from acd.testing.scripted_agent.session import Session, text
from acd.testing.scripted_agent.steps import Asking
from acd.testing.scripted_agent.wire import Json, ToolResult


class UseSubagent(Asking, frozen=True, tag="subagent"):
    """Delegate: the subagent makes `requests` requests, all but the last with a tool call; `model` and `usage` are its."""

    type: str = "general-purpose"
    description: str = "look around"
    prompt: str = "Look around."
    requests: Count = 2

    def perform(self, session: Session) -> None:
        """Start the subagent, let it work, take its report."""
        use_id = session.next_tool_id()
        given = {"description": self.description, "prompt": self.prompt, "subagent_type": self.type}
        call = {"type": "tool_use", "id": use_id, "name": "Agent", "input": given}
        session.request([text("Delegating."), call])
        agent_id = "a" + session.recorder.next_uuid().replace("-", "")[:16]
        agent = Subagent(agent_id, self.type, use_id, self.description)
        chain = session.recorder.side_chain(agent)
        task: Json = {"type": "system", "task_id": agent_id, "tool_use_id": use_id}
        self._start(session, chain, task)
        self._work(session, chain)
        self._end(session, chain, task)
        report = {"status": "completed", "agentId": agent_id, "agentType": self.type}
        session.give_result(use_id, ToolResult("There is a README.", report))

    def _start(self, session: Session, chain: Chain, task: Json) -> None:
        started: Json = {
            "subtype": "task_started",
            "description": self.description,
            "subagent_type": self.type,
            "task_type": "local_agent",
            "prompt": self.prompt,
        }
        kept = {"type": "user", "message": {"role": "user", "content": self.prompt}}
        printed = {"type": "user", "message": {"role": "user", "content": [text(self.prompt)]}}
        with session.gate.held():
            session.recorder.print(task | started)
            session.recorder.message(chain, kept, printed)

    def _work(self, session: Session, chain: Chain) -> None:
        for _ in range(1, self.requests):
            look: Json = {"command": "ls", "description": "ls"}
            session.use_tool("Bash", look, _see, self.charge, say="Looking.", chain=chain)
        session.request([text("There is a README.")], self.charge, chain)

    def _end(self, session: Session, chain: Chain, task: Json) -> None:
        usage = {"total_tokens": chain.context, "tool_uses": self.requests - 1, "duration_ms": 1}
        updated: Json = {
            "type": "system",
            "subtype": "task_updated",
            "patch": {"status": "completed"},
        }
        noted: Json = {"subtype": "task_notification", "status": "completed", "usage": usage}
        with session.gate.held():
            session.recorder.print(updated | {"task_id": task["task_id"]})
            session.recorder.print(task | noted | {"summary": "There is a README."})
        counts = session.account.subagents
        counts[self.type] = counts.get(self.type, 0) + 1


def _see() -> ToolResult:
    return ToolResult("README.md")
