"""What trainings share: the run and its checkpoints, optimisers, devices, roll-outs, previews. Door: `run.Run`."""
