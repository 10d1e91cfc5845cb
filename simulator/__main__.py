"""The command `python -m simulator`: see the package."""

import argparse
import sys
from datetime import date

from simulator.app import create_app
from simulator.fleets import FLEETS
from simulator.server import make_server, run_until_signal
from simulator.simulation import Simulation
from simulator.synthetic_droplets import MAX_COUNT
from simulator.synthetic_resources import LOADS


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m simulator", description="DigitalOcean's API, simulated on loopback."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8025, help="0 takes a free one")
    parser.add_argument("--fleet", choices=sorted(FLEETS), default="default")
    parser.add_argument("--droplets", type=int, default=0, help=f"add so many, up to {MAX_COUNT}")
    for kind in LOADS:
        option = kind.replace("_", "-")
        parser.add_argument(f"--{option}", type=int, default=0, metavar="N", help=f"add so many {option}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--today", type=date.fromisoformat, default=None, help="YYYY-MM-DD")
    parser.add_argument("--speed", type=float, default=1.0, help="virtual seconds per second, for actions")
    parser.add_argument(
        "--invoices", type=int, default=0, help="the number of invoices, instead of one a month"
    )
    parser.add_argument("--invoice-lines", type=int, default=0, help="add an invoice of so many lines")
    parser.add_argument("--limits", action="store_true", help="enforce DigitalOcean's rate limits")
    return parser.parse_args()


def main() -> None:
    arguments = _parse_arguments()
    try:
        simulation = Simulation(
            fleet=arguments.fleet,
            seed=arguments.seed,
            droplets=arguments.droplets,
            today=arguments.today,
            speed=arguments.speed,
            limits=arguments.limits,
            invoices=arguments.invoices,
            invoice_lines=arguments.invoice_lines,
            load={kind: count for kind in LOADS if (count := getattr(arguments, kind))},
        )
        server = make_server(create_app(simulation), host=arguments.host, port=arguments.port)
    except (OSError, ValueError) as error:
        sys.exit(f"simulator: {error}")
    run_until_signal(server, "simulator")


if __name__ == "__main__":
    main()
