#include <chrono>
#include <thread>

#include "shmim/error.hpp"
#include "shmim/resolve.hpp"

namespace shmim {

Connection await(const Reference& reference, const Requirement& requirement,
                 const SearchPath& search_path, const AwaitOptions& options, Access access) {
  // No event tells of a file that appears in every directory that is searched; a look costs
  // microseconds.
  constexpr std::chrono::milliseconds interval{5};
  bool has_begun = false;
  while (true) {
    const bool is_last =
        (options.cancelled && options.cancelled()) ||
        (options.deadline && std::chrono::steady_clock::now() >= *options.deadline);
    try {
      Connection connection = connect_checked(reference, requirement, search_path, access);
      if (is_last || connection.outcome != Outcome::not_found) {
        return connection;
      }
    } catch (const Error& error) {
      const bool may_appear =
          may_be_half_made(error.problem()) || error.problem() == Problem::dangling_link;
      if (is_last || !may_appear) {
        throw;
      }
    }
    if (!has_begun && options.begun) {
      options.begun();
    }
    has_begun = true;
    std::this_thread::sleep_for(interval);
  }
}

}  // namespace shmim
