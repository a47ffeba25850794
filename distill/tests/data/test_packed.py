"""Episodes to packed arrays."""

import json

import msgpack
import numpy as np
import pytest
import torch

from distill.config import UserError
from distill.data.conditioning import caption_conditioning
from distill.data.latents import embed_paraphrases, read_paraphrases
from distill.data.packed import EpisodeError, Latents, Packed, read_episode
from distill.data.prepare import prepare_split
from distill.models.prompt_classifier import LABEL_CHOICES
from distill.tests import synthetic
from distill.world import RING

PARAPHRASES = "distill/paraphrases.json.gz"


def test_an_episode_is_read_as_it_was_written(tmp_path):
    synthetic.write(tmp_path, "train", [5], ticks=30, change=12)
    raw = synthetic.episode(5, ticks=30, change=12)
    episode = read_episode(tmp_path / "train" / "ep-0000005.msgpack")
    assert episode["frames"].shape == (30, 96, 160, 3) and episode["frames"].std() > 10
    assert episode["actions"].tobytes() == raw["actions"]
    assert [prompt["tick"] for prompt in episode["prompts"]] == [0, 12]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "zip"}, "not an oneiro-episode"),
        ({"frames": b"x"}, "damaged"),
        ({"actions": b"\0"}, "damaged"),
        ({"prompts": []}, "prompt at tick 0"),
        ({"prompts": [{"tick": 0, "biome": "moon", "time": "noon", "weather": "fog"}]}, "biome is moon"),
    ],
)
def test_what_is_wrong_with_an_episode_is_said(tmp_path, change, message):
    path = tmp_path / "ep.msgpack"
    path.write_bytes(msgpack.packb(synthetic.episode(1, ticks=20) | change))
    with pytest.raises(EpisodeError, match=message):
        read_episode(path)


def test_prepare_adds_what_is_new_and_leaves_half_written_files_for_later(tmp_path):
    synthetic.write(tmp_path, "train", [1, 2], ticks=20)
    whole = (tmp_path / "train" / "ep-0000002.msgpack").read_bytes()
    (tmp_path / "train" / "ep-0000002.msgpack").write_bytes(whole[:-100])
    assert prepare_split(tmp_path / "train", "train") == (20, 1)
    (tmp_path / "train" / "ep-0000002.msgpack").write_bytes(whole)
    synthetic.write(tmp_path, "train", [3], ticks=20)
    assert prepare_split(tmp_path / "train", "train") == (60, 0)
    assert prepare_split(tmp_path / "train", "train") == (60, 0)
    packed = Packed(tmp_path, "train")
    for entry in packed.episodes:
        episode = read_episode(tmp_path / "train" / entry["file"])
        rows = slice(entry["start"], entry["start"] + entry["ticks"])
        assert np.array_equal(packed.frames[rows], episode["frames"])
        assert np.array_equal(packed.actions[rows], episode["actions"])


def test_rows_after_an_interrupted_prepare_do_not_count(tmp_path):
    synthetic.write(tmp_path, "train", [1], ticks=20)
    prepare_split(tmp_path / "train", "train")
    folder = tmp_path / "train" / "packed"
    with open(folder / "frames.u8", "ab") as file:
        file.write(b"half an episode")
    synthetic.write(tmp_path, "train", [2], ticks=20)
    prepare_split(tmp_path / "train", "train")
    expected = read_episode(tmp_path / "train" / "ep-0000002.msgpack")["frames"]
    assert np.array_equal(Packed(tmp_path, "train").frames[20:], expected)


def test_a_held_out_seed_never_enters_training(tmp_path):
    synthetic.write(tmp_path, "train", [1_000_000], ticks=20)
    with pytest.raises(UserError, match="belongs to heldout"):
        prepare_split(tmp_path / "train", "train")


def test_captions_ages_and_transitions(tmp_path):
    synthetic.write(tmp_path, "train", [1, 2], ticks=60, change=20)
    prepare_split(tmp_path / "train", "train")
    packed = Packed(tmp_path, "train")
    assert packed.prompts[19] != packed.prompts[20] == packed.prompts[59]
    assert packed.since[20] == 0 and packed.since[59] == 39 and packed.since[10] > 1000
    assert (
        packed.captions[packed.prompts[20]]["text"] == synthetic.episode(1, ticks=60, change=20)["prompts"][1]["text"]
    )
    rows = packed.transitions(2)
    assert rows.tolist() == [*range(RING - 1, 58), *range(60 + RING - 1, 118)]
    assert 25 not in packed.settled() and 59 in packed.settled() and 10 in packed.settled()


def test_gather_aligns_history_actions_and_target(tmp_path):
    synthetic.write(tmp_path, "train", [1], ticks=40)
    prepare_split(tmp_path / "train", "train")
    folder = tmp_path / "train" / "packed"
    latents = np.arange(40, dtype=np.float16)[:, None, None] * np.ones((1, 6, 2), np.float16)
    latents.tofile(folder / "latents.f16")
    (-latents).tofile(folder / "flipped.f16")
    entry = {"codec": "x", "rows": 40, "tokens": 6, "channels": 2, "flipped": True}
    (folder / "latents.json").write_text(json.dumps(entry))
    np.save(folder / "embeddings.npy", np.ones((1, 8), np.float32))
    data = Latents(tmp_path, "train")
    batch = data.gather(np.array([20, 30]), [1, 2, 16], 4, flip=np.array([False, True]))
    assert batch["target"][:, 0, 0].tolist() == [21, -31]
    assert batch["history"][:, :, 0, 0].tolist() == [[20, 19, 5], [-30, -29, -15]]
    assert np.array_equal(batch["actions"][0], data.actions[[20, 19, 18, 17]])
    assert np.array_equal(batch["actions"][1], data.actions[[30, 29, 28, 27]] * [-1, 1])
    assert batch["history"].dtype == np.float32
    assert torch.equal(caption_conditioning(data, 8), torch.ones(1, 8))
    assert caption_conditioning(data, LABEL_CHOICES).sum(1).tolist() == [3]
    with pytest.raises(UserError, match="takes prompts of 9 numbers"):
        caption_conditioning(data, 9)


def fake_embed(texts: list[str]) -> np.ndarray:
    return np.array([[len(text), sum(map(ord, text))] for text in texts], np.float32)


def test_a_paraphrase_says_the_setting_of_its_row(tmp_path):
    synthetic.write(tmp_path, "train", [1, 2], ticks=40, change=20)
    prepare_split(tmp_path / "train", "train")
    packed = Packed(tmp_path, "train")
    (packed.folder / "latents.json").write_text(
        json.dumps({"codec": "x", "rows": 80, "tokens": 1, "channels": 1, "flipped": False})
    )
    np.zeros(80, np.float16).tofile(packed.folder / "latents.f16")
    np.save(packed.folder / "embeddings.npy", np.zeros((len(packed.captions), 2), np.float32))
    settings = read_paraphrases(PARAPHRASES)
    embed_paraphrases(PARAPHRASES, packed, fake_embed)
    data = Latents(tmp_path, "train")
    for row in (5, 25, 45, 65):
        caption = data.captions[data.prompts[row]]
        said = next(s for s in settings if all(s[name] == caption[name] for name in ("biome", "time", "weather")))
        count = len(said["texts"])
        for number in (0, count - 1):
            drawn = data.paraphrased(np.array([row]), np.array([(number + 0.5) / count]))
            assert np.array_equal(drawn, fake_embed([said["texts"][number]]))


def test_paraphrases_that_miss_a_setting_are_refused(tmp_path):
    synthetic.write(tmp_path, "train", [1], ticks=40)
    prepare_split(tmp_path / "train", "train")
    settings = read_paraphrases(PARAPHRASES)
    (tmp_path / "few.json").write_text(json.dumps(settings[:79]))
    with pytest.raises(UserError, match="80 settings"):
        embed_paraphrases(str(tmp_path / "few.json"), Packed(tmp_path, "train"), fake_embed)
