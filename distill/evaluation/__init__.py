"""Worlds side by side: what they are, how they run, the table of figures, comparisons. Door: `worlds`, `evaluate`."""
