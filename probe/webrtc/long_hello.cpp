#include "probe/webrtc/long_hello.hpp"

#include <algorithm>

#include "probe/util/digest.hpp"

namespace callready::webrtc {
namespace {

constexpr std::size_t record_header = 13, part_header = 12;  // RFC 6347 sections 4.1, 4.2.2
constexpr std::size_t first_datagram = 1'200;
constexpr std::uint8_t handshake = 22, client_hello = 1;

void put(Bytes& bytes, std::size_t value, int size) {
  for (int i = size - 1; i >= 0; --i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void put_random(Bytes& bytes, std::size_t size) {
  bytes.resize(bytes.size() + size);
  fill_with_random(std::span(bytes).last(size));
}

void put_extension(Bytes& bytes, std::size_t type, const Bytes& content) {
  put(bytes, type, 2);
  put(bytes, content.size(), 2);
  bytes.insert(bytes.end(), content.begin(), content.end());
}

// RFC 8446 section 4.1.2, with DTLS' cookie: as WebRTC offers DTLS 1.3 and 1.2.
Bytes body() {
  constexpr std::size_t hybrid_group = 0x11ec, hybrid_share = 1'216;  // X25519MLKEM768
  Bytes hello;
  put(hello, 0xfefd, 2);
  put_random(hello, 32);
  put(hello, 0, 2);  // neither session id nor cookie
  put(hello, 4 * 2, 2);
  for (const std::size_t cipher : {0x1301u, 0x1303u, 0xc02bu, 0xc02fu}) put(hello, cipher, 2);
  put(hello, 0x0100, 2);  // compression: none
  Bytes extensions;
  put_extension(extensions, 43, {4, 0xfe, 0xfc, 0xfe, 0xfd});       // versions
  put_extension(extensions, 10, {0, 6, 0x11, 0xec, 0, 29, 0, 23});  // groups
  put_extension(extensions, 13, {0, 6, 4, 3, 8, 4, 4, 1});          // signatures
  put_extension(extensions, 14, {0, 4, 0, 7, 0, 1, 0});             // SRTP
  put_extension(extensions, 23, {});                                // extended master secret
  Bytes share;
  put(share, hybrid_share + 4, 2);
  put(share, hybrid_group, 2);
  put(share, hybrid_share, 2);
  put_random(share, hybrid_share);
  put_extension(extensions, 51, share);
  put(hello, extensions.size(), 2);
  hello.insert(hello.end(), extensions.begin(), extensions.end());
  return hello;
}

}  // namespace

std::array<Bytes, 2> long_client_hello() {
  const auto hello = body();
  const auto cut = first_datagram - record_header - part_header;
  std::array<Bytes, 2> datagrams;
  for (const std::size_t number : {0U, 1U}) {
    const auto from = number * cut, size = number == 0 ? cut : hello.size() - cut;
    auto& datagram = datagrams[number];
    put(datagram, handshake, 1);
    put(datagram, 0xfefd, 2);
    put(datagram, 0, 2);  // epoch
    put(datagram, number, 6);
    put(datagram, part_header + size, 2);
    put(datagram, client_hello, 1);
    put(datagram, hello.size(), 3);
    put(datagram, 0, 2);  // the first message
    put(datagram, from, 3);
    put(datagram, size, 3);
    const auto begin = hello.begin() + static_cast<std::ptrdiff_t>(from);
    datagram.insert(datagram.end(), begin, begin + static_cast<std::ptrdiff_t>(size));
  }
  return datagrams;
}

std::optional<std::uint32_t> part_of_client_hello(std::span<const std::uint8_t> datagram) {
  if (datagram.size() < record_header + part_header) return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t size) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | datagram[at + i];
    return value;
  };
  const auto epoch = number(3, 2), whole = number(14, 3), from = number(19, 3),
             size = number(22, 3);
  const bool part = datagram[0] == handshake && epoch == 0 && datagram[13] == client_hello &&
                    from < whole && size < whole;
  return part ? std::optional(from) : std::nullopt;
}

}  // namespace callready::webrtc
