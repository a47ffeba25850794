"""Drives as data: recorded here or replayed from a log, and written as a LeRobotDataset v3 or for Minari.

python -m oneiro.data assets/drive --format lerobot --out data/lerobot --drives 8 --ticks 200
"""

from oneiro.data.drives import Drive, hold_at_random, record
from oneiro.data.lerobot import write_lerobot
from oneiro.data.logs import read_action_log, replayed
from oneiro.data.minari import write_minari

__all__ = ["Drive", "hold_at_random", "read_action_log", "record", "replayed", "write_lerobot", "write_minari"]
