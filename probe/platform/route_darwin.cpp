// macOS: RTM_GET for one address over a routing socket (route(4)); the kernel answers with what it
// would do. Built, never run.
#include "probe/platform/route.hpp"

#include <net/if.h>
#include <net/if_dl.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace callready::platform {
namespace {

// Addresses follow the header, one for each bit in rtm_addrs, each at a multiple of four.
constexpr std::size_t padded(std::size_t size) {
  return size == 0 ? sizeof(std::uint32_t) : (size + 3) / 4 * 4;
}

struct Question {
  rt_msghdr header{};
  sockaddr_storage destination{};
};

Question question_for(const IpAddress& destination) {
  Question question;
  std::size_t size = 0;
  if (destination.is_v4()) {
    sockaddr_in v4{};
    size = v4.sin_len = sizeof v4;
    v4.sin_family = AF_INET;
    std::memcpy(&v4.sin_addr, destination.bytes().data(), sizeof v4.sin_addr);
    std::memcpy(&question.destination, &v4, sizeof v4);
  } else {
    sockaddr_in6 v6{};
    size = v6.sin6_len = sizeof v6;
    v6.sin6_family = AF_INET6;
    std::memcpy(&v6.sin6_addr, destination.bytes().data(), sizeof v6.sin6_addr);
    std::memcpy(&question.destination, &v6, sizeof v6);
  }
  question.header.rtm_msglen =
      static_cast<unsigned short>(offsetof(Question, destination) + padded(size));
  question.header.rtm_version = RTM_VERSION;
  question.header.rtm_type = RTM_GET;
  question.header.rtm_addrs = RTA_DST | RTA_IFP | RTA_IFA;
  question.header.rtm_seq = 1;
  return question;
}

std::optional<IpAddress> address_from(const unsigned char* data, std::size_t size) {
  const auto family = data[1];
  if (family == AF_INET && size >= sizeof(sockaddr_in)) {
    return IpAddress::of_bytes(data + offsetof(sockaddr_in, sin_addr), false);
  }
  if (family != AF_INET6 || size < sizeof(sockaddr_in6)) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), data + offsetof(sockaddr_in6, sin6_addr), bytes.size());
  // KAME keeps the interface's number in the third and fourth byte of a link-local address.
  if (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) bytes[2] = bytes[3] = 0;
  return IpAddress::v6(bytes);
}

WayOut read_route(const rt_msghdr& header, const unsigned char* data, std::size_t end) {
  WayOut way;
  std::size_t at = sizeof(rt_msghdr);
  for (int bit = 1; bit <= RTA_BRD && at + 2 <= end; bit <<= 1) {
    if ((header.rtm_addrs & bit) == 0) continue;
    const std::size_t size = data[at];  // sa_len
    if (at + size > end) break;
    if (bit == RTA_GATEWAY && (header.rtm_flags & RTF_GATEWAY) != 0) {
      way.gateway = address_from(data + at, size);
    } else if (bit == RTA_IFA) {
      way.source = address_from(data + at, size);
    }
    at += padded(size);
  }
  char name[IF_NAMESIZE] = {};
  if (if_indextoname(header.rtm_index, name) != nullptr) way.interface_name = name;
  return way;
}

}  // namespace

std::optional<WayOut> way_to(const IpAddress& destination) {
  const int socket = ::socket(PF_ROUTE, SOCK_RAW, 0);
  if (socket < 0) return std::nullopt;
  // The kernel answers at once; the bound is there so that nothing ever hangs.
  const timeval bound{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
  const auto question = question_for(destination);
  const auto own = ::getpid();
  std::optional<WayOut> way;
  if (::write(socket, &question, question.header.rtm_msglen) > 0) {
    // Every listener gets every change of the table: our answer is among the first messages.
    for (int tries = 0; tries < 16 && !way; ++tries) {
      std::array<unsigned char, 2048> answer{};
      const auto size = ::read(socket, answer.data(), answer.size());
      rt_msghdr header{};
      if (size < static_cast<ssize_t>(sizeof header)) break;
      std::memcpy(&header, answer.data(), sizeof header);
      const bool ours = header.rtm_type == RTM_GET && header.rtm_pid == own && header.rtm_seq == 1;
      if (!ours) continue;
      if (header.rtm_errno != 0) break;
      const auto end = std::min<std::size_t>(header.rtm_msglen, static_cast<std::size_t>(size));
      way = read_route(header, answer.data(), end);
    }
  }
  ::close(socket);
  if (way && way->interface_name.empty()) return std::nullopt;
  return way;
}

// The table of neighbours was not tried on a Mac yet.
std::optional<bool> neighbour_answers(const std::string&, const IpAddress&) { return std::nullopt; }

}  // namespace callready::platform
