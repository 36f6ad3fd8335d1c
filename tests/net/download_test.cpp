// Files from a web server on loopback.
#include "probe/net/download.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/bytes.hpp"
#include "tests/support/environment.hpp"
#include "tests/support/scripted_server.hpp"

namespace callready {
namespace {

Download downloaded(const std::string& url) {
  DownloadRequest request;
  request.url = url;
  request.most = 100;
  request.limit = milliseconds(10'000);
  return download(request);
}

TEST(Downloads, AreRedirectedToHttpFromHttpOnly) {
  test::set_variable("no_proxy", "*");
  asio::io_context context;
  std::string place;
  test::ScriptedTcp server(context, [&](auto& connection, const test::Bytes& bytes) {
    if (bytes.empty()) return;
    const bool old = std::string(bytes.begin(), bytes.end()).starts_with("GET /old");
    connection.send(test::bytes_of(old ? "HTTP/1.1 302 Found\r\nLocation: http://" + place +
                                             "/new\r\nContent-Length: 0\r\n\r\n"
                                       : "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlist"));
    connection.close();
  });
  place = server.address().to_string();
  std::thread thread([&] { context.run(); });
  EXPECT_EQ(downloaded("http://" + place + "/old").body, "list");
  EXPECT_EQ(downloaded("HTTP://" + place + "/old").body, "list");
  const auto guessed = downloaded(place + "/old");
  EXPECT_NE(guessed.problem, "");
  EXPECT_EQ(guessed.body, "");
  context.stop();
  thread.join();
}

}  // namespace
}  // namespace callready
