"""Stage 2 of TMD: DMD2-v with flow-head rollout (arXiv 2601.09881 section 3.3, A.3). One file, one method.

- Generator: x_hat = x1 - InnerFlow(m(x_t, t)) with all N inner steps and the backbone in the gradient (Eq. 15).
- Variational score distillation: the gradient is w (g_fake - g_teacher) with g = x_t - t v (Eq. 17) and FastGen's
  w = 1 / mean|x_hat - g_teacher|; the printed L1 norm of the difference is `normaliser: difference`.
- A fake score (the teacher again) learns the student's samples, a discriminator sees features of the frozen teacher.
  Every `student_every`-th iteration updates the student, the others the two critics.
- Beyond the paper, `rollout_history`: a part of each batch continues roll-outs of the student (rollout_history.py), and
  `frame_gan`: a discriminator that judges the frame on its own (discriminator.py). The paper's one compares two next
  frames of one history, of which a drifted history has no recorded one: it sees recorded histories only.
- Beyond the paper, at M > 1 the fake score is conditioned on the outer step of a sample (`step_aware`, fake_score.py).
- Over a U-Net errors weigh as in the teacher's training, and telemetry, of which x says nothing, is left out. Each part
  (student, fake score, either discriminator) has its own clip and its own pace.

Under autocast the scores that are subtracted from one another are in float32.

At M = 1 the input of the backbone is pure noise times t_1; otherwise recorded data at t_i. What was recorded next is no
continuation of a dreamed history: there the input is where the student's own outer steps lead (DMD2's backward
simulation, arXiv 2405.14867 section 4.5).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from distill.config import UserError
from distill.data.dataset import WindowDataset, bound_latents, corrupt, drop_history, history_noise, loss_weights
from distill.data.packed import Latents
from distill.distributed import seed_everything
from distill.flops import count_flops
from distill.methods.tmd import CLIP
from distill.models.discriminator import (
    Discriminator,
    FrameDiscriminator,
    MapDiscriminator,
    discriminator_loss,
    generator_loss,
    smoothness,
)
from distill.models.dit import Conditions, DiT, count_parameters, freeze_prompt_layers, guidance_at, guided
from distill.models.fake_score import FakeScore
from distill.models.one_step_student import OneStepStudent, make_student
from distill.models.sampler import StudentSampler, load_student, load_teacher
from distill.models.student import Student, StudentConfig, shifted, trainable
from distill.models.unet import UNet
from distill.training.dynamics import DistillConfig
from distill.training.optim import Together, make_optimiser
from distill.training.preview import Preview, report
from distill.training.rollout_history import RolloutHistory
from distill.training.run import Batches, Ema, Run
from distill.training.student_loop import NoiseResponse, cost, require_teacher, student_architecture, student_metrics


@dataclass
class Config(DistillConfig):
    name: str = "dmd"
    student: str = "runs/tmd/student.pt"  # of stage 1; none: the teacher as a student, without a flow head DMD2-v
    outer_steps: int = 1  # M, N and H of such a student
    inner_steps: int = 1
    head_blocks: int = 0
    outer_shift: float = 10.0
    student_every: int = 5
    critic_learning_rate: float = 1.0  # as a multiple of learning_rate
    gan: float = 0.03  # lambda on the student's side; 0 = no discriminator
    layers: list[int] = field(default_factory=list)  # what the heads look at; empty: the teacher's blocks at 1/2, 3/4
    # and the last, or all of `UNet.feature_shapes`
    discriminator_width: int = 64
    discriminator_learning_rate: float = 10.0  # of both, as a multiple: unlike the fake score they start from nothing
    frame_gan: float = 0.0  # weight of the frame discriminator on the student's side; 0 = none
    frame_smoothness: float = 0.1  # of the frame discriminator
    time_shift: float = 5.0  # of t_dmd
    gan_time_shift: float = 0.0  # of the times at which the discriminator looks; 0 = at the same times as the scores
    rollout: bool = True  # the student's samples go through all inner steps; else through one, from recorded ones
    sample_from: str = "x1"  # x1: x_hat = x1 - y (the paper) | xt: x_t - t y (as sampling); at M = 1 nearly the same
    normaliser: str = "sample"  # sample: mean|x_hat - g_teacher| (FastGen) | difference: mean|g_fake - g_teacher|
    history_noise: float = 0.5
    rollout_pool: int = 128  # roll-outs under way
    rollout_hop: int = 1  # ticks that a roll-out goes on each time it is used
    temperature: float = 1.0  # of the roll-outs' noise, as at play
    critic_level: float = 0.0  # history noise level that the scores see for dreamed histories; 0 = as stated
    critic_noise: bool = False  # whether dreamed histories also have the noise of that level for the scores
    critic_ticks: int = 100  # from `sample_level`, that level is reached where so many ticks are dreamed
    step_aware: bool = True  # at M > 1 the fake score knows the outer step; else one score for all steps (the paper)


def default_layers(blocks: int) -> list[int]:
    """0-based blocks at a half, three quarters and the end, as (15, 22, 29) of 30."""
    return sorted({blocks // 2, (3 * blocks) // 4, blocks - 1})


@torch.no_grad()
def backward_simulation(student: Student | OneStepStudent, x1: Tensor, index: Tensor, conditions: Conditions) -> Tensor:
    """Where the student's own outer steps lead from the noise x1 [B,T,C]: x_t [B,T,C] at the points `index` [B] of its
    outer grid, 0 being its sample."""
    grid = torch.tensor(student.outer_grid, device=x1.device, dtype=student.time_dtype)
    x = x1
    for step in range(len(grid) - 1, int(index.min()), -1):
        t, r = (grid[k].expand(len(x1)) for k in (step, step - 1))
        lower = x - (t - r)[:, None, None] * student.transition(x, t, r, torch.randn_like(x1), conditions)
        x = torch.where((index < step)[:, None, None], lower, x)
    return x


def draw_steps(student: Student | OneStepStudent, x: Tensor) -> Tensor:
    """Random points 1..M of the outer grid, int64 [B]: where the samples of a batch x [B,T,C] are made."""
    return torch.randint(1, len(student.outer_grid), (len(x),), device=x.device)


def generate(
    student: Student | OneStepStudent,
    x: Tensor,
    conditions: Conditions,
    sample_from: str = "x1",
    rollout: bool = True,
    age: Tensor | None = None,
    index: Tensor | None = None,
) -> Tensor:
    """x_hat [B,T,C] from recorded x [B,T,C] at the points `index` [B] of the outer grid (None: random ones). Always
    from x_t where y is not x1 - x. Where the history was dreamed (`age` [B] > 0), x_t is the student's own. Without
    `rollout` the head is called once, at a random step of its inner grid, from the recorded y (or its own): the
    ablation."""
    grid = torch.tensor(student.outer_grid, device=x.device, dtype=student.time_dtype)
    index = draw_steps(student, x) if index is None else index
    t, time = grid[index], grid[index][:, None, None]
    x1, y1 = torch.randn_like(x), torch.randn_like(x)
    x_t = time * x1 if len(grid) == 2 else (1 - time) * x + time * x1
    dreamed = torch.zeros(len(x), dtype=torch.bool, device=x.device) if age is None else age > 0
    if dreamed.any() and len(grid) > 2:
        x_t[dreamed] = backward_simulation(student, x1[dreamed], index[dreamed], conditions[dreamed])
    if dreamed.any() and not rollout:
        x = x.clone()
        x[dreamed] = backward_simulation(student, x1[dreamed], torch.zeros_like(index[dreamed]), conditions[dreamed])
    if rollout or not student.config.head_blocks:
        y = student.transition(x_t, t, grid[index - 1], y1, conditions)
    else:
        y = student.single_head_step(x, x1, x_t, t, y1, conditions)
    flow = student.config.head_blocks and student.config.predicts == "difference"
    return x1 - y if sample_from == "x1" and flow else x_t - time * y


@dataclass
class Noised:
    """A sample at the time where teacher, fake score and discriminator look at it."""

    t: Tensor  # [B]
    noise: Tensor  # [B,T,C]

    @staticmethod
    def draw(x: Tensor, shift: float, dtype: torch.dtype | None = None) -> Noised:
        t = shifted(torch.rand(len(x), device=x.device, dtype=dtype), shift).clamp(*CLIP)
        return Noised(t, torch.randn_like(x))

    def __getitem__(self, rows) -> Noised:
        return Noised(self.t[rows], self.noise[rows])

    def __call__(self, x: Tensor) -> Tensor:
        t = self.t[:, None, None]
        return (1 - t) * x + t * self.noise


def denoised(x_t: Tensor, t: Tensor, velocity: Tensor) -> Tensor:
    """g = x_t - t v (Eq. 17)."""
    return x_t - t[:, None, None] * velocity


def vsd_loss(
    sample: Tensor, fake: Tensor, teacher: Tensor, normaliser: str = "sample", weights: Tensor | float = 1.0
) -> Tensor:
    """Its gradient by `sample` is w (g_fake - g_teacher) / d, times the weights [T,C]; all [B,T,C] -> [B]."""
    with torch.no_grad():
        difference = fake - teacher
        apart = weights * (sample - teacher if normaliser == "sample" else difference).abs()
        goal = sample - difference / (apart.mean((1, 2), keepdim=True) + 1e-6)
    return 0.5 * (weights * (sample - goal).square()).mean((1, 2))


class Stage2:
    """Student, critics and their losses; the loop only calls and steps."""

    exact_scores = True  # in float32 under autocast

    def __init__(
        self, config: Config, student: Student | OneStepStudent, teacher: DiT | UNet, weights: Tensor | float = 1.0
    ):
        """`weights` [T,C] of the errors of x."""
        if config.sample_from not in ("x1", "xt") or config.normaliser not in ("sample", "difference"):
            raise UserError("sample_from must be x1 or xt, normaliser must be sample or difference")
        if config.student_every < 1:
            raise UserError(f"student_every must be at least 1, not {config.student_every}")
        shape = teacher.config
        self.config, self.student, self.teacher, self.weights = config, student, teacher, weights
        self.unet = isinstance(teacher, UNet)
        there = len(teacher.feature_shapes()) if self.unet else shape.blocks
        self.layers = list(config.layers) or (list(range(there)) if self.unet else default_layers(there))
        if min(self.layers) < 0 or max(self.layers) >= there:
            raise UserError(f"layers {self.layers} must lie in the teacher's 0..{there - 1}")
        self.make_critics()

    def make_critics(self) -> None:
        config, shape = self.config, self.teacher.config
        step_aware = config.step_aware and self.student.config.outer_steps > 1
        self.fake = trainable(FakeScore(self.teacher) if step_aware else copy.deepcopy(self.teacher))
        inner, extra = config.discriminator_width, shape.tokens - shape.grid
        frame = (shape.channels, shape.grid, shape.columns, extra, shape.prompt_dim)
        if self.unet:
            shapes = self.teacher.feature_shapes()
            self.discriminator = MapDiscriminator([shapes[layer] for layer in self.layers], inner)
            self.frames = FrameDiscriminator(*frame, width=64, fold=2)
        else:
            self.discriminator = Discriminator(shape.width, shape.grid, shape.columns, len(self.layers), inner)
            self.frames = FrameDiscriminator(*frame)

    def fake_velocity(self, x: Tensor, t: Tensor, conditions: Conditions, steps: Tensor) -> Tensor:
        """The fake score's v at x [B,T,C], t [B], of samples made at the points `steps` [B] of the outer grid."""
        if not isinstance(self.fake, FakeScore):
            return self.fake(x, t, conditions)
        grid = torch.tensor(self.student.outer_grid, device=x.device, dtype=t.dtype)
        return self.fake(x, t, conditions, grid[steps])

    def frame_logits(self, x: Tensor, conditions: Conditions) -> Tensor:
        """Logits [B,grid] of the frames that the changes x [B,T,C] lead to."""
        return self.frames(self.teacher.to_latent(x, conditions), conditions.prompt)

    def student_loss(self, x: Tensor, conditions: Conditions, age: Tensor | None = None) -> tuple[Tensor, dict]:
        """VSD and the discriminators' opinions, mean over the batch; gradients reach the student only.

        x [B,T,C] is the recorded change; age [B]: how many ticks of the history are the student's own."""
        config = self.config
        recorded = slice(None) if age is None else age == 0
        steps = draw_steps(self.student, x)
        sample = generate(self.student, x, conditions, config.sample_from, config.rollout, age, steps)
        noised = Noised.draw(x, config.time_shift, self.student.time_dtype)
        seen, stated = self.critic_inputs(sample, conditions, age)
        x_t = noised(seen)
        autocast = torch.is_autocast_enabled(x.device.type) and not self.exact_scores
        with torch.no_grad(), torch.autocast(x.device.type, enabled=autocast):
            fake = denoised(x_t, noised.t, self.fake_velocity(x_t, noised.t, stated, steps))
            guidance = guidance_at(config.guidance, config.guidance_ticks, stated)
            velocity = guided(self.teacher, x_t, noised.t, stated, guidance, config.action_guidance)
            real = denoised(x_t, noised.t, velocity)
        loss = vsd_loss(seen, fake, real, config.normaliser, self.weights).mean()
        metrics = {"vsd": loss.detach(), "score_gap": (self.weights * (fake - real).square()).mean()}
        if config.gan and len(x[recorded]):
            looked = self.look(noised[recorded], x[recorded])
            features = self.teacher.features(looked(sample[recorded]), looked.t, conditions[recorded], self.layers)
            opinion = generator_loss(self.discriminator(features))
            metrics["generator"] = opinion.detach()
            loss = loss + config.gan * opinion
        if config.frame_gan:
            opinion = generator_loss(self.frame_logits(sample, conditions))
            metrics["frame_generator"] = opinion.detach()
            loss = loss + config.frame_gan * opinion
        return loss, metrics

    def critic_inputs(self, sample: Tensor, conditions: Conditions, age: Tensor | None) -> tuple[Tensor, Conditions]:
        """The sample [B,T,C] and its conditions as the scores see them. The longer a history was dreamed, the higher
        the noise level stated for it: the teacher trusts it less and leads back to what it knows, and the student, who
        sees no such level, learns to. With `critic_noise` that noise is there too, as in the teacher's training, so
        what a dream got wrong in its details is drowned in it."""
        config = self.config
        if age is None or not config.critic_level:
            return sample, conditions
        level = config.sample_level + (config.critic_level - config.sample_level) * age / config.critic_ticks
        level = torch.where(age > 0, level.clamp(max=config.critic_level), conditions.level)
        stated = replace(conditions, level=level)
        if config.critic_noise:
            added = torch.where(age > 0, level, 0.0)
            noise = history_noise(conditions.history, added, self.teacher.noise_unit())
            stated = replace(stated, history=conditions.history + noise)
        return self.teacher.to_change(self.teacher.to_latent(sample, conditions), stated), stated

    def look(self, noised: Noised, x: Tensor) -> Noised:
        """Where the discriminator looks. Blur shows in the fine channels, which much noise hides."""
        shift = self.config.gan_time_shift
        return Noised.draw(x, shift, self.student.time_dtype) if shift else noised

    def critic_loss(self, x: Tensor, conditions: Conditions, age: Tensor | None = None) -> tuple[Tensor, dict]:
        """Fake score (x0 error at student samples) and discriminators, mean over the batch; none reaches the
        student."""
        config = self.config
        recorded = slice(None) if age is None else age == 0
        steps = draw_steps(self.student, x)
        with torch.no_grad():
            sample = generate(self.student, x, conditions, config.sample_from, config.rollout, age, steps)
        noised = Noised.draw(x, config.time_shift, self.student.time_dtype)
        seen, stated = self.critic_inputs(sample, conditions, age)
        x_t = noised(seen)
        velocity = self.fake_velocity(x_t, noised.t, stated, steps)
        loss = (self.weights * self.score_errors(velocity, seen, noised, stated)).mean()
        metrics = {"fake_score": loss.detach()}
        if config.gan and len(x[recorded]):
            looked, recorded_ones = self.look(noised[recorded], x[recorded]), conditions[recorded]
            with torch.no_grad():  # same t, same noise
                fake = self.teacher.features(looked(sample[recorded]), looked.t, recorded_ones, self.layers)
                real = self.teacher.features(looked(x[recorded]), looked.t, recorded_ones, self.layers)
            real, fake = self.discriminator(real), self.discriminator(fake)
            opinion = discriminator_loss(real, fake)
            metrics |= {"discriminator": opinion.detach(), "discriminator_accuracy": (real > fake).float().mean()}
            loss = loss + opinion
        if config.frame_gan:
            latent, prompt = self.teacher.to_latent(x, conditions), conditions.prompt
            if self.unet and age is not None:  # the telemetry of a dreamed history is not that of the recorded frame
                latent, prompt = latent[recorded], prompt[recorded]
            real, fake = self.frames(latent, prompt), self.frame_logits(sample, conditions)
            opinion = discriminator_loss(real, fake)
            accuracy = ((real > 0).float().mean() + (fake < 0).float().mean()) / 2
            metrics |= {"frame_discriminator": opinion.detach(), "frame_accuracy": accuracy}
            rough = smoothness(self.frames, latent, prompt, logits=real).mean()
            loss = loss + opinion + config.frame_smoothness * rough
        return loss, metrics

    def score_errors(self, velocity: Tensor, sample: Tensor, noised: Noised, conditions: Conditions) -> Tensor:
        """Squared errors [B,T,C] of the fake score's v: those of x0, or for a U-Net even over the times as the
        teacher's."""
        t = noised.t[:, None, None]
        balance = self.teacher.loss_weight(noised.t, conditions) if self.unet else t**2
        return balance * (velocity - (noised.noise - sample)).square()

    def flops(self, x: Tensor, conditions: Conditions) -> float:
        """Of one sample, forward and backward, averaged over the cycle of updates: counted on x [B,T,C]."""
        every = self.config.student_every
        on_student = count_flops(lambda: self.student_loss(x, conditions)[0].backward(), gradients=True)
        on_critics = count_flops(lambda: self.critic_loss(x, conditions)[0].backward(), gradients=True)
        for part in (self.student, self.fake, self.discriminator, self.frames):
            part.zero_grad(set_to_none=True)
        return (on_student + (every - 1) * on_critics) / every / len(x)


def begin_student(config: Config, teacher: DiT | UNet) -> Student | OneStepStudent:
    """The student of stage 1, or the teacher as a student. Its M, N and H go to `config`, so that the checkpoint says
    them."""
    if config.student == "none":
        predicts = "data" if isinstance(teacher, UNet) else "difference"
        plan = StudentConfig(
            config.outer_steps, config.inner_steps, config.head_blocks, config.outer_shift, predicts=predicts
        )
        return make_student(teacher, plan)
    student = trainable(load_student(config.student))
    require_teacher(student, config.student, teacher, config.teacher)
    for name in ("outer_steps", "inner_steps", "head_blocks", "outer_shift"):
        setattr(config, name, getattr(student.config, name))
    return student


def run(config: Config) -> None:
    training, heldout = Latents(config.data, "train"), Latents(config.data, config.validation)
    seed_everything(config.seed)
    teacher = load_teacher(config.teacher)
    student = begin_student(config, teacher)
    run = Run(config, "student", student_architecture(student))
    bound_latents(student.dit, training)
    bound_latents(teacher, training)
    if config.freeze_prompt_layers:
        freeze_prompt_layers(student.dit)
    student, teacher, shape = student.to(run.device), teacher.to(run.device), teacher.config
    weights = loss_weights(config.codec, config.loss_power, teacher) if isinstance(teacher, UNet) else 1.0
    stage = Stage2(config, student, teacher, weights)
    critics = torch.nn.ModuleDict(
        {"fake": stage.fake, "discriminator": stage.discriminator, "frames": stage.frames}
    ).to(run.device)
    dataset = WindowDataset(training, shape, run.device)
    example, example_conditions = dataset.gather(dataset.fixed(min(8, config.batch)))
    flops = stage.flops(teacher.to_change(example, example_conditions), example_conditions)
    ema = Ema(student, config.ema)
    optimiser = make_optimiser(run, student)
    critic_optimisers = []
    for name, critic in critics.items():
        critic_optimisers.append(make_optimiser(run, critic))
        pace = config.critic_learning_rate if name == "fake" else config.discriminator_learning_rate
        for group in critic_optimisers[-1].param_groups:
            group["scale"] = pace * group.get("scale", 1.0)
    critic_optimiser = Together(critic_optimisers)
    batches = Batches(len(dataset), config.batch, config.seed)
    live = StudentSampler(student, config.temperature)
    unit = student.dit.noise_unit()
    rollouts = RolloutHistory(
        dataset,
        config.rollout_history,
        config.rollout_ticks,
        config.batch,
        config.sample_level,
        unit,
        anchored=False,
        pool=config.rollout_pool,
        hop=config.rollout_hop,
    )
    run.track(
        model=student,
        ema=ema,
        **critics,
        optimiser=optimiser,
        critic_optimiser=critic_optimiser,
        batches=batches,
        rollouts=rollouts,
    )
    run.begin(flops_per_sample=flops)
    preview = Preview(WindowDataset(heldout, shape, run.device), config.codec, config.sample_level)
    sampler = StudentSampler(ema.model)
    run.say(
        f"{count_parameters(student) / 1e6:.2f} M parameters, {cost(student, teacher, example_conditions)}; "
        f"{flops / 1e9:.2f} GFLOP a sample, discriminator {count_parameters(stage.discriminator) / 1e6:.2f} M over "
        f"{stage.layers}"
    )
    noise_response = NoiseResponse(teacher, preview)
    run.compile_parts(student, teacher)
    for step in run.steps():
        target, conditions = dataset.training(batches.next())
        conditions = corrupt(conditions, config.history_noise, unit)
        run.set_learning_rate(optimiser, critic_optimiser)
        with run.autocast():
            target, conditions, age = rollouts.mix(target, conditions, live)
            if stage.unet:
                conditions = drop_history(conditions, config.first * (age == 0))
            x = student.dit.to_change(target, conditions)
            on_student = step % config.student_every == 0
            if on_student:
                critics.requires_grad_(False)
                loss, metrics = stage.student_loss(x, conditions, age)
            else:
                loss, metrics = stage.critic_loss(x, conditions, age)
        if on_student:
            run.backward(loss, optimiser, student)
            trainable(critics)
            ema.update(student)
            metrics["gate"] = student.gate
        else:
            run.backward(loss, critic_optimiser, critics)
        run.log(metrics)
        if run.validation_due():
            report(run, preview, sampler, student_metrics(ema.model, preview, noise_response), "student")
    if run.progress() >= 1:
        report(run, preview, sampler, student_metrics(ema.model, preview, noise_response), "student")
