"""The configuration that all trainings of a network that dreams share."""

from __future__ import annotations

from dataclasses import dataclass

from distill.config import TrainConfig


@dataclass
class DynamicsConfig(TrainConfig):
    """Of every training on latents: teacher and students."""

    loss_power: float = 1.0  # weigh an error by how far it moves the picture to this power; 0 = all alike
    history_noise: float = 1.5  # highest level
    first: float = 0.1  # part of the batch without history: the first frame of a drive (U-Net)
    rollout_history: float = 0.0  # part of the batch whose history the network dreamed itself
    rollout_ticks: int = 8  # how far such a history is dreamed at most
    freeze_prompt_layers: bool = False  # with sentence embeddings: the prompt's layers stay as they are
    codec: str = "runs/codec/codec.pt"  # for pictures and for the weights of errors
    sample_level: float = 0.1  # history noise level that roll-outs and previews state
    validation: str = "validation"  # the split that previews look at


@dataclass
class DistillConfig(DynamicsConfig):
    """Of every training of a student by a teacher's scores or samples."""

    teacher: str = "runs/teacher/teacher.pt"
    guidance: float = 1.0  # w, by the prompt, of the teacher
    guidance_ticks: int = 0  # guidance fades to none over so many ticks after a prompt changed; 0 = constant
    action_guidance: float = 1.0  # by the actions
