// The closed lists that docs/design.md calls "Words", each with the one spelling used in YAML, in
// JSON and on the command line. `to_string` prints it; `parse<T>` reads it.
#pragma once

#include <algorithm>
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
// What a set is for. A product sold as several things counts as the one that most people use.
// `shared`: what several services lean on, such as signing in.
enum class ServiceKind { meetings, telephony, contact_center, platform, sip_trunk, pbx, shared };
// How good the text is that a set was written from.
enum class SourceQuality { vendor_page, vendor_feed, second_hand, old_edition };
// Microsoft's words for how directly a network should let a row through.
enum class Priority { optimize, allow, by_default };
enum class Confidence { certain, likely, possible };
// `network`: writes the firewall's rules; `lan`: runs cables, Wi-Fi, addresses and routers;
// `provider`: repairs the line out, which in the end is the Internet provider.
enum class Owner { user, helpdesk, network, proxy, dns, security, vendor, lan, provider, vpn };
// A link of this computer: a signal is a plugged cable, or a Wi-Fi that was joined.
enum class LinkState { up, no_signal, disabled };

// The kinds of checks: the rows of checks/registry.cpp, and `pac`, which the engine makes itself.
// Sorted by word.
enum class CheckKind {
  dns,
  hop,
  http,
  ice,
  ipv6,
  media,
  nat,
  ntp,
  pac,
  path,
  proxy,
  quic,
  sip,
  sip_alg,
  sip_long,
  stun,
  tcp,
  tls,
  tls_hello,
  turn,
  udp_range,
};

// Why a probe is made; all but the first two are questions of a second round.
enum class Purpose {
  row,                // a set's row asks for it
  control,            // gives others a meaning
  name_elsewhere,     // what do other resolvers say of a name?
  way_out,            // do packets to that port leave the site?
  neighbour,          // is that host alive at all?
  repeat,             // does what answered at first answer still?
  other_server_name,  // is it the name in the greeting that is cut off?
  servers_word,       // what does the server itself say?
  proxys_issuer,      // does a private issuer beyond the proxy sign for everybody?
  other_sip_port,     // does a port that no SIP ALG knows fare better?
};

// The named parts of how long a probe took; `tls` counts from the start, `handshake` from the
// connection.
enum class Timing { connect, dns, handshake, reply, tls, tunnel };

template <typename Enum>
struct Word {
  Enum value;
  std::string_view text;
};

// All members in declaration order.
template <typename Enum>
std::span<const Word<Enum>> words();

// True where the table is sorted by word and the members are in its order: long lists.
template <typename Enum>
inline constexpr bool words_are_sorted = false;

// By how the compiler prints it: "Kind::path"; a number without a member is a cast, "(Kind)13".
template <auto value>
constexpr bool is_member() {
  constexpr std::string_view told = __PRETTY_FUNCTION__;
  return told[told.find("value = ") + 8] != '(';
}

// How many members an enum has, from 0 on.
template <typename Enum, std::size_t count = 0>
constexpr std::size_t members_of() {
  if constexpr (is_member<static_cast<Enum>(count)>()) {
    return members_of<Enum, count + 1>();
  } else {
    return count;
  }
}

// For a complete table about an enum: member i is row i.
template <typename Table, typename Row, typename Enum>
constexpr bool in_their_places(const Table& table, Enum Row::*member) {
  if (table.size() != members_of<Enum>()) return false;
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (static_cast<std::size_t>(table[i].*member) != i) return false;
  }
  return true;
}

// What such a table promises, and that it is complete.
template <typename Enum>
constexpr bool in_order(std::span<const Word<Enum>> table) {
  for (std::size_t i = 1; i < table.size(); ++i) {
    if (!(table[i - 1].text < table[i].text)) return false;
  }
  return in_their_places(table, &Word<Enum>::value);
}

template <typename Enum>
std::string_view to_string(Enum value) {
  if constexpr (words_are_sorted<Enum>) {
    const auto table = words<Enum>();
    const auto i = static_cast<std::size_t>(value);
    return i < table.size() ? table[i].text : "?";
  }
  for (const auto& word : words<Enum>()) {
    if (word.value == value) return word.text;
  }
  return "?";  // unreachable: the tables are complete, and a test says so
}

template <typename Enum>
std::optional<Enum> parse(std::string_view text) {
  if constexpr (words_are_sorted<Enum>) {
    const auto table = words<Enum>();
    const auto found = std::ranges::lower_bound(table, text, {}, &Word<Enum>::text);
    if (found == table.end() || found->text != text) return std::nullopt;
    return found->value;
  }
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
template <>
std::span<const Word<CheckKind>> words();
template <>
inline constexpr bool words_are_sorted<CheckKind> = true;
template <>
std::span<const Word<Timing>> words();
template <>
inline constexpr bool words_are_sorted<Timing> = true;

}  // namespace callready
