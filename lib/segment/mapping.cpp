#include "segment/mapping.hpp"

#include <atomic>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <vector>

#include <sys/mman.h>

#include "shmim/segment.hpp"

namespace shmim {

// The handler runs in the middle of anything, so it reads nothing but atomics, and mappings are
// never freed: those that are done with wait for their next use.
struct Mapping {
  std::atomic<std::byte*> data{nullptr};
  std::atomic<std::size_t> size{0};
  std::atomic<bool> lost{false};
  Mapping* next = nullptr;
};

namespace {

std::atomic<Mapping*> first_mapping{nullptr};
static_assert(std::atomic<std::byte*>::is_always_lock_free);

/// Those of no use at the moment. Never destroyed: a segment may outlive the globals.
struct Unused {
  std::mutex mutex;
  std::vector<Mapping*> mappings;
};
Unused& unused() {
  static auto* const instance = new Unused;
  return *instance;
}

struct sigaction previous_action {};

/// Puts zeros in the place of the whole mapping. False where the address is in none of ours.
bool replace_mapping(const void* address) noexcept {
  const auto where = reinterpret_cast<std::uintptr_t>(address);
  for (Mapping* mapping = first_mapping.load(std::memory_order_acquire); mapping != nullptr;
       mapping = mapping->next) {
    std::byte* data = mapping->data.load(std::memory_order_acquire);
    const std::size_t size = mapping->size.load(std::memory_order_relaxed);
    const auto begin = reinterpret_cast<std::uintptr_t>(data);
    if (data != nullptr && where - begin < size) {
      mapping->lost.store(true, std::memory_order_release);
      return ::mmap(data, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                    0) != MAP_FAILED;
    }
  }
  return false;
}

void on_bus_error(int signal, siginfo_t* info, void* context) noexcept {
  if (info->si_code == BUS_ADRERR && replace_mapping(info->si_addr)) {
    return;
  }
  if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
    previous_action.sa_sigaction(signal, info, context);
  } else if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    previous_action.sa_handler(signal);
  } else {
    // The access is tried again on return, and then ends the process as it would have before.
    static_cast<void>(std::signal(signal, SIG_DFL));
  }
}

}  // namespace

Mapping* remember(std::byte* data, std::size_t size) {
  Mapping* mapping = nullptr;
  {
    const std::lock_guard lock(unused().mutex);
    if (!unused().mappings.empty()) {
      mapping = unused().mappings.back();
      unused().mappings.pop_back();
    }
  }
  if (mapping == nullptr) {
    mapping = new Mapping;
    mapping->next = first_mapping.load(std::memory_order_relaxed);
    while (!first_mapping.compare_exchange_weak(mapping->next, mapping, std::memory_order_release,
                                                std::memory_order_relaxed)) {
    }
  }
  mapping->lost.store(false, std::memory_order_relaxed);
  mapping->size.store(size, std::memory_order_relaxed);
  mapping->data.store(data, std::memory_order_release);
  return mapping;
}

void forget(Mapping* mapping) noexcept {
  mapping->data.store(nullptr, std::memory_order_release);
  try {
    const std::lock_guard lock(unused().mutex);
    unused().mappings.push_back(mapping);
  } catch (...) {
    // Without memory to note it, it is of no use any more.
  }
}

bool is_lost(const Mapping* mapping) noexcept {
  return mapping->lost.load(std::memory_order_acquire);
}

void survive_truncation() noexcept {
  static const bool is_installed = [] {
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO;
    return sigaction(SIGBUS, &action, &previous_action) == 0;
  }();
  static_cast<void>(is_installed);
}

}  // namespace shmim
