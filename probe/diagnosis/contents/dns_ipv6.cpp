// Names and IPv6: no answer for IPv6 addresses, or IPv4 addresses for a computer that has IPv6
// alone.
#include <algorithm>

#include "probe/diagnosis/contents/names.hpp"

namespace callready::findings {
namespace {

// The checks that looked up no IPv6 address of a name for that reason, and an IPv4 address.
Probes without_ipv6(const Facts& facts, DetailCode why) {
  return facts.probes_that([&](const ProbeResult& result) {
    const auto six = attempt_over(result, "IPv6");
    return result.probe.check == CheckKind::ipv6 && six.result == why && !six.has_address &&
           attempt_over(result, "IPv4").has_address;
  });
}

bool is_global_ipv6(const IpAddress& address) {
  static const auto global = *Network::parse("2000::/3");  // RFC 4291 section 2.4
  return global.contains(address);
}

}  // namespace

// Programs ask for both addresses of a name: those that wait for the IPv6 one wait each time.
Causes unanswered_for_ipv6(const Diagnosis& context, const std::map<std::string, Name>& names) {
  const bool has_ipv6 = std::ranges::any_of(own_addresses(context.report.site), is_global_ipv6);
  Cause cause(without_ipv6(context, DetailCode::dns_unreachable));
  const bool others_are_lost = std::ranges::any_of(
      names, [](const auto& entry) { return nobody_answered(entry.second.failure); });
  const bool some_answered = context.any_probe([](const ProbeResult& result) {
    const auto six = attempt_over(result, "IPv6").result;
    return !six.empty() && six != DetailCode::dns_unreachable;
  });
  if (!has_ipv6 || others_are_lost || some_answered || context.line_loses()) return {};
  if (parties_of(cause.explained).size() < 2) return {};
  cause.name(FindingCode::dns_slow, likely);
  cause.title = phrase("DNS does not answer in time for IPv6 addresses (AAAA)");
  cause.fix = phrase(
      "Find out why this site's DNS servers ({}), or a filter behind them, do not answer queries "
      "for AAAA records, although they answer those for A records. Programs that wait for both "
      "answers are slow to open each new name.",
      resolvers_in_words(context));
  for (const auto* result : cause.explained) tell_of_both(*result, cause);
  return {cause};
}

// A computer that has IPv6 alone, and names that lead to IPv4 addresses only: it has no way there,
// unless DNS translates them (DNS64, RFC 6147).
Causes without_dns64(const Diagnosis& context, const std::map<std::string, Name>& names) {
  bool has_ipv4 = false, has_ipv6 = false;
  for (const auto& address : own_addresses(context.report.site)) {
    has_ipv4 |= address.is_v4() && !address.is_loopback() && !address.is_link_local();
    has_ipv6 |= is_global_ipv6(address);
  }
  if (has_ipv4 || !has_ipv6) return {};
  Cause cause;
  std::set<std::string> owners;
  std::vector<std::string> lost;
  for (const auto& [text, name] : names) {
    if (!name.address || name.from_hosts_file) continue;
    if (name.address->is_v6()) return {};
    const auto stuck = those_that(name.probes, has_no_route);
    if (stuck.empty() || !context.any_asked_for(stuck)) continue;
    append(cause.contradicted, stuck);
    owners.insert(registrable_domain(text));
    lost.push_back(text);
  }
  // What was asked for its IPv6 address, and has none here.
  const auto asked = without_ipv6(context, DetailCode::no_address);
  if (owners.size() < 2 || parties_of(asked).size() < 2) return {};
  // Addresses that the document has without a name.
  append(cause.contradicted, context.probes_that([&](const ProbeResult& result) {
    const auto given = IpAddress::parse(result.probe.target.host);
    return given && given->is_v4() && has_no_route(result) && context.asked_for(result);
  }));
  cause.name(FindingCode::dns_unreachable, certain);
  cause.title = phrase("This computer has only IPv6, and DNS gives it only IPv4 addresses");
  cause.fix = phrase(
      "Set up NAT64 on the router and DNS64 on this site's DNS servers ({}), or give this computer "
      "an IPv4 address. What the service lists as IPv4 addresses without names also needs a "
      "translator on the computer (464XLAT, CLAT).",
      resolvers_in_words(context));
  cause.tell(phrase("{} names have only IPv4 addresses here, to which this computer has no route.",
                    lost.size()));
  for (const auto* result : asked) {
    cause.tell(phrase("{}: {}.", result->probe.target.host, attempt_over(*result, "IPv6").text),
               result);
  }
  return {cause};
}

}  // namespace callready::findings
