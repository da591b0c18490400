"""`python -m tests.cost`: shows what things cost beside what was recorded, exits 1 on a difference; `--record` keeps them."""

import argparse
import asyncio
import sys

from deploy.local import address, folders
from shared import log
from tests.cost import gate, opcodes, wire


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.cost", description=__doc__)
    parser.add_argument("--record", action="store_true", help="keep what is measured now; say why in the commit")
    chosen = parser.parse_args()
    log.configure(level="ERROR")
    folders.sweep_dead_runs()
    folder = folders.own_run()
    try:
        with address.postgres(folder / "postgres") as admin_dsn:
            costs = {"wire": asyncio.run(wire.measured(admin_dsn)), gate.OPCODES: opcodes.measured()}
    finally:
        folders.remove(folder)
    recorded = gate.read()
    for kind, measured in costs.items():
        print(kind)
        for name, cost in measured.items():
            print(f"  {cost:6}  (recorded {recorded.get(kind, {}).get(name, '-'):>6})  {name}")
    elsewhere = gate.not_judged()
    if elsewhere:
        print(elsewhere)
    if chosen.record:
        gate.record({kind: measured for kind, measured in costs.items() if kind != gate.OPCODES or not elsewhere})
        return 0
    told = gate.faults(costs["wire"], recorded["wire"]) + gate.opcode_faults(costs[gate.OPCODES], recorded[gate.OPCODES])
    print(*told, sep="\n")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
