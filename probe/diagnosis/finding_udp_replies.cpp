// UDP that leaves the site and is never answered (docs/design.md, "How neighbours are told apart",
// 1): the way back is shut, or one further out; or a list lets the vendor's packets out, and no
// others.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "probe/diagnosis/finding_udp_flows.hpp"
#include "probe/diagnosis/finding_words.hpp"
#include "probe/diagnosis/silence.hpp"

namespace callready::findings {
namespace {

// Packets were seen in the network of the host that they are for.
bool seen_at_its_door(const Flow& flow, const FlowSample& sample) {
  const auto router = IpAddress::parse(sample.left_at);
  return sample.way == Reachability::left && router && network_of(*router) == flow.network;
}

// Whether those who answer everybody and are silent were seen to be sent to as far as the vendor's
// hosts: at the same routers or next to them, or beyond those that several ways have in common, but
// at their doors, where the vendor's were seen at theirs. Else they may be stopped in between,
// where a list is.
bool sent_as_far_as_the_vendors(const std::vector<const Flow*>& flows, const Facts& facts) {
  std::map<std::string, std::set<std::string>> hosts;  // of others, by the router that saw them
  std::set<std::string> vendors, climbed;              // routers
  std::int64_t vendors_ttl = 0, others_ttl = 0;        // of the farthest, as far as was asked
  bool vendors_arrive = false, others_arrive = false;
  for (const auto* flow : flows) {
    const bool own = facts.asked_for(*flow);
    for (const auto& sample : flow->samples) {
      if (sample.way != Reachability::left) continue;
      (own ? vendors_arrive : others_arrive) |= seen_at_its_door(*flow, sample);
      if (own) vendors.insert(sample.left_at);
      const bool with_control = sample.result->probe.with.contains("control");
      if (!own && with_control) hosts[sample.left_at].insert(flow->host);
      if (!own && !with_control) climbed.insert(sample.left_at);
      const auto* hop = evidence_of(*sample.result, EvidenceKind::hop);
      const auto ttl = hop == nullptr ? std::nullopt : number_fact(*hop, Fact::ttl);
      auto& farthest = own ? vendors_ttl : others_ttl;
      farthest = std::max(farthest, static_cast<std::int64_t>(ttl.value_or(0)));
    }
  }
  const auto is_new = [&](const std::string& router) { return !hosts.contains(router); };
  const bool on_ways_of_their_own =
      hosts.size() > 1 && std::any_of(hosts.begin(), hosts.end(),
                                      [](const auto& seen) { return seen.second.size() == 1; });
  const bool next_to_them = vendors_ttl > 0 && others_ttl >= vendors_ttl;
  auto routers = vendors;
  routers.insert(climbed.begin(), climbed.end());
  for (const auto& [router, seen] : hosts) routers.insert(router);
  // Where one alone speaks, a list may be its own: it answers what ends there before it looks.
  if (routers.size() == 1 && !routers.begin()->empty()) return false;
  if (vendors_arrive && !others_arrive) return false;
  if (next_to_them || on_ways_of_their_own) return true;
  return std::none_of(vendors.begin(), vendors.end(), is_new) ||
         std::any_of(climbed.begin(), climbed.end(), is_new);
}

// The vendors' packets leave, and of others' none does, and some are seen to be dropped: a list
// lets out the vendors only, and the others' silence tells nothing of replies.
bool only_the_vendors_leave(const Facts& facts, const std::vector<const Flow*>& flows) {
  bool others_dropped = false;
  for (const auto* flow : flows) {
    if (facts.asked_for(*flow)) continue;
    if (flow->way == Reachability::left) return false;
    others_dropped |= flow->way == Reachability::blocked;
  }
  return others_dropped;
}

}  // namespace

std::optional<UdpVerdict> replies_are_lost(const Facts& facts,
                                           const std::vector<const Flow*>& flows) {
  UdpVerdict verdict;
  verdict.from_port = std::numeric_limits<std::uint16_t>::max();
  std::set<std::uint16_t> ports, telling_ports;
  std::set<std::string> parties;
  const Flow* left = nullptr;
  bool silent_yet_left = false, own_too = false, own_responders = false;
  // What is seen to leave is of the same kind: a device may drop one protocol only.
  const auto leaves = [](const Flow& flow, Payload payload) {
    return any_sample(flow, [&](const FlowSample& sample) {
      return sample.way == Reachability::left && sample.payload == payload;
    });
  };
  const bool list = only_the_vendors_leave(facts, flows);
  const bool more_than_the_list = lets_out_more_than_the_list(facts);
  const auto perhaps_down = dead_over_tcp(facts);
  for (const auto* flow : flows) {
    if (heard(*flow)) return std::nullopt;  // a refusal passes where no reply does, too
    const bool own = facts.asked_for(*flow);
    if (list && !own) continue;
    if (flow->way == Reachability::left) left = flow;
    if (flow->way == Reachability::blocked) continue;  // it is not the reply that is lost
    for (const auto& sample : flow->samples) {
      const bool sip = sample.payload == Payload::sip && facts.answers_sip(flow->host);
      const bool should_answer = sample.responder || sip;
      own_responders |= should_answer && facts.asked_for(*sample.result);
      if (sample.way != Reachability::lost || !should_answer) continue;
      ports.insert(flow->port);
      if (own || more_than_the_list) telling_ports.insert(flow->port);
      parties.insert(flow->party);
      silent_yet_left |= flow->way == Reachability::left;
      // Whose packets were not seen to leave may be dropped, as others on such ports.
      const bool sent = flow->way == Reachability::left || own;
      if (sent) verdict.from_port = std::min(verdict.from_port, flow->port);
      own_too |= leaves(*flow, sample.payload) && own && !perhaps_down.contains(flow->host);
    }
  }
  // A port that is inspected, or one operator that is down, has the others answer.
  if (!silent_yet_left || ports.size() < 2 || parties.size() < 3) return std::nullopt;
  // Where the vendor has servers that answer everybody, they have to be seen to fare no better.
  const bool others_tell =
      !own_responders && more_than_the_list && sent_as_far_as_the_vendors(flows, facts);
  // Two ports may each be shut.
  const bool told =
      (own_too || others_tell) && telling_ports.size() > 2 && !new_flows_may_be_limited(facts);
  verdict.confidence = told ? Confidence::likely : Confidence::possible;
  verdict.only_replies = true;
  verdict.evidence.push_back({"", phrase("UDP leaves the site, but no reply comes back: "
                                         "public servers do not answer on ports {}: {}.",
                                         ports_in_words({ports.begin(), ports.end()}, 4),
                                         listed({parties.begin(), parties.end()}))});
  for (const auto& sample : left->samples) {
    if (sample.way == Reachability::left) verdict.evidence.push_back(what_it_saw(sample));
  }
  return verdict;
}

}  // namespace callready::findings
