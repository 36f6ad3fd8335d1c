#include "targets/feeds.hpp"

#include <gtest/gtest.h>

#include "targets/loader.hpp"
#include "targets/refresh.hpp"
#include "tests/targets/rules.hpp"

namespace callready::feeds_test {
namespace {

using test::rules;

// As Microsoft's service gives them, in short.
constexpr auto m365 = R"([
 {"id": 11, "serviceArea": "Skype", "serviceAreaDisplayName": "Microsoft Teams",
  "ips": ["192.0.2.0/24", "2001:db8::/32"], "udpPorts": "3478,3479", "expressRoute": true,
  "category": "Optimize", "required": true},
 {"id": 12, "serviceArea": "Skype", "urls": ["*.lync.com", "teams.example.com"],
  "ips": ["192.0.2.0/24"], "tcpPorts": "443,80", "category": "Allow", "required": true},
 {"id": 17, "serviceArea": "Skype", "urls": ["aka.example.com"], "tcpPorts": "443",
  "category": "Default", "required": false, "notes": "Say \"hello\""},
 {"id": 18, "serviceArea": "Skype", "urls": ["*.users.example.com"], "tcpPorts": "443",
  "category": "Default", "required": true},
 {"id": 56, "serviceArea": "Common", "urls": ["login.example.com"], "tcpPorts": "443"}
])";
constexpr auto aws = R"({"syncToken": "1", "createDate": "2025-07-24-20-23-14",
 "prefixes": [
  {"ip_prefix": "192.0.2.0/24", "region": "us-east-1", "service": "AMAZON_CONNECT"},
  {"ip_prefix": "198.51.100.0/24", "region": "eu-west-2", "service": "AMAZON_CONNECT"},
  {"ip_prefix": "203.0.113.0/24", "region": "GLOBAL", "service": "CHIME_MEETINGS"},
  {"ip_prefix": "203.0.113.0/24", "region": "GLOBAL", "service": "CHIME_MEETINGS"},
  {"ip_prefix": "11.0.0.0/8", "region": "GLOBAL", "service": "CHIME_MEETINGS_OTHER"}],
 "ipv6_prefixes": [
  {"ipv6_prefix": "2001:db8::/32", "region": "us-east-1", "service": "AMAZON_CONNECT"}]})";
constexpr auto google = R"({"syncToken": "1", "creationTime": "2025-07-24T20:00:00", "prefixes": [
  {"ipv4Prefix": "192.0.2.0/24", "service": "Google Cloud", "scope": "us-east1"},
  {"ipv6Prefix": "2001:db8::/32"}]})";
constexpr auto zoom = "192.0.2.0/24\r\n198.51.100.0/25\n\n# nothing\n2001:db8::/32";
constexpr auto azure = R"({"changeNumber": 7, "cloud": "Public", "values": [
  {"name": "AzureCloud.westus", "properties": {"addressPrefixes": ["192.0.2.0/24"]}},
  {"name": "AzureCloud.ukwest", "properties": {"addressPrefixes": ["198.51.100.0/24"]}}]})";

Feed read(FeedKind kind, const std::string& text, const std::string& source) {
  auto result = read_feed(kind, text, source);
  for (const auto& problem : result.problems) ADD_FAILURE() << problem.to_string();
  return result.feed.value_or(Feed{});
}

std::string problem_of(FeedKind kind, const std::string& text) {
  const auto result = read_feed(kind, text, "feed");
  EXPECT_FALSE(result.feed) << text;
  return result.problems.empty() ? "none" : result.problems[0].to_string();
}

std::vector<std::string> networks(const Feed& feed, std::string_view key) {
  std::vector<std::string> texts;
  const auto entry = feed.find(key);
  if (!entry) return {"no entry"};
  for (const auto& network : entry->networks) texts.push_back(network.to_string());
  return texts;
}

TEST(Feeds, OfMicrosoft365HavePortsNamesAndPriorities) {
  const auto feed = read(FeedKind::m365, m365, "endpoints.json");
  ASSERT_EQ(feed.entries.size(), 5u);
  const auto media = feed.find("11").value();
  EXPECT_EQ(networks(feed, "11"), (std::vector<std::string>{"192.0.2.0/24", "2001:db8::/32"}));
  EXPECT_EQ(media.udp, (std::vector<PortRange>{{3478, 3478}, {3479, 3479}}));
  EXPECT_TRUE(media.tcp.empty());
  EXPECT_EQ(media.priority, Priority::optimize);
  const auto web = feed.find("12").value();
  EXPECT_EQ(web.names, std::vector<std::string>{"teams.example.com"});
  EXPECT_EQ(web.wildcards, std::vector<std::string>{"*.lync.com"});
  EXPECT_EQ(web.tcp, (std::vector<PortRange>{{443, 443}, {80, 80}}));
  EXPECT_FALSE(feed.find("17")->required);
  EXPECT_FALSE(feed.find("1"));
}

TEST(Feeds, OfAmazonAreJoinedByServiceAndRegion) {
  const auto feed = read(FeedKind::aws, aws, "ip-ranges.json");
  EXPECT_EQ(feed.edition, "2025-07-24-20-23-14");
  EXPECT_EQ(networks(feed, "AMAZON_CONNECT"),
            (std::vector<std::string>{"192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"}));
  EXPECT_EQ(networks(feed, "AMAZON_CONNECT/eu-west-2"),
            std::vector<std::string>{"198.51.100.0/24"});
  EXPECT_EQ(networks(feed, "CHIME_MEETINGS"), std::vector<std::string>{"203.0.113.0/24"});
  EXPECT_EQ(networks(feed, "CHIME"), std::vector<std::string>{"no entry"});
}

TEST(Feeds, OfGoogleZoomAndAzure) {
  const auto cloud = read(FeedKind::google, google, "cloud.json");
  EXPECT_EQ(networks(cloud, "us-east1"), std::vector<std::string>{"192.0.2.0/24"});
  EXPECT_EQ(networks(cloud, "").size(), 2u);
  const auto lines = read(FeedKind::zoom, zoom, "/tmp/ZoomMeetings.txt");
  EXPECT_EQ(networks(lines, "ZoomMeetings"),
            (std::vector<std::string>{"192.0.2.0/24", "198.51.100.0/25", "2001:db8::/32"}));
  const auto url = read(FeedKind::zoom, zoom, "https://assets.example.com/ZoomPhone.txt");
  EXPECT_EQ(networks(url, "ZoomPhone").size(), 3u);
  const auto tags = read(FeedKind::azure, azure, "tags.json");
  EXPECT_EQ(networks(tags, "azurecloud.westus"), std::vector<std::string>{"192.0.2.0/24"});
}

TEST(Feeds, SayWhereTheyAreWrong) {
  EXPECT_EQ(problem_of(FeedKind::m365, "[\n {\"id\": 1, oops}]"),
            "feed:2:12: not JSON; expected the endpoints of Microsoft 365");
  EXPECT_EQ(problem_of(FeedKind::m365, "{}"), "feed:1:1: expected a list of endpoint sets");
  EXPECT_EQ(problem_of(FeedKind::m365, "[]"), "feed:1:1: holds no entry");
  EXPECT_EQ(problem_of(FeedKind::m365, "[{\"id\": \"1\", \"serviceArea\": \"Skype\"}]"),
            "feed:1:3: \"id\": expected a whole number");
  EXPECT_EQ(problem_of(FeedKind::m365,
                       "[{\"id\": 1, \"serviceArea\": \"S\",\n\"ips\": [\"192.0.2.1/24\"]}]"),
            "feed:2:9: '192.0.2.1/24' has host bits; expected 192.0.2.0/24");
  EXPECT_EQ(problem_of(FeedKind::m365,
                       "[{\"id\": 1, \"serviceArea\": \"S\", \"udpPorts\": \"3478,99999\"}]"),
            "feed:1:32: \"udpPorts\": '99999' is no port");
  EXPECT_EQ(problem_of(FeedKind::m365,
                       "[{\"id\": 1, \"serviceArea\": \"S\", \"urls\": [\"a b.example\"]}]")
                .substr(0, 40),
            std::string("feed:1:41: 'a b.example' is no name of a").substr(0, 40));
  EXPECT_EQ(
      problem_of(FeedKind::m365,
                 "[{\"id\": 1, \"serviceArea\": \"S\"},\n{\"id\": 1, \"serviceArea\": \"S\"}]"),
      "feed:2:2: two entries have the id 1");
  EXPECT_EQ(problem_of(FeedKind::aws, "{\"prefixes\": []}"),
            "feed:1:1: \"ipv6_prefixes\" is missing; expected a list of prefixes");
  EXPECT_EQ(problem_of(FeedKind::google, "{\"prefixes\": [{\"ipv4Prefix\": 1}]}"),
            "feed:1:16: \"ipv4Prefix\": expected a network");
  EXPECT_EQ(problem_of(FeedKind::zoom, "192.0.2.0/24\n<html>\n"),
            "feed:2:1: '<html>' is no network; expected one such as 3.7.35.0/25");
  EXPECT_EQ(problem_of(FeedKind::zoom, "\n"), "feed: holds no network");
  EXPECT_EQ(problem_of(FeedKind::aws, std::string(1000, '[')),
            "feed:1:1: too deeply nested for Amazon's ip-ranges.json");
}

TEST(Feeds, MakeSetsThatAreValid) {
  const std::pair<FeedKind, std::pair<const char*, const char*>> feeds[] = {
      {FeedKind::m365, {m365, "endpoints.json"}},
      {FeedKind::aws, {aws, "ip-ranges.json"}},
      {FeedKind::google, {google, "goog.json"}},
      {FeedKind::zoom, {zoom, "Zoom.txt"}},
  };
  for (const auto& [kind, what] : feeds) {
    const auto text = set_from_feed(read(kind, what.first, what.second), "2026-11-21");
    const auto loaded = load_text(text, "new.yaml", rules());
    for (const auto& problem : loaded.problems)
      ADD_FAILURE() << problem.to_string() << '\n' << text;
    ASSERT_TRUE(loaded.set);
    EXPECT_EQ(loaded.set->evidence, SourceQuality::vendor_feed);
    EXPECT_EQ(loaded.set->verified, "2026-11-21");
    // What was made from the feed is up to date with it.
    const auto again = refresh_set(text, "new.yaml", read(kind, what.first, what.second), rules());
    EXPECT_TRUE(again.problems.empty());
    EXPECT_TRUE(again.changes.empty()) << again.changes[0];
  }
  const auto teams =
      load_text(set_from_feed(read(FeedKind::m365, m365, "f"), "2026-11-21"), "new.yaml", rules());
  ASSERT_TRUE(teams.set);
  ASSERT_EQ(teams.set->requirements.size(), 4u);  // none of another service
  const auto* media = teams.set->find_requirement("entry-11-udp");
  ASSERT_NE(media, nullptr);
  EXPECT_EQ(media->check, CheckKind::udp_range);
  EXPECT_FALSE(media->listening);
  EXPECT_EQ(media->feed, "m365/11");
  EXPECT_EQ(media->priority, Priority::optimize);
  EXPECT_EQ(teams.set->find_requirement("entry-18")->unprobed,
            "the feed gives only wildcards, and no name to try");
  EXPECT_EQ(teams.set->find_requirement("entry-17")->severity, Severity::optional);
}

std::string with_row(const std::string& row) {
  return "schema: callready.targets/1\nid: x\ntitle: X  # mine\n"
         "regions: [{ id: r, title: R }]\n"
         "capabilities: [{ id: c, title: C, needs: [media] }]\n"
         "requirements:\n"
         "  # The media.\n" +
         row +
         "  - id: last\n    title: L\n    check: tls\n    transport: [tls]\n    ports: [443]\n"
         "    hosts: [own.example.com]\n";
}

RefreshResult refreshed(const std::string& row, FeedKind kind = FeedKind::zoom,
                        const std::string& feed = zoom,
                        const std::string& source = "ZoomMeetings.txt") {
  return refresh_set(with_row(row), "x.yaml", read(kind, feed, source), rules());
}

constexpr auto head =
    "  - id: media\n    title: M\n    check: udp-range\n    transport: [udp]\n    ports: "
    "[8801-8810]\n"
    "    feed: zoom/ZoomMeetings\n";

TEST(Refresh, ChangesOnlyWhatTheFeedChanged) {
  const auto result = refreshed(std::string(head) +
                                "    addresses:\n"
                                "      - 192.0.2.0/24  # the oldest\n"
                                "      # gone soon\n"
                                "      - { network: 203.0.113.0/24, region: r }\n"
                                "      - { network: 198.51.100.0/25, region: r, note: \"ours\" }\n"
                                "\n"
                                "    # Behind the list.\n"
                                "    listening: false\n");
  ASSERT_TRUE(result.problems.empty()) << result.problems[0].to_string();
  EXPECT_EQ(result.text,
            with_row(std::string(head) +
                     "    addresses:\n"
                     "      - 192.0.2.0/24  # the oldest\n"
                     "      # gone soon\n"
                     "      - { network: 198.51.100.0/25, region: r, note: \"ours\" }\n"
                     "      - \"2001:db8::/32\"\n"
                     "\n"
                     "    # Behind the list.\n"
                     "    listening: false\n"));
  EXPECT_EQ(result.changes,
            (std::vector<std::string>{"media: gone: 203.0.113.0/24", "media: new: 2001:db8::/32"}));
}

TEST(Refresh, RewritesAListInBrackets) {
  const auto result =
      refreshed(std::string(head) +
                "    addresses: [192.0.2.0/24, { network: 198.51.100.0/25, note: \"a: b\" },\n"
                "                203.0.113.0/24]\n"
                "    note: n\n");
  ASSERT_TRUE(result.problems.empty()) << result.problems[0].to_string();
  EXPECT_EQ(result.text,
            with_row(std::string(head) + "    addresses:\n"
                                         "      - 192.0.2.0/24\n"
                                         "      - { network: 198.51.100.0/25, note: \"a: b\" }\n"
                                         "      - \"2001:db8::/32\"\n"
                                         "    note: n\n"));
  const auto closed_below =
      refreshed(std::string(head) +
                "    addresses: [\n"
                "      192.0.2.0/24, { network: 198.51.100.0/25, note: \"a: b\" },\n"
                "    ]\n"
                "    note: n\n");
  ASSERT_TRUE(closed_below.problems.empty()) << closed_below.problems[0].to_string();
  EXPECT_EQ(closed_below.text, result.text);
}

TEST(Refresh, KeepsTheLineEndsOfWindows) {
  const auto as_windows = [](const std::string& text) {
    std::string all;
    for (const char c : text) all += c == '\n' ? "\r\n" : std::string(1, c);
    return all;
  };
  const auto list = std::string(head) +
                    "    addresses:\n"
                    "      - 192.0.2.0/24\n"
                    "\n"
                    "      - 203.0.113.0/24\n"
                    "    listening: false\n";
  const auto result = refresh_set(as_windows(with_row(list)), "x.yaml",
                                  read(FeedKind::zoom, zoom, "ZoomMeetings.txt"), rules());
  ASSERT_TRUE(result.problems.empty()) << result.problems[0].to_string();
  const auto as_usual = refreshed(list);
  EXPECT_EQ(result.text, as_windows(as_usual.text));
  EXPECT_EQ(result.changes, as_usual.changes);
}

TEST(Refresh, KeepsWhatIsTheAuthorsOwn) {
  const auto lists = std::string(head) +
                     "    addresses:\n"
                     "      - 192.0.2.0/24\n"
                     "      - { network: 203.0.113.0/24, lifecycle: removed }\n"
                     "      - 203.0.113.1-203.0.113.9\n"
                     "      - 198.51.100.0/25\n"
                     "      - 2001:db8::/32\n";
  const auto same = refreshed(lists);
  ASSERT_TRUE(same.problems.empty()) << same.problems[0].to_string();
  EXPECT_TRUE(same.changes.empty());
  EXPECT_EQ(same.text, with_row(lists));
  // A file without any IPv6 says nothing of it.
  const auto v4 = refreshed(lists, FeedKind::zoom, "192.0.2.0/24\n");
  EXPECT_EQ(v4.changes, std::vector<std::string>{"media: gone: 198.51.100.0/25"});
}

TEST(Refresh, KeepsAnAnchorAndFollowsItsAlias) {
  const auto result = refreshed(std::string(head) +
                                "    addresses: &all [192.0.2.0/24]\n"
                                "  - id: again\n    title: A\n    check: udp-range\n"
                                "    transport: [udp]\n    ports: [3478]\n"
                                "    feed: zoom/ZoomMeetings\n    addresses: *all\n");
  ASSERT_TRUE(result.problems.empty()) << result.problems[0].to_string();
  EXPECT_NE(result.text.find("    addresses: &all\n      - 192.0.2.0/24\n"), std::string::npos);
  EXPECT_NE(result.text.find("    addresses: *all\n"), std::string::npos);
  const auto set = load_text(result.text, "x.yaml", rules()).set;
  ASSERT_TRUE(set);
  EXPECT_EQ(set->find_requirement("again")->addresses.size(), 3u);
}

TEST(Refresh, FillsARowThatHasNoListYet) {
  const auto result = refreshed(
      "  - id: media\n    title: M\n    unprobed: no ports known\n"
      "    feed: m365/12\n    note: n\n",
      FeedKind::m365, m365, "endpoints.json");
  ASSERT_TRUE(result.problems.empty()) << result.problems[0].to_string();
  EXPECT_NE(result.text.find("    feed: m365/12\n"
                             "    hosts:\n      - \"teams.example.com\"\n"
                             "    wildcards:\n      - \"*.lync.com\"\n"
                             "    addresses:\n      - \"192.0.2.0/24\"\n"
                             "    note: n\n"),
            std::string::npos)
      << result.text;
}

TEST(Refresh, KeepsExamplesAndPorts) {
  const auto result = refreshed(
      "  - id: media\n    title: M\n    check: tls\n    transport: [tls]\n    ports: [443]\n"
      "    feed: m365/12\n    hosts:\n      - meet.lync.com\n      - gone.example.com\n"
      "    wildcards:\n      - { pattern: \"*.lync.com\", examples: [a.lync.com] }\n",
      FeedKind::m365, m365, "endpoints.json");
  ASSERT_TRUE(result.problems.empty()) << result.problems[0].to_string();
  EXPECT_EQ(result.changes, (std::vector<std::string>{"media: gone: gone.example.com",
                                                      "media: new: teams.example.com"}));
  EXPECT_NE(result.text.find("examples: [a.lync.com]"), std::string::npos);
  EXPECT_NE(result.text.find("ports: [443]\n    feed"), std::string::npos);
}

TEST(Refresh, FindsAzuresTags) {
  const auto result = refreshed(
      "  - id: media\n    title: M\n    check: udp-range\n    transport: [udp]\n    ports: [3478]\n"
      "    service_tags: [AzureCloud.westus, AzureCloud.ukwest]\n",
      FeedKind::azure, azure, "tags.json");
  ASSERT_TRUE(result.problems.empty()) << result.problems[0].to_string();
  EXPECT_EQ(result.changes, std::vector<std::string>{"media: new: 192.0.2.0/24, 198.51.100.0/24"});
}

TEST(Refresh, SaysWhatItCannotDo) {
  const auto unknown = refreshed(
      "  - id: media\n    title: M\n    unprobed: u\n    feed: aws/NEW\n    addresses: "
      "[192.0.2.0/24]\n",
      FeedKind::aws, aws, "ip-ranges.json");
  EXPECT_EQ(unknown.warnings, std::vector<std::string>{"media: ip-ranges.json has no entry 'NEW'; "
                                                       "the row stays as it is"});
  const auto none = refreshed("  - id: media\n    title: M\n    unprobed: u\n");
  ASSERT_EQ(none.problems.size(), 1u);
  EXPECT_EQ(none.problems[0].to_string(),
            "x.yaml: no row names this feed; add for instance 'feed: zoom/ZoomMeetings'");
  const auto braces = refreshed(
      "  - { id: media, title: M, unprobed: u, feed: zoom/ZoomMeetings, addresses: "
      "[192.0.2.0/24] }\n");
  ASSERT_EQ(braces.problems.size(), 1u);
  EXPECT_EQ(braces.problems[0].to_string(),
            "x.yaml:8:66: the row 'media' is written in { }; expected each key on a line of its "
            "own");
  const auto broken = refreshed("  - id: media\n    titel: M\n");
  ASSERT_FALSE(broken.problems.empty());
  EXPECT_TRUE(broken.text.empty());
}

// What opens a firewall to everybody, or to the site itself, is no service's network.
TEST(Feeds, TakeOnlyNetworksOfThePublicInternet) {
  for (const auto* network :
       {"0.0.0.0/0", "::/0", "52.0.0.0/7", "2000::/15", "0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8",
        "100.64.0.0/10", "169.254.169.254/32", "172.0.0.0/8", "192.168.1.0/24", "224.0.0.0/8",
        "240.0.0.0/8", "fd00::/16", "fe80::/16", "ff00::/16", "::1/128", "::ffff:0:0/96"}) {
    const auto lines = read_feed(FeedKind::zoom, std::string(network) + '\n', "list");
    EXPECT_FALSE(lines.feed) << network;
    const auto json = read_feed(
        FeedKind::google,
        R"({"creationTime": "x", "prefixes": [{"ipv4Prefix": ")" + std::string(network) + R"("}]})",
        "list");
    EXPECT_FALSE(json.feed) << network;
    ASSERT_FALSE(json.problems.empty());
    EXPECT_NE(json.problems.front().message.find(network), std::string::npos);
  }
  for (const auto* network : {"52.0.0.0/8", "3.7.35.0/25", "2620:1ec::/36", "2603::/16"}) {
    EXPECT_TRUE(read_feed(FeedKind::zoom, std::string(network) + '\n', "list").feed) << network;
  }
}

}  // namespace
// Each would take many seconds if the time grew with the square of the length.
TEST(Feeds, AreReadInTimeHoweverLongTheyAre) {
  std::string names;
  for (int i = 0; i < 50'000; ++i) {
    names += (i == 0 ? "\"n" : ",\"n") + std::to_string(i) + ".example.com\"";
  }
  const auto entry = [](const std::string& rest) {
    return "[{\"id\": 1, \"serviceArea\": \"Skype\", " + rest + "}]";
  };
  const auto feed = read(FeedKind::m365, entry("\"urls\": [" + names + "]"), "f");
  EXPECT_EQ(feed.find("1")->names.size(), 50'000u);
  problem_of(FeedKind::m365, entry("\"tcpPorts\": \"" + std::string(500'000, ',') + "\""));
}

}  // namespace callready::feeds_test
