"""script/confusion: breaks the private site in every way that cases.yaml lists, and counts how
often the cause that callready names is the real one.

    script/confusion                       all cases once
    script/confusion --runs 3 --load      three times, on a machine that is kept busy
    script/confusion --only dns --runs 5   the cases whose names hold this
    script/confusion --readme              also writes the counts into README.md, and the matrix
                                           into tests/site/CONFUSION.md
    script/confusion --compare DIR         no site is made: the reports that --keep kept there, by
                                           rules and by worlds (compare.py)
    script/confusion --random 20 --seed 7 sites drawn at random (random_sites.py), judged by an
                                           oracle (truth.py)

Right: a finding that was expected, with an acceptable confidence and owner. Missed: one that did
not come, or not like that. Wrong: another one. False alarm: any finding at a clean site.
"""

import argparse
import concurrent.futures
import fnmatch
import json
import os
import random
import subprocess
import sys
import tempfile
import textwrap
import time
from dataclasses import dataclass, field, replace

import yaml

from . import compare, random_sites
from .fixes import beyond_the_document
from .harness import Site, SiteFailed, namespaces_allowed
from .names import HERE, ROOT
from .tools import ends_with_us

SET = os.path.join(HERE, "findings.yaml")
CASES = os.path.join(HERE, "cases.yaml")
MATRIX = os.path.join(HERE, "CONFUSION.md")
README = os.path.join(ROOT, "README.md")
RANDOM_MARKS = ("<!-- script/confusion --random writes between these lines -->\n",
                "<!-- end of script/confusion --random -->\n")
MARKS = ("<!-- script/confusion writes between these lines -->\n", "<!-- end of script/confusion -->\n")
READY = ["ready"] * 4
CAPABILITIES = ("", "/sign-in", "/relays", "/calls")
GROUPS = ("clean", "single", "pair")

# COMMAND with the account that the site's relays know.
WITH_ACCOUNT = ["sh", "-c", "CALLREADY_TURN_HOST=$CALLREADY_SITE_TURN_HOST "
                "CALLREADY_TURN_USER=$CALLREADY_SITE_TURN_USER "
                "CALLREADY_TURN_PASSWORD=$CALLREADY_SITE_TURN_PASSWORD exec \"$@\"", "sh"]


@dataclass
class Case:
    """A row of cases.yaml."""
    group: str
    name: str
    faults: list
    line: dict
    sets: list
    options: list
    credentials: bool
    expected: dict   # code -> (confidences, owners); of several codes ("a|b.*") one will do
    verdicts: dict   # "set" or "set/capability" -> verdicts that will do ("ready|degraded")
    may: list = field(default_factory=list)   # codes that may come besides
    says: dict = field(default_factory=dict)  # expected code -> what its title or its fix says

    def site(self):
        """The site, with the servers that are asked."""
        return Site(faults=self.faults, sets=self.sets or ["example"], **self.line)

    def command(self, program):
        """The command line to run on the site's PC."""
        what = self.sets or ["example", "--set", SET]
        command = [program, "check", *what, *self.options, "--json", "--quiet"]
        return WITH_ACCOUNT + command if self.credentials else command


@dataclass
class Outcome:
    """The result of one run of a case."""
    case: Case
    run: int
    found: list = field(default_factory=list)     # codes
    right: list = field(default_factory=list)
    missed: list = field(default_factory=list)
    wrong: list = field(default_factory=list)
    remarks: list = field(default_factory=list)   # verdicts and the like that are not as expected
    seconds: float = 0
    report: dict = field(default_factory=dict)

    def good(self):
        """Whether all of it is as expected."""
        return not (self.missed or self.wrong or self.remarks)


def _verdicts(row):
    given = row.get("verdict", READY)
    if isinstance(given, dict):
        return given
    return {"example" + name: verdict for name, verdict in zip(CAPABILITIES, given)}


def matches(code, pattern):
    """Whether a code is one of a pattern's: codes between "|", each with "*" for any text."""
    return any(fnmatch.fnmatchcase(code, one) for one in pattern.split("|"))


def load(path=CASES):
    """All cases, in the order of the file."""
    with open(path, encoding="utf-8") as file:
        groups = yaml.safe_load(file)
    cases = []
    for group in GROUPS:
        for row in groups.get(group) or []:
            expected = {code: tuple(part.split("|") for part in text.split())
                        for code, text in row.get("find", {}).items()}
            sets = row.get("set", [])
            name = row.get("name") or " + ".join(row["faults"])
            if sets and "name" not in row:
                name += f" ({', '.join(sets)})"
            cases.append(Case(group, name, row["faults"], row.get("line", {}), sets,
                              row.get("options", []), row.get("credentials", False), expected,
                              _verdicts(row), row.get("may", []), row.get("says", {})))
    return cases


def spread(cases):
    """Those that are asked of each build: clean sites and pairs, and of the single faults the first
    two of each finding."""
    chosen, seen = [], {}
    for case in cases:
        code = next(iter(case.expected), "")
        seen[case.group, code] = seen.get((case.group, code), 0) + 1
        if case.group != "single" or seen[case.group, code] <= 2:
            chosen.append(case)
    return chosen


def _compare_verdicts(outcome):
    for one in outcome.report["sets"]:
        verdicts = {one["id"]: one["verdict"]}
        verdicts |= {f"{one['id']}/{c['id']}": c["verdict"] for c in one["capabilities"]}
        for name, verdict in verdicts.items():
            wanted = outcome.case.verdicts.get(name, verdict)
            if verdict not in wanted.split("|"):
                outcome.remarks.append(f"{name} is {verdict}, not {wanted}")


def _compare_findings(outcome):
    expected = dict(outcome.case.expected)
    probes = {probe["id"] for probe in outcome.report["probes"]}
    for finding in outcome.report["findings"]:
        code, how = finding["code"], f"{finding['confidence']} {finding['owner']}"
        outcome.found.append(code)
        pattern = next((one for one in expected if matches(code, one)), None)
        if pattern is None:
            if not any(matches(code, one) for one in outcome.case.may):
                outcome.wrong.append(f"{code} ({how}): {finding['title']}")
            continue
        confidences, owners = expected.pop(pattern)
        if finding["confidence"] in confidences and finding["owner"] in owners:
            outcome.right.append(code)
        else:
            outcome.missed.append(f"{code}, which came as {how}")
        if outcome.case.says.get(pattern, "") not in finding["title"] + finding["fix"]:
            outcome.remarks.append(f"{code} does not say {outcome.case.says[pattern]}")
        if not (finding["title"] and finding["fix"] and finding["evidence"]):
            outcome.remarks.append(f"{code} has no fix or no evidence")
        strangers = {e["probe"] for e in finding["evidence"] if e.get("probe")} - probes
        if strangers:
            outcome.remarks.append(f"{code} names probes that are not there: {strangers}")
    outcome.missed += expected


def _compare_rendered(outcome, program):
    """The saved report is diagnosed again, without a network, and to the same result."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "report.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(outcome.report, file)
        done = subprocess.run([program, "render", path, "--json"], capture_output=True, text=True,
                              timeout=60, check=False)
    try:
        again = json.loads(done.stdout)["findings"]
    except ValueError:
        outcome.remarks.append(f"render failed: {done.stderr.strip()}")
        return
    if again != outcome.report["findings"]:
        outcome.remarks.append("render diagnoses the saved report differently")


def _loose_ends(report):
    """Rows that failed and that no finding explains."""
    explained = {row for finding in report["findings"] for row in finding["explains"]}
    return [f"{one['id']}/{row['id']}" for one in report["sets"] for row in one["requirements"]
            if row["status"] == "fail" and f"{one['id']}/{row['id']}" not in explained]


def run_case(case, program, run=1):
    """Builds the site, runs callready in it, and compares its report with the expectations."""
    outcome = Outcome(case, run)
    start = time.monotonic()
    try:
        with case.site() as site:
            done = site.run(case.command(program), timeout=120)
        outcome.report = json.loads(done.stdout)
    except (SiteFailed, TimeoutError, ValueError) as error:
        outcome.missed += case.expected
        outcome.remarks.append(f"no report: {error}")
        return outcome
    outcome.seconds = time.monotonic() - start
    _judge(outcome)
    _compare_rendered(outcome, program)
    return outcome


def _judge(outcome):
    """Compares its report with the expectations."""
    case = outcome.case
    _compare_findings(outcome)
    _compare_verdicts(outcome)
    outcome.remarks += beyond_the_document(outcome.report)
    if case.expected and case.group == "single":
        outcome.remarks += [f"{row} failed and is not explained"
                            for row in _loose_ends(outcome.report)]


def judged_again(case, report):
    """A saved report: what is not right, and the codes that are wrong. Words are not looked at."""
    # A confidence that is computed may be higher than a rule's by hand.
    expected = {code: (["certain", *confidences] if "likely" in confidences else confidences, owners)
                for code, (confidences, owners) in case.expected.items()}
    outcome = Outcome(replace(case, expected=expected), 1, report=report)
    _judge(outcome)
    lines = [line for line in details(outcome) if "does not say" not in line]
    return lines, {text.split(" ")[0] for text in outcome.wrong}


def run_all(cases, program, runs=1, jobs=4, tell=lambda outcome: None):
    """Every case, `runs` times, `jobs` sites at a time; sites know nothing of each other."""
    outcomes = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        work = [pool.submit(run_case, case, program, run) for run in range(1, runs + 1)
                for case in cases]
        for done in concurrent.futures.as_completed(work):
            outcomes.append(done.result())
            tell(outcomes[-1])
    order = {case.name: number for number, case in enumerate(cases)}
    return sorted(outcomes, key=lambda o: (order[o.case.name], o.run))


def counts(outcomes):
    """{group: {what: how many}}"""
    table = {}
    for group in GROUPS:
        mine = [o for o in outcomes if o.case.group == group]
        table[group] = {
            "sites": len({o.case.name for o in mine}), "runs": len(mine),
            "right": sum(len(o.right) for o in mine), "missed": sum(len(o.missed) for o in mine),
            "wrong": sum(len(o.wrong) for o in mine if group != "clean"),
            "false alarm": sum(len(o.wrong) for o in mine if group == "clean"),
            "other": sum(len(o.remarks) for o in mine)}
    return table


class Business:
    """How busy the machine was: the one-minute load averages that were seen."""

    def __init__(self):
        self._start = time.monotonic()
        self._seen = []

    def look(self):
        """Skips the first minute, when the average still counts what ran before."""
        if time.monotonic() - self._start > 60:
            self._seen.append(os.getloadavg()[0])

    def in_words(self):
        """To continue a sentence: "whose ...". Empty if there was too little time to tell."""
        if not self._seen:
            return ""
        return (f", whose load was {min(self._seen):.0f} to {max(self._seen):.0f} (runnable "
                "programs; the average of a minute)")


def circumstances(outcomes, command, jobs, business):
    """What the counts were measured with, and on."""
    runs, sites = max(o.run for o in outcomes), len({o.case.name for o in outcomes})
    times = "once" if runs == 1 else f"{runs} times after each other"
    day = time.strftime("%Y-%m-%d", time.gmtime())
    return (f"Measured on {day}: `{command}` made {sites} sites {times}, {jobs} at a time, on a "
            f"machine with {os.cpu_count()} processors{business.in_words()}.")


def counts_as_markdown(outcomes, circumstances_of_it):
    """The table of the README."""
    names = {"clean": "nothing is wrong", "single": "one thing is wrong",
             "pair": "several things are wrong"}
    text = ("| sites where | sites | runs | right | missed | wrong | false alarms |\n"
            "|---|---|---|---|---|---|---|\n")
    for group, row in counts(outcomes).items():
        if row["runs"]:
            text += (f"| {names[group]} | {row['sites']} | {row['runs']} | {row['right']} | "
                     f"{row['missed']} | {row['wrong']} | {row['false alarm']} |\n")
    lines = textwrap.wrap(circumstances_of_it, 100, break_long_words=False, break_on_hyphens=False)
    return text + "\n" + "\n".join(lines) + "\n"


def _cell(outcomes, code):
    times = sum(code in o.found for o in outcomes)
    expected = any(matches(code, pattern) for pattern in outcomes[0].case.expected)
    if not times:
        return "missed" if expected else ""
    text = "x" if times == len(outcomes) else f"{times} of {len(outcomes)}"
    return text if expected else f"**{text}**"


def matrix_as_markdown(outcomes):
    """Fault by finding. Columns are numbered: their names would not fit."""
    codes = sorted({code for o in outcomes for code in [*o.found, *o.case.expected]})
    text = "".join(f"{number}. `{code}`\n" for number, code in enumerate(codes, 1))
    text += ("\nx: found, as expected, in every run; bold: found, and should not be.\n\n"
             "| site | " + " | ".join(str(n) for n in range(1, len(codes) + 1)) + " |\n"
             "|---|" + "---|" * len(codes) + "\n")
    by_case = {}
    for outcome in outcomes:
        by_case.setdefault(outcome.case.name, []).append(outcome)
    for name, mine in by_case.items():
        text += f"| {name} | " + " | ".join(_cell(mine, code) for code in codes) + " |\n"
    return text


def details(outcome):
    """What is not as expected, a line each."""
    return [*(f"missed {text}" for text in outcome.missed),
            *(f"wrong {text}" for text in outcome.wrong), *outcome.remarks]


def write_between_marks(path, text, marks=MARKS):
    """Replaces what stands between the marks."""
    with open(path, encoding="utf-8") as file:
        whole = file.read()
    before, begin, rest = whole.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not (begin and end):
        raise SystemExit(f"confusion: {path} has no marks to write between")
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + begin + text + end + after)


class Load:
    """Keeps the machine busy: a process for each processor that does nothing but count, at the
    priority of everything else."""

    def __init__(self, wanted):
        self._count = (os.cpu_count() or 1) if wanted else 0
        self._processes = []

    def __enter__(self):
        counting = ends_with_us(sys.executable, "-c", "while True: pass")
        self._processes = [subprocess.Popen(counting) for _ in range(self._count)]
        return self

    def __exit__(self, *_):
        for process in self._processes:
            process.kill()
            process.wait()


def parse(arguments):
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="script/confusion",
        description="Breaks the private site in every known way, and counts how often the cause "
                    "that callready names is the one that was made.",
        epilog="Exit status: 0 where all is as expected, 1 where it is not, 77 where no site can "
               "be made.")
    parser.add_argument("--runs", type=int, default=1, help="how often each case is run")
    parser.add_argument("--load", action="store_true",
                        help="keep the machine busy meanwhile: beside the sites, a process for each "
                             "processor that only counts")
    parser.add_argument("--jobs", type=int, default=4, help="sites at a time (4)")
    parser.add_argument("--only", action="append", default=[], metavar="TEXT",
                        help="only the cases whose names hold this (repeatable)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every Nth of the cases")
    parser.add_argument("--cases", default=CASES, metavar="FILE", help="other cases than cases.yaml")
    parser.add_argument("--program", help="callready; the newest build where absent")
    parser.add_argument("--keep", metavar="DIR", help="keep all reports there, as JSON")
    parser.add_argument("--keep-bad", metavar="DIR",
                        help="keep the reports there that are not as expected, for callready render")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="N sites drawn at random")
    parser.add_argument("--seed", type=int, help="of the first of those; another one each time where "
                                                 "absent")
    parser.add_argument("--relations", action="store_true",
                        help="with --random: once more and otherwise, too: whatever is true there, the "
                             "runs must not contradict each other")
    parser.add_argument("--compare", metavar="DIR",
                        help="no site: judge the reports kept there, by rules and by worlds")
    parser.add_argument("--half", choices=compare.HALVES, help="every second of those")
    parser.add_argument("--readme", action="store_true",
                        help="write the counts into README.md, and the matrix beside the cases")
    options = parser.parse_args(arguments)
    if min(options.runs, options.jobs, options.every) < 1:
        parser.error("--runs, --jobs and --every are at least 1")
    if options.readme and (options.only or options.every > 1 or options.cases != CASES):
        parser.error("--readme publishes the whole matrix: not with --only, --every or --cases")
    return options


def find_program():
    """CALLREADY, or the newest build of this source tree."""
    built = [os.path.join(ROOT, "build", kind, "callready") for kind in ("dev", "release")]
    there = sorted(filter(os.path.exists, built), key=os.path.getmtime)
    given = os.environ.get("CALLREADY")
    if not (given or there):
        raise SystemExit("confusion: callready is not built: script/run")
    return given or there[-1]


def _keep(folder, outcome):
    os.makedirs(folder, exist_ok=True)
    name = "".join(c if c.isalnum() or c in "-." else "_" for c in outcome.case.name)
    with open(os.path.join(folder, f"{name}.{outcome.run}.json"), "w", encoding="utf-8") as file:
        json.dump(outcome.report, file, indent=1)


def random_main(options, program):
    """--random; returns the exit status."""
    seed = random.randrange(1_000_000) if options.seed is None else options.seed
    print(f"seed {seed}", file=sys.stderr)
    business = Business()

    def tell(result):
        business.look()
        word = "right" if result.good() else "; ".join(result.details())
        print(f"{result.site.seed} {result.site.described()}: {word} ({result.seconds:.1f} s)",
              file=sys.stderr, flush=True)
        for folder in [options.keep] if result.good() else [options.keep, options.keep_bad]:
            if folder:
                os.makedirs(folder, exist_ok=True)
                with open(os.path.join(folder, f"{result.site.seed}.json"), "w",
                          encoding="utf-8") as file:
                    json.dump(result.report, file, indent=1)
    with Load(options.load):
        results = random_sites.run_all(options.random, seed, program, options.jobs, tell,
                                       options.relations)
    command = (f"script/confusion --random {options.random} --seed {seed} --jobs {options.jobs}"
               f"{' --relations' if options.relations else ''}")
    day = time.strftime("%Y-%m-%d", time.gmtime())
    text = "\n".join([random_sites.as_markdown(results), *textwrap.wrap(
        f"Measured on {day} by `{command}`, on a machine with {os.cpu_count()} processors"
        f"{business.in_words()}.", 100, break_long_words=False, break_on_hyphens=False)]) + "\n"
    print(text)
    bad = [result for result in results if not result.good()]
    for result in bad:
        print(f"- `{result.repeat()}`: {result.site.described()}: {'; '.join(result.details())}")
    for result in results:
        if result.good() and result.judgement.undecided:
            print(f"- `{result.repeat()}`: {result.site.described()}: undecided "
                  f"{'; '.join(result.judgement.undecided)}")
    if options.readme:
        write_between_marks(README, text, RANDOM_MARKS)
    return 1 if bad else 0


def compare_main(options):
    """--compare; returns the exit status."""
    program = compare.find_worlds(ROOT)
    if options.random:
        seeds = range(options.seed or 0, (options.seed or 0) + options.random)
        counted = compare.compare_sites(compare.half_of(seeds, options.half), options.compare,
                                        program)
    else:
        cases = sorted(load(options.cases), key=lambda case: case.name)
        counted = compare.compare_cases(compare.half_of(cases, options.half), options.compare,
                                        program, judged_again, [SET])
    print(counted.as_text(), end="")
    return 0


def main(arguments=None):
    """Returns the exit status."""
    options = parse(arguments)
    if options.compare:
        return compare_main(options)
    cases = [case for case in load(options.cases)
             if not options.only or any(text in case.name for text in options.only)][::options.every]
    if not cases:
        print(f"confusion: no case has {' or '.join(options.only)} in its name", file=sys.stderr)
        return 2
    allowed, reason = namespaces_allowed()
    if not allowed:
        print(f"confusion: {reason}", file=sys.stderr)
        return 77
    program = options.program or find_program()
    if options.random:
        return random_main(options, program)

    def tell(outcome):
        business.look()
        if options.keep:
            _keep(options.keep, outcome)
        if options.keep_bad and not outcome.good():
            _keep(options.keep_bad, outcome)
        word = "as expected" if outcome.good() else "; ".join(details(outcome))
        print(f"{outcome.case.group} {outcome.case.name}: {word} ({outcome.seconds:.1f} s)",
              file=sys.stderr, flush=True)

    start, business = time.monotonic(), Business()
    with Load(options.load):
        outcomes = run_all(cases, program, options.runs, options.jobs, tell)
    command = " ".join(["script/confusion", *([f"--every {options.every}"] * (options.every > 1)),
                        *([f"--runs {options.runs}"] * (options.runs > 1)),
                        *(["--load"] * options.load), f"--jobs {options.jobs}"])
    table = counts_as_markdown(outcomes, circumstances(outcomes, command, options.jobs, business))
    bad = [o for o in outcomes if not o.good()]
    text = table + "\n" + matrix_as_markdown(outcomes)
    if bad:
        text += "\nNot as expected:\n\n" + "".join(
            f"- {o.case.name}, run {o.run}: {'; '.join(details(o))}\n" for o in bad)
    print(text)
    print(f"{len(outcomes)} runs in {time.monotonic() - start:.0f} s, "
          f"{len(outcomes) - len(bad)} as expected.", file=sys.stderr)
    if options.readme:
        write_between_marks(README, table)
        with open(MATRIX, "w", encoding="utf-8") as file:
            file.write("# The confusion matrix\n\nWritten by `script/confusion --readme`; the "
                       "expectations are in [cases.yaml](cases.yaml).\n\n" + text)
    return 1 if bad else 0
