"""What is measured: jobs, each done by callready and by what people use for it today."""

import json
import os
from dataclasses import dataclass, field

from tests.site import names
from tests.site.plan import Plan

PARALLEL = 64
VENDORS = ("rainbow", "webex-partner", "cloudoe", "librestream", "quicklink", "itracks")
EXPORTER_PORT = 9115
EXPORTER = "prometheus-blackbox-exporter"
WEB_NAMES = 150
CONNECT_S = 4   # connection timeout of peers that have such an option: the same as callready's


@dataclass
class Job:
    """One piece of work. Commands are lists; `CALLREADY` stands for the program."""
    title: str
    ours: list
    peers: dict = field(default_factory=dict)   # name -> command
    blocked: tuple = ()                         # the faults of the blocked site
    privileged: tuple = ()                      # peers that need raw sockets
    environment: dict = field(default_factory=dict)
    servers: dict = field(default_factory=dict)  # peer -> (port, words) of the server that it asks


def _where(internet, role, transport, port):
    """The names that the site serves this for, in a fixed order."""
    return sorted(n for r, t, n, p in internet.served
                  if (r, p) == (role, port) and t in transport and not n[0].isdigit()
                  and n in internet.forward)


def make_set(folder, name, rows):
    """Writes a target set and gives its path. JSON is YAML."""
    path = os.path.join(folder, f"{name}.yaml")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"schema": "callready.targets/1", "id": name, "title": f"Bench: {name}",
                   "capabilities": [{"id": "all", "title": "All of it",
                                     "needs": [row["id"] for row in rows]}],
                   "requirements": [{"title": row["id"], **row} for row in rows]}, file)
    return path


def check(path, name, *more):
    """The command that runs all of a set of ours, as fast as it can."""
    return ["CALLREADY", "check", name, "--set", path, "--all", "--pace", "fast", "--no-anchors",
            "--json", *more]


def write_list(folder, name, lines):
    """A file with one line each, for xargs and nmap."""
    path = os.path.join(folder, name)
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
    return path


def each(path, *command):
    """The command once for every line of a file, 64 at a time."""
    return ["xargs", "-a", path, "-P", str(PARALLEL), "-I", "{}", *command]


def _curl_config(folder, name, urls):
    """All these URLs for one curl."""
    return write_list(folder, name, [f'url = "{url}"\noutput = "/dev/null"' for url in urls])


def _parallel_curl(config):
    """One curl that asks for all of a file, 64 at a time."""
    return ["curl", "-s", "--parallel", "--parallel-immediate", "--parallel-max", str(PARALLEL),
            "--connect-timeout", str(CONNECT_S), "-K", config]


def _exporter(folder):
    """(port, words) of a blackbox_exporter with one module for TCP and one for TLS."""
    modules = {name: {"prober": "tcp", "timeout": f"{CONNECT_S}s",
                      "tcp": {"preferred_ip_protocol": "ip4", "tls": name == "tls"}}
               for name in ("tcp", "tls")}
    path = write_list(folder, "blackbox.yml", [json.dumps({"modules": modules})])
    return (EXPORTER_PORT, f"{EXPORTER} --config.file={path} "
                           f"--web.listen-address=127.0.0.1:{EXPORTER_PORT}")


def _probes_of_exporter(folder, module, names, port):
    """The command that has the exporter probe all of these, 64 at a time."""
    urls = [f"http://127.0.0.1:{EXPORTER_PORT}/probe?module={module}&target={name}:{port}"
            for name in names]
    return _parallel_curl(_curl_config(folder, f"blackbox-{module}.txt", urls))


def web_hosts(folder):
    """A set of names for the site to serve beside the vendors', so that there are enough of them:
    four to a domain, as large services have them."""
    names = [f"web{i % 4 + 1}.service{i // 4 + 1}.example" for i in range(WEB_NAMES)]
    return make_set(folder, "bench-web", [{"id": "web", "check": "tls", "transport": ["tls"],
                                           "ports": [443], "hosts": names}])


def _web(internet, folder):
    web = _where(internet, "web", {"tls", "tcp"}, 443)[-WEB_NAMES:]
    listed = write_list(folder, "web.txt", web)
    count = len(web)
    row = {"ports": [443], "hosts": web}
    tcp = make_set(folder, "bench-tcp", [{"id": "tcp", "check": "tcp", "transport": ["tcp"], **row}])
    tls = make_set(folder, "bench-tls", [{"id": "tls", "check": "tls", "transport": ["tls"], **row}])
    curl = ["curl", "-so", "/dev/null", "--connect-timeout", str(CONNECT_S)]
    config = _curl_config(folder, "curl.txt", [f"https://{name}/" for name in web])
    blocked = ("tcp-ports-blocked=443",)
    exporter = {"blackbox_exporter": _exporter(folder)}
    return [
        Job(f"TCP to 443 of {count} names", check(tcp, "bench-tcp"),
            {"nmap -sT": ["nmap", "-sT", "-Pn", "-p443", "-iL", listed],
             "blackbox_exporter": _probes_of_exporter(folder, "tcp", web, 443)}, blocked,
            servers=exporter),
        Job(f"TLS with {count} names", check(tls, "bench-tls"),
            {"64 parallel curls": each(listed, *curl, "https://{}/"),
             "curl --parallel": _parallel_curl(config),
             "blackbox_exporter": _probes_of_exporter(folder, "tls", web, 443)}, blocked,
            servers=exporter),
    ]


# It goes on to ask for answers from elsewhere, and waits for ever for those that the NAT swallows.
_STUNCLIENT = "timeout 5 turnutils_stunclient -p 3478 {} || [ $? = 124 ]"


def _udp(internet, folder):
    relays = _where(internet, "turn", {"udp"}, 3478)
    listed = write_list(folder, "stun.txt", relays)
    row = {"transport": ["udp"], "ports": [3478]}
    stun = make_set(folder, "bench-stun", [{"id": "stun", "check": "stun", "hosts": relays, **row}])
    nat = make_set(folder, "bench-nat", [{"id": "nat", "check": "nat", "hosts": relays[:1], **row}])
    turn = make_set(folder, "bench-turn", [{"id": "turn", "check": "turn", "hosts": relays[:1],
                                            **row}])
    count, blocked = len(relays), ("udp-blocked",)
    return [
        Job(f"STUN to {count} servers", check(stun, "bench-stun"),
            {"turnutils_stunclient": each(listed, "sh", "-c", _STUNCLIENT),
             "nmap -sU": ["nmap", "-sU", "-Pn", "-p3478", "-iL", listed]}, blocked, ("nmap -sU",)),
        Job("NAT mapping and filtering", check(nat, "bench-nat"),
            {"turnutils_natdiscovery": ["turnutils_natdiscovery", "-m", "-f", relays[0]]}, blocked),
        Job("TURN: a relay that carries data", check(turn, "bench-turn"),
            {"turnutils_uclient": ["sh", "-c", "exec timeout 20 turnutils_uclient -n 1 -m 1 -c -y -u site -w "
                                   f'"$CALLREADY_SITE_TURN_PASSWORD" {relays[0]}']}, blocked,
            environment={"CALLREADY_TURN_HOST": "CALLREADY_SITE_TURN_HOST",
                         "CALLREADY_TURN_USER": "CALLREADY_SITE_TURN_USER",
                         "CALLREADY_TURN_PASSWORD": "CALLREADY_SITE_TURN_PASSWORD"}),
    ]


def _sip(internet, folder):
    servers = _where(internet, "sip", {"udp"}, 5060)
    listed = write_list(folder, "sip.txt", servers)
    path = make_set(folder, "bench-sip", [{"id": "sip", "check": "sip", "transport": ["udp"],
                                           "ports": [5060], "hosts": servers}])
    # sipsak sends nothing if it cannot resolve this computer's own name.
    own = Plan(internet).pc
    return [Job(f"SIP OPTIONS to {len(servers)} servers", check(path, "bench-sip"),
                {"sipsak": each(listed, "sipsak", "-H", own, "-s", "sip:{}")}, ("udp-blocked",))]


def vendors():
    """The runs that users make; no other tool does these."""
    return [Job(f"check {name}", ["CALLREADY", "check", name, "--json"], blocked=("offline",))
            for name in VENDORS]


def jobs(folder):
    """All jobs, with their files in `folder`."""
    internet = names.load()
    return _web(internet, folder) + _udp(internet, folder) + _sip(internet, folder) + vendors()
