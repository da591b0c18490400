"""The configuration that a running service uses, read again when its files change."""

from collections.abc import Iterator
from pathlib import Path

from shared.organisation.fault import ConfigurationError
from shared.organisation.installation import Installation, load

_Fingerprint = tuple[tuple[str, int, int, int], ...]


class OrganisationSource:
    """Holds the last configuration that was right.

    `refresh` is for a timer: it costs one stat per file. `faults` says why the files on disk are not in use; empty
    when they are.
    """

    def __init__(self, folder: Path) -> None:
        """Load at once; raises ConfigurationError, which must stop the start."""
        self._folder = folder
        self._seen = _fingerprint(folder)
        self._current = load(folder)
        self.faults: tuple[str, ...] = ()

    @property
    def current(self) -> Installation:
        """The installation to use now. Take it once per piece of work: the next call may give a newer one."""
        return self._current

    def refresh(self) -> bool:
        """Read again if a file changed; whether `current` is a new one.

        When the new files have faults the old configuration stays, and `faults` has one line for each.
        """
        seen = _fingerprint(self._folder)
        if seen == self._seen:
            return False
        self._seen = seen
        try:
            loaded = load(self._folder)
        except ConfigurationError as error:
            self.faults = tuple(map(str, error.faults))
            return False
        self.faults = tuple(_changed_under_the_same_version(self._current, loaded))
        if self.faults or loaded.version == self._current.version:
            return False
        self._current = loaded
        return True


def _changed_under_the_same_version(old: Installation, new: Installation) -> Iterator[str]:
    """Promises name calendar and version: one version must never mean two things."""
    for code, authority in new.authorities.items():
        before = old.authorities[code].calendars if code in old.authorities else {}
        for name, working_time in authority.calendars.items():
            calendar = working_time.calendar
            known = before[name].calendar if name in before else calendar
            if known.version == calendar.version and known != calendar:
                yield (
                    f"{code}/calendars.yaml:1: calendars.{name}.version: the calendar changed but its version is "
                    f"still {calendar.version}; raise it"
                )


def _fingerprint(folder: Path) -> _Fingerprint:
    """Follows symbolic links: a Kubernetes volume changes by swapping one."""
    return tuple(mark for path in sorted(folder.glob("*/*")) if (mark := _mark(path)))


def _mark(path: Path) -> tuple[str, int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:  # gone between the listing and the look: the next refresh sees what came of it
        return None
    return str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns
