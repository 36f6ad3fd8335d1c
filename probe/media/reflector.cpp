#include "probe/media/reflector.hpp"

#include <algorithm>
#include <utility>

namespace callready::media {

void Reflector::forget(WallTime now) {
  if (now - looked_ < std::chrono::seconds(1) && now >= looked_) return;
  looked_ = now;
  std::erase_if(sessions_, [&](const auto& item) {
    return now - item.second.last > limits_.idle || now - item.second.begun > limits_.session;
  });
  // Its client's clock may have been ahead by a window.
  std::erase_if(last_, [&](const auto& item) { return now - item.second > 2 * limits_.window; });
  std::erase_if(counts_,
                [&](const auto& item) { return now - item.second.last > 2 * limits_.window; });
}

bool Reflector::may_begin(const stamp::SenderPacket& packet, WallTime wall) {
  started_ = std::min(started_, wall);  // the clock was set back
  const auto late = stamp::between(packet.sent, stamp::to_timestamp(wall));
  const bool dated = late <= limits_.window && -late <= limits_.window &&
                     stamp::between(stamp::to_timestamp(started_), packet.sent).count() >= 0;
  if (dated) return !last_.contains(packet.ssid);
  if (used_.all() && !std::exchange(said_, true) && limits_.full) {
    limits_.full(
        "streams: clients whose clock is wrong have used up what this key has for them; a restart "
        "begins anew");
  }
  return !used_.test(packet.ssid);
}

Reflector::Session* Reflector::session_of(const Incoming& incoming,
                                          const stamp::SenderPacket& packet, WallTime now,
                                          WallTime wall) {
  const auto ssid = packet.ssid;
  const auto found = sessions_.find(ssid);
  if (found != sessions_.end()) {
    return &found->second;
  }
  const auto own = std::count_if(sessions_.begin(), sessions_.end(), [&](const auto& item) {
    return item.second.peer.address == incoming.from.address;
  });
  if (!may_begin(packet, wall) || sessions_.size() >= limits_.sessions ||
      static_cast<std::size_t>(own) >= limits_.sessions_of_address) {
    auto& counted = counts_[ssid];
    ++counted.refused;
    counted.last = now;
    return nullptr;
  }
  used_.set(ssid);
  auto& counted = counts_[ssid];
  counted.received = counted.elsewhere = counted.dropped = 0;
  auto& session = sessions_[ssid];
  session.peer = incoming.from;
  session.begun = session.last = last_[ssid] = now;
  return &session;
}

// Like RFC 6479: what is older than the window does not count as new.
bool Reflector::is_new(Session& session, std::uint32_t sequence) {
  auto& newest = session.newest;
  auto& seen = session.seen;
  const auto window = static_cast<std::uint32_t>(seen.size());
  if (session.received == 0) newest = sequence;
  if (sequence > newest) {
    const auto steps = std::min(sequence - newest, window);
    for (std::uint32_t i = 1; i <= steps; ++i) seen.reset((newest + i) % window);
    if (steps == window) seen.reset();
    newest = sequence;
  } else if (newest - sequence >= window || seen.test(sequence % window)) {
    return false;
  }
  seen.set(sequence % window);
  return true;
}

void Reflector::note_dropped(std::uint32_t packets) {
  for (const auto& [ssid, session] : sessions_) counts_[ssid].dropped += packets;
}

SessionCount Reflector::count(std::uint16_t ssid) const {
  const auto found = counts_.find(ssid);
  if (found == counts_.end()) return {};
  return found->second;
}

std::optional<Reflected> Reflector::answer(const Incoming& incoming, WallTime now, WallTime wall) {
  forget(now);
  // The key first: nobody without it changes anything here.
  if (key_.empty()) return std::nullopt;
  auto packet = stamp::parse_sender(incoming.bytes, key_);
  if (!packet) return std::nullopt;
  auto* session = session_of(incoming, *packet, now, wall);
  if (session == nullptr) return std::nullopt;
  const bool fresh = is_new(*session, packet->sequence);
  auto& count = counts_[packet->ssid];
  count.last = now;
  if (session->peer != incoming.from) {
    ++(fresh ? count.elsewhere : count.refused);
    return std::nullopt;
  }
  ++session->received;
  if (!fresh) return std::nullopt;
  ++count.received;
  const auto size = static_cast<double>(incoming.bytes.size());
  const bool allowed = session->packets.take(1, limits_.packets_per_second, now) &&
                       session->bytes.take(size, limits_.bytes_per_second, now) &&
                       all_.take(size, limits_.all_bytes_per_second, now);
  if (!allowed) return std::nullopt;
  session->last = last_[packet->ssid] = now;

  Reflected result;
  const int arrived = incoming.traffic_class.value_or(0);
  result.traffic_class = arrived & ~3;  // RFC 8762 section 4.3: as it came
  stamp::ReflectorPacket reply;
  reply.tlvs = packet->tlvs;
  if (auto& service = reply.tlvs.class_of_service) {
    service->arrived = static_cast<std::uint8_t>(arrived >> 2);
    service->ecn = static_cast<std::uint8_t>(arrived & 3);
    result.traffic_class = service->wanted << 2;
  }
  reply.sequence = session->reflected++;
  if (auto& counts = reply.tlvs.direct_measurement) {
    counts->received = session->received;
    counts->reflected = session->reflected;
  }
  reply.sent = stamp::to_timestamp(now);
  reply.received = stamp::to_timestamp(incoming.arrived);
  reply.ssid = packet->ssid;
  reply.sender_sequence = packet->sequence;
  reply.sender_sent = packet->sent;
  reply.sender_error = packet->error;
  reply.sender_ttl = static_cast<std::uint8_t>(incoming.ttl.value_or(0));
  result.bytes = stamp::encode_reply(reply, incoming.bytes, key_);
  return result;
}

}  // namespace callready::media
