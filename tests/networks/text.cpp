#include "tests/networks/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <sstream>
#include <stdexcept>

namespace callready::networks {
namespace {

// In the order of the enums' members.
constexpr std::string_view kinds[] = {"rule",     "replies", "nat",          "rate",      "ban",
                                      "protocol", "names",   "redirect_dns", "intercept", "accept",
                                      "portal",   "sip_alg", "mtu",          "branch",    "first"};
constexpr std::string_view actions[] = {"drop", "prohibit", "refuse", "forge"};
constexpr std::string_view payloads[] = {"none", "rtp",  "stun", "turn", "sip",
                                         "tls",  "http", "dns",  "ntp",  "other"};
constexpr std::string_view protos[] = {"any", "udp", "tcp"};
constexpr std::string_view behaviours[] = {"independent", "address", "address_and_port"};
constexpr std::string_view resolvers[] = {"works",    "dead",         "refused",
                                          "servfail", "no_such_name", "sinkhole"};
constexpr std::string_view families[] = {"none", "works", "broken"};
constexpr std::string_view faults[] = {"down",      "refuses",    "error", "expired",
                                       "untrusted", "wrong_name", "gone"};
static_assert(std::size(kinds) == static_cast<std::size_t>(BoxKind::first) + 1);
static_assert(std::size(actions) == static_cast<std::size_t>(Action::forge) + 1);
static_assert(std::size(protos) == static_cast<std::size_t>(Proto::tcp) + 1);
static_assert(std::size(behaviours) == static_cast<std::size_t>(Behaviour::address_and_port) + 1);
static_assert(std::size(resolvers) == static_cast<std::size_t>(Dns::sinkhole) + 1);
static_assert(std::size(families) == static_cast<std::size_t>(Ipv6::broken) + 1);
static_assert(std::size(payloads) == static_cast<std::size_t>(Payload::other) + 1);
static_assert(std::size(faults) == static_cast<std::size_t>(FarFault::gone) + 1);

template <typename Enum>
std::string_view name(std::span<const std::string_view> words, Enum value) {
  return words[static_cast<std::size_t>(value)];
}

template <typename Enum>
void read(std::span<const std::string_view> words, const std::string& text, Enum& value) {
  const auto found = std::ranges::find(words, text);
  if (found == words.end()) throw std::runtime_error("unknown word: " + text);
  value = static_cast<Enum>(found - words.begin());
}

// Of an address, or of ports.
template <typename Value>
Value parsed(const std::string& text, const char* what) {
  const auto found = Value::parse(text);
  if (!found) throw std::runtime_error(fmt::format("no {}: {}", what, text));
  return *found;
}

}  // namespace

std::string_view word(BoxKind kind) { return name(kinds, kind); }

std::string to_text(const networks::Network& network) {
  std::string text = "ask";
  for (const auto& set : network.sets) text += ' ' + set;
  if (!network.anchors) text += " without anchors";
  if (network.variables) text += " with variables";
  if (network.credentials) text += " with credentials";
  if (network.all) text += " with all";
  text += fmt::format("\npc {}\n", network.pc.to_string());
  for (const auto& hop : network.hops) {
    text += fmt::format("hop {}{}{}{}\n", hop.address.to_string(), hop.inside ? " inside" : "",
                        hop.speaks ? "" : " mute", hop.limited ? "" : " unlimited");
  }
  text += fmt::format("line after {} delay {} loss {} {}\n", network.line, network.delay_ms,
                      network.loss_out, network.loss_in);
  text += fmt::format("dns {} {} ms{}", name(resolvers, network.dns), network.dns_ms,
                      network.resolver_outside ? " outside" : "");
  for (const auto& host : network.dns_names) text += " name " + host;
  text += fmt::format("\nipv6 {}\n", name(families, network.ipv6));
  const auto& proxy = network.proxy;
  text += fmt::format("proxy{}{}{}", proxy.given ? " given" : "", proxy.up ? "" : " down",
                      proxy.login ? " login" : "");
  for (const auto& range : proxy.ports) text += " port " + range.to_string();
  text += '\n';
  for (const auto& box : network.boxes) {
    text += fmt::format("box {} at {}{}{} {}", name(kinds, box.kind), box.hop,
                        box.bridge ? " bridge" : "", box.except ? " except" : "",
                        name(actions, box.action));
    if (box.payload != Payload::none)
      text += fmt::format(" payload {}", name(payloads, box.payload));
    if (box.limit != 0) text += fmt::format(" limit {}", box.limit);
    if (box.kind == BoxKind::nat) {
      text += fmt::format(" outside {} mapping {} filtering {}", box.outside.to_string(),
                          name(behaviours, box.mapping), name(behaviours, box.filtering));
    }
    for (const auto& match : box.matches) {
      text += fmt::format(" match {} {}", name(protos, match.proto), match.ports.to_string());
      for (const auto& host : match.hosts) text += " to " + host;
    }
    text += '\n';
  }
  for (const auto& far : network.far) {
    text += fmt::format("far {} {}\n", far.host, name(faults, far.fault));
  }
  for (const auto& way : network.mute_ways) {
    text += fmt::format("mute_way {} from {}\n", way.host, way.from);
  }
  if (network.mute_far) text += "mute_far\n";
  if (network.media_answers) text += "media_answers\n";
  if (network.sip_ignores_strangers) text += "sip_ignores_strangers\n";
  if (const auto& icmp = network.icmp; icmp != IcmpLimit()) {
    text +=
        fmt::format("icmp left {} burst {} every {} ms\n", icmp.left, icmp.burst, icmp.every_ms);
  }
  text += fmt::format("chance {}\n", network.chance);
  return text;
}

namespace {

std::string next_word(std::istream& words) {
  std::string word;
  words >> word;
  return word;
}

void parse_ask(std::istream& words, networks::Network& network) {
  for (std::string word; words >> word;) {
    if (word != "with" && word != "without") {
      network.sets.push_back(word);
      continue;
    }
    const auto what = next_word(words);
    bool& flag = what == "anchors"     ? network.anchors
                 : what == "variables" ? network.variables
                 : what == "all"       ? network.all
                                       : network.credentials;
    flag = word == "with";
  }
}

void parse_box(std::istream& words, networks::Network& network) {
  auto& box = network.boxes.emplace_back();
  read(kinds, next_word(words), box.kind);
  for (std::string word; words >> word;) {
    if (word == "bridge") {
      box.bridge = true;
    } else if (word == "except") {
      box.except = true;
    } else if (std::ranges::find(actions, word) != std::end(actions)) {
      read(actions, word, box.action);
    } else if (word == "match") {
      auto& match = box.matches.emplace_back();
      read(protos, next_word(words), match.proto);
      match.ports = parsed<PortRange>(next_word(words), "ports");
    } else {
      const auto what = next_word(words);
      if (word == "at") box.hop = std::stoi(what);
      if (word == "payload") read(payloads, what, box.payload);
      if (word == "limit") box.limit = std::stoi(what);
      if (word == "outside") box.outside = parsed<IpAddress>(what, "address");
      if (word == "mapping") read(behaviours, what, box.mapping);
      if (word == "filtering") read(behaviours, what, box.filtering);
      if (word == "to") box.matches.back().hosts.push_back(what);
    }
  }
}

void parse_hop(std::istream& words, networks::Network& network) {
  auto& hop = network.hops.emplace_back();
  hop.address = parsed<IpAddress>(next_word(words), "address");
  for (std::string word; words >> word;) {
    if (word == "inside") hop.inside = true;
    if (word == "mute") hop.speaks = false;
    if (word == "unlimited") hop.limited = false;
  }
}

void parse_dns(std::istream& words, networks::Network& network) {
  read(resolvers, next_word(words), network.dns);
  std::string word;
  words >> network.dns_ms >> word;
  while (words >> word) {
    if (word == "outside") network.resolver_outside = true;
    if (word == "name" && words >> word) network.dns_names.push_back(word);
  }
}

void parse_proxy(std::istream& words, networks::Network& network) {
  auto& proxy = network.proxy;
  proxy.ports.clear();
  for (std::string word; words >> word;) {
    if (word == "given") proxy.given = true;
    if (word == "down") proxy.up = false;
    if (word == "login") proxy.login = true;
    if (word == "port" && words >> word) proxy.ports.push_back(parsed<PortRange>(word, "ports"));
  }
}

void parse_line(const std::string& line, networks::Network& network) {
  std::istringstream words(line);
  const auto word = next_word(words);
  std::string label;  // before a number
  if (word == "ask") {
    parse_ask(words, network);
  } else if (word == "pc") {
    network.pc = parsed<IpAddress>(next_word(words), "address");
  } else if (word == "hop") {
    parse_hop(words, network);
  } else if (word == "line") {
    words >> label >> network.line >> label >> network.delay_ms >> label >> network.loss_out >>
        network.loss_in;
  } else if (word == "dns") {
    parse_dns(words, network);
  } else if (word == "ipv6") {
    read(families, next_word(words), network.ipv6);
  } else if (word == "proxy") {
    parse_proxy(words, network);
  } else if (word == "box") {
    parse_box(words, network);
  } else if (word == "far") {
    auto& far = network.far.emplace_back();
    words >> far.host;
    read(faults, next_word(words), far.fault);
  } else if (word == "mute_way") {
    auto& way = network.mute_ways.emplace_back();
    words >> way.host >> label >> way.from;
  } else if (word == "mute_far") {
    network.mute_far = true;
  } else if (word == "media_answers") {
    network.media_answers = true;
  } else if (word == "sip_ignores_strangers") {
    network.sip_ignores_strangers = true;
  } else if (word == "icmp") {
    auto& icmp = network.icmp;
    words >> label >> icmp.left >> label >> icmp.burst >> label >> icmp.every_ms;
  } else if (word == "chance") {
    words >> network.chance;
  } else {
    throw std::runtime_error("unknown word: " + word);
  }
}

}  // namespace

networks::Network parse(std::string_view text) {
  networks::Network network;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    try {
      parse_line(line, network);
    } catch (const std::exception& error) {
      throw std::runtime_error(std::string(error.what()) + " in: " + line);
    }
  }
  return network;
}

}  // namespace callready::networks
