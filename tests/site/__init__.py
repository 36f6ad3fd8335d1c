"""A private site: a PC behind a router and a provider, and an internet of real servers."""
