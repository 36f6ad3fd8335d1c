#include "probe/media/echo.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "probe/util/digest.hpp"
#include "probe/util/network_order.hpp"

namespace callready::media {
namespace {

using View = std::span<const std::uint8_t>;
using Mark = std::array<std::uint8_t, 16>;
constexpr std::size_t source_at = 8, rtp_header = 12, shortest = rtp_header + 4 + sizeof(Mark);

// `word` separates requests, replies and STAMP packets, which share a key.
Mark echo_mark(View key, std::string_view word, View bytes) {
  std::vector<std::uint8_t> all(word.begin(), word.end());
  all.insert(all.end(), bytes.begin(), bytes.end());
  const auto digest = hmac_sha256(key, all);
  Mark mark{};
  std::copy_n(digest.begin(), mark.size(), mark.begin());
  return mark;
}

std::int64_t in_seconds(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

constexpr std::string_view asking = "callready echo request", answering = "callready echo reply";

// The reply to a request: all of it except its mark, then the reply's mark over the whole request.
std::vector<std::uint8_t> reply_to(View request, View key) {
  std::vector<std::uint8_t> reply(request.begin(), request.end());
  const auto mark = echo_mark(key, answering, request);
  std::copy(mark.begin(), mark.end(), reply.end() - static_cast<std::ptrdiff_t>(mark.size()));
  return reply;
}

}  // namespace

std::vector<std::uint8_t> echo_request(View key, std::optional<std::uint32_t> source,
                                       WallTime sent) {
  std::vector<std::uint8_t> packet(echo_bytes, 0xff);  // mu-law silence
  packet[0] = 0x80;                                    // version 2
  packet[1] = 0x00;                                    // payload type 0: G.711 mu-law
  fill_with_random(std::span(packet).subspan(2, rtp_header - 2));
  if (source) put_number(packet, source_at, *source);
  if (key.empty()) return packet;
  put_number(packet, rtp_header, static_cast<std::uint32_t>(in_seconds(sent)));
  const auto mark = echo_mark(key, asking, View(packet).first(packet.size() - sizeof(Mark)));
  std::copy(mark.begin(), mark.end(), packet.end() - static_cast<std::ptrdiff_t>(mark.size()));
  return packet;
}

bool echo_matches(View request, View reply, View key) {
  return is_same_secret(reply_to(request, key), reply);
}

bool EchoKeeper::allowed(const IpAddress& from, bool dated, Time now) {
  if (!addresses_.contains(from) && addresses_.size() >= limits_.addresses) {
    std::erase_if(addresses_, [&](const auto& item) {
      return now - item.second.last_asked() > limits_.forget;
    });
    if (addresses_.size() >= limits_.addresses) return false;
  }
  auto& own = addresses_[from];
  return own.dated.take(1, limits_.packets_per_second, now) &&
         (dated || own.undated.take(1, limits_.undated_per_second, now)) &&
         all_.dated.take(1, limits_.all_packets_per_second, now) &&
         (dated || all_.undated.take(1, limits_.all_undated_per_second, now));
}

// Where the packet's name is kept; windows that are too old for any new packet are forgotten.
EchoKeeper::Names* EchoKeeper::names_of(View request, WallTime wall) {
  const std::int64_t sent = number_at<std::uint32_t>(request, rtp_header);
  started_ = std::min(started_, wall);  // the clock was set back
  const auto window = static_cast<std::int64_t>(limits_.window.count());
  const auto now = in_seconds(wall);
  std::erase_if(seen_, [&](const auto& item) { return (item.first + 1) * window < now - window; });
  const bool known = sent >= in_seconds(started_) && sent >= now - window && sent <= now + window;
  return known ? &seen_[sent / window] : &undated_;
}

void EchoKeeper::say(bool& said, std::string_view why) {
  if (!std::exchange(said, true) && limits_.full) limits_.full(why);
}

bool EchoKeeper::has_room(const Names& names) {
  if (&names == &undated_) {
    if (undated_.size() < limits_.undated_packets) return true;
    say(said_undated_,
        "media ports: clients whose clock is wrong, or that are of an older version, have used up "
        "what this key has for them; a restart begins anew");
    return false;
  }
  std::size_t all = 0;
  for (const auto& [window, of_window] : seen_) all += of_window.size();
  if (all < limits_.packets) {
    said_full_ = false;
    return true;
  }
  say(said_full_, "media ports: too many packets in a few minutes; more are not answered for now");
  return false;
}

// A source belongs to one run, which takes no longer than the window.
bool EchoKeeper::forgot_lately(Time now) const {
  return forgot_ && now - *forgot_ < limits_.window;
}

EchoKeeper::Count& EchoKeeper::note(View request, std::uint16_t port, Time now) {
  if (counts_ >= limits_.counts) {
    came_.clear();
    counts_ = 0;
    forgot_ = now;
  }
  const auto [found, first] = came_.try_emplace(number_at<std::uint32_t>(request, source_at));
  auto& count = found->second;
  if (first && forgot_lately(now)) count.whole = false;
  auto& packets = count.ports[port];
  if (packets == 0) ++counts_;
  ++packets;
  return count;
}

std::optional<EchoKeeper::Count> EchoKeeper::count(std::uint32_t source, Time now) const {
  const auto found = came_.find(source);
  if (found != came_.end())
    return found->second.whole ? std::optional(found->second) : std::nullopt;
  return forgot_lately(now) ? std::nullopt : std::optional(Count{});
}

std::vector<std::uint8_t> EchoKeeper::answer(View request, const SocketAddress& from,
                                             std::uint16_t port, Time now, WallTime wall) {
  // The key first: nobody without it changes anything here.
  if (key_.empty() || request.size() < shortest || request.size() > 1'472) return {};
  const auto body = request.first(request.size() - sizeof(Mark));
  const auto mark = request.last(sizeof(Mark));
  if (!is_same_secret(echo_mark(key_, asking, body), mark)) return {};
  std::uint64_t name = 0;
  std::memcpy(&name, mark.data(), sizeof name);
  auto* const names = names_of(request, wall);
  if (names->contains(name)) return {};
  auto& count = note(request, port, now);
  if (from.port == 0) return {};
  if (!has_room(*names) || !allowed(from.address, names != &undated_, now)) {
    ++count.refused;
    return {};
  }
  names->insert(name);
  return reply_to(request, key_);
}

}  // namespace callready::media
