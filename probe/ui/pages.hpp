// What the page's program answers to which request. All of it stands behind the gate; what a run
// or a report says comes from children of this program.
//
//   /enter?token=...          once: the cookie, and on to the page
//   /FOLDER/                  the page; style.css, script.js, result.js, words.js, icon.svg
//   services, service?id=ID   what `list --json` and `show --json` print
//   events                    the run's state as it changes (server-sent events)
//   run, stop                 POST
//   report?as=FORMAT          the last report; &hide=1: with pseudonyms, &save=1: as a file
//   compare                   with the report before it; &hide=1
#pragma once

#include <map>
#include <set>

#include "probe/ui/gate.hpp"
#include "probe/ui/lifetime.hpp"
#include "probe/ui/runs.hpp"

namespace callready::ui {

class Pages {
 public:
  Pages(asio::any_io_executor executor, Clock& clock, Children& children, Gate gate,
        Runs::Places places, std::function<void()> over);

  void handle(WebRequest request, WebServer::Answer answer);
  const Gate& gate() const { return gate_; }
  // Ends the pages' events.
  void stop();

 private:
  using Query = std::map<std::string, std::string>;
  void get(const std::string& path, const Query& query, const WebServer::Answer& answer);
  void post(const std::string& path, const WebRequest& request, const WebServer::Answer& answer);
  void live(const WebServer::Answer& answer);
  void show_report(const Query& query, const WebServer::Answer& answer);
  void compare(const Query& query, const WebServer::Answer& answer);
  // Answers with what a child prints, as the body of `reply`.
  void print(std::vector<std::string> arguments, WebReply reply, const WebServer::Answer& answer);
  std::vector<std::string> used() const;
  std::string event() const;
  void changed();

  struct Printing;
  asio::any_io_executor executor_;
  Children& children_;
  Gate gate_;
  std::string history_;
  std::vector<std::string> own_sets_;  // "--set=FILE", for `list` and `show`
  Runs runs_;
  Lifetime lifetime_;
  std::vector<std::string> used_;
  std::set<std::shared_ptr<LiveReply>> pages_;
  std::set<std::shared_ptr<Printing>> printing_;
};

}  // namespace callready::ui
