"""The JSON Schema of the configuration files, for editors and for whoever generates such files."""

import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from shared.organisation.draft import FILES

FILE_NAME = "organisation.schema.json"


def schema() -> dict[str, Any]:  # a JSON document
    """One document: a property per file of an authority's folder, the models under `$defs`."""
    references, definitions = models_json_schema([(model, "validation") for model in FILES.values()], by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of one authority",
        "description": "deploy/organisation/<authority>/: each property is one file.",
        "type": "object",
        "additionalProperties": False,
        "required": list(FILES),
        "properties": {name: references[model, "validation"] for name, model in FILES.items()},
        "$defs": definitions["$defs"],
    }


def write_schema(folder: Path) -> Path:
    """Write `organisation.schema.json` into `folder` (docs/schemas) and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    path.write_text(json.dumps(schema(), ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return path
