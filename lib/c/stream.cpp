// Streams: what there is, opened, made, removed, described.

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "c/handles.hpp"
#include "shmim/directory.hpp"
#include "shmim/element.hpp"
#include "shmim/image.hpp"

namespace shmim::c {
namespace {

Format to_format(const shmim_format& format) {
  Format made;
  made.type = static_cast<DataType>(format.type);
  if (element_size(made.type) == 0 || format.type > 0xFF) {
    throw Error(Problem::usage, "", "there is no type " + std::to_string(format.type));
  }
  if (format.axes > layout::max_axes) {
    throw Error(Problem::usage, "", "a stream has 3 axes at most");
  }
  made.shape = Shape(std::span(format.size).first(format.axes));
  const auto fit = [](std::uint32_t number, const char* what) {
    if (!std::in_range<std::uint16_t>(number)) {
      throw Error(Problem::usage, "", std::string(what) + ": 65535 at most");
    }
    return static_cast<std::uint16_t>(number);
  };
  made.keywords = fit(format.keywords, "keywords");
  made.semaphores = fit(format.semaphores, "semaphores");
  made.circular_buffer = format.circular_buffer;
  made.image_type = format.image_type;
  if (format.location != -1) {
    throw Error(Problem::usage, "", "streams are made in CPU memory, location -1, alone");
  }
  return made;
}

/// A reference that is a name and no more.
Reference named(const char* name) {
  Reference reference = parse_reference(&required(name, "the name"));
  if (reference.name != name) {
    throw Error(Problem::usage, name, "a name is asked for, and no more");
  }
  return reference;
}

Stream made_stream(const char* name, const Format& format, shmim_creation creation,
                   const SearchPath& search_path) {
  const Reference reference = named(name);
  const CreateOptions options{format, {}, {}};
  switch (creation) {
    case SHMIM_NEW:
      return create(reference, options, search_path);
    case SHMIM_IF_MISSING:
      return detail::open_or_create(name, format, search_path);
    case SHMIM_REPLACE:
      return recreate(reference, options, search_path).stream.value();
  }
  throw Error(Problem::usage, name, "there is no such way to make a stream");
}

}  // namespace

extern "C" {
#pragma GCC visibility push(default)  // as the header says of each

const char* shmim_version() { return SHMIM_VERSION; }

const char* shmim_type_name(std::uint32_t type) {
  return shmim_type_size(type) == 0 ? nullptr : to_string(static_cast<DataType>(type)).data();
}

std::size_t shmim_type_size(std::uint32_t type) {
  return type > 0xFF ? 0 : element_size(static_cast<DataType>(type));
}

std::uint32_t shmim_type_of(const char* name) {
  const auto type = name == nullptr ? std::nullopt : parse_data_type(name);
  return type ? static_cast<std::uint32_t>(*type) : 0;
}

std::int64_t shmim_now() { return nanoseconds_of(TaiClock::now()); }
std::int64_t shmim_tai_offset() { return tai_offset().count(); }

int shmim_directory(char* directory, std::size_t size, shmim_error* error) {
  return guarded(error, [&] {
    const std::string found = default_shm_directory().string();
    if (found.size() >= size) {
      throw Error(Problem::usage, found, "there is no room for so long a name");
    }
    std::memcpy(&required(directory, "the directory"), found.c_str(), found.size() + 1);
    return SHMIM_OK;
  });
}

int shmim_list(const char* directory, const char* pattern, char*** names, shmim_error* error) {
  return guarded(error, [&] {
    const auto found =
        list_streams(search_path_of(directory).shm, pattern == nullptr ? "*" : pattern);
    char**& list = required(names, "the list");
    // One piece of memory: the pointers, behind them the names.
    std::size_t bytes = (found.size() + 1) * sizeof(char*);
    for (const std::string& name : found) {
      bytes += name.size() + 1;
    }
    list = static_cast<char**>(::operator new(bytes));
    char* text = reinterpret_cast<char*>(list + found.size() + 1);
    char** pointer = list;
    for (const std::string& name : found) {
      std::memcpy(text, name.c_str(), name.size() + 1);
      *pointer++ = text;
      text += name.size() + 1;
    }
    *pointer = nullptr;
    return SHMIM_OK;
  });
}

void shmim_free_names(char** names) { ::operator delete(names); }

void shmim_default_format(shmim_format* format, std::uint32_t type, std::uint32_t axes,
                          const std::uint32_t* size) {
  const Format usual;
  shmim_format made{};
  made.type = type;
  made.axes = axes;
  // The lengths may be those of the format that is filled in.
  std::copy_n(size, std::min<std::size_t>(axes, layout::max_axes), std::begin(made.size));
  made.keywords = usual.keywords;
  made.semaphores = usual.semaphores;
  made.image_type = usual.image_type;
  made.location = int{usual.location};
  *format = made;
}

int shmim_open(const char* reference, const char* directory, shmim_stream** stream,
               shmim_error* error) {
  return guarded(error, [&] {
    required(stream, "the place for the stream") = new shmim_stream{
        shmim::open(&required(reference, "the reference"), search_path_of(directory))};
    return SHMIM_OK;
  });
}

int shmim_create(const char* name, const shmim_format* format, shmim_creation creation,
                 const char* directory, shmim_stream** stream, shmim_error* error) {
  return guarded(error, [&] {
    required(stream, "the place for the stream") = new shmim_stream{made_stream(
        name, to_format(required(format, "the format")), creation, search_path_of(directory))};
    return SHMIM_OK;
  });
}

void shmim_close(shmim_stream* stream) { delete stream; }

int shmim_remove(const char* name, const char* directory, shmim_error* error) {
  return guarded(error, [&] {
    const auto path = stream_path(search_path_of(directory).shm, named(name).name);
    const auto identity = identity_of(path);
    if (!identity || !remove_stream(path, *identity)) {
      throw Error(Problem::not_found, name, "no such stream");
    }
    return SHMIM_OK;
  });
}

const char* shmim_name(const shmim_stream* stream) { return stream->stream.name().c_str(); }
const char* shmim_path(const shmim_stream* stream) { return stream->stream.path().c_str(); }

void shmim_get_format(const shmim_stream* stream, shmim_format* format) {
  const Format& found = stream->stream.format();
  *format = {};
  format->type = static_cast<std::uint32_t>(found.type);
  format->axes = static_cast<std::uint32_t>(found.shape.axes());
  std::ranges::copy(found.shape.lengths(), std::begin(format->size));
  format->keywords = found.keywords;
  format->circular_buffer = found.circular_buffer;
  format->semaphores = found.semaphores;
  format->image_type = found.image_type;
  format->location = int{found.location};
}

std::size_t shmim_bytes(const shmim_stream* stream) {
  return static_cast<std::size_t>(stream->stream.format().bytes());
}
std::size_t shmim_frame_bytes(const shmim_stream* stream) {
  return static_cast<std::size_t>(stream->stream.format().frame_bytes());
}
int shmim_is_writable(const shmim_stream* stream) { return stream->stream.writable() ? 1 : 0; }
int shmim_is_current(const shmim_stream* stream) { return stream->stream.is_current() ? 1 : 0; }
std::uint64_t shmim_inode(const shmim_stream* stream) { return stream->stream.identity().inode; }
void shmim_newest(const shmim_stream* stream, shmim_frame* frame) {
  *frame = frame_of(stream->stream.newest());
}

void shmim_get_header(const shmim_stream* stream, shmim_header* header) {
  const layout::Metadata found = stream->stream.metadata();
  *header = {};
  layout::text_of(found.version).copy(header->version, sizeof header->version - 1);
  header->created = nanoseconds_of(to_tai(found.creationtime));
  header->accessed = nanoseconds_of(to_tai(found.lastaccesstime));
  header->cnt2 = found.cnt2;
  header->flag = found.flag;
  header->shared = found.shared;
  header->status = found.status;
  header->logflag = found.logflag;
  header->write = found.write;
}

#pragma GCC visibility pop
}  // extern "C"

}  // namespace shmim::c
