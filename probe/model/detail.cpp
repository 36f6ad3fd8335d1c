#include "probe/model/detail.hpp"
#include "probe/model/text.hpp"
#include "probe/util/text.hpp"

#include <array>

namespace callready {
namespace {

struct Row {
  DetailCode code;
  std::string_view word, phrase;
};

// Sorted by word. Without a phrase, the outcome's own words are enough.
constexpr auto table = std::to_array<Row>({
    {DetailCode::unspecified, "", ""},
    {DetailCode::address_and_port_dependent, "address_and_port_dependent", ""},
    {DetailCode::address_dependent, "address_dependent", ""},
    {DetailCode::allocated, "allocated", ""},
    {DetailCode::another_far_end, "another_far_end",
     marked("not measured: callready serve answered, but its key is not the one in this set")},
    {DetailCode::answered_on_the_way, "answered_on_the_way",
     marked("a device in the path answered in its place")},
    {DetailCode::arrived, "arrived", ""},
    {DetailCode::attribute_overrun, "attribute_overrun", ""},
    {DetailCode::bad_challenge, "bad_challenge", ""},
    {DetailCode::bad_parameter, "bad_parameter", ""},
    {DetailCode::bad_proxy, "bad_proxy", marked("not tried: the proxy's URL cannot be used")},
    {DetailCode::bad_redirect, "bad_redirect", marked("the server redirects to no usable server")},
    {DetailCode::bad_upgrade, "bad_upgrade",
     marked("something other than the server answered the switch to WebSocket")},
    {DetailCode::badvers, "badvers", ""},
    {DetailCode::black_hole, "black_hole",
     marked("small packets get through, but large ones vanish")},
    {DetailCode::called, "called", ""},
    {DetailCode::client_certificate_wanted, "client_certificate_wanted",
     marked("answered (it asks for a client certificate)")},
    {DetailCode::closed_by_peer, "closed_by_peer",
     marked("the connection was closed without an answer")},
    {DetailCode::connected, "connected", ""},
    {DetailCode::connection_refused, "connection_refused", ""},
    {DetailCode::connection_reset, "connection_reset", marked("the connection was reset")},
    {DetailCode::destination_dependent, "destination_dependent", ""},
    {DetailCode::dns_failed, "dns_failed", marked("the DNS server could not answer for this name")},
    {DetailCode::dns_unreachable, "dns_unreachable", marked("no DNS server answered")},
    {DetailCode::dropped, "dropped", marked("dropped before it left the site")},
    {DetailCode::dtls_failed, "dtls_failed",
     marked("signalling and ICE work, but the DTLS handshake fails")},
    {DetailCode::dtls_silent, "dtls_silent",
     marked("ICE works, but the DTLS handshake gets no answer")},
    {DetailCode::endless, "endless", ""},
    {DetailCode::endpoint_independent, "endpoint_independent", ""},
    {DetailCode::expired, "expired", marked("its certificate has expired")},
    {DetailCode::far_end_busy, "far_end_busy",
     marked("the far end reported that it was busy with others: run this again later")},
    {DetailCode::fell_silent, "fell_silent",
     marked("the server answered at first, and then no more on the same flow")},
    {DetailCode::formerr, "formerr", ""},
    {DetailCode::full_size, "full_size", marked("full-size packets get through")},
    {DetailCode::gathered, "gathered", marked("found its own addresses")},
    {DetailCode::hello_not_compared, "hello_not_compared",
     marked("not compared: the results say nothing about long TLS greetings")},
    {DetailCode::http_timed_out, "http_timed_out",
     marked("connected, but the web server did not answer")},
    {DetailCode::ice_silent, "ice_silent",
     marked("the call was accepted, but its packets over UDP get no answer")},
    {DetailCode::inbound_dropped, "inbound_dropped",
     marked("packets get out, but replies do not come in")},
    {DetailCode::incomplete_chain, "incomplete_chain",
     marked("it does not send its whole certificate chain")},
    {DetailCode::inconclusive, "inconclusive",
     marked("answered, but not enough to tell whether SIP is rewritten")},
    {DetailCode::initial_rejected, "initial_rejected",
     marked("QUIC is answered, but a device in the path refuses its greeting")},
    {DetailCode::initial_silent, "initial_silent",
     marked("QUIC is answered, but not its greeting with the server's name")},
    {DetailCode::internal_error, "internal_error",
     marked("not measured: an error in this program; see the log")},
    {DetailCode::ipv4_first, "ipv4_first",
     marked("IPv6 takes longer or fails; connected over IPv4")},
    {DetailCode::ipv4_only, "ipv4_only", marked("no IPv6 address; connected over IPv4")},
    {DetailCode::ipv6_first, "ipv6_first", marked("connected over IPv6")},
    {DetailCode::ipv6_only, "ipv6_only", marked("no IPv4 address; connected over IPv6")},
    {DetailCode::kept_here, "kept_here", marked("this computer's own firewall blocks it")},
    {DetailCode::kiss_deny, "kiss_deny", marked("the time server does not serve this site")},
    {DetailCode::kiss_other, "kiss_other", ""},
    {DetailCode::kiss_rate, "kiss_rate", marked("the time server says that it is asked too often")},
    {DetailCode::kiss_rstr, "kiss_rstr", marked("the time server does not serve this site")},
    {DetailCode::left_site, "left_site", ""},
    {DetailCode::local_error, "local_error", ""},
    {DetailCode::long_hello_cut, "long_hello_cut",
     marked("a TLS greeting as long as a browser's is cut off")},
    {DetailCode::long_sip_lost, "long_sip_lost",
     marked("long SIP messages over UDP get no answer, but short ones do")},
    {DetailCode::malformed, "malformed", marked("the answer could not be understood")},
    {DetailCode::marked_silent, "marked_silent",
     marked("no answer to packets marked for voice (EF), but to unmarked ones")},
    {DetailCode::media_silent, "media_silent",
     marked("ICE and DTLS work, but no media comes back")},
    {DetailCode::mismatched_reply, "mismatched_reply",
     marked("the answer was to a different request")},
    {DetailCode::no_address, "no_address", marked("the name has no address")},
    {DetailCode::no_call, "no_call", marked("it did not accept the call")},
    {DetailCode::no_ice, "no_ice", marked("not tried: libnice is not installed on this computer")},
    {DetailCode::no_key, "no_key",
     marked("not tried: the key of the far end is missing (CALLREADY_MEDIA_KEY)")},
    {DetailCode::no_proxy, "no_proxy", marked("not tried: no proxy is set")},
    {DetailCode::no_record, "no_record", marked("the name exists, but has no such record")},
    {DetailCode::no_relayed_address, "no_relayed_address", ""},
    {DetailCode::no_relays, "no_relays",
     marked(
         "not measured: the TURN server does not provide two relays that can talk to each other")},
    {DetailCode::no_resolver, "no_resolver", ""},
    {DetailCode::no_rewriting_seen, "no_rewriting_seen", marked("no rewriting of SIP seen")},
    {DetailCode::no_room, "no_room",
     marked("not tried: more requests to one host would look like an attack")},
    {DetailCode::no_route, "no_route", marked("not tried: this computer has no route to it")},
    {DetailCode::no_service, "no_service", marked("the domain says that it has no such service")},
    {DetailCode::no_such_check, "no_such_check", ""},
    {DetailCode::no_such_name, "no_such_name", marked("the name does not exist")},
    {DetailCode::no_turn_login, "no_turn_login",
     marked("not tried: it needs a login for the TURN server (CALLREADY_TURN_USER)")},
    {DetailCode::no_upgrade, "no_upgrade", marked("answered, but without switching to WebSocket")},
    {DetailCode::none, "none", ""},
    {DetailCode::not_a_name, "not_a_name", ""},
    {DetailCode::not_a_proxy, "not_a_proxy",
     marked("what answered at the proxy's address is not a proxy")},
    {DetailCode::not_a_response, "not_a_response", ""},
    {DetailCode::not_measured, "not_measured", ""},
    {DetailCode::not_needed, "not_needed", marked("not needed: no trouble with the first choice")},
    {DetailCode::not_stun, "not_stun", marked("what answered does not speak STUN")},
    {DetailCode::not_synchronised, "not_synchronised",
     marked("the time server itself is not synchronized")},
    {DetailCode::not_tls, "not_tls", marked("connected, but what answered does not speak TLS")},
    {DetailCode::not_yet_valid, "not_yet_valid", marked("its certificate is not valid yet")},
    {DetailCode::notauth, "notauth", ""},
    {DetailCode::notimp, "notimp", ""},
    {DetailCode::notzone, "notzone", ""},
    {DetailCode::nxrrset, "nxrrset", ""},
    {DetailCode::only_host, "only_host",
     marked("only this computer's own addresses: there is no NAT, or the STUN server is silent")},
    {DetailCode::other_family, "other_family",
     marked("not tried: an address of the excluded IP version")},
    {DetailCode::other_rcode, "other_rcode", ""},
    {DetailCode::out_of_resources, "out_of_resources",
     marked("not tried: this computer ran out of sockets")},
    {DetailCode::oversized, "oversized", marked("the answer was too long")},
    {DetailCode::pac_bad_url, "pac_bad_url", marked("the PAC file's address cannot be used")},
    {DetailCode::pac_crashed, "pac_crashed", marked("the PAC file's script crashed its process")},
    {DetailCode::pac_empty, "pac_empty", marked("the PAC file is empty")},
    {DetailCode::pac_evaluated, "pac_evaluated", marked("the PAC file was read and evaluated")},
    {DetailCode::pac_script, "pac_script", marked("the PAC file's script fails")},
    {DetailCode::pac_timed_out, "pac_timed_out", marked("the PAC file's script does not finish")},
    {DetailCode::pac_unreadable, "pac_unreadable", marked("the PAC file cannot be read")},
    {DetailCode::padding_ignored, "padding_ignored",
     marked("small packets are answered, but padded ones are not: this proves nothing")},
    {DetailCode::partly_dropped, "partly_dropped",
     marked("packets to some of its ports are dropped before they leave the site")},
    {DetailCode::partly_kept_here, "partly_kept_here",
     marked("this computer's own firewall blocks some of its ports")},
    {DetailCode::partly_prohibited, "partly_prohibited",
     marked("some of its ports are blocked on the way")},
    {DetailCode::path_mtu, "path_mtu", marked("a router reports that packets must be smaller")},
    {DetailCode::private_pki, "private_pki",
     marked("answered (its certificate is from the vendor's own authority)")},
    {DetailCode::prohibited, "prohibited", ""},
    {DetailCode::proxy_timed_out, "proxy_timed_out",
     marked("the proxy accepted the connection, but did not answer")},
    {DetailCode::proxy_unreachable, "proxy_unreachable", marked("the proxy could not be reached")},
    {DetailCode::proxy_unresolved, "proxy_unresolved",
     marked("the proxy's name could not be resolved")},
    {DetailCode::proxy_without_tls, "proxy_without_tls",
     marked("what answered at the proxy's address does not speak TLS")},
    {DetailCode::quic_spoken, "quic_spoken", marked("QUIC is answered")},
    {DetailCode::records, "records", ""},
    {DetailCode::redirect_failed, "redirect_failed",
     marked("the server redirects to one that gave no valid answer")},
    {DetailCode::redirect_loop, "redirect_loop", marked("the server redirects in a circle")},
    {DetailCode::refused, "refused", ""},
    {DetailCode::refused_on_the_way, "refused_on_the_way", ""},
    {DetailCode::relay_dead, "relay_dead", marked("the relay carries nothing, or only one way")},
    {DetailCode::relay_dies, "relay_dies", marked("the relay carried data at first, then stopped")},
    {DetailCode::relayed, "relayed", ""},
    {DetailCode::replied, "replied", ""},
    {DetailCode::rewritten, "rewritten", marked("a device in the path rewrites SIP")},
    {DetailCode::route_lost, "route_lost",
     marked("this computer lost its network connection while a call was simulated")},
    {DetailCode::server_silent, "server_silent", marked("not tried: the server has not answered")},
    {DetailCode::servfail, "servfail", marked("the DNS server could not answer for this name")},
    {DetailCode::silent, "silent", marked("no answer, and nothing shows how far the packets got")},
    {DetailCode::sip_timed_out, "sip_timed_out", marked("connected, but SIP got no answer")},
    {DetailCode::sizes_not_compared, "sizes_not_compared",
     marked("not compared: the results say nothing about long messages")},
    {DetailCode::spared, "spared",
     marked("not tested: similar ports pass, and the routers in the path answer few packets")},
    {DetailCode::split_hello_cut, "split_hello_cut",
     marked("a TLS greeting in more than one packet is cut off")},
    {DetailCode::stale_nonce, "stale_nonce", ""},
    {DetailCode::stopped, "stopped", marked("not finished: the run was stopped first")},
    {DetailCode::streamed, "streamed", ""},
    {DetailCode::stun_timed_out, "stun_timed_out", marked("connected, but STUN got no answer")},
    {DetailCode::success, "success", ""},
    {DetailCode::suspected, "suspected", marked("a device in the path may rewrite SIP")},
    {DetailCode::synchronised, "synchronised", ""},
    {DetailCode::timed_out, "timed_out", ""},
    {DetailCode::tls_access_denied, "tls_access_denied",
     marked("connected, but the TLS handshake was answered with \"access denied\"")},
    {DetailCode::tls_alert, "tls_alert",
     marked("connected, but the server refused the TLS handshake")},
    {DetailCode::tls_protocol, "tls_protocol",
     marked("connected, but what answered does not speak TLS")},
    {DetailCode::tls_timed_out, "tls_timed_out",
     marked("connected, but the TLS handshake got no answer")},
    {DetailCode::tls_version, "tls_version",
     marked("connected, but it speaks only outdated versions of TLS")},
    {DetailCode::trailing_bytes, "trailing_bytes", ""},
    {DetailCode::truncated, "truncated",
     marked("the answer needs DNS over TCP, which did not work")},
    {DetailCode::trusted, "trusted", ""},
    {DetailCode::ttl_exceeded, "ttl_exceeded", ""},
    {DetailCode::unexpected_answer, "unexpected_answer",
     marked("the DNS server gave an unexpected answer")},
    {DetailCode::unexpected_body, "unexpected_body",
     marked("answered, but with an unexpected page")},
    {DetailCode::unexpected_issuer, "unexpected_issuer",
     marked("its certificate is not from the vendor's own authority")},
    {DetailCode::unexpected_status, "unexpected_status",
     marked("answered, but with an unexpected status")},
    {DetailCode::unfit, "unfit",
     marked("answered, but this computer was too busy to measure delay and jitter")},
    {DetailCode::unreachable, "unreachable", ""},
    {DetailCode::untrusted, "untrusted", marked("its certificate is not trusted by this computer")},
    {DetailCode::wrong_cookie, "wrong_cookie", ""},
    {DetailCode::wrong_fingerprint, "wrong_fingerprint",
     marked("the DTLS certificate does not match the call's description")},
    {DetailCode::wrong_integrity, "wrong_integrity", ""},
    {DetailCode::wrong_name, "wrong_name", marked("its certificate is for a different name")},
    {DetailCode::wrong_source, "wrong_source", ""},
    {DetailCode::wrong_transaction_id, "wrong_transaction_id", ""},
    {DetailCode::yxdomain, "yxdomain", ""},
    {DetailCode::yxrrset, "yxrrset", ""},
});

constexpr auto words_only = [] {
  std::array<Word<DetailCode>, table.size()> all{};
  for (std::size_t i = 0; i < table.size(); ++i) all[i] = {table[i].code, table[i].word};
  return all;
}();
static_assert(in_order<DetailCode>(words_only));

}  // namespace

template <>
std::span<const Word<DetailCode>> words() {
  return words_only;
}

std::string_view phrase_of(DetailCode code) { return table[static_cast<std::size_t>(code)].phrase; }

std::optional<Detail> Detail::parse(std::string_view text) {
  const auto number = whole_number<int>(text);
  if (number && *number >= 0 && std::to_string(*number) == text) return status(*number);
  const auto code = callready::parse<DetailCode>(text);
  return code ? std::optional<Detail>(*code) : std::nullopt;
}

bool is_out(const Detail& detail) {
  return detail == DetailCode::left_site || detail == DetailCode::arrived ||
         detail == DetailCode::replied;
}

bool is_dropped(const Detail& detail) {
  return detail == DetailCode::dropped || detail == DetailCode::partly_dropped ||
         detail == DetailCode::inbound_dropped;
}

std::string Detail::text() const {
  return is_status() ? std::to_string(status_) : std::string(to_string(code_));
}

}  // namespace callready
