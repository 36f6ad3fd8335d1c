// A new set from a feed alone (targets/feeds.hpp).
#include <algorithm>

#include "targets/feeds.hpp"
#include "targets/yaml_document.hpp"

namespace callready {
namespace {

struct Vendor {
  FeedKind kind;
  std::string_view id, title, vendor, document, service;
  // The entries that are about calls; empty: all.
  std::vector<std::string> keys;
};

const Vendor& vendor_of(FeedKind kind) {
  static const Vendor vendors[] = {
      {FeedKind::m365,
       "ms-teams-feed",
       "Microsoft Teams, by Microsoft's feed",
       "Microsoft",
       "Microsoft 365 endpoints",
       "meetings",
       {}},
      {FeedKind::zoom,
       "zoom-feed",
       "Zoom, by Zoom's list of networks",
       "Zoom",
       "Zoom's list of networks",
       "meetings",
       {}},
      {FeedKind::aws,
       "aws-feed",
       "Amazon Chime SDK and Connect, by Amazon's list",
       "Amazon",
       "AWS IP address ranges",
       "platform",
       {"CHIME_MEETINGS", "CHIME_VOICECONNECTOR", "AMAZON_CONNECT"}},
      {FeedKind::google,
       "google-feed",
       "Google, all its networks",
       "Google",
       "Google's IP address ranges",
       "meetings",
       {""}},
  };
  return *std::find_if(std::begin(vendors), std::end(vendors),
                       [&](const Vendor& vendor) { return vendor.kind == kind; });
}

std::string row_id(const std::string& key, std::string_view suffix) {
  std::string id = "entry-";
  for (const char letter : key) {
    const auto c = static_cast<unsigned char>(letter);
    if (std::isalnum(c) != 0) {
      id += static_cast<char>(std::tolower(c));
    } else if (id.back() != '-') {
      id += '-';
    }
  }
  while (id.ends_with('-')) id.pop_back();
  if (id == "entry") id = "all";
  return id.substr(0, 56) + std::string(suffix);
}

void add_lists(std::string& out, const FeedEntry& entry) {
  const auto list = [&](std::string_view key, const std::vector<std::string>& items) {
    if (items.empty()) return;
    out += "    " + std::string(key) + ":\n";
    for (const auto& item : items) out += "      - " + yaml_quoted(item) + '\n';
  };
  list("hosts", entry.names);
  list("wildcards", entry.wildcards);
  std::vector<std::string> networks;
  for (const auto& network : entry.networks) networks.push_back(network.to_string());
  list("addresses", networks);
}

// How the row is tested, or why it cannot be.
std::string check_of(const FeedEntry& entry, bool udp) {
  const auto& ports = udp ? entry.udp : entry.tcp;
  if (ports.empty()) return "    unprobed: the feed gives no ports\n";
  const auto lines = "    ports: [" + comma_separated(ports) + "]\n";
  if (udp) {
    if (entry.networks.empty()) return "    unprobed: the feed gives no networks for UDP\n" + lines;
    return "    check: udp-range\n    transport: [udp]\n    listening: false\n" + lines;
  }
  if (entry.names.empty() && entry.networks.empty()) {
    return "    unprobed: the feed gives only wildcards, and no name to try\n" + lines;
  }
  // Only for 443 do we know the protocol.
  const bool tls = ports.size() == 1 && ports.front() == PortRange{443, 443};
  return std::string("    check: ") + (tls ? "tls" : "tcp") + "\n    transport: [" +
         (tls ? "tls" : "tcp") + "]\n" + lines;
}

}  // namespace

std::string set_from_feed(const Feed& feed, std::string_view today) {
  const auto& vendor = vendor_of(feed.kind);
  std::string out = "schema: callready.targets/1\nid: " + std::string(vendor.id) +
                    "\ntitle: " + yaml_quoted(vendor.title) +
                    "\nvendor: " + std::string(vendor.vendor) +
                    "\ndocument: " + yaml_quoted(vendor.document) + '\n';
  if (!feed.edition.empty()) out += "edition: " + yaml_quoted(feed.edition) + '\n';
  out += "verified: " + std::string(today) + "\nkind: " + std::string(vendor.service) +
         "\nevidence: vendor-feed\n";
  std::vector<FeedEntry> entries;
  if (vendor.keys.empty()) {
    // For Microsoft 365, only Teams' own entries, which still bear its older name.
    for (const auto& entry : feed.entries) {
      if (feed.kind != FeedKind::m365 || entry.note.starts_with("Skype")) entries.push_back(entry);
    }
  }
  for (const auto& key : vendor.keys) {
    if (auto entry = feed.find(key)) entries.push_back(std::move(*entry));
  }
  std::string rows, needs;
  for (const auto& entry : entries) {
    const bool tcp = !entry.tcp.empty(), udp = !entry.udp.empty();
    for (const bool by_udp : {false, true}) {
      if (by_udp ? !udp : (udp && !tcp)) continue;
      const auto id = row_id(entry.key, by_udp ? "-udp" : "");
      const auto what = entry.key.empty() ? std::string("All networks") : "Entry " + entry.key;
      rows += "  - id: " + id + "\n    title: " + yaml_quoted(what) +
              "\n    source: " + yaml_quoted(what) + '\n';
      if (!entry.note.empty()) rows += "    note: " + yaml_quoted(entry.note) + '\n';
      if (!entry.required) rows += "    severity: optional\n";
      if (entry.priority) {
        rows += "    priority: " + std::string(to_string(*entry.priority)) + '\n';
      }
      rows += "    allow_by: " + std::string(entry.networks.empty() ? "name" : "either") + '\n';
      rows += "    feed: " + std::string(feed_word(feed.kind)) +
              (entry.key.empty() ? "" : "/" + entry.key) + '\n';
      rows += check_of(entry, by_udp);
      add_lists(rows, entry);
      needs += (needs.empty() ? "" : ", ") + id;
    }
  }
  return out + "\ncapabilities:\n  - id: service\n    title: " + yaml_quoted(vendor.title) +
         "\n    needs: [" + needs + "]\n\nrequirements:\n" + rows;
}

}  // namespace callready
