"""How the server is told what to do."""

from __future__ import annotations

import pytest

from server.options import Options, OptionsError, address_of, read


def test_what_nobody_says_has_a_default() -> None:
    assert read([], {}) == Options()
    assert Options().host == "127.0.0.1"


def test_the_command_line_goes_before_the_environment() -> None:
    environment = {"KEYTURN_SERVER_PORT": "9000", "KEYTURN_SERVER_HEAD_SECONDS": "5"}
    options = read(["--port", "9001"], environment)
    assert (options.port, options.head_seconds) == (9001, 5)


@pytest.mark.parametrize("text", ["", "x", "0", "-1", "1.5", "65536", "9" * 30, "٣"])
def test_a_port_is_a_number(text: str) -> None:
    with pytest.raises(OptionsError, match="KEYTURN_SERVER_PORT"):
        read([], {"KEYTURN_SERVER_PORT": text})


def test_nobody_may_have_to_wait() -> None:
    assert read(["--waiting", "0"], {}).waiting == 0


@pytest.mark.parametrize("text", ["9464", ":9464", "localhost:", "localhost:x"])
def test_metrics_need_an_address(text: str) -> None:
    with pytest.raises(OptionsError):
        read(["--metrics", text], {})


def test_an_address_may_be_one_of_ipv6() -> None:
    assert address_of("[::1]:9464") == ("::1", 9464)


def test_help_names_every_option_and_variable(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read(["--help"], {})
    said = capsys.readouterr().out
    for name in Options.__dataclass_fields__:
        assert f"--{name.replace('_', '-')} " in said
