"""The energy score, which decides: how far samples lie from what happened, less half of how far they lie apart.

A proper score: no world does better than one that draws from the truth. Blur pays with its distance, speckle as well
(see `spaces.detail` for speckle on blur).
"""

from __future__ import annotations

from distill.evaluation import figures
from distill.evaluation.ensembles import Ensembles


def energy(ran: Ensembles) -> dict:
    """{space: {tick: figure}}"""
    return {
        space: {str(tick): figures.mean(values, ran.drives) for tick, values in ticks.items()}
        for space, ticks in ran.energy.items()
    }


def energy_over(ran: Ensembles, reference: Ensembles) -> dict:
    """As `energy`, over that of another world from the same moments, in pairs. Spaces that both have."""
    return {
        space: {str(t): figures.ratio(ticks[t], reference.energy[space][t], ran.drives) for t in ticks}
        for space, ticks in ran.energy.items()
        if space in reference.energy
    }
