#include "run/companions.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/io/descriptor.hpp"

namespace shmim::tools {
namespace {

/// What stands between commas, but for those in the brackets of a slice.
std::vector<std::string> words_of(const std::string& list) {
  std::vector<std::string> words(1);
  int depth = 0;
  for (const char letter : list) {
    depth += letter == '[' ? 1 : letter == ']' ? -1 : 0;
    if (letter == ',' && depth == 0) {
      words.emplace_back();
    } else {
      words.back() += letter;
    }
  }
  return words;
}

}  // namespace

Companions::Companions(const Context& context, const std::vector<std::string>& lists,
                       Language language)
    : context_(context), language_(language) {
  for (const std::string& list : lists) {
    for (const std::string& word : words_of(list)) {
      const Reference reference = context.reference(word);
      Stream stream = context.open(reference, Access::read);
      const bool is_of_plane = takes_newest_plane(reference.slice, stream.format());
      const Selection selection = selection_of(reference.slice, stream.format(), is_of_plane);
      FileDescriptor file(::memfd_create(stream.name().c_str(), MFD_CLOEXEC));
      if (file.get() < 0) {
        throw Error::system(stream.name(), "cannot make a file for its frames", errno);
      }
      companions_.push_back(
          {reference, std::move(stream), selection, is_of_plane, std::move(file)});
    }
  }
}

void Companions::renew() {
  for (Companion& companion : companions_) {
    if (!companion.stream.is_current()) {
      open_anew(companion);
    }
    if (companion.stream.cnt0() != companion.cnt0) {
      write(companion);
    }
  }
}

void Companions::open_anew(Companion& companion) const {
  Stream stream = context_.open(companion.reference, Access::read);
  const Requirement before = type_and_shape(companion.stream.format());
  if (const auto differing = differences(stream.format(), before); !differing.empty()) {
    throw Error(Problem::mismatch, stream.name(),
                fmt::format("was re-created with another format: {}", to_string(differing)));
  }
  companion.stream = std::move(stream);
  companion.cnt0 = UINT64_MAX;
}

void Companions::write(Companion& companion) const {
  const Stream& stream = companion.stream;
  std::vector<std::byte> frame(companion.selection.bytes());
  const Snapshot snapshot = stream.take_whole(companion.selection, companion.is_of_plane, frame,
                                              deadline_after(std::chrono::seconds{1}));
  TakenFrame taken;
  taken.info = snapshot.info;
  taken.inode = stream.identity().inode;
  const std::string head = heading(language_, stream, taken, companion.selection, frame);
  const std::span<const std::byte> pixels = language_ == Language::text
                                                ? std::span<const std::byte>()
                                                : std::span<const std::byte>(frame);
  const int file = companion.file.get();
  if (::ftruncate(file, 0) != 0 || ::lseek(file, 0, SEEK_SET) != 0) {
    throw Error::system(stream.name(), "cannot renew the file of its frames", errno);
  }
  if (const int error = write_all(file, std::as_bytes(std::span(head)), pixels)) {
    throw Error::system(stream.name(), "cannot write the file of its frames", error);
  }
  companion.cnt0 = snapshot.info.cnt0;
}

void Companions::add_to(Variables& variables) const {
  for (const Companion& companion : companions_) {
    std::string name = "SHMIM_WITH_" + companion.stream.name();
    std::ranges::replace_if(
        name, [](unsigned char letter) { return std::isalnum(letter) == 0; }, '_');
    // By way of /proc, so that it need not be handed down from process to process.
    variables[name] = fmt::format("/proc/{}/fd/{}", ::getpid(), companion.file.get());
  }
}

}  // namespace shmim::tools
