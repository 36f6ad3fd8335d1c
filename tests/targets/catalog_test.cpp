#include "targets/catalog.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "targets/builtin.hpp"
#include "tests/support/source_folder.hpp"
#include "tests/targets/rules.hpp"

namespace callready::catalog_test {
namespace {

namespace fs = std::filesystem;
using test::rules;

std::string set_text(const std::string& id, const std::string& title) {
  return "schema: callready.targets/1\nid: " + id + "\ntitle: " + title +
         "\ncapabilities: [{ id: c, title: C, needs: [web] }]\n"
         "requirements:\n  - { id: web, title: W, check: tls, transport: [tcp], ports: [443], "
         "hosts: [www.example.com] }\n";
}

SetCollection collection(const std::string& origin, const std::vector<std::string>& texts) {
  SetCollection all;
  all.origin = origin;
  std::map<std::string, std::string> by_id;
  for (const auto& text : texts) {
    Problems problems("x");
    const auto set = index_set(text, problems);
    for (const auto& problem : problems.take()) ADD_FAILURE() << problem.to_string();
    if (!set) continue;
    all.index.sets.push_back(*set);
    by_id[set->head.id] = text;
  }
  all.text_of = [by_id](const IndexedSet& set) { return std::optional(by_id.at(set.head.id)); };
  return all;
}

// A set's text with more lines in its head.
std::string with_head(std::string text, const std::string& lines) {
  return text.insert(text.find("capabilities"), lines);
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

  static SetCollection builtin() {
    return collection("built in",
                      {set_text("alpha", "Built-in alpha"), set_text("beta", "Built-in beta")});
  }

  fs::path folder_;
};

TEST_F(CatalogTest, FindsBuiltInSets) {
  const Catalog catalog({}, "", rules(), {builtin()});
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
  const Catalog catalog({file}, sets(), rules(), {builtin()});
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
  const Catalog catalog({}, "", rules(), {builtin()});
  const auto found = catalog.find("alhpa");
  EXPECT_FALSE(found.set);
  ASSERT_EQ(found.problems.size(), 1u);
  EXPECT_EQ(found.problems[0].to_string(),
            "unknown target set 'alhpa'; did you mean 'alpha'? Known sets: alpha, beta");
  EXPECT_EQ(catalog.find("zoom").problems[0].to_string(),
            "unknown target set 'zoom'. Known sets: alpha, beta");
}

TEST_F(CatalogTest, TellsAFileFromAName) {
  const Catalog catalog({}, "", rules(), {builtin()});
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
  const Catalog catalog({file}, "", rules(), {builtin()});
  const auto found = catalog.find("alpha");
  EXPECT_FALSE(found.set);
  EXPECT_EQ(found.problems.front().to_string(), file + ":1:1: the set lacks 'capabilities'");
  EXPECT_EQ(catalog.problems(), found.problems);
  EXPECT_EQ(catalog.ids(), std::vector<std::string>{"beta"});
}

TEST_F(CatalogTest, AFileThatCannotBeReadGoesByItsName) {
  const auto path = (folder_ / "pbx.yaml").string();
  const Catalog catalog({path}, "", rules(), {builtin()});
  const auto expected = path + ": cannot be read: No such file or directory";
  ASSERT_EQ(catalog.problems().size(), 1u);
  EXPECT_EQ(catalog.problems()[0].to_string(), expected);
  EXPECT_EQ(catalog.find("pbx").problems[0].to_string(), expected);
}

TEST_F(CatalogTest, ABrokenFileInTheFolderHurtsNoOtherSet) {
  const auto path = write("sets/gamma.yaml", "id: [");
  const Catalog catalog({}, sets(), rules(), {builtin()});
  EXPECT_TRUE(catalog.problems().empty());
  ASSERT_EQ(catalog.warnings().size(), 1u);
  EXPECT_EQ(catalog.warnings()[0].file, path);
  EXPECT_TRUE(catalog.find("alpha").set);
  EXPECT_EQ(catalog.find("gamma").problems, catalog.warnings());
}

TEST_F(CatalogTest, TwoFilesWithOneIdAreAProblem) {
  const auto first = write("a.yaml", set_text("pbx", "A")),
             second = write("b.yaml", set_text("pbx", "B"));
  const Catalog catalog({first, second}, "", rules(), {builtin()});
  ASSERT_EQ(catalog.problems().size(), 1u);
  EXPECT_EQ(catalog.problems()[0].to_string(),
            second + ": the set 'pbx' is already in " + first + "; expected an id of its own");
  EXPECT_EQ(catalog.find("pbx").set->title, "A");
}

TEST_F(CatalogTest, TwoFilesInTheFolderWithOneIdAreAWarning) {
  const auto first = write("sets/a.yaml", set_text("pbx", "A"));
  const auto second = write("sets/b.yaml", set_text("pbx", "B"));
  const Catalog catalog({}, sets(), rules(), {builtin()});
  ASSERT_EQ(catalog.warnings().size(), 1u);
  EXPECT_EQ(catalog.warnings()[0].file, second);
  EXPECT_EQ(catalog.find("pbx").set->title, "A");
}

TEST_F(CatalogTest, TakesOnlySetsFromTheFolder) {
  write("sets/notes.txt", "nothing");
  write("sets/.hidden.yaml", "nothing");
  fs::create_directory(folder_ / "sets" / "older.yaml");
  const Catalog catalog({}, sets(), rules(), {builtin()});
  ASSERT_EQ(catalog.warnings().size(), 1u);
  EXPECT_EQ(catalog.warnings()[0].message, "is a folder; expected a target set, a YAML file");
}

TEST_F(CatalogTest, AFolderThatDoesNotExistIsEmpty) {
  const Catalog catalog({}, (folder_ / "nowhere").string(), rules(), {builtin()});
  EXPECT_TRUE(catalog.warnings().empty());
  EXPECT_EQ(catalog.ids().size(), 2u);
}

TEST_F(CatalogTest, AFolderThatIsAFileIsAWarning) {
  const auto path = write("file", "x");
  const Catalog catalog({}, path, rules(), {builtin()});
  ASSERT_EQ(catalog.warnings().size(), 1u);
  EXPECT_EQ(catalog.warnings()[0].to_string(), path + ": cannot be read: Not a directory");
}

TEST_F(CatalogTest, FindsASetByAnyNameThatItIsCalledBy) {
  const auto teams = with_head(set_text("ms-teams", "Microsoft Teams"),
                               "aliases: [teams]\nformer_names: [Skype for Business Online]\n");
  const Catalog catalog({}, "", rules(),
                        {collection("built in", {teams, set_text("zoom", "Zoom")})});
  for (const auto* name :
       {"ms-teams", "MS Teams", "ms_teams", "msteams", "MSTeams", "teams", "Teams",
        "Microsoft Teams", "microsoft-teams", "skype for business online"}) {
    const auto found = catalog.find(name);
    ASSERT_TRUE(found.set) << name;
    EXPECT_EQ(found.set->id, "ms-teams") << name;
  }
  EXPECT_EQ(catalog.find("Zoom").set->id, "zoom");
}

TEST_F(CatalogTest, SuggestsABeginningAndDoesNotGuess) {
  const auto teams = with_head(set_text("ms-teams", "Microsoft Teams"), "aliases: [teams]\n");
  const Catalog catalog({}, "", rules(),
                        {collection("built in", {teams, set_text("zoom", "Zoom")})});
  EXPECT_EQ(catalog.find("zo").problems[0].to_string(),
            "unknown target set 'zo'; did you mean 'zoom'? Known sets: ms-teams, zoom");
  EXPECT_EQ(catalog.find("micro").problems[0].to_string(),
            "unknown target set 'micro'; did you mean 'ms-teams'? Known sets: ms-teams, zoom");
  EXPECT_EQ(catalog.find("taems").problems[0].to_string(),
            "unknown target set 'taems'; did you mean 'teams'? Known sets: ms-teams, zoom");
}

TEST_F(CatalogTest, ANameOfTwoSetsIsNoName) {
  const Catalog catalog({}, "", rules(),
                        {collection("built in", {with_head(set_text("a", "A"), "aliases: [c]\n"),
                                                 with_head(set_text("b", "B"), "aliases: [c]\n"),
                                                 set_text("d", "D")})});
  EXPECT_EQ(catalog.find("c").problems[0].to_string(), "'c' can be several sets; say which: a, b");
  EXPECT_EQ(catalog.find("b").set->id, "b");
}

TEST_F(CatalogTest, ANameOfTodayComesBeforeAFormerOne) {
  const Catalog catalog({}, "", rules(),
                        {collection("built in", {set_text("webex", "Webex App"),
                                                 with_head(set_text("partner", "P"),
                                                           "former_names: [webex, Tandberg]\n")})});
  EXPECT_EQ(catalog.find("Webex").set->id, "webex");
  EXPECT_EQ(catalog.find("tandberg").set->id, "partner");
  EXPECT_FALSE(catalog.find("-").set);
  EXPECT_FALSE(catalog.find("").set);
}

TEST_F(CatalogTest, CountsTheKnownSetsWhereTheyAreMany) {
  std::vector<std::string> texts;
  for (char c = 'a'; c <= 'm'; ++c) texts.push_back(set_text({'s', '-', c}, "Title"));
  const Catalog catalog({}, "", rules(), {collection("built in", texts)});
  EXPECT_EQ(catalog.find("zoom").problems[0].to_string(),
            "unknown target set 'zoom'. `callready list` shows the 13 known sets.");
}

TEST_F(CatalogTest, ReadsOnlyTheSetThatIsAskedFor) {
  auto sets = builtin();
  std::vector<std::string> read;
  sets.text_of = [&, text_of = sets.text_of](const IndexedSet& set) {
    read.push_back(set.head.id);
    return text_of(set);
  };
  const Catalog catalog({}, "", rules(), {sets});
  EXPECT_EQ(catalog.usable().size(), 2u);
  EXPECT_EQ(catalog.usable()[0]->requirements, 1u);
  EXPECT_TRUE(read.empty());
  EXPECT_TRUE(catalog.find("beta").set);
  EXPECT_EQ(read, std::vector<std::string>{"beta"});
}

TEST_F(CatalogTest, TheNewerOfDownloadedAndBuiltInCounts) {
  const auto dated = [](const std::string& title, const std::string& day) {
    return with_head(set_text("alpha", title), "verified: " + day + "\n");
  };
  const auto found = [&](const std::string& downloaded, const std::string& built_in) {
    const Catalog catalog({}, "", rules(),
                          {collection("downloaded", {dated("Downloaded", downloaded)}),
                           collection("built in", {dated("Built in", built_in)})});
    EXPECT_EQ(catalog.ids(), std::vector<std::string>{"alpha"});
    return catalog.find("alpha").set->title;
  };
  EXPECT_EQ(found("2026-11-20", "2026-11-19"), "Downloaded");
  EXPECT_EQ(found("2026-11-20", "2026-11-20"), "Downloaded");
  EXPECT_EQ(found("2026-11-20", "2026-11-21"), "Built in");
}

TEST_F(CatalogTest, TheUsersOwnSetComesBeforeADownloadedOne) {
  write("sets/mine.yaml", with_head(set_text("alpha", "Mine"), "verified: 2020-01-01\n"));
  const auto downloaded = with_head(set_text("alpha", "Theirs"), "verified: 2026-01-01\n");
  const Catalog catalog({}, sets(), rules(), {collection("downloaded", {downloaded}), builtin()});
  EXPECT_EQ(catalog.find("alpha").set->title, "Mine");
}

TEST_F(CatalogTest, ADamagedDownloadGivesWayToTheBuiltInSet) {
  auto damaged = collection("downloaded", {set_text("alpha", "Downloaded"), set_text("new", "N")});
  damaged.text_of = [](const IndexedSet&) { return std::nullopt; };
  const Catalog catalog({}, "", rules(), {damaged, builtin()});
  EXPECT_EQ(catalog.find("alpha").set->title, "Built-in alpha");
  EXPECT_EQ(catalog.find("new").problems[0].to_string(),
            "new.yaml (downloaded): is missing or was changed");
}

TEST(Builtin, SaysOfItselfWhatItsFilesSay) {
  const auto built_in = builtin_collection();
  EXPECT_EQ(built_in.index.sets.size(), builtin_sets().size());
  for (const auto& set : built_in.index.sets) {
    Problems problems(set.head.id);
    const auto text = built_in.text_of(set);
    ASSERT_TRUE(text) << set.head.id;
    const auto expected = index_set(*text, problems);
    ASSERT_TRUE(expected) << set.head.id;
    EXPECT_EQ(set.head.sha256, expected->head.sha256);
    EXPECT_EQ(set.head.title, expected->head.title);
    EXPECT_EQ(set.requirements, expected->requirements);
    EXPECT_TRUE(set.head.kind) << set.head.id << " says no kind";
    EXPECT_NE(text->find("\nevidence: "), std::string::npos) << set.head.id << " says no evidence";
  }
}

// Whatever users call a service, it is one set: no name is another's, nor one in another spelling.
TEST(Builtin, EverySetHasNamesThatAreItsOwn) {
  auto built_in = builtin_collection();
  built_in.text_of = [](const IndexedSet& set) { return set_text(set.head.id, "Its names count"); };
  const Catalog catalog({}, "", rules(), {built_in});
  for (const auto& set : built_in.index.sets) {
    const auto& head = set.head;
    EXPECT_FALSE(head.aliases.empty()) << head.id;
    auto names = head.aliases;
    names.insert(names.end(), {head.id, head.title});
    for (const auto& name : names) {
      auto loud = name;
      std::transform(loud.begin(), loud.end(), loud.begin(), [](unsigned char c) {
        return static_cast<char>(c == '-' ? '_' : std::toupper(c));
      });
      for (const auto& spelled : {name, loud}) {
        const auto found = catalog.find(spelled);
        ASSERT_TRUE(found.set) << spelled << ": " << found.problems[0].to_string();
        EXPECT_EQ(found.set->id, head.id) << spelled;
      }
    }
    for (const auto& alias : head.aliases) {
      const auto same = [&](const auto& other) { return is_same_name(other, alias); };
      EXPECT_EQ(std::count_if(head.aliases.begin(), head.aliases.end(), same), 1) << alias;
      EXPECT_FALSE(is_same_name(head.id, alias)) << alias;
    }
  }
  for (const auto& [typed, meant] :
       std::map<std::string, std::string>{{"microsoft teems", "microsoft-teams"},
                                          {"gogle meet", "google-meet"},
                                          {"zom", "zoom"},
                                          {"whearby", "whereby"},
                                          {"onsigth", "onsight"}}) {
    const auto found = catalog.find(typed);
    ASSERT_FALSE(found.set) << typed;
    EXPECT_NE(found.problems[0].to_string().find("did you mean '" + meant + "'?"),
              std::string::npos)
        << found.problems[0].to_string();
  }
}

// What the sets add to the program: their text and the index.
TEST(Builtin, TakesLessThanAMegabyte) {
  std::size_t bytes = builtin_index().size();
  for (const auto& set : builtin_sets()) bytes += set.yaml_text.size();
  RecordProperty("bytes", static_cast<int>(bytes));
  EXPECT_LT(bytes, std::size_t{1'000'000});
  EXPECT_LT(builtin_index().size(), bytes / 10) << "to list sets, only this is read";
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
}  // namespace callready::catalog_test
