"""The figures that say whether a dream is good: one small file a figure.

Each figure is {"value", "spread", "n", "drives"}: `spread` is half of the 95 % interval, clustered by drive, since
frames of one drive are alike; `n` values of `drives` drives stand behind it. What cannot be measured is None with n 0.
`table.py` above asks a world for all of them, `check.py` asks worlds whose answer is known.
"""
