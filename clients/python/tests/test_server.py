"""Worlds over the wire: against `npm run serve`, and against peers that misbehave."""

from __future__ import annotations

import base64
import json
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from serving import ROOT, serving

import oneiro
from oneiro.manifest import Manifest
from oneiro.net.latents import unpack_latent

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed"),
    pytest.mark.skipif(find_spec("websockets") is None, reason='pip install "oneiro[server]"'),
]

TINY = ROOT / "e2e" / "fixtures" / "tiny"


@pytest.fixture(scope="module")
def drive_server(drive_folder: Path) -> Iterator[str]:
    with serving(drive_folder, "--max-sessions", "2") as child:
        yield child.url


@pytest.fixture(scope="module")
def buttons_server(buttons_folder: Path) -> Iterator[str]:
    with serving(buttons_folder, "--max-sessions", "1", "--token", "a token of this test") as child:
        yield child.url


TOKEN = "a token of this test"


def psnr(a: Any, b: Any) -> float:
    error = np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2)
    return float("inf") if error == 0 else 10 * np.log10(255**2 / error)


@pytest.mark.parametrize("name", ["drive", "tiny"])
def test_a_payload_is_read_as_in_node_to_the_bit(name, drive_folder, tmp_path):
    folder = {"drive": drive_folder, "tiny": TINY}[name]
    report = tmp_path / "report.json"
    command = ["node", "scripts/tsx.mjs", "clients/python/tests/node-latents.ts", str(folder), str(report)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    m: Manifest = oneiro.net.remote.open_decoder(folder).manifest
    payload = b""
    for packed in json.loads(report.read_text()):
        payload = base64.b64decode(packed["payload"])
        latent = unpack_latent(payload, m.tokens, m.channels, m.columns, len(m.telemetry))
        assert latent.astype(np.float32).tobytes() == base64.b64decode(packed["latent"])
    for damaged in (b"", b"\x03", payload[:9], b"\x09" + payload[1:], payload[:2] + b"\x01" + payload[3:]):
        with pytest.raises(oneiro.WireMalformedError, match="Check that both ends"):
            unpack_latent(damaged, m.tokens, m.channels, m.columns, len(m.telemetry))


def test_a_drive_over_the_wire_is_the_drive(drive_server, drive_folder, drive):
    """Reward and end as they are, readings and picture as the wire rounds them, and the state to the bit."""
    words = "a snowy night drive"
    with oneiro.open_server(drive_server, drive_folder) as remote:
        assert (remote.info.id, remote.info.kind, remote.info.reward) == ("drive", "remote", True)
        assert remote.space.size == drive.space.size
        ticks = [(remote.reset(7, words), drive.reset(7, words))]
        for i in range(6):
            if i == 3:
                assert remote.set_prompt("desert highway at sunset") == 4
                drive.set_prompt("desert highway at sunset")
            action = {"steer": i % 3 - 1, "throttle": 1}
            ticks.append((remote.step(action), drive.step(action)))
        for there, here in ticks:
            assert (there.index, there.done) == (here.index, here.done)
            assert there.reward == np.float32(here.reward)
            assert psnr(there.frame, here.frame) > 33
            for one in drive.manifest.telemetry:
                assert abs(there.telemetry[one.name] - here.telemetry[one.name]) <= one.spread / 512 + 1e-6
        kept, mine = remote.snapshot(), drive.snapshot()
        assert kept["prompt"]["text"] == mine["prompt"]["text"]
        for name, array in mine["state"].items():
            assert np.array_equal(kept["state"][name], array), name
        # It goes on here, and what was here goes on there, through JSON too.
        assert np.array_equal(drive.restore(kept).latent, ticks[-1][1].latent)
        drive.step(drive.space.idle)
        text = oneiro.write_snapshot(drive.snapshot())
        tick = remote.restore(oneiro.read_snapshot(text))
        assert tick.index == 7
        assert np.array_equal(remote.snapshot()["state"]["halfLatents"], drive.snapshot()["state"]["halfLatents"])
        assert (remote.read_telemetry(), remote.read_pixels().shape) == (tick.telemetry, (96, 160, 4))


def test_without_the_folder_frames_come_as_images(drive_server, drive):
    with oneiro.open_server(drive_server) as remote:
        there, here = remote.reset(3, "foggy morning in the woods"), drive.reset(3, "foggy morning in the woods")
        assert psnr(there.frame, here.frame) > 28
        assert remote.info.telemetry == () and there.telemetry is None
        with pytest.raises(oneiro.BadInputError, match="world=..."):
            _ = there.latent


def test_gymnasium_plays_at_a_server(drive_server, drive_folder):
    for world, observation in ((None, "frame"), (drive_folder, "telemetry")):
        env = gymnasium.make("Oneiro/Drive-v0", server=drive_server, world=world, observation=observation)
        seen, info = env.reset(seed=7, options={"prompt": "a snowy night drive"})
        assert env.observation_space.contains(seen) and info["tick"] == 0
        env.unwrapped.set_prompt("fog")
        rewards = [env.step(np.array([1, 2]))[1] for _ in range(5)]
        assert sum(rewards) > 1
        env.close()


def test_a_seed_of_any_size_goes_over(drive_server):
    with oneiro.open_server(drive_server) as remote:
        for seed in (0, 2**31, 2**32, 2**53 - 1):
            remote.reset(seed)
            assert remote.snapshot()["seed"] == seed
            assert remote.restore(remote.snapshot()).index == 0


def test_the_checker_of_gymnasium_finds_nothing(buttons_folder):
    # It opens another environment for each render mode, beside the first.
    with serving(buttons_folder, "--max-sessions", "8") as child, catch_warnings():
        simplefilter("error")
        env = gymnasium.make("Oneiro/World-v0", server=child.url, max_episode_steps=20, render_mode="rgb_array")
        check_env(env.unwrapped)


def test_several_environments_are_several_seats(drive_server):
    envs = gymnasium.make_vec("Oneiro/Drive-v0", 2, vectorization_mode="sync", server=drive_server)
    envs.reset(seed=5)
    observations, rewards, *_ = envs.step(np.array([[1, 2], [0, 2]]))
    assert observations.shape == (2, 96, 160, 3) and (rewards != 0).all()
    envs.close()
    with pytest.raises(oneiro.BadInputError, match="vectorization_mode"):
        gymnasium.make_vec("Oneiro/Drive-v0", 2, server=drive_server)


def test_wrong_input_is_refused_and_the_drive_goes_on(drive_server, drive_folder, buttons):
    with oneiro.open_server(drive_server, drive_folder) as remote:
        with pytest.raises(oneiro.NotReadyError):
            remote.step(remote.space.idle)
        remote.reset(1)
        nan = float("nan")
        for action, sentence in (
            ({"steer": 0, "throtle": 1}, 'Did you mean "throttle"'),
            ({"steer": nan, "throttle": 1}, "-1, 0, 1, but nan came"),
            ({"steer": 0}, '"throttle" of an action'),
            ([0, 1], "a list came"),
        ):
            with pytest.raises(oneiro.BadInputError, match=sentence):
                remote.step(action)
        for seed in (-1, 0.5, 2**53, None):
            with pytest.raises(oneiro.BadInputError, match="A seed is"):
                remote.reset(seed)
        # What only the server can know, it says.
        with pytest.raises(oneiro.BadInputError, match='No start is called "nowhere"'):
            remote.reset(1, start="nowhere")
        for words, sentence in (
            ("", "at least one word"),
            (5, "5 came"),
            ("x" * 1001, "1000 characters"),
            (oneiro.Prompt("x", np.ones((2, 2))), "a row of floats"),
            (oneiro.Prompt("x", np.ones(3, np.float32)), "16 floats"),
        ):
            with pytest.raises(oneiro.BadInputError, match=sentence):
                remote.set_prompt(words)
        buttons.reset(1)
        with pytest.raises(oneiro.SnapshotMismatchError, match='world is buttons|world is "buttons"'):
            remote.restore(buttons.snapshot())
        kept = remote.snapshot()
        with pytest.raises(oneiro.SnapshotMismatchError, match="modelHash"):
            remote.restore({**kept, "modelHash": "0" * 64})
        half = {**kept["state"], "halfLatents": kept["state"]["halfLatents"][:5]}
        with pytest.raises(oneiro.BadInputError, match="state.halfLatents"):
            remote.restore({**kept, "state": half})
        for broken in (5, {}, {**kept, "tick": -1}, {**kept, "seed": "x"}, {**kept, "state": {"halfLatents": ["x"]}}):
            with pytest.raises((oneiro.BadInputError, oneiro.SnapshotMismatchError)):
                remote.restore(broken)
        assert remote.step({"steer": 0, "throttle": 1}).index == 1
    remote.close()
    for call in (remote.snapshot, lambda: remote.step({"steer": 0, "throttle": 1}), lambda: remote.reset(1)):
        with pytest.raises(oneiro.WorldClosedError):
            call()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"server": "http://localhost:7700"}, 'like "ws://localhost:7700", but'),
        ({"server": 5}, "but 5 came"),
        ({"observation": "telemetry"}, "Give the folder of the same world"),
        ({"observation": "pixels"}, '"observation" is one of'),
        ({"temperature": 2}, 'no option "temperature"'),
        ({"timeout": float("nan")}, '"timeout" is seconds'),
        ({"wait": -1}, '"wait" is seconds'),
        ({"token": ""}, "A token is"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_asked(options, sentence):
    with pytest.raises(oneiro.BadInputError, match=sentence):
        oneiro.WorldEnv(**{"server": "ws://localhost:9", **options})


def test_a_server_of_another_world_is_refused(buttons_server, drive_folder):
    with pytest.raises(oneiro.BadInputError, match='needs a server of the world "drive".*it dreams "buttons"'):
        gymnasium.make("Oneiro/Drive-v0", server=buttons_server, token=TOKEN)
    with pytest.raises(oneiro.ServerRefusedError) as refused:
        oneiro.open_server(buttons_server, drive_folder, token=TOKEN)
    assert refused.value.code == "NO_COMMON_FORMAT"


@pytest.mark.parametrize("token", [None, "another token than that"])
def test_a_wrong_token_is_refused(buttons_server, token):
    with pytest.raises(oneiro.ServerRefusedError, match="Ask its owner for it") as refused:
        oneiro.open_server(buttons_server, token=token)
    assert refused.value.code == "UNAUTHORIZED"


def test_a_full_server_says_so_or_is_waited_for(buttons_server):
    first = oneiro.open_server(buttons_server, token=TOKEN)
    with pytest.raises(oneiro.ServerRefusedError, match="you would be number 1 in line. Pass wait=60") as refused:
        oneiro.open_server(buttons_server, token=TOKEN)
    assert refused.value.code == "SERVER_FULL"
    with pytest.raises(oneiro.ServerRefusedError, match="after 0.3 s you are number 1"):
        oneiro.open_server(buttons_server, token=TOKEN, wait=0.3)
    threading.Timer(0.5, first.close).start()
    with oneiro.open_server(buttons_server, token=TOKEN, wait=30) as second:
        assert second.reset(1).index == 0


def test_an_agent_that_thinks_for_long_is_still_there(buttons_server):
    with oneiro.open_server(buttons_server, token=TOKEN) as world:
        world.reset(1)
        time.sleep(11)  # A server cuts who says nothing for 10 s.
        assert world.step(world.space.idle).index == 1


def test_a_server_that_goes_away_says_where_the_drive_is(drive_folder, drive):
    with serving(drive_folder, "--max-sessions", "1") as child:
        world = oneiro.open_server(child.url, drive_folder)
        world.reset(4, "a snowy night drive")
        latent = world.step({"steer": 0, "throttle": 1}).latent
        child.end(signal.SIGTERM)
        for _ in range(2):
            with pytest.raises(oneiro.ServerRefusedError, match="The server is going away") as refused:
                world.step({"steer": 0, "throttle": 1})
            assert refused.value.code == "SERVER_DRAINING"
        there = drive.restore(world.parting)
        assert there.index == 1
        assert np.abs(there.latent - latent).mean() < 1
        world.close()


def test_a_server_that_dies_or_freezes_ends_in_an_error(buttons_folder):
    with serving(buttons_folder, "--max-sessions", "2") as child:
        killed, frozen = (oneiro.open_server(child.url, timeout=6) for _ in range(2))
        killed.reset(1)
        frozen.reset(1)
        child.process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(oneiro.ConnectionLostError, match="no answer within 6 s"):
            frozen.step(frozen.space.idle)
        assert time.monotonic() - began < 20
        child.end()
        for _ in range(2):
            with pytest.raises(oneiro.ConnectionLostError, match="cannot be reached"):
                killed.step(killed.space.idle)
        with pytest.raises(oneiro.ConnectionLostError):
            frozen.snapshot()
        killed.close()
        frozen.close()
        with pytest.raises(oneiro.ConnectionLostError, match="cannot be reached"):
            oneiro.open_server(child.url)


@contextmanager
def peer(answer: Callable[[Any], None]) -> Iterator[str]:
    from websockets.sync.server import serve

    with serve(answer, "localhost", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"ws://localhost:{server.socket.getsockname()[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    ("answer", "error", "sentence"),
    [
        ("hello", oneiro.WireMalformedError, "binary messages only"),
        (b"", oneiro.WireMalformedError, "cannot be read"),
        (b"\x05", oneiro.WireMalformedError, "has number 5"),
        (b"\x81\x04\x80", oneiro.WireVersionError, "version 5 of the wire, but version 4 came"),
        (b"\x81\x05\x80", oneiro.WireMalformedError, "its world is not described"),
        (b"\x81\x05\xc1", oneiro.WireMalformedError, "not msgpack"),
        (b"\x84\x00", oneiro.WireMalformedError, "cannot be read"),
    ],
)
def test_a_peer_that_is_no_server_is_found_out(answer, error, sentence):
    with peer(lambda line: (line.send(answer), line.recv())) as url, pytest.raises(error, match=sentence):
        oneiro.open_server(url, timeout=20)


def test_a_peer_that_says_nothing_is_given_up():
    with (
        peer(lambda line: [None for _ in line]) as url,
        pytest.raises(oneiro.ConnectionLostError, match="no answer within 3 s"),
    ):
        oneiro.open_server(url, timeout=3)
    # Not even a websocket's handshake.
    with socket.create_server(("localhost", 0)) as silent:
        url = f"ws://localhost:{silent.getsockname()[1]}"
        with pytest.raises(oneiro.ConnectionLostError, match="cannot be reached"):
            oneiro.open_server(url, timeout=0.5)
