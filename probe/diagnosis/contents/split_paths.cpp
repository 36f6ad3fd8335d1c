// TCP and UDP leave by different paths: servers outside see different public addresses over the
// two.
#include <algorithm>

#include "probe/diagnosis/rules.hpp"

namespace callready::findings {
namespace {

// A pool of addresses, or lines that are balanced, may give each flow another one: over each
// protocol, this many flows have to agree, this many of them to the same server.
constexpr std::size_t enough = 3, enough_there = 2;

std::size_t count_to(const std::string& host, const Probes& seen) {
  return static_cast<std::size_t>(std::ranges::count_if(
      seen, [&](const ProbeResult* result) { return result->probe.target.host == host; }));
}

}  // namespace

std::optional<SplitPaths> split_paths(const Facts& facts) {
  SplitPaths split;
  std::set<IpAddress> by_udp, by_tcp;
  for (const auto& result : facts.report.probes) {
    if (!is_direct(result) || is_inside(result)) continue;
    if (result.probe.with.contains("interface")) continue;  // the user's choice of a way
    const auto address =
        IpAddress::parse(text_of(result, EvidenceKind::mapped_address, Fact::address));
    if (!address || !address->is_v4() || address->is_special()) continue;
    const bool udp = is_udp(result);
    (udp ? by_udp : by_tcp).insert(*address);
    (udp ? split.udp : split.tcp).push_back(&result);
  }
  if (by_udp.size() != 1 || by_tcp.size() != 1 || by_udp == by_tcp) return std::nullopt;
  split.udp_address = *by_udp.begin();
  split.tcp_address = *by_tcp.begin();
  return split;
}

Causes find_split_paths(const Diagnosis& context) {
  const auto split = split_paths(context);
  if (!split || split->udp.size() < enough || split->tcp.size() < enough) return {};
  std::string server;
  for (const auto* result : split->tcp) {
    const auto& host = result->probe.target.host;
    const bool both =
        count_to(host, split->tcp) >= enough_there && count_to(host, split->udp) >= enough_there;
    if (both) server = host;
  }
  if (server.empty()) return {};
  Cause cause;
  cause.name(FindingCode::network_split_paths, likely);
  cause.title = phrase("TCP leaves this site from a different public address than UDP");
  cause.fix = phrase(
      "If calls work and this is intended, change nothing. Otherwise, find out what sends TCP a "
      "different way: a proxy or a cloud security service, a tunnel, a second line. Exempt the "
      "service's hosts from it if calls cannot be joined, or if media goes through a distant "
      "region.");
  const auto tell = [&](std::string_view by, const IpAddress& address, const Probes& seen) {
    const auto there = std::ranges::find_if(
        seen, [&](const ProbeResult* result) { return result->probe.target.host == server; });
    cause.tell(
        phrase("{} sees this site as {} over {} (asked {} times){}.", server, address.to_string(),
               by, count_to(server, seen),
               count_to(server, seen) < seen.size() ? phrase("; so do all others asked") : ""),
        *there);
  };
  tell("UDP", split->udp_address, split->udp);
  tell("TCP", split->tcp_address, split->tcp);
  for (const auto& agent : context.report.site.agents) {
    cause.tell(phrase("{} runs here ({}); it is not known whether it is the cause.", agent.name,
                      agent.seen));
  }
  cause.tell(
      phrase("By itself, this breaks nothing: media uses UDP, and web pages and sign-in use TCP."));
  return {cause};
}

}  // namespace callready::findings
