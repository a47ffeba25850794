"""Trains one agent by PPO, in the dream alone or in the game itself:

    python clients/python/proof/train.py drive --in dream --seed 0

An agent that is there already is left as it is. `evaluate.py` compares them.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from stable_baselines3 import PPO
from stable_baselines3.common.utils import set_random_seed
from subjects import SUBJECTS, TRAINING_SEED


def agent_name(place: str, temperature: float, seed: int) -> str:
    return f"{place}{'' if temperature == 1 else f'-{temperature:g}'}-{seed}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subject", choices=list(SUBJECTS))
    parser.add_argument("--in", dest="place", choices=["dream", "game"], default="dream")
    parser.add_argument("--world", help="the folder of the dream; left out, assets/ and the subject's name")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=24_576)
    parser.add_argument("--places", type=int, default=8, help="dreams or games at once")
    parser.add_argument("--temperature", type=float, default=1.0, help="of the dream: its noise is multiplied by it")
    parser.add_argument("--out", type=Path, default=Path("runs/agents"))
    asked = parser.parse_args()
    subject = SUBJECTS[asked.subject]
    folder = asked.out / asked.subject / agent_name(asked.place, asked.temperature, asked.seed)
    if (folder / "agent.zip").is_file():
        print(f"{folder} is trained already")
        return

    torch.set_num_threads(1)  # of networks as small as these more threads are no faster
    set_random_seed(asked.seed, using_cuda=False)
    world = asked.world or f"assets/{asked.subject}"
    envs = (
        subject.dream(world, asked.places, asked.temperature) if asked.place == "dream" else subject.game(asked.places)
    )
    envs.seed(TRAINING_SEED + 100_000 * asked.seed)
    watched = subject.watch(envs)
    agent = PPO(subject.policy, watched, seed=None, verbose=1, device="cpu", **subject.settings)
    begun = time.monotonic()
    agent.learn(asked.steps)
    print(f"{agent.num_timesteps} steps in {(time.monotonic() - begun) / 60:.1f} minutes")
    folder.mkdir(parents=True, exist_ok=True)
    watched.save(str(folder / "seen.pkl"))  # what it divides its readings by
    agent.save(folder / "agent.zip")
    watched.close()


if __name__ == "__main__":
    main()
