"""Episodes of any world, packed and encoded: no words, no instruments, frames of another size."""

import json

import msgpack
import numpy as np
import pytest
import torch

from distill.config import load_config
from distill.data import latents as latents_stage
from distill.data import prepare
from distill.data.packed import EpisodeError, Latents, Packed, Packer, read_episode
from distill.data.starts import choose_moments
from distill.methods import codec as codec_stage
from distill.models.codec import to_frames, to_input
from distill.models.patch_codec import UNSEEN, PatchCodec
from distill.tests import square
from distill.world import DRIVE, WorldSpec, world_of


def packed_square(tmp_path):
    data = square.write(tmp_path / "data")
    config = load_config(prepare.Config, None, [f"data={data}", "splits=[train,validation]"])
    prepare.run(config)
    return data


def test_the_world_of_a_recording_is_what_its_episodes_say(tmp_path):
    data = packed_square(tmp_path)
    world = world_of(data)
    assert (world.id, world.title, world.width, world.height, world.ticksPerSecond) == ("square", "Square", 64, 32, 10)
    assert world.controls == square.CONTROLS and not world.prompt and not world.telemetry and not world.is_drive
    packed = Packed(data, "train")
    assert packed.frames.shape == (440, 32, 64, 3) and packed.telemetry.shape == (440, 1)
    first = square.episode(0)
    np.testing.assert_array_equal(packed.actions[:110], np.frombuffer(first["actions"], "<f4").reshape(110, 2))
    assert packed.captions == [{"text": ""}] and packed.labels().shape == (1, 0)
    assert world_of(tmp_path) == DRIVE


def test_latents_hold_the_picture_and_nothing_else(tmp_path):
    data = packed_square(tmp_path)
    common = [f"data={data}", f"runs={tmp_path / 'runs'}"]
    codec_stage.run(load_config(codec_stage.Config, None, [*common, "patch=8", "channels=4"]))
    file = tmp_path / "runs/codec/codec.pt"
    given = [*common, f"codec={file}", "splits=[train,validation]"]
    latents_stage.run(load_config(latents_stage.Config, None, given))
    latents = Latents(data, "validation")
    assert latents.latents.shape == (220, 4 * 8, 4) and not latents.can_flip
    assert latents.embeddings.shape == (1, 0) and latents.codec["columns"] == 8
    sample = latents.gather(latents.transitions()[:3], [1, 2, 4], 4)
    assert sample["actions"].shape == (3, 4, 2) and sample["history"].shape == (3, 3, 32, 4)


def test_one_hot_actions_are_packed_as_a_network_is_told_of_them():
    axis = {"name": "action", "kind": "axis", "values": [0, 1, 2], "keys": [["Digit1"], ["Digit2"]]}
    world = WorldSpec("w", 32, 32, 20, [axis, square.CONTROLS[1]], encoding="one-hot")
    assert world.action_dims == 5
    assert world.encode([[2, 0], [0, 1]]).tolist() == [[0, 0, 1, 1, 0], [1, 0, 0, 0, 1]]
    assert world.idle.tolist() == [1, 0, 0, 1, 0]
    with pytest.raises(ValueError, match="none of"):
        world.encode([[3, 0]])


def test_another_size_in_one_folder_and_another_game_are_refused(tmp_path):
    def read(name, **changes):
        path = tmp_path / name
        path.write_bytes(msgpack.packb(square.episode(1, **changes)))
        return read_episode(path)

    packer = Packer(tmp_path / "data/train/packed")
    packer.append("a", read("a"))
    other = read("b")
    other["world"] = WorldSpec(**vars(other["world"]) | {"width": 32})
    with pytest.raises(EpisodeError, match="frames of 32x32, the packed ones are 32x64"):
        packer.append("b", other)
    with pytest.raises(EpisodeError, match="another world: its id"):
        packer.append("c", read("c", world="circle"))


def test_a_value_that_no_control_has_is_said(tmp_path):
    path = tmp_path / "ep-0000001.msgpack"
    bad = np.full((110, 2), 0.5, "<f4").tobytes()
    path.write_bytes(msgpack.packb(square.episode(1, actions=bad)))
    with pytest.raises(EpisodeError, match=r"a control is 0.5, which is none of \[-1, 0, 1\]"):
        read_episode(path)


def test_a_dream_may_begin_at_moments_that_are_not_near_an_end(tmp_path):
    data = square.write(tmp_path / "data")
    ends = np.zeros(110, np.uint8)
    ends[60] = 1
    for path in (data / "train").glob("ep-*.msgpack"):
        path.write_bytes(msgpack.packb(square.episode(int(path.stem[3:]), dones=ends.tobytes())))
    config = load_config(prepare.Config, None, [f"data={data}", "splits=[train]"])
    prepare.run(config)
    packed = Packed(data, "train")
    rows = choose_moments(packed, 8)
    assert len(rows) == 8
    for row in rows:
        assert not packed.dones[row - 15 : row + 20].any()


def test_a_damaged_description_is_said(tmp_path):
    (tmp_path / "world.json").write_text(json.dumps({"id": "x"}))
    with pytest.raises(Exception, match="does not describe a world"):
        world_of(tmp_path)


def test_a_codec_of_few_kinds_of_patches_has_no_number_that_is_noise(tmp_path):
    codec = PatchCodec(8, 8, 32, 64)
    frames = Packed(packed_square(tmp_path), "train").frames[:200]
    codec.fit(frames, symmetric=False)
    assert codec.encoder.weight.abs().max() < 1 / UNSEEN
    encoded = codec.encode(to_input(frames))
    assert encoded.std((0, 1))[:2].allclose(torch.ones(2), atol=0.2) and encoded.std((0, 1))[4:].max() < 0.01
    assert np.abs(to_frames(codec.decode(encoded)).astype(int) - frames).max() <= 1
