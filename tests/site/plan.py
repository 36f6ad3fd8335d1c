"""What a site is to look like: plain data, which faults change and the builders read."""

import secrets
from dataclasses import dataclass, field

from .names import Internet

# Where things run, once the site is up; /run is the site's own tmpfs.
FOLDER = "/run/site"

PUBLIC_RESOLVERS = ["9.9.9.9", "8.8.8.8", "1.1.1.1"]


@dataclass
class Plan:
    """A site without faults, unless something below is changed."""
    internet: Internet

    # Links: the first three bytes of each /24.
    lan: str = "10.20.0"        # .1 router and resolver, .3 proxy, .23 PC
    wan: str = "84.199.10"      # .1 provider, .2 router
    wan_up: bool = True
    provider_nat: bool = False  # the provider translates too (carrier NAT)

    # The router.
    nat: str = "masquerade"     # masquerade, symmetric, full-cone, none
    block: list = field(default_factory=list)       # nft rules for what the PC sends out
    only: str | None = None     # nft match: nothing else gets out ("" lets nothing out)
    input: list = field(default_factory=list)       # nft rules for what the router itself is sent
    prerouting: list = field(default_factory=list)  # nft rules for what comes from the LAN: dnat
    sip_alg: bool = False
    filtered_names: list = field(default_factory=list)  # the LAN's resolver denies these

    # The far end.
    down: set = field(default_factory=set)          # "turn", "sip", "web", "ntp": not started
    web_status: int | None = None                   # every page answers with this
    sip_status: tuple = (200, "OK")

    # The line between provider and internet.
    delay_ms: float = 0         # one way
    jitter_ms: float = 0
    loss_percent: float = 0

    turn_password: str = field(default_factory=lambda: secrets.token_urlsafe(12))

    @property
    def pc(self):
        return f"{self.lan}.23"

    @property
    def router(self):
        return f"{self.lan}.1"

    @property
    def proxy(self):
        return f"{self.lan}.3"

    @property
    def needs_wire(self):
        """Whether packets must be held back: a process does that, so only where it is asked."""
        return bool(self.delay_ms or self.jitter_ms or self.loss_percent)
