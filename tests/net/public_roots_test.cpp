#include "probe/net/public_roots.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "probe/net/lazy_roots.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/temporary_folder.hpp"

namespace callready {
namespace {

void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

// update-ca-certificates(8) looks into folders, and update-ca-trust(8) takes DER, too: an authority
// that is missed here passes for a public one.
TEST(PublicRoots, FindWhatAdministratorsAddHoweverItLies) {
  const test::TemporaryFolder folder;
  const std::filesystem::path root(folder.path());
  const auto here = test::make_authority("Here"), below = test::make_authority("Below"),
             binary = test::make_authority("Binary");
  write_file(root / "here.crt", here.pem());
  write_file(root / "extra" / "company" / "below.crt", below.pem());
  write_file(root / "scratch.pem", binary.pem());
  PemFiles files;
  const auto der = *files.read((root / "scratch.pem").string()).front().der;
  std::filesystem::remove(root / "scratch.pem");
  write_file(root / "binary.cer", der);
  write_file(root / "README", "no certificate");
  std::filesystem::create_directory_symlink(root, root / "extra" / "back");
  EXPECT_EQ(digests_below(files, folder.path()).size(), 3u);
  EXPECT_TRUE(digests_below(files, "/nowhere").empty());
}

}  // namespace
}  // namespace callready
