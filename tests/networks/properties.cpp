#include "tests/networks/properties.hpp"

#include <algorithm>

#include "tests/networks/twin.hpp"
#include "tests/support/sentences.hpp"

namespace callready::networks {
namespace {

std::string name_of(const Finding& finding) { return std::string(to_string(finding.code)); }

// The number that follows these words; 0 where they are not there.
int port_after(const std::string& text, const std::string& words) {
  const auto at = text.find(words);
  return at == std::string::npos ? 0 : std::stoi(text.substr(at + words.size()));
}

bool strong(const Finding& finding) { return finding.confidence != Confidence::possible; }

bool failing(const Observation& observation) {
  return !reached(observation.outcome) && observation.outcome != Outcome::skipped;
}

class Judge {
 public:
  // `with_twins`: what is ready and cannot work is looked at, too, which takes long.
  Judge(const networks::Network& network, const Scene& scene, const Report& report,
        bool with_twins = true)
      : network_(network),
        scene_(scene),
        report_(report),
        with_twins_(with_twins),
        truth_(truth_of(network, scene, report)),
        traffic_(network, scene.internet) {
    for (const auto& result : report.probes) results_[result.probe.id] = &result;
  }

  Judgement make() {
    for (const auto& finding : report_.findings) {
      judgement_.named.push_back(name_of(finding) + ' ' +
                                 std::string(to_string(finding.confidence)));
      if (strong(finding)) look_at(finding);
      look_for_holes(finding);
    }
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
  // Where a list that a sentence is made with was empty.
  void look_for_holes(const Finding& finding) {
    if (test::words_in(finding.title) > test::most_words) {
      violation("5 a title of more than 12 words: " + name_of(finding), finding.title);
    }
    for (const auto& text : {finding.title, finding.fix}) {
      for (const auto* hole : {": .", ": ,", " .", " ,", ",.", "to .", "  ", "()", "{}"}) {
        if (text.find(hole) == std::string::npos) continue;
        violation("5 a sentence with a hole: " + name_of(finding), text);
        return;
      }
    }
  }

  bool has(BoxKind kind) const { return traffic_.find(kind) != nullptr; }
  bool has_far(std::initializer_list<FarFault> faults) const {
    return std::any_of(network_.far.begin(), network_.far.end(), [&](const Far& far) {
      return std::find(faults.begin(), faults.end(), far.fault) != faults.end();
    });
  }
  bool filters(std::initializer_list<Payload> payloads) const {
    return std::any_of(network_.boxes.begin(), network_.boxes.end(), [&](const Box& box) {
      const bool its = std::find(payloads.begin(), payloads.end(), box.payload) != payloads.end();
      return box.kind == BoxKind::protocol && its;
    });
  }
  // True where every flow of the run that `wanted` accepts is broken.
  template <typename Wanted>
  bool all_broken(Wanted wanted) const {
    for (const auto& [id, flow] : truth_.flows) {
      const auto& probe = results_.at(id)->probe;
      if (wanted(probe) && flow.works == Works::yes) return false;
    }
    return true;
  }

  // What is behind the first router that is not the site's has passed that one: it looks as if it
  // came from further out.
  bool at_the_site(const Box& box) const {
    const auto at = static_cast<std::size_t>(box.hop) - 1;
    const bool inside = at < network_.hops.size() && network_.hops[at].inside;
    const bool public_address = !inside || !network_.hops[at].address.is_private();
    return box.hop < 2 || !public_address;
  }
  bool nothing_reached() const {
    return std::none_of(report_.probes.begin(), report_.probes.end(), [](const auto& result) {
      return result.probe.check != CheckKind::dns && reached(result.observation.outcome);
    });
  }

  // Empty where what the finding names is there; else what is missing.
  std::string missing(const Finding& finding) const {
    const auto& code = finding.code;
    const auto is = [&](FindingCode one) { return code == one; };
    // Port 53 is left out by the findings themselves: to a firewall it is DNS, whatever it carries.
    // So are the ports below it, which no service has, and which are asked as the ends of a range.
    const auto udp = [](const Probe& probe) {
      return probe.target.transport == Transport::udp && probe.target.route.direct() &&
             probe.check != CheckKind::dns && probe.target.ports.last > 53;
    };
    if (is(FindingCode::firewall_udp_blocked)) {
      const auto from = port_after(finding.title.string(), "from port ");
      const auto meant = [&](const Probe& probe) {
        return udp(probe) && probe.target.ports.first >= from;
      };
      return all_broken(meant) ? "" : "some UDP works";
    }
    if (is(FindingCode::firewall_web_only)) {
      const bool other_tcp = all_broken([](const Probe& probe) {
        const auto port = probe.target.port();
        return probe.target.transport != Transport::udp && probe.target.route.direct() &&
               port != 80 && port != 443 && port != 53 && port != 0;
      });
      return other_tcp && all_broken(udp) ? "" : "more than web works";
    }
    if (is(FindingCode::firewall_stun_filtered)) {
      return filters({Payload::stun, Payload::turn}) ? "" : "no box filters STUN";
    }
    if (is(FindingCode::firewall_sip_filtered)) {
      return has(BoxKind::accept) || filters({Payload::sip}) ? "" : "no box filters SIP";
    }
    if (is(FindingCode::firewall_tls_filtered)) {
      // Who takes a connection and gets no further with it cuts off what is greeted.
      const bool takes = has(BoxKind::accept) || has(BoxKind::intercept);
      return takes || filters({Payload::tls}) || has(BoxKind::names) ? "" : "no box filters TLS";
    }
    if (is(FindingCode::firewall_rate_limited)) {
      return has(BoxKind::rate) || has(BoxKind::ban) ? "" : "no box limits";
    }
    if (is(FindingCode::firewall_new_flows_limited))
      return has(BoxKind::rate) ? "" : "no box limits";
    if (is(FindingCode::network_loss)) {
      const bool loses = network_.loss_out > 0 || network_.loss_in > 0 || has(BoxKind::branch);
      return loses ? "" : "nothing gets lost";
    }
    if (is(FindingCode::firewall_idle_timeout)) return "no binding was measured";
    if (is(FindingCode::network_captive_portal)) return has(BoxKind::portal) ? "" : "no portal";
    if (is(FindingCode::network_mtu)) return has(BoxKind::mtu) ? "" : "no box drops large packets";
    if (is(FindingCode::network_ipv6_broken))
      return network_.ipv6 == Ipv6::broken ? "" : "IPv6 is not broken";
    if (is(FindingCode::network_vpn_full_tunnel)) return "no VPN";
    if (is(FindingCode::network_offline)) {
      // But names: that they may be looked up all the same, the finding says itself. What works
      // and cannot be seen to makes no difference to any probe.
      return nothing_reached() ||
                     all_broken([](const Probe& probe) { return probe.check != CheckKind::dns; })
                 ? ""
                 : "something works";
    }
    if (is(FindingCode::dns_filtered) || is(FindingCode::dns_rewritten)) {
      return network_.dns != Dns::works && network_.dns != Dns::dead ? "" : "DNS does not filter";
    }
    if (is(FindingCode::dns_unreachable)) {
      return network_.dns == Dns::dead || network_.resolver_outside ||
                     network_.dns == Dns::servfail || network_.dns == Dns::refused
                 ? ""
                 : "the resolver works";
    }
    if (is(FindingCode::dns_slow)) return network_.dns_ms > 200 ? "" : "DNS is fast";
    if (is(FindingCode::proxy_auth_required))
      return network_.proxy.login ? "" : "the proxy wants no login";
    if (is(FindingCode::proxy_unreachable)) return network_.proxy.up ? "the proxy is up" : "";
    if (is(FindingCode::proxy_connect_denied)) {
      return network_.proxy.given ? "" : "there is no proxy";
    }
    if (is(FindingCode::proxy_no_websocket) || is(FindingCode::proxy_pac_failed))
      return "no such fault";
    if (is(FindingCode::tls_intercepted)) return has(BoxKind::intercept) ? "" : "nobody opens TLS";
    if (is(FindingCode::tls_untrusted)) {
      return has(BoxKind::intercept) || has_far({FarFault::untrusted}) ? "" : "all is trusted";
    }
    if (is(FindingCode::tls_expired))
      return has_far({FarFault::expired}) ? "" : "nothing is expired";
    if (is(FindingCode::tls_wrong_name))
      return has_far({FarFault::wrong_name}) ? "" : "names are right";
    if (is(FindingCode::tls_incomplete_chain) || is(FindingCode::tls_outdated))
      return "no such fault";
    if (is(FindingCode::nat_symmetric)) {
      const bool is_symmetric =
          std::any_of(network_.boxes.begin(), network_.boxes.end(), [](const Box& box) {
            return box.kind == BoxKind::nat && box.mapping != Behaviour::independent;
          });
      return is_symmetric ? "" : "no NAT is symmetric";
    }
    const auto nats = std::count_if(network_.boxes.begin(), network_.boxes.end(),
                                    [](const Box& box) { return box.kind == BoxKind::nat; });
    if (is(FindingCode::nat_double)) return nats > 1 ? "" : "one NAT at most";
    if (is(FindingCode::nat_carrier_grade)) {
      const bool shared = std::any_of(
          network_.boxes.begin(), network_.boxes.end(),
          [](const Box& box) { return box.kind == BoxKind::nat && box.outside.is_shared(); });
      return shared && nats > 1 ? "" : "no carrier NAT";
    }
    if (is(FindingCode::sip_alg)) return has(BoxKind::sip_alg) ? "" : "nobody rewrites SIP";
    if (is(FindingCode::sip_server_error) || is(FindingCode::turn_auth_failed) ||
        is(FindingCode::turn_quota) || is(FindingCode::turn_relay_dead)) {
      return "the servers are well";
    }
    if (is(FindingCode::media_delay)) return network_.delay_ms >= 40 ? "" : "the line is fast";
    if (is(FindingCode::time_skewed)) return "the clock is right";
    if (is(FindingCode::vendor_down)) {
      // Who resets in the far end's name beyond the site looks like the far end.
      const bool impostor =
          std::any_of(network_.boxes.begin(), network_.boxes.end(), [&](const Box& box) {
            const bool resets = box.action == Action::refuse || box.action == Action::forge;
            return resets && box.kind == BoxKind::rule && !at_the_site(box);
          });
      return impostor || has_far({FarFault::down, FarFault::refuses, FarFault::error})
                 ? ""
                 : "the vendor is up";
    }
    if (is(FindingCode::target_outdated)) return has_far({FarFault::gone}) ? "" : "no name is gone";
    return {};
  }

  static bool accuses_flows(FindingCode code) {
    if (code == FindingCode::media_one_way) return true;
    for (const auto* family : {"firewall", "dns", "proxy", "vendor", "network"}) {
      if (family_of(code) == family) {
        return code != FindingCode::dns_slow && code != FindingCode::network_ipv6_broken &&
               code != FindingCode::network_mtu && code != FindingCode::firewall_rate_limited &&
               code != FindingCode::firewall_new_flows_limited && code != FindingCode::network_loss;
      }
    }
    return false;
  }

  void look_at(const Finding& finding) {
    const auto name = name_of(finding) + " (" + std::string(to_string(finding.confidence)) + ")";
    const auto absent = missing(finding);
    if (!absent.empty()) {
      violation("1 names what is not there: " + name_of(finding), name + ": " + absent);
      return;
    }
    if (!accuses_flows(finding.code)) return;
    bool any_broken = false, any_failing = false;
    for (const auto& evidence : finding.evidence) {
      const auto found = results_.find(evidence.probe);
      if (found == results_.end()) continue;
      const auto works = truth_.flows.at(evidence.probe).works;
      any_broken |= works != Works::yes;
      if (!failing(found->second->observation)) continue;
      // TCP beside UDP is there for the contrast.
      const bool about_udp = name_of(finding).find("udp") != std::string::npos;
      const bool tcp = found->second->probe.target.transport != Transport::udp;
      if (about_udp && tcp) continue;
      // So is a connection that stood.
      const bool stood = found->second->observation.timing_ms.contains(Timing::connect);
      const bool about_flows = name_of(finding).ends_with("_blocked");
      if (about_flows && tcp && stood) continue;
      any_failing = true;
      if (works == Works::yes) {
        violation("1 accuses a flow that works: " + name_of(finding), name + ": " + evidence.probe);
        return;
      }
    }
    if (any_failing && !any_broken) {
      violation("1 accuses nothing broken: " + name_of(finding), name);
      return;
    }
    for (const auto& row : finding.explains) {
      if (nothing_reached()) return;
      const auto truth = truth_.rows.find(row);
      if (truth == truth_.rows.end() || truth->second.works != Works::yes) continue;
      violation("1 explains a row that works: " + name_of(finding), name + ": " + row);
      return;
    }
  }

  std::string_view results_check(const RequirementResult& row) const {
    if (row.probes.empty()) return {};
    return to_string(results_.at(row.probes.front())->probe.check);
  }

  // Who breaks what the capability needs: "portal", "dns", "rule".
  std::set<std::string> breakers(const SetResult& set, const CapabilityResult& capability) const {
    std::set<std::string> by;
    for (const auto& row : set.requirements) {
      const auto& ids = capability.requirements;
      if (std::find(ids.begin(), ids.end(), row.id) == ids.end()) continue;
      for (const auto& probe : row.probes) {
        const auto& flow = truth_.flows.at(probe);
        if (flow.works == Works::no) by.insert(flow.by);
      }
    }
    return by;
  }

  static std::string in_words(const std::set<std::string>& by) {
    std::string text;
    for (const auto& one : by) text += (text.empty() ? "" : " ") + one;
    return text.empty() ? "nothing" : text;
  }

  // Media is taken to work where its packets leave the site, and no probe sees further: then the
  // row has to say how far it was seen. A connection that stood is one, whoever took it.
  bool says_how_far(const SetResult& set, const CapabilityResult& capability) const {
    return std::any_of(set.requirements.begin(), set.requirements.end(), [&](const auto& row) {
      const auto& ids = capability.requirements;
      if (std::find(ids.begin(), ids.end(), row.id) == ids.end()) return false;
      return row.summary.find("leaves the site") != std::string::npos ||
             row.summary.find("leave the site") != std::string::npos ||
             std::any_of(row.probes.begin(), row.probes.end(), [&](const auto& id) {
               return results_.at(id)->observation.outcome == Outcome::connected;
             });
    });
  }

  // What was seen of the rows that leave a capability open.
  void note_open_probes(const SetResult& set, const CapabilityResult& capability,
                        const std::string& though) {
    std::set<std::string> seen;
    for (const auto& row : set.requirements) {
      const auto& ids = capability.requirements;
      const bool its = std::find(ids.begin(), ids.end(), row.id) != ids.end();
      if (!its || row.status != Status::unknown) continue;
      if (row.probes.empty()) seen.insert(though + ": nothing asked");
      for (const auto& id : row.probes) {
        const auto& [probe, observation] = *results_.at(id);
        const auto outcome = observation.outcome;
        if (reached(outcome) && outcome != Outcome::passed) continue;
        seen.insert(though + ": " + std::string(to_string(probe.check)) + ' ' +
                    std::string(to_string(probe.target.transport)) + ' ' +
                    std::string(to_string(outcome)) + ' ' + observation.detail.text());
      }
    }
    judgement_.open_probes.insert(judgement_.open_probes.end(), seen.begin(), seen.end());
  }

  void look_at(const SetResult& set, const CapabilityResult& capability) {
    const auto works = truth_.capabilities.at(set.id + '/' + capability.id);
    const auto name =
        set.id + '/' + capability.id + " is " + std::string(to_string(capability.verdict));
    ++judgement_.capabilities;
    if (capability.verdict == Verdict::ready && works == Works::no && with_twins_) {
      const auto by = breakers(set, capability);
      const auto id = set.id + '/' + capability.id;
      if (!looks_like_it_works(network_, scene_, report_, id, by)) {
        violation("2 ready, and broken by " + in_words(by), name);
      } else if (!says_how_far(set, capability)) {
        violation("2 ready as far as was seen, and does not say how far", name);
      } else {
        ++judgement_.beyond;
      }
    }
    if (capability.verdict == Verdict::blocked && works == Works::yes && !nothing_reached()) {
      violation("2 blocked, and works as wanted", name + ": " + capability.summary);
    } else if (capability.verdict == Verdict::blocked && !nothing_reached() &&
               truth_.carried.contains(set.id + '/' + capability.id)) {
      violation("2 blocked, and works by a fallback", name + ": " + capability.summary);
    }
    if (capability.verdict == Verdict::blocked) {
      const bool explained = std::any_of(
          report_.findings.begin(), report_.findings.end(), [&](const Finding& finding) {
            return std::any_of(finding.affects.begin(), finding.affects.end(),
                               [&](const auto& one) {
                                 return one.set == set.id &&
                                        std::find(one.capabilities.begin(), one.capabilities.end(),
                                                  capability.id) != one.capabilities.end();
                               });
          });
      if (!explained)
        violation("3 blocked by " + in_words(breakers(set, capability)) + ", and no finding",
                  name + ": " + capability.summary);
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
      const bool affects = std::any_of(
          finding.affects.begin(), finding.affects.end(),
          [&](const auto& one) { return one.set == set.id && !one.capabilities.empty(); });
      // What the vendor advises against, and not only as a choice of several.
      const bool advised_against =
          (finding.code == FindingCode::sip_alg || finding.code == FindingCode::nat_symmetric) &&
          std::any_of(set.requirements.begin(), set.requirements.end(), [&](const auto& row) {
            const auto& explained = finding.explains;
            const bool its = std::find(explained.begin(), explained.end(), set.id + '/' + row.id) !=
                             explained.end();
            return its && row.severity != Severity::optional &&
                   (results_check(row) == "sip-alg" || results_check(row) == "nat");
          });
      if ((affects || advised_against) && set.verdict == Verdict::ready) {
        violation("4 ready beside " + name_of(finding), set.id);
        return;
      }
      for (const auto& row : set.requirements) {
        const auto id = set.id + '/' + row.id;
        const bool explained = std::find(finding.explains.begin(), finding.explains.end(), id) !=
                               finding.explains.end();
        const bool open = row.status == Status::unknown || row.status == Status::pass;
        // What gets lost now and then decides nothing.
        const bool decides = finding.code != FindingCode::network_loss &&
                             finding.code != FindingCode::firewall_new_flows_limited;
        if (!explained || !open || !decides) continue;
        violation("4 row " + std::string(to_string(row.status)) + " that is explained by " +
                      name_of(finding),
                  id);
        return;
      }
    }
  }

  const networks::Network& network_;
  const Scene& scene_;
  const Report& report_;
  const bool with_twins_;
  const Truth truth_;
  const Traffic traffic_;
  std::map<std::string, const ProbeResult*> results_;
  Judgement judgement_;
};

}  // namespace

Judgement judge(const networks::Network& network, const Scene& scene, const Report& report) {
  auto judgement = Judge(network, scene, report).make();
  const auto named_the_simpler = [&](const Violation& violation) {
    const bool ready = violation.kind.starts_with("2 ready");  // whose twins were looked at
    const bool own_contradiction = violation.kind[0] > '3';
    if (ready || own_contradiction) return false;
    return looks_like_a_simpler_one(network, scene, report, [&](const networks::Network& other) {
      const auto there = Judge(other, scene, report, false).make().violations;
      return std::none_of(there.begin(), there.end(),
                          [&](const Violation& one) { return one.kind == violation.kind; });
    });
  };
  judgement.simpler = static_cast<int>(std::erase_if(judgement.violations, named_the_simpler));
  return judgement;
}

}  // namespace callready::networks
