#include "probe/platform/route.hpp"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace callready::platform {
namespace {

// One question about one address (rtnetlink(7)): `Body` is what precedes the address.
template <typename Body>
struct Question {
  nlmsghdr header{};
  Body body{};
  std::array<unsigned char, 32> attribute{};
};

template <typename Body>
Question<Body> question_about(const IpAddress& address, unsigned short type,
                              unsigned short attribute_type) {
  Question<Body> question;
  const auto size = static_cast<unsigned short>(address.bits() / 8);
  question.header.nlmsg_type = type;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.header.nlmsg_seq = 1;
  question.header.nlmsg_len = static_cast<unsigned>(NLMSG_LENGTH(sizeof(Body)) + RTA_LENGTH(size));
  rtattr attribute{};
  attribute.rta_type = attribute_type;
  attribute.rta_len = static_cast<unsigned short>(RTA_LENGTH(size));
  std::memcpy(question.attribute.data(), &attribute, sizeof attribute);
  std::memcpy(question.attribute.data() + RTA_LENGTH(0), address.bytes().data(), size);
  return question;
}

int family_of(const IpAddress& address) { return address.is_v4() ? AF_INET : AF_INET6; }

// A whole message of that type, with its header in front.
struct Reply {
  std::array<unsigned char, 4096> bytes{};
  std::size_t size = 0;
};

// Nothing if the kernel says that it has none, or does not answer.
template <typename Body>
std::optional<Reply> ask_kernel(const Question<Body>& question, unsigned short type) {
  const int socket = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (socket < 0) return std::nullopt;
  // The kernel answers at once; the bound is there so that nothing ever hangs.
  const timeval bound{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
  Reply reply;
  ssize_t size = ::send(socket, &question, question.header.nlmsg_len, 0);
  if (size > 0) size = ::recv(socket, reply.bytes.data(), reply.bytes.size(), 0);
  ::close(socket);
  nlmsghdr header{};
  if (size < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(Body)))) return std::nullopt;
  std::memcpy(&header, reply.bytes.data(), sizeof header);
  reply.size = header.nlmsg_len;
  const bool whole = reply.size <= static_cast<std::size_t>(size);
  if (header.nlmsg_type != type || !whole) return std::nullopt;
  return reply;
}

std::optional<IpAddress> address_from(const unsigned char* data, std::size_t size) {
  if (size != 4 && size != 16) return std::nullopt;
  return IpAddress::of_bytes(data, size == 16);
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
  // The kernel answers with what it would do.
  auto question = question_about<rtmsg>(destination, RTM_GETROUTE, RTA_DST);
  question.body.rtm_family = static_cast<unsigned char>(family_of(destination));
  question.body.rtm_dst_len = static_cast<unsigned char>(destination.bits());
  const auto reply = ask_kernel(question, RTM_NEWROUTE);
  if (!reply) return std::nullopt;
  rtmsg route{};
  std::memcpy(&route, reply->bytes.data() + NLMSG_HDRLEN, sizeof route);
  if (route.rtm_type != RTN_UNICAST && route.rtm_type != RTN_LOCAL) return std::nullopt;
  auto way = read_route(reply->bytes.data(), NLMSG_LENGTH(sizeof(rtmsg)), reply->size);
  if (way.interface_name.empty()) return std::nullopt;
  return way;
}

std::optional<bool> neighbour_answers(const std::string& interface_name, const IpAddress& address) {
  auto question = question_about<ndmsg>(address, RTM_GETNEIGH, NDA_DST);
  question.body.ndm_family = static_cast<unsigned char>(family_of(address));
  question.body.ndm_ifindex = static_cast<int>(if_nametoindex(interface_name.c_str()));
  const auto reply = ask_kernel(question, RTM_NEWNEIGH);
  if (!reply) return std::nullopt;
  ndmsg neighbour{};
  std::memcpy(&neighbour, reply->bytes.data() + NLMSG_HDRLEN, sizeof neighbour);
  if ((neighbour.ndm_state & NUD_REACHABLE) != 0) return true;
  if ((neighbour.ndm_state & (NUD_FAILED | NUD_INCOMPLETE)) != 0) return false;
  return std::nullopt;
}

}  // namespace callready::platform
