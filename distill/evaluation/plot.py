"""A comparison as a picture: quality against NFE, as the paper's Figure 6, and beside it what each ablation changes."""

from __future__ import annotations

from pathlib import Path

from distill.evaluation.metrics.interval import half_width

ACROSS, UP = "NFE", "Fréchet 100"
LABEL = "Fréchet distance at 100 ticks, real against real = 1"


def plot(rows: dict[str, dict], series: dict[str, list[str]], reference: str, path: Path) -> None:
    """`rows` as in compare.json. Rows of one series are joined in their order; those of none are set against the
    reference, as the difference block by block with its 95 % interval. Lower is better in both."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    lines = {name: [t for t in titles if t in rows] for name, titles in series.items()} if series else {}
    placed = {title for titles in lines.values() for title in titles}
    others = [t for t in rows if t not in placed and "differences" in rows[t]] if lines else []
    figure, (left, right) = pyplot.subplots(
        1, 2, figsize=(12, 4.8), layout="constrained", width_ratios=(3, 2) if others else (1, 0.001)
    )
    for name, titles in (lines or {title: [title] for title in rows}).items():
        points = sorted(
            (x, y, error(rows[t], bool(reference)))
            for t in titles
            if (x := value(rows[t], ACROSS)) and (y := value(rows[t]))
        )
        if points:
            x, y, spread = zip(*points, strict=True)
            left.errorbar(x, y, yerr=spread, marker="o", capsize=2, elinewidth=0.6, linewidth=1.4, label=name)
    left.set_xscale("log", base=2)
    left.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    bars = f"of the difference to {reference}" if reference else "of the mean over blocks"
    left.set_xlabel(f"block calls a tick over the number of blocks (NFE)\nbars: 95 % interval {bars}")
    left.set_ylabel(LABEL)
    left.legend(fontsize=8)
    left.grid(alpha=0.3)
    if others:
        gaps = [rows[t]["differences"][UP] for t in others]
        places = range(len(others), 0, -1)
        right.errorbar([f["value"] for f in gaps], places, xerr=[f["spread"] for f in gaps], fmt="o", capsize=3)
        right.axvline(0, color="grey", linewidth=0.8)
        right.set_yticks(list(places), others, fontsize=8)
        right.set_xlabel(f"the same, less that of {reference}")
        right.grid(alpha=0.3, axis="x")
    else:
        right.set_axis_off()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def value(row: dict, column: str = UP) -> float | None:
    return row["figures"][column]["value"]


def error(row: dict, apart: bool) -> float:
    """Half of the 95 % interval. Where rows are set `apart` from a reference, of that difference, 0 for the reference:
    blocks are easy or hard for all, which says nothing of a row. Else of the mean over blocks."""
    if apart:
        return row["differences"][UP]["spread"] if "differences" in row else 0.0
    metric = row["figures"][UP]
    return half_width(metric["spread"], metric["n"])
