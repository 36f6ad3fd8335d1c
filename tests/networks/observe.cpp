// Requests, connections, and the checks that are made of these.
#include "tests/networks/observe.hpp"

#include <algorithm>

namespace callready::networks {
namespace {

constexpr double sends_ms[] = {0, 250, 750, 1500};
constexpr double syns_ms[] = {0, 1000, 3000};

}  // namespace

Resolution Observer::resolve(const std::string& host, double at_ms) {
  if (const auto literal = IpAddress::parse(host)) return {std::vector{*literal}};
  Milliseconds took(network().dns_ms);
  auto mode = network().dns_for(host);
  if (network().resolver_outside && mode != Dns::dead) {
    const Packet question{Proto::udp, outside_resolver(), 53, new_port(), Payload::dns};
    if (ask_udp(question, at_ms, 4, 4000).kind != Heard::answer) mode = Dns::dead;
    took += Milliseconds(round_trip(question.to));
  }
  if (mode == Dns::dead) return {classify_dns(ARES_ETIMEOUT), Milliseconds(4000)};
  if (mode == Dns::refused || mode == Dns::servfail) return {classify_dns(ARES_ESERVFAIL), took};
  if (mode == Dns::sinkhole) return {std::vector{IpAddress()}, took};
  const auto address = Internet::address_of(host);
  const bool gone = mode == Dns::no_such_name || far(address) == FarFault::gone;
  if (gone) return {classify_dns(ARES_ENOTFOUND), took};
  return {std::vector{address}, took};
}

// RFC 792.
IcmpError Heard::icmp() const {
  if (kind == prohibited) return {IcmpKind::prohibited, sender, 3, 13};
  if (kind == expired) return {IcmpKind::time_exceeded, sender, 11, 0};
  return {IcmpKind::port_unreachable, sender, 3, 3};
}

Failure Heard::failure() const {
  if (kind == nothing) return timed_out();
  if (sender.is_unspecified()) return classify(asio::error::connection_refused);
  return classify(asio::error::host_unreachable, icmp());
}

// A datagram, or the first packet of a connection.
Heard Observer::hear(const Packet& packet, double at_ms, int ttl) {
  // This computer itself does not listen.
  const bool tcp = packet.proto == Proto::tcp, here = packet.to.is_unspecified();
  if (here && !tcp) return {Heard::refused, 0, 0, IpAddress::v4({127, 0, 0, 1})};
  const auto fate = send(packet, at_ms, ttl);
  if (tcp && packet.to.is_special()) return {here ? Heard::refused : Heard::nothing};
  if (fate.kind == Fate::arrives) return from_far_end(packet);
  Heard heard{Heard::nothing, round_trip_to(fate.hop), 0, {}, fate.box};
  if (fate.kind == Fate::taken) heard.kind = Heard::answer;
  if (fate.kind != Fate::prohibited && fate.kind != Fate::refused && fate.kind != Fate::expires) {
    return heard;
  }
  const bool reset = tcp && fate.kind == Fate::refused;
  if (!reset && !says_so(fate, packet.to, at_ms)) return heard;
  if (!reset) heard.sender = signer(fate, packet.to);
  heard.kind = fate.kind == Fate::expires   ? Heard::expired
               : fate.kind == Fate::refused ? Heard::refused
                                            : Heard::prohibited;
  return heard;
}

Heard Observer::from_far_end(const Packet& packet) {
  const bool tcp = packet.proto == Proto::tcp, listens = is_served(packet);
  const auto fault = far(packet.to);
  Heard heard{Heard::nothing, round_trip(packet.to)};
  if (packet.to.is_special() || fault == FarFault::down || fault == FarFault::gone) return heard;
  const bool ignores = packet.payload == Payload::rtp ||
                       (packet.payload == Payload::sip && network().sip_ignores_strangers);
  // Over TCP half of the hosts that do not listen say so.
  const bool tells = tcp ? (packet.to.bytes()[3] & 1U) == 0 : network().media_answers && !listens;
  if (listens && !ignores) {
    if (comes_back(packet)) heard.kind = Heard::answer;
  } else if ((tells || fault == FarFault::refuses) && !lost_in()) {
    heard.kind = Heard::refused;
    if (!tcp) heard.sender = packet.to;
  }
  return heard;
}

// Sent at these times until something has come back.
Heard Observer::ask(const Packet& packet, double at_ms, std::span<const double> times,
                    double patience_ms, int ttl) {
  Heard first{Heard::nothing, patience_ms};
  for (const double sent : times) {
    if (sent >= first.took_ms) break;
    auto heard = hear(packet, at_ms + sent, ttl);
    heard.took_ms += sent;
    heard.attempts = ++first.attempts;
    if (heard.kind != Heard::nothing && heard.took_ms < first.took_ms) first = heard;
  }
  return first;
}

// As udp_request does it (probe/net/udp.cpp).
Heard Observer::ask_udp(Packet packet, double at_ms, std::size_t sends, double patience_ms) {
  packet.proto = Proto::udp;
  return ask(packet, at_ms, std::span(sends_ms).first(sends), patience_ms);
}

Connection Observer::connect(const IpAddress& to, std::uint16_t port, double at_ms, int ttl,
                             double timeout_ms) {
  const Packet syn{Proto::tcp, to, port, ttl == whole_way ? new_port() : new_port_on_the_way()};
  Connection connection{ask(syn, at_ms, syns_ms, timeout_ms, ttl)};
  connection.at_ms = at_ms + connection.took_ms;
  if (connection.stands() && connection.box != nullptr) {
    connection.box = last_taker(syn, connection.box);
  }
  return connection;
}

// TCP sends again what was lost, at first after a round trip and 200 ms, then twice that.
Heard Observer::exchange(const Connection& connection, Packet packet, double timeout_ms,
                         int trips) {
  const Heard nothing{Heard::nothing, timeout_ms};
  packet.proto = Proto::tcp;
  const auto fate = always(packet);
  if (connection.box != nullptr) {
    // The box that took the connection carries it on from its own place, as far as it gets.
    Packet syn = packet;
    syn.payload = Payload::none;
    const auto gets_on = [&](const Packet& onward) {
      return carried_on(onward, connection.box->hop).kind == Fate::arrives;
    };
    if (connection.box->kind == BoxKind::portal || !gets_on(syn) || !gets_on(packet) ||
        !is_served(packet)) {
      return nothing;
    }
  } else if (fate.kind == Fate::refused) {
    return {Heard::refused, round_trip_to(fate.hop)};
  } else if (fate.kind != Fate::arrives) {
    return nothing;
  }
  const auto trip = round_trip(packet.to);
  sends(packet);
  double took = 0;
  for (int i = 0; i < 2 * trips; ++i) {
    double again = trip + 200;
    while (i % 2 == 0 ? lost_out() : lost_in()) {
      took += again;
      again *= 2;
      if (took > timeout_ms) return nothing;
    }
    took += trip / 2;
  }
  if (took < timeout_ms) return {Heard::answer, took};
  return nothing;
}

Packet ModelledCheck::packet(Payload payload) {
  return {proto_of(target()), address_, target().port(), net_.new_port(), payload};
}

Heard ModelledCheck::request(Payload payload) {
  const auto heard = direct() ? net_.exchange(connection_, packet(payload), reply_ms)
                              : Heard{Heard::answer, net_.round_trip(address_)};
  ended_ms = connection_.at_ms + heard.took_ms;
  return heard;
}

// The proxy sits beside the site's last router.
bool ModelledCheck::open_through_proxy() {
  const auto& proxy = net_.network().proxy;
  ended_ms = connection_.at_ms = at_ms_ + 2;
  observation.address = IpAddress::v4({192, 168, 1, 3});
  if (!proxy.up) {
    say(Outcome::refused, DetailCode::proxy_unreachable);
    show(EvidenceKind::error, {{Fact::code, 111}});
    return false;
  }
  const auto answer = [&](Outcome outcome, int status) {
    say(outcome, Detail::status(status));
    FactMap facts{{Fact::proxy, "192.168.1.3:3128"}, {Fact::status, status}};
    if (status == 407) facts[Fact::schemes] = "Basic";
    show(EvidenceKind::proxy_reply, std::move(facts));
    return false;
  };
  if (proxy.login) return answer(Outcome::denied, 407);
  if (!connects(proxy, job_.probe)) return answer(Outcome::denied, 403);
  address_ = Internet::address_of(target().host);
  const auto syn = packet(Payload::none);
  const auto onward = net_.carried_on(syn, net_.network().routers_inside());
  ended_ms = connection_.at_ms = at_ms_ + net_.round_trip(address_) + 2;
  if (onward.kind != Fate::arrives || !net_.is_served(syn)) return answer(Outcome::failed, 503);
  answer(Outcome::connected, 200);
  observation.detail = {};
  observation.timing_ms[Timing::tunnel] = connection_.at_ms - at_ms_;
  return true;
}

// As checks/dial.cpp does it.
bool ModelledCheck::open() {
  observation.attempts = 1;
  if (!direct()) return open_through_proxy();
  connection_ = net_.connect(address_, target().port(), at_ms_);
  observation.address = address_;
  ended_ms = first_reply_ms = connection_.at_ms;
  if (!connection_.stands()) {
    record(observation, connection_.failure());
    return false;
  }
  observation.local = SocketAddress{net_.network().pc, net_.new_port()};
  observation.round_trip = Milliseconds(connection_.took_ms);
  observation.timing_ms[Timing::connect] = connection_.took_ms;
  observation.outcome = Outcome::connected;
  return true;
}

// Evidence of the chain, and what is wrong with it.
void ModelledCheck::look_at_certificates() {
  const auto& host = target().host;
  const bool opened = connection_.taken_by(BoxKind::intercept);
  const auto fault = net_.far(address_);
  const bool expired = !opened && fault == FarFault::expired;
  const bool untrusted = !opened && fault == FarFault::untrusted;
  const auto wanted = job_.parameter("issuer");
  std::string issuer = wanted.empty() ? "CN=Public CA" : "CN=" + wanted + " Private CA";
  if (opened) issuer = "CN=Web Gateway";
  // Two untrusted servers have different issuers.
  if (untrusted) issuer = "CN=Authority of " + host;
  const bool expected = issuer == "CN=Public CA";
  show(EvidenceKind::tls_handshake, {{Fact::version, "TLSv1.3"}, {Fact::cipher, "AES"}});
  show(EvidenceKind::certificate,
       {{Fact::position, 0},
        {Fact::subject, "CN=" + (fault == FarFault::wrong_name ? "other.example" : host)},
        {Fact::issuer, issuer},
        {Fact::not_before, "2025-01-01T00:00:00Z"},
        {Fact::not_after, expired ? "2025-06-01T00:00:00Z" : "2027-01-01T00:00:00Z"},
        {Fact::sha256, host + issuer},
        {Fact::public_key_sha256, issuer},
        {Fact::self_signed, false},
        {Fact::timestamps, expected},
        {Fact::names, host}});
  show(EvidenceKind::chain_root, {{Fact::expected, expected}});
  // The authority that the row names.
  const bool own = !wanted.empty() && !opened && !untrusted;
  observation.detail = own ? DetailCode::private_pki : DetailCode::trusted;
  if (expired) fault_ = DetailCode::expired;
  if (!expected && !own) fault_ = DetailCode::untrusted;
  if (!opened && fault == FarFault::wrong_name) fault_ = DetailCode::wrong_name;
  if (fault_ != DetailCode::unspecified) {
    show(EvidenceKind::certificate_fault, {{Fact::fault, std::string(to_string(fault_))}});
  }
}

bool ModelledCheck::open_tls() {
  auto hello = packet(Payload::tls);
  const auto name = job_.parameter("server_name", target().host);
  hello.name = name;
  // The server's certificates fill packets; a box that took the connection gets them itself.
  const bool stuck = net_.find(BoxKind::mtu) != nullptr && connection_.box == nullptr;
  Heard heard{Heard::nothing, tls_ms};
  if (!direct()) {
    heard = {Heard::answer, 2 * net_.round_trip(address_)};
  } else if (!stuck) {
    heard = net_.exchange(connection_, hello, tls_ms, 2);
  }
  observation.timing_ms[Timing::handshake] = heard.took_ms;
  connection_.at_ms += heard.took_ms;
  ended_ms = connection_.at_ms;
  if (heard.kind == Heard::answer) return true;
  fail(heard.broken_off(DetailCode::tls_timed_out));
  if (heard.kind != Heard::refused && connection_.taken_by(BoxKind::intercept)) {
    fail(DetailCode::closed_by_peer);
    ended_ms = connection_.at_ms = connection_.at_ms - heard.took_ms + 20;
  }
  show(EvidenceKind::error, {{Fact::code, 0}});
  return false;
}

bool ModelledCheck::open_stream() {
  if (!open() || (over_tls() && !open_tls())) return false;
  if (over_tls()) look_at_certificates();
  return true;
}

void ModelledCheck::tcp() {
  if (open()) observation.detail = DetailCode::connected;
}

void ModelledCheck::tls() {
  if (!open_stream()) return;
  if (fault_ != DetailCode::unspecified) return fail(fault_);
  observation.outcome = Outcome::answered;
}

// No box of these networks cares how long a greeting is.
void ModelledCheck::tls_hello() {
  const bool through = open() && open_tls();
  observation.evidence.clear();
  say(through ? Outcome::answered : Outcome::skipped,
      through ? DetailCode::connected : DetailCode::hello_not_compared);
}

void ModelledCheck::http() {
  if (!open_stream()) return;
  const bool portal = connection_.taken_by(BoxKind::portal);
  ended_ms = connection_.at_ms + 5;
  const auto heard = portal ? Heard{Heard::answer} : request(Payload::http);
  if (heard.kind != Heard::answer) return fail(heard.broken_off(DetailCode::http_timed_out));
  const auto body = job_.parameter("body"), wanted = job_.parameter("status"),
             upgrade = job_.parameter("upgrade");
  int status = upgrade.empty() ? 200 : 101;
  if (!wanted.empty()) status = std::stoi(wanted);
  if (net_.far(address_) == FarFault::error) status = 503;
  if (portal) status = 302;
  const bool matches = !portal && status == 200;
  FactMap reply{{Fact::status, status}, {Fact::body_bytes, 100}, {Fact::date_offset_s, 0.0}};
  if (portal) reply[Fact::redirect_host] = "login.site.example";
  if (!body.empty()) reply[Fact::body_matches] = matches;
  show(EvidenceKind::http_reply, std::move(reply));
  const auto unless = [&](bool fine, DetailCode fault) {
    if (fault_ == DetailCode::unspecified && !fine) fault_ = fault;
  };
  unless(upgrade.empty() || status == 101, DetailCode::no_upgrade);
  unless(wanted.empty() || std::to_string(status) == wanted, DetailCode::unexpected_status);
  unless(body.empty() || matches, DetailCode::unexpected_body);
  if (fault_ != DetailCode::unspecified) return fail(fault_);
  say(Outcome::answered, Detail::status(status));
}

void ModelledCheck::proxy() {
  if (direct()) {
    observation.detail = DetailCode::no_proxy;
    ended_ms = at_ms_;
  } else if (open()) {
    say(Outcome::answered, Detail::status(200));
  }
}

void ModelledCheck::ipv6() {
  const auto mode = net_.network().ipv6;
  const bool six = mode == Ipv6::works, broken = mode == Ipv6::broken;
  observation.attempts = 1;
  if (job_.probe.with.contains("service") && mode == Ipv6::none) {
    return say(Outcome::skipped, DetailCode::no_route);
  }
  const auto family = [&](const char* version, DetailCode result) -> FactMap& {
    show(EvidenceKind::family,
         {{Fact::version, version}, {Fact::result, std::string(to_string(result))}});
    return observation.evidence.back().facts;
  };
  const auto end_at = [&](double ms) { ended_ms = broken ? std::max(ms, at_ms_ + 3500) : ms; };
  const auto found = net_.resolve(target().host, at_ms_);
  if (found.addresses.has_error()) {
    const auto detail = detail_of(found.addresses.error().kind);
    end_at(at_ms_ + found.took.count());
    family("IPv6", detail);
    family("IPv4", detail);
    return say(Outcome::unresolved, detail);
  }
  const auto v4 = found.addresses->front();
  const auto four = net_.connect(v4, target().port(), at_ms_ + 250);
  const auto trip = net_.round_trip(v4);
  end_at(four.at_ms);
  auto& first = family("IPv6", six      ? DetailCode::connected
                               : broken ? DetailCode::timed_out
                                        : DetailCode::no_route);
  first[Fact::address] = "2001:4860::1";
  if (six) first[Fact::ms] = trip;
  auto& second =
      family("IPv4", four.stands() ? DetailCode::connected : detail_of(four.failure().kind));
  second[Fact::address] = v4.to_string();
  if (four.stands()) second[Fact::ms] = four.took_ms;
  observation.address = six ? IpAddress::parse("2001:4860::1") : v4;
  if (!six && !four.stands()) return record(observation, four.failure());
  say(Outcome::connected, six ? DetailCode::ipv6_first : DetailCode::ipv4_first);
  observation.round_trip = Milliseconds(six ? trip : four.took_ms);
  observation.timing_ms[Timing::connect] = observation.round_trip->count();
}

void ModelledCheck::dns() {
  const auto& network = net_.network();
  const bool named = job_.parameter("server") == "true";
  const auto name = job_.parameter("name", target().host), type = job_.parameter("type", "A");
  address_ = resolver_of(network);
  if (named) {
    const auto found = net_.resolve(target().host, at_ms_);
    if (found.addresses.has_error()) {
      ended_ms = at_ms_ + found.took.count();
      return say(Outcome::unresolved, detail_of(found.addresses.error().kind));
    }
    address_ = found.addresses->front();
  }
  Heard heard{Heard::answer, network.dns_ms, 1};
  if (named || network.resolver_outside) {
    auto question = packet(Payload::dns);
    if (!named) question.port = 53;
    if (!named || target().transport == Transport::udp) {
      heard = net_.ask_udp(question, at_ms_);
    } else {
      const auto connection = net_.connect(address_, question.port, at_ms_);
      heard = connection;
      if (connection.stands()) heard = net_.exchange(connection, question, reply_ms);
    }
  }
  // An independent resolver answered by itself.
  const bool elsewhere = named && heard.kind == Heard::answer && heard.box == nullptr;
  const auto mode = elsewhere ? Dns::works : network.dns_for(name);
  if (mode == Dns::dead) heard = {Heard::nothing, reply_ms, 4};
  observation.address = address_;
  observation.attempts = heard.attempts;
  ended_ms = first_reply_ms = at_ms_ + heard.took_ms;
  observation.timing_ms[Timing::dns] = heard.took_ms;
  const auto who = address_.to_string() + ":53";
  FactMap facts{{Fact::server, who}, {Fact::transport, "udp"}, {Fact::took_ms, heard.took_ms}};
  if (heard.kind != Heard::answer) {
    facts[Fact::reason] = std::string(to_string(heard.failure().kind));
    show(EvidenceKind::dns_no_answer, facts);
    return record(observation, heard.failure());
  }
  observation.round_trip = Milliseconds(heard.took_ms);
  const auto answer = [&](const char* rcode, const std::string& records, Outcome outcome,
                          DetailCode detail) {
    say(outcome, detail);
    facts.insert({{Fact::rcode, rcode},
                  {Fact::type, type},
                  {Fact::name, name},
                  {Fact::records, records},
                  {Fact::count, records.empty() ? 0 : 1},
                  {Fact::authoritative, false},
                  {Fact::recursion_available, true}});
    show(EvidenceKind::dns_answer, facts);
  };
  const auto address = Internet::address_of(name);
  const bool gone = net_.far(address) == FarFault::gone;
  if (mode == Dns::refused) {
    answer("REFUSED", "", Outcome::denied, DetailCode::refused);
  } else if (mode == Dns::servfail) {
    answer("SERVFAIL", "", Outcome::failed, DetailCode::servfail);
  } else if (mode == Dns::no_such_name || gone) {
    facts[Fact::soa_zone] = gone ? name.substr(name.find('.') + 1) : "filter.site";
    answer("NXDOMAIN", "", Outcome::unresolved, DetailCode::no_such_name);
  } else if (type == "PTR") {
    auto expected = job_.parameter("expect");
    const auto star = expected.find('*');
    if (star != expected.npos) expected.replace(star, 1, "1");
    answer("NOERROR", expected.substr(0, expected.find(' ')), Outcome::answered,
           DetailCode::records);
  } else if (mode == Dns::sinkhole) {
    answer("NOERROR", "0.0.0.0", Outcome::answered, DetailCode::records);
    show(EvidenceKind::dns_special_address,
         {{Fact::server, who}, {Fact::address, "0.0.0.0"}, {Fact::sinkhole, true}});
  } else {
    answer("NOERROR", address.to_string(), Outcome::answered, DetailCode::records);
  }
}

}  // namespace callready::networks
