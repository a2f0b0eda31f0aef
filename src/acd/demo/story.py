"""What happens in the demo: three targets and what the scripted agent does in each, session by session.

notes    three features, a session each, the first with a subagent on a cheaper model; works with opus
weather  no feature list yet: an initializer writes one; then the server fails once, and a second try does the work
tetris   runs into a subscription limit and waits the seconds until it resets, then does its two features; haiku
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

TARGETS = ("notes", "weather", "tetris")


def repo_id(target: str) -> str:
    """The target's id in the queue; the prefix keeps it apart from a user's own."""
    return f"demo-{target}"


def features(target: str) -> list[Json]:
    """The feature list of a target; `weather` gets its own written by the initializer."""
    return [
        {"id": f"{target}-{number}", "name": name, "priority": number, "passes": False}
        for number, name in enumerate(_FEATURES[target], start=1)
    ]


_FEATURES = {
    "notes": ["Add a note from the command line", "Search notes by word", "Export notes as HTML"],
    "weather": ["Fetch the forecast of a city", "Show the week as a table"],
    "tetris": ["Let pieces fall", "Clear full lines"],
}


def queue(folders: dict[str, str]) -> Json:
    """The queue file. `folders`: path of each target's repository, relative to the queue file."""
    return {
        "version": "1.1",
        "defaults": {"sessionDelay": 0, "maxSessionsPerRepo": 12},
        "repos": [
            _entry("notes", "Notes", folders, priority=1, complexity="high"),
            _entry("weather", "Weather", folders, priority=2, complexity="medium"),
            _entry("tetris", "Tetris", folders, priority=3, complexity="low"),
        ],
    }


def _entry(target: str, name: str, folders: dict[str, str], **more: object) -> Json:
    return {
        "id": repo_id(target),
        "name": name,
        "path": folders[target],
        "agent": "scripted",
        "tags": ["demo"],
        **more,
    }


def scenario(folders: dict[str, str], *, pace: float, reset: float) -> Json:
    """The scripted agent's scenario.

    Args:
        folders: path of each target's repository; the agent knows a target by the folder's name.
        pace: seconds that the agent takes over a step, so that a person can watch.
        reset: seconds until the limit resets that `tetris` runs into.
    """
    wait = {"do": "sleep", "seconds": pace}
    feature = {"do": "feature"}
    look = {"do": "subagent", "model": "haiku", "requests": 2, "description": "read the code"}
    plans = {
        "notes": {
            "sessions": [
                {"steps": [{"do": "say", "thinking": True}, wait, look, wait, feature]},
                {"steps": [wait, feature, wait]},
                {"steps": [wait, feature, wait]},
            ]
        },
        "weather": {
            "features": features("weather"),
            "initializer": [{"steps": [wait, {"do": "initialize"}]}],
            "sessions": [
                {"steps": [{"do": "say"}, wait, {"do": "fail", "error": "server"}]},
                {"steps": [wait, feature, wait, feature]},
            ],
        },
        "tetris": {
            "sessions": [
                {
                    "steps": [
                        feature,
                        wait,
                        {"do": "fail", "error": "usage_limit", "resets_in": reset},
                    ]
                },
                {"steps": [wait, feature, wait]},
            ]
        },
    }
    return {
        "seed": 2026,
        "targets": {folders[target].rsplit("/", 1)[-1]: plan for target, plan in plans.items()},
    }
