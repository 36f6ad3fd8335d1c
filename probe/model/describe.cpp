#include "probe/model/describe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace callready {
namespace {

// The other outcomes are worded by their detail.
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

Text endpoint_in_words(const Target& target) {
  if (target.host.empty()) return phrase("this network");
  Text text =
      fmt::format("{} ({})", authority(target.host, target.ports), in_capitals(target.transport));
  return target.route.direct() ? text : phrase("{} through the proxy", text);
}

std::string refusing_device(const Observation& observation) {
  // A device that refuses in the server's name sends the ICMP error from the server's address.
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

bool refuser_is_unknown(const Observation& observation) {
  return std::ranges::any_of(observation.evidence, [](const Evidence& evidence) {
    return evidence.kind == EvidenceKind::refuser &&
           detail_fact(evidence, Fact::who) == DetailCode::not_measured;
  });
}

bool detail_has_words(const Observation& observation) {
  return !phrase_of(observation.detail.code()).empty() || observation.detail.is_status() ||
         !outcome_has_words(observation.outcome);
}

Text outcome_in_words(const Observation& observation) {
  const auto& detail = observation.detail;
  if (const auto words = phrase_of(detail.code()); !words.empty()) return marked_text(words);
  auto words = detail.text();
  std::replace(words.begin(), words.end(), '_', ' ');
  switch (observation.outcome) {
    case Outcome::answered:
      return detail.is_status() ? phrase("answered {}", detail.text()) : phrase("answered");
    case Outcome::connected:
      return phrase("connected");
    case Outcome::passed:
      return phrase("packets leave the site; this server does not reply to test packets");
    case Outcome::refused:
      return refuser_is_unknown(observation) ? phrase("refused") : phrase("refused by the server");
    case Outcome::rejected: {
      const auto device = refusing_device(observation);
      return device.empty() ? phrase("blocked on the way")
                            : phrase("blocked on the way by {}", device);
    }
    case Outcome::silent:
      return phrase("no answer");
    case Outcome::failed:
      return words.empty() ? phrase("gave a wrong answer") : phrase("failed: {}", words);
    case Outcome::denied:
      return words.empty() ? phrase("denied") : phrase("denied: {}", words);
    case Outcome::unresolved:
      return phrase("the name could not be resolved");
    case Outcome::skipped:
      return words.empty() ? phrase("not tried") : phrase("not tried: {}", words);
  }
  return "?";
}

std::optional<PortsTried> ports_tried(const Target& target, const Observation& observation) {
  const auto is_port = [](const Evidence& evidence) {
    return evidence.kind == EvidenceKind::udp_port;
  };
  if (std::ranges::none_of(observation.evidence, is_port)) return {};
  std::optional<PortsTried> tried;
  const std::set<std::uint16_t> sample(target.sample.begin(), target.sample.end());
  std::set<std::uint16_t> told;
  for (const auto& evidence : observation.evidence) {
    const auto port = is_port(evidence) ? port_fact(evidence, Fact::port) : std::nullopt;
    if (!port) continue;
    const bool sampled = sample.contains(*port);
    if (!sampled && text_fact(evidence, Fact::responder) != "relay") continue;
    if (!tried) tried.emplace();
    if (!was_tried(evidence) || !told.insert(*port).second) continue;
    (sampled ? tried->sample : tried->relays).push_back(*port);
  }
  return tried;
}

bool was_tried(const Evidence& port) { return number_fact(port, Fact::sent) != 0.0; }

}  // namespace callready
