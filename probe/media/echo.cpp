#include "probe/media/echo.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "probe/util/digest.hpp"

namespace callready::media {
namespace {

using View = std::span<const std::uint8_t>;
using Mark = std::array<std::uint8_t, 16>;
constexpr std::size_t rtp_header = 12, shortest = rtp_header + sizeof(Mark);

// `word` keeps requests, replies and STAMP's packets apart, which have the same key.
Mark echo_mark(View key, std::string_view word, View bytes) {
  std::vector<std::uint8_t> all(word.begin(), word.end());
  all.insert(all.end(), bytes.begin(), bytes.end());
  const auto digest = hmac_sha256(key, all);
  Mark mark{};
  std::copy_n(digest.begin(), mark.size(), mark.begin());
  return mark;
}

constexpr std::string_view asking = "callready echo request", answering = "callready echo reply";

// The reply to a request: all of it but the mark, and the reply's over the whole request.
std::vector<std::uint8_t> reply_to(View request, View key) {
  std::vector<std::uint8_t> reply(request.begin(), request.end());
  const auto mark = echo_mark(key, answering, request);
  std::copy(mark.begin(), mark.end(), reply.end() - static_cast<std::ptrdiff_t>(mark.size()));
  return reply;
}

}  // namespace

std::vector<std::uint8_t> echo_request(View key) {
  std::vector<std::uint8_t> packet(echo_bytes, 0xff);  // mu-law silence
  packet[0] = 0x80;                                    // version 2
  packet[1] = 0x00;                                    // payload type 0: G.711 mu-law
  RAND_bytes(packet.data() + 2, rtp_header - 2);
  if (key.empty()) return packet;
  const auto mark = echo_mark(key, asking, View(packet).first(packet.size() - sizeof(Mark)));
  std::copy(mark.begin(), mark.end(), packet.end() - static_cast<std::ptrdiff_t>(mark.size()));
  return packet;
}

bool echo_matches(View request, View reply, View key) {
  return is_same_secret(reply_to(request, key), reply);
}

bool EchoKeeper::allowed(const IpAddress& from, Time now) {
  if (!addresses_.contains(from) && addresses_.size() >= limits_.addresses) {
    std::erase_if(addresses_, [&](const auto& item) {
      return now - item.second.last_asked() > limits_.forget;
    });
    if (addresses_.size() >= limits_.addresses) return false;
  }
  return addresses_[from].take(1, limits_.packets_per_second, now) &&
         all_.take(1, limits_.all_packets_per_second, now);
}

std::vector<std::uint8_t> EchoKeeper::answer(View request, const SocketAddress& from, Time now) {
  // The key first: nobody without it changes anything here.
  if (key_.empty() || request.size() < shortest || request.size() > 1'472) return {};
  const auto body = request.first(request.size() - sizeof(Mark));
  const auto mark = request.last(sizeof(Mark));
  if (!is_same_secret(echo_mark(key_, asking, body), mark)) return {};
  std::uint64_t name = 0;
  std::memcpy(&name, mark.data(), sizeof name);
  if (seen_.size() >= limits_.packets || !seen_.insert(name).second) return {};
  if (from.port == 0 || !allowed(from.address, now)) return {};
  return reply_to(request, key_);
}

}  // namespace callready::media
