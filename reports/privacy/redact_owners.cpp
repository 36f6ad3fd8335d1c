#include "reports/privacy/redact_owners.hpp"

#include <algorithm>
#include <set>

#include "probe/model/told_apart.hpp"
#include "probe/util/text.hpp"
#include "reports/privacy/redact_text.hpp"

namespace callready {
namespace {

constexpr std::string_view harmless_words =
    "aaaa acceptable access address addresses agent akamaighost all allocate allocation "
    "allowed already amer and any apac apache asterisk attribute authentication authorization "
    "awselb bad badvers basic bearer busy bye cable cache caddy call cancel candidate "
    "capacity channel chrome client cloudflare cloudfront cname conflict connect connection "
    "coturn credentials d2t d2u data debian decline declined default denied deny desk desktop "
    "digest does doubango echo elsewhere emea envoy err error eturnal ethernet everywhere example "
    "exist existing expectation expired failed failure false family firefox for forbidden "
    "found freepbx freeswitch frontend g711 gateway gone gorst guest gws ha haproxy here home "
    "host http https iis in incomplete info internal interval invalid invite is istio janus "
    "jetty jitsi kamailio kerberos lan large length lighttpd linux local localhost long many "
    "media mediasoup message method microsoft mismatch mobile mod moved multiple naptr "
    "negotiate network nginx no nobody nonce none not notify ntlm of office ok on openresty "
    "opensips openssl options opus or osip page payload pbx pc peer pending permanently phone "
    "phones pion pjsip prack precondition prerequisite prflx progress proxy ptr publish "
    "queued quota rate reached realm redirect refer refused register rejected relay relayed "
    "released reliable request requested required resiprocate resource restund retry ringing "
    "role router routers rtcp rtp rtpengine sbc sctp see server servers service session sip "
    "sips sipxecs sofia soft squid srflx srtp srv stale status stun subscribe success "
    "successful system tcp temporarily temporary tengine terminated the there timeout tls to "
    "token too traefik transport trickle true trying turn turns txt type ubuntu udp unable "
    "unacceptable unauthorised unauthorized unavailable undecipherable unexpected unix "
    "unknown unprocessable unsupported update upgrade uri use user users utf varnish version "
    "via video voice voip vpn webrtc webserver websocket wi-fi wifi win32 win64 windows wired "
    "wireless wlan wrong x64 x86 yes";

const std::set<std::string_view>& known_words() {
  static const auto known = [] {
    const auto words = split(harmless_words, " ");
    return std::set(words.begin(), words.end());
  }();
  return known;
}

bool numeral(char c) { return c >= '0' && c <= '9'; }

// "22", "v1", "2f", "1rc2"
bool is_version_word(std::string_view word) {
  if (word.size() > 1 && (word.front() == 'v' || word.front() == 'V')) word.remove_prefix(1);
  return !word.empty() && word.size() <= 12 && numeral(word.front()) &&
         std::ranges::count_if(word, [](char c) { return !numeral(c); }) <= 3;
}

}  // namespace

bool is_common_word(std::string_view word) { return known_words().contains(lower_case(word)); }

bool is_everybodys_word(std::string_view word) {
  // "ERR_ACCESS_DENIED"
  for (const auto part : split(word, "_")) {
    if (part.size() > 1 && !is_version_word(part) && !is_common_word(part)) {
      return false;
    }
  }
  return true;
}

FactOwner owner_of(Fact fact) {
  using enum Fact;
  switch (fact) {
    case place:
      return FactOwner::file;
    case issuer:
    case names:
    case public_key_sha256:
    case sha256:
    case subject:
      return FactOwner::certificate;
    case basis:
    case cipher:
    case confidence:
    case detail:
    case failure:
    case far_type:
    case fault:
    case message:
    case method:
    case mirrored_changes:
    case not_after:
    case not_before:
    case not_measured:
    case outcome:
    case payload:
    case prefix:
    case profile:
    case rcode:
    case relay_transport:
    case responder:
    case result:
    case rewritten:
    case sinkhole:
    case transport:
    case type:
    case value:
    case version:
    case who:
      return FactOwner::program;
    default:  // also a new fact, until somebody has decided whose it is
      return FactOwner::said;
  }
}

bool has_public_root(const Observation& seen) {
  return std::any_of(seen.evidence.begin(), seen.evidence.end(), [](const auto& one) {
    return one.kind == EvidenceKind::chain_root &&
           flag_fact(one, Fact::expected) == std::optional(true) &&
           text_fact(one, Fact::basis) == public_root_basis;
  });
}

}  // namespace callready
