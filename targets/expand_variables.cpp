#include "targets/expand_variables.hpp"

#include <utility>

#include "probe/util/text.hpp"
#include "targets/suggest.hpp"
#include "targets/syntax.hpp"

namespace callready {
namespace {

bool has_variable(std::string_view text) { return text.find("${") != std::string_view::npos; }

bool belongs_to_no_host(const IpAddress& address) {
  return address.is_unspecified() || address.is_multicast();
}

// Fills in one requirement, and remembers which values were missing or did not fit.
class Expansion {
 public:
  Expansion(const Requirement& requirement, const VariableValues& values) : values_(values) {
    result_.requirement = requirement;
  }

  ExpandedRequirement run() {
    auto& row = result_.requirement;
    for (const auto& text : std::exchange(row.variable_transports, {})) transport(text);
    for (const auto& text : std::exchange(row.variable_ports, {})) port(text);
    for (const auto& address : std::exchange(row.variable_addresses, {})) variable_address(address);
    hosts(row.hosts);
    hosts(row.reverse_dns);
    for (auto& wildcard : row.wildcards) hosts(wildcard.examples);
    for (auto& [name, value] : row.with) parameter(name, value);
    return std::move(result_);
  }

 private:
  // The text with its variables filled in, or nothing if one has no value.
  std::optional<std::string> fill(const std::string& text) {
    auto expanded = expand_variables(text, values_);
    for (const auto& name : expanded.missing) add_once(result_.missing, name);
    if (!expanded.missing.empty()) return std::nullopt;
    return std::move(expanded.text);
  }

  void misfit(const std::string& notation, const std::string& value, const std::string& expected) {
    result_.problems.push_back(notation + " is '" + value + "'; expected " + expected);
  }

  void transport(const std::string& notation) {
    const auto text = fill(notation);
    if (!text) return result_.requirement.variable_transports.push_back(notation);
    if (const auto value = parse<Transport>(*text)) {
      add_once(result_.requirement.transports, *value);
    } else {
      misfit(notation, *text, "udp, tcp or tls");
    }
  }

  void port(const std::string& notation) {
    const auto text = fill(notation);
    if (!text) return result_.requirement.variable_ports.push_back(notation);
    if (const auto range = PortRange::parse(*text)) {
      result_.requirement.ports.push_back(*range);
    } else {
      misfit(notation, *text, "a port from 1 to 65535 or a range such as 10000-20000");
    }
  }

  void variable_address(const VariableAddress& address) {
    const auto text = fill(address.text);
    if (!text) return result_.requirement.variable_addresses.push_back(address);
    auto value = parse_address(*text);
    if (!value) return misfit(address.text, *text, "an address, a prefix or a range");
    const auto* one = std::get_if<IpAddress>(&*value);
    if (one != nullptr && belongs_to_no_host(*one))
      return misfit(address.text, *text, "a host's address");
    result_.requirement.addresses.push_back(
        {std::move(*value), address.region, address.lifecycle, address.note});
  }

  void parameter(const std::string& name, std::string& value) {
    const auto text = fill(value);
    if (!text) return;
    const bool digest = has_variable(value) && holds_sha256(name) && !text->empty();
    const auto digits = digest ? sha256_digits(*text) : text;
    if (!digits) return misfit(value, *text, "a SHA-256 of 64 hexadecimal digits");
    value = *digits;
  }

  // A name is filled in; a value that is an address moves to `addresses`.
  void hosts(std::vector<Host>& all) {
    std::vector<Host> named;
    for (auto& host : all) {
      if (!has_variable(host.name)) {
        named.push_back(std::move(host));
        continue;
      }
      const auto text = fill(host.name);
      if (!text) {
        named.push_back(std::move(host));
      } else if (const auto address = IpAddress::parse(*text)) {
        if (belongs_to_no_host(*address)) {
          misfit(host.name, *text, "a host name or a host's address");
        } else {
          result_.requirement.addresses.push_back(
              {*address, host.region, host.lifecycle, host.note});
        }
      } else if (const auto problem = host_name_problem(*text)) {
        misfit(host.name, *text, "a host name or an address (" + *problem + ")");
      } else {
        host.name = *text;
        named.push_back(std::move(host));
      }
    }
    all = std::move(named);
  }

  const VariableValues& values_;
  ExpandedRequirement result_;
};

}  // namespace

ExpandedText expand_variables(std::string_view text, const VariableValues& values) {
  ExpandedText result;
  for (;;) {
    const auto begin = text.find("${");
    const auto end = begin == std::string_view::npos ? begin : text.find('}', begin);
    if (end == std::string_view::npos) break;
    result.text += text.substr(0, begin);
    const std::string name(text.substr(begin + 2, end - begin - 2));
    const auto value = values.find(name);
    if (value != values.end()) {
      result.text += value->second;
    } else {
      result.text += text.substr(begin, end - begin + 1);
      add_once(result.missing, name);
    }
    text.remove_prefix(end + 1);
  }
  result.text += text;
  return result;
}

VariableValues given_values(const TargetSet& set, const VariableValues& given) {
  VariableValues values;
  for (const auto& variable : set.variables) {
    for (const auto& name : {set.id + '/' + variable.name, variable.name}) {
      const auto value = given.find(name);
      if (value != given.end()) values.try_emplace(variable.name, value->second);
    }
  }
  return values;
}

VariableValues variable_values(const TargetSet& set, const VariableValues& given) {
  auto values = given_values(set, given);
  for (const auto& variable : set.variables) {
    if (variable.fallback) values.try_emplace(variable.name, *variable.fallback);
  }
  return values;
}

ExpandedRequirement expand_variables(const Requirement& requirement, const VariableValues& values) {
  return Expansion(requirement, values).run();
}

std::optional<decltype(AddressBlock::value)> parse_address(std::string_view text) {
  if (const auto address = IpAddress::parse(text)) return *address;
  if (const auto network = Network::parse(text)) return *network;
  if (const auto range = AddressRange::parse(text)) return *range;
  return std::nullopt;
}

}  // namespace callready
