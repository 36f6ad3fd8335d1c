// Who may see the page: the browser that was sent here by this user's own file, and nobody else
// (docs/ui.md). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "probe/web/web_server.hpp"

namespace callready::ui {

// Random texts that nobody can guess.
struct Keys {
  std::string token;   // for one entry, in the file's address
  std::string cookie;  // for all that follows
  std::string folder;  // in each path: cookies ignore ports, and go only where this path is known
};
// 256 bits for each, from the system.
Keys make_keys();

class Gate {
 public:
  Gate(std::uint16_t port, Keys keys) : port_(port), keys_(std::move(keys)) {}

  enum class Kind { refused, entering, inside };
  struct Decision {
    Kind kind = Kind::refused;
    std::string path;  // inside: after the folder, without a query: "report"
    std::string why;   // refused: for the log, without secrets
  };
  // The token is good for one request that comes to `entering`.
  Decision decide(const WebRequest& request);

  std::string entry() const;         // the address for the file, with the token
  std::string home() const;          // the page's path
  std::string cookie_field() const;  // the value of Set-Cookie

 private:
  std::string why_foreign(const WebRequest& request, bool entering) const;
  bool has_cookie(const WebRequest& request) const;

  std::uint16_t port_;
  Keys keys_;
  bool used_ = false;
};

// "127.0.0.1:8620" with that port, and nothing else that means the same.
bool is_own_host(std::string_view host, std::uint16_t port);
bool is_own_origin(std::string_view origin, std::uint16_t port);

}  // namespace callready::ui
