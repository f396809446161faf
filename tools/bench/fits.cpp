// A stream from a FITS file of 2048 x 2048 uint16. The floor is cfitsio, reading the image into
// memory of the heap; into memory that can be shared, which must be made, it costs more.

#include <fstream>
#include <memory>
#include <span>

#include <dlfcn.h>
#include <fmt/format.h>
#include <shmim/fits.hpp>

#include "bench/measure.hpp"

namespace shmim::tools::bench {
namespace {

/// The four functions of cfitsio that read an image, without anything around them. The library is
/// opened as the tools open it, since fitsio.h and its many names are for one room of the house.
class Cfitsio {
 public:
  Cfitsio() : library_(::dlopen(SHMIM_CFITSIO_SONAME, RTLD_NOW | RTLD_LOCAL)) {
    if (library_ != nullptr) {
      open_ = reinterpret_cast<Open>(::dlsym(library_, "ffiopn"));
      read_ = reinterpret_cast<Read>(::dlsym(library_, "ffgpv"));
      close_ = reinterpret_cast<Close>(::dlsym(library_, "ffclos"));
    }
  }
  [[nodiscard]] bool is_there() const noexcept {
    return open_ != nullptr && read_ != nullptr && close_ != nullptr;
  }
  void read(const std::string& file, std::span<std::uint16_t> pixels) const {
    constexpr int type_ushort = 20;
    void* handle = nullptr;
    int status = 0;
    int any_null = 0;
    open_(&handle, file.c_str(), 0, &status);
    read_(handle, type_ushort, 1, static_cast<long long>(pixels.size()), nullptr, pixels.data(),
          &any_null, &status);
    close_(handle, &status);
    if (status != 0) {
      throw Error(Problem::failed, file, fmt::format("cfitsio cannot read it: status {}", status));
    }
  }

 private:
  using Open = int (*)(void**, const char*, int, int*);
  using Read = int (*)(void*, int, long long, long long, void*, void*, int*, int*);
  using Close = int (*)(void*, int*);
  void* library_;
  Open open_ = nullptr;
  Read read_ = nullptr;
  Close close_ = nullptr;
};

}  // namespace

void measure_fits(const Bench& bench) {
  constexpr std::uint32_t side = 2048;
  const std::filesystem::path conf = bench.scratch.path() / "conf";
  std::filesystem::create_directory(conf);
  const std::string file = (conf / "shmim.image.fits").string();
  std::vector<std::uint16_t> pixels(std::size_t{side} * side);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<std::uint16_t>(i);
  }
  const std::vector<std::byte> bytes = to_fits(Hdu::primary, DataType::uint16, Shape{side, side},
                                               std::as_bytes(std::span(pixels)), {});
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));

  const Cfitsio cfitsio;
  const SearchPath search_path{bench.scratch.path(), conf, open_fits};
  const Reference reference = parse_reference("image");
  Case contest{"fits", "2048x2048 uint16", {}, 20};
  if (cfitsio.is_there()) {
    contest.contenders.push_back(
        {"cfitsio, into memory", [&] {
           return timed([&] {
             // Not a vector, which would be cleared first.
             // NOLINTNEXTLINE(modernize-avoid-c-arrays,cppcoreguidelines-avoid-c-arrays)
             const auto fresh = std::make_unique_for_overwrite<std::uint16_t[]>(pixels.size());
             cfitsio.read(file, {fresh.get(), pixels.size()});
           });
         }});
    contest.contenders.push_back(
        {"cfitsio, into new shared memory", [&] {
           return timed([&] {
             const std::size_t size = pixels.size() * sizeof(pixels[0]);
             const Segment shared = Segment::draft(bench.scratch.path(), size);
             cfitsio.read(file, {reinterpret_cast<std::uint16_t*>(shared.data()), pixels.size()});
           });
         }});
  } else {
    contest.without_floor = "cfitsio cannot be opened: there is no floor";
  }
  contest.contenders.push_back({"connect", [&] {
                                  const double taken = timed(
                                      [&] { static_cast<void>(connect(reference, search_path)); });
                                  bench.scratch.remove("image");
                                  return taken;
                                }});
  bench.run(contest);
}

}  // namespace shmim::tools::bench
