// One table from what went wrong to what is reported.
#include "probe/net/failure.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

namespace errc = boost::system::errc;

struct SystemCase {
  errc::errc_t error;
  FailureKind kind;
  Outcome outcome;
};

TEST(Failure, SystemErrorsHaveTheirKindAndOutcome) {
  const SystemCase cases[] = {
      {errc::connection_refused, FailureKind::connection_refused, Outcome::refused},
      {errc::connection_reset, FailureKind::connection_reset, Outcome::failed},
      {errc::broken_pipe, FailureKind::connection_reset, Outcome::failed},
      {errc::timed_out, FailureKind::timed_out, Outcome::silent},
      {errc::host_unreachable, FailureKind::unreachable, Outcome::rejected},
      {errc::network_unreachable, FailureKind::no_route, Outcome::skipped},
      {errc::address_not_available, FailureKind::no_route, Outcome::skipped},
      {errc::address_family_not_supported, FailureKind::no_route, Outcome::skipped},
      {errc::operation_not_permitted, FailureKind::kept_here, Outcome::rejected},
      {errc::permission_denied, FailureKind::kept_here, Outcome::rejected},
      {errc::too_many_files_open, FailureKind::out_of_resources, Outcome::skipped},
      {errc::too_many_files_open_in_system, FailureKind::out_of_resources, Outcome::skipped},
      {errc::no_buffer_space, FailureKind::out_of_resources, Outcome::skipped},
      {errc::not_enough_memory, FailureKind::out_of_resources, Outcome::skipped},
      {errc::invalid_argument, FailureKind::local, Outcome::skipped},
  };
  for (const auto& [error, kind, outcome] : cases) {
    const auto failure = classify(errc::make_error_code(error));
    EXPECT_EQ(to_string(failure.kind), to_string(kind)) << error;
    EXPECT_EQ(outcome_of(failure), outcome) << error;
    EXPECT_EQ(failure.code, error);
    EXPECT_NE(failure.text, "");
  }
  EXPECT_EQ(classify(asio::error::eof).kind, FailureKind::closed_by_peer);
}

TEST(Failure, ARouteOfThisComputerIsNotTheNetworks) {
  const auto unreachable = errc::make_error_code(errc::host_unreachable);
  const auto own = classify_first(unreachable);
  EXPECT_EQ(own.kind,
            platform::icmp_supported() ? FailureKind::no_route : FailureKind::unreachable);
  EXPECT_EQ(own.code, errc::host_unreachable);
  IcmpError router;
  router.kind = IcmpKind::host_unreachable;
  router.sender = IpAddress::v4({10, 0, 0, 1});
  EXPECT_EQ(classify_first(unreachable, router).kind, FailureKind::unreachable);
  EXPECT_EQ(classify_first(errc::make_error_code(errc::connection_refused)).kind,
            FailureKind::connection_refused);
}

TEST(Failure, OfAConnectionThatStandsIsTheNetworks) {
  const auto lost = classify_standing(errc::make_error_code(errc::network_unreachable));
  EXPECT_EQ(lost.kind,
            platform::icmp_supported() ? FailureKind::unreachable : FailureKind::no_route);
  EXPECT_EQ(classify_standing(errc::make_error_code(errc::connection_reset)).kind,
            FailureKind::connection_reset);
  EXPECT_EQ(classify_standing(errc::make_error_code(errc::network_down)).kind,
            FailureKind::no_route);
}

TEST(Failure, ShortagesAreCounted) {
  const auto before = shortages();
  classify(errc::make_error_code(errc::connection_refused));
  EXPECT_EQ(shortages(), before);
  classify(errc::make_error_code(errc::no_buffer_space));
  EXPECT_EQ(shortages(), before + 1);
}

IcmpError icmp(IcmpKind kind, const char* sender) {
  IcmpError error;
  error.kind = kind;
  error.sender = *IpAddress::parse(sender);
  error.type = 3;
  error.code = 13;
  return error;
}

struct IcmpCase {
  IcmpKind kind;
  const char* sender;
  FailureKind failure;
  Outcome outcome;
};

TEST(Failure, IcmpErrorsNameTheirSender) {
  const IcmpCase cases[] = {
      // Only the target itself can say that its port is closed.
      {IcmpKind::port_unreachable, "192.0.2.1", FailureKind::connection_refused, Outcome::refused},
      {IcmpKind::port_unreachable, "10.0.0.1", FailureKind::connection_refused, Outcome::rejected},
      {IcmpKind::prohibited, "10.0.0.1", FailureKind::prohibited, Outcome::rejected},
      {IcmpKind::host_unreachable, "10.0.0.1", FailureKind::unreachable, Outcome::rejected},
      {IcmpKind::network_unreachable, "10.0.0.1", FailureKind::unreachable, Outcome::rejected},
      {IcmpKind::time_exceeded, "10.0.0.1", FailureKind::ttl_exceeded, Outcome::rejected},
      {IcmpKind::other, "10.0.0.1", FailureKind::unreachable, Outcome::rejected},
  };
  for (const auto& [kind, sender, expected, outcome] : cases) {
    const auto failure = classify(asio::error::connection_refused, icmp(kind, sender));
    EXPECT_EQ(to_string(failure.kind), to_string(expected));
    Observation observation;
    observation.address = IpAddress::parse("192.0.2.1");
    record(observation, failure);
    EXPECT_EQ(observation.outcome, outcome) << sender;
    EXPECT_EQ(observation.detail.text(), to_string(expected));
    ASSERT_EQ(observation.evidence.size(), 1u);
    EXPECT_EQ(observation.evidence[0].kind, EvidenceKind::icmp_error);
    EXPECT_EQ(std::get<std::string>(observation.evidence[0].facts.at(Fact::sender)), sender);
    EXPECT_EQ(std::get<std::int64_t>(observation.evidence[0].facts.at(Fact::code)), 13);
  }
}

TEST(Failure, OwnIcmpErrorsAreTheFirewallsOfThisComputer) {
  const auto said_by_us = [](IcmpKind kind) {
    auto error = icmp(kind, "10.20.0.23");
    error.own = true;
    return classify(asio::error::connection_refused, error);
  };
  for (const auto kind : {IcmpKind::port_unreachable, IcmpKind::prohibited}) {
    Observation observation;
    observation.address = IpAddress::parse("192.0.2.1");
    record(observation, said_by_us(kind));
    EXPECT_EQ(observation.outcome, Outcome::rejected);
    EXPECT_EQ(observation.detail.text(), "kept_here");
  }
  const auto said_by = [](const char* sender, const char* target) {
    return said_by_this_computer(icmp(IcmpKind::port_unreachable, sender),
                                 *IpAddress::parse("10.20.0.23"), *IpAddress::parse(target));
  };
  EXPECT_TRUE(said_by("10.20.0.23", "192.0.2.1"));
  EXPECT_FALSE(said_by("10.20.0.23", "10.20.0.23")) << "a service of its own that is not there";
  EXPECT_FALSE(said_by("10.20.0.1", "192.0.2.1"));
  for (const char* sinkhole : {"0.0.0.0", "127.0.0.1", "::"}) {
    EXPECT_FALSE(said_by("10.20.0.23", sinkhole)) << sinkhole << " is this computer";
  }
  // What a system tells itself of a neighbour that does not answer.
  EXPECT_EQ(said_by_us(IcmpKind::host_unreachable).kind, FailureKind::unreachable);
}

TEST(Failure, WithoutIcmpTheErrorIsTheEvidence) {
  Observation observation;
  record(observation, classify(asio::error::connection_refused));
  EXPECT_EQ(observation.outcome, Outcome::refused);
  ASSERT_EQ(observation.evidence.size(), 1u);
  EXPECT_EQ(observation.evidence[0].kind, EvidenceKind::error);
  EXPECT_EQ(observation.evidence[0].text, "Connection refused");
}

TEST(Failure, OfAStopIsNoNewsOfTheNetwork) {
  Observation observation;
  record(observation, stopped());
  EXPECT_EQ(observation.outcome, Outcome::skipped);
  EXPECT_EQ(observation.detail, DetailCode::stopped);
  EXPECT_EQ(outcome_of(timed_out()), Outcome::silent);
}

TEST(Failure, TheValueOfAFailureIsABug) {
  const Result<int> result = timed_out();
  EXPECT_THROW(static_cast<void>(result.value()), std::logic_error);
}

}  // namespace
}  // namespace callready
