#include "probe/model/words.hpp"

#include <array>

namespace callready {

template <>
std::span<const Word<Outcome>> words() {
  static constexpr Word<Outcome> table[] = {
      {Outcome::answered, "answered"},     {Outcome::connected, "connected"},
      {Outcome::passed, "passed"},         {Outcome::refused, "refused"},
      {Outcome::rejected, "rejected"},     {Outcome::silent, "silent"},
      {Outcome::failed, "failed"},         {Outcome::denied, "denied"},
      {Outcome::unresolved, "unresolved"}, {Outcome::skipped, "skipped"},
  };
  return table;
}

template <>
std::span<const Word<Status>> words() {
  static constexpr Word<Status> table[] = {
      {Status::pass, "pass"},       {Status::warn, "warn"}, {Status::fail, "fail"},
      {Status::unknown, "unknown"}, {Status::skip, "skip"},
  };
  return table;
}

template <>
std::span<const Word<Verdict>> words() {
  static constexpr Word<Verdict> table[] = {
      {Verdict::ready, "ready"},
      {Verdict::degraded, "degraded"},
      {Verdict::blocked, "blocked"},
      {Verdict::unknown, "unknown"},
  };
  return table;
}

template <>
std::span<const Word<Severity>> words() {
  static constexpr Word<Severity> table[] = {
      {Severity::required, "required"},
      {Severity::recommended, "recommended"},
      {Severity::optional, "optional"},
  };
  return table;
}

template <>
std::span<const Word<Transport>> words() {
  static constexpr Word<Transport> table[] = {
      {Transport::udp, "udp"}, {Transport::tcp, "tcp"}, {Transport::tls, "tls"}};
  return table;
}

template <>
std::span<const Word<Direction>> words() {
  static constexpr Word<Direction> table[] = {{Direction::out, "out"}, {Direction::in, "in"}};
  return table;
}

template <>
std::span<const Word<Lifecycle>> words() {
  static constexpr Word<Lifecycle> table[] = {
      {Lifecycle::current, "current"},
      {Lifecycle::deprecated, "deprecated"},
      {Lifecycle::optional_feature, "optional-feature"},
      {Lifecycle::removed, "removed"},
  };
  return table;
}

template <>
std::span<const Word<ProxyUse>> words() {
  static constexpr Word<ProxyUse> table[] = {
      {ProxyUse::allowed, "allowed"}, {ProxyUse::never, "never"}, {ProxyUse::required, "required"}};
  return table;
}

template <>
std::span<const Word<AllowBy>> words() {
  static constexpr Word<AllowBy> table[] = {
      {AllowBy::either, "either"}, {AllowBy::name, "name"}, {AllowBy::network, "network"}};
  return table;
}

template <>
std::span<const Word<Vantage>> words() {
  static constexpr Word<Vantage> table[] = {
      {Vantage::pc, "pc"},
      {Vantage::browser, "browser"},
      {Vantage::mobile, "mobile"},
      {Vantage::phone, "phone"},
      {Vantage::pbx, "pbx"},
      {Vantage::sbc, "sbc"},
      {Vantage::gateway, "gateway"},
      {Vantage::hub, "hub"},
      {Vantage::room_device, "room-device"},
      {Vantage::mesh_node, "mesh-node"},
  };
  return table;
}

template <>
std::span<const Word<ServiceKind>> words() {
  static constexpr Word<ServiceKind> table[] = {
      {ServiceKind::meetings, "meetings"},
      {ServiceKind::telephony, "telephony"},
      {ServiceKind::contact_center, "contact-center"},
      {ServiceKind::platform, "platform"},
      {ServiceKind::sip_trunk, "sip-trunk"},
      {ServiceKind::pbx, "pbx"},
      {ServiceKind::shared, "shared"},
  };
  return table;
}

template <>
std::span<const Word<SourceQuality>> words() {
  static constexpr Word<SourceQuality> table[] = {
      {SourceQuality::vendor_page, "vendor-page"},
      {SourceQuality::vendor_feed, "vendor-feed"},
      {SourceQuality::second_hand, "second-hand"},
      {SourceQuality::old_edition, "old-edition"},
  };
  return table;
}

template <>
std::span<const Word<Priority>> words() {
  static constexpr Word<Priority> table[] = {
      {Priority::optimize, "optimize"},
      {Priority::allow, "allow"},
      {Priority::by_default, "default"},
  };
  return table;
}

template <>
std::span<const Word<Confidence>> words() {
  static constexpr Word<Confidence> table[] = {
      {Confidence::certain, "certain"},
      {Confidence::likely, "likely"},
      {Confidence::possible, "possible"},
  };
  return table;
}

template <>
std::span<const Word<Owner>> words() {
  static constexpr Word<Owner> table[] = {
      {Owner::user, "user"},     {Owner::helpdesk, "helpdesk"}, {Owner::network, "network"},
      {Owner::proxy, "proxy"},   {Owner::dns, "dns"},           {Owner::security, "security"},
      {Owner::vendor, "vendor"}, {Owner::lan, "lan"},           {Owner::provider, "provider"},
      {Owner::vpn, "vpn"},
  };
  return table;
}

template <>
std::span<const Word<LinkState>> words() {
  static constexpr Word<LinkState> table[] = {
      {LinkState::up, "up"},
      {LinkState::no_signal, "no_signal"},
      {LinkState::disabled, "disabled"},
  };
  return table;
}

template <>
std::span<const Word<CheckKind>> words() {
  static constexpr auto table = std::to_array<Word<CheckKind>>({
      {CheckKind::dns, "dns"},
      {CheckKind::hop, "hop"},
      {CheckKind::http, "http"},
      {CheckKind::ice, "ice"},
      {CheckKind::ipv6, "ipv6"},
      {CheckKind::media, "media"},
      {CheckKind::nat, "nat"},
      {CheckKind::ntp, "ntp"},
      {CheckKind::pac, "pac"},
      {CheckKind::path, "path"},
      {CheckKind::proxy, "proxy"},
      {CheckKind::quic, "quic"},
      {CheckKind::sip, "sip"},
      {CheckKind::sip_alg, "sip-alg"},
      {CheckKind::sip_long, "sip-long"},
      {CheckKind::stun, "stun"},
      {CheckKind::tcp, "tcp"},
      {CheckKind::tls, "tls"},
      {CheckKind::tls_hello, "tls-hello"},
      {CheckKind::turn, "turn"},
      {CheckKind::udp_range, "udp-range"},
  });
  static_assert(in_order<CheckKind>(table));
  return table;
}

template <>
std::span<const Word<Purpose>> words() {
  static constexpr auto table = std::to_array<Word<Purpose>>({
      {Purpose::row, "row"},
      {Purpose::control, "control"},
      {Purpose::name_elsewhere, "name_elsewhere"},
      {Purpose::way_out, "way_out"},
      {Purpose::neighbour, "neighbour"},
      {Purpose::repeat, "repeat"},
      {Purpose::other_server_name, "other_server_name"},
      {Purpose::servers_word, "servers_word"},
      {Purpose::proxys_issuer, "proxys_issuer"},
      {Purpose::other_sip_port, "other_sip_port"},
  });
  return table;
}

template <>
std::span<const Word<Timing>> words() {
  static constexpr auto table = std::to_array<Word<Timing>>({
      {Timing::connect, "connect"},
      {Timing::dns, "dns"},
      {Timing::handshake, "handshake"},
      {Timing::reply, "reply"},
      {Timing::tls, "tls"},
      {Timing::tunnel, "tunnel"},
  });
  static_assert(in_order<Timing>(table));
  return table;
}

}  // namespace callready
