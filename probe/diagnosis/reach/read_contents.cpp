#include "probe/diagnosis/reach/reading.hpp"

#include <array>
#include <cmath>

namespace callready::reach {

// What a reply says about itself.
void read_contents(const Reading& reading, FlowEvents& events) {
  const auto& [probe, seen] = reading.result;
  for (const auto& mapping : all_evidence(seen, EvidenceKind::nat_mapping)) {
    const auto value = detail_fact(mapping, Fact::value);
    if (value == DetailCode::address_dependent || value == DetailCode::destination_dependent ||
        value == DetailCode::address_and_port_dependent) {
      sign(reading, events, Sign::nat_symmetric);
    }
  }
  if (probe.check == CheckKind::sip_alg && seen.detail == DetailCode::rewritten) {
    sign(reading, events, Sign::sip_rewritten);
  }
  for ([[maybe_unused]] const auto& mtu : all_evidence(seen, EvidenceKind::path_mtu)) {
    if (seen.detail == DetailCode::black_hole) sign(reading, events, Sign::packets_too_big);
    if (seen.detail == DetailCode::full_size) sign(reading, events, Sign::full_size);
  }
  // Where another name was asked for on purpose, the certificate proves nothing.
  if (!probe.with.contains("server_name")) {
    for (const auto& evidence : all_evidence(seen, EvidenceKind::certificate_fault)) {
      const auto fault = detail_fact(evidence, Fact::fault);
      sign(reading, events,
           fault == DetailCode::expired      ? Sign::cert_expired
           : fault == DetailCode::wrong_name ? Sign::cert_wrong_name
                                             : Sign::cert_untrusted);
    }
  }
  for (const auto& root : all_evidence(seen, EvidenceKind::chain_root)) {
    if (flag_fact(root, Fact::expected) == false) sign(reading, events, Sign::root_unexpected);
  }
  constexpr double wrong_by_s = 60;
  for (const auto& clock : all_evidence(seen, EvidenceKind::clock_offset)) {
    const auto off_ms = number_fact(clock, Fact::offset_ms).value_or(0);
    if (std::abs(off_ms) > wrong_by_s * 1000) sign(reading, events, Sign::clock_off);
  }
  for (const auto& reply : all_evidence(seen, EvidenceKind::http_reply)) {
    const auto off_s = number_fact(reply, Fact::date_offset_s).value_or(0);
    if (std::abs(off_s) > wrong_by_s) sign(reading, events, Sign::clock_off);
  }
  if (seen.detail == DetailCode::unexpected_body) sign(reading, events, Sign::foreign_page);
  for (const auto& refusal : all_evidence(seen, EvidenceKind::turn_refusal)) {
    if (flag_fact(refusal, Fact::with_credentials) == true) sign(reading, events, Sign::turn_login);
  }
  if (findings::is_name(probe.target.host) && seen.address && seen.address->is_special()) {
    sign(reading, events, Sign::dns_special);
  }
}

void read_ipv6(const Reading& reading, FlowEvents& events) {
  if (reading.probe.with.contains("service")) return;  // may be its own fault
  constexpr std::array fine{DetailCode::connected, DetailCode::dns_failed, DetailCode::no_address,
                            DetailCode::no_route};
  for (const auto& family : all_evidence(reading.seen, EvidenceKind::family)) {
    const bool broken = !contains(fine, detail_fact(family, Fact::result));
    if (broken && text_fact(family, Fact::version) == "IPv6")
      sign(reading, events, Sign::ipv6_broken);
  }
}

}  // namespace callready::reach
