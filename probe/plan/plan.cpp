#include "probe/plan/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "probe/model/report.hpp"
#include "probe/plan/host_allocator.hpp"
#include "probe/plan/own_choices.hpp"
#include "probe/plan/pace.hpp"
#include "probe/plan/port_samples.hpp"
#include "targets/syntax.hpp"

namespace callready {
namespace {

constexpr auto service_tags_url = "https://www.microsoft.com/en-us/download/details.aspx?id=56519";

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

bool intersects(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::any_of(a.begin(), a.end(), [&](const auto& item) { return contains(b, item); });
}

bool names(const std::vector<std::string>& ids, const TargetSet& set, const Requirement& row) {
  return contains(ids, row.id) || contains(ids, set.id + '/' + row.id);
}

// Rows that this run is about at all.
bool selected(const TargetSet& set, const Requirement& row, const PlanOptions& options,
              const std::vector<std::string>& scenarios) {
  if (names(options.skip, set, row)) return false;
  if (!options.only.empty() && !names(options.only, set, row)) return false;
  // A row that was asked for by its name is wanted whatever the scenario.
  if (options.only.empty() && !row.scenarios.empty() && !intersects(row.scenarios, scenarios)) {
    return false;
  }
  if (options.from && !row.vantages.empty() &&
      std::find(row.vantages.begin(), row.vantages.end(), *options.from) == row.vantages.end()) {
    return false;
  }
  return options.client.empty() || row.clients.empty() || contains(row.clients, options.client);
}

bool sent_from_a_pc(const Requirement& row) {
  return row.vantages.empty() ||
         std::any_of(row.vantages.begin(), row.vantages.end(),
                     [](Vantage v) { return v == Vantage::pc || v == Vantage::browser; });
}

std::string vantages_of(const Requirement& row) {
  std::vector<std::string> words;
  for (const auto vantage : row.vantages) words.emplace_back(to_string(vantage));
  return fmt::format("{}", fmt::join(words, ", "));
}

std::size_t quota_of(const Row& row, const PlanOptions& options) {
  // One server a transport shows what the site does to SIP; more messages than needed may get the
  // site banned.
  if (row.requirement.check == CheckKind::sip_alg)
    return std::min(row.requirement.transports.size(), row.candidates.size());
  // A stream takes as long as a short call: one shows what the line does to all.
  if (row.requirement.check == CheckKind::media)
    return std::min<std::size_t>(1, row.candidates.size());
  if (options.all) return row.candidates.size();
  const auto& reach = row.requirement.reach;
  std::size_t wanted = hosts_per_requirement;
  if (row.requirement.check == CheckKind::udp_range || !row.requirement.listening) {
    wanted = row.requirement.severity == Severity::required ? hosts_per_range : 1;
  }
  if (reach.kind == Reach::Kind::nearest) {
    std::set<std::string> areas;
    for (const auto& candidate : row.candidates) areas.insert(candidate.area);
    wanted = std::clamp<std::size_t>(areas.size(), wanted, areas_per_requirement);
  }
  if (reach.kind == Reach::Kind::nearest || reach.kind == Reach::Kind::at_least) {
    wanted = std::max(wanted, static_cast<std::size_t>(reach.count));
  }
  return std::min(wanted, row.candidates.size());
}

bool only_service_tags(const Row& row) {
  return row.candidates.empty() && !row.requirement.service_tags.empty();
}

// To networks without a known listener: only whether a first packet leaves the site can be asked.
bool sends_only_to_the_edge(const Requirement& requirement) {
  const auto check = requirement.check;
  return !requirement.listening &&
         (check == CheckKind::tcp || check == CheckKind::tls || check == CheckKind::stun);
}

// Why the row cannot be probed from here, or nothing.
std::string reason_to_skip(const Row& row, const std::vector<std::string>& missing,
                           const std::vector<std::string>& problems, const PlanOptions& options) {
  const auto& requirement = row.requirement;
  if (requirement.direction == Direction::in) {
    const auto where = vantages_of(requirement);
    return fmt::format("inbound: cannot be tested from inside{}",
                       where.empty() ? "" : "; it ends at: " + where);
  }
  if (!requirement.check) return requirement.unprobed;
  if (requirement.check == CheckKind::media && !options.quality && !options.streams)
    return "a stream like a call's takes its time: --quality measures it";
  if (requirement.lifecycle == Lifecycle::removed) return "the document says that it was removed";
  if (!missing.empty()) {
    return fmt::format("needs your own value: --var {}=...", fmt::join(missing, "=... --var "));
  }
  if (!problems.empty()) return fmt::format("{}", fmt::join(problems, "; "));
  if (!requirement.listening && requirement.check != CheckKind::udp_range &&
      !sends_only_to_the_edge(requirement)) {
    return "networks without a known listener are not probed: they are other people's machines";
  }
  if (row.candidates.empty()) {
    if (only_service_tags(row)) {
      return options.service_tags == nullptr
                 ? fmt::format(
                       "given as Azure service tags, whose networks change every week: "
                       "download Microsoft's list ({}) and give it with --service-tags "
                       "FILE",
                       service_tags_url)
                 : fmt::format("none of its service tags is in {}", options.service_tags->file);
    }
    if (!requirement.wildcards.empty()) {
      return fmt::format("only the wildcard {} is given, and no example of a name to try",
                         requirement.wildcards.front().pattern);
    }
    return options.regions.empty() ? "the document says that all its endpoints were removed"
                                   : "no endpoint of it is in the chosen regions";
  }
  return {};
}

// True where needs have the row among their later alternatives only.
bool is_fallback(const TargetSet& set, const std::string& row) {
  bool later = false;
  for (const auto& capability : set.capabilities) {
    for (const auto& need : capability.needs) {
      for (std::size_t i = 0; i < need.alternatives.size(); ++i) {
        if (!contains(need.alternatives[i], row)) continue;
        if (i == 0) return false;
        later = true;
      }
    }
  }
  return later;
}

std::set<std::string> own_hosts_of(const Requirement& requirement, const VariableValues& given) {
  std::set<std::string> own;
  const auto add = [&](const std::string& text) {
    if (text.find("${") == std::string::npos) return;
    const auto expanded = expand_variables(text, given);
    if (expanded.missing.empty()) own.insert(expanded.text);
  };
  for (const auto& host : requirement.hosts) add(host.name);
  for (const auto& address : requirement.variable_addresses) add(address.text);
  return own;
}

// Patterns of which no name is known: a run that reaches the row's other hosts says nothing of
// them.
std::string untried_patterns(const Requirement& row) {
  std::vector<std::string> patterns;
  for (const auto& wildcard : row.wildcards) {
    const bool known = !wildcard.examples.empty() ||
                       std::any_of(row.hosts.begin(), row.hosts.end(), [&](const Host& host) {
                         return matches_wildcard(host.name, wildcard.pattern);
                       });
    if (!known) patterns.push_back(wildcard.pattern);
  }
  if (patterns.empty()) return {};
  return fmt::format("no name below {} is known, so none was tried", fmt::join(patterns, ", "));
}

Row make_row(const TargetSet& set, const Requirement& requirement, const PlanOptions& options) {
  Row row;
  row.set = &set;
  auto expanded = expand_variables(requirement, variable_values(set, options.variables));
  row.requirement = std::move(expanded.requirement);
  row.named = names(options.only, set, requirement);
  row.fallback = is_fallback(set, requirement.id);
  row.planned.set = set.id;
  row.planned.requirement = requirement.id;
  std::vector<std::string> unknown_tags;
  if (options.service_tags != nullptr && !row.requirement.service_tags.empty()) {
    unknown_tags = add_service_tags(set, row.requirement, *options.service_tags);
  }
  row.own_hosts = own_hosts_of(requirement, given_values(set, options.variables));
  row.candidates = candidates_of(set, row.requirement, options.regions, options.v4);
  if (asks_only_hosts(row.requirement)) row.requirement.listening = true;
  row.total = row.candidates.size();
  row.planned.skipped = reason_to_skip(row, expanded.missing, expanded.problems, options);
  row.planned.open_question =
      !row.planned.skipped.empty() && row.requirement.direction == Direction::out &&
      row.requirement.check && (!expanded.missing.empty() || only_service_tags(row));
  row.planned.untried =
      row.planned.open_question || (!row.planned.skipped.empty() && !row.requirement.listening &&
                                    row.requirement.direction == Direction::out);
  if (row.planned.skipped.empty()) {
    row.quota = quota_of(row, options);
    std::vector<std::string> notes;
    if (!options.from && !sent_from_a_pc(row.requirement)) {
      row.planned.elsewhere = true;
      notes.push_back(fmt::format("measured from this computer: run it where the {} is to be sure",
                                  vantages_of(row.requirement)));
    }
    if (!unknown_tags.empty()) {
      notes.push_back(
          fmt::format("not in {}: {}", options.service_tags->file, fmt::join(unknown_tags, ", ")));
    }
    if (auto patterns = untried_patterns(row.requirement); !patterns.empty()) {
      notes.push_back(std::move(patterns));
    }
    row.planned.note = fmt::format("{}", fmt::join(notes, "; "));
  }
  return row;
}

// "turn.example.com:3478", "[2001:db8::1]:3478".
std::string at_port(const Target& target) {
  const bool v6 = target.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", target.host, v6 ? "]" : "", target.port());
}

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

// A check that takes no transport (nat) chooses its own.
std::vector<Transport> transports_of(const Requirement& requirement) {
  if (!requirement.transports.empty()) return requirement.transports;
  return {Transport::udp};
}

class Assembler {
 public:
  explicit Assembler(const PlanOptions& options)
      : options_(options), samples_(PaceLimits{}.ports_per_host) {}

  // Of every row, before the first is added: rows share what they send to one host.
  void count_ports(const Row& row) {
    const auto& requirement = row.requirement;
    const auto count = [&](const Candidate& candidate) {
      if (requirement.check == CheckKind::udp_range) {
        for (const auto& range : requirement.ports) samples_.add_range(candidate.host, range);
        return;
      }
      for (const auto transport : transports_of(requirement)) {
        for (const auto port : single_ports(requirement, options_.all)) {
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

  // What kind of NAT there is, public STUN servers tell. Where the site lets nobody out but the
  // vendor's own, two of those that the set's other rows meet anyway are asked instead.
  void add_own_nat_servers(Row& row) {
    if (row.requirement.check != CheckKind::nat || row.planned.probes.empty()) return;
    const auto public_servers = row.planned.probes;
    std::vector<Target> own;  // of different hosts
    for (const auto& [name, ids] : row_probes_) {
      if (!name.starts_with(row.set->id + '/')) continue;
      for (const auto& id : ids) {
        const auto& probe = plan.probes[index_.at(id)].probe;
        const auto& target = probe.target;
        const bool answers = probe.check == CheckKind::stun || probe.check == CheckKind::turn;
        if (!answers || target.transport != Transport::udp || !target.route.direct()) continue;
        const bool known = std::any_of(
            own.begin(), own.end(), [&](const Target& other) { return other.host == target.host; });
        if (!known && own.size() < 2) own.push_back(target);
      }
    }
    if (own.size() < 2) return;
    Probe test;
    test.check = CheckKind::nat;
    test.target = own[0];
    test.with = {{"other", fmt::format("{}:{}", own[1].host, own[1].port())}};
    // The row may ask these two itself: nothing may wait for its own end.
    const auto& asked = public_servers;
    if (std::find(asked.begin(), asked.end(), probe_id(test)) != asked.end()) return;
    add(row, std::move(test), {});
    auto& planned = plan.probes[index_.at(row.planned.probes.back())];
    if (planned.unless.empty()) planned.unless = public_servers;
  }

  // What a browser would gather here by the set's own servers: tells, and decides nothing.
  void add_candidates_of(const TargetSet& set) {
    const Target *stun = nullptr, *turn = nullptr;
    for (const auto& [name, ids] : row_probes_) {
      if (!name.starts_with(set.id + '/')) continue;
      for (const auto& id : ids) {
        const auto& probe = plan.probes[index_.at(id)].probe;
        const auto& target = probe.target;
        if (!target.route.direct() || probe.with.contains(interface_parameter)) continue;
        const bool udp = target.transport == Transport::udp;
        const bool relays = probe.check == CheckKind::turn;
        // TURN servers answer Binding requests, too (RFC 8656 section 2).
        if (udp && (probe.check == CheckKind::stun || (relays && stun == nullptr))) stun = &target;
        const bool better =
            turn == nullptr || udp ||
            (target.transport == Transport::tcp && turn->transport == Transport::tls);
        if (relays && better) turn = &target;
      }
    }
    if (stun == nullptr) return;
    Probe probe;
    probe.check = CheckKind::ice;
    probe.target.transport = Transport::tls;
    probe.control = true;
    probe.purpose = Purpose::control;
    probe.with = {{"only_gather", "true"}, {"stun", at_port(*stun)}};
    if (turn != nullptr) {
      probe.with.emplace("turn", fmt::format("{}/{}", at_port(*turn), to_string(turn->transport)));
    }
    probe.id = probe_id(probe);
    if (!index_.try_emplace(probe.id, plan.probes.size()).second) return;
    PlannedProbe planned;
    planned.probe = std::move(probe);
    plan.probes.push_back(std::move(planned));
  }

  // A stream like a call's between two relays of the set's own TURN server, for which a row over
  // UDP stands: it is judged by what that row's capabilities ask of a line.
  void add_stream_of(const TargetSet& set, std::vector<Row>& rows) {
    const auto is_turn = [](const Probe& probe) {
      return probe.check == CheckKind::turn && probe.target.route.direct() && !probe.control &&
             !probe.with.contains(interface_parameter);
    };
    const auto of_set = [&](const Row& row) { return row.set == &set; };
    const bool has_one = std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
      return of_set(row) && row.requirement.check == CheckKind::media &&
             !row.planned.probes.empty();
    });
    if (has_one) return;
    for (auto& row : rows) {
      if (!of_set(row)) continue;
      for (const auto& id : row.planned.probes) {
        const auto by_udp = plan.probes[index_.at(id)].probe;
        if (!is_turn(by_udp) || by_udp.target.transport != Transport::udp) continue;
        const auto stream =
            std::find_if(plan.probes.begin(), plan.probes.end(), [&](const PlannedProbe& other) {
              return is_turn(other.probe) && other.probe.target.transport != Transport::udp &&
                     other.probe.target.host == by_udp.target.host;
            });
        if (stream == plan.probes.end()) continue;
        const auto& over = stream->probe.target;
        Probe probe;
        probe.check = CheckKind::media;
        probe.target = by_udp.target;
        probe.with = {{"turn", fmt::format("{}/{}", at_port(over), to_string(over.transport))}};
        probe.region = by_udp.region;
        add(row, std::move(probe), {});
        return;
      }
    }
  }

  // A SIP server's alternate ports are asked only where its first choice did not answer: more
  // OPTIONS than needed may get the site banned. Packets to the site's edge for a fallback are sent
  // only where what it stands in for is not reached whole: the edge answers few. A probe that any
  // row wants for itself is made whatever others answer.
  void add_conditions(const std::vector<const TargetSet*>& sets) {
    const auto wanted = wanted_for_themselves(sets);
    if (!options_.all) add_conditions_of_hops(sets, wanted);
    for (const auto* set : sets) {
      for (const auto& capability : set->capabilities) {
        for (const auto& need : capability.needs) {
          std::vector<PlannedProbe*> earlier;
          std::map<std::pair<std::string, Transport>, std::size_t> rounds;
          for (const auto& alternative : need.alternatives) {
            const auto here = sip_probes(*set, alternative);
            for (auto* later : here) {
              if (wanted.contains(later->probe.id)) continue;
              make_conditional(*later, earlier);
              if (later->unless.empty()) continue;
              // One port by each transport before the second one by any.
              const auto& target = later->probe.target;
              later->round = rounds[{target.host, target.transport}]++;
            }
            earlier.insert(earlier.end(), here.begin(), here.end());
          }
        }
      }
    }
  }

  // A test with more to it (another port, a session) begins with the same first message.
  static bool same_question(const Probe& alg, const Probe& sip) {
    const auto parameter = [](const Probe& probe, const std::string& name) {
      const auto found = probe.with.find(name);
      return found == probe.with.end() ? std::string() : found->second;
    };
    return parameter(alg, "domain") == parameter(sip, "domain") && parameter(sip, "srv") != "true";
  }

  // The SIP ALG test's first message is an OPTIONS like any other: where it goes to an endpoint
  // that a row asks too, its answer serves both. Where that row asks on its own account, the test
  // needs a server that answers: one that has answered over that transport.
  void share_answers() {
    for (auto& alg : plan.probes) {
      if (alg.probe.check != CheckKind::sip_alg) continue;
      bool shared = false;
      std::vector<std::string> given;
      for (auto& sip : plan.probes) {
        const auto &first = alg.probe.target, &second = sip.probe.target;
        const bool same = sip.probe.check == CheckKind::sip && first.host == second.host &&
                          first.transport == second.transport && second.route.direct();
        if (!same) continue;
        given.push_back(sip.probe.id);
        if (first.ports != second.ports || !same_question(alg.probe, sip.probe)) continue;
        sip.answered_by = alg.probe.id;
        shared = true;
      }
      if (!shared) alg.given = std::move(given);
    }
  }

  Plan plan;

 private:
  void add_host(Row& row, const Candidate& candidate, const std::vector<std::string>& rivals) {
    const auto& requirement = row.requirement;
    if (sends_only_to_the_edge(requirement)) {
      for (const auto port : single_ports(requirement, options_.all)) {
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
        probe.control = row.set->control;
        if (probe.check == CheckKind::sip_alg) {
          if (takes_sip_alg(row, transport)) add_sip_alg(row, probe, rivals);
          continue;
        }
        const bool may = requirement.proxy != ProxyUse::never && transport != Transport::udp;
        const auto proxy = may ? proxy_for(probe) : std::string();
        if (requirement.proxy != ProxyUse::required || proxy.empty()) {
          add_direct(row, probe, rivals);
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
    const auto add = [&](const PortRange& range) {
      const auto known = [&](const Ports& choice) { return choice.first == range; };
      if (std::any_of(choices.begin(), choices.end(), known)) return;
      auto sample = samples_.sample(host, range);
      if (!sample.empty()) choices.push_back({range, std::move(sample)});
    };
    for (const auto& range : requirement.ports) {
      for (const auto& inner : samples_.within(host, range)) add(inner);
      add(range);
    }
    return choices;
  }

  // "4 of 158 hosts, 6 of 10001 ports"
  std::string sampled(const Row& row) const {
    const auto& requirement = row.requirement;
    std::string text;
    if (row.chosen.size() < row.total) {
      text = fmt::format("{} of {} hosts", row.chosen.size(), row.total);
    }
    if (!row.near.empty()) text += " in all parts of the world, and more in the nearest";
    std::size_t listed = 0, tried = 0;
    for (const auto& range : requirement.ports) listed += range.count();
    if (row.chosen.empty()) return text;
    for (const auto& [ports, sample] : port_choices(requirement, row.chosen.front().host)) {
      tried += sample.empty() ? ports.count() : sample.size();
    }
    if (tried < listed) {
      text += fmt::format("{}{} of {} ports", text.empty() ? "" : ", ", tried, listed);
    }
    return text;
  }

  void add_direct(Row& row, const Probe& probe, const std::vector<std::string>& rivals) {
    if (options_.interfaces.empty()) add(row, probe, rivals);
    for (const auto& interface : options_.interfaces) {
      auto bound = probe;
      bound.with[interface_parameter] = interface;
      add(row, std::move(bound), rivals);
    }
  }

  std::string proxy_for(const Probe& probe) const {
    return options_.proxy_for ? options_.proxy_for(probe) : options_.proxy;
  }

  void add(Row& row, Probe probe, const std::vector<std::string>& rivals) {
    probe.id = probe_id(probe);
    const auto id = probe.id;
    const auto [place, fresh] = index_.try_emplace(id, plan.probes.size());
    if (fresh) {
      PlannedProbe planned;
      planned.probe = std::move(probe);
      planned.nearest_of = rivals;
      planned.severity = row.requirement.severity;
      planned.round = round_;
      plan.probes.push_back(std::move(planned));
    } else {
      auto& known = plan.probes[place->second];
      known.probe.control &= probe.control;
      known.severity = std::min(known.severity, row.requirement.severity);
      known.round = std::min(known.round, round_);
      if (rivals.empty()) known.nearest_of.clear();  // wanted whatever is near
    }
    row.planned.probes.push_back(id);
    row_probes_[row.set->id + '/' + row.requirement.id].push_back(id);
  }

  void add_conditions_of_hops(const std::vector<const TargetSet*>& sets,
                              const std::set<std::string>& wanted) {
    for (const auto* set : sets) {
      for (const auto& capability : set->capabilities) {
        for (const auto& need : capability.needs) {
          std::vector<std::string> earlier;
          for (const auto& alternative : need.alternatives) {
            for (const auto& id : probes_of(*set, alternative)) {
              auto& planned = plan.probes[index_.at(id)];
              const bool to_the_edge = planned.probe.check == CheckKind::hop ||
                                       planned.probe.with.contains("stop_on_the_way");
              const bool fallback =
                  to_the_edge && !wanted.contains(id) && &alternative != &need.alternatives.front();
              // Chains would make the run as long as the list: what is tried anyway decides.
              if (fallback && planned.unless_all.empty()) planned.unless_all = earlier;
              if (!fallback) earlier.push_back(id);
            }
          }
        }
      }
    }
  }

  std::vector<std::string> probes_of(const TargetSet& set,
                                     const std::vector<std::string>& rows) const {
    std::vector<std::string> found;
    for (const auto& row : rows) {
      const auto ids = row_probes_.find(set.id + '/' + row);
      if (ids != row_probes_.end())
        found.insert(found.end(), ids->second.begin(), ids->second.end());
    }
    return found;
  }

  // Which of the row's servers takes that transport's SIP ALG test: another one for each, for a
  // server is sent one message a second.
  bool takes_sip_alg(const Row& row, Transport transport) const {
    const auto transports = transports_of(row.requirement);
    const auto place = std::find(transports.begin(), transports.end(), transport);
    const auto ordinal = static_cast<std::size_t>(place - transports.begin());
    return row.chosen.empty() || ordinal % row.chosen.size() == round_ % row.chosen.size();
  }

  // Once a run: what a device does to SIP it does to every server's. Another row takes the same
  // probe, but for the user's own server, to which more may be sent.
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

  // With --sip-sdp the rows of the user's own SIP server have the test too.
  void add_own_sip_alg(Row& row) {
    if (!options_.sip_sdp || row.requirement.check != CheckKind::sip) return;
    for (const auto& id : std::vector<std::string>(row.planned.probes)) {
      const auto& sip = plan.probes[index_.at(id)].probe;
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

  // Names given "for reverse DNS only": what the addresses are called, by this site's resolvers.
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

  std::vector<PlannedProbe*> sip_probes(const TargetSet& set,
                                        const std::vector<std::string>& rows) {
    std::vector<PlannedProbe*> found;
    for (const auto& row : rows) {
      const auto ids = row_probes_.find(set.id + '/' + row);
      if (ids == row_probes_.end()) continue;
      for (const auto& id : ids->second) {
        auto& planned = plan.probes[index_.at(id)];
        if (planned.probe.check == CheckKind::sip) found.push_back(&planned);
      }
    }
    return found;
  }

  // Of rows that no need has as a later alternative, and of those that some need has as its first.
  std::set<std::string> wanted_for_themselves(const std::vector<const TargetSet*>& sets) const {
    std::set<std::string> later, first;
    for (const auto* set : sets) {
      for (const auto& capability : set->capabilities) {
        for (const auto& need : capability.needs) {
          for (std::size_t i = 0; i < need.alternatives.size(); ++i) {
            for (const auto& row : need.alternatives[i]) {
              (i == 0 ? first : later).insert(set->id + '/' + row);
            }
          }
        }
      }
    }
    std::set<std::string> probes;
    for (const auto& [row, ids] : row_probes_) {
      if (!later.contains(row) || first.contains(row)) probes.insert(ids.begin(), ids.end());
    }
    return probes;
  }

  static void make_conditional(PlannedProbe& later, const std::vector<PlannedProbe*>& earlier) {
    if (!later.unless.empty()) return;
    const auto& target = later.probe.target;
    for (const auto* first : earlier) {
      const auto& other = first->probe.target;
      const bool same = other.host == target.host && other.transport == target.transport;
      // Only what is tried anyway decides: chains would make the run as long as the list.
      if (same && first->unless.empty() && other.ports != target.ports) {
        later.unless.push_back(first->probe.id);
      }
    }
  }

  const PlanOptions& options_;
  PortSamples samples_;
  std::size_t round_ = 0;  // of the row's host that is being added
  std::map<std::string, std::size_t> index_;
  std::map<std::string, std::vector<std::string>> row_probes_;
  std::map<std::pair<Transport, std::uint16_t>, Probe> sip_alg_;
};

}  // namespace

Plan make_plan(const std::vector<const TargetSet*>& sets, const PlanOptions& options) {
  std::vector<Row> rows;
  for (const auto* set : sets) {
    const auto scenarios = active_scenarios(*set, options);
    for (const auto& requirement : set->requirements) {
      if (!set->control && !selected(*set, requirement, options, scenarios)) continue;
      rows.push_back(make_row(*set, requirement, options));
    }
  }
  allocate_hosts(rows, options.all);
  for (auto& row : rows) {
    if (!row.planned.skipped.empty() || !row.chosen.empty()) continue;
    row.planned.note.clear();
    row.planned.left_out = true;
    row.planned.skipped = fmt::format(
        "{}: a normal run sends little, and what is required comes first; --only {}/{} or --all "
        "tries it",
        left_out_words, row.planned.set, row.planned.requirement);
    row.planned.untried = true;
  }
  Assembler assembler(options);
  for (const auto& row : rows) assembler.count_ports(row);
  for (auto& row : rows) assembler.add(row);
  for (auto& row : rows) assembler.add_own_nat_servers(row);
  for (const auto* set : sets) {
    if (!options.quality || set->control) continue;
    assembler.add_candidates_of(*set);
    if (options.turn_login) assembler.add_stream_of(*set, rows);
  }
  assembler.add_conditions(sets);
  assembler.share_answers();
  for (const auto* set : sets) {
    const bool selected =
        std::any_of(rows.begin(), rows.end(), [&](const Row& row) { return row.set == set; });
    if (set->control || selected) continue;
    assembler.plan.notes.push_back(fmt::format(
        "{}: no row of this set is left by what was chosen on the command line", set->id));
  }
  for (auto& row : rows) {
    if (!row.set->control) assembler.plan.requirements.push_back(std::move(row.planned));
  }
  for (const auto* set : sets) leave_out_other_choices(*set, assembler.plan.requirements);
  return std::move(assembler.plan);
}

std::size_t hosts_met(const Plan& plan) {
  std::set<std::string> met;
  for (const auto& planned : plan.probes) {
    const auto& target = planned.probe.target;
    if (planned.nearest_of.empty() && target.route.direct() && !target.host.empty()) {
      met.insert(target.host);
    }
  }
  std::map<std::string, std::set<std::string>> near;  // by the host that stands for the area
  for (const auto& planned : plan.probes) {
    const auto& target = planned.probe.target;
    if (planned.nearest_of.empty() || !target.route.direct() || met.contains(target.host)) continue;
    near[planned.nearest_of.front()].insert(target.host);
  }
  std::size_t most = 0;
  for (const auto& [area, hosts] : near) most = std::max(most, hosts.size());
  return met.size() + most;
}

}  // namespace callready
