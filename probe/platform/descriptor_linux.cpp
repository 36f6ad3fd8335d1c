#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include "probe/platform/descriptor.hpp"

namespace callready::platform {

int open_socket(int family, int type, int protocol) {
  return ::socket(family, type | SOCK_CLOEXEC, protocol);
}

ConnectionFigures connection_figures(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
      size < offsetof(tcp_info, tcpi_total_retrans) + sizeof info.tcpi_total_retrans) {
    return {};
  }
  ConnectionFigures figures;
  figures.sent_again = static_cast<int>(info.tcpi_total_retrans);
  // A retransmission counts as in flight only if the layers below accepted it.
  figures.kept_here =
      info.tcpi_state == TCP_SYN_SENT && info.tcpi_total_retrans > 0 && info.tcpi_retrans == 0;
  if (info.tcpi_rtt > 0) figures.round_trip = std::chrono::microseconds(info.tcpi_rtt);
  return figures;
}

// From the kernel's table of sockets (sock_diag(7)): one question, however many there are.
std::optional<std::uint32_t> user_of_connection(const SocketAddress& end,
                                                const SocketAddress& other_end) {
  const OwnedDescriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!socket.open()) return std::nullopt;
  struct {
    nlmsghdr head{};
    inet_diag_req_v2 asked{};
  } request;
  request.head.nlmsg_len = sizeof request;
  request.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.head.nlmsg_flags = NLM_F_REQUEST;
  auto& asked = request.asked;
  asked.sdiag_family = end.address.is_v6() ? AF_INET6 : AF_INET;
  asked.sdiag_protocol = IPPROTO_TCP;
  asked.idiag_states = ~0U;
  asked.id.idiag_sport = htons(end.port);
  asked.id.idiag_dport = htons(other_end.port);
  std::memcpy(asked.id.idiag_src, end.address.bytes().data(), sizeof asked.id.idiag_src);
  std::memcpy(asked.id.idiag_dst, other_end.address.bytes().data(), sizeof asked.id.idiag_dst);
  asked.id.idiag_cookie[0] = asked.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  struct {
    nlmsghdr head{};
    inet_diag_msg found{};
    char more[4'096];
  } reply;
  if (::send(socket.get(), &request, sizeof request, 0) < 0) return std::nullopt;
  // The kernel has answered when send() returns.
  const auto size = ::recv(socket.get(), &reply, sizeof reply, MSG_DONTWAIT);
  const bool whole = size >= static_cast<ssize_t>(offsetof(decltype(reply), more)) &&
                     reply.head.nlmsg_type == SOCK_DIAG_BY_FAMILY;
  return whole ? std::optional<std::uint32_t>(reply.found.idiag_uid) : std::nullopt;
}

bool open_pipe(int& read_end, int& write_end) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  read_end = ends[0];
  write_end = ends[1];
  return true;
}

Descriptors descriptors() {
  Descriptors result;
  rlimit limit{};
  result.allowed = most_counted;
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    result.allowed = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, most_counted));
  }
  // Counting them in /proc would itself need a descriptor.
  std::vector<pollfd> numbers(static_cast<std::size_t>(result.allowed));
  int next = 0;
  for (auto& number : numbers) number.fd = next++;
  if (::poll(numbers.data(), numbers.size(), 0) < 0) return result;
  result.open =
      static_cast<int>(std::count_if(numbers.begin(), numbers.end(), [](const pollfd& each) {
        return (each.revents & POLLNVAL) == 0;
      }));
  return result;
}

}  // namespace callready::platform
