"""The demo with calls of the system that fail on purpose (preload.cpp), and with bad luck from outside:
signals, stops, a clock that jumps, full disks, closed pipes. Each time a whole report or a clear line,
in time. CALLREADY names the program, CALLREADY_FAULTS_LIBRARY what is preloaded.

A few by default; CALLREADY_FAULTS=10000 and CALLREADY_STORMS=1000 take as many as anybody has patience
for:  CALLREADY_FAULTS=10000 python3 -m unittest tests.faults.faults_test
"""

import collections
import concurrent.futures
import json
import os
import random
import resource
import signal
import struct
import subprocess
import tempfile
import time
import unittest

CALLREADY = os.environ.get("CALLREADY", "")
LIBRARY = os.environ.get("CALLREADY_FAULTS_LIBRARY", "")
FAULTS = int(os.environ.get("CALLREADY_FAULTS", "120"))
STORMS = int(os.environ.get("CALLREADY_STORMS", "24"))
LOCAL_SET = """schema: callready.targets/1
id: local
title: Local
requirements:
  - {id: door, title: Door, source: the test, check: tcp, transport: [tcp],
     addresses: [127.0.0.1], ports: [9]}
capabilities:
  - {id: calls, title: Calls, needs: [door]}
"""
# Runs beside each other.
AT_ONCE = int(os.environ.get("CALLREADY_FAULTS_AT_ONCE", "2"))

KINDS = ("allocation", "write", "send", "receive", "spawn", "open", "read", "setup")

# A run of the demo takes two seconds at most; its own deadline is 20 s, and a sanitizer is slow.
MOST_S = 60

FAKETIME = next((path for path in ("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
                                   "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1")
                 if os.path.exists(path)), None)

Done = collections.namedtuple("Done", "exit stdout stderr took")


def whole(text):
    """Whether that is a whole report."""
    try:
        report = json.loads(text)
    except ValueError:
        return False
    ids = {probe["id"] for probe in report["probes"]}
    return report["schema"] == "callready.report/1" and all(
        set(row["probes"]) <= ids for one in report["sets"] for row in one["requirements"])


def wrong(done, signals=(), lost_output=False):
    """What is wrong with how a run ended; nothing where all is well. `signals`: that may end it.
    `lost_output`: its standard output or error was taken away."""
    if done.took > MOST_S:
        return "did not end in time"
    if done.exit < 0:
        if -done.exit in signals and not done.stdout:
            return None
        return f"ended by signal {-done.exit}"
    if done.exit > 4:
        return f"exit status {done.exit}"
    if lost_output:
        return None
    if done.stdout and whole(done.stdout):
        return None
    if done.exit != 2 or "callready: " not in done.stderr:
        return "neither a report nor a line"
    return None


def run(command, environment, prepare=None, meanwhile=None, stdout=subprocess.PIPE):
    """Runs it in an empty folder. `meanwhile` gets the process while it runs."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryFile() as out, \
            tempfile.TemporaryFile() as err:
        own = {**os.environ, "HOME": home, "XDG_STATE_HOME": home, **environment}
        process = subprocess.Popen(command, env=own, stdin=subprocess.DEVNULL, cwd=home,
                                   stdout=out if stdout == subprocess.PIPE else stdout, stderr=err,
                                   preexec_fn=prepare)
        try:
            if meanwhile:
                meanwhile(process)
            process.wait(MOST_S)
        except subprocess.TimeoutExpired:
            pass
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        took = time.monotonic() - start
        out.seek(0)
        err.seek(0)
        return Done(process.returncode, out.read().decode(errors="replace"),
                    err.read().decode(errors="replace"), took)


def demo(fault):
    """The whole demo where packets fail; elsewhere without its stream, which takes two seconds."""
    packets = fault.startswith(("send:", "receive:"))
    return ("demo", "--json") if packets else ("demo", "--json", "--skip=stream")


def with_fault(fault, command=None):
    """A run with that fault, and how many calls there were and failed."""
    with tempfile.NamedTemporaryFile() as counts:
        counts.write(bytes(16))
        counts.flush()
        preload = ":".join(filter(None, (os.environ.get("CALLREADY_FAULTS_BEFORE", ""), LIBRARY)))
        done = run([CALLREADY, *(command or demo(fault))],
                   {"CALLREADY_FAULT": fault, "CALLREADY_FAULT_COUNT": counts.name,
                    "LD_PRELOAD": preload})
        counts.seek(0)
        calls, failed = struct.unpack("QQ", counts.read(16))
        return done, calls, failed


class Faults(unittest.TestCase):
    def setUp(self):
        if not CALLREADY or not LIBRARY:
            self.skipTest("CALLREADY and CALLREADY_FAULTS_LIBRARY name nothing")

    def every(self, faults):
        """Makes them; how many calls failed, and whatever was wrong."""
        total, bad = 0, []
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for fault, (done, _, failed) in zip(faults, pool.map(with_fault, faults)):
                total += failed
                # Where several writes fail, the line's may be one of them.
                why = wrong(done, lost_output=failed > 1 and fault.startswith("write:"))
                if why:
                    bad.append(f"{fault}: {why}; {done.stderr[-600:]}")
        return total, bad

    def test_the_nth_call_fails(self):
        faults = []
        for kind in KINDS:
            done, calls, failed = with_fault(f"{kind}:{10**12}")
            self.assertIsNone(wrong(done), done)
            self.assertEqual(failed, 0)
            self.assertGreater(calls, 0, kind)
            share = max(FAULTS // (2 * len(KINDS)), 1)
            chosen = sorted({1 + i * calls // share for i in range(min(share, calls))})
            faults += [f"{kind}:{number}" for number in chosen]
        total, bad = self.every(faults)
        self.assertEqual([], bad, f"{len(bad)} of {len(faults)}")
        self.assertGreater(total, len(faults) // 2)

    def test_no_memory_before_the_program_begins(self):
        """Initialisers run before main(), those of libraries too."""
        for number in range(1, 60, 6):
            done, _, _ = with_fault(f"allocation:{number}", ("--version",))
            self.assertIn((done.exit, done.stderr), ((0, ""), (2, "callready: out of memory\n")), number)

    def test_an_interface_that_only_root_may_choose(self):
        """Otherwise each packet would seem to be kept by this computer's firewall."""
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(LOCAL_SET)
            file.flush()
            done, _, _ = with_fault("setup:%1:1", ("check", "--set", file.name, "--interface", "lo"))
        self.assertEqual((2, ""), (done.exit, done.stdout))
        self.assertIn("only an administrator", done.stderr)

    def test_many_calls_fail(self):
        total, bad, seed = 0, [], 0
        while total < FAULTS // 2:
            faults = []
            for _ in range(2 * AT_ONCE):
                seed += 1
                kind = KINDS[seed % len(KINDS)]
                one_of = (10_000 if kind == "allocation" else 10) * (1 + seed % 3)
                faults.append(f"{kind}:%{one_of}:{seed}")
            failed, found = self.every(faults)
            total += failed
            bad += found
            self.assertLess(seed, 10 * FAULTS + 100, "nothing fails")
        self.assertEqual([], bad, f"{len(bad)} of {seed} runs, {total} faults")


class Storms(unittest.TestCase):
    def setUp(self):
        if not CALLREADY:
            self.skipTest("CALLREADY names nothing")

    @staticmethod
    def storm(seed):
        """What is wrong with a run in bad luck; nothing, or a line."""
        chance = random.Random(seed)
        kind = chance.choice(("signal", "signals", "stop", "clock", "full", "limit", "closed",
                              "reader"))
        wait = chance.uniform(0, 0.3)
        command, environment, prepare, meanwhile = [CALLREADY, "demo", "--json"], {}, None, None
        signals, lost, stdout = (), False, subprocess.PIPE
        if kind in ("signal", "signals"):
            signals = (signal.SIGINT, signal.SIGTERM)

            def meanwhile(process):
                for _ in range(1 if kind == "signal" else 3):
                    time.sleep(wait)
                    if process.poll() is None:
                        process.send_signal(chance.choice(signals))
        elif kind == "stop":
            def meanwhile(process):
                time.sleep(wait)
                process.send_signal(signal.SIGSTOP)
                time.sleep(chance.uniform(0, 1.5))
                process.send_signal(signal.SIGCONT)
        elif kind == "clock" and FAKETIME:
            environment = {"LD_PRELOAD": FAKETIME, "DONT_FAKE_MONOTONIC": "1",
                           "FAKETIME": chance.choice(("-20y x30", "+10y x1000", "+0 i3600", "-1d"))}
        elif kind == "full":
            lost, stdout = True, subprocess.DEVNULL
            command = ["sh", "-c", chance.choice(("exec \"$0\" \"$@\" >/dev/full",
                                                  "exec \"$0\" \"$@\" 2>/dev/full",
                                                  "exec \"$0\" \"$@\" --report html=/dev/full")),
                       *command]
        elif kind == "limit":
            most = chance.randrange(0, 40_000)
            lost = True

            def prepare():
                resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        elif kind == "closed":
            lost = True
            command = ["sh", "-c", "exec \"$0\" \"$@\" " + chance.choice((">&-", "2>&-", ">&- 2>&-",
                                                                          "<&- >&- 2>&-")), *command]
        elif kind == "reader":
            lost = True
            command = ["sh", "-c", "\"$0\" \"$@\" --follow 2>&1 | head -c "
                       f"{chance.randrange(1, 5_000)} >/dev/null", *command]
        why = wrong(run(command, environment, prepare, meanwhile, stdout), signals, lost)
        return f"storm {seed} ({kind}): {why}" if why else None

    def test_bad_luck(self):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            bad = [why for why in pool.map(self.storm, range(STORMS)) if why]
        self.assertEqual([], bad)


if __name__ == "__main__":
    unittest.main()
