"""Runs a command on the site's PC and counts the ICMP "time exceeded" that arrive meanwhile.

    answers.py -- COMMAND [argument]...

Needs privileges on the PC's network (`privileged`): a raw socket. Prints one JSON object: `exit`,
`stdout` of the command, `answers`, the number of ICMP "time exceeded" by router, and `packets`, what
each of them was about: when (seconds), the router, and the packet's protocol, address and port.
"""

import collections
import json
import select
import socket
import struct
import subprocess
import sys
import time

TIME_EXCEEDED = 11


def quoted(packet):
    """Protocol, address and port that the packet inside an ICMP error was for."""
    header = (packet[0] & 0x0F) * 4
    _, port = struct.unpack_from("!HH", packet, header)
    return packet[9], socket.inet_ntoa(packet[16:20]), port


def main():
    command = sys.argv[sys.argv.index("--") + 1:]
    answers = collections.Counter()
    packets = []
    start = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
            output = b""
            while True:
                ready, _, _ = select.select([listener, run.stdout], [], [])
                if listener in ready:
                    packet, (sender, _) = listener.recvfrom(2048)
                    header = (packet[0] & 0x0F) * 4
                    if packet[header] == TIME_EXCEEDED:
                        answers[sender] += 1
                        after = round(time.monotonic() - start, 3)
                        packets.append([after, sender, *quoted(packet[header + 8:])])
                    continue  # what has arrived counts, also after the command's last word
                piece = run.stdout.read1(1 << 16)
                if not piece:
                    break
                output += piece
        print(json.dumps({"exit": run.returncode, "stdout": output.decode(),
                          "answers": answers, "packets": packets}))


if __name__ == "__main__":
    main()
