"""What a line of the log may hold: the fields of the list, and nothing that came along."""

import io
import json

import pytest
import structlog

from shared import log


@pytest.fixture
def stream() -> io.StringIO:
    written = io.StringIO()
    structlog.reset_defaults()
    log.configure(stream=written)
    return written


def test_a_field_that_is_not_on_the_list_never_gets_into_the_log(stream: io.StringIO) -> None:
    log.get_log("intake").info("request.received", request_id="1", name="Zéphyrine", email="z@courriel.example")
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line).keys() == {"event", "level", "timestamp", "service", "request_id"}
    assert "Zéphyrine" not in line
