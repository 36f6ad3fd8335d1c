// What one probe, or one sample of a port, says by itself.
#include "probe/diagnosis/facts.hpp"

#include <algorithm>
#include <array>

namespace callready::findings {
namespace {

// Registries that sell names one level further down, as far as vendors' documents use them.
constexpr std::array<std::string_view, 6> two_part_suffixes = {"co.uk",  "com.cn", "cn.com",
                                                               "com.au", "co.jp",  "com.br"};

// The certificate is the private one that the row names, by its issuer or its SHA-256: where it has
// one of the certificate and one of its key, both have to fit (checks/certificate_evidence.hpp).
bool is_private_and_right(const ProbeResult& result) {
  const auto& detail = result.observation.detail;
  if (detail == DetailCode::private_pki || detail == DetailCode::another_far_end) return true;
  const auto* leaf = evidence_of(result, EvidenceKind::certificate);
  bool pinned = false, fits = leaf != nullptr;
  const auto hold_against = [&](const char* name, Fact fact) {
    const auto pin = parameter_of(result.probe, name);
    if (pin.empty()) return;  // any will do
    pinned = true;
    fits = fits && text_fact(*leaf, fact) == pin;
  };
  hold_against("sha256", Fact::sha256);
  hold_against("public_key_sha256", Fact::public_key_sha256);
  return pinned && fits;
}

}  // namespace

Cargo inspected_as(const FlowSample& sample) {
  return sample.cargo == Cargo::turn ? Cargo::stun : sample.cargo;
}

bool is_direct(const ProbeResult& result) { return result.probe.target.route.direct(); }

bool is_udp(const ProbeResult& result) { return result.probe.target.transport == Transport::udp; }

bool over_tls(const ProbeResult& result) { return result.probe.target.transport == Transport::tls; }

Cargo cargo_of(const Probe& probe) {
  using enum CheckKind;
  static constexpr std::pair<CheckKind, Cargo> table[] = {
      {turn, Cargo::turn},    {stun, Cargo::stun},   {nat, Cargo::stun}, {path, Cargo::stun},
      {sip, Cargo::sip},      {sip_alg, Cargo::sip}, {ntp, Cargo::ntp},  {dns, Cargo::dns},
      {quic, Cargo::quic},    {http, Cargo::http},   {ice, Cargo::rtp},  {media, Cargo::rtp},
      {udp_range, Cargo::rtp}};
  const auto transport = probe.target.transport;
  const bool udp = transport == Transport::udp;
  if (transport == Transport::tls || (probe.check == path && !udp)) return Cargo::tls;
  if (const auto cargo = parse<Cargo>(parameter_of(probe, "payload"))) return *cargo;
  for (const auto& [check, cargo] : table) {
    if (check == probe.check) return cargo;
  }
  return udp && probe.check == hop ? Cargo::rtp : Cargo::none;
}

bool is_inside(const ProbeResult& result) {
  if (!is_direct(result)) return false;  // the address is the proxy's, the way leads on
  const auto literal = IpAddress::parse(result.probe.target.host);
  const auto address = result.observation.address ? result.observation.address : literal;
  if (!address) return result.probe.target.host == "localhost";
  // The provider's carrier NAT (100.64/10) is outside.
  return address->is_private() || address->is_link_local() || address->is_loopback() ||
         address->is_unspecified();
}

FamilySeen attempt_over(const ProbeResult& result, std::string_view version) {
  for (const auto& evidence : all_evidence(result.observation, EvidenceKind::family)) {
    if (text_fact(evidence, Fact::version) == version)
      return {detail_fact(evidence, Fact::result), evidence.text,
              evidence.facts.contains(Fact::address)};
  }
  return {};
}

bool is_this_computer(const Site& site, const std::string& address) {
  return std::ranges::any_of(own_addresses(site),
                             [&](const IpAddress& own) { return own.to_string() == address; });
}

bool is_gateway(const Site& site, const std::string& address) {
  return std::ranges::any_of(site.gateways, [&](const GatewayInfo& gateway) {
    return gateway.address.to_string() == address;
  });
}

bool is_broken_script(const ProbeResult& result) {
  return result.observation.detail == DetailCode::pac_script;
}

bool goes_outside(const ProbeResult& result) {
  return is_direct(result) && !is_inside(result) && result.probe.check != CheckKind::dns;
}

bool came_through(const ProbeResult& result) {
  return !is_direct(result) && (reached(result.observation.outcome) || has_certificate(result));
}

bool sent_a_page(const ProbeResult& result) {
  return !is_direct(result) && result.observation.detail == DetailCode::not_tls &&
         text_of(result, EvidenceKind::not_tls, Fact::first_bytes).starts_with("HTTP/");
}

bool failing(const ProbeResult& result) {
  const auto outcome = result.observation.outcome;
  return !reached(outcome) && outcome != Outcome::skipped;
}

Probes failing_ones(Probes results) { return those_that(std::move(results), failing); }

Probes asked_for_ones(const Facts& facts, Probes results) {
  return those_that(std::move(results),
                    [&](const ProbeResult& result) { return facts.asked_for(result); });
}

std::set<std::string> ids_of(const Probes& probes) {
  return set_of(probes, [](const ProbeResult& result) { return result.probe.id; });
}

bool got_no_answer(const ProbeResult& result) {
  const auto& seen = result.observation;
  return seen.outcome == Outcome::silent || seen.detail == DetailCode::tls_timed_out ||
         seen.detail == DetailCode::http_timed_out || seen.detail == DetailCode::sip_timed_out ||
         seen.detail == DetailCode::stun_timed_out;
}

bool nobody_answered_for_its_name(const ProbeResult& result) {
  const auto& seen = result.observation;
  return is_direct(result) && seen.outcome == Outcome::unresolved &&
         seen.detail == DetailCode::dns_unreachable;
}

bool may_be_asked_again(const ProbeResult& result) {
  using enum CheckKind;
  constexpr std::array checks{CheckKind::tcp, tls, http, stun, turn};
  return contains(checks, result.probe.check) && !is_udp(result) && is_direct(result) &&
         !is_inside(result);
}

bool was_turned_away(const ProbeResult& result) {
  const auto& seen = result.observation;
  if (!may_be_asked_again(result)) return false;
  const bool cut =
      seen.detail == DetailCode::connection_reset || seen.detail == DetailCode::closed_by_peer;
  return seen.outcome == Outcome::refused || seen.outcome == Outcome::rejected ||
         (seen.outcome == Outcome::failed && cut && !has_certificate(result));
}

bool came_to_nothing(const ProbeResult& result) {
  return was_turned_away(result) || (may_be_asked_again(result) && got_no_answer(result));
}

bool has_foreign_root(const ProbeResult& result) {
  return flag_of(result, EvidenceKind::chain_root, Fact::expected) == false &&
         !is_private_and_right(result);
}

bool may_be_a_block_page(const ProbeResult& result) {
  const auto& [probe, seen] = result;
  if (probe.check != CheckKind::http || !has_foreign_root(result) || !reached(seen.outcome))
    return false;
  const auto status = number_of(result, EvidenceKind::http_reply, Fact::status);
  const auto place = text_of(result, EvidenceKind::http_reply, Fact::redirect_host);
  constexpr std::array refusals{403.0, 451.0, 503.0, 511.0};
  const bool refused = status && contains(refusals, *status);
  const bool elsewhere =
      !place.empty() && registrable_domain(place) != registrable_domain(probe.target.host);
  return refused || elsewhere || (probe.with.contains("upgrade") && status != 101.0);
}

bool is_taken_near(const ProbeResult& result) {
  return is_direct(result) && result.observation.detail == DetailCode::answered_on_the_way;
}

bool is_to_tcp_80(const ProbeResult& result) {
  const auto& target = result.probe.target;
  return target.transport == Transport::tcp && target.port() == 80;
}

bool is_plain_page(const ProbeResult& result) {
  return result.probe.check == CheckKind::http && result.probe.target.transport == Transport::tcp &&
         is_direct(result);
}

bool is_another_page(const ProbeResult& result) {
  constexpr auto reply = EvidenceKind::http_reply;
  const bool known = is_plain_page(result) && result.probe.with.contains("body");
  return known && (!text_of(result, reply, Fact::redirect_host).empty() ||
                   flag_of(result, reply, Fact::body_matches) == false);
}

bool asks_nobody(const Probe& probe) { return probe.with.contains("nobody"); }

std::string name_asked_for(const Probe& probe) {
  return std::string(parameter_of(probe, "name", probe.target.host));
}

const Evidence* evidence_of(const ProbeResult& result, EvidenceKind kind) {
  return first_that(result.observation.evidence,
                    [&](const Evidence& evidence) { return evidence.kind == kind; });
}

Refuser who_refused(const ProbeResult& result) {
  const auto who = text_of(result, EvidenceKind::refuser, Fact::who);
  if (who == "beyond") return Refuser::beyond;
  return who == "on_the_way" ? Refuser::on_the_way : Refuser::not_known;
}

std::string text_of(const ProbeResult& result, EvidenceKind kind, Fact fact) {
  const auto* evidence = evidence_of(result, kind);
  return evidence == nullptr ? std::string() : text_fact(*evidence, fact);
}

std::optional<bool> flag_of(const ProbeResult& result, EvidenceKind kind, Fact fact) {
  const auto* evidence = evidence_of(result, kind);
  return evidence == nullptr ? std::nullopt : flag_fact(*evidence, fact);
}

std::optional<double> number_of(const ProbeResult& result, EvidenceKind kind, Fact fact) {
  const auto* evidence = evidence_of(result, kind);
  return evidence == nullptr ? std::nullopt : number_fact(*evidence, fact);
}

Text far_end_of_call(const ProbeResult& result) {
  const auto* pair = evidence_of(result, EvidenceKind::ice_pair);
  const auto* end = pair != nullptr ? pair : evidence_of(result, EvidenceKind::call_answer);
  if (end == nullptr) return {};
  return phrase("UDP {} of {}", number_fact(*end, Fact::far_port).value_or(0),
                text_fact(*end, Fact::far_address));
}

bool has_certificate(const ProbeResult& result) {
  return evidence_of(result, EvidenceKind::certificate) != nullptr;
}

std::vector<Certificate> chain_of(const ProbeResult& result) {
  std::vector<Certificate> chain;
  for (const auto& evidence : all_evidence(result.observation, EvidenceKind::certificate)) {
    chain.push_back({text_fact(evidence, Fact::issuer), text_fact(evidence, Fact::not_before),
                     text_fact(evidence, Fact::not_after), text_fact(evidence, Fact::sha256),
                     flag_fact(evidence, Fact::self_signed).value_or(false),
                     flag_fact(evidence, Fact::timestamps).value_or(false)});
  }
  return chain;
}

bool is_name(const std::string& host) { return !host.empty() && !IpAddress::parse(host); }

std::string without_port(const std::string& endpoint) {
  const auto bracket = endpoint.find(']');
  if (endpoint.starts_with('[') && bracket != endpoint.npos) return endpoint.substr(1, bracket - 1);
  const auto colon = endpoint.find(':');
  return colon == endpoint.rfind(':') ? endpoint.substr(0, colon) : endpoint;
}

std::string network_of(const IpAddress& address) {
  // NAT64 puts all of IPv4 into one network: what it stands for is in the last four bytes (RFC 6052
  // section 2.1), also where it is a network of the site's own (RFC 8215).
  static const auto nat64 = Network::parse("64:ff9b::/47");
  if (nat64->contains(address)) {
    const auto& bytes = address.bytes();
    return network_of(IpAddress::v4({bytes[12], bytes[13], bytes[14], bytes[15]}));
  }
  return Network{address, address.is_v4() ? 24 : 48}.masked().to_string();
}

bool is_beside(const std::string& device, const std::string& target) {
  const auto one = IpAddress::parse(device), other = IpAddress::parse(target);
  return one && other && one != other && network_of(*one) == network_of(*other);
}

std::string registrable_domain(const std::string& host) {
  if (const auto address = IpAddress::parse(host)) return network_of(*address);
  const auto name = lower_case(host);
  const auto labels = split(name, ".");
  const auto count = labels.size();
  if (count < 3) return name;
  const auto last_two = std::string(labels[count - 2]) + '.' + std::string(labels[count - 1]);
  if (!contains(two_part_suffixes, last_two)) return last_two;
  return std::string(labels[count - 3]) + '.' + last_two;
}

std::set<std::string> parties_of(const std::vector<std::string>& names) {
  std::set<std::string> parties;
  for (const auto& name : names) parties.insert(registrable_domain(name));
  return parties;
}

std::set<std::string> parties_of(const Probes& probes) {
  return set_of(probes, [](const ProbeResult& result) {
    return registrable_domain(result.probe.target.host);
  });
}

std::set<std::uint16_t> ports_of(const Probes& probes) {
  return set_of(probes, [](const ProbeResult& result) { return result.probe.target.port(); });
}

bool has_no_route(const ProbeResult& result) {
  return result.observation.outcome == Outcome::skipped &&
         result.observation.detail == DetailCode::no_route;
}

bool is_inner_link(std::string_view name) {
  constexpr std::array words{"docker", "br-",   "virbr",   "veth",      "lxc",    "cni",
                             "podman", "vmnet", "vboxnet", "vEthernet", "VMware", "VirtualBox"};
  return std::ranges::any_of(words, [&](const char* word) { return name.starts_with(word); });
}

const InterfaceInfo* own_link(const Facts& facts) {
  return first_that(facts.report.site.interfaces, [](const InterfaceInfo& interface) {
    const bool addressed = !std::ranges::all_of(interface.addresses, &IpAddress::is_link_local);
    return !interface.tunnel && addressed && !is_inner_link(interface.name);
  });
}

}  // namespace callready::findings
