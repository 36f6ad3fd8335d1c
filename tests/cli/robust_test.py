"""The program against what is not well meant: places it cannot write to, files that are none, sets that
want more than any service does. CALLREADY names the binary."""

import concurrent.futures
import http.server
import json
import os
import pty
import resource
import signal
import socket
import subprocess
import threading
import time
import unittest

from tests.cli.commands_test import CALLREADY, CommandsTest, Listener, row

HOSTILE = "a\x1b]0;x\x07\u202eb"


def cpu_of(work):
    """The processor's seconds that the children of `work` took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class RobustTest(CommandsTest):
    def shell(self, text, *arguments, **options):
        """`text` for sh, where "$@" is the program with these arguments."""
        return subprocess.run(["sh", "-c", text, "sh", CALLREADY, *arguments], text=True, timeout=120,
                              capture_output=True, env=self.environment(), check=False, **options)

    def check_arguments(self, *more, text=None):
        return ["check", "small", "--set", self.small(text), "--no-anchors", "--proxy", "none", *more]


class Output(RobustTest):
    def test_standard_error_that_takes_nothing_ends_nothing(self):
        listener = Listener()
        self.addCleanup(listener.close)
        arguments = self.check_arguments("--json", "--all", text=row(port=listener.port))
        for where in ("2>&-", "2>/dev/full", "2>&1 >/dev/null | true"):
            with self.subTest(where):
                done = self.shell(f'"$@" {where}', *arguments)
                self.assertEqual(0, done.returncode, done)
                if "true" not in where:
                    self.assertEqual("callready.report/1", json.loads(done.stdout)["schema"])

    def test_nagios_gets_its_line_also_then(self):
        for where in ("2>&-", "2>/dev/full", "2>/dev/null"):
            for arguments in (["check", "nosuch", "--nagios"], ["check", "--nosuch", "--nagios"]):
                with self.subTest(where=where, arguments=arguments):
                    done = self.shell(f'"$@" {where}', *arguments)
                    self.assertEqual(3, done.returncode)
                    self.assertRegex(done.stdout, r"\ACALLREADY UNKNOWN - .+\n\Z")

    def test_help_that_nobody_gets_is_an_error(self):
        for arguments in (["--help"], ["check", "--help"], ["--version"]):
            done = self.shell('"$@" >/dev/full', *arguments)
            self.assertEqual(2, done.returncode)
            self.assertIn("No space left", done.stderr)

    def test_nothing_commands_the_terminal(self):
        bad = self.write(f"schema: callready.targets/1\n\"{HOSTILE}\": 1\n", "bad.yaml")
        named = self.write("x: 1\n", f"{HOSTILE}.yaml")
        for arguments in (["validate", bad], ["validate", named], ["render", named],
                          ["check", HOSTILE], ["show", HOSTILE], [HOSTILE],
                          self.check_arguments("--only", HOSTILE),
                          self.check_arguments("--report", f"json=/{HOSTILE}/x"),
                          self.check_arguments("--ca-file", f"/{HOSTILE}"),
                          self.check_arguments("--credentials", f"/{HOSTILE}")):
            with self.subTest(arguments[0:1] + arguments[-1:]):
                done = self.run_it(*arguments)
                self.assertEqual(2, done.returncode)
                for text in ("\x1b", "\x07", "\u202e"):
                    self.assertNotIn(text, done.stdout + done.stderr)

    def test_a_terminal_that_obeys_nobody_gets_text(self):
        listener = Listener()
        self.addCleanup(listener.close)
        for kind in (None, "", "dumb"):
            with self.subTest(TERM=kind):
                ours, its = pty.openpty()
                environment = self.environment()
                environment.pop("TERM", None)
                if kind is not None:
                    environment["TERM"] = kind
                with subprocess.Popen([CALLREADY, *self.check_arguments(
                        text=row(port=listener.port))], env=environment, stdout=its,
                        stderr=its, stdin=subprocess.DEVNULL) as process:
                    os.close(its)
                    shown = b""
                    while True:
                        try:
                            part = os.read(ours, 65536)
                        except OSError:
                            break
                        if not part:
                            break
                        shown += part
                    self.assertEqual(0, process.wait(60))
                os.close(ours)
                self.assertIn(b"small", shown.lower())
                self.assertNotIn(b"\x1b", shown)


class Files(RobustTest):
    def assert_report(self, path):
        with open(path, encoding="utf-8") as file:
            self.assertEqual("callready.report/1", json.load(file)["schema"])

    def render(self, file):
        listener = Listener()
        self.addCleanup(listener.close)
        return self.run_it(*self.check_arguments("--quiet", "--report", f"json={file}",
                                                 text=row(port=listener.port)))

    def test_the_mode_of_a_report_is_kept(self):
        file = self.write("old", "report.json")
        os.chmod(file, 0o600)
        self.assertEqual(0, self.render(file).returncode)
        self.assertEqual(0o600, os.stat(file).st_mode & 0o777)
        self.assert_report(file)

    def test_another_users_file_stays_the_others(self):
        if os.geteuid() != 0:
            self.skipTest("only root can make a file of somebody else")
        file = self.write("old", "report.json")
        os.chmod(file, 0o600)
        os.chown(file, 12345, 12345)
        self.assertEqual(0, self.render(file).returncode)
        status = os.stat(file)
        self.assertEqual((12345, 12345, 0o600), (status.st_uid, status.st_gid, status.st_mode & 0o777))

    def test_another_users_file_where_anybody_writes_is_refused(self):
        if os.geteuid() != 0:
            self.skipTest("only root can make a file of somebody else")
        folder = self.path("sticky")
        os.mkdir(folder)
        os.chmod(folder, 0o1777)
        file = os.path.join(folder, "report.json")
        with open(file, "w", encoding="utf-8") as theirs:
            theirs.write("theirs")
        os.chown(file, 12345, 12345)
        done = self.render(file)
        self.assertEqual(2, done.returncode)
        self.assertIn("another user's file", done.stderr)
        with open(file, encoding="utf-8") as theirs:
            self.assertEqual("theirs", theirs.read())

    def test_what_is_kept_is_for_this_user_alone(self):
        listener = Listener()
        self.addCleanup(listener.close)
        done = self.shell('umask 0; "$@"', *self.check_arguments("--quiet",
                                                                 text=row(port=listener.port)))
        self.assertEqual(0, done.returncode, done.stderr)
        state = self.path("state")
        for folder in (state, os.path.join(state, "callready")):
            self.assertEqual(0o700, os.stat(folder).st_mode & 0o777, folder)

    def test_another_users_link_is_not_followed(self):
        if os.geteuid() != 0:
            self.skipTest("only root can make a link of somebody else")
        folder = self.path("sticky")
        os.mkdir(folder)
        os.chmod(folder, 0o1777)
        victim = self.write("precious", "victim")
        for name in ("link", "folder"):
            os.symlink(victim if name == "link" else self.folder.name, os.path.join(folder, name))
            os.chown(os.path.join(folder, name), 12345, 12345, follow_symlinks=False)
        os.mkfifo(os.path.join(folder, "pipe"))
        os.chown(os.path.join(folder, "pipe"), 12345, 12345)
        for name in ("link", "folder/victim", "pipe"):
            done = self.render(os.path.join(folder, name))
            self.assertEqual(2, done.returncode)
            self.assertIn("another user", done.stderr)
        with open(victim, encoding="utf-8") as file:
            self.assertEqual("precious", file.read())

    def test_ones_own_link_stays_one(self):
        target = self.write("old", "target.json")
        os.symlink(target, self.path("link.json"))
        self.assertEqual(0, self.render(self.path("link.json")).returncode)
        self.assertTrue(os.path.islink(self.path("link.json")))
        self.assert_report(target)

    def inputs(self, file):
        """Command lines that read `file`."""
        check = self.check_arguments
        return {
            "set": ["check", "--set", file], "validate": ["validate", file],
            "credentials": check("--credentials", file), "tags": check("--service-tags", file),
            "anchors": ["check", "small", "--set", self.small(), "--anchors", file],
            "ca": check("--ca-file", file), "key": check("--redact", "--redact-key", file),
            "render": ["render", file], "merge": ["merge", file, file], "diff": ["diff", file, file],
            "firewall": ["firewall", "rainbow", "--from", file, "--missing"],
            "import": ["import", "zoom", file],
        }

    def test_what_has_no_end_is_no_input(self):
        for name, arguments in self.inputs("/dev/zero").items():
            with self.subTest(name):
                done = self.run_it(*arguments)
                self.assertEqual(2, done.returncode, done)
                self.assertNotIn("internal error", done.stderr)

    def test_a_pipe_that_nobody_writes_to_holds_nobody_up(self):
        pipe = self.path("pipe")
        os.mkfifo(pipe)

        def interrupted(arguments):
            with subprocess.Popen([CALLREADY, *arguments], env=self.environment(),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                time.sleep(1)
                process.send_signal(signal.SIGTERM)
                start = time.monotonic()
                process.wait(60)
                return time.monotonic() - start

        inputs = self.inputs(pipe)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for name, took in zip(inputs, pool.map(interrupted, inputs.values())):
                self.assertLess(took, 5, name)

    def test_a_pipe_that_somebody_writes_to_is_a_file(self):
        listener = Listener()
        self.addCleanup(listener.close)
        file = self.small(row(port=listener.port))
        done = subprocess.run(["bash", "-c", '"$0" check small --set <(sleep 0.3; cat "$1") --no-anchors '
                               '--proxy none --json', CALLREADY, file], capture_output=True, timeout=60,
                              env=self.environment(), check=False)
        self.assertEqual(0, done.returncode, done.stderr)

    @unittest.skipIf("undefined" in os.environ.get("CALLREADY_SANITIZE", ""),
                     "UBSan needs a descriptor of its own")
    def test_too_few_files_is_said(self):
        for limit in (4, 6, 8):
            done = self.shell(f'ulimit -n {limit}; "$@"', *self.check_arguments("--json"))
            if done.stdout:
                json.loads(done.stdout)
            else:
                self.assertIn(done.returncode, (2, 127))
                self.assertNotIn("internal error", done.stderr)
                self.assertEqual(1, len(done.stderr.splitlines()), done.stderr)


class Sizes(RobustTest):
    def assert_grows_little(self, work, small, factor=10):
        """Ten times as much may take some twenty times as long, and not a hundred times."""
        work(small)  # what is done once
        least = max(min(cpu_of(lambda: work(small)) for _ in range(2)), 0.02)
        self.assertLess(cpu_of(lambda: work(small * factor)), 3 * factor * least)

    def test_a_set_on_one_line(self):
        def validate(count):
            file = self.write("schema: callready.targets/1\nid: x\nx: [" + "abcdefgh, " * count + "a]\n")
            self.assertEqual(2, self.run_it("validate", file).returncode)

        self.assert_grows_little(validate, 10_000)

    def test_reports_of_many_rows(self):
        listener = Listener()
        self.addCleanup(listener.close)
        saved = self.path("saved.json")
        self.run_it(*self.check_arguments("--quiet", "--report", f"json={saved}",
                                          text=row(port=listener.port)))
        with open(saved, encoding="utf-8") as file:
            report = json.load(file)
        first, probe = report["sets"][0]["requirements"][0], report["probes"][0]

        def render(count):
            report["probes"] = [{**probe, "id": f"p{i}"} for i in range(count)]
            report["sets"][0]["requirements"] = [{**first, "id": f"r{i}", "probes": [f"p{i}"]}
                                                 for i in range(count)]
            report["sets"][0]["capabilities"][0]["requirements"] = [f"r{i}" for i in range(count)]
            with open(saved, "w", encoding="utf-8") as file:
                json.dump(report, file)
            for kind in ("junit", "csv", "markdown", "nagios"):
                self.assertEqual(0, self.run_it("render", saved, "--report", kind).returncode)

        self.assert_grows_little(render, 150)

    def test_hostile_reports_are_no_internal_errors(self):
        listener = Listener()
        self.addCleanup(listener.close)
        saved, other = self.path("saved.json"), self.path("other.json")
        self.run_it(*self.check_arguments("--quiet", "--report", f"json={saved}",
                                          text=row(port=listener.port)))
        with open(saved, encoding="utf-8") as file:
            text = file.read()

        def spoil(change):
            report = json.loads(text)
            change(report)
            with open(other, "w", encoding="utf-8") as file:
                json.dump(report, file)

        def unknown_row(report):
            report["sets"][0]["capabilities"][0]["requirements"] = ["nosuch"]

        def unknown_probe(report):
            report["sets"][0]["requirements"][0]["probes"] = ["nosuch"]

        def no_rows(report):
            report["sets"][0]["requirements"] = []

        def twice(report):
            report["sets"].append(report["sets"][0])
            report["probes"].append(report["probes"][0])

        for change in (unknown_row, unknown_probe, no_rows, twice):
            spoil(change)
            for arguments in (["merge", saved, other], ["merge", other, other], ["diff", saved, other],
                              ["render", other], ["render", other, "--report", "html"],
                              ["render", other, "--report", "junit"]):
                with self.subTest(change.__name__, arguments=arguments[0]):
                    done = self.run_it(*arguments)
                    self.assertGreaterEqual(done.returncode, 0)
                    self.assertNotIn("internal error", done.stderr)


class Weapons(RobustTest):
    def test_one_server_is_asked_so_often_and_no_more(self):
        listener = Listener()
        self.addCleanup(listener.close)
        seen = []

        def count():
            while True:
                try:
                    connection, _ = listener.socket.accept()
                except OSError:
                    return
                seen.append(time.monotonic())
                connection.close()

        threading.Thread(target=count, daemon=True).start()
        rows = "\n  - ".join(
            f"{{ id: r{i}, title: R, source: s, check: http, transport: [tcp], ports: [{listener.port}], "
            f"addresses: [127.0.0.1], with: {{ path: /{i} }} }}" for i in range(1_000))
        file = self.small("PLACE")
        with open(file, encoding="utf-8") as before:
            text = before.read().replace("PLACE", rows).replace("needs: [row]", "needs: [r0]")
        self.write(text)
        start = time.monotonic()
        done = self.run_it("check", "small", "--set", file, "--no-anchors", "--proxy", "none", "--json",
                           "--timeout", "4")
        self.assertLess(time.monotonic() - start, 40)
        self.assertIn(done.returncode, (0, 1, 3, 4), done.stderr)
        self.assertGreater(len(seen), 10)
        self.assertLess(len(seen), 200)


class Proxies(RobustTest):
    def pac(self, script):
        """The URL of a PAC file."""
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(script.encode())

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}/p.pac"

    def run_with(self, url, *more):
        listener = Listener()
        self.addCleanup(listener.close)
        text = row(port=listener.port).replace("addresses: [127.0.0.1]",
                                               "proxy: allowed, hosts: [a.invalid]")
        environment = {**self.environment(), "auto_proxy": url}
        return subprocess.run([CALLREADY, "check", "small", "--set", self.small(text), "--no-anchors",
                               "--proxy", "auto", *more], env=environment, text=True, timeout=60,
                              capture_output=True, check=False)

    def test_a_trap_is_not_asked(self):
        url = self.pac("function FindProxyForURL(u, h) { return 'PROXY 169.254.169.254:80'; }")
        done = self.run_with(url, "--json")
        report = json.loads(done.stdout)
        self.assertTrue([n for n in report["notes"] if "not one that a site would use" in n], report["notes"])
        self.assertEqual([], [p for p in report["probes"]
                              if "169.254" in str(p["target"].get("route", ""))])

    def test_of_many_proxies_the_rest_is_called_so(self):
        listeners = [Listener() for _ in range(20)]
        for listener in listeners:
            self.addCleanup(listener.close)
        named = "; ".join(f"PROXY 127.0.0.1:{listener.port}" for listener in listeners)
        done = self.run_with(self.pac(f"function FindProxyForURL(u, h) {{ return '{named}'; }}"), "--json")
        notes = json.loads(done.stdout)["notes"]
        self.assertIn("The PAC file names more than 16 proxies: nothing was sent to the others.", notes)
        self.assertEqual([], [n for n in notes if "not one that a site would use" in n])

    def test_secrets_of_a_pac_url_are_nowhere(self):
        url = self.pac("x").replace("http://", "http://alice:hunter2@") + "?token=hunter3"
        for kind in ("json", "text", "html", "markdown", "csv", "junit", "nagios", "prometheus"):
            with self.subTest(kind):
                done = self.run_with(url, "--report", kind, "--verbose")
                self.assertNotIn(done.returncode, (2, -6), done.stderr)
                for secret in ("alice", "hunter2", "hunter3"):
                    self.assertNotIn(secret, done.stdout + done.stderr)
        done = self.run_with(url, "--json", "--follow")
        self.assertNotIn("hunter", done.stdout + done.stderr)
        refused = self.run_it("check", "rainbow", "--pac", url)
        self.assertEqual(2, refused.returncode)
        self.assertNotIn("hunter", refused.stderr)


class Secrets(RobustTest):
    def test_nobody_looks_into_a_run(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        arguments = self.check_arguments(text=row(check="sip", port=listener.getsockname()[1]))
        environment = {**self.environment(), "CALLREADY_TURN_PASSWORD": "hunter2"}
        nobody = {}
        if os.geteuid() == 0:  # what root starts is root's to look into
            os.chown(self.folder.name, 65534, -1)
            nobody = {"user": 65534, "group": 65534, "extra_groups": []}
        try:
            process = subprocess.Popen([CALLREADY, *arguments], env=environment, **nobody,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except PermissionError:
            self.skipTest("other users cannot start the program where it is")
        with process:
            listener.settimeout(30)
            connection, _ = listener.accept()  # it is at work
            with open(f"/proc/{process.pid}/limits", encoding="ascii") as limits:
                self.assertRegex(limits.read(), r"Max core file size +0 +0 ")
            if not os.environ.get("CALLREADY_SANITIZE"):  # whose leak check looks in
                self.assertEqual(0, os.stat(f"/proc/{process.pid}/environ").st_uid)
                if not nobody:
                    with self.assertRaises(PermissionError):
                        open(f"/proc/{process.pid}/environ", "rb").close()
            connection.close()
            process.send_signal(signal.SIGTERM)
            process.wait(60)

    def test_a_file_that_others_may_read_is_told(self):
        file = self.write("CALLREADY_TURN_USER=a\n", "secrets")
        os.chmod(file, 0o644)
        listener = Listener()
        self.addCleanup(listener.close)
        arguments = self.check_arguments("--credentials", file, text=row(port=listener.port))
        self.assertIn("other users", self.run_it(*arguments).stderr)
        os.chmod(file, 0o600)
        self.assertNotIn("other users", self.run_it(*arguments).stderr)
