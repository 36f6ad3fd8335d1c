"""For test-writers: a site as a context manager, and who may skip.

    with Site(faults=["udp-blocked"], delay_ms=40) as site:
        result = site.run(["callready", "check", "rainbow", "--json"])
        result.exit, result.stdout, result.stderr
"""

import atexit
import contextlib
import functools
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import threading
import unittest
from dataclasses import dataclass

from .names import ROOT

SCRIPT = os.path.join(ROOT, "script", "site")
CALLREADY = os.environ.get("CALLREADY", os.path.join(ROOT, "build", "dev", "callready"))


class SiteFailed(Exception):
    """The site did not come up; the text says why."""


@dataclass
class Result:
    """What a command left behind. `exit` is negative for a signal."""
    exit: int
    stdout: str
    stderr: str


@functools.cache
def namespaces_allowed():
    """Whether a site can be made here; the second value says why not."""
    done = subprocess.run([SCRIPT, "--try"], capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stderr.strip()


@functools.cache
def _nursery():
    """The socket of our nursery (nursery.py), which ends when we do."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        process = subprocess.Popen([SCRIPT, "--nursery"], stdin=its)
    atexit.register(process.wait)
    atexit.register(ours.close)  # called before that
    return ours


class Process:
    """A site's, from the nursery: as far as needed, what a subprocess.Popen is for one of our own."""

    _lock = threading.Lock()

    def __init__(self, arguments):
        theirs, ours = zip(os.pipe(), reversed(os.pipe()), reversed(os.pipe()))
        self.stdin, self.stdout, self.stderr = (os.fdopen(end, mode) for end, mode in zip(ours, "wrr"))
        request = json.dumps([arguments, dict(os.environ)]).encode()
        try:
            with self._lock:
                socket.send_fds(_nursery(), [request], theirs)
                _, answer, _, _ = socket.recv_fds(_nursery(), 1, 1)
        except OSError as error:
            raise SiteFailed(f"the nursery of sites does not take this: {error}") from error
        finally:
            for end in theirs:
                os.close(end)
        if not answer:
            raise SiteFailed("the nursery of sites has ended")
        self._pidfd, = answer
        os.set_inheritable(self._pidfd, False)

    def wait(self, timeout=None):
        """Until it has ended. Only once."""
        ended = select.poll()
        ended.register(self._pidfd, select.POLLIN)
        if not ended.poll(None if timeout is None else timeout * 1000):
            raise subprocess.TimeoutExpired(SCRIPT, timeout)
        os.close(self._pidfd)

    def kill(self):
        """At once."""
        signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)


class Site:
    """A private site that lives as long as the `with` block. `sets`: the only target sets whose relays
    and SIP servers are asked there; of a site with all of them, those are most of what it costs."""

    def __init__(self, faults=(), delay_ms=0, jitter_ms=0, loss_percent=0, rate_kbit=0,
                 keep_logs=None, sets=()):
        self._arguments = ["--hold", f"--delay={delay_ms}", f"--jitter={jitter_ms}",
                           f"--loss={loss_percent}", f"--rate={rate_kbit}",
                           *(f"--fault={f}" for f in faults)]
        if sets:
            self._arguments.append(f"--sets={','.join(sets)}")
        if keep_logs:
            self._arguments.append(f"--keep-logs={keep_logs}")
        self._process = None

    def __enter__(self):
        self._process = Process(self._arguments)
        if not self._process.stdout.readline():
            errors = self._process.stderr.read()
            self.__exit__()
            raise SiteFailed(errors.strip())
        return self

    def __exit__(self, *_):
        with contextlib.suppress(BrokenPipeError):  # it has ended by itself
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()  # the kernel ends everything inside with it
            self._process.wait()
        self._process.stdout.close()
        self._process.stderr.close()

    def run(self, command, timeout=60, env=None, privileged=False, signal=None, after=0, once=None,
            cable=None, router=None):
        """Runs a command on the site's PC. `signal` ("SIGTERM") is sent `after` this many
        seconds, or `once` this text is on its standard output. `cable="pulled"` takes the PC's link
        down then. `router`: runs it there, with all privileges ("firewall": whichever is one)."""
        line = ""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps({
                "run": [str(word) for word in command], "timeout": timeout, "env": env or {},
                "privileged": privileged, "signal": signal, "after": after, "once": once,
                "cable": cable, "router": router}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        if not line:
            raise SiteFailed(f"the site ended: {self._process.stderr.read().strip()}")
        answer = json.loads(line)
        if "error" in answer:
            raise FileNotFoundError(answer["error"])
        ended = answer.pop("ended")
        if ended:
            raise SiteFailed("\n".join(f"{name} ended while {command[0]} ran:\n{log}"
                                       for name, log in ended.items())
                             + f"\nIt said: {answer['stdout']}{answer['stderr']}")
        if answer["exit"] is None:
            raise TimeoutError(f"{command[0]} was still running after {timeout} s:\n"
                               f"{answer['stdout']}{answer['stderr']}")
        return Result(**answer)


class ExampleSite(Site):
    """One for tests that ask nobody but the site's own vendor, and public hosts."""

    def __init__(self, faults=(), **line):
        super().__init__(faults, sets=["example"], **line)


class SiteTest(unittest.TestCase):
    """Skips, with the reason, where the kernel forbids namespaces."""

    @classmethod
    def setUpClass(cls):
        allowed, reason = namespaces_allowed()
        if not allowed:
            raise unittest.SkipTest(reason)


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class CheckTest(SiteTest):
    """What `callready check` says of sites of their own."""

    def report(self, faults, *arguments, before=(), timeout=60):
        """`before`: a command that starts it. Where sets are named, those are all that it asks."""
        sets = itertools.takewhile(lambda word: not word.startswith("-"), arguments)
        with Site(faults=faults, sets=list(sets)) as site:
            done = site.run([*before, CALLREADY, "check", "--no-keep", *arguments, "--json"],
                            timeout=timeout)
        self.assertIn(done.exit, (0, 1, 3, 4), done.stderr)
        return json.loads(done.stdout)

    @staticmethod
    def findings(report):
        return [(f["code"], f["confidence"], f["owner"]) for f in report["findings"]]
