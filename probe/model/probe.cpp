#include "probe/model/probe.hpp"

namespace callready {

std::string_view parameter_of(const Probe& probe, const std::string& name,
                              std::string_view otherwise) {
  const auto found = probe.with.find(name);
  return found == probe.with.end() ? otherwise : found->second;
}

std::string probe_id(const Probe& probe) {
  std::string id(to_string(probe.check));
  id += '/' + std::string(to_string(probe.target.transport));
  if (!probe.target.host.empty()) id += '/' + authority(probe.target.host, probe.target.ports);
  char separator = '?';
  for (const auto& [name, value] : probe.with) {
    id += separator + name + '=' + value;
    separator = '&';
  }
  if (!probe.target.route.direct()) id += '@' + probe.target.route.proxy;
  return id;
}

Purpose likely_purpose(const Probe& control) {
  if (control.with.contains("again") || asks_another_address(control)) return Purpose::repeat;
  if (control.with.contains("server_name")) return Purpose::other_server_name;
  // No set uses a mere connection to give others a meaning.
  if (control.check == CheckKind::tcp) return Purpose::neighbour;
  return Purpose::control;
}

}  // namespace callready
