#include "probe/model/flow_event.hpp"

namespace callready {

template <>
std::span<const Word<Cargo>> words() {
  static constexpr Word<Cargo> table[] = {
      {Cargo::none, "none"},     {Cargo::rtp, "rtp"},   {Cargo::stun, "stun"},
      {Cargo::turn, "turn"},     {Cargo::sip, "sip"},   {Cargo::ntp, "ntp"},
      {Cargo::dns, "dns"},       {Cargo::http, "http"}, {Cargo::tls, "tls"},
      {Cargo::inside, "inside"}, {Cargo::quic, "quic"},
  };
  return table;
}

template <>
std::span<const Word<Seen>> words() {
  static constexpr Word<Seen> table[] = {
      {Seen::reply, "reply"},
      {Seen::nothing, "nothing"},
      {Seen::closed, "closed"},
      {Seen::arrived, "arrived"},
      {Seen::refused_by, "refused_by"},
      {Seen::prohibited, "prohibited"},
      {Seen::talk, "talk"},
      {Seen::open, "open"},
      {Seen::mute, "mute"},
      {Seen::cut, "cut"},
      {Seen::foreign, "foreign"},
      {Seen::refused, "refused"},
      {Seen::refused_way, "refused_way"},
      {Seen::forged, "forged"},
      {Seen::refused_far, "refused_far"},
      {Seen::expired, "expired"},
      {Seen::dropped, "dropped"},
      {Seen::taken, "taken"},
      {Seen::one_way, "one_way"},
      {Seen::sample, "sample"},
  };
  return table;
}

template <>
std::span<const Word<Sign>> words() {
  static constexpr Word<Sign> table[] = {
      {Sign::name_fails, "name_fails"},
      {Sign::name_gone, "name_gone"},
      {Sign::public_denies, "public_denies"},
      {Sign::public_knows, "public_knows"},
      {Sign::dns_redirected, "dns_redirected"},
      {Sign::dns_special, "dns_special"},
      {Sign::nat_symmetric, "nat_symmetric"},
      {Sign::sip_rewritten, "sip_rewritten"},
      {Sign::packets_too_big, "packets_too_big"},
      {Sign::full_size, "full_size_passes"},
      {Sign::cert_expired, "cert_expired"},
      {Sign::cert_wrong_name, "cert_wrong_name"},
      {Sign::cert_untrusted, "cert_untrusted"},
      {Sign::root_unexpected, "root_unexpected"},
      {Sign::clock_off, "clock_off"},
      {Sign::foreign_page, "foreign_page"},
      {Sign::turn_login, "turn_login"},
      {Sign::ipv6_broken, "ipv6_broken"},
      {Sign::proxy_works, "proxy_works"},
      {Sign::proxy_login, "proxy_login"},
      {Sign::proxy_denied, "proxy_denied"},
      {Sign::proxy_silent, "proxy_silent"},
      {Sign::proxy_error, "proxy_error"},
      {Sign::dns_direct, "dns_direct"},
      {Sign::no_link, "no_link"},
      {Sign::name_too_long, "name_too_long"},
  };
  return table;
}

}  // namespace callready
