#include "probe/serve/fair_rate.hpp"

#include <cstring>

#include "probe/util/digest.hpp"

namespace callready::serve {
namespace {

constexpr std::size_t places = 4'096;

// The finalizer of MurmurHash3: every bit of the result depends on every bit of the value.
std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 33)) * 0xff51afd7ed558ccdU;
  value = (value ^ (value >> 33)) * 0xc4ceb9fe1a85ec53U;
  return value ^ (value >> 33);
}

}  // namespace

FairRate::FairRate(double all, double of_network) : all_(all), of_network_(of_network) {
  if (of_network >= all) return;
  networks_.resize(places);
  salt_ = random_number<std::uint64_t>();
}

std::size_t FairRate::place_of(const IpAddress& from) const {
  const auto network = Network{from, from.is_v6() ? 64 : 24}.masked().address;
  std::uint64_t first = 0;
  std::memcpy(&first, network.bytes().data(), sizeof first);
  return mixed(mixed(first + (from.is_v6() ? 1U : 0U)) ^ salt_) % places;
}

bool FairRate::take(const IpAddress& from, Instant now) {
  const bool has_share = networks_.empty() || networks_[place_of(from)].take(1, of_network_, now);
  return has_share && together_.take(1, all_, now);
}

bool FairRate::has_room(const IpAddress& from, Instant now) const {
  const bool has_share = networks_.empty() || networks_[place_of(from)].has(1, of_network_, now);
  return has_share && together_.has(1, all_, now);
}

}  // namespace callready::serve
