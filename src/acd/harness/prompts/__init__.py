"""What an agent is told: our own words, or a file that the user gives for a target.

A target's `prompt` is a file that takes the place of the coding prompt, or a folder in which `initializer.md` and
`coding.md` take the place of ours, each where it exists. Names such as `$feature_list` in it are filled in (see
`placeholders`); others stay as they are. An agent is always told where the feature list is: where a user's prompt does
not name it, that line is added. So is, always, what the harness found out about earlier claims.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC
from importlib import resources
from pathlib import Path
from string import Template

from acd.core.errors import ConfigError
from acd.core.models import Feature, SessionType
from acd.core.text import shorten
from acd.harness.features import counts
from acd.harness.plan import SessionPlan
from acd.harness.prompts.rejections import render_rejections
from acd.harness.safe_read import FileRefused, read_regular_file
from acd.harness.workspace import Workspace

_SHOWN_FEATURES = 20
_SHOWN_DESCRIPTION = 300
_LARGEST = 64 * 1024
_NOTES = "progress_notes.md"
_LAST = 1_000_000


def render_prompt(
    plan: SessionPlan, features: Sequence[Feature], workspace: Workspace | None = None
) -> str:
    """The prompt of a session. Without `workspace` it works in the target's own folder.

    Raises:
        ConfigError: the user's prompt cannot be read.
    """
    left_out = set(plan.skipped)
    features = [each for each in features if each.passes or each.key not in left_out]
    values = placeholders(plan, features, workspace)
    text = Template(_template(plan)).safe_substitute(values)
    line = f"Feature list: {values['feature_list']}"
    if line not in text.splitlines():
        text = f"{text.rstrip()}\n\n{line}\n"
    if plan.skipped:
        text = f"{text.rstrip()}\n\n{_LEFT_OUT}{', '.join(plan.skipped)}\n"
    rejected = render_rejections(plan.rejections)
    return f"{text.rstrip()}\n\n## Claims that did not hold\n\n{rejected}" if rejected else text


def placeholders(
    plan: SessionPlan, features: Sequence[Feature], workspace: Workspace | None = None
) -> Mapping[str, str]:
    """What may stand in a prompt as `$name`, and what it is replaced by."""
    target = plan.target
    workspace = workspace or Workspace.in_place(target, plan.queue_dir)
    total, passing = counts(features)
    return {
        "target": target.name,
        "repository": str(workspace.path),
        "feature_list": str(workspace.feature_list),
        "progress_notes": str(workspace.path / _NOTES),
        "total_features": str(total),
        "passing_features": str(passing),
        "pending_features": _pending(features, plan.given_up),
        "focus": f"Focus: {target.focus}" if target.focus else "Focus: whatever matters most.",
        "prd": f"Requirements: read {target.prd}" if target.prd else _NO_PRD,
        "verify": f"Verification: `{target.verify_command}` must succeed."
        if target.verify_command
        else _NO_VERIFY,
        "deadline": _deadline(plan),
        "session_number": str(plan.session_number or 1),
        "session_type": plan.session_type,
    }


_LEFT_OUT = "Features to leave alone, as they are in the list; a person decided so: "
_NO_PRD = "Requirements: there is no separate document; take them from the repository itself."
_NO_VERIFY = "Verification: use the project's own tests and checks."


def _pending(features: Sequence[Feature], given_up: Sequence[str] = ()) -> str:
    """The most important features that do not pass; in the list's own order among equals."""
    pending = [feature for feature in features if not feature.passes and not feature.skipped]
    left_alone = [feature.key for feature in pending if feature.key in given_up]
    pending = [feature for feature in pending if feature.key not in given_up]
    pending.sort(key=lambda feature: _LAST if feature.priority is None else feature.priority)
    lines = [_line(feature) for feature in pending[:_SHOWN_FEATURES]]
    if len(pending) > _SHOWN_FEATURES:
        lines.append(f"- … and {len(pending) - _SHOWN_FEATURES} more; see the feature list")
    if left_alone:
        lines.append(f"- Leave these alone, they were rejected too often: {', '.join(left_alone)}")
    return "\n".join(lines) or "- none"


def _line(feature: Feature) -> str:
    words = feature.description if feature.description != feature.name else ""
    text = f"{feature.name}: {words}" if words else feature.name
    return f"- {feature.key}: {shorten(' '.join(text.split()), _SHOWN_DESCRIPTION)}"


def _deadline(plan: SessionPlan) -> str:
    """When the agent is stopped, and what it may use until then."""
    times = [at for at in (plan.deadline, plan.until) if at is not None]
    if times:
        when = min(times).astimezone(UTC)
        told = f"You are stopped at {when:%H:%M} UTC on {when:%Y-%m-%d} at the latest."
    else:
        told = (
            "There is no fixed time at which you are stopped, but you may be stopped at any time."
        )
    bounds = [
        f"${plan.budget_usd:.2f}" if plan.budget_usd is not None else "",
        f"{plan.budget_tokens:,} tokens" if plan.budget_tokens is not None else "",
    ]
    budget = " and ".join(filter(None, bounds))
    if not budget:
        return told
    return f"{told} The budget of this session is {budget}; when it is used up, you are stopped: commit early."


def _template(plan: SessionPlan) -> str:
    given = _given(plan.target.prompt, plan.session_type)
    if given is None:
        return resources.files(__package__).joinpath(f"{plan.session_type}.md").read_text("utf-8")
    try:
        return read_regular_file(given, [given.parent], _LARGEST).decode("utf-8-sig")
    except (FileRefused, OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"prompt {given} of {plan.target.repo_id}: {error}") from error


def _given(prompt: str | None, session_type: SessionType) -> Path | None:
    """The user's own file for this type of session, fully resolved."""
    if prompt is None:
        return None
    path = Path(os.path.realpath(prompt))
    if path.is_dir():
        inside = path / f"{session_type}.md"
        return inside if inside.exists() else None
    return path if session_type != "initializer" else None
