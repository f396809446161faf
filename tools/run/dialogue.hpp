#pragma once

#include <memory>
#include <string>

#include <shmim/frames.hpp>
#include <shmim/shmim.hpp>

#include "run/filter.hpp"

namespace shmim::tools {

/// What a filter is given and what it answers.
enum class Language { raw, text, npy, frames };
/// `raw`, `text`, `npy`, `frames`.
[[nodiscard]] Language language_of(const std::string& name);

/// What stands in front of the pixels of a frame for a filter; of text, which has no pixels, all.
[[nodiscard]] std::string heading(Language language, const Stream& stream, const TakenFrame& taken,
                                  const Selection& selection, std::span<const std::byte> frame);

/// Reads answers, each of them a frame of that type and shape.
class Answers {
 public:
  Answers() = default;
  Answers(const Answers&) = delete;
  Answers(Answers&&) = delete;
  Answers& operator=(const Answers&) = delete;
  Answers& operator=(Answers&&) = delete;
  virtual ~Answers() = default;
  /// Reads one whole. Throws FilterFailed where it is none, and what Filter::read_some() does.
  virtual void read(std::span<std::byte> frame) = 0;
  /// Throws FilterFailed where something has been written that nobody asked for.
  virtual void require_silence() = 0;
};
/// Of `filter`, which must outlive them, from where it has been started on.
[[nodiscard]] std::unique_ptr<Answers> answers_of(Filter& filter, Language language, DataType type,
                                                  const Shape& shape);

}  // namespace shmim::tools
