"""`callready serve` with as many streams as it takes at once: one client too many gets nothing, and
memory stays within its bounds. What it costs is printed, but has no limit here: machines differ."""

import hmac
import os
import resource
import selectors
import socket
import struct
import subprocess
import tempfile
import time
import unittest

from . import isolation
from .harness import CALLREADY

KEY = "a key that only this test has"
SERVER = ("127.0.0.1", 8620)
SESSIONS, OF_ADDRESS = 200, 6
SECONDS, INTERVAL = 5, 0.02
MOST_MB = 64


def packet(ssid, sequence):
    """Authenticated, as large as a call's (RFC 8762 section 4.2.2): 112 bytes, and a padding TLV
    (RFC 8972) up to 172 would only cost this client time."""
    now = time.time() + 2208988800
    head = struct.pack("!I12xIIHH68x", sequence, int(now), int(now % 1 * 2**32), 0x0801, ssid)
    return head + hmac.digest(KEY.encode(), head, "sha256")[:16]


class Client:
    """One session."""

    def __init__(self, number, selector):
        self.ssid, self.sequence, self.answers = 1 + number, 0, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((f"127.0.1.{1 + number // OF_ADDRESS}", 0))
        self.socket.connect(SERVER)
        self.socket.setblocking(False)
        selector.register(self.socket, selectors.EVENT_READ, self)

    def send(self):
        try:
            self.socket.send(packet(self.ssid, self.sequence))
        except OSError:
            pass  # lost
        self.sequence += 1

    def take(self):
        while True:
            try:
                reply = self.socket.recv(2048)
            except OSError:
                return
            self.answers += 1
            assert len(reply) <= 112, len(reply)


def used_cpu(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def most_memory_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class Load(unittest.TestCase):
    def setUp(self):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4096), most))
        try:
            self.space = isolation.Namespace("load")
        except isolation.Refused as refused:
            self.skipTest(str(refused))
        self.addCleanup(os.close, self.space.fd)

    def test_two_hundred_streams(self):
        with self.space:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            self.load()

    def load(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        server = subprocess.Popen(
            [CALLREADY, "serve", "127.0.0.1", "--bind",
             "127.0.0.1", "--media-ports", "off", "--stun-port", "off", "--sip-port", "off"],
            text=True, stdout=subprocess.PIPE,
            env={**os.environ, "CALLREADY_MEDIA_KEY": KEY, "HOME": folder.name})
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        for line in iter(server.stdout.readline, ""):
            if "answers now" in line:
                break
        with selectors.DefaultSelector() as selector:
            clients = [Client(number, selector) for number in range(SESSIONS)]
            self.stream(selector, clients, 1)
            self.assertEqual(SESSIONS, sum(c.answers > 0 for c in clients))
            # One more of an address that has six, and one of an address that has none.
            extra = [Client(0, selector), Client(240, selector)]
            alone = [c.answers for c in clients]
            before, begin = used_cpu(server.pid), time.monotonic()
            self.stream(selector, clients + extra, SECONDS)
            share = (used_cpu(server.pid) - before) / (time.monotonic() - begin)
            self.assertEqual([0, 0], [c.answers for c in extra])
            self.assertEqual(SESSIONS, sum(c.answers > old for c, old in zip(clients, alone)))
            sent, came = (sum(getattr(c, what) for c in clients) for what in ("sequence", "answers"))
            memory = most_memory_mb(server.pid)
            for client in clients + extra:
                client.socket.close()
        self.assertLessEqual(came, sent)
        if not os.environ.get("CALLREADY_SANITIZE"):  # sanitizers keep what was freed
            self.assertLess(memory, MOST_MB)
        print(f"{SESSIONS} streams: {came} of {sent} packets answered, {100 * share:.0f} % of a core, "
              f"{memory:.0f} MB, load {os.getloadavg()[0]:.1f}", flush=True)

    @staticmethod
    def stream(selector, clients, seconds):
        """Each client sends a packet every 20 ms, one after the other, for that long."""
        gap = INTERVAL / len(clients)
        due = time.monotonic()
        for number in range(int(seconds / gap)):
            while True:
                now = time.monotonic()
                for key, _ in selector.select(max(0, min(due - now, 0.005))):
                    key.data.take()
                if time.monotonic() >= due:
                    break
            clients[number % len(clients)].send()
            due += gap
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            for key, _ in selector.select(0.1):
                key.data.take()


if __name__ == "__main__":
    unittest.main()
