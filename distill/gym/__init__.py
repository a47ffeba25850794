"""Gymnasium environments as worlds to record and to play. Doors: the stages `record-gym`, `bridge`."""
