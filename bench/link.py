"""A slow, lossy link in user space, for `npm run bench -- serve --link`.

Makes a TUN device in the network namespace it runs in. Whatever this machine sends to THERE comes back as if THERE had sent
it to HERE: source and destination change places, which leaves every checksum right. So a client that connects to THERE meets
the server that listens on HERE, over real TCP, and every packet passes through here, where it is held back, queued behind
the others of its direction, or lost. Unlike tc's netem this needs no kernel module, only /dev/net/tun.
"""

import argparse
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time

HERE, THERE = "10.77.0.1", "10.77.0.2"
DEVICE = "oneiro0"
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
# A queue that would take longer than this to drain drops what comes.
LONGEST_QUEUE_S = 1.0


def open_device(mtu: int) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TUN | IFF_NO_PI))
    for command in (
        "link set lo up",
        f"addr add {HERE}/24 dev {DEVICE}",
        f"link set {DEVICE} mtu {mtu} up",
    ):
        subprocess.run(["ip", *command.split()], check=True, capture_output=True, text=True)
    return device


def is_to_server(packet: bytes, port: int) -> bool:
    header = (packet[0] & 15) * 4
    return int.from_bytes(packet[header + 2 : header + 4], "big") == port


def swapped(packet: bytes) -> bytes:
    return packet[:12] + packet[16:20] + packet[12:16] + packet[20:]


def carry(device: int, args: argparse.Namespace) -> None:
    chance = random.Random(args.seed)
    delay = args.rtt / 2000
    free_at = {True: 0.0, False: 0.0}
    on_their_way: list[tuple[float, int, bytes]] = []
    count = 0
    while True:
        now = time.monotonic()
        while on_their_way and on_their_way[0][0] <= now:
            os.write(device, heapq.heappop(on_their_way)[2])
        wait = on_their_way[0][0] - time.monotonic() if on_their_way else None
        if not select.select([device], [], [], None if wait is None else max(0.0, wait))[0]:
            continue
        packet = os.read(device, 65536)
        if packet[0] >> 4 != 4 or chance.random() < args.loss / 100:
            continue
        way, now = is_to_server(packet, args.port), time.monotonic()
        if free_at[way] - now > LONGEST_QUEUE_S:
            continue
        free_at[way] = max(now, free_at[way]) + len(packet) * 8 / (args.rate * 1e6)
        count += 1
        heapq.heappush(on_their_way, (free_at[way] + delay, count, swapped(packet)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=7700, help="the server's, by which directions are told apart")
    parser.add_argument("--rtt", type=float, default=150, help="round trip, milliseconds; half of it each way")
    parser.add_argument("--rate", type=float, default=1, help="Mbit/s each way")
    parser.add_argument("--loss", type=float, default=2, help="per cent of packets each way")
    parser.add_argument("--mtu", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--check", action="store_true", help="only say whether a link can be made")
    args = parser.parse_args()
    try:
        device = open_device(args.mtu)
    except subprocess.CalledProcessError as error:
        print(error.stderr.strip() or error, file=sys.stderr)
        return 1
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    if args.check:
        return 0
    print("ready", flush=True)
    carry(device, args)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(0)
