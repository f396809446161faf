// A new stream, with all its memory. The floor is posix_fallocate of a file of the same size.

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "bench/measure.hpp"

namespace shmim::tools::bench {
namespace {

void measure_size(const Bench& bench, std::uint64_t size) {
  const std::string plain = (bench.scratch.path() / "plain").string();
  const std::size_t bytes = format_of(size).file_bytes();
  Case contest{"create", bytes_text(size), {}, 20};
  contest.contenders.push_back(
      {"open and posix_fallocate", [&, plain, bytes] {
         int error = 0;
         const double taken = timed([&] {
           const FileDescriptor file(::open(plain.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
           error =
               file.get() < 0 ? errno : ::posix_fallocate(file.get(), 0, static_cast<off_t>(bytes));
         });
         ::unlink(plain.c_str());
         if (error != 0) {
           throw Error::system(plain, "cannot make the file", error);
         }
         return taken;
       }});
  contest.contenders.push_back({"draft and publish a stream", [&] {
                                  const double taken = timed([&] {
                                    Stream stream =
                                        Stream::draft(bench.scratch.path(), "new", format_of(size));
                                    static_cast<void>(stream.publish());
                                  });
                                  bench.scratch.remove("new");
                                  return taken;
                                }});
  bench.run(contest);
}

}  // namespace

void measure_create(const Bench& bench) {
  for (const std::uint64_t size : bench.sizes_or({64 << 20})) {
    measure_size(bench, size);
  }
}

}  // namespace shmim::tools::bench
