"""The golden examples: what others copy from the documentation is taken by the classes, and means what it says."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from shared.events import contracts
from shared.events.envelope import TYPES, Undecodable, decode, encode_headers, encode_value
from shared.events.topics import TOPICS, Topic

AT = datetime(2026, 3, 3, 8, tzinfo=UTC)
FOLDER = Path(__file__).parents[2] / "docs/events"
EXAMPLES = contracts.read_examples(FOLDER)
TOPIC: dict[str, Topic] = {cls.type_: topic for topic in TOPICS for cls in topic.types}  # type: ignore[attr-defined]  # every event class has it


def test_every_event_has_an_example() -> None:
    assert EXAMPLES.keys() == TYPES.keys()


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_comes_back_as_it_was(name: str) -> None:
    event = TYPES[name].model_validate(EXAMPLES[name])
    assert json.loads(encode_value(event)) == EXAMPLES[name], "an example shows every field, in the form in which it is sent"


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_fits_its_committed_schema(name: str) -> None:
    schema = contracts.read_schemas(FOLDER)[name]
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(EXAMPLES[name])


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_is_read_from_its_topic(name: str) -> None:
    event = TYPES[name].model_validate(EXAMPLES[name])
    headers = encode_headers(type=name, source="/example", id="1", sequence=1, time=AT, traceparent=None)
    received = decode(TOPIC[name].name, dict(headers), encode_value(event))
    assert (received.event, received.sequence) == (event, 1 if TOPIC[name].sequenced else None)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_reader_ignores_what_a_later_writer_adds(name: str) -> None:
    """Only what others may write is strict: there an unknown field is a mistake that its author wants to hear of."""
    newer = {**EXAMPLES[name], "added_later": True}
    if TOPIC[name].sequenced:
        assert TYPES[name].model_validate(newer) == TYPES[name].model_validate(EXAMPLES[name])
    else:
        with pytest.raises(ValueError, match="added_later"):
            TYPES[name].model_validate(newer)


def test_no_example_of_a_topic_without_personal_data_has_a_sealed_field() -> None:
    for name, example in EXAMPLES.items():
        if TOPIC[name].personal == "none":
            assert "sealed" not in example


@pytest.mark.parametrize(("version", "taken"), [(1, True), (2**31 - 1, True), (0, False), (-1, False), (2**31, False)])
def test_business_software_names_a_version_that_a_life_may_have(version: int, taken: bool) -> None:
    """A refusal repeats it to all readers of handling.v1, in whatever language they count."""
    command = "fr.aiguilleur.command.issued.v1"
    value = json.dumps(EXAMPLES[command] | {"expected_version": version}).encode()
    headers = dict(encode_headers(type=command, source="/example", id="1", sequence=1, time=AT, traceparent=None))
    if taken:
        assert decode(TOPIC[command].name, headers, value).id == "1"
    else:
        with pytest.raises(Undecodable, match=r"expected_version: .* \(1 to 2147483647\)"):
            decode(TOPIC[command].name, headers, value)
