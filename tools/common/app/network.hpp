#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <shmim/network.hpp>

#include "common/io/child.hpp"

namespace shmim::tools {

class Context;
class Options;

/// What a connection between hosts is secured with: --curve, --keys and --insecure.
class Security {
 public:
  void declare(Options& options);

  /// Throws UsageError where others could reach the endpoint, and neither --curve nor --insecure
  /// was given; and Error (usage) where it is none, with what to try: `command` and one.
  void require_for(const std::string& endpoint, const std::string& command) const;
  [[nodiscard]] bool uses_keys() const noexcept { return curve_; }
  /// True where it has been said how others are dealt with.
  [[nodiscard]] bool is_for_others() const noexcept { return curve_ || insecure_; }
  /// Throws Error (no_directory).
  [[nodiscard]] KeyFolder keys() const;
  /// The user's own. Throws Error, with what to try where there are none.
  [[nodiscard]] KeyPair own_keys() const;

 private:
  bool curve_ = false;
  bool insecure_ = false;
  std::string folder_;
};

/// What streams are sent with: --bind, --rate, --buffer, and those of Security.
class Sending {
 public:
  /// `usual` says where it listens without --bind.
  void declare(Options& options, const std::string& usual);

  [[nodiscard]] const Security& security() const noexcept { return security_; }
  /// Those of --bind; who has none adds the usual one.
  [[nodiscard]] std::vector<std::string>& endpoints() noexcept { return endpoints_; }
  /// For a Sender that ends with an interruption. Throws UsageError, Error (keys that are not
  /// there).
  [[nodiscard]] SenderOptions options(const Context& context) const;

 private:
  std::vector<std::string> endpoints_;
  std::optional<double> rate_;
  std::string buffer_;
  Security security_;
};

/// Says what happens: a line of JSON with --json, else in plain words; who comes and goes with
/// --verbose alone. For one thread at a time, as long as the context is there.
std::function<void(const NetworkEvent&)> teller(const Context& context);

/// As what streams are announced in the local network.
inline constexpr const char* announced_type = "_shmim._tcp";
/// A program of avahi's. Throws Error, with what to try where it is not there.
std::unique_ptr<Child> start_avahi(std::vector<std::string> words, Child::Reads reads);

}  // namespace shmim::tools
