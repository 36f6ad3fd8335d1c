// Every attack on an update is refused in one clear line, and the sets that were there still work.
#include "targets/update.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "probe/util/digest.hpp"
#include "tests/targets/rules.hpp"
#include "tests/targets/signer.hpp"

namespace callready {
namespace {

namespace fs = std::filesystem;
using test::rules;
using test::Signer;
using Files = std::map<std::string, std::string>;

std::string set_text(const std::string& id, const std::string& host) {
  return "schema: callready.targets/1\nid: " + id + "\ntitle: Set " + id +
         "\nverified: 2026-11-20\ncapabilities: [{ id: c, title: C, needs: [web] }]\n"
         "requirements:\n  - { id: web, title: W, check: tls, transport: [tls], ports: [443], "
         "hosts: [" +
         host + "] }\n";
}

class UpdateTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        fs::temp_directory_path() / ("callready-update-" + std::to_string(std::random_device{}()));
    publish(1, {set_text("zoom", "one.example.com")});
  }
  void TearDown() override { fs::remove_all(folder_); }

  // What a server offers: an index of that edition, signed, and its sets.
  void publish(int version, const std::vector<std::string>& texts, const Signer& signer,
               const std::string& expires = "2026-12-20", const std::string& needs = "0.1.0") {
    offered_.clear();
    SetIndex index;
    index.version = version;
    index.issued = "2026-11-20";
    index.expires = expires;
    index.needs = needs;
    for (const auto& text : texts) {
      Problems problems("x");
      index.sets.push_back(index_set(text, problems).value());
      offered_[index.sets.back().file()] = text;
    }
    offered_["index.json"] = write_index(index);
    offered_["index.json.minisig"] = signer.sign(offered_["index.json"]);
  }
  void publish(int version, const std::vector<std::string>& texts) {
    publish(version, texts, one_);
  }

  std::string keys_json(int edition, const std::vector<const Signer*>& signers) const {
    std::string list;
    for (const auto* signer : signers)
      list += (list.empty() ? "\"" : ", \"") + signer->line() + '"';
    return "{\"schema\": \"callready.keys/1\", \"edition\": " + std::to_string(edition) +
           ", \"keys\": [" + list + "]}";
  }

  SetStore store() const {
    return SetStore(
        folder_.string(), {1, {one_.key(), two_.key(), three_.key()}},
        [this](const std::string& path, const std::string& content) -> std::optional<std::string> {
          if (writes_left_ == 0) return "no space left on device";
          --writes_left_;
          std::ofstream(path, std::ios::binary) << content;
          return std::nullopt;
        });
  }

  UpdateResult update(const std::string& today = "2026-11-21") {
    UpdateOptions options;
    options.source = "https://example.com/sets";
    options.today = today;
    options.version = "0.1.0";
    options.rules = rules();
    asked_.clear();
    const Fetch fetch = [this](const std::string& name, std::size_t most, const std::string& etag) {
      asked_.push_back(name);
      const auto found = offered_.find(name);
      if (found == offered_.end()) return Fetched{Fetched::Kind::missing, {}, {}, {}};
      if (!etag.empty() && etag == etag_) return Fetched{Fetched::Kind::unchanged, {}, {}, {}};
      if (found->second.size() > most) {
        return Fetched{Fetched::Kind::failed, {}, {}, "is too large"};
      }
      return Fetched{Fetched::Kind::got, found->second, etag_, {}};
    };
    return update_sets(store(), fetch, options);
  }

  // The host of the set that a run would use now; empty: none was downloaded.
  std::string in_use(const std::string& id = "zoom") const {
    std::string problem;
    const auto collection = store().collection(problem);
    if (!collection) return {};
    const Catalog catalog({}, "", rules(), {*collection});
    const auto found = catalog.find(id);
    return found.set ? found.set->requirements.at(0).hosts.at(0).name : std::string();
  }

  // That this is refused and that edition 1 goes on working.
  void expect_refused(const std::string& why) {
    EXPECT_EQ(update().refusal, why);
    EXPECT_EQ(in_use(), "one.example.com");
    std::string problem;
    EXPECT_TRUE(store().collection(problem));
    EXPECT_EQ(problem, "");
  }

  const Signer one_{1}, two_{2}, three_{3}, four_{4}, five_{5}, six_{6}, stranger_{7};
  fs::path folder_;
  Files offered_;
  std::string etag_;
  std::vector<std::string> asked_;
  mutable int writes_left_ = 1000;
};

TEST_F(UpdateTest, TakesASignedIndexAndItsSets) {
  EXPECT_EQ(in_use(), "");
  const auto result = update();
  EXPECT_EQ(result.refusal, "");
  EXPECT_TRUE(result.changed);
  EXPECT_TRUE(result.warnings.empty());
  EXPECT_EQ(result.changes, std::vector<std::string>{"zoom: a new set, Set zoom"});
  EXPECT_EQ(in_use(), "one.example.com");
}

TEST_F(UpdateTest, ShowsWhatIsDifferentAndFetchesOnlyThat) {
  publish(1, {set_text("zoom", "one.example.com"), set_text("other", "o.example.com"),
              set_text("old", "old.example.com")});
  update();
  publish(2, {set_text("zoom", "two.example.com"), set_text("other", "o.example.com")});
  const auto result = update();
  EXPECT_EQ(result.refusal, "");
  EXPECT_EQ(result.changes, (std::vector<std::string>{"zoom: web: gone: one.example.com",
                                                      "zoom: web: new: two.example.com",
                                                      "old: no longer among the sets"}));
  EXPECT_EQ(asked_, (std::vector<std::string>{"keys-2.json", "index.json", "index.json.minisig",
                                              "zoom.yaml"}));
  EXPECT_EQ(in_use(), "two.example.com");
  EXPECT_EQ(in_use("other"), "o.example.com");
  EXPECT_EQ(in_use("old"), "");
  std::size_t sets = 0;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (entry.path().extension() == ".yaml") ++sets;
  }
  EXPECT_EQ(sets, 2u);  // what is no longer named is removed
}

TEST_F(UpdateTest, AsksOnlyForTheIndexWhereNothingIsNew) {
  etag_ = "\"abc\"";
  update();
  const auto again = update();
  EXPECT_EQ(again.refusal, "");
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(again.index.version, 1);
  EXPECT_EQ(asked_, (std::vector<std::string>{"keys-2.json", "index.json"}));
  etag_.clear();  // a server without: the same index again
  EXPECT_FALSE(update().changed);
}

TEST_F(UpdateTest, FetchesAnewWhatWasLostSince) {
  etag_ = "\"abc\"";
  update();
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (entry.path().extension() == ".yaml") std::ofstream(entry.path()) << "half";
  }
  EXPECT_EQ(in_use(), "");
  EXPECT_EQ(update().refusal, "");
  EXPECT_EQ(in_use(), "one.example.com");
}

TEST_F(UpdateTest, RefusesRollbackAlsoWhereTheIndexWasLost) {
  publish(5, {set_text("zoom", "one.example.com")});
  update();
  ASSERT_TRUE(fs::remove(folder_ / "signed"));
  publish(4, {set_text("zoom", "vulnerable.example.com")});
  EXPECT_EQ(update().refusal,
            "index.json is edition 4 of 2026-11-20, older than edition 5 that was here before");
  EXPECT_EQ(in_use(), "");
  publish(5, {set_text("zoom", "one.example.com")});
  EXPECT_EQ(update().refusal, "");
  EXPECT_EQ(in_use(), "one.example.com");
}

TEST_F(UpdateTest, RefusesRollback) {
  publish(5, {set_text("zoom", "one.example.com")});
  update();
  publish(4, {set_text("zoom", "vulnerable.example.com")});
  expect_refused(
      "index.json is edition 4 of 2026-11-20, older than edition 5 of 2026-11-20 that "
      "is already here");
  publish(5, {set_text("zoom", "other.example.com")});
  expect_refused("index.json is edition 5 like the one that is already here, with other contents");
}

TEST_F(UpdateTest, WarnsOfAFreezeAndWorksOn) {
  etag_ = "\"frozen\"";  // a server that says "unchanged" for ever
  update();
  const auto result = update("2026-12-21");
  EXPECT_EQ(result.refusal, "");
  EXPECT_EQ(result.warnings,
            std::vector<std::string>{
                "the newest sets there are of 2026-11-20 and were good until 2026-12-20: nobody "
                "keeps https://example.com/sets up to date, or someone holds newer ones back"});
  EXPECT_EQ(in_use(), "one.example.com");
  EXPECT_TRUE(update("2026-12-20").warnings.empty());
  EXPECT_EQ(asked_, (std::vector<std::string>{"keys-2.json", "index.json"}));
  etag_.clear();
  publish(2, {set_text("zoom", "two.example.com")});  // an old index is better than an older one
  EXPECT_EQ(update("2027-06-01").refusal, "");
  EXPECT_EQ(in_use(), "two.example.com");
}

TEST_F(UpdateTest, RefusesMixAndMatch) {
  update();
  const auto before = offered_;
  publish(2, {set_text("zoom", "two.example.com")});
  offered_["zoom.yaml"] = before.at("zoom.yaml");
  expect_refused("zoom.yaml is not the file that index.json names");
  publish(2, {set_text("zoom", "two.example.com")});
  offered_["index.json.minisig"] = before.at("index.json.minisig");
  expect_refused("index.json does not match its signature");
  publish(2, {set_text("zoom", "two.example.com")});
  offered_["index.json"] = before.at("index.json");
  expect_refused("index.json does not match its signature");
  publish(2, {set_text("zoom", "two.example.com")});
  offered_.erase("zoom.yaml");
  expect_refused("zoom.yaml is not there");
  publish(2, {set_text("zoom", "two.example.com")});
  offered_.erase("index.json.minisig");
  expect_refused("index.json.minisig is not there");
}

TEST_F(UpdateTest, RefusesWhatIsTooLarge) {
  update();
  publish(2, {set_text("zoom", "two.example.com")});
  offered_["zoom.yaml"] += std::string(10, '#');
  expect_refused("zoom.yaml: is too large");
  publish(2, {set_text("zoom", "two.example.com")});
  offered_["index.json"] += std::string(largest_index, ' ');
  expect_refused("index.json: is too large");
  publish(2, {set_text("zoom", "two.example.com")});
  offered_["keys-2.json"] = std::string(largest_keys + 1, ' ');
  expect_refused("keys-2.json: is too large");
  publish(2, {set_text("zoom", "two.example.com")});
  offered_["index.json.minisig"] += std::string(largest_signature, '\n');
  expect_refused("index.json.minisig: is too large");
}

TEST_F(UpdateTest, RefusesASignedIndexOfMoreThanItMayName) {
  update();
  const auto zoom = offered_.at("index.json");
  const auto sign = [&](const std::string& text) {
    offered_["index.json"] = text;
    offered_["index.json.minisig"] = one_.sign(text);
  };
  const auto list_of = [&](std::size_t sets, std::size_t bytes) {
    SetIndex index;
    index.version = 2;
    index.issued = index.expires = "2026-12-20";
    for (std::size_t i = 0; i < sets; ++i) {
      IndexedSet set;
      set.head.id = "s" + std::to_string(i);
      set.head.title = "S";
      set.head.sha256 = sha256_hex("s");
      set.bytes = bytes;
      index.sets.push_back(set);
    }
    return write_index(index);
  };
  sign(list_of(most_indexed_sets + 1, 1));
  expect_refused("index.json cannot be used: 'sets' is no list of at most 1000 sets");
  sign(list_of(17, largest_index));
  expect_refused("the sets are larger than 32 MB together");
  EXPECT_EQ(asked_.back(), "index.json.minisig") << "nothing of it was fetched";
  for (const std::string id : {"../zoom", "/tmp/zoom", "", "a/b"}) {
    auto text = zoom;
    text.replace(text.find("\"zoom\""), 6, '"' + id + '"');
    sign(text);
    expect_refused("index.json cannot be used: a set has no id");
  }
}

TEST_F(UpdateTest, RefusesTheWrongKey) {
  update();
  publish(2, {set_text("zoom", "evil.example.com")}, stranger_);
  expect_refused(
      "index.json is signed with the key 0707070707070707, which this program does not "
      "know");
}

TEST_F(UpdateTest, RefusesChangedLineEnds) {
  // What is verified is what is read: another tool read other lines than it had verified.
  update();
  publish(2, {set_text("zoom", "two.example.com")});
  offered_["index.json"].insert(offered_["index.json"].find('\n'), "\r");
  expect_refused("index.json does not match its signature");
}

TEST_F(UpdateTest, RefusesSignedNonsense) {
  update();
  const auto sign = [&](const std::string& text) {
    offered_["index.json"] = text;
    offered_["index.json.minisig"] = one_.sign(text);
  };
  sign("{");
  expect_refused("index.json is not JSON");
  sign("[]");
  expect_refused("index.json cannot be used: its schema is not callready.index/1");
  publish(2, {set_text("zoom", "two.example.com")}, one_, "2026-12-20", "9.0");
  expect_refused("these sets need callready 9.0, and this is 0.1.0");
  auto broken = set_text("zoom", "two.example.com");
  broken.replace(broken.find("check: tls"), 10, "check: new");
  publish(2, {broken});
  expect_refused(
      "zoom.yaml:7:33: unknown check 'new'; known: dns, tcp, tls, http, proxy, stun, "
      "turn, udp-range, sip, nat, sip-alg, ntp, path");
}

TEST_F(UpdateTest, TwoOfThreeKeysNameTheNextOnes) {
  update();
  const auto json = keys_json(2, {&four_, &five_, &six_});
  publish(2, {set_text("zoom", "two.example.com")}, four_);
  offered_["keys-2.json"] = json;
  const auto refusal = "keys-2.json is not signed by two of the keys that this program knows";
  for (const auto& signatures :
       {std::string(), one_.sign(json), one_.sign(json) + one_.sign(json, "twice"),
        one_.sign(json) + stranger_.sign(json), one_.sign(json) + four_.sign(json),
        one_.sign(json) + two_.sign(keys_json(3, {&four_, &five_}))}) {
    offered_["keys-2.json.minisig"] = signatures;
    expect_refused(refusal);
  }
  offered_["keys-2.json.minisig"] = three_.sign(json) + one_.sign(json);
  EXPECT_EQ(update().refusal, "");
  EXPECT_EQ(in_use(), "two.example.com");

  // From now on the old keys count no more, not even two of them.
  publish(3, {set_text("zoom", "three.example.com")}, one_);
  EXPECT_EQ(update().refusal,
            "index.json is signed with the key 0101010101010101, which this "
            "program does not know");
  EXPECT_EQ(in_use(), "two.example.com");
  const auto third = keys_json(3, {&one_, &two_, &three_});
  publish(3, {set_text("zoom", "three.example.com")}, one_);
  offered_["keys-3.json"] = third;
  offered_["keys-3.json.minisig"] = one_.sign(third) + two_.sign(third);
  EXPECT_EQ(update().refusal,
            "keys-3.json is not signed by two of the keys that this program knows");
  EXPECT_EQ(in_use(), "two.example.com");
  offered_["keys-3.json.minisig"] = five_.sign(third) + six_.sign(third);
  EXPECT_EQ(update().refusal, "");
  EXPECT_EQ(in_use(), "three.example.com");
}

TEST_F(UpdateTest, RefusesKeysThatAreNone) {
  update();
  const auto offer = [&](const std::string& json) {
    offered_["keys-2.json"] = json;
    offered_["keys-2.json.minisig"] = one_.sign(json) + two_.sign(json);
  };
  const auto no_list = "keys-2.json is no list of keys of edition 2";
  for (const auto& json :
       {std::string("{"), std::string("[]"), keys_json(3, {&four_, &five_}), keys_json(2, {&four_}),
        std::string("{\"schema\": \"callready.keys/1\", \"edition\": 2, \"keys\": {}}")}) {
    offer(json);
    expect_refused(no_list);
  }
  offer(keys_json(2, {&four_, &four_}));
  expect_refused("keys-2.json holds something that is no key, or a key twice");
}

TEST_F(UpdateTest, AStopAtAnyTimeLeavesTheOldOrTheNewSetsWhole) {
  update();
  publish(2, {set_text("zoom", "two.example.com"), set_text("other", "o.example.com")});
  for (int writes = 0; writes < 6; ++writes) {
    writes_left_ = writes;
    const auto result = update();
    const auto host = in_use();
    if (result.refusal.empty()) {
      EXPECT_EQ(host, "two.example.com") << writes;
      EXPECT_EQ(writes, 3);  // what earlier tries have stored is not stored again
      return;
    }
    EXPECT_NE(result.refusal.find("no space left on device"), std::string::npos);
    EXPECT_EQ(host, "one.example.com") << writes;
  }
  FAIL() << "the update was never done";
}

TEST_F(UpdateTest, WhatWasChangedOnDiskIsNotUsed) {
  update();
  const auto name = folder_ / "signed";
  std::string text = test::read_file(name.string());
  std::string problem;
  for (const auto size : {std::size_t{0}, std::size_t{10}, text.size() / 2, text.size() - 1}) {
    std::ofstream(name, std::ios::binary | std::ios::trunc) << text.substr(0, size);
    EXPECT_FALSE(store().collection(problem)) << size;
    EXPECT_NE(problem, "") << size;
  }
  const auto result = update();
  EXPECT_EQ(result.refusal, "");
  ASSERT_EQ(result.warnings.size(), 1u);
  EXPECT_TRUE(result.warnings[0].starts_with("the sets of the last update are not used: "));
  EXPECT_EQ(in_use(), "one.example.com");
}

TEST_F(UpdateTest, TakesFromTheProgramWhatItHasAlready) {
  UpdateOptions options;
  options.source = "https://example.com/sets";
  options.today = "2026-11-21";
  options.version = "0.1.0";
  options.rules = rules();
  Problems problems("x");
  options.known.index.sets = {index_set(set_text("zoom", "one.example.com"), problems).value()};
  options.known.text_of = [](const IndexedSet&) {
    return std::optional(set_text("zoom", "one.example.com"));
  };
  offered_.erase("zoom.yaml");
  const Fetch fetch = [this](const std::string& name, std::size_t, const std::string&) {
    const auto found = offered_.find(name);
    if (found == offered_.end()) return Fetched{Fetched::Kind::missing, {}, {}, {}};
    return Fetched{Fetched::Kind::got, found->second, {}, {}};
  };
  const auto result = update_sets(store(), fetch, options);
  EXPECT_EQ(result.refusal, "");
  EXPECT_TRUE(result.changes.empty());
  EXPECT_EQ(in_use(), "one.example.com");
}

TEST_F(UpdateTest, ASetComesWithTheSetsThatItNeeds) {
  ASSERT_EQ(update().refusal, "");
  auto leaning = set_text("zoom", "two.example.com");
  leaning.insert(leaning.find("verified"), "needs_sets: [login]\n");
  publish(2, {leaning});
  EXPECT_EQ(update().refusal, "zoom.yaml needs the set login, which is not among them");
  EXPECT_EQ(in_use(), "one.example.com");
  publish(2, {leaning, set_text("login", "login.example.com")});
  EXPECT_EQ(update().refusal, "");
  EXPECT_EQ(in_use(), "two.example.com");
  std::string problem;
  const Catalog catalog({}, "", rules(), {*store().collection(problem)});
  const auto found = catalog.find("zoom");
  ASSERT_TRUE(found.set);
  EXPECT_EQ(found.set->requirements.back().of_set, "login");
  EXPECT_EQ(catalog.entries()[0].head.needs_sets.at(0).set, "login") << "the index says so";
}

TEST(Versions, AreComparedByNumber) {
  EXPECT_TRUE(is_older_version("0.9", "0.10"));
  EXPECT_TRUE(is_older_version("0.1.0", "0.1.1"));
  EXPECT_FALSE(is_older_version("0.1", "0.1.0"));
  EXPECT_FALSE(is_older_version("1.0", "0.9.9"));
  EXPECT_TRUE(is_older_version("0.1.0", "1"));
  EXPECT_FALSE(is_older_version("0.1.0", ""));
}

}  // namespace
}  // namespace callready
