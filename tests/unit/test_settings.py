"""Settings: names, conversions, and errors that name the variable."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from acd.core.environment import described_settings, load_settings
from acd.core.errors import ConfigError
from acd.core.settings import Settings


def test_the_missions_variables_are_read() -> None:
    url = "postgresql://u@127.0.0.1:5433/d"
    settings = load_settings({"DATABASE_URL": url, "BACKEND_PORT": "4000"})
    assert (settings.database_url, settings.port) == (url, 4000)


def test_the_rest_is_acd_something() -> None:
    settings = load_settings({"ACD_HOME": "/srv/acd", "ACD_SESSION_TIMEOUT": "1.5"})
    assert (settings.home, settings.session_timeout) == (Path("/srv/acd"), 1.5)
    assert settings.given == {"home", "session_timeout"}


def test_a_flag_wins_and_an_absent_flag_does_not() -> None:
    environment = {"BACKEND_PORT": "4000"}
    assert load_settings(environment, port=5000).port == 5000
    assert load_settings(environment, port=None).port == 4000


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert load_settings({"DATABASE_URL": ""}) == load_settings({})


def test_every_wrong_setting_is_named_at_once() -> None:
    wrong = {"BACKEND_PORT": "70000", "ACD_TIMEZONE": "Mars/Olympus", "ACD_CONCURRENCY": "many"}
    with pytest.raises(ConfigError) as caught:
        load_settings(wrong)
    for part in ("BACKEND_PORT", "65535", "ACD_TIMEZONE", "Mars/Olympus", "ACD_CONCURRENCY"):
        assert part in str(caught.value)


def test_an_unknown_override_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no such setting: colour"):
        load_settings({}, colour="red")


def test_every_setting_is_described_with_its_default() -> None:
    described = {setting.name: setting for setting in described_settings()}
    assert set(described) == set(Settings.__struct_fields__) - {"given", "skip_permissions"}
    assert all(setting.description for setting in described.values())
    assert described["port"].environment == ("BACKEND_PORT", "ACD_PORT")
    assert described["port"].default == 3434


def test_a_machine_may_have_another_name_in_the_records() -> None:
    assert load_settings({"ACD_HOST_NAME": "builder-2"}).host_name == "builder-2"
    assert load_settings({}).host_name == socket.gethostname()
    with pytest.raises(ConfigError, match="ACD_HOST_NAME"):
        load_settings({"ACD_HOST_NAME": "a:b"})


def test_nothing_but_a_flag_lets_agents_do_everything() -> None:
    for name in ("ACD_SKIP_PERMISSIONS", "ACD_DANGEROUSLY_SKIP_PERMISSIONS"):
        assert not load_settings({name: "1"}).skip_permissions
    assert load_settings({}, skip_permissions=True).skip_permissions


def test_a_word_that_is_no_choice_is_told_the_choices() -> None:
    with pytest.raises(
        ConfigError, match=r"ACD_MERGE: .*'foo'.*fast-forward-or-merge or fast-forward or none"
    ):
        load_settings({"ACD_MERGE": "foo"})
