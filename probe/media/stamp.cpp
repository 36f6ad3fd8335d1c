#include "probe/media/stamp.hpp"

#include <algorithm>

#include "probe/util/digest.hpp"
#include "probe/util/network_order.hpp"

namespace callready::media::stamp {
namespace {

constexpr std::size_t hmac_bytes = 16, head_bytes = 4;
enum Type : std::uint8_t { padding = 1, class_of_service = 4, direct_measurement = 5, hmac = 8 };
constexpr std::uint8_t unrecognised = 0x80, malformed = 0x40, not_intact = 0x20;

// Where the fields of a packet lie (RFC 8762 figures 2, 4, 5, 7; RFC 8972 section 3: the SSID).
struct Layout {
  std::size_t size, time, error, ssid;                                    // of both packets
  std::size_t received, sender_sequence, sender_time, sender_error, ttl;  // of replies
};
constexpr Layout open{open_bytes, 4, 12, 14, 16, 24, 28, 36, 40};
constexpr Layout authenticated{authenticated_bytes, 16, 24, 26, 32, 48, 64, 72, 80};
const Layout& layout(Key key) { return key.empty() ? open : authenticated; }

// HMAC-SHA-256 cut to 128 bits (RFC 8762 section 4.4). `more` follows `bytes` as if it were one.
std::array<std::uint8_t, hmac_bytes> sign(Key key, View bytes, View more = {}) {
  Bytes all(bytes.begin(), bytes.end());
  all.insert(all.end(), more.begin(), more.end());
  const auto digest = hmac_sha256(key, all);
  std::array<std::uint8_t, hmac_bytes> cut{};
  std::copy_n(digest.begin(), cut.size(), cut.begin());
  return cut;
}

void sign_base(Bytes& packet, Key key) {
  const auto mark = sign(key, View(packet).first(authenticated_bytes - hmac_bytes));
  std::copy(mark.begin(), mark.end(), packet.begin() + authenticated_bytes - hmac_bytes);
}

// One TLV of a packet: where it begins, and what is in it.
struct Item {
  std::size_t at = 0;
  std::uint8_t flags = 0, type = 0;
  View value;
  bool overruns = false;
};

// The next one; nothing at the end. One that is too short for its head, or claims to be longer than
// the rest of the packet, overruns.
std::optional<Item> next(View packet, std::size_t at) {
  if (at >= packet.size()) return std::nullopt;
  Item item{at, 0, 0, {}, true};
  if (packet.size() - at < head_bytes) return item;
  item.flags = packet[at];
  item.type = packet[at + 1];
  const std::size_t length = number_at<std::uint16_t>(packet, at + 2);
  if (length > packet.size() - at - head_bytes) return item;
  item.value = packet.subspan(at + head_bytes, length);
  item.overruns = false;
  return item;
}

std::size_t end_of(const Item& item) { return item.at + head_bytes + item.value.size(); }

void take(const Item& item, Tlvs& tlvs) {
  const auto& value = item.value;
  if (item.type == class_of_service && value.size() == 4) {
    const auto bits = number_at<std::uint32_t>(value, 0);
    tlvs.class_of_service = ClassOfService{
        static_cast<std::uint8_t>(bits >> 26), static_cast<std::uint8_t>(bits >> 20 & 0x3F),
        static_cast<std::uint8_t>(bits >> 18 & 3), (bits >> 16 & 3) != 0};
  }
  if (item.type == direct_measurement && value.size() == 12) {
    tlvs.direct_measurement =
        DirectMeasurement{number_at<std::uint32_t>(value, 0), number_at<std::uint32_t>(value, 4),
                          number_at<std::uint32_t>(value, 8)};
  }
}

// The TLVs of a packet. Nothing if they cannot be trusted. Those of a reply that the other end
// marked as not understood are left out.
std::optional<Tlvs> read_tlvs(View packet, Key key, bool reply) {
  Tlvs tlvs;
  const auto begin = layout(key).size;
  bool proved = key.empty() || packet.size() == begin;
  for (auto item = next(packet, begin); item; item = next(packet, end_of(*item))) {
    // An open packet may be filled with anything (TWAMP's padding); it has no TLVs then.
    if (item->overruns) return key.empty() ? std::optional(Tlvs()) : std::nullopt;
    if (item->type == hmac && !key.empty()) {
      // RFC 8972 section 4.8: over the sequence number and all TLVs before it.
      const auto mark = sign(key, packet.first(4), packet.subspan(begin, item->at - begin));
      // It must be the last one: anything after it would not be signed.
      proved = is_same_secret(mark, item->value) && end_of(*item) == packet.size();
      break;
    }
    if (reply && (item->flags & (unrecognised | malformed | not_intact)) != 0) continue;
    take(*item, tlvs);
  }
  return proved ? std::optional(tlvs) : std::nullopt;
}

void fill(Bytes& packet, const Item& item, const Tlvs& tlvs) {
  const auto at = item.at + head_bytes;
  if (item.type == class_of_service && tlvs.class_of_service) {
    const auto& all = *tlvs.class_of_service;
    const std::uint32_t bits = static_cast<std::uint32_t>(all.wanted & 0x3F) << 26 |
                               static_cast<std::uint32_t>(all.arrived & 0x3F) << 20 |
                               static_cast<std::uint32_t>(all.ecn & 3) << 18 |
                               (all.refused ? 1u << 16 : 0u);
    put_number(packet, at, bits);
  }
  if (item.type == direct_measurement && tlvs.direct_measurement) {
    put_number(packet, at, tlvs.direct_measurement->sent);
    put_number(packet, at + 4, tlvs.direct_measurement->received);
    put_number(packet, at + 8, tlvs.direct_measurement->reflected);
  }
}

// Space for one more TLV, all zero but its head.
Item add(Bytes& packet, Type type, std::size_t length, std::uint8_t flags) {
  const Item item{packet.size(), flags, type, {}, false};
  packet.resize(packet.size() + head_bytes + length);
  packet[item.at] = flags;
  packet[item.at + 1] = type;
  put_number(packet, item.at + 2, static_cast<std::uint16_t>(length));
  return item;
}

void sign_tlvs(Bytes& packet, std::size_t begin, std::size_t at, Key key) {
  const auto mark = sign(key, View(packet).first(4), View(packet).subspan(begin, at - begin));
  std::copy(mark.begin(), mark.end(),
            packet.begin() + static_cast<std::ptrdiff_t>(at + head_bytes));
}

bool acceptable(View bytes, Key key, std::size_t least) {
  if (bytes.size() < least || bytes.size() > largest) return false;
  if ((number_at<std::uint16_t>(bytes, layout(key).error) & 0xFF) == 0) return false;
  if (key.empty()) return true;
  constexpr auto signed_bytes = authenticated_bytes - hmac_bytes;
  return is_same_secret(sign(key, bytes.first(signed_bytes)),
                        bytes.subspan(signed_bytes, hmac_bytes));
}

}  // namespace

Timestamp to_timestamp(std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  constexpr std::int64_t from_1900_to_1970 = 2'208'988'800, second = 1'000'000'000;
  const auto since = duration_cast<nanoseconds>(time.time_since_epoch()).count();
  auto whole = since / second, rest = since % second;
  if (rest < 0) {
    rest += second;
    --whole;
  }
  const auto fraction = (static_cast<std::uint64_t>(rest) << 32) / second;
  return static_cast<std::uint64_t>(whole + from_1900_to_1970) << 32 | fraction;
}

std::chrono::nanoseconds between(Timestamp from, Timestamp to) {
  const auto apart = static_cast<std::int64_t>(to - from);
  const auto seconds = apart >> 32, fraction = apart & 0xFFFF'FFFF;
  return std::chrono::nanoseconds(seconds * 1'000'000'000 + (fraction * 1'000'000'000 >> 32));
}

std::size_t size_of(const Tlvs& tlvs, bool with_key) {
  std::size_t more = tlvs.class_of_service ? head_bytes + 4 : 0;
  if (tlvs.direct_measurement) more += head_bytes + 12;
  if (more > 0 && with_key) more += head_bytes + hmac_bytes;
  return (with_key ? authenticated_bytes : open_bytes) + more;
}

Bytes encode(const SenderPacket& packet, std::size_t size, Key key) {
  const auto& fields = layout(key);
  Bytes bytes(fields.size);
  put_number(bytes, 0, packet.sequence);
  put_number(bytes, fields.time, packet.sent);
  put_number(bytes, fields.error, packet.error);
  put_number(bytes, fields.ssid, packet.ssid);
  if (!key.empty()) sign_base(bytes, key);
  const auto least = size_of(packet.tlvs, !key.empty());
  if (packet.tlvs.class_of_service) {
    fill(bytes, add(bytes, class_of_service, 4, unrecognised), packet.tlvs);
  }
  if (packet.tlvs.direct_measurement) {
    fill(bytes, add(bytes, direct_measurement, 12, unrecognised), packet.tlvs);
  }
  // A packet that had no TLV yet needs room for the HMAC's as well.
  const bool signs = !key.empty() && least == fields.size;
  const auto room = least + head_bytes + (signs ? head_bytes + hmac_bytes : 0);
  if (size >= room && size <= largest) add(bytes, padding, size - room, unrecognised);
  if (!key.empty() && bytes.size() > fields.size) {
    const auto at = bytes.size();
    add(bytes, hmac, hmac_bytes, unrecognised);
    sign_tlvs(bytes, fields.size, at, key);
  }
  return bytes;
}

std::optional<SenderPacket> parse_sender(View bytes, Key key) {
  const auto& fields = layout(key);
  if (!acceptable(bytes, key, fields.size)) return std::nullopt;
  auto tlvs = read_tlvs(bytes, key, false);
  if (!tlvs) return std::nullopt;
  SenderPacket packet;
  packet.sequence = number_at<std::uint32_t>(bytes, 0);
  packet.sent = number_at<Timestamp>(bytes, fields.time);
  packet.error = number_at<std::uint16_t>(bytes, fields.error);
  packet.ssid = number_at<std::uint16_t>(bytes, fields.ssid);
  packet.tlvs = *tlvs;
  return packet;
}

Bytes encode_reply(const ReflectorPacket& packet, View request, Key key) {
  const auto& fields = layout(key);
  Bytes bytes(request.begin(), request.end());
  std::fill_n(bytes.begin(), fields.size, std::uint8_t{0});
  put_number(bytes, 0, packet.sequence);
  put_number(bytes, fields.time, packet.sent);
  put_number(bytes, fields.error, packet.error);
  put_number(bytes, fields.ssid, packet.ssid);
  put_number(bytes, fields.received, packet.received);
  put_number(bytes, fields.sender_sequence, packet.sender_sequence);
  put_number(bytes, fields.sender_time, packet.sender_sent);
  put_number(bytes, fields.sender_error, packet.sender_error);
  bytes[fields.ttl] = packet.sender_ttl;
  if (!key.empty()) sign_base(bytes, key);
  for (auto item = next(request, fields.size); item && !item->overruns;
       item = next(request, end_of(*item))) {
    if (item->type == hmac && !key.empty()) {
      bytes[item->at] = 0;
      if (item->value.size() == hmac_bytes) sign_tlvs(bytes, fields.size, item->at, key);
      break;
    }
    // Section 4: known types lose the U flag; a value of another length gets M.
    const auto length = item->value.size();
    const bool known =
        item->type == padding || item->type == class_of_service || item->type == direct_measurement;
    const bool fits = item->type == padding || length == (item->type == class_of_service ? 4 : 12);
    bytes[item->at] = !known ? unrecognised : fits ? 0 : malformed;
    if (known && fits) fill(bytes, *item, packet.tlvs);
  }
  return bytes;
}

std::optional<ReflectorPacket> parse_reply(View bytes, Key key) {
  const auto& fields = layout(key);
  const auto least = key.empty() ? fields.sender_error + 2 : fields.size;
  if (!acceptable(bytes, key, least)) return std::nullopt;
  auto tlvs = read_tlvs(bytes, key, true);
  if (!tlvs) return std::nullopt;
  ReflectorPacket packet;
  packet.sequence = number_at<std::uint32_t>(bytes, 0);
  packet.sent = number_at<Timestamp>(bytes, fields.time);
  packet.error = number_at<std::uint16_t>(bytes, fields.error);
  packet.ssid = number_at<std::uint16_t>(bytes, fields.ssid);
  packet.received = number_at<Timestamp>(bytes, fields.received);
  packet.sender_sequence = number_at<std::uint32_t>(bytes, fields.sender_sequence);
  packet.sender_sent = number_at<Timestamp>(bytes, fields.sender_time);
  packet.sender_error = number_at<std::uint16_t>(bytes, fields.sender_error);
  if (bytes.size() > fields.ttl) packet.sender_ttl = bytes[fields.ttl];
  packet.tlvs = *tlvs;
  return packet;
}

}  // namespace callready::media::stamp
