"""Colours that stay readable: one brand colour in, a light and a dark palette out, each pair at WCAG AA or better."""

import colorsys
from dataclasses import dataclass

WHITE = "#ffffff"
BLACK = "#000000"
INK = "#161a20"
DARK_PAGE = "#11151a"
DARK_SURFACE = "#1a2027"
TEXT_CONTRAST = 5.0  # AA asks for 4.5
_STEPS = 100
_CALM = 0.55  # a vivid colour dazzles on a dark page


@dataclass(frozen=True, kw_only=True)
class Palette:
    """band: the header; accent: links and buttons; soft: tinted backgrounds; page: behind the cards."""

    page: str
    surface: str
    soft: str
    line: str
    band: str
    on_band: str
    accent: str
    accent_strong: str
    on_accent: str


def contrast(first: str, second: str) -> float:
    """The contrast ratio of WCAG 2.x (1 to 21), https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mix(colour: str, other: str, share: float) -> str:
    """`share` of `other` in `colour`, 0 to 1."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def light_palette(brand: str) -> Palette:
    soft = mix(brand, WHITE, 0.91)
    accent = _until_readable(brand, on=soft, towards=BLACK)
    band, on_band = _band(brand)
    return Palette(
        page=mix(brand, WHITE, 0.965),
        surface=WHITE,
        soft=soft,
        line=mix(mix(brand, "#8a929c", 0.7), WHITE, 0.66),
        band=band,
        on_band=on_band,
        accent=accent,
        accent_strong=mix(accent, BLACK, 0.28),
        on_accent=WHITE,
    )


def dark_palette(brand: str) -> Palette:
    soft = mix(brand, DARK_SURFACE, 0.84)
    accent = _until_readable(brand, on=soft, towards=WHITE, saturation_at_most=_CALM)
    return Palette(
        page=mix(brand, DARK_PAGE, 0.97),
        surface=mix(brand, DARK_SURFACE, 0.97),
        soft=soft,
        line=mix(brand, "#3a434e", 0.85),
        band=_until_readable(mix(brand, BLACK, 0.35), on=WHITE, towards=BLACK),
        on_band=WHITE,
        accent=accent,
        accent_strong=mix(accent, WHITE, 0.35),
        on_accent=DARK_PAGE if contrast(accent, DARK_PAGE) >= TEXT_CONTRAST else BLACK,
    )


def _band(brand: str) -> tuple[str, str]:
    if contrast(brand, WHITE) >= TEXT_CONTRAST:
        return brand, WHITE
    if contrast(brand, INK) >= TEXT_CONTRAST:
        return brand, INK
    return _until_readable(brand, on=WHITE, towards=BLACK), WHITE


def _until_readable(colour: str, *, on: str, towards: str, saturation_at_most: float = 1.0) -> str:
    """The nearest shade of the same hue that reads on a background: darker or lighter, never greyer by mixing."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(channel / 255 for channel in _channels(colour)))
    end = 0.0 if towards == BLACK else 1.0
    for step in range(_STEPS + 1):
        shade = lightness + (end - lightness) * step / _STEPS
        candidate = _hex(colorsys.hls_to_rgb(hue, shade, min(saturation, saturation_at_most)))
        if contrast(candidate, on) >= TEXT_CONTRAST:
            return candidate
    raise ValueError(f"no shade of {colour} towards {towards} is readable on {on}")


def _hex(channels: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)
