"""From plain values to a model, with pydantic's findings put into words that name the allowed values."""

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.organisation.fault import Fault, hint
from shared.organisation.yaml_file import Place, YamlFile

M = TypeVar("M", bound=BaseModel)

_WORDS: Final = {
    "missing": "is missing",
    "string_type": "must be text; put it in quotes",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty, or has too few entries",
    "bool_type": "must be true or false, without quotes",
    "int_type": "must be a whole number, without quotes",
    "tuple_type": "must be a list: one line per entry, each with a dash",
    "model_type": "must be a block of named fields",
}


def shaped(file: YamlFile, model: type[M]) -> M | list[Fault]:
    """The model that the file describes, or everything that keeps it from being one."""
    if not isinstance(file.values, dict):
        fields = tuple(_field_names(model))
        return [file.fault((), "must be a block of named fields; the file is empty or a list", fields)]
    try:
        return model.model_validate(file.values)
    except ValidationError as error:
        return [_fault(file, model, detail) for detail in error.errors(include_url=False)]


def _fault(file: YamlFile, model: type[BaseModel], detail: ErrorDetails) -> Fault:
    place: Place = detail["loc"]
    match detail["type"]:
        case "extra_forbidden":
            owner = _model_at(model, place[:-1])
            allowed = tuple(_field_names(owner)) if owner else ()
            return file.fault(place, f"no such field{hint(str(place[-1]), allowed)}", allowed)
        case "literal_error":
            allowed = tuple(part.strip("'") for part in detail["ctx"]["expected"].replace(" or ", ", ").split(", "))
            given = str(detail["input"])
            return file.fault(place, f"{given!r} is not known here{hint(given, allowed)}", allowed)
        case "value_error":
            return file.fault(place, str(detail["ctx"]["error"]))
        case kind:
            return file.fault(place, _WORDS.get(kind) or detail["msg"])


def _field_names(model: type[BaseModel]) -> Iterator[str]:
    for name, info in model.model_fields.items():
        yield info.alias or name


def _model_at(model: type[BaseModel], place: Place) -> type[BaseModel] | None:
    """The model that describes the block at `place`."""
    current: type[BaseModel] | None = model
    for step in place:
        if current is None or isinstance(step, int):
            continue
        current = next((_model_in(i.annotation) for n, i in current.model_fields.items() if step in (n, i.alias)), None)
    return current


def _model_in(annotation: Any) -> type[BaseModel] | None:  # a type expression has no better type
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (tuple, Annotated, Union, UnionType):
        return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
    return None
