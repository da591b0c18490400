"""The contracts of the bus, generated from the event classes and the topic declarations, and what would break them.

`docs/events` holds them: a JSON Schema per type and version, golden examples written by hand, an AsyncAPI document.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from shared.events.asyncapi import asyncapi_text
from shared.events.topics import TOPICS

Schema: TypeAlias = dict[str, Any]
"""A JSON document (Any: whatever JSON Schema allows)."""
_SAYS_NOTHING = ("title", "description", "default", "examples", "$schema", "$id", "$defs")
"""Keywords that change no document's validity (`$defs` is followed by its references)."""


def schemas() -> dict[str, Schema]:
    """Return the JSON Schema (2020-12) of each event type."""
    return {cls.type_: _schema_of(cls) for topic in TOPICS for cls in topic.types}  # type: ignore[attr-defined]  # every event class has it


def _schema_of(cls: Any) -> Schema:  # Any: an event class
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, "$id": f"urn:aiguilleur:event:{cls.type_}", **cls.model_json_schema()}


def write(folder: Path) -> list[Path]:
    """Write `schemas/<type>.json` and `asyncapi.yaml` into a folder (docs/events); return the paths. Examples stay."""
    (folder / "schemas").mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in schemas().items():
        path = folder / "schemas" / f"{name}.json"
        path.write_text(as_text(schema), encoding="utf-8")
        written.append(path)
    document = folder / "asyncapi.yaml"
    document.write_text(asyncapi_text(read_examples(folder)), encoding="utf-8")
    return [*written, document]


def as_text(document: Mapping[str, Any]) -> str:
    """Return a document as it is committed."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def read_schemas(folder: Path) -> dict[str, Schema]:
    """Return the committed schemas by type."""
    return {
        path.name.removesuffix(".json"): json.loads(path.read_text("utf-8"))
        for path in sorted((folder / "schemas").glob("*.json"))
    }


def read_examples(folder: Path) -> dict[str, Any]:
    """Return the golden examples by type."""
    return {
        path.name.removesuffix(".json"): json.loads(path.read_text("utf-8"))
        for path in sorted((folder / "examples").glob("*.json"))
    }


def breaking_changes(old: Mapping[str, Schema], new: Mapping[str, Schema]) -> list[str]:
    """Return what in `new` would break a reader or a writer of `old`, one line each; a new type or optional field does not."""
    found = []
    for name, schema in old.items():
        if name not in new:
            found.append(f"{name}: the type is gone; events of it are in the log: keep it, and give the new shape a new version")
            continue
        found += [f"{name}: {change}; give it a new version" for change in _changes(schema, new[name], schema, new[name], "")]
    return found


def _changes(old: Any, new: Any, old_root: Schema, new_root: Schema, path: str) -> Iterator[str]:
    """Compare two schemas in place; `path` says where we are."""
    old, new = _followed(old, old_root), _followed(new, new_root)
    where = path or "the event"
    if not isinstance(old, dict) or not isinstance(new, dict):
        if old != new:
            yield f"{where} changed"
        return
    yield from _property_changes(old, new, old_root, new_root, path)
    for keyword in sorted((old.keys() | new.keys()) - {"properties", "required", *_SAYS_NOTHING}):
        if keyword not in old or keyword not in new:
            yield f"{where}: {keyword} {'appeared' if keyword in new else 'is gone'}"
        elif keyword in ("anyOf", "oneOf", "allOf") and len(old[keyword]) == len(new[keyword]):
            for before, after in zip(old[keyword], new[keyword], strict=True):
                yield from _changes(before, after, old_root, new_root, path)
        elif keyword in ("items", "additionalProperties"):
            yield from _changes(old[keyword], new[keyword], old_root, new_root, f"{path}[]")
        elif old[keyword] != new[keyword]:
            yield f"{where}: {keyword} changed"


def _property_changes(old: Schema, new: Schema, old_root: Schema, new_root: Schema, path: str) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    needed, was_needed = set(new.get("required", ())), set(old.get("required", ()))
    for name, schema in before.items():
        place = f"{path}.{name}".lstrip(".")
        if name not in after:
            yield f"{place} is gone"
            continue
        if (name in needed) != (name in was_needed):
            yield f"{place} became {'required' if name in needed else 'optional'}"
        yield from _changes(schema, after[name], old_root, new_root, place)
    for name in after.keys() - before.keys():
        if name in needed:
            yield f"{f'{path}.{name}'.lstrip('.')} is new and required"


def _followed(schema: Any, root: Schema) -> Any:
    while isinstance(schema, dict) and "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    return schema
