"""Gymnasium environments as worlds to record. Door: the stage `record-gym`."""
