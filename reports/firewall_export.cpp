#include "reports/firewall_export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "reports/phrases.hpp"
#include "reports/terminal.hpp"

namespace callready {
namespace {

constexpr std::size_t longest_set = 20;     // of a set's id in a name
constexpr std::size_t longest_object = 63;  // FortiOS and PAN-OS
constexpr std::size_t longest_name = 253;   // RFC 1035 section 2.3.4, as text
constexpr std::size_t longest_title = 100;

// Names go into commands: nothing but these characters, whatever a set's author wrote.
std::string plain_name(std::string_view text, std::size_t most) {
  std::string name;
  for (const char c : text.substr(0, most)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == '_';
    name += plain ? c : c == '*' ? 'x' : '_';
  }
  return name;
}

// Free text goes into comments and descriptions.
std::string plain_title(std::string_view text) {
  auto title = plain_ascii(harmless(text));
  for (auto& c : title) {
    if (std::string_view("\"'\\`$;{}<>|&#?").find(c) != std::string_view::npos) c = ' ';
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
      // Devices take a star for whole labels only: "files-*.example.com" is none of theirs.
      if (!peer.text.starts_with("*.")) return std::nullopt;
      made.text = "*." + plain_name(std::string_view(peer.text).substr(2), longest_name);
      made.v6 = false;
      break;
    case PeerKind::address:
      if (!IpAddress::parse(peer.text)) return std::nullopt;
      break;
    case PeerKind::network: {
      const auto slash = peer.text.find('/');
      const auto address = IpAddress::parse(peer.text.substr(0, slash));
      if (!address || slash == std::string::npos) return std::nullopt;
      made.text = Network{*address, std::stoi(peer.text.substr(slash + 1))}.masked().to_string();
      break;
    }
    case PeerKind::range:
      if (!AddressRange::parse(peer.text)) return std::nullopt;
      break;
    case PeerKind::service_tag:
    case PeerKind::yours:
      return std::nullopt;
  }
  made.object = plain_name(made.text, longest_object);
  return made;
}

// What a device can be told of it: it has a far end, a protocol and ports that are known.
bool for_a_device(const FirewallRule& rule) {
  return rule.transport && !rule.ports.empty() &&
         std::any_of(rule.peers.begin(), rule.peers.end(),
                     [](const RulePeer& peer) { return device_peer(peer).has_value(); });
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

template <typename Wanted>
std::string lines_of(const std::vector<FirewallList>& lists, Wanted line_of) {
  std::string out;
  std::set<std::string> known;
  for (const auto& group : for_devices(lists).groups) {
    for (const auto& peer : group.peers) {
      const std::string line = line_of(peer);
      if (!line.empty() && known.insert(line).second) out += line + '\n';
    }
  }
  return out;
}

bool is_name(const DevicePeer& peer) {
  return peer.kind == PeerKind::name || peer.kind == PeerKind::wildcard;
}

}  // namespace

bool DeviceGroup::has(PeerKind kind) const {
  return std::any_of(peers.begin(), peers.end(),
                     [&](const DevicePeer& peer) { return peer.kind == kind; });
}

const DeviceGroup& DeviceList::group_of(const DeviceRule& rule) const {
  return *std::find_if(groups.begin(), groups.end(),
                       [&](const DeviceGroup& group) { return group.name == rule.group; });
}

DeviceList for_devices(const std::vector<FirewallList>& lists) {
  DeviceList made;
  Names names;
  for (const auto& list : lists) {
    std::map<std::size_t, std::string> groups;  // by the number of the rule that owns the list
    for (std::size_t i = 0; i < list.rules.size(); ++i) {
      const auto& rule = list.rules[i];
      if (!for_a_device(rule)) continue;
      const auto name =
          names.unique(fmt::format("{}-{}", plain_name(list.set, longest_set), i + 1));
      const auto titles = joined(rule.titles, ", ");
      const auto title = plain_title(doubtful(rule.evidence)
                                         ? fmt::format("{}: {}", to_string(rule.evidence), titles)
                                         : titles);
      const auto owner = list_owner(list, rule);
      const auto [known, fresh] = groups.try_emplace(owner, name);
      if (fresh) {
        DeviceGroup group{name, title, {}};
        for (const auto& peer : rule.peers) {
          if (auto one = device_peer(peer)) group.peers.push_back(std::move(*one));
        }
        made.groups.push_back(std::move(group));
      }
      made.rules.push_back({name, known->second, title, *rule.transport == Transport::udp,
                            rule.direction == Direction::in, rule.ports, rule.source_ports});
    }
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
      found.push_back(fmt::format("{}, rule {} ({}): left to you: {}", list.set, i + 1,
                                  joined(rule.titles, "; "), joined(open)));
    }
  }
  return found;
}

std::string with_underscores(std::string name) {
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  // No name of a firewall begins with a digit ("3cx").
  if (!name.empty() && name.front() >= '0' && name.front() <= '9') name.insert(name.begin(), '_');
  return name;
}

std::vector<Network> networks_of(const AddressRange& range) {
  std::vector<Network> found;
  std::optional<IpAddress> from = range.first;
  while (from && *from <= range.last) {
    // The largest network that begins here and does not go beyond the end.
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

std::string firewall_list(const std::vector<FirewallList>& lists, const RenderOptions&) {
  const auto all = for_devices(lists);
  std::string out;
  for (const auto& group : all.groups) {
    for (const auto& rule : all.rules) {
      if (rule.group != group.name) continue;
      out += fmt::format("# {}: {} {} {} {}: {}\n", rule.name, rule.udp ? "UDP" : "TCP",
                         port_list(rule.ports, ", "), rule.inbound ? "from" : "to", group.name,
                         rule.title);
    }
    for (const auto& peer : group.peers) out += peer.text + '\n';
  }
  return out;
}

std::string firewall_edl_ip(const std::vector<FirewallList>& lists, const RenderOptions&) {
  return lines_of(lists, [](const DevicePeer& peer) { return is_name(peer) ? "" : peer.text; });
}

std::string firewall_edl_domain(const std::vector<FirewallList>& lists, const RenderOptions&) {
  return lines_of(lists, [](const DevicePeer& peer) { return is_name(peer) ? peer.text : ""; });
}

// Without a closing slash, PAN-OS takes "example.com" for the beginning of "example.com.else".
std::string firewall_edl_url(const std::vector<FirewallList>& lists, const RenderOptions&) {
  return lines_of(lists,
                  [](const DevicePeer& peer) { return is_name(peer) ? peer.text + '/' : ""; });
}

}  // namespace callready
