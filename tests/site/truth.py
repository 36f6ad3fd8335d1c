"""What is true at a site that was broken in known ways: which flows get through, what a row and a
capability can therefore be, and which findings are right. Pure; the oracle of random_sites.py.

Verdicts are sets of words. Where the truth leaves several open (a part of the hosts is blocked, and
callready chooses which of them to try), each of them will do.
"""

import dataclasses
import fnmatch
import itertools
from dataclasses import dataclass, field
from typing import Callable

READY, DEGRADED, BLOCKED, UNKNOWN = "ready", "degraded", "blocked", "unknown"
WORKS, FAILS, EITHER = frozenset({READY}), frozenset({BLOCKED}), frozenset({READY, BLOCKED})
CLEARLY = 0.25  # of a range of ports: where less is closed, a sample may miss it
CONDITIONS = ("nat", "sip-alg")  # what such rows find is the site's; nobody needs their flows
FEW = 4         # destinations, of which a run tries each

SPEAKS = {"turn": "stun", "udp-range": "media"}


@dataclass(frozen=True)
class Flow:
    """One transport ("udp", "tcp") to some ports of one place, and what is spoken there."""
    transport: str
    tls: bool
    place: str    # an address or a network
    name: str     # by which it is found, or ""
    first: int
    last: int
    speaks: str   # a check's kind, or what several have in common


@dataclass
class Effect:
    """What one fault does, and how a report may name it."""
    fault: str
    share: Callable                 # share(flow): how much of it is blocked, 0 to 1
    codes: dict = field(default_factory=dict)  # pattern of codes that name it -> owners
    may: tuple = ()                 # patterns of codes that are true as well
    concerns: Callable = None       # concerns(flow): it is to be named where such a flow works
    sets: tuple = ()                # of these sets: their documents advise against it
    due: bool = True                # whether it can be told from other faults, and is to be named

    def names(self, finding):
        """Whether a finding is this fault's."""
        return any(fnmatch.fnmatchcase(finding["code"], code) and finding["owner"] in owners
                   for code, owners in self.codes.items())

    def allows(self, finding):
        """Whether a finding is true, though it is not the name of the fault."""
        return any(fnmatch.fnmatchcase(finding["code"], code) for code in self.may)


def destinations(row):
    """The flows to each of a row's destinations."""
    speaks = SPEAKS.get(row.check, row.check)
    return [[Flow("tcp" if t == "tls" else t, t == "tls", place, name,
                  *(int(p) for p in (ports.split("-") * 2)[:2]), speaks)
             for t in row.transports for ports in row.ports]
            for name, place in row.places]


def _blocked(flow, effects):
    """The share of a flow that is blocked: that of the fault that takes most."""
    return max((effect.share(flow) for effect in effects), default=0)


def _together(truths):
    """What is true of things that must all work."""
    truths = list(truths)
    if FAILS in truths:
        return FAILS
    return EITHER if EITHER in truths else WORKS


def _destination(flows, effects):
    shares = [_blocked(flow, effects) for flow in flows]
    if not any(shares):
        return WORKS
    return FAILS if min(shares) >= CLEARLY else EITHER


def row_truth(row, effects):
    """WORKS, FAILS, or EITHER where that depends on what is tried."""
    truths = [_destination(flows, effects) for flows in destinations(row)]
    if row.check is None or not truths or not row.ports:
        return EITHER
    if set(truths) in ({WORKS}, {FAILS}):
        return truths[0]
    if row.reach == "any" and WORKS in truths:
        return WORKS
    certain = row.reach == "all" and len(truths) <= FEW and not row.examples
    return FAILS if certain and FAILS in truths else EITHER


def _need(need, rows, severities):
    """What one of a capability's needs, in the form of reports, may be, and whether it is lost
    then (None: does not count)."""
    weights = [severities.get(one, "required") for ids in need["alternatives"] for one in ids]
    lost = (BLOCKED if "required" in weights else
            DEGRADED if "recommended" in weights else READY)
    wanted = len(need["alternatives"]) if need["equal"] else need.get("preferred", 1)
    found = set()
    for number, ids in enumerate(need["alternatives"]):
        truth = _together(rows.get(one, EITHER) for one in ids)
        if READY in truth:
            found.add((READY if number < wanted else DEGRADED, False))
        if truth == WORKS:
            return frozenset(found)
    return frozenset(found | {(lost, None if lost == READY else True)})  # optional: does not count


def capability_truth(capability, rows, severities=None):
    """The verdicts that will do, from the truths of rows by their ids. What is only recommended takes
    nothing away that is needed; but a capability that has lost all its needs is blocked."""
    order = (BLOCKED, DEGRADED, READY)

    def together(needs):
        counted = [lost for _, lost in needs if lost is not None]
        return BLOCKED if counted and all(counted) else min((word for word, _ in needs), key=order.index)

    needs = [_need(need, rows, severities or {}) for need in capability["needs"]]
    return frozenset(map(together, itertools.product(*needs)))


@dataclass
class Judgement:
    """How right a report is."""
    right: list = field(default_factory=list)         # codes
    missed: list = field(default_factory=list)        # faults
    wrong: list = field(default_factory=list)         # findings, and verdicts below
    false_alarms: list = field(default_factory=list)  # findings where nothing is wrong
    doubtful: list = field(default_factory=list)      # wrong ones that are "possible" only
    verdicts: list = field(default_factory=list)
    undecided: list = field(default_factory=list)     # "unknown" where the truth is one word
    decided: int = 0

    def good(self):
        """Whether nothing in it is against the truth."""
        return not (self.missed or self.wrong or self.false_alarms or self.verdicts)

    def details(self):
        """What is not right, a line each."""
        return [f"{what} {text}" for what, texts in (
            ("missed", self.missed), ("wrong", self.wrong), ("false alarm", self.false_alarms),
            ("verdict", self.verdicts), ("doubtful", self.doubtful),
            ("undecided", self.undecided)) for text in texts]


class Judge:
    """Compares a report with the faults that were made."""

    def __init__(self, internet, effects, report):
        self._rows = {(s["id"], r["id"]): internet.rows[s["id"]][r["id"]]
                      for s in report["sets"] for r in s["requirements"]
                      if r["id"] in internet.rows[s["id"]]}  # others have nothing to send to
        self._tried = {(s["id"], r["id"]) for s in report["sets"] for r in s["requirements"]
                       if r["probes"] and r["severity"] != "optional" and r["status"] != "skip"}
        self._tried &= set(self._rows)
        probes = {probe["id"]: probe["target"] for probe in report["probes"]}
        self._sample = {(s["id"], r["id"]): self._sampled(
            self._rows[s["id"], r["id"]], [probes[p] for p in r["probes"] if p in probes])
                        for s in report["sets"] for r in s["requirements"]
                        if (s["id"], r["id"]) in self._rows}
        self._effects, self._report = effects, report
        self.found = Judgement()

    @staticmethod
    def _sampled(row, targets):
        """The row with the places that were tried, where its names or addresses tell which."""
        tried = {target.get(what) for target in targets for what in ("host", "address")}
        places = [place for place in row.places if tried.intersection(place)]
        return dataclasses.replace(row, places=places) if places else row

    def _truths(self, effects):
        """The truths of the rows as they were tried."""
        return {key: row_truth(row, effects) for key, row in self._sample.items()}

    def _all_truths(self, set_id):
        """The truths of a set's rows: EITHER if it depends on what was not tried."""
        truths = {}
        for key, row in self._rows.items():
            if key[0] == set_id:
                whole = row_truth(row, self._effects)
                same = whole == row_truth(self._sample[key], self._effects)
                truths[key[1]] = whole if same else EITHER
        return truths

    def _is_due(self, effect):
        """Whether this fault alone explains a row that was tried, or concerns one that works."""
        if not effect.due:
            return False
        others = [other for other in self._effects if other is not effect]
        without, alone = self._truths(others), self._truths([effect])
        if effect.concerns:
            return any(without[key] == WORKS and (not effect.sets or key[0] in effect.sets) and
                       any(map(effect.concerns, itertools.chain(*destinations(self._sample[key]))))
                       for key in self._tried)
        return any(without[key] == WORKS and alone[key] == FAILS for key in self._tried
                   if self._rows[key].severity == "required"
                   and self._rows[key].check not in CONDITIONS)

    def _accused(self, finding):
        """Rows that a finding explains, of which not a single flow is blocked."""
        for text in finding["explains"]:
            key = tuple(text.split("/", 1))
            if key in self._rows and self._rows[key].check not in (*CONDITIONS, None):
                flows = itertools.chain(*destinations(self._rows[key]))
                if not any(_blocked(flow, self._effects) for flow in flows):
                    yield text

    def _findings(self):
        named = set()
        for finding in self._report["findings"]:
            text = f"{finding['code']} ({finding['confidence']} {finding['owner']}): {finding['title']}"
            makers = [effect for effect in self._effects if effect.names(finding)]
            named.update(map(id, makers))
            if makers and finding["confidence"] != "possible":
                accused = [] if any(m.concerns for m in makers) else list(self._accused(finding))
                if accused:
                    self.found.wrong.append(f"{text}, which accuses {', '.join(accused)}")
                else:
                    self.found.right.append(finding["code"])
            elif not makers and not any(effect.allows(finding) for effect in self._effects):
                place = (self.found.doubtful if finding["confidence"] == "possible" else
                         self.found.wrong if any(e.codes for e in self._effects) else
                         self.found.false_alarms)
                place.append(text)
        self.found.missed = [effect.fault for effect in self._effects
                             if id(effect) not in named and self._is_due(effect)]

    def _verdict(self, name, said, will_do, examples):
        if said == UNKNOWN:
            if will_do == {BLOCKED} and not examples and self.found.right and not self.found.missed:
                self.found.verdicts.append(f"{name} is unknown, though each cause is found")
            elif len(will_do) == 1:
                self.found.undecided.append(f"{name}, which is {min(will_do)}")
        elif said not in will_do:
            self.found.verdicts.append(f"{name} is {said}, not {' or '.join(sorted(will_do))}")
        self.found.decided += said != UNKNOWN

    def _verdicts(self):
        advised = {s for e in self._effects if e.concerns and self._is_due(e) for s in e.sets}
        for one in self._report["sets"]:
            rows, truths = self._all_truths(one["id"]), []
            severities = {row["id"]: row["severity"] for row in one["requirements"]}
            for capability in one["capabilities"]:
                truth = capability_truth(capability, rows, severities)
                if one["id"] in advised and READY in truth:
                    truth |= {DEGRADED}
                truths.append(truth)
                if any((one["id"], row) in self._tried for row in capability["requirements"]):
                    examples = any(self._rows[one["id"], row].examples
                                   for row in capability["requirements"] if row in rows)
                    self._verdict(f"{one['id']}/{capability['id']}", capability["verdict"], truth,
                                  examples)
                if capability["verdict"] == BLOCKED and not self._report["findings"]:
                    self.found.verdicts.append(f"{one['id']}/{capability['id']} is blocked, and "
                                               "nothing is found")
            if one["verdict"] == READY and (one["id"] in advised or
                                            any(READY not in truth for truth in truths)):
                self.found.verdicts.append(f"{one['id']} is ready, and is not")
            if one["verdict"] == BLOCKED and all(BLOCKED not in truth for truth in truths):
                self.found.verdicts.append(f"{one['id']} is blocked, and is not")

    def judge(self):
        """The judgement."""
        self._findings()
        self._verdicts()
        return self.found
