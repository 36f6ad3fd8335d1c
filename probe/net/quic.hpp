// Just enough of QUIC (RFC 9000, RFC 9001) to tell whether a server is there: the question for its
// versions, a client's first packet, and what comes back. No sockets, no connection.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probe/net/failure.hpp"

namespace callready::quic {

using Bytes = std::vector<std::uint8_t>;

inline constexpr std::uint32_t version_1 = 1;
// Every server must answer this one with its versions (RFC 9000 section 15: 0x?a?a?a?a).
inline constexpr std::uint32_t reserved_version = 0x1a2a3a4a;
// The size of a datagram with a client's Initial (RFC 9000 section 14.1), and of one that is to be
// answered with a version negotiation (section 6.1).
inline constexpr std::size_t datagram_size = 1'200;

// AES-128-GCM, and AES-128 for the header (RFC 9001 sections 5.3 and 5.4).
struct Keys {
  std::array<std::uint8_t, 16> key{};
  std::array<std::uint8_t, 12> iv{};
  std::array<std::uint8_t, 16> header{};
};
struct InitialKeys {
  Keys client, server;
};
// Derived from the destination connection ID of the client's first packet (RFC 9001 section 5.2):
// they keep nothing secret, but only somebody who has seen that packet can answer. Nothing if
// OpenSSL fails.
std::optional<InitialKeys> initial_keys(std::span<const std::uint8_t> destination);

// One attempt to connect.
struct Attempt {
  std::array<std::uint8_t, 8> destination{}, source{};  // connection IDs, made up
  std::array<std::uint8_t, 32> random{}, key_share{};   // of the ClientHello; X25519 takes any
};
Attempt new_attempt();

// A long header of a reserved version, padded (RFC 9000 section 6).
Bytes version_question(const Attempt& attempt);
// A ClientHello for that name and HTTP/3 (RFC 9001 section 4.1.3, RFC 9114 section 3.1), in one
// padded datagram. An address is not sent as a name (RFC 6066 section 3). Nothing if OpenSSL fails,
// or the name does not fit.
std::optional<Bytes> client_initial(const Attempt& attempt, std::string_view name);
// Closes the attempt (RFC 9000 section 10.2) with a server that has told its own connection ID.
std::optional<Bytes> client_close(const Attempt& attempt, std::span<const std::uint8_t> server);

// A client's packet, sealed (RFC 9001 section 5): `frames` and padding in a datagram of that size.
std::optional<Bytes> seal_initial(const Keys& keys, std::span<const std::uint8_t> destination,
                                  std::span<const std::uint8_t> source, std::uint32_t number,
                                  std::span<const std::uint8_t> frames, std::size_t datagram);

// The frames of the Initial that a datagram begins with. Nothing if it is not one, or was sealed
// with other keys.
std::optional<Bytes> open_initial(const Keys& keys, std::span<const std::uint8_t> datagram);

enum class Packet { versions, initial, handshake, retry };

// The first packet of a datagram that came back.
struct Reply {
  Packet packet = Packet::versions;
  std::vector<std::uint32_t> versions;  // of `versions`; the first 16
  Bytes server;                         // the connection ID that it chose
  // Of `initial`, which only somebody who saw our packet can seal: the error with which the server
  // refuses (RFC 9000 section 20), such as 0x100 plus a TLS alert.
  std::optional<std::uint64_t> closed;
};

// `malformed` if it is not an answer to that attempt: another connection ID, or an Initial that
// does not decrypt.
Result<Reply> parse_reply(std::span<const std::uint8_t> datagram, const Attempt& attempt);

}  // namespace callready::quic
