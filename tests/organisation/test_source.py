"""Reloading: a better configuration replaces the old one, a broken one never does."""

from pathlib import Path

import pytest

from shared.organisation import ConfigurationError, OrganisationSource, load
from tests.organisation.conftest import Edit


def test_nothing_changed_nothing_is_read(folder: Path) -> None:
    source = OrganisationSource(folder)
    before = source.current

    assert not source.refresh()
    assert source.current is before


def test_a_changed_file_is_taken_over(folder: Path, edit: Edit) -> None:
    source = OrganisationSource(folder)
    edit("rivemont/services.yaml", "name: Petite enfance", "name: Petite enfance et familles")

    assert source.refresh()
    assert source.current.authority("rivemont").service("petite-enfance").name == "Petite enfance et familles"
    assert not source.refresh()


def test_a_broken_file_changes_nothing_and_says_why_until_it_is_mended(folder: Path, edit: Edit) -> None:
    source = OrganisationSource(folder)
    before = source.current
    edit("rivemont/authority.yaml", "front_desk: accueil", "front_desk: nowhere")

    assert not source.refresh()
    assert source.current is before
    assert "front_desk: 'nowhere' is no department" in source.faults[0]

    edit("rivemont/authority.yaml", "front_desk: nowhere", "front_desk: etat-civil")
    assert source.refresh()
    assert source.faults == ()
    assert source.current.authority("rivemont").front_desk_service.code == "etat-civil"


def test_a_comment_makes_no_new_version(folder: Path, edit: Edit) -> None:
    source = OrganisationSource(folder)
    edit("rivemont/charter.yaml", "# La charte", "# Notre charte")

    assert not source.refresh()
    assert load(folder).version == source.current.version


def test_a_calendar_that_changes_must_change_its_version(folder: Path, edit: Edit) -> None:
    source = OrganisationSource(folder)
    edit("saint-aubrin/calendars.yaml", "14:00-18:00", "14:00-19:00")

    assert not source.refresh()
    assert "calendars.mairie.version: the calendar changed but its version is still 1; raise it" in source.faults[0]

    edit("saint-aubrin/calendars.yaml", "version: 1", "version: 2")
    assert source.refresh()


def test_a_new_authority_is_installed_and_a_hidden_folder_is_not_one(folder: Path) -> None:
    source = OrganisationSource(folder)
    (folder / "..data").mkdir()
    (folder / "neuville").symlink_to(folder / "saint-aubrin")

    assert not source.refresh()
    (fault,) = source.faults
    assert fault.startswith("neuville/authority.yaml:4: code: 'saint-aubrin' is not the name of the folder")


def test_a_broken_configuration_stops_the_start(folder: Path) -> None:
    (folder / "rivemont/authority.yaml").unlink()
    with pytest.raises(ConfigurationError, match=r"rivemont/authority.yaml:1: \(file\): cannot be read"):
        OrganisationSource(folder)
