"""script/confusion --random N --seed S: random sites, judged by what is true there.

Site number i of a run has the seed S + i, and `--random 1 --seed THAT` repeats it alone.
"""

import collections
import concurrent.futures
import time
from dataclasses import dataclass, field

from . import draw, names, relations
from .harness import Site, SiteFailed
from .truth import Judge, Judgement

LIMIT_S = 90  # of one run of callready


@dataclass
class Result:
    """One site's."""
    site: draw.Drawn
    judgement: Judgement = field(default_factory=Judgement)
    report: dict = field(default_factory=dict)
    error: str = ""
    breaks: list = field(default_factory=list)  # of relations, where they were looked at
    seconds: float = 0

    def good(self):
        """Whether there was a report, and nothing in it against the truth."""
        return not self.error and not self.breaks and self.judgement.good()

    def details(self):
        """What is not right, a line each."""
        if self.error:
            return [self.error]
        return self.judgement.details() + list(map(str, self.breaks))

    def repeat(self):
        """The command that makes this site again."""
        return f"script/confusion --random 1 --seed {self.site.seed}"


def run_site(seed, internet, program, related=False):
    """Makes the site of this seed, runs callready there and judges its report. `related`: runs
    it again and in other ways, too, and compares those reports with the first."""
    result = Result(draw.draw(seed, internet))
    site = result.site
    try:
        with Site(faults=site.faults, sets=site.sets, **site.line) as running:
            start = time.monotonic()
            result.report = relations.check(running, program, site.sets, site.options, LIMIT_S)
            result.seconds = time.monotonic() - start
            if related:
                result.breaks = relations.breaks(running, program, site.sets, site.options,
                                                 result.report, LIMIT_S)
        result.judgement = Judge(internet, site.effects, result.report).judge()
    except (SiteFailed, TimeoutError, ValueError) as error:
        result.error = f"no report: {error}"
    return result


def run_all(count, seed, program, jobs, tell=lambda result: None, related=False):
    """`count` sites, `jobs` at a time, in the order of their seeds."""
    internet, results = names.load(), []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        work = [pool.submit(run_site, seed + i, internet, program, related) for i in range(count)]
        for done in concurrent.futures.as_completed(work):
            results.append(done.result())
            tell(results[-1])
    return sorted(results, key=lambda result: result.site.seed)


def counts(results):
    """The totals."""
    judged = [result.judgement for result in results if not result.error]
    count = {name: sum(len(getattr(one, name)) for one in judged)
             for name in ("right", "missed", "wrong", "false_alarms", "verdicts", "undecided")}
    count["decided"] = sum(one.decided for one in judged)
    return count | {"sites": len(results), "good": sum(map(Result.good, results)),
                    "no report": len(results) - len(judged)}


def as_markdown(results):
    """The table of the README."""
    groups = collections.defaultdict(list)
    for result in results:
        groups[sum(bool(e.codes) for e in result.site.effects)].append(result)
    text = ("| random sites with | sites | right as a whole | named right | missed | wrong | false alarms "
            "| wrong verdicts | undecided |\n|---|---|---|---|---|---|---|---|---|\n")
    rows = [(f"{n} fault{'s' * (n != 1)}", groups[n]) for n in sorted(groups)]
    for title, mine in [*rows, ("all", results)]:
        row = counts(mine)
        text += (f"| {title} | {row['sites']} | {row['good']} | {row['right']} | {row['missed']} | "
                 f"{row['wrong']} | {row['false_alarms']} | {row['verdicts']} | "
                 f"{row['undecided']} of {row['undecided'] + row['decided']} |\n")
    return text
