#include "probe/platform/route.hpp"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace callready::platform {
namespace {

// RTM_GETROUTE for one address (rtnetlink(7)); the kernel answers with what it would do.
struct Question {
  nlmsghdr header{};
  rtmsg route{};
  std::array<unsigned char, 32> attribute{};
};

Question question_for(const IpAddress& destination) {
  Question question;
  const auto size = static_cast<unsigned short>(destination.bits() / 8);
  question.header.nlmsg_type = RTM_GETROUTE;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.header.nlmsg_seq = 1;
  question.header.nlmsg_len = static_cast<unsigned>(NLMSG_LENGTH(sizeof(rtmsg)) + RTA_LENGTH(size));
  question.route.rtm_family = destination.is_v4() ? AF_INET : AF_INET6;
  question.route.rtm_dst_len = static_cast<unsigned char>(destination.bits());
  rtattr attribute{};
  attribute.rta_type = RTA_DST;
  attribute.rta_len = static_cast<unsigned short>(RTA_LENGTH(size));
  std::memcpy(question.attribute.data(), &attribute, sizeof attribute);
  std::memcpy(question.attribute.data() + RTA_LENGTH(0), destination.bytes().data(), size);
  return question;
}

std::optional<IpAddress> address_from(const unsigned char* data, std::size_t size) {
  if (size == 4) return IpAddress::v4({data[0], data[1], data[2], data[3]});
  if (size != 16) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), data, size);
  return IpAddress::v6(bytes);
}

// The attributes of a route message, from `at` to `end` of the answer.
WayOut read_route(const unsigned char* data, std::size_t at, std::size_t end) {
  WayOut way;
  while (at + sizeof(rtattr) <= end) {
    rtattr attribute{};
    std::memcpy(&attribute, data + at, sizeof attribute);
    if (attribute.rta_len < sizeof(rtattr) || at + attribute.rta_len > end) break;
    const auto* value = data + at + RTA_LENGTH(0);
    const std::size_t size = attribute.rta_len - RTA_LENGTH(0);
    if (attribute.rta_type == RTA_OIF && size == sizeof(int)) {
      int index = 0;
      std::memcpy(&index, value, sizeof index);
      char name[IF_NAMESIZE] = {};
      if (if_indextoname(static_cast<unsigned>(index), name) != nullptr) way.interface_name = name;
    } else if (attribute.rta_type == RTA_GATEWAY) {
      way.gateway = address_from(value, size);
    } else if (attribute.rta_type == RTA_PREFSRC) {
      way.source = address_from(value, size);
    }
    at += RTA_ALIGN(attribute.rta_len);
  }
  return way;
}

}  // namespace

std::optional<WayOut> way_to(const IpAddress& destination) {
  const int socket = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (socket < 0) return std::nullopt;
  // The kernel answers at once; the bound is there so that nothing ever hangs.
  const timeval bound{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
  const auto question = question_for(destination);
  std::array<unsigned char, 4096> answer{};
  ssize_t size = ::send(socket, &question, question.header.nlmsg_len, 0);
  if (size > 0) size = ::recv(socket, answer.data(), answer.size(), 0);
  ::close(socket);
  nlmsghdr header{};
  if (size < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(rtmsg)))) return std::nullopt;
  std::memcpy(&header, answer.data(), sizeof header);
  const bool whole = header.nlmsg_len <= static_cast<std::size_t>(size);
  if (header.nlmsg_type != RTM_NEWROUTE || !whole) return std::nullopt;
  rtmsg route{};
  std::memcpy(&route, answer.data() + NLMSG_HDRLEN, sizeof route);
  if (route.rtm_type != RTN_UNICAST && route.rtm_type != RTN_LOCAL) return std::nullopt;
  auto way = read_route(answer.data(), NLMSG_LENGTH(sizeof(rtmsg)), header.nlmsg_len);
  if (way.interface_name.empty()) return std::nullopt;
  return way;
}

}  // namespace callready::platform
