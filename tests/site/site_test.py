"""The site itself, without faults: are the names, servers and paths what they should be?"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

from . import harness
from .harness import SCRIPT, Site, SiteFailed, SiteTest
from .names import ROOT, load
from .tools import beside

CLIENT = beside("client.py")
ROUTER_WAN = "84.199.10.2"


def call(site, *calls, silent=()):
    """Runs the small clients on the PC; one dictionary a call. `silent`: those of the calls that
    are to have no answer."""
    words = [[*one, "silent"] if one in silent else one for one in calls]
    done = site.run(["/usr/bin/python3", CLIENT, "batch", json.dumps(words)])
    if done.exit != 0:
        raise AssertionError(f"exit {done.exit}: {done.stderr}")
    return json.loads(done.stdout)


def run_until(site, command, text):
    """Runs a command that should say `text`, thrice at most: turnutils_uclient sends each message
    once and waits briefly, so that a busy machine may lose some."""
    for _ in range(3):
        done = site.run(command)
        if text in done.stdout:
            break
    return done


class Clean(SiteTest):
    """One site for all of these: nothing in here changes it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.site = cls.enterClassContext(Site())

    def test_names_resolve_over_the_lan_resolver(self):
        done = self.site.run(["cat", "/etc/resolv.conf"])
        self.assertEqual("nameserver 10.20.0.1\n", done.stdout)
        done = self.site.run(["getent", "ahostsv4", "turn1.example-calls.com"])
        self.assertIn("185.199.40.11", done.stdout)
        done = self.site.run(["getent", "hosts", "185.199.42.11"])
        self.assertIn("rtc1.example-calls.com", done.stdout)
        done = self.site.run(["getent", "hosts", "nobody.example-calls.com"])
        self.assertEqual(2, done.exit)

    def test_pages(self):
        for url, body in (("http://www.msftncsi.com/ncsi.txt", "Microsoft NCSI"),
                          ("http://captive.apple.com/hotspot-detect.html", "Success"),
                          ("https://portal.example-calls.com/", "portal.example-calls.com")):
            done = self.site.run(["curl", "-sS", "--max-time", "20", url])
            self.assertEqual(0, done.exit, done.stderr)
            self.assertIn(body, done.stdout)
        done = self.site.run(["curl", "-sI", "http://portal.example-calls.com/x"])
        self.assertIn("301", done.stdout)
        self.assertIn("Location: https://portal.example-calls.com/x", done.stdout)

    def test_tls_is_verified_and_keys_differ_between_owners(self):
        hosts = ("portal.example-calls.com", "www.cloudflare.com", "turn1.example-calls.com")
        keys = set()
        for host in hosts:
            done = self.site.run(["sh", "-c", f"openssl s_client -connect {host}:443 -servername "
                                  f"{host} -verify_return_error </dev/null | "
                                  "openssl x509 -noout -pubkey"])
            self.assertIn("BEGIN PUBLIC KEY", done.stdout, done.stderr)
            keys.add(done.stdout)
        self.assertEqual(len(hosts), len(keys))

    def test_a_stranger_to_the_site_ca_is_not_convinced(self):
        done = self.site.run(["curl", "-sS", "--capath", "/nowhere", "--cacert", "/dev/null",
                              "https://portal.example-calls.com/"])
        self.assertNotEqual(0, done.exit)

    def test_stun_on_every_transport(self):
        answers = call(self.site, ("stun", "udp", "turn1.example-calls.com", 3478),
                       ("stun", "tcp", "turn1.example-calls.com", 3478),
                       ("stun", "tls", "turn2.example-calls.com", 443),
                       ("stun", "tcp", "turn2.example-calls.com", 80),
                       ("stun", "udp", "stun.l.google.com", 19302),
                       ("stun", "udp", "stun.cloudflare.com", 3478))
        for answer in answers:
            self.assertTrue(answer.get("answer"), answer)
            self.assertEqual(ROUTER_WAN, answer["mapped"].split(":")[0])
        self.assertEqual("185.199.41.11:3479", answers[0]["other"])  # RFC 5780 OTHER-ADDRESS

    def test_a_relay_carries_data(self):
        nothing_lost = "Total lost packets 0 (0.000000%)"
        done = run_until(
            self.site, ["sh", "-c", "turnutils_uclient -y -c -n 5 -u $CALLREADY_SITE_TURN_USER "
                        "-w $CALLREADY_SITE_TURN_PASSWORD turn1.example-calls.com"], nothing_lost)
        self.assertEqual(0, done.exit, done.stdout)
        self.assertIn(nothing_lost, done.stdout)

    def test_a_wrong_password_allocates_nothing(self):
        done = self.site.run(["turnutils_uclient", "-y", "-c", "-n", "1", "-u", "site", "-w",
                              "wrong", "turn1.example-calls.com"])
        self.assertNotEqual(0, done.exit)

    def test_sip_on_every_transport_and_port(self):
        host = "sip.example-calls.com"
        answers = call(self.site, *(("sip", t, host, p) for t, p in (
            ("udp", 5060), ("udp", 5080), ("tcp", 5060), ("tcp", 5080), ("tls", 5061),
            ("tls", 5081))), ("sip", "tls", "sip.example-phones.net", 5061))
        for answer in answers:
            self.assertEqual(200, answer.get("status"), answer)
            self.assertEqual(ROUTER_WAN, answer["received"])
            self.assertIn("10.20.0.23:", answer["via"])  # nobody rewrote what we sent

    def test_time(self):
        for host in ("pool.ntp.org", "time.cloudflare.com"):
            answer, = call(self.site, ("ntp", "udp", host, 123))
            self.assertEqual(2, answer.get("stratum"), answer)
            self.assertLess(abs(answer["offset"]), 5)

    def test_media_ranges_are_silent_and_unknown_tcp_ports_refuse(self):
        media = [("hello", "udp", "185.199.42.11", 50000),
                 ("hello", "udp", "sip.example-calls.com", 45000)]
        answers = call(self.site, *media, ("hello", "tcp", "portal.example-calls.com", 12345),
                       silent=media)
        self.assertEqual(["silent", "silent", "refused"], [a.get("error") for a in answers])

    def test_hops_end_in_the_destinations_network(self):
        answers = call(self.site, *(("hop", "udp", "185.199.42.11", ttl) for ttl in (1, 2, 3, 4)))
        self.assertEqual(["10.20.0.1", "84.199.10.1", "62.4.8.2", "185.199.42.254"],
                         [answer.get("hop") for answer in answers], answers)

    def test_the_command_has_no_power_over_the_network(self):
        add = ["ip", "addr", "add", "192.0.2.1/32", "dev", "lo"]
        self.assertNotEqual(0, self.site.run(add).exit)
        self.assertEqual(0, self.site.run(add, privileged=True).exit)


class Line(SiteTest):
    """Delay, jitter and loss between the provider and the internet."""

    # A packet each five milliseconds: of the second that a busy machine may hold up one of the
    # programs on the way, all fit into a socket's default buffer. None is sent faster to catch up.
    COUNT = 1000
    PROGRAM = """
import socket, statistics, sys, threading, time
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(5)
client.connect((sys.argv[1], 3478))
sent, took, count = {}, [], int(sys.argv[2])
def receive():
    try:
        while len(took) < count:
            reply = client.recv(2048)
            took.append((time.monotonic() - sent[reply[8:20]]) * 1000)
    except TimeoutError:
        pass
listener = threading.Thread(target=receive)
listener.start()
for number in range(count):
    name = number.to_bytes(12, "big")
    time.sleep(0.005)
    sent[name] = time.monotonic()
    client.send(b"\\0\\1\\0\\0\\x21\\x12\\xa4\\x42" + name)
listener.join()
took.sort()
print(len(took), took[len(took) // 10], statistics.median(took), statistics.pstdev(took),
      took[0], took[-1])
"""

    def measure(self, **line):
        """How many replies came, and the tenth percentile, the median, the deviation, the least and
        the most of their milliseconds."""
        with Site(**line) as site:
            call(site, ("stun", "udp", "turn1.example-calls.com", 3478))  # ARP and the like
            done = site.run(["/usr/bin/python3", "-c", self.PROGRAM, "turn1.example-calls.com",
                             self.COUNT])
        self.assertEqual(0, done.exit, done.stderr)
        return map(float, done.stdout.split())

    def test_delay(self):
        got, tenth, _, _, low, _ = self.measure(delay_ms=20)
        self.assertEqual(self.COUNT, got)
        self.assertGreaterEqual(low, 40)
        # A busy machine delays many packets more, never all of them.
        self.assertLess(tenth, 60)

    def test_jitter(self):
        got, _, median, deviation, low, high = self.measure(delay_ms=10, jitter_ms=20)
        self.assertEqual(self.COUNT, got)
        self.assertGreaterEqual(low, 20)
        self.assertLess(low, 40)
        self.assertGreater(high, 50)
        self.assertGreater(deviation, 1)
        self.assertGreater(median, 30)

    def test_loss(self):
        got, tenth, *_ = self.measure(loss_percent=10)
        # Six times the deviation of such a count, 12.4. Were one way lossless, 900 would come.
        self.assertAlmostEqual(self.COUNT * 0.9 * 0.9, got, delta=75)
        self.assertLess(tenth, 20)

    def test_rate(self):
        with Site(delay_ms=5, rate_kbit=512) as site:
            done = site.run(["curl", "-sS", "-o", "/dev/null", "--max-time", "4", "-w",
                             "%{size_download} %{time_total}",
                             "https://portal.example-calls.com/download"])
        size, seconds = map(float, done.stdout.split())
        self.assertGreater(size, 0)
        self.assertLess(size / seconds, 512_000 / 8)

    def test_large_transfers_survive(self):
        with Site(delay_ms=5) as site:
            done = site.run(["curl", "-sS", "-o", "/dev/null", "-w",
                             "%{http_code} %{size_download} %{time_total}",
                             "https://portal.example-calls.com/download"])
        code, size, seconds = done.stdout.split()
        self.assertEqual(("200", "3000000"), (code, size))
        self.assertGreater(float(seconds), 0.03)  # three round trips at least


class CommandLine(SiteTest):
    """script/site as people run it."""

    def site(self, *arguments, **options):
        return subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, timeout=60,
                              check=False, **options)

    def test_the_exit_status_is_the_commands(self):
        self.assertEqual(0, self.site("--", "true").returncode)
        self.assertEqual(7, self.site("--", "sh", "-c", "exit 7").returncode)
        self.assertEqual(128 + 9, self.site("--", "sh", "-c", "kill -9 $$").returncode)

    def test_the_outsides_proxies_are_not_handed_in(self):
        outside = dict.fromkeys(("http_proxy", "HTTPS_PROXY", "no_proxy"), "http://192.0.2.1:1")
        done = self.site("--", "env", env=os.environ | outside)
        self.assertEqual(0, done.returncode)
        self.assertNotIn("192.0.2.1", done.stdout)

    def test_a_command_that_does_not_exist(self):
        done = self.site("--", "/no/such/program")
        self.assertEqual(127, done.returncode)
        self.assertIn("/no/such/program", done.stderr)

    def test_usage_errors_run_nothing(self):
        for arguments, text in ((("--fault", "no-such", "--", "echo", "ran"), "no-such"),
                                (("--delay", "-1", "--", "echo", "ran"), "--delay"),
                                (("--delay", "fast", "--", "echo", "ran"), "--delay"),
                                (("--sets", "example,nobody", "--", "echo", "ran"), "nobody"),
                                ((), "no COMMAND"), (("--fault", "udp-blocked=3", "--", "echo",
                                                      "ran"), "takes no value")):
            done = self.site(*arguments)
            self.assertEqual(125, done.returncode, arguments)
            self.assertIn(text, done.stderr)
            self.assertEqual("", done.stdout)

    def test_without_namespaces_nothing_is_run(self):
        # The limit of a nested user namespace counts for everything below it, and only there.
        done = subprocess.run(
            ["unshare", "--user", "--map-root-user", "sh", "-c",
             "for n in net user; do echo 0 > /proc/sys/user/max_${n}_namespaces; done; "
             'exec "$0" -- echo ran', SCRIPT], capture_output=True, text=True, timeout=60, check=False)
        if "unshare failed" in done.stderr:
            self.skipTest("no user namespaces here")
        self.assertEqual(125, done.returncode)
        self.assertEqual("", done.stdout)
        self.assertIn("does not allow namespaces", done.stderr)
        self.assertIn("nothing was run", done.stderr)

    def test_without_any_one_kind_nothing_is_run(self):
        for kind in ("net", "mnt", "pid", "user"):
            limits = ("net", "user") if kind == "user" else (kind, "user")
            done = subprocess.run(
                ["unshare", "--user", "--map-root-user", "sh", "-c",
                 "for n in " + " ".join(limits) + "; do echo 0 > "
                 '/proc/sys/user/max_${n}_namespaces; done; exec "$0" -- echo ran', SCRIPT],
                capture_output=True, text=True, timeout=60, check=False)
            if "unshare failed" in done.stderr:
                self.skipTest("no user namespaces here")
            self.assertEqual((125, ""), (done.returncode, done.stdout), kind)
            self.assertIn("nothing was run", done.stderr)

    def test_a_kernel_that_says_yes_and_does_nothing(self):
        """Namespaces that were not made must show before a mount is changed or anything is run."""
        program = ("import sys; sys.path.insert(0, sys.argv[1])\n"
                   "from unittest import mock\n"
                   "from tests.site import isolation, run\n"
                   "mounts = mock.patch.object(isolation, '_private_mounts', lambda: print('mount'))\n"
                   "with mock.patch.object(isolation, '_unshare_all', lambda: None), mounts:\n"
                   "    sys.exit(run.main(['--', 'echo', 'ran']))")
        done = subprocess.run([sys.executable, "-c", program, ROOT], capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual((125, ""), (done.returncode, done.stdout))
        self.assertIn("the namespaces are not our own; nothing was run", done.stderr)

    def _processes(self, mark):
        """Processes that carry a mark in their environment: COMMAND's and the servers' do."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    if mark.encode() in file.read():
                        found.append(pid)
            except OSError:
                pass
        return found

    def _signalled(self, number, command):
        """Its end by the signal; without one, when its input ends."""
        mark = f"CALLREADY_SITE_MARK={os.getpid()}-{time.monotonic_ns()}"
        name, _, value = mark.partition("=")
        # Where these tests run in the background of a shell, SIGINT is ignored from there on.
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                   cwd=ROOT,
                                   env=os.environ | {name: value},
                                   preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        self.assertEqual("up\n", process.stdout.readline())
        self.assertGreater(len(self._processes(mark)), 8)
        if number:
            process.send_signal(number)
        else:
            process.stdin.close()
        process.wait(60)  # a site has dozens of processes, and the machine may be busy with others
        process.stdin.close()
        process.stdout.close()
        deadline = time.monotonic() + 60
        while self._processes(mark) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual([], self._processes(mark))
        return process.returncode

    def test_signals_reach_the_command_and_nothing_stays(self):
        command = [SCRIPT, "--", "sh", "-c", "echo up; exec sleep 60"]
        self.assertEqual(128 + 15, self._signalled(signal.SIGTERM, command))
        self.assertEqual(128 + 2, self._signalled(signal.SIGINT, command))
        self.assertEqual(-9, self._signalled(signal.SIGKILL, command))

    def test_sites_end_with_the_test_that_has_them(self):
        """However that ends: by a signal, or without a word to them."""
        program = ("import sys\n"
                   "from tests.site.harness import Site\n"
                   "one, other = Site().__enter__(), Site(sets=['example']).__enter__()\n"
                   "print('up', flush=True)\n"
                   "sys.stdin.read()")
        command = [sys.executable, "-c", program]
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
            self.assertEqual(-number, self._signalled(number, command))
        self.assertEqual(0, self._signalled(0, command))

    def test_several_at_once(self):
        sites = [subprocess.Popen([SCRIPT, "--", "curl", "-sS", "--retry", "0",
                                   "https://portal.example-calls.com/"], stdout=subprocess.PIPE,
                                  text=True) for _ in range(3)]
        for process in sites:
            self.assertEqual("portal.example-calls.com\n", process.communicate(timeout=60)[0])

    def test_logs_are_kept_without_keys(self):
        with tempfile.TemporaryDirectory() as folder:
            # One with a socket among its files, too.
            done = self.site("--keep-logs", folder, "--fault", "ntp-ahead", "--", "true")
            self.assertEqual(0, done.returncode, done.stderr)
            files = [os.path.join(d, f) for d, _, fs in os.walk(folder) for f in fs]
        self.assertTrue(any(f.endswith("sip/log") for f in files), files)
        self.assertFalse([f for f in files if f.endswith(".key")])

    def test_a_server_that_dies_fails_the_test(self):
        with Site() as site, self.assertRaisesRegex(SiteFailed, "sip ended while sh ran"):
            site.run(["sh", "-c", "pid=$(cat /run/site/sip/pid); kill -9 $pid; "
                      "until grep -q 'State:.Z' /proc/$pid/status; do sleep 0.1; done"],
                     router="firewall")

    def test_the_faults_are_listed(self):
        done = self.site("--list-faults")
        self.assertEqual(0, done.returncode)
        self.assertIn("udp-blocked ", done.stdout)


class LeftOut(unittest.TestCase):
    """Servers that a site need not have; needs no namespaces."""

    def test_relays_and_sip_servers_of_others(self):
        whole, net = load(), load()
        net.leave_out_others(["example"])
        self.assertEqual(whole.turn["example"], net.turn["example"])
        kept = {address for turn in net.turn.values() for address in turn.addresses}
        self.assertLessEqual(set(whole.forward["stun.cloudflare.com"]), kept, "an anchor")
        self.assertNotIn("rainbow", net.turn)
        self.assertEqual({"sip.example-calls.com", "sip.example-phones.net"}, set().union(*net.sip.values()))
        self.assertEqual((whole.forward, whole.web), (net.forward, net.web))

    def test_servers_that_a_set_shares_with_another(self):
        net = load()
        net.leave_out_others(["quicklink"])
        kept = {address for turn in net.turn.values() for address in turn.addresses}
        places = {address for row in net.rows["quicklink"].values() if row.check == "turn"
                  for _, address in row.places}
        self.assertLessEqual(places, kept)
        self.assertNotIn("example", net.turn)


class Ended(unittest.TestCase):
    """A site that ended while a test had it; needs no namespaces."""

    def test_it_is_told_by_what_it_said(self):
        def over(_):
            return subprocess.Popen(["sh", "-c", "echo '{}'; echo site: it is over >&2"], text=True,
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

        with mock.patch.object(harness, "Process", over), Site() as site:
            site._process.wait()
            with self.assertRaisesRegex(SiteFailed, "it is over"):
                site.run(["true"])


if __name__ == "__main__":
    sys.exit(unittest.main())
