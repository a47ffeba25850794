"""Knowledge distillation over Wan: the warm-up of one-step DMD2-v (arXiv 2601.09881, A.3), a baseline. TMD uses none.

    torchrun --nproc-per-node 8 -m distill wan-kd --config distill/wan/configs/kd-1.3b.yaml
    torchrun --nproc-per-node 8 -m distill wan-dmd --config ... student=runs/wan-kd-1.3b name=wan-dmd2-v max_steps=12000

The pairs are clips that wan-data made with this size's own teacher: the noise follows from their seed. The paper's
teacher also skips a layer in its guidance, which wan-data does not. The loss is `distill.baselines.kd.pair_loss`.
"""

from __future__ import annotations

from dataclasses import dataclass

from distill.baselines.kd import pair_loss
from distill.models.student import StudentConfig
from distill.wan.run import WanRun, accumulate
from distill.wan.tmd import architecture, empty_student, start_student
from distill.wan.training import Side, WanConfig, adamw
from distill.wan.weights import Published


@dataclass
class Config(WanConfig):
    """M, N and H, the fusion and what it predicts are not used: the student is the teacher's network, run once."""

    name: str = "wan-kd"
    data: str = "data/wan-kd"
    learning_rate: float = 7e-5
    max_steps: int = 10_000


def run(config: Config) -> None:
    published = Published(config.weights)
    shape, plan = published.shape(tuple(config.latent)), StudentConfig(1, inner_steps=1, head_blocks=0)
    student = empty_student(shape, plan)
    run = WanRun(config, "wan-student", architecture(shape, plan))
    student = run.engine.student(student)
    if not run.resuming:
        start_student(student, published, config.seed)
    optimiser = adamw(config, student)
    clips = run.clips(shape)

    def loss(latents, conditions, number: int):
        noise = clips.noise(run.step, number)
        return pair_loss(student, noise, student.dit.to_tokens(latents), conditions).mean(), {}

    side = run.engine.parallel(Side(student, loss))
    run.track(student=(student, optimiser))
    run.begin()
    for step in run.steps():
        run.set_learning_rate(optimiser)
        metrics = accumulate(run, side, student, step, clips)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        run.log(metrics)
