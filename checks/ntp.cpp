// ntp: one SNTP question (RFC 5905 section 14).
//
// Sends a client request of version 4 over UDP; what comes back counts only where it repeats the
// random number that we sent (section 8, the origin timestamp). Outcomes: `answered` with
// "synchronised", with the offset of this machine's clock as a fact that is not judged here;
// `denied` where the server sent a kiss-o'-death (section 7.4: "kiss_deny", "kiss_rate" ...);
// `failed` with "not_synchronised" (the server does not know the time either; it may say so with
// stratum 0, like a kiss) or "malformed";
// `silent`, `refused` and `rejected` as for any request.
#include <fmt/format.h>

#include <cmath>

#include "checks/dial.hpp"
#include "checks/kinds.hpp"
#include "probe/net/ntp.hpp"
#include "probe/net/udp.hpp"
#include "probe/util/digest.hpp"
#include "probe/util/text.hpp"

namespace callready::checks {
namespace {

void add_reply(Observation& observation, const ntp::Packet& packet) {
  FactMap facts{{Fact::stratum, packet.stratum},
                {Fact::leap, packet.leap},
                {Fact::version, packet.version},
                {Fact::root_delay_ms, packet.root_delay_ms},
                {Fact::root_dispersion_ms, packet.root_dispersion_ms}};
  // Beyond stratum 1 the reference is an address in the server's own network.
  if (packet.stratum <= 1) facts[Fact::reference] = ntp::reference_text(packet);
  add_evidence(observation, EvidenceKind::ntp_reply,
               phrase("a time server of stratum {} answered", packet.stratum), std::move(facts));
}

void add_offset(Observation& observation, const ntp::Sample& sample, bool exact) {
  const double offset = sample.offset.count();
  constexpr double much = 10'000;
  const bool seconds = std::abs(offset) >= much;
  const auto amount = seconds ? fmt::format("{:.0f} s", std::abs(offset) / 1000)
                              : fmt::format("{:.0f} ms", std::abs(offset));
  // After a retransmission it is not known which request was answered: the offset is then that of
  // the way back alone, and off by as much as that took.
  FactMap facts{{Fact::offset_ms, offset}, {Fact::exact, exact}};
  if (exact) facts[Fact::delay_ms] = sample.delay.count();
  add_evidence(observation, EvidenceKind::clock_offset,
               offset > 0
                   ? phrase("this computer's clock is {} slow compared with this server", amount)
                   : phrase("this computer's clock is {} fast compared with this server", amount),
               std::move(facts));
}

// The codes that tell a client something; the others are in the evidence, as sent.
DetailCode kiss(std::string_view sent) {
  const auto code = lower_case(sent);
  if (code == "deny") return DetailCode::kiss_deny;
  if (code == "rate") return DetailCode::kiss_rate;
  if (code == "rstr") return DetailCode::kiss_rstr;
  return DetailCode::kiss_other;
}

void conclude(Observation& observation, const ntp::Packet& packet) {
  if (ntp::is_kiss(packet)) {
    set_outcome(observation, Outcome::denied, kiss(ntp::reference_text(packet)));
    return;
  }
  const auto fault = ntp::reply_fault(packet);
  if (fault.empty()) return set_outcome(observation, Outcome::answered, DetailCode::synchronised);
  set_outcome(observation, Outcome::failed, fault);
}

}  // namespace

asio::awaitable<Observation> run_ntp(Context& context, Job job) {
  auto observation = begin_check(context, job);
  auto& clock = context.scope.clock;
  auto socket = open_udp(context, job.remote());
  if (socket.has_error()) {
    record(observation, socket.error());
    co_return observation;
  }
  observation.local = socket->local();
  const auto nonce = random_number<std::uint64_t>();
  const auto request = ntp::encode_request(nonce);
  std::optional<ntp::Packet> packet;
  std::optional<Failure> malformed;
  const UdpMatch matches = [&](const Datagram& datagram) {
    const auto parsed = ntp::parse_packet(datagram.bytes);
    if (parsed.has_error()) {
      malformed = parsed.error();
      return false;
    }
    if (parsed->originate != nonce) return false;
    packet = *parsed;
    return true;
  };
  const auto patience = patience_for(job);
  const auto outcome = co_await udp_request(*socket, context.scope, request, matches, patience);
  if (outcome.has_error()) {
    observation.attempts = outcome.error().attempts;
    const auto& failure = outcome.error().failure;
    record(observation, malformed && failure.kind == FailureKind::timed_out ? *malformed : failure);
    note_short_wait(observation, job, patience.reply);
    co_return observation;
  }
  observation.attempts = outcome->attempts;
  observation.round_trip = outcome->round_trip;
  add_reply(observation, *packet);
  conclude(observation, *packet);
  if (observation.outcome != Outcome::answered) co_return observation;
  // The wall clock is read once; the rest is steady time, which nobody can set meanwhile.
  const auto since_arrival = clock.now() - outcome->datagram.arrived;
  const auto arrived =
      clock.wall_now() - std::chrono::duration_cast<WallTime::duration>(since_arrival);
  ntp::Sample sample;
  if (outcome->round_trip) {
    const auto trip = std::chrono::duration_cast<WallTime::duration>(*outcome->round_trip);
    sample = ntp::measure(*packet, arrived - trip, arrived);
  } else {
    sample.offset = ntp::measure_back(*packet, arrived);
  }
  add_offset(observation, sample, outcome->round_trip.has_value());
  co_return observation;
}

}  // namespace callready::checks
