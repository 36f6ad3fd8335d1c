#include "probe/model/evidence.hpp"

#include <array>

namespace callready {

template <>
std::span<const Word<EvidenceKind>> words() {
  static constexpr auto table = std::to_array<Word<EvidenceKind>>({
      {EvidenceKind::allocation_left, "allocation_left"},
      {EvidenceKind::alternate_server, "alternate_server"},
      {EvidenceKind::call_answer, "call_answer"},
      {EvidenceKind::call_arrived, "call_arrived"},
      {EvidenceKind::call_consent, "call_consent"},
      {EvidenceKind::call_greeting, "call_greeting"},
      {EvidenceKind::call_handshake, "call_handshake"},
      {EvidenceKind::call_media, "call_media"},
      {EvidenceKind::certificate, "certificate"},
      {EvidenceKind::certificate_fault, "certificate_fault"},
      {EvidenceKind::chain_root, "chain_root"},
      {EvidenceKind::client_certificate_asked, "client_certificate_asked"},
      {EvidenceKind::clock_offset, "clock_offset"},
      {EvidenceKind::dns_answer, "dns_answer"},
      {EvidenceKind::dns_no_answer, "dns_no_answer"},
      {EvidenceKind::dns_special_address, "dns_special_address"},
      {EvidenceKind::error, "error"},
      {EvidenceKind::family, "family"},
      {EvidenceKind::hairpin, "hairpin"},
      {EvidenceKind::hello, "hello"},
      {EvidenceKind::hop, "hop"},
      {EvidenceKind::hosts_file, "hosts_file"},
      {EvidenceKind::http_reply, "http_reply"},
      {EvidenceKind::ice_candidate, "ice_candidate"},
      {EvidenceKind::ice_candidates, "ice_candidates"},
      {EvidenceKind::ice_pair, "ice_pair"},
      {EvidenceKind::icmp_error, "icmp_error"},
      {EvidenceKind::mapped_address, "mapped_address"},
      {EvidenceKind::nat64, "nat64"},
      {EvidenceKind::nat_filtering, "nat_filtering"},
      {EvidenceKind::nat_lifetime, "nat_lifetime"},
      {EvidenceKind::nat_mapping, "nat_mapping"},
      {EvidenceKind::nat_translations, "nat_translations"},
      {EvidenceKind::not_asked, "not_asked"},
      {EvidenceKind::not_tls, "not_tls"},
      {EvidenceKind::ntp_reply, "ntp_reply"},
      {EvidenceKind::open_relay, "open_relay"},
      {EvidenceKind::pac, "pac"},
      {EvidenceKind::path_mtu, "path_mtu"},
      {EvidenceKind::port_preservation, "port_preservation"},
      {EvidenceKind::port_taken, "port_taken"},
      {EvidenceKind::proxy_reply, "proxy_reply"},
      {EvidenceKind::quic, "quic"},
      {EvidenceKind::refuser, "refuser"},
      {EvidenceKind::relay, "relay"},
      {EvidenceKind::relay_life, "relay_life"},
      {EvidenceKind::relay_to_relay, "relay_to_relay"},
      {EvidenceKind::relay_trip, "relay_trip"},
      {EvidenceKind::retransmitted, "retransmitted"},
      {EvidenceKind::search_domain, "search_domain"},
      {EvidenceKind::short_wait, "short_wait"},
      {EvidenceKind::shortage, "shortage"},
      {EvidenceKind::sip_alg, "sip_alg"},
      {EvidenceKind::sip_alg_message, "sip_alg_message"},
      {EvidenceKind::sip_discarded, "sip_discarded"},
      {EvidenceKind::sip_naptr, "sip_naptr"},
      {EvidenceKind::sip_reply, "sip_reply"},
      {EvidenceKind::sip_size, "sip_size"},
      {EvidenceKind::sip_srv, "sip_srv"},
      {EvidenceKind::sip_target, "sip_target"},
      {EvidenceKind::sip_via, "sip_via"},
      {EvidenceKind::stun_reply, "stun_reply"},
      {EvidenceKind::stun_stray, "stun_stray"},
      {EvidenceKind::tls_handshake, "tls_handshake"},
      {EvidenceKind::turn_challenge, "turn_challenge"},
      {EvidenceKind::turn_refusal, "turn_refusal"},
      {EvidenceKind::udp_block, "udp_block"},
      {EvidenceKind::udp_port, "udp_port"},
      {EvidenceKind::udp_relays, "udp_relays"},
      {EvidenceKind::udp_sample, "udp_sample"},
  });
  static_assert(in_order<EvidenceKind>(table));
  return table;
}

template <>
std::span<const Word<Fact>> words() {
  static constexpr auto table = std::to_array<Word<Fact>>({
      {Fact::address, "address"},
      {Fact::again, "again"},
      {Fact::again_after_ms, "again_after_ms"},
      {Fact::again_answered, "again_answered"},
      {Fact::agent, "agent"},
      {Fact::alive_ms, "alive_ms"},
      {Fact::allocations, "allocations"},
      {Fact::allow, "allow"},
      {Fact::answered, "answered"},
      {Fact::asked, "asked"},
      {Fact::attempts, "attempts"},
      {Fact::authoritative, "authoritative"},
      {Fact::back, "back"},
      {Fact::basis, "basis"},
      {Fact::body_bytes, "body_bytes"},
      {Fact::body_matches, "body_matches"},
      {Fact::broken, "broken"},
      {Fact::by, "by"},
      {Fact::bytes, "bytes"},
      {Fact::canonical_name, "canonical_name"},
      {Fact::carried, "carried"},
      {Fact::checks_arrived, "checks_arrived"},
      {Fact::cipher, "cipher"},
      {Fact::code, "code"},
      {Fact::confidence, "confidence"},
      {Fact::connected_ms, "connected_ms"},
      {Fact::count, "count"},
      {Fact::date_offset_s, "date_offset_s"},
      {Fact::delay_ms, "delay_ms"},
      {Fact::detail, "detail"},
      {Fact::echoed_sent_by, "echoed_sent_by"},
      {Fact::error, "error"},
      {Fact::exact, "exact"},
      {Fact::excludes_percent, "excludes_percent"},
      {Fact::expected, "expected"},
      {Fact::extended_error_code, "extended_error_code"},
      {Fact::extended_errors, "extended_errors"},
      {Fact::failure, "failure"},
      {Fact::far_address, "far_address"},
      {Fact::far_port, "far_port"},
      {Fact::far_type, "far_type"},
      {Fact::fault, "fault"},
      {Fact::final, "final"},
      {Fact::first, "first"},
      {Fact::first_bytes, "first_bytes"},
      {Fact::first_media_ms, "first_media_ms"},
      {Fact::first_parts, "first_parts"},
      {Fact::flights, "flights"},
      {Fact::foreign, "foreign"},
      {Fact::from, "from"},
      {Fact::from_server, "from_server"},
      {Fact::full, "full"},
      {Fact::given, "given"},
      {Fact::granted, "granted"},
      {Fact::handshakes_arrived, "handshakes_arrived"},
      {Fact::hidden, "hidden"},
      {Fact::host, "host"},
      {Fact::icmp_sender, "icmp_sender"},
      {Fact::inbound, "inbound"},
      {Fact::inbound_ms, "inbound_ms"},
      {Fact::issuer, "issuer"},
      {Fact::kept, "kept"},
      {Fact::last, "last"},
      {Fact::later_parts, "later_parts"},
      {Fact::leap, "leap"},
      {Fact::lifetime_s, "lifetime_s"},
      {Fact::longest_gap, "longest_gap"},
      {Fact::mapped, "mapped"},
      {Fact::measured, "measured"},
      {Fact::media_arrived, "media_arrived"},
      {Fact::message, "message"},
      {Fact::messages, "messages"},
      {Fact::method, "method"},
      {Fact::mirrored_changes, "mirrored_changes"},
      {Fact::ms, "ms"},
      {Fact::name, "name"},
      {Fact::names, "names"},
      {Fact::nonce, "nonce"},
      {Fact::not_after, "not_after"},
      {Fact::not_before, "not_before"},
      {Fact::not_measured, "not_measured"},
      {Fact::offset_ms, "offset_ms"},
      {Fact::open_after, "open_after"},
      {Fact::open_before, "open_before"},
      {Fact::other_address, "other_address"},
      {Fact::outbound, "outbound"},
      {Fact::outbound_ms, "outbound_ms"},
      {Fact::outcome, "outcome"},
      {Fact::outside, "outside"},
      {Fact::passes, "passes"},
      {Fact::payload, "payload"},
      {Fact::place, "place"},
      {Fact::port, "port"},
      {Fact::ports, "ports"},
      {Fact::position, "position"},
      {Fact::prefix, "prefix"},
      {Fact::profile, "profile"},
      {Fact::proved, "proved"},
      {Fact::proxy, "proxy"},
      {Fact::public_key_sha256, "public_key_sha256"},
      {Fact::rcode, "rcode"},
      {Fact::realm, "realm"},
      {Fact::reason, "reason"},
      {Fact::received, "received"},
      {Fact::records, "records"},
      {Fact::recursion_available, "recursion_available"},
      {Fact::redirect_host, "redirect_host"},
      {Fact::reference, "reference"},
      {Fact::refined, "refined"},
      {Fact::refused_schemes, "refused_schemes"},
      {Fact::relay_port, "relay_port"},
      {Fact::relay_transport, "relay_transport"},
      {Fact::relays_work, "relays_work"},
      {Fact::responder, "responder"},
      {Fact::response_origin, "response_origin"},
      {Fact::result, "result"},
      {Fact::rewritten, "rewritten"},
      {Fact::root_delay_ms, "root_delay_ms"},
      {Fact::root_dispersion_ms, "root_dispersion_ms"},
      {Fact::rport, "rport"},
      {Fact::rport_asked, "rport_asked"},
      {Fact::sampled, "sampled"},
      {Fact::samples, "samples"},
      {Fact::schemes, "schemes"},
      {Fact::sdp_tested, "sdp_tested"},
      {Fact::secured_ms, "secured_ms"},
      {Fact::self_signed, "self_signed"},
      {Fact::sender, "sender"},
      {Fact::sent, "sent"},
      {Fact::sent_by, "sent_by"},
      {Fact::server, "server"},
      {Fact::sha256, "sha256"},
      {Fact::silent_ms, "silent_ms"},
      {Fact::sinkhole, "sinkhole"},
      {Fact::soa_zone, "soa_zone"},
      {Fact::software, "software"},
      {Fact::status, "status"},
      {Fact::stratum, "stratum"},
      {Fact::subject, "subject"},
      {Fact::success, "success"},
      {Fact::timestamps, "timestamps"},
      {Fact::took_ms, "took_ms"},
      {Fact::translated, "translated"},
      {Fact::transport, "transport"},
      {Fact::truncated_over_udp, "truncated_over_udp"},
      {Fact::trusted_anyway, "trusted_anyway"},
      {Fact::ttl, "ttl"},
      {Fact::type, "type"},
      {Fact::value, "value"},
      {Fact::vanishes, "vanishes"},
      {Fact::verify_code, "verify_code"},
      {Fact::version, "version"},
      {Fact::via, "via"},
      {Fact::via_changed, "via_changed"},
      {Fact::vias, "vias"},
      {Fact::waited_ms, "waited_ms"},
      {Fact::what, "what"},
      {Fact::who, "who"},
      {Fact::with_credentials, "with_credentials"},
      {Fact::without_edns, "without_edns"},
  });
  static_assert(in_order<Fact>(table));
  return table;
}

std::string text_fact(const Evidence& evidence, Fact name) {
  const auto found = evidence.facts.find(name);
  if (found == evidence.facts.end()) return {};
  const auto* text = std::get_if<std::string>(&found->second);
  return text == nullptr ? std::string() : *text;
}

std::optional<double> number_fact(const Evidence& evidence, Fact name) {
  const auto found = evidence.facts.find(name);
  if (found == evidence.facts.end()) return std::nullopt;
  if (const auto* real = std::get_if<double>(&found->second)) return *real;
  if (const auto* whole = std::get_if<std::int64_t>(&found->second)) {
    return static_cast<double>(*whole);
  }
  return std::nullopt;
}

std::optional<bool> flag_fact(const Evidence& evidence, Fact name) {
  const auto found = evidence.facts.find(name);
  if (found == evidence.facts.end()) return std::nullopt;
  const auto* flag = std::get_if<bool>(&found->second);
  return flag == nullptr ? std::nullopt : std::optional(*flag);
}

std::optional<int> whole_fact(const Evidence& evidence, Fact name, int least, int most) {
  const auto told = number_fact(evidence, name);
  const bool within = told && *told >= least && *told <= most;  // false for NaN
  return within ? std::optional(static_cast<int>(*told)) : std::nullopt;
}

std::optional<std::uint16_t> port_fact(const Evidence& evidence, Fact name) {
  const auto port = whole_fact(evidence, name, 1, 65535);
  return port ? std::optional(static_cast<std::uint16_t>(*port)) : std::nullopt;
}

Detail detail_fact(const Evidence& evidence, Fact name) {
  return Detail::parse(text_fact(evidence, name)).value_or(Detail());
}

}  // namespace callready
