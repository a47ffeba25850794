"""Environments as worlds that are played: by the project's own client, and by peers that say what they should not."""

import io
import socket
import struct
import threading
import time
from contextlib import contextmanager

import msgpack
import numpy as np
import pytest

pytest.importorskip("gymnasium")
pytest.importorskip("websockets")
from PIL import Image  # noqa: E402
from websockets.exceptions import ConnectionClosed, InvalidStatus  # noqa: E402
from websockets.sync.client import connect  # noqa: E402

import oneiro  # noqa: E402
from distill.bridge import serve as bridge  # noqa: E402
from distill.bridge import session, wire  # noqa: E402
from distill.bridge.gate import gate_of  # noqa: E402
from distill.config import UserError, load_config  # noqa: E402
from distill.gym import record  # noqa: E402

FAKE = "distill.tests.gym.fake"
HELLO = {"formats": ["webp"], "mode": "lockstep"}
TOKEN = "a token of this test"


@contextmanager
def bridged(env="Square-v0", *options):
    """A bridge; its address."""
    config = load_config(bridge.Config, None, [f"env={FAKE}:{env}", "port=0", *options])
    with bridge.opened(config) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"ws://localhost:{server.socket.getsockname()[1]}"


@pytest.fixture(scope="module")
def square():
    with bridged("Square-v0", "sessions=2") as url:
        yield url


@contextmanager
def peer(url, hello=HELLO, **options):
    """A websocket that has said hello and heard the welcome; without `hello` one that has said nothing."""
    with connect(url, compression=None, proxy=None, **options) as line:
        if hello is not None:
            line.send(said_hello(hello))
            assert line.recv(timeout=20)[0] == wire.WELCOME
        yield line


def said_hello(body, version=5):
    return bytes([1, version]) + msgpack.packb(body)


def asked(number, request, body=None):
    return struct.pack("<BI", number, request) + (b"" if body is None else msgpack.packb(body))


def code_of(line):
    """How the connection ends: the code and sentence of the last error, the close code."""
    said = None
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            data = line.recv(timeout=20)
            if data[0] == wire.ERROR:
                assert data[1:5] == bytes(4)
                said = msgpack.unpackb(data[5:])
    return (said or {}).get("code"), closed.value.rcvd.code if closed.value.rcvd else None


def error_in(data):
    assert data[0] == wire.ERROR, data
    return struct.unpack_from("<I", data, 1)[0], msgpack.unpackb(data[5:])["code"]


def wait_for(what, seconds=20):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def player():
    return record.Player(record.Config(env=f"{FAKE}:Square-v0"))


def test_the_client_of_the_project_plays_what_the_recorder_records(square):
    here, over, games, ends = player(), True, 0, 0
    with oneiro.open_server(square) as world:
        info = world.info
        assert (info.id, info.backend, info.model_hash) == ("square", "gymnasium", f"gym:{FAKE}:Square-v0")
        assert (info.width, info.height, info.ticks_per_second) == (96, 64, 20)
        assert (info.prompt, info.telemetry, info.reward, info.done) == (False, (), True, True)
        tick = world.reset(7)
        for index in range(20):
            if over:
                (picture, _), reward, over = here.reset(7 * 1009 + games), 0.0, False
                games += 1
            else:
                picture, reward, *ended, _ = here.step(np.array([2.0]))
                over = any(ended)
            ends += over
            assert (tick.index, tick.reward, tick.done, tick.epoch) == (index, reward, over, 1)
            np.testing.assert_array_equal(tick.frame[..., :3], here.fit(picture))
            tick = world.step({"action": 2})
        assert ends >= 2
        assert world.reset(8).epoch == 2


def test_a_seed_is_a_game_and_every_connection_has_its_own(square):
    def rewards(world):
        return [world.step({"action": i % 3}).reward for i in range(12)]

    with oneiro.open_server(square) as one, oneiro.open_server(square) as other:
        # The square begins at one of three places.
        begins = [one.reset(seed).frame for seed in range(6)]
        seed = next(seed for seed in range(1, 6) if (begins[seed] != begins[0]).any())
        one.reset(0)
        first = rewards(one)
        other.reset(0)
        one.reset(seed)
        assert rewards(other) == first != rewards(one)
        one.reset(0)
        assert rewards(one) == first


def test_the_options_of_a_recording_are_those_of_a_bridge():
    with bridged("Drawn-v0", "size=64x64", "crop=0,0,60,60", "skip=1") as url, oneiro.open_server(url) as world:
        assert (world.info.width, world.info.height, world.info.ticks_per_second) == (64, 64, 40)
        first = world.reset(0).frame
        assert world.step({"action": 2}).reward <= 3  # one step of the environment, not two
        assert first.shape == (64, 64, 4)


def test_what_an_environment_cannot_do_is_refused_and_the_game_goes_on(square):
    with oneiro.open_server(square) as world:
        world.reset(1)
        with pytest.raises(oneiro.BadInputError, match="cannot be copied"):
            world.snapshot()
        with pytest.raises(oneiro.BadInputError, match="no starts"):
            world.reset(1, start="nowhere")
        snapshot = {"format": "oneiro-snapshot", "version": 2, "world": "square", "prompt": None, "state": {}}
        with pytest.raises(oneiro.BadInputError, match="cannot be copied"):
            world.restore(snapshot | {"modelHash": world.info.model_hash, "tick": 0, "seed": 0})
        assert world.step({"action": 0}).index == 1
    with peer(square) as line:
        line.send(asked(4, 0)[:1] + struct.pack("<IId", 0, 1, 0.0))
        assert error_in(line.recv(timeout=20)) == (1, "NOT_READY")
        line.send(asked(2, 2, {"seed": 1, "prompt": "words"}))
        assert error_in(line.recv(timeout=20)) == (2, "BAD_INPUT")
        line.send(asked(2, 3, {"seed": 1}))
        assert line.recv(timeout=20)[0] == wire.FRAME
        line.send(asked(5, 4, {"text": "words"}))
        assert error_in(line.recv(timeout=20)) == (4, "BAD_INPUT")
        line.send(struct.pack("<BIId", 4, 3, 5, 0.0))  # of actions there are 0, 1 and 2
        assert error_in(line.recv(timeout=20)) == (5, "BAD_INPUT")
        line.send(struct.pack("<BIId", 4, 2, 5, 0.0))  # a number that was answered is not carried out again
        line.send(struct.pack("<BIId", 4, 2, 6, 0.0))
        head = frame_of(line.recv(timeout=20))
        assert (head[4], head[7]) == (6, 1)


def frame_of(data):
    """The header of a frame, as src/net/README.md draws it."""
    assert data[0] == wire.FRAME and len(data) == 52 + struct.unpack_from("<I", data, 48)[0]
    return struct.unpack_from("<BBBBIIIIIdffffI", data)


def test_bytes_are_as_the_layout_draws_them(square):
    with connect(square, compression=None, proxy=None) as line:
        # As msgpackr writes {prompt: undefined}, and a seed above 32 bits.
        line.send(said_hello({"formats": ["latents", "jpeg", "webp"], "mode": "lockstep", "decoderHash": "x"}))
        data = line.recv(timeout=20)
        assert data[:2] == b"\x81\x05"
        body = msgpack.unpackb(data[2:])
        assert (body["format"], body["resumed"]) == ("jpeg", False) and not {"resume", "watch", "subflow"} & set(body)
        assert (body["latent"], body["epoch"]) == ({"tokens": 1, "channels": 1}, 0) and body["world"]["telemetry"] == []
        assert body["world"]["controls"][0]["values"] == [0, 1, 2]
        line.send(struct.pack("<BI", 2, 9) + b"\x82\xa4seed" + struct.pack(">Bd", 0xCB, 2**40) + b"\xa6prompt\xd4\0\0")
        number, flags, form, batch, request, epoch, sequence, tick, skipped, echo, *_ = frame_of(line.recv(timeout=20))
        assert (flags, form, batch, request, epoch, sequence) == (1 | 2, 2, 1, 9, 1, 1)
        assert (tick, skipped, echo) == (0, 0, 0)
        ends = []
        for i in range(6):
            line.send(struct.pack("<BIId", 4, 2, 10 + i, 123.5))
            data = line.recv(timeout=20)
            _, flags, _, _, request, _, sequence, tick, _, echo, queue, student, encode, reward, _ = frame_of(data)
            assert (request, sequence, tick, echo, queue) == (10 + i, 2 + i, 1 + i, 123.5, 0)
            assert student > 0 and encode > 0
            ends.append(flags & 4)
            assert reward > 0 or ends[-2]
        assert 4 in ends and 0 in ends
        picture = Image.open(io.BytesIO(data[52:]))
        assert (picture.format, picture.size) == ("JPEG", (96, 64))
        line.send(struct.pack("<Bd", 9, 77.25))
        assert line.recv(timeout=20) == struct.pack("<Bd", 134, 77.25)
        line.send(asked(10, 20) + b"\0")
        assert line.recv(timeout=20) == struct.pack("<BI", 131, 20)
        line.send(b"\x0b")
        assert code_of(line) == (None, 1000)


def test_real_time_ticks_by_itself_waits_for_acks_and_lets_keys_go(square):
    def frames(line, count):
        found = []
        while len(found) < count:
            data = line.recv(timeout=20)
            if data[0] == wire.FRAME:
                found.append(frame_of(data))
        return found

    with peer(square, HELLO | {"mode": "realtime"}) as line:
        line.send(asked(2, 1, {"seed": 1}))
        assert frames(line, 1)[0][4] == 1
        line.send(struct.pack("<BI", 8, 1))
        line.send(struct.pack("<BIId", 3, 2, 1, 5.0))
        began, seen = time.monotonic(), []
        for _ in range(20):
            (frame,) = frames(line, 1)
            seen.append(frame)
            line.send(struct.pack("<BI", 8, frame[6]))
        assert 0.8 < time.monotonic() - began < 10  # 20 ticks at 20 a second
        assert {frame[4] for frame in seen} == {0} and [frame[6] for frame in seen] == list(range(2, 22))
        assert all(frame[7] == frame[6] - 1 + frame[8] for frame in seen)
        assert 5.0 in {frame[9] for frame in seen} and any(frame[1] & 4 for frame in seen)
        # An older action does not count any more; a newer one does.
        line.send(struct.pack("<BIId", 3, 0, 1, 6.0))
        line.send(struct.pack("<BIId", 3, 1, 2, 7.0))
        later = frames(line, 3)
        assert 6.0 not in {frame[9] for frame in later}
        # Three are on their way: no more come, and the world goes on.
        with pytest.raises(TimeoutError):
            line.recv(timeout=0.6)
        line.send(struct.pack("<BI", 8, later[-1][6]))
        (frame,) = frames(line, 1)
        assert frame[6] == later[-1][6] + 1 and frame[8] >= later[-1][8] + 5
        assert frame[7] == frame[6] - 1 + frame[8] and frame[9] == 7.0
        line.send(struct.pack("<BI", 8, frame[6]))
        line.send(struct.pack("<BIId", 4, 0, 2, 0.0))
        while (data := line.recv(timeout=20))[0] == wire.FRAME:
            line.send(struct.pack("<BI", 8, frame_of(data)[6]))
        assert error_in(data) == (2, "BAD_INPUT")
        # Who says nothing for two seconds holds nothing.
        released = time.monotonic() + 10
        while (frame := frames(line, 1)[0])[9] != 0:
            assert time.monotonic() < released
            line.send(struct.pack("<BI", 8, frame[6]))
        # In lockstep it stands still.
        line.send(struct.pack("<BIB", 10, 3, 0))
        while (data := line.recv(timeout=20))[0] == wire.FRAME:
            line.send(struct.pack("<BI", 8, frame_of(data)[6]))
        assert data == struct.pack("<BI", 131, 3)
        with pytest.raises(TimeoutError):
            line.recv(timeout=0.3)


@pytest.mark.parametrize(
    ("said", "code", "close"),
    [
        ("hello", "TEXT_MESSAGE", 1003),
        (b"", "WIRE_MALFORMED", 4400),
        (b"\x81", "WIRE_MALFORMED", 4400),
        (b"\x01", "WIRE_MALFORMED", 4400),
        (b"\x01\x05\xc1", "WIRE_MALFORMED", 4400),
        (b"\x01\x05\x93\1\2\3", "WIRE_MALFORMED", 4400),
        (b"\x01" + bytes(1024), "WIRE_MALFORMED", 4400),
        (said_hello({**HELLO, "more": [[0] * 120] * 3}), "WIRE_MALFORMED", 4400),
        (said_hello({"formats": [], "mode": "lockstep"}), "WIRE_MALFORMED", 4400),
        (said_hello({"formats": ["gif"], "mode": "lockstep"}), "WIRE_MALFORMED", 4400),
        (said_hello({"formats": ["webp"], "mode": "fast"}), "WIRE_MALFORMED", 4400),
        (said_hello({**HELLO, "token": "x" * 201}), "WIRE_MALFORMED", 4400),
        (said_hello(HELLO, version=4), "WIRE_VERSION", 4426),
        (said_hello({**HELLO, "formats": ["latents"]}), "NO_COMMON_FORMAT", 4406),
        (said_hello({**HELLO, "resume": "x"}), "SESSION_GONE", 4404),
        (said_hello({**HELLO, "watch": "x"}), "SESSION_GONE", 4404),
        (said_hello({**HELLO, "seat": "x"}), "SEAT_GONE", 4410),
        (struct.pack("<Bd", 9, 1.0), "UNEXPECTED_MESSAGE", 4412),
        (bytes(2**20 + 1), None, 1009),
    ],
)
def test_a_first_message_that_is_no_hello_ends_the_connection(square, said, code, close):
    with peer(square, hello=None) as line:
        line.send(said)
        assert code_of(line) == (code, close)


@pytest.mark.parametrize(
    ("said", "code", "close"),
    [
        (said_hello(HELLO), "UNEXPECTED_MESSAGE", 4412),
        ("step", "TEXT_MESSAGE", 1003),
        (b"\x04\0\0", "WIRE_MALFORMED", 4400),
        (struct.pack("<BIId", 4, 0, 1, 0.0) + b"\0", "WIRE_MALFORMED", 4400),
        (struct.pack("<BIId", 4, 0, 0, 0.0), "WIRE_MALFORMED", 4400),
        (struct.pack("<BIId", 4, 0, 1, float("nan")), "WIRE_MALFORMED", 4400),
        (struct.pack("<BIId", 3, 3, 1, 0.0), "WIRE_MALFORMED", 4400),
        (struct.pack("<BIB", 10, 1, 2), "WIRE_MALFORMED", 4400),
        (asked(2, 1, {"seed": -1}), "WIRE_MALFORMED", 4400),
        (asked(2, 1, {"seed": 0.5}), "WIRE_MALFORMED", 4400),
        (asked(2, 1, {"seed": 1e300}), "WIRE_MALFORMED", 4400),
        (asked(2, 1, {"seed": 1, "prompt": "x" * 1001}), "WIRE_MALFORMED", 4400),
        (asked(5, 1, {}), "WIRE_MALFORMED", 4400),
    ],
)
def test_a_wrong_message_in_play_ends_that_connection_alone(square, said, code, close):
    with peer(square) as other:
        with peer(square) as line:
            line.send(said)
            assert code_of(line) == (code, close)
        other.send(asked(2, 1, {"seed": 1}))
        assert frame_of(other.recv(timeout=20))[4] == 1


def test_too_many_messages_end_the_connection_and_too_many_requests_are_busy(square):
    with peer(square) as line:
        for i in range(1, 40):
            line.send(struct.pack("<BIB", 10, i, 0))
        answers = [line.recv(timeout=20)[0] for _ in range(39)]
        assert set(answers) == {wire.RESULT, wire.ERROR}
        with pytest.raises(ConnectionClosed) as closed:
            for i in range(40, 200):
                line.send(struct.pack("<BI", 6, i))
            while True:
                line.recv(timeout=20)
        assert closed.value.rcvd.code == 4429


def test_who_says_no_hello_or_nothing_at_all_is_let_go(square, monkeypatch):
    with monkeypatch.context() as hurried:
        hurried.setattr(session, "HELLO", 0.3)
        with peer(square, hello=None) as line:
            assert code_of(line) == ("HELLO_LATE", 4408)
    monkeypatch.setattr(session, "SILENT", 2.0)
    with peer(square) as line:
        for _ in range(3):
            time.sleep(0.8)
            line.send(struct.pack("<Bd", 9, 1.0))
            assert line.recv(timeout=20)[0] == wire.PONG
        assert code_of(line) == (None, 1000)


def test_a_full_bridge_says_so_and_a_seat_comes_back(square):
    first, second = oneiro.open_server(square), oneiro.open_server(square)
    with pytest.raises(oneiro.ServerRefusedError, match="sessions=8") as refused:
        oneiro.open_server(square)
    assert refused.value.code == "SERVER_FULL"
    second.close()

    def free():
        try:
            return oneiro.open_server(square)
        except oneiro.ServerRefusedError:
            return None

    found = []
    wait_for(lambda: (world := free()) is not None and (found.append(world) or True))
    assert found[0].reset(1).index == 0 and first.reset(1).index == 0
    found[0].close()
    first.close()


@pytest.mark.parametrize("env", ["Breaking-v0", "Dying-v0"])
def test_an_environment_that_breaks_ends_its_own_session_alone(env, capfd):
    with bridged(env, "skip=1") as url, oneiro.open_server(url) as other, oneiro.open_server(url) as world:
        other.reset(1)
        world.reset(1)
        for _ in range(2):
            world.step({"action": 0})
        with pytest.raises(oneiro.ServerRefusedError, match="The environment failed") as refused:
            world.step({"action": 0})
        assert refused.value.code == "SERVER_FAILED"
        assert other.step({"action": 0}).index == 1
        with oneiro.open_server(url) as again:
            assert again.reset(1).index == 0
    assert "bridge: the environment failed: " in capfd.readouterr().err


def test_a_connection_that_is_cut_leaves_no_process_behind(square):
    from multiprocessing import active_children

    wait_for(lambda: not active_children())
    line = socket.create_connection(("localhost", int(square.rsplit(":", 1)[1])))
    with peer(square, sock=line) as cut:
        cut.send(asked(2, 1, {"seed": 1}))
        cut.recv(timeout=20)
        assert len(active_children()) == 1
        line.shutdown(socket.SHUT_RDWR)
        wait_for(lambda: not active_children())


def test_a_bridge_that_goes_away_says_so():
    with bridged() as url:
        world = oneiro.open_server(url)
        world.reset(1)
    with pytest.raises(oneiro.ServerRefusedError, match="going away") as refused:
        world.step({"action": 0})
    assert refused.value.code == "SERVER_DRAINING"


def test_a_token_opens_it():
    with bridged("Square-v0", f"token={TOKEN}") as url:
        for token in (None, "another token than that", "ü" * 16):
            with pytest.raises(oneiro.ServerRefusedError) as refused:
                oneiro.open_server(url, token=token)
            assert refused.value.code == "UNAUTHORIZED"
        with oneiro.open_server(url, token=TOKEN) as world:
            assert world.reset(1).index == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["host=0.0.0.0"], "give a token, such as token="),
        (["token=short"], "16 to 200 characters, but this one has 5"),
        (["allow_host=[dreams.example:80]"], "without a port"),
        (["allow_origin=[dreams.example]"], "https://example.org was expected"),
        (["env=distill.tests.gym.fake:Many-v0"], "nobody can press 500 different actions"),
        (["env=distill.tests.gym.fake:Blind-v0"], "has no pictures"),
        (["size=100x60"], "multiple of 16"),
    ],
)
def test_a_bridge_that_cannot_be_is_said_in_one_sentence(options, sentence, monkeypatch):
    monkeypatch.delenv("ONEIRO_TOKEN", raising=False)
    with pytest.raises(UserError, match=sentence), bridged("Square-v0", *options):
        pass


def test_a_port_that_is_taken_is_said(square):
    port = square.rsplit(":", 1)[1]
    with (
        pytest.raises(UserError, match=f"port {port}: Address already in use; try another"),
        bridged("Square-v0", f"port={port}"),
    ):
        pass


@pytest.mark.parametrize(
    ("host", "origin", "let_in"),
    [
        (None, None, True),
        (None, "http://localhost:4173", True),
        (None, "http://127.0.0.1:5173", True),
        (None, "http://[::1]:5173", True),
        (None, "https://friend.example", True),
        (None, "https://stranger.example", False),
        (None, "http://localhost.stranger.example", False),
        (None, "null", False),
        ("stranger.example", None, False),
        ("stranger.example", "http://stranger.example", False),
        ("localhost@stranger.example", None, False),
        ("dreams.example:80", "http://dreams.example:80", True),
    ],
)
def test_strangers_are_refused_with_403(host, origin, let_in, guarded):
    headers = {name: value for name, value in (("Host", host), ("Origin", origin)) if value}
    port = guarded.rsplit(":", 1)[1]
    request = {"Host": f"localhost:{port}", "Upgrade": "websocket", "Connection": "Upgrade"} | headers
    request |= {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version": "13"}
    lines = ["GET / HTTP/1.1", *(f"{name}: {value}" for name, value in request.items()), "", ""]
    with socket.create_connection(("localhost", int(port))) as line:
        line.sendall("\r\n".join(lines).encode())
        assert line.recv(64).split()[1] == (b"101" if let_in else b"403")


@pytest.fixture(scope="module")
def guarded():
    with bridged("Square-v0", "allow_origin=[https://friend.example]", "allow_host=[dreams.example]") as url:
        yield url


def test_a_browser_of_a_stranger_is_told(guarded):
    with pytest.raises(InvalidStatus) as refused, peer(guarded, origin="https://stranger.example"):
        pass
    assert (refused.value.response.status_code, refused.value.response.body) == (403, b"BAD_ORIGIN\n")


def test_a_gate_to_everywhere_knows_addresses_but_no_names():
    gate = gate_of("0.0.0.0", ["dreams.example"], [])
    assert gate.why_refused(["192.168.1.5:7800"], []) is None and gate.why_refused(["[fe80::1]:7800"], []) is None
    assert gate.why_refused(["dreams.example"], []) is None
    assert gate.why_refused(["stranger.example"], []) == "BAD_HOST" == gate.why_refused(["localhost", "localhost"], [])
    # A page on this machine is no friend of a bridge that others reach, but its own page is.
    assert gate.why_refused(["192.168.1.5:7800"], ["http://localhost:4173"]) == "BAD_ORIGIN"
    assert gate.why_refused(["192.168.1.5:7800"], ["http://192.168.1.5:7800"]) is None


def test_the_command_says_where_it_is_and_ends_by_sigterm(tmp_path):
    import signal
    import subprocess
    import sys

    command = [sys.executable, "-m", "distill", "bridge", f"env={FAKE}:Square-v0", "port=0"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert "become frames of 96x64, at 20 ticks a second" in child.stdout.readline()
        said = child.stdout.readline()
        url = said.rsplit("server=", 1)[1].strip()
        assert said.startswith(f"bridge: {url}; ") and "http://localhost:4173/?server=ws://localhost:" in said
        world = oneiro.open_server(url)
        world.reset(1)
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=30) == 0 and child.stdout.read() == "bridge: ended\n"
        with pytest.raises(oneiro.ServerRefusedError, match="going away"):
            world.step({"action": 0})
    finally:
        child.kill()
        child.stdout.close()


def test_a_picture_of_noise_still_fits_into_a_frame():
    from distill.bridge.apart import encoded

    picture = np.random.default_rng(1).integers(0, 256, (160, 160, 3), np.uint8)
    for form in ("webp", "jpeg"):
        assert len(encoded(picture, form)) < wire.MOST_FRAME - 52
