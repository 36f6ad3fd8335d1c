// Requests, connections, and the checks that are made of these.
#include "tests/networks/observe.hpp"

#include <algorithm>

namespace callready::networks {
namespace {

constexpr double sends_ms[] = {0, 250, 750, 1500};
constexpr double syns_ms[] = {0, 1000, 3000};
constexpr double tls_ms = 3000, reply_ms = 2500;

}  // namespace

std::string Observer::Job::with(const std::string& name, std::string fallback) const {
  const auto found = probe.with.find(name);
  return found == probe.with.end() || found->second.empty() ? fallback : found->second;
}

Packet Observer::packet(const Job& job, Payload payload) {
  return {proto_of(job.probe.target), job.address, job.probe.target.port(), traffic_.new_port(),
          payload};
}

Observer::Resolved Observer::resolve(const std::string& host, double at_ms) {
  if (const auto literal = IpAddress::parse(host)) return {literal};
  const auto& network = traffic_.network();
  Resolved found;
  found.took_ms = network.dns_ms;
  auto mode = network.dns_for(host);
  if (network.resolver_outside && mode != Dns::dead) {
    const Packet question{Proto::udp, outside_resolver(), 53, traffic_.new_port(), Payload::dns};
    if (ask_udp(question, at_ms, 4, 4000).kind != Heard::answer) mode = Dns::dead;
    found.took_ms += traffic_.round_trip(question.to);
  }
  if (mode == Dns::dead) {
    found.detail = "dns_unreachable";
    found.took_ms = 4000;
  } else if (mode == Dns::refused || mode == Dns::servfail) {
    found.detail = "dns_failed";
  } else if (mode == Dns::sinkhole) {
    found.address = IpAddress::v4({0, 0, 0, 0});
  } else if (const auto address = Internet::address_of(host);
             mode == Dns::no_such_name || traffic_.far(address) == FarFault::gone) {
    found.detail = "no_such_name";
  } else {
    found.address = address;
  }
  return found;
}

std::string_view Observer::Heard::broken_off(std::string_view timed_out) const {
  return kind == refused ? "connection_reset" : timed_out;
}

std::string_view Observer::Heard::reason() const {
  if (kind == prohibited) return "prohibited";
  return kind == refused ? "connection_refused" : "timed_out";
}

void Observer::record(Observation& observation, const Heard& heard) const {
  if (heard.kind == Heard::answer) return;
  const bool refused = heard.kind == Heard::refused, prohibited = heard.kind == Heard::prohibited;
  const bool by_icmp = !heard.sender.is_unspecified();
  const bool by_another =
      refused && by_icmp && observation.address && heard.sender != *observation.address;
  say(observation,
      prohibited || by_another ? Outcome::rejected
      : refused                ? Outcome::refused
                               : Outcome::silent,
      heard.reason());
  if (prohibited || (refused && by_icmp)) {
    add(observation, "icmp_error",
        {{"sender", heard.sender.to_string()}, {"type", 3}, {"code", prohibited ? 13 : 3}});
  } else {
    add(observation, "error", {{"code", refused ? 111 : 0}});
  }
}

// A datagram, or the first packet of a connection.
Observer::Heard Observer::send(const Packet& packet, double at_ms, int ttl) {
  // This computer itself does not listen.
  const bool tcp = packet.proto == Proto::tcp, here = packet.to.is_unspecified();
  if (here && !tcp) return {Heard::refused, 0, 0, IpAddress::v4({127, 0, 0, 1})};
  const auto fate = traffic_.send(packet, at_ms, ttl);
  if (tcp && packet.to.is_special()) return {here ? Heard::refused : Heard::nothing};
  Heard heard{Heard::nothing, traffic_.round_trip_to(fate.hop), 0, {}, fate.box};
  switch (fate.kind) {
    case Fate::taken:
      heard.kind = Heard::answer;
      break;
    case Fate::prohibited:
    case Fate::refused:
    case Fate::expires: {
      const bool reset = tcp && fate.kind == Fate::refused;
      if (!reset && !traffic_.says_so(fate, packet.to, at_ms)) break;
      heard.kind = fate.kind == Fate::expires   ? Heard::expired
                   : fate.kind == Fate::refused ? Heard::refused
                                                : Heard::prohibited;
      if (!reset) heard.sender = traffic_.signer(fate, packet.to);
      break;
    }
    case Fate::arrives: {
      const auto fault = traffic_.far(packet.to);
      const bool nobody = fault == FarFault::down || fault == FarFault::gone;
      if (packet.to.is_special() || nobody) break;
      heard.took_ms = traffic_.round_trip(packet.to);
      const bool listens = traffic_.is_served(packet);
      const bool ignores =
          packet.payload == Payload::rtp ||
          (packet.payload == Payload::sip && traffic_.network().sip_ignores_strangers);
      // Over TCP half of the hosts that do not listen say so.
      const bool says_so =
          tcp ? (packet.to.bytes()[3] & 1U) == 0 : traffic_.network().media_answers && !listens;
      if (listens && !ignores) {
        if (traffic_.comes_back(packet)) heard.kind = Heard::answer;
      } else if ((says_so || fault == FarFault::refuses) && !traffic_.lost_in()) {
        heard.kind = Heard::refused;
        if (!tcp) heard.sender = packet.to;
      }
      break;
    }
    case Fate::dropped:
    case Fate::lost:
      break;
  }
  return heard;
}

// Sent at these times until something has come back.
Observer::Heard Observer::ask(const Packet& packet, double at_ms, std::span<const double> times,
                              double patience_ms, int ttl) {
  Heard first{Heard::nothing, patience_ms};
  int attempts = 0;
  for (const double sent : times) {
    if (sent >= first.took_ms) break;
    ++attempts;
    auto heard = send(packet, at_ms + sent, ttl);
    heard.took_ms += sent;
    if (heard.kind != Heard::nothing && heard.took_ms < first.took_ms) first = heard;
  }
  first.attempts = attempts;
  return first;
}

// As udp_request does it (probe/net/udp.cpp).
Observer::Heard Observer::ask_udp(Packet packet, double at_ms, std::size_t sends,
                                  double patience_ms) {
  packet.proto = Proto::udp;
  return ask(packet, at_ms, std::span(sends_ms).first(sends), patience_ms);
}

Observer::Connection Observer::connect(const IpAddress& to, std::uint16_t port, double at_ms,
                                       int ttl, double timeout_ms) {
  const auto from = ttl == whole_way ? traffic_.new_port() : traffic_.new_port_on_the_way();
  const Packet syn{Proto::tcp, to, port, from};
  Connection connection{ask(syn, at_ms, syns_ms, timeout_ms, ttl)};
  const auto& heard = connection.heard;
  connection.stands = heard.kind == Heard::answer;
  if (connection.stands && heard.box != nullptr) {
    connection.box = traffic_.last_taker(syn, heard.box);
  }
  connection.at_ms = at_ms + heard.took_ms;
  return connection;
}

// TCP sends again what was lost, at first after a round trip and 200 ms, then twice that.
Observer::Heard Observer::exchange(const Connection& connection, Packet packet, double timeout_ms,
                                   int trips) {
  Heard heard{Heard::nothing, timeout_ms};
  packet.proto = Proto::tcp;
  const auto fate = traffic_.always(packet);
  if (connection.box != nullptr) {
    // Who took the connection carries it on from where it stands, as far as it gets.
    Packet syn = packet;
    syn.payload = Payload::none;
    const auto gets_on = [&](const Packet& onward) {
      return traffic_.carried_on(onward, connection.box->hop).kind == Fate::arrives;
    };
    if (connection.box->kind == BoxKind::portal || !gets_on(syn) || !gets_on(packet) ||
        !traffic_.is_served(packet)) {
      return heard;
    }
  } else if (fate.kind == Fate::refused) {
    return {Heard::refused, traffic_.round_trip_to(fate.hop)};
  } else if (fate.kind != Fate::arrives) {
    return heard;
  }
  const auto trip = traffic_.round_trip(packet.to);
  traffic_.sends(packet);
  double took = 0;
  for (int i = 0; i < 2 * trips; ++i) {
    double again = trip + 200;
    while (i % 2 == 0 ? traffic_.lost_out() : traffic_.lost_in()) {
      took += again;
      again *= 2;
      if (took > timeout_ms) return heard;
    }
    took += trip / 2;
  }
  if (took < timeout_ms) heard = {Heard::answer, took};
  return heard;
}

Observer::Heard Observer::request(const Job& job, const Connection& connection, Payload payload,
                                  Seen& seen) {
  const auto heard = connection.proxied ? Heard{Heard::answer, traffic_.round_trip(job.address)}
                                        : exchange(connection, packet(job, payload), reply_ms);
  seen.ended_ms = connection.at_ms + heard.took_ms;
  return heard;
}

// Through the route's proxy, which is the site's last router's neighbour.
Observer::Connection Observer::through_proxy(Job& job, Seen& seen) {
  const auto& proxy = traffic_.network().proxy;
  auto& observation = seen.observation;
  Connection connection;
  connection.proxied = true;
  seen.ended_ms = connection.at_ms = job.at_ms + 2;
  observation.address = IpAddress::v4({192, 168, 1, 3});
  if (!proxy.up) {
    say(observation, Outcome::refused, "proxy_unreachable");
    add(observation, "error", {{"code", 111}});
    return connection;
  }
  const auto answer = [&](Outcome outcome, int status) {
    say(observation, outcome, std::to_string(status));
    auto& evidence =
        add(observation, "proxy_reply", {{"proxy", "192.168.1.3:3128"}, {"status", status}});
    if (status == 407) evidence.facts[fact_of("schemes")] = "Basic";
    return connection;
  };
  if (proxy.login) return answer(Outcome::denied, 407);
  if (!connects(proxy, job.probe)) return answer(Outcome::denied, 403);
  job.address = Internet::address_of(job.probe.target.host);
  const auto syn = packet(job, Payload::none);
  const auto onward = traffic_.carried_on(syn, traffic_.network().routers_inside());
  seen.ended_ms = connection.at_ms = job.at_ms + traffic_.round_trip(job.address) + 2;
  connection.stands = onward.kind == Fate::arrives && traffic_.is_served(syn);
  if (!connection.stands) return answer(Outcome::failed, 503);
  answer(Outcome::connected, 200);
  observation.detail = {};
  observation.timing_ms[Timing::tunnel] = connection.at_ms - job.at_ms;
  return connection;
}

// As checks/dial.cpp does it.
Observer::Connection Observer::open(Job& job, Seen& seen) {
  auto& observation = seen.observation;
  observation.attempts = 1;
  if (!job.probe.target.route.direct()) return through_proxy(job, seen);
  auto connection = connect(job.address, job.probe.target.port(), job.at_ms);
  observation.address = job.address;
  seen.ended_ms = seen.first_reply_ms = connection.at_ms;
  if (!connection.stands) {
    record(observation, connection.heard);
    return connection;
  }
  observation.local = SocketAddress{traffic_.network().pc, traffic_.new_port()};
  observation.round_trip = Milliseconds(connection.heard.took_ms);
  observation.timing_ms[Timing::connect] = connection.heard.took_ms;
  observation.outcome = Outcome::connected;
  return connection;
}

// Evidence of the chain, and what is wrong with it.
std::string Observer::certificates(const Job& job, const Connection& connection,
                                   Observation& seen) {
  const auto& host = job.probe.target.host;
  const auto fault = traffic_.far(job.address);
  const bool opened = connection.taken_by(BoxKind::intercept);
  const auto wanted = job.with("issuer");
  std::string issuer = wanted.empty() ? "CN=Public CA" : "CN=" + wanted + " Private CA";
  if (opened) issuer = "CN=Web Gateway";
  // Two servers that sign for themselves do not sign alike.
  if (!opened && fault == FarFault::untrusted) issuer = "CN=Authority of " + host;
  add(seen, "tls_handshake", {{"version", "TLSv1.3"}, {"cipher", "AES"}});
  const bool expired = !opened && fault == FarFault::expired;
  add(seen, "certificate",
      {{"position", 0},
       {"subject", "CN=" + (fault == FarFault::wrong_name ? "other.example" : host)},
       {"issuer", issuer},
       {"not_before", "2025-01-01T00:00:00Z"},
       {"not_after", expired ? "2025-06-01T00:00:00Z" : "2027-01-01T00:00:00Z"},
       {"sha256", host + issuer},
       {"public_key_sha256", issuer},
       {"self_signed", false},
       {"timestamps", issuer == "CN=Public CA"},
       {"names", host}});
  const bool expected = issuer == "CN=Public CA";
  add(seen, "chain_root", {{"expected", expected}});
  // The authority that the row names.
  const bool own = !wanted.empty() && !opened && fault != FarFault::untrusted;
  std::string wrong = !expected && !own ? "untrusted" : expired ? "expired" : "";
  if (!opened && fault == FarFault::wrong_name) wrong = "wrong_name";
  if (own && wrong.empty()) seen.detail = detail_of("private_pki");
  if (!wrong.empty()) add(seen, "certificate_fault", {{"fault", wrong}});
  return wrong;
}

// The handshake; false where it breaks, and the observation says how.
bool Observer::open_tls(Job& job, Connection& connection, Seen& seen) {
  auto& observation = seen.observation;
  auto hello = packet(job, Payload::tls);
  const auto name = job.with("server_name", job.probe.target.host);
  hello.name = name;
  // The server's certificates fill packets; who takes the connection has them come to itself.
  const auto* hole = traffic_.find(BoxKind::mtu);
  const bool stuck = hole != nullptr && connection.box == nullptr && !connection.proxied;
  Heard heard{Heard::nothing, tls_ms};
  if (connection.proxied) {
    heard = {Heard::answer, 2 * traffic_.round_trip(job.address)};
  } else if (!stuck) {
    heard = exchange(connection, hello, tls_ms, 2);
  }
  observation.timing_ms[Timing::handshake] = heard.took_ms;
  connection.at_ms += heard.took_ms;
  seen.ended_ms = connection.at_ms;
  if (heard.kind == Heard::answer) return true;
  say(observation, Outcome::failed, heard.broken_off("tls_timed_out"));
  if (heard.kind != Heard::refused && connection.taken_by(BoxKind::intercept)) {
    observation.detail = detail_of("closed_by_peer");
    seen.ended_ms = connection.at_ms = connection.at_ms - heard.took_ms + 20;
  }
  add(observation, "error", {{"code", 0}});
  return false;
}

bool Observer::open_stream(Job& job, Connection& connection, Seen& seen) {
  connection = open(job, seen);
  if (!connection.stands || job.probe.target.transport != Transport::tls) return connection.stands;
  if (!open_tls(job, connection, seen)) return false;
  connection.fault = certificates(job, connection, seen.observation);
  seen.observation.detail = {};
  return true;
}

Seen Observer::tcp(Job job) {
  Seen seen;
  if (open(job, seen).stands) seen.observation.detail = detail_of("connected");
  return seen;
}

Seen Observer::tls(Job job) {
  Seen seen;
  auto connection = open(job, seen);
  if (!connection.stands || !open_tls(job, connection, seen)) return seen;
  auto& observation = seen.observation;
  const auto fault = certificates(job, connection, observation);
  if (!fault.empty()) return failed(std::move(seen), fault);
  observation.outcome = Outcome::answered;
  if (observation.detail != detail_of("private_pki")) observation.detail = detail_of("trusted");
  return seen;
}

// No box of these networks minds how long a greeting is.
Seen Observer::tls_hello(Job job) {
  Seen seen;
  auto connection = open(job, seen);
  const bool through = connection.stands && open_tls(job, connection, seen);
  seen.observation.evidence.clear();
  say(seen.observation, through ? Outcome::answered : Outcome::skipped,
      through ? "connected" : "hello_not_compared");
  return seen;
}

Seen Observer::http(Job job) {
  Seen seen;
  Connection connection;
  if (!open_stream(job, connection, seen)) return seen;
  auto& observation = seen.observation;
  auto fault = connection.fault;
  const bool portal = connection.taken_by(BoxKind::portal);
  seen.ended_ms = connection.at_ms + 5;
  const auto heard = portal ? Heard{Heard::answer} : request(job, connection, Payload::http, seen);
  if (heard.kind != Heard::answer) {
    return failed(std::move(seen), heard.broken_off("http_timed_out"));
  }
  const auto far = traffic_.far(job.address);
  const auto body = job.with("body"), wanted = job.with("status"), upgrade = job.with("upgrade");
  int status = upgrade.empty() ? 200 : 101;
  if (!wanted.empty()) status = std::stoi(wanted);
  if (far == FarFault::error) status = 503;
  if (portal) status = 302;
  auto& reply = add(observation, "http_reply", {{"status", status}, {"body_bytes", 100}});
  if (portal) reply.facts[fact_of("redirect_host")] = "login.site.example";
  const bool matches = !portal && status == 200;
  if (!body.empty()) reply.facts[fact_of("body_matches")] = matches;
  reply.facts[fact_of("date_offset_s")] = 0.0;
  if (fault.empty() && !upgrade.empty() && status != 101) fault = "no_upgrade";
  if (fault.empty() && !wanted.empty() && std::to_string(status) != wanted) {
    fault = "unexpected_status";
  }
  if (fault.empty() && !body.empty() && !matches) fault = "unexpected_body";
  say(observation, fault.empty() ? Outcome::answered : Outcome::failed,
      fault.empty() ? std::to_string(status) : fault);
  return seen;
}

Seen Observer::proxy(Job job) {
  Seen seen;
  if (job.probe.target.route.direct()) {
    seen.observation.detail = detail_of("no_proxy");
    seen.ended_ms = job.at_ms;
    return seen;
  }
  if (open(job, seen).stands) say(seen.observation, Outcome::answered, "200");
  return seen;
}

Seen Observer::ipv6(Job job) {
  Seen seen;
  auto& observation = seen.observation;
  observation.attempts = 1;
  const auto& network = traffic_.network();
  if (job.probe.with.contains("service") && network.ipv6 == Ipv6::none) {
    say(observation, Outcome::skipped, "no_route");
    return seen;
  }
  const auto v4 = resolve(job.probe.target.host, job.at_ms);
  const auto family = [&](const char* version, std::string_view result) -> Evidence& {
    return add(observation, "family", {{"version", version}, {"result", std::string(result)}});
  };
  const bool broken = network.ipv6 == Ipv6::broken, six = network.ipv6 == Ipv6::works;
  const auto end_at = [&](double ms) {
    seen.ended_ms = broken ? std::max(ms, job.at_ms + 3500) : ms;
  };
  if (!v4.address) {
    end_at(job.at_ms + v4.took_ms);
    family("IPv6", v4.detail);
    family("IPv4", v4.detail);
    say(observation, Outcome::unresolved, v4.detail);
    return seen;
  }
  const auto connection = connect(*v4.address, job.probe.target.port(), job.at_ms + 250);
  const auto& four = connection.heard;
  end_at(connection.at_ms);
  auto& evidence = family("IPv6", six ? "connected" : broken ? "timed_out" : "no_route");
  evidence.facts[fact_of("address")] = "2001:4860::1";
  if (six) evidence.facts[fact_of("ms")] = traffic_.round_trip(*v4.address);
  auto& other = family("IPv4", connection.stands ? "connected" : four.reason());
  other.facts[fact_of("address")] = v4.address->to_string();
  if (connection.stands) other.facts[fact_of("ms")] = four.took_ms;
  observation.address = six ? IpAddress::parse("2001:4860::1") : v4.address;
  if (six || connection.stands) {
    say(observation, Outcome::connected, six ? "ipv6_first" : "ipv4_first");
    observation.round_trip = Milliseconds(six ? traffic_.round_trip(*v4.address) : four.took_ms);
    observation.timing_ms[Timing::connect] = observation.round_trip->count();
  } else {
    record(observation, four);
  }
  return seen;
}

Seen Observer::dns(Job job) {
  Seen seen;
  auto& observation = seen.observation;
  const auto& network = traffic_.network();
  const bool named = job.with("server") == "true";
  const auto name = job.with("name", job.probe.target.host), type = job.with("type", "A");
  auto server = resolver_of(network);
  bool elsewhere = false;  // an independent resolver's own words
  Heard heard{Heard::answer, network.dns_ms, 1};
  if (named) {
    const auto found = resolve(job.probe.target.host, job.at_ms);
    if (!found.address) {
      say(observation, Outcome::unresolved, found.detail);
      seen.ended_ms = job.at_ms + found.took_ms;
      return seen;
    }
    server = *found.address;
    job.address = server;
    auto question = packet(job, Payload::dns);
    if (job.probe.target.transport == Transport::udp) {
      heard = ask_udp(question, job.at_ms);
    } else {
      const auto connection = connect(server, question.port, job.at_ms);
      heard = connection.heard;
      if (connection.stands) heard = exchange(connection, question, reply_ms);
    }
    elsewhere = heard.kind == Heard::answer && heard.box == nullptr;
  } else if (network.resolver_outside) {
    job.address = server;
    auto question = packet(job, Payload::dns);
    question.port = 53;
    heard = ask_udp(question, job.at_ms);
  }
  const auto mode = elsewhere ? Dns::works : network.dns_for(name);
  if (mode == Dns::dead) heard = {Heard::nothing, reply_ms, 4};
  observation.address = server;
  observation.attempts = heard.attempts;
  seen.ended_ms = seen.first_reply_ms = job.at_ms + heard.took_ms;
  observation.timing_ms[Timing::dns] = heard.took_ms;
  const auto who = server.to_string() + ":53";
  if (heard.kind != Heard::answer) {
    add(observation, "dns_no_answer",
        {{"server", who},
         {"transport", "udp"},
         {"took_ms", heard.took_ms},
         {"reason", std::string(heard.reason())}});
    record(observation, heard);
    return seen;
  }
  observation.round_trip = Milliseconds(heard.took_ms);
  const auto answer = [&](const char* rcode, const std::string& records, Outcome outcome,
                          std::string_view detail) -> Evidence& {
    say(observation, outcome, detail);
    return add(observation, "dns_answer",
               {{"server", who},
                {"transport", "udp"},
                {"took_ms", heard.took_ms},
                {"rcode", rcode},
                {"type", type},
                {"name", name},
                {"records", records},
                {"count", records.empty() ? 0 : 1},
                {"authoritative", false},
                {"recursion_available", true}});
  };
  const bool gone = traffic_.far(Internet::address_of(name)) == FarFault::gone;
  if (mode == Dns::refused) {
    answer("REFUSED", "", Outcome::denied, "refused");
  } else if (mode == Dns::servfail) {
    answer("SERVFAIL", "", Outcome::failed, "servfail");
  } else if (mode == Dns::no_such_name || gone) {
    auto& evidence = answer("NXDOMAIN", "", Outcome::unresolved, "no_such_name");
    evidence.facts[fact_of("soa_zone")] = gone ? name.substr(name.find('.') + 1) : "filter.site";
  } else if (type == "PTR") {
    auto expected = job.with("expect");
    const auto star = expected.find('*');
    if (star != expected.npos) expected.replace(star, 1, "1");
    answer("NOERROR", expected.substr(0, expected.find(' ')), Outcome::answered, "records");
  } else if (mode == Dns::sinkhole) {
    answer("NOERROR", "0.0.0.0", Outcome::answered, "records");
    add(observation, "dns_special_address",
        {{"server", who}, {"address", "0.0.0.0"}, {"sinkhole", true}});
  } else {
    answer("NOERROR", Internet::address_of(name).to_string(), Outcome::answered, "records");
  }
  return seen;
}

}  // namespace callready::networks
