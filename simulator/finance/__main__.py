"""The command `python -m simulator.finance`: see the package."""

import argparse
import os
import sys

from simulator.finance.app import DEFAULT_AUDIENCE, DEFAULT_SECRET, create_app
from simulator.finance.invoice_store import InvoiceStore
from simulator.server import make_server, run_until_signal


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m simulator.finance", description="A finance on loopback.")
    parser.add_argument("--port", type=int, default=4010, help="0 takes a free one")
    parser.add_argument("--rows", default=":memory:", metavar="FILE", help="where the rows stay (SQLite)")
    arguments = parser.parse_args()
    app = create_app(
        InvoiceStore(arguments.rows),
        secret=os.environ.get("SKYAI_FINANCE_JWT_SECRET") or DEFAULT_SECRET,
        audience=os.environ.get("SKYAI_FINANCE_JWT_AUDIENCE") or DEFAULT_AUDIENCE,
    )
    try:
        server = make_server(app, port=arguments.port)
    except OSError as error:
        sys.exit(f"finance: {error}")
    run_until_signal(server, "finance")


if __name__ == "__main__":
    main()
