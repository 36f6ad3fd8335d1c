#include "probe/web/child_process.hpp"

#include <algorithm>
#include <array>

#include "probe/net/service_timeouts.hpp"
#include "probe/net/watched.hpp"
#include "probe/platform/child.hpp"

namespace callready {
namespace {

constexpr std::size_t most_errors = 8'192;

}  // namespace

struct ChildProcess::Core : std::enable_shared_from_this<Core> {
  Core(const asio::any_io_executor& executor, Clock& its_clock, platform::Child its_child,
       Options its_options)
      : clock(its_clock),
        child(its_child),
        options(std::move(its_options)),
        input(executor, child.input),
        output(executor, child.output),
        errors(executor, child.errors) {}
  ~Core() { end(); }

  void begin() {
    asio::async_write(input, asio::buffer(options.input),
                      [self = shared_from_this()](error_code, std::size_t) {
                        error_code ignored;
                        self->input.close(ignored);
                        self->options.input.clear();
                      });
    read(output);
    read(errors);
  }

  // Until it is waited for, its process id is not used again.
  void end() {
    if (running) platform::end_child(child);
    running = false;
  }

  void read(Pipe& from) {
    auto buffer = std::make_shared<std::array<char, 16'384>>();
    from.async_read_some(asio::buffer(*buffer),
                         [self = shared_from_this(), buffer, &from](auto error, auto size) {
                           if (self->abandoned) return;
                           const std::string_view text(buffer->data(), size);
                           if (&from == &self->errors) {
                             auto& all = self->said;
                             all += text;
                             all.erase(0, all.size() - std::min(all.size(), most_errors));
                           } else if (!text.empty() && self->options.on_output) {
                             self->options.on_output(text);
                             if (self->abandoned) return;
                           }
                           if (!error) return self->read(from);
                           if (++self->closed == 2)
                             self->wait_for_end(self->clock.now() + timeouts::child_end);
                         });
  }

  void wait_for_end(Instant until) {
    const auto status = running ? platform::exit_status(child) : std::optional(-1);
    if (status) running = false;
    if (!status && clock.now() < until) {
      timer =
          clock.call_at(clock.now() + timeouts::child_look, [this, until] { wait_for_end(until); });
      return;
    }
    end();
    const auto self = shared_from_this();  // the callback may let go of it
    const auto told = std::move(options.on_end);
    told(status.value_or(-1), said);
  }

  Clock& clock;
  platform::Child child;
  Options options;
  Pipe input, output, errors;
  std::string said;
  int closed = 0;
  bool running = true, abandoned = false;
  std::unique_ptr<Clock::Timer> timer;
};

std::unique_ptr<ChildProcess> ChildProcess::start(const asio::any_io_executor& executor,
                                                  Clock& clock, Options options) {
  const auto child = platform::start_own_child(options.program, options.arguments);
  if (!child.started()) return nullptr;
  auto core = std::make_shared<Core>(executor, clock, child, std::move(options));
  core->begin();
  return std::unique_ptr<ChildProcess>(new ChildProcess(std::move(core)));
}

ChildProcess::~ChildProcess() {
  core_->abandoned = true;
  core_->timer.reset();
  core_->end();
  error_code ignored;
  for (auto* pipe : {&core_->input, &core_->output, &core_->errors}) pipe->close(ignored);
}

void ChildProcess::interrupt() {
  if (core_->running) platform::interrupt_child(core_->child);
}

void ChildProcess::end() { core_->end(); }

std::string last_complaint_in(std::string_view said) {
  constexpr std::string_view name = "callready: ";
  auto text = said;
  while (text.ends_with('\n')) text.remove_suffix(1);
  text = text.substr(text.rfind('\n') + 1);
  if (text.starts_with(name)) text.remove_prefix(name.size());
  return std::string(text);
}

}  // namespace callready
