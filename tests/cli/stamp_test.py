"""A stream against somebody else's STAMP reflector (RFC 8762): its packets are taken apart and put
together by scapy. CALLREADY names the binary."""

import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

CALLREADY = os.environ.get("CALLREADY", "")
# Debian's scapy is for Debian's Python.
PYTHON = "/usr/bin/python3"

SET = """schema: callready.targets/1
id: far
title: Far end
vendor: Nobody
edition: "1"
document: A table
verified: 2026-11-21
capabilities: [{{ id: calls, title: Calls, needs: [stream] }}]
requirements:
  - {{ id: stream, title: Stream, source: page 1, check: media, transport: [udp], ports: [{port}],
       addresses: [127.0.0.1], with: {{ seconds: "2" }} }}
"""


def reflect():
    """Run by PYTHON: answers all packets but one in ten, until standard input ends."""
    from scapy.contrib import stamp
    base = 44  # scapy 2.5 does not bear what may follow: that goes back as it came
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    print(sock.getsockname()[1], flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    counter = 0
    while True:
        data, peer = sock.recvfrom(2048)
        sent = stamp.STAMPSessionSenderTestUnauthenticated(data[:base])
        if sent.seq % 10 == 9:
            continue
        since_1900 = time.time() + 2_208_988_800
        whole = int(since_1900)
        # Scapy's own time stamps hold no fractions: they go in as bytes.
        now = struct.pack("!II", whole, int((since_1900 - whole) * 2**32))
        reply = bytearray(bytes(stamp.STAMPSessionReflectorTestUnauthenticated(
            seq=counter, ssid=sent.ssid, seq_sender=sent.seq, ttl_sender=64)))
        reply[4:12] = reply[16:24] = now
        reply[28:36] = data[4:12]
        sock.sendto(bytes(reply) + data[len(reply):], peer)
        counter += 1


@unittest.skipUnless(CALLREADY, "CALLREADY does not name the program")
class OtherPeoplesReflector(unittest.TestCase):
    def test_a_stream(self):
        reflector = subprocess.Popen([PYTHON, os.path.realpath(__file__), "reflect"], text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            port = reflector.stdout.readline().strip()
            self.assertTrue(port.isdigit(), "scapy's reflector does not start")
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(SET.format(port=port))
                file.flush()
                done = subprocess.run(
                    [CALLREADY, "check", "--set", file.name, "--quality", "--json", "--no-anchors",
                     "--no-keep"], capture_output=True, text=True, timeout=60)
        finally:
            reflector.stdin.close()
            reflector.wait(20)
            reflector.stdout.close()
        self.assertEqual("", done.stderr)
        probe, = [probe for probe in json.loads(done.stdout)["probes"] if probe["check"] == "media"]
        self.assertEqual("answered", probe["outcome"], probe)
        up = probe["media"]["up"]
        self.assertEqual(100, up["sent"])
        # A reflector that counts its packets says which way those were lost that got no answer. On a
        # busy computer the last ones may come too late.
        self.assertTrue(9 <= up["lost"] <= 15, probe["media"])
        self.assertLessEqual(probe["media"]["down"]["lost"], 3)


if __name__ == "__main__":
    if sys.argv[1:] == ["reflect"]:
        reflect()
    unittest.main()
