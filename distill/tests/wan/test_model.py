"""Wan's network in two parts, its student, and the published layout."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from distill.config import UserError
from distill.methods import tmd
from distill.models.dit import guided
from distill.models.student import StudentConfig
from distill.tests.wan.tiny import LATENT, SIZES, TEXT, tiny_conditions, tiny_shape, tiny_teacher, write_weights
from distill.wan.account import SIZES as PUBLISHED_SIZES
from distill.wan.account import shape_of
from distill.wan.discriminator import Conv3dDiscriminator
from distill.wan.model import Condition, WanDiT, halve, read_shape, sinusoids
from distill.wan.student import WanStudent
from distill.wan.weights import Published

TIMES = torch.tensor([0.3, 0.999], dtype=torch.float64)

# Of a published transformer: the keys of block 0, and all that are not of a block.
BLOCK = [
    "scale_shift_table",
    *(
        f"attn{n}.{part}.{kind}"
        for n in (1, 2)
        for part in ("to_q", "to_k", "to_v", "to_out.0")
        for kind in ("weight", "bias")
    ),
    *(f"attn{n}.{part}.weight" for n in (1, 2) for part in ("norm_q", "norm_k")),
    *(f"ffn.net.{part}.{kind}" for part in ("0.proj", "2") for kind in ("weight", "bias")),
    "norm2.weight",
    "norm2.bias",
]
EDGES = [
    "scale_shift_table",
    *(
        f"{part}.{kind}"
        for part in (
            "patch_embedding",
            "proj_out",
            "condition_embedder.time_embedder.linear_1",
            "condition_embedder.time_embedder.linear_2",
            "condition_embedder.time_proj",
            "condition_embedder.text_embedder.linear_1",
            "condition_embedder.text_embedder.linear_2",
        )
        for kind in ("weight", "bias")
    ),
]


def latents(seed: int = 1) -> torch.Tensor:
    return torch.randn(2, 16, *LATENT, generator=torch.Generator().manual_seed(seed))


def student_of(teacher: WanDiT, **changes) -> WanStudent:
    torch.manual_seed(7)
    return WanStudent(teacher, StudentConfig(**{"head_blocks": 2} | changes))


@torch.no_grad()
def test_it_computes_what_diffusers_does():
    teacher, x, told = tiny_teacher(), latents(), tiny_conditions(2)
    ours = teacher.to_latent(teacher(teacher.to_tokens(x), TIMES, told))
    theirs = teacher.transformer(x, 1000 * TIMES, told.text).sample
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
    assert torch.equal(teacher.to_latent(teacher.to_tokens(x)), x)


@torch.no_grad()
def test_backbone_and_head_are_the_network_at_every_depth():
    teacher, told = tiny_teacher(), tiny_conditions(2)
    x = teacher.to_tokens(latents())
    whole, condition = teacher(x, TIMES, told), Condition(teacher.time(TIMES), teacher.base(told))
    for depth in range(1, 4):
        features = teacher.backbone(x, TIMES, told, depth)
        torch.testing.assert_close(teacher.head(features, condition, depth), whole)
        assert torch.equal(teacher.features(x, TIMES, told, [0, depth - 1])[1], features)


@torch.no_grad()
def test_guidance_uses_the_negative_prompt():
    teacher, told = tiny_teacher(), tiny_conditions(2)
    x = teacher.to_tokens(latents())
    with_, without = teacher(x, TIMES, told), teacher(x, TIMES, told.without_prompt())
    torch.testing.assert_close(guided(teacher, x, TIMES, told, 5.0), without + 5 * (with_ - without))
    told.text[:] = told.negative
    torch.testing.assert_close(teacher(x, TIMES, told), without)


@torch.no_grad()
def test_a_student_starts_as_its_teacher():
    """Exact where the gate is shut, s = t and r = s."""
    teacher, told = tiny_teacher(), tiny_conditions(2)
    x = teacher.to_tokens(latents())
    for fusion in ("gated", "concat"):
        student = student_of(teacher, fusion=fusion).eval()
        if fusion == "gated":
            student.fusion.gate.fill_(-40.0)
        else:
            student.fusion.linear.weight[:, 24:] = 0
        base = student.base(told)
        head = student.head(torch.randn_like(x), TIMES, TIMES, student.backbone(x, TIMES, told), base)
        torch.testing.assert_close(head, teacher(x, TIMES, told))


def test_every_part_of_a_student_learns():
    """Also the embedding of s-r, whose last layer alone starts at zero."""
    student, told = student_of(tiny_teacher(), inner_steps=2), tiny_conditions(2)
    y1, x = student.dit.to_tokens(latents(2)), student.dit.to_tokens(latents())
    rate = torch.optim.SGD(student.parameters(), 0.1)
    for _ in range(2):
        rate.zero_grad()
        student.transition(x, TIMES, TIMES, y1, told).square().mean().backward()
        rate.step()
    still = [name for name, p in student.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []


@torch.no_grad()
def test_the_inner_flow_telescopes():
    student, told = student_of(tiny_teacher(), inner_steps=3), tiny_conditions(2)
    x, y1 = student.dit.to_tokens(latents()), student.dit.to_tokens(latents(2))
    base, features = student.base(told), student.backbone(x, TIMES, told)
    grid, heads, y = student.inner_grid, [], y1
    for s, r in zip(grid[:0:-1], grid[-2::-1], strict=True):
        heads.append(student.head(y, torch.full((2,), s).double(), torch.full((2,), r).double(), features, base))
        y = y - (s - r) * (y1 - heads[-1])
    flow = student.inner_flow(y1, features, base, x, TIMES)
    weights = [s - r for s, r in zip(grid[:0:-1], grid[-2::-1], strict=True)]
    torch.testing.assert_close(flow, (1 - grid[-1]) * y1 + sum(w * h for w, h in zip(weights, heads, strict=True)))


@torch.no_grad()
@pytest.mark.parametrize("predicts", ["difference", "data"])
def test_the_exact_derivative_is_that_of_the_finite_difference(predicts, monkeypatch):
    student, told, seen = student_of(tiny_teacher(), inner_steps=2, predicts=predicts), tiny_conditions(4), []
    student.interval.linear_2.weight.normal_(std=0.1)
    student.fusion.gate.fill_(0.5)
    monkeypatch.setattr(tmd, "adaptive", lambda u, target, *_: seen.append(target) or u.sum((1, 2)))
    x = student.dit.to_tokens(torch.cat([latents(), latents(3)]))
    for derivative, equal in (("jvp", 0.0), ("difference", 0.0), ("jvp", 1.0)):
        torch.manual_seed(1)
        config = tmd.Config(derivative=derivative, equal=equal, delta=3e-5, predicts=predicts)
        tmd.tm_mf_loss(student, x, told, config)
    exact, near, without = seen
    assert (exact - without).norm() > 0.01 * exact.norm()
    assert (exact - near).norm() < 0.01 * (exact - without).norm()


def test_times_are_float64_and_time_is_embedded_in_float32_under_autocast():
    teacher, told = tiny_teacher(), tiny_conditions(2)
    student = student_of(teacher)
    assert student.time_dtype is torch.float64
    angle = sinusoids(TIMES, 16)
    assert angle.dtype is torch.float64 and angle[1, 0] == torch.cos(torch.tensor(999.0, dtype=torch.float64))
    x = teacher.to_tokens(latents())
    exact = teacher(x, TIMES, told)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(teacher.time(TIMES), tiny_teacher().time(TIMES))
        assert teacher.modulation(teacher.time(TIMES)).dtype is torch.float32
        half = halve(tiny_teacher(), torch.bfloat16)
        near = half(x, TIMES, told)
    assert half.transformer.blocks[0].ffn.net[2].weight.dtype is torch.bfloat16
    assert half.transformer.condition_embedder.time_proj.weight.dtype is torch.float32
    assert near.dtype is torch.float32
    assert 0 < (near - exact).abs().mean() < 0.02 * exact.abs().mean()


def test_the_discriminator_sees_the_grid():
    shape = tiny_shape()
    judge = Conv3dDiscriminator(shape, 2, 16, 16).eval()
    features = [torch.randn(3, shape.tokens, shape.width, requires_grad=True) for _ in range(2)]
    logits = judge(features)
    assert logits.shape == (3, 2)
    logits.sum().backward()
    gradients = [f.grad.clone() for f in features]
    assert all(g.abs().amin((0, 2)).gt(0).all() for g in gradients)
    for head in judge.heads:
        head.checkpointing = True
    for f in features:
        f.grad = None
    judge(features).sum().backward()
    assert all(torch.equal(f.grad, g) for f, g in zip(features, gradients, strict=True))


# -- the published layout ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "count"), [("1.3b", 825), ("14b", 1095)])
def test_full_sizes_have_the_published_keys(size, count):
    """825 and 1095 tensors; on the meta device, so that it costs nothing."""
    with torch.device("meta"):
        network = WanDiT(shape_of(size)).transformer
    wanted = {f"blocks.{index}.{key}" for index in range(PUBLISHED_SIZES[size]["blocks"]) for key in BLOCK} | {*EDGES}
    assert network.state_dict().keys() == wanted
    assert len(wanted) == count


def test_weights_are_read_from_sharded_files(tmp_path):
    published = Published(str(write_weights(tmp_path)))
    assert len(published.files) > 1
    shape = published.shape(LATENT)
    assert shape.architecture() == tiny_shape().architecture()
    with torch.device("meta"):
        network = WanDiT(shape)
    network.to_empty(device="cpu")
    network.materialise_buffers()
    published.fill(network.transformer)
    told, x = tiny_conditions(2), latents()
    with torch.no_grad():
        ours = network.to_latent(network.eval()(network.to_tokens(x), TIMES, told))
        theirs = tiny_teacher().transformer(x, 1000 * TIMES, told.text).sample
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


def test_other_networks_are_refused(tmp_path):
    good = {"_class_name": "WanTransformer3DModel"} | SIZES
    with pytest.raises(UserError, match="is a FluxTransformer2DModel"):
        read_shape(good | {"_class_name": "FluxTransformer2DModel"}, LATENT)
    with pytest.raises(UserError, match="image_dim"):
        read_shape(good | {"image_dim": 1280}, LATENT)
    with pytest.raises(UserError, match="'num_layers'"):
        read_shape({key: value for key, value in good.items() if key != "num_layers"}, LATENT)
    with pytest.raises(UserError, match="no local folder"):
        Published(str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="lacks the folders transformer"):
        Published(str(tmp_path))


def test_files_that_do_not_fit_are_refused(tmp_path):
    folder = write_weights(tmp_path, shard="1GB") / "transformer"
    file = folder / "diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    network = WanDiT(tiny_shape()).transformer
    before = network.proj_out.bias.clone()

    def refusal(changed: dict) -> str:
        save_file(changed, file)
        with pytest.raises(UserError) as told:
            Published(str(tmp_path)).fill(network)
        assert torch.equal(network.proj_out.bias, before)
        return str(told.value)

    assert "proj_out.bias is missing" in refusal({k: v for k, v in tensors.items() if k != "proj_out.bias"})
    wide = tensors | {"blocks.0.norm2.weight": torch.zeros(2 * TEXT + 1)}
    assert "blocks.0.norm2.weight is [25] there and [24] here" in refusal(wide)
    assert "head.weight is not known" in refusal(tensors | {"head.weight": torch.zeros(1)})
    assert "-Diffusers repository" in refusal({"blocks.0.self_attn.q.weight": torch.zeros(1)})
    file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(UserError, match="not readable"):
        Published(str(tmp_path)).fill(network)
    (folder / "config.json").write_text(json.dumps({"_class_name": "WanTransformer3DModel"})[:-3])
    with pytest.raises(UserError, match="config.json is not readable"):
        Published(str(tmp_path))
