"""Charts that are read without colour and by ear."""

from typing import Any
from xml.etree import ElementTree

import pytest

from shared.pages.svg import Bar, bar_chart


def parsed(*bars: Bar, **options: object) -> ElementTree.Element:
    arguments = {"identifier": "c", "title": "Titre", "description": "En mots", **options}
    return ElementTree.fromstring(bar_chart(bars, **arguments))  # type: ignore[arg-type]  # options of one test


def test_a_chart_has_a_name_and_a_description() -> None:
    svg = parsed(Bar(label="Voirie", value=3, shown="3")).find("svg")

    assert svg is not None
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == "c-title c-desc"
    assert svg.findtext("title") == "Titre"
    assert svg.findtext("desc") == "En mots"


def test_lengths_follow_the_values() -> None:
    chart = parsed(Bar(label="A", value=40, shown="40"), Bar(label="B", value=10, shown="10"))

    widths = [float(str(bar.get("width")).rstrip("%")) for bar in chart.iter("rect") if bar.get("class") == "bar"]

    assert widths[0] == pytest.approx(4 * widths[1])


def test_a_number_kept_secret_has_a_text_and_no_bar() -> None:
    chart = parsed(Bar(label="Archives", value=None, shown="< 11"))

    assert not [rect for rect in chart.iter("rect") if rect.get("class") == "bar"]
    assert "< 11" in [text.text for text in chart.iter("text")]


def test_a_part_is_told_by_a_pattern_and_a_legend() -> None:
    chart = parsed(Bar(label="A", value=4, part=3, shown="3 / 4"), legend=("Dans le délai", "Hors délai"))

    assert any(rect.get("fill") == "url(#c-hatch)" for rect in chart.iter("rect"))
    assert "Hors délai" in [text.text for text in chart.iter("text")]


@pytest.mark.parametrize("bars", [(), (Bar(label="", value=0, shown="0"),), (Bar(label="A", value=0, part=0, shown=""),)])
def test_nothing_to_show_is_still_a_chart(bars: tuple[Bar, ...]) -> None:
    assert parsed(*bars).find("svg") is not None


def test_labels_are_escaped_and_long_ones_wrapped() -> None:
    chart = bar_chart([Bar(label="<script> " + "très " * 20, value=1, shown="<b>")], identifier="c", title="<i>", description="&")

    assert "<script" not in chart
    assert "<b>" not in chart
    assert "<i>" not in chart
    assert chart.count('class="label"') > 2


def test_a_label_is_broken_on_a_phone_only() -> None:
    label = "Nadège Poirier-Sané, Adjointe à l’éducation et à la jeunesse"
    chart = parsed(Bar(label=label, value=3, shown="3"))
    lines = {
        svg.get("class"): [text.text for text in svg.iter("text") if text.get("class") == "label"] for svg in chart.iter("svg")
    }
    named = [one.get("id") for one in chart.iter() if one.get("id")]

    assert lines["wide"] == [label]
    assert " ".join(map(str, lines["narrow"])) == label
    assert len(lines["narrow"]) == 3
    assert len(named) == len(set(named)), "two elements of a page may not have the same id"
    assert len(list(parsed(Bar(label="Voirie", value=3, shown="3")).iter("svg"))) == 1


@pytest.mark.parametrize("wrong", [{"value": -1}, {"value": 2, "part": 3}, {"value": None, "part": 1}])
def test_an_impossible_bar_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="bar"):
        Bar(label="A", shown="", **wrong)
