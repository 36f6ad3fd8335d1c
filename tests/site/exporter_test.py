"""Three sites, a real Prometheus and a real Alertmanager: the right alert with the right owner and
fix, and no other; and every question of the dashboard has an answer. The rules, the scrape
configuration and the routes are those of packaging/prometheus; only times and addresses differ."""

import http.server
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse
import urllib.request

import yaml

from .bridge import Outside
from .harness import CALLREADY, Site, SiteTest
from .names import ROOT
from .tools import beside, ends_with_us

PACKAGING = os.path.join(ROOT, "packaging", "prometheus")
SITES = ("Lyon", "Graz", "Oslo")
LONGEST = 240  # seconds until an alert has to be there, on a machine with other work to do


def get(url, timeout=10):
    with urllib.request.urlopen(url, timeout=timeout) as reply:
        return reply.read().decode()


class Receiver:
    """What Alertmanager sends, by the receiver's path."""

    def __init__(self):
        self.sent = []
        received = self.sent

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                received.append((self.path.strip("/"), body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def alerts(self, status):
        """(receiver, alertname, site, code, owner, fix) of all that were sent so far."""
        return {(path, a["labels"]["alertname"], a["labels"].get("site", ""),
                 a["labels"].get("code", ""), a["annotations"]["owner"], a["annotations"]["fix"])
                for path, body in self.sent for a in body["alerts"] if a["status"] == status}


def free_port():
    import socket
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


class Fleet:
    """Prometheus and Alertmanager outside, an exporter at each of the sites."""

    def __init__(self, folder):
        self.folder = folder
        self.receiver = Receiver()
        self._bridges, self._processes, self._sites = [], [], []
        self.ports = {}

    def start(self):
        """The exporters' configurations, and the two that ask them and each other."""
        for name in SITES:
            os.makedirs(self._path(name, "state"))
            bridge = Outside(self._path(name, "socket"))
            self.ports[name] = bridge.__enter__()
            self._bridges.append(bridge)
            self._write(os.path.join(name, "exporter.yaml"), {
                "schema": "callready.exporter/1", "site": name, "place": "user VLAN",
                "labels": {"country": "eu"}, "state": self._path(name, "state"),
                "budget": {"vendor": "0s", "site": "0s"},
                "sets": [{"name": "calls", "every": "8s", "targets": ["example"],
                          "files": [os.path.join(ROOT, "tests", "site", "findings.yaml")]}]})
        self._start_alertmanager()
        self._start_prometheus()

    def _path(self, *parts):
        return os.path.join(self.folder, *parts)

    def _write(self, name, value):
        with open(self._path(name), "w", encoding="utf-8") as file:
            yaml.safe_dump(value, file, sort_keys=False)
        return self._path(name)

    def _start(self, program, *options):
        """Its port. Where another program took that meanwhile, it ends, and gets another one."""
        for _ in range(5):
            port = free_port()
            with open(self._path(program + ".log"), "wb") as log:
                process = subprocess.Popen(
                    ends_with_us(shutil.which(program), *options,
                                 f"--web.listen-address=127.0.0.1:{port}"),
                    stdout=log, stderr=log, cwd=self.folder)
            deadline = time.monotonic() + LONGEST
            while process.poll() is None and time.monotonic() < deadline:
                try:
                    get(f"http://127.0.0.1:{port}/-/ready")
                    break
                except OSError:
                    time.sleep(0.2)
            if process.poll() is None:
                self._processes.append(process)
                return port
        raise AssertionError(f"{program} does not start: see {self._path(program + '.log')}")

    def _start_alertmanager(self):
        with open(os.path.join(PACKAGING, "alertmanager.yml"), encoding="utf-8") as file:
            config = yaml.safe_load(file)
        config["route"].update(group_wait="1s", group_interval="1s")
        for receiver in config["receivers"]:
            receiver["webhook_configs"][0]["url"] = (
                f"http://127.0.0.1:{self.receiver.port}/{receiver['name']}")
        shutil.copy(os.path.join(PACKAGING, "callready.tmpl"), self.folder)
        self.alertmanager = self._start(
            "prometheus-alertmanager", "--config.file=" + self._write("alertmanager.yml", config),
            "--storage.path=" + self._path("alerts"), "--cluster.listen-address=")

    def _start_prometheus(self):
        with open(os.path.join(PACKAGING, "prometheus.yml"), encoding="utf-8") as file:
            config = yaml.safe_load(file)
        config["global"] = {"evaluation_interval": "1s"}
        config["rule_files"] = [os.path.join(PACKAGING, name) for name in config["rule_files"]]
        for job in config["scrape_configs"]:
            job["scrape_interval"] = "2s"
            job["scrape_timeout"] = "2s"
        config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [
            f"127.0.0.1:{self.alertmanager}"]
        os.makedirs(self._path("sites"))
        self._write("sites/all.yml", [
            {"targets": [f"127.0.0.1:{self.ports[name]}"],
             "labels": {"site": name, "set": "calls", "module": "default"}} for name in SITES])
        self.prometheus = self._start(
            "prometheus", "--config.file=" + self._write("prometheus.yml", config),
            "--storage.tsdb.path=" + self._path("data"))

    def break_sites(self, faults):
        """Makes the sites again, each with its faults; their exporters keep their state."""
        self.end_sites()
        for name in SITES:
            self._sites.append(Site(faults=faults.get(name, [])).__enter__())
        for name, site in zip(SITES, self._sites):
            started = site.run(
                ["sh", "-c", '"$1" exporter --config "$2" >>"$3" 2>&1 & '
                             '/usr/bin/python3 "$4" "$5" 9977 >>"$3" 2>&1 &', "sh", CALLREADY,
                 self._path(name, "exporter.yaml"), self._path(name, "log"), beside("bridge.py"),
                 self._path(name, "socket")])
            if started.exit != 0:
                raise AssertionError(started.stderr)
        self.until("a run of each", lambda: min(self.runs().values()) >= 1)

    def end_sites(self):
        for site in self._sites:
            site.__exit__()
        self._sites = []

    def close(self):
        self.end_sites()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for bridge in self._bridges:
            bridge.__exit__()
        self.receiver.close()

    def ask(self, expression):
        """The result of an instant query."""
        url = f"http://127.0.0.1:{self.prometheus}/api/v1/query?" + urllib.parse.urlencode(
            {"query": expression})
        answer = json.loads(get(url))
        if answer["status"] != "success":
            raise AssertionError(answer)
        return answer["data"]["result"]

    def firing(self):
        return {(one["metric"]["alertname"], one["metric"].get("site", ""),
                 one["metric"].get("code", ""), one["metric"].get("owner", ""))
                for one in self.ask('ALERTS{alertstate="firing"}')}

    def runs(self):
        """How many runs each site's exporter has made since it was started."""
        made = {}
        for name in SITES:
            text = get(f"http://127.0.0.1:{self.ports[name]}/metrics")
            made[name] = sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                             if line.startswith("callready_exporter_runs_total")
                             and 'result="good"' in line)
        return made

    def until(self, what, condition):
        deadline = time.monotonic() + LONGEST
        seen = None
        while time.monotonic() < deadline:
            try:
                seen = condition()
                if seen is True:
                    return
            except OSError as error:
                seen = error
            time.sleep(0.5)
        logs = ""
        for name in SITES:
            if os.path.exists(self._path(name, "log")):
                with open(self._path(name, "log"), encoding="utf-8") as file:
                    logs += f"--- {name}\n{file.read()}"
        raise AssertionError(f"{what}: {seen!r}\n{logs}")


@unittest.skipUnless(shutil.which("prometheus") and shutil.which("prometheus-alertmanager"),
                     "Prometheus and its Alertmanager are not installed")
class ThreeSites(SiteTest):
    def setUp(self):
        folder = tempfile.mkdtemp(prefix="callready-fleet-")
        os.chmod(folder, 0o755)
        self.addCleanup(shutil.rmtree, folder, True)
        self.fleet = Fleet(folder)
        self.addCleanup(self.fleet.close)
        self.fleet.start()

    def settle(self, expected):
        """Exactly these alerts, and the same after three more runs of every site."""
        fleet = self.fleet
        fleet.until(f"expected {expected}", lambda: fleet.firing() == expected or fleet.firing())
        before = fleet.runs()
        fleet.until("three more runs", lambda: all(
            made >= before[name] + 3 for name, made in fleet.runs().items()) or fleet.runs())
        fleet.until(f"still {expected}", lambda: fleet.firing() == expected or fleet.firing())

    def test_alerts_name_the_owner_and_the_fix(self):
        fleet = self.fleet
        blocked = ("CallreadyFinding", "Lyon", "firewall.udp_blocked", "network")
        down = ("CallreadyFindingEverywhere", "", "vendor.down", "vendor")

        fleet.break_sites({"Lyon": ["udp-blocked"]})
        self.settle({blocked})
        told = {("network", *blocked,
                 "Allow UDP to the service's servers and ports, and the replies to it.")}
        fleet.until("told", lambda: fleet.receiver.alerts("firing") == told
                    or fleet.receiver.alerts("firing"))
        self.the_template_says_the_fix()

        fleet.break_sites({"Lyon": ["udp-blocked", "vendor-5xx"], "Graz": ["vendor-5xx"],
                           "Oslo": ["vendor-5xx"]})
        self.settle({blocked, down})
        told.add(("vendor", *down, "Check the vendor's status page, then report it to the vendor: "
                                   "there is nothing to change at this site."))
        fleet.until("told", lambda: fleet.receiver.alerts("firing") == told
                    or fleet.receiver.alerts("firing"))
        self.the_dashboard_has_data()
        self.the_report_says_since_when()

        fleet.break_sites({})
        self.settle(set())
        fleet.until("resolved", lambda: fleet.receiver.alerts("resolved") == told
                    or fleet.receiver.alerts("resolved"))

    def the_template_says_the_fix(self):
        _, body = self.fleet.receiver.sent[0]
        path = os.path.join(self.fleet.folder, "notice.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(body, file)
        done = subprocess.run(
            ["amtool", "template", "render", "--template.glob=" + os.path.join(PACKAGING, "*.tmpl"),
             "--template.data=" + path, '--template.text={{ template "callready.text" . }}'],
            capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith(
            "To do, for network: Allow UDP to the service's servers and ports"), done.stdout)
        self.assertIn("Lyon", done.stdout)

    def the_dashboard_has_data(self):
        with open(os.path.join(PACKAGING, "grafana-dashboard.json"), encoding="utf-8") as file:
            dashboard = json.load(file)
        asked = 0
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                expression = target["expr"].replace("$site", ".*").replace("$set", ".*")
                with self.subTest(panel=panel["title"]):
                    result = self.fleet.ask(expression)
                    if "callready_stream" in expression:  # this fleet sends none
                        self.assertEqual([], result)
                    else:
                        self.assertTrue(result, expression)
                    asked += 1
        self.assertGreater(asked, 10)
        for variable in dashboard["templating"]["list"][1:]:
            series, label = variable["definition"][len("label_values("):-1].split(", ")
            values = {one["metric"][label] for one in self.fleet.ask(series)}
            self.assertTrue(values, variable["name"])

    def the_report_says_since_when(self):
        page = get(f"http://127.0.0.1:{self.fleet.ports['Lyon']}/report/calls")
        self.assertIn("present in the last", page)
        self.assertIn("Measured from: user VLAN.", page)


if __name__ == "__main__":
    unittest.main()
