// What the exporter answers to which request. Only GET and HEAD, only the pages below, only sets
// and modules by their names in the configuration: nothing of a request becomes a host, an option
// or a file's name.
//
//   /probe?set=NAME[&module=NAME]      the last run's series
//   /metrics                           the exporter's own
//   /report/NAME[?module=NAME]         the last HTML report; &format=json: the last complete run's
//   JSON
//   /-/healthy                         200
//   /                                  the sets, with links
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "probe/exporter/child_runs.hpp"
#include "probe/exporter/schedule.hpp"
#include "probe/web/web_server.hpp"

namespace callready::exporter {

struct Request {
  std::string method, target;  // as they stand in the request
  std::string scrape_timeout;  // X-Prometheus-Scrape-Timeout-Seconds; empty: none
};

struct Reply {
  unsigned status = 200;
  SharedText body;
  std::string content_type = "text/plain; charset=utf-8";
};

// What a request line asks for. `problem`: why it cannot be understood; empty: it can.
struct Asked {
  std::string path;
  std::map<std::string, std::string> query;
  std::string problem;
};
Asked read_target(std::string_view target);

// How long a scrape may wait, by Prometheus' header: half a second less than Prometheus waits.
milliseconds patience_of(std::string_view scrape_timeout);

class Pages {
 public:
  using Answer = std::function<void(Reply)>;

  Pages(Clock& clock, Schedule& schedule) : clock_(clock), schedule_(schedule) {}

  // Calls `answer` once, now or later.
  void handle(const Request& request, Answer answer);

  // After the configuration was read: the places of its files and the labels of the site; or that
  // it could not be read, and the old one stays.
  void configured(const Config& config, Places places);
  void not_configured() { reload_good_ = false; }

 private:
  void probe(const Asked& asked, const Request& request, Answer answer);
  Reply report(const Asked& asked);
  Reply file(const std::string& path, const char* type);
  Reply own_metrics() const;
  Reply index() const;
  std::string metrics_of(const View& view) const;
  const Job* job_of(const Asked& asked, const std::string& set, Reply& refusal) const;

  Clock& clock_;
  Schedule& schedule_;
  Places places_;
  std::string site_info_;  // the series
  bool reload_good_ = true;
  WallTime reloaded_;
  // Reports that are being read now, by their files: once in memory, no matter how many read them.
  struct Page {
    std::filesystem::file_time_type written;
    std::weak_ptr<const std::string> text;
  };
  std::map<std::string, Page> read_;
  std::uint64_t scrapes_ = 0, refused_ = 0;
};

}  // namespace callready::exporter
