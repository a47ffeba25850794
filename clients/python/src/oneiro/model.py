"""A student and its decoder, opened once, for as many dreams as want them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oneiro.checks import shown
from oneiro.controls import Action, ActionSpace
from oneiro.errors import BackendError, BadInputError, SelfTestError
from oneiro.files import Floats, WorldFiles, read_checked, read_manifest
from oneiro.manifest import Manifest
from oneiro.random import tick_noise
from oneiro.runtime import open_session, run_session
from oneiro.tasks import task_of

#: Every float32 that a state of half precision can hold lies between this and its negative.
LARGEST_HALF = 65504.0


class Decoder:
    """What a latent shows and reads. `threads`: inside one run."""

    def __init__(self, manifest: Manifest, decoder: bytes, threads: int = 2):
        if not isinstance(threads, int) or threads < 1:
            raise BadInputError(f"Threads are a whole number from 1 on, but {shown(threads)} came. Say threads=2.")
        self.manifest = manifest
        self.space = ActionSpace(manifest.controls)
        self.decoder = open_session(decoder, "decoder", threads)
        self._centres = np.array([instrument.centre for instrument in manifest.telemetry])
        self._spreads = np.array([instrument.spread for instrument in manifest.telemetry])

    def pixels(self, latents: Floats, channels: int = 4) -> NDArray[np.uint8]:
        """The pictures of latents [B,T,C]: uint8 [B,H,W,4] RGBA, or the first `channels` of them."""
        frames = run_session(self.decoder, "decoder", "frame", {"latent": latents})[..., :channels]
        # In float64, as numbers in JavaScript are: a rounding less would differ from Node's.
        return np.clip(np.floor(frames.astype(np.float64) * 255 + 0.5), 0, 255).astype(np.uint8)

    def readings(self, latents: Floats) -> NDArray[np.float64]:
        """What the instruments read at latents [B,T,C], in their units: float64 [B,I]."""
        m = self.manifest
        first = (m.tokens - -(-len(m.telemetry) // m.channels)) * m.channels
        numbers = latents.reshape(len(latents), -1)[:, first : first + len(m.telemetry)]
        read: NDArray[np.float64] = self._centres + self._spreads * numbers.astype(np.float64)
        return read

    def by_name(self, readings: NDArray[np.float64]) -> dict[str, float]:
        """One row of `readings` as a record."""
        return {one.name: float(value) for one, value in zip(self.manifest.telemetry, readings, strict=True)}


def open_decoder(folder: str | Path, threads: int = 2) -> Decoder:
    """The decoder alone of the world in a folder. Raises AssetMissingError, AssetCorruptError, Manifest...Error."""
    manifest = read_manifest(folder)
    return Decoder(manifest, read_checked(Path(folder), manifest.files["decoder"]), threads)


class Model(Decoder):
    """The graphs of one world. `threads`: inside one run. `temperature` multiplies the noise; at 1, which is the
    student as it was trained, the frames are those of Node."""

    def __init__(self, files: WorldFiles, threads: int = 2, temperature: float = 1.0):
        if not (isinstance(temperature, int | float) and 0 <= temperature <= 10):
            raise BadInputError(f"A temperature is from 0 to 10, but {shown(temperature)} came. Say temperature=1.")
        super().__init__(files.manifest, files.decoder, threads)
        self.files = files
        self.temperature = float(temperature)
        self.task = task_of(files.manifest.task, (instrument.name for instrument in files.manifest.telemetry))
        self.student = open_session(files.student, "student", threads)
        self._self_test()

    def encode(self, action: Action) -> Floats:
        """An action as the student is told it, float32 [D]. Raises BadInputError."""
        self.space.check(action)
        return self.space.encode(action, self.manifest.encoding)

    def noise(self, seeds: NDArray[np.int64], ticks: NDArray[np.int64]) -> Floats:
        """Of the steps that make `ticks` [B]: float32 [B,S,T,C]."""
        m = self.manifest
        noise = tick_noise(seeds, ticks, m.latent_length, m.noise)
        if self.temperature != 1:
            noise *= np.float32(self.temperature)
        return noise.reshape(len(noise), -1, m.tokens, m.channels)

    def next_latents(self, history: Floats, actions: Floats, prompt: Floats, noise: Floats) -> Floats:
        """history [B,H,T,C], actions [B,A,D], prompt [B,P], noise [B,S,T,C] -> [B,T,C], as the state keeps them."""
        feeds = {"history": history, "actions": actions, "noise": noise}
        if self.manifest.prompt:
            feeds["prompt"] = prompt
        latents = run_session(self.student, "student", "latent", feeds)
        if latents.shape != history[:, 0].shape:
            raise BackendError("reading the student", f"its latent is {list(latents.shape)}")
        return self.kept(latents)

    def kept(self, latents: Floats) -> Floats:
        """Rounded to half precision where that is the state's."""
        if not self.manifest.half:
            return latents
        return np.clip(latents, -LARGEST_HALF, LARGEST_HALF).astype(np.float16).astype(np.float32)

    def _self_test(self) -> None:
        """One idle tick from start 0 under preset 0 against the manifest's numbers: a wrong kernel or weight file
        ends here and not in a strange picture."""
        m, test, start = self.manifest, self.manifest.self_test, self.files.starts[0]
        history = start.latents[[offset - 1 for offset in m.offsets]]
        actions = np.concatenate([self.encode(self.space.idle)[None], start.actions])
        prompt = next(iter(self.files.known_prompts.values()), start.embedding)
        seed, tick = np.array([test.seed]), np.array([1])
        noise = tick_noise(seed, tick, m.latent_length, m.noise).reshape(1, -1, m.tokens, m.channels)
        latent = self.next_latents(self.kept(history)[None], actions[None], prompt[None], noise).ravel()
        worst = float(np.abs(latent[list(test.index)] - np.array(test.sample)).max())
        if not worst <= test.tolerance:
            raise SelfTestError(worst, test.tolerance)
        self._check_frame(latent.reshape(1, m.tokens, m.channels))

    def _check_frame(self, latent: Floats) -> None:
        """The pixels of its picture that the manifest has: a right latent may come out garbled."""
        test = self.manifest.self_test
        if not test.frame:
            return
        expected = np.frombuffer(test.frame, np.uint8).reshape(-1, 3).astype(int)
        pixels = self.pixels(latent, 3).reshape(-1, 3)
        chosen = (2 * np.arange(len(expected)) + 1) * len(pixels) // (2 * len(expected))
        off = float(np.abs(pixels[chosen] - expected).mean())
        if not off <= test.frame_tolerance:
            raise SelfTestError(off, test.frame_tolerance, "picture")
