#include "probe/plan/row_probes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "probe/plan/pace.hpp"
#include "probe/plan/port_samples.hpp"
#include "probe/plan/rows.hpp"

namespace callready {
namespace {

// Ports that are tried one by one. A media range is one probe with sampled ports instead.
std::vector<std::uint16_t> single_ports(const Requirement& row, bool all) {
  std::vector<std::uint16_t> ports;
  if (row.ports.empty()) ports.push_back(0);
  for (const auto& range : row.ports) {
    if (all && range.count() <= 100) {
      for (unsigned port = range.first; port <= range.last; ++port) {
        ports.push_back(static_cast<std::uint16_t>(port));
      }
    } else {
      for (const auto port : sample_ports(range, ports_per_range)) ports.push_back(port);
    }
  }
  return ports;
}

// How many of a row's ports of one host get packets that end on the way: each may cost a router one
// of its few answers, and one port over TCP speaks for those of its kind (checks/hop.cpp).
constexpr std::size_t ports_to_the_edge = 4;

std::vector<std::uint16_t> ports_of(const Requirement& row, bool all) {
  auto ports = single_ports(row, all);
  if (all || !sends_only_to_the_edge(row) || ports.size() <= ports_to_the_edge) return ports;
  std::sort(ports.begin(), ports.end());
  std::vector<std::uint16_t> some;
  for (std::size_t i = 0; i < ports_to_the_edge; ++i) {
    some.push_back(ports[i * (ports.size() - 1) / (ports_to_the_edge - 1)]);
  }
  return some;
}

// A check that takes no transport (nat) chooses its own.
std::vector<Transport> transports_of(const Requirement& requirement) {
  if (!requirement.transports.empty()) return requirement.transports;
  return {Transport::udp};
}

class RowProbes {
 public:
  RowProbes(ProbeList& probes, const PlanOptions& options)
      : probes_(probes), options_(options), samples_(PaceLimits{}.ports_per_host) {}

  // Done for every row before any probe is added: rows share what they send to one host.
  void count_ports(const Row& row) {
    const auto& requirement = row.requirement;
    const auto count = [&](const Candidate& candidate) {
      if (requirement.check == CheckKind::udp_range) {
        for (const auto& range : requirement.ports) samples_.add_range(candidate.host, range);
        return;
      }
      for (const auto transport : transports_of(requirement)) {
        for (const auto port : ports_of(requirement, options_.all)) {
          samples_.add_port(candidate.host, transport, port);
        }
      }
    };
    for (const auto& candidate : row.chosen) count(candidate);
    for (const auto& near : row.near) count(near.candidate);
  }

  void add(Row& row) {
    round_ = 0;
    for (const auto& candidate : row.chosen) {
      add_host(row, candidate, {});
      ++round_;
    }
    for (const auto& near : row.near) add_host(row, near.candidate, near.rivals);
    add_own_sip_alg(row);
    if (row.planned.skipped.empty()) row.planned.sampled = sampled(row);
  }

 private:
  void add_host(Row& row, const Candidate& candidate, const std::vector<std::string>& rivals) {
    const auto& requirement = row.requirement;
    if (sends_only_to_the_edge(requirement)) {
      for (const auto port : ports_of(requirement, options_.all)) {
        std::set<bool> sent;  // TLS begins as TCP does
        for (const auto transport : transports_of(requirement)) {
          const bool udp = transport == Transport::udp;
          if (!sent.insert(udp).second) continue;
          Probe probe;
          probe.check = CheckKind::hop;
          probe.target.host = candidate.host;
          probe.target.ports = {port, port};
          probe.target.transport = udp ? Transport::udp : Transport::tcp;
          if (udp) probe.with["payload"] = "stun";
          probe.region = candidate.region;
          add(row, probe, rivals);
        }
      }
      return;
    }
    for (const auto transport : transports_of(requirement)) {
      for (const auto& [ports, sample] : port_choices(requirement, candidate.host)) {
        Probe probe;
        probe.check = *requirement.check;
        probe.target.host = candidate.host;
        probe.target.ports = ports;
        probe.target.sample = sample;
        probe.target.transport = transport;
        probe.with = requirement.with;
        if (!requirement.listening) probe.with["stop_on_the_way"] = "true";
        probe.region = candidate.region;
        if (row.set->control) probe.purpose = Purpose::control;
        if (probe.check == CheckKind::sip_alg) {
          if (takes_sip_alg(row, transport)) add_sip_alg(row, probe, rivals);
          continue;
        }
        const bool may = requirement.proxy != ProxyUse::never && transport != Transport::udp;
        const auto proxy = may ? proxy_for(probe) : std::string();
        if (requirement.proxy != ProxyUse::required || proxy.empty()) {
          add(row, probe, rivals);
        }
        if (!proxy.empty()) {
          probe.target.route.proxy = proxy;
          add(row, probe, rivals);
        }
      }
    }
    add_reverse_name(row, candidate, rivals);
  }

  using Ports = std::pair<PortRange, std::vector<std::uint16_t>>;  // of one probe, with its sample

  std::vector<Ports> port_choices(const Requirement& requirement, const std::string& host) const {
    std::vector<Ports> choices;
    if (requirement.check != CheckKind::udp_range) {
      for (const auto port : single_ports(requirement, options_.all)) {
        choices.push_back({{port, port}, {}});
      }
      return choices;
    }
    std::set<PortRange> known;
    const auto add = [&](const PortRange& range) {
      if (!known.insert(range).second) return;
      auto sample = samples_.sample(host, range);
      if (!sample.empty()) choices.push_back({range, std::move(sample)});
    };
    for (const auto& range : requirement.ports) {
      for (const auto& inner : samples_.within(host, range)) add(inner);
      add(range);
    }
    return choices;
  }

  Sample sampled(const Row& row) const {
    const auto& requirement = row.requirement;
    Sample sample;
    if (row.chosen.size() < row.total) {
      sample.hosts = phrase("{} of {} hosts", row.chosen.size(), row.total);
    }
    if (!row.near.empty())
      sample.hosts += phrase(" in all parts of the world, with more of them in the nearest part");
    if (row.chosen.empty()) return sample;
    for (const auto& range : requirement.ports) sample.listed += range.count();
    if (sends_only_to_the_edge(requirement)) {
      sample.tried = ports_of(requirement, options_.all).size();
    } else {
      for (const auto& [ports, some] : port_choices(requirement, row.chosen.front().host)) {
        sample.tried += some.empty() ? ports.count() : some.size();
      }
    }
    return sample;
  }

  void add(Row& row, Probe probe, const std::vector<std::string>& rivals) {
    probes_.add(row, std::move(probe), rivals, round_);
  }

  std::string proxy_for(const Probe& probe) const {
    return options_.proxy_for ? options_.proxy_for(probe) : options_.proxy;
  }

  // Whether this server of the row takes that transport's SIP ALG test: each transport has another
  // server, as one server is sent one message a second.
  bool takes_sip_alg(const Row& row, Transport transport) const {
    const auto transports = transports_of(row.requirement);
    const auto place = std::find(transports.begin(), transports.end(), transport);
    const auto ordinal = static_cast<std::size_t>(place - transports.begin());
    return row.chosen.empty() || ordinal % row.chosen.size() == round_ % row.chosen.size();
  }

  // Once a run: what a device does to SIP, it does to every server's. Another row takes the same
  // probe, except for the user's own server, to which more may be sent.
  void add_sip_alg(Row& row, Probe probe, const std::vector<std::string>& rivals) {
    const bool with_session = options_.sip_sdp && row.own_hosts.contains(probe.target.host);
    if (with_session) {
      probe.with["sdp"] = "true";
    } else {
      const auto key = std::pair{probe.target.transport, probe.target.port()};
      probe = sip_alg_.try_emplace(key, probe).first->second;
    }
    add(row, std::move(probe), rivals);
  }

  // With --sip-sdp, the rows of the user's own SIP server get the test, too.
  void add_own_sip_alg(Row& row) {
    if (!options_.sip_sdp || row.requirement.check != CheckKind::sip) return;
    for (const auto& id : std::vector<std::string>(row.planned.probes)) {
      const auto& sip = probes_.at(id).probe;
      const auto srv = sip.with.find("srv");
      const bool found_by_name = srv != sip.with.end() && srv->second == "true";
      if (!row.own_hosts.contains(sip.target.host) || found_by_name) continue;
      if (sip.target.transport == Transport::tls || !sip.target.route.direct()) continue;
      Probe probe = sip;
      probe.check = CheckKind::sip_alg;
      probe.with["sdp"] = "true";
      add(row, std::move(probe), {});
    }
  }

  // Names "for reverse DNS only": what this site's resolvers call the addresses.
  void add_reverse_name(Row& row, const Candidate& candidate,
                        const std::vector<std::string>& rivals) {
    const auto expected = reverse_names(row.requirement, candidate.host);
    if (expected.empty()) return;
    Probe probe;
    probe.check = CheckKind::dns;
    probe.target.transport = Transport::udp;
    probe.with = {{"type", "PTR"}, {"name", candidate.host}, {"expect", expected}};
    probe.region = candidate.region;
    add(row, std::move(probe), rivals);
  }

  ProbeList& probes_;
  const PlanOptions& options_;
  PortSamples samples_;
  std::size_t round_ = 0;  // of the row's host that is being added
  std::map<std::pair<Transport, std::uint16_t>, Probe> sip_alg_;
};

}  // namespace

void add_probes_of_rows(ProbeList& probes, std::vector<Row>& rows, const PlanOptions& options) {
  RowProbes of_rows(probes, options);
  for (const auto& row : rows) of_rows.count_ports(row);
  for (auto& row : rows) of_rows.add(row);
}

}  // namespace callready
