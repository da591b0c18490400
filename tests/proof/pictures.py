"""Latency against rate, and cost against open requests, drawn from what the proofs of these names told."""

import math
from dataclasses import dataclass
from statistics import median
from typing import Any
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 150, 56, 48
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600; font-size: 15px } .minor { fill: #59636e }
.grid { stroke: #d1d9e0 } .line { fill: none; stroke-width: 2.5 }
.s0 { stroke: #0550ae } .s1 { stroke: #bc4c00 } .s2 { stroke: #116329 } .s3 { stroke: #8250df } .s4 { stroke: #9a6700 }
.d0 { fill: #0550ae } .d1 { fill: #bc4c00 } .d2 { fill: #116329 } .d3 { fill: #8250df } .d4 { fill: #9a6700 }
.ground { fill: #ffffff }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .minor { fill: #9198a1 } .grid { stroke: #3d444d } .ground { fill: #0d1117 }
.s0 { stroke: #79c0ff } .s1 { stroke: #ffa657 } .s2 { stroke: #7ee787 } .s3 { stroke: #d2a8ff } .s4 { stroke: #e3b341 }
.d0 { fill: #79c0ff } .d1 { fill: #ffa657 } .d2 { fill: #7ee787 } .d3 { fill: #d2a8ff } .d4 { fill: #e3b341 }
}"""


@dataclass(frozen=True)
class Chart:
    """Lines over named places on the x axis; `ticks` of the y axis from below, logarithmic or not."""

    title: str
    note: str
    across: str
    places: list[str]
    ticks: list[float]
    lines: dict[str, list[float]]
    logarithmic: bool = False

    def draw(self) -> str:
        """Return the SVG, with a sentence for those who cannot see it."""
        told = "; ".join(
            f"{name}: " + ", ".join(f"{_short(value)} at {place}" for place, value in zip(self.places, values, strict=False))
            for name, values in self.lines.items()
        )
        body = [f'<rect class="ground" width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>', _text(16, 24, self.title, "title")]
        body.append(_text(16, 43, self.note, "minor"))
        for tick in self.ticks:
            y = self._y(tick)
            body.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            body.append(_text(_LEFT - 8, y + 4, _short(tick), "minor", "end"))
        for index, place in enumerate(self.places):
            body.append(_text(self._x(index), _HEIGHT - _BOTTOM + 20, place, "minor", "middle"))
        body.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, self.across, "minor", "middle"))
        for number, (name, values) in enumerate(self.lines.items()):
            points = [(self._x(index), self._y(value)) for index, value in enumerate(values)]
            body.append(f'<polyline class="line s{number}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>')
            body += [f'<circle class="d{number}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in points]
            body.append(_text(points[-1][0] + 10, points[-1][1] + 4, f"{name} {_short(values[-1])}"))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="title desc">\n'
            f'<title id="title">{escape(self.title)}</title><desc id="desc">{escape(told)}</desc>\n<style>{_STYLE}\n</style>\n'
            + "\n".join(body)
            + "\n</svg>\n"
        )

    def _x(self, index: int) -> float:
        inside = _WIDTH - _LEFT - _RIGHT - 24
        return _LEFT + 12 + inside * index / max(len(self.places) - 1, 1)

    def _y(self, value: float) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        if self.logarithmic:
            value, low, high = math.log(max(value, low)), math.log(low), math.log(high)
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * (value - low) / (high - low)


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.3g}"


def _rounds(found: dict[str, Any]) -> tuple[dict[str, float], str]:
    """Return the medians of a proof's rounds, and when and on what they were taken. Any: JSON."""
    rounds = {key: median(values) for figure in found["figures"] for key, values in figure["rounds"].items()}
    return rounds, f"{found['date']}, commit {found['commit']}, {found['machine'].split(', Python')[0]}"


def latency(told: dict[str, Any]) -> Chart:
    """Return latency against rate."""
    rounds, where = _rounds(told)
    rates = sorted({int(key.split("/s")[0]) for key in rounds if " p" in key})
    lines = {share: [rounds[f"{rate}/s {share}"] for rate in rates] for share in ("p50", "p99")}
    most = max(lines["p99"])
    ticks = [tick for tick in (5.0, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000) if tick < 2.5 * most]
    title = "From the post of a request to the agent’s mail, ms"
    return Chart(
        title, where, "requests a second, all five services on two cores", [str(one) for one in rates], ticks, lines, True
    )


def growth(told: dict[str, Any]) -> Chart:
    """Return the cost of a request against the open requests."""
    rounds, where = _rounds(told)
    services = list(dict.fromkeys(key.split()[0] for key in rounds))
    levels = sorted({int(key.split()[1]) for key in rounds})
    lines = {service: [rounds[f"{service} {level}"] for level in levels] for service in services}
    most = max(max(values) for values in lines.values())
    step = next(step for step in (10, 20, 50, 100, 200, 500) if most / step <= 7)
    ticks = [float(step * number) for number in range(math.ceil(most / step) + 1)]
    title = "What one more request costs, µs"
    return Chart(title, where, "open requests in the tables", [f"{level:,}" for level in levels], ticks, lines)
