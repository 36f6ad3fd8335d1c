#include "reports/firewall/export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include "probe/util/text.hpp"
#include "reports/words/phrases.hpp"
#include "reports/words/terminal.hpp"

namespace callready {
namespace {

// pf names have at most 31 characters, including the suffix "_names" and one character that
// distinguishes two equal ones.
constexpr std::size_t longest_rule = 24;
constexpr std::size_t longest_object = 60;  // FortiOS and PAN-OS: 63 with the prefix
constexpr std::size_t longest_name = 253;   // RFC 1035 section 2.3.4, as text
constexpr std::size_t longest_title = 100;

// Names go into commands, so only these characters are allowed, whatever a set's author wrote.
std::string plain_name(std::string_view text, std::size_t most) {
  std::string name;
  for (const char c : text.substr(0, most)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == '_';
    name += plain ? c : c == '*' ? 'x' : '_';
  }
  return name;
}

// Free text goes into comments and descriptions. "Example's pages" becomes "Example pages" there:
// some devices take a lone apostrophe for a quote.
std::string plain_title(std::string_view text) {
  auto title = plain_ascii(harmless(text));
  for (auto at = title.find("'s "); at != std::string::npos; at = title.find("'s ", at)) {
    title.erase(at, 2);
  }
  std::erase(title, '\'');
  for (auto& c : title) {
    if (std::string_view("\"\\`$;{}<>|&#?").find(c) != std::string_view::npos) c = ' ';
  }
  return shortened(title, longest_title);
}

std::optional<DevicePeer> device_peer(const RulePeer& peer) {
  DevicePeer made{peer.kind, peer.text, "", peer.text.find(':') != std::string::npos};
  switch (peer.kind) {
    case PeerKind::name:
      made.text = plain_name(peer.text, longest_name);
      made.v6 = false;
      break;
    case PeerKind::wildcard:
      // Devices accept a star only in place of whole labels, not in "files-*.example.com".
      if (!peer.text.starts_with("*.")) return std::nullopt;
      made.text = "*." + plain_name(std::string_view(peer.text).substr(2), longest_name);
      made.v6 = false;
      break;
    case PeerKind::address:
      if (!IpAddress::parse(peer.text)) return std::nullopt;
      break;
    case PeerKind::network: {
      const auto network = Network::parse(peer.text);
      if (!network) return std::nullopt;
      made.text = network->masked().to_string();
      break;
    }
    case PeerKind::range:
      if (!AddressRange::parse(peer.text)) return std::nullopt;
      break;
    case PeerKind::service_tag:
    case PeerKind::yours:
      return std::nullopt;
  }
  // A star is not allowed in a name, and "*.example.com" and "example.com" are different objects.
  const auto whole = made.kind == PeerKind::wildcard ? "wildcard" + made.text.substr(1) : made.text;
  made.object = std::string(object_prefix) + plain_name(whole, longest_object);
  // Two long names with the same beginning are still two objects.
  if (whole.size() > longest_object) {
    const auto end = fmt::format("-{:04x}", hash_of(whole) & 0xffff);
    made.object.replace(made.object.size() - end.size(), end.size(), end);
  }
  return made;
}

class Names {
 public:
  std::string unique(std::string name) {
    while (!taken_.insert(name).second) name += 'x';
    return name;
  }

 private:
  std::set<std::string> taken_;
};

// The set's name, cut if it must be, and what tells its names apart.
std::string name_in(const std::string& id, const std::string& way) {
  const auto room = longest_rule - object_prefix.size() - way.size();
  auto set = plain_name(id, room);
  while (set.ends_with('-')) set.pop_back();
  // Two sets whose names have the same beginning must not share names.
  if (id.size() > room) {
    const std::size_t digits = room > 8 ? 4 : 2;
    set = plain_name(id, room - digits) +
          fmt::format("{:04x}", hash_of(id) & 0xffff).substr(0, digits);
  }
  return fmt::format("{}{}{}", object_prefix, set, way);
}

// From its ports, not its number, so that a newer edition's rule replaces the older one's and no
// other. For several ranges, from the first port and a hash of them all.
std::string rule_name(const FirewallList& list, const FirewallRule& rule, bool at_home) {
  const bool inbound = rule.direction == Direction::in;
  auto way =
      fmt::format("-{}{}{}{}", inbound ? "in" : "", at_home ? inbound ? "l" : "lan" : "",
                  *rule.transport == Transport::udp ? "udp" : "tcp", rule.ports.front().first);
  if (rule.ports.size() > 1) {
    way += fmt::format("-{:04x}", hash_of(port_list(rule.ports, ",")) & 0xffff);
  } else if (!rule.ports.front().single()) {
    way += fmt::format("-{}", rule.ports.front().last);
  }
  return name_in(list.set, way);
}

bool goes_there(const RulePeer& peer, bool home) {
  return stays_at_home(peer) == home && device_peer(peer).has_value();
}

// `known`: the texts of its peers.
void add_row(DeviceRule& made, const FirewallRule& rule, std::set<std::string>& known) {
  for (const auto& title : rule.titles) {
    made.rows.push_back({plain_title(title), rule.evidence, rule.severity, rule.source_ports});
  }
  for (const auto& peer : rule.peers) {
    if (!goes_there(peer, made.at_home)) continue;
    auto one = device_peer(peer);
    if (known.insert(one->text).second) made.peers.push_back(std::move(*one));
  }
}

bool same_peers(const DeviceRule& a, const DeviceRule& b) {
  return std::ranges::equal(a.peers, b.peers, {}, &DevicePeer::text, &DevicePeer::text);
}

// The rules of one set. A group that several have is called after none of them.
void name_groups(std::span<DeviceRule> rules, const FirewallList& list, Names& names) {
  for (auto& rule : rules) {
    // Doubtful rows come first: the end may be cut off.
    std::stable_partition(rule.rows.begin(), rule.rows.end(),
                          [](const DeviceRow& row) { return doubtful(row.evidence); });
    std::vector<std::string> titles;
    for (const auto& row : rule.rows) add_once(titles, rule.marked(row));
    const auto* nat = rule.inbound ? "behind NAT, forward the ports, too: " : "";
    rule.title = shortened(nat + joined(titles), longest_title);
  }
  for (auto& rule : rules) {
    if (!rule.group.empty()) continue;
    std::vector<DeviceRule*> alike;
    std::vector<std::string> their_names;
    for (auto& other : rules) {
      if (!same_peers(other, rule)) continue;
      alike.push_back(&other);
      their_names.push_back(other.name);
    }
    const auto all = joined(their_names);
    const auto group =
        alike.size() == 1
            ? rule.name
            : names.unique(name_in(list.set, fmt::format("-grp{:04x}", hash_of(all) & 0xffff)));
    for (auto* other : alike) {
      other->group = group;
      other->defines_group = other == &rule;
      other->grouped = alike.size() == 1 ? rule.title : shortened("for " + all, longest_title);
    }
  }
}

template <typename Wanted>
std::string lines_of(const std::vector<FirewallList>& lists, Wanted line_of) {
  std::string out;
  std::set<std::string> known;
  for (const auto& rule : for_devices(lists)) {
    for (const auto& peer : rule.peers) {
      const std::string line = line_of(peer);
      if (!line.empty() && known.insert(line).second) out += line + '\n';
    }
  }
  return out;
}

}  // namespace

bool DeviceRule::has_patterns() const {
  return std::ranges::find(peers, PeerKind::wildcard, &DevicePeer::kind) != peers.end();
}

bool DeviceRule::only_patterns() const {
  return std::ranges::all_of(
      peers, [](auto kind) { return kind == PeerKind::wildcard; }, &DevicePeer::kind);
}

std::string DeviceRule::traffic() const {
  return fmt::format("{} {}", udp ? "UDP" : "TCP", port_list(ports, ", "));
}

std::string DeviceRule::marked(const DeviceRow& row) const {
  const bool all_the_same = std::ranges::all_of(
      rows, [&](const DeviceRow& other) { return other.evidence == row.evidence; });
  if (!doubtful(row.evidence) || (all_the_same && &row != &rows.front())) return row.title;
  return fmt::format("{}: {}", to_string(row.evidence), row.title);
}

std::vector<DeviceRule> for_devices(const std::vector<FirewallList>& lists) {
  std::vector<DeviceRule> made;
  Names names;
  std::map<std::string, std::set<std::string>> peers;  // by rule
  for (const auto& list : lists) {
    const auto first = static_cast<std::ptrdiff_t>(made.size());
    for (const auto& rule : list.rules) {
      if (!rule.transport || rule.ports.empty()) continue;
      const bool udp = *rule.transport == Transport::udp;
      const bool inbound = rule.direction == Direction::in;
      for (const bool home : {false, true}) {
        const auto there = [&](const RulePeer& peer) { return goes_there(peer, home); };
        if (std::ranges::none_of(rule.peers, there)) continue;
        auto known = std::find_if(made.begin() + first, made.end(), [&](const DeviceRule& one) {
          return one.udp == udp && one.inbound == inbound && one.at_home == home &&
                 one.ports == rule.ports;
        });
        if (known == made.end()) {
          DeviceRule fresh;
          fresh.name = names.unique(rule_name(list, rule, home));
          fresh.udp = udp;
          fresh.inbound = inbound;
          fresh.at_home = home;
          fresh.ports = rule.ports;
          known = made.insert(known, std::move(fresh));
        }
        add_row(*known, rule, peers[known->name]);
      }
    }
    name_groups(std::span(made).subspan(static_cast<std::size_t>(first)), list, names);
  }
  return made;
}

std::vector<std::string> left_to_the_customer(const std::vector<FirewallList>& lists) {
  std::vector<std::string> found;
  for (const auto& list : lists) {
    for (std::size_t i = 0; i < list.rules.size(); ++i) {
      const auto& rule = list.rules[i];
      std::vector<std::string> open;
      for (const auto& peer : rule.peers) {
        if (!device_peer(peer)) open.push_back(peer.text);
      }
      open.insert(open.end(), rule.your_ports.begin(), rule.your_ports.end());
      if (!rule.your_transport.empty()) open.push_back(rule.your_transport);
      if (open.empty()) continue;
      found.push_back(fmt::format("{}, rule {} ({}): not exported, add by hand: {}", list.set,
                                  i + 1, joined(rule.titles, "; "), joined(open)));
    }
  }
  return found;
}

std::string with_underscores(std::string name) {
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
}

std::vector<Network> networks_of(const AddressRange& range) {
  std::vector<Network> found;
  std::optional<IpAddress> from = range.first;
  while (from && *from <= range.last) {
    // The largest network that begins here and does not extend beyond the end.
    Network network{*from, from->bits()};
    while (network.prefix > 0) {
      const Network larger{*from, network.prefix - 1};
      if (!larger.aligned() || larger.last() > range.last) break;
      network = larger;
    }
    found.push_back(network);
    from = network.last().plus(1);
  }
  return found;
}

std::string netmask_of(const Network& network) {
  const auto bits = network.prefix == 0 ? 0U : ~0U << (32 - network.prefix);
  return fmt::format("{}.{}.{}.{}", bits >> 24, bits >> 16 & 255, bits >> 8 & 255, bits & 255);
}

std::string port_list(const std::vector<PortRange>& ports, std::string_view between,
                      std::string_view within) {
  std::vector<std::string> texts;
  for (const auto& range : ports) {
    texts.push_back(range.single() ? std::to_string(range.first)
                                   : fmt::format("{}{}{}", range.first, within, range.last));
  }
  return joined(texts, between);
}

std::uint64_t hash_of(std::string_view text, std::uint64_t seed) {
  for (const char c : text) {
    seed = (seed ^ static_cast<std::uint8_t>(c)) * 1099511628211ULL;
  }
  return seed;
}

std::string firewall_list(const std::vector<FirewallList>& lists, const FirewallPage& page) {
  const auto rules = for_devices(lists);
  DeviceGuide guide{"#", "For any device, to be entered by hand."};
  guide.steps = {"Below each rule are its destinations, one per line."};
  append(guide.steps, inbound_step(rules, "in the way of your device"));
  auto out = header_of(lists, rules, page, guide);
  for (const auto& owner : rules) {
    if (!owner.defines_group) continue;
    for (const auto& rule : rules) {
      if (rule.group != owner.group) continue;
      out += fmt::format("# {}: {} {}: {}\n", rule.name, rule.traffic(),
                         rule.inbound ? "from" : "to", rule.title);
    }
    for (const auto& peer : owner.peers) out += peer.text + '\n';
  }
  return out;
}

std::string firewall_edl_ip(const std::vector<FirewallList>& lists, const FirewallPage&) {
  return lines_of(lists, [](const DevicePeer& peer) { return peer.is_name() ? "" : peer.text; });
}

std::string firewall_edl_domain(const std::vector<FirewallList>& lists, const FirewallPage&) {
  return lines_of(lists, [](const DevicePeer& peer) { return peer.is_name() ? peer.text : ""; });
}

// Without a trailing slash, PAN-OS also matches "example.com" as a prefix of "example.com.else".
std::string firewall_edl_url(const std::vector<FirewallList>& lists, const FirewallPage&) {
  return lines_of(lists,
                  [](const DevicePeer& peer) { return peer.is_name() ? peer.text + '/' : ""; });
}

}  // namespace callready
