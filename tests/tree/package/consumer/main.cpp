// A stranger's program: links both libraries, by their public headers alone.
#include <cstdio>
#include <exception>

#include <shmim/fits.hpp>
#include <shmim/shmim.hpp>

int main() try {
  shmim::Stream stream =
      shmim::Stream::local("consumer", {.type = shmim::DataType::uint16, .shape = {4, 3}});
  shmim::WriteGuard frame(stream);
  std::printf("frame %ju\n", static_cast<std::uintmax_t>(frame.publish()));
  const auto file = shmim::to_fits(shmim::Hdu::primary, stream.format().type, stream.format().shape,
                                   stream.unguarded_pixels(), {});
  std::printf("FITS %s\n", shmim::looks_like_fits(file) ? "yes" : "no");
} catch (const std::exception& error) {
  static_cast<void>(std::fprintf(stderr, "%s\n", error.what()));
  return 1;
}
