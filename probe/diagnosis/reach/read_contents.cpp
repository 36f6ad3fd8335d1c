#include "probe/diagnosis/reach/reading.hpp"

#include <array>
#include <cmath>

namespace callready::reach {

// What a reply says about itself.
void read_contents(const Reading& reading, FlowEvents& events) {
  const auto& [probe, seen] = reading.result;
  each(seen, EvidenceKind::nat_mapping, [&](const Evidence& mapping) {
    const auto value = detail_fact(mapping, Fact::value);
    if (value == DetailCode::address_dependent || value == DetailCode::destination_dependent ||
        value == DetailCode::address_and_port_dependent) {
      sign(reading, events, Sign::nat_symmetric);
    }
  });
  if (probe.check == CheckKind::sip_alg && seen.detail == DetailCode::rewritten) {
    sign(reading, events, Sign::sip_rewritten);
  }
  each(seen, EvidenceKind::path_mtu, [&](const Evidence&) {
    if (seen.detail == DetailCode::black_hole) sign(reading, events, Sign::packets_too_big);
    if (seen.detail == DetailCode::full_size) sign(reading, events, Sign::full_size);
  });
  // Where another name was asked for on purpose, the certificate proves nothing.
  if (!probe.with.contains("server_name")) {
    each(seen, EvidenceKind::certificate_fault, [&](const Evidence& evidence) {
      const auto fault = detail_fact(evidence, Fact::fault);
      sign(reading, events,
           fault == DetailCode::expired      ? Sign::cert_expired
           : fault == DetailCode::wrong_name ? Sign::cert_wrong_name
                                             : Sign::cert_untrusted);
    });
  }
  each(seen, EvidenceKind::chain_root, [&](const Evidence& root) {
    if (flag_fact(root, Fact::expected) == false) sign(reading, events, Sign::root_unexpected);
  });
  constexpr double wrong_by_s = 60;
  each(seen, EvidenceKind::clock_offset, [&](const Evidence& clock) {
    const auto off_ms = number_fact(clock, Fact::offset_ms).value_or(0);
    if (std::abs(off_ms) > wrong_by_s * 1000) sign(reading, events, Sign::clock_off);
  });
  each(seen, EvidenceKind::http_reply, [&](const Evidence& reply) {
    const auto off_s = number_fact(reply, Fact::date_offset_s).value_or(0);
    if (std::abs(off_s) > wrong_by_s) sign(reading, events, Sign::clock_off);
  });
  if (seen.detail == DetailCode::unexpected_body) sign(reading, events, Sign::foreign_page);
  each(seen, EvidenceKind::turn_refusal, [&](const Evidence& refusal) {
    if (flag_fact(refusal, Fact::with_credentials) == true) sign(reading, events, Sign::turn_login);
  });
  if (findings::is_name(probe.target.host) && seen.address && seen.address->is_special()) {
    sign(reading, events, Sign::dns_special);
  }
}

void read_ipv6(const Reading& reading, FlowEvents& events) {
  if (reading.probe.with.contains("service")) return;  // may be its own fault
  constexpr std::array fine{DetailCode::connected, DetailCode::dns_failed, DetailCode::no_address,
                            DetailCode::no_route};
  each(reading.seen, EvidenceKind::family, [&](const Evidence& family) {
    const bool broken = !contains(fine, detail_fact(family, Fact::result));
    if (broken && text_fact(family, Fact::version) == "IPv6")
      sign(reading, events, Sign::ipv6_broken);
  });
}

}  // namespace callready::reach
