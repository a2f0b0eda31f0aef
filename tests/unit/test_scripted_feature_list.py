"""The agent's own reading and changing of feature lists, in every form that it may meet."""

import json
from pathlib import Path
from typing import Any

import pytest

from acd.testing.scripted_agent import feature_list
from acd.testing.scripted_agent.feature_list import FeatureList


@pytest.mark.parametrize(
    ("prompt", "path"),
    [
        ("Work.\nFeature list: /a b/list.json\nGo.", "/a b/list.json"),
        ("- Feature list: `docs/f.json`", "docs/f.json"),
        ("Feature list:   x.json   ", "x.json"),
        ("Mind the feature list.", None),
    ],
)
def test_the_prompt_names_the_list(prompt: str, path: str | None) -> None:
    assert feature_list.path_in_prompt(prompt) == path


@pytest.mark.parametrize(
    ("document", "changed"),
    [
        ([{"id": "a", "passes": False, "n": 1}], [{"id": "a", "passes": True, "n": 1}]),
        ([{"key": "a", "completed": False}], [{"key": "a", "completed": True}]),
        ([{"title": "a", "status": "pending"}], [{"title": "a", "status": "passing"}]),
        ([{"name": "a"}], [{"name": "a", "passes": True}]),
        (
            {"v": 2, "features": [{"id": "a", "passes": False}]},
            {"v": 2, "features": [{"id": "a", "passes": True}]},
        ),
    ],
)
def test_a_claim_changes_one_flag_and_nothing_else(
    tmp_path: Path, document: object, changed: object
) -> None:
    path = tmp_path / "list.json"
    path.write_text(json.dumps(document, indent=4) + "\n")
    features = FeatureList(path)
    entry = features.next_pending()
    assert entry is not None
    feature_list.set_passing(entry, True)
    features.save()
    assert path.read_text() == json.dumps(changed, indent=4) + "\n"
    assert FeatureList(path).next_pending() is None


def test_the_most_important_pending_feature_comes_next(tmp_path: Path) -> None:
    entries: list[dict[str, Any]] = [
        {"id": "late", "passes": False},
        {"id": "done", "passes": True, "priority": 1},
        {"id": "out", "status": "skipped", "priority": 1},
        {"id": "second", "passes": False, "priority": "P2"},
        {"id": "first", "passes": False, "priority": 2},
    ]
    feature_list.create(tmp_path / "list.json", entries)
    following = FeatureList(tmp_path / "list.json").next_pending()
    assert following is not None
    assert following["id"] == "second"


def test_both_forms_can_be_created(tmp_path: Path) -> None:
    for as_object in (False, True):
        feature_list.create(tmp_path / "new/list.json", [{"id": "a"}], as_object=as_object)
        assert FeatureList(tmp_path / "new/list.json").find("a") == {"id": "a"}
