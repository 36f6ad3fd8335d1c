// The rules behind diagnose(): one function a layer, one table in the order of judging.
#pragma once

#include <memory>
#include <span>

#include "probe/diagnosis/attribution.hpp"
#include "probe/diagnosis/facts.hpp"

namespace callready::reach {
struct Diagnosis;
}

namespace callready::findings {

// A finding on its way, with the probes whose failure it explains.
struct Cause {
  Finding finding;
  std::vector<const ProbeResult*> explained;
  // Reached, as far as was seen, and of no use all the same: somebody else answered, or no reply
  // will ever come back.
  std::vector<const ProbeResult*> contradicted{};
  // They work, but not as the vendor asks.
  std::vector<const ProbeResult*> impaired{};
  Closes closes = Closes::nothing_more;
  Text asked{};  // what the fix asks to let through: said anew once the rows are judged

  // Sets what it is. The finding, for its title and fix.
  Finding& name(FindingCode code, Owner owner, Confidence confidence) {
    finding.code = code;
    finding.owner = owner;
    finding.confidence = confidence;
    return finding;
  }
  // `of`: whose evidence it is; null: of several.
  void tell(Text text, const ProbeResult* of = nullptr) {
    finding.evidence.push_back({of == nullptr ? std::string() : of->probe.id, std::move(text)});
  }
};

// For the cause's fix: what it asks to let through, of what it explains or contradicts, and of what
// it closes besides. Its code and `closes` must stand.
Text asked_flows(const Facts& facts, Cause& cause);

// What the rules have to work with: the facts, and what earlier causes, or chance, have explained
// already.
class Diagnosis {
 public:
  explicit Diagnosis(const Facts& all);
  const Facts& facts;

  bool explained(const ProbeResult& result) const { return explained_.contains(result.probe.id); }
  // It works, and an earlier cause says what it lacks.
  bool impaired(const ProbeResult& result) const { return impaired_.contains(result.probe.id); }
  // The flow's failing probes that no earlier cause explains.
  std::vector<const ProbeResult*> open_probes(const Flow& flow) const;
  // True where at least one of them was asked for by a set, and neither as a control nor as a
  // question of our own about the NAT.
  bool affects_requirement(const std::vector<const ProbeResult*>& probes) const;
  // The same, and a capability is not ready over it: what is too weak to be said otherwise, or
  // would not matter (a fallback that the vendor does not offer), may be said then.
  bool breaks_capability(const std::vector<const ProbeResult*>& probes) const;
  // A row that the vendor requires is not well by it: the set is degraded at the least.
  bool fails_required_row(const std::vector<const ProbeResult*>& probes) const;
  void note(const Cause& cause);
  // What worlds say of all that was seen, with what was found of contents so far; made when it is
  // first asked for.
  const reach::Diagnosis& worlds() const;

 private:
  template <typename Wanted>
  bool any_lost_row(const std::vector<const ProbeResult*>& probes, Wanted wanted) const;

  std::set<std::string> explained_, impaired_;
  std::vector<Finding> contents_;
  mutable std::shared_ptr<const reach::Diagnosis> worlds_;
};

using Causes = std::vector<Cause>;
using Rule = Causes (*)(const Diagnosis&);

// The table, in the order of judging.
std::span<const Rule> rules();

// ways/offline.cpp
Causes find_offline(const Diagnosis&);
// contents/site.cpp
Causes find_captive_portal(const Diagnosis&);
// contents/time.cpp
Causes find_clock_skew(const Diagnosis&);
// contents/computer.cpp
Causes find_own_firewall(const Diagnosis&);
Causes find_hosts_file(const Diagnosis&);
// contents/agent.cpp
Causes find_agent(const Diagnosis&);
// contents/browser.cpp
Causes find_browser_policies(const Diagnosis&);
// contents/split_paths.cpp
Causes find_split_paths(const Diagnosis&);
// contents/vpn.cpp
Causes find_full_tunnel(const Diagnosis&);
// ways/path.cpp
Causes find_mtu(const Diagnosis&);
Causes find_broken_ipv6(const Diagnosis&);
Causes find_vendor_ipv6(const Diagnosis&);
// contents/dns.cpp
Causes find_dns_unreachable(const Diagnosis&);
Causes find_dns_rewritten(const Diagnosis&);
Causes find_dns_filtered(const Diagnosis&);
Causes find_unanswered_names(const Diagnosis&);
Causes find_outdated_names(const Diagnosis&);
Causes find_dns_slow(const Diagnosis&);
Causes find_dns_without_tcp(const Diagnosis&);
// contents/block_page.cpp
Causes find_block_page(const Diagnosis&);
// contents/proxy.cpp
Causes find_pac_failure(const Diagnosis&);
Causes find_proxy_unreachable(const Diagnosis&);
Causes find_proxy_login(const Diagnosis&);
Causes find_proxy_required(const Diagnosis&);
Causes find_proxy_denials(const Diagnosis&);
Causes find_stripped_upgrades(const Diagnosis&);
// ways/ban.cpp
Causes find_rate_limit(const Diagnosis&);
// ways/limits_and_loss.cpp
Causes find_dead_path(const Diagnosis&);
Causes find_new_flow_limit(const Diagnosis&);
Causes find_loss(const Diagnosis&);
// ways/web_only.cpp
Causes find_web_only(const Diagnosis&);
// ways/worlds.cpp
Causes find_taken_connections(const Diagnosis&);
Causes find_tls_filter(const Diagnosis&);
// ways/closed.cpp
Causes find_closed(const Diagnosis&);
Causes find_flows(const Diagnosis&);
// ways/udp.cpp
Causes find_udp_blocked(const Diagnosis&);
Causes find_one_way_media(const Diagnosis&);
// ways/filters.cpp
Causes find_stun_filter(const Diagnosis&);
Causes find_sip_filter(const Diagnosis&);
// contents/call.cpp
Causes find_dtls_filter(const Diagnosis&);
Causes find_cut_greeting(const Diagnosis&);
Causes find_silent_call(const Diagnosis&);
Causes find_call_media(const Diagnosis&);
Causes find_lost_consent(const Diagnosis&);
Causes find_relayed_calls(const Diagnosis&);
// A call that a relay over TCP or TLS carries, because nothing else does.
bool needs_relay_over_stream(const ProbeResult& result);
// ways/quic.cpp
Causes find_refused_quic(const Diagnosis&);
Causes find_filtered_quic(const Diagnosis&);
// contents/hello.cpp
Causes find_cut_hello(const Diagnosis&);
// contents/tls.cpp
Causes find_interception(const Diagnosis&);
Causes find_old_authorities(const Diagnosis&);
Causes find_other_far_ends(const Diagnosis&);
Causes find_certificate_faults(const Diagnosis&);
// contents/nat.cpp
Causes find_idle_timeout(const Diagnosis&);
Causes find_nat(const Diagnosis&);
// contents/sip_alg.cpp
Causes find_sip_alg(const Diagnosis&);
// contents/sip.cpp
Causes find_lost_long_sip(const Diagnosis&);
Causes find_sip_errors(const Diagnosis&);
// contents/media.cpp
Causes find_media_loss(const Diagnosis&);
Causes find_poor_score(const Diagnosis&);
Causes find_full_line(const Diagnosis&);
Causes find_few_calls(const Diagnosis&);
Causes find_media_delay(const Diagnosis&);
Causes find_cleared_marks(const Diagnosis&);
// contents/outage.cpp
Causes find_outage(const Diagnosis&);
// contents/turn.cpp
Causes find_dying_relays(const Diagnosis&);
// A stream between relays of a server, after one of them died.
bool is_between_dying_relays(const Facts& facts, const ProbeResult& stream);
Causes find_turn(const Diagnosis&);
// contents/vendor.cpp
Causes find_vendor_down(const Diagnosis&);

// ways/unexplained.cpp: what is blocked and in no finding, by the final verdicts; not a row of
// the table, since it comes after them.
std::optional<Cause> find_unexplained(const Facts& facts, const std::vector<Finding>& findings);

// ways/runner_up.cpp: of a cause that worlds decide. Nothing where it is certain, or nothing else
// is close.
std::optional<RunnerUp> runner_up(const Diagnosis& context, const Cause& cause);

// ways/weak_evidence.cpp
// Probes whose packets died before they left, or that nobody answered, and that got out or were
// answered when they were sent again: a bad line.
std::set<std::string> got_out_after_all(const Facts& facts);

// Those of `probes` that got no answer and are lost in worlds that add up to 0.99, even if these
// blame different causes.
std::set<std::string> surely_lost(const Diagnosis& context, const std::set<std::string>& probes);

// Probes that were only seen to leave the site, or to connect, and of which more is in doubt, or
// that were lost where a bad line loses more, with the reason in words. `explained`: probes whose
// silence has a cause that is known.
std::map<std::string, Text> doubted(const Diagnosis& context,
                                    const std::set<std::string>& explained);

// True where the second round counted so (ways/limits_and_loss.cpp).
bool new_flows_are_limited(const Facts& facts);

// What was reached directly outside on TCP 80, where a sign-in page answers in everybody's name;
// and whether that is all that works, while something that a row asks for fails
// (contents/site.cpp).
std::vector<const ProbeResult*> plain_http_answers(const Facts& facts);
bool only_plain_http_works(const Facts& facts);

// Something that answered at first is silent now (ways/ban.cpp); and nothing else has got through
// since.
bool some_fell_silent(const Facts& facts);
bool is_shut_out(const Facts& facts);

// The failing UDP probes to the outside, but DNS.
std::vector<const ProbeResult*> failing_udp(const Diagnosis& context);

}  // namespace callready::findings
