"""Prompts to training data and to videos, with a tiny text encoder and autoencoder of the real classes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKLWan
from safetensors import SafetensorError
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel

from distill.config import UserError, load_config
from distill.tests.wan.tiny import LATENT, TEXT, overrides, write_clips, write_weights
from distill.wan import clips, data, media, sample, tmd
from distill.wan.clips import Clips, read_clip
from distill.wan.model import WanShape, halve
from distill.wan.weights import Published, published_shape

PROMPTS = ["a red car on a road", "two cats", "rain"]


def write_encoders(folder: Path) -> None:
    """folder/text_encoder, tokenizer and vae as the published models have them."""
    torch.manual_seed(5)
    sizes = {"d_model": TEXT, "d_kv": 4, "d_ff": 16, "num_layers": 1, "num_heads": 2, "vocab_size": 20}
    UMT5EncoderModel(UMT5Config(**sizes)).save_pretrained(folder / "text_encoder")
    words = ["<pad>", "</s>", "<unk>", "a", "red", "car", "on", "road", "two", "cats", "rain"]
    tokenizer = Tokenizer(WordLevel({word: index for index, word in enumerate(words)}, "<unk>"))
    tokenizer.pre_tokenizer = Whitespace()
    named = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named).save_pretrained(folder / "tokenizer")
    AutoencoderKLWan(base_dim=8, dim_mult=[1, 1, 1, 1], num_res_blocks=1).save_pretrained(folder / "vae")


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    """weights/ with everything, data/, a prompt list, and a student after one step of stage 1."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("wan")
    write_weights(folder / "weights")
    write_encoders(folder / "weights")
    write_clips(folder / "data")
    (folder / "prompts.txt").write_text("\n".join(PROMPTS) + "\n\n")
    tmd.run(load_config(tmd.Config, None, overrides(folder, batch=1)))
    return folder


def config(world: Path, **changes) -> sample.Config:
    values = {
        "student": world / "runs/wan-tmd",
        "weights": world / "weights",
        "prompts": world / "prompts.txt",
        "videos": world / "videos",
        "latent": "[3,4,6]",
        "dtype": "float32",
        "seeds": 1,
    }
    return load_config(sample.Config, None, [f"{key}={value}" for key, value in (values | changes).items()])


def test_a_student_is_sampled_to_videos(world, monkeypatch):
    (world / "videos").mkdir()
    kept = world / "videos/two cats-0.mp4"
    kept.write_bytes(b"made before")
    sample.run(config(world))
    assert sorted(path.name for path in (world / "videos").iterdir()) == sorted(f"{p}-0.mp4" for p in PROMPTS)
    assert kept.read_bytes() == b"made before"
    video = media.read_video(world / "videos/rain-0.mp4")
    assert video.shape == (9, 32, 48, 3) and video.std() > 0
    monkeypatch.setattr(sample, "write_video", lambda path, frames: pytest.fail(f"{path} was made again"))
    sample.run(config(world))
    note = json.loads((world / "videos.json").read_text())
    assert (note["run"], note["step"], note["student_outer_steps"]) == ("wan-tmd", 1, 2)
    (world / "videos.json").write_text(json.dumps(note | {"student_outer_steps": 1}))
    with pytest.raises(UserError, match="holds other videos: student_outer_steps is 1 there and 2 here"):
        sample.run(config(world))


def test_videos_lie_in_the_students_run(world):
    for student in ("runs/wan-tmd", "runs/wan-tmd/step-000001"):  # a checkpoint's own folder goes with the next one
        chosen = load_config(sample.Config, None, [f"student={world / student}"])
        assert sample.folder_of(chosen) == world / "runs/wan-tmd/videos"


def test_a_student_is_halved_before_it_takes_memory(world):
    whole, half = (sample.load_student(config(world, dtype=dtype), "cpu") for dtype in ("float32", "bfloat16"))
    halved = halve(whole, torch.bfloat16).state_dict()
    assert all(torch.equal(value, halved[name]) for name, value in half.state_dict().items())
    published = Published(str(world / "weights"))
    teacher = data.load_teacher(published, list(LATENT), "cpu", torch.bfloat16)
    assert torch.equal(teacher.blocks[0].ffn.net[2].weight, published.read("blocks.0.ffn.net.2.weight").bfloat16())


def test_the_sizes_alone_are_downloaded_for_sampling(world, monkeypatch):
    asked = []

    def download(where, allow_patterns):
        asked.extend(allow_patterns)
        return world / "weights"

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    assert published_shape("some/hub-id", LATENT).blocks == 4
    assert asked == ["transformer/config.json"]


def test_videos_are_named_and_shared_as_vbench_expects(world):
    chosen = config(world, seeds=5, videos=world / "none")
    shares = [list(sample.jobs(chosen, rank, 4)) for rank in range(4)]
    made = sorted(job.path.name for share in shares for job in share)
    assert made == sorted(f"{prompt}-{index}.mp4" for prompt in PROMPTS for index in range(5))
    assert {len(share) for share in shares} <= {3, 4}
    (world / "told.txt").write_text("A shiny red car ...\nTwo cats ...\nRain falls ...\n")
    rewritten = list(sample.jobs(config(world, seeds=2, rewritten=world / "told.txt", videos=world / "none"), 0, 1))
    assert rewritten[0].rewritten == "A shiny red car ..." and rewritten[0].path.name == "a red car on a road-0.mp4"


def test_a_prompt_that_stands_twice_is_sampled_once_and_a_list_chooses(world):
    (world / "doubles.txt").write_text("rain\ntwo cats\nrain\na red car on a road\n")
    (world / "doubles-told.txt").write_text("Rain falls ...\nTwo cats ...\nIt rains ...\nA shiny red car ...\n")
    (world / "only.txt").write_text("a red car on a road\nrain\n")
    changes = {"prompts": world / "doubles.txt", "rewritten": world / "doubles-told.txt", "videos": world / "none"}
    once = list(sample.jobs(config(world, **changes), 0, 1))
    assert [(job.line, job.rewritten) for job in once] == [
        (0, "Rain falls ..."),
        (1, "Two cats ..."),
        (3, "A shiny red car ..."),
    ]
    chosen = list(sample.jobs(config(world, only=world / "only.txt", seeds=2, **changes), 0, 1))
    assert [(job.line, job.index) for job in chosen] == [(0, 0), (0, 1), (3, 0), (3, 1)]
    with pytest.raises(UserError, match="`a red car on a road` of .*only.txt is not in"):
        (world / "no-car.txt").write_text("rain\n")
        list(sample.jobs(config(world, only=world / "only.txt", prompts=world / "no-car.txt"), 0, 1))


def test_a_videos_noise_depends_on_its_place_alone():
    shape = WanShape(4, 24, 2, 32, latent=LATENT)
    noise = clips.noise_for(shape, 1, 3, 2, count=3)
    assert noise.shape == (1, 3, shape.tokens, shape.token_channels)
    assert torch.equal(noise, clips.noise_for(shape, 1, 3, 2, count=3))
    assert not torch.equal(noise, clips.noise_for(shape, 1, 2, 3, count=3))


def test_lists_that_cannot_be_are_refused(world):
    (world / "short.txt").write_text("one\n")
    (world / "slash.txt").write_text("either/or\n")
    (world / "empty.txt").write_text("\n")
    for changes, reason in (
        ({"rewritten": world / "short.txt"}, "has 1 prompts and .* 3"),
        ({"prompts": world / "slash.txt"}, "cannot be a file's name"),
        ({"prompts": world / "empty.txt"}, "holds no prompts"),
        ({"prompts": world / "nowhere.txt"}, "not readable"),
        ({"seeds": 0}, "seeds=0 makes no videos"),
    ):
        with pytest.raises(UserError, match=reason):
            list(sample.jobs(config(world, videos=world / "none", **changes), 0, 1))


def test_prompts_become_training_data(world):
    keys = {"weights": world / "weights", "data": world / "made", "prompts": world / "prompts.txt", "steps": 2}
    keys |= {"latent": "[3,4,6]", "dtype": "float32"}
    chosen = load_config(data.Config, None, [f"{key}={value}" for key, value in keys.items()])
    data.run(chosen)
    files = sorted((world / "made/clips").iterdir())
    clip = read_clip(files[0])
    assert [path.name for path in files] == [f"{number:06d}.safetensors" for number in range(3)]
    assert clip["latent"].shape == (16, *LATENT) and clip["latent"].isfinite().all()
    assert clip["text"].shape[1] == TEXT and clip["text"].dtype is torch.bfloat16
    shape = WanShape(4, 24, 2, 32, text_width=TEXT, latent=LATENT)
    pairs = Clips(world / "made", shape, batch=3, micro_batch=3, seed=1, device="cpu")
    for path, noise in zip(pairs.paths(0, 0), pairs.noise(0, 0), strict=True):
        assert torch.equal(noise, clips.noise_for(shape, chosen.seed, int(path.stem))[0, 0])
    before = files[0].stat().st_mtime_ns
    files[1].unlink()
    data.run(chosen)
    assert files[0].stat().st_mtime_ns == before and files[1].is_file()


def test_videos_become_training_data(world):
    (world / "films").mkdir()
    frames = np.random.default_rng(0).integers(0, 255, (9, 32, 48, 3), np.uint8)
    (world / "one.txt").write_text("rain\n")
    keys = {"weights": world / "weights", "data": world / "filmed", "prompts": world / "one.txt"}
    keys |= {"latent": "[3,4,6]", "dtype": "float32", "videos": world / "films"}
    chosen = load_config(data.Config, None, [f"{key}={value}" for key, value in keys.items()])
    with pytest.raises(UserError, match="not a readable video"):
        data.run(chosen)
    media.write_video(world / "films/000000.mp4", frames[:5])
    with pytest.raises(UserError, match=r"has a latent of \[2, 4, 6\]"):
        data.run(chosen)
    media.write_video(world / "films/000000.mp4", frames)
    data.run(chosen)
    assert read_clip(world / "filmed/clips/000000.safetensors")["latent"].shape == (16, *LATENT)
    shape = WanShape(4, 24, 2, 32, text_width=TEXT, latent=LATENT)
    with pytest.raises(UserError, match="000000.safetensors has no noise to learn from"):
        Clips(world / "filmed", shape, batch=1, micro_batch=1, seed=1, device="cpu").noise(0, 0)


def test_a_text_encoder_or_autoencoder_that_is_cut_short_is_refused(world, tmp_path):
    shutil.copytree(world / "weights", tmp_path / "cut")
    for part in ("text_encoder", "vae"):
        (file,) = (tmp_path / "cut" / part).glob("*.safetensors")
        file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(UserError, match="the text encoder in .* is not readable .* cut short"):
        media.TextEncoder(str(tmp_path / "cut"), "cpu", torch.float32)
    with pytest.raises(UserError, match="the autoencoder in .* is not readable .* cut short"):
        media.VideoAutoencoder(str(tmp_path / "cut"), "cpu")


def test_a_video_is_written_whole_or_a_sentence_says_why(tmp_path, monkeypatch):
    frames = np.zeros((5, 32, 48, 3), np.uint8)
    with pytest.raises(UserError, match="could not be written"):
        media.write_video(tmp_path / "odd.mp4", frames[:, :31])  # x264 takes even sides alone
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "cut.mp4").write_bytes(b"no video at all")
    with pytest.raises(UserError, match="not a readable video"):
        media.read_video(tmp_path / "cut.mp4")

    opened = []

    def stopped(path, *rest, **named):
        opened.append(Path(path))
        raise KeyboardInterrupt

    monkeypatch.setattr(media.av, "open", stopped)
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        with pytest.raises(KeyboardInterrupt):
            media.write_video(tmp_path / "a.mp4", frames)
    assert len(set(opened)) == 2 and all(path.suffix == ".part" for path in opened)


def test_a_clip_that_does_not_fit_on_the_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(tensors, path, metadata):
        path.write_bytes(b"half")
        raise SafetensorError("No space left on device (os error 28)")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(UserError, match="000001.safetensors could not be written .*No space left"):
        clips.write_clip(tmp_path / "000001.safetensors", {"latent": torch.zeros(2)})
    assert list(tmp_path.iterdir()) == []


def test_clips_depend_on_the_step_and_the_micro_batch_alone(world):
    shape = WanShape(4, 24, 2, 32, text_width=TEXT, latent=LATENT)
    one = Clips(world / "data", shape, batch=4, micro_batch=2, seed=1, device="cpu")
    other = Clips(world / "data", shape, batch=4, micro_batch=1, seed=1, device="cpu")
    latents, told = one.micro_batch(5, 1, dropout=0.5)
    apart = [other.micro_batch(5, number, dropout=0.5) for number in (2, 3)]
    assert torch.equal(latents, torch.cat([x for x, _ in apart]))
    assert torch.equal(told.text, torch.cat([c.text for _, c in apart]))
    seen = {float(other.micro_batch(step, number)[0].sum()) for step in range(3) for number in range(2)}
    assert len(seen) > 3
    with pytest.raises(UserError, match=r"not \[16, 3, 4, 8\]"):
        Clips(world / "data", WanShape(4, 24, 2, 32, latent=(3, 4, 8)), 1, 1, 1, "cpu").micro_batch(0, 0)
    with pytest.raises(UserError, match="run the stage wan-data first"):
        Clips(world / "nowhere", shape, 1, 1, 1, "cpu")
