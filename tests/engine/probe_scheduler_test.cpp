// What probes wait for, told to the scheduler by hand.
#include "probe/engine/probe_scheduler.hpp"

#include "tests/support/loop.hpp"

namespace callready {
namespace {

Probe tcp_to(const std::string& host, std::uint16_t port) {
  Probe probe;
  probe.target.host = host;
  probe.target.ports = {port, port};
  probe.id = probe_id(probe);
  return probe;
}

Observation answered_after(double ms) {
  Observation observation;
  observation.outcome = Outcome::answered;
  observation.round_trip = Milliseconds(ms);
  return observation;
}

TEST(ProbeScheduler, AFurtherProbeIsNotTheOneThatItsHostsDistanceWaitsFor) {
  test::Loop loop(test::Time::by_hand);
  auto tls = *TlsContext::create({});
  AresOptions dns;
  dns.servers = {"127.0.0.1:9"};
  Resolver resolver(loop.executor(), *AresChannel::create(loop.executor(), dns));
  SiteEdge edge(loop.executor());
  const checks::Settings settings;
  const auto end = loop.soon();
  const checks::Context context{loop.executor(), loop.scope, end, resolver, *tls, edge, settings};
  std::vector<PlannedProbe> planned(3);
  planned[0].probe = tcp_to("192.0.2.1", 443);
  planned[1].probe = tcp_to("192.0.2.2", 443);
  planned[2].probe = tcp_to("192.0.2.1", 8'443);
  planned[2].nearest_of = {"192.0.2.1", "192.0.2.2"};
  ProbeScheduler scheduler(context, planned, 1);
  const auto further = scheduler.add(tcp_to("192.0.2.1", 80));
  ASSERT_TRUE(further);
  for (const auto index : {std::size_t{0}, std::size_t{1}, *further}) {
    scheduler.note_start(index, std::nullopt);
  }
  scheduler.note_end(1, answered_after(40));
  scheduler.note_end(*further, Observation());
  const auto later = loop.clock.call_at(loop.soon(milliseconds(10)),
                                        [&] { scheduler.note_end(0, answered_after(5)); });
  EXPECT_FALSE(loop.run(scheduler.settled_by_others(2))) << "it is made: its host is the nearest";
}

}  // namespace
}  // namespace callready
