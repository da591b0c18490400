"""Every way in which a configuration can be wrong, told by file, line, field and allowed values."""

import re
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.organisation import ConfigurationError, check, load
from tests.organisation.conftest import SHIPPED, Edit

JUNK = (
    "", "KEY:", "KEY: null", "KEY: []", "KEY: {}", "KEY: 7", "KEY: -1.5", "KEY: true", "KEY: 2026-02-30", "KEY: .nan",
    "KEY: 2026-01-01", "KEY: é\u202e🙂", "KEY: &a [*a]", "KEY: *none", "KEY: !!python/object:os.system {}", "<<: KEY",
    "KEY: {1: 2, true: x}", "KEY: [[[1]]]", "? KEY", "1: 2", "- KEY", "\tKEY: x", "KEY: '", "KEY: |",
    "KEY: 2026-01-01 10:00",
    "KEY: 0x", "KEY: 1_0", "KEY: 0b2", "KEY: \x00", "KEY: \udcff", "--- KEY", "%YAML 9.9", "KEY: 1e999", "[a]: b",
)  # fmt: skip


def test_the_shipped_configuration_is_right(folder: Path) -> None:
    assert check(folder) == []


# file, what is replaced, by what, and what the fault says after "file:line: "
FAULTS = {
    "unknown calendar": (
        "rivemont/services.yaml", "calendar: technique", "calendar: tecnique",
        "services.voirie.calendar: 'tecnique' is no calendar, did you mean 'technique'?; allowed: bureaux, accueil,",
    ),
    "unknown field": (
        "rivemont/services.yaml", "mailbox: voirie@", "mailbx: voirie@",
        "services.voirie.mailbx: no such field, did you mean 'mailbox'?; allowed: code, name, kind,",
    ),
    "unknown kind": (
        "rivemont/authority.yaml", "kind: commune ", "kind: comune ",
        "kind: 'comune' is not known here, did you mean 'commune'?; allowed: commune, epci, departement, region,",
    ),
    "front desk that is not there": (
        "rivemont/authority.yaml", "front_desk: accueil", "front_desk: acueil",
        "front_desk: 'acueil' is no department, did you mean 'accueil'?; allowed: accueil, etat-civil,",
    ),
    "front desk that is an elected official": (
        "saint-aubrin/authority.yaml", "front_desk: mairie", "front_desk: maire",
        "front_desk: 'maire' is no department",
    ),
    "pale colour": (
        "rivemont/authority.yaml", '"#1b4d89"', '"#8ab4f8"', "brand.primary: #8ab4f8 on white has a contrast of 2.",
    ),
    "cover that is not there": (
        "rivemont/services.yaml", "cover: voirie", "cover: voierie",
        "services.urbanisme.cover: 'voierie' is no service, did you mean 'voirie'?",
    ),
    "phone without quotes": (
        "rivemont/services.yaml", '"03 00 75 00 12"', "0300750012",
        "services.etat-civil.phone: must be text; put it in quotes",
    ),
    "elected without title": (
        "rivemont/services.yaml", "    title: Maire\n", "", "services.maire: an elected official has a title",
    ),
    "closure backwards": (
        "rivemont/services.yaml", "from: 2026-01-05\n", "from: 2026-01-05\n      until: 2025-01-05\n",
        "services.culture.closed: until 2025-01-05 is before from 2026-01-05",
    ),
    "service of a category": (
        "rivemont/categories.yaml", "services: [etat-civil]", "services: [etat-civile]",
        "categories.acte.services.0: 'etat-civile' is no service, did you mean 'etat-civil'?",
    ),
    "demande without silence": (
        "rivemont/categories.yaml", "    demande: false", "    demande: true",
        "categories.question: a demande needs silence and appeal",
    ),
    "choice without choices": (
        "rivemont/categories.yaml", "kind: yes_no", "kind: choice",
        "categories.question.questions.rappel: a question of kind choice needs at least two choices",
    ),
    "boolean in words": (
        "rivemont/categories.yaml", "demande: false", "demande: non",
        "categories.question.demande: must be true or false, without quotes",
    ),
    "code written twice": (
        "rivemont/categories.yaml", "code: objet-trouve", "code: question",
        "categories.question.code: code 'question' is already taken on line",
    ),
    "day that does not exist": (
        "rivemont/services.yaml", "from: 2026-01-05", "from: 2026-02-30",
        "services.culture.closed.from: 2026-02-30 is not in the calendar",
    ),
    "overlapping periods": (
        "rivemont/calendars.yaml", '"13:30-17:30"', '"11:30-17:30"',
        "calendars.bureaux: calendar 'bureaux': period 11:30-17:30 is empty, overlaps",
    ),
    "no period": (
        "rivemont/calendars.yaml", '"08:30-12:00"', '"8h30-12h"',
        "calendars.bureaux.weekly.monday.0: '8h30-12h' is no period; write",
    ),
    "unknown ladder": (
        "rivemont/charter.yaml", "ladder: ordinaire", "ladder: ordinary",
        "promises.demarches.ladder: 'ordinary' is no ladder, did you mean 'ordinaire'?; allowed: ordinaire, rapide,",
    ),
    "unknown channel": (
        "rivemont/charter.yaml", "[messenger, ", "[facebook, ",
        "promises.reseaux-sociaux.channels.0: 'facebook' is not known here; allowed: web, email, messenger, instagram,",
    ),
    "rule that nothing reaches": (
        "rivemont/charter.yaml", "    categories: [danger-voirie, arbre-dangereux]\n", "",
        "promises.reseaux-sociaux: no request can get this promise",
    ),
    "no default promise": (
        "saint-aubrin/charter.yaml", "    working_hours", "    services: [mairie]\n    working_hours",
        "promises: no promise fits",
    ),
    "levels out of order": (
        "rivemont/escalations.yaml", "after_working_hours: 4", "after_working_hours: 40",
        "ladders.ordinaire: each level must come later than the one before, not 0, 40, 12 hours",
    ),
    "folder of another name": (
        "saint-aubrin/authority.yaml", "code: saint-aubrin", "code: rivemont",
        "code: 'rivemont' is not the name of the folder; rename one of them; allowed: saint-aubrin",
    ),
}  # fmt: skip

# Faults of a block as a whole stand on its first line: so many lines from the one that was changed.
BLOCKS = {
    "elected without title": -3,
    "closure backwards": -1,
    "demande without silence": -3,
    "overlapping periods": -5,
    "rule that nothing reaches": 4,
    "no default promise": -4,
    "levels out of order": -4,
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_says_where_and_what(case: str, folder: Path, edit: Edit) -> None:
    name, old, new, expected = FAULTS[case]
    line = edit(name, old, new)

    faults = check(folder)

    lines = [fault for fault in faults if expected in fault]
    assert lines, f"no fault says {expected!r} among:\n" + "\n".join(faults)
    file, number, _ = lines[0].split(":", 2)
    assert file == name
    assert int(number) == line + BLOCKS.get(case, 0)


def test_the_line_is_the_line_of_the_value(folder: Path, edit: Edit) -> None:
    line = edit("rivemont/services.yaml", "calendar: technique", "calendar: nights")

    assert check(folder)[0].startswith(f"rivemont/services.yaml:{line}: services.voirie.calendar: 'nights' is no calendar")


def test_all_faults_are_told_at_once(folder: Path, edit: Edit) -> None:
    edit("rivemont/services.yaml", "calendar: technique", "calendar: nights")
    edit("rivemont/authority.yaml", "kind: commune ", "kind: comune ")
    edit("saint-aubrin/charter.yaml", "ladder: village", "ladder: town")

    with pytest.raises(ConfigurationError) as raised:
        load(folder)

    assert [line.split(":")[0] for line in str(raised.value).splitlines()] == [
        "rivemont/authority.yaml",
        "rivemont/services.yaml",
        "saint-aubrin/charter.yaml",
    ]


def test_covers_that_go_in_a_circle(folder: Path, edit: Edit) -> None:
    edit("rivemont/services.yaml", "cover: null\n    order: 70", "cover: voirie\n    order: 70")

    faults = check(folder)

    assert len(faults) == 2
    assert "services.voirie.cover: covers go in a circle: voirie -> espaces-verts -> voirie; set one of them" in faults[0]


def test_a_closed_front_desk(folder: Path, edit: Edit) -> None:
    edit("saint-aubrin/services.yaml", "order: 10", "order: 10\n    closed: {from: 2026-01-01, reason: congés}")

    assert "services.mairie.closed: the front desk takes what nobody else takes" in check(folder)[0]


def test_yaml_that_is_no_yaml(folder: Path, edit: Edit) -> None:
    line = edit("rivemont/charter.yaml", "    kind: taking_charge\n", "   kind: taking_charge\n")

    (fault,) = check(folder)

    assert fault.startswith(f"rivemont/charter.yaml:{line}: (file): no valid YAML: ")


def test_a_key_written_twice(folder: Path, edit: Edit) -> None:
    line = edit("rivemont/authority.yaml", "timezone:", "name: Rivemont\ntimezone:")

    (fault,) = check(folder)

    assert fault == f'rivemont/authority.yaml:{line}: (file): key written twice: found duplicate key "name"'


def test_files_that_are_missing_misspelt_empty_or_in_another_encoding(folder: Path) -> None:
    (folder / "rivemont/charter.yaml").rename(folder / "rivemont/chartre.yaml")
    (folder / "rivemont/escalations.yaml").write_text("")
    (folder / "rivemont/calendars.yaml").write_bytes("é".encode("latin-1"))

    assert [fault.split("; allowed")[0] for fault in check(folder)] == [
        "rivemont/calendars.yaml:1: (file): is not UTF-8 (byte 0); save it as UTF-8",
        "rivemont/charter.yaml:1: (file): cannot be read: No such file or directory; every authority needs this file",
        "rivemont/chartre.yaml:1: (file): nothing reads a file of this name, did you mean 'charter.yaml'?",
        "rivemont/escalations.yaml:1: (file): must be a block of named fields; the file is empty or a list",
    ]


def test_a_folder_without_authorities(tmp_path: Path) -> None:
    assert "no folder with a folder per authority" in check(tmp_path)[0]
    assert "no folder with a folder per authority" in check(tmp_path / "nowhere")[0]


@settings(max_examples=60)
@given(data=st.data())
def test_whatever_is_written_check_answers_with_faults_and_never_fails(data: st.DataObject) -> None:
    with TemporaryDirectory() as name:
        village = copytree(SHIPPED / "saint-aubrin", Path(name) / "saint-aubrin")
        path = data.draw(st.sampled_from(sorted(village.iterdir())))
        lines = path.read_text("utf-8").splitlines()
        number = data.draw(st.integers(0, len(lines) - 1))
        key, _, _ = lines[number].partition(":")
        lines[number] = data.draw(st.sampled_from(JUNK)).replace("KEY", key)
        path.write_text("\n".join(lines), encoding="utf-8", errors="surrogateescape")

        for fault in check(Path(name)):
            assert re.match(r"saint-aubrin/[a-z]+\.yaml:[1-9][0-9]*: .+: .", fault), fault
