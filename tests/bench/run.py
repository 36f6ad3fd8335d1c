"""script/bench: callready compared with what people use today, on the private site.

Each round runs callready and then its peers, so that all of them meet the same machine. The figures
are the median of the rounds, followed by the least and the most, which show how busy it was.
"""

import argparse
import json
import os
import platform
import re
import statistics
import sys
import tempfile

from tests.bench import growth, media, waits, work
from tests.site.harness import Site, namespaces_allowed
from tests.site.names import ROOT

MEASURE = os.path.join(ROOT, "tests", "bench", "measure.py")
MARKS = "<!-- script/bench: begin -->", "<!-- script/bench: end -->"
WAITS_MARKS = "<!-- script/bench --waits: begin -->", "<!-- script/bench --waits: end -->"
LIMIT_S = 30
TYPICAL_MS = 40   # a round trip to a vendor's servers as most people have it
ENOUGH_S = 6   # of one contender at one site: what takes this long is not repeated


def measured(site, job, who, command):
    """One run's figures, or None if the command took longer than LIMIT_S."""
    given = []
    for name, source in job.environment.items():
        given += ["--env", f"{name}={site.environment[source]}"]
    if who in job.servers:
        port, words = job.servers[who]
        given += ["--server", str(port), words]
    try:
        done = site.run([sys.executable, MEASURE, *given, "--", *command], timeout=LIMIT_S,
                        privileged=who in job.privileged)
    except TimeoutError:
        return None
    if done.exit != 0:
        raise SystemExit(f"bench: {who}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def check_worked(job, who, run):
    """A peer that fails where nothing is broken has not done the work, however fast it was."""
    if run and run["exit"] != 0:
        raise SystemExit(f"bench: {who} failed ({run['exit']}) at: {job.title}")


class BenchSite(Site):
    """A site that knows the environment of its commands."""

    def __enter__(self):
        super().__enter__()
        listing = self.run(["env", "-0"]).stdout.split("\0")
        self.environment = dict(entry.split("=", 1) for entry in listing if "=" in entry)
        return self


def spread(values, digits):
    """'median (least to most)'."""
    text = f"{statistics.median(values):.{digits}f}"
    if len(values) > 1:
        text += f" ({min(values):.{digits}f} to {max(values):.{digits}f})"
    return text


def row(job, who, runs, ours):
    """One line of the table."""
    good = [run for run in runs if run]
    if not good:
        return f"| {job.title} | {who} | more than {LIMIT_S} s | | | | |"
    ratio = ""
    if ours is not runs and ours and all(ours):
        own = statistics.median(run["wall_s"] for run in ours)
        ratio = f"{statistics.median(run['wall_s'] for run in good) / own:.2f}"
    return (f"| {job.title} | {who} | {spread([r['wall_s'] for r in good], 2)} | {ratio} "
            f"| {spread([r['cpu_s'] for r in good], 2)} "
            f"| {max(r['memory_mb'] for r in good):.0f} "
            f"| {statistics.median(r['packets'] for r in good):.0f} |")


HEADER = ("| work | by | seconds | times callready's | CPU seconds | MB | packets |\n"
          "|---|---|---|---|---|---|---|")


class Kept:
    """Lines that were measured already, kept in a file: a long bench can be made in pieces."""

    def __init__(self, path):
        self._path = path
        self._lines = {}
        if path and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self._lines = json.load(file)

    def get(self, key, measure):
        """The lines of that name, from the file or from `measure`."""
        if key not in self._lines:
            self._lines[key] = measure()
            print("\n".join(self._lines[key]), file=sys.stderr, flush=True)
            if self._path:
                with open(self._path, "w", encoding="utf-8") as file:
                    json.dump(self._lines, file)
        return self._lines[key]


def lines_of(job, program, delay, blocked, rounds):
    """One job at one distance, clean or blocked."""
    with BenchSite(faults=job.blocked if blocked else (), delay_ms=delay / 2) as site:
        contenders = {"callready": [program, *job.ours[1:]], **job.peers}
        runs = {name: [] for name in contenders}
        for _ in range(rounds):
            for name, command in contenders.items():
                if all(runs[name]) and sum(run["wall_s"] for run in runs[name]) < ENOUGH_S:
                    runs[name].append(measured(site, job, name, command))
                    if not blocked and name != "callready":
                        check_worked(job, name, runs[name][-1])
    return [row(job, name, runs[name], runs["callready"]) for name in contenders]


def section(title, lines, unfolded):
    """A titled table; folded away where a page shows the title alone until it is asked for more."""
    table = "\n".join(lines)
    if unfolded:
        return f"**{title}**\n\n{table}"
    return f"<details><summary>{title}</summary>\n\n{table}\n\n</details>"


def report(options, folder):
    """The whole of it as Markdown."""
    kept = Kept(options.keep)
    jobs = [job for job in work.jobs(folder) if re.search(options.only, job.title)]
    parts = [f"{os.cpu_count()} cores of {platform.machine()}, {options.rounds} rounds (one of what "
             f"takes more than {ENOUGH_S} s): median (least to most). Memory is that of the largest "
             "process. turnutils_stunclient goes on to ask for answers that the site's NAT swallows, "
             "and is ended after 5 s."]
    for delay in options.delay:
        for blocked in (False, True):
            where = f"{delay} ms round trip, {'blocked' if blocked else 'clean'}"
            print(where, file=sys.stderr)
            lines = [HEADER]
            for job in jobs:
                lines += kept.get(f"{where}: {job.title}", lambda job=job, args=(delay, blocked):
                                  lines_of(job, options.program, *args, options.rounds))
            parts.append(section(where, lines, unfolded=delay == TYPICAL_MS))
    if options.grow:
        parts += ["**How it grows**: TCP probes of one generated set, refused at the far end",
                  "\n".join(kept.get("growth", lambda: growth.table(options.program, options.grow,
                                                                    folder)))]
    return "\n\n".join(parts)


def into_page(text, marks):
    """Puts the tables between these marks of docs/benchmarks.md."""
    begin, end = marks
    path = os.path.join(ROOT, "docs", "benchmarks.md")
    with open(path, encoding="utf-8") as file:
        page = file.read()
    before, _, rest = page.partition(begin)
    _, mark, after = rest.partition(end)
    if not mark:
        raise SystemExit("bench: docs/benchmarks.md has no marks for the tables")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{before}{begin}\n{text}\n{end}{after}")


def main():
    """Parses the command line and runs."""
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.environ.get("CALLREADY"),
                        help="the callready to measure")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--delay", type=int, action="append", metavar="MS",
                        help="round trip (repeatable; 0, 40 and 200)")
    parser.add_argument("--only", default="", metavar="PATTERN", help="the jobs of these titles")
    parser.add_argument("--grow", type=int, nargs="*", default=[10, 100, 1000, 10000, 100000],
                        metavar="N", help="numbers of probes; none: leave it out")
    parser.add_argument("--keep", metavar="FILE",
                        help="keep what was measured there, and do not measure it again")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/benchmarks.md")
    parser.add_argument("--waits", action="store_true",
                        help="only the runs that people wait longest for, beside what is wanted")
    parser.add_argument("--media", action="store_true",
                        help="only streams like a call's, beside irtt and iperf3 (root; a minute)")
    parser.add_argument("--against", metavar="PROGRAM",
                        help="with --waits: another callready, in turns with the one to measure")
    options = parser.parse_args()
    options.delay = options.delay or [0, 40, 200]
    allowed, reason = namespaces_allowed()
    if not allowed:
        raise SystemExit(f"bench: {reason}")
    if options.media:
        for line in media.table():
            print(line, flush=True)
        return
    if options.waits:
        programs = {"before": options.against} if options.against else {}
        programs["after" if options.against else "callready"] = options.program
        chosen = [wait for wait in waits.WAITS if re.search(options.only, wait.title)]
        lines = []
        for line in waits.table(chosen, programs, options.rounds):
            print(line, flush=True)
            lines.append(line)
        for line in waits.starts(programs, 21):
            print(line, flush=True)
            lines += ["", line]
        if options.write:
            where = (f"{os.cpu_count()} cores of {platform.machine()}, {options.rounds} rounds; load "
                     f"average {os.getloadavg()[1]:.1f} meanwhile.")
            into_page("\n".join([where, "", *lines]), WAITS_MARKS)
        return
    with tempfile.TemporaryDirectory(prefix="callready-bench-") as folder:
        os.environ["CALLREADY_SITE_SET"] = work.web_hosts(folder)
        text = report(options, folder)
    if options.write:
        into_page(text, MARKS)
    print(text)


if __name__ == "__main__":
    main()
