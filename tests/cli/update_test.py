"""`callready update`, `import` and script/sign-sets as their users run them: with Debian's minisign,
and from a web server on loopback that behaves or does not. CALLREADY names a program that takes its
keys from CALLREADY_TEST_KEYS, CALLREADY_SETS the tool that makes an index."""

import http.server
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

CALLREADY = os.environ.get("CALLREADY", "")
SETS_TOOL = os.environ.get("CALLREADY_SETS", "")
SOURCE = pathlib.Path(__file__).resolve().parents[2]

SET = """schema: callready.targets/1
id: {id}
title: The service {id}
verified: 2026-11-20
kind: meetings
evidence: vendor-page
capabilities:
  - {{ id: c, title: C, needs: [web] }}
requirements:
  - id: web
    title: W
    check: tls
    transport: [tls]
    ports: [443]
    hosts: [{host}]
"""


class Server:
    """Offers a folder; `misbehave` may answer a request itself, and then returns True."""

    def __init__(self, folder):
        self.misbehave = lambda handler: False
        self.asked = []
        outer = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments):
                super().__init__(*arguments, directory=str(folder))

            def do_GET(self):  # pylint: disable=invalid-name
                outer.asked.append((self.path, self.headers.get("If-None-Match")))
                if outer.misbehave(self):
                    return
                path = pathlib.Path(self.translate_path(self.path))
                tag = f'"{path.stat().st_mtime_ns}"' if path.is_file() else None
                if tag and self.headers.get("If-None-Match") == tag:
                    self.send_response(304)
                    self.end_headers()
                    return
                self.tag = tag
                super().do_GET()

            def end_headers(self):
                if getattr(self, "tag", None):
                    self.send_header("ETag", self.tag)
                super().end_headers()

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class UpdateTest(unittest.TestCase):
    def setUp(self):
        if not CALLREADY or not shutil.which("minisign"):
            self.skipTest("needs CALLREADY and minisign")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name in ("sets", "offered", "home"):
            (self.folder / name).mkdir()
        self.offered = self.folder / "offered"
        self.keys = [self.make_key(name) for name in ("one", "two", "three")]
        self.version = 0

    def make_key(self, name):
        public = self.folder / f"{name}.pub"
        subprocess.run(["minisign", "-G", "-W", "-p", public, "-s", self.folder / f"{name}.key"],
                       check=True, capture_output=True)
        return public.read_text().splitlines()[1]

    def environment(self):
        return {**os.environ, "HOME": str(self.folder / "home"),
                "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": "", "http_proxy": "",
                "no_proxy": "*", "CALLREADY_TEST_KEYS": ",".join(self.keys)}

    def run_it(self, *arguments, **more):
        return subprocess.run([CALLREADY, *map(str, arguments)], capture_output=True, text=True,
                              timeout=60, env={**self.environment(), **more}, check=False)

    def publish(self, hosts, key="one", days="30"):
        """Signs a folder of sets as script/sign-sets does for everybody."""
        shutil.rmtree(self.folder / "sets")
        (self.folder / "sets").mkdir()
        for name, host in hosts.items():
            (self.folder / "sets" / f"{name}.yaml").write_text(SET.format(id=name, host=host))
        self.version += 1
        subprocess.run([SOURCE / "script/sign-sets", self.offered, str(self.version),
                        self.folder / f"{key}.key", days], check=True, capture_output=True,
                       env={**os.environ, "SETS": str(self.folder / "sets"),
                            "CALLREADY_SETS": SETS_TOOL})

    def update(self, source=None):
        return self.run_it("update", "--from", source or self.offered)

    def host_in_use(self, name="acme"):
        done = self.run_it("show", name, "--verbose")
        hosts = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("  Hosts")]
        return hosts[0] if hosts else None

    def expect_refused(self, done, why):
        self.assertEqual(done.returncode, 2, done.stdout)
        lines = done.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertIn(why, lines[0])
        self.assertTrue(lines[0].endswith("the sets stay as they were"), lines[0])
        self.assertEqual(self.host_in_use(), "one.example.com")

    def test_from_a_folder_a_file_and_a_server(self):
        self.publish({"acme": "one.example.com"})
        done = self.update()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("acme: a new set, The service acme\n", done.stdout)
        self.assertIn("updated: 1 sets, edition 1 of ", done.stdout)
        self.assertEqual(self.host_in_use(), "one.example.com")
        self.assertIn("downloaded", self.run_it("show", "acme").stdout)
        self.assertTrue((self.folder / "home/.local/share/callready/sets/signed").is_file())
        self.publish({"acme": "two.example.com"})
        done = self.update(self.offered / "index.json")
        self.assertIn("acme: web: gone: one.example.com\nacme: web: new: two.example.com\n",
                      done.stdout)
        server = Server(self.offered)
        self.addCleanup(server.close)
        self.publish({"acme": "three.example.com", "other": "o.example.com"})
        done = self.update(server.url)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.host_in_use(), "three.example.com")
        server.asked.clear()
        done = self.update(server.url + "/")
        self.assertIn("already up to date: 2 sets, edition 3", done.stdout)
        server.asked.clear()
        done = self.update(server.url)
        self.assertIn("already up to date", done.stdout)
        self.assertEqual([path for path, _ in server.asked], ["/keys-2.json", "/index.json"])
        self.assertTrue(server.asked[1][1], "no ETag was sent")

    def test_no_command_but_update_asks_the_network(self):
        self.publish({"acme": "one.example.com"})
        server = Server(self.offered)
        self.addCleanup(server.close)
        self.update(server.url)
        server.asked.clear()
        # A set whose server is shut, on loopback.
        own = self.folder / "own.yaml"
        own.write_text(SET.format(id="own", host="127.0.0.1").replace("hosts:", "addresses:"))
        for command, status in ((("list",), 0), (("show", "acme"), 0), (("firewall", "acme"), 0),
                                (("demo", "--quiet"), 0),
                                (("check", "own", "--set", own, "--no-anchors"), 1)):
            done = self.run_it(*command)
            self.assertEqual(status, done.returncode, (command, done.stderr))
        self.assertEqual(server.asked, [])

    def test_built_in_sets_are_always_there(self):
        self.publish({"acme": "one.example.com"})
        self.update()
        listed = self.run_it("list").stdout
        self.assertIn("acme", listed)
        self.assertIn("rainbow", listed)

    def test_a_users_own_set_stays(self):
        own = self.folder / "home/.config/callready/targets"
        own.mkdir(parents=True)
        (own / "acme.yaml").write_text(SET.format(id="acme", host="mine.example.com"))
        self.publish({"acme": "one.example.com"})
        self.update()
        self.assertEqual(self.host_in_use(), "mine.example.com")

    def test_attacks_are_refused(self):
        self.publish({"acme": "one.example.com"})
        first = self.folder / "first"
        shutil.copytree(self.offered, first)
        self.update()
        self.publish({"acme": "two.example.com"})
        second = self.folder / "second"
        shutil.copytree(self.offered, second)

        shutil.copy(first / "acme.yaml", self.offered)
        self.expect_refused(self.update(), "acme.yaml is not the file that index.json names")
        shutil.copy(second / "acme.yaml", self.offered)
        shutil.copy(first / "index.json", self.offered)
        self.expect_refused(self.update(), "index.json does not match its signature")
        shutil.copy(second / "index.json", self.offered)
        text = (self.offered / "index.json").read_bytes()
        (self.offered / "index.json").write_bytes(text.replace(b"\n", b"\r\n"))
        self.expect_refused(self.update(), "index.json does not match its signature")
        (self.offered / "index.json").write_bytes(text[: len(text) // 2])
        self.expect_refused(self.update(), "index.json does not match its signature")
        self.make_key("stranger")
        self.publish({"acme": "evil.example.com"}, key="stranger")
        self.expect_refused(self.update(), "which this program does not know")
        self.expect_refused(self.update(self.folder / "nowhere"), "index.json is not there")

        self.assertEqual(self.update(second).returncode, 0)
        self.assertEqual(self.host_in_use(), "two.example.com")
        done = self.update(first)
        self.assertIn("older than edition 2", done.stderr)
        self.assertEqual(self.host_in_use(), "two.example.com")

    def test_a_frozen_mirror_is_a_warning(self):
        self.publish({"acme": "one.example.com"}, days="-1")
        done = self.update()
        self.assertEqual(done.returncode, 0)
        self.assertIn("holds newer ones back", done.stderr)
        self.assertEqual(self.host_in_use(), "one.example.com")

    def test_endless_data_and_slow_data_end(self):
        self.publish({"acme": "one.example.com"})
        self.update()
        self.publish({"acme": "two.example.com"})
        server = Server(self.offered)
        self.addCleanup(server.close)
        stop = threading.Event()
        self.addCleanup(stop.set)

        def endless(handler):
            if handler.path != "/index.json":
                return False
            handler.send_response(200)
            handler.end_headers()
            try:
                while not stop.is_set():
                    handler.wfile.write(b" " * 65536)
            except OSError:
                pass
            return True

        def slow(handler):
            if handler.path != "/index.json":
                return False
            handler.send_response(200)
            handler.end_headers()
            try:
                while not stop.wait(0.2):
                    handler.wfile.write(b" ")
            except OSError:
                pass
            return True

        server.misbehave = endless
        self.expect_refused(self.update(server.url), "exceeds the limit of 2097152 bytes")
        # Killed while it waits: the old sets are there, and the next update is as any other.
        server.misbehave = slow
        killed = subprocess.Popen([CALLREADY, "update", "--from", server.url], env=self.environment(),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while ("/index.json", None) not in server.asked[-1:] and time.monotonic() < deadline:
            time.sleep(0.02)
        killed.kill()
        killed.wait()
        self.assertEqual(self.host_in_use(), "one.example.com")
        start = time.monotonic()
        self.expect_refused(self.update(server.url), "did not arrive completely within 10 s")
        self.assertLess(time.monotonic() - start, 50)

    def test_a_server_that_fails_or_leads_away(self):
        self.publish({"acme": "one.example.com"})
        self.update()
        self.publish({"acme": "two.example.com"})
        server = Server(self.offered)
        self.addCleanup(server.close)

        def answer(status, **headers):
            def misbehave(handler):
                handler.send_response(status)
                for name, value in headers.items():
                    handler.send_header(name, value)
                handler.end_headers()
                return True

            return misbehave

        server.misbehave = answer(500)
        self.expect_refused(self.update(server.url), "the server answered 500")
        server.misbehave = answer(302, Location="file:///etc/passwd")
        self.expect_refused(self.update(server.url), "keys-2.json: ")
        server.misbehave = answer(302, Location="/again")
        self.expect_refused(self.update(server.url), "keys-2.json: ")
        server.misbehave = answer(304)
        self.expect_refused(self.update(server.url), "keys-2.json: ")
        server.close()
        self.expect_refused(self.update(server.url), "keys-2.json: ")
        server.misbehave = lambda handler: False

    def test_an_edition_that_cannot_be_copied_is_not_signed(self):
        self.publish({"acme": "one.example.com"})
        self.update()
        (self.offered / ".new").symlink_to("/nowhere/new")
        with self.assertRaises(subprocess.CalledProcessError):
            self.publish({"acme": "two.example.com"})
        self.assertIn("already up to date: 1 sets, edition 1", self.update().stdout)

    def test_rotation_by_debians_minisign(self):
        self.publish({"acme": "one.example.com"})
        self.update()
        new = [self.make_key(name) for name in ("four", "five", "six")]
        lines = ", ".join(f'"{line}"' for line in new)
        text = f'{{"schema": "callready.keys/1", "edition": 2, "keys": [{lines}]}}'
        file = self.offered / "keys-2.json"
        file.write_text(text)

        def signed_by(*names):
            whole = ""
            for name in names:
                subprocess.run(["minisign", "-S", "-s", self.folder / f"{name}.key", "-m", file,
                                "-x", self.folder / "x"], check=True, capture_output=True)
                whole += (self.folder / "x").read_text()
            (self.offered / "keys-2.json.minisig").write_text(whole)

        self.publish({"acme": "two.example.com"}, key="five")
        signed_by("one", "one")
        self.expect_refused(self.update(), "keys-2.json is not signed by two of the keys")
        signed_by("one", "three")
        done = self.update()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.host_in_use(), "two.example.com")
        self.publish({"acme": "three.example.com"}, key="one")
        self.assertIn("does not know", self.update().stderr)
        self.assertEqual(self.host_in_use(), "two.example.com")

    def test_a_damaged_store_is_told_and_does_no_harm(self):
        self.publish({"acme": "one.example.com"})
        self.update()
        signed = self.folder / "home/.local/share/callready/sets/signed"
        signed.write_bytes(signed.read_bytes()[:-1])
        done = self.run_it("list")
        self.assertEqual(done.returncode, 0)
        self.assertIn("the downloaded sets are not used, their index does not match its signature",
                      done.stderr)
        self.assertIn("rainbow", done.stdout)
        self.assertEqual(self.update().returncode, 0)
        self.assertEqual(self.run_it("list").stderr, "")

    def test_without_a_key_or_an_address(self):
        done = self.run_it("update", "--from", self.offered, CALLREADY_TEST_KEYS="")
        self.assertEqual(done.returncode, 2)
        self.assertIn("this build has no update key", done.stderr)
        done = self.run_it("update")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no address for updates", done.stderr)


class ImportTest(unittest.TestCase):
    def setUp(self):
        if not CALLREADY:
            self.skipTest("needs CALLREADY")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "ZoomMeetings.txt").write_text("192.0.2.0/24\n198.51.100.0/25\n")

    def run_it(self, *arguments):
        return subprocess.run([CALLREADY, "import", *map(str, arguments)], capture_output=True,
                              text=True, timeout=60, check=False,
                              env={**os.environ, "http_proxy": "", "no_proxy": "*"})

    def test_a_new_set_is_valid(self):
        done = self.run_it("zoom", self.folder / "ZoomMeetings.txt")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        made = self.folder / "zoom-feed.yaml"
        made.write_text(done.stdout)
        valid = subprocess.run([CALLREADY, "validate", made], capture_output=True, text=True,
                               timeout=60, check=False)
        self.assertEqual(valid.returncode, 0, valid.stderr)
        (self.folder / "ZoomMeetings.txt").write_text("192.0.2.0/24\n203.0.113.0/24\n")
        done = self.run_it("zoom", self.folder / "ZoomMeetings.txt", "--into", made)
        self.assertEqual(done.stdout, "entry-zoommeetings: gone: 198.51.100.0/25\n"
                                      "entry-zoommeetings: new: 203.0.113.0/24\n")
        done = self.run_it("zoom", self.folder / "ZoomMeetings.txt", "--into", made)
        self.assertEqual(done.stdout, f"{made}: nothing is different\n")

    def test_azures_tags_make_no_set(self):
        done = self.run_it("azure", self.folder / "ZoomMeetings.txt")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("--into", done.stderr)

    def test_a_url_only_when_told_so(self):
        server = Server(self.folder)
        self.addCleanup(server.close)
        done = self.run_it("zoom", server.url + "/ZoomMeetings.txt")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(server.asked, [])
        done = self.run_it("zoom", "--url", server.url + "/ZoomMeetings.txt")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("feed: zoom/ZoomMeetings", done.stdout)
        done = self.run_it("zoom", "--url", server.url + "/nothing.txt")
        self.assertIn("the server answered 404", done.stderr)

    def test_errors_are_one_line_each(self):
        (self.folder / "bad.json").write_text("[\n{\"id\": 1}]")
        for arguments, why in (
                (("zoom", self.folder / "missing"), "cannot be read"),
                (("teams", self.folder / "bad.json"), "unknown feed 'teams'"),
                (("m365", self.folder / "bad.json"), "bad.json:1:1: \"serviceArea\" is missing"),
                (("m365",), "expected either a file or --url"),
                (("zoom", self.folder / "ZoomMeetings.txt", "--into", self.folder / "none.yaml"),
                 "none.yaml: cannot be read")):
            done = self.run_it(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
            self.assertIn(why, done.stderr)


if __name__ == "__main__":
    unittest.main()
