#include "probe/diagnosis/contents/block_pages.hpp"

#include <array>
#include <utility>

namespace callready::findings {
namespace {

// Only what the makers say themselves, and that they do not change now and then (Palo Alto
// Networks' sinkhole does).
//   Cisco: "Learn the Umbrella Block Page IP Addresses", cisco.com/c/en/us/support/docs/security/
//     umbrella/224799-learn-the-umbrella-block-page-ip.html
//   Fortinet: "Technical Tip: Various Block option under DNS filter" and "Troubleshooting Tip: End
//     User DNS queries resolves with FortiGuard IPs", community.fortinet.com/t5/FortiGate, 260790
//     and 421739
constexpr std::string_view umbrella = "Cisco Umbrella", fortiguard = "Fortinet FortiGuard";
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> table{{
    {"146.112.61.104", umbrella},
    {"146.112.61.105", umbrella},
    {"146.112.61.106", umbrella},
    {"146.112.61.107", umbrella},
    {"146.112.61.108", umbrella},
    {"146.112.61.110", umbrella},
    {"::ffff:146.112.61.104", umbrella},
    {"::ffff:146.112.61.105", umbrella},
    {"::ffff:146.112.61.106", umbrella},
    {"::ffff:146.112.61.107", umbrella},
    {"::ffff:146.112.61.108", umbrella},
    {"::ffff:146.112.61.110", umbrella},
    {"208.91.112.55", fortiguard},
    {"2001:cdba::3257:9652", fortiguard},
}};

}  // namespace

std::string_view block_page_of(const IpAddress& address) {
  for (const auto& [text, whose] : table) {
    if (IpAddress::parse(text) == address) return whose;
  }
  return {};
}

}  // namespace callready::findings
