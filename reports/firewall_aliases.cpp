// Aliases for pfSense (the "aliases" part of its configuration, for Backup & Restore) and OPNsense
// (for Aliases, import). Neither takes patterns of names.
#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>

#include "reports/firewall_export.hpp"
#include "reports/html_markup.hpp"
#include "reports/json_text.hpp"
#include "reports/phrases.hpp"

namespace callready {
namespace {

// Names by themselves; all else as networks.
std::vector<std::string> entries(const DeviceGroup& group, bool names) {
  std::vector<std::string> found;
  for (const auto& peer : group.peers) {
    if (peer.kind == PeerKind::wildcard || (peer.kind == PeerKind::name) != names) continue;
    if (peer.kind == PeerKind::range) {
      for (const auto& network : networks_of(*AddressRange::parse(peer.text))) {
        found.push_back(network.to_string());
      }
    } else if (peer.kind == PeerKind::address) {
      found.push_back(peer.text + (peer.v6 ? "/128" : "/32"));
    } else {
      found.push_back(peer.text);
    }
  }
  return found;
}

struct Alias {
  std::string name, type, description;
  std::vector<std::string> content;
};

std::vector<Alias> aliases(const DeviceList& all) {
  std::vector<Alias> found;
  const auto add = [&](std::string name, const char* type, const std::string& description,
                       std::vector<std::string> content) {
    if (content.empty()) return;
    found.push_back({with_underscores(std::move(name)), type, description, std::move(content)});
  };
  for (const auto& group : all.groups) {
    add(group.name + "_hosts", "host", group.title, entries(group, true));
    add(group.name + "_nets", "network", group.title, entries(group, false));
  }
  for (const auto& rule : all.rules) {
    std::vector<std::string> ports;
    for (const auto& range : rule.ports) ports.push_back(port_list({range}, "", ":"));
    add(rule.name + "_ports", "port", fmt::format("{}, {}", rule.udp ? "UDP" : "TCP", rule.title),
        std::move(ports));
  }
  return found;
}

// The same for the same name: an import anew replaces what it brought before. A UUID of version 8
// (RFC 9562 section 5.8), of a hash (FNV-1a) of the name.
std::string uuid_of(const std::string& name) {
  const auto hash = [&](std::uint64_t value) {
    for (const char c : name) {
      value = (value ^ static_cast<std::uint8_t>(c)) * 1099511628211ULL;
    }
    return value;
  };
  const auto high = hash(14695981039346656037ULL), low = hash(high);
  return fmt::format("{:08x}-{:04x}-8{:03x}-8{:03x}-{:012x}", high >> 32, high >> 16 & 0xffff,
                     high & 0xfff, low >> 52, low & 0xffffffffffffULL);
}

}  // namespace

std::string firewall_pfsense(const std::vector<FirewallList>& lists, const RenderOptions&) {
  std::string out = "<?xml version=\"1.0\"?>\n<pfsense>\n<aliases>\n";
  for (const auto& alias : aliases(for_devices(lists))) {
    out += fmt::format(
        "\t<alias>\n\t\t<name>{}</name>\n\t\t<type>{}</type>\n\t\t<address>{}</address>\n"
        "\t\t<descr>{}</descr>\n\t</alias>\n",
        alias.name, alias.type, joined(alias.content, " "), html_escaped(alias.description));
  }
  return out + "</aliases>\n</pfsense>\n";
}

std::string firewall_opnsense(const std::vector<FirewallList>& lists, const RenderOptions&) {
  auto all = nlohmann::ordered_json::object();
  for (const auto& alias : aliases(for_devices(lists))) {
    all[uuid_of(alias.name)] = {{"enabled", "1"},
                                {"name", alias.name},
                                {"type", alias.type},
                                {"content", joined(alias.content, "\n")},
                                {"description", alias.description}};
  }
  return json_text({{"aliases", {{"alias", std::move(all)}}}});
}

}  // namespace callready
