"""The README's list of commands is the command line's."""

import re

from aiguilleur.__main__ import app
from deploy.local import folders


def _commands() -> set[str]:
    groups = {group.name for group in app.registered_groups}
    return {str(one) for one in groups} | {
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    }


def test_the_readme_names_every_command_and_no_other() -> None:
    section = (folders.ROOT / "README.md").read_text(encoding="utf-8").partition("## Command line")[2]
    listed = section.partition("`python -m aiguilleur --help`")[2].partition(". `python")[0]
    assert set(re.findall(r"`([a-z]+)`", listed)) == _commands()
