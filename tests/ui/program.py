"""callready ui as a user starts it, and its page as a browser asks for it."""

import http.client
import json
import os
import re
import subprocess
import tempfile
import time

CALLREADY = os.environ.get("CALLREADY", "")
DEADLINE_S = 60

# Sets of the tests' own, in the user's folder: a port of this computer that answers, or that does
# not. No name is asked for, and no control outside is tried.
SET = """schema: callready.targets/1
id: {id}
title: {title}
vendor: Nobody
edition: "1"
document: A table
verified: 2026-11-20
aliases: [{alias}]
capabilities: [{{ id: calls, title: Calls, needs: [web] }}]
requirements:
  - {{ id: web, title: Web server, source: page 1, check: tcp, transport: [tcp], ports: [{port}], {where} }}
"""
# For `where`: what the user has to name.
OF_ONES_OWN = """hosts: ["${server}"] }
variables:
  - { name: server, title: Your server, example: pbx.example.com"""
OPTIONS = ["--no-anchors", "--dns", "127.0.0.1:9", "--timeout", "20"]


class Program:
    """with Program(folder) as program: program.enter(); program.get("services")"""

    def __init__(self, folder, options=OPTIONS, environment=None, browser=False):
        self.folder = folder
        self.environment = {**os.environ, "XDG_CONFIG_HOME": folder + "/config",
                            "XDG_STATE_HOME": folder + "/state", "XDG_DATA_HOME": folder + "/data",
                            **(environment or {})}
        self.log = tempfile.TemporaryFile("w+")
        command = [*self.program(), "ui", *([] if browser else ["--no-browser"]), "--", *options]
        self.process = subprocess.Popen(command,
                                        env=self.environment, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log)
        self.cookie = None
        try:
            self.file = self.path_of(self.until(r"^  (\S+open\.html)$").group(1))
        except BaseException:
            self.close()
            raise
        with open(self.file, encoding="utf-8") as file:
            found = re.search(r"http://127\.0\.0\.1:(\d+)(/enter\?token=\w+)", file.read())
        self.port, self.entry = int(found.group(1)), found.group(2)
        self.address = f"127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def program(self):
        return [CALLREADY]

    def path_of(self, said):
        return said

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def until(self, pattern):
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            found = re.search(pattern, self.said(), re.M)
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(f"{pattern} is not said:\n{self.said()}")

    def ask(self, method, path, headers=None, body=None, port=None):
        """The reply, read whole; Host as http.client has it, unless given."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=DEADLINE_S)
        try:
            connection.putrequest(method, path, skip_host="Host" in (headers or {}))
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            reply = connection.getresponse()
            reply.text = reply.read().decode()
            return reply
        finally:
            connection.close()

    def enter(self):
        reply = self.ask("GET", self.entry)
        if reply.status != 200:
            raise AssertionError(reply.text)
        self.cookie = reply.getheader("Set-Cookie")
        self.home = re.search(r"url=(/\w+/)", reply.text).group(1)
        return reply

    def own(self, **more):
        return {"Cookie": self.cookie.split(";")[0], **more}

    def get(self, path, **more):
        return self.ask("GET", self.home + path, self.own(**more))

    def post(self, path, data, **more):
        headers = {"Origin": "http://" + self.address, "Content-Type": "application/json", **more}
        return self.ask("POST", self.home + path, self.own(**headers), json.dumps(data).encode())

    def events(self):
        """The states of the run, as they come, on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        connection.request("GET", self.home + "events", headers=self.own())
        return Events(connection, connection.getresponse())

    def child(self):
        """The process that is the run; others print what the page asks for."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            for task in os.listdir(f"/proc/{self.process.pid}/task"):
                with open(f"/proc/{self.process.pid}/task/{task}/children",
                          encoding="ascii") as file:
                    children = [int(word) for word in file.read().split()]
                for child in children:
                    with open(f"/proc/{child}/cmdline", encoding="utf-8") as file:
                        if "--follow" in file.read().split("\0"):
                            return child
            time.sleep(0.02)
        raise AssertionError("there is no run")

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(DEADLINE_S)
        self.log.close()


class Events:
    def __init__(self, connection, reply):
        self.connection, self.reply = connection, reply

    def next(self):
        """The next state; no more after the end."""
        while True:
            line = self.reply.readline()
            if not line:
                return None
            if line.startswith(b"data: "):
                return json.loads(line[6:])

    def until(self, name):
        """States up to the first that is called so."""
        states = []
        while not states or states[-1]["state"] != name:
            states.append(self.next())
            if states[-1] is None:
                raise AssertionError(f"the events end before the run is {name}")
        return states

    def close(self):
        self.reply.close()
        self.connection.close()


def write_set(folder, name, port, where="addresses: [127.0.0.1]", settings="config"):
    targets = os.path.join(folder, settings, "callready", "targets")
    os.makedirs(targets, exist_ok=True)
    with open(f"{targets}/{name}.yaml", "w", encoding="utf-8") as file:
        file.write(SET.format(id=name, title=name.title(), alias=name + "-too", port=port,
                              where=where))
