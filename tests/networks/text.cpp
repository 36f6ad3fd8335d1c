#include "tests/networks/text.hpp"

#include <fmt/format.h>

#include <sstream>
#include <stdexcept>

namespace callready::networks {
namespace {

template <typename Enum>
struct Name {
  Enum value;
  const char* text;
};

constexpr Name<BoxKind> kinds[] = {{BoxKind::rule, "rule"},
                                   {BoxKind::replies, "replies"},
                                   {BoxKind::nat, "nat"},
                                   {BoxKind::rate, "rate"},
                                   {BoxKind::ban, "ban"},
                                   {BoxKind::protocol, "protocol"},
                                   {BoxKind::names, "names"},
                                   {BoxKind::redirect_dns, "redirect_dns"},
                                   {BoxKind::intercept, "intercept"},
                                   {BoxKind::accept, "accept"},
                                   {BoxKind::portal, "portal"},
                                   {BoxKind::sip_alg, "sip_alg"},
                                   {BoxKind::mtu, "mtu"},
                                   {BoxKind::branch, "branch"}};
constexpr Name<Action> actions[] = {{Action::drop, "drop"},
                                    {Action::prohibit, "prohibit"},
                                    {Action::refuse, "refuse"},
                                    {Action::forge, "forge"}};
constexpr Name<Payload> payloads[] = {{Payload::none, "none"}, {Payload::rtp, "rtp"},
                                      {Payload::stun, "stun"}, {Payload::turn, "turn"},
                                      {Payload::sip, "sip"},   {Payload::tls, "tls"},
                                      {Payload::http, "http"}, {Payload::dns, "dns"},
                                      {Payload::ntp, "ntp"},   {Payload::other, "other"}};
constexpr Name<Proto> protos[] = {{Proto::any, "any"}, {Proto::udp, "udp"}, {Proto::tcp, "tcp"}};
constexpr Name<Behaviour> behaviours[] = {{Behaviour::independent, "independent"},
                                          {Behaviour::address, "address"},
                                          {Behaviour::address_and_port, "address_and_port"}};
constexpr Name<Dns> resolvers[] = {{Dns::works, "works"},
                                   {Dns::dead, "dead"},
                                   {Dns::refused, "refused"},
                                   {Dns::servfail, "servfail"},
                                   {Dns::no_such_name, "no_such_name"},
                                   {Dns::sinkhole, "sinkhole"}};
constexpr Name<Ipv6> families[] = {
    {Ipv6::none, "none"}, {Ipv6::works, "works"}, {Ipv6::broken, "broken"}};
constexpr Name<FarFault> faults[] = {{FarFault::down, "down"},
                                     {FarFault::refuses, "refuses"},
                                     {FarFault::error, "error"},
                                     {FarFault::expired, "expired"},
                                     {FarFault::untrusted, "untrusted"},
                                     {FarFault::wrong_name, "wrong_name"},
                                     {FarFault::gone, "gone"}};

template <typename Enum, std::size_t N>
const char* name(const Name<Enum> (&table)[N], Enum value) {
  for (const auto& row : table) {
    if (row.value == value) return row.text;
  }
  return "?";
}

template <typename Enum, std::size_t N>
Enum value(const Name<Enum> (&table)[N], const std::string& text) {
  for (const auto& row : table) {
    if (row.text == text) return row.value;
  }
  throw std::runtime_error("unknown word: " + text);
}

IpAddress address(const std::string& text) {
  const auto found = IpAddress::parse(text);
  if (!found) throw std::runtime_error("no address: " + text);
  return *found;
}

PortRange ports(const std::string& text) {
  const auto found = PortRange::parse(text);
  if (!found) throw std::runtime_error("no ports: " + text);
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
  const auto& icmp = network.icmp;
  if (icmp != IcmpLimit()) {
    text +=
        fmt::format("icmp left {} burst {} every {} ms\n", icmp.left, icmp.burst, icmp.every_ms);
  }
  text += fmt::format("chance {}\n", network.chance);
  return text;
}

namespace {

void parse_ask(std::istream& words, networks::Network& network) {
  for (std::string word; words >> word;) {
    if (word != "with" && word != "without") {
      network.sets.push_back(word);
      continue;
    }
    std::string what;
    words >> what;
    bool& flag = what == "anchors"     ? network.anchors
                 : what == "variables" ? network.variables
                 : what == "all"       ? network.all
                                       : network.credentials;
    flag = word == "with";
  }
}

void parse_box(std::istream& words, networks::Network& network) {
  auto& box = network.boxes.emplace_back();
  std::string word;
  words >> word;
  box.kind = value(kinds, word);
  for (std::string next; words >> word;) {
    if (word == "bridge") {
      box.bridge = true;
    } else if (word == "except") {
      box.except = true;
    } else if (word == "drop" || word == "prohibit" || word == "refuse" || word == "forge") {
      box.action = value(actions, word);
    } else if (word == "match") {
      std::string range;
      words >> next >> range;
      box.matches.push_back({value(protos, next), ports(range), {}});
    } else {
      words >> next;
      if (word == "at") box.hop = std::stoi(next);
      if (word == "payload") box.payload = value(payloads, next);
      if (word == "limit") box.limit = std::stoi(next);
      if (word == "outside") box.outside = address(next);
      if (word == "mapping") box.mapping = value(behaviours, next);
      if (word == "filtering") box.filtering = value(behaviours, next);
      if (word == "to") box.matches.back().hosts.push_back(next);
    }
  }
}

void parse_line(const std::string& line, networks::Network& network) {
  std::istringstream words(line);
  std::string word, next;
  words >> word;
  if (word == "ask") {
    parse_ask(words, network);
  } else if (word == "pc") {
    words >> next;
    network.pc = address(next);
  } else if (word == "hop") {
    words >> next;
    Hop hop;
    hop.address = address(next);
    while (words >> next) {
      if (next == "inside") hop.inside = true;
      if (next == "mute") hop.speaks = false;
      if (next == "unlimited") hop.limited = false;
    }
    network.hops.push_back(hop);
  } else if (word == "line") {
    words >> next >> network.line >> next >> network.delay_ms >> next >> network.loss_out >>
        network.loss_in;
  } else if (word == "dns") {
    words >> next;
    network.dns = value(resolvers, next);
    words >> network.dns_ms >> next;
    while (words >> next) {
      if (next == "outside") network.resolver_outside = true;
      if (next == "name" && words >> next) network.dns_names.push_back(next);
    }
  } else if (word == "ipv6") {
    words >> next;
    network.ipv6 = value(families, next);
  } else if (word == "proxy") {
    network.proxy.ports.clear();
    while (words >> next) {
      if (next == "given") network.proxy.given = true;
      if (next == "down") network.proxy.up = false;
      if (next == "login") network.proxy.login = true;
      if (next == "port" && words >> next) network.proxy.ports.push_back(ports(next));
    }
  } else if (word == "box") {
    parse_box(words, network);
  } else if (word == "far") {
    Far far;
    words >> far.host >> next;
    far.fault = value(faults, next);
    network.far.push_back(far);
  } else if (word == "mute_way") {
    auto& way = network.mute_ways.emplace_back();
    words >> way.host >> next >> way.from;
  } else if (word == "mute_far") {
    network.mute_far = true;
  } else if (word == "media_answers") {
    network.media_answers = true;
  } else if (word == "sip_ignores_strangers") {
    network.sip_ignores_strangers = true;
  } else if (word == "icmp") {
    auto& icmp = network.icmp;
    words >> next >> icmp.left >> next >> icmp.burst >> next >> icmp.every_ms;
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
