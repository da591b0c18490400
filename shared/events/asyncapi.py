"""The AsyncAPI 3 document of the bus, from the topic declarations: for whoever writes an adapter or business software."""

import io
from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import models_json_schema
from ruamel.yaml import YAML

from shared.events.topics import TOPICS, Topic

_PERSONAL = {
    "none": "none: codes, times and ids",
    "sealed": "sealed: only under the key of the request, which is destroyed when the usager is forgotten",
    "clear": "in clear: short retention, read by one service, sealed as soon as it is taken",
}
_KEYS = {
    "request": ("string", "the request id", "uuid"),
    "service": ("string", "authority and service: `rivemont/voirie`", None),
    "any": ("string", "anything; records of one key keep their order", None),
}
_MILLISECONDS_A_DAY = 86_400_000


def asyncapi_text(examples: Mapping[str, Any]) -> str:
    """Return the document as YAML, with the golden examples by type."""
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 130
    yaml.representer.ignore_aliases = lambda *_: True
    out = io.StringIO()
    yaml.dump(asyncapi(examples), out)
    return out.getvalue()


def asyncapi(examples: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document. Every payload is the real schema of its class."""
    classes = [cls for topic in TOPICS for cls in topic.types]
    references, definitions = models_json_schema(
        [(cls, "validation") for cls in classes], ref_template="#/components/schemas/{model}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Aiguilleur",
            "version": "1",
            "description": (
                "The bus of Aiguilleur: CloudEvents 1.0 on Kafka, binary mode (`ce_*` headers, JSON value). A topic with "
                "`ce_sequence` has one writer, which numbers its events 1, 2, 3... per request: a reader drops what it has "
                "seen and notices what is missing. Adding an optional field keeps a type's version; ignore fields that you "
                "do not know. Order holds per request within a topic, never across topics."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {name: operation for topic in TOPICS for name, operation in _operations(topic)},
        "components": {
            "messages": {
                cls.__name__: _message(cls, topic, references[cls, "validation"], examples.get(cls.type_))  # type: ignore[attr-defined]  # every event class has it
                for topic in TOPICS
                for cls in topic.types
            },
            "schemas": definitions["$defs"],
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": topic.description,
        "messages": {cls.__name__: {"$ref": f"#/components/messages/{cls.__name__}"} for cls in topic.types},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["delete"],
                    "retention.ms": topic.retention_days * _MILLISECONDS_A_DAY,
                },
                "bindingVersion": "0.5.0",
            }
        },
        "x-key": topic.key,
        "x-sequenced": topic.sequenced,
        "x-producer": topic.producer,
        "x-consumers": list(topic.consumers),
        "x-personal-data": _PERSONAL[topic.personal],
    }


def _operations(topic: Topic) -> list[tuple[str, dict[str, Any]]]:
    told = [(topic.producer, "send"), *((consumer, "receive") for consumer in topic.consumers)]
    return [(f"{who.replace(' ', '-')}.{action}.{topic.name}", _operation(topic, who, action)) for who, action in told]


def _operation(topic: Topic, who: str, action: str) -> dict[str, Any]:
    channel = f"#/channels/{topic.name}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "summary": f"{who} {'writes' if action == 'send' else 'reads'} {topic.name}",
        "messages": [{"$ref": f"{channel}/messages/{cls.__name__}"} for cls in topic.types],
    }


def _message(cls: Any, topic: Topic, payload: dict[str, Any], example: Any) -> dict[str, Any]:
    kind, description, form = _KEYS[topic.key]
    told = {
        "name": cls.type_,
        "title": cls.__name__,
        "summary": (cls.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "headers": _headers(cls.type_, sequenced=topic.sequenced),
        "payload": payload,
        "bindings": {
            "kafka": {
                "key": {"type": kind, "description": description} | ({"format": form} if form else {}),
                "bindingVersion": "0.5.0",
            }
        },
    }
    return told | ({"examples": [{"name": "golden", "payload": example}]} if example is not None else {})


def _headers(type_: str, *, sequenced: bool) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_type": {"type": "string", "const": type_},
        "ce_source": {"type": "string", "maxLength": 500, "description": "who wrote it: /aiguilleur/intake"},
        "ce_id": {"type": "string", "maxLength": 500, "description": "unique per source: the same id is taken once"},
        "ce_time": {"type": "string", "format": "date-time"},
        "content-type": {"type": "string", "const": "application/json"},
        "traceparent": {"type": "string", "description": "W3C Trace Context of what caused the event"},
    }
    required = ["ce_specversion", "ce_type", "ce_source", "ce_id"]
    if sequenced:
        properties["ce_sequence"] = {
            "type": "string",
            "pattern": "^[1-9][0-9]{0,8}$",
            "description": "the place of the event among those of its request in this topic: 1, 2, 3...",
        }
        required.append("ce_sequence")
        properties["ce_seen"] = {
            "type": "string",
            "pattern": "^([0-9]+(,[0-9]+)*)?$",
            "description": "what its writer had taken of the request: the last ce_sequence per topic that it reads",
        }
    return {"type": "object", "properties": properties, "required": required}
