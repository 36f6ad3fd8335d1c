// Microsoft's list of service tags, by a file in its format (service_tags.json) and by bad ones.
#include "targets/service_tags.hpp"

#include <gtest/gtest.h>

#include "tests/support/source_folder.hpp"

namespace callready {
namespace {

const std::string sample = test::source_folder() + "/tests/targets/service_tags.json";

std::string problem_of(const std::string& text) {
  const auto read = read_service_tags(text, "tags.json");
  EXPECT_FALSE(read.tags);
  return read.problems.empty() ? "none" : read.problems.front().to_string();
}

// One tag with these prefixes, as Microsoft writes it.
std::string with_prefixes(const std::string& prefixes) {
  return "{\n  \"changeNumber\": 1,\n  \"cloud\": \"Public\",\n  \"values\": [\n    {\n"
         "      \"name\": \"AzureCloud.westus\",\n      \"properties\": {\n"
         "        \"addressPrefixes\": [" +
         prefixes + "]\n      }\n    }\n  ]\n}\n";
}

TEST(ServiceTags, AreReadAsMicrosoftPublishesThem) {
  const auto read = load_service_tags(sample);
  ASSERT_TRUE(read.tags) << read.problems.front().to_string();
  EXPECT_EQ(read.tags->cloud, "Public");
  EXPECT_EQ(read.tags->change_number, 341);
  EXPECT_EQ(read.tags->networks.size(), 12u);
  const auto* networks = read.tags->find("AzureCloud.centralus");
  ASSERT_NE(networks, nullptr);
  ASSERT_EQ(networks->size(), 4u);
  EXPECT_EQ(networks->front().to_string(), "20.40.0.0/16");
  EXPECT_EQ(networks->back().to_string(), "2603:1000::/46");
}

TEST(ServiceTags, CaseDoesNotMatter) {
  const auto read = load_service_tags(sample);
  ASSERT_TRUE(read.tags);
  EXPECT_EQ(read.tags->find("azurecloud.GermanyWC"), read.tags->find("AzureCloud.germanywc"));
  EXPECT_NE(read.tags->find("azurecloud.germanywc"), nullptr);
  EXPECT_EQ(read.tags->find("AzureCloud.nowhere"), nullptr);
}

TEST(ServiceTags, WhatIsNotTheFileSaysWhere) {
  EXPECT_EQ(problem_of(""),
            "tags.json:1:1: not JSON; expected Microsoft's ServiceTags_Public_*.json");
  EXPECT_EQ(problem_of("<html>\n"),
            "tags.json:1:1: not JSON; expected Microsoft's ServiceTags_Public_*.json");
  EXPECT_EQ(problem_of("{\n  \"cloud\": \"Public\",\n  oops"),
            "tags.json:3:3: not JSON; expected Microsoft's ServiceTags_Public_*.json");
  EXPECT_EQ(problem_of("{\n \"changeNumber\": 1e999}"),
            "tags.json:2:18: a number that is too large");
  EXPECT_EQ(problem_of("[]"),
            "tags.json:1:1: expected an object with \"cloud\", \"changeNumber\" and \"values\"");
  EXPECT_EQ(problem_of(R"({"changeNumber": 1, "cloud": "Public"})"),
            "tags.json:1:1: \"values\" is missing; expected a list of service tags");
  EXPECT_EQ(problem_of(R"({"changeNumber": 1, "cloud": "China", "values": [1]})"),
            "tags.json:1:21: the cloud is 'China'; expected 'Public': another cloud has other "
            "networks");
  EXPECT_EQ(problem_of(R"({"changeNumber": "1", "cloud": "Public", "values": [{}]})"),
            "tags.json:1:2: \"changeNumber\": expected a whole number");
  EXPECT_EQ(problem_of(std::string(40, '[') + std::string(40, ']')),
            "tags.json:1:1: too deeply nested for Microsoft's ServiceTags_Public_*.json");
  EXPECT_EQ(problem_of(R"({"changeNumber": 1, "cloud": "Public", "values": []})"),
            "tags.json:1:40: \"values\" is empty; expected service tags");
}

TEST(ServiceTags, ABadPrefixIsNamedWithItsPlace) {
  EXPECT_EQ(problem_of(with_prefixes("\"20.1.0.0/16\", \"20.1.0.0.0/16\"")),
            "tags.json:8:44: '20.1.0.0.0/16' is no network; expected one such as 20.37.158.0/23");
  EXPECT_EQ(problem_of(with_prefixes("\"20.1.0.1\"")),
            "tags.json:8:29: '20.1.0.1' is no network; expected one such as 20.37.158.0/23");
  EXPECT_EQ(problem_of(with_prefixes("\"20.1.0.1/16\"")),
            "tags.json:8:29: '20.1.0.1/16' has host bits; expected 20.1.0.0/16");
  EXPECT_EQ(problem_of(with_prefixes("7")),
            "tags.json:8:9: a prefix is no string; expected a network such as "
            "\"20.37.158.0/23\"");
}

TEST(ServiceTags, ATagIsThereOnce) {
  EXPECT_EQ(problem_of(R"({"changeNumber": 1, "cloud": "Public", "values": [
    {"name": "A.b", "properties": {"addressPrefixes": []}},
    {"name": "a.B", "properties": {"addressPrefixes": []}}]})"),
            "tags.json:3:14: the tag 'a.B' is there twice");
}

TEST(ServiceTags, NotEveryProblemOfAHostileFileIsListed) {
  std::string prefixes = "1";
  for (int i = 0; i < 1000; ++i) prefixes += ",1";
  EXPECT_EQ(read_service_tags(with_prefixes(prefixes), "x").problems.size(), 20u);
}

TEST(ServiceTags, AFileThatIsNotThereIsSaid) {
  const auto read = load_service_tags("/nonexistent/tags.json");
  ASSERT_EQ(read.problems.size(), 1u);
  EXPECT_EQ(read.problems[0].to_string(), "/nonexistent/tags.json: cannot be read: No such file or directory");
}

TEST(ServiceTags, BecomeTheRowsAddressesWithTheirRegions) {
  const auto tags = load_service_tags(sample).tags.value();
  TargetSet set;
  set.regions = {{"westus", "North America / West US"}};
  Requirement row;
  row.service_tags = {"AzureCloud.westus", "AzureCloud.UKWEST", "AzureCloud.nowhere"};
  EXPECT_EQ(add_service_tags(set, row, tags), std::vector<std::string>{"AzureCloud.nowhere"});
  ASSERT_EQ(row.addresses.size(), 8u);
  EXPECT_EQ(row.addresses[0].region, "westus");
  EXPECT_EQ(row.addresses[0].note, "AzureCloud.westus");
  EXPECT_EQ(row.addresses[4].region, "") << "not one of the set's";
}

}  // namespace
}  // namespace callready
