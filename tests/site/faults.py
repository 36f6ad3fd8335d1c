"""What can be broken at a site. One row a fault: a name, what it does, and how the plan changes.

A fault changes the plan before the site is built, so faults combine. Where a row has a `value`,
`--fault NAME=VALUE` replaces it.
"""

from dataclasses import dataclass
from typing import Callable


class Unknown(Exception):
    """No such fault, or not with such a value."""


@dataclass
class Fault:
    name: str
    description: str
    apply: Callable      # apply(plan), or apply(plan, value) where it takes one
    value: str = ""      # what VALUE means and is by default, where there is one


def _block(*rules):
    return lambda plan: plan.block.extend(rules)


FAULTS = {fault.name: fault for fault in [
    Fault("udp-blocked", "the firewall drops all UDP but DNS",
          _block("udp dport != 53 drop")),
]}


def apply_all(plan, wanted):
    """Applies faults given as NAME or NAME=VALUE."""
    for text in wanted:
        name, given, value = text.partition("=")
        fault = FAULTS.get(name)
        if fault is None:
            raise Unknown(f"no fault is called {name}; --list-faults shows them")
        if given and not fault.value:
            raise Unknown(f"the fault {name} takes no value")
        if fault.value:
            fault.apply(plan, value or fault.value)
        else:
            fault.apply(plan)
