"""Worlds side by side: what they are, how they run, the table of metrics, comparisons. Door: `worlds`, `evaluate`."""
