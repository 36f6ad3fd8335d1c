#include "targets/catalog.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <random>

#include "tests/support/source_folder.hpp"
#include "tests/targets/rules.hpp"

namespace callready {
namespace {

namespace fs = std::filesystem;
using test::rules;

std::string set_text(const std::string& id, const std::string& title) {
  return "schema: callready.targets/1\nid: " + id + "\ntitle: " + title +
         "\ncapabilities: [{ id: c, title: C, needs: [web] }]\n"
         "requirements:\n  - { id: web, title: W, check: tls, transport: [tcp], ports: [443], "
         "hosts: [www.example.com] }\n";
}

class CatalogTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        fs::temp_directory_path() / ("callready-catalog-" + std::to_string(std::random_device{}()));
    fs::create_directories(folder_ / "sets");
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    const auto path = (folder_ / name).string();
    std::ofstream(path) << text;
    return path;
  }
  std::string sets() const { return (folder_ / "sets").string(); }

  const std::string alpha_text_ = set_text("alpha", "Built-in alpha");
  const std::string beta_text_ = set_text("beta", "Built-in beta");
  const std::array<BuiltinSet, 2> builtin_{{{"alpha", alpha_text_}, {"beta", beta_text_}}};
  fs::path folder_;
};

TEST_F(CatalogTest, FindsBuiltInSets) {
  const Catalog catalog({}, "", rules(), builtin_);
  EXPECT_EQ(catalog.ids(), (std::vector<std::string>{"alpha", "beta"}));
  const auto found = catalog.find("beta");
  ASSERT_TRUE(found.set);
  EXPECT_EQ(found.set->title, "Built-in beta");
  EXPECT_EQ(found.set->origin, "built in");
  EXPECT_TRUE(catalog.problems().empty());
  EXPECT_TRUE(catalog.warnings().empty());
}

TEST_F(CatalogTest, AFileComesBeforeTheFolderAndTheFolderBeforeTheBuiltIn) {
  write("sets/any-name.yaml", set_text("alpha", "Folder's alpha"));
  write("sets/b.yml", set_text("beta", "Folder's beta"));
  const auto file = write("mine.yaml", set_text("alpha", "My alpha"));
  const Catalog catalog({file}, sets(), rules(), builtin_);
  EXPECT_EQ(catalog.find("alpha").set->title, "My alpha");
  EXPECT_EQ(catalog.find("alpha").set->origin, file);
  EXPECT_EQ(catalog.find("beta").set->title, "Folder's beta");
  EXPECT_EQ(catalog.ids(), (std::vector<std::string>{"alpha", "beta"}));
  ASSERT_EQ(catalog.entries().size(), 5u);
  EXPECT_FALSE(catalog.entries()[0].shadowed);
  EXPECT_TRUE(catalog.entries()[1].shadowed);
  EXPECT_TRUE(catalog.entries()[4].shadowed);
  EXPECT_TRUE(catalog.problems().empty());
  EXPECT_TRUE(catalog.warnings().empty());
}

TEST_F(CatalogTest, NamesTheNearestAndAllKnownSets) {
  const Catalog catalog({}, "", rules(), builtin_);
  const auto found = catalog.find("alhpa");
  EXPECT_FALSE(found.set);
  ASSERT_EQ(found.problems.size(), 1u);
  EXPECT_EQ(found.problems[0].to_string(),
            "unknown target set 'alhpa'; did you mean 'alpha'? Known sets: alpha, beta");
  EXPECT_EQ(catalog.find("zoom").problems[0].to_string(),
            "unknown target set 'zoom'. Known sets: alpha, beta");
}

TEST_F(CatalogTest, TellsAFileFromAName) {
  const Catalog catalog({}, "", rules(), builtin_);
  EXPECT_EQ(catalog.find("./my.yaml").problems[0].to_string(),
            "unknown target set './my.yaml'; a set in a file is given by --set ./my.yaml. Known "
            "sets: alpha, beta");
}

TEST_F(CatalogTest, SaysThatThereAreNoSets) {
  const Catalog catalog({}, "", rules(), {});
  EXPECT_EQ(catalog.find("x").problems[0].to_string(),
            "unknown target set 'x'. There are no sets.");
}

TEST_F(CatalogTest, ABrokenFileIsAProblemAndDoesNotFallBackToTheBuiltInSet) {
  const auto file = write("mine.yaml", "schema: callready.targets/1\nid: alpha\n");
  const Catalog catalog({file}, "", rules(), builtin_);
  const auto found = catalog.find("alpha");
  EXPECT_FALSE(found.set);
  EXPECT_EQ(found.problems.front().to_string(), file + ":1:1: the set lacks 'capabilities'");
  EXPECT_EQ(catalog.problems(), found.problems);
  EXPECT_EQ(catalog.ids(), std::vector<std::string>{"beta"});
}

TEST_F(CatalogTest, AFileThatCannotBeReadGoesByItsName) {
  const auto path = (folder_ / "pbx.yaml").string();
  const Catalog catalog({path}, "", rules(), builtin_);
  const auto expected = path + ": cannot be read: No such file or directory";
  ASSERT_EQ(catalog.problems().size(), 1u);
  EXPECT_EQ(catalog.problems()[0].to_string(), expected);
  EXPECT_EQ(catalog.find("pbx").problems[0].to_string(), expected);
}

TEST_F(CatalogTest, ABrokenFileInTheFolderHurtsNoOtherSet) {
  const auto path = write("sets/gamma.yaml", "id: [");
  const Catalog catalog({}, sets(), rules(), builtin_);
  EXPECT_TRUE(catalog.problems().empty());
  ASSERT_EQ(catalog.warnings().size(), 1u);
  EXPECT_EQ(catalog.warnings()[0].file, path);
  EXPECT_TRUE(catalog.find("alpha").set);
  EXPECT_EQ(catalog.find("gamma").problems, catalog.warnings());
}

TEST_F(CatalogTest, TwoFilesWithOneIdAreAProblem) {
  const auto first = write("a.yaml", set_text("pbx", "A")),
             second = write("b.yaml", set_text("pbx", "B"));
  const Catalog catalog({first, second}, "", rules(), builtin_);
  ASSERT_EQ(catalog.problems().size(), 1u);
  EXPECT_EQ(catalog.problems()[0].to_string(),
            second + ": the set 'pbx' is already in " + first + "; expected an id of its own");
  EXPECT_EQ(catalog.find("pbx").set->title, "A");
}

TEST_F(CatalogTest, TwoFilesInTheFolderWithOneIdAreAWarning) {
  const auto first = write("sets/a.yaml", set_text("pbx", "A"));
  const auto second = write("sets/b.yaml", set_text("pbx", "B"));
  const Catalog catalog({}, sets(), rules(), builtin_);
  ASSERT_EQ(catalog.warnings().size(), 1u);
  EXPECT_EQ(catalog.warnings()[0].file, second);
  EXPECT_EQ(catalog.find("pbx").set->title, "A");
}

TEST_F(CatalogTest, TakesOnlySetsFromTheFolder) {
  write("sets/notes.txt", "nothing");
  write("sets/.hidden.yaml", "nothing");
  fs::create_directory(folder_ / "sets" / "older.yaml");
  const Catalog catalog({}, sets(), rules(), builtin_);
  ASSERT_EQ(catalog.warnings().size(), 1u);
  EXPECT_EQ(catalog.warnings()[0].message, "is a folder; expected a target set, a YAML file");
}

TEST_F(CatalogTest, AFolderThatDoesNotExistIsEmpty) {
  const Catalog catalog({}, (folder_ / "nowhere").string(), rules(), builtin_);
  EXPECT_TRUE(catalog.warnings().empty());
  EXPECT_EQ(catalog.ids().size(), 2u);
}

TEST_F(CatalogTest, AFolderThatIsAFileIsAWarning) {
  const auto path = write("file", "x");
  const Catalog catalog({}, path, rules(), builtin_);
  ASSERT_EQ(catalog.warnings().size(), 1u);
  EXPECT_EQ(catalog.warnings()[0].to_string(), path + ": cannot be read: Not a directory");
}

TEST(Builtin, IsAllOfTheVendorsFolder) {
  std::vector<std::string> ids, in_folder;
  for (const auto& set : builtin_sets()) {
    ids.emplace_back(set.id);
    const auto path = test::source_folder() + "/targets/vendors/" + ids.back() + ".yaml";
    EXPECT_EQ(set.yaml_text, test::read_file(path)) << ids.back();
  }
  const fs::path vendors = test::source_folder() + "/targets/vendors";
  if (fs::exists(vendors)) {
    for (const auto& entry : fs::directory_iterator(vendors)) {
      if (entry.path().extension() == ".yaml") in_folder.push_back(entry.path().stem().string());
    }
  }
  std::sort(in_folder.begin(), in_folder.end());
  EXPECT_EQ(ids, in_folder);
}

}  // namespace
}  // namespace callready
