"""Runs a command on the site's PC and prints what it cost, as one line of JSON.

    measure.py [--env NAME=VALUE]... [--server PORT WORDS]... -- COMMAND [argument]...

A server is started before the clock and ended after it; the command starts once it listens on PORT
of 127.0.0.1. `wall_s`; `cpu_s` of the command, of all that it waited for and of the server since it
began to listen; `memory_mb` of the largest process; `packets` that the PC sent meanwhile; `exit`.
Their output is discarded.
"""

import json
import os
import shlex
import socket
import subprocess
import sys
import time

QUIETLY = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
           "stderr": subprocess.DEVNULL}
PATIENCE_S = 10


def sent_packets():
    """What eth0 has sent so far, from /proc/net/dev."""
    with open("/proc/net/dev", encoding="ascii") as file:
        for line in file:
            name, _, counters = line.partition(":")
            if name.strip() == "eth0":
                return int(counters.split()[9])
    return 0


class Server:
    """A process that runs beside the command and whose work counts as part of the command's."""

    def __init__(self, port, words):
        self._process = subprocess.Popen(shlex.split(words), **QUIETLY)
        deadline = time.monotonic() + PATIENCE_S
        while not self._listens(port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"measure: nothing listens on port {port}: {words}")
            time.sleep(0.02)
        self._before = self._cpu_s()

    @staticmethod
    def _listens(port):
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def _cpu_s(self):
        with open(f"/proc/{self._process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        """What it cost: seconds of CPU, and megabytes at its largest."""
        cpu = self._cpu_s() - self._before
        self._process.terminate()
        _, _, usage = os.wait4(self._process.pid, 0)
        return cpu, usage.ru_maxrss / 1024


def main(arguments):
    """Measures one run."""
    environment = dict(os.environ)
    servers = []
    while arguments and arguments[0] != "--":
        if arguments[0] == "--env":
            name, _, value = arguments[1].partition("=")
            environment[name] = value
            arguments = arguments[2:]
        else:  # --server
            servers.append(Server(int(arguments[1]), arguments[2]))
            arguments = arguments[3:]
    command = arguments[1:]
    before, start = sent_packets(), time.monotonic()
    child = subprocess.Popen(command, env=environment, **QUIETLY)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - start
    packets = sent_packets() - before
    costs = [(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)]
    costs += [server.end() for server in servers]
    print(json.dumps({"wall_s": wall, "cpu_s": sum(cpu for cpu, _ in costs),
                      "memory_mb": max(memory for _, memory in costs), "packets": packets,
                      "exit": os.waitstatus_to_exitcode(status)}))


if __name__ == "__main__":
    main(sys.argv[1:])
