// The demo's servers on a loop and a thread of their own, so that they answer while the checks run
// on theirs as they always do.
#pragma once

#include <thread>

#include "probe/serve/demo_site.hpp"

namespace callready::serve {

class DemoThread {
 public:
  // Failure: as DemoSite::start.
  static Result<std::unique_ptr<DemoThread>> start(const DemoOptions& options);
  // Stops the servers and waits for the thread.
  ~DemoThread();
  DemoThread(const DemoThread&) = delete;
  DemoThread& operator=(const DemoThread&) = delete;

  // Only what does not change once it has started: set, addresses, authority.
  const DemoSite& site() const { return *site_; }

 private:
  DemoThread() = default;
  asio::io_context loop_{1};
  std::shared_ptr<DemoSite> site_;
  std::thread thread_;
};

}  // namespace callready::serve
