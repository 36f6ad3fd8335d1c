// The closed lists that docs/design.md calls "Words", each with the one spelling used in YAML, in
// JSON and on the command line. `to_string` prints it; `parse<T>` reads it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace callready {

// What one probe saw. A check reports; it does not judge.
enum class Outcome {
  answered,    // the service's own protocol came back, whatever it said
  connected,   // TCP handshake only
  passed,      // no reply from the far end, but proof that the packet left the site
  refused,     // RST or ICMP port-unreachable from the far end
  rejected,    // a device on the way said no
  silent,      // nothing came back
  failed,      // reached, but the protocol broke
  denied,      // reached, and it said no
  unresolved,  // the name has no address
  skipped,     // not tried; the reason is in the observation's detail
};

enum class Status { pass, warn, fail, unknown, skip };     // of a requirement
enum class Verdict { ready, degraded, blocked, unknown };  // of a capability and of a set
enum class Severity { required, recommended, optional };
enum class Transport { udp, tcp, tls };
enum class Direction { out, in };
enum class Lifecycle { current, deprecated, optional_feature, removed };
enum class ProxyUse { allowed, never, required };  // may an HTTP proxy carry this row?
enum class AllowBy { either, name, network };      // how the firewall has to allow it
enum class Vantage { pc, browser, mobile, phone, pbx, sbc, gateway, hub, room_device, mesh_node };
// What a set is for. What is sold as several things has the one that most people use.
enum class ServiceKind { meetings, telephony, contact_center, platform, sip_trunk, pbx };
// How good the text is that a set was written from.
enum class SourceQuality { vendor_page, vendor_feed, second_hand, old_edition };
// Microsoft's words for how directly a network should let a row through.
enum class Priority { optimize, allow, by_default };
enum class Confidence { certain, likely, possible };
enum class Owner { user, helpdesk, network, proxy, dns, security, vendor };

template <typename Enum>
struct Word {
  Enum value;
  std::string_view text;
};

// All members in declaration order.
template <typename Enum>
std::span<const Word<Enum>> words();

template <typename Enum>
std::string_view to_string(Enum value) {
  for (const auto& word : words<Enum>()) {
    if (word.value == value) return word.text;
  }
  return "?";  // unreachable: the tables are complete, and a test says so
}

template <typename Enum>
std::optional<Enum> parse(std::string_view text) {
  for (const auto& word : words<Enum>()) {
    if (word.text == text) return word.value;
  }
  return std::nullopt;
}

template <typename Enum>
std::vector<std::string> spellings() {
  std::vector<std::string> all;
  for (const auto& word : words<Enum>()) all.emplace_back(word.text);
  return all;
}

template <>
std::span<const Word<Outcome>> words();
template <>
std::span<const Word<Status>> words();
template <>
std::span<const Word<Verdict>> words();
template <>
std::span<const Word<Severity>> words();
template <>
std::span<const Word<Transport>> words();
template <>
std::span<const Word<Direction>> words();
template <>
std::span<const Word<Lifecycle>> words();
template <>
std::span<const Word<ProxyUse>> words();
template <>
std::span<const Word<AllowBy>> words();
template <>
std::span<const Word<Vantage>> words();
template <>
std::span<const Word<ServiceKind>> words();
template <>
std::span<const Word<SourceQuality>> words();
template <>
std::span<const Word<Priority>> words();
template <>
std::span<const Word<Confidence>> words();
template <>
std::span<const Word<Owner>> words();

}  // namespace callready
