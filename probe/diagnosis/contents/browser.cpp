// What administrators have set for browsers, where it forbids what a row needs. This program is not
// a browser: its own packets are not affected.
#include <algorithm>

#include "probe/diagnosis/rules.hpp"

namespace callready::findings {
namespace {

// RFC 8828 section 5.2, mode 4: nothing over UDP but through a proxy that carries it.
constexpr std::string_view no_udp = "disable_non_proxied_udp";

struct Forbidden {
  Text what;  // "from using UDP for media"
  Text fix;
  bool everywhere = true;  // false: on some pages
};

// The source ports of a row that was tried from here: a policy with none of them contradicts the
// document. Rows between servers, or towards this site, have their own.
std::optional<std::string> other_source_ports(const Facts& facts, const BrowserPolicy& policy) {
  const auto allowed = PortRange::parse(policy.value);
  if (!allowed) return std::nullopt;
  for (const auto& row : rows_of(facts.report.sets)) {
    const auto tried = facts.probes_of(row);
    if (std::ranges::none_of(tried, [](const auto* one) { return is_udp(*one); })) continue;
    for (const auto& rule : row.rules) {
      const auto& wanted = rule.source_ports;
      if (rule.transport != Transport::udp || wanted.empty()) continue;
      const bool any = std::ranges::any_of(
          wanted, [&](const PortRange& range) { return range.overlaps(*allowed); });
      if (!any) return source_ports_in_words(rule);
    }
  }
  return std::nullopt;
}

std::optional<Forbidden> forbidden_by(const Facts& facts, const BrowserPolicy& policy) {
  const bool by_page = policy.name == "WebRtcIPHandlingUrl";
  const bool handling =
      by_page || policy.name == "WebRtcIPHandling" || policy.name == "WebRtcLocalhostIpHandling";
  if (handling && policy.value.find(no_udp) != std::string::npos) {
    return Forbidden{phrase("from using UDP for media"),
                     phrase("to a value that lets WebRTC use UDP, at least for the service's pages "
                            "(WebRtcIPHandlingUrl)"),
                     !by_page};
  }
  if (policy.name == "media.peerconnection.enabled" && policy.value == "false")
    return Forbidden{phrase("from making calls (WebRTC)"), phrase("to true")};
  if (policy.name != "WebRtcUdpPortRange") return std::nullopt;
  const auto wanted = other_source_ports(facts, policy);
  if (!wanted) return std::nullopt;
  return Forbidden{phrase("from using the service's source ports ({})", *wanted),
                   phrase("to a range with {}", *wanted)};
}

}  // namespace

Causes find_browser_policies(const Diagnosis& context) {
  // Media over UDP, or what leads to it, that a row asks for.
  const auto media = context.probes_that([&](const ProbeResult& result) {
    const auto check = result.probe.check;
    const bool of_calls = check == CheckKind::turn || check == CheckKind::stun ||
                          check == CheckKind::udp_range || check == CheckKind::media;
    return of_calls && is_udp(result) && context.asked_for(result);
  });
  Causes causes;
  if (media.empty()) return causes;
  for (const auto& policy : context.report.site.browser_policies) {
    const auto forbidden = forbidden_by(context, policy);
    if (!forbidden) continue;
    auto& cause = causes.emplace_back();
    cause.name(FindingCode::computer_browser_policy,
               forbidden->everywhere && !policy.recommended ? likely : possible);
    cause.title =
        forbidden->everywhere
            ? phrase("A policy stops {} {}", policy.browser, forbidden->what)
            : phrase("A policy stops {} {} on some pages", policy.browser, forbidden->what);
    cause.fix = phrase(
        "Ask the administrator of this computer to set {} {}, in {}. Until then, use another "
        "browser, or the service's own program. Change nothing on the network.",
        policy.name, forbidden->fix, policy.place);
    cause.tell(phrase("{} is {} in {}{}.", policy.name, policy.value, policy.place,
                      policy.recommended ? phrase(" (users may change it)") : ""));
    cause.affects = sets_of(context, media);
  }
  return causes;
}

}  // namespace callready::findings
