#include "checks/far_counts.hpp"

#include <fmt/format.h>

#include <charconv>

#include "checks/certificate_evidence.hpp"
#include "checks/dial.hpp"
#include "checks/whip_client.hpp"
#include "probe/util/text.hpp"
#include "probe/webrtc/token.hpp"

namespace callready::checks {

FarCounts::FarCounts(Context& context, Job job)
    : context_(context), probe_(job.probe), address_(job.address) {
  const auto text = job.parameter("counts");
  unsigned port = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
  if (!whole || port > 65'535 || context.settings.credentials.media_key.empty()) return;
  port_ = static_cast<std::uint16_t>(port);
  probe_.target.transport = Transport::tls;
  probe_.target.ports = {port_, port_};
  probe_.target.sample.clear();
}

asio::awaitable<std::unique_ptr<Stream>> FarCounts::connect() {
  const Job job{probe_, address_};
  DialOptions wanted;
  wanted.tls = true;
  wanted.alpn = {"http/1.1"};
  Observation unseen;
  auto dialled = co_await dial(context_, job, std::move(wanted), unseen);
  const auto pin = pin_of(job);
  if (pin.empty() || !pin.fits(dialled.tls)) co_return nullptr;
  co_return std::move(dialled.stream);
}

asio::awaitable<std::optional<std::string>> FarCounts::ask(std::string method, std::string path,
                                                           Instant deadline) {
  if (!known()) co_return std::nullopt;
  if (!stream_) stream_ = co_await connect();
  if (!stream_) {
    port_ = 0;  // not asked again
    co_return std::nullopt;
  }
  const auto& host = probe_.target.host;
  const auto& key = context_.settings.credentials.media_key;
  WhipRequest request;
  request.method = std::move(method);
  request.host = authority(host, port_);
  request.path = std::move(path);
  request.token = webrtc::whip_token(bytes_of(key), host);
  request.user_agent = context_.settings.user_agent;
  auto reply = co_await whip_request(*stream_, std::move(request), context_.scope, deadline);
  if (reply.has_error() || !reply->goes_on) stream_.reset();
  if (reply.has_error() || reply->status != 200) co_return std::nullopt;
  co_return std::move(reply->body);
}

asio::awaitable<std::optional<std::string>> FarCounts::get(std::string path, Instant deadline) {
  std::string method = "GET";
  auto body = co_await ask(std::move(method), std::move(path), deadline);
  co_return body;
}

asio::awaitable<void> FarCounts::give_back(std::string path, Instant deadline) {
  std::string method = "DELETE";
  const auto body = co_await ask(std::move(method), std::move(path), deadline);
  static_cast<void>(body);
}

std::string stream_count_path(std::uint16_t ssid) { return fmt::format("/counts/stream/{}", ssid); }

std::optional<int> told(std::string_view body, std::string_view name) {
  while (!body.empty()) {
    const auto line = body.substr(0, body.find('\n'));
    body.remove_prefix(std::min(body.size(), line.size() + 1));
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ' ') continue;
    const auto digits = line.substr(name.size() + 1);
    int value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (read.ec == std::errc() && value >= 0) return value;
  }
  return std::nullopt;
}

}  // namespace callready::checks
