"""One YAML file as plain values, with the line of each of them."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.scalarbool import ScalarBoolean

from shared.organisation.fault import Fault

Place = tuple[str | int, ...]
"""Keys and indices from the top of a file down to a value."""


_DEEPEST: Final = 20
# What the reader raises on odd text besides its own errors (found by trying: "%YAML 9.9", "0x").
_READER_FAILS: Final = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_SIMPLE: Final = re.compile(r"[\w-]+")


@dataclass(slots=True)
class YamlFile:
    """`values` are dicts, lists, strings, numbers, booleans, dates and None; `lines` says where each stands."""

    name: str
    values: Any  # whatever the file holds: the models decide
    lines: dict[Place, int] = field(default_factory=dict)

    def line_of(self, place: Place) -> int:
        """The line of a value, or of the nearest thing around it that is in the file."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def path_of(self, place: Place) -> str:
        """As `services.roads.mailbox`: an item of a list is called by its code where it has one."""
        parts, value = [], self.values
        for step in place:
            value = _inside(value, step)
            code = value.get("code") if isinstance(value, dict) and isinstance(step, int) else None
            parts.append(code if isinstance(code, str) and _SIMPLE.fullmatch(code) else _as_part(step))
        return ".".join(parts) or "(file)"

    def fault(self, place: Place, message: str, allowed: tuple[str, ...] = ()) -> Fault:
        """A fault at that place."""
        return Fault(file=self.name, line=self.line_of(place), path=self.path_of(place), message=message, allowed=allowed)


def read_yaml(path: Path, name: str) -> YamlFile | Fault:
    """Read one file; a fault when it is missing, not UTF-8, or no YAML. `name` is how messages call it."""
    try:
        text = path.read_text(encoding="utf-8")
        reader = YAML(typ="rt")
        reader.Constructor = _DatesStayText
        file = YamlFile(name=name, values=None)
        file.values = _plain(reader.load(text), (), file.lines)
    except OSError as error:
        return Fault(name, 1, "(file)", f"cannot be read: {error.strerror}; every authority needs this file")
    except UnicodeDecodeError as error:
        return Fault(name, 1, "(file)", f"is not UTF-8 (byte {error.start}); save it as UTF-8")
    except YAMLError as error:
        return _syntax_fault(name, error)
    except _READER_FAILS as error:
        return Fault(name, 1, "(file)", f"no valid YAML: {type(error).__name__}; look for a stray %, ! or & in it")
    return file


class _DatesStayText(RoundTripConstructor):
    """The models read dates: on 30 February the reader would fail without saying where."""


def _text(_constructor: RoundTripConstructor, node: ScalarNode) -> str:
    return str(node.value)


_DatesStayText.add_constructor("tag:yaml.org,2002:timestamp", _text)


def _syntax_fault(name: str, error: YAMLError) -> Fault:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    problem = (error.problem if isinstance(error, MarkedYAMLError) else None) or str(error).splitlines()[0]
    kind = "key written twice" if isinstance(error, DuplicateKeyError) else "no valid YAML"
    return Fault(name, mark.line + 1 if mark else 1, "(file)", f"{kind}: {problem.split(' with value')[0]}")


def _plain(value: Any, place: Place, lines: dict[Place, int]) -> Any:  # any YAML value in, any plain value out
    if len(place) > _DEEPEST:
        raise YAMLError(f"nested more than {_DEEPEST} levels deep, or an anchor that holds itself")
    if isinstance(value, CommentedMap):
        for key in value:
            lines[(*place, key)] = _line(value, key)
        return {key: _plain(item, (*place, key), lines) for key, item in value.items()}
    if isinstance(value, CommentedSeq):
        for index in range(len(value)):
            lines[(*place, index)] = _line(value, index)
        return [_plain(item, (*place, index), lines) for index, item in enumerate(value)]
    return _plain_scalar(value)


def _plain_scalar(value: object) -> object:  # the reader's own kinds of text and number become the ordinary ones
    if isinstance(value, ScalarBoolean):
        return bool(value)
    if isinstance(value, str):
        return str(value)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _line(container: CommentedMap | CommentedSeq, key: Any) -> int:  # keys are whatever the file has
    position = container.lc.data.get(key)
    line: int = position[0] if position else container.lc.line
    return line + 1


def _as_part(step: str | int) -> str:
    return str(step) if isinstance(step, int) or _SIMPLE.fullmatch(step) else repr(step)


def _inside(value: Any, step: str | int) -> Any:  # walks plain YAML values
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None
