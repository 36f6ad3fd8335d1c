#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "probe/platform/descriptor.hpp"
#include "probe/platform/own_sockets.hpp"

namespace callready::platform {
namespace {

// The most answers of the kernel to one question: the sockets with one port fit in part of the
// first.
constexpr int most_answers = 64;

// The address of a socket's other end; an IPv4 address even if the socket is an IPv6 one (RFC 4291
// section 2.5.5.2).
IpAddress other_end(const inet_diag_msg& socket) {
  const auto& words = socket.id.idiag_dst;
  if (socket.idiag_family != AF_INET6) return IpAddress::of_bytes(words, false);
  constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const bool is_mapped = std::memcmp(words, mapped.data(), mapped.size()) == 0;
  return is_mapped ? IpAddress::of_bytes(&words[3], false) : IpAddress::of_bytes(words, true);
}

bool ask(int socket, std::uint8_t family, std::uint16_t port) {
  struct {
    nlmsghdr head{};
    inet_diag_req_v2 asked{};
  } request;
  request.head.nlmsg_len = sizeof request;
  request.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.asked.sdiag_family = family;
  request.asked.sdiag_protocol = IPPROTO_TCP;
  request.asked.idiag_states = ~0U;
  request.asked.id.idiag_dport = htons(port);  // the kernel leaves out all others
  return ::send(socket, &request, sizeof request, 0) >= 0;
}

// Nothing if the kernel's answer is incomplete.
std::optional<bool> has_one(int socket, const SocketAddress& own) {
  bool found = false;
  for (int i = 0; i < most_answers; ++i) {
    alignas(nlmsghdr) std::array<char, 16'384> buffer;
    const auto size = ::recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size <= 0) return std::nullopt;
    const auto all = static_cast<std::size_t>(size);
    for (std::size_t at = 0; at + sizeof(nlmsghdr) <= all;) {
      nlmsghdr head{};
      std::memcpy(&head, buffer.data() + at, sizeof head);
      if (head.nlmsg_type == NLMSG_DONE) return found;
      const bool whole =
          head.nlmsg_len >= NLMSG_LENGTH(sizeof(inet_diag_msg)) && head.nlmsg_len <= all - at;
      if (head.nlmsg_type != SOCK_DIAG_BY_FAMILY || !whole) return std::nullopt;
      inet_diag_msg one{};
      std::memcpy(&one, buffer.data() + at + NLMSG_HDRLEN, sizeof one);
      found |= ntohs(one.id.idiag_dport) == own.port && other_end(one) == own.address;
      at += NLMSG_ALIGN(head.nlmsg_len);
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view inner_link() { return "lo"; }

std::optional<bool> is_taken_here(const SocketAddress& own) {
  for (const auto family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
    const OwnedDescriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (!socket.open() || !ask(socket.get(), family, own.port)) return std::nullopt;
    const auto found = has_one(socket.get(), own);
    if (!found || *found) return found;
  }
  return false;
}

}  // namespace callready::platform
