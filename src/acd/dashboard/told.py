"""A session in words: why it ended, and what lies between its price and what its agent reports."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from acd.core.one_session import TimelineRow, WholeSession
from acd.dashboard.formats import money


def why_it_ended(session: WholeSession, ending: Sequence[TimelineRow]) -> list[str]:
    """Sentences, the most important first; of one that runs, that it does."""
    if session.status == "running":
        return ["It still runs."]
    last = {row.kind: row for row in ending}
    told = [_outcome(session)]
    told += _message(session)
    if limit := last.get("limit_hit"):
        told.append(f"A limit of the account was reached: {limit.text}.")
    if budget := last.get("budget"):
        told.append(f"Budget: {budget.text}")
    if delivered := last.get("delivered"):
        told.append(_delivery(delivered))
    if leftovers := last.get("leftovers_kept"):
        told.append(f"At its end there was more: {leftovers.text}.")
    return told


def _outcome(session: WholeSession) -> str:
    if session.status == "completed":
        return "It came to its end in order."
    reason = (session.error_type or "unknown").replace("_", " ")
    status = session.exit_code
    if status is None:
        return f"It failed: {reason}."
    ended = f"by signal {-status}" if status < 0 else f"with exit status {status}"
    return f"It failed: {reason}. The agent's process ended {ended}."


def _message(session: WholeSession) -> list[str]:
    return [session.error_message] if session.error_message else []


def _delivery(row: TimelineRow) -> str:
    outcome = (row.outcome or "delivered").replace("_", " ")
    return f"Its commits: {outcome} ({row.text})." if row.text else f"Its commits: {outcome}."


def gap_in_words(session: WholeSession) -> str | None:
    """What lies between our price and what the agent reports, and why that may be; None where nothing does."""
    gap = session.cost_gap_usd
    if not gap or session.reported_cost_usd is None:
        return None
    more = "more" if gap > 0 else "less"
    told = (
        f"The agent reports {money(session.reported_cost_usd)}, which is {money(abs(gap))} {more} than its requests cost "
        "by list price"
    )
    return f"{told}{_why(session, gap)}."


def _why(session: WholeSession, gap: Decimal) -> str:
    if session.unpriced_requests:
        return f"; {session.unpriced_requests} of them have no known price and are not in our sum"
    if session.status == "failed":
        return "; a session that is cut short may have requests that nobody reports, or that the agent counts in full"
    if gap > 0:
        return "; agents also count what they asked for beside the conversation, or use other prices than the list"
    return "; the agent uses lower prices than the list, or leaves requests out"
