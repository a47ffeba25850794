"""The configurations that ship carry Table 7's numbers (arXiv 2601.09881), and the stages are reachable by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from distill.__main__ import STAGES as COMMANDS
from distill.__main__ import main
from distill.config import load_config
from distill.wan import data, dmd, kd, sample, tmd
from distill.wan.account import CRITICS, SIZES

CONFIGS = Path(__file__).parents[2] / "wan/configs"
STAGES = {"tmd": tmd, "dmd": dmd, "kd": kd, "sample": sample, "data": data}


def shipped(stage: str, size: str):
    return load_config(STAGES[stage].Config, CONFIGS / f"{stage}-{size}.yaml")


def test_every_file_belongs_to_a_stage_and_a_size():
    names = {f"{stage}-{size}.yaml" for stage in (*STAGES, "base") for size in SIZES}
    assert {path.name for path in CONFIGS.iterdir()} == names


@pytest.mark.parametrize("size", SIZES)
def test_table_7(size):
    first, second = shipped("tmd", size), shipped("dmd", size)
    for config in (first, second):
        assert (config.batch, config.dtype) == (64, "bfloat16")
        assert (config.weight_decay, config.beta1, config.beta2) == (0.01, 0.9, 0.99)
        assert (config.outer_shift, config.inner_shift, config.head_blocks, config.outer_steps) == (10.0, 10.0, 5, 2)
        assert (config.strategy, config.inner_steps) == {"1.3b": ("ddp", 2), "14b": ("fsdp", 4)}[size]
        assert size.upper() in config.weights.upper()
    assert (first.guidance, first.max_steps, first.delta, first.prompt_dropout) == (3.0, 3000, 5e-3, 0.1)
    assert (first.equal, first.s_shift) == (0.75, 3.0)
    assert (first.learning_rate, first.weight_constant) == {"1.3b": (3e-5, 1.0), "14b": (1e-5, 1e-5)}[size]
    assert (second.guidance, second.learning_rate, second.gan, second.student_every) == (5.0, 1e-5, 0.03, 5)
    assert second.time_shift == 5.0
    assert (second.layers, second.discriminator_width) == CRITICS[size]
    assert second.max_steps == {"1.3b": 4000, "14b": 1000}[size]
    assert second.student == f"runs/{first.name}"
    assert shipped("sample", size).student == f"runs/{second.name}"
    assert shipped("data", size).guidance == 5.0
    pairs = shipped("kd", size)
    assert (pairs.learning_rate, pairs.max_steps, pairs.batch) == (7e-5, {"1.3b": 10_000, "14b": 5000}[size], 64)


def test_stages_are_reachable_and_their_sentences_are_one_line(capsys):
    for stage in (name for name in COMMANDS if name.startswith("wan-")):
        assert main([stage, "--keys"]) == 0
    told = capsys.readouterr().out
    assert "head_blocks=5" in told and "ema=0.999" not in told
    assert main(["wan-account", "size=3b"]) == 2
    assert capsys.readouterr().err == "wan-account: size must be one of 1.3b, 14b, not 3b.\n"
