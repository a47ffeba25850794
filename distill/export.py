"""Checkpoints -> a world's folder: ONNX graphs, start states, weights and `world.json`.

- Batch is the one free dimension. Noise is an input, times are constants, the M outer and N inner steps are unrolled,
  `delta_std`, the stated history noise level and the noise's temperature are inside: from history to next latent.
- Large weights are stored as float16 behind a Cast, which ONNX Runtime folds away at load: half the download, float32
  arithmetic. PyTorch is compared with the same rounded weights.
"""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from distill.autoencoder import HEIGHT, WIDTH, Codec, gains, load_codec
from distill.config import BaseConfig, UserError
from distill.data import Latents, instruments, telemetry_tokens
from distill.dit import Conditions, count_parameters
from distill.files import replacing, write_tensors, write_text
from distill.machine import count_flops, setup
from distill.phrases import READING, PhraseReader, load_reader
from distill.random import normals
from distill.sampling import load_student
from distill.starts import choose_starts, start_id
from distill.student import BlockCounter, Student, student_flops
from distill.words import READER
from distill.worlds import told_by

OPSET = 20
HALF_ABOVE = 256  # weights with fewer numbers stay float32
PRESETS = [  # the first is what a newcomer sees
    "a snowy road at sunset",
    "a snowy night drive",
    "a drive through green meadows at noon",
    "foggy morning in the woods",
    "desert highway at sunset",
    "volcano road at night in clear weather",
    "rainy forest road at dusk",
    "meadow road at dawn on a clear day",
    "driving through a snowy landscape on a clear morning",
    "a hot desert at noon",
    "lava fields in the fog",
    "heavy rain over the meadows",
    "snow falling in the forest at night",
]


@dataclass
class Config(BaseConfig):
    name: str = "export"
    student: str = "runs/dmd/student.pt"
    codec: str = "runs/codec/autoencoder.pt"
    reader: str = READER  # of the words, for a student that is told readings
    out: str = "assets/drive"
    id: str = "drive"
    title: str = "Drive"
    level: float = 0.1  # history noise level that the student is told
    temperature: float = 1.0  # what the noise is multiplied by: above 1 draws further from the middle
    half_weights: bool = True
    starts: int = 15
    seed: int = 20


class StudentGraph(nn.Module):
    """history [B,K,T,C], actions [B,A,2], prompt [B,P], noise [B,1+M,T,C] -> latent [B,T,C]; all times are buffers."""

    def __init__(self, student: Student, level: float, temperature: float = 1.0):
        super().__init__()
        self.student, self.temperature = student, temperature
        dit, one = student.dit, torch.ones(1)
        self.bounded = bool(dit.bound.isfinite().all())
        self.outer = list(zip(student.outer_grid[:0:-1], student.outer_grid[-2::-1], strict=True))
        self.inner = list(zip(student.inner_grid[:0:-1], student.inner_grid[-2::-1], strict=True))
        with torch.no_grad():
            self.register_buffer("level", dit.level(level * one))
            self.register_buffer("scale", dit.scale(level * one))
            self.register_buffer("times", torch.stack([dit.time(t * one) for t, _ in self.outer]))
            heads = [dit.time(s * one) + student.interval((s - r) * one) for s, r in self.inner]
            self.register_buffer("head_times", torch.stack(heads))

    def forward(self, history: Tensor, actions: Tensor, prompt: Tensor, noise: Tensor) -> Tensor:
        student, dit = self.student, self.student.dit
        config = dit.config
        tokens, channels = config.tokens, config.channels
        newest = history[:, :1].reshape(-1, tokens, channels)
        noise = self.temperature * noise
        noises = [part.reshape(-1, tokens, channels) for part in noise.split(1, 1)]
        base = dit.action(actions.reshape(-1, config.actions * config.action_dims)) + dit.said(prompt) + self.level
        if dit.telemetry is not None:
            base = base + dit.telemetry(dit.fed(history)[:, config.grid :].reshape(-1, dit.telemetry[0].in_features))
        context = dit.context_tokens(history)
        x = noises[0]
        for index, (t, lower) in enumerate(self.outer):
            condition = F.silu(base + self.times[index])
            features = dit.run_blocks(dit.patch(x) + context, condition, 0, student.depth)
            y = y1 = noises[1 + index]
            for inner, (s, r) in enumerate(self.inner):
                condition = base + self.head_times[inner]
                fused = student.fusion(features, dit.patch(y), dit.blocks[student.depth], F.silu(condition))
                y_estimate = student.estimate(dit.head(fused, condition, student.depth), x, t)
                y = y - (s - r) * student.average(y_estimate, y, s, y1)
            x = x - (t - lower) * (y if student.config.predicts == "difference" else (x - y) / t)
        latent = newest + self.scale * x
        # As DiT.to_latent; with numbers for limits, which every backend clips to.
        return dit.bound * (latent / dit.bound).clamp(-1, 1) if self.bounded else latent


class DecoderGraph(nn.Module):
    """latent [B,T,C] -> frame [B,96,160,4], RGBA in 0..1."""

    def __init__(self, codec: Codec):
        super().__init__()
        self.codec = codec

    def forward(self, latent: Tensor) -> Tensor:
        frame = self.codec.decode(latent).permute(0, 2, 3, 1)
        return torch.cat([frame, frame[..., :1] * 0 + 1], -1)


class EncoderGraph(nn.Module):
    """frame [B,96,160,3] in 0..1 -> latent [B,T,C]."""

    def __init__(self, codec: Codec):
        super().__init__()
        self.codec = codec

    def forward(self, frame: Tensor) -> Tensor:
        return self.codec.encode(frame.permute(0, 3, 1, 2))


def round_weights(module: nn.Module) -> nn.Module:
    """A copy whose large weights are float16 numbers in float32."""
    module = copy.deepcopy(module).float().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.numel() > HALF_ABOVE:
                parameter.copy_(parameter.half())
    return module


def half_initializers(model: onnx.ModelProto) -> None:
    """Large float32 weights -> float16 and a Cast, where that loses nothing."""
    graph = model.graph
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size <= HALF_ABOVE:
            continue
        half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            continue
        name = tensor.name
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(half, f"{name}.half"))
        graph.node.insert(0, helper.make_node("Cast", [f"{name}.half"], [name], f"{name}.cast", to=TensorProto.FLOAT))


def export_graph(module: nn.Module, inputs: dict[str, Tensor], output: str, path: Path, half: bool) -> None:
    """Writes one ONNX graph with a free batch; `inputs` are examples of batch 2."""
    batch = torch.export.Dim("batch", min=1, max=1024)
    program = torch.onnx.export(
        module.eval(),
        tuple(inputs.values()),
        input_names=list(inputs),
        output_names=[output],
        dynamic_shapes=[{0: batch}] * len(inputs),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    model = program.model_proto
    if half:
        half_initializers(model)
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    del model.graph.metadata_props[:]
    onnx.checker.check_model(model)
    with replacing(path) as temporary:
        temporary.write_bytes(model.SerializeToString())


def session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def parity(module: nn.Module, inputs: dict[str, Tensor], path: Path) -> float:
    """Largest difference between PyTorch and ONNX Runtime on `inputs`."""
    with torch.no_grad():
        expected = module(*inputs.values()).numpy()
    got = session(path).run(None, {name: value.numpy() for name, value in inputs.items()})[0]
    return float(np.abs(got - expected).max())


def example_inputs(student: Student, batch: int, seed: int = 0) -> dict[str, Tensor]:
    shape, generator = student.dit.config, torch.Generator().manual_seed(seed)
    frame = (shape.tokens, shape.channels)
    draw = lambda *size: torch.randn(*size, generator=generator)  # noqa: E731
    # Changes of the usual size: what is fed is measured in them, and unrelated frames would be far off any drive.
    changes = student.dit.usual_changes() * draw(batch, len(shape.offsets) - 1, *frame)
    return {
        "history": torch.cat([draw(batch, 1, *frame), changes], 1).cumsum(1),
        "actions": torch.randint(-1, 2, (batch, shape.actions, shape.action_dims), generator=generator).float(),
        "prompt": F.normalize(draw(batch, shape.prompt_dim), dim=-1),
        "noise": draw(batch, 1 + student.config.outer_steps, *frame),
    }


def describe(path: Path) -> dict:
    data = path.read_bytes()
    return {"path": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def export_student(student: Student, level: float, out: Path, half: bool, temperature: float = 1.0) -> float:
    graph = StudentGraph(round_weights(student) if half else copy.deepcopy(student).eval(), level, temperature)
    export_graph(graph, example_inputs(student, 2), "latent", out / "student.onnx", half)
    write_tensors(out / "student.safetensors", graph.student.state_dict())
    return max(parity(graph, example_inputs(student, batch, batch), out / "student.onnx") for batch in (1, 3))


def export_codec(codec: Codec, out: Path, half: bool) -> tuple[float, float]:
    codec = (round_weights(codec) if half else copy.deepcopy(codec)).to(memory_format=torch.contiguous_format)
    generator = torch.Generator().manual_seed(3)
    latent = {
        "latent": torch.randn(2, codec.tokens + telemetry_tokens(codec.channels), codec.channels, generator=generator)
    }
    frame = {"frame": torch.rand(2, HEIGHT, WIDTH, 3, generator=generator)}
    decoder, encoder = DecoderGraph(codec), EncoderGraph(codec)
    export_graph(decoder, latent, "frame", out / "decoder.onnx", half)
    export_graph(encoder, frame, "latent", out / "encoder.onnx", half)
    write_tensors(out / "codec.safetensors", codec.state_dict())
    return parity(decoder, latent, out / "decoder.onnx"), parity(encoder, frame, out / "encoder.onnx")


def export_reader(reader: PhraseReader, out: Path, half: bool) -> float:
    """phrases [n,384], the embeddings of one prompt's phrases -> reading [1,READING]."""
    graph = round_weights(reader) if half else copy.deepcopy(reader).eval()
    generator = torch.Generator().manual_seed(4)
    draw = lambda n: {"phrases": F.normalize(torch.randn(n, reader.config.dim, generator=generator), dim=1)}  # noqa: E731
    export_graph(graph, draw(2), "reading", out / "reader.onnx", half)
    return max(parity(graph, draw(n), out / "reader.onnx") for n in (1, 3, 40))


def self_test(
    out: Path, student: Student, history: np.ndarray, past: np.ndarray, prompt: np.ndarray, seed: int
) -> list:
    """The first numbers of tick 1 from a start, with no key held: what a runtime must reproduce."""
    shape = student.dit.config
    frame = shape.tokens * shape.channels
    noise = normals(seed, 1, np.arange(1 + student.config.outer_steps), frame)
    feeds = {
        "history": history[[offset - 1 for offset in shape.offsets]][None].astype(np.float32),
        "actions": np.concatenate([np.zeros((1, shape.action_dims)), past])[None].astype(np.float32),
        "prompt": prompt[None].astype(np.float32),
        "noise": noise.reshape(1, -1, shape.tokens, shape.channels),
    }
    latent = session(out / "student.onnx").run(None, feeds)[0]
    return [round(float(value), 6) for value in latent.ravel()[:8]]


def export_starts(latents: Latents, student: Student, words, count: int, out: Path) -> tuple[list, list, dict]:
    """starts.safetensors, and the `starts` and `presets` of the manifest, and start 0 for the self-test. `words` says
    what the student is told of them."""
    rows = choose_starts(latents, count)
    captions = [latents.captions[latents.prompts[row]] for row in rows]
    texts = list(dict.fromkeys([*PRESETS, *(caption["text"] for caption in captions)]))
    embeddings = words(texts)
    history = np.array(latents.latents[rows[:, None] - np.arange(max(student.dit.config.offsets))], np.float16)
    past = latents.actions[rows[:, None] - 1 - np.arange(student.dit.config.actions - 1)].astype(np.float16)
    tensors = {"latents": history, "actions": past, "promptEmbeddings": embeddings.astype(np.float32)}
    write_tensors(out / "starts.safetensors", {name: torch.from_numpy(value) for name, value in tensors.items()})
    starts, seen = [], set()
    for index, caption in enumerate(captions):
        name = start_id(caption, seen)
        row = texts.index(caption["text"])
        starts.append({"id": name, "caption": caption["text"], "index": index, "embedding": row})
    presets = [{"id": text.replace(" ", "-"), "text": text, "embedding": i} for i, text in enumerate(PRESETS)]
    return starts, presets, {"history": history[0], "past": past[0], "prompt": embeddings[0]}


def measured_nfe(student: Student) -> float:
    inputs = example_inputs(student, 1)
    conditions = Conditions(inputs["history"], torch.zeros(1), inputs["actions"], inputs["prompt"])
    with BlockCounter(student.dit) as counter, torch.no_grad():
        student(inputs["noise"], conditions)
    return counter.nfe


def run(config: Config) -> None:
    setup(config)
    student, codec = load_student(config.student), load_codec(config.codec)
    latents = Latents(config.data, "heldout")
    shape, plan = student.dit.config, student.config
    if (codec.tokens, codec.channels) != (shape.grid, shape.channels):
        raise UserError(
            f"the codec makes {codec.tokens}x{codec.channels} latents, the student was trained on "
            f"{shape.grid}x{shape.channels}; name the codec that it was trained with"
        )
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    errors = [
        export_student(student, config.level, out, config.half_weights, config.temperature),
        *export_codec(codec, out, config.half_weights),
    ]
    graphs = ["student", "decoder", "encoder"]
    if shape.prompt_dim == READING:
        errors.append(export_reader(load_reader(config.reader), out, config.half_weights))
        graphs.append("reader")
    if not max(errors) < 2e-3:
        raise UserError(f"PyTorch and ONNX Runtime differ by {max(errors):.2g} ({', '.join(graphs)}: {errors})")
    files = {name: describe(out / f"{name}.onnx") for name in graphs}
    words = told_by(out, {"files": files})
    starts, presets, first = export_starts(latents, student, words, config.starts, out)
    files["starts"] = describe(out / "starts.safetensors")
    decoder_flops = count_flops(lambda: codec.decode(torch.zeros(1, shape.tokens, shape.channels)))
    flops = student_flops(plan, shape) + decoder_flops
    moved = gains(codec)
    relative_gains = [round(gain, 4) for gain in (moved / moved.mean()).tolist()]  # what a server rounds by
    manifest = {
        "format": "oneiro-world",
        "version": 1,
        "id": config.id,
        "title": config.title,
        "license": "Apache-2.0",
        "frame": {"width": WIDTH, "height": HEIGHT},
        "ticksPerSecond": 20,
        "latent": {"tokens": shape.tokens, "channels": shape.channels, "gains": relative_gains},
        **({"telemetry": instruments()} if shape.tokens > shape.grid else {}),
        "history": {"offsets": list(shape.offsets)},
        "actions": {"count": shape.actions, "dims": shape.action_dims},
        "prompt": {"dim": shape.prompt_dim, "encoder": "prompt-encoder"},
        "student": {
            "outerSteps": plan.outer_steps,
            "innerSteps": plan.inner_steps,
            "headBlocks": plan.head_blocks,
            "blocks": shape.blocks,
            "width": shape.width,
            "nfe": measured_nfe(student),
            "gflopPerTick": round(flops / 1e9, 4),
            "parameters": count_parameters(student),
            "architecture": shape.architecture() | {f"student_{k}": v for k, v in asdict(plan).items()},
            "level": config.level,
            "temperature": config.temperature,
        },
        "files": files,
        "starts": starts,
        "presets": presets,
        "selfTest": {
            "seed": config.seed,
            "latentSample": self_test(out, student, **first, seed=config.seed),
            "tolerance": 1e-3,
        },
        "modelHash": hashlib.sha256((files["student"]["sha256"] + files["decoder"]["sha256"]).encode()).hexdigest(),
    }
    write_text(out / "world.json", json.dumps(manifest, indent=2) + "\n")
    sizes = ", ".join(f"{name} {entry['bytes'] / 1e6:.1f} MB" for name, entry in files.items())
    print(f"[export] {out}: {sizes}; {flops / 1e9:.3f} GFLOP a tick, of which decoder {decoder_flops / 1e9:.3f}; "
          f"largest difference to PyTorch {max(errors):.2g}; {len(starts)} starts")  # fmt: skip
