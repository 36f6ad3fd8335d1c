#include "probe/platform/link_servers.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/uio.h>

#include "probe/platform/descriptor.hpp"
#include "probe/util/text.hpp"

namespace callready::platform {
namespace {

unsigned number_of(const std::string& zone) {
  const auto number = ::if_nametoindex(zone.c_str());
  return number != 0 ? number : whole_number<unsigned>(zone).value_or(0);
}

// What c-ares does by itself, but for the zone.
struct Sockets {
  static ares_socket_t open(int family, int type, int protocol, void*) {
    const int socket = open_socket(family, type, protocol);
    if (socket >= 0) ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
    return socket;
  }

  static int close(ares_socket_t socket, void*) {
    close_descriptor(socket);
    return 0;
  }

  static int connect(ares_socket_t socket, const sockaddr* to, ares_socklen_t size, void* zones) {
    if (to->sa_family != AF_INET6) return ::connect(socket, to, size);
    auto v6 = *reinterpret_cast<const sockaddr_in6*>(to);
    const auto address = IpAddress::of_bytes(&v6.sin6_addr, true);
    v6.sin6_scope_id = found_in(*static_cast<const Zones*>(zones), address, v6.sin6_scope_id);
    return ::connect(socket, reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
  }

  static ares_ssize_t receive(ares_socket_t socket, void* buffer, std::size_t size, int flags,
                              sockaddr* from, ares_socklen_t* from_size, void*) {
    return ::recvfrom(socket, buffer, size, flags, from, from_size);
  }

  static ares_ssize_t send(ares_socket_t socket, const iovec* parts, int count, void*) {
    return ::writev(socket, parts, count);
  }
};

}  // namespace

NameServers parse_name_servers(std::string_view resolv_conf) {
  NameServers servers;
  for (auto line : split(resolv_conf, "\n")) {
    constexpr std::string_view key = "nameserver";
    if (!line.starts_with(key)) continue;
    line.remove_prefix(key.size());
    if (line.find_first_of(" \t") != 0) continue;
    const auto word = split(trimmed(line), " \t").front();
    const auto zone = std::min(word.find('%'), word.size());
    const auto address = IpAddress::parse(word.substr(0, zone));
    if (!address) continue;
    add_once(servers.all, *address);
    if (zone < word.size()) {
      servers.zones.emplace(*address, number_of(std::string(word.substr(zone + 1))));
    }
  }
  return servers;
}

void connect_by_zone(ares_channel channel, const Zones& zones) {
  static constexpr ares_socket_functions functions{Sockets::open, Sockets::close, Sockets::connect,
                                                   Sockets::receive, Sockets::send};
  ares_set_socket_functions(channel, &functions, const_cast<Zones*>(&zones));
}

std::string interface_name(unsigned number) {
  char name[IF_NAMESIZE];
  return ::if_indextoname(number, name) != nullptr ? name : "";
}

}  // namespace callready::platform
