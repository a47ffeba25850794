"""The teacher: flow matching of the change of the latent, v = x1 - x (Lipman et al., arXiv 2210.02747).

The network is a U-Net (models/unet.py), or the DiT of before (`network=dit`).

- History noise up to `history_noise` with its level as an input; prompt dropout for guidance; mirrored dataset.
- Beyond the usual, `rollout_history`: a part of each batch continues short roll-outs of the teacher
  (training/rollout_history.py), as white noise is not what a roll-out's own errors look like.
- Times: for a DiT half logit-normal, half uniform. For a U-Net half of them near 1, where nothing is seen of x and its
  mean is learnt, half below `low_times`, where what is open in x shows at all; frames without history have all times.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import torch
from torch import Tensor

from distill.checkpoints import require_architecture
from distill.config import UserError
from distill.data.dataset import (
    WindowDataset,
    bound_latents,
    corrupt,
    drop_actions,
    drop_history,
    drop_prompts,
    loss_weights,
    measure_delta_std,
    measure_frames,
)
from distill.data.packed import Latents
from distill.flops import count_flops
from distill.models.dit import Conditions, DiT, DiTConfig, count_parameters, freeze_prompt_layers
from distill.models.instruments import load_instruments
from distill.models.prompt_classifier import LABEL_CHOICES
from distill.models.sampler import TeacherSampler, load_teacher, make_network
from distill.models.student import shifted
from distill.models.unet import UNetConfig
from distill.training.dynamics import DynamicsConfig
from distill.training.optim import make_optimiser
from distill.training.preview import Preview, report
from distill.training.rollout_history import RolloutHistory
from distill.training.run import Batches, Ema, Run
from distill.world import telemetry_tokens

VALIDATION_TIMES = (0.1, 0.3, 0.5, 0.7, 0.9, 0.999)


@dataclass
class Config(DynamicsConfig):
    name: str = "teacher"
    network: str = "unet"  # unet | dit
    fine: int = 32  # sizes of a U-Net: see models/unet.py
    middle: int = 64
    fine_in: int = 1
    fine_out: int = 2
    middle_in: int = 2
    middle_out: int = 3
    field_width: int = 64
    spread: float = 0.35
    width: int = 192
    blocks: int = 3
    heads: int = 6
    mlp_ratio: int = 4
    columns: int = 10
    optimiser: str = "adamw"  # adamw | muon: for matrices and kernels (training/muon.py)
    muon_scale: float = 3.0  # learning rate of Muon's part, as a multiple
    offsets: list[int] = field(default_factory=lambda: [1, 2, 4])
    actions: int = 4
    frequencies: int = 64
    conditioning: str = "labels"  # labels | sentence: the embedding of the text (data/conditioning.py), for a DiT
    prompt_hidden: int = 0  # with sentence: hidden width beside its projection
    noise_unit: str = "change"  # what a level of 1 is: see DiTConfig
    prompt_dropout: float = 0.1
    action_dropout: float = 0.0  # above 0, the network has null actions to be guided by
    low_times: float = 0.6
    instruments: str = "runs/instruments/instruments.pt"  # of a U-Net
    rollout_steps: int = 1  # Euler steps of such a tick
    time_shift: float = 1.0  # crowds the times of training towards noise, where the tick itself is learnt
    sample_steps: int = 4  # Euler steps of the previews
    sample_shift: float = 1.0  # of their times, below 1 towards 0
    init: str = ""  # a teacher checkpoint to start from, afresh in steps and optimiser


def unet_config(config: Config, latents: Latents) -> UNetConfig:
    own = {f.name: getattr(config, f.name) for f in fields(UNetConfig) if hasattr(config, f.name)}
    columns = (latents.codec.get("mirror") or latents.codec).get("columns")
    if not columns:
        raise UserError(
            "a U-Net needs latents of the linear codec (the `codec` stage); for the f16 codec's set network=dit"
        )
    tokens, channels = latents.latents.shape[1:]
    world = latents.world
    readings, prompt = len(world.telemetry), latents.embeddings.shape[1] if world.prompt else 0
    rows = (tokens - telemetry_tokens(channels, readings)) // columns
    return UNetConfig(
        **own
        | {"rows": rows, "columns": columns, "channels": channels, "readings": readings}
        | {"action_dims": world.action_dims, "prompt_dim": LABEL_CHOICES if world.labels else prompt}
    )


def dit_config(config: Config, latents: Latents) -> DiTConfig:
    if config.conditioning not in ("labels", "sentence"):
        raise UserError(f"conditioning must be labels or sentence, not {config.conditioning}")
    if config.conditioning == "labels" and config.prompt_hidden:
        raise UserError(
            f"prompt_hidden={config.prompt_hidden} is for conditioning=sentence; labels need no hidden layer"
        )
    own = {f.name: getattr(config, f.name) for f in fields(DiTConfig) if hasattr(config, f.name)}
    tokens, channels = latents.latents.shape[1:]
    return DiTConfig(
        **own
        | {"tokens": tokens, "channels": channels, "null_actions": config.action_dropout > 0}
        | {"prompt_dim": LABEL_CHOICES if config.conditioning == "labels" else latents.embeddings.shape[1]}
    )


def sample_times(batch: int, device, shift: float = 1.0) -> Tensor:
    normal = torch.sigmoid(torch.randn(batch, device=device))
    uniform = torch.rand(batch, device=device)
    return shifted(torch.where(torch.rand(batch, device=device) < 0.5, normal, uniform), shift)


def split_times(batch: int, low: float, first: Tensor | None, device) -> Tensor:
    """Half near 1, half in 0..low; uniform where the frame is the first."""
    near = 1 - (1 - low) * torch.rand(batch, device=device) ** 2
    t = torch.where(torch.rand(batch, device=device) < 0.5, near, low * torch.rand(batch, device=device))
    return t if first is None else torch.where(first, torch.rand(batch, device=device), t)


def flow_loss(model, x: Tensor, t: Tensor, noise: Tensor, conditions: Conditions, weights=1.0) -> Tensor:
    """Mean squared error of the velocity; x, noise [B,T,C], t [B], weights broadcast to [B,T,C] -> [B]."""
    time = t[:, None, None]
    velocity = model((1 - time) * x + time * noise, t, conditions)
    return (weights * (velocity - (noise - x)).square()).mean((1, 2))


@torch.no_grad()
def validation_losses(dit: DiT, preview: Preview) -> dict[str, float]:
    """The loss at fixed times on held-out rows, histories as recorded but stated at the preview's level."""
    x = dit.to_change(preview.target, preview.conditions)
    metrics = {}
    picture = (torch.arange(x.shape[1]) < dit.config.grid).float()[:, None].to(x)
    for index, time in enumerate(VALIDATION_TIMES):
        t = torch.full_like(preview.conditions.level, time)
        losses = []
        for start in range(0, len(x), 32):
            rows = slice(start, start + 32)
            noise, conditions = preview.noise[rows, index % preview.noise.shape[1]], preview.conditions[rows]
            weights = picture * dit.loss_weight(t[rows], conditions)
            losses.append(flow_loss(dit, x[rows], t[rows], noise, conditions, weights))
        loss = torch.cat(losses)
        metrics[f"loss_t{time:g}"] = loss.mean().item()
    return metrics | {"loss_mean": sum(metrics.values()) / len(metrics)}


def begin_from(model: DiT, path: str) -> DiT:
    """Takes up a teacher's weights and returns it; a part that it does not have as it is wanted here (the prompt's, the
    null actions) stays as it is."""
    there, here = load_teacher(path, averaged=False), model.config.architecture()
    grown = {name: here[name] for name in ("null_actions",) if name in here}
    require_architecture(path, there.config.architecture() | grown, here)
    own = model.state_dict()
    fits = lambda name, value: name in own and value.shape == own[name].shape  # noqa: E731
    model.load_state_dict(own | {name: value for name, value in there.state_dict().items() if fits(name, value)})
    return there


def run(config: Config) -> None:
    training, heldout = Latents(config.data, "train"), Latents(config.data, config.validation)
    if config.network not in ("unet", "dit"):
        raise UserError(f"network must be unet or dit, not {config.network}")
    shape = unet_config(config, training) if config.network == "unet" else dit_config(config, training)
    run = Run(config, "teacher", shape.architecture())
    dataset = WindowDataset(training, shape, run.device)
    model = make_network(shape.architecture()).to(run.device)
    before = begin_from(model, config.init) if config.init else None
    if before is None:
        model.delta_std.copy_(measure_delta_std(dataset))
        if config.network == "unet":
            measure_frames(model, training)
    if config.network == "unet" and model.instruments is not None:
        load_instruments(config.instruments, model.instruments)
    bound_latents(model, training)
    if config.freeze_prompt_layers:
        freeze_prompt_layers(model)
    ema = Ema(model, config.ema)
    optimiser = make_optimiser(run, model, config.optimiser, config.muon_scale)
    batches = Batches(len(dataset), config.batch, config.seed)
    rollouts = RolloutHistory(
        dataset, config.rollout_history, config.rollout_ticks, config.batch, config.sample_level, model.noise_unit()
    )
    dreamer = TeacherSampler(run.compiled(ema.model), config.rollout_steps, time_shift=config.sample_shift)
    run.track(
        model=model, ema=ema, optimiser=optimiser, batches=batches, **({"rollouts": rollouts} if rollouts.count else {})
    )
    example = dataset.gather(dataset.rows[:1])
    forward = count_flops(lambda: model(example[0], example[1].level, example[1]))
    run.begin(flops_per_sample=3 * forward)
    preview = Preview(WindowDataset(heldout, shape, run.device), config.codec, config.sample_level)
    run.say(
        f"{count_parameters(model) / 1e6:.2f} M parameters, {forward / 1e9:.3f} GFLOP forward, "
        f"{len(dataset)} dataset, " + "  ".join(f"{k} {v:.4g}" for k, v in preview.still().items())
    )
    call = run.parallel(model)
    unit = model.noise_unit()
    weights = loss_weights(config.codec, config.loss_power, model)
    sampler = TeacherSampler(ema.model, config.sample_steps, time_shift=config.sample_shift)
    for _ in run.steps():
        target, conditions = dataset.training(batches.next())
        conditions = corrupt(conditions, config.history_noise, unit)
        with run.autocast():
            target, conditions, _ = rollouts.mix(target, conditions, dreamer)
        conditions = drop_prompts(conditions, config.prompt_dropout)
        if config.network == "unet":
            conditions = drop_history(conditions, config.first)
        if config.action_dropout:
            conditions = drop_actions(conditions, config.action_dropout)
        x = model.to_change(target, conditions)
        if config.network == "unet":
            t = split_times(len(x), config.low_times, conditions.first, run.device)
        else:
            t = sample_times(len(x), run.device, config.time_shift)
        run.set_learning_rate(optimiser)
        with run.autocast():
            balance = weights * model.loss_weight(t, conditions)
            loss = flow_loss(call, x, t, torch.randn_like(x), conditions, balance).mean()
        run.backward(loss, optimiser, model)
        ema.update(model)
        run.log({"loss": loss})
        if run.validation_due():
            report(run, preview, sampler, validation_losses(ema.model, preview), "teacher")
    if run.progress() >= 1:
        report(run, preview, sampler, validation_losses(ema.model, preview), "teacher")
