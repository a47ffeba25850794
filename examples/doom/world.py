"""Three small games of Doom as one Gymnasium environment, chosen by words: ViZDoom's scenarios, drawn with Freedoom.

    npm run train -- --world gym:examples.doom.world:Doom-v0 --hours 2 'record=[size=160x96,captions=info:caption]'

Imps throw fireballs at somebody without a weapon; somebody walks over acid and takes medkits; somebody with a pistol is
surrounded. Each game is played for some seconds, then other words come, and most of the time another game with them.
Who dies begins the same game anew. So nothing ever ends, and a dream learns what words do to it: they cut.

ViZDoom is under the MIT licence; its pictures are Freedoom's, under the BSD licence (assets/LICENSES.md).
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import gymnasium
import numpy as np
import vizdoom
from gymnasium import spaces
from vizdoom import Button, ScreenFormat, ScreenResolution

TICS = 2  # of the game's 35 a second; a tick of ours
HUD = 24  # rows of 240 that are cut off above and below
WIDTH, HEIGHT = 320, 240
SHORTEST, LONGEST = 40, 160  # ticks until words change
SAME = 0.25  # of all changes: other words for the same game, which goes on

CONTROLS = [
    {"name": "turn", "kind": "axis", "values": [-1, 0, 1], "keys": [["ArrowLeft"], ["ArrowRight"]]},
    {"name": "strafe", "kind": "axis", "values": [-1, 0, 1], "keys": [["KeyA"], ["KeyD"]]},
    {"name": "walk", "kind": "button", "keys": ["ArrowUp", "KeyW"]},
    {"name": "fire", "kind": "button", "keys": ["Space"]},
]
# Which of our controls presses a button of the game, and at which value.
PRESSED = {
    Button.TURN_LEFT: (0, -1),
    Button.TURN_RIGHT: (0, 1),
    Button.MOVE_LEFT: (1, -1),
    Button.MOVE_RIGHT: (1, 1),
    Button.MOVE_FORWARD: (2, 1),
    Button.ATTACK: (3, 1),
}


@dataclass(frozen=True)
class Scenario:
    """A game of ViZDoom and the words for it."""

    file: str
    weapon: bool
    words: tuple[str, ...]


SCENARIOS = (
    Scenario(
        "take_cover.cfg",
        False,
        (
            "dodge fireballs in the dungeon",
            "take cover from the imps",
            "imps throw fireballs at me",
            "a brick hall full of fireballs",
            "step aside as the fireballs come",
            "monsters at the far wall throw fire",
            "unarmed in front of a row of imps",
            "run from side to side and do not get burnt",
            "a long brown room, fire flying at me",
            "evade the fire of the demons",
            "a dungeon with imps shooting flames",
            "survive the fireballs for as long as you can",
        ),
    ),
    Scenario(
        "health_gathering.cfg",
        False,
        (
            "an acid floor with medkits",
            "walk over the acid and take the medkits",
            "a green pool of acid between stone walls",
            "gather health on a poisoned floor",
            "find the next medical kit",
            "look for first aid on a toxic floor",
            "a mossy courtyard flooded with slime",
            "the ground burns, collect the white boxes",
            "wading through green slime at night",
            "pick up health packs before the acid kills you",
            "a slime pit with first aid kits",
            "stay alive on the nukage floor",
        ),
    ),
    Scenario(
        "defend_the_center.cfg",
        True,
        (
            "defend the centre with a pistol",
            "a round arena, monsters from all sides",
            "shoot the monsters that come closer",
            "surrounded in an arena, gun in hand",
            "turn around and fire at the demons",
            "stand in the middle and shoot",
            "pink worms crawl towards me, I have a gun",
            "a pistol against a ring of enemies",
            "hold the middle of the grey arena",
            "aim and shoot at whatever comes",
            "a gunfight in a circular room",
            "enemies around me, defend yourself",
        ),
    ),
)


class Doom(gymnasium.Env):
    """Observations uint8 [192,320,3]; actions are the values of CONTROLS. The info of a reset and of a step has
    `caption`, the words of the picture that comes with it, and `died`, whether a game began anew in this step."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 35 / TICS}
    controls = CONTROLS

    def __init__(self, render_mode: str | None = None):
        self.render_mode = render_mode
        self.observation_space = spaces.Box(0, 255, (HEIGHT - 2 * HUD, WIDTH, 3), np.uint8)
        self.action_space = spaces.MultiDiscrete([3, 3, 2, 2], start=[-1, -1, 0, 0])
        self.games = [open_game(scenario) for scenario in SCENARIOS]
        self.picture = np.zeros(self.observation_space.shape, np.uint8)

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        super().reset(seed=seed)
        self.at = -1  # no game yet, so that the first one begins
        self._change(int(self.np_random.integers(len(SCENARIOS))))
        return self.render(), self._info(died=False)

    def step(self, action):
        values = np.asarray(action)
        self.left -= 1
        if self.left <= 0:
            same = self.np_random.random() < SAME
            others = [n for n in range(len(SCENARIOS)) if (n == self.at) == same]
            self._change(others[int(self.np_random.integers(len(others)))])
            return self.render(), 0.0, False, False, self._info(died=False)
        game = self.games[self.at]
        pressed = [int(values[control] == value) for control, value in map(PRESSED.get, game.get_available_buttons())]
        reward = game.make_action(pressed, TICS)
        died = game.is_episode_finished()
        if died:
            self._begin()
        return self.render(), reward, False, False, self._info(died)

    def render(self) -> np.ndarray:
        state = self.games[self.at].get_state()
        if state is not None:
            self.picture = np.array(state.screen_buffer[HUD:-HUD])
        return self.picture

    def close(self) -> None:
        for game in self.games:
            game.close()

    def _change(self, scenario: int) -> None:
        """Other words, and where they are another game's, that game from its beginning."""
        begin = scenario != self.at
        self.at = scenario
        words = SCENARIOS[scenario].words
        self.caption = words[int(self.np_random.integers(len(words)))]
        self.left = int(self.np_random.integers(SHORTEST, LONGEST))
        if begin:
            self._begin()

    def _begin(self) -> None:
        game = self.games[self.at]
        game.set_seed(int(self.np_random.integers(2**31)))
        game.new_episode()

    def _info(self, died: bool) -> dict:
        return {"caption": self.caption, "died": float(died)}


def open_game(scenario: Scenario, wad: Path | None = None) -> vizdoom.DoomGame:
    """The scenario, its window hidden; with another map where `wad` has one."""
    game = vizdoom.DoomGame()
    game.load_config(str(Path(vizdoom.scenarios_path) / scenario.file))
    if wad is not None:
        game.set_doom_scenario_path(str(wad))
    game.set_doom_config_path(str(Path(tempfile.gettempdir()) / "oneiro-doom.ini"))  # else it writes one here
    game.set_window_visible(False)
    game.set_screen_resolution(ScreenResolution.RES_320X240)
    game.set_screen_format(ScreenFormat.RGB24)
    game.set_render_hud(False)
    game.set_render_crosshair(False)
    game.set_render_decals(False)
    game.set_render_particles(False)
    game.set_render_weapon(scenario.weapon)
    game.init()
    return game


gymnasium.register("Doom-v0", Doom)
