// How many descriptors there are, and what happens without.
#include "probe/platform/descriptor.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "tests/support/few_descriptors.hpp"

namespace callready {
namespace {

TEST(Descriptors, AreCounted) {
  const auto before = platform::descriptors();
  EXPECT_GE(before.open, 3);
  EXPECT_EQ(before.left(), before.allowed - before.open);
  const platform::OwnedDescriptor one(platform::duplicate(0));
  EXPECT_EQ(platform::descriptors().open, before.open + 1);
}

TEST(Descriptors, WithoutOneItIsSaidWhy) {
  EXPECT_EQ(platform::why_no_socket(), 0);
  {
    const test::NoDescriptorsLeft none;
    EXPECT_EQ(platform::why_no_socket(), EMFILE);
  }
  EXPECT_EQ(platform::why_no_socket(), 0);
}

TEST(Descriptors, AsManyAreAskedForAsTheSystemAllows) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const auto few = std::min<rlim_t>(before.rlim_max, 64);
  const rlimit soft{few, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &soft), 0);
  platform::allow_more_descriptors();
  const auto allowed = platform::descriptors().allowed;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  const auto expected = std::min<rlim_t>(before.rlim_max, platform::most_counted);
  EXPECT_EQ(static_cast<rlim_t>(allowed), expected);
  platform::allow_more_descriptors();
  EXPECT_GE(static_cast<rlim_t>(platform::descriptors().allowed),
            std::min<rlim_t>(before.rlim_cur, platform::most_counted));
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST(Descriptors, TheOtherEndOfAConnectionHasAUser) {
  for (const int family : {AF_INET, AF_INET6}) {
    const platform::OwnedDescriptor listener(::socket(family, SOCK_STREAM, 0)),
        client(::socket(family, SOCK_STREAM, 0));
    sockaddr_in6 there{};  // any address of the loopback, a port of the kernel's choice
    socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof there;
    auto* const place = reinterpret_cast<sockaddr*>(&there);
    place->sa_family = static_cast<sa_family_t>(family);
    if (family == AF_INET6) there.sin6_addr = in6addr_loopback;
    if (family == AF_INET)
      reinterpret_cast<sockaddr_in*>(&there)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener.get(), place, size) != 0) continue;  // no IPv6 here
    ASSERT_EQ(::listen(listener.get(), 1), 0);
    ASSERT_EQ(::getsockname(listener.get(), place, &size), 0);
    ASSERT_EQ(::connect(client.get(), place, size), 0);
    const auto port_of = [&](int socket) {
      sockaddr_in6 own{};
      socklen_t own_size = sizeof own;
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &own_size);
      return ntohs(own.sin6_port);
    };
    const auto loopback = *IpAddress::parse(family == AF_INET ? "127.0.0.1" : "::1");
    const SocketAddress ours{loopback, port_of(client.get())},
        theirs{loopback, port_of(listener.get())};
    EXPECT_EQ(platform::user_of_connection(ours, theirs), ::getuid());
    EXPECT_EQ(platform::user_of_connection({loopback, 1}, theirs), std::nullopt);
  }
}

}  // namespace
}  // namespace callready
