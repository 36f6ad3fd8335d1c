"""A fix is enough, and so is what `callready firewall` writes: on a router it makes the site ready."""

import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
import time

from . import confusion
from .fixes import LETS_THROUGH, fill_names
from .harness import Site, SiteTest
from .names import HERE, ROOT

CALLREADY = os.environ.get("CALLREADY", os.path.join(ROOT, "build", "dev", "callready"))
OWN_TABLE = ["--format", "nftables", "--table", "ip site", "--chain", "from_lan"]


class Firewall:
    """The router of a site that is its firewall, and a file for it."""

    def __init__(self, site, *what):
        self.site, self.file = site, tempfile.NamedTemporaryFile("w", suffix=".nft")
        done = subprocess.run([CALLREADY, "firewall", *what, *OWN_TABLE], capture_output=True,
                              text=True, timeout=60, check=True)
        self.text = done.stdout
        self.file.write(self.text)
        self.file.flush()

    def command(self, text):
        """A command of the file's own words."""
        done = self.site.run(["sh", "-ec", text.replace("FILE", self.file.name)], on_firewall=True)
        assert done.exit == 0, (text, done.stderr)
        return done.stdout

    def said(self, begin, lines=1):
        """The command below the line of the file that begins so."""
        all_lines = [line.removeprefix("# ") for line in self.text.splitlines()]
        at = next(i for i, line in enumerate(all_lines) if line.startswith(begin))
        while not all_lines[at].startswith("  "):
            at += 1
        while not all_lines[at].startswith("  nft") and not all_lines[at].startswith("  sed"):
            at += 1
        return "\n".join(all_lines[at:at + lines])
