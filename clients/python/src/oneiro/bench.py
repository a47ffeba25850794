"""Steps a second of dreams on this machine: `python -m oneiro.bench assets/drive --dreams 1,8,32`."""

from __future__ import annotations

import argparse
from time import perf_counter, process_time

import gymnasium

import oneiro


def measure(world: str, dreams: int, observation: str, threads: int, seconds: float) -> tuple[float, float]:
    """Steps of single dreams a second, and milliseconds of the processor for each, which other programs disturb less;
    over about so many seconds, after three steps that do not count."""
    envs = oneiro.WorldVectorEnv(dreams, world, observation=observation, threads=threads)
    envs.action_space.seed(0)
    envs.reset(seed=0)
    for _ in range(3):
        envs.step(envs.action_space.sample())
    steps, began, used = 0, perf_counter(), process_time()
    while perf_counter() - began < seconds:
        envs.step(envs.action_space.sample())
        steps += 1
    wall, busy, count = perf_counter() - began, process_time() - used, steps * dreams
    envs.close()
    return count / wall, 1000 * busy / count


def measure_other(name: str, seconds: float) -> tuple[float, float]:
    """The same of another Gymnasium environment, by its id."""
    env = gymnasium.make(name)
    env.action_space.seed(0)
    env.reset(seed=0)
    for _ in range(3):
        env.step(env.action_space.sample())
    steps, began, used = 0, perf_counter(), process_time()
    while perf_counter() - began < seconds:
        ended = env.step(env.action_space.sample())[2:4]
        steps += 1
        if any(ended):
            env.reset()
    wall, busy = perf_counter() - began, process_time() - used
    env.close()
    return steps / wall, 1000 * busy / steps


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m oneiro.bench", description=__doc__)
    parser.add_argument("world", help="the folder that world.json lies in")
    parser.add_argument("--dreams", default="1,8,32", help="how many together, for example 1,8,32")
    parser.add_argument("--observations", default="frame,latent", help="of frame, latent, telemetry")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--against", metavar="ID", help="another environment of Gymnasium, like CarRacing-v3")
    parser.add_argument("--seconds", type=float, default=5, help="that each row is measured for")
    asked = parser.parse_args(arguments)
    print(f"{'dreams':>8} {'observation':>12} {'steps/s':>9} {'CPU ms/step':>12}   ({asked.threads} threads)")
    try:
        for dreams in map(int, asked.dreams.split(",")):
            for observation in asked.observations.split(","):
                rate, busy = measure(asked.world, dreams, observation, asked.threads, asked.seconds)
                print(f"{dreams:8} {observation:>12} {rate:9.1f} {busy:12.1f}", flush=True)
        if asked.against:
            rate, busy = measure_other(asked.against, asked.seconds)
            print(f"{1:8} {asked.against:>12} {rate:9.1f} {busy:12.1f}", flush=True)
    except (oneiro.OneiroError, gymnasium.error.Error) as error:
        parser.exit(2, f"{error}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
