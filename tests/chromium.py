"""Debian's Chromium for the browser tests: where it is, and how it starts without asking the internet.

Its shell without windows is preferred where both are: the same engine, and less around it to compute.
"""

import shutil
from typing import Final

NAMES: Final = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM: Final = next((path for name in NAMES if (path := shutil.which(name))), None)
MISSING: Final = "Chromium is not installed (Debian: apt-get install chromium-headless-shell, or chromium)"
QUIET: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
