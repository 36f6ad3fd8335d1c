#include "probe/diagnosis/words.hpp"

#include <algorithm>

#include "probe/diagnosis/rules.hpp"
#include "probe/diagnosis/rules_to_allow.hpp"
#include "probe/model/describe.hpp"
#include "probe/util/text.hpp"

namespace callready::findings {
namespace {

// A set of the user's own: all its hosts are.
bool is_own(const Facts& facts, const std::string& id) {
  const auto& own = facts.report.site.own_hosts;
  const auto* set = find_by_id(facts.report.sets, id);
  if (set == nullptr || own.empty()) return false;
  return std::ranges::all_of(set->requirements, [&](const RequirementResult& row) {
    return std::ranges::all_of(facts.probes_of(row), [&](const ProbeResult* result) {
      const auto& host = result->probe.target.host;
      return host.empty() || contains(own, host);
    });
  });
}

// Whose network the rules are for; with their prepositions, since other languages decline them.
struct UsersNetwork {
  Vantage of;
  std::string_view from, for_whom;
};

// The first one is anybody else's, too.
constexpr UsersNetwork networks[] = {
    {Vantage::pc, marked("from the user network"), marked("for the user network")},
    {Vantage::phone, marked("from the phones' network"), marked("for the phones' network")},
    {Vantage::mobile, marked("from the mobile phones' network"),
     marked("for the mobile phones' network")},
    {Vantage::room_device, marked("from the room devices' network"),
     marked("for the room devices' network")},
    {Vantage::pbx, marked("from the PBX"), marked("for the PBX")},
    {Vantage::sbc, marked("from the SBC"), marked("for the SBC")},
    {Vantage::gateway, marked("from the gateway"), marked("for the gateway")},
    {Vantage::hub, marked("from the hub"), marked("for the hub")},
    {Vantage::mesh_node, marked("from the video mesh node"), marked("for the video mesh node")},
};

const UsersNetwork& network_of_users(const Facts& facts) {
  const auto its = std::ranges::find(networks, facts.report.site.vantage, &UsersNetwork::of);
  return its == std::end(networks) ? networks[0] : *its;
}

}  // namespace

Text listed(const std::vector<Text>& items, std::size_t most) {
  Text text;
  // "and 1 more" takes no less room than the one itself.
  const bool cut = items.size() > most + 1;
  const auto shown = cut ? most : items.size();
  for (std::size_t i = 0; i < shown; ++i) {
    const bool last = !cut && i + 1 == shown;
    if (i > 0 && last) {
      text = phrase("{} and {}", text, items[i]);
    } else {
      text += (i == 0 ? "" : ", ") + items[i];
    }
  }
  return cut ? phrase("{} and {} more", text, items.size() - shown) : text;
}

Text named_ports(const std::set<std::uint16_t>& ports) {
  const auto words = listed(ports, 8);
  return ports.size() == 1 ? phrase("port {}", words) : phrase("ports {}", words);
}

Text flows_in_words(const Facts& facts, const Probes& probes) {
  Cause cause(probes);
  return asked_flows(facts, cause);
}

Text asked_flows(const Facts& facts, Cause& cause) {
  const bool by_rules = has_rules(facts);
  auto lost = by_rules ? failing_ones(cause.explained) : cause.explained;
  append(lost, cause.contradicted);
  if (!by_rules) return tried_flows_in_words(facts, lost);
  cause.asked = in_short(rules_to_allow(facts, lost, cause.code, cause.closes));
  return cause.asked;
}

Text tried_flows_in_words(const Facts& facts, const Probes& probes) {
  auto asked = asked_for_ones(facts, probes);
  // What has no endpoint of its own (a question to the system's resolvers) is no rule's either.
  std::erase_if(asked, [](const ProbeResult* result) {
    const auto& target = result->probe.target;
    return only_measures(result->probe.check) || target.host.empty() || target.port() == 0;
  });
  const auto by_port = grouped(asked, [](const ProbeResult* result) {
    return std::pair(is_udp(*result), result->probe.target.ports);
  });
  // Ports that go to the same hosts share a sentence, as they share a firewall rule.
  const auto by_hosts = grouped(by_port, [](const auto& its_probes) {
    return std::pair(is_udp(*its_probes.front()), hosts_of(its_probes));
  });
  std::vector<Text> sentences;
  for (const auto& rule : by_hosts) {
    std::vector<PortRange> ports;
    for (const auto& its_probes : rule) ports.push_back(its_probes.front()->probe.target.ports);
    const auto& first = rule.front();
    sentences.push_back(phrase("{} {} to {}", is_udp(*first.front()) ? "UDP" : "TCP",
                               listed(ports, 8), listed(hosts_of(first))));
  }
  return joined_texts(sentences, "; ");
}

Text resolvers_in_words(const Facts& facts) {
  const auto& resolvers = facts.report.site.resolvers;
  return resolvers.empty() ? phrase("the site's DNS servers") : listed(resolvers);
}

Text answering_resolvers_in_words(const Facts& facts) {
  const auto resolvers = resolvers_in_words(facts);
  if (port_53_taken(facts) == nullptr) return resolvers;
  return phrase("{}, or a device in the path that answers in their place", resolvers);
}

Text check_spelling(const Facts& facts, const std::vector<std::string>& names) {
  auto own = names;
  std::erase_if(
      own, [&](const std::string& name) { return !contains(facts.report.site.own_hosts, name); });
  if (own.empty()) return {};
  return phrase("First check how {} is spelled: you gave it yourself (--var, --set).", listed(own));
}

Text look_up_elsewhere(const Facts& facts, const std::vector<std::string>& names) {
  const auto resolvers = answering_resolvers_in_words(facts);
  const auto list = listed(names, 12);
  const auto fix =
      names.size() > 1
          ? phrase(
                "Look these names up from another line (a mobile phone's hotspot). If they are "
                "found there, ask the administrator of this site's DNS servers ({}) why they are "
                "not found here. If they are not, ask the operator of {}.",
                resolvers, list)
          : phrase(
                "Look the name up from another line (a mobile phone's hotspot). If it is found "
                "there, ask the administrator of this site's DNS servers ({}) why it is not found "
                "here. If it is not, ask the operator of {}.",
                resolvers, list);
  const auto spelling = check_spelling(facts, names);
  return spelling.empty() ? fix : spelling + ' ' + fix;
}

bool is_wired(const Site& site) {
  return site.links && !site.links->empty() &&
         std::ranges::all_of(*site.links,
                             [](const LinkInfo& link) { return link.wireless == false; });
}

Text look_for_what_came_up() {
  return phrase(
      "Run this again. If the same happens, look for what was still coming up: a Wi-Fi or wired "
      "sign-in (802.1X), a dock or VPN that connects, a firewall that first finds out who uses "
      "this computer.");
}

Text run_again(const Facts& facts) {
  return is_wired(facts.report.site)
             ? phrase("Run this again without a VPN, and while nobody else is using the line.")
             : phrase(
                   "Run this again on a wired connection, without a VPN, and while nobody else is "
                   "using the line.");
}

bool may_be_the_providers(const Facts& facts, const std::string& device) {
  const auto address = IpAddress::parse(device);
  return address && !address->is_private() && !address->is_link_local() &&
         !is_gateway(facts.report.site, device);
}

Text ask_the_device(const Facts& facts, const std::string& device) {
  if (device.empty()) return {};
  if (is_gateway(facts.report.site, device))
    return phrase(" The device that rejects the traffic is {}, this computer's gateway.", device);
  // A router with a public address may still be the site's own; behind a NAT it hardly is.
  if (!may_be_the_providers(facts, device))
    return phrase(" The device that rejects the traffic is {}.", device);
  return phrase(
      " The device that rejects the traffic is {}, which has {}: if it is not yours, it is the "
      "Internet provider's, and the provider has to change the rule.",
      device,
      IpAddress::parse(device)->is_shared() ? phrase("a carrier-grade NAT address")
                                            : phrase("a public address"));
}

Text advice_in_words(const Facts& facts, const Probes& probes,
                     std::initializer_list<std::string_view> words) {
  const auto wanted = facts.sets_of(probes);
  Text text;
  for (const auto& set : facts.report.sets) {
    if (!contains(wanted, set.id)) continue;
    for (const auto& advice : set.advice) {
      const bool about = std::ranges::any_of(
          words, [&](std::string_view word) { return advice.id.find(word) != advice.id.npos; });
      if (!about) continue;
      text += advice.source.empty() ? phrase(" {} asks for this: \"{}\".", set.title, advice.text)
                                    : phrase(" {} asks for this: \"{}\" ({}).", set.title,
                                             advice.text, advice.source);
    }
  }
  return text;
}

Text where_the_list_is(const Facts& facts, const Probes& probes) {
  if (has_rules(facts)) return {};  // the finding has it
  return commands_for_the_list(facts, probes);
}

Text commands_for_the_list(const Facts& facts, const Probes& probes) {
  const auto sets = facts.sets_of(probes);
  if (sets.empty()) return {};
  Text commands;
  for (const auto& set : sets) {
    commands += (commands.empty() ? "" : ", ") + ("callready firewall " + set);
    if (is_own(facts, set)) commands += phrase(" (with your --set FILE)");
  }
  return phrase(" Full list: {}.", commands);
}

FindingEvidence what_it_saw(const ProbeResult& result) {
  return {result.probe.id, phrase("{}: {}", endpoint_in_words(result.probe.target),
                                  outcome_in_words(result.observation))};
}

FindingEvidence what_it_saw(const FlowSample& sample) {
  const auto& result = *sample.result;
  if (const auto* hop = evidence_of(result, EvidenceKind::hop))
    return {result.probe.id, hop->text + "."};
  for (const auto& evidence : all_evidence(result.observation, EvidenceKind::udp_port)) {
    if (number_fact(evidence, Fact::port).value_or(0) != sample.port) continue;
    return {result.probe.id, phrase("{}, {}", result.probe.target.host, evidence.text)};
  }
  return what_it_saw(result);
}

FindingEvidence intercepts_dns(const ProbeResult& taken) {
  return {taken.probe.id, phrase("{} is not a DNS server, yet its port 53 answers: a device in the "
                                 "path intercepts DNS queries.",
                                 taken.probe.target.host)};
}

std::vector<std::string> hosts_of(const Probes& probes) {
  std::vector<std::string> all, hosts;
  for (const auto* result : probes) all.push_back(result->probe.target.host);
  add_new(hosts, all);
  return hosts;
}

std::vector<FindingAffects> sets_of(const Facts& facts, const Probes& probes) {
  std::vector<FindingAffects> sets;
  for (const auto& set : facts.sets_of(probes)) sets.push_back({set, {}});
  return sets;
}

Text from_users(const Facts& facts) { return marked_text(network_of_users(facts).from); }

Text for_users(const Facts& facts) { return marked_text(network_of_users(facts).for_whom); }

}  // namespace callready::findings
