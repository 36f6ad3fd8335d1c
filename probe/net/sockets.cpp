#include "probe/net/sockets.hpp"

namespace callready {
namespace {

struct Registered final : asio::execution_context::service {
  static inline asio::execution_context::id id;
  explicit Registered(asio::execution_context& context) : service(context) {}
  void shutdown() override {}
  SocketSource* source = nullptr;
};

SocketSource*& source_of(const asio::any_io_executor& executor) {
  auto& context = asio::query(executor, asio::execution::context);
  return asio::use_service<Registered>(context).source;
}

}  // namespace

SocketSource* source_in_memory(const asio::any_io_executor& executor) {
  return source_of(executor);
}

void open_in_memory(const asio::any_io_executor& executor, SocketSource& source) {
  source_of(executor) = &source;
}

}  // namespace callready
