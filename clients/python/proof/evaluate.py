"""Plays every trained agent in the game that it never saw (and in its dream), beside agents that learnt nothing:

    python clients/python/proof/evaluate.py drive

Writes `results.json` beside the agents and prints a table.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv, VecNormalize
from subjects import SUBJECTS, TEST_SEED, Subject

T_95 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78}  # Student's t, two-sided, by how many agents there are


def play(envs: VecEnv, episodes: int, act: Callable[[np.ndarray], np.ndarray]) -> list[float]:
    """Returns of so many episodes from TEST_SEED on, as many at once as there are places: each from a seed of its
    own, so that all agents play the same ones."""
    returns: list[float] = []
    while len(returns) < episodes:
        envs.seed(TEST_SEED + len(returns))
        seen, own = envs.reset(), [None] * envs.num_envs
        while None in own:
            seen, _, dones, infos = envs.step(act(seen))
            for i in np.flatnonzero(dones):
                own[i] = own[i] if own[i] is not None else float(infos[i]["episode"]["r"])
        returns += own
    return returns[:episodes]


def opened(subject: Subject, raw: VecEnv, folder: Path | None) -> VecEnv:
    """As an agent sees it: with what it divided its readings by, and no longer learning that."""
    watched = subject.watch(raw)
    if not isinstance(watched, VecNormalize):
        return watched
    if folder is not None:
        watched = VecNormalize.load(str(folder / "seen.pkl"), watched.venv)
    watched.training = watched.norm_reward = False
    return watched


def constant(action: Any) -> Callable[[np.ndarray], np.ndarray]:
    return lambda seen: np.array([action] * len(seen))


def chance(space: Any, hold: int) -> Callable[[np.ndarray], np.ndarray]:
    """Keys by chance, each held for up to `hold` ticks."""
    rng, state = np.random.default_rng(0), {}

    def act(seen: np.ndarray) -> np.ndarray:
        for i in range(len(seen)):
            left, action = state.get(i, (0, None))
            if left == 0:
                left, action = int(rng.integers(1, hold + 1)), _sample(space, rng)
            state[i] = (left - 1, action)
        return np.array([state[i][1] for i in range(len(seen))])

    return act


def _sample(space: Any, rng: np.random.Generator) -> Any:
    return rng.integers(0, space.nvec) if hasattr(space, "nvec") else int(rng.integers(space.n))


def interval(means: list[float]) -> float:
    """Half of a 95 % interval of the mean over agents."""
    return T_95[len(means)] * float(np.std(means, ddof=1)) / len(means) ** 0.5 if len(means) in T_95 else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subject", choices=list(SUBJECTS))
    parser.add_argument("--world", help="the folder of the dream; left out, assets/ and the subject's name")
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--places", type=int, default=8)
    parser.add_argument("--agents", type=Path, default=Path("runs/agents"))
    parser.add_argument("--out", type=Path, help="left out, results.json beside the agents")
    asked = parser.parse_args()
    subject, agents = SUBJECTS[asked.subject], asked.agents / asked.subject
    world = asked.world or f"assets/{asked.subject}"
    results: dict[str, Any] = {"unit": subject.unit, "episodes": asked.episodes, "game": {}, "dream": {}}

    def told(place: str, name: str, returns: list[float]) -> None:
        results[place][name] = [round(one, 1) for one in returns]
        print(f"in the {place}, {name}: {np.mean(returns):.1f} ± {np.std(returns):.1f} {subject.unit}", flush=True)

    envs = opened(subject, subject.game(asked.places), None)
    told("game", "keys by chance, a tick each", play(envs, asked.episodes, chance(envs.action_space, 1)))
    told("game", "keys by chance, held", play(envs, asked.episodes, chance(envs.action_space, 12)))
    for name, action in subject.drivers.items():
        told("game", name, play(envs, asked.episodes, constant(action)))
    envs.close()
    for folder in sorted(path.parent for path in agents.glob("*/agent.zip")):
        agent = PPO.load(folder / "agent.zip", device="cpu")
        act = lambda seen, agent=agent: agent.predict(seen, deterministic=True)[0]  # noqa: E731
        temperature = float((folder.name.split("-") + ["1"])[1]) if folder.name.count("-") == 2 else 1.0
        places: list[tuple[str, Callable[[], VecEnv]]] = [("game", lambda: subject.game(asked.places))]
        if folder.name.startswith("dream"):
            places.append(("dream", lambda t=temperature: subject.dream(world, asked.places, t)))
        for place, open_place in places:
            envs = opened(subject, open_place(), folder)
            told(place, folder.name, play(envs, asked.episodes if place == "game" else min(8, asked.episodes), act))
            envs.close()
    out = asked.out or agents / "results.json"
    out.write_text(json.dumps(results) + "\n")
    print(table(results))


def table(results: dict[str, Any]) -> str:
    """One row a kind of agent: the mean in the game over its training seeds, and what it believed in the dream."""
    kinds: dict[str, list[str]] = {}
    for name in results["game"]:
        kinds.setdefault(name.rsplit("-", 1)[0] if name[-1].isdigit() else name, []).append(name)
    best = kinds.get("game")
    top = np.mean([np.mean(results["game"][name]) for name in best]) if best else None
    lines = [
        f"| agent | in the game, {results['unit']} | of the game's own agent | in its dream |",
        "|---|---|---|---|",
    ]
    for kind, names in kinds.items():
        means = [float(np.mean(results["game"][name])) for name in names]
        believed = [float(np.mean(results["dream"][name])) for name in names if name in results["dream"]]
        spread = np.std(results["game"][names[0]]) if len(names) == 1 else interval(means)
        share = f"{np.mean(means) / top:.2f}" if top else ""
        dream = f"{np.mean(believed):.0f}" if believed else ""
        lines.append(f"| {kind} ({len(names)}) | {np.mean(means):.0f} ± {spread:.0f} | {share} | {dream} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
