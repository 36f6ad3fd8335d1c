#include "probe/model/firewall_rule.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>

#include "probe/model/public_network.hpp"
#include "probe/util/text.hpp"

namespace callready {
namespace {

constexpr Word<PeerKind> peer_kinds[] = {
    {PeerKind::name, "name"},       {PeerKind::wildcard, "wildcard"},
    {PeerKind::address, "address"}, {PeerKind::network, "network"},
    {PeerKind::range, "range"},     {PeerKind::service_tag, "service_tag"},
    {PeerKind::yours, "yours"},
};

// Where there is little room, more peers than this are only counted.
constexpr std::size_t few_peers = 4;
// More sentences than this are summed up by set: the full list is elsewhere.
constexpr std::size_t most_sentences = 6;

void add_text(std::vector<std::string>& list, const std::string& text) {
  if (!text.empty()) add_once(list, text);
}

bool any_of(const std::vector<std::string>& wanted, const std::vector<std::string>& active) {
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(),
                                       [&](const auto& id) { return contains(active, id); });
}

// Titles of the rows that this row stands in for, if it is only a fallback wherever it is needed.
std::vector<std::string> fallback_for(const TargetSet& set, const Requirement& row,
                                      const std::vector<std::string>& scenarios) {
  std::vector<std::string> titles;
  for (const auto& capability : set.capabilities) {
    if (!any_of(capability.scenarios, scenarios)) continue;
    for (const auto& need : capability.needs) {
      for (std::size_t i = 0; i < need.alternatives.size(); ++i) {
        if (!contains(need.alternatives[i], row.id)) continue;
        if (!need.is_fallback(i)) return {};
        for (const auto& first : need.alternatives.front()) {
          const auto* wanted = set.find_requirement(first);
          if (wanted != nullptr && wanted->id != row.id) add_text(titles, wanted->title);
        }
      }
    }
  }
  return titles;
}

// "${pbx}" as "your PBX address (--var pbx)": what nobody but the customer can fill in.
std::string in_words(const TargetSet& set, const std::string& text) {
  for (const auto& variable : set.variables) {
    if (text.find("${" + variable.name + '}') == std::string::npos) continue;
    auto title = variable.title;
    if (title.empty()) title = variable.name;
    return fmt::format("{} (yours{}: --var {}=...)", title,
                       variable.optional ? ", where you have one" : "", variable.name);
  }
  return text;
}

std::vector<RulePeer> peers_of(const TargetSet& set, const Requirement& row,
                               const std::vector<std::string>& regions) {
  // Its hosts are the names to ask for.
  if (row.check == CheckKind::dns && !row.with.contains("server")) {
    return {{"your DNS servers", PeerKind::yours, "", "", Lifecycle::current}};
  }
  std::vector<RulePeer> peers;
  const auto add = [&](RulePeer peer) {
    const bool chosen = regions.empty() || peer.region.empty() || contains(regions, peer.region);
    if (chosen) peers.push_back(std::move(peer));
  };
  for (const auto& host : row.hosts) {
    const bool variable = host.name.find("${") != std::string::npos;
    add({in_words(set, host.name), variable ? PeerKind::yours : PeerKind::name, host.region,
         host.note, host.lifecycle});
  }
  for (const auto& wildcard : row.wildcards) {
    add({wildcard.pattern, PeerKind::wildcard, "", "", Lifecycle::current});
  }
  static constexpr PeerKind kinds[] = {PeerKind::address, PeerKind::network, PeerKind::range};
  for (const auto& block : row.addresses) {
    add({block.to_string(), kinds[block.value.index()], block.region, block.note, block.lifecycle});
  }
  for (const auto& block : row.variable_addresses) {
    add({in_words(set, block.text), PeerKind::yours, block.region, block.note, block.lifecycle});
  }
  for (const auto& peer : row.local_peers) {
    add({peer, PeerKind::yours, "", "", Lifecycle::current});
  }
  for (const auto& tag : row.service_tags) {
    add({tag, PeerKind::service_tag, "", "", Lifecycle::current});
  }
  return peers;
}

// To a firewall, the same ports over TCP and over TLS are one line.
std::vector<Transport> protocols_of(const Requirement& row) {
  std::vector<Transport> found;
  const bool plain = contains(row.transports, Transport::tcp);
  for (const auto transport : row.transports) {
    add_once(found, transport == Transport::tls && plain ? Transport::tcp : transport);
  }
  return found;
}

auto key_of(const FirewallRule& rule) {
  return std::tie(rule.set, rule.direction, rule.vantages, rule.transport, rule.your_transport,
                  rule.source_ports, rule.ports, rule.your_ports, rule.severity, rule.lifecycle,
                  rule.allow_by, rule.proxy, rule.evidence, rule.fallback_for, rule.state,
                  rule.at_home);
}

// A note says "it"; once a rule has several rows, it has to say which one it means.
void name_notes(FirewallRule& rule) {
  if (rule.titles.size() != 1) return;
  for (auto& note : rule.notes) note = fmt::format("{}: {}", rule.titles.front(), note);
}

// `known_peers`: the texts of those that `into` has.
void merge(FirewallRule& into, FirewallRule from, std::set<std::string>& known_peers) {
  if (into.requirements != from.requirements && into.notes != from.notes) {
    name_notes(into);
    name_notes(from);
  }
  for (const auto member : {&FirewallRule::requirements, &FirewallRule::titles,
                            &FirewallRule::purposes, &FirewallRule::sources, &FirewallRule::notes,
                            &FirewallRule::remarks, &FirewallRule::conditions}) {
    for (const auto& text : from.*member) add_text(into.*member, text);
  }
  // A row for any client makes the whole rule one for any.
  if (into.clients.empty() || from.clients.empty()) {
    into.clients.clear();
  } else {
    for (const auto& client : from.clients) add_text(into.clients, client);
  }
  for (auto& peer : from.peers) {
    if (known_peers.insert(peer.text).second) into.peers.push_back(std::move(peer));
  }
}

bool covers(const RulePeer& peer, const std::string& host) {
  const auto address = IpAddress::parse(host);
  switch (peer.kind) {
    case PeerKind::wildcard: {
      const auto suffix =
          peer.text.substr(peer.text.find('.') == std::string::npos ? 0 : peer.text.find('.'));
      return !address && host.size() > suffix.size() && host.ends_with(suffix);
    }
    case PeerKind::network: {
      const auto network = Network::parse(peer.text);
      return address && network && network->contains(*address);
    }
    case PeerKind::range: {
      const auto range = AddressRange::parse(peer.text);
      return address && range && range->contains(*address);
    }
    case PeerKind::name:
    case PeerKind::address:
    case PeerKind::service_tag:
    case PeerKind::yours:
      break;
  }
  return peer.text == host;
}

}  // namespace

template <>
std::span<const Word<PeerKind>> words() {
  return peer_kinds;
}

bool is_whole(const FirewallRule& rule) {
  const bool carried = rule.transport || !rule.your_transport.empty();
  return !rule.peers.empty() && carried && (!rule.ports.empty() || !rule.your_ports.empty());
}

std::string protocol_in_words(const FirewallRule& rule) {
  if (!rule.your_transport.empty()) return rule.your_transport;
  if (!rule.transport) return "any";
  return *rule.transport == Transport::udp   ? "UDP"
         : *rule.transport == Transport::tcp ? "TCP"
                                             : "TCP (TLS)";
}

std::string protocol_in_short(const FirewallRule& rule) {
  if (!rule.your_transport.empty()) return rule.your_transport;
  return rule.transport && *rule.transport == Transport::udp ? "UDP" : "TCP";
}

std::string ports_in_words(const FirewallRule& rule) {
  auto text = comma_separated(rule.ports);
  for (const auto& words : rule.your_ports) text += (text.empty() ? "" : ", ") + words;
  return text.empty() ? "any" : text;
}

std::string source_ports_in_words(const FirewallRule& rule) {
  return rule.source_ports.empty() ? "any" : comma_separated(rule.source_ports);
}

namespace {

Text counted(PeerKind kind, std::size_t count) {
  switch (kind) {
    case PeerKind::name:
      return plural(count, "{} name", "{} names");
    case PeerKind::wildcard:
      return plural(count, "{} wildcard", "{} wildcards");
    case PeerKind::address:
      return plural(count, "{} address", "{} addresses");
    case PeerKind::network:
      return plural(count, "{} network", "{} networks");
    case PeerKind::range:
      return plural(count, "{} range", "{} ranges");
    case PeerKind::service_tag:
      return plural(count, "{} service tag", "{} service tags");
    case PeerKind::yours:
      return plural(count, "{} server of yours", "{} servers of yours");
  }
  return Text(fmt::to_string(count));
}

}  // namespace

Text peers_counted(const FirewallRule& rule) {
  std::vector<std::pair<PeerKind, std::size_t>> kinds;
  for (const auto& peer : rule.peers) {
    const auto known = std::find_if(kinds.begin(), kinds.end(),
                                    [&](const auto& kind) { return kind.first == peer.kind; });
    if (known == kinds.end()) {
      kinds.emplace_back(peer.kind, 1);
    } else {
      ++known->second;
    }
  }
  std::vector<Text> texts;
  for (const auto& [kind, count] : kinds) texts.push_back(counted(kind, count));
  return joined_texts(texts);
}

namespace {

bool needs_list(const FirewallRule& rule) { return rule.peers.size() > few_peers; }

using Rules = std::vector<const FirewallRule*>;

// "UDP 3478, 49152-65535 and TCP 5223": what these rules let through, each port once.
Text carriers_in_short(const Rules& rules) {
  Text text;
  for (const auto& alike :
       grouped(rules, [](const auto* rule) { return protocol_in_short(*rule); })) {
    std::vector<PortRange> ranges;
    std::vector<std::string> ports, yours;
    for (const auto* rule : alike) {
      append(ranges, rule->ports);
      for (const auto& words : rule->your_ports) add_text(yours, words);
    }
    std::ranges::sort(ranges, {}, [](const PortRange& range) {
      return std::pair(range.first, -int{range.last});  // the widest first
    });
    int last = 0;
    for (const auto& range : ranges) {
      if (range.last > last) ports.push_back(range.to_string());
      last = std::max<int>(last, range.last);
    }
    append(ports, yours);
    if (ports.empty()) ports.push_back("any");
    const Text carrier =
        fmt::format("{} {}", protocol_in_short(*alike.front()), fmt::join(ports, ", "));
    text = text.empty() ? carrier : phrase("{} and {}", text, carrier);
  }
  return text;
}

Text peers_in_short(const FirewallRule& rule) {
  const bool in = rule.direction == Direction::in;
  Text peers;
  if (needs_list(rule)) {
    peers = peers_counted(rule);
    const auto& titles = rule.titles;
    if (titles.size() == 1) peers += phrase(" ({})", titles.front());
    if (titles.size() > 1) peers += phrase(" ({} and {} more)", titles.front(), titles.size() - 1);
  } else {
    for (const auto& peer : rule.peers) {
      const bool last = &peer == &rule.peers.back();
      peers = peers.empty() ? Text(peer.text)
              : last        ? phrase("{} and {}", peers, peer.text)
                            : peers + ", " + peer.text;
    }
  }
  return in ? phrase("from {}", peers) : phrase("to {}", peers);
}

using Sentence = std::pair<Text, Rules>;  // whom it is about, and the rules that say what

void add_to(std::vector<Sentence>& sentences, const Text& who, const FirewallRule& rule) {
  auto known = std::find_if(sentences.begin(), sentences.end(),
                            [&](const auto& one) { return one.first == who; });
  if (known == sentences.end()) known = sentences.insert(known, {who, {}});
  known->second.push_back(&rule);
}

// Where they differ: " (recommended)" or " (optional)".
Text severity_in_short(const FirewallRule& rule, const std::vector<FirewallRule>& rules) {
  const bool mixed = std::ranges::any_of(
      rules, [&](const FirewallRule& one) { return one.severity != rule.severity; });
  if (!mixed || rule.severity == Severity::required) return {};
  return rule.severity == Severity::optional ? phrase(" (optional)") : phrase(" (recommended)");
}

// Ports that lead to the same peers share a sentence.
std::vector<Sentence> sentences_of(const std::vector<FirewallRule>& rules) {
  std::vector<Sentence> sentences;
  for (const auto& rule : rules)
    add_to(sentences, peers_in_short(rule) + severity_in_short(rule, rules), rule);
  return sentences;
}

// "for rainbow: UDP 3478, 49152-65535 and TCP 5223", set by set.
Text by_sets(const std::vector<FirewallRule>& rules) {
  std::vector<Sentence> sets;
  for (const auto& rule : rules) add_to(sets, rule.set, rule);
  std::vector<Text> texts;
  for (const auto& [set, its] : sets) {
    texts.push_back(phrase("for {}: {}", set, carriers_in_short(its)));
  }
  return joined_texts(texts, "; ");
}

}  // namespace

Text in_short(const std::vector<FirewallRule>& rules) {
  const auto sentences = sentences_of(rules);
  if (sentences.size() > most_sentences) {
    return phrase("{} ({} rules from the vendors' documentation)", by_sets(rules), rules.size());
  }
  std::vector<Text> texts;
  for (const auto& [peers, its] : sentences) texts.push_back(carriers_in_short(its) + ' ' + peers);
  return joined_texts(texts, "; ");
}

bool is_cut_short(const std::vector<FirewallRule>& rules) {
  return std::any_of(rules.begin(), rules.end(), needs_list) ||
         sentences_of(rules).size() > most_sentences;
}

std::vector<FirewallRule> rules_of(const TargetSet& set, const Requirement& row,
                                   const std::vector<std::string>& scenarios,
                                   const std::vector<std::string>& regions) {
  if (only_measures(row.check)) return {};
  FirewallRule rule;
  const auto& head = set.head_of(row);
  rule.set = head.id;
  rule.evidence = row.evidence.value_or(head.evidence);
  rule.requirements = {row.id};
  rule.titles = {row.title};
  add_text(rule.purposes, row.purpose);
  rule.sources = {row.source};
  rule.clients = row.clients;
  add_text(rule.notes, row.note);
  rule.conditions = row.conditions;
  rule.severity = row.severity;
  rule.direction = row.direction;
  rule.lifecycle = row.lifecycle;
  rule.allow_by = row.allow_by;
  rule.proxy = row.proxy;
  rule.vantages = row.vantages;
  rule.source_ports = row.source_ports;
  rule.ports = row.ports;
  for (const auto& text : row.variable_ports) rule.your_ports.push_back(in_words(set, text));
  rule.peers = peers_of(set, row, regions);
  rule.fallback_for = fallback_for(set, row, scenarios);
  std::vector<FirewallRule> rules;
  for (const auto transport : protocols_of(row)) {
    rules.push_back(rule);
    rules.back().transport = transport;
  }
  for (const auto& text : row.variable_transports) {
    rules.push_back(rule);
    rules.back().your_transport = in_words(set, text);
  }
  if (rules.empty()) rules.push_back(rule);
  for (const auto& block : row.addresses) {
    const auto* network = std::get_if<Network>(&block.value);
    const auto problem = network != nullptr ? why_no_services_network(*network) : std::nullopt;
    if (!problem || network->address.is_multicast()) continue;
    for (auto& one : rules) {
      add_text(one.notes, fmt::format("{} {}", network->to_string(), *problem));
    }
  }
  for (auto& one : rules) {
    if (!is_whole(one)) add_text(one.remarks, row.unprobed);
  }
  return rules;
}

void add_rule(std::vector<FirewallRule>& rules, FirewallRule rule) {
  RuleMerger merger(std::move(rules));
  merger.add(std::move(rule));
  rules = std::move(merger).take();
}

void RuleMerger::add(FirewallRule rule) {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    auto& known = rules_[i];
    // A rule without peers is not part of one that has some.
    const bool both = known.peers.empty() == rule.peers.empty();
    if (!both || key_of(known) != key_of(rule)) continue;
    auto& peers = peers_[i];
    if (peers.empty()) {
      for (const auto& peer : known.peers) peers.insert(peer.text);
    }
    return merge(known, std::move(rule), peers);
  }
  rules_.push_back(std::move(rule));
}

FirewallRule part_of(const FirewallRule& rule, const std::vector<const Target*>& endpoints) {
  auto part = rule;
  std::erase_if(part.peers, [&](const RulePeer& peer) {
    return std::none_of(endpoints.begin(), endpoints.end(),
                        [&](const Target* target) { return covers(peer, target->host); });
  });
  if (part.peers.empty()) part.peers = rule.peers;
  std::erase_if(part.ports, [&](const PortRange& range) {
    return std::none_of(endpoints.begin(), endpoints.end(),
                        [&](const Target* target) { return target->ports.overlaps(range); });
  });
  if (part.ports.empty()) part.ports = rule.ports;
  return part;
}

}  // namespace callready
