"""Runs a command on the site's PC and counts who told it meanwhile that a packet's time was over.

    answers.py -- COMMAND [argument]...

Needs power over the PC's network (`privileged`): a raw socket. Prints one JSON object: `exit`,
`stdout` of the command, and `answers`, the number of ICMP "time exceeded" by router.
"""

import collections
import json
import select
import socket
import subprocess
import sys

TIME_EXCEEDED = 11


def main():
    command = sys.argv[sys.argv.index("--") + 1:]
    answers = collections.Counter()
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
            output = b""
            while True:
                ready, _, _ = select.select([listener, run.stdout], [], [])
                if listener in ready:
                    packet, (sender, _) = listener.recvfrom(2048)
                    header = (packet[0] & 0x0F) * 4
                    answers[sender] += packet[header] == TIME_EXCEEDED
                    continue  # what has arrived counts, also after the command's last word
                piece = run.stdout.read1(1 << 16)
                if not piece:
                    break
                output += piece
        print(json.dumps({"exit": run.returncode, "stdout": output.decode(),
                          "answers": {router: n for router, n in answers.items() if n}}))


if __name__ == "__main__":
    main()
