// PAC files on Windows: WinHTTP fetches and evaluates them in its own engine, as for other programs
// of this computer. It takes files from web servers only.
#include "probe/net/pac.hpp"

#include "probe/net/in_thread.hpp"
#include "probe/platform/proxy_settings.hpp"
#include "probe/util/utf8.hpp"

namespace callready {

int run_pac_child() { return 2; }

asio::awaitable<Result<PacAnswers>> ask_pac(asio::any_io_executor executor, PacSource source,
                                            std::vector<PacQuestion> questions, Scope scope,
                                            Instant deadline) {
  PacAnswers answers;
  answers.answers.resize(questions.size());
  if (source.url.empty()) {
    answers.error = "on Windows a PAC file is evaluated from its web address only";
    co_return answers;
  }
  std::vector<std::string> urls;
  for (const auto& question : questions) urls.push_back(question.url);
  std::function<platform::ProxyAnswers()> work = [url = std::move(source.url), urls] {
    return platform::ask_system_for_proxies(url, urls);
  };
  auto asked = co_await in_thread(executor, std::move(work), scope, deadline);
  if (asked.has_error()) co_return asked.error();
  answers.error = printable(asked->error, 300);
  for (std::size_t i = 0; i < questions.size(); ++i) {
    answers.answers[i] = kept_answer(asked->answers[i]);
  }
  co_return answers;
}

}  // namespace callready
