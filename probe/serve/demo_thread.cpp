#include "probe/serve/demo_thread.hpp"

namespace callready::serve {

Result<std::unique_ptr<DemoThread>> DemoThread::start(const DemoOptions& options) {
  auto demo = std::unique_ptr<DemoThread>(new DemoThread);
  auto site = DemoSite::start(demo->loop_.get_executor(), options);
  if (site.has_error()) return site.error();
  demo->site_ = std::move(*site);
  auto* loop = &demo->loop_;
  demo->thread_ = std::thread([loop] { loop->run(); });
  return demo;
}

DemoThread::~DemoThread() {
  if (!thread_.joinable()) return;
  // On the loop, the only place where servers may be touched; then it has no work left and ends.
  auto site = std::move(site_);
  asio::post(loop_, [&site] { site.reset(); });
  thread_.join();
}

}  // namespace callready::serve
