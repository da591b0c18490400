"""Runs the five services in one process, each on its own port: enough for a small commune."""

import argparse
import sys

import uvloop

from services.intake.app import build as build_intake
from services.intake.settings import IntakeSettings
from services.notifier.app import build as build_notifier
from services.notifier.settings import NotifierSettings
from services.router.app import build as build_router
from services.router.settings import RouterSettings
from services.sla.app import build as build_sla
from services.sla.settings import SlaSettings
from services.stats.app import build as build_stats
from services.stats.settings import StatsSettings
from shared import log
from shared.app import Build, serve_all
from shared.memory import tune_collector
from shared.settings import ServiceSettings, describe_settings, read_settings

BUILDS: tuple[tuple[Build, type[ServiceSettings]], ...] = (
    (build_intake, IntakeSettings),
    (build_router, RouterSettings),
    (build_sla, SlaSettings),
    (build_notifier, NotifierSettings),
    (build_stats, StatsSettings),
)


def main() -> None:
    """Read the settings of all five, build, serve until SIGTERM or SIGINT."""
    builds = [(build, read_settings(settings)) for build, settings in BUILDS]
    log.configure(level=builds[0][1].log_level)
    tune_collector()
    uvloop.run(serve_all(builds))


def describe() -> str:
    """Return what each setting means, those of all services once."""
    lines = [line for _, settings in BUILDS for line in describe_settings(settings).splitlines()]
    return "\n".join(dict.fromkeys(lines))


if __name__ == "__main__":
    argparse.ArgumentParser(
        prog="python -m services",
        description=f"{sys.modules['__main__'].__doc__}\n\nSettings, from the environment:\n{describe()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    main()
