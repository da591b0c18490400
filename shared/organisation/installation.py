"""All authorities of one installation, read and checked from a folder."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.organisation.authority import Authority, UnknownCode
from shared.organisation.cross_checks import cross_checks
from shared.organisation.draft import Draft, read_draft
from shared.organisation.fault import ConfigurationError, Fault, hint


@dataclass(frozen=True, slots=True)
class Installation:
    """The authorities by code. `version` changes when what is configured changes, not when a comment does."""

    authorities: Mapping[str, Authority]
    version: str

    def authority(self, code: str) -> Authority:
        """The authority of that code; raises UnknownCode."""
        try:
            return self.authorities[code]
        except KeyError:
            known = ", ".join(self.authorities)
            nearest = hint(code, self.authorities)
            raise UnknownCode(f"no authority {code!r} is installed{nearest}; allowed: {known}") from None


def load(folder: Path) -> Installation:
    """Read `folder/<authority>/*.yaml`.

    Raises ConfigurationError, with one line per fault, unless everything is right: a service must not start on half
    a configuration.
    """
    drafts, faults = _read(folder)
    if faults:
        raise ConfigurationError(faults)
    authorities = {authority.code: authority for authority in map(_authority, drafts)}
    return Installation(authorities=authorities, version=_digest(authorities))


def check(folder: Path) -> list[str]:
    """The faults that `load` would raise, one line each, by file and line; empty when all is right."""
    return [str(fault) for fault in sorted(set(_read(folder)[1]))]


def authority_folders(folder: Path) -> list[Path]:
    """One folder per authority, by name. Hidden ones are Kubernetes' own (`..data`)."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _read(folder: Path) -> tuple[list[Draft], list[Fault]]:
    if not folder.is_dir() or not authority_folders(folder):
        message = "no folder with a folder per authority in it; each holds authority.yaml, services.yaml..."
        return [], [Fault(str(folder), 1, "(folder)", message)]
    drafts = [read_draft(path) for path in authority_folders(folder)]
    return drafts, [fault for draft in drafts for fault in (*draft.faults, *cross_checks(draft))]


def _authority(draft: Draft) -> Authority:
    assert draft.authority and draft.services and draft.categories, "a draft without faults has all its files"
    assert draft.calendars and draft.charter and draft.escalations, "a draft without faults has all its files"
    return Authority(
        settings=draft.authority.model,
        services=draft.services.model,
        categories=draft.categories.model,
        calendars=draft.calendars.model,
        charter=draft.charter.model,
        escalations=draft.escalations.model,
    )


def _digest(authorities: Mapping[str, Authority]) -> str:
    return hashlib.sha256("\n".join(_lines(authorities)).encode()).hexdigest()[:16]


def _lines(authorities: Mapping[str, Authority]) -> Iterator[str]:
    for code in sorted(authorities):
        for model in authorities[code].files:
            yield model.model_dump_json(by_alias=True)
