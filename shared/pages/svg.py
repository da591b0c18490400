"""SVG: horizontal bars from plain values, readable at any width, without colour and by ear.

Lengths are percentages across and `em` down, so that bars stretch with the page while their texts keep the size of
the text around them (a viewBox would shrink both on a phone). SVG breaks no lines: where a phone has to break a label,
the chart is drawn twice, and kit.css shows the drawing that fits the room there is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from markupsafe import Markup

_WIDEST_PERCENT = 64.0
_NARROW_CHARACTERS = 29
"""What surely fits on a line in a card on a screen of 320 px."""
_WIDE_CHARACTERS = 68
"""What surely fits in 40rem, the width from which on kit.css shows the wide drawing."""
_LINE_EM = 1.5
_BAR_EM = 1.25
_ROW_GAP_EM = 1.0


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar. `part` is the filled share of `value`, the rest is hatched; `value` None is a number kept secret,
    of which only `shown` is told. `shown` is the short text beside the bar."""

    label: str
    value: float | None
    shown: str
    part: float | None = None

    def __post_init__(self) -> None:
        if self.value is not None and self.value < 0:
            raise ValueError(f"bar {self.label!r}: a bar is never negative")
        if self.part is not None and (self.value is None or not 0 <= self.part <= self.value):
            raise ValueError(f"bar {self.label!r}: the part lies between 0 and the value")


def bar_chart(
    bars: Sequence[Bar], *, identifier: str, title: str, description: str, legend: tuple[str, str] | None = None
) -> Markup:
    """A figure with an accessible SVG. `identifier` is unique in the page; `legend` names the filled and the hatched
    part. The description says in words what the chart shows; a table with the same figures belongs beside it."""
    drawings = [_Drawing(identifier, "narrow", _NARROW_CHARACTERS), _Drawing(f"{identifier}-wide", "wide", _WIDE_CHARACTERS)]
    if all(len(bar.label) <= _NARROW_CHARACTERS for bar in bars):
        drawings = [_Drawing(identifier, "any", _NARROW_CHARACTERS)]
    shown = Markup("").join(one.draw(bars, title=title, description=description, legend=legend) for one in drawings)
    return Markup('<figure class="chart">{}</figure>').format(shown)


@dataclass(frozen=True)
class _Drawing:
    """The chart for a room: any, narrow or wide."""

    identifier: str
    room: str
    label_characters: int

    def draw(self, bars: Sequence[Bar], *, title: str, description: str, legend: tuple[str, str] | None) -> Markup:
        largest = max((bar.value or 0 for bar in bars), default=0)
        top = 0.0
        body = [_definitions(self.identifier)]
        if legend:
            body += [_legend(self.identifier, index, text) for index, text in enumerate(legend)]
            top = len(legend) * _LINE_EM + 0.75
        for bar in bars:
            lines = wrap(bar.label, self.label_characters) or [""]
            body.append(_row(bar, lines, self.identifier, top, largest))
            top += len(lines) * _LINE_EM + _BAR_EM + _ROW_GAP_EM
        height = max(top - _ROW_GAP_EM, _LINE_EM)
        return Markup(
            '<svg class="{room}" role="img" aria-labelledby="{id}-title {id}-desc" height="{height}em">'
            '<title id="{id}-title">{title}</title><desc id="{id}-desc">{description}</desc>{body}</svg>'
        ).format(
            id=self.identifier,
            room=self.room,
            height=_em(height),
            title=title,
            description=description,
            body=Markup("").join(body),
        )


def _row(bar: Bar, lines: Sequence[str], identifier: str, top: float, largest: float) -> Markup:
    labels = [_text("0", top + index * _LINE_EM + 1.1, line) for index, line in enumerate(lines)]
    bar_top = top + len(lines) * _LINE_EM
    width = _WIDEST_PERCENT * (bar.value or 0) / largest if largest else 0.0
    parts = [_rect("track", _WIDEST_PERCENT, bar_top)]
    if bar.part is None:
        parts.append(_rect("bar", width, bar_top))
    else:
        parts.append(_rect("part", width, bar_top, fill=f"url(#{identifier}-hatch)"))
        parts.append(_rect("bar", width * bar.part / bar.value if bar.value else 0.0, bar_top))
    kind = "value muted" if bar.value is None else "value"
    parts.append(_text(f"{_WIDEST_PERCENT:g}%", bar_top + 0.98, bar.shown, kind=kind, shift=".6em"))
    return Markup("").join([*labels, *parts])


def _definitions(identifier: str) -> Markup:
    return Markup(
        '<defs><pattern id="{}-hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect class="hatch-ground" width="7" height="7"/><line class="hatch" x1="0" y1="0" x2="0" y2="7"/>'
        "</pattern></defs>"
    ).format(identifier)


def _legend(identifier: str, index: int, text: str) -> Markup:
    top = index * _LINE_EM
    fill = "" if index == 0 else Markup(' fill="url(#{}-hatch)"').format(identifier)
    swatch = Markup('<rect class="{}" x="1" y="{}em" width="1.4em" height=".9em" rx="2"{}/>')
    return swatch.format("bar" if index == 0 else "part", _em(top + 0.3), fill) + _text("1.8em", top + 1.1, text)


def _rect(kind: str, width_percent: float, top: float, *, fill: str = "") -> Markup:
    if width_percent <= 0:
        return Markup("")
    attribute = Markup(' fill="{}"').format(fill) if fill else ""
    return Markup('<rect class="{}" x="0" y="{}em" width="{:.2f}%" height="{}em" rx="4"{}/>').format(
        kind, _em(top), width_percent, _em(_BAR_EM), attribute
    )


def _text(x: str, y: float, text: str, *, kind: str = "label", shift: str = "0") -> Markup:
    return Markup('<text class="{}" x="{}" dx="{}" y="{}em">{}</text>').format(kind, x, shift, _em(y), text)


def _em(length: float) -> str:
    return f"{length:.3f}".rstrip("0").rstrip(".")
