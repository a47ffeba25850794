"""What evaluation compares: recordings, the recordings through the codec, the shipped dream, the trained networks.

All have one face, for a batch of B runs side by side:

    world.embed_prompt(texts)      # their conditioning: float32 [n,P], prompt labels or sentence embeddings
    world.reset(starts)            # where each run begins, see runs.Starts
    world.set_prompt(prompt)       # [B,P]; counts from the next tick on
    world.step(actions)            # [B,2]; one tick
    world.frames()                 # uint8 [B,96,160,3], the newest frame of each
    world.telemetry()              # float32 [B,len(TELEMETRY)], what its instruments read at that frame

Worlds of latents also have `codec`, and `picture()`, the newest frame's latents as the codec makes them.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from safetensors.numpy import load_file

from distill.config import UserError
from distill.data.conditioning import prompt_embedder, shipped_prompt_embedder
from distill.data.packed import Packed
from distill.data.starts import BEGINNING_STEPS, BEGINNINGS, choose_beginnings
from distill.distributed import DTYPES
from distill.flops import count_flops
from distill.models.codec import load_codec, to_frames, to_input
from distill.models.sampler import Rollout, StudentSampler, TeacherSampler, load_student, load_teacher
from distill.models.student import BlockCounter
from distill.models.unet import UNet
from distill.runtime import onnx_session
from distill.world import RING, read_telemetry, telemetry_token, telemetry_tokens


class Recorded:
    """The simulator, as it was recorded: knows only what happened, for as long as the recording lasts."""

    kind, backend, model_hash = "recorded", "recording", ""
    dreams = False

    def __init__(self, packed: Packed):
        self.packed = packed

    def embed_prompt(self, texts: list[str]) -> np.ndarray:
        return np.zeros((len(texts), 1), np.float32)  # it needs none

    def reset(self, starts) -> None:
        self.rows, self.tick = starts.rows, 0

    def set_prompt(self, prompt) -> None:
        pass

    def step(self, actions) -> None:
        self.tick += 1

    def frames(self) -> np.ndarray:
        rows = self.rows + self.tick
        if (self.packed.left[self.rows] < self.tick).any():
            raise UserError(f"a recording ends before tick {self.tick}; the simulator cannot be asked for more")
        return self.packed.frames[rows]

    def telemetry(self) -> np.ndarray:
        return self.packed.telemetry[self.rows + self.tick]


class TorchCodec:
    def __init__(self, path: str, batch: int = 50):
        self.codec, self.batch = load_codec(path), batch

    @torch.inference_mode()
    def encode(self, frames: np.ndarray) -> np.ndarray:
        """uint8 [N,96,160,3] -> float32 [N,T,C]"""
        parts = range(0, len(frames), self.batch)
        return np.concatenate([self.codec.encode(to_input(frames[i : i + self.batch])).numpy() for i in parts])

    @torch.inference_mode()
    def decode(self, latents: np.ndarray) -> np.ndarray:
        """float32 [N,T,C] -> uint8 [N,96,160,3]"""
        latents = torch.from_numpy(np.ascontiguousarray(latents, np.float32))
        parts = range(0, len(latents), self.batch)
        return np.concatenate([to_frames(self.codec.decode(latents[i : i + self.batch])) for i in parts])


class ThroughCodec(Recorded):
    """The recording, encoded and decoded: what no dream with this codec can beat."""

    kind, backend = "codec", "torch"

    def __init__(self, packed: Packed, codec: TorchCodec):
        super().__init__(packed)
        self.codec = codec

    def frames(self) -> np.ndarray:
        return self.codec.decode(self.codec.encode(super().frames()))


class Dream:
    """A world that runs on latents: a roll-out (reset, set_prompt, step -> latents) and a codec."""

    dreams = True

    def __init__(self, kind: str, rollout, codec, past_actions: int, backend: str, model_hash: str, embed_prompt):
        self.kind, self.rollout, self.codec, self.embed_prompt = kind, rollout, codec, embed_prompt
        self.past_actions, self.backend, self.model_hash = past_actions, backend, model_hash
        self.beginnings = None  # what instruments and actions (data/starts.py) a drive from words alone begins with
        self.beginning_steps = BEGINNING_STEPS

    def reset(self, starts) -> None:
        shape = starts.history.shape
        latents = self.codec.encode(starts.history.reshape(-1, *shape[2:]))
        history = latents.reshape(shape[0], shape[1], *latents.shape[1:])
        history = np.concatenate([history, telemetry_token(starts.telemetry, history.shape[-1])], 2)
        self.latent = history[:, 0]
        self.rollout.reset(history, starts.past_actions[:, : self.past_actions], starts.prompt, starts.seeds)

    def set_prompt(self, prompt) -> None:
        self.rollout.set_prompt(prompt)

    def step(self, actions) -> None:
        self.latent = np.asarray(self.rollout.step(actions), np.float32)

    def frames(self) -> np.ndarray:
        return self.codec.decode(self.latent)

    def telemetry(self) -> np.ndarray:
        return read_telemetry(self.latent)

    def first_frames(self, prompt: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        """First frames from words [B,P] and seeds [B] alone, uint8 [B,H,W,3]. Needs `beginnings`."""
        tokens, actions = (part[np.asarray(seeds) % len(part)] for part in self.beginnings)
        history = np.zeros((len(tokens), RING, self.rollout.config.tokens, tokens.shape[-1]), np.float32)
        history[:, :, -tokens.shape[1] :] = tokens[:, None]
        self.rollout.reset(history, actions, prompt, seeds)
        self.rollout.tick = -self.beginning_steps
        for _ in range(self.beginning_steps):
            self.step(np.zeros((len(tokens), actions.shape[-1]), np.float32))
        return self.frames()

    def picture(self) -> np.ndarray:
        return self.latent[:, : -telemetry_tokens(self.latent.shape[-1])]


class OnnxSampler:
    """The shipped student on ONNX Runtime, as `models.sampler` has its samplers; `config` is what a `Rollout` needs."""

    def __init__(self, folder: Path, manifest: dict):
        self.session = onnx_session(folder / manifest["files"]["student"]["path"], torch.get_num_threads())
        latent, student = manifest["latent"], manifest["student"]
        size = {"tokens": latent["tokens"], "channels": latent["channels"]}
        half = latent.get("dtype") == "float16"  # of the state
        self.config = SimpleNamespace(offsets=manifest["history"]["offsets"], half_state=half, **size)
        every = [{"from": 0, "count": latent["tokens"] * latent["channels"]}] * (1 + student["outerSteps"])
        self.used = [(part["from"], part["count"]) for part in student.get("noise", every)]

    def noise_used(self) -> list[tuple[int, int]]:
        return self.used

    def __call__(self, noise: torch.Tensor, conditions) -> torch.Tensor:
        inputs = {name: getattr(conditions, name).numpy() for name in ("history", "actions", "prompt")}
        return torch.from_numpy(self.session.run(["latent"], inputs | {"noise": noise.numpy()})[0])


class OnnxCodec:
    def __init__(self, folder: Path, manifest: dict, batch: int = 50):
        self.encoder = onnx_session(folder / manifest["files"]["encoder"]["path"], torch.get_num_threads())
        self.decoder = onnx_session(folder / manifest["files"]["decoder"]["path"], torch.get_num_threads())
        self.tokens, self.batch = manifest["latent"]["tokens"], batch

    def encode(self, frames: np.ndarray) -> np.ndarray:
        parts = [frames[i : i + self.batch].astype(np.float32) / 255 for i in range(0, len(frames), self.batch)]
        return np.concatenate([self.encoder.run(["latent"], {"frame": part})[0] for part in parts])

    def decode(self, latents: np.ndarray) -> np.ndarray:
        # A picture alone has no telemetry; the decoder looks at none.
        latents = np.pad(latents, ((0, 0), (0, self.tokens - latents.shape[1]), (0, 0)))
        parts = [latents[i : i + self.batch] for i in range(0, len(latents), self.batch)]
        frames = np.concatenate([self.decoder.run(["frame"], {"latent": part})[0] for part in parts])
        return (np.clip(frames[..., :3], 0, 1) * 255 + 0.5).astype(np.uint8)


def open_dream(folder: str | Path) -> Dream:
    """The world that ships in `folder`. Raises UserError where it is missing or not whole."""
    folder = Path(folder)
    if not (folder / "world.json").is_file():
        raise UserError(f"there is no world in {folder}; run the `export` stage or name another with assets=FOLDER")
    manifest = json.loads((folder / "world.json").read_text())
    for entry in manifest["files"].values():
        path = folder / entry["path"]
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
            raise UserError(f"{path} is missing or not the file that world.json names; export again")
    sampler, codec = OnnxSampler(folder, manifest), OnnxCodec(folder, manifest)
    rollout = Rollout(sampler, sampler.config)
    embed_prompt = shipped_prompt_embedder(folder, manifest)
    past = manifest["actions"]["count"] - 1
    dream = Dream("dream", rollout, codec, past, "onnxruntime-cpu", manifest["modelHash"], embed_prompt)
    if "beginnings" in manifest:
        starts = load_file(folder / manifest["files"]["starts"]["path"])
        dream.beginning_steps = manifest["beginnings"]["steps"]
        dream.beginnings = tuple(starts[name].astype(np.float32) for name in ("beginnings", "beginningActions"))
    dream.manifest, dream.student_path = manifest, folder / manifest["files"]["student"]["path"]
    return dream


def file_hash(path: str | Path) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def open_world(name: str, config, packed: Packed):
    """A world by its name: recorded, codec, dream, dream:FOLDER, teacher, teacher-Nstep, either with -guided,
    student:FILE. Raises UserError."""
    if name in ("recorded", "simulator"):
        return Recorded(packed)
    if name == "dream":
        return open_dream(config.assets)
    if name.startswith("dream:"):
        return open_dream(name.removeprefix("dream:"))
    if name == "codec":
        return ThroughCodec(packed, TorchCodec(config.codec))
    if few := re.fullmatch(r"teacher(?:-(\d+)step)?(-guided)?", name):
        path, dit = config.teacher, load_teacher(config.teacher)
        steps = int(few[1]) if few[1] else config.teacher_steps
        guidances = (config.guidance, config.guidance_ticks, config.action_guidance) if few[2] else ()
        network = torch.compile(dit) if config.compile else dit
        sampler = TeacherSampler(network, steps, *guidances, time_shift=config.teacher_shift)
    elif name.startswith("student:"):
        path = name.removeprefix("student:")
        student = load_student(path)
        sampler, dit = StudentSampler(student, config.temperature), student.dit
    else:
        raise UserError(
            f"there is no world {name}; there are recorded, codec, dream, dream:FOLDER, teacher, teacher-Nstep (these "
            "two also with -guided) and student:FILE"
        )
    rollout = Rollout(sampler, dit.config, config.level, dtype=DTYPES[config.dtype])
    embed_prompt = prompt_embedder(dit.config.prompt_dim, config.prompt_classifier)
    past, codec = dit.config.actions - 1, TorchCodec(config.codec)
    world = Dream(name, rollout, codec, past, "torch-cpu", file_hash(path), embed_prompt)
    world.dit, world.checkpoint = dit, path
    if isinstance(dit, UNet):
        world.beginnings = choose_beginnings(packed, BEGINNINGS, dit.config.channels, past)
    return world


def training_of(path: str | Path) -> dict:
    """What a checkpoint says of its training: its configuration, samples, minutes. Empty for `keep`'s."""
    saved = torch.load(path, map_location="cpu", weights_only=True)
    return {key: saved[key] for key in ("config", "samples", "minutes") if key in saved}


def counted_nfe(world: Dream) -> float:
    """Block calls in a tick over the blocks there are: by hooks in PyTorch, by nodes in an ONNX graph.

    Needs a world that has been reset."""
    if hasattr(world, "manifest"):
        import onnx

        nodes, student = onnx.load(world.student_path, load_external_data=False).graph.node, world.manifest["student"]
        mixing = {name for node in nodes if node.op_type == "MatMul" for name in node.input}
        calls = sum(node.op_type == "Softmax" and node.output[0] in mixing for node in nodes)
        if student["architecture"].get("network") == "unet":
            # A norm in every residual block, and one before the output.
            norms = sum(node.op_type == "InstanceNormalization" for node in nodes)
            calls += norms - student["outerSteps"] * student["innerSteps"]
        return calls / student["blocks"]
    with BlockCounter(world.dit) as counter:
        world.step(np.zeros((len(world.latent), 2), np.float32))
    return counter.nfe


def counted_gflop(world: Dream) -> float:
    """GFLOP of one tick of one run, decoder included: counted in PyTorch, for the shipped graphs as exported."""
    if hasattr(world, "manifest"):
        return float(world.manifest["student"]["gflopPerTick"])

    def tick() -> None:
        world.step(np.zeros((len(world.latent), 2), np.float32))
        world.codec.codec.decode(torch.from_numpy(world.latent))

    return count_flops(tick) / len(world.latent) / 1e9
