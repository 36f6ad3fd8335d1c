// The rules behind diagnose(): one function per family of causes, in tables in the order of
// judging.
#pragma once

#include <memory>
#include <ranges>

#include "probe/diagnosis/attribution.hpp"
#include "probe/diagnosis/words.hpp"

namespace callready::reach {
struct Drawn;
}

namespace callready::findings {

using enum Confidence;

// A finding on its way, with the probes whose failure it explains.
struct Cause : Finding {
  Cause() = default;
  explicit Cause(Probes probes) : explained(std::move(probes)) {}

  Probes explained{};
  // Reached, as far as was seen, and of no use all the same: somebody else answered, or no reply
  // will ever come back.
  Probes contradicted{};
  // They work, but not as the vendor asks.
  Probes impaired{};
  // They need not be lost, but the fix is to let them through as well.
  Probes let_through{};
  // A proxy carries them: no firewall need let them through.
  Probes carried{};
  Closes closes = Closes::nothing_more;
  Text asked{};  // what the fix asks to let through: rewritten once the rows are judged

  // Sets what it is, and who usually acts on that.
  void name(FindingCode what, Confidence sure) {
    code = what;
    owner = owners_of(what).front();
    confidence = sure;
  }
  // `of`: whose evidence it is; null: of several.
  void tell(Text text, const ProbeResult* of = nullptr) {
    evidence.push_back({of == nullptr ? std::string() : of->probe.id, std::move(text)});
  }
  void tell(FindingEvidence seen) { evidence.push_back(std::move(seen)); }
  // Right after what it contrasts with.
  void contrast(FindingEvidence seen) {
    evidence.insert(evidence.begin() + (evidence.empty() ? 0 : 1), std::move(seen));
  }
  // What these saw, up to `most` of them.
  void show(const Probes& probes, std::size_t most = 8) {
    for (const auto* result : probes | std::views::take(most)) tell(what_it_saw(*result));
  }
  // The probe's own evidence of that kind; false where it has none.
  bool tell(EvidenceKind kind, const ProbeResult& of) {
    const auto* its = evidence_of(of, kind);
    if (its != nullptr) tell(its->text, &of);
    return its != nullptr;
  }
};

// For the cause's fix: what it asks to let through, for what it explains or contradicts, and for
// what else it closes. Its code and `closes` must stand.
Text asked_flows(const Facts& facts, Cause& cause);

// This computer's own firewall keeps these: `what` for the title, `flows` for the fix.
Cause kept_by_own_firewall(const Probes& kept, const Text& what, const Text& flows);

// What the rules have to work with: the facts, and what earlier causes, or chance, have explained
// already.
class Diagnosis : public Facts {
 public:
  explicit Diagnosis(const Report& whole);

  // Probes whose packets died before they left, or that nobody answered, and that got out or were
  // answered when they were sent again: a bad line.
  const std::set<std::string> got_out;

  bool explained(const ProbeResult& result) const { return explained_.contains(result.probe.id); }
  // It works, and an earlier cause says what it lacks.
  bool impaired(const ProbeResult& result) const { return impaired_.contains(result.probe.id); }
  // The flow's failing probes that no earlier cause explains.
  Probes open_probes(const Flow& flow) const;
  // True where at least one of them was asked for by a set, and neither as a control nor as a
  // question of our own about the NAT.
  bool affects_requirement(const Probes& probes) const;
  // The same, and a capability is not ready over it: what is too weak to be said otherwise, or
  // would not matter (a fallback that the vendor does not offer), may be said then.
  bool breaks_capability(const Probes& probes) const;
  // A row that the vendor requires is not well because of it: the set is degraded at least.
  bool fails_required_row(const Probes& probes) const;
  void note(const Cause& cause);
  // For questions: worlds take what there is about contents as facts, and nothing is explained.
  void learn_contents();
  // What worlds say about all that was seen, with what was found about contents so far; made when
  // it is first asked for.
  const reach::Drawn& worlds() const;

 private:
  std::set<std::string> explained_, impaired_;
  std::vector<Finding> contents_;
  mutable std::shared_ptr<const reach::Drawn> worlds_;
};

using Causes = std::vector<Cause>;
using Rule = Causes(const Diagnosis&);

// Those in the tables (rules.cpp).
Rule find_offline;  // ways/offline.cpp
Rule find_captive_portal, find_redirected_pages, find_split_paths,
    find_full_tunnel;  // contents/site.cpp
Rule find_clock_skew;  // contents/time.cpp
Rule find_absent_neighbours;  // contents/neighbours.cpp
Rule find_own_firewall, find_hosts_file, find_agent,
    find_browser_policies;                          // contents/computer.cpp
Rule find_mtu, find_broken_ipv6, find_vendor_ipv6;  // ways/path.cpp
Rule find_dns_unreachable, find_dns_rewritten, find_denying_resolver, find_inconsistent_dns,
    find_dns_filtered, find_unanswered_names, find_outdated_names, find_late_names, find_dns_slow,
    find_dns_without_tcp;  // contents/dns.cpp
Rule find_block_page;      // contents/names.cpp
Rule find_pac_failure, find_proxy_unreachable, find_proxy_login, find_failing_proxy,
    find_proxy_required, find_proxy_denials, find_stripped_upgrades;  // contents/proxy.cpp
Rule find_rate_limit;                                                 // ways/ban.cpp
Rule find_dead_path, find_half_shut_names, find_random_refusals, find_new_flow_limit,
    find_limited_requests, find_lost_first_packets, find_loss;  // ways/limits_and_loss.cpp
Rule find_late_starts;                                     // ways/late_start.cpp
Rule find_closed, find_flows;                              // ways/closed.cpp
Rule find_web_only, find_tcp_blocked, find_udp_blocked, find_one_way_media;  // ways/udp.cpp
Rule find_stun_filter, find_media_filter, find_sip_filter, find_tls_filter,
    find_taken_connections;  // ways/filters.cpp
Rule find_dtls_filter, find_cut_greeting, find_silent_call, find_call_media, find_lost_consent,
    find_relayed_calls, find_outage;                         // contents/call.cpp
Rule find_refused_quic, find_filtered_quic, find_cut_hello;  // ways/greetings.cpp
Rule find_interception, find_old_authorities, find_other_far_ends, find_refused_media_keys,
    find_certificate_faults;                             // contents/tls.cpp
Rule find_own_address, find_idle_timeout, find_nat;      // contents/nat.cpp
Rule find_sip_alg, find_lost_long_sip, find_sip_errors;  // contents/sip.cpp
Rule find_media_loss, find_poor_score, find_full_line, find_few_calls, find_media_delay,
    find_cleared_marks, find_dropped_marks, find_flood_protection,
    find_interruption;                                                     // contents/media.cpp
Rule find_vendor_down, find_cut_flows, find_dying_relays, find_private_relays,
    find_turn;  // contents/vendor.cpp

// A call that a relay over TCP or TLS carries, because nothing else does (contents/call.cpp).
bool needs_relay_over_stream(const ProbeResult& result);

// contents/site.cpp: this site's addresses as servers outside see them over UDP, and over TCP. IPv4
// only: with IPv6 a computer has several addresses of its own.
struct SplitPaths {
  IpAddress udp_address, tcp_address;
  Probes udp, tcp;  // by which each was seen
};

// Nothing where both are one, or where one protocol alone was seen as several: a pool, several
// lines.
std::optional<SplitPaths> split_paths(const Facts& facts);

// ways/late_start.cpp: over that transport, each request that was never answered was sent before
// any that was answered at once.
struct LateStart {
  Probes lost, again;          // what was never answered; and what was later, of the same flows
  WallTime first, last, over;  // when the first and the last of these was sent; and the next answer
};
std::optional<LateStart> late_start(const Facts& facts, bool udp);
// The same flows of two operators were answered later, over UDP or TCP.
bool started_late(const Facts& facts);

// ways/path.cpp: how an `ipv6` check ended over IPv6 and over IPv4.
void tell_of_both(const ProbeResult& result, Cause& cause);

// contents/media.cpp: for a stream that was marked for voice and lost packets, what to look for if
// a call without marks to the same host lost next to nothing; otherwise empty.
Text look_for_limits_on_marks(const Facts& facts, const Probes& streams);

// A stream between relays of a server, after one of them died (contents/vendor.cpp).
bool is_between_dying_relays(const Facts& facts, const ProbeResult& stream);

// ways/offline.cpp: what keeps this computer off the Internet, by its own system, without
// evidence of what was tried. Nothing where it is connected, where a tunnel may be its way out, or
// where the report does not say. Its code is `network.offline` where no link is up.
std::optional<Cause> disconnected(const Site& site);

// ways/unexplained.cpp: what is blocked and in no finding, by the final verdicts; not a row of
// the table, since it comes after them.
std::optional<Cause> find_unexplained(const Facts& facts, const std::vector<Finding>& findings);

// ways/unexplained.cpp: for a cause that worlds decide. Nothing if it is certain, or nothing else
// is close.
std::optional<RunnerUp> runner_up(const Diagnosis& context, const Cause& cause);

// ways/weak_evidence.cpp
// For `Diagnosis::got_out`.
std::set<std::string> got_out_after_all(const Facts& facts);

// Those of `probes` that got no answer and are lost in worlds that add up to 0.99, even if these
// blame different causes.
std::set<std::string> surely_lost(const Diagnosis& context, const std::set<std::string>& probes);

// Probes that were only seen to leave the site, or to connect, and of which more is in doubt, or
// that were lost where a bad line loses more, with the reason in words. `explained`: probes whose
// silence has a cause that is known.
std::map<std::string, Text> doubted(const Diagnosis& context,
                                    const std::set<std::string>& explained);

// True where two sources of two hosts agree what time it is (contents/time.cpp).
bool time_is_known(const Facts& facts);

// True where the second round counted so (ways/limits_and_loss.cpp).
bool new_flows_are_limited(const Facts& facts);
// Of the requests to one server, most were lost over one flow and over new ones, while others were
// answered at once: no line loses so.
bool loses_most_requests(const Facts& facts);
// Media ranges of which some ports were not seen to get out, where such a limit dropped requests of
// rows: it hides what else may be dropped, and a call opens several flows at once.
Probes hidden_by_limit(const Diagnosis& context);

// What was reached directly outside on TCP 80, where a sign-in page answers in everybody's name;
// and whether that is all that works, while something that a row asks for fails
// (contents/site.cpp).
Probes plain_http_answers(const Facts& facts);
bool only_plain_http_works(const Facts& facts);

// Something that answered at first is silent now (ways/ban.cpp); and nothing else has got through
// since.
bool some_fell_silent(const Facts& facts);
bool is_shut_out(const Facts& facts);

}  // namespace callready::findings
