"""Gymnasium environments: their keys, their frames, their recording. Door: the stage `record-gym`."""
