"""The published JSON Schema accepts what is shipped and refuses what `check` refuses."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from shared.organisation import schema, write_schema
from tests.organisation.conftest import SHIPPED


def documents(authority: str) -> dict[str, Any]:
    """The files as JSON: dates become text."""
    loaded = {p.name: YAML(typ="safe", pure=True).load(p.read_text("utf-8")) for p in (SHIPPED / authority).iterdir()}
    return json.loads(json.dumps(loaded, default=str))  # type: ignore[no-any-return]  # a JSON document


@pytest.mark.parametrize("authority", ["rivemont", "saint-aubrin"])
def test_what_is_shipped_fits_the_schema(authority: str) -> None:
    jsonschema.validate(documents(authority), schema(), cls=jsonschema.Draft202012Validator)


def test_an_unknown_field_does_not(tmp_path: Path) -> None:
    files = documents("saint-aubrin")
    files["authority.yaml"]["colour"] = "blue"

    written = json.loads(write_schema(tmp_path / "schemas").read_text("utf-8"))

    with pytest.raises(jsonschema.ValidationError, match="colour"):
        jsonschema.validate(files, written)
