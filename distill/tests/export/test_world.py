"""What ships: graphs equal to PyTorch and to the sampler, files that the manifest describes, varied starts."""

import base64
import hashlib
import json
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from distill.data.packed import Latents
from distill.data.starts import choose_starts, start_id
from distill.evaluation.worlds import OnnxSampler, counted_nfe
from distill.export import world as export
from distill.export.frame_sample import frame_sample
from distill.models.codec import Codec
from distill.models.dit import Conditions
from distill.models.patch_codec import PatchCodec
from distill.models.prompt_classifier import LABEL_CHOICES, PromptClassifier, PromptClassifierConfig
from distill.models.sampler import Rollout, StudentSampler
from distill.models.student import BlockCounter
from distill.runtime import onnx_session
from distill.tests.tiny import CHANNELS, TOKENS, tiny_flow_student, tiny_student, write_world
from distill.world import TELEMETRY, telemetry_token

ON_CPU_ONLY = {
    "Round",
    "SpaceToDepth",
    "RandomNormalLike",
    "RandomNormal",
    "Attention",
    "GroupNormalization",
    "If",
    "Loop",
}


def wide_student(**changes):
    student = tiny_student(**changes)
    with torch.no_grad():
        student.interval.out.weight.normal_(std=0.05)
    return student.eval()


@pytest.mark.parametrize(("outer", "inner", "predicts"), [(1, 2, "difference"), (2, 3, "difference"), (2, 2, "data")])
def test_the_graph_is_the_student_for_any_batch(tmp_path, outer, inner, predicts):
    student = wide_student(outer_steps=outer, inner_steps=inner, predicts=predicts)
    student.dit.bound.fill_(1.5)
    assert export.export_student(student, 0.1, tmp_path, half=False, temperature=1.3) < 1e-5
    inputs = export.example_inputs(student, 5, seed=9)
    level = torch.full((5,), 0.1)
    with torch.no_grad():
        expected = student.next_latent(
            1.3 * inputs["noise"], Conditions(inputs["history"], level, inputs["actions"], inputs["prompt"])
        )
    feeds = {name: value.numpy() for name, value in inputs.items()}
    got = onnx_session(tmp_path / "student.onnx").run(["latent"], feeds)[0]
    np.testing.assert_allclose(got, expected, atol=2e-5)
    at_bound = np.isclose(np.abs(got), 1.5)
    assert np.abs(got).max() == pytest.approx(1.5) and 0 < at_bound.mean() < 0.5


def test_half_weights_shrink_the_file_and_keep_parity(tmp_path):
    student = wide_student()
    export.export_student(student, 0.1, tmp_path, half=False)
    whole = (tmp_path / "student.onnx").stat().st_size
    assert export.export_student(student, 0.1, tmp_path, half=True) < 1e-5
    assert (tmp_path / "student.onnx").stat().st_size < 0.8 * whole


@pytest.mark.parametrize(("outer", "inner", "head"), [(1, 1, 2), (1, 2, 1), (2, 2, 1)])
def test_the_graph_of_a_flow_student_is_the_student_for_any_batch(tmp_path, outer, inner, head):
    student = tiny_flow_student(outer_steps=outer, inner_steps=inner, head_blocks=head)
    assert export.export_student(student, 0.1, tmp_path, half=False, temperature=1.3) < 1e-5
    inputs = export.example_inputs(student, 5, seed=9)
    told = Conditions(inputs["history"], torch.full((5,), 0.1), inputs["actions"], inputs["prompt"])
    with torch.no_grad():
        told = student.dit.begun(told, 1.3 * inputs["noise"][:, 0])
        told.level = torch.where(told.first, 0.0, told.level)
        expected = student.next_latent(1.3 * inputs["noise"], told)
    assert told.first.tolist() == [False, True, False, False, False]
    feeds = {name: value.numpy() for name, value in inputs.items()}
    got = onnx_session(tmp_path / "student.onnx").run(["latent"], feeds)[0]
    np.testing.assert_allclose(got, expected, atol=2e-5)
    picture = got[:, : student.dit.config.grid]
    assert np.abs(picture).max() == pytest.approx(1.5)  # the bound, which some numbers reach
    # Noise that is not used moves nothing, and what is used moves something.
    graph = onnx_session(tmp_path / "student.onnx")
    for stream, (first, count) in enumerate(student.noise_used()):
        used = np.zeros(feeds["noise"][0, 0].size, bool)
        used[first : first + count] = True
        for moved in (used, ~used):
            noise = feeds["noise"].copy().reshape(5, 1 + outer, -1)
            noise[:, stream, moved] += 1
            again = graph.run(["latent"], feeds | {"noise": noise.reshape(feeds["noise"].shape)})[0]
            assert np.array_equal(again, got) == (not moved.any() or moved is not used)


@pytest.mark.parametrize("make", [lambda: wide_student(), lambda: tiny_flow_student(inner_steps=2)])
def test_no_operator_leaves_the_gpu_and_only_the_batch_is_free(tmp_path, make):
    student = make()
    export.export_student(student, 0.1, tmp_path, half=True)
    model = onnx.load(tmp_path / "student.onnx")
    assert not {node.op_type for node in model.graph.node} & ON_CPU_ONLY
    assert not {node.op_type for node in model.graph.node} & {"Shape", "Range", "NonZero", "Expand", "Sin"}
    for value in (*model.graph.input, *model.graph.output):
        first, *rest = value.type.tensor_type.shape.dim
        assert first.dim_param == "batch" and all(dimension.dim_value for dimension in rest)
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert [value.name for value in model.graph.input] == ["history", "actions", "prompt", "noise"]


def test_the_codec_graphs(tmp_path):
    torch.manual_seed(0)
    codec = Codec(4, [8, 8, 8], [1, 1, 1]).eval()
    decoder, encoder = export.export_codec(codec, 61, tmp_path, half=True)
    assert decoder < 1e-4 and encoder < 1e-3
    frame = onnx_session(tmp_path / "decoder.onnx").run(["frame"], {"latent": np.zeros((1, 61, 4), np.float32)})[0]
    assert frame.shape == (1, 96, 160, 4) and (frame[..., 3] == 1).all() and frame.min() >= 0 and frame.max() <= 1
    model = onnx.load(tmp_path / "decoder.onnx")
    assert not {node.op_type for node in model.graph.node} & ON_CPU_ONLY


@pytest.mark.parametrize("detail", [0, 6])
def test_the_patch_codec_graphs_are_the_codec(tmp_path, detail):
    torch.manual_seed(0)
    codec = PatchCodec(5, 4, detail=detail).eval()
    if detail:
        torch.nn.init.normal_(codec.decoder.detail[-1].weight, std=0.1)
        torch.nn.init.normal_(codec.decoder.detail[-1].bias, std=0.1)
    assert max(export.export_codec(codec, 964, tmp_path, half=False)) < 1e-5
    frame, latent = torch.rand(2, 3, 96, 160), torch.randn(2, 964, 5)
    with torch.no_grad():
        encoded, decoded = codec.encode(frame), codec.decode(latent)
    feeds = {"frame": frame.permute(0, 2, 3, 1).contiguous().numpy()}
    got = onnx_session(tmp_path / "encoder.onnx").run(["latent"], feeds)[0]
    np.testing.assert_allclose(got, encoded, atol=1e-5)
    got = onnx_session(tmp_path / "decoder.onnx").run(["frame"], {"latent": latent.numpy()})[0]
    np.testing.assert_allclose(got[..., :3], decoded.permute(0, 2, 3, 1), atol=1e-5)
    assert (got[..., 3] == 1).all()
    # A captured graph on WebGPU loses a Reshape at its end.
    assert onnx.load(tmp_path / "decoder.onnx").graph.node[-1].op_type != "Reshape"


def test_the_instruments_weights_stay_whole():
    student = tiny_flow_student()
    rounded = export.round_weights(student)
    assert torch.equal(rounded.dit.instruments.layers[0].weight, student.dit.instruments.layers[0].weight)
    assert not torch.equal(rounded.dit.coarse[0].up.weight, student.dit.coarse[0].up.weight)


def test_a_roll_out_is_the_same_in_both_and_its_state_is_half(tmp_path):
    student = tiny_flow_student(inner_steps=2)
    shape = student.dit.config
    export.export_student(student, 0.1, tmp_path, half=False)
    manifest = {
        "files": {"student": {"path": "student.onnx"}},
        "history": {"offsets": shape.offsets},
        "latent": {"tokens": shape.tokens, "channels": shape.channels, "dtype": "float16"},
        "student": {
            "outerSteps": 1,
            "noise": [{"from": first, "count": count} for first, count in student.noise_used()],
        },
    }
    shipped = OnnxSampler(tmp_path, manifest)
    here, there = Rollout(StudentSampler(student), shape, 0.1), Rollout(shipped, shipped.config)
    inputs = export.example_inputs(student, 3)
    ring = np.random.default_rng(0).standard_normal((3, 4, shape.tokens, shape.channels)).astype(np.float32)
    ring.reshape(3, 4, -1)[..., shape.grid * shape.channels + 18 :] = 0
    for rollout in (here, there):
        rollout.reset(ring, inputs["actions"][:, 1:].numpy(), inputs["prompt"].numpy(), [1, 2, 2**40])
    for _ in range(3):
        action = np.array([[0, 1], [-1, 0], [1, 1]])
        ours, theirs = here.step(action).numpy(), np.float32(there.step(action))
        assert np.array_equal(ours, ours.astype(np.float16).astype(np.float32))
        np.testing.assert_allclose(ours, theirs, atol=3e-3)  # a half or two apart


def test_nfe_is_counted_by_calls_and_by_operations_and_in_the_graph(tmp_path):
    student = tiny_flow_student(inner_steps=2, head_blocks=1)
    metrics = export.evaluations(student, export.student_graph(student, 0.1))
    with BlockCounter(student.dit) as counter, torch.no_grad():
        inputs = export.example_inputs(student, 1)
        told = Conditions(inputs["history"], torch.ones(1), inputs["actions"], inputs["prompt"])
        student.next_latent(inputs["noise"], told)
    assert metrics["blocks"] == 6 and metrics["nfe"] == counter.nfe == pytest.approx(7 / 6)
    assert 1 < metrics["nfeByFlops"] < 2 and metrics["flops"] > 0
    export.export_student(student, 0.1, tmp_path, half=True)
    architecture = student.dit.config.architecture()
    told = {"outerSteps": 1, "innerSteps": 2, "blocks": metrics["blocks"], "architecture": architecture}
    world = SimpleNamespace(manifest={"student": told}, student_path=tmp_path / "student.onnx")
    assert counted_nfe(world) == metrics["nfe"]


def test_what_differs_from_pytorch_is_refused_and_the_world_that_is_there_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "load_student", lambda _: wide_student())
    monkeypatch.setattr(export, "load_codec", lambda _: FakeCodec())
    monkeypatch.setattr(export, "export_codec", lambda *_: (0.0, 0.0))
    world, out = write_world(tmp_path / "world"), tmp_path / "assets"
    out.mkdir()
    (out / "student.onnx").write_bytes(b"before")
    for wrong in (0.1, float("nan")):
        monkeypatch.setattr(export, "parity", lambda *_: wrong)  # noqa: B023
        with pytest.raises(export.UserError, match="PyTorch and ONNX Runtime differ"):
            export.run(export.Config(data=str(world), out=str(out)))
    assert (out / "student.onnx").read_bytes() == b"before" and len(list(out.iterdir())) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["assets", "world"]  # nothing half made is left


def test_the_prompt_classifier_takes_any_number_of_phrases(tmp_path):
    torch.manual_seed(0)
    classifier = PromptClassifier(PromptClassifierConfig(dim=16, hidden=32, members=2))
    assert export.export_prompt_classifier(classifier, tmp_path, half=True) < 1e-4
    model = onnx.load(tmp_path / "reader.onnx")
    assert [value.name for value in model.graph.input] == ["phrases"]
    assert model.graph.output[0].name == "reading"
    assert [d.dim_value for d in model.graph.output[0].type.tensor_type.shape.dim] == [1, LABEL_CHOICES]


def test_starts_are_settled_and_cover_what_was_recorded(tmp_path):
    latents = Latents(write_world(tmp_path / "world"), "heldout")
    latents.captions[1] = latents.captions[1] | {"biome": "snow", "time": "night"}
    rows = choose_starts(latents, 5)
    assert len(rows) == 2  # two combinations exist
    assert {latents.captions[latents.prompts[row]]["biome"] for row in rows} == {"meadow", "snow"}
    assert latents.captions[latents.prompts[rows[0]]]["biome"] == "meadow"
    assert (latents.age[rows] >= 15).all() and (latents.since[rows] > 25).all()
    taken = set()
    assert [start_id(latents.captions[0], taken) for _ in range(2)] == ["meadow-noon-clear", "meadow-noon-clear-2"]


def test_the_manifest_describes_the_files_and_the_self_test_is_reproducible(tmp_path, monkeypatch):
    student = wide_student()
    monkeypatch.setattr(export, "load_student", lambda _: student)
    monkeypatch.setattr(export, "load_codec", lambda _: FakeCodec())
    monkeypatch.setattr(export, "export_codec", lambda codec, tokens, out, half: [
        (out / f"{name}.onnx").write_bytes(small_decoder()) and 0.0 for name in ("decoder", "encoder")])  # fmt: skip
    words = lambda texts: np.eye(len(texts), 5, dtype=np.float32) + 0.1  # noqa: E731
    monkeypatch.setattr(export, "shipped_prompt_embedder", lambda *_: words)
    world = write_world(tmp_path / "world")
    out = tmp_path / "assets"
    export.run(export.Config(data=str(world), out=str(out)))
    manifest = json.loads((out / "world.json").read_text())
    for entry in manifest["files"].values():
        data = (out / entry["path"]).read_bytes()
        assert entry["bytes"] == len(data) and entry["sha256"] == hashlib.sha256(data).hexdigest()
    joined = manifest["files"]["student"]["sha256"] + manifest["files"]["decoder"]["sha256"]
    assert manifest["modelHash"] == hashlib.sha256(joined.encode()).hexdigest()
    assert manifest["student"]["nfe"] == 1 + 2 / 4 and manifest["student"]["gflopPerTick"] > 0
    gains = manifest["latent"].pop("gains")
    assert manifest["latent"] == {"tokens": TOKENS, "channels": CHANNELS}
    values = np.array([9.0, -0.5, 1, 0.1, 1, 0.01, 0.5, 0.001, 0.002, *[0.0] * (len(TELEMETRY) - 9)], np.float32)
    token = telemetry_token(values, 16).reshape(-1)
    read = {item["name"]: item["centre"] + item["spread"] * token[i] for i, item in enumerate(manifest["telemetry"])}
    assert read["speed"] == pytest.approx(9) and read["bendNear"] == pytest.approx(0.002)
    assert gains == [0.4, 0.8, 1.2, 1.6]  # of mean 1
    starts, presets, first = export.export_starts(Latents(world, "heldout"), student, words, 15, out)
    assert starts == manifest["starts"] and presets == manifest["presets"]
    tested = lambda: export.self_test(  # noqa: E731
        out, student.dit.config, student.noise_used(), **first, seed=manifest["selfTest"]["seed"]
    )
    again = tested()
    assert again == manifest["selfTest"] and np.std(again["latentSample"]) > 0
    start = first["history"][0].astype(np.float32).ravel()[again["latentIndex"]]
    changes = np.abs(np.array(again["latentSample"]) - start)
    assert changes.min() > 0.1  # those that the tick changed most
    pixels = lambda test: np.frombuffer(base64.b64decode(test["frame"]["pixels"]), np.uint8).astype(int)  # noqa: E731
    (out / "decoder.onnx").write_bytes(small_decoder(garbled=True))
    garbled = export.self_test(
        out, student.dit.config, student.noise_used(), **first, seed=manifest["selfTest"]["seed"]
    )
    assert garbled["latentSample"] == again["latentSample"]
    assert np.abs(pixels(garbled) - pixels(again)).mean() > again["frame"]["tolerance"]


def small_decoder(garbled: bool = False) -> bytes:
    """latent -> frame [B,TOKENS,8,4]; the garbled one does not put the pixels in their places."""
    weight = np.random.default_rng(5).standard_normal((CHANNELS, 32)).astype(np.float32)
    shape = [-1, 8, TOKENS, 4] if garbled else [-1, TOKENS, 8, 4]
    turn = [helper.make_node("Transpose", ["pixels"], ["frame"], perm=[0, 2, 1, 3])] if garbled else []
    nodes = [
        helper.make_node("MatMul", ["latent", "weight"], ["drawn"]),
        helper.make_node("Sigmoid", ["drawn"], ["bright"]),
        helper.make_node("Reshape", ["bright", "shape"], ["pixels" if garbled else "frame"]),
        *turn,
    ]
    weights = [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(np.array(shape), "shape")]
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)  # noqa: E731
    ends = [value("latent", ["B", TOKENS, CHANNELS])], [value("frame", ["B", TOKENS, 8, 4])]
    graph = helper.make_graph(nodes, "decoder", *ends, weights)
    opset = [helper.make_opsetid("", 20)]
    return helper.make_model(graph, opset_imports=opset, ir_version=10).SerializeToString()


def test_a_frame_is_sampled_all_over():
    y, x = np.mgrid[0:96, 0:160]
    frame = np.stack([x / 255, y / 255, np.full_like(x, 2.0), np.ones_like(x)], -1)
    found = np.frombuffer(base64.b64decode(frame_sample(frame)["pixels"]), np.uint8).reshape(-1, 3)
    assert len(found) == 251 and found[0].tolist() == [30, 0, 255] and found[-1].tolist() == [129, 95, 255]
    assert {tuple(place) for place in found[:, :2] % 4} == {(a, b) for a in range(4) for b in range(4)}
    assert len(frame_sample(frame[:2, :3])["pixels"]) == 2 * 3 * 4


class FakeCodec:
    tokens, channels = TOKENS - 1, CHANNELS

    def __init__(self):
        self.decoder = SimpleNamespace(linear=torch.nn.Conv2d(CHANNELS, 7, 1))
        with torch.no_grad():
            self.decoder.linear.weight.copy_(torch.arange(1.0, CHANNELS + 1).reshape(1, -1, 1, 1))

    def decode(self, latent):
        return latent @ torch.ones(CHANNELS, 2000)
