// A run is a child of this program, `callready check`: what it uses is freed with it, and a failure
// in it affects nothing else. It writes its reports into the state folder and prints what
// Prometheus gets.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "probe/exporter/schedule.hpp"

namespace callready::exporter {

// Where a job's files are.
struct Places {
  std::string program;  // this one
  std::string state;    // the folder
  std::string site, place;

  std::string history(const Job& job) const { return state + '/' + job.key() + ".json"; }
  std::string page(const Job& job) const { return state + '/' + job.key() + ".html"; }
  std::string metrics(const Job& job) const { return state + '/' + job.key() + ".prom"; }
};

// The arguments of `callready check` for this job.
std::vector<std::string> check_arguments(const Job& job, const Places& places,
                                         std::optional<milliseconds> timeout);

class ChildRuns final : public Runs {
 public:
  ChildRuns(const asio::any_io_executor& executor, Clock& clock, Places places);
  ~ChildRuns() override;  // ends what still runs; nobody is called any more

  void start(const Job& job, std::optional<milliseconds> timeout,
             std::function<void(RunEnd)> done) override;
  // For runs that start from now on.
  void move_to(Places places) { places_ = std::move(places); }
  const Places& places() const { return places_; }

 private:
  class Run;
  asio::any_io_executor executor_;
  Clock& clock_;
  Places places_;
  std::set<std::shared_ptr<Run>> runs_;
};

}  // namespace callready::exporter
