"""What the provider tells of one invoice, fetched to files before the database is touched.

No transaction stays open while a download drips, and memory doesn't grow with an invoice.
"""

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO

