// dns: one question to each of the system's resolvers, or to one named server (RFC 1035, 7766).
//
// Sends a question of class IN with EDNS over UDP or over TCP, as the target's transport says, to
// all servers at once; `name` (or the target's host) is what is asked for. With `server: true` the
// target's own host and port are the server. A truncated UDP answer is asked for again by TCP.
// The outcome is that of the first server in the system's order that settled the question, as a
// program would see it; all servers' answers are in the evidence.
// Outcomes: `answered` where there are records of the type; `unresolved` with "no_such_name"
// (NXDOMAIN) or "no_record" (the name exists without that type); `denied` with "refused" (the
// server does not serve us); `failed` with "servfail", "formerr" ... or "malformed", with
// "truncated" where the whole answer needs TCP and TCP fails, unless this computer itself is why,
// or with "unexpected_answer" where `expect` is not among the records; `silent`, `refused` and
// `rejected` as for any request.
// Extended errors (RFC 8914), a policy zone's SOA, and private or sinkhole addresses for public
// names are recorded as facts and not judged.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "checks/kinds.hpp"
#include "probe/net/dns_client.hpp"
#include "probe/net/together.hpp"
#include "probe/util/text.hpp"

namespace callready::checks {
namespace {

// A machine with more resolvers than this has a mistake in its configuration; programs try three.
constexpr std::size_t most_servers = 8;
constexpr std::size_t most_records = 20;  // of an answer: no more are shown or reported as special

Observation skipped(DetailCode detail, Text text) {
  Observation observation;
  observation.detail = detail;
  add_evidence(observation, EvidenceKind::not_asked, std::move(text), {});
  return observation;
}

std::string show(const dns::Record& record) {
  struct Shown {
    std::string operator()(std::monostate) const { return "?"; }
    std::string operator()(const IpAddress& address) const { return address.to_string(); }
    std::string operator()(const std::string& name) const { return name.empty() ? "." : name; }
    std::string operator()(const dns::SrvRecord& srv) const {
      return fmt::format("{} {} {} {}", srv.priority, srv.weight, srv.port, (*this)(srv.target));
    }
    std::string operator()(const dns::NaptrRecord& naptr) const {
      return fmt::format("{} {} \"{}\" \"{}\" \"{}\" {}", naptr.order, naptr.preference,
                         naptr.flags, naptr.services, naptr.regexp, (*this)(naptr.replacement));
    }
    std::string operator()(const dns::SoaRecord& soa) const { return soa.mname + " " + soa.rname; }
  };
  return std::visit(Shown{}, record.data);
}

// "rtc-*.example.com": one star for any part of a name.
bool fits(std::string_view name, std::string_view pattern) {
  const auto star = pattern.find('*');
  if (star == pattern.npos) return dns::same_name(name, pattern);
  const auto head = pattern.substr(0, star), tail = pattern.substr(star + 1);
  if (name.size() < head.size() + tail.size()) return false;
  return dns::same_name(name.substr(0, head.size()), head) &&
         dns::same_name(name.substr(name.size() - tail.size()), tail);
}

// Names that private networks give to themselves (RFC 6762, RFC 8375, ICANN's .internal).
bool is_local_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.find('.') == name.npos) return true;
  constexpr std::array patterns{"*.local", "*.internal", "*.home.arpa",
                                "*.lan",   "*.corp",     "*.localhost"};
  return std::ranges::any_of(patterns, [&](const char* pattern) { return fits(name, pattern); });
}

struct DnsRequest {
  dns::Question question;
  dns::Exchange exchange;
  std::vector<const dns::Record*> records() const {
    if (exchange.reply.has_error()) return {};
    return dns::answer_records(*exchange.reply, question.name, question.type);
  }
  bool settled() const { return !exchange.reply.has_error() && dns::is_final(*exchange.reply); }
};

// This computer could ask there, and was not stopped meanwhile.
bool was_asked(const DnsRequest& request) {
  const auto& reply = request.exchange.reply;
  return !reply.has_error() || outcome_of(reply.error()) != Outcome::skipped;
}

asio::awaitable<DnsRequest> ask_one(asio::any_io_executor executor, Scope scope,
                                    dns::Question question) {
  DnsRequest asked;
  asked.question = question;
  asked.exchange = co_await dns::ask(executor, scope, question);
  co_return asked;
}

std::string extended_errors(const dns::Message& message) {
  std::string text;
  for (const auto& error : message.extended_errors) {
    if (!text.empty()) text += "; ";
    text += fmt::format("{} {}", error.code, dns::extended_error_name(error.code));
    if (!error.text.empty()) text += ": " + error.text;
  }
  return text;
}

void add_special_addresses(Observation& observation, const DnsRequest& asked) {
  if (is_local_name(asked.question.name)) return;
  auto records = asked.records();
  if (records.size() > most_records) records.resize(most_records);
  for (const auto* record : records) {
    const auto* address = std::get_if<IpAddress>(&record->data);
    if (address == nullptr || !address->is_special()) continue;
    // What a filter puts in place of an address.
    const bool sinkhole = address->is_unspecified() || address->is_loopback();
    const auto server = asked.question.server.to_string(), shown = address->to_string();
    add_evidence(
        observation, EvidenceKind::dns_special_address,
        phrase("{} resolves {} to {}, which {}", server, asked.question.name, shown,
               sinkhole ? phrase("leads nowhere") : phrase("is not on the public Internet")),
        {{Fact::server, server}, {Fact::address, shown}, {Fact::sinkhole, sinkhole}});
  }
}

// RFC 8020: the SOA of a negative answer names the zone that denies the name. A policy zone's
// stands among the additional records (draft-vixie-dnsop-dns-rpz section 6).
std::string denying_zone(const dns::Message& message) {
  for (const auto& record : message.records) {
    if (record.section == dns::Section::answer) continue;
    if (std::holds_alternative<dns::SoaRecord>(record.data)) return record.name;
  }
  return {};
}

void add_answer(Observation& observation, const DnsRequest& asked) {
  const auto& exchange = asked.exchange;
  const auto server = asked.question.server.to_string();
  Evidence evidence;
  evidence.facts[Fact::server] = server;
  evidence.facts[Fact::transport] = asked.question.tcp || exchange.retried_by_tcp ? "tcp" : "udp";
  evidence.facts[Fact::took_ms] = exchange.took.count();
  if (exchange.retried_by_tcp) evidence.facts[Fact::truncated_over_udp] = true;
  if (exchange.without_edns) evidence.facts[Fact::without_edns] = true;
  if (exchange.reply.has_error()) {
    const auto& failure = exchange.reply.error();
    evidence.kind = EvidenceKind::dns_no_answer;
    evidence.text = phrase("{} did not answer: {}", server, failure.text);
    evidence.facts[Fact::reason] = std::string(to_string(failure.kind));
    observation.evidence.push_back(std::move(evidence));
    return;
  }
  const auto& message = *exchange.reply;
  std::string shown;
  const auto records = asked.records();
  for (std::size_t i = 0; i < records.size() && i < most_records; ++i) {
    shown += (i == 0 ? "" : ", ") + show(*records[i]);
  }
  if (records.size() > most_records) shown += ", ...";
  const auto rcode = dns::rcode_name(message.rcode);
  const auto type = dns::type_name(asked.question.type);
  evidence.kind = EvidenceKind::dns_answer;
  evidence.text = phrase("{} answered {} in {} ms: {}", server, rcode,
                         fmt::format("{:.0f}", exchange.took.count()),
                         shown.empty() ? phrase("no {} record", type) : Text(type + " " + shown));
  evidence.facts[Fact::rcode] = rcode;
  evidence.facts[Fact::type] = type;
  evidence.facts[Fact::name] = asked.question.name;
  evidence.facts[Fact::records] = shown;
  evidence.facts[Fact::count] = static_cast<std::int64_t>(records.size());
  evidence.facts[Fact::authoritative] = message.authoritative;
  evidence.facts[Fact::recursion_available] = message.recursion_available;
  if (!records.empty()) evidence.facts[Fact::ttl] = records.front()->ttl;
  const auto errors = extended_errors(message);
  if (!errors.empty()) {
    evidence.text += " (" + errors + ")";
    evidence.facts[Fact::extended_errors] = errors;
    evidence.facts[Fact::extended_error_code] = message.extended_errors.front().code;
  }
  const auto canonical = dns::canonical_name(message, asked.question.name);
  if (!dns::same_name(canonical, asked.question.name))
    evidence.facts[Fact::canonical_name] = canonical;
  const auto zone = denying_zone(message);
  if (records.empty() && !zone.empty()) evidence.facts[Fact::soa_zone] = zone;
  observation.evidence.push_back(std::move(evidence));
  add_special_addresses(observation, asked);
}

bool fits_any(const std::string& name, std::string_view patterns) {
  return std::ranges::any_of(split(patterns, " "), [&](std::string_view pattern) {
    return !pattern.empty() && fits(name, pattern);
  });
}

bool is_expected(const dns::Record& record, const std::string& expect) {
  if (const auto* address = std::get_if<IpAddress>(&record.data)) {
    const auto network = Network::parse(expect);
    const auto same = IpAddress::parse(expect);
    return (network && network->contains(*address)) || (same && *same == *address);
  }
  if (const auto* name = std::get_if<std::string>(&record.data)) {
    return fits_any(*name, expect);
  }
  if (const auto* srv = std::get_if<dns::SrvRecord>(&record.data)) {
    return fits_any(srv->target, expect);
  }
  return show(record).find(expect) != std::string::npos;
}

void judge_rcode(Observation& observation, int rcode) {
  const auto word = lower_case(dns::rcode_name(rcode));
  observation.detail = parse<DetailCode>(word).value_or(DetailCode::other_rcode);
  observation.outcome = rcode == dns::rcode_refused ? Outcome::denied : Outcome::failed;
}

void conclude(Observation& observation, const DnsRequest& asked, const std::string& expect) {
  const auto& exchange = asked.exchange;
  observation.address = asked.question.server.address;
  observation.local = exchange.local;
  observation.round_trip = exchange.round_trip;
  observation.attempts = exchange.attempts;
  observation.timing_ms[Timing::dns] = exchange.took.count();
  if (exchange.reply.has_error()) {
    const auto& failure = exchange.reply.error();
    record(observation, failure);
    const bool tried = observation.outcome != Outcome::skipped && !is_of_this_computer(failure);
    if (exchange.retried_by_tcp && tried) {
      set_outcome(observation, Outcome::failed, DetailCode::truncated);
    }
    return;
  }
  if (!asked.settled()) {
    judge_rcode(observation, exchange.reply->rcode);
    return;
  }
  const auto records = asked.records();
  if (!records.empty()) {
    set_outcome(observation, Outcome::answered, DetailCode::records);
    const bool found = std::any_of(records.begin(), records.end(), [&](const dns::Record* record) {
      return is_expected(*record, expect);
    });
    if (!expect.empty() && !found) {
      set_outcome(observation, Outcome::failed, DetailCode::unexpected_answer);
    }
    return;
  }
  const bool missing = exchange.reply->rcode == dns::rcode_name_error;
  set_outcome(observation, Outcome::unresolved,
              missing ? DetailCode::no_such_name : DetailCode::no_record);
}

std::vector<SocketAddress> servers_to_ask(const Context& context, const Job& job) {
  if (job.parameter("server") == "true") return {job.remote()};
  std::vector<SocketAddress> servers;
  for (const auto& text : context.resolver.channel().servers()) {
    const auto server = parse_socket_address(text, 53);
    if (server && servers.size() < most_servers) servers.push_back(*server);
  }
  return servers;
}

// PTR needs an address: for a name, its first one. Empty where the observation says why.
asio::awaitable<std::string> reverse_question(Context& context, std::string name,
                                              Observation& observation) {
  if (name.ends_with(".arpa")) co_return name;
  const auto resolution = co_await context.resolver.resolve_target(name, context.scope);
  if (resolution.addresses.has_error()) {
    record(observation, resolution.addresses.error());
    co_return std::string();
  }
  co_return dns::reverse_name(resolution.addresses->front());
}

}  // namespace

asio::awaitable<Observation> run_dns(Context& context, Job job) {
  Observation observation;
  const auto type = dns::parse_type(job.parameter("type", "A"));
  auto name = job.parameter("name", job.probe.target.host);
  if (!type)
    co_return skipped(DetailCode::bad_parameter,
                      phrase("unknown record type: use A, AAAA, SRV, NAPTR, PTR, CNAME or SOA"));
  if (job.parameter("server") == "true" && job.parameter("name").empty()) {
    co_return skipped(DetailCode::bad_parameter,
                      phrase("a server is given, but no name to look up there"));
  }
  if (*type == dns::type_ptr) {
    const auto literal = IpAddress::parse(name);
    if (literal) {
      name = dns::reverse_name(*literal);
    } else {
      name = co_await reverse_question(context, name, observation);
    }
    if (name.empty()) co_return observation;
  }
  const auto encoded = dns::encode_question(0, name, *type, true);
  if (encoded.has_error() || IpAddress::parse(name)) {
    co_return skipped(DetailCode::not_a_name,
                      phrase("{} is not a name that can be looked up", name));
  }
  const auto servers = servers_to_ask(context, job);
  if (servers.empty())
    co_return skipped(DetailCode::no_resolver, phrase("this computer has no DNS server"));
  observation.sent_at = context.scope.clock.wall_now();
  std::vector<asio::awaitable<DnsRequest>> work;
  for (const auto& server : servers) {
    dns::Question question;
    question.server = server;
    question.name = name;
    question.type = *type;
    question.tcp = job.probe.target.transport != Transport::udp;
    // The system's own are asked by the way that names are resolved in this run.
    if (!asks_system_resolvers(job.probe)) question.interface = context.settings.interface;
    const auto link = context.resolver.channel().interface_of(server.address);
    if (!link.empty()) question.interface = link;
    work.push_back(ask_one(context.executor, context.scope, question));
  }
  const auto all = co_await together(context.executor, std::move(work));
  for (const auto& asked : all) add_answer(observation, asked);
  auto told = std::ranges::find_if(all, &DnsRequest::settled);
  if (told == all.end()) told = std::ranges::find_if(all, was_asked);
  conclude(observation, told == all.end() ? all.front() : *told, job.parameter("expect"));
  co_return observation;
}

}  // namespace callready::checks
