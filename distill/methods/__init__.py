"""How each network is trained, one file a stage: codec, instruments, teacher, TMD. Door: `run` of each."""
