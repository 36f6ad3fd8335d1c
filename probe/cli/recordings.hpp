// Reports of the project's own test network with one fault each (script/examples), built in
// (reports/embed.cmake): what `demo --fault NAME` shows.
#pragma once

#include <string_view>

namespace callready {
namespace recordings {

std::string_view udp_blocked();
std::string_view dns_filtered();
std::string_view sip_alg();
std::string_view tls_inspected();

}  // namespace recordings

struct Recording {
  std::string_view fault;
  std::string_view (*report)();  // as JSON
};
inline constexpr Recording all_recordings[] = {{"udp-blocked", recordings::udp_blocked},
                                               {"dns-filtered", recordings::dns_filtered},
                                               {"sip-alg", recordings::sip_alg},
                                               {"tls-inspected", recordings::tls_inspected}};

}  // namespace callready
