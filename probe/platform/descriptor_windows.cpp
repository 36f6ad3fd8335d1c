// Windows: sockets. A SOCKET is a handle, of which only 32 bits count. `errno` gets Winsock's
// number, which the system's error category reads.
#include "probe/platform/descriptor.hpp"

#include <winsock2.h>
#include <ws2tcpip.h>

#include <cerrno>

namespace callready::platform {
namespace {

SOCKET native(int socket) { return static_cast<SOCKET>(static_cast<unsigned>(socket)); }

int own(SOCKET socket) {
  if (socket != INVALID_SOCKET) return static_cast<int>(socket);
  errno = WSAGetLastError();
  return -1;
}

void start_winsock() {
  static const int status = [] {
    WSADATA data{};
    return WSAStartup(MAKEWORD(2, 2), &data);
  }();
  static_cast<void>(status);
}

// The loopback connection that stands in for a pipe: select() waits for sockets only.
bool connect_pair(SOCKET listener, SOCKET& read_end, SOCKET& write_end) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int size = sizeof address;
  auto* const place = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener, place, size) != 0 || ::getsockname(listener, place, &size) != 0)
    return false;
  if (::listen(listener, 1) != 0) return false;
  write_end = ::WSASocketW(AF_INET, SOCK_STREAM, 0, nullptr, 0, WSA_FLAG_NO_HANDLE_INHERIT);
  if (write_end == INVALID_SOCKET || ::connect(write_end, place, size) != 0) return false;
  read_end = ::accept(listener, nullptr, nullptr);
  if (read_end == INVALID_SOCKET) return false;
  // Another program on this computer may have connected first.
  sockaddr_in peer{}, mine{};
  int peer_size = sizeof peer, mine_size = sizeof mine;
  ::getpeername(read_end, reinterpret_cast<sockaddr*>(&peer), &peer_size);
  ::getsockname(write_end, reinterpret_cast<sockaddr*>(&mine), &mine_size);
  return peer.sin_port == mine.sin_port;
}

}  // namespace

int open_socket(int family, int type, int protocol) {
  start_winsock();
  return own(::WSASocketW(family, type, protocol, nullptr, 0,
                          WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT));
}

bool is_connected(int socket) {
  sockaddr_storage peer{};
  int size = sizeof peer;
  return ::getpeername(native(socket), reinterpret_cast<sockaddr*>(&peer), &size) == 0;
}

ConnectionFigures connection_figures(int) { return {}; }  // SIO_TCP_INFO counts bytes

std::optional<std::uint32_t> user_of_connection(const SocketAddress&, const SocketAddress&) {
  return std::nullopt;
}

int duplicate(int descriptor) {
  WSAPROTOCOL_INFOW info{};
  if (::WSADuplicateSocketW(native(descriptor), GetCurrentProcessId(), &info) != 0) {
    return own(INVALID_SOCKET);
  }
  return own(::WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0,
                          WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT));
}

bool open_pipe(int& read_end, int& write_end) {
  start_winsock();
  SOCKET reading = INVALID_SOCKET, writing = INVALID_SOCKET;
  const SOCKET listener =
      ::WSASocketW(AF_INET, SOCK_STREAM, 0, nullptr, 0, WSA_FLAG_NO_HANDLE_INHERIT);
  const bool good = listener != INVALID_SOCKET && connect_pair(listener, reading, writing);
  const int error = good ? 0 : WSAGetLastError();
  if (listener != INVALID_SOCKET) ::closesocket(listener);
  if (good) {
    read_end = own(reading);
    write_end = own(writing);
    return true;
  }
  if (reading != INVALID_SOCKET) ::closesocket(reading);
  if (writing != INVALID_SOCKET) ::closesocket(writing);
  errno = error;
  return false;
}

void close_descriptor(int descriptor) { ::closesocket(native(descriptor)); }

// Handles are limited by memory alone.
Descriptors descriptors() { return {most_counted, 0}; }
void allow_more_descriptors() {}

int why_no_socket() {
  const int socket = open_socket(AF_INET, SOCK_DGRAM, 0);
  if (socket < 0) return errno == WSAEAFNOSUPPORT ? 0 : errno;
  close_descriptor(socket);
  return 0;
}

}  // namespace callready::platform
