"""VBench's scores, and what the full configurations are said to need."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from distill.config import UserError, load_config
from distill.models.student import StudentConfig
from distill.wan import account, vbench
from distill.wan.media import write_video


def config(**changes) -> vbench.Config:
    return load_config(vbench.Config, None, [f"{key}={value}" for key, value in changes.items()])


def write_results(folder: Path, **changes) -> dict[str, float]:
    """As the tool writes them: [mean, [per video ...]], one file a dimension."""
    raw = {name: (low + high) / 2 for name, (low, high, _) in (vbench.QUALITY | vbench.SEMANTIC).items()} | changes
    for name, value in raw.items():
        (folder / name).mkdir(parents=True)
        (folder / name / f"results_{name}_eval_results.json").write_text(json.dumps({name: [value, []]}))
    return raw


def test_scores_are_normalised_and_weighted(tmp_path):
    write_results(tmp_path)
    results = vbench.read_results(tmp_path)
    assert len(results) == 16
    assert vbench.scores(results) == pytest.approx((50.0, 50.0, 50.0))
    results["dynamic_degree"] = 1.0  # half a unit more, at half the weight, of six and a half
    total, quality, semantic = vbench.scores(results)
    assert (quality, semantic) == pytest.approx((50 + 100 * 0.25 / 6.5, 50.0))
    assert total == pytest.approx((4 * quality + semantic) / 5)
    assert vbench.scores({}) == (None, None, None)


def test_the_papers_totals_follow_from_quality_and_semantics():
    """All but one, as printed: 84.80 would follow for DMD2-v with four steps and gamma 5."""
    for rows in vbench.PAPER.values():
        for method, _, total, quality, semantic in rows:
            if method != "DMD2-v, gamma 5":
                assert (4 * quality + semantic) / 5 == pytest.approx(total, abs=0.011)


def test_the_table_leaves_cells_empty_until_run(tmp_path, capsys):
    vbench.run(config(results=tmp_path, table="true"))
    told = capsys.readouterr().out
    assert "| TMD-N2H5 | 2.33 | 84.68 | 85.71 | 80.55 |  |  |  |" in told
    assert "without results: subject_consistency" in told
    write_results(tmp_path)
    vbench.run(config(results=tmp_path, table="true"))
    assert "| TMD-N2H5 | 2.33 | 84.68 | 85.71 | 80.55 | 50.00 | 50.00 | 50.00 |" in (tmp_path / "table.md").read_text()


TOOL = """#!/bin/sh
echo "$@" >> {folder}/calls; echo "$PATH" > {folder}/path; command=$1
while [ $# -gt 0 ]; do
  case $1 in --dimension) d=$2;; --output_path) o=$2;; --videos_path) v=$2;; --result_path) r=$2;; esac; shift
done
if [ $command = static_filter ]; then mkdir -p "$r/filtered_videos"; cp "$v"/*-7.mp4 "$r/filtered_videos"; exit; fi
[ -e {folder}/broken ] && exit 0  # as the real one, whose evaluation runs in a shell that it does not ask
mkdir -p "$o"; echo "{{\\"$d\\": [0.5, []]}}" > "$o/results_eval_results.json"
"""


@pytest.fixture
def tool(tmp_path) -> Path:
    """An environment with a tool that notes what it is told; VBench's list, of one prompt a dimension; its videos."""
    path, package = tmp_path / "env/bin/vbench", tmp_path / "env/lib/python3.10/site-packages/vbench"
    path.parent.mkdir(parents=True)
    package.mkdir(parents=True)
    path.write_text(TOOL.format(folder=tmp_path))
    path.chmod(0o755)
    names = [*vbench.QUALITY, *vbench.SEMANTIC]
    listed = [{"prompt_en": f"a {name}", "dimension": [name]} for name in names]
    (package / "VBench_full_info.json").write_text(json.dumps(listed))
    for folder, seeds in (("videos", 5), ("flickering", 25)):
        (tmp_path / folder).mkdir()
        for name, index in product(names, range(seeds)):
            if (name == "temporal_flickering") == (folder == "flickering"):
                (tmp_path / folder / f"a {name}-{index}.mp4").touch()
    return path


def measuring(home: Path, **changes) -> vbench.Config:
    places = {name: home / name for name in ("videos", "flickering", "results")} | {"tool": home / "env/bin/vbench"}
    return config(**places | changes)


@pytest.mark.parametrize(("size", "method", "nfe"), [(s, *row[:2]) for s, rows in vbench.PAPER.items() for row in rows])
def test_every_row_of_the_paper_can_be_named(size, method, nfe):
    results = {name: low for name, (low, _, _) in (vbench.QUALITY | vbench.SEMANTIC).items()}
    lines = vbench.table(config(size=size, row=method, nfe=nfe), results).splitlines()
    filled = [line for line in lines if line.endswith("| 0.00 | 0.00 | 0.00 |")]
    assert len(filled) == 1 and filled[0].startswith(f"| {method} | {nfe} |")


def test_a_collapse_over_seeds_stands_under_the_table(tmp_path, capsys):
    videos, results = tmp_path / "videos", tmp_path / "results"
    videos.mkdir()
    levels = {"a cat-0": 60, "a cat-1": 60, "two-way rain-0": 60, "two-way rain-1": 100, "alone-0": 9}
    for name, level in levels.items():
        write_video(videos / f"{name}.mp4", np.full((9, 32, 48, 3), level, np.uint8))
    write_results(results)
    found = vbench.diversity(videos)
    assert found == pytest.approx({"value": 20, "least": 0, "prompts": 2}, abs=1.5)
    vbench.run(config(results=results, table="true"))
    assert "Diversity" not in capsys.readouterr().out
    (results / "diversity.json").write_text(json.dumps(found))
    vbench.run(config(results=results, table="true"))
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("Diversity over seeds: two videos") and line in (results / "table.md").read_text()


def test_the_tool_is_called_for_what_has_no_result(tool, tmp_path, monkeypatch):
    monkeypatch.setattr(vbench, "diversity", lambda videos: {"value": 9.0, "least": 1.0, "prompts": 2})
    with pytest.raises(UserError, match="environment of its own"):
        vbench.run(measuring(tmp_path, tool=tmp_path / "env/bin/none"))
    vbench.run(measuring(tmp_path))
    vbench.run(measuring(tmp_path))
    calls = (tmp_path / "calls").read_text().splitlines()
    dimensions = [call.split()[4] for call in calls if call.startswith("evaluate")]
    assert sorted(dimensions) == sorted([*vbench.QUALITY, *vbench.SEMANTIC])
    assert "differ by 9.0 of 255" in (tmp_path / "results/table.md").read_text()
    assert (tmp_path / "path").read_text().startswith(f"{tmp_path}/env/bin:")  # whose python the tool starts


def test_flickering_is_measured_on_its_own_static_videos_and_last(tool, tmp_path, monkeypatch):
    monkeypatch.setattr(vbench, "diversity", lambda videos: None)
    vbench.run(measuring(tmp_path))
    place = tmp_path / "results/temporal_flickering"
    chosen, measured = (tmp_path / "calls").read_text().splitlines()[-2:]
    assert chosen == f"static_filter --videos_path {tmp_path}/flickering --result_path {place}/filter"
    assert measured.startswith(f"evaluate --videos_path {place}/filter/filtered_videos --dimension temporal_flickering")


def test_a_dimension_that_the_tool_could_not_measure_ends_the_stage(tool, tmp_path):
    (tmp_path / "broken").touch()
    with pytest.raises(UserError, match="no result for subject_consistency"):
        vbench.run(measuring(tmp_path))
    tool.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(UserError, match="vbench evaluate .* failed"):
        vbench.run(measuring(tmp_path))


def test_paths_that_the_tool_would_take_apart_are_refused(tool, tmp_path):
    with pytest.raises(UserError, match="does not quote"):
        vbench.run(measuring(tmp_path, results=tmp_path / "two words"))
    (tmp_path / "videos/videos.json").touch()  # the tool would look for all videos as .json
    with pytest.raises(UserError, match="must hold videos alone"):
        vbench.run(measuring(tmp_path))


def test_missing_videos_are_refused_or_said_under_the_table(tool, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(vbench, "diversity", lambda videos: None)
    (tmp_path / "videos/a color-3.mp4").unlink()
    for path in (tmp_path / "flickering").iterdir():
        path.unlink()
    with pytest.raises(UserError, match="lacks 1 of the 5 videos of color, such as `a color-3.mp4`"):
        vbench.run(measuring(tmp_path))
    assert not (tmp_path / "calls").exists()
    vbench.run(measuring(tmp_path, partial="true"))
    told = capsys.readouterr().out
    assert "Partial, not comparable with the paper: videos of color 4 of 5." in told
    assert "without results: temporal_flickering" in told
    with pytest.raises(UserError, match="holds no videos"):
        vbench.run(measuring(tmp_path, partial="true", videos=tmp_path / "gone", results=tmp_path / "others"))


def test_unreadable_results_and_unknown_rows_are_refused(tmp_path):
    with pytest.raises(UserError, match="no row"):
        vbench.table(config(row="TMD-N9H9"), {})
    (tmp_path / "a_eval_results.json").write_text("[1")
    with pytest.raises(UserError, match="not a result"):
        vbench.read_results(tmp_path)


# -- account -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "parameters", "judge"), [("1.3b", 1.419e9, 67.87e6), ("14b", 14.288e9, 170.9e6)])
def test_parameters_of_the_full_sizes(size, parameters, judge):
    teacher, student, discriminator = account.make(account.shape_of(size), StudentConfig(2, 2, 5), size)
    assert account.count_parameters(teacher) == pytest.approx(parameters, rel=1e-3)
    assert account.count_parameters(discriminator) == pytest.approx(judge, rel=1e-3)
    width = teacher.config.width
    extra = account.count_parameters(student) - account.count_parameters(teacher)
    fusion = 4 * width**2 + 3 * width + 3 * width + 1
    interval = (256 + 1) * width + (width + 1) * width
    assert extra == fusion + interval


@pytest.mark.parametrize("size", ["1.3b", "14b"])
def test_operations_are_those_that_pytorch_counts(size):
    shape = account.shape_of(size)
    assert shape.tokens == 32_760 and 16 * 21 * 60 * 104 == shape.tokens * shape.token_channels == 2_096_640
    with torch.device("meta"):
        network = account.WanDiT(shape)
    assert account.counted_operations(shape, network) == account.forward_operations(shape)


def test_the_students_operations_are_its_effective_nfe():
    """Eq. 16 counts blocks alone; fusion and embeddings add little."""
    for size, plan in (("1.3b", StudentConfig(2, 2, 5)), ("14b", StudentConfig(1, 4, 5))):
        shape = account.shape_of(size)
        nfe = account.effective_nfe(plan, shape.blocks)
        passes = account.student_operations(shape, plan) / account.forward_operations(shape)
        assert nfe < passes < 1.02 * nfe


def test_the_report_says_what_a_run_needs():
    told = account.report(load_config(account.Config, None, ["size=14b", "outer_steps=1", "inner_steps=4", "ranks=32"]))
    assert "effective NFE 1.375" in told
    assert "fsdp on 32 GPUs" in told
    with pytest.raises(UserError, match="size must be"):
        account.report(load_config(account.Config, None, ["size=5b"]))
    for nothing in ("ranks=0", "used=0"):
        with pytest.raises(UserError, match="ranks must be at least 1, tflops and used above 0"):
            account.report(load_config(account.Config, None, [nothing]))
