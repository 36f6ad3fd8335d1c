// Limits how many connections strangers hold open, over all listeners that share this, so that
// nobody keeps others out.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>

#include "probe/model/observation.hpp"
#include "probe/net/clock.hpp"

namespace callready {

// Whose share a connection counts against: an address's, a /64's in IPv6, where one subscriber has
// all of it; or, on this computer, a user's.
struct Client {
  IpAddress network;
  std::optional<std::uint32_t> user;
  auto operator<=>(const Client&) const = default;
};
Client client_at(const IpAddress& address);

class OpenConnections : public std::enable_shared_from_this<OpenConnections> {
 public:
  struct Limits {
    std::size_t all = 128;
    std::size_t of_client = 48;  // less than half, so that one alone leaves room
  };

  // A connection, counted as long as this lives.
  class Place {
   public:
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    // A whole request came over it: others are idler now.
    void heard(Instant now);

   private:
    friend class OpenConnections;
    Place(std::shared_ptr<OpenConnections> owner, const Client& client)
        : owner_(std::move(owner)), client_(client) {}
    std::shared_ptr<OpenConnections> owner_;
    Client client_;
    std::function<void()> close_;
    Instant heard_{};
    std::optional<std::list<Place*>::iterator> at_;  // nothing: it has been closed
  };

  static std::shared_ptr<OpenConnections> make(const Limits& limits) {
    return std::shared_ptr<OpenConnections>(new OpenConnections(limits));
  }

  // Null: it is to be turned away. If all places are taken, the client with the most connections
  // loses the one that has been idle longest, closed by its `close`; if a client has used up its
  // share, it loses its own that has been idle for timeouts::idle_enough.
  std::unique_ptr<Place> enter(const Client& client, Instant now, std::function<void()> close);

  // For a client that got no place: says these words, and closes once the other end has, or its
  // time is up. Closed at once, unread data of the client would cause a reset that discards the
  // words.
  void turn_away(asio::ip::tcp::socket socket, std::string_view words);

  std::size_t count() const { return count_; }
  void allow(const Limits& limits) { limits_ = limits; }

 private:
  explicit OpenConnections(const Limits& limits) : limits_(limits) {}
  using Own = std::map<Client, std::list<Place*>>;  // the idlest first
  void forget(Place& place);
  void close_idlest(std::list<Place*>& own);
  std::list<Place*>* most_crowded();

  Limits limits_;
  std::size_t count_ = 0;
  Own clients_;
  struct Leaving;
  std::list<std::weak_ptr<Leaving>> leaving_;
};

}  // namespace callready
