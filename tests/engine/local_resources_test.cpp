// What a run makes of a computer with few sockets, or little time.
#include "probe/engine/local_resources.hpp"

#include <gtest/gtest.h>

#include "probe/net/failure.hpp"

namespace callready {
namespace {

TEST(OwnMeans, FewSocketsMakeFewProbesAtATime) {
  EXPECT_EQ(probes_at_a_time(256, {4'096, 10}), 256);
  EXPECT_EQ(probes_at_a_time(256, {50, 10}), 10);
  EXPECT_EQ(probes_at_a_time(256, {12, 11}), 1);
  EXPECT_EQ(probes_at_a_time(256, {10, 12}), 1) << "more than were allowed later";
  EXPECT_EQ(probes_at_a_time(7, {4'096, 10}), 7);
}

TEST(OwnMeans, AReportSaysWhatWasMissing) {
  std::vector<ProbeResult> results(3);
  results[0].observation.outcome = Outcome::answered;
  results[1].observation.detail = DetailCode::not_needed;
  EXPECT_EQ(note_of_shortage(results, {12, 11}), std::nullopt);
  record(results[2].observation,
         classify(boost::system::errc::make_error_code(boost::system::errc::too_many_files_open)));
  const auto note = note_of_shortage(results, {12, 11});
  ASSERT_TRUE(note);
  EXPECT_NE(note->find("ran out of sockets or memory (\"Too many open files\"): 1 of 3 probes"),
            std::string::npos)
      << *note;
  EXPECT_NE(note->find("more than 12 files"), std::string::npos) << *note;
}

ProbeResult families(const std::string& six, const std::string& four) {
  ProbeResult result;
  result.probe.check = CheckKind::ipv6;
  for (const auto& [version, seen] : {std::pair("IPv6", six), std::pair("IPv4", four)}) {
    Evidence evidence;
    evidence.kind = EvidenceKind::family;
    evidence.facts[Fact::version] = std::string(version);
    evidence.facts[Fact::result] = seen;
    result.observation.evidence.push_back(evidence);
  }
  return result;
}

TEST(OwnMeans, MissingIpv6IsANote) {
  const auto missing = families("no_route", "connected");
  EXPECT_TRUE(note_of_missing_ipv6({missing, families("no_address", "connected")}));
  EXPECT_FALSE(note_of_missing_ipv6({missing, families("connected", "connected")}));
  EXPECT_FALSE(note_of_missing_ipv6({families("timed_out", "connected")})) << "a broken one";
  EXPECT_FALSE(note_of_missing_ipv6({families("no_address", "connected")})) << "nobody has it";
}

ProbeResult named(CheckKind check, const std::string& host, std::string_view detail) {
  ProbeResult result;
  result.probe.check = check;
  result.probe.target.host = host;
  result.observation.detail = *parse<DetailCode>(detail);
  return result;
}

TEST(OwnMeans, ADeniedCanaryIsANote) {
  auto web = named(CheckKind::tls, "www.example.com", "connected");
  web.observation.address = IpAddress::v4({192, 0, 2, 1});
  const auto canary = [](std::string_view detail) {
    auto question = named(CheckKind::dns, "", detail);
    question.probe.with["name"] = "use-application-dns.net";
    return question;
  };
  EXPECT_TRUE(note_of_canary({web, canary("no_such_name")}));
  EXPECT_TRUE(note_of_canary({web, canary("no_record")}));
  EXPECT_FALSE(note_of_canary({web, canary("records")}));
  EXPECT_FALSE(note_of_canary({web, canary("servfail")})) << "an error is nobody's wish";
  EXPECT_FALSE(note_of_canary({canary("no_such_name")})) << "perhaps no name exists here";
  EXPECT_FALSE(note_of_canary({web}));
  auto elsewhere = canary("no_such_name");
  elsewhere.probe.with["server"] = "true";
  EXPECT_FALSE(note_of_canary({web, elsewhere})) << "not the network's own resolver";
}

TEST(OwnMeans, ABusyComputerIsANote) {
  EXPECT_FALSE(note_of_stalls(Milliseconds(900), Milliseconds(2'000))) << "too short to matter";
  EXPECT_FALSE(note_of_stalls(Milliseconds(1'900), Milliseconds(10'000))) << "too small a part";
  const auto note = note_of_stalls(Milliseconds(2'500), Milliseconds(5'000));
  ASSERT_TRUE(note);
  EXPECT_NE(note->find("for 2.5 of the 5.0 seconds"), std::string::npos) << *note;
}

}  // namespace
}  // namespace callready
