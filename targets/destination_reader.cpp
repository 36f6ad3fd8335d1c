#include "targets/destination_reader.hpp"

#include <algorithm>
#include <set>

#include "probe/util/text.hpp"
#include "targets/expand_variables.hpp"
#include "targets/syntax.hpp"

namespace callready {
namespace {

// Reads the lists of one row and handles what they have in common.
class DestinationReader {
 public:
  DestinationReader(MapReader& row, const Declared& declared)
      : row_(row), declared_(declared), problems_(row.problems()) {}

  void hosts(std::string_view key, std::vector<Host>& into) {
    const auto* items = list(key);
    if (items == nullptr) return;
    std::set<std::string> seen;
    for (const auto& item : *items) {
      if (auto read = host(item, MapReader::name(key))) {
        refuse_repeated(seen, read->name + ' ' + read->region, read->name, item.position, key);
        into.push_back(std::move(*read));
      }
    }
  }

  void wildcards(std::vector<Wildcard>& into) {
    const auto* items = list("wildcards");
    if (items == nullptr) return;
    std::set<std::string> seen;
    for (const auto& item : *items) {
      const auto wildcard = item.is_scalar() ? bare_wildcard(item) : wildcard_block(item);
      if (wildcard.pattern.empty()) continue;
      refuse_repeated(seen, wildcard.pattern, wildcard.pattern, item.position, "wildcards");
      into.push_back(wildcard);
    }
  }

  void addresses(Requirement& requirement) {
    const auto* items = list("addresses");
    if (items == nullptr) return;
    std::set<std::string> seen;
    for (const auto& item : *items) {
      VariableAddress place;  // the text as written, with its region and notes
      bool unaligned = false;
      Position at = item.position;
      if (item.is_scalar()) {
        place.text = read_line(item, "'addresses'", problems_).value_or("");
      } else {
        at = address_block(item, place, unaligned);
      }
      if (place.text.empty()) continue;
      refuse_repeated(seen, place.text + ' ' + place.region, place.text, item.position,
                      "addresses");
      address(at, place, unaligned, requirement);
    }
  }

  void service_tags(std::vector<std::string>& into) {
    row_.each_line("service_tags", [&](const YamlNode& item, const std::string& text) {
      const bool good = std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return (c < 0x80 && std::isalnum(c) != 0) || c == '.' || c == '_' || c == '-';
      });
      if (!good) {
        problems_.add(item.position, "'service_tags': " + in_quotes(text) +
                                         "; expected a tag such as AzureCloud.centralus");
      }
      into.push_back(text);
    });
  }

 private:
  const std::vector<YamlNode>* list(std::string_view key) {
    const auto* node = row_.find(key);
    return node ? read_list(*node, MapReader::name(key), problems_) : nullptr;
  }

  void refuse_repeated(std::set<std::string>& seen, const std::string& key,
                       const std::string& shown, Position at, std::string_view list) {
    if (!seen.insert(lower_case(key)).second) {
      problems_.add(at, MapReader::name(list) + ": " + in_quotes(shown) + " is listed twice");
    }
  }

  template <typename Place>
  void region_lifecycle_note(MapReader& map, Place& place) {
    read_region(map, declared_, place.region);
    map.word("lifecycle", place.lifecycle);
    map.text("note", place.note);
  }

  std::optional<Host> host(const YamlNode& item, const std::string& what) {
    Host host;
    Position at = item.position;
    if (item.is_scalar()) {
      host.name = read_line(item, what, problems_).value_or("");
    } else {
      MapReader map(item, "an entry of " + what, problems_);
      if (const auto* name = map.find("name")) at = name->position;
      map.require_line("name", host.name);
      region_lifecycle_note(map, host);
      map.finish();
    }
    if (host.name.empty()) return std::nullopt;
    std::string tried = host.name;
    if (uses_variables(host.name, at, what, declared_, problems_)) {
      // If the variable has no default, only the text around it can be checked.
      tried = with_defaults(host.name, declared_).value_or("");
      if (IpAddress::parse(tried)) tried.clear();
    }
    const auto problem = tried.empty() ? std::nullopt : host_name_problem(tried);
    if (problem) {
      problems_.add(at, what + ": " + in_quotes(tried) + " is not a host name: " + *problem);
    }
    return host;
  }

  void check_pattern(const std::string& pattern, Position at) {
    if (const auto problem = wildcard_problem(pattern)) {
      problems_.add(at, "'wildcards': " + in_quotes(pattern) + " is not a pattern: " + *problem);
    }
  }

  Wildcard bare_wildcard(const YamlNode& item) {
    Wildcard wildcard{read_line(item, "'wildcards'", problems_).value_or(""), {}};
    if (!wildcard.pattern.empty()) check_pattern(wildcard.pattern, item.position);
    return wildcard;
  }

  Wildcard wildcard_block(const YamlNode& item) {
    Wildcard wildcard;
    MapReader map(item, "an entry of 'wildcards'", problems_);
    map.require_line("pattern", wildcard.pattern);
    if (!wildcard.pattern.empty()) check_pattern(wildcard.pattern, map.find("pattern")->position);
    const auto* examples = map.find("examples");
    // "examples: []" says that the document names none.
    const bool none = examples != nullptr && examples->is_list() && examples->items.empty();
    const auto* items =
        examples != nullptr && !none ? read_list(*examples, "'examples'", problems_) : nullptr;
    if (items != nullptr) {
      for (const auto& example : *items) {
        auto read = host(example, "'examples'");
        if (!read) continue;
        if (!wildcard.pattern.empty() && !matches_wildcard(read->name, wildcard.pattern)) {
          problems_.add(example.position, "'examples': " + in_quotes(read->name) +
                                              " does not match " + in_quotes(wildcard.pattern));
        }
        wildcard.examples.push_back(std::move(*read));
      }
    }
    map.finish();
    return wildcard;
  }

  // { address | network | range: ..., region, lifecycle, note, unaligned }; returns where the value
  // is.
  Position address_block(const YamlNode& item, VariableAddress& place, bool& unaligned) {
    MapReader map(item, "an entry of 'addresses'", problems_);
    Position at = item.position;
    int given = 0;
    for (const std::string_view key : {"address", "network", "range"}) {
      const auto* node = map.find(key);
      if (node == nullptr) continue;
      ++given;
      at = node->position;
      place.text = read_line(*node, MapReader::name(key), problems_).value_or("");
      const auto value = parse_address(place.text);
      constexpr std::string_view kinds[] = {"address", "network", "range"};
      if (value && kinds[value->index()] != key) {
        problems_.add(at, MapReader::name(key) + ": " + in_quotes(place.text) + " belongs under " +
                              MapReader::name(kinds[value->index()]));
      }
    }
    if (item.is_map() && given != 1) {
      problems_.add(
          item.position,
          "an entry of 'addresses' needs one of 'address', 'network' and 'range', found " +
              std::to_string(given));
    }
    map.flag("unaligned", unaligned);
    region_lifecycle_note(map, place);
    map.finish();
    return at;
  }

  void address(Position at, const VariableAddress& place, bool unaligned,
               Requirement& requirement) {
    std::string tried = place.text;
    const bool variable = uses_variables(place.text, at, "'addresses'", declared_, problems_);
    if (variable) {
      requirement.variable_addresses.push_back(place);
      const auto filled = with_defaults(place.text, declared_);
      if (!filled) return;
      tried = *filled;
    }
    auto value = parse_address(tried);
    if (!value) {
      problems_.add(at, "'addresses': " + in_quotes(tried) + address_problem(tried));
      return;
    }
    judge_address(at, *value, unaligned);
    if (!variable) {
      requirement.addresses.push_back(
          {std::move(*value), place.region, place.lifecycle, place.note});
    }
  }

  // Multicast groups belong to a site's own network: listed for the firewall, but never sent to.
  void refuse_what_is_no_host(Position at, const decltype(AddressBlock::value)& value) {
    const auto* address = std::get_if<IpAddress>(&value);
    if (const auto* network = std::get_if<Network>(&value)) address = &network->address;
    if (const auto* range = std::get_if<AddressRange>(&value)) address = &range->first;
    const bool nobodys = address->is_unspecified() && std::holds_alternative<IpAddress>(value);
    const bool group = address->is_multicast() && !row_.has("unprobed");
    if (!nobodys && !group) return;
    problems_.add(at, "'addresses': " + in_quotes(address->to_string()) +
                          " is no host's address; " +
                          (group ? "expected a unicast address, or 'unprobed' in place of 'check' "
                                   "for a multicast group"
                                 : "expected a unicast address"));
  }

  static std::string address_problem(const std::string& text) {
    const auto slash = text.find('/');
    if (slash != std::string::npos && IpAddress::parse(text.substr(slash + 1))) {
      return " is two addresses; list each on its own";
    }
    if (slash != std::string::npos && IpAddress::parse(text.substr(0, slash))) {
      return " has a bad prefix length; expected 0 to 32, for IPv6 0 to 128";
    }
    const auto dash = text.find('-');
    if (dash != std::string::npos) {
      const auto reversed = text.substr(dash + 1) + '-' + text.substr(0, dash);
      if (AddressRange::parse(reversed)) return " runs backwards; expected " + reversed;
      return " is not a range of addresses; expected 203.0.113.10-203.0.113.20";
    }
    if (!host_name_problem(text)) return " is a host name; list it under 'hosts'";
    return " is not an address; expected 192.0.2.1, 198.51.100.0/24 or 203.0.113.10-203.0.113.20";
  }

  void judge_address(Position at, const decltype(AddressBlock::value)& value, bool unaligned) {
    if (const auto* network = std::get_if<Network>(&value)) {
      if (network->aligned() == unaligned) {
        problems_.add(at,
                      "'addresses': " + in_quotes(network->to_string()) +
                          (unaligned ? " is aligned; remove 'unaligned'"
                                     : " is not aligned; write " + network->masked().to_string() +
                                           ", or add 'unaligned: true' and a note where the "
                                           "document prints it so"));
      }
    } else if (unaligned) {
      problems_.add(at, "'unaligned' is for networks (192.0.3.0/23) only");
    }
    refuse_what_is_no_host(at, value);
  }

  MapReader& row_;
  const Declared& declared_;
  Problems& problems_;
};

std::string port_problem(const std::string& text) {
  const auto dash = text.find('-');
  if (dash != std::string::npos) {
    const auto reversed = text.substr(dash + 1) + '-' + text.substr(0, dash);
    if (PortRange::parse(reversed))
      return in_quotes(text) + " runs backwards; expected " + reversed;
  }
  return in_quotes(text) + " is not a port; expected 1 to 65535 or a range such as 10000-20000";
}

}  // namespace

void read_destinations(MapReader& row, const Declared& declared, Requirement& requirement) {
  DestinationReader reader(row, declared);
  reader.hosts("hosts", requirement.hosts);
  reader.hosts("reverse_dns", requirement.reverse_dns);
  reader.wildcards(requirement.wildcards);
  reader.addresses(requirement);
  reader.service_tags(requirement.service_tags);
}

void read_ports(MapReader& row, const Declared& declared, Requirement& requirement) {
  auto& problems = row.problems();
  row.each_line("ports", [&](const YamlNode& item, const std::string& text) {
    std::string tried = text;
    const bool variable = uses_variables(text, item.position, "'ports'", declared, problems);
    if (variable) {
      requirement.variable_ports.push_back(text);
      const auto filled = with_defaults(text, declared);
      if (!filled) return;
      tried = *filled;
    }
    const auto range = PortRange::parse(tried);
    if (!range) {
      problems.add(item.position, "'ports': " + port_problem(tried));
    } else if (!variable) {
      requirement.ports.push_back(*range);
    }
  });
}

void read_source_ports(MapReader& row, Requirement& requirement) {
  row.each_line("source_ports", [&](const YamlNode& item, const std::string& text) {
    if (const auto range = PortRange::parse(text)) {
      requirement.source_ports.push_back(*range);
    } else {
      row.problems().add(item.position, "'source_ports': " + port_problem(text));
    }
  });
}

}  // namespace callready
