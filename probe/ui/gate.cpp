#include "probe/ui/gate.hpp"

#include <fmt/format.h>

#include "probe/util/digest.hpp"
#include "probe/util/text.hpp"

namespace callready::ui {
namespace {

constexpr std::string_view host_name = "127.0.0.1", cookie_name = "callready";

std::string random_text() { return hex(random_bytes<32>()); }

}  // namespace

Keys make_keys() { return {random_text(), random_text(), random_text()}; }

bool is_own_host(std::string_view host, std::uint16_t port) {
  const auto colon = host.find(':');
  if (colon == host.npos) return false;
  // The port as its digits alone: no sign, no space, no leading zero.
  return host.substr(0, colon) == host_name && host.substr(colon + 1) == std::to_string(port);
}

bool is_own_origin(std::string_view origin, std::uint16_t port) {
  constexpr std::string_view scheme = "http://";
  return origin.starts_with(scheme) && is_own_host(origin.substr(scheme.size()), port);
}

std::string Gate::entry() const {
  return fmt::format("http://{}:{}/enter?token={}", host_name, port_, keys_.token);
}

std::string Gate::home() const { return '/' + keys_.folder + '/'; }

std::string Gate::cookie_field() const {
  return fmt::format("{}={}; Path={}; HttpOnly; SameSite=Strict", cookie_name, keys_.cookie,
                     home());
}

// RFC 6265, 4.2.1: "a=b; c=d".
bool Gate::has_cookie(const WebRequest& request) const {
  for (auto pair : split(request.field("Cookie"), ";")) {
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    const auto equals = pair.find('=');
    if (equals == pair.npos || pair.substr(0, equals) != cookie_name) continue;
    if (is_same_secret(pair.substr(equals + 1), keys_.cookie)) return true;
  }
  return false;
}

std::string Gate::why_foreign(const WebRequest& request, bool entering) const {
  if (!is_own_host(request.field("Host"), port_)) return "another Host";
  const auto origins = request.all("Origin");
  const bool changes = request.method != "GET";
  if (changes && request.method != "POST") return "another method";
  if (changes && origins.empty()) return "no Origin";
  if (origins.size() > 1) return "another Origin";
  if (!origins.empty() && !is_own_origin(origins.front(), port_)) return "another Origin";
  // Fetch Metadata, from browsers that send it: from elsewhere, only the file may lead here.
  const auto site = request.field("Sec-Fetch-Site");
  if (!entering && (site == "cross-site" || site == "same-site")) return "another site";
  return {};
}

Gate::Decision Gate::decide(const WebRequest& request) {
  constexpr std::string_view door = "/enter?token=";
  const std::string_view target = request.target;
  const bool entering = target.starts_with(door);
  Decision decision;
  decision.why = why_foreign(request, entering);
  if (!decision.why.empty()) return decision;
  if (entering) {
    const bool right =
        request.method == "GET" && is_same_secret(target.substr(door.size()), keys_.token);
    decision.why = !right ? "another token" : used_ ? "a used token" : "";
    if (!decision.why.empty()) return decision;
    used_ = true;
    decision.kind = Kind::entering;
    return decision;
  }
  const auto base = home();
  const bool under = target.size() >= base.size() &&
                     is_same_secret(target.substr(0, base.size()), base) && has_cookie(request);
  if (!under) {
    decision.why = "no cookie";
    return decision;
  }
  decision.kind = Kind::inside;
  const auto path = target.substr(base.size());
  decision.path = std::string(path.substr(0, path.find('?')));
  return decision;
}

}  // namespace callready::ui
