#include "checks/kinds.hpp"

namespace callready::checks {

std::span<const Check> registry() {
  using enum Transport;
  static const std::vector<Check> table = {
      // kind, title, function, transports, parameters of a requirement's `with:`
      {CheckKind::sip,
       "SIP OPTIONS",
       run_sip,
       {udp, tcp, tls},
       {{"domain", "host of the Request-URI, if it is not the server's name"},
        {"sha256", "SHA-256 of the only certificate to accept, in hexadecimal"},
        {"public_key_sha256", "SHA-256 of the only public key to accept (SubjectPublicKeyInfo)"},
        {"srv", "\"true\": the host is a domain whose servers are in NAPTR and SRV records"}},
       true,
       "srv"},
      {CheckKind::dns,
       "DNS question",
       run_dns,
       {udp, tcp},
       {{"type", "record type: A (default), AAAA, SRV, NAPTR, PTR, CNAME, SOA"},
        {"name", "the name to look up (default: the target's host)"},
        {"server", "true: the target's host and port are the DNS server to ask"},
        {"nobody", "true: no DNS server is known there; one that answers is impersonating others"},
        {"expect",
         "what must be among the records: an address, a network, or one of these names, where * "
         "stands for any part"}},
       false,
       "server"},
      {CheckKind::http,
       "HTTP request",
       run_http,
       {tcp, tls},
       {{"path", "the path to request (default: /)"},
        {"body", "text that must be in the body"},
        {"status", "the status that is expected (default: any)"},
        {"upgrade", "websocket: the connection must be switched to WebSocket"}}},
      {CheckKind::ice,
       "WebRTC call",
       run_ice,
       {tls},
       {{"path", "path of the WHIP endpoint (RFC 9725) that takes the call (default: /whip)"},
        {"sha256", "SHA-256 of the only certificate to accept from the endpoint, in hexadecimal"},
        {"public_key_sha256", "SHA-256 of the only public key to accept (SubjectPublicKeyInfo)"},
        {"authenticated", "\"true\": the far end takes calls only from clients that have its key"},
        {"stun", "host:port of the STUN server that reports the address outside the NAT"},
        {"turn", "host:port/transport of a TURN server, used if there is a login for TURN"},
        {"only_gather",
         "\"true\": no call; only gather the addresses that it would offer (ICE candidates)"}},
       true,
       "only_gather"},
      {CheckKind::hop,
       "Way out of the site",
       run_hop,
       {udp, tcp},
       {{"payload", "over UDP: rtp (default), stun, turn or sip"},
        {"control", "address:port of a TCP listener that was reached"}}},
      {CheckKind::ipv6,
       "IPv6 compared with IPv4",
       run_ipv6,
       {tcp},
       {{"service", "\"true\": a service's host; tested only if both ends have IPv6"}},
       false,
       {},
       /*both_families=*/true},
      {CheckKind::media,
       "Call-like stream",
       run_media,
       {udp},
       {{"codec", "the codec whose packets it imitates: g711 (default) or opus"},
        {"seconds", "duration, 1 to 60 (default: 15, or 60 in a thorough run)"},
        {"authenticated", "\"true\": the far end answers only clients that have its key"},
        {"counts",
         "the TLS port where `callready serve` reports what it received; needs "
         "`public_key_sha256`"},
        {"public_key_sha256", "SHA-256 of the public key of the certificate there, in hexadecimal"},
        {"jitter_buffer_ms",
         "size of the fixed jitter buffer that is reported next to the adaptive one (default: 40)"},
        {"turn",
         "host:port/tcp (or /tls) of a TURN server, used if there is a login for TURN; the target "
         "is the same server over UDP, and two of its relays are the far end"}},
       true,
       {},
       false,
       /*alone=*/true},
      {CheckKind::path, "Path MTU", run_path, {udp, tcp, tls}, {}},
      {CheckKind::ntp, "SNTP question", run_ntp, {udp}, {}},
      {CheckKind::proxy, "CONNECT through the proxy", run_proxy, {tcp, tls}, {}},
      {CheckKind::quic, "QUIC greeting", run_quic, {udp}, {}},
      {CheckKind::sip_alg,
       "SIP ALG",
       run_sip_alg,
       {udp, tcp},
       {{"domain", "host of the Request-URI, if it is not the server's name"},
        {"contrast",
         "another port of the same server, asked if the first leaves the question open"},
        {"mirror", "\"true\": the server sends back what it receives, as `callready serve` does"}}},
      {CheckKind::sip_long,
       "SIP too long for one packet",
       run_sip_long,
       {udp},
       {{"domain", "host of the Request-URI, if it is not the server's name"},
        {"stream", "port/tcp or port/tls of the same server (default: the same port over TCP)"},
        {"mirror", "\"true\": the server is `callready serve`, whose replies can be as long"}}},
      {CheckKind::tcp, "TCP handshake", run_tcp, {tcp}, {}},
      {CheckKind::stun, "STUN Binding", run_stun, {udp, tcp, tls}, {}},
      {CheckKind::nat,
       "NAT behaviour",
       run_nat,
       {udp},
       {{"other", "host:port of a second STUN server, if the first has no OTHER-ADDRESS"},
        {"turn",
         "host:port/transport of a TURN server whose relays show more, used if there is a login"}}},
      {CheckKind::turn,
       "TURN allocation and relay",
       run_turn,
       {udp, tcp, tls},
       {{"relay", "address family of the relay: ipv4 or ipv6 (default: the server's own)"},
        {"hold", "\"true\": hold the relay for 20 s and send small packets through it to itself"}}},
      {CheckKind::udp_range,
       "UDP port range",
       run_udp_range,
       {udp},
       {{"stop_on_the_way",
         "\"true\": send only packets that expire before they reach the far end"},
        {"echo", "\"true\": the far end sends back what it receives"},
        {"authenticated",
         "\"true\": it does so only for clients that have its key, as `callready serve` does"},
        {"counts",
         "the TLS port where `callready serve` reports what it received; needs "
         "`public_key_sha256`"},
        {"public_key_sha256", "SHA-256 of the public key of the certificate there, in hexadecimal"},
        {"turn",
         "host:port/transport of a TURN server whose relays are in the range, used if there is a "
         "login for TURN"}}},
      {CheckKind::tls,
       "TLS handshake",
       run_tls,
       {tls},
       {{"issuer", "part of an issuer's name that the chain must contain, for a private PKI"},
        {"sha256", "SHA-256 of the only certificate to accept, in hexadecimal"},
        {"public_key_sha256", "SHA-256 of the only public key to accept (SubjectPublicKeyInfo)"},
        {"server_name", "the server name to send (SNI), if it is not the host's"}}},
      {CheckKind::tls_hello, "TLS greeting as long as a browser's", run_tls_hello, {tls}, {}},
  };
  return table;
}

const Check* find(CheckKind kind) {
  for (const auto& check : registry()) {
    if (check.kind == kind) return &check;
  }
  return nullptr;
}

bool is_alone(const Check& check, const Probe& probe, const Settings& settings) {
  if (check.alone) return true;
  return check.kind == CheckKind::ice && settings.quality && !probe.with.contains("only_gather");
}

bool needs_address(const Check& check, const Probe& probe) {
  const bool reversed = parameter_of(probe, std::string(check.reverses_address)) == "true";
  return check.needs_address != reversed;
}

std::string Job::parameter(const std::string& name, std::string fallback) const {
  return std::string(parameter_of(probe, name, fallback));
}

}  // namespace callready::checks
