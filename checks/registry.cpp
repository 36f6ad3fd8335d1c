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
       {{"domain", "host of the Request-URI, where it is not the server's name"},
        {"sha256", "the certificate's own SHA-256 in hexadecimal: no other is taken"},
        {"public_key_sha256", "the same of its public key (SubjectPublicKeyInfo)"},
        {"srv", "\"true\": the host is a domain, its servers are in NAPTR and SRV records"}},
       true,
       "srv"},
      {CheckKind::dns,
       "DNS question",
       run_dns,
       {udp, tcp},
       {{"type", "record type: A (the default), AAAA, SRV, NAPTR, PTR, CNAME, SOA"},
        {"name", "what to ask for; the target's host where absent"},
        {"server", "true: the target's host and port are the DNS server to ask"},
        {"nobody", "true: no DNS server is known there: who answers, answers in others' names"},
        {"expect",
         "what must be among the records: an address, a network, or one of these names, with * "
         "for a part"}},
       false,
       "server"},
      {CheckKind::http,
       "HTTP request",
       run_http,
       {tcp, tls},
       {{"path", "what to ask for; / where absent"},
        {"body", "text that must be in the body"},
        {"status", "the status that must come; any where absent"},
        {"upgrade", "websocket: the connection must be switched to WebSocket"}}},
      {CheckKind::ice,
       "WebRTC call",
       run_ice,
       {tls},
       {{"path", "of the WHIP endpoint (RFC 9725) that takes the call; /whip where absent"},
        {"sha256", "the endpoint's certificate's own SHA-256 in hexadecimal: no other is taken"},
        {"public_key_sha256", "the same of its public key (SubjectPublicKeyInfo)"},
        {"authenticated", "\"true\": the far end takes calls only of who has its key"},
        {"stun", "host:port of the STUN server that says the address beyond the NAT"},
        {"turn", "with TURN credentials: host:port/transport of a server that relays"},
        {"only_gather", "\"true\": no call, only what addresses one would be offered by"}},
       true,
       "only_gather"},
      {CheckKind::hop,
       "Way out of the site",
       run_hop,
       {udp, tcp},
       {{"payload", "over UDP: rtp (the default), stun, turn or sip"},
        {"control", "address:port of a TCP listener that was reached"}}},
      {CheckKind::ipv6,
       "IPv6 beside IPv4",
       run_ipv6,
       {tcp},
       {{"service", "\"true\": a service's host, asked only where there is IPv6 at both ends"}},
       false,
       {},
       /*both_families=*/true},
      {CheckKind::media,
       "Stream like a call's",
       run_media,
       {udp},
       {{"codec", "whose packets it is like: g711 (the default) or opus"},
        {"seconds", "how long, 1 to 60; 15 where absent, in a thorough run 60"},
        {"authenticated", "\"true\": the far end answers only who has its key"},
        {"counts",
         "the port over TLS at which `callready serve` says what came to it; with "
         "`public_key_sha256`"},
        {"public_key_sha256", "of its certificate's key there, in hexadecimal"},
        {"jitter_buffer_ms",
         "of the fixed buffer that is told beside the one that adapts; 40 where absent"},
        {"turn",
         "with TURN credentials: host:port/tcp (or /tls) of a TURN server; the target is the "
         "same one over UDP, and two of its relays are the far end"}},
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
       {{"domain", "host of the Request-URI, where it is not the server's name"},
        {"contrast", "another port of the same server, asked where the first leaves it open"},
        {"mirror", "\"true\": the server sends back what it gets, as `callready serve` does"}}},
      {CheckKind::sip_long,
       "SIP too long for one packet",
       run_sip_long,
       {udp},
       {{"domain", "host of the Request-URI, where it is not the server's name"},
        {"stream", "port/tcp or port/tls of the same server; the same port over TCP where absent"},
        {"mirror", "\"true\": the server is `callready serve`, whose replies can be as long"}}},
      {CheckKind::tcp, "TCP handshake", run_tcp, {tcp}, {}},
      {CheckKind::stun, "STUN Binding", run_stun, {udp, tcp, tls}, {}},
      {CheckKind::nat,
       "NAT behaviour",
       run_nat,
       {udp},
       {{"other", "a second STUN server as host:port, where the first has no OTHER-ADDRESS"},
        {"turn", "with TURN credentials: host:port/transport of a server whose relays tell more"}}},
      {CheckKind::turn,
       "TURN allocation and relay",
       run_turn,
       {udp, tcp, tls},
       {{"relay", "ipv4 or ipv6: the family of the relay; the server's own where absent"},
        {"hold", "\"true\": the relay is held for 20 s, and carries small packets to itself"}}},
      {CheckKind::udp_range,
       "UDP port range",
       run_udp_range,
       {udp},
       {{"stop_on_the_way", "\"true\": send only packets that end before the far end"},
        {"echo", "\"true\": the far end sends back what it gets"},
        {"authenticated", "\"true\": it does so for who has its key only, as `callready serve`"},
        {"counts",
         "the port over TLS at which `callready serve` says what came to it; with "
         "`public_key_sha256`"},
        {"public_key_sha256", "of its certificate's key there, in hexadecimal"},
        {"turn",
         "with TURN credentials: host:port/transport of a server whose relays are in the range"}}},
      {CheckKind::tls,
       "TLS handshake",
       run_tls,
       {tls},
       {{"issuer", "a part of the issuer's name that the chain must hold: a private PKI"},
        {"sha256", "the certificate's own SHA-256 in hexadecimal: no other is taken"},
        {"public_key_sha256", "the same of its public key (SubjectPublicKeyInfo)"},
        {"server_name", "the name to greet the server by (SNI), where it is not the host's"}}},
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
