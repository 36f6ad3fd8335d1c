#include "tests/networks/properties.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tests/networks/twin.hpp"
#include "tests/support/sentences.hpp"

namespace callready::networks {
namespace {

std::string name_of(const Finding& finding) { return std::string(to_string(finding.code)); }

bool strong(const Finding& finding) { return finding.confidence != Confidence::possible; }

// No finding about firewalls names a box of these kinds.
bool may_be_a_firewall(const Box& box) {
  return box.kind != BoxKind::nat && box.kind != BoxKind::sip_alg && box.kind != BoxKind::mtu;
}

class Judge {
 public:
  // `with_twins`: also examines what is ready and cannot work, which takes long.
  Judge(const networks::Network& network, const Report& report, bool with_twins = true)
      : network_(network),
        report_(report),
        with_twins_(with_twins),
        truth_(truth_of(network, report)),
        results_(by_id(report)) {}

  Judgement make() {
    for (const auto& finding : report_.findings) {
      judgement_.named.push_back(
          fmt::format("{} {}", name_of(finding), to_string(finding.confidence)));
      if (strong(finding)) look_at(finding);
      look_for_holes(finding);
    }
    const auto names = std::ranges::count_if(report_.findings, [](const Finding& finding) {
      return strong(finding) && family_of(finding.code) == "firewall";
    });
    judgement_.more_names = names > std::ranges::count_if(network_.boxes, may_be_a_firewall);
    for (const auto& set : report_.sets) {
      for (const auto& capability : set.capabilities) look_at(set, capability);
      look_at(set);
    }
    return std::move(judgement_);
  }

 private:
  void violation(std::string kind, const Text& what) {
    const bool certain = what.find("(certain)") != std::string::npos;
    judgement_.violations.push_back({std::move(kind), what.string(), certain});
  }
  // Gaps that an empty list left in a sentence.
  void look_for_holes(const Finding& finding) {
    if (test::words_in(finding.title) > test::most_words) {
      violation("5 a title of more than 12 words: " + name_of(finding), finding.title);
    }
    for (const auto& text : {finding.title, finding.fix}) {
      for (const auto* hole : {": .", ": ,", " .", " ,", ",.", "to .", "  ", "()", "{}"}) {
        if (text.find(hole) == std::string::npos) continue;
        return violation("5 a sentence with a hole: " + name_of(finding), text);
      }
    }
  }

  bool has(BoxKind kind) const { return network_.find(kind) != nullptr; }
  template <typename Asked>
  bool has_box(Asked asked) const {
    return std::ranges::any_of(network_.boxes, asked);
  }
  bool has_far(std::initializer_list<FarFault> faults) const {
    return std::ranges::any_of(network_.far,
                               [&](const Far& far) { return contains(faults, far.fault); });
  }
  bool filters(std::initializer_list<Payload> payloads) const {
    return has_box([&](const Box& box) {
      return box.kind == BoxKind::protocol && contains(payloads, box.payload);
    });
  }
  // True where every flow of the run that `wanted` accepts is broken.
  template <typename Wanted>
  bool all_broken(Wanted wanted) const {
    return std::ranges::none_of(truth_.flows, [&](const auto& flow) {
      return flow.second.works == Works::yes && wanted(results_.at(flow.first)->probe);
    });
  }

  // What is behind the first router that is not the site's has passed that one: it looks as if it
  // came from further out.
  bool at_the_site(const Box& box) const {
    const auto at = static_cast<std::size_t>(box.hop) - 1;
    const auto& hops = network_.hops;
    return box.hop < 2 || (at < hops.size() && hops[at].inside && hops[at].address.is_private());
  }
  bool nothing_reached() const {
    return std::ranges::none_of(report_.probes, [](const auto& result) {
      return result.probe.check != CheckKind::dns && reached(result.observation.outcome);
    });
  }

  // Empty if what the finding names is there; otherwise what is missing.
  std::string missing(const Finding& finding) const {
    using enum FindingCode;
    const auto code = finding.code;
    // Port 53 is left out by the findings themselves: to a firewall it is DNS, whatever it carries.
    // So are the ports below it, which no service has, and which are asked as the ends of a range.
    const auto udp = [](const Probe& probe) {
      return probe.target.transport == Transport::udp && probe.target.route.direct() &&
             probe.check != CheckKind::dns && probe.target.ports.last > 53;
    };
    const std::string title = finding.title.string(), from = "from port ";
    const auto at = code == firewall_udp_blocked ? title.find(from) : title.npos;
    const int first = at == title.npos ? 0 : std::stoi(title.substr(at + from.size()));
    const auto udp_from_there = [&](const Probe& probe) {
      return udp(probe) && probe.target.ports.first >= first;
    };
    const auto other_tcp = [](const Probe& probe) {
      const auto port = probe.target.port();
      return probe.target.transport != Transport::udp && probe.target.route.direct() &&
             port != 80 && port != 443 && port != 53 && port != 0;
    };
    // All but DNS: the finding itself says that names may still be looked up.
    const auto but_names = [](const Probe& probe) { return probe.check != CheckKind::dns; };
    const auto nats = std::ranges::count(network_.boxes, BoxKind::nat, &Box::kind);
    const bool symmetric = has_box([](const Box& box) {
      return box.kind == BoxKind::nat && box.mapping != Behaviour::independent;
    });
    const bool shared =
        has_box([](const Box& box) { return box.kind == BoxKind::nat && box.outside.is_shared(); });
    // A box beyond the site that resets in the far end's name looks like the far end.
    const bool impostor = has_box([&](const Box& box) {
      const bool resets = box.action == Action::refuse || box.action == Action::forge;
      return resets && box.kind == BoxKind::rule && !at_the_site(box);
    });
    // A box that takes a connection and cannot carry it on cuts off TLS greetings.
    const bool takes = has(BoxKind::accept) || has(BoxKind::intercept);
    const auto dns = network_.dns;
    const bool lies = dns != Dns::works && dns != Dns::dead;
    const bool no_dns = dns == Dns::dead || dns == Dns::servfail || dns == Dns::refused;
    const struct {
      FindingCode code;
      bool there;
      const char* otherwise;
    } claims[] = {
        {firewall_udp_blocked, all_broken(udp_from_there), "some UDP works"},
        {firewall_web_only, all_broken(other_tcp) && all_broken(udp), "more than web works"},
        // What works without any probe being able to see it makes no difference.
        {network_offline, nothing_reached() || all_broken(but_names), "something works"},
        {firewall_stun_filtered, filters({Payload::stun, Payload::turn}), "no box filters STUN"},
        {firewall_media_filtered, filters({Payload::rtp}), "no box filters media"},
        {firewall_sip_filtered, has(BoxKind::accept) || filters({Payload::sip}), "no SIP filter"},
        {firewall_tls_filtered, takes || filters({Payload::tls}) || has(BoxKind::names),
         "no box filters TLS"},
        {firewall_rate_limited, has(BoxKind::rate) || has(BoxKind::ban), "no box limits"},
        {firewall_new_flows_limited, has(BoxKind::rate), "no box limits"},
        {network_dead_path, has(BoxKind::branch), "no path is dead"},
        {network_loss, network_.loses_packets() || has(BoxKind::branch) || has(BoxKind::first),
         "nothing gets lost"},
        {firewall_idle_timeout, false, "no binding was measured"},
        {network_captive_portal, has(BoxKind::portal), "no portal"},
        {network_mtu, has(BoxKind::mtu), "no box drops large packets"},
        {network_ipv6_broken, network_.ipv6 == Ipv6::broken, "IPv6 is not broken"},
        {network_vpn_full_tunnel, false, "no VPN"},
        {dns_filtered, lies, "DNS does not filter"},
        {dns_rewritten, lies, "DNS does not filter"},
        {dns_unreachable, no_dns || network_.resolver_outside, "the resolver works"},
        {dns_slow, network_.dns_ms > 200, "DNS is fast"},
        {proxy_auth_required, network_.proxy.login, "the proxy wants no login"},
        {proxy_unreachable, !network_.proxy.up, "the proxy is up"},
        {proxy_connect_denied, network_.proxy.given, "there is no proxy"},
        {proxy_no_websocket, false, "no such fault"},
        {proxy_pac_failed, false, "no such fault"},
        {tls_intercepted, has(BoxKind::intercept), "nobody opens TLS"},
        {tls_untrusted, has(BoxKind::intercept) || has_far({FarFault::untrusted}),
         "all is trusted"},
        {tls_expired, has_far({FarFault::expired}), "nothing is expired"},
        {tls_wrong_name, has_far({FarFault::wrong_name}), "names are right"},
        {tls_incomplete_chain, false, "no such fault"},
        {tls_outdated, false, "no such fault"},
        {nat_symmetric, symmetric, "no NAT is symmetric"},
        {nat_double, nats > 1, "one NAT at most"},
        {nat_carrier_grade, shared && nats > 1, "no carrier NAT"},
        {sip_alg, has(BoxKind::sip_alg), "nobody rewrites SIP"},
        {sip_server_error, false, "the servers are well"},
        {turn_auth_failed, false, "the servers are well"},
        {turn_quota, false, "the servers are well"},
        {turn_relay_dead, false, "the servers are well"},
        {media_delay, network_.delay_ms >= 40, "the line is fast"},
        {time_skewed, false, "the clock is right"},
        {vendor_down, impostor || has_far({FarFault::down, FarFault::refuses, FarFault::error}),
         "the vendor is up"},
        {target_outdated, has_far({FarFault::gone}), "no name is gone"},
    };
    const auto claim = std::ranges::find(claims, code, [](const auto& one) { return one.code; });
    return claim == std::end(claims) || claim->there ? "" : claim->otherwise;
  }

  static bool accuses_flows(FindingCode code) {
    using enum FindingCode;
    static const std::set<std::string_view> families = {"firewall", "dns", "proxy", "vendor",
                                                        "network"};
    const bool no_flows = code == dns_slow || code == network_ipv6_broken || code == network_mtu ||
                          code == firewall_rate_limited || code == firewall_new_flows_limited ||
                          code == network_dead_path || code == network_loss;
    return code == media_one_way || (families.contains(family_of(code)) && !no_flows);
  }

  void look_at(const Finding& finding) {
    const auto code = name_of(finding);
    const auto name = fmt::format("{} ({})", code, to_string(finding.confidence));
    const auto absent = missing(finding);
    if (!absent.empty()) {
      return violation("1 names what is not there: " + code, name + ": " + absent);
    }
    if (!accuses_flows(finding.code)) return;
    const bool about_udp = code.find("udp") != code.npos, about_flows = code.ends_with("_blocked");
    bool any_broken = false, any_failing = false;
    for (const auto& evidence : finding.evidence) {
      const auto found = results_.find(evidence.probe);
      if (found == results_.end()) continue;
      const auto works = truth_.flows.at(evidence.probe).works;
      any_broken |= works != Works::yes;
      const auto& [probe, seen] = *found->second;
      if (reached(seen.outcome) || seen.outcome == Outcome::skipped) continue;
      // TCP beside UDP is there for the contrast, and so is a connection that stood.
      const bool stood = about_flows && seen.timing_ms.contains(Timing::connect);
      if (probe.target.transport != Transport::udp && (about_udp || stood)) continue;
      any_failing = true;
      if (works == Works::yes) {
        return violation("1 accuses a flow that works: " + code, name + ": " + evidence.probe);
      }
    }
    if (any_failing && !any_broken) return violation("1 accuses nothing broken: " + code, name);
    if (nothing_reached()) return;
    for (const auto& row : finding.explains) {
      const auto truth = truth_.rows.find(row);
      if (truth == truth_.rows.end() || truth->second != Works::yes) continue;
      return violation("1 explains a row that works: " + code, name + ": " + row);
    }
  }

  // What breaks the flows that the capability needs: "portal", "dns", "rule".
  std::set<std::string> breakers(const SetResult& set, const CapabilityResult& capability) const {
    std::set<std::string> by;
    for (const auto* row : rows_of(set, capability)) {
      for (const auto& probe : row->probes) {
        const auto& flow = truth_.flows.at(probe);
        if (flow.works == Works::no) by.insert(flow.by);
      }
    }
    return by;
  }

  static std::string in_words(const std::set<std::string>& by) {
    return by.empty() ? "nothing" : fmt::format("{}", fmt::join(by, " "));
  }

  // Media is taken to work if its packets leave the site and no probe sees further: then the row
  // has to say how far it was seen. An established connection is enough, whatever took it.
  bool says_how_far(const SetResult& set, const CapabilityResult& capability) const {
    return std::ranges::any_of(rows_of(set, capability), [&](const auto* row) {
      return row->summary.find("leaves the site") != std::string::npos ||
             row->summary.find("leave the site") != std::string::npos ||
             std::ranges::any_of(row->probes, [&](const auto& id) {
               return results_.at(id)->observation.outcome == Outcome::connected;
             });
    });
  }

  // What was seen of the rows that leave a capability open.
  void note_open_probes(const SetResult& set, const CapabilityResult& capability,
                        const std::string& though) {
    std::set<std::string> seen;
    for (const auto* row : rows_of(set, capability)) {
      if (row->status != Status::unknown) continue;
      if (row->probes.empty()) seen.insert(though + ": nothing asked");
      for (const auto& id : row->probes) {
        const auto& [probe, observation] = *results_.at(id);
        const auto outcome = observation.outcome;
        if (reached(outcome) && outcome != Outcome::passed) continue;
        seen.insert(fmt::format("{}: {} {} {} {}", though, to_string(probe.check),
                                to_string(probe.target.transport), to_string(outcome),
                                observation.detail.text()));
      }
    }
    judgement_.open_probes.insert(judgement_.open_probes.end(), seen.begin(), seen.end());
  }

  void look_at(const SetResult& set, const CapabilityResult& capability) {
    const auto id = set.id + '/' + capability.id;
    const auto works = truth_.capabilities.at(id);
    const auto name = fmt::format("{} is {}", id, to_string(capability.verdict));
    ++judgement_.capabilities;
    if (capability.verdict == Verdict::ready && works == Works::no && with_twins_) {
      const auto by = breakers(set, capability);
      if (!looks_like_it_works(network_, report_, id, by)) {
        violation("2 ready, and broken by " + in_words(by), name);
      } else if (!says_how_far(set, capability)) {
        violation("2 ready as far as was seen, and does not say how far", name);
      } else {
        ++judgement_.beyond;
      }
    }
    if (capability.verdict == Verdict::blocked) {
      const auto what = name + ": " + capability.summary;
      const bool wanted = works == Works::yes;
      if ((wanted || truth_.carried.contains(id)) && !nothing_reached()) {
        violation(wanted ? "2 blocked, and works as wanted" : "2 blocked, and works by a fallback",
                  what);
      }
      const auto explains = [&](const FindingAffects& one) {
        return one.set == set.id && contains(one.capabilities, capability.id);
      };
      const bool explained = std::ranges::any_of(report_.findings, [&](const Finding& finding) {
        return std::ranges::any_of(finding.affects, explains);
      });
      if (!explained) {
        violation("3 blocked by " + in_words(breakers(set, capability)) + ", and no finding", what);
      }
    }
    if (capability.verdict == Verdict::unknown) {
      ++judgement_.unknown;
      judgement_.unknown_though.push_back(works == Works::yes  ? "it works"
                                          : works == Works::no ? "it cannot work"
                                                               : "it may work");
      note_open_probes(set, capability, judgement_.unknown_though.back());
    }
  }

  void look_at(const SetResult& set) {
    for (const auto& finding : report_.findings) {
      if (!strong(finding)) continue;
      const bool affects = std::ranges::any_of(finding.affects, [&](const FindingAffects& one) {
        return one.set == set.id && !one.capabilities.empty();
      });
      const auto explains = [&](const RequirementResult& row) {
        return contains(finding.explains, set.id + '/' + row.id);
      };
      const auto advises = [&](const RequirementResult& row) {
        if (row.severity == Severity::optional || !explains(row) || row.probes.empty())
          return false;
        const auto check = results_.at(row.probes.front())->probe.check;
        return check == CheckKind::sip_alg || check == CheckKind::nat;
      };
      // The vendor advises against it, in a row that is not optional.
      const bool advised_against =
          (finding.code == FindingCode::sip_alg || finding.code == FindingCode::nat_symmetric) &&
          std::ranges::any_of(set.requirements, advises);
      if ((affects || advised_against) && set.verdict == Verdict::ready) {
        return violation("4 ready beside " + name_of(finding), set.id);
      }
      // Losses now and then decide nothing.
      if (finding.code == FindingCode::network_loss ||
          finding.code == FindingCode::network_dead_path ||
          finding.code == FindingCode::firewall_new_flows_limited) {
        continue;
      }
      for (const auto& row : set.requirements) {
        const bool open = row.status == Status::unknown || row.status == Status::pass;
        if (!open || !explains(row)) continue;
        return violation(fmt::format("4 row {} that is explained by {}", to_string(row.status),
                                     name_of(finding)),
                         set.id + '/' + row.id);
      }
    }
  }

  const networks::Network& network_;
  const Report& report_;
  const bool with_twins_;
  const Truth truth_;
  const std::map<std::string, const ProbeResult*> results_;
  Judgement judgement_;
};

}  // namespace

Judgement judge(const networks::Network& network, const Report& report) {
  auto judgement = Judge(network, report).make();
  const auto named_the_simpler = [&](const Violation& violation) {
    const bool ready = violation.kind.starts_with("2 ready");  // whose twins were looked at
    const bool own_contradiction = violation.kind[0] > '3';
    if (ready || own_contradiction) return false;
    return looks_like_a_simpler_one(network, report, [&](const networks::Network& other) {
      const auto there = Judge(other, report, false).make().violations;
      return std::ranges::find(there, violation.kind, &Violation::kind) == there.end();
    });
  };
  judgement.simpler = static_cast<int>(std::erase_if(judgement.violations, named_the_simpler));
  return judgement;
}

}  // namespace callready::networks
