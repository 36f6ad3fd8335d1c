#include "checks/sip_locate.hpp"

#include <fmt/format.h>

#include <random>

#include "probe/net/dns_records.hpp"
#include "probe/net/together.hpp"

namespace callready::checks {
namespace {

// As `dns::order_srv` wants it.
std::uint32_t draw(std::uint32_t limit) {
  std::random_device device;
  return std::uniform_int_distribution<std::uint32_t>(0, limit)(device);
}

struct Answer {
  std::string name;
  std::uint16_t type = 0;
  // Nothing: the server said that the name or the type does not exist.
  Result<std::optional<dns::Message>> message = Failure{};

  template <typename Record>
  std::vector<Record> records() const {
    std::vector<Record> found;
    if (message.has_error() || !*message) return found;
    for (const auto* record : dns::answer_records(**message, name, type)) {
      if (const auto* data = std::get_if<Record>(&record->data)) found.push_back(*data);
    }
    return found;
  }
};

asio::awaitable<Answer> ask(Context& context, std::string name, std::uint16_t type) {
  Answer answer{std::move(name), type, Failure{}};
  auto message = co_await context.resolver.ask(answer.name, type, context.scope);
  answer.message = std::move(message);
  co_return answer;
}

// RFC 3263 section 4.1.
std::string srv_name(const std::string& domain, Transport transport) {
  if (transport == Transport::udp) return "_sip._udp." + domain;
  return (transport == Transport::tcp ? "_sip._tcp." : "_sips._tcp.") + domain;
}

void add_answer(SipLocation& location, const Answer& answer, EvidenceKind kind,
                const std::string& records) {
  FactMap facts{{Fact::name, answer.name}};
  if (!records.empty()) facts[Fact::records] = records;
  const auto type = dns::type_name(answer.type);
  Text text = fmt::format("{} {}: {}", type, answer.name, records);
  if (answer.message.has_error()) {
    const auto& failure = answer.message.error();
    facts[Fact::failure] = std::string(to_string(failure.kind));
    text = phrase("no answer for {} {}: {}", type, answer.name, failure.text);
  } else if (records.empty()) {
    text = phrase("no {} records for {}", type, answer.name);
  }
  add_evidence(location.seen, kind, std::move(text), std::move(facts));
}

std::string show(const dns::NaptrRecord& record) {
  return fmt::format("{} {} {} {}", record.order, record.preference, record.services,
                     record.replacement);
}

std::string show(const dns::SrvRecord& record) {
  return fmt::format("{} {} {} {}", record.priority, record.weight, record.port,
                     record.target.empty() ? "." : record.target);
}

// A stranger may list as many as a message holds.
template <typename Record>
std::string show_some(const std::vector<Record>& records) {
  constexpr std::size_t most = 10;
  std::string text;
  for (std::size_t i = 0; i < records.size() && i < most; ++i) {
    text += (i == 0 ? "" : ", ") + show(records[i]);
  }
  return text + (records.size() > most ? ", ..." : "");
}

void use_srv(SipLocation& location, const Answer& answer, const std::string& domain,
             std::uint16_t port) {
  const auto records = answer.records<dns::SrvRecord>();
  add_answer(location, answer, EvidenceKind::sip_srv, show_some(records));
  if (answer.message.has_error()) {
    location.failure = answer.message.error();
    return;
  }
  if (records.empty()) {
    location.targets.push_back({domain, port});
    return;
  }
  for (const auto& record : dns::order_srv(records, &draw)) {
    if (record.port != 0) location.targets.push_back({record.target, record.port});
  }
  if (!location.targets.empty()) return;
  // RFC 2782: a single record with the target "." says that the service is decidedly not there.
  // Records that all have port 0 are taken to say the same.
  location.no_service = true;
  location.failure = {
      FailureKind::no_address, "the domain says that it has no such service", 0, {}};
}

}  // namespace

asio::awaitable<SipLocation> locate_sip(Context& context, std::string domain, Target target) {
  SipLocation location;
  if (IpAddress::parse(domain)) {
    location.targets.push_back({domain, target.port()});
    co_return location;
  }
  const auto start = context.scope.clock.now();
  const auto usual = srv_name(domain, target.transport);
  std::vector<asio::awaitable<Answer>> questions;
  questions.push_back(ask(context, domain, dns::type_naptr));
  questions.push_back(ask(context, usual, dns::type_srv));
  auto answers = co_await together(context.executor, std::move(questions));
  const auto& naptr = answers[0];
  auto& srv = answers[1];
  const auto records = naptr.records<dns::NaptrRecord>();
  add_answer(location, naptr, EvidenceKind::sip_naptr, show_some(records));
  for (const auto& service : dns::order_sip_naptr(records)) {
    if (service.transport != target.transport) continue;
    if (!dns::same_name(service.srv_name, usual)) {
      srv = co_await ask(context, service.srv_name, dns::type_srv);
    }
    break;
  }
  use_srv(location, srv, domain, target.port());
  location.took = elapsed(start, context.scope.clock.now());
  co_return location;
}

void add_sip_target(Observation& seen, const SipTarget& target, const Observation& attempt) {
  const std::string outcome(to_string(attempt.outcome));
  FactMap facts{{Fact::host, target.host}, {Fact::port, target.port}, {Fact::outcome, outcome}};
  if (attempt.address) facts[Fact::address] = attempt.address->to_string();
  add_evidence(seen, EvidenceKind::sip_target,
               phrase("{}:{} was asked: {}", target.host, target.port,
                      attempt.detail.empty() ? outcome : attempt.detail.text()),
               std::move(facts));
}

}  // namespace callready::checks
