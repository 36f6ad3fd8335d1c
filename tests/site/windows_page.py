"""The page of callready.exe, asked for under wine.

    python3 -m tests.site.windows_page SERVICE    its run, for instance on the private site: prints the
                                                  report that the page gets, as JSON
"""

import glob
import os
import sys
import tempfile
import time

from tests.ui.program import DEADLINE_S, Program

from .names import ROOT

WINE = os.path.join(ROOT, "packaging", "windows", "wine")
WINDOWS_PATH = "Z:" + os.path.join(ROOT, "build", "windows", "callready.exe").replace("/", "\\")


class Page(Program):
    """callready.exe ui in a prefix of its own, below `folder`."""

    def __init__(self, folder, options=(), again=False):
        """`again`: when it has ended, another one takes its place, and wineserver stays."""
        self.again = again
        twice = ["&", WINDOWS_PATH, "ui", "--no-browser"] if again else []
        super().__init__(folder, [*options, *twice], {"TMPDIR": folder})

    def program(self):
        return [WINE, "--fresh", *(["cmd", "/c"] if self.again else []), WINDOWS_PATH]

    def prefix(self):
        return glob.glob(os.path.join(self.folder, "callready-wine.*"))[0]

    def path_of(self, said):
        drive, _, rest = said.partition(":\\")
        return os.path.join(self.prefix(), f"drive_{drive.lower()}", *rest.split("\\"))

    def settings(self):
        """%APPDATA% of this user."""
        return self.file.partition("Local")[0] + "Roaming"

    def processes(self, *words):
        """callready.exe of this prefix with all these words on its command line."""
        found, own = [], self.prefix().encode()
        for name in glob.glob("/proc/[0-9]*"):
            try:
                with open(name + "/environ", "rb") as file:
                    ours = own in file.read()
                with open(name + "/cmdline", "rb") as file:
                    line = file.read().decode(errors="replace").split("\0")
            except OSError:
                continue  # it has ended, or is another's
            if ours and line[0].endswith("callready.exe") and set(words) <= set(line):
                found.append(int(os.path.basename(name)))
        return found

    def wait_for(self, said, what):
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            result = what()
            if result:
                return result
            time.sleep(0.05)
        raise AssertionError(f"{said}: not within {DEADLINE_S} s\n{self.said()}")


def run(page, **order):
    """The states of one run."""
    events = page.events()
    try:
        reply = page.post("run", order)
        if reply.status != 204:
            raise AssertionError(f"{reply.status} {reply.text}")
        events.until("running")
        return events.until("ended")
    finally:
        events.close()


def main():
    with tempfile.TemporaryDirectory() as folder, Page(folder) as page:
        page.enter()
        last = run(page, service=sys.argv[1])[-1]
        if not last["report"]:
            raise SystemExit(last["problem"])
        print(page.get("report?as=json").text)


if __name__ == "__main__":
    main()
