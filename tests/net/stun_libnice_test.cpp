// Another implementation's opinion: libnice reads what we write, and of anything at all reads what
// we read.
#include <gtest/gtest.h>
#include <stun/stunagent.h>

#include <random>

#include "probe/net/address.hpp"
#include "probe/net/stun.hpp"

namespace callready::stun {
namespace {

constexpr std::uint16_t no_attributes[] = {0};

// A message in libnice's hands. Its functions take one type for reading and writing; they only
// read.
class Theirs {
 public:
  explicit Theirs(std::span<const std::uint8_t> bytes) {
    stun_agent_init(&agent_, no_attributes, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_IGNORE_CREDENTIALS);
    message_.agent = &agent_;
    message_.buffer = const_cast<std::uint8_t*>(bytes.data());
    message_.buffer_len = bytes.size();
  }

  static bool sound(std::span<const std::uint8_t> bytes) {
    return stun_message_validate_buffer_length(bytes.data(), bytes.size(), true) ==
           static_cast<int>(bytes.size());
  }
  bool has_cookie() const { return stun_message_has_cookie(&message_); }
  int message_class() const { return stun_message_get_class(&message_); }
  int method() const { return stun_message_get_method(&message_); }

  std::optional<std::string> bytes(Attribute attribute) const {
    std::uint16_t size = 0;
    const auto* found = stun_message_find(&message_, native(attribute), &size);
    if (found == nullptr) return std::nullopt;
    return std::string(static_cast<const char*>(found), size);
  }

  std::optional<SocketAddress> address(Attribute attribute, bool is_xor) const {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    const auto find = is_xor ? &stun_message_find_xor_addr : &stun_message_find_addr;
    if (find(&message_, native(attribute), &storage, &size) != STUN_MESSAGE_RETURN_SUCCESS) {
      return std::nullopt;
    }
    asio::ip::udp::endpoint endpoint;
    endpoint.resize(size);
    std::memcpy(endpoint.data(), &storage, size);
    return from_endpoint(endpoint);
  }

  static StunAttribute native(Attribute attribute) { return static_cast<StunAttribute>(attribute); }

 private:
  StunAgent agent_{};
  StunMessage message_{};
};

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(engine_()) % limit; }
  std::uint8_t byte() { return static_cast<std::uint8_t>(engine_()); }
  Bytes bytes(std::size_t size) {
    Bytes made(size);
    for (auto& one : made) one = byte();
    return made;
  }
  SocketAddress address() {
    const auto port = static_cast<std::uint16_t>(engine_());
    if (below(2) == 0) return {IpAddress::v4({byte(), byte(), byte(), byte()}), port};
    std::array<std::uint8_t, 16> v6{};
    for (auto& one : v6) one = byte();
    return {IpAddress::v6(v6), port};
  }

 private:
  std::mt19937_64 engine_;
};

constexpr Attribute addresses[] = {Attribute::mapped_address, Attribute::other_address,
                                   Attribute::response_origin, Attribute::alternate_server};
constexpr Attribute masked[] = {Attribute::xor_mapped_address, Attribute::xor_relayed_address,
                                Attribute::xor_peer_address};
constexpr Attribute texts[] = {Attribute::software, Attribute::realm, Attribute::nonce,
                               Attribute::username};

// Up to nine attributes of any kind, the same twice too, at times of a size that is wrong.
Bytes any_message(Random& random) {
  constexpr Method methods[] = {Method::binding, Method::allocate, Method::send,
                                Method::channel_bind};
  Builder builder(static_cast<Class>(random.below(4)), methods[random.below(4)],
                  new_transaction_id());
  for (auto count = random.below(10); count > 0; --count) {
    const auto text = random.bytes(random.below(30));
    switch (random.below(6)) {
      case 0:
        builder.add_address(addresses[random.below(4)], random.address());
        break;
      case 1:
        builder.add_xor_address(masked[random.below(3)], random.address());
        break;
      case 2:
        builder.add_bytes(masked[random.below(3)], text);
        break;
      case 3:
        builder.add_error(static_cast<int>(300 + random.below(400)), "reason");
        break;
      case 4:
        builder.add_u32(random.below(2) == 0 ? Attribute::lifetime : Attribute::change_request,
                        random.below(1'000'000));
        break;
      default:
        builder.add_bytes(texts[random.below(4)], text);
    }
  }
  return random.below(2) == 0 ? builder.finish() : builder.finish(random.bytes(16));
}

void expect_the_same(const Message& ours, const Theirs& theirs) {
  EXPECT_EQ(static_cast<int>(ours.message_class), theirs.message_class());
  EXPECT_EQ(ours.method, theirs.method());
  EXPECT_EQ(ours.mapped_address, theirs.address(Attribute::mapped_address, false));
  EXPECT_EQ(ours.other_address, theirs.address(Attribute::other_address, false));
  EXPECT_EQ(ours.response_origin, theirs.address(Attribute::response_origin, false));
  EXPECT_EQ(ours.alternate_server, theirs.address(Attribute::alternate_server, false));
  EXPECT_EQ(ours.xor_mapped_address, theirs.address(Attribute::xor_mapped_address, true));
  EXPECT_EQ(ours.xor_relayed_address, theirs.address(Attribute::xor_relayed_address, true));
  EXPECT_EQ(ours.xor_peer_address, theirs.address(Attribute::xor_peer_address, true));
  EXPECT_EQ(ours.software, theirs.bytes(Attribute::software));
  EXPECT_EQ(ours.realm, theirs.bytes(Attribute::realm));
  EXPECT_EQ(ours.nonce, theirs.bytes(Attribute::nonce));
  EXPECT_EQ(ours.username, theirs.bytes(Attribute::username));
  EXPECT_EQ(ours.has_integrity, theirs.bytes(Attribute::message_integrity).has_value());
}

TEST(StunByLibnice, ReadsWhatWeWriteAsWeDo) {
  Random random(8489);
  for (int i = 0; i < 20'000 && !testing::Test::HasFailure(); ++i) {
    const auto bytes = any_message(random);
    ASSERT_TRUE(Theirs::sound(bytes));
    expect_the_same(*parse(bytes), Theirs(bytes));
  }
}

TEST(StunByLibnice, FindsTheSameInDamagedMessages) {
  Random random(5389);
  int sound = 0;
  for (int i = 0; i < 100'000 && !testing::Test::HasFailure(); ++i) {
    auto bytes = any_message(random);
    for (auto changes = 1 + random.below(4); changes > 0; --changes) {
      bytes[random.below(static_cast<std::uint32_t>(bytes.size()))] = random.byte();
    }
    const auto parsed = parse(bytes);
    const bool theirs = Theirs::sound(bytes) && Theirs(bytes).has_cookie();
    ASSERT_EQ(parsed.has_value(), theirs);
    // To libnice this type is the Data indication of TURN's old draft.
    if (!theirs || (bytes[0] == 1 && bytes[1] == 0x15)) continue;
    ++sound;
    expect_the_same(*parsed, Theirs(bytes));
  }
  EXPECT_GT(sound, 10'000);
}

TEST(StunByLibnice, AcceptsOurMessageIntegrity) {
  Random random(5769);
  for (int i = 0; i < 2'000 && !testing::Test::HasFailure(); ++i) {
    const auto key = random.bytes(1 + random.below(60));
    const auto bytes = Builder(Class::request, Method::binding, new_transaction_id())
                           .add_bytes(Attribute::username, random.bytes(random.below(40)))
                           .add_bytes(Attribute::software, random.bytes(random.below(40)))
                           .finish(key);
    constexpr std::uint16_t known[] = {STUN_ATTRIBUTE_USERNAME, STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
                                       0};
    StunAgent agent;
    stun_agent_init(&agent, known, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS);
    auto of_user = [](StunAgent*, StunMessage*, std::uint8_t*, std::uint16_t, std::uint8_t** found,
                      std::size_t* size, void* user_data) -> bool {
      auto& wanted = *static_cast<Bytes*>(user_data);
      *found = wanted.data();
      *size = wanted.size();
      return true;
    };
    auto wanted = key;
    StunMessage message;
    EXPECT_EQ(stun_agent_validate(&agent, &message, bytes.data(), bytes.size(), of_user, &wanted),
              STUN_VALIDATION_SUCCESS);
    wanted.front() ^= 1;
    EXPECT_EQ(stun_agent_validate(&agent, &message, bytes.data(), bytes.size(), of_user, &wanted),
              STUN_VALIDATION_UNAUTHORIZED);
  }
}

}  // namespace
}  // namespace callready::stun
