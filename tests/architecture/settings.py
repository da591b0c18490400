"""The settings classes of the services."""

from importlib import import_module

from shared.settings import ServiceSettings, variable_of


def settings_of(service: str) -> type[ServiceSettings]:
    """The settings class of a service."""
    module = import_module(f"services.{service}.settings")
    (found,) = [
        one
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, ServiceSettings) and one.__module__ == module.__name__
    ]
    return found


def variables_of(service: str) -> dict[str, bool]:
    """The environment variables that a service reads, and whether it needs them."""
    cls = settings_of(service)
    return {variable_of(cls, name): field.is_required() for name, field in cls.model_fields.items()}
