// Keywords and the trace.

#include <algorithm>
#include <cstring>

#include "c/handles.hpp"

namespace shmim::c {
namespace {

void put(std::span<char> place, const std::string& text) noexcept {
  const std::size_t length = std::min(text.size(), place.size() - 1);
  std::memcpy(place.data(), text.data(), length);
  place[length] = '\0';
}

std::string text_in(std::span<const char> place) {
  return {place.data(), ::strnlen(place.data(), place.size())};
}

shmim_keyword to_c(const Keyword& keyword) noexcept {
  shmim_keyword made{};
  put(made.name, keyword.name);
  put(made.comment, keyword.comment);
  if (const auto* integer = std::get_if<std::int64_t>(&keyword.value)) {
    made.kind = 'L';
    made.integer = *integer;
  } else if (const auto* real = std::get_if<double>(&keyword.value)) {
    made.kind = 'D';
    made.real = *real;
  } else {
    made.kind = 'S';
    put(made.string, std::get<std::string>(keyword.value));
  }
  return made;
}

Keyword from_c(const shmim_keyword& keyword) {
  Keyword made{text_in(keyword.name), {}, text_in(keyword.comment)};
  switch (keyword.kind) {
    case 'L':
      made.value = keyword.integer;
      break;
    case 'D':
      made.value = keyword.real;
      break;
    case 'S':
      made.value = text_in(keyword.string);
      break;
    default:
      throw Error(Problem::usage, made.name, "a keyword is of kind L, D or S");
  }
  return made;
}

shmim_step to_c(const TraceEntry& entry) noexcept {
  shmim_step step{};
  step.written = entry.written ? nanoseconds_of(*entry.written) : 0;
  step.triggered = nanoseconds_of(entry.triggered);
  step.trigger_inode = entry.trigger_inode;
  step.cnt0 = entry.cnt0;
  step.pid = entry.pid;
  step.state = static_cast<std::int32_t>(entry.writing);
  step.mode = static_cast<std::int32_t>(entry.mode);
  step.semaphore = entry.semaphore;
  return step;
}

/// As many as there is room for, and how many there are.
template <class From, class To>
int give(std::span<const From> found, To* room, std::size_t capacity, std::size_t* count) {
  for (std::size_t i = 0; i < std::min(found.size(), capacity); ++i) {
    (&required(room, "the list"))[i] = to_c(found[i]);
  }
  required(count, "the count") = found.size();
  return SHMIM_OK;
}

}  // namespace

extern "C" {
#pragma GCC visibility push(default)  // as the header says of each

int shmim_trace(const shmim_stream* stream, shmim_step* steps, std::size_t capacity,
                std::size_t* count, shmim_error* error) {
  return guarded(error, [&] {
    const Stream& of = required(stream, "the stream").stream;
    std::vector<TraceEntry> entries;
    of.require_whole(of.snapshot_trace(entries));
    return give(chain_of(entries), steps, capacity, count);
  });
}

int shmim_keywords(const shmim_stream* stream, shmim_keyword* keywords, std::size_t capacity,
                   std::size_t* count, shmim_error* error) {
  return guarded(error, [&] {
    const std::vector<Keyword> all = required(stream, "the stream").stream.keywords().all();
    return give(std::span<const Keyword>(all), keywords, capacity, count);
  });
}

int shmim_get_keyword(const shmim_stream* stream, const char* name, shmim_keyword* keyword,
                      shmim_error* error) {
  return guarded(error, [&] {
    const auto found =
        required(stream, "the stream").stream.keywords().find(&required(name, "the name"));
    if (!found) {
      throw Error(Problem::not_found, stream->stream.name(),
                  std::string("there is no keyword ") + name);
    }
    required(keyword, "the place for the keyword") = to_c(*found);
    return SHMIM_OK;
  });
}

int shmim_set_keywords(const shmim_stream* stream, const shmim_keyword* keywords, std::size_t count,
                       shmim_error* error) {
  return guarded(error, [&] {
    std::vector<Keyword> wanted;
    for (std::size_t i = 0; i < count; ++i) {
      wanted.push_back(from_c((&required(keywords, "the list"))[i]));
    }
    required(stream, "the stream").stream.keywords().set(wanted);
    return SHMIM_OK;
  });
}

int shmim_erase_keyword(const shmim_stream* stream, const char* name, shmim_error* error) {
  return guarded(error, [&] {
    if (!required(stream, "the stream").stream.keywords().erase(&required(name, "the name"))) {
      throw Error(Problem::not_found, stream->stream.name(),
                  std::string("there is no keyword ") + name);
    }
    return SHMIM_OK;
  });
}

#pragma GCC visibility pop
}  // extern "C"

}  // namespace shmim::c
