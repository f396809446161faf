#include "stream/successor.hpp"

#include <utility>

#include "shmim/error.hpp"

namespace shmim {

Successor find_successor(const Stream& stream) {
  try {
    Stream found = Stream::open(stream.path(), stream.writable() ? Access::best : Access::read);
    const auto differing = differences(found.format(), type_and_shape(stream.format()));
    if (!differing.empty()) {
      return {Successor::Kind::differs, {}, to_string(differing)};
    }
    return {Successor::Kind::same, std::move(found), {}};
  } catch (const Error& error) {
    if (error.problem() == Problem::not_found || error.problem() == Problem::dangling_link) {
      return {};
    }
    if (may_be_half_made(error.problem())) {
      return {Successor::Kind::half_made, {}, {}};
    }
    throw;
  }
}

}  // namespace shmim
