"""The configuration of authorities: services, categories, calendars, charter, escalations. Start with `load`."""

from shared.organisation.authority import Authority, UnknownCode
from shared.organisation.authority_file import AuthorityFile, Brand, Court, Legal, Manager
from shared.organisation.category import Category, Choice, Question, Silence
from shared.organisation.charter import PromiseKind, PromiseRule, UnownedRule
from shared.organisation.escalation import Ladder, Level
from shared.organisation.fault import ConfigurationError, Fault
from shared.organisation.installation import Installation, check, load
from shared.organisation.schema import schema, write_schema
from shared.organisation.service import PublicContact, Service, ServiceClosure
from shared.organisation.source import OrganisationSource

__all__ = [
    "Authority",
    "AuthorityFile",
    "Brand",
    "Category",
    "Choice",
    "ConfigurationError",
    "Court",
    "Fault",
    "Installation",
    "Ladder",
    "Legal",
    "Level",
    "Manager",
    "OrganisationSource",
    "PromiseKind",
    "PromiseRule",
    "PublicContact",
    "Question",
    "Service",
    "ServiceClosure",
    "Silence",
    "UnknownCode",
    "UnownedRule",
    "check",
    "load",
    "schema",
    "write_schema",
]
