// serve: the far end for a site that is to be checked, on a host outside.
#include <fmt/format.h>

#include "probe/cli/commands.hpp"
#include "probe/cli/output.hpp"
#include "probe/cli/secrets.hpp"
#include "probe/model/day.hpp"
#include "probe/platform/child.hpp"
#include "probe/platform/descriptor.hpp"
#include "probe/platform/system.hpp"
#include "probe/serve/responder.hpp"
#include "probe/util/base64.hpp"
#include "probe/util/digest.hpp"
#include "probe/util/text.hpp"
#include "probe/webrtc/token.hpp"

namespace callready {
namespace {

// A new key, only for the person at the terminal: a log would keep it.
std::string new_key() { return base64(random_bytes<24>()); }

// Whether a target set can hold it as a host, judged only by its characters.
bool plausible(const std::string& name) {
  return !name.empty() && name.size() <= 253 &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:") ==
             std::string::npos &&
         (name.find(':') == std::string::npos || IpAddress::parse(name));
}

// "443,8000-8010", or "off"; "0" where any port will do.
std::optional<std::vector<PortRange>> parse_ports(const std::string& text) {
  std::vector<PortRange> ranges;
  if (text == "off") return ranges;
  if (text == "0") return std::vector<PortRange>{{0, 0}};
  for (const auto part : split(text, ",")) {
    const auto range = PortRange::parse(part);
    if (!range) return std::nullopt;
    ranges.push_back(*range);
  }
  return ranges;
}

// Reads all ports of the command line. What is wrong with them, or nothing.
std::string read_ports(const Arguments& arguments, serve::ResponderOptions& options) {
  options.udp_port = arguments.udp_port;
  options.call_port = arguments.call_port;
  unsigned all = 1;  // that of streams
  for (const auto& [name, text, place] :
       {std::tuple{"--media-ports", &arguments.media_ports, &options.media_ports},
        std::tuple{"--tls-ports", &arguments.tls_ports, &options.tls_ports},
        std::tuple{"--tcp-ports", &arguments.tcp_ports, &options.tcp_ports}}) {
    const auto ranges = parse_ports(*text);
    if (!ranges)
      return fmt::format("{}: expected ports and ranges, as 443,8000-8010, or off", name);
    for (const auto& range : *ranges) all += range.count();
    *place = *ranges;
  }
  if (!options.tls_ports.empty()) ++all;  // calls
  const std::string sips_unless_given = arguments.sip_port == "off" ? "off" : usual_sips_port;
  const auto sips_port = arguments.sips_port.value_or(sips_unless_given);
  for (const auto& [name, text, place] :
       {std::tuple{"--stun-port", &arguments.stun_port, &options.stun_port},
        std::tuple{"--sip-port", &arguments.sip_port, &options.sip_port},
        std::tuple{"--sips-port", &sips_port, &options.sips_port}}) {
    const auto ranges = parse_ports(*text);
    if (!ranges || ranges->size() > 1 || (!ranges->empty() && !ranges->front().single())) {
      return fmt::format("{}: expected a port, or off", name);
    }
    if (ranges->empty()) continue;
    *place = ranges->front().first;
    ++all;
  }
  if (!options.sip_port && options.sips_port) return "--sips-port needs --sip-port";
  if (all > serve::most_served_ports) {
    return fmt::format("{} ports are too many: at most {} in all", all, serve::most_served_ports);
  }
  return {};
}

}  // namespace

int run_serve(const Arguments& arguments) {
  platform::forbid_inspection();  // it holds the key
  const auto& name = arguments.names.front();
  const auto bind = IpAddress::parse(arguments.bind);
  if (!plausible(name)) {
    return fail("serve: expected this host's name or address, as clients reach it");
  }
  if (!bind) return fail("serve: --bind: expected an address of this host");
  const auto secrets = read_credentials(arguments.credentials_file);
  if (!secrets.error.empty()) return fail(secrets.error);
  if (!secrets.warning.empty()) complain(secrets.warning);
  auto key = secrets.credentials.media_key;
  const bool own_key = key.empty();
  if (own_key && !platform::standard_error().interactive) {
    return fail(
        "serve: CALLREADY_MEDIA_KEY is missing, in the environment or in --credentials FILE: "
        "without a key nobody is answered");
  }
  if (own_key) key = new_key();
  if (key.size() < shortest_key) {
    return fail(
        fmt::format("serve: CALLREADY_MEDIA_KEY: expected {} characters or more", shortest_key));
  }

  asio::io_context loop(1);
  serve::ResponderOptions options;
  options.name = name;
  options.bind = *bind;
  const auto wrong = read_ports(arguments, options);
  if (!wrong.empty()) return fail("serve: " + wrong);
  if (!arguments.other_address.empty()) {
    options.other_address = IpAddress::parse(arguments.other_address);
    const auto& other = options.other_address;
    if (!other || bind->is_unspecified() || *other == *bind || other->is_v6() != bind->is_v6()) {
      return fail(
          "serve: --other-address: expected another address of this host than that of --bind");
    }
  }
  options.key.assign(key.begin(), key.end());
  options.complain = [](std::string_view why) { complain(fmt::format("serve: {}", why)); };
  options.today = day_of(std::chrono::system_clock::now());
  const auto responder = serve::Responder::start(loop.get_executor(), options);
  if (responder.has_error()) {
    return fail("serve: a port cannot be opened: " + responder.error().text);
  }
  // As many connections as there are descriptors left, less some that anything else may need.
  constexpr int most = 512, fewest = 16, spare = 64;
  const int left = platform::descriptors().left() - spare;
  if (left < fewest) {
    return fail(
        "serve: with so many ports too few file descriptors are left for connections "
        "(ulimit -n, LimitNOFILE)");
  }
  (*responder)->allow_connections(static_cast<std::size_t>(std::min(left, most)));
  if (own_key) {
    say("# Give this to the person who checks, and to nobody else; a new one is made at each "
        "start:\n"
        "#   export CALLREADY_MEDIA_KEY='" +
        key + "'\n");
    if ((*responder)->calls()) {
      say("# For a call from a browser, POST to https://" + name + ":" +
          std::to_string((*responder)->tls().port) + std::string(serve::whip_path) +
          " (WHIP) with the token\n#   " + webrtc::whip_token(options.key, name) + "\n");
    }
  }
  const auto set = (*responder)->target_set() + "# It answers now.\n";
  if (const auto reason = print_reason(set)) return fail("standard output: " + *reason);
  asio::signal_set signals(loop, SIGINT, SIGTERM);
  signals.async_wait([&loop](error_code, int) { loop.stop(); });
  loop.run();
  return 0;
}

}  // namespace callready
