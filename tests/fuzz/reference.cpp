// References and slices: what is read back from what was written is the same, and a slice of a
// frame stays within it.

#include <cstdlib>
#include <string_view>

#include <shmim/shmim.hpp>

using namespace shmim;

namespace {

void take(const Slice& slice, const Shape& shape) {
  try {
    const Selection selection(slice, shape, DataType::uint16);
    std::vector<std::byte> frame(shape.elements() * 2);
    std::vector<std::byte> part(selection.bytes());
    selection.take(frame, part);
    if (!selection.bins()) {
      selection.put(part, frame);
    }
  } catch (const Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const Reference reference = parse_reference(text);
    if (reference.address &&
        split_address(to_string(*reference.address) + "/").address != reference.address) {
      std::abort();
    }
    if (name_error(reference.name) || parse_slice(to_string(reference.slice)) != reference.slice) {
      std::abort();
    }
    take(reference.slice, Shape{7});
    take(reference.slice, Shape{5, 4});
    take(reference.slice, Shape{4, 3, 5});
  } catch (const Error& error) {
    if (error.problem() != Problem::usage) {
      std::abort();
    }
  }
  return 0;
}
