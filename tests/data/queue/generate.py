"""Makes queue files like real ones: 199 entries with every oddity that was seen in them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

ODDITIES = ("negative", "shared", "elsewhere", "unknown", "bare", "p_string", "numeric_string")
"""One kind an entry, in turn; see `_odd`."""


def generate(folder: Path, entries: int = 199, seed: int = 7, features: int = 5) -> Path:
    """Write `folder/queue/repo-queue.json` with its repositories' folders and feature lists; returns its path."""
    rng = random.Random(seed)
    queue = folder / "queue"
    (queue / "lists").mkdir(parents=True)
    repos = [_entry(index, folder, rng, features) for index in range(entries)]
    document = {
        "version": "1.1",
        "defaults": {"sessionDelay": 0, "maxSessionsPerRepo": 50},
        "modelConfig": {
            "defaultComplexity": "medium",
            "taskTypeMapping": {"refactor": "high", "docs": "low"},
            "complexityLevels": {
                "high": {"models": ["opus"], "fallback": "sonnet", "maxRetries": 3}
            },
        },
        "repos": repos,
        "lastEdited": "by hand",
    }
    path = queue / "repo-queue.json"
    path.write_text(json.dumps(document, indent=2))
    return path


def _entry(index: int, folder: Path, rng: random.Random, features: int) -> dict[str, Any]:
    repository = folder / f"folder-{index:03}"
    repository.mkdir()
    entry: dict[str, Any] = {
        "id": f"target-{index:03}",
        "name": f"Target {index}",
        "path": f"../folder-{index:03}",
        "priority": rng.randint(1, 40),
        "complexity": rng.choice(["critical", "high", "medium", "low", "trivial"]),
        "enabled": rng.random() > 0.1,
        "focus": rng.choice(["refactor the parser", "docs only", "payment webhooks"]),
        "tags": ["generated"],
    }
    feature_list = _odd(ODDITIES[index % len(ODDITIES)], entry, repository, folder, rng)
    feature_list.write_text(json.dumps(_features(features, rng)))
    return entry


def _odd(
    kind: str, entry: dict[str, Any], repository: Path, folder: Path, rng: random.Random
) -> Path:
    """Give the entry its oddity; returns where its feature list is to be."""
    feature_list = repository / "feature_list.json"
    if kind == "negative":
        entry["priority"] = -rng.randint(1, 9)
    elif kind == "shared":
        entry["path"] = "../folder-000"
        feature_list = folder / "folder-000" / f"features-{entry['id']}.json"
        entry["featureList"] = f"../folder-000/{feature_list.name}"
    elif kind == "elsewhere":
        feature_list = folder / "queue" / "lists" / f"{entry['id']}.json"
        entry["featureList"] = f"lists/{feature_list.name}"
    elif kind == "unknown":
        entry |= {"owner": "team b", "estimate": {"days": 3}, "notes": ["free", "text"]}
    elif kind == "bare":
        for key in set(entry) - {"id", "path"}:
            del entry[key]
    elif kind == "p_string":
        entry["priority"] = f"P{rng.randint(0, 4)}"
    else:
        entry["priority"] = str(rng.randint(0, 4))
    return feature_list


def _features(count: int, rng: random.Random) -> list[dict[str, Any]]:
    return [
        {
            "id": f"F{number:03}",
            "name": f"Feature {number}",
            "description": "It does what it says.",
            "priority": number,
            "passes": rng.random() < 0.4,
        }
        for number in range(count)
    ]
