"""Settings come from flags, then the environment, then their defaults."""

import pytest

from server import settings


def test_flags_win_over_the_environment_and_that_over_defaults():
    assert settings.load([], {}).port == 5000
    assert settings.load([], {"PODIUM_PORT": "7000", "PODIUM_DATA": "/x"}).port == 7000
    assert settings.load(["--port", "8000"], {"PODIUM_PORT": "7000"}).port == 8000


def test_a_host_that_sets_the_port_is_served_on_every_address():
    hosted = settings.load([], {"PORT": "9000"})
    assert (hosted.host, hosted.port) == ("0.0.0.0", 9000)
    assert settings.load([], {"PORT": "9000", "PODIUM_HOST": "127.0.0.1"}).host == "127.0.0.1"
    assert settings.load([], {}).host == "127.0.0.1"


def test_a_setting_that_does_not_parse_is_refused_by_name(capsys):
    with pytest.raises(SystemExit):
        settings.load([], {"PODIUM_PORT": "many"})
    assert "PODIUM_PORT: 'many' is no int" in capsys.readouterr().err


def test_every_setting_has_a_help_text():
    assert set(settings.HELP) == set(settings.Settings.__dataclass_fields__)
