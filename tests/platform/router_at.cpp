// router_at SOURCE TARGET HOPS: the routers on the way, one a line, "-" where nobody answers an
// echo that ends there. For tests/site/windows_test.py: what Windows' own call shows under wine.
#include <charconv>
#include <cstdio>
#include <string_view>

#include "probe/platform/icmp.hpp"

int main(int count, char** words) {
  if (count != 4) return 2;
  const auto source = callready::IpAddress::parse(words[1]);
  const auto target = callready::IpAddress::parse(words[2]);
  const std::string_view hops = words[3];
  int last = 0;
  std::from_chars(hops.data(), hops.data() + hops.size(), last);
  if (!source || !target || last < 1 || last > 30) return 2;
  for (int ttl = 1; ttl <= last; ++ttl) {
    const auto router =
        callready::platform::router_at(*target, *source, ttl, std::chrono::milliseconds(2000));
    std::puts(router ? router->to_string().c_str() : "-");
  }
  return 0;
}
