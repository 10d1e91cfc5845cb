"""An invoice of any number of lines, none of which is kept: each is computed from its number."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from simulator.account import Account
from simulator.billing.lines import Line
from simulator.billing.rating import FULL_MONTH_HOURS, make_tax_line, midnight, month_after
from simulator.synthetic_droplets import droplet_id_at

_LOWEST_CENTS: Final = 100
_PRICES: Final = 500  # they repeat after so many lines


class SyntheticLines:
    """So many lines, the last of them the GST: of the droplets of the bulk, or else of such as are gone."""

    def __init__(self, account: Account, month: date, count: int) -> None:
        self.count = count
        self._month = month
        self._synthetic = account.droplets.synthetic
        self._droplets = self._synthetic.remaining.count

    def cents(self) -> int:
        """What the lines add up to."""
        return self._net() + self._tax().cents

    def slice(self, start: int, stop: int) -> Iterator[Line]:
        """Lines number `start` to `stop`, exclusive."""
        first, after = midnight(self._month), midnight(month_after(self._month))
        for number in range(start, min(stop, self.count - 1)):
            description, key = self._named(number)
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

    def _named(self, number: int) -> tuple[str, str]:
        if not self._droplets:
            return f"gone-{number:07} (s-1vcpu-1gb)", ""
        index = number % self._droplets
        return self._synthetic.invoice_description(index), str(droplet_id_at(index))

    def _net(self) -> int:
        turns, rest = divmod(self.count - 1, _PRICES)
        rises = turns * _PRICES * (_PRICES - 1) // 2 + rest * (rest - 1) // 2
        return (self.count - 1) * _LOWEST_CENTS + rises

    def _tax(self) -> Line:
        end = midnight(month_after(self._month)) - timedelta(seconds=1)
        return make_tax_line(self._net(), self._month, end=end)
