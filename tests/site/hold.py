"""A site that stays up for a test: requests come as JSON lines, one answer line each.

    {"run": ["curl", ...], "timeout": 30, "env": {}, "privileged": false}
      -> {"exit": 0, "stdout": "...", "stderr": "...", "ended": {}}; "exit" is null when time ran
         out, and "ended" holds the end of the log of each server of the site that has died
    {"signal": "SIGTERM", "after": 0.5, ...} beside "run": sends a signal to the command
    {"once": "text", ...} instead of "after": as soon as the text is on its standard output
    {"router": "firewall", ...} beside "run": on that router, with all privileges
    {"cable": "pulled", ...} instead of "signal": the PC's link goes down then
"""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time

from .plan import FOLDER
from .tools import tool


def _answer(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _await(process, out, text, deadline):
    """Waits for `text` on standard output; whether it came before the end of the command."""
    said = b""
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        said += os.pread(out.fileno(), 1 << 24, len(said))
        if text.encode() in said:
            return True
        if ended:
            return False
        time.sleep(0.01)
    return False


def _finish(site, process, out, request):
    """Waits for a command; a negative exit status is the signal that ended it."""
    deadline = time.monotonic() + request["timeout"]
    if request.get("once"):
        due = _await(process, out, request["once"], deadline)
    elif request.get("signal"):
        try:
            return process.wait(request["after"])
        except subprocess.TimeoutExpired:
            due = True
    else:
        due = False
    if due and request.get("signal"):
        process.send_signal(getattr(signal, request["signal"]))
    if due and request.get("cable"):
        site.start([tool("ip"), "link", "set", "eth0", "down"], True, {}).wait()
    try:
        return process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None


def _run(site, request):
    with tempfile.TemporaryFile(dir=FOLDER) as out, tempfile.TemporaryFile(dir=FOLDER) as err:
        try:
            streams = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": err,
                       "start_new_session": True}
            if request.get("router"):
                process = site.start_on(request["router"], request["run"], request["env"], **streams)
            else:
                process = site.start(request["run"], request["privileged"], request["env"], **streams)
        except OSError as error:
            return {"error": f"{request['run'][0]}: {error.strerror}"}
        code = _finish(site, process, out, request)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
    ended = {one.name: one.log() for one in site.servers if one.ended()}
    return {"exit": code, "stdout": texts[0], "stderr": texts[1], "ended": ended}


def serve(site):
    """Answers requests until standard input ends or a signal comes."""
    _answer({"ready": True})
    while True:
        readable, _, _ = select.select([sys.stdin], [], [], 0.2)
        stop = signal.sigpending() & {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
        line = sys.stdin.readline() if readable else "\n"
        if stop or not line:
            return 0
        if line.strip():
            _answer(_run(site, json.loads(line)))
