"""Relations that hold on any site, whatever is true there: asked again at once, with the sets in
another order, or each set alone, callready says the same; asked for more, it takes nothing back."""

import dataclasses
import json

UNDECIDED = "unknown"
ALL_LIMIT_S = 300  # a device may reject each of 55,000 ports, one answer at a time


@dataclasses.dataclass
class Break:
    """Where two runs on one site contradict each other."""
    relation: str
    what: str  # a set, or "findings"
    before: object
    after: object

    def __str__(self):
        return f"{self.relation}: {self.what} {self.before}, then {self.after}"


def verdicts(report):
    """{set: verdict}"""
    return {one["id"]: one["verdict"] for one in report["sets"]}


def causes(report):
    """The codes that count: what is only possible may come and go."""
    return sorted({one["code"] for one in report["findings"] if one["confidence"] != "possible"})


def same(relation, before, after):
    """Breaks where `after`, which asked for the same, says something else."""
    first, second = verdicts(before), verdicts(after)
    found = [Break(relation, name, first[name], verdict) for name, verdict in second.items()
             if first[name] != verdict]
    if len(first) == len(second) and causes(before) != causes(after):
        found.append(Break(relation, "findings", causes(before), causes(after)))
    return found


def decides_as_much(relation, before, after):
    """Breaks where `after`, which asked for more, takes back or no longer decides a verdict. What
    is new in it may be worse: it has tried what `before` left out."""
    order = ["ready", "degraded", "blocked"]
    found = []
    for name, verdict in verdicts(before).items():
        then = verdicts(after)[name]
        if verdict == UNDECIDED or (then in order and order.index(then) >= order.index(verdict)):
            continue
        found.append(Break(relation, name, verdict, then))
    return found


def check(site, program, sets, options, limit_s):
    """The report of one run on a site that stands."""
    done = site.run([program, "check", "--no-keep", *sets, *options, "--json", "--quiet"],
                    timeout=limit_s)
    return json.loads(done.stdout)


def breaks(site, program, sets, options, first, limit_s):
    """All breaks of a site whose last report is `first`."""
    def again(*other_sets, more=(), within_s=limit_s):
        return check(site, program, other_sets or sets, [*options, *more], within_s)

    found = same("again", first, again())
    if len(sets) > 1:
        found += same("order", first, again(*reversed(sets)))
        for name in sets:
            found += same("alone", first, again(name))
    return found + decides_as_much("--all", first, again(more=["--all"], within_s=ALL_LIMIT_S))
