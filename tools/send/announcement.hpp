#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/app/context.hpp"
#include "common/io/child.hpp"

namespace shmim::tools {

/// What tells the local network, by avahi, where streams are sent, for as long as it lives.
class Announcement {
 public:
  /// Of those endpoints that other hosts reach. Throws UsageError where there are none; Error, with
  /// what to try, where there is no avahi-publish-service.
  Announcement(const Context& context, const std::vector<std::string>& endpoints,
               const std::vector<Reference>& streams, bool is_encrypted);
  ~Announcement();
  Announcement(const Announcement&) = delete;
  Announcement(Announcement&&) = delete;
  Announcement& operator=(const Announcement&) = delete;
  Announcement& operator=(Announcement&&) = delete;

 private:
  /// Says what it says; that of one that names the service, with --verbose alone.
  void pass_on(Child& publisher) const;
  const Context& context_;
  std::vector<std::unique_ptr<Child>> publishers_;
  std::vector<std::thread> threads_;
  std::atomic<bool> is_over_ = false;
};

}  // namespace shmim::tools
