// serve: the far end for a site that is to be checked, on a host outside.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/rand.h>

#include "probe/cli/commands.hpp"
#include "probe/cli/output.hpp"
#include "probe/cli/secrets.hpp"
#include "probe/platform/child.hpp"
#include "probe/platform/system.hpp"
#include "probe/serve/responder.hpp"
#include "probe/util/base64.hpp"
#include "probe/webrtc/token.hpp"

namespace callready {
namespace {

constexpr std::size_t shortest_key = 16;

// A key of its own, for whoever sits at the terminal and nobody else: a log keeps what it gets.
std::string new_key() {
  std::array<unsigned char, 24> random{};
  if (RAND_bytes(random.data(), random.size()) != 1) return {};
  return base64(random);
}

// What a target set can hold as a host, without a look at anything.
bool plausible(const std::string& name) {
  return !name.empty() && name.size() <= 253 &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:") ==
             std::string::npos;
}

}  // namespace

int run_serve(const Arguments& arguments) {
  platform::forbid_inspection();  // it holds the key
  const auto& name = arguments.names.front();
  const auto bind = IpAddress::parse(arguments.bind);
  if (!plausible(name)) {
    complain("serve: expected this host's name or address, as clients reach it");
    return usage_error;
  }
  if (!bind) {
    complain("serve: --bind: expected an address of this host");
    return usage_error;
  }
  const auto secrets = read_credentials(arguments.credentials_file);
  if (!secrets.error.empty()) {
    complain(secrets.error);
    return usage_error;
  }
  if (!secrets.warning.empty()) complain(secrets.warning);
  auto key = secrets.credentials.media_key;
  const bool own_key = key.empty();
  if (own_key && !platform::standard_error().interactive) {
    complain(
        "serve: CALLREADY_MEDIA_KEY is missing, in the environment or in --credentials FILE: "
        "without a key nobody is answered");
    return usage_error;
  }
  if (own_key) key = new_key();
  if (key.size() < shortest_key) {
    complain(
        fmt::format("serve: CALLREADY_MEDIA_KEY: expected {} characters or more", shortest_key));
    return usage_error;
  }

  asio::io_context loop(1);
  serve::ResponderOptions options;
  options.name = name;
  options.bind = *bind;
  options.udp_port = arguments.udp_port;
  options.tls_port = arguments.tls_port;
  options.call_port = arguments.call_port;
  options.key.assign(key.begin(), key.end());
  options.today = day_of(std::chrono::system_clock::now());
  const auto responder = serve::Responder::start(loop.get_executor(), options);
  if (responder.has_error()) {
    complain("serve: a port cannot be opened: " + responder.error().text);
    return usage_error;
  }
  if (own_key) {
    say("# Give this to who checks, and to nobody else; a new one is made at each start:\n"
        "#   export CALLREADY_MEDIA_KEY='" +
        key + "'\n");
    if ((*responder)->calls()) {
      say("# For a call from a browser, POST to https://" + name + ":" +
          std::to_string((*responder)->tls().port) + std::string(serve::whip_path) +
          " (WHIP) with the token\n#   " + webrtc::whip_token(options.key, name) + "\n");
    }
  }
  if (const auto reason = print_reason((*responder)->target_set())) {
    complain("standard output: " + *reason);
    return usage_error;
  }
  asio::signal_set signals(loop, SIGINT, SIGTERM);
  signals.async_wait([&loop](error_code, int) { loop.stop(); });
  loop.run();
  return 0;
}

}  // namespace callready
