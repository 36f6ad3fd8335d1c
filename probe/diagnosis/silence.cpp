#include "probe/diagnosis/silence.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace callready::findings {
namespace {

constexpr std::uint16_t dns_port = 53;

// A device that refuses from outside the site does so where our packets that end on the way have
// ended already.
bool refused_outside(const FlowSample& sample) {
  const auto device = IpAddress::parse(sample.by);
  return sample.way == Reachability::blocked && device && !device->is_private() &&
         !device->is_link_local() && !device->is_loopback();
}

bool unheard(const FlowSample& sample) {
  return sample.way == Reachability::lost || sample.way == Reachability::refused ||
         sample.way == Reachability::open || refused_outside(sample);
}

// Turned away further out than any filter of the site's, by whatever cause.
bool shut_far_out(const Flow& flow) {
  return any_sample(flow, [&](const auto& sample) {
    const bool far = flow.left && sample.way == Reachability::refused;
    return sample.responder && (far || refused_outside(sample));
  });
}

}  // namespace

bool heard(const Flow& flow) {
  // A connection that stands and says nothing may be somebody's on the way.
  const auto is_mute = [](const FlowSample& sample) { return got_no_answer(*sample.result); };
  const bool mute = !flow.udp && any_sample(flow, is_mute);
  return any_sample(flow, [&](const auto& sample) {
    // Where something was asked for over one in vain, another tells no more.
    const bool only_stands = sample.result->observation.outcome == Outcome::connected;
    const bool told = flow.udp || (!is_mute(sample) && !(mute && only_stands));
    return sample.way == Reachability::open && told && !sample.refusal;
  });
}

bool only_refused(const ProbeResult& result) {
  bool arrived = false, left = false;
  for (const auto& evidence : result.observation.evidence) {
    if (evidence.kind != EvidenceKind::udp_port) continue;
    const auto word = detail_fact(evidence, Fact::result);
    arrived |= word == DetailCode::arrived;
    left |= word == DetailCode::left_site;
  }
  return arrived && !left;
}

Silence::Silence(const Facts& facts, const std::set<std::string>& explained)
    : facts_(facts), explained_(explained), vendors_(facts.hosts_asked_for()) {
  for (const auto& flow : facts.flows) {
    if (flow.left && !vendors_.contains(flow.host)) left_to_others_.insert({flow.udp, flow.port});
  }
  for (const auto& flow : facts.flows) {
    const bool own =
        flow.udp && any_sample(flow, [&](const auto& one) {
          return one.way == Reachability::lost && one.responder && facts.asked_for(*one.result);
        });
    if (own && !heard(flow)) own_silent_.insert(flow.port);
  }
  for (const auto& flow : facts.flows) note(flow);
  for (const auto& host : alive_) dead_.erase(host);
  for (const auto& [host, udp] : alive_) turned_away_.erase(host);
}

void Silence::note(const Flow& flow) {
  const bool answers_us = heard(flow);
  const auto missing = [&](const auto& one) { return should_answer(one) && unheard(one); };
  any_silent_ |= !answers_us && any_sample(flow, missing);
  if (answers_us) alive_.insert({flow.host, flow.udp});
  const auto named = [](const FlowSample& sample) { return !sample.by.empty(); };
  if (!flow.udp && any_sample(flow, named)) turned_away_.insert(flow.host);
  if (shut_far_out(flow)) dead_.insert({flow.host, flow.udp});
  if (!answers_us) note_refusals(flow);
  if (flow.port == dns_port) return;
  any_heard_ |= answers_us;
  auto& answers = flow.udp ? udp_ : tcp_;
  if (answers_us) answers.heard.insert(flow.port);
  const bool silent = !answers_us && any_sample(flow, [&](const auto& one) {
    return missing(one) && !explained_.contains(one.result->probe.id);
  });
  // A site may let out nothing but to the vendor: of others only that counts which left it, or on
  // whose port somebody else's packets did, or where the vendor's own servers are as silent.
  const bool beside_own = flow.udp && own_silent_.contains(flow.port);
  const bool counts = flow.left || beside_own || left_to_others_.contains({flow.udp, flow.port}) ||
                      flow.way == Reachability::open || any_sample(flow, [&](const auto& one) {
                        return refused_outside(one) || facts_.asked_for(*one.result);
                      });
  if (!silent || !counts) return;
  // One operator may be down; not a host of which SIP is answered over a connection.
  answers.silent[flow.port].insert(facts_.answers_sip(flow.host) ? flow.host : flow.party);
  dead_.insert({flow.host, flow.udp});
}

// What refuses us, in its own name or in somebody else's.
void Silence::note_refusals(const Flow& flow) {
  const bool its_service = any_sample(flow, [&](const auto& one) {
    return one.refusal && one.result->probe.check != CheckKind::udp_range &&
           facts_.asked_for(*one.result);
  });
  if (flow.udp && flow.way == Reachability::open && its_service) {
    refuse_their_service_.insert(flow.host);
  }
  if (flow.port == dns_port || flow.left) return;
  public_refusals_ |= any_sample(flow, [&](const auto& one) {
    return one.refusal && one.responder && !facts_.asked_for(*one.result);
  });
  resets_ |= flow.way == Reachability::refused && !flow.udp;
}

bool Silence::should_answer(const FlowSample& sample) const {
  const auto& probe = sample.result->probe;
  return sample.responder || probe.check == CheckKind::dns ||
         (probe.check == CheckKind::sip && facts_.answers_sip(probe.target.host));
}

Text Silence::about(const ProbeResult& result) const {
  if (!any_heard_ && any_silent_) {
    return phrase("nothing outside answered, not even public servers");
  }
  if (public_refusals_ && only_refused(result)) {
    return phrase("public servers also seem to refuse packets");
  }
  if (resets_ && udp_.heard.empty() && only_refused(result)) {
    return phrase("connections are also refused, and no server answered over UDP");
  }
  const auto& target = result.probe.target;
  const bool udp = is_udp(result);
  if (udp && turned_away_.contains(target.host) && only_refused(result)) {
    return phrase("a device rejects every connection to {} and may be sending refusals in its name",
                  target.host);
  }
  const HostOverUdp own{target.host, udp}, other{target.host, !udp};
  if (udp && refuse_their_service_.contains(target.host) && only_refused(result) &&
      !alive_.contains(own)) {
    return phrase(
        "{} also refuses packets to its own service ports, or something does so in its name",
        target.host);
  }
  auto reason = udp ? udp_.doubt(target.ports, "UDP") : tcp_.doubt(target.ports, "TCP");
  const bool dead = dead_.contains(own) || (dead_.contains(other) && !alive_.contains(own));
  if (reason.empty() && dead) {
    reason = phrase("{} answered none of the requests that it should answer", target.host);
  }
  return reason;
}

std::size_t Silence::Answers::silent_from(std::uint16_t port) const {
  std::set<std::string> parties;
  for (auto at = silent.lower_bound(port); at != silent.end(); ++at) {
    parties.insert(at->second.begin(), at->second.end());
  }
  return parties.size();
}

Text Silence::Answers::doubt(const PortRange& ports, std::string_view over) const {
  if (silent.empty()) return {};
  if (heard.empty()) {
    return phrase("no server answered over {}, not even public ones", over);
  }
  for (const auto& [port, parties] : silent) {
    if (port > ports.last) break;
    if (port >= ports.first && parties.size() > 1 && !heard.contains(port)) {
      return phrase("public servers do not answer on {} port {}", over, port);
    }
    // One operator may be down.
    if (any_heard_from(port) || silent_from(port) < 2) continue;
    return phrase(
        "no server answered on {} ports {} and above, although {} public servers were tried", over,
        port, silent_from(port));
  }
  return {};
}

}  // namespace callready::findings
