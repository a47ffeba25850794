"""Checkpoints -> a world's folder: ONNX graphs, start states, weights and `world.json`.

- The graphs are those of graphs.py, and equal to PyTorch or nothing is written.
- Large weights are stored as float16 behind a Cast, which ONNX Runtime folds away at load: half the download, float32
  arithmetic. PyTorch is compared with the same rounded weights. The instruments' stay float32: their readings add up
  over a whole drive.
- The state of a U-Net's world is float16: what a runtime keeps and feeds back is the rounded latent.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from torch import Tensor, nn

from distill.atomic import replacing, write_tensors, write_text
from distill.config import BaseConfig, UserError
from distill.data.conditioning import shipped_prompt_embedder
from distill.data.packed import Latents
from distill.data.starts import BEGINNING_STEPS, BEGINNINGS, choose_beginnings, choose_moments, choose_starts, start_id
from distill.distributed import setup
from distill.export.frame_sample import frame_sample
from distill.export.graphs import codec_graphs, student_graph
from distill.export.whole_numbers import whole_number_initializers
from distill.flops import count_flops
from distill.models.codec import HEIGHT, WIDTH, Codec, gains, load_codec
from distill.models.dit import Conditions, count_parameters
from distill.models.flow_student import FlowStudent
from distill.models.outcome import Outcome, load_outcome
from distill.models.patch_codec import PatchCodec
from distill.models.prompt_classifier import LABEL_CHOICES, WEIGHTS, PromptClassifier, load_prompt_classifier
from distill.models.sampler import load_student
from distill.models.student import BlockCounter, Student
from distill.models.unet import UNet
from distill.random import tick_noise
from distill.runtime import onnx_session
from distill.world import DRIVE, LABELS, WorldSpec, telemetry_manifest

OPSET = 20
HALF_ABOVE = 256  # weights with fewer numbers stay float32
SAMPLE = 16  # numbers of the self-test
PARITY = 2e-3  # what PyTorch and ONNX Runtime may differ by
MOST_PRESETS = 12  # of a world whose captions are its presets
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
    codec: str = "runs/codec/codec.pt"
    outcome: str = ""  # a checkpoint of the `outcome` stage: what says reward and end in the dream
    prompt_classifier: str = WEIGHTS  # for a student that is conditioned on prompt labels
    split: str = "heldout"  # whose moments a dream may start from
    out: str = "assets/drive"
    id: str = "drive"
    title: str = "Drive"
    license: str = "Apache-2.0"
    level: float = 0.1  # history noise level that the student states
    temperature: float = 1.0  # what the noise is multiplied by: above 1 draws further from the middle
    half_weights: bool = True
    starts: int = 15
    seed: int = 20


def round_weights(module: nn.Module) -> nn.Module:
    """A copy whose large weights are float16 numbers in float32, but for the instruments'."""
    module = copy.deepcopy(module).float().eval()
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if parameter.numel() > HALF_ABOVE and ".instruments." not in f".{name}.":
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


def export_graph(
    module: nn.Module, inputs: dict[str, Tensor], output: str, path: Path, half: bool, whole: bool = False
) -> None:
    """Writes one ONNX graph with a free batch; `inputs` are examples of batch 2. `whole`: weights that whole numbers
    make are stored so."""
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
    if whole:
        whole_number_initializers(model)
    if half:
        half_initializers(model)
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    del model.graph.metadata_props[:]
    onnx.checker.check_model(model)
    with replacing(path) as temporary:
        temporary.write_bytes(model.SerializeToString())


def parity(module: nn.Module, inputs: dict[str, Tensor], path: Path) -> float:
    """Largest difference between PyTorch and ONNX Runtime on `inputs`."""
    with torch.no_grad():
        expected = module(*inputs.values()).numpy()
    got = onnx_session(path).run(None, {name: value.numpy() for name, value in inputs.items()})[0]
    return float(np.abs(got - expected).max())


def largest(errors) -> float:
    """The largest of some errors; NaN where one of them is, which is below no limit."""
    return float(np.max(list(errors)))


def example_inputs(student: Student | FlowStudent, batch: int, seed: int = 0, more: int = 0) -> dict[str, Tensor]:
    """`more`: further tokens of the latent, of which the student itself knows nothing."""
    shape, generator = student.dit.config, torch.Generator().manual_seed(seed)
    frame = (shape.tokens, shape.channels)
    draw = lambda *size: torch.randn(*size, generator=generator)  # noqa: E731
    # Changes of the usual size: what is fed is measured in them, and unrelated frames would be far off any drive.
    changes = student.dit.usual_changes() * draw(batch, len(shape.offsets) - 1, *frame)
    history = torch.cat([draw(batch, 1, *frame), changes], 1).cumsum(1)
    if shape.half_state:
        history = history.half().float()
        history[:, :, shape.grid :].flatten(2)[..., shape.readings :] = 0
        # One drive that begins with this tick, and one that began with the last.
        history[1:2, :, : shape.grid] = 0
        history[2:, 1:, : shape.grid] = 0
    return {
        "history": F.pad(history, (0, 0, 0, more)),
        "actions": torch.randint(-1, 2, (batch, shape.actions, shape.action_dims), generator=generator).float(),
        "prompt": F.normalize(draw(batch, shape.prompt_dim), dim=-1),
        "noise": F.pad(draw(batch, 1 + student.config.outer_steps, *frame), (0, 0, 0, more)),
    }


def graph_inputs(inputs: dict) -> dict:
    """Of `example_inputs`, or as a runtime feeds them: those that the graph has. No prompt in a world without words."""
    return {name: value for name, value in inputs.items() if name != "prompt" or value.shape[-1]}


def describe(path: Path) -> dict:
    data = path.read_bytes()
    return {"path": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def export_student(
    student: Student | FlowStudent,
    level: float,
    out: Path,
    half: bool,
    temperature: float = 1.0,
    outcome: Outcome | None = None,
) -> float:
    """Writes student.onnx; its largest difference to PyTorch."""
    own = round_weights(student) if half else copy.deepcopy(student).eval()
    graph, more = student_graph(own, level, temperature, outcome), outcome.tokens if outcome else 0
    export_graph(graph, graph_inputs(example_inputs(student, 2, more=more)), "latent", out / "student.onnx", half)
    examples = [graph_inputs(example_inputs(student, batch, batch, more)) for batch in (1, 3)]
    return largest(parity(graph, inputs, out / "student.onnx") for inputs in examples)


def export_codec(codec: Codec | PatchCodec, tokens: int, out: Path, half: bool) -> tuple[float, float]:
    """Writes decoder.onnx, of latents of `tokens`, and encoder.onnx; their largest differences to PyTorch."""
    codec = (round_weights(codec) if half else copy.deepcopy(codec)).to(memory_format=torch.contiguous_format)
    generator = torch.Generator().manual_seed(3)
    latent = {"latent": torch.randn(2, tokens, codec.channels, generator=generator)}
    height, width = (codec.height, codec.width) if isinstance(codec, PatchCodec) else (HEIGHT, WIDTH)
    frame = {"frame": torch.rand(2, height, width, 3, generator=generator)}
    decoder, encoder = codec_graphs(codec)
    export_graph(decoder, latent, "frame", out / "decoder.onnx", half)
    export_graph(encoder, frame, "latent", out / "encoder.onnx", half)
    return parity(decoder, latent, out / "decoder.onnx"), parity(encoder, frame, out / "encoder.onnx")


def export_prompt_classifier(classifier: PromptClassifier, out: Path, half: bool) -> float:
    """phrases [n,384], the embeddings of one prompt's phrases -> its labels [1,LABEL_CHOICES]. The file and its
    output are called as in the manifest."""
    graph = round_weights(classifier) if half else copy.deepcopy(classifier).eval()
    generator = torch.Generator().manual_seed(4)
    draw = lambda n: {"phrases": F.normalize(torch.randn(n, classifier.config.dim, generator=generator), dim=1)}  # noqa: E731
    export_graph(graph, draw(2), "reading", out / "reader.onnx", half)
    return largest(parity(graph, draw(n), out / "reader.onnx") for n in (1, 3, 40))


def self_test(
    out: Path,
    shape,
    noise_used: list[tuple[int, int]],
    history: np.ndarray,
    past: np.ndarray,
    prompt: np.ndarray,
    seed: int,
    world: WorldSpec = DRIVE,
) -> dict:
    """Numbers of tick 1 from a start, with no key held, and pixels of its frame: what a runtime must reproduce. Those
    numbers that the tick changed most, as most of a picture hardly changes. shape: `offsets`, `tokens`, `channels` and
    `half_state` of the latent."""
    noise = tick_noise(np.array([seed]), 1, shape.tokens, shape.channels, noise_used)
    feeds = {
        "history": history[[offset - 1 for offset in shape.offsets]][None].astype(np.float32),
        "actions": np.concatenate([world.idle[None], past])[None].astype(np.float32),
        "prompt": prompt[None].astype(np.float32),
        "noise": noise,
    }
    latent = onnx_session(out / "student.onnx").run(None, graph_inputs(feeds))[0]
    if shape.half_state:
        latent = latent.astype(np.float16).astype(np.float32)
    moved = np.abs(latent - feeds["history"][:, 0]).ravel()
    index = np.sort(np.argsort(-moved, kind="stable")[:SAMPLE])
    sample = [round(float(value), 6) for value in latent.ravel()[index]]
    # Two backends may round to neighbouring halves.
    tolerance = 1e-2 if shape.half_state else 1e-3
    frame = onnx_session(out / "decoder.onnx").run(None, {"latent": latent})[0][0]
    numbers = {"seed": seed, "latentSample": sample, "latentIndex": index.tolist(), "tolerance": tolerance}
    return numbers | {"frame": frame_sample(frame)}


def no_words(texts: list[str]) -> np.ndarray:
    """What a world without words is told of any: nothing, [n,0]."""
    return np.zeros((len(texts), 0), np.float32)


def begins_from_words(student: Student | FlowStudent) -> bool:
    """Whether it draws a first frame where its history is blank."""
    return isinstance(student.dit, UNet) and student.dit.config.readings > 0


def export_starts(
    latents: Latents,
    student: Student | FlowStudent,
    embed_prompt,
    count: int,
    out: Path,
    outcome: Outcome | None = None,
) -> tuple[list, list, dict]:
    """starts.safetensors, and the `starts` and `presets` of the manifest, and start 0 for the self-test. `embed_prompt`
    makes their conditioning."""
    world = latents.world
    rows = choose_starts(latents, count) if world.labels else choose_moments(latents, count)
    captions = [latents.captions[latents.prompts[row]] for row in rows]
    presets = PRESETS if world.labels else list(dict.fromkeys(caption["text"] for caption in captions))[:MOST_PRESETS]
    texts = list(dict.fromkeys([*presets, *(caption["text"] for caption in captions)]))
    embeddings = embed_prompt(texts)
    span = rows[:, None] - np.arange(max(student.dit.config.offsets))
    history = np.array(latents.latents[span], np.float16)
    if outcome is not None:
        # The oldest may be of the tick before its episode, which nobody is fed.
        brought = outcome.token(latents.rewards[span - 1], latents.dones[span - 1])
        history = np.concatenate([history, brought.astype(np.float16)], 2)
    past = latents.actions[rows[:, None] - 1 - np.arange(student.dit.config.actions - 1)].astype(np.float16)
    tensors = {"latents": history, "actions": past}
    if world.prompt:
        tensors["promptEmbeddings"] = embeddings.astype(np.float32)
    if begins_from_words(student):
        shape = student.dit.config
        tokens, before = choose_beginnings(latents, BEGINNINGS, shape.channels, shape.actions - 1)
        tensors |= {"beginnings": tokens.astype(np.float16), "beginningActions": before.astype(np.float16)}
    write_tensors(out / "starts.safetensors", {name: torch.from_numpy(value) for name, value in tensors.items()})
    write_picture(latents.frames[rows[0]], out / "picture.png")
    first = {"history": history[0], "past": past[0], "prompt": embeddings[0]}
    if not world.prompt:
        return [{"id": f"moment-{index + 1}", "index": index} for index in range(len(rows))], [], first
    starts, seen = [], set()
    for index, caption in enumerate(captions):
        name = start_id(caption, seen) if world.labels else f"moment-{index + 1}"
        row = texts.index(caption["text"])
        starts.append({"id": name, "caption": caption["text"], "index": index, "embedding": row})
    presets = [{"id": text.replace(" ", "-"), "text": text, "embedding": i} for i, text in enumerate(presets)]
    return starts, presets, first


def read_in(student: Student | FlowStudent, outcome: Outcome | None, world: WorldSpec) -> dict:
    """What a manifest says of the readings in a latent, and of what there is to do."""
    if outcome is not None:
        return {"telemetry": outcome.manifest(), "task": "outcome"}
    telemetry = {"telemetry": telemetry_manifest()} if student.dit.config.tokens > student.dit.config.grid else {}
    return telemetry | ({"task": "drive"} if world.is_drive else {})


def write_picture(frame: np.ndarray, path: Path) -> None:
    """A recorded frame uint8 [H,W,3], by which a person knows the world."""
    with replacing(path) as temporary:
        Image.fromarray(frame).save(temporary, "PNG", optimize=True)


def evaluations(student: Student | FlowStudent, graph: nn.Module) -> dict:
    """Function evaluations of a tick, and its cost without decoder in floating-point operations. `nfe` counts the calls
    of blocks over how many there are, `nfeByFlops` operations over those of one call of the whole network."""
    inputs = example_inputs(student, 1)
    conditions = Conditions(inputs["history"], torch.zeros(1), inputs["actions"], inputs["prompt"])
    conditions = student.dit.predict_telemetry(inputs["noise"][:, 0], conditions)
    with BlockCounter(student.dit) as counter, torch.no_grad():
        student(inputs["noise"], conditions)
    flops = count_flops(lambda: graph(*graph_inputs(inputs).values()))
    whole = count_flops(lambda: student.dit(inputs["noise"][:, 0], torch.ones(1), conditions))
    return {"nfe": counter.nfe, "nfeByFlops": round(flops / whole, 4), "blocks": counter.blocks, "flops": flops}


def run(config: Config) -> None:
    setup(config)
    student, codec = load_student(config.student), load_codec(config.codec)
    latents = Latents(config.data, config.split)
    shape = student.dit.config
    if (codec.tokens, codec.channels) != (shape.grid, shape.channels):
        raise UserError(
            f"the codec makes {codec.tokens}x{codec.channels} latents, the student was trained on "
            f"{shape.grid}x{shape.channels}; name the codec that it was trained with"
        )
    if config.outcome and shape.tokens > shape.grid:
        raise UserError("this student has instruments, which say reward and end already; leave outcome= out")
    destination = Path(config.out)
    destination.parent.mkdir(parents=True, exist_ok=True)
    # Beside the world that is there, and over it only when all of it is right.
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".export-") as folder:
        summary = write_world(config, student, codec, latents, Path(folder))
        destination.mkdir(exist_ok=True)
        names = sorted(os.listdir(folder), key=lambda name: name == "world.json")
        for name in names:
            os.replace(Path(folder) / name, destination / name)
    print(f"[export] {destination}: {summary}")


def write_world(
    config: Config, student: Student | FlowStudent, codec: Codec | PatchCodec, latents: Latents, out: Path
) -> str:
    """All files of the world into `out`; what to say of them. Raises UserError where a graph is not what PyTorch
    computes."""
    shape, plan, world = student.dit.config, student.config, latents.world
    outcome = load_outcome(config.outcome) if config.outcome else None
    tokens = shape.tokens + (outcome.tokens if outcome else 0)
    errors = [
        export_student(student, config.level, out, config.half_weights, config.temperature, outcome),
        *export_codec(codec, tokens, out, config.half_weights),
    ]
    graphs = ["student", "decoder", "encoder"]
    if shape.prompt_dim == LABEL_CHOICES:
        errors.append(
            export_prompt_classifier(load_prompt_classifier(config.prompt_classifier), out, config.half_weights)
        )
        graphs.append("reader")
    if not largest(errors) < PARITY:
        raise UserError(f"PyTorch and ONNX Runtime differ by {largest(errors):.2g} ({', '.join(graphs)}: {errors})")
    files = {name: describe(out / f"{name}.onnx") for name in graphs}
    embed_prompt = shipped_prompt_embedder(out, {"files": files}) if world.prompt else no_words
    starts, presets, first = export_starts(latents, student, embed_prompt, config.starts, out, outcome)
    files["starts"] = describe(out / "starts.safetensors")
    decoder_flops = count_flops(lambda: codec.decode(torch.zeros(1, shape.tokens, shape.channels)))
    calls = evaluations(student, student_graph(student, config.level))
    flops = calls.pop("flops") + decoder_flops
    if outcome is not None:
        pair = torch.zeros(2, 1, tokens, shape.channels)
        flops += count_flops(lambda: outcome(*pair))
    moved = gains(codec)
    relative_gains = [round(gain, 4) for gain in (moved / moved.mean()).tolist()]  # what a server rounds by
    latent = {"tokens": tokens, "channels": shape.channels, "gains": relative_gains}
    if shape.half_state:
        latent |= {"columns": shape.columns, "dtype": "float16"}
    whole = SimpleNamespace(offsets=shape.offsets, tokens=tokens, channels=shape.channels, half_state=shape.half_state)
    prompt = {"dim": shape.prompt_dim, "encoder": "prompt-encoder"}
    if shape.prompt_dim == LABEL_CHOICES:
        prompt["choices"] = LABELS
    manifest = {
        "format": "oneiro-world",
        "version": 1,
        "id": config.id,
        "title": config.title,
        "license": config.license,
        "frame": {"width": world.width, "height": world.height},
        "ticksPerSecond": world.ticksPerSecond,
        "latent": latent,
        **read_in(student, outcome, world),
        "history": {"offsets": list(shape.offsets)},
        "controls": world.controls,
        "actions": {"count": shape.actions, "dims": shape.action_dims}
        | ({"encoding": world.encoding} if world.encoding != "number" else {}),
        **({"prompt": prompt} if world.prompt else {}),
        "student": {
            "outerSteps": plan.outer_steps,
            "innerSteps": plan.inner_steps,
            "headBlocks": plan.head_blocks,
            "noise": [{"from": first, "count": count} for first, count in student.noise_used()],
            "width": shape.width,
            **calls,
            "gflopPerTick": round(flops / 1e9, 4),
            "parameters": count_parameters(student) + (count_parameters(outcome) if outcome else 0),
            "architecture": shape.architecture() | {f"student_{k}": v for k, v in asdict(plan).items()},
            "level": config.level,
            "temperature": config.temperature,
        },
        "files": files,
        "starts": starts,
        **({"beginnings": {"steps": BEGINNING_STEPS}} if begins_from_words(student) else {}),
        **({"presets": presets} if world.prompt else {}),
        "selfTest": self_test(out, whole, student.noise_used(), **first, seed=config.seed, world=world),
        "modelHash": hashlib.sha256((files["student"]["sha256"] + files["decoder"]["sha256"]).encode()).hexdigest(),
    }
    write_text(out / "world.json", json.dumps(manifest, indent=2) + "\n")
    sizes = ", ".join(f"{name} {entry['bytes'] / 1e6:.1f} MB" for name, entry in files.items())
    return (
        f"{sizes}; {flops / 1e9:.3f} GFLOP a tick, of which decoder {decoder_flops / 1e9:.3f}; "
        f"NFE {calls['nfe']:.3f} by calls, {calls['nfeByFlops']:.3f} by FLOPs; "
        f"largest difference to PyTorch {largest(errors):.2g}; {len(starts)} starts"
    )
