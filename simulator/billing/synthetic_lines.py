"""Synthetic invoice lines: any number of them, each computed from its number and none stored."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from simulator.account import Account
from simulator.billing.lines import Line
from simulator.billing.rating import FULL_MONTH_HOURS, make_tax_line, midnight, month_after
from simulator.synthetic_droplets import droplet_id_at

_LOWEST_CENTS: Final = 100
_PRICES: Final = 500  # different ones, which repeat


class SyntheticLines:
    """Lines of the synthetic droplets, or of deleted ones if there are none; the last line is the GST."""

    def __init__(self, account: Account, month: date, count: int) -> None:
        self.count = count
        self._month = month
        self._synthetic = account.droplets.synthetic
        self._droplets = self._synthetic.remaining.count

    def cents(self) -> int:
        """Return the sum of the lines."""
        return self._net() + self._tax().cents

    def slice(self, start: int, stop: int) -> Iterator[Line]:
        """Yield the lines number `start` to `stop`, exclusive."""
        first, after = midnight(self._month), midnight(month_after(self._month))
        for number in range(start, min(stop, self.count - 1)):
            # Without synthetic droplets the lines are of deleted ones, which no list has.
            description, key = f"gone-{number:07} (s-1vcpu-1gb)", ""
            if self._droplets:
                index = number % self._droplets
                description, key = self._synthetic.invoice_description(index), str(droplet_id_at(index))
            yield Line(
                "Droplets",
                description,
                first,
                after,
                _LOWEST_CENTS + number % _PRICES,
                FULL_MONTH_HOURS,
                resource_id=key,
            )
        if start < self.count <= stop:
            yield self._tax()

    def _net(self) -> int:
        # By a formula: the list of invoices has this amount, and must not compute ten million lines.
        turns, rest = divmod(self.count - 1, _PRICES)
        rises = turns * _PRICES * (_PRICES - 1) // 2 + rest * (rest - 1) // 2
        return (self.count - 1) * _LOWEST_CENTS + rises

    def _tax(self) -> Line:
        end = midnight(month_after(self._month)) - timedelta(seconds=1)
        return make_tax_line(self._net(), self._month, end=end)
