"""callready exporter as a user starts it, on loopback. CALLREADY names the binary."""

import base64
import concurrent.futures
import http.server
import json
import os
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

CALLREADY = os.environ.get("CALLREADY", "")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SECRET = "s3cret-8731"

SET = """schema: callready.targets/1
id: local
title: Local
vendor: Nobody
edition: "1"
document: A table
verified: 2026-11-20
capabilities: [{{ id: all, title: All, needs: [web] }}]
requirements:
  - {{ id: web, title: Web, source: s, check: tcp, transport: [tcp], ports: [{port}], addresses: [127.0.0.1] }}
"""

CONFIG = """schema: callready.exporter/1
site: Lyon
place: a desk
state: {folder}/state
budget: {{ vendor: {vendor}, site: 0s }}
modules:
  default: {{ no_anchors: true, dns: ["127.0.0.1:9"], timeout: 10s, credentials: {folder}/secrets }}
sets:
"""


class Exporter:
    """Runs it with these sets; its own Set `local` asks a port of ours."""

    def __init__(self, folder, sets, web=None, vendor="0s"):
        self.folder = folder
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.write("local.yaml", SET.format(port=self.listener.getsockname()[1]))
        self.write("secrets", f"CALLREADY_TURN_USER=alice\nCALLREADY_TURN_PASSWORD={SECRET}\n")
        os.chmod(os.path.join(folder, "secrets"), 0o600)
        self.config = CONFIG.format(folder=folder, vendor=vendor)
        self.write("exporter.yaml", self.config + sets)
        self.log = open(os.path.join(folder, "log"), "w+", encoding="utf-8")
        command = [CALLREADY, "exporter", "--config", os.path.join(folder, "exporter.yaml"),
                   "--listen", "127.0.0.1:0"]
        self.scheme = "http"
        if web is not None:
            command += ["--web.config.file", self.write("web.yaml", web)]
            self.scheme = "https" if "tls_server_config" in web else "http"
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log,
                                        stdin=subprocess.DEVNULL)
        said = self.until(r"listening on (\S+)")
        self.address = said.group(1)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def said(self):
        with open(self.log.name, encoding="utf-8") as file:
            return file.read()

    def until(self, pattern, seconds=60):
        """What the log says."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = re.search(pattern, self.said())
            if found:
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"{pattern} is not in the log:\n{self.said()}")

    def get(self, path, headers=None, context=None, timeout=30):
        request = urllib.request.Request(f"{self.scheme}://{self.address}{path}",
                                         headers=headers or {})
        with urllib.request.urlopen(request, timeout=timeout, context=context) as reply:
            return reply.read().decode()

    def own(self, series, path="/metrics"):
        """The sum of that series' values."""
        return sum(float(line.rsplit(" ", 1)[1]) for line in self.get(path).splitlines()
                   if line.startswith(series))

    def close(self):
        self.listener.close()
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
        self.log.close()


class WithFolder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="callready-exporter-")
        self.addCleanup(shutil.rmtree, self.folder, True)

    def start(self, sets=None, **options):
        local = f"  - {{ name: local, files: [{self.folder}/local.yaml], every: scrape }}\n"
        exporter = Exporter(self.folder, sets or local, **options)
        self.addCleanup(exporter.close)
        return exporter


class Program(WithFolder):
    def test_ten_scrapes_are_one_run_and_take_no_time(self):
        exporter = self.start()
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            texts = list(pool.map(lambda _: exporter.get("/probe?set=local"), range(10)))
        self.assertEqual(exporter.own("callready_exporter_runs_total"), 1)
        for text in texts:
            self.assertIn('callready_set_verdict{site="Lyon",set="local",verdict="ready"} 1', text)
        # With a result all are answered at once. A machine with other work to do may be late once.
        slowest = []
        for _ in range(10):
            def timed(_):
                begin = time.monotonic()
                exporter.get("/probe?set=local")
                return time.monotonic() - begin
            with concurrent.futures.ThreadPoolExecutor(10) as pool:
                slowest.append(max(pool.map(timed, range(10))))
        self.assertLess(min(slowest), 0.05, slowest)

    def test_a_scrape_during_a_run_gets_the_last_result(self):
        # A run that lasts: the name server does not answer.
        exporter = self.start()
        exporter.get("/probe?set=local")
        mute = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(mute.close)
        mute.bind(("127.0.0.1", 0))
        exporter.write("local.yaml", SET.format(port=mute.getsockname()[1]).replace(
            "check: tcp, transport: [tcp]", "check: stun, transport: [udp]"))
        first = exporter.get("/probe?set=local")
        self.assertIn("callready_result_available", first)
        deadline = time.monotonic() + 60
        while exporter.own("callready_exporter_runs_in_progress") == 0:
            self.assertLess(time.monotonic(), deadline)
            exporter.get("/probe?set=local")
        during = exporter.get("/probe?set=local")
        self.assertIn('callready_run_in_progress{site="Lyon"} 1', during)
        self.assertIn('verdict="ready"} 1', during)
        self.assertRegex(during, r'callready_run_age_seconds\{site="Lyon"\} [0-9.]+')

    @unittest.skipIf(os.environ.get("CALLREADY_SANITIZE"), "sanitizers have memory of their own")
    def test_two_hundred_sets_take_little_memory(self):
        sets = "".join(f"  - {{ name: s{i}, targets: [ringcentral], every: 6h }}\n"
                       for i in range(200))
        exporter = self.start(sets, vendor="30d")
        # All of them have a result, as after a restart.
        exporter.process.send_signal(signal.SIGTERM)
        self.assertEqual(exporter.process.wait(30), 0)
        text = "".join(f'callready_x{{site="Lyon",row="{n}"}} 1\n' for n in range(298))
        text = f'# TYPE a gauge\ncallready_run_timestamp_seconds{{site="Lyon"}} {time.time():.0f}\n' + text * 2
        for i in range(200):
            exporter.write(f"state/s{i}@default.prom", text)
        again = self.start(sets, vendor="30d")
        self.assertEqual(again.own("callready_result_available", "/probe?set=s199"), 1)
        if "asan" in CALLREADY or "tsan" in CALLREADY:
            self.skipTest("a sanitizer takes more")
        self.assertLess(again.own("process_resident_memory_bytes"), 64 * 1024 * 1024)

    def test_a_broken_file_keeps_the_old_configuration(self):
        exporter = self.start()
        exporter.get("/probe?set=local")
        exporter.write("exporter.yaml", exporter.config + "  - { name: local, evry: 5m }\n")
        exporter.process.send_signal(signal.SIGHUP)
        exporter.until(r"exporter\.yaml:9:20: unknown key 'evry'")
        exporter.until("the old one stays")
        self.assertEqual(exporter.own("callready_exporter_config_last_reload_successful"), 0)
        self.assertIn('verdict="ready"} 1', exporter.get("/probe?set=local"))
        exporter.write("exporter.yaml", exporter.config +
                       f"  - {{ name: other, targets: [local], files: [{self.folder}/local.yaml], "
                       "every: scrape }\n")
        exporter.process.send_signal(signal.SIGHUP)
        exporter.until("was reloaded")
        self.assertEqual(exporter.own("callready_exporter_config_last_reload_successful"), 1)
        self.assertIn('verdict="ready"} 1', exporter.get("/probe?set=other"))
        with self.assertRaises(urllib.error.HTTPError):
            exporter.get("/probe?set=local")

    def test_a_reload_loses_no_run(self):
        exporter = self.start()
        mute = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(mute.close)
        mute.bind(("127.0.0.1", 0))
        exporter.write("local.yaml", SET.format(port=mute.getsockname()[1]).replace(
            "check: tcp, transport: [tcp]", "check: stun, transport: [udp]"))
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(exporter.get, "/probe?set=local",
                                  {"X-Prometheus-Scrape-Timeout-Seconds": "60"}, None, 90)
            mute.settimeout(60)
            mute.recv(2048)  # the run goes on
            exporter.process.send_signal(signal.SIGHUP)
            exporter.until("was reloaded")
            text = waiting.result(90)
        self.assertIn('callready_result_available{site="Lyon"} 1', text)
        self.assertEqual(exporter.own("callready_exporter_runs_total"), 1)

    def test_no_secret_is_shown(self):
        exporter = self.start()
        exporter.get("/probe?set=local")
        texts = {path: exporter.get(path) for path in
                 ("/", "/metrics", "/probe?set=local", "/report/local", "/report/local?format=json")}
        texts["log"] = exporter.said()
        # While a run goes on, its arguments are for all to see.
        exporter.write("local.yaml", SET.format(port=9).replace("[127.0.0.1]", "[192.0.2.1]"))
        exporter.get("/probe?set=local")
        for entry in os.listdir("/proc"):
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    texts["process " + entry] = file.read().decode("utf-8", "replace")
            except OSError:
                continue
        for where, text in texts.items():
            self.assertNotIn(SECRET, text, where)

    def test_series_are_clean(self):
        if shutil.which("promtool") is None:
            self.skipTest("promtool is not installed")
        exporter = self.start()
        for path in ("/probe?set=local", "/metrics"):
            done = subprocess.run(["promtool", "check", "metrics"], input=exporter.get(path),
                                  capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""), path)

    def test_history_grows_over_a_restart(self):
        exporter = self.start()
        exporter.get("/probe?set=local")
        exporter.close()
        exporter = self.start()
        self.assertEqual(exporter.own("callready_set_verdict_runs", "/probe?set=local"), 1)
        deadline = time.monotonic() + 60
        while exporter.own("callready_set_verdict_runs", "/probe?set=local") < 2:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def make_certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", f"{self.folder}/key.pem", "-out", f"{self.folder}/cert.pem"],
                       check=True, capture_output=True, timeout=60)

    def test_a_client_with_a_certificate_resumes_its_session(self):
        self.make_certificate()
        exporter = self.start(web="tls_server_config: { cert_file: cert.pem, key_file: key.pem,\n"
                              "  client_ca_file: cert.pem, client_auth_type: RequireAndVerifyClientCert }\n")
        trust = ssl.create_default_context(cafile=f"{self.folder}/cert.pem")
        trust.load_cert_chain(f"{self.folder}/cert.pem", f"{self.folder}/key.pem")
        host, port = exporter.address.rsplit(":", 1)
        session = None
        for _ in range(2):
            with socket.create_connection((host, int(port)), 60) as plain, \
                    trust.wrap_socket(plain, server_hostname=host, session=session) as secure:
                secure.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                self.assertTrue(secure.recv(4096).startswith(b"HTTP/1.1 200 "))
                resumed, session = secure.session_reused, secure.session
        self.assertTrue(resumed)

    def test_tls_and_logins(self):
        self.make_certificate()
        # wonderland
        exporter = self.start(web="tls_server_config: { cert_file: cert.pem, key_file: key.pem }\n"
                              "basic_auth_users:\n  alice: $2y$05$abcdefghijklmnopqrstuuA0vov2"
                              "GDneHB3.8.cv9UF9g.RdvScIW\n")
        trust = ssl.create_default_context(cafile=f"{self.folder}/cert.pem")

        def login(text):
            return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}
        self.assertIn("callready_exporter_jobs 1",
                      exporter.get("/metrics", login("alice:wonderland"), trust))
        for headers in ({}, login("alice:x"), login("bob:wonderland")):
            with self.assertRaises(urllib.error.HTTPError) as refused:
                exporter.get("/metrics", headers, trust)
            self.assertEqual(refused.exception.code, 401)
        with self.assertRaises((OSError, urllib.error.URLError)):
            exporter.scheme = "http"
            exporter.get("/metrics", login("alice:wonderland"))


class CommandLine(WithFolder):
    def check(self, config, *more):
        path = os.path.join(self.folder, "exporter.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        done = subprocess.run([CALLREADY, "exporter", "--config", path, *more], timeout=60,
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stderr.replace(self.folder + "/", "")

    def test_errors_have_a_place(self):
        head = "schema: callready.exporter/1\nsite: Lyon\n"
        good = head + "sets: [{ name: rainbow }]\n"
        self.assertEqual(self.check(good, "--check-config"), (0, ""))
        status, said = self.check(good, "--check-config", "--listen", "9977")
        self.assertEqual(status, 2)
        self.assertIn("--listen", said)
        status, said = self.check(head + "sets: [{ name: rainbo }]\n", "--check-config")
        self.assertEqual(status, 2)
        self.assertTrue(said.startswith("exporter.yaml:3:"), said)
        self.assertIn("did you mean 'rainbow'?", said)
        for listen in ("nonsense", "127.0.0.1", "127.0.0.1:99999", "example.com:1"):
            status, said = self.check(good, "--listen", listen)
            self.assertEqual((status, "--listen" in said), (2, True), said)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            state = head + f"state: {self.folder}/state\nsets: [{{ name: rainbow, every: 6h }}]\n"
            status, said = self.check(state, "--listen", address)
            self.assertEqual(status, 2)
            self.assertIn("in use", said)


class Collector:
    """Takes OTLP, or says no."""

    def __init__(self, status=200):
        self.status = status
        self.got = []
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                collector.got.append((self.path, dict(self.headers), body))
                self.send_response(collector.status)
                self.end_headers()
                self.wfile.write(b"no such tenant" if collector.status == 400 else b"{}")

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Check(WithFolder):
    """What the exporter's runs can do, by hand."""

    def run_check(self, *more, **environment):
        path = os.path.join(self.folder, "local.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(SET.format(port=9))
        done = subprocess.run(
            [CALLREADY, "check", "--set", path, "--no-anchors", "--dns", "127.0.0.1:9", "--no-keep",
             "--json", *more], timeout=120, capture_output=True, text=True, check=False,
            env={**os.environ, **environment})
        return done, json.loads(done.stdout or "null")

    def test_history_says_since_when(self):
        history = os.path.join(self.folder, "history.json")
        _, first = self.run_check("--history", history)
        _, second = self.run_check("--history", history)
        for report, runs in ((first, 1), (second, 2)):
            self.assertEqual(report["sets"][0]["standing"]["runs"], runs)
            self.assertEqual(report["findings"][0]["standing"]["runs"], runs)
            self.assertEqual(report["findings"][0]["standing"]["since"], first["started_at"])
        _, elsewhere = self.run_check("--history", history, "--site", "Graz")
        self.assertEqual(elsewhere["sets"][0]["standing"]["runs"], 1)
        with open(history, "w", encoding="utf-8") as file:
            file.write('{"schema": "callready.report/1",')
        done, anew = self.run_check("--history", history)
        self.assertIn("the history begins anew", done.stderr)
        self.assertEqual(anew["sets"][0]["standing"]["runs"], 1)
        with open(history, "w", encoding="utf-8") as file:
            file.write('{"name": "something else"}')
        done, _ = self.run_check("--history", history)
        self.assertEqual(done.returncode, 2)
        self.assertIn("something other than a report", done.stderr)

    def test_diff_says_since_when(self):
        files = []
        for _ in range(2):
            files.append(os.path.join(self.folder, f"report{len(files)}.json"))
            _, report = self.run_check()
            with open(files[-1], "w", encoding="utf-8") as file:
                json.dump(report, file)
        done = subprocess.run([CALLREADY, "diff", *files], timeout=60, capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(" ".join(done.stdout.split()),
                         r"Findings still present .*: since 20\d\d-\d\d-\d\dT\d\d:\d\dZ or earlier")

    def test_the_report_says_where_it_speaks_from(self):
        _, report = self.run_check("--place", "user VLAN, wired")
        self.assertIn("Measured from: user VLAN, wired.", report["notes"])
        self.assertNotIn("Kubernetes", str(report["notes"]))
        _, report = self.run_check(KUBERNETES_SERVICE_HOST="10.0.0.1")
        self.assertTrue(any(note.startswith("Measured from a Kubernetes pod, which is not on the "
                                            "users'") for note in report["notes"]), report["notes"])


class Push(WithFolder):
    def check(self, url, *more, **environment):
        port = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(port.close)
        path = os.path.join(self.folder, "local.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(SET.format(port=port.getsockname()[1]))
        return subprocess.run(
            [CALLREADY, "check", "--set", path, "--no-anchors", "--dns", "127.0.0.1:9", "--quiet",
             "--site", "Lyon", "--push-to", url, *more], timeout=120, capture_output=True, text=True,
            check=False, env={**os.environ, "XDG_STATE_HOME": self.folder,
                              "XDG_CONFIG_HOME": self.folder, "no_proxy": "*", **environment})

    def start_collector(self, status=200):
        collector = Collector(status)
        self.addCleanup(collector.close)
        return collector

    def test_a_report_arrives_whole(self):
        collector = self.start_collector()
        done = self.check(collector.url + "/", CALLREADY_PUSH_TOKEN=SECRET)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual([path for path, _, _ in collector.got], ["/v1/logs", "/v1/metrics"])
        for _, headers, body in collector.got:
            self.assertEqual(headers["Content-Type"], "application/json")
            self.assertEqual(headers["Authorization"], "Bearer " + SECRET)
            self.assertNotIn(SECRET, body)
        logs = json.loads(collector.got[0][2])["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
        report = json.loads(logs[0]["body"]["stringValue"])
        self.assertEqual(report["schema"], "callready.report/1")
        self.assertEqual(report["sets"][0]["verdict"], "ready")

    def test_redaction_applies(self):
        collector = self.start_collector()
        done = self.check(collector.url, "--redact")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for _, _, body in collector.got:
            self.assertNotIn("Lyon", body)
            self.assertNotIn(socket.gethostname(), body)

    def test_a_refusal_is_said_once_and_not_tried_again(self):
        collector = self.start_collector(400)
        done = self.check(collector.url)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr.count("no such tenant"), 1, done.stderr)
        self.assertEqual(len(collector.got), 2)
        collector.status = 200
        self.assertEqual(self.check(collector.url).returncode, 0)
        self.assertEqual(len(collector.got), 4)

    def test_what_nobody_takes_waits_for_the_next_run(self):
        collector = self.start_collector(503)
        done = self.check(collector.url)
        self.assertEqual(done.returncode, 0, "the verdict")
        self.assertIn("2 documents are waiting for the next run", done.stderr)
        self.assertEqual(len(collector.got), 3)
        collector.status = 200
        done = self.check(collector.url)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(len(collector.got), 7)
        self.assertEqual(collector.got[3][2], collector.got[0][2], "the oldest first")

    def test_a_login_in_the_address_is_refused(self):
        done = self.check("https://alice:" + SECRET + "@collector.example.com")
        self.assertEqual(done.returncode, 2)
        self.assertNotIn(SECRET, done.stderr + done.stdout)


class Packaging(unittest.TestCase):
    """What packaging/ holds, by the programs it is for."""

    FOLDER = os.path.join(ROOT, "packaging")

    def run_tool(self, *command):
        if shutil.which(command[0]) is None:
            self.skipTest(f"{command[0]} is not installed")
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False,
                              cwd=os.path.join(self.FOLDER, "prometheus"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_rules_and_configurations(self):
        self.run_tool("promtool", "check", "rules", "callready.rules.yml")
        self.run_tool("promtool", "check", "config", "prometheus.yml")
        self.run_tool("promtool", "test", "rules", "rules_test.yml")
        self.run_tool("amtool", "check-config", "alertmanager.yml")

    def test_services_are_confined(self):
        folder = os.path.join(self.FOLDER, "systemd")
        services = [name for name in os.listdir(folder) if name.endswith(".service")]
        self.assertEqual(len(services), 3)
        for name in services:
            said = self.run_tool("systemd-analyze", "security", "--offline=yes",
                                 os.path.join(folder, name))
            level = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
            self.assertLessEqual(float(level.group(1)), 2.0, said)
            self.assertNotIn("Unknown", said)

    def test_what_the_unit_writes_is_not_everybodys_but_for_the_metrics(self):
        with open(os.path.join(self.FOLDER, "systemd", "callready-check.service"),
                  encoding="utf-8") as file:
            unit = file.read()

        def setting(name):
            return re.search(rf"^{name}=(.*)$", unit, re.M).group(1)

        folder = tempfile.mkdtemp(prefix="callready-unit-")
        self.addCleanup(shutil.rmtree, folder, True)
        first = shlex.split(setting("ExecStart").replace("${STATE_DIRECTORY}", folder)
                            .replace("%H", "here").replace("$SETS", "rainbow"))
        after = shlex.split(setting("ExecStartPost").replace("${STATE_DIRECTORY}", folder))
        # No set is needed for who may read what comes of it.
        written = [first[first.index("--history") + 1],
                   next(word for word in first if word.startswith("exporter=")).split("=", 1)[1]]
        before = os.umask(int(setting("UMask"), 8))
        try:
            with open(folder + "/local.yaml", "w", encoding="utf-8") as file:
                file.write(SET.format(port=9))
            subprocess.run([CALLREADY, "check", "--set", file.name, "--no-anchors", "--no-keep",
                            "--dns", "127.0.0.1:9", "--history", written[0],
                            "--report", "exporter=" + written[1]], check=False, timeout=120,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        finally:
            os.umask(before)
        subprocess.run(after, check=True, timeout=30)
        self.assertEqual(["0o600", "0o644"], [oct(os.stat(one).st_mode & 0o777) for one in written])

    def test_the_dashboard_asks_for_what_is_exported(self):
        with open(os.path.join(self.FOLDER, "prometheus", "grafana-dashboard.json"),
                  encoding="utf-8") as file:
            dashboard = json.load(file)
        with open(os.path.join(ROOT, "reports", "monitoring", "exporter_metrics.cpp"), encoding="utf-8") as file:
            exported = set(re.findall(r'"(callready_\w+)"', file.read()))
        with open(os.path.join(ROOT, "probe", "exporter", "pages.cpp"), encoding="utf-8") as file:
            exported |= set(re.findall(r'"(callready_\w+)"', file.read()))
        asked = set(re.findall(r"callready_\w+", json.dumps(dashboard)))
        self.assertGreater(len(asked), 8)
        self.assertLessEqual(asked, exported)


if __name__ == "__main__":
    unittest.main()
