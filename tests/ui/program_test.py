"""callready ui: who is refused, what a run tells, and that secrets stay where they are. CALLREADY
names the binary."""

import glob
import json
import os
import pwd
import shutil
import socket
import stat
import subprocess
import tempfile
import time
import unittest

from tests.ui import program


class WithFolder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="callready-ui-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)
        self.port = self.listener.getsockname()[1]
        program.write_set(self.folder, "local", self.port)

    def start(self, **options):
        started = program.Program(self.folder, **options)
        self.addCleanup(started.close)
        return started

    def start_slow(self):
        """With the set "slow", of a name that nobody answers: its run lives for a while."""
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        silent.bind(("127.0.0.1", 0))
        program.write_set(self.folder, "slow", self.port, where="hosts: [slow.example]")
        ui = self.start(options=["--no-anchors", "--dns", f"127.0.0.1:{silent.getsockname()[1]}"])
        ui.enter()
        return ui

    def run_to_its_end(self, ui, events, **order):
        reply = ui.post("run", order)
        self.assertEqual(204, reply.status, reply.text)
        events.until("running")
        return events.until("ended")


class Orphans(WithFolder):
    def test_what_a_killed_program_left_goes_at_the_next_start(self):
        killed, alive = self.start(), self.start()
        folders = [os.path.dirname(one.file) for one in (killed, alive)]
        killed.process.kill()
        killed.process.wait(program.DEADLINE_S)
        self.assertTrue(os.path.isdir(folders[0]))
        self.start()
        self.assertEqual([False, True], [os.path.exists(one) for one in folders])
        self.assertEqual(200, alive.enter().status)
        alive.close()
        self.assertEqual([], glob.glob(folders[1] + "*"))


HOLD = """import socket, sys
held = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(100)]
print("held", flush=True)
sys.stdin.read()
"""


class OtherUsers(WithFolder):
    @unittest.skipUnless(os.getuid() == 0, "only root can be two users")
    def test_another_user_keeps_nobody_out(self):
        ui = self.start()
        ui.enter()
        other = subprocess.Popen(["python3", "-c", HOLD, str(ui.port)], user="nobody",
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/")
        self.addCleanup(other.wait)
        self.addCleanup(other.stdin.close)
        self.addCleanup(other.stdout.close)
        self.assertEqual(b"held\n", other.stdout.readline())
        for _ in range(20):
            self.assertEqual(200, ui.get("").status)
        events = ui.events()
        self.assertEqual("idle", events.until("idle")[-1]["state"])


class Gate(WithFolder):
    def test_a_token_opens_once(self):
        ui = self.start()
        reply = ui.enter()
        self.assertIn("HttpOnly; SameSite=Strict", ui.cookie)
        self.assertIn(f"Path={ui.home}", ui.cookie)
        self.assertEqual("no-store", reply.getheader("Cache-Control"))
        self.assertEqual("nosniff", reply.getheader("X-Content-Type-Options"))
        self.assertEqual(403, ui.ask("GET", ui.entry).status, "used")
        page = ui.get("")
        self.assertEqual(200, page.status)
        self.assertIn("default-src 'self'", page.getheader("Content-Security-Policy"))
        self.assertIn("<h1>", page.text)

    def test_strangers_are_refused(self):
        ui = self.start()
        ui.enter()
        origin = {"Origin": "http://" + ui.address, "Content-Type": "application/json"}
        refused = [
            ("GET", "/", {}), ("GET", ui.home, {}), ("GET", ui.home + "services", {}),
            ("GET", "/enter?token=" + 64 * "0", {}),
            ("GET", ui.home, ui.own(Host="evil.example")),
            ("GET", ui.home, ui.own(Host=f"127.0.0.1.evil.example:{ui.port}")),
            ("GET", ui.home, ui.own(Host=f"localhost:{ui.port}")),
            ("GET", ui.home, ui.own(Origin="http://evil.example")),
            ("GET", ui.home, ui.own(**{"Sec-Fetch-Site": "cross-site"})),
            ("POST", ui.home + "run", origin),
            ("POST", ui.home + "run", ui.own()),
            ("POST", ui.home + "run", ui.own(**{**origin, "Origin": "http://evil.example"})),
            ("POST", ui.home + "run", ui.own(**{**origin, "Origin": "null"})),
            ("OPTIONS", ui.home + "run", ui.own()),
        ]
        for method, path, headers in refused:
            with self.subTest(f"{method} {path} {headers}"):
                reply = ui.ask(method, path, headers, b'{"service": "local"}' if method == "POST" else None)
                self.assertEqual(403, reply.status)
                self.assertIsNone(reply.getheader("Access-Control-Allow-Origin"))
        self.assertEqual(200, ui.get("").status)

    def test_what_is_too_large_is_refused(self):
        ui = self.start()
        ui.enter()
        self.assertEqual(400, ui.post("run", {"service": "x" * 100_000}).status)
        self.assertEqual(415, ui.post("run", {"service": "local"}, **{"Content-Type": "text/plain"}).status)
        for order in ({}, {"service": "--json"}, {"service": "local", "ca_file": "/etc/passwd"}):
            self.assertEqual(400, ui.post("run", order).status, order)

    def test_only_this_computer_can_reach_it(self):
        ui = self.start()
        with open("/proc/net/tcp", encoding="ascii") as file:
            lines = file.readlines()[1:]
        for line in lines:
            address, port = line.split()[1].split(":")
            if int(port, 16) == ui.port and line.split()[3] == "0A":
                self.assertEqual("0100007F", address)
                break
        else:
            self.fail("it listens nowhere")

    def test_the_file_is_this_users_alone(self):
        ui = self.start()
        self.assertEqual(0o600, stat.S_IMODE(os.stat(ui.file).st_mode))
        self.assertEqual(0o700, stat.S_IMODE(os.stat(os.path.dirname(ui.file)).st_mode))
        token = ui.entry.split("=")[1]
        self.assertNotIn(token, ui.said(), "a log may be others' too")
        for name in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(name, "rb") as file:
                    self.assertNotIn(token.encode(), file.read())
            except OSError:
                pass  # it has ended meanwhile

    @unittest.skipUnless(os.getuid() == 0, "only root can be another user")
    def test_another_user(self):
        ui = self.start()
        os.chmod(self.folder, 0o755)  # the test's own; the program's is what holds
        nobody = pwd.getpwnam("nobody").pw_uid
        shown = subprocess.run(["cat", ui.file], user=nobody, capture_output=True, check=False)
        self.assertNotEqual(0, shown.returncode)
        self.assertEqual(b"", shown.stdout)
        script = ("import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]));"
                  "c.request('GET', '/'); print(c.getresponse().status)")
        asked = subprocess.run(["python3", "-c", script, str(ui.port)], user=nobody, check=True,
                               capture_output=True, text=True)
        self.assertEqual("403", asked.stdout.strip())


class Run(WithFolder):
    def test_from_the_choice_to_the_ticket(self):
        ui = self.start()
        ui.enter()
        events = ui.events()
        self.addCleanup(events.close)
        self.assertEqual("idle", events.next()["state"])
        listed = json.loads(ui.get("services").text)
        self.assertIn("local-too", next(one for one in listed if one["id"] == "local")["aliases"])
        self.assertEqual("Local", json.loads(ui.get("service?id=local").text)["title"])
        began = time.monotonic()
        reply = ui.post("run", {"service": "local"})
        self.assertEqual(204, reply.status, reply.text)
        first = events.next()
        took = time.monotonic() - began
        self.assertEqual("running", first["state"])
        self.assertLess(took, 10, "1 s is promised; a loaded machine is given more")
        last = events.until("ended")[-1]
        self.assertEqual((True, False), (last["report"], last["before"]))
        summary = json.loads(ui.get("report?as=summary").text)
        self.assertEqual("READY", summary["sets"][0]["word"])
        self.assertIn("READY", ui.get("report?as=ticket").text)
        self.assertEqual("callready.report/1", json.loads(ui.get("report?as=json&save=1").text)["schema"])
        page = ui.get("report?as=html")
        self.assertIn("sandbox", page.getheader("Content-Security-Policy"))
        self.assertIn("attachment", ui.get("report?as=html&save=1").getheader("Content-Disposition"))
        self.assertEqual(404, ui.get("compare").status)
        self.assertEqual(404, ui.get("report?as=text").status)

    def test_the_users_own_set(self):
        program.write_set(self.folder, "own", self.port, settings="elsewhere")
        file = self.folder + "/elsewhere/callready/targets/own.yaml"
        ui = self.start(options=[*program.OPTIONS, "--set", file])
        ui.enter()
        events = ui.events()
        self.addCleanup(events.close)
        self.assertIn("own", [one["id"] for one in json.loads(ui.get("services").text)])
        self.assertEqual("Own", json.loads(ui.get("service?id=own").text)["title"])
        self.assertTrue(self.run_to_its_end(ui, events, service="own")[-1]["report"])

    def test_options_that_only_some_sets_know_reach_these(self):
        program.write_set(self.folder, "own", self.port, settings="elsewhere", where=program.OF_ONES_OWN)
        file = self.folder + "/elsewhere/callready/targets/own.yaml"
        ui = self.start(options=[*program.OPTIONS, "--set", file, "--var", "server=127.0.0.1",
                                 "--only=own/web", "--client", "web"])
        ui.enter()
        events = ui.events()
        self.addCleanup(events.close)
        for service in ("local", "own"):
            last = self.run_to_its_end(ui, events, service=service)[-1]
            self.assertEqual("", last["problem"])
            report = json.loads(ui.get("report?as=json").text)
            self.assertEqual([(service, "ready")], [(one["id"], one["verdict"]) for one in report["sets"]])
            self.assertEqual(["--only own/web"] if service == "own" else [], report.get("part", []))

    def test_what_could_not_be_decided_comes_with_its_reason(self):
        program.write_set(self.folder, "own", self.port, where=program.OF_ONES_OWN)
        ui = self.start()
        ui.enter()
        events = ui.events()
        self.addCleanup(events.close)
        self.run_to_its_end(ui, events, service="own")
        (one,) = json.loads(ui.get("report?as=summary").text)["sets"]
        self.assertEqual([("Web server", "needs your own value: --var server=...")],
                         [(row["title"], row["told"]) for row in one["undecided"]])
        self.run_to_its_end(ui, events, service="own", variables={"server": "127.0.0.1"})
        (one,) = json.loads(ui.get("report?as=summary").text)["sets"]
        self.assertEqual(("READY", []), (one["word"], one["undecided"]))
        last = self.run_to_its_end(ui, events, service="own", variables={"server": "a b"})[-1]
        self.assertIn("expected a host name or an address", last["problem"])

    def test_an_option_that_no_set_knows_is_refused_at_once(self):
        done = subprocess.run([program.CALLREADY, "ui", "--no-browser", "--", "--var", "serverr=x"],
                              capture_output=True, text=True, check=False, timeout=program.DEADLINE_S,
                              stdin=subprocess.DEVNULL)
        self.assertEqual((2, ""), (done.returncode, done.stdout))
        self.assertIn("unknown variable 'serverr'; did you mean 'server'?", done.stderr)

    def test_compared_with_before_and_hidden(self):
        ui = self.start()
        ui.enter()
        events = ui.events()
        self.addCleanup(events.close)
        self.run_to_its_end(ui, events, service="local", site="Lyon-Secret")
        self.listener.close()
        last = self.run_to_its_end(ui, events, service="local", site="Lyon-Secret")[-1]
        self.assertTrue(last["before"])
        difference = json.loads(ui.get("compare").text)
        self.assertEqual("worse", difference["result"])
        host = socket.gethostname()
        shown, hidden = (ui.get("report?as=json" + more).text for more in ("", "&hide=1"))
        self.assertIn(json.dumps(host), shown)
        self.assertNotIn(json.dumps(host), hidden)
        self.assertIn("Lyon-Secret", shown)
        self.assertNotIn("Lyon-Secret", hidden)
        self.assertTrue(json.loads(ui.get("report?as=summary&hide=1").text)["redacted"])
        # And by the program of another day.
        ui.close()
        again = self.start()
        again.enter()
        more = again.events()
        self.addCleanup(more.close)
        self.assertIn("local", more.next()["used"])
        self.assertTrue(self.run_to_its_end(again, more, service="local")[-1]["before"])

    def test_secrets_are_nobody_elses(self):
        ui = self.start_slow()
        events = ui.events()
        self.addCleanup(events.close)
        secrets = {"turn_user": "ua-3141", "turn_password": "pw-59265", "proxy_password": "pp-35897"}
        self.assertEqual(204, ui.post("run", {"service": "slow", **secrets}).status)
        events.until("running")
        line = b""
        while not line:  # it has just begun
            self.assertIsNone(ui.process.poll())
            with open(f"/proc/{ui.child()}/cmdline", "rb") as file:
                line = file.read()
        self.assertIn(b"slow", line)
        seen = [line]
        ui.post("stop", {})
        events.until("ended")
        seen.append(ui.said().encode())
        for folder, _, names in os.walk(self.folder):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    seen.append(file.read())
        for secret in secrets.values():
            for text in seen:
                self.assertNotIn(secret.encode(), text)

    def test_a_run_that_cannot_begin(self):
        ui = self.start()
        ui.enter()
        events = ui.events()
        self.addCleanup(events.close)
        last = self.run_to_its_end(ui, events, service="locul")[-1]
        self.assertFalse(last["report"])
        self.assertIn("locul", last["problem"])

    def test_the_demo(self):
        ui = self.start(options=[])
        ui.enter()
        events = ui.events()
        self.addCleanup(events.close)
        states = self.run_to_its_end(ui, events, service="demo")
        self.assertTrue(states[-1]["report"], states[-1])
        self.assertGreater(states[-1]["total"], 10)


class Browser(WithFolder):
    def test_gets_the_file_and_not_the_token(self):
        os.mkdir(self.folder + "/bin")
        with open(self.folder + "/bin/xdg-open", "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\necho "$# $1" > {self.folder}/part && mv {self.folder}/part {self.folder}/asked\n')
        os.chmod(self.folder + "/bin/xdg-open", 0o755)
        path = self.folder + "/bin:" + os.environ["PATH"]
        ui = self.start(browser=True, environment={"PATH": path})
        deadline = time.monotonic() + program.DEADLINE_S
        while not os.path.exists(self.folder + "/asked") and time.monotonic() < deadline:
            time.sleep(0.02)
        with open(self.folder + "/asked", encoding="utf-8") as file:
            self.assertEqual(f"1 {ui.file}\n", file.read())

    def test_that_is_not_there(self):
        ui = self.start(browser=True, environment={"PATH": "/nowhere"})
        self.assertIn("open this file in your browser", ui.said())


class End(WithFolder):
    def test_a_run_ends_with_it(self):
        ui = self.start_slow()
        self.assertEqual(204, ui.post("run", {"service": "slow"}).status)
        child = ui.child()
        ui.process.terminate()
        self.assertEqual(0, ui.process.wait(program.DEADLINE_S))
        self.assertFalse(os.path.exists(f"/proc/{child}"))

    def test_a_signal_ends_it_and_leaves_nothing(self):
        ui = self.start()
        ui.enter()
        events = ui.events()
        self.addCleanup(events.close)
        self.run_to_its_end(ui, events, service="local")
        ui.process.terminate()
        self.assertEqual(0, ui.process.wait(program.DEADLINE_S))
        self.assertFalse(os.path.exists(os.path.dirname(ui.file)))
        self.assertTrue(os.path.exists(self.folder + "/state/callready/ui/history/local.json"))

    def test_without_a_folder(self):
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("HOME", "XDG_STATE_HOME")}
        ended = subprocess.run([program.CALLREADY, "ui", "--no-browser"], env=environment,
                               capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(2, ended.returncode)
        self.assertIn("XDG_STATE_HOME", ended.stderr)


if __name__ == "__main__":
    unittest.main()
