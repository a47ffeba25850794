"""What ships, as modules to export: from history to the next latent, from a latent to its picture and back.

- Batch is the one free dimension. Noise is an input, times and level are constants, the M outer and N inner steps are
  unrolled, `delta_std`, the bounds and the noise's temperature are inside.
- Only operators that ONNX Runtime has on WebGPU, no integer arithmetic, and no shape that depends on the batch.
"""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.models.codec import Codec
from distill.models.dit import Conditions
from distill.models.flow_student import FlowStudent
from distill.models.outcome import Outcome
from distill.models.patch_codec import PatchCodec
from distill.models.student import Student, descent
from distill.models.unet import UNet


class Within(nn.Module):
    """A latent [B,n,C] with no number beyond `bound` [n,C]; by a Clip with numbers for limits, as every backend has."""

    def __init__(self, bound: Tensor):
        super().__init__()
        self.bounded = bool(bound.isfinite().all())
        self.register_buffer("bound", bound.clone())

    def forward(self, latent: Tensor) -> Tensor:
        return self.bound * (latent / self.bound).clamp(-1, 1) if self.bounded else latent


class Unrolled(nn.Module):
    """What both students' graphs hold: the level, all times and the bounds, as constants."""

    def __init__(self, student: Student, level: float, temperature: float, bounded: int):
        """The first `bounded` tokens are drawn by the student, and bounded."""
        super().__init__()
        self.student, self.temperature = student, temperature
        dit, one = student.dit, torch.ones(1)
        self.within = Within(dit.bound[:bounded])
        self.outer, self.inner = descent(student.outer_grid), descent(student.inner_grid)
        with torch.no_grad():
            self.register_buffer("level", dit.level(level * one))
            self.register_buffer("scale", dit.scale(level * one)[:, :bounded])
            self.register_buffer("times", torch.stack([dit.time(t * one) for t, _ in self.outer]))
            heads = [dit.time(s * one) + student.interval((s - r) * one) for s, r in self.inner]
            self.register_buffer("head_times", torch.stack(heads))


class StudentGraph(Unrolled):
    """history [B,K,T,C], actions [B,A,2], prompt [B,P], noise [B,1+M,T,C] -> latent [B,T,C]; all times are buffers."""

    def __init__(self, student: Student, level: float, temperature: float = 1.0):
        super().__init__(student, level, temperature, student.dit.config.tokens)

    def forward(self, history: Tensor, actions: Tensor, prompt: Tensor, noise: Tensor) -> Tensor:
        student, dit = self.student, self.student.dit
        config = dit.config
        tokens, channels = config.tokens, config.channels
        newest = history[:, :1].reshape(-1, tokens, channels)
        noise = self.temperature * noise
        noises = [part.reshape(-1, tokens, channels) for part in noise.split(1, 1)]
        base = (
            dit.action(actions.reshape(-1, config.actions * config.action_dims)) + dit.embed_prompt(prompt) + self.level
        )
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
        return self.within(newest + self.scale * x)


class FlowStudentGraph(Unrolled):
    """As `StudentGraph`, of a FlowStudent. Of noise[:,0] a student at M = 1 sees the instruments' numbers alone. A
    drive may begin from a blank history (`UNet.begun`)."""

    def __init__(self, student: FlowStudent, level: float, temperature: float = 1.0):
        super().__init__(student, level, temperature, student.dit.config.grid)
        dit, one = student.dit, torch.ones(1)
        with torch.no_grad():
            # Of a change, of which a part is open, and of a first frame, of which all is: [inner steps, 2, a and b].
            spreads = torch.tensor([dit.config.spread, 1.0])
            pairs = [torch.stack(dit.precondition(s * torch.ones(2), spreads)).flatten(1).T for s, _ in self.inner]
            self.register_buffer("preconditions", torch.stack(pairs))
            self.register_buffer("first_level", dit.level(0 * one))

    def forward(self, history: Tensor, actions: Tensor, prompt: Tensor, noise: Tensor) -> Tensor:
        student, dit = self.student, self.student.dit
        grid = dit.config.grid
        noises = [self.temperature * part[:, 0] for part in noise.split(1, 1)]
        conditions = dit.begun(Conditions(history, self.level, actions, prompt), noises[0])
        first = conditions.first[:, None]
        base = dit.base(conditions, torch.where(first, self.first_level, self.level))
        x = noises[0][:, :grid]
        for index, (t, lower) in enumerate(self.outer):
            seen = None if len(self.outer) == 1 else x
            features = dit.trunk(seen, base + self.times[index], conditions, student.depth)
            y = dit.picture(noises[1 + index])
            for inner, (s, r) in enumerate(self.inner):
                condition = base + self.head_times[inner]
                fused = student.fusion(features, y, F.silu(condition))
                change, frame = self.preconditions[inner]
                a, b = torch.where(first, frame, change)[:, :, None, None, None].unbind(1)
                y = y - (s - r) * (a * y + b * dit.draw(fused, condition, student.depth))
            drawn = y.flatten(2).transpose(1, 2)
            x = drawn if len(self.outer) == 1 else x - (t - lower) / t * (x - drawn)
        newest, place = history[:, 0, :grid], first[:, :, None]
        base_frame = torch.where(place, dit.frame_mean[:grid], newest)
        picture = self.within(base_frame + torch.where(place, dit.frame_std[:grid], self.scale) * x)
        return torch.cat([picture, conditions.following], 1) if dit.config.readings else picture


class OneStepGraph(nn.Module):
    """As `FlowStudentGraph`, of a U-Net without a flow head: one Euler step of its flow from t = 1 to 0, x = x1 - v. At
    t = 1 that is what it draws, whatever the noise."""

    def __init__(self, dit: UNet, level: float, temperature: float = 1.0):
        super().__init__()
        self.dit, self.temperature, one = dit, temperature, torch.ones(1)
        self.within = Within(dit.bound[: dit.config.grid])
        with torch.no_grad():
            self.register_buffer("level", dit.level(level * one))
            self.register_buffer("first_level", dit.level(0 * one))
            self.register_buffer("scale", dit.scale(level * one)[:, : dit.config.grid])
            self.register_buffer("time", dit.time(one))

    def forward(self, history: Tensor, actions: Tensor, prompt: Tensor, noise: Tensor) -> Tensor:
        dit, grid = self.dit, self.dit.config.grid
        first_noise = self.temperature * noise.split(1, 1)[0][:, 0]
        conditions = dit.begun(Conditions(history, self.level, actions, prompt), first_noise)
        first = conditions.first[:, None]
        condition = dit.base(conditions, torch.where(first, self.first_level, self.level)) + self.time
        drawn = dit.draw(dit.trunk(first_noise[:, :grid], condition, conditions, 0), condition, 0)
        x = -drawn.flatten(2).transpose(1, 2)
        place = first[:, :, None]
        base = torch.where(place, dit.frame_mean[:grid], history[:, 0, :grid])
        picture = self.within(base + torch.where(place, dit.frame_std[:grid], self.scale) * x)
        return torch.cat([picture, conditions.following], 1) if dit.config.readings else picture


class WithOutcome(nn.Module):
    """A student's graph whose latent has more tokens at its end: what the tick brought (models/outcome.py). The student
    itself is fed none of them."""

    def __init__(self, graph: nn.Module, outcome: Outcome):
        super().__init__()
        self.inside, self.outcome, shape = graph, outcome, outcome.config
        self.grid = shape.rows * shape.columns
        self.room = outcome.tokens * shape.channels - len(shape.reads)

    def forward(self, history: Tensor, actions: Tensor, prompt: Tensor, noise: Tensor) -> Tensor:
        history, noise = history[:, :, : self.grid], noise[:, :, : self.grid]
        picture = self.inside(history, actions, prompt, noise)
        read = self.outcome.read(history[:, 0], picture)
        tokens = F.pad(read, (0, self.room)).reshape(-1, self.outcome.tokens, self.outcome.config.channels)
        return torch.cat([picture, tokens], 1)


class WithoutPrompt(nn.Module):
    """A student's graph in a world without words: history, actions and noise in."""

    def __init__(self, graph: nn.Module):
        super().__init__()
        self.inside = graph

    def forward(self, history: Tensor, actions: Tensor, noise: Tensor) -> Tensor:
        return self.inside(history, actions, actions.flatten(1)[:, :0], noise)


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


class PatchDecoderGraph(nn.Module):
    """latent [B,T,C] -> frame [B,96,160,4], RGBA in 0..1: a token is one matrix product away from its RGBA pixels. The
    detail, where the codec has one, is added to them."""

    def __init__(self, codec: PatchCodec):
        super().__init__()
        size, linear = codec.patch, codec.decoder.linear
        self.shape = (codec.rows, codec.columns, size, size, 4)
        with torch.no_grad():
            weight = linear.weight.reshape(3, size * size, codec.channels).permute(2, 1, 0)  # [C,pixels,RGB]
            bias = linear.bias.reshape(3, size * size).T
            self.weight = nn.Parameter(F.pad(weight, (0, 1)).reshape(codec.channels, -1).contiguous())
            self.bias = nn.Parameter(F.pad(bias, (0, 1), value=1.0).reshape(-1))
        self.grid, self.detail = codec.grid, None
        if codec.decoder.detail is not None:
            self.detail = copy.deepcopy(codec.decoder.detail)
            with torch.no_grad():  # its last convolution writes RGBA pixels too, nothing in A
                last = self.detail[-1]
                kernel = last.weight.reshape(3, size * size, *last.weight.shape[1:]).transpose(0, 1)
                offset = last.bias.reshape(3, size * size).T
                last.weight = nn.Parameter(F.pad(kernel, (0, 0, 0, 0, 0, 0, 0, 1)).flatten(0, 1).contiguous())
                last.bias = nn.Parameter(F.pad(offset, (0, 1)).reshape(-1))

    def forward(self, latent: Tensor) -> Tensor:
        rows, columns, size, *_ = self.shape
        pixels = latent[:, : rows * columns] @ self.weight + self.bias
        if self.detail is not None:
            pixels = pixels + self.detail(self.grid(latent)).flatten(2).transpose(1, 2)
        frame = pixels.reshape(-1, *self.shape).transpose(2, 3).reshape(-1, rows * size, columns * size, 4)
        # Last, as ONNX Runtime loses a Reshape that ends a captured graph on WebGPU: the picture would be untransposed.
        return frame.clamp(0, 1)


class PatchEncoderGraph(nn.Module):
    """frame [B,96,160,3] in 0..1 -> latent [B,T,C]."""

    def __init__(self, codec: PatchCodec):
        super().__init__()
        size, encoder = codec.patch, codec.encoder
        self.shape = (codec.rows, size, codec.columns, size, 3)
        with torch.no_grad():
            weight = encoder.weight.reshape(codec.channels, 3, size * size).permute(2, 1, 0)  # [pixels,RGB,C]
            self.weight = nn.Parameter(weight.reshape(-1, codec.channels).contiguous())
            self.bias = nn.Parameter(encoder.bias.clone())

    def forward(self, frame: Tensor) -> Tensor:
        patches = frame.reshape(-1, *self.shape).transpose(2, 3)
        return patches.reshape(-1, self.shape[0] * self.shape[2], self.weight.shape[0]) @ self.weight + self.bias


def student_graph(
    student: Student | FlowStudent, level: float, temperature: float = 1.0, outcome: Outcome | None = None
) -> nn.Module:
    kind = FlowStudentGraph if isinstance(student, FlowStudent) else StudentGraph
    graph = kind(student, level, temperature)
    if outcome is not None:
        graph = WithOutcome(graph, outcome)
    return graph if student.dit.config.prompt_dim else WithoutPrompt(graph)


def codec_graphs(codec: Codec | PatchCodec) -> tuple[nn.Module, nn.Module]:
    """The decoder and the encoder."""
    if isinstance(codec, PatchCodec):
        return PatchDecoderGraph(codec), PatchEncoderGraph(codec)
    return DecoderGraph(codec), EncoderGraph(codec)
