#include "probe/diagnosis/facts.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "probe/model/canary.hpp"

namespace callready::findings {
namespace {

// Answers to several requests were counted (RequestCount).
bool counts_answers(const ProbeResult& result) {
  return result.probe.check == CheckKind::stun && result.probe.with.contains("flows");
}

// Who refused, where a device on the way did.
std::string refuser(const ProbeResult& result) {
  const bool asked = who_refused(result) == Refuser::on_the_way;
  return asked ? text_of(result, EvidenceKind::refuser, Fact::by)
               : text_of(result, EvidenceKind::icmp_error, Fact::sender);
}

Reachability exchange_way(const Observation& observation, bool udp) {
  const auto& detail = observation.detail;
  switch (observation.outcome) {
    case Outcome::answered:
    case Outcome::connected:
    case Outcome::denied:
    case Outcome::failed:
      return Reachability::open;
    case Outcome::passed:
      return Reachability::left;
    case Outcome::refused:  // over UDP by the target's own ICMP: it got there
      return udp ? Reachability::open : Reachability::refused;
    case Outcome::rejected:
      if (detail == DetailCode::kept_here) return Reachability::unknown;  // of the network
      // A router that says "unreachable" has lost the way; one that says "prohibited" keeps it
      // shut.
      return detail == DetailCode::unreachable || detail == DetailCode::ttl_exceeded
                 ? Reachability::lost
                 : Reachability::blocked;
    case Outcome::silent:
      if (!udp && observation.timing_ms.contains(Timing::connect)) return Reachability::open;
      return Reachability::lost;
    case Outcome::unresolved:
    case Outcome::skipped:
      return Reachability::unknown;
  }
  return Reachability::unknown;
}

// Of a packet to a port of a range, or one that was to end on the way.
Reachability way_by_detail(const Detail& result) {
  using enum DetailCode;
  if (result == replied || result == arrived) return Reachability::open;
  if (result == left_site) return Reachability::left;
  if (result == prohibited || result == dropped || result == refused_on_the_way)
    return Reachability::blocked;
  return result == silent ? Reachability::lost : Reachability::unknown;
}

// A router beside the destination is not a device of this site, nor of its provider.
void move_to_far_end(FlowSample& sample) {
  const auto& address = sample.result->observation.address;
  if (sample.way != Reachability::blocked || !address) return;
  if (!is_beside(sample.by, address->to_string())) return;
  sample.far_device = sample.by;
  sample.by.clear();
  sample.way = is_udp(*sample.result) ? Reachability::left : Reachability::refused;
}

void take_back_own_word(FlowSample& sample, const std::string& who, const Site& site) {
  if (!sample.no_way || !is_this_computer(site, who)) return;
  sample.no_way = false;
  sample.by.clear();
  sample.way = Reachability::lost;
}

// A packet to a port of a range, or one that was to end on the way, according to that evidence.
void read_way(FlowSample& sample, const Evidence& evidence, const Site& site) {
  using enum DetailCode;
  const auto word = detail_fact(evidence, Fact::result);
  const auto by = text_fact(evidence, Fact::by);
  const auto& target = sample.result->observation.address;
  sample.way = way_by_detail(word);
  if (word == prohibited) sample.by = by;
  if (word == left_site) sample.left_at = by;
  // Nearer than the far end can be.
  const bool in_its_name = by.empty() || (target && by == target->to_string());
  sample.forged = word == refused_on_the_way || (word == prohibited && in_its_name);
  sample.no_way = detail_fact(evidence, Fact::reason) == unreachable;
  sample.refusal = word == arrived && text_fact(evidence, Fact::responder).empty();
  take_back_own_word(sample, by, site);
  move_to_far_end(sample);
}

std::vector<FlowSample> samples_of(const ProbeResult& result, const Site& site) {
  std::vector<FlowSample> samples;
  // That IPv6 gets out says nothing about the way that all others take.
  const auto& address = result.observation.address;
  if (result.probe.check == CheckKind::ipv6 && address && address->is_v6()) return samples;
  // The long one gets lost because of its length, on a way that the short one has shown to be open.
  if (result.probe.check == CheckKind::sip_long) return samples;
  if (asks_system_resolvers(result.probe)) return samples;
  // Most web servers do not speak it: silence says nothing.
  const bool silent = result.observation.outcome == Outcome::silent;
  if (result.probe.check == CheckKind::quic && silent) return samples;
  FlowSample sample;
  sample.result = &result;
  sample.port = result.probe.target.port();
  if (is_udp(result)) sample.cargo = cargo_of(result.probe);
  const bool range = result.probe.check == CheckKind::udp_range;
  if (range || result.probe.check == CheckKind::hop) {
    const auto kind = range ? EvidenceKind::udp_port : EvidenceKind::hop;
    for (const auto& evidence : all_evidence(result.observation, kind)) {
      auto one = sample;
      if (range) one.port = port_fact(evidence, Fact::port).value_or(0);
      read_way(one, evidence, site);
      // Nothing is known where no router beyond the edge answered.
      if (range || one.way != Reachability::lost) samples.push_back(one);
    }
    return samples;
  }
  sample.way = exchange_way(result.observation, is_udp(result));
  if (sample.way == Reachability::blocked) sample.by = refuser(result);
  sample.no_way = result.observation.outcome == Outcome::rejected &&
                  result.observation.detail == DetailCode::unreachable;
  take_back_own_word(sample, refuser(result), site);
  sample.refusal = is_udp(result) && result.observation.outcome == Outcome::refused;
  sample.forged = sample.way == Reachability::blocked && who_refused(result) == Refuser::on_the_way;
  move_to_far_end(sample);
  sample.responder = !is_udp(result) || answers_everybody(sample.cargo);
  samples.push_back(sample);
  return samples;
}

// The check has asked who refused, and it was nobody at the site.
bool refused_beyond(const FlowSample& sample) {
  return !sample.far_device.empty() ||
         (sample.way == Reachability::refused && who_refused(*sample.result) == Refuser::beyond);
}

// Routers by which UDP was seen to pass on its way to a device that turns it away.
class PassedOn {
 public:
  void note(const std::string& host, const FlowSample& sample) {
    const std::pair place{host, sample.port};
    if (!sample.left_at.empty()) seen_[place].insert(sample.left_at);
    if (sample.by.empty()) return;
    refused_[place].insert(sample.by);
    kinds_[sample.by].insert(inspected_as(sample));
  }
  // A device that looks for one protocol may be nearer than they: it turns media away as well. One
  // of ours is nearer than another's router.
  std::set<std::string> routers(const Facts& facts) const {
    std::set<std::string> found;
    for (const auto& [place, devices] : refused_) {
      const auto seen = seen_.find(place);
      if (seen == seen_.end()) continue;
      for (const auto& device : devices) {
        const auto address = IpAddress::parse(device);
        // It is nearer than any router that was asked.
        const bool nearer = !address || address->is_private() || address->is_link_local();
        const auto& kinds = kinds_.at(device);
        const bool any_kind = kinds.size() > 1 && kinds.contains(Cargo::rtp);
        if (nearer || seen->second.contains(device)) continue;
        for (const auto& router : seen->second) {
          if (facts.may_be_ours(device) && !facts.may_be_ours(router)) continue;
          // Shared address space (RFC 6598) is nearer to us than any public address.
          const auto its = IpAddress::parse(router);
          const bool before = !address->is_shared() && its && its->is_shared();
          if (any_kind || before) found.insert(router);
        }
      }
    }
    return found;
  }

 private:
  std::map<std::pair<std::string, std::uint16_t>, std::set<std::string>> seen_, refused_;
  std::map<std::string, std::set<Cargo>> kinds_;
};

void merge(Flow& flow, const FlowSample& sample) {
  if (sample.way == Reachability::left || refused_beyond(sample)) flow.left = true;
  flow.samples.push_back(sample);
  flow.way = std::min(flow.way, sample.way);
  // A reset that was asked for beyond the edge came from out there.
  const bool reset =
      any_sample(flow, [](const FlowSample& seen) { return seen.way == Reachability::refused; });
  if (flow.way == Reachability::left && reset) flow.way = Reachability::refused;
}

// What came only after a request had been sent again, though answers take less long: a connection
// after a second, a reply to one of several datagrams, an address at the second question.
Probes late_answers(const Report& report) {
  constexpr double soon_ms = 200;
  // Their attempts are not one request, sent again.
  constexpr std::array several{CheckKind::path, CheckKind::hop, CheckKind::sip_alg,
                               CheckKind::sip_long};
  Probes again, slow;
  bool soon = false, in_a_second = false;
  std::map<std::string, double> distances;  // of hosts, by the shortest time to anything there
  for (const auto& result : report.probes) {
    const auto& seen = result.observation;
    if (!is_direct(result) || !reached(seen.outcome) || counts_answers(result)) continue;
    const auto connect = seen.timing_ms.find(Timing::connect);
    const bool datagrams =
        is_udp(result) && !contains(several, result.probe.check) && !asks_for_canary(result.probe);
    const bool near = seen.address && seen.address->is_private();  // the site's own name server
    if (seen.round_trip && !near && !asks_system_resolvers(result.probe)) {
      const auto took = seen.round_trip->count();
      soon |= took < soon_ms;
      keep_least(distances, result.probe.target.host, took);
    }
    if (datagrams && seen.attempts > 1 && !seen.round_trip) again.push_back(&result);
    if (connect == seen.timing_ms.end()) continue;
    if (connect->second < second_syn.count()) {
      in_a_second = true;
    } else {
      slow.push_back(&result);
    }
  }
  // What is sent again before the first can be answered is no loss.
  if (!soon) again.clear();
  std::erase_if(again, [&](const ProbeResult* result) {
    return found_in(distances, result->probe.target.host) >= soon_ms;
  });
  if (soon || in_a_second) append(again, slow);
  return again;
}

bool a_stream_loses(const Report& report) {
  constexpr double percent = 3;  // of a hundred questions, each sent twice
  return std::ranges::any_of(report.probes, [](const ProbeResult& result) {
    const auto& stream = result.observation.media;
    const auto loses = [](const std::optional<MediaDirection>& way) {
      return way && way->loss.low > percent;
    };
    return stream &&
           (loses(stream->up) || loses(stream->down) || stream->round_trip_loss.low > 2 * percent);
  });
}

}  // namespace

Facts::Facts(const Report& whole)
    : report(whole), answered_late(late_answers(whole)), stream_loses(a_stream_loses(whole)) {
  for (const auto& set : report.sets) {
    for (const auto& row : set.requirements) {
      for (const auto& id : row.probes) rows_.emplace(id, &set);
    }
  }
  bool proxy_carries = false, proxy_pages = false;  // its own pages, in place of the server's
  PassedOn passed_on;
  std::map<std::tuple<bool, std::string, std::uint16_t>, std::vector<FlowSample>> found;
  by_id_.reserve(report.probes.size());
  for (const auto& result : report.probes) {
    by_id_[result.probe.id] = &result;
    const auto& host = result.probe.target.host;
    const bool answered = result.observation.outcome == Outcome::answered;
    if (result.probe.check == CheckKind::sip && answered) sip_servers.insert(host);
    if (!is_direct(result)) {
      if (came_through(result)) proxied.insert(host);
      proxy_carries |= came_through(result) && result.observation.outcome != Outcome::connected;
      proxy_pages |= sent_a_page(result);
      proxy_speaks |= came_through(result) || result.observation.outcome == Outcome::denied;
      continue;
    }
    if (counts_answers(result)) {
      const auto* evidence = evidence_of(result, EvidenceKind::udp_sample);
      if (evidence == nullptr) continue;
      const auto number = [&](Fact fact) {
        return whole_fact(*evidence, fact, 0, 1'000).value_or(0);
      };
      const bool one = result.probe.with.at("flows") == "one";
      const bool elsewhere = on_one_flow.result && on_one_flow.result->probe.target.host != host;
      auto& count = !one ? on_new_flows : elsewhere ? elsewhere_on_one_flow : on_one_flow;
      if (count.result != nullptr) continue;  // counted again, as whatever fell silent
      count = {&result, number(Fact::sent), number(Fact::answered), number(Fact::again),
               number(Fact::again_answered)};
      if (count.answered > count.sent || count.again_answered > count.again) count = {};
      continue;
    }
    if (is_inside(result)) continue;
    // A host that is not a name server need not answer as one.
    const bool asked = !asks_nobody(result.probe);
    for (const auto& sample : samples_of(result, report.site)) {
      if (!sample.by.empty()) devices_.insert(sample.by);
      if (is_udp(result)) passed_on.note(host, sample);
      if (asked && sample.way != Reachability::unknown && sample.port != 0)
        found[{is_udp(result), host, sample.port}].push_back(sample);
    }
  }
  before_devices_ = passed_on.routers(*this);
  flows.reserve(found.size());
  while (!found.empty()) {  // what has become a flow need not be there twice
    auto next = found.extract(found.begin());
    const auto& key = next.key();
    auto& samples = next.mapped();
    Flow flow;
    std::tie(flow.udp, flow.host, flow.port) = key;
    std::erase_if(samples, [&](const FlowSample& sample) {
      return sample.way == Reachability::left && proves_no_way(sample.left_at, flow.udp);
    });
    if (samples.empty()) continue;
    flow.party = registrable_domain(flow.host);
    const auto& address = samples.front().result->observation.address;
    flow.network = address ? network_of(*address) : flow.party;
    for (const auto& sample : samples) {
      merge(flow, sample);
      if (flow.udp && gets_out(sample.way)) kinds_out.insert(inspected_as(sample));
    }
    flows.push_back(std::move(flow));
  }
  // It said yes to all, and sent its own page to whoever went on.
  if (proxy_pages && !proxy_carries) proxied.clear();
}

const ProbeResult* Facts::find(const std::string& probe) const { return found_in(by_id_, probe); }

Probes Facts::probes_of(const RequirementResult& row) const {
  Probes probes;
  for (const auto& id : row.probes) probes.push_back(find(id));
  std::erase(probes, nullptr);
  return probes;
}

std::vector<std::string> Facts::sets_of(const ProbeResult& result) const {
  std::set<const SetResult*> sets;  // they stand one behind the other
  const auto [begin, end] = rows_.equal_range(result.probe.id);
  for (auto at = begin; at != end; ++at) sets.insert(at->second);
  std::vector<std::string> ids;
  for (const auto* set : sets) ids.push_back(set->id);
  return ids;
}

std::vector<std::string> Facts::sets_of(const Probes& probes) const {
  std::vector<std::string> ids;
  for (const auto* result : probes) add_new(ids, sets_of(*result));
  return ids;
}

std::set<std::string> Facts::hosts_asked_for() const {
  const auto asked = probes_that([&](const ProbeResult& result) { return asked_for(result); });
  return set_of(asked, [](const ProbeResult& result) { return result.probe.target.host; });
}

bool Facts::may_be_ours(const std::string& router) const {
  const auto address = IpAddress::parse(router);
  if (!address || address->is_v6()) return false;
  return std::ranges::any_of(own_addresses(report.site), [&](const IpAddress& own) {
    return own.is_v4() && !own.is_private() && Network{own, 16}.masked().contains(*address);
  });
}

bool Facts::may_stop_others(const std::string& router) const {
  return devices_.contains(router) || may_be_ours(router);
}

bool Facts::proves_no_way(const std::string& router, bool udp) const {
  return may_stop_others(router) || (udp && before_devices_.contains(router));
}

bool Facts::no_tcp_gets_out() const {
  const auto tcp = select([](const Flow& flow) { return !flow.udp; });
  return set_of(tcp, &Flow::party).size() > 1 &&
         std::ranges::none_of(tcp, [](const Flow* flow) { return out(*flow); });
}

Probes Facts::sent_outside() const {
  return probes_that([&](const ProbeResult& result) {
    return result.observation.sent_at && asked_for(result) && goes_outside(result);
  });
}

const ProbeResult* port_53_taken(const Facts& facts) {
  return first_that(facts.report.probes, [](const ProbeResult& result) {
    const bool asked = result.probe.check == CheckKind::dns && asks_nobody(result.probe);
    return asked && evidence_of(result, EvidenceKind::dns_answer) != nullptr;
  });
}

bool are_own(const Facts& facts, const std::vector<std::string>& hosts) {
  return std::ranges::all_of(
      hosts, [&](const std::string& host) { return contains(facts.report.site.own_hosts, host); });
}

Probes lost_probes(const Facts& facts) {
  return facts.probes_that([&](const ProbeResult& result) {
    return !is_inside(result) && !is_broken_script(result) &&
           (failing(result) || has_no_route(result));
  });
}

const EgressPath* way_to_all(const Site& site, const std::vector<std::string>& hosts) {
  if (hosts.empty()) return nullptr;
  return first_that(site.ways, [&](const EgressPath& way) {
    return std::ranges::all_of(
        hosts, [&](const std::string& host) { return contains(way.hosts, host); });
  });
}

const EgressPath* vpn_to_all(const Facts& facts, const std::vector<std::string>& hosts) {
  const auto* way = way_to_all(facts.report.site, hosts);
  return way != nullptr && way->tunnel && own_link(facts) != nullptr ? way : nullptr;
}

}  // namespace callready::findings
