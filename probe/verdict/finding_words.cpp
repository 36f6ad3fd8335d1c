#include "probe/verdict/finding_words.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "probe/model/describe.hpp"

namespace callready::findings {
namespace {

void add_once(std::vector<std::string>& list, const std::string& item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

}  // namespace

std::string listed(const std::vector<std::string>& items, std::size_t most) {
  std::string text;
  // "and 1 more" takes no less room than the one itself.
  const bool cut = items.size() > most + 1;
  const auto shown = cut ? most : items.size();
  for (std::size_t i = 0; i < shown; ++i) {
    const bool last = !cut && i + 1 == shown;
    text += (i == 0 ? "" : last ? " and " : ", ") + items[i];
  }
  if (cut) text += fmt::format(" and {} more", items.size() - shown);
  return text;
}

std::string ports_in_words(const std::vector<std::uint16_t>& ports, std::size_t most) {
  std::vector<std::string> words;
  for (const auto port : ports) words.push_back(std::to_string(port));
  return listed(words, most);
}

std::string flows_in_words(const Facts& facts, const std::vector<const ProbeResult*>& probes) {
  std::vector<std::string> ports;  // "TCP 5060", in order
  std::map<std::string, std::vector<std::string>> hosts;
  for (const auto* result : probes) {
    if (!facts.asked_for(*result)) continue;
    const auto& target = result->probe.target;
    const auto port =
        fmt::format("{} {}", is_udp(*result) ? "UDP" : "TCP", target.ports.to_string());
    add_once(ports, port);
    add_once(hosts[port], target.host);
  }
  // Ports that go to the same hosts share a sentence, as they share a firewall rule.
  std::string text;
  std::set<std::string> done;
  for (const auto& port : ports) {
    if (done.contains(port)) continue;
    std::vector<std::string> together;
    for (const auto& other : ports) {
      const bool same = other.substr(0, 4) == port.substr(0, 4) && hosts[other] == hosts[port];
      if (!same || !done.insert(other).second) continue;
      together.push_back(other.substr(4));
    }
    text += fmt::format("{}{} {} to {}", text.empty() ? "" : "; ", port.substr(0, 3),
                        listed(together, 8), listed(hosts[port]));
  }
  return text;
}

std::string ask_the_device(const std::string& device) {
  if (device.empty()) return {};
  const auto address = IpAddress::parse(device);
  // A router with a public address may still be the site's own; behind a NAT it hardly is.
  const bool outside = address && !address->is_private() && !address->is_link_local();
  return fmt::format(
      " The device that refuses is {}{}.", device,
      outside ? ", which has a public address: if it is not yours, it is the Internet provider's, "
                "and the rule is for the provider to change"
              : "");
}

std::string advice_in_words(const Facts& facts, const std::vector<const ProbeResult*>& probes,
                            std::initializer_list<std::string_view> words) {
  std::set<std::string> wanted;
  for (const auto* result : probes) {
    for (const auto& row : facts.rows_of(result->probe.id)) {
      wanted.insert(row.substr(0, row.find('/')));
    }
  }
  std::string text;
  for (const auto& set : facts.report.sets) {
    if (!wanted.contains(set.id)) continue;
    for (const auto& advice : set.advice) {
      const bool about = std::any_of(words.begin(), words.end(), [&](std::string_view word) {
        return advice.id.find(word) != advice.id.npos;
      });
      if (!about) continue;
      text += fmt::format(" {} asks for it: \"{}\"", set.title, advice.text);
      if (!advice.source.empty()) text += fmt::format(" ({})", advice.source);
      text += '.';
    }
  }
  return text;
}

std::string where_the_list_is(const Facts& facts, const std::vector<const ProbeResult*>& probes) {
  std::vector<std::string> sets;
  for (const auto* result : probes) {
    for (const auto& row : facts.rows_of(result->probe.id)) {
      add_once(sets, row.substr(0, row.find('/')));
    }
  }
  if (sets.empty()) return {};
  std::string commands;
  for (const auto& set : sets)
    commands += (commands.empty() ? "" : ", ") + ("callready firewall " + set);
  return fmt::format(" The whole list: {}.", commands);
}

FindingEvidence what_it_saw(const ProbeResult& result) {
  return {result.probe.id, fmt::format("{}: {}", endpoint_in_words(result.probe.target),
                                       outcome_in_words(result.observation))};
}

FindingEvidence what_it_saw(const Contact& contact) {
  const auto& result = *contact.result;
  if (const auto* hop = evidence_of(result, "hop")) return {result.probe.id, hop->text + "."};
  for (const auto& evidence : result.observation.evidence) {
    if (evidence.kind != "udp_port") continue;
    if (number_fact(evidence, "port").value_or(0) != contact.port) continue;
    return {result.probe.id, fmt::format("{}: {}", result.probe.target.host, evidence.text)};
  }
  return what_it_saw(result);
}

void add_what_they_saw(std::vector<FindingEvidence>& list,
                       const std::vector<const ProbeResult*>& probes, std::size_t most) {
  for (const auto* result : probes) {
    if (most-- == 0) return;
    list.push_back(what_it_saw(*result));
  }
}

std::vector<std::string> hosts_of(const std::vector<const ProbeResult*>& probes) {
  std::vector<std::string> hosts;
  for (const auto* result : probes) add_once(hosts, result->probe.target.host);
  return hosts;
}

std::vector<FindingAffects> sets_of(const Facts& facts,
                                    const std::vector<const ProbeResult*>& probes) {
  std::vector<FindingAffects> sets;
  for (const auto* result : probes) {
    for (const auto& row : facts.rows_of(result->probe.id)) {
      const auto set = row.substr(0, row.find('/'));
      const bool known = std::any_of(sets.begin(), sets.end(),
                                     [&](const FindingAffects& other) { return other.set == set; });
      if (!known) sets.push_back({set, {}});
    }
  }
  return sets;
}

}  // namespace callready::findings
