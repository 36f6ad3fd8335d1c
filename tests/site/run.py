"""script/site: runs a command on the PC of a private site, and breaks the site as told."""

import argparse
import json
import os
import shutil
import subprocess
import sys

from . import certificates, faults, hold, isolation, kerberos, nursery, server, servers
from .plan import FOLDER, Plan
from .tools import Missing, must, search_path, tool
from .topology import Topology

FAILED = 125  # the site itself failed, as env(1) and timeout(1) say it

PROXY_VARIABLES = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy")


def parse(arguments):
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="script/site", usage="script/site [option]... -- COMMAND [argument]...",
        description="Runs COMMAND on the PC of a private site: a router with NAT and a firewall, "
                    "a provider, and an internet of real servers under the vendors' own names.",
        epilog="Exit status: COMMAND's own; 125 when there is no site to run it in.")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME",
                        help="break something (repeatable; see --list-faults)")
    parser.add_argument("--list-faults", action="store_true", help="what can be broken")
    parser.add_argument("--delay", type=float, default=0, metavar="MS",
                        help="delay of the line, in each direction")
    parser.add_argument("--jitter", type=float, default=0, metavar="MS",
                        help="how much the delay varies at random, in each direction")
    parser.add_argument("--loss", type=float, default=0, metavar="PERCENT",
                        help="packets lost, in each direction")
    parser.add_argument("--rate", type=float, default=0, metavar="KBIT",
                        help="what the line carries a second, in each direction")
    parser.add_argument("--sets", metavar="NAME,...",
                        help="start the relays and SIP servers of these target sets only")
    parser.add_argument("--keep-logs", metavar="DIR", help="copy logs and configurations there")
    parser.add_argument("--privileged", action="store_true",
                        help="let COMMAND keep power over the PC's network")
    parser.add_argument("--try", dest="attempt", action="store_true",
                        help="only say whether namespaces are allowed here (exit 0 or 125)")
    parser.add_argument("--hold", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--nursery", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("command", nargs="*", metavar="COMMAND")
    options = parser.parse_args(arguments)
    if not (options.command or options.list_faults or options.hold or options.attempt
            or options.nursery):
        parser.error("there is no COMMAND to run")
    for name, high in (("delay", 10000), ("jitter", 10000), ("loss", 100), ("rate", 10_000_000)):
        if not 0 <= getattr(options, name) <= high:
            parser.error(f"--{name} is between 0 and {high}")
    return options


class Running:
    """A site that is up."""

    def __init__(self, plan, outside, authority):
        self.plan = plan
        self._outside = outside
        os.makedirs(FOLDER, mode=0o700)
        self.topology = Topology(plan)
        self.topology.build()
        self.authority, self.servers = servers.start_all(plan, self.topology, authority)
        self._outfit_pc()

    def _outfit_pc(self):
        """What the PC's programs read: the resolver, the hosts file and whom to trust."""
        first = f"nameserver {self.plan.proxy}\n" if self.plan.denied else ""
        search = f"search {self.plan.search}\n" if self.plan.search else ""
        for target, text in (("/etc/resolv.conf", f"{first}nameserver {self.plan.resolver_address}\n{search}"),
                             ("/etc/hosts", "\n".join(["127.0.0.1 localhost", "::1 localhost",
                                                      *self.plan.hosts_file]) + "\n"),
                             ("/etc/nsswitch.conf", "passwd: files\ngroup: files\n"
                                                    "hosts: files dns\nservices: files\n")):
            source = os.path.join(FOLDER, os.path.basename(target))
            with open(source, "w", encoding="ascii") as file:
                file.write(text)
            isolation.bind(source, target)
        if self.plan.browser_policies:  # Debian has the folder, and nothing in it
            folder = os.path.join(FOLDER, "etc-opt")
            managed = os.path.join(folder, "chrome", "policies", "managed")
            os.makedirs(managed)
            with open(os.path.join(managed, "site.json"), "w", encoding="ascii") as file:
                json.dump(self.plan.browser_policies, file)
            isolation.bind(folder, "/etc/opt")
        if os.path.exists(certificates.PUBLIC_BUNDLE):
            isolation.bind(servers.PUBLIC, certificates.PUBLIC_BUNDLE)

    def environment(self):
        """COMMAND's environment: the outside's without its proxies, and what the site offers."""
        kept = {k: v for k, v in os.environ.items() if k.lower() not in PROXY_VARIABLES}
        # A run on this site must not become anybody's last run.
        kept["XDG_STATE_HOME"] = "/run/site/state"
        for name in ("SSL_CERT_DIR", "CURL_CA_BUNDLE"):
            kept.pop(name, None)
        if "Negotiate" in self.plan.proxy_login:
            kept |= kerberos.environment()
        return kept | {"SSL_CERT_FILE": servers.TRUST, "CALLREADY_SITE_CA": self.authority.certificate,
                       "CALLREADY_SITE_TURN_USER": "site",
                       "CALLREADY_SITE_TURN_HOST": ",".join(
                           self.plan.internet.names_serving("turn")),
                       "CALLREADY_SITE_TURN_PASSWORD":
                           self.plan.turn_password_given or self.plan.turn_password,
                       "CALLREADY_SITE_PROXY_USER": "site",
                       "CALLREADY_SITE_PROXY_PASSWORD": self.plan.proxy_password,
                       "CALLREADY_SITE_PROXY": f"http://{self.plan.proxy}:3128"}

    def start(self, command, privileged=False, environment=None, **streams):
        """Starts COMMAND on the PC, after a last look that this really is the PC."""
        self._verify()
        if not privileged:  # whoever we are outside: no privileges on the site's network
            command = [tool("setpriv"), "--bounding-set=-all", "--inh-caps=-all",
                       "--ambient-caps=-all", "--", *command]
        return subprocess.Popen(command, env=self.environment() | (environment or {}),
                                preexec_fn=isolation.unblock_signals, **streams)

    def start_on(self, router, command, environment=None, **streams):
        """Starts COMMAND with all privileges on a router, by its name or "firewall"."""
        with self.topology.hops[self.plan.firewall_at if router == "firewall" else router]:
            return subprocess.Popen(command, env=self.environment() | (environment or {}),
                                    preexec_fn=isolation.unblock_signals, **streams)

    def _verify(self):
        if isolation.network_identity() == self._outside:
            raise isolation.Refused("still in the network of the outside")
        links = json.loads(must("ip", "-json", "link"))
        if {link["ifname"] for link in links} != self.plan.links:
            raise isolation.Refused("there are interfaces that are not the site's")
        routes = json.loads(must("ip", "-json", "route"))
        ways = {(r["dst"], r.get("gateway")) for r in routes}
        if ways != self.plan.routes:
            raise isolation.Refused("there are routes that are not the site's")


def keep_logs(folder):
    """Copies logs and configurations; keys and sockets stay behind."""
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("*.key", "*ctl*", "control", "pid", "*.db", "*.keytab",
                                                  "ticket", "stash", "principals*", "password"))


def _execute(site, options):
    try:
        process = site.start(options.command, options.privileged)
    except FileNotFoundError:
        print(f"site: {options.command[0]}: there is no such program", file=sys.stderr)
        return 127
    names_of = {s.process.pid: s.name for s in site.servers}

    def seen(pid, _):
        if pid in names_of:
            print(f"site: {names_of[pid]} ended while COMMAND ran", file=sys.stderr)
    return isolation.wait(process.pid, seen)


def make_plan(options, internet):
    """The site as asked for."""
    if options.sets:
        internet.leave_out_others(options.sets.split(","))
    plan = Plan(internet, delay_ms=options.delay, jitter_ms=options.jitter,
                loss_percent=options.loss, rate_kbit=options.rate)
    faults.apply_all(plan, options.fault)
    return plan


def main(arguments=None, ahead=None):
    """Returns the exit status. `ahead`: servers.ahead(), where it is there already."""
    try:
        options = parse(arguments)
    except SystemExit as error:
        return FAILED if error.code else 0
    if options.list_faults:
        width = max(map(len, faults.FAULTS))
        lines = (f"{fault.name:{width}}  {fault.description}"
                 + (f" (={fault.value})" if fault.value else "")
                 for fault in faults.FAULTS.values())
        try:
            print("\n".join(lines), flush=True)
        except BrokenPipeError:  # "| head"
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if options.nursery:
        return nursery.serve(main)
    os.environ["PATH"] = search_path()
    outside = isolation.network_identity()
    try:
        if not options.attempt:
            internet, authority = ahead or servers.ahead()
            plan = make_plan(options, internet)
    except (faults.Unknown, OSError, KeyError, ValueError) as error:
        print(f"site: {error}", file=sys.stderr)
        return FAILED

    def inside():
        if options.attempt:
            isolation.Namespace("trial")
            return 0
        try:
            site = Running(plan, outside, authority)
            return hold.serve(site) if options.hold else _execute(site, options)
        except (isolation.Stopped, server.NotReady, Missing, RuntimeError, OSError) as error:
            print(f"site: {error}", file=sys.stderr)
            return FAILED
        finally:
            if options.keep_logs and os.path.isdir(FOLDER):
                keep_logs(options.keep_logs)
    try:
        return isolation.spawn(inside)
    except isolation.Refused as error:
        print(f"site: {error}; nothing was run", file=sys.stderr)
        return FAILED
