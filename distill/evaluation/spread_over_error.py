"""Is the spread over noises as large as the error (Fortin et al. 2014)? 1 is right, below too sure, above too wild."""

from __future__ import annotations

from distill.evaluation import figures
from distill.evaluation.ensembles import Ensembles


def spread_over_error(ran: Ensembles) -> dict:
    """{space: {tick: figure}}: root of the variance over noises, times 1 + 1/noises since the mean is one of few, over
    the squared error of the mean."""
    if ran.noises < 2:
        return {}
    few = 1 + 1 / ran.noises
    return {
        space: {
            str(tick): figures.root(figures.ratio(few * values, ran.error[space][tick], ran.drives))
            for tick, values in ticks.items()
        }
        for space, ticks in ran.variance.items()
        if space in ("latents", "crops")
    }
