"""What is committed is what the classes say, and nothing that was promised to others breaks unnoticed."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shared.events import contracts
from shared.events.asyncapi import asyncapi_text
from shared.events.topics import TOPICS
from shared.organisation import schema as organisation_schema

DOCS = Path(__file__).parents[2] / "docs"
RECEIVED = "fr.aiguilleur.request.received.v1"
SUBMITTED = "fr.aiguilleur.request.submitted.v1"


def test_nothing_that_was_committed_breaks() -> None:
    assert contracts.breaking_changes(contracts.read_schemas(DOCS / "events"), contracts.schemas()) == []


def test_the_committed_files_are_those_of_the_classes() -> None:
    stale = "run `aiguilleur events` and commit what it writes"
    assert contracts.read_schemas(DOCS / "events") == contracts.schemas(), stale
    written = (DOCS / "events/asyncapi.yaml").read_text("utf-8")
    assert written == asyncapi_text(contracts.read_examples(DOCS / "events")), stale
    assert json.loads((DOCS / "schemas/organisation.schema.json").read_text("utf-8")) == organisation_schema(), stale


def test_every_event_has_a_valid_schema_that_names_its_version() -> None:
    schemas = contracts.schemas()
    assert len(schemas) == sum(len(topic.types) for topic in TOPICS)
    for name, schema in schemas.items():
        Draft202012Validator.check_schema(schema)
        assert schema["$id"].endswith(name)
        assert schema["description"], f"{name} does not say what it means"


# --- what breaks ---------------------------------------------------------------------------------------------------------


def changed(name: str, change: Callable[[dict[str, Any]], object]) -> list[str]:
    """The breaking changes after an event's schema has been changed."""
    old = contracts.schemas()
    new = copy.deepcopy(old)
    change(new[name])
    return contracts.breaking_changes(old, new)


def test_an_optional_field_keeps_the_version() -> None:
    assert changed(RECEIVED, lambda schema: schema["properties"].update(area={"type": "string"})) == []
    assert changed(RECEIVED, lambda schema: schema["$defs"]["Promise"]["properties"].update(note={"type": "string"})) == []


def test_a_new_type_breaks_nothing() -> None:
    old = contracts.schemas()
    assert contracts.breaking_changes(old, {**old, "fr.aiguilleur.request.received.v2": old[RECEIVED]}) == []


def test_other_words_in_a_description_break_nothing() -> None:
    assert changed(RECEIVED, lambda schema: schema.update(description="better said", title="Other")) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda schema: schema["properties"].pop("reference"), "reference is gone"),
        (lambda schema: schema["required"].append("received_on"), "received_on became required"),
        (lambda schema: schema["required"].remove("reference"), "reference became optional"),
        (lambda schema: schema["properties"]["channel"]["enum"].append("pigeon"), "channel: enum changed"),
        (lambda schema: schema["properties"]["demande"].update(type="string"), "demande: type changed"),
        (lambda schema: schema["properties"]["sealed"].update(maxLength=10), "sealed: maxLength changed"),
        (lambda schema: schema["properties"]["sealed"].pop("maxLength"), "sealed: maxLength is gone"),
        (lambda schema: schema["properties"]["service"]["anyOf"].pop(), "service: anyOf changed"),
        (lambda schema: schema["properties"]["service"]["anyOf"][0].update(maxLength=3), "service: maxLength changed"),
        (lambda schema: schema["$defs"]["Promise"]["properties"].pop("label"), "promise.label is gone"),
        (
            lambda schema: (
                schema["$defs"]["Promise"]["properties"].update(note={"type": "string"}),
                schema["$defs"]["Promise"]["required"].append("note"),
            ),
            "promise.note is new and required",
        ),
        (lambda schema: schema.update(additionalProperties=False), "the event: additionalProperties appeared"),
    ],
)
def test_anything_else_needs_a_new_version(change: Callable[[dict[str, Any]], object], told: str) -> None:
    assert changed(RECEIVED, change) == [f"{RECEIVED}: {told}; give it a new version"]


def test_what_free_keys_may_hold_is_looked_at() -> None:
    (told,) = changed(SUBMITTED, lambda schema: schema["properties"]["answers"].update(patternProperties={"^a$": {}}))
    assert "answers: patternProperties changed" in told


def test_a_type_that_is_gone_is_told() -> None:
    old = contracts.schemas()
    (told,) = contracts.breaking_changes(old, {name: schema for name, schema in old.items() if name != RECEIVED})
    assert told.startswith(f"{RECEIVED}: the type is gone")
    assert "new version" in told


@given(st.sampled_from(sorted(contracts.schemas())), st.data())
def test_no_lost_field_goes_unnoticed(name: str, data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(sorted(contracts.schemas()[name]["properties"])))
    assert changed(name, lambda schema: schema["properties"].pop(field)) == [f"{name}: {field} is gone; give it a new version"]
