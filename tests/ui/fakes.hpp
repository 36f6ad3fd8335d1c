// Children that the test plays itself.
#pragma once

#include "probe/ui/runs.hpp"

namespace callready::ui {

struct FakeChildren final : Children {
  struct Started {
    std::vector<std::string> arguments;
    std::string input;
    std::function<void(std::string_view)> print;
    std::function<void(int, const std::string&)> exit;
    int interrupted = 0, ended = 0;
    bool held = true;  // nobody let go of it

    // The value of --NAME=VALUE, "" where it is not there.
    std::string option(const std::string& name) const {
      for (const auto& word : arguments) {
        if (word.starts_with("--" + name + '=')) return word.substr(name.size() + 3);
      }
      return {};
    }
  };
  std::unique_ptr<Child> start(std::vector<std::string> arguments, std::string input,
                               std::function<void(std::string_view)> on_output,
                               std::function<void(int, const std::string&)> on_end) override {
    if (none) return nullptr;
    auto made = std::make_shared<Started>();
    *made = {std::move(arguments), std::move(input), std::move(on_output), std::move(on_end)};
    all.push_back(made);
    struct Own final : Child {
      void interrupt() override { ++started->interrupted; }
      void end() override { ++started->ended; }
      ~Own() override { started->held = false; }
      std::shared_ptr<Started> started;
    };
    auto own = std::make_unique<Own>();
    own->started = made;
    return own;
  }
  Started& last() { return *all.back(); }

  std::vector<std::shared_ptr<Started>> all;
  bool none = false;  // can be started
};

}  // namespace callready::ui
