"""Problem details in the OpenAPI document of an API."""

from typing import Any, Final

from shared.pages.answers import MEDIA_TYPE

_FIELD: Final = {
    "type": "object",
    "required": ["field", "detail", "code"],
    "properties": {
        "field": {"type": "string", "description": "JSON pointer (RFC 6901) into the body, or to a parameter"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "in": {"enum": ["query", "path", "header", "cookie"]},
    },
    "additionalProperties": False,
}
PROBLEM_SCHEMA: Final = {
    "title": "Problem details, RFC 9457",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "remedy"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "remedy": {"type": "string", "description": "what to do"},
        "errors": {"type": "array", "items": _FIELD},
        "error_id": {"type": "string", "description": "leads to our log"},
    },
    "additionalProperties": False,
}
_ANYWHERE: Final = {
    400: "The address or a parameter cannot be read",
    422: "A parameter is wrong; `errors` names it",
    500: "An error that we did not foresee; `error_id` leads to our log",
}


def problems(told: dict[int, str]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route: those told, with what they mean, and those that any route may give.

    Any: OpenAPI.
    """
    content = {MEDIA_TYPE: {"schema": PROBLEM_SCHEMA}}
    return {status: {"description": text, "content": content} for status, text in sorted((_ANYWHERE | told).items())}
