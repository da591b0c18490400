"""Any colour that an authority may have gives pages that can be read."""

from hypothesis import given
from hypothesis import strategies as st

from shared.pages.assets import theme_css
from shared.pages.brand import Brand
from shared.pages.colour import contrast, dark_palette, light_palette

AA = 4.5
COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_the_contrast_of_the_recommendation() -> None:
    assert round(contrast("#000000", "#ffffff"), 2) == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


@given(COLOURS)
def test_every_pair_is_readable_in_both_schemes(colour: str) -> None:
    for palette in (light_palette(colour), dark_palette(colour)):
        assert contrast(palette.band, palette.on_band) >= AA
        assert contrast(palette.accent, palette.on_accent) >= AA
        assert contrast(palette.accent_strong, palette.on_accent) >= AA
        for ground in (palette.page, palette.surface, palette.soft):
            assert contrast(palette.accent, ground) >= AA
            assert contrast(palette.accent_strong, ground) >= AA


def test_a_readable_brand_colour_is_kept_as_it_is() -> None:
    assert "--band: #7b1e57;" in theme_css(Brand(code="x", name="X", short_name="X", colour="#7b1e57"))
