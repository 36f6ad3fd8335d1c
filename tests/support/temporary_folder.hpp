// A folder that lives as long as the object.
#pragma once

#include <filesystem>
#include <random>
#include <string>

namespace callready::test {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::random_device random;
    do {
      path_ =
          (std::filesystem::temp_directory_path() / ("callready-test-" + std::to_string(random())))
              .string();
    } while (!std::filesystem::create_directory(path_));
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace callready::test
