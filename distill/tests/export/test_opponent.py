"""The teacher's single step beside a world: weights as whole numbers, a graph that is PyTorch's, files in common."""

import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from distill.export import opponent, whole_numbers
from distill.export.world import example_inputs
from distill.models.dit import Conditions
from distill.models.one_step_student import OneStepStudent
from distill.models.student import StudentConfig
from distill.runtime import onnx_session
from distill.tests.tiny_unet import tiny_unet

DRIVE = Path(__file__).parents[3] / "assets/drive"


def one_step() -> OneStepStudent:
    return OneStepStudent(tiny_unet(), StudentConfig(inner_steps=1, head_blocks=0, top=1.0)).eval()


def test_weights_are_whole_numbers_that_are_found_again_along_any_axis():
    torch.manual_seed(0)
    weight = torch.randn(12, 40) * torch.rand(12, 1)
    weight[3] = 0
    values = whole_numbers.rounded(weight)
    off = (values - weight).abs().amax(1) / weight.abs().amax(1).clamp(min=1e-9)
    assert off.max() < 0.6 / 127
    for seen in (values, values.T, values.reshape(12, 8, 5).permute(1, 2, 0)):
        whole, scale = whole_numbers.whole_numbers_in(seen.numpy())
        assert whole.dtype == np.int8 and scale.size == 12
        np.testing.assert_array_equal(whole.astype(np.float32) * scale, seen.numpy())
    assert whole_numbers.whole_numbers_in(weight.numpy()) is None


def test_a_graph_stores_them_as_int8_and_computes_the_same():
    values = whole_numbers.rounded(torch.randn(30, 20)).numpy()
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    tensor = lambda name, *shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)  # noqa: E731
    graph = helper.make_graph(
        [node], "g", [tensor("x", 1, 30)], [tensor("y", 1, 20)], [numpy_helper.from_array(values, "w")]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    before, x = model.SerializeToString(), np.random.default_rng(0).normal(size=(1, 30)).astype(np.float32)
    whole_numbers.whole_number_initializers(model)
    onnx.checker.check_model(model)
    after = model.SerializeToString()
    assert len(after) < 0.5 * len(before)
    expected, got = (onnx_session(graph).run(None, {"x": x})[0] for graph in (before, after))
    np.testing.assert_array_equal(got, expected)


def test_the_graph_is_the_step_of_the_teacher_with_rounded_weights(tmp_path):
    student = one_step()
    assert opponent.export_opponent(student, 0.1, tmp_path, temperature=1.3) < 1e-4
    student.dit = whole_numbers.round_to_whole_numbers(student.dit)
    inputs = example_inputs(student, 5, seed=9)
    told = Conditions(inputs["history"], torch.full((5,), 0.1), inputs["actions"], inputs["prompt"])
    with torch.no_grad():
        told = student.dit.begun(told, 1.3 * inputs["noise"][:, 0])
        told.level = torch.where(told.first, 0.0, told.level)
        expected = student.next_latent(1.3 * inputs["noise"], told)
    assert told.first.tolist() == [False, True, False, False, False]
    feeds = {name: value.numpy() for name, value in inputs.items()}
    got = onnx_session(tmp_path / "student.onnx").run(["latent"], feeds)[0]
    np.testing.assert_allclose(got, expected, atol=5e-5)
    kinds = [tensor.data_type for tensor in onnx.load(tmp_path / "student.onnx").graph.initializer]
    assert kinds.count(TensorProto.INT8) > 20


def test_what_ships_is_of_the_world_that_ships():
    world, manifest = (json.loads((DRIVE / f"{name}.json").read_text()) for name in ("world", "teacher"))
    for name, file in world["files"].items():
        if name != "student":
            assert manifest["files"][name] == file, "run python -m distill export-opponent"
    assert manifest["starts"] == world["starts"] and manifest["presets"] == world["presets"]
