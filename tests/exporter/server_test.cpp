// The web server with real sockets: TLS, logins, many at once; and runs that are real children.
#include "probe/exporter/server.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "probe/platform/descriptor.hpp"
#include "probe/util/base64.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/temporary_file.hpp"

namespace callready::exporter {
namespace {

using asio::ip::tcp;
using std::chrono::seconds;

// htpasswd -nbB alice wonderland
constexpr auto wonderland = "$2y$05$abcdefghijklmnopqrstuuA0vov2GDneHB3.8.cv9UF9g.RdvScIW";

struct Fixture {
  explicit Fixture(WebConfig web = {}) {
    auto made =
        Server::start(loop.get_executor(), Scope{clock, stop}, {IpAddress::v4({127, 0, 0, 1}), 0},
                      std::move(web), [this](const Request& request, Pages::Answer answer) {
                        requests.push_back(request);
                        answer({200, "body of " + request.target});
                      });
    if (made.has_error()) throw std::runtime_error(made.error().text);
    server = std::move(*made);
  }
  ~Fixture() {
    server->stop();
    loop.run_for(seconds(5));
  }
  // Sends it whole, and reads until the server closes.
  std::string say(const std::string& text) {
    std::string all;
    asio::co_spawn(loop, talk(text, all), [this](std::exception_ptr) { loop.stop(); });
    loop.restart();
    loop.run_for(seconds(60));
    return all;
  }
  asio::awaitable<void> talk(std::string text, std::string& all) {
    tcp::socket socket(loop);
    const tcp::endpoint there(asio::ip::address_v4::loopback(), server->local().port);
    co_await socket.async_connect(there, asio::as_tuple(asio::use_awaitable));
    co_await asio::async_write(socket, asio::buffer(text), asio::as_tuple(asio::use_awaitable));
    co_await asio::async_read(socket, asio::dynamic_buffer(all),
                              asio::as_tuple(asio::use_awaitable));
  }
  std::string get(const std::string& target, const std::string& fields = "") {
    return say(
        fmt::format("GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{}\r\n", target, fields));
  }

  StopSignal stop;
  asio::io_context loop{1};
  SystemClock clock{loop.get_executor()};
  std::vector<Request> requests;
  std::unique_ptr<Server> server;
};

TEST(ExporterServer, AnswersAndHandsOnWhatMatters) {
  Fixture f;
  const auto reply = f.get("/probe?set=a", "X-Prometheus-Scrape-Timeout-Seconds: 7.5\r\n");
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 200 OK\r\n")) << reply;
  EXPECT_TRUE(reply.ends_with("\r\n\r\nbody of /probe?set=a")) << reply;
  EXPECT_NE(reply.find("X-Content-Type-Options: nosniff\r\n"), std::string::npos);
  ASSERT_EQ(f.requests.size(), 1u);
  EXPECT_EQ(f.requests[0].scrape_timeout, "7.5");
  const auto head = f.say("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
  EXPECT_NE(head.find("Content-Length: 9\r\n"), std::string::npos) << head;
}

TEST(ExporterServer, KeepsAConnection) {
  Fixture f;
  const auto two = f.say(
      "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_NE(two.find("body of /a"), std::string::npos) << two;
  EXPECT_TRUE(two.ends_with("body of /b")) << two;
}

TEST(ExporterServer, RefusesWhatIsNoRequest) {
  Fixture f;
  EXPECT_TRUE(f.say("hello\r\n\r\n").starts_with("HTTP/1.1 400 ")) << "no HTTP";
  EXPECT_TRUE(f.say("GET / HTTP/1.1\r\nA: " + std::string(20'000, 'a') + "\r\n\r\n")
                  .starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(f.say("POST / HTTP/1.1\r\nContent-Length: 9999999\r\nConnection: close\r\n\r\nabc")
                  .starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(f.requests.empty());
}

TEST(ExporterServer, AsksForALogin) {
  WebConfig web;
  web.users["alice"] = wonderland;
  web.headers = {{"X-Frame-Options", "deny"}};
  Fixture f(web);
  const auto with = [&](const std::string& login) {
    return f.get("/metrics", "Authorization: Basic " + base64(login) + "\r\n").substr(9, 3);
  };
  const auto refused = f.get("/metrics");
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 401 ")) << refused;
  EXPECT_NE(refused.find("WWW-Authenticate: Basic realm=\"callready\"\r\n"), std::string::npos);
  EXPECT_NE(refused.find("X-Frame-Options: deny\r\n"), std::string::npos);
  EXPECT_EQ(with("alice:wonderland"), "200");
  EXPECT_EQ(with("alice:wonderland"), "200") << "remembered";
  EXPECT_EQ(with("alice:Wonderland"), "401");
  EXPECT_EQ(with(std::string("alice:wonderland\0x", 18)), "401");
  EXPECT_EQ(with("bob:wonderland"), "401");
  EXPECT_EQ(with("bob:"), "401");
  EXPECT_EQ(with("alice"), "401");
  EXPECT_EQ(f.get("/", "Authorization: Bearer x\r\n").substr(9, 3), "401");
  EXPECT_EQ(f.requests.size(), 2u);
}

TEST(WebConfig, SaysWhereAndWhatIsWrong) {
  const auto said = [](const std::string& text) {
    const test::TemporaryFile file(text);
    const auto loaded = load_web_config(file.path());
    std::string all;
    for (const auto& problem : loaded.problems) {
      all += problem.to_string().substr(file.path().size()) + '\n';
    }
    EXPECT_EQ(loaded.config.has_value(), all.empty());
    return all;
  };
  EXPECT_EQ(said(""), "");
  EXPECT_EQ(said("basic_auth_users: { alice: \"" + std::string(wonderland) + "\" }\n"), "");
  EXPECT_EQ(said("http_server_config: { http2: false, headers: { X-Frame-Options: deny } }\n"), "");
  const auto plain = said("basic_auth_users: { alice: s3cret }\n");
  EXPECT_TRUE(plain.starts_with(":1:28: 'basic_auth_users': expected the password's bcrypt hash"))
      << plain;
  EXPECT_EQ(plain.find("s3cret"), std::string::npos);
  EXPECT_NE(said("tls_server_config: { cert_file: a.pem }\n").find("'cert_file' and 'key_file'"),
            std::string::npos);
  EXPECT_NE(
      said("tls_server_config: { cert_file: a.pem, key_file: a.pem }\n").find("'cert_file': "),
      std::string::npos);
  EXPECT_NE(said("tls_server_config: { cert: x }\n").find("unknown key 'cert'"), std::string::npos);
  EXPECT_NE(said("rate_limit: { burst: 1 }\n").find("unknown key 'rate_limit'"), std::string::npos);
  EXPECT_NE(said("- 1\n"), "");
}

TEST(ExporterServer, WhoHoldsConnectionsKeepsNobodyOut) {
  Fixture f;
  const tcp::endpoint there(asio::ip::address_v4::loopback(), f.server->local().port);
  std::vector<tcp::socket> mute;
  for (int i = 0; i < 300; ++i) {
    mute.emplace_back(f.loop);
    mute.back().open(tcp::v4());
    mute.back().bind({asio::ip::address_v4({127, 0, 0, 2}), 0});
    mute.back().connect(there);
  }
  f.loop.restart();
  f.loop.run_for(std::chrono::milliseconds(100));
  EXPECT_TRUE(f.get("/probe?set=a").starts_with("HTTP/1.1 200 "));
}

// --- Runs ---------------------------------------------------------------------------------------

class Folder {
 public:
  Folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "callready-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  // A program in place of callready.
  std::string script(const std::string& text) const {
    const auto file = path_ + "/program";
    std::ofstream(file) << "#!/bin/sh\n" << text;
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    return file;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct RunFixture {
  RunEnd run(const std::string& script, std::optional<milliseconds> timeout = std::nullopt) {
    std::optional<RunEnd> end;
    ChildRuns runs(loop.get_executor(), clock,
                   {folder.script(script), folder.path(), "Lyon", "here"});
    Job job;
    job.set = "a";
    job.module = "default";
    job.targets = {"rainbow"};
    runs.start(job, timeout, [&](RunEnd one) {
      end = std::move(one);
      loop.stop();
    });
    loop.restart();
    loop.run_for(seconds(60));
    EXPECT_TRUE(end);
    return end.value_or(RunEnd{});
  }
  asio::io_context loop{1};
  SystemClock clock{loop.get_executor()};
  Folder folder;
};

TEST(ChildRuns, TakesWhatIsPrintedAndSaysWhyNot) {
  RunFixture f;
  EXPECT_EQ(f.run("echo metrics 1; exit 1").metrics, "metrics 1\n") << "blocked is a result";
  EXPECT_EQ(f.run("echo first >&2; echo why not >&2; exit 2").error, "why not");
  EXPECT_EQ(f.run("echo some; kill -9 $$").error, "the run ended with status -9");
  EXPECT_EQ(f.run("exit 0").error, "the run ended with status 0");
  EXPECT_EQ(f.run("head -c 3000000 /dev/zero").error, "the run said too much");
  EXPECT_EQ(f.run("printf 'a\\033[2Jb' >&2; exit 2").error, "a\\x1b[2Jb");
}

TEST(ChildRuns, WhatIsAskedForHasNoSecretAndNothingOfARequest) {
  Job job;
  job.set = "calls";
  job.module = "phones";
  job.targets = {"rainbow", "webex"};
  job.options = {"--credentials=/etc/callready/turn"};
  const Places places{"callready", "/state", "Lyon", "user VLAN"};
  const std::vector<std::string> expected{"check",
                                          "--quiet",
                                          "--no-keep",
                                          "--color=never",
                                          "--site=Lyon",
                                          "--place=user VLAN",
                                          "--history=/state/calls@phones.json",
                                          "--report=html=/state/calls@phones.html",
                                          "--report=exporter=/state/calls@phones.prom",
                                          "--report=exporter",
                                          "--timeout=9.500",
                                          "--credentials=/etc/callready/turn",
                                          "rainbow",
                                          "webex"};
  EXPECT_EQ(check_arguments(job, places, milliseconds(9'500)), expected);
}

TEST(ChildRuns, LeaveNoDescriptorOpen) {
  RunFixture f;
  f.run("echo a 1");
  const auto before = platform::descriptors().open;
  for (int i = 0; i < 100; ++i) f.run(i % 2 == 0 ? "echo a 1" : "exit 2");
  EXPECT_EQ(platform::descriptors().open, before);
}

TEST(ChildRuns, AreEndedWithTheirOwner) {
  RunFixture f;
  {
    ChildRuns runs(
        f.loop.get_executor(), f.clock,
        {f.folder.script("cd " + f.folder.path() + "; echo $$ > new; mv new pid; exec sleep 600"),
         f.folder.path(), "Lyon", ""});
    Job job;
    job.set = "a";
    runs.start(job, std::nullopt, [](RunEnd) { ADD_FAILURE() << "nobody is called any more"; });
    for (int i = 0; i < 6'000 && !std::filesystem::exists(f.folder.path() + "/pid"); ++i) {
      f.loop.run_for(milliseconds(10));
      f.loop.restart();
    }
  }
  std::ifstream file(f.folder.path() + "/pid");
  long id = 0;
  file >> id;
  ASSERT_GT(id, 0);
  EXPECT_FALSE(std::filesystem::exists(fmt::format("/proc/{}/exe", id)));
  f.loop.run_for(milliseconds(50));
}

}  // namespace
}  // namespace callready::exporter
