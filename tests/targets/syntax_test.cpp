#include "targets/syntax.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

TEST(Syntax, KnowsIds) {
  for (const auto* good : {"a", "turn-udp", "3", "a-1-b"}) EXPECT_TRUE(is_id(good)) << good;
  for (const auto* bad : {"", "A", "a_b", "-a", "a-", "a--b", "a b", "a.b", "\xc3\xa9"}) {
    EXPECT_FALSE(is_id(bad)) << bad;
  }
  EXPECT_TRUE(is_id(std::string(64, 'a')));
  EXPECT_FALSE(is_id(std::string(65, 'a')));
}

TEST(Syntax, KnowsVariableNames) {
  for (const auto* good : {"a", "sip_server", "v2"}) EXPECT_TRUE(is_variable_name(good)) << good;
  for (const auto* bad : {"", "2v", "_a", "A", "a-b", "a b"}) {
    EXPECT_FALSE(is_variable_name(bad)) << bad;
  }
}

TEST(Syntax, KnowsTheNamesOfSecrets) {
  for (const auto* secret : {"password", "turn_password", "Passwd", "authToken", "api-key",
                             "API_KEY", "client_secret", "privateKey", "credentials"}) {
    EXPECT_TRUE(names_a_secret(secret)) << secret;
  }
  for (const auto* plain : {"path", "realm", "issuer", "key", "pass", "user"}) {
    EXPECT_FALSE(names_a_secret(plain)) << plain;
  }
}

TEST(Syntax, MatchesWildcards) {
  EXPECT_TRUE(matches_wildcard("www.example.com", "*.example.com"));
  EXPECT_TRUE(matches_wildcard("a.b.example.com", "*.example.com"));
  EXPECT_TRUE(matches_wildcard("WWW.Example.com", "*.example.COM"));
  EXPECT_TRUE(matches_wildcard("turn-gra1.example.com", "turn-*.example.com"));
  EXPECT_TRUE(matches_wildcard("a1b2c", "a*b*c"));
  EXPECT_FALSE(matches_wildcard("abc", "a*b*c"));  // "*" is at least one character
  EXPECT_FALSE(matches_wildcard(".example.com", "*.example.com"));
  EXPECT_FALSE(matches_wildcard("example.com", "*.example.com"));
  EXPECT_FALSE(matches_wildcard("wwwexample.com", "*.example.com"));
  EXPECT_FALSE(matches_wildcard("www.example.com.evil.net", "*.example.com"));
  EXPECT_FALSE(matches_wildcard("", "*"));
}

TEST(Syntax, MatchesHostileWildcardsInBoundedTime) {
  std::string pattern;
  for (int i = 0; i < 120; ++i) pattern += "a*";
  EXPECT_FALSE(matches_wildcard(std::string(253, 'a') + 'b', pattern + 'c'));
}

TEST(Syntax, KnowsTheCalendar) {
  for (const auto* good : {"2024-02-29", "1990-01-01", "2026-12-31"}) {
    EXPECT_FALSE(date_problem(good, false)) << good;
  }
  for (const auto* bad :
       {"", "2025", "2025-05", "2025-02-29", "2025-04-31", "2025-00-01", "2025-1-01", "2025/05/07",
        "25-05-07xx", "+025-05-07", "1989-12-31", "2025-05-07Z"}) {
    EXPECT_TRUE(date_problem(bad, false)) << bad;
  }
  for (const auto* good : {"2025-05", "2025"}) EXPECT_FALSE(date_problem(good, true)) << good;
  for (const auto* bad : {"1985", "20-5", "2025-", "202"}) {
    EXPECT_TRUE(date_problem(bad, true)) << bad;
  }
  EXPECT_TRUE(date_problem("2025-13", true));
}

TEST(Syntax, ReadsADigestAsToolsWriteIt) {
  std::string digits, raised, parted;
  for (int i = 0; i < 32; ++i) {
    digits += "a7";
    raised += "A7";
    parted += i == 0 ? "A7" : ":a7";
  }
  EXPECT_EQ(sha256_digits(digits), digits);
  EXPECT_EQ(sha256_digits(raised), digits);
  EXPECT_EQ(sha256_digits(parted), digits);
  for (const auto& wrong :
       {std::string(), digits.substr(1), digits + "0", "g" + digits.substr(1), parted + ":",
        ":" + parted.substr(1), std::string(95, 'a'), std::string(64, ':')}) {
    EXPECT_FALSE(sha256_digits(wrong)) << wrong;
  }
}

TEST(Syntax, FindsVariables) {
  EXPECT_EQ(variables_in("a.${b}.${c}").names, (std::vector<std::string>{"b", "c"}));
  EXPECT_FALSE(variables_in("a.${b}.${c}").problem);
  EXPECT_TRUE(variables_in("$a $ {b}").names.empty());
  EXPECT_FALSE(variables_in("$a $ {b}").problem);
  for (const auto* bad : {"${", "${a", "${}", "${A}", "${a b}", "${${a}}"}) {
    EXPECT_TRUE(variables_in(bad).problem) << bad;
  }
}

TEST(Syntax, WantsAHostInAUrl) {
  EXPECT_FALSE(url_problem("https://example.com"));
  EXPECT_FALSE(url_problem("http://example.com:8080/a@b"));
  for (const auto* bad : {"", "example.com", "file:///etc/passwd", "https:/example.com", "https://",
                          "https:///a", "https://u@example.com", "https://a b/", "http"}) {
    EXPECT_TRUE(url_problem(bad)) << bad;
  }
}

}  // namespace
}  // namespace callready
