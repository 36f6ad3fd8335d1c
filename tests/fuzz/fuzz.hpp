// What every fuzz target shares. A target is one function of any bytes at all; it calls a parser
// and holds the result against what the parser promises. It is built twice: into test_fuzz, which
// replays the seeds with g++, and into one libFuzzer program a target (script/fuzz, clang).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace callready::fuzz {

using Input = std::span<const std::uint8_t>;

inline std::string_view text_of(Input input) {
  return {reinterpret_cast<const char*>(input.data()), input.size()};
}

inline Input bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Ends the process: libFuzzer then keeps the input, and so does anybody who runs the replay.
#define FUZZ_REQUIRE(condition)                                                           \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                       \
    }                                                                                     \
  } while (false)

// Hands `input` to `push` in pieces whose sizes `rhythm` decides: a stream may be cut anywhere.
template <typename Push>
void in_pieces(Input input, std::uint8_t rhythm, Push push) {
  std::uint32_t state = rhythm;
  while (!input.empty()) {
    state = state * 1'103'515'245 + 12'345;
    const std::size_t wanted = rhythm == 0 ? 1 : 1 + (state >> 16) % (8u * rhythm);
    const auto piece = input.first(std::min(wanted, input.size()));
    push(piece);
    input = input.subspan(piece.size());
  }
}

}  // namespace callready::fuzz

// All targets: a function each, in the file of that name; its seeds are in seeds/NAME.
#define CALLREADY_FUZZ_TARGETS(TARGET) \
  TARGET(addresses)                    \
  TARGET(call_datagram)                \
  TARGET(certificates)                 \
  TARGET(dns_message)                  \
  TARGET(exporter_config)              \
  TARGET(exporter_request)             \
  TARGET(feeds)                        \
  TARGET(http_reply)                   \
  TARGET(http_request)                 \
  TARGET(icmp_error)                   \
  TARGET(minisign)                     \
  TARGET(ntp_packet)                   \
  TARGET(proxy_choice)                 \
  TARGET(quic_reply)                   \
  TARGET(report)                       \
  TARGET(sdp)                          \
  TARGET(service_tags)                 \
  TARGET(set_index)                    \
  TARGET(sip_reply)                    \
  TARGET(sip_request)                  \
  TARGET(sip_stream)                   \
  TARGET(stamp)                        \
  TARGET(stun_message)                 \
  TARGET(stun_request)                 \
  TARGET(stun_stream)                  \
  TARGET(target_set)                   \
  TARGET(ui_request)                   \
  TARGET(whip_reply)                   \
  TARGET(whip_request)

namespace callready::fuzz {
#define CALLREADY_FUZZ_DECLARE(name) void name(Input input);
CALLREADY_FUZZ_TARGETS(CALLREADY_FUZZ_DECLARE)
#undef CALLREADY_FUZZ_DECLARE
}  // namespace callready::fuzz
