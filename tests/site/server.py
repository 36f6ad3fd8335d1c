"""One server process: started in its namespace, ready when its port answers."""

import os
import socket
import subprocess
import time

from . import isolation
from .plan import FOLDER
from .tools import tool

# Far more than any server needs, and waited out only where one never comes up: on a machine that is
# busy with other things a dozen servers take many seconds to start.
READY_S = 60


class NotReady(Exception):
    """A server did not come up; the text carries its log."""


class Server:
    """A program with its folder, configuration and log under /run/site/<name>."""

    def __init__(self, name, namespace):
        self.name = name
        self.namespace = namespace
        self.folder = os.path.join(FOLDER, name)
        self.process = None
        self._probe = None
        os.makedirs(self.folder, exist_ok=True)

    def path(self, file_name):
        return os.path.join(self.folder, file_name)

    def write(self, file_name, text):
        """Writes one of its files; only the site's own user may read them."""
        with open(os.open(self.path(file_name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
                  "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(file_name)

    def start(self, program, *arguments, probe, prefix=(), environment=None):
        """Starts it; `probe()` is called inside its namespace and raises OSError until it is up."""
        self._probe = probe
        with self.namespace, open(self.path("log"), "wb") as log:
            self.process = subprocess.Popen(
                [*prefix, tool(program), *arguments], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd=self.folder, start_new_session=True,
                env=os.environ | (environment or {}),
                preexec_fn=isolation.unblock_signals)
        return self

    def watch(self, probe):
        """For what needs no process of its own."""
        self._probe = probe
        return self

    def wait_ready(self, deadline):
        """Returns once the probe gets through; raises NotReady with the end of the log."""
        while True:
            isolation.check_stopped()
            try:
                with self.namespace:
                    self._probe()
                return
            except OSError as error:
                if self.ended():
                    raise NotReady(f"{self.name} ended at once:\n{self.log()}") from error
                if time.monotonic() > deadline:
                    raise NotReady(f"{self.name} does not answer ({error}):\n{self.log()}") from error
            time.sleep(0.005)

    def ended(self):
        return self.process is not None and self.process.poll() is not None

    def log(self):
        if self.process is None:
            return ""
        with open(self.path("log"), encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-25:])


def nginx(server, http, address, port=80, environment=None):
    """nginx with this in its `http`, all its files in the server's folder; asked there whether it is up."""
    folders = " ".join(f"{kind}_temp_path {server.path(kind)};"
                       for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config = server.write("nginx.conf", f"""
user root root; daemon off; master_process off; pid {server.path('pid')}; error_log stderr error;
events {{ worker_connections 1024; }}
http {{
  access_log off; {folders}
  {http}
}}
""")
    return server.start("nginx", "-e", "stderr", "-p", server.folder, "-c", config,
                        probe=tcp(address, port, b"GET / HTTP/1.0\r\n\r\n"), environment=environment)


def tcp(address, port, request=b""):
    """A probe: somebody listens, and answers a request where there is one."""
    def probe():
        with socket.create_connection((address, port), 1) as client:
            if request:
                client.send(request)
                if not client.recv(1):
                    raise ConnectionResetError("closed without an answer")
    return probe


def says(server, text):
    """A probe: the server has said so in its log."""
    def probe():
        if text not in server.log():
            raise OSError("no sign of life yet")
    return probe


def udp(address, port, request):
    """A probe: something comes back for this datagram."""
    def probe():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0.1)
            client.connect((address, port))
            client.send(request)
            client.recv(2048)
    return probe
