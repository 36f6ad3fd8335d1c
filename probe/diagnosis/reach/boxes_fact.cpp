// What a reply says about itself: for each sign, the one or two boxes that can be behind it.
#include <array>

#include "probe/diagnosis/reach/boxes.hpp"

namespace callready::reach {
namespace {

struct Row {
  Sign sign;  // if it is seen, the box is worth considering
  Code code;
  Bits prior;
  std::uint32_t explains;
  Fate fate = Fate::pass;
  std::uint16_t port = 0;       // over TCP; 0: any
  std::uint32_t cargoes = 0;    // the same
  bool its_hosts_only = false;  // acts only on hosts that showed the sign
};

using enum Sign;

constexpr std::array fact_rows{
    Row{nat_symmetric, FindingCode::nat_symmetric, bits(4), bit(nat_symmetric)},
    Row{sip_rewritten, FindingCode::sip_alg, bits(4), bit(sip_rewritten)},
    // Full-size packets vanish.
    Row{packets_too_big, FindingCode::network_mtu, bits(5), bit(packets_too_big), Fate::big, 0,
        bit(Cargo::tls)},
    Row{clock_off, FindingCode::time_skewed, bits(5), bit(clock_off) | bit(cert_expired)},
    Row{cert_expired, FindingCode::tls_expired, bits(7), bit(cert_expired)},
    Row{cert_wrong_name, FindingCode::tls_wrong_name, bits(9), bit(cert_wrong_name)},
    Row{cert_untrusted, FindingCode::tls_untrusted, bits(9), bit(cert_untrusted)},
    // TLS is opened on the way.
    Row{root_unexpected, FindingCode::tls_intercepted, bits(6),
        bit(root_unexpected) | bit(cert_untrusted), Fate::carry, 443},
    Row{ipv6_broken, FindingCode::network_ipv6_broken, bits(5), bit(ipv6_broken)},
    // DNS gives private addresses for public names.
    Row{dns_special, FindingCode::dns_rewritten, bits(6),
        bit(dns_special) | bit(cert_wrong_name) | bit(cert_untrusted) | bit(root_unexpected),
        Fate::elsewhere, 0, 0, true},
    // A device answers everybody's DNS.
    Row{dns_redirected, {}, bits(4), bit(dns_redirected)},
    // The site's DNS works over UDP only.
    Row{name_too_long, FindingCode::dns_unreachable, bits(5), bit(name_too_long) | bit(name_fails)},
    Row{proxy_login, FindingCode::proxy_auth_required, bits(4), bit(proxy_login)},
    Row{proxy_denied, FindingCode::proxy_connect_denied, bits(4), bit(proxy_denied)},
    Row{proxy_silent, FindingCode::proxy_unreachable, bits(4), bit(proxy_silent)},
    Row{proxy_error, FindingCode::proxy_upstream_failed, bits(4), bit(proxy_error)},
    // Nothing leaves this computer.
    Row{no_link, FindingCode::network_no_gateway, bits(2), bit(no_link) | bit(name_fails),
        Fate::elsewhere},
    Row{turn_login, FindingCode::turn_auth_failed, bits(5), bit(turn_login)},
};

Box of_names(Code code, Bits prior, std::uint32_t explains, Hosts names) {
  Box box{.kind = Kind::fact, .code = code, .prior = prior, .explains = explains};
  box.names = std::move(names);
  return box;
}

// A name that does not exist: hidden here, or gone everywhere. Another resolver's word decides,
// unless a device answers in its place.
void propose_missing_names(const Clues& clues, Boxes& boxes) {
  if (!clues.has(name_gone)) return;
  const auto missing = clues.hosts_of(name_gone);
  const auto known = clues.hosts_of(public_knows);
  const auto denied =
      clues.has(dns_redirected) ? Hosts{} : without(clues.hosts_of(public_denies), known);
  const auto undenied = without(missing, denied);
  const bool any_denied = undenied.size() < missing.size();
  const auto explains = bit(name_gone);
  // This takes a device in between, which was looked for and not found: one that answers in place
  // of the resolvers that it knows, and of no others.
  const double hidden_everywhere = clues.has(dns_direct) ? 14 : 9;
  boxes.push_back(of_names(FindingCode::dns_filtered, bits(any_denied ? hidden_everywhere : 6),
                           explains, missing));
  if (!denied.empty() && !undenied.empty()) {
    boxes.push_back(of_names(FindingCode::dns_filtered, bits(6), explains, undenied));
  }
  const auto gone = without(missing, known);
  const bool all_denied = without(gone, denied).empty();
  if (gone.empty()) return;
  boxes.push_back(of_names(FindingCode::target_outdated, bits(all_denied ? 6 : 8), explains, gone));
}

// The resolver answers with an error. Where it finds other names, it refuses these; where it finds
// none, it has nobody to ask.
void propose_failing_names(const Clues& clues, Boxes& boxes) {
  if (!clues.has(name_fails)) return;
  const auto names = clues.hosts_of(name_fails);
  const auto finds = [&](std::uint32_t event) {
    const auto& packet = clues.packet(event);
    return packet.cargo == Cargo::dns && holds(clues.sight.resolvers, packet.host) &&
           packet.name != packet.host && clues.seen(event) == Seen::reply;
  };
  const bool others = std::ranges::any_of(clues.events, finds);
  boxes.push_back(
      of_names(FindingCode::dns_filtered, bits(others ? 7 : 11), bit(name_fails), names));
  boxes.push_back(
      of_names(FindingCode::dns_unreachable, bits(others ? 11 : 7), bit(name_fails), names));
}

// No greeting at all is answered, and nothing shows whether full-size packets, which certificates
// need, get through.
void propose_unmeasured_sizes(const Clues& clues, Boxes& boxes) {
  const auto any_tls = [&](Seen seen) {
    return std::ranges::any_of(clues.sight.events.flows, [&](const FlowEvent& event) {
      return event.flow.cargo == Cargo::tls && event.seen == seen;
    });
  };
  const bool measured = clues.has(Sign::full_size) || clues.has(Sign::packets_too_big);
  if (measured || any_tls(Seen::talk) || !any_tls(Seen::mute)) return;
  Box box{.kind = Kind::fact, .code = FindingCode::network_mtu, .prior = prior::unmeasured_mtu};
  box.fate = Fate::big;
  box.protocol = Protocol::tcp;
  box.cargoes = bit(Cargo::tls);
  boxes.push_back(box);
}

}  // namespace

Fate fate_by_fact(const Box& box, const Packet& packet) {
  if (box.fate == Fate::big && packet.ends_early) return Fate::pass;
  // TLS is opened, and only HTTP is understood.
  return box.fate == Fate::carry && packet.cargo == Cargo::inside ? Fate::mute : box.fate;
}

void propose_facts(const Clues& clues, Boxes& boxes) {
  for (const auto& row : fact_rows) {
    if (!clues.has(row.sign)) continue;
    Box box{.kind = Kind::fact, .code = row.code, .prior = row.prior, .fate = row.fate};
    box.explains = row.explains;
    box.cargoes = row.cargoes;
    if (row.fate == Fate::big || row.fate == Fate::carry) box.protocol = Protocol::tcp;
    if (row.port != 0) box.ports = {single(row.port)};
    if (row.its_hosts_only) box.hosts = clues.hosts_of(row.sign);
    boxes.push_back(box);
  }
  propose_unmeasured_sizes(clues, boxes);
  propose_missing_names(clues, boxes);
  propose_failing_names(clues, boxes);
}

}  // namespace callready::reach
