#include "probe/model/observation.hpp"

namespace callready {

std::string text_fact(const Evidence& evidence, const std::string& name) {
  const auto found = evidence.facts.find(name);
  if (found == evidence.facts.end()) return {};
  const auto* text = std::get_if<std::string>(&found->second);
  return text == nullptr ? std::string() : *text;
}

std::optional<double> number_fact(const Evidence& evidence, const std::string& name) {
  const auto found = evidence.facts.find(name);
  if (found == evidence.facts.end()) return std::nullopt;
  if (const auto* real = std::get_if<double>(&found->second)) return *real;
  if (const auto* whole = std::get_if<std::int64_t>(&found->second)) {
    return static_cast<double>(*whole);
  }
  return std::nullopt;
}

std::optional<bool> flag_fact(const Evidence& evidence, const std::string& name) {
  const auto found = evidence.facts.find(name);
  if (found == evidence.facts.end()) return std::nullopt;
  const auto* flag = std::get_if<bool>(&found->second);
  return flag == nullptr ? std::nullopt : std::optional(*flag);
}

std::string SocketAddress::to_string() const {
  const auto host = address.to_string();
  return (address.is_v6() ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

bool reached(Outcome outcome) {
  return outcome == Outcome::answered || outcome == Outcome::connected ||
         outcome == Outcome::passed;
}

}  // namespace callready
