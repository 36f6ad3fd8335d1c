#include "probe/model/describe.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace callready {
namespace {

// The others are said with their detail.
bool outcome_has_words(Outcome outcome) {
  return outcome != Outcome::failed && outcome != Outcome::denied && outcome != Outcome::skipped;
}

}  // namespace

std::string_view in_capitals(Transport transport) {
  switch (transport) {
    case Transport::udp:
      return "UDP";
    case Transport::tcp:
      return "TCP";
    case Transport::tls:
      return "TLS";
  }
  return "?";
}

std::string endpoint_in_words(const Target& target) {
  if (target.host.empty()) return "this network";
  const bool v6 = target.host.find(':') != std::string::npos;
  auto text = fmt::format("{}{}{}:{} ({})", v6 ? "[" : "", target.host, v6 ? "]" : "",
                          target.ports.to_string(), in_capitals(target.transport));
  if (!target.route.direct()) text += " through the proxy";
  return text;
}

std::string refusing_device(const Observation& observation) {
  // Who refuses in the server's name signs the ICMP error with it.
  for (const auto& evidence : observation.evidence) {
    const bool caught =
        evidence.kind == EvidenceKind::refuser && text_fact(evidence, Fact::who) == "on_the_way";
    if (caught) return text_fact(evidence, Fact::by);
  }
  for (const auto& evidence : observation.evidence) {
    const bool told =
        detail_fact(evidence, Fact::result) == DetailCode::prohibited &&
        (evidence.kind == EvidenceKind::udp_port || evidence.kind == EvidenceKind::hop);
    if (evidence.kind != EvidenceKind::icmp_error && !told) continue;
    auto device = text_fact(evidence, told ? Fact::by : Fact::sender);
    if (!device.empty()) return device;
  }
  return {};
}

bool detail_has_words(const Observation& observation) {
  return !phrase_of(observation.detail.code()).empty() || observation.detail.is_status() ||
         !outcome_has_words(observation.outcome);
}

std::string outcome_in_words(const Observation& observation) {
  const auto& detail = observation.detail;
  if (const auto phrase = phrase_of(detail.code()); !phrase.empty()) return std::string(phrase);
  const auto with_detail = [&](std::string_view plain, std::string_view before) {
    if (detail.empty()) return std::string(plain);
    auto words = detail.text();
    std::replace(words.begin(), words.end(), '_', ' ');
    return fmt::format("{}: {}", before, words);
  };
  switch (observation.outcome) {
    case Outcome::answered:
      return detail.is_status() ? "answered " + detail.text() : "answered";
    case Outcome::connected:
      return "connected";
    case Outcome::passed:
      return "packets leave the site; this server does not reply to test packets";
    case Outcome::refused:
      return "refused by the server";
    case Outcome::rejected: {
      const auto device = refusing_device(observation);
      return device.empty() ? "blocked on the way" : "blocked on the way by " + device;
    }
    case Outcome::silent:
      return "no answer";
    case Outcome::failed:
      return with_detail("answered wrongly", "failed");
    case Outcome::denied:
      return with_detail("denied", "denied");
    case Outcome::unresolved:
      return "the name could not be resolved";
    case Outcome::skipped:
      return with_detail("not tried", "not tried");
  }
  return "?";
}

}  // namespace callready
