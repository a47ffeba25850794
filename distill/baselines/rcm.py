"""rCM (score-regularised consistency model, arXiv 2510.08431), a baseline beside TMD: the teacher's network learns to
say from any point of a path where the path ends, and is kept from blur by the scores of DMD.

In TrigFlow (arXiv 2410.11081): z = cos(a) x + sin(a) noise for an angle a, and F = dz/da along the teacher's path. The
networks here are rectified flows: t = sin / (sin + cos), x_t = z / (sin + cos), F = ((cos - sin) z + v) / (sin + cos).

- sCM: F -> sg( F + g / (|g| + c) ) with g = cos df/da (`tangent`), by forward mode; its second half warms up.
- The regulariser is `dmd.vsd_loss` on samples of the student, with a fake score, and no discriminator. As in the public
  code a sample may come after some steps with fresh noise (`simulated_steps`).

The norm of g is over all numbers of a sample, the regulariser is their sum, so how the two weigh follows the root of
how many there are: 2 million in Wan's latents with the paper's 0.01, here some 3,000.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor

from distill.config import UserError
from distill.data.dataset import WindowDataset, bound_latents, corrupt, drop_history, loss_weights
from distill.data.packed import Latents
from distill.flops import count_flops
from distill.methods.dmd import Noised, denoised, vsd_loss
from distill.models.dit import Conditions, DiT, count_parameters, freeze_prompt_layers, guidance_at, guided
from distill.models.one_step_student import OneStepStudent
from distill.models.sampler import StudentSampler, load_teacher
from distill.models.student import StudentConfig, trainable
from distill.models.unet import UNet
from distill.training.dynamics import DistillConfig
from distill.training.optim import make_optimiser
from distill.training.preview import Preview, report
from distill.training.rollout_history import RolloutHistory
from distill.training.run import Batches, Ema, Run
from distill.training.student_loop import student_architecture

TANGENT_CONSTANT = 0.1  # c


@dataclass
class Config(DistillConfig):
    name: str = "rcm"
    mean: float = -0.8  # of the logarithm of tan a, where the consistency is learnt
    deviation: float = 1.6
    tangent_warmup: float = 0.2  # part of the budget until the derivative counts whole, and the scores at all
    regulariser: float = 0.01  # weight of the scores; 0 = sCM alone
    time_shift: float = 5.0  # of the times at which the scores look
    simulated_steps: int = 4  # steps that lead to the sample at most
    student_every: int = 5
    critic_learning_rate: float = 1.0  # as a multiple of learning_rate
    history_noise: float = 1.0
    rollout_after: float = 0.3  # from this part of the budget on


def parts(angle: Tensor) -> tuple[Tensor, Tensor]:
    """a [B] -> cos and sin, [B,1,1]."""
    return angle.cos()[:, None, None], angle.sin()[:, None, None]


def trig(velocity, z: Tensor, angle: Tensor) -> Tensor:
    """F at z [B,T,C], a [B] of a rectified flow `velocity(x_t, t)`: [B,T,C]."""
    cos, sin = parts(angle)
    size = cos + sin
    return ((cos - sin) * z + velocity(z / size, (sin / size)[:, 0, 0])) / size


def tangent(f: Tensor, derivative: Tensor, teacher: Tensor, z: Tensor, angle: Tensor, ratio: float) -> Tensor:
    """g [B,T,C]: cos times the change of the path's end, from F of the student and of the teacher, and cos sin dF/da
    along the path. At ratio 0 only what pulls F to the teacher's is left."""
    cos, sin = parts(angle)
    pull = cos * (1 - (ratio * sin) ** 2).sqrt() * (f - teacher)
    return -pull - ratio * (cos * sin * z + derivative)


def normalised(g: Tensor) -> Tensor:
    return g / (g.flatten(1).norm(dim=1)[:, None, None] + TANGENT_CONSTANT)


class Rcm:
    """Student, fake score and their losses; the loop only calls and steps."""

    def __init__(self, config: Config, student: OneStepStudent, teacher: DiT | UNet, weights: Tensor | float = 1.0):
        """`weights` [T,C] of the errors of x; of the tangent they scale the roots."""
        if config.student_every < 1 or config.simulated_steps < 1:
            raise UserError(
                f"student_every and simulated_steps must be at least 1, not {config.student_every} and "
                f"{config.simulated_steps}"
            )
        self.config, self.student, self.teacher, self.weights = config, student, teacher, weights
        self.fake = trainable(copy.deepcopy(teacher))

    def velocity(self, conditions: Conditions):
        return lambda x, t: self.student.velocity(x, t, t, conditions)

    def guided(self, conditions: Conditions):
        config = self.config
        w = guidance_at(config.guidance, config.guidance_ticks, conditions)
        return lambda x, t: guided(self.teacher, x, t, conditions, w, config.action_guidance)

    def consistency(self, x: Tensor, conditions: Conditions, ratio: float) -> tuple[Tensor, dict]:
        """The sCM loss [B] at recorded changes x [B,T,C]; `ratio` is how far the tangent has warmed up."""
        config = self.config
        angle = (config.mean + config.deviation * torch.randn(len(x), device=x.device)).exp().arctan()
        cos, sin = parts(angle)
        z = cos * x + sin * torch.randn_like(x)
        own = self.velocity(conditions)
        root = self.weights**0.5
        with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
            goal = trig(self.guided(conditions), z, angle)
            along = (cos * sin * goal, (cos * sin)[:, 0, 0])
            _, derivative = torch.func.jvp(lambda z, a: trig(own, z, a), (z, angle), along)
        f = root * trig(own, z, angle)
        with torch.no_grad():
            g = tangent(f, root * derivative, root * goal, root * z, angle, ratio)
            target = f + normalised(g)
        return (f - target).square().flatten(1).sum(1), {"tangent": g.square().mean().sqrt()}

    def sample(self, x: Tensor, conditions: Conditions) -> Tensor:
        """x_hat [B,T,C], shaped as x: from noise, after as many further steps with fresh noise as chance says. Only the
        last has a gradient."""
        config, top = self.config, self.student.config.top
        t = torch.full((len(x),), top, device=x.device)
        z = torch.randn_like(x)
        for _ in range(int(torch.randint(config.simulated_steps, ()))):
            with torch.no_grad():
                ended = denoised(z, t, self.velocity(conditions)(z, t))
                noised = Noised.draw(x, config.time_shift)
                t = torch.minimum(t, noised.t)
                z = Noised(t, noised.noise)(ended)
        return denoised(z, t, self.velocity(conditions)(z, t))

    def student_loss(self, x: Tensor, conditions: Conditions, ratio: float) -> tuple[Tensor, dict]:
        """Mean over the batch; gradients reach the student only."""
        loss, metrics = self.consistency(x, conditions, ratio)
        metrics["consistency"] = loss.detach().mean()
        if self.config.regulariser and ratio >= 1:
            sample = self.sample(x, conditions)
            noised = Noised.draw(x, self.config.time_shift)
            x_t = noised(sample)
            with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
                fake = denoised(x_t, noised.t, self.fake(x_t, noised.t, conditions))
                real = denoised(x_t, noised.t, self.guided(conditions)(x_t, noised.t))
            # theirs has no half, and a sum
            scores = 2 * vsd_loss(sample, fake, real, weights=self.weights) * sample[0].numel()
            metrics["vsd"] = scores.detach().mean() / sample[0].numel()
            loss = loss + self.config.regulariser * scores
        return loss.mean(), metrics

    def critic_loss(self, x: Tensor, conditions: Conditions) -> tuple[Tensor, dict]:
        """The fake score's, mean over the batch; none reaches the student."""
        with torch.no_grad():
            sample = self.sample(x, conditions)
        noised = Noised.draw(x, self.config.time_shift)
        x_t = noised(sample)
        fake = denoised(x_t, noised.t, self.fake(x_t, noised.t, conditions))
        loss = (self.weights * (fake - sample).square()).mean()
        return loss, {"fake_score": loss.detach()}

    def flops(self, x: Tensor, conditions: Conditions) -> float:
        """Of one sample, averaged over the cycle of updates: counted on x [B,T,C]. The derivative counts as two passes
        of the student."""
        every = self.config.student_every if self.config.regulariser else 1
        t = torch.ones(len(x), device=x.device)
        derivative = 2 * count_flops(lambda: self.velocity(conditions)(x, t))

        def student() -> None:
            (self.velocity(conditions)(x, t).mean() + self.teacher(x, t, conditions).mean()).backward()
            if self.config.regulariser:
                self.sample(x, conditions).mean().backward()
                self.fake(x, t, conditions)
                self.teacher(x, t, conditions)

        on_student = count_flops(student, gradients=True) + derivative
        on_critic = count_flops(lambda: self.critic_loss(x, conditions)[0].backward(), gradients=True)
        self.student.zero_grad(set_to_none=True)
        self.fake.zero_grad(set_to_none=True)
        return (on_student + (every - 1) * on_critic) / every / len(x)


def run(config: Config) -> None:
    if config.compile:
        raise UserError("compile=true knows no forward-mode derivative, which rCM needs; set compile=false")
    training, heldout = Latents(config.data, "train"), Latents(config.data, config.validation)
    teacher = load_teacher(config.teacher)
    student = OneStepStudent(teacher, StudentConfig(1, inner_steps=1, head_blocks=0))
    run = Run(config, "student", student_architecture(student))
    bound_latents(student.dit, training)
    if config.freeze_prompt_layers:
        freeze_prompt_layers(student.dit)
    student, teacher, shape = student.to(run.device), teacher.to(run.device), teacher.config
    unet = isinstance(teacher, UNet)
    stage = Rcm(config, student, teacher, loss_weights(config.codec, config.loss_power, teacher) if unet else 1.0)
    fake = stage.fake.to(run.device)
    dataset = WindowDataset(training, shape, run.device)
    example, example_conditions = dataset.gather(dataset.fixed(min(8, config.batch)))
    flops = stage.flops(teacher.to_change(example, example_conditions), example_conditions)
    ema = Ema(student, config.ema)
    optimiser, critic_optimiser = (make_optimiser(run, part) for part in (student, fake))
    for group in critic_optimiser.param_groups:
        group["scale"] = config.critic_learning_rate * group.get("scale", 1.0)
    batches = Batches(len(dataset), config.batch, config.seed)
    sampler, unit = StudentSampler(ema.model), student.dit.noise_unit()
    rollouts = RolloutHistory(
        dataset, config.rollout_history, config.rollout_ticks, config.batch, config.sample_level, unit
    )
    run.track(
        model=student, ema=ema, fake=fake, batches=batches, rollouts=rollouts,
        optimiser=optimiser, critic_optimiser=critic_optimiser,
    )  # fmt: skip
    run.begin(flops_per_sample=flops)
    preview = Preview(WindowDataset(heldout, shape, run.device), config.codec, config.sample_level)
    run.say(f"{count_parameters(student) / 1e6:.2f} M parameters, {flops / 1e9:.2f} GFLOP a sample")
    for step in run.steps():
        ratio = min(1.0, run.progress() / config.tangent_warmup) if config.tangent_warmup else 1.0
        target, conditions = dataset.training(batches.next())
        conditions = corrupt(conditions, config.history_noise, unit)
        if run.progress() >= config.rollout_after:
            target, conditions, _ = rollouts.mix(target, conditions, sampler)
        if unet:
            conditions = drop_history(conditions, config.first)
        x = student.dit.to_change(target, conditions)
        run.set_learning_rate(optimiser, critic_optimiser)
        if not config.regulariser or ratio < 1 or step % config.student_every == 0:
            with run.autocast():
                loss, metrics = stage.student_loss(x, conditions, ratio)
            run.backward(loss, optimiser, student)
            ema.update(student)
        else:
            with run.autocast():
                loss, metrics = stage.critic_loss(x, conditions)
            run.backward(loss, critic_optimiser, fake)
        run.log(metrics)
        if run.validation_due():
            report(run, preview, sampler, {}, "student")
    if run.progress() >= 1:
        report(run, preview, sampler, {}, "student")
