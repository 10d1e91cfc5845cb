"""The margin of a month as a file."""

import csv
from typing import Final

from django.http import HttpResponse

from arcadia_cloud.kernel.api.downloads import safe_cell
from arcadia_cloud.kernel.money import exact_text
from billing.queries import Figures, MarginReport

_COLUMNS: Final = (
    "name", "revenue_usd", "cost_usd", "shared_usd", "margin_usd", "percent", "revenue", "unpriced",
)  # fmt: skip


def render_csv(report: MarginReport) -> HttpResponse:
    """Return the whole report as CSV, exact: every row, what stands apart, and the total.

    A cell is empty where nothing is known.
    """
    month = f"{report.period.start:%Y-%m}"
    answer = HttpResponse(
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="margin-{month}-by-{report.by}.csv"',
            "Cache-Control": "no-store",
        },
    )
    writer = csv.writer(answer, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(_COLUMNS)
    # What stands apart is a row of its own: the file's columns sum to its last line.
    apart = [(name, Figures(shared=amount)) for name, amount in sorted(report.apart.items())]
    rows = [(row.name, row.figures) for row in report.rows]
    for name, sums in (*rows, *apart, ("total", report.total)):
        figures = report.known(sums)
        amounts = (figures.revenue, figures.cost, figures.shared, figures.margin)
        writer.writerow(
            [
                safe_cell(name),
                # Written as numbers, not through `safe_cell`: a loss begins with a minus.
                *("" if amount is None else exact_text(amount) for amount in amounts),
                "" if figures.percent is None else str(figures.percent),
                " ".join(f"{money.currency} {exact_text(money.amount)}" for money in figures.revenues),
                # Resources that are in no cost: it is at least what it says, and the margin at most.
                str(figures.unpriced),
            ]
        )
    return answer
