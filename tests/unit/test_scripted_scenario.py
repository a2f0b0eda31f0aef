"""Scenario files: what is found for a repository, and what is said about a wrong file."""

import json
from pathlib import Path
from typing import Any

import pytest

from acd.testing.scripted_agent.scenario import ScenarioError, read_scenario
from acd.testing.scripted_agent.steps import Initialize, Say, WorkOnFeature


def _write(folder: Path, document: Any) -> Path:  # noqa: ANN401
    path = folder / "scenario.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_targets_are_found_by_folder_and_list_then_folder_then_star(tmp_path: Path) -> None:
    names = ["shop/b.json", "shop", "*"]
    scenario = read_scenario(_write(tmp_path, {"targets": {name: {} for name in names}}))
    assert scenario.target("shop", "b.json")[0] == "shop/b.json"
    assert scenario.target("shop", "feature_list.json")[0] == "shop"
    assert scenario.target("bank", "b.json")[0] == "*"


def test_the_last_plan_repeats(tmp_path: Path) -> None:
    says = [{"steps": [{"do": "say", "text": word}]} for word in ("one", "two")]
    scenario = read_scenario(_write(tmp_path, {"targets": {"*": {"sessions": says}}}))
    _, target = scenario.target("any", "feature_list.json")
    steps = [target.plan("coding", index).steps[0] for index in range(4)]
    assert [step.text for step in steps if isinstance(step, Say)] == ["one", "two", "two", "two"]


def test_a_target_without_plans_initialises_and_works(tmp_path: Path) -> None:
    scenario = read_scenario(_write(tmp_path, {"targets": {"*": {}}}))
    _, target = scenario.target("any", "feature_list.json")
    assert target.plan("initializer", 0).steps == [Initialize()]
    assert target.plan("coding", 3).steps == [WorkOnFeature()]


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ({"sessions": [{"steps": [{"do": "dance"}]}]}, "Invalid value 'dance'"),
        ({"sessions": [{"steps": [{"do": "say", "txt": "x"}]}]}, "txt"),
        ({"sessions": [{"steps": [{"do": "sleep"}]}]}, "missing required field `seconds`"),
        ({"sessions": [{"steps": [{"do": "say", "usage": {"input_tokens": -1}}]}]}, ">= 0"),
        ({"sessions": [{"steps": [{"do": "say", "model": "gpt"}]}]}, "no price for model 'gpt'"),
        ({"sessions": [{"steps": [{"do": "fail", "error": "boredom"}]}]}, "boredom"),
        ({"sessions": []}, "sessions is an empty list"),
        (
            {"sessions": [{"steps": [{"do": "say"}, {"do": "config_error"}]}]},
            "config_error must be the only step",
        ),
    ],
)
def test_a_wrong_scenario_is_named_with_its_place(
    tmp_path: Path, target: dict[str, Any], complaint: str
) -> None:
    path = _write(tmp_path, {"targets": {"shop": target}})
    with pytest.raises(ScenarioError, match="scenario") as caught:
        read_scenario(path)
    assert str(path) in str(caught.value)
    assert complaint in str(caught.value)


def test_a_file_that_is_missing_or_no_json_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="No such file"):
        read_scenario(tmp_path / "none.json")
    with pytest.raises(ScenarioError, match="JSON is malformed"):
        read_scenario(_write(tmp_path, "{oops"))
