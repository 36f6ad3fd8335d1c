#include "probe/web/open_connections.hpp"

#include <algorithm>
#include <array>

#include "probe/net/service_timeouts.hpp"

namespace callready {

Client client_at(const IpAddress& address) {
  if (!address.is_v6()) return {address, std::nullopt};
  return {Network{address, 64}.masked().address, std::nullopt};
}

OpenConnections::Place::~Place() { owner_->forget(*this); }

void OpenConnections::Place::heard(Instant now) {
  heard_ = now;
  if (!at_) return;
  auto& own = owner_->clients_[client_];
  own.splice(own.end(), own, *at_);
}

void OpenConnections::forget(Place& place) {
  if (!place.at_) return;
  const auto own = clients_.find(place.client_);
  own->second.erase(*place.at_);
  place.at_.reset();
  --count_;
  if (own->second.empty()) clients_.erase(own);
}

void OpenConnections::close_idlest(std::list<Place*>& own) {
  auto& place = *own.front();
  const auto close = std::move(place.close_);
  forget(place);
  close();
}

// The client with the most connections; of several, the one whose idlest has been idle the longest.
std::list<OpenConnections::Place*>* OpenConnections::most_crowded() {
  const auto most =
      std::max_element(clients_.begin(), clients_.end(), [](const auto& one, const auto& other) {
        const auto &a = one.second, &b = other.second;
        return a.size() != b.size() ? a.size() < b.size() : a.front()->heard_ > b.front()->heard_;
      });
  return most == clients_.end() ? nullptr : &most->second;
}

std::unique_ptr<OpenConnections::Place> OpenConnections::enter(const Client& client, Instant now,
                                                               std::function<void()> close) {
  const auto own = clients_.find(client);
  const auto already = own == clients_.end() ? 0 : own->second.size();
  if (already >= limits_.of_client) {
    const bool idle = already > 0 && now - own->second.front()->heard_ >= timeouts::idle_enough;
    if (!idle) return nullptr;
    close_idlest(own->second);
  } else if (count_ >= limits_.all) {
    auto* const others = most_crowded();
    if (others == nullptr || others->size() <= already) return nullptr;
    close_idlest(*others);
  }
  auto place = std::unique_ptr<Place>(new Place(shared_from_this(), client));
  auto& list = clients_[client];
  place->close_ = std::move(close);
  place->heard_ = now;
  place->at_ = list.insert(list.end(), place.get());
  ++count_;
  return place;
}

struct OpenConnections::Leaving : std::enable_shared_from_this<Leaving> {
  explicit Leaving(asio::ip::tcp::socket its_socket)
      : socket(std::move(its_socket)), timer(socket.get_executor()) {}

  void read() {
    socket.async_read_some(asio::buffer(ignored),
                           [self = shared_from_this()](error_code error, std::size_t) {
                             if (error) return self->close();
                             self->read();
                           });
  }
  void close() {
    error_code unimportant;
    timer.cancel();
    socket.close(unimportant);
  }

  asio::ip::tcp::socket socket;
  asio::steady_timer timer;
  std::array<char, 1'024> ignored{};
};

void OpenConnections::turn_away(asio::ip::tcp::socket socket, std::string_view words) {
  constexpr std::size_t most = 32;  // if there are more, the first is closed at once
  const auto leaving = std::make_shared<Leaving>(std::move(socket));
  error_code unsaid;
  leaving->socket.non_blocking(true, unsaid);
  // There is room for it in the send buffer: nothing was written before.
  leaving->socket.write_some(asio::buffer(words), unsaid);
  leaving->socket.shutdown(asio::ip::tcp::socket::shutdown_send, unsaid);
  std::erase_if(leaving_, [](const auto& one) { return one.expired(); });
  if (leaving_.size() >= most) {
    if (const auto first = leaving_.front().lock()) first->close();
    leaving_.pop_front();
  }
  leaving_.push_back(leaving);
  leaving->timer.expires_after(timeouts::turned_away);
  leaving->timer.async_wait([leaving](error_code error) {
    if (!error) leaving->close();
  });
  leaving->read();
}

}  // namespace callready
