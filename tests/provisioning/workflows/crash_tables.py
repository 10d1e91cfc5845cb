"""The cases' outcomes as tables."""

from collections.abc import Sequence

from tests.provisioning.workflows.crash_cases import Run


def lines_of(runs: Sequence[Run]) -> str:
    """A line per case: how its saga ended and after how many seconds, its recovery included."""
    return "\n".join(
        f"{run.case!s:80} {run.saga.status:11} {run.seconds:5.1f} s  {'WRONG' if run.wrong else 'ok'}"
        for run in runs
    )


def table_of(kind: str, way: str, runs: Sequence[Run]) -> str:
    """A row per step, a column per boundary; in it the saga's seconds from start to end, or WRONG."""
    steps = max((run.saga.step_modules for run in runs), key=len)
    columns: dict[tuple[bool, str], None] = {}
    cells: dict[tuple[int, tuple[bool, str]], str] = {}
    for run in runs:
        if run.case.point is None:
            continue
        column = (run.case.point.is_back, str(run.case.point.boundary))
        columns[column] = None
        cells[run.case.point.step_idx, column] = "WRONG" if run.wrong else f"{run.seconds:.1f}"
    ordered = sorted(columns)
    titles = [("back: " if is_back else "") + name for is_back, name in ordered]
    right = sum(not run.wrong for run in runs)
    lines = [f"{kind}, {way}: {right} of {len(runs)} ended as they would have; seconds from start to end"]
    lines.append(f"{'killed at':26}" + "".join(f"{title:>{len(title) + 2}}" for title in titles))
    for idx, step in enumerate(steps):
        row = [cells.get((idx, column), "") for column in ordered]
        lines.append(
            f"{idx} {step:24}"
            + "".join(f"{cell:>{len(title) + 2}}" for cell, title in zip(row, titles, strict=True))
        )
    return "\n".join(lines)
