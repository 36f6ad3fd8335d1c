// What no rule explains is reported as it is: which flows, what was seen, and what to ask next. A
// blocked capability never stands alone. And what else may be behind a failure that worlds explain,
// if it is close: the likeliest world that explains all of it by another cause, and what would tell
// them apart.
#include <algorithm>
#include <array>

#include "probe/diagnosis/ways/by_worlds.hpp"
#include "probe/diagnosis/ways/flow_groups.hpp"
#include "probe/model/describe.hpp"

namespace callready::findings {
namespace {

// The failed rows of capabilities that do not work and of which no failed row has a cause.
std::vector<const RequirementResult*> unexplained_rows(const SetResult& set,
                                                       const std::set<std::string>& explained) {
  std::vector<const RequirementResult*> lost;
  for (const auto& capability : set.capabilities) {
    if (capability.verdict != Verdict::blocked) continue;
    std::vector<const RequirementResult*> failed;
    bool any_explained = false;
    for (const auto& row : set.requirements) {
      const bool has = contains(capability.requirements, row.id);
      if (!has || row.status != Status::fail) continue;
      any_explained |= explained.contains(set.id + '/' + row.id);
      failed.push_back(&row);
    }
    if (!any_explained) add_new(lost, failed);
  }
  return lost;
}

// How one world explains these failures.
struct Behind {
  std::vector<const reach::Box*> boxes;  // each once
  bool chance = false;                   // packets get lost
};

// Nothing where it leaves one of them unexplained.
std::optional<Behind> behind(const reach::Drawn& drawn, const reach::World& world,
                             const std::vector<std::size_t>& failures) {
  Behind found;
  for (const auto event : failures) {
    const auto met = reach::fate_in(world, drawn.boxes, drawn.sight, event);
    const bool passes = met.fate == reach::Fate::close || met.fate == reach::Fate::carry;
    if (!met.met() || passes) {
      if (reach::losses[world.loss].share < reach::is_a_cause) return std::nullopt;
      found.chance = true;
      continue;
    }
    add_once(found.boxes, &drawn.boxes[met.box]);
  }
  return found;
}

Text hosts_in_words(const reach::Sight& sight, const reach::Hosts& hosts) {
  std::vector<std::string> names;
  for (const auto host : hosts) names.push_back(sight.hosts[host]);
  return listed(names);
}

// "UDP 5060", "TCP 5061 and 8443", "UDP".
Text flows_of(const reach::Box& box) {
  const auto protocol = box.protocol == reach::Protocol::udp   ? Text("UDP")
                        : box.protocol == reach::Protocol::tcp ? Text("TCP")
                                                               : phrase("UDP and TCP");
  return box.ports.empty() ? protocol : phrase("{} {}", protocol, listed(box.ports));
}

// A firewall's rule; some let through what is on a list, and all let through DNS or not.
Text rule_in_words(const reach::Sight& sight, const reach::Box& box) {
  const bool lists_ports = std::ranges::any_of(box.spared, [](const reach::Spared& spared) {
    return spared.ports.first != dns_port || spared.ports.last != dns_port;
  });
  if (box.code == FindingCode::firewall_web_only)
    return phrase("a firewall that blocks everything but the web");
  if (!box.spared_hosts.empty() || box.spares_asked || lists_ports)
    return phrase("a firewall that allows {} only to what is on a list", flows_of(box));
  if (!box.hosts.empty())
    return phrase("a firewall rule against {} to {}", flows_of(box),
                  hosts_in_words(sight, box.hosts));
  if (!box.ports.empty())
    return phrase("a firewall rule against {} to any destination", flows_of(box));
  return box.protocol == reach::Protocol::udp ? phrase("a firewall that blocks all UDP") : Text();
}

// Empty for what has no words of its own here.
Text in_words(const reach::Sight& sight, const reach::Box& box) {
  switch (box.kind) {
    case reach::Kind::rule:
    case reach::Kind::hosts:
      return rule_in_words(sight, box);
    case reach::Kind::far_end:
      return box.fate == reach::Fate::closed
                 ? phrase("servers that refuse connections ({})", hosts_in_words(sight, box.hosts))
                 : phrase("servers that are down ({})", hosts_in_words(sight, box.hosts));
    case reach::Kind::reticent:
      return phrase("servers that ignore clients they do not know ({})",
                    hosts_in_words(sight, box.hosts));
    case reach::Kind::accept:  // one that carries connections on is behind no failure
      return phrase("a device that answers TCP itself and passes nothing on");
    case reach::Kind::inspect:
      return box.code == FindingCode::firewall_tls_filtered ? phrase("a filter that cuts off TLS")
             : box.code == FindingCode::firewall_stun_filtered
                 ? phrase("a device that recognizes STUN and drops it")
             : box.cargoes == reach::bit(Cargo::rtp)
                 ? phrase("a device that recognizes media (RTP) and drops it")
             : box.code.finding == FindingCode::firewall_sip_filtered
                 ? phrase("a device that recognizes SIP and drops it")
                 : Text();
    case reach::Kind::limit:
      return phrase("a limit on new connections");
    case reach::Kind::path:
      return phrase("a dead path among several");
    case reach::Kind::ban:
      return phrase("a device that has started to block this computer");
    default:
      return {};
  }
}

Text what_tells(const Behind& other) {
  const auto any = [&](auto such) {
    return std::ranges::any_of(other.boxes, [&](const auto* box) { return such(*box); });
  };
  if (any(reach::at_far_end)) {
    return phrase(
        "To find out, run this from another line, such as a phone's hotspot: if it fails there as "
        "well, it is the servers.");
  }
  const bool at_random = any([](const reach::Box& box) {
    return box.kind == reach::Kind::limit || box.kind == reach::Kind::path;
  });
  if (other.chance || at_random) {
    return phrase(
        "To find out, run this again at a quiet time: what is lost by chance differs from run to "
        "run.");
  }
  return phrase("To find out, look for this computer's packets in the firewall's log.");
}

// Where TURN servers send clients (RFC 8489 section 10), if that is why all of these fail.
std::vector<std::string> redirected_to(const Probes& failed) {
  std::vector<std::string> places;
  for (const auto* result : failed) {
    const auto* evidence = evidence_of(*result, EvidenceKind::alternate_server);
    const bool led_nowhere = result->observation.detail == DetailCode::redirect_failed;
    if (!led_nowhere || evidence == nullptr) return {};
    add_once(places, text_fact(*evidence, Fact::address));
  }
  return places;
}

}  // namespace

std::optional<Cause> find_unexplained(const Facts& facts, const std::vector<Finding>& findings) {
  // A computer that is offline explains all that failed, whatever its row is about.
  const bool off = std::ranges::any_of(findings, [](const Finding& finding) {
    const bool code = finding.code == FindingCode::network_offline ||
                      finding.code == FindingCode::network_no_gateway;
    return code && finding.confidence == certain;
  });
  if (off) return std::nullopt;
  std::set<std::string> explained;  // rows
  for (const auto& finding : findings)
    explained.insert(finding.explains.begin(), finding.explains.end());
  Cause cause;
  for (const auto& set : facts.report.sets) {
    for (const auto* row : unexplained_rows(set, explained)) {
      for (const auto* result : facts.probes_of(*row)) {
        if (failing(*result) && facts.asked_for(*result)) add_once(cause.explained, result);
      }
    }
  }
  if (cause.explained.empty()) return std::nullopt;
  cause.name(FindingCode::network_unexplained, possible);
  const bool names_only = std::ranges::all_of(cause.explained, [](const ProbeResult* result) {
    return result->observation.outcome == Outcome::unresolved;
  });
  if (names_only) {
    // Whatever else could not be looked up for the same reason, and whatever else asks for one of
    // these names, however little it is needed.
    const auto reason = [](const ProbeResult& result) { return result.observation.detail.code(); };
    const auto reasons = set_of(cause.explained, reason);
    add_new(cause.explained, facts.probes_that([&](const ProbeResult& result) {
      return result.observation.outcome == Outcome::unresolved && facts.asked_for(result) &&
             reasons.contains(reason(result));
    }));
    auto names = hosts_of(cause.explained);
    std::erase(names, "");  // of a call that only gathers addresses
    add_new(cause.explained, facts.probes_that([&](const ProbeResult& result) {
      return result.probe.check == CheckKind::dns && failing(result) && facts.asked_for(result) &&
             contains(names, result.probe.target.host);
    }));
    cause.title = phrase("{} could not be looked up, cause unknown", listed(names));
    cause.fix = look_up_elsewhere(facts, names);
    cause.owner = Owner::dns;
    if (const auto* taken = port_53_taken(facts)) cause.tell(intercepts_dns(*taken));
  } else {
    const auto flows = flows_in_words(facts, cause.explained);
    const auto hosts = listed(hosts_of(cause.explained));
    const bool open = std::ranges::all_of(cause.explained, [](const ProbeResult* result) {
      return !is_udp(*result) && result->observation.outcome == Outcome::failed;
    });
    // Somebody answered each of them, and not as the protocol has it.
    const bool answered = std::ranges::all_of(cause.explained, [](const ProbeResult* result) {
      const auto& seen = result->observation;
      constexpr std::array nothing{DetailCode::relay_dead, DetailCode::media_silent,
                                   DetailCode::marked_silent};
      return seen.outcome == Outcome::failed && seen.attempts > 0 && !got_no_answer(*result) &&
             !was_turned_away(*result) && !contains(nothing, seen.detail.code());
    });
    const auto alternates = redirected_to(cause.explained);
    cause.title = !alternates.empty()
                      ? phrase("TURN redirects from {} lead to {}, which gives no valid answer",
                               hosts, listed(alternates))
                  : answered ? phrase("Unexpected answer from {}, cause unknown", hosts)
                  : open     ? phrase("Connections to {} open, but then fail, cause unknown", hosts)
                             : phrase("{} cannot be reached, cause unknown", hosts);
    const bool all_private = std::ranges::all_of(cause.explained, [](const ProbeResult* result) {
      return result->observation.address && result->observation.address->is_private();
    });
    const auto device = refusing_device(cause.explained.front()->observation);
    const bool rejected = std::ranges::all_of(cause.explained, [&](const ProbeResult* result) {
      return result->observation.outcome == Outcome::rejected &&
             refusing_device(result->observation) == device;
    });
    if (rejected && !device.empty()) {
      cause.title = phrase("The device {} rejects traffic to {}", device, hosts);
      cause.fix = phrase("Ask the operator of {} to allow this traffic (and return traffic){}.",
                         device, flows.empty() ? flows : phrase(": {}", flows));
    } else if (all_private) {
      cause.fix = phrase(
          "Private addresses are reached only from their own network, or through a VPN that leads "
          "there: {}. Check that this network has a way to it, and that no firewall between them "
          "drops the packets{}.",
          hosts, flows.empty() ? flows : phrase(" ({})", flows));
    } else if (!alternates.empty()) {
      cause.fix = phrase(
          "Allow the same traffic (and return traffic) to {} as to {}. If the firewall allows it "
          "already, ask the servers' operator why they redirect there.",
          listed(alternates, 12), hosts);
    } else if (answered) {
      cause.owner = Owner::helpdesk;
      cause.fix = phrase(
          "Try the service from another line (a mobile phone's hotspot). If it works there, look "
          "for a device on this network that answers for others or changes what they say (an ALG, "
          "TLS inspection, a proxy). If it does not work there either, ask the operator of {}.",
          hosts);
    } else {
      cause.fix = phrase(
          "Try the service from another line (a mobile phone's hotspot). If it works there, look "
          "in this site's firewall log for dropped packets from this computer, and allow them with "
          "return traffic{}. If it does not work there either, ask the operator of {}.",
          flows.empty() ? flows : phrase(": {}", flows), hosts);
    }
  }
  cause.show(cause.explained, 6);
  return cause;
}

std::optional<RunnerUp> runner_up(const Diagnosis& context, const Cause& cause) {
  // What a firewall closes: worlds decide on all such codes (finding_code.cpp).
  const bool by_worlds =
      family_of(cause.code) == "firewall" && has(cause.code, FindingTrait::asks_to_let_through);
  if (cause.confidence == certain || !by_worlds) return {};
  const auto lost = ids_of(failing_ones(cause.explained));
  const auto& drawn = context.worlds();
  std::vector<std::size_t> failures;
  for (std::size_t i = 0; i < drawn.sight.packets.size(); ++i) {
    const auto& event = drawn.sight.events.flows[i];
    if (lost.contains(event.probe) && reach::is_bad(event.seen)) failures.push_back(i);
  }
  if (failures.empty()) return {};
  // Servers that are down are not a device, whatever the code.
  const auto says_the_same = [&](const reach::Box* box) {
    return !reach::at_far_end(*box) && box->code.finding == cause.code;
  };
  // What is in nearly all worlds is not in question.
  const auto settled = [&](const reach::Box* box) {
    return reach::probability(drawn.worlds, [&](const reach::World& world) {
             return std::ranges::any_of(world.boxes,
                                        [&](auto number) { return &drawn.boxes[number] == box; });
           }) >= reach::is_likely;
  };
  for (const auto& world : drawn.worlds) {
    if (world.probability < reach::is_worth_saying) break;
    auto other = behind(drawn, world, failures);
    if (!other || std::ranges::any_of(other->boxes, says_the_same)) continue;
    std::erase_if(other->boxes, settled);
    std::vector<Text> causes;
    for (const auto* box : other->boxes) causes.push_back(in_words(drawn.sight, *box));
    if (other->chance) causes.push_back(phrase("packets that get lost by chance"));
    const bool all_told = std::ranges::none_of(causes, &Text::empty);
    if (!causes.empty() && all_told) return RunnerUp{listed(causes), what_tells(*other)};
  }
  return {};
}

}  // namespace callready::findings
