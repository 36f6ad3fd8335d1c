"""script/confusion --compare DIR: reports that --keep kept there, judged twice by the same
expectations: as they are (by rules), and as they would be if worlds decided (docs/diagnosis.md).

Every second case, in the order of their names or seeds, is for tuning the worlds' table; the others
are held out (`--half`).
"""

import collections
import json
import os
import subprocess

from . import draw, names
from .truth import Judge

HALVES = ("even", "odd")


def find_worlds(root):
    """CALLREADY_WORLDS, or what this source tree built."""
    return os.environ.get("CALLREADY_WORLDS",
                          os.path.join(root, "build", "dev", "tests", "worlds", "worlds"))


def by_worlds(program, path, sets=()):
    """The report in that file, as worlds would have it."""
    command = [program, "--json", *(word for one in sets for word in ("--set", one)), path]
    return json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60,
                                     check=True).stdout)


def half_of(items, half):
    """Every second one."""
    return list(items)[HALVES.index(half)::2] if half else list(items)


class Counts:
    """The totals, for `rules` and `worlds` alike."""

    def __init__(self):
        self.right = collections.Counter()   # (rules, worlds): whether right as a whole
        self.verdicts = collections.Counter()  # (who, whether decided)
        self.said = collections.Counter()    # (who, confidence, whether right)
        self.lines = []

    def add(self, name, details, reports, wrong_codes):
        """`details`: what is not right, `wrong_codes`: of findings; both by who says so."""
        self.right[not details["rules"], not details["worlds"]] += 1
        for who, report in reports.items():
            for one in report["sets"]:
                self.verdicts[who, one["verdict"] != "unknown"] += 1
            for finding in report["findings"]:
                self.said[who, finding["confidence"],
                          finding["code"] not in wrong_codes[who]] += 1
            for line in details[who]:
                self.lines.append(f"{name}: {who}: {line}")

    def as_text(self):
        """The tables, and what is not right."""
        right = self.right
        text = (f"both right {right[True, True]}, rules only {right[True, False]}, worlds only "
                f"{right[False, True]}, neither {right[False, False]}\n")
        for who in ("rules", "worlds"):
            undecided, decided = self.verdicts[who, False], self.verdicts[who, True]
            text += f"{who}: {undecided} of {undecided + decided} sets undecided"
            for word in ("certain", "likely", "possible"):
                good, bad = self.said[who, word, True], self.said[who, word, False]
                text += f"; {word}: {good} of {good + bad} findings right"
            text += "\n"
        return "\n".join(self.lines) + "\n" + text


def compare_cases(cases, folder, program, judge, sets):
    """`judge(case, report)`: what is not right, and the codes that are wrong."""
    counts = Counts()
    for case in cases:
        name = "".join(c if c.isalnum() or c in "-." else "_" for c in case.name)
        path = os.path.join(folder, f"{name}.1.json")
        if not os.path.exists(path) or os.path.getsize(path) < 3:
            continue
        with open(path, encoding="utf-8") as file:
            reports = {"rules": json.load(file), "worlds": by_worlds(program, path, sets)}
        judged = {who: judge(case, report) for who, report in reports.items()}
        counts.add(case.name, {who: one[0] for who, one in judged.items()}, reports,
                   {who: one[1] for who, one in judged.items()})
    return counts


def compare_sites(seeds, folder, program):
    """The same for random sites."""
    counts, internet = Counts(), names.load()
    for seed in seeds:
        path = os.path.join(folder, f"{seed}.json")
        if not os.path.exists(path) or os.path.getsize(path) < 3:
            continue
        with open(path, encoding="utf-8") as file:
            reports = {"rules": json.load(file), "worlds": by_worlds(program, path)}
        site = draw.draw(seed, internet)
        judged = {who: Judge(internet, site.effects, report).judge()
                  for who, report in reports.items()}
        wrong = {who: {text.split(" ")[0] for text in [*one.wrong, *one.false_alarms]}
                 for who, one in judged.items()}
        counts.add(f"{seed} {site.described()}",
                   {who: one.details() for who, one in judged.items()}, reports, wrong)
    return counts
