#include "checks/far_counts.hpp"

#include <fmt/format.h>

#include "checks/certificate_evidence.hpp"
#include "checks/dial.hpp"
#include "probe/util/text.hpp"
#include "probe/webrtc/token.hpp"
#include "probe/webrtc/whip_client.hpp"

namespace callready::checks {
namespace {

std::string stream_path(std::uint16_t ssid) { return fmt::format("/counts/stream/{}", ssid); }

}  // namespace

FarCounts::FarCounts(Context& context, Job job)
    : context_(context), probe_(job.probe), address_(job.address) {
  const auto port = whole_number<std::uint16_t>(job.parameter("counts"));
  if (!port || context.settings.credentials.media_key.empty()) return;
  port_ = *port;
  probe_.target.transport = Transport::tls;
  probe_.target.ports = {port_, port_};
  probe_.target.sample.clear();
}

asio::awaitable<std::unique_ptr<Stream>> FarCounts::connect() {
  const Job job{probe_, address_};
  const DialOptions wanted{.tls = true, .alpn = {"http/1.1"}};
  Observation unseen;
  auto dialled = co_await dial(context_, job, wanted, unseen);
  const auto pin = pin_of(job);
  if (pin.empty() || !pin.fits(dialled.tls)) co_return nullptr;
  co_return std::move(dialled.stream);
}

asio::awaitable<std::optional<std::string>> FarCounts::ask(const char* method, std::string path) {
  const auto& host = probe_.target.host;
  const auto& key = context_.settings.credentials.media_key;
  webrtc::WhipRequest request;
  request.method = method;
  request.host = authority(host, port_);
  request.path = std::move(path);
  request.token = webrtc::whip_token(bytes_of(key), host);
  request.user_agent = context_.settings.user_agent;
  while (known()) {
    const bool kept = stream_ != nullptr;
    if (!kept) stream_ = co_await connect();
    if (!stream_) {
      port_ = 0;  // not asked again
      break;
    }
    const auto deadline =
        std::min(context_.deadline, context_.scope.clock.now() + timeouts::stream_reply);
    auto reply = co_await webrtc::whip_request(*stream_, request, context_.scope, deadline);
    if (reply.has_error() || !reply->goes_on) stream_.reset();
    if (reply.has_error() && kept) continue;  // it was closed meanwhile
    if (reply.has_error() || reply->status != 200) break;
    co_return std::move(reply->body);
  }
  co_return std::nullopt;
}

asio::awaitable<std::optional<StreamCount>> FarCounts::stream(std::uint16_t ssid) {
  const auto path = stream_path(ssid);
  const auto body = co_await ask("GET", path);
  if (!body) co_return std::nullopt;
  const auto received = told(*body, "received"), elsewhere = told(*body, "elsewhere");
  if (!received || !elsewhere) co_return std::nullopt;
  co_return StreamCount{*received, *elsewhere, told(*body, "refused").value_or(0),
                        told(*body, "dropped").value_or(0)};
}

asio::awaitable<void> FarCounts::give_back(std::uint16_t ssid) {
  const auto path = stream_path(ssid);
  co_await ask("DELETE", path);
}

asio::awaitable<std::optional<PortCounts>> FarCounts::ports(std::uint32_t source) {
  const auto path = fmt::format("/counts/media/{}", source);
  const auto body = co_await ask("GET", path);
  if (!body || !body->starts_with("ports\n")) co_return std::nullopt;
  PortCounts counts;
  counts.refused = told(*body, "refused").value_or(0);
  for (const auto line : split(*body, "\n")) {
    const auto name = line.substr(0, line.find(' '));
    const auto port = PortRange::parse(name);
    if (port && port->single()) counts.came[port->first] = told(line, name).value_or(0);
  }
  co_return counts;
}

std::optional<int> told(std::string_view body, std::string_view name) {
  for (const auto line : split(body, "\n")) {
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ' ') continue;
    const auto value = whole_number<int>(line.substr(name.size() + 1));
    if (value && *value >= 0) return value;
  }
  return std::nullopt;
}

}  // namespace callready::checks
