"""What TMD is compared with, one file a method: MeanFlow, rCM, knowledge distillation. Door: `run` of each."""
