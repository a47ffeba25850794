"""Worlds as Gymnasium environments. `import oneiro` registers them."""

import gymnasium

from oneiro.gym.env import WorldEnv
from oneiro.gym.vector import WorldVectorEnv

__all__ = ["WorldEnv", "WorldVectorEnv", "register_worlds"]

#: Ticks of a drive, 20 seconds: the length that dreams of it are measured over.
DRIVE_TICKS = 400


def register_worlds() -> None:
    """Makes `Oneiro/Drive-v0` and `Oneiro/World-v0`, any world, known to `gymnasium.make` and `make_vec`."""
    one, many = "oneiro.gym.env:WorldEnv", "oneiro.gym.vector:WorldVectorEnv"
    gymnasium.register("Oneiro/World-v0", one, vector_entry_point=many)
    gymnasium.register(
        "Oneiro/Drive-v0",
        one,
        vector_entry_point=many,
        max_episode_steps=DRIVE_TICKS,
        kwargs={"task": "drive"},
    )
